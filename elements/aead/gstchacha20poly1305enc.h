/* SPDX-License-Identifier: LGPL-2.1-or-later */

#ifndef __GST_CHACHA20_POLY1305_ENC_H__
#define __GST_CHACHA20_POLY1305_ENC_H__

#include <gst/eeg/eeg.h>

G_BEGIN_DECLS

#define GST_TYPE_EEG_CHACHA20_POLY1305_ENC                                     \
  (gst_eeg_chacha20_poly1305_enc_get_type ())
G_DECLARE_FINAL_TYPE (GstEegChacha20Poly1305Enc, gst_eeg_chacha20_poly1305_enc,
    GST, EEG_CHACHA20_POLY1305_ENC, GstEegChunkCodec)

GST_ELEMENT_REGISTER_DECLARE (chacha20poly1305enc)

G_END_DECLS

#endif /* __GST_CHACHA20_POLY1305_ENC_H__ */
