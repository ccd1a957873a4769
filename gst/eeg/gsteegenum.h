/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For elements with enumerations as properties; not installed. */
#ifndef __GST_EEG_ENUM_H__
#define __GST_EEG_ENUM_H__

#include <gst/gst.h>

/* Defines `function`, which returns the type `name` of an enumeration and
 * registers it first. The values follow: { value, "Blurb", "nick" }. */
#define GST_EEG_DEFINE_ENUM(function, name, ...)                               \
  static GType function (void)                                                 \
  {                                                                            \
    static gsize type = 0;                                                     \
    static const GEnumValue values[] = { __VA_ARGS__, { 0, NULL, NULL } };     \
                                                                               \
    if (g_once_init_enter (&type))                                             \
      g_once_init_leave (&type, g_enum_register_static (name, values));        \
    return type;                                                               \
  }

#endif /* __GST_EEG_ENUM_H__ */
