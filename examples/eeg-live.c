/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * eeg-live 'LAUNCH LINE': plays a line as gst-launch-1.0 does and takes
 * commands from its standard input while it plays, one a line:
 *
 *   element.property=value   sets a property, prints what it then is
 *   element.property         prints a property
 *   pause, play              changes the state
 *   stats                    prints the counters of each stage
 *   quit                     sends the end of stream and waits for it; a
 *                            second quit stops at once
 *   help                     prints this list
 *
 * Children are reached as element.child::property=value. A property that would
 * hold a secret is neither set nor shown, nor accepted in the launch line: keys
 * belong into files (key-file) or come from the application (request-key).
 *
 * At the end of its input it goes on playing until the end of the stream, so
 * that commands may come from a pipe. Exit status: 0 after the end of the
 * stream or quit, 1 after an error, 2 for a launch line that does not parse.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>
#include <gst/gst.h>

#include <gst/eeg/eeg.h>

/* Longest command; a longer one is refused and not kept. */
#define MAX_LINE 65536

typedef struct
{
  GMainLoop *loop;
  GstElement *pipeline;
  GString *input;
  gboolean input_too_long;
  gboolean quitting;
  gboolean eos_wanted; /* once the pipeline plays */
  int exit_status;
} App;

static const gchar usage[] =
    "usage: eeg-live 'LAUNCH LINE'\n"
    "plays the line and takes commands from its standard input:\n"
    "  element.property=value  set a property\n"
    "  element.property        print a property\n"
    "  pause, play             change the state\n"
    "  stats                   print the counters of each stage\n"
    "  quit                    end the stream; twice: stop at once\n"
    "  help                    print this list\n";

/* Whether a property of this name holds a secret itself, not the path of a
 * file with it. */
static gboolean
is_secret (const gchar *property)
{
  static const gchar *const words[] = { "key", "keys", "passphrase", "password",
    "passwd", "pw", "pin", "secret", "token", NULL };
  const gchar *last = strrchr (property, '-');
  gchar *word = g_ascii_strdown (last != NULL ? last + 1 : property, -1);
  gboolean secret = g_strv_contains (words, word);

  g_free (word);
  return secret;
}

/* Finds the name of a property in a launch line that must not be there.
 * (transfer full) (nullable) */
static gchar *
find_secret (const gchar *line)
{
  const gchar *p;

  for (p = strchr (line, '='); p != NULL; p = strchr (p + 1, '=')) {
    const gchar *end = p, *start;
    gchar *name;

    while (end > line && g_ascii_isspace (end[-1]))
      end--;
    start = end;
    while (start > line
        && (g_ascii_isalnum (start[-1]) || start[-1] == '-'
            || start[-1] == '_'))
      start--;
    name = g_strndup (start, end - start);
    g_strdelimit (name, "_", '-');
    if (is_secret (name))
      return name;
    g_free (name);
  }
  return NULL;
}

static gchar *
value_to_string (const GValue *value)
{
  gchar *text;

  if (G_VALUE_HOLDS_STRING (value))
    return g_strdup (g_value_get_string (value));
  text = gst_value_serialize (value);
  return text != NULL ? text : g_strdup_value_contents (value);
}

static void
print_property (const gchar *name, GObject *object, GParamSpec *pspec)
{
  GValue value = G_VALUE_INIT;
  gchar *text;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (object, pspec->name, &value);
  text = value_to_string (&value);
  printf ("%s=%s\n", name, text != NULL ? text : "");
  g_free (text);
  g_value_unset (&value);
}

/* Finds the object and the property that @name ("element.property" or
 * "element.child::property") means; prints a line and returns FALSE if there
 * are none. @object: (transfer full) */
static gboolean
find_property (App *app, const gchar *name, GObject **object,
    GParamSpec **pspec)
{
  const gchar *dot = strchr (name, '.');
  const gchar *property;
  gchar *element_name;
  GstElement *element;
  gboolean found;

  if (dot == NULL || dot == name || dot[1] == '\0') {
    printf ("'%s' is no command; try help\n", name);
    return FALSE;
  }
  element_name = g_strndup (name, dot - name);
  property = dot + 1;

  element = gst_bin_get_by_name (GST_BIN (app->pipeline), element_name);
  if (element == NULL) {
    printf ("there is no element '%s'\n", element_name);
    g_free (element_name);
    return FALSE;
  }

  if (strstr (property, "::") != NULL) {
    found = GST_IS_CHILD_PROXY (element)
        && gst_child_proxy_lookup (GST_CHILD_PROXY (element), property, object,
            pspec);
  } else {
    *pspec =
        g_object_class_find_property (G_OBJECT_GET_CLASS (element), property);
    found = *pspec != NULL;
    if (found)
      *object = g_object_ref (G_OBJECT (element));
  }
  if (!found)
    printf ("'%s' has no property '%s'\n", element_name, property);
  gst_object_unref (element);
  g_free (element_name);

  if (found && is_secret ((*pspec)->name)) {
    printf ("%s holds a secret, which is neither set nor shown here\n", name);
    g_clear_object (object);
    return FALSE;
  }
  return found;
}

/* Whether @text is a value of the type of @pspec; GStreamer takes a negative
 * number for a large unsigned one. */
static gboolean
parse_value (GValue *value, const gchar *text, GParamSpec *pspec)
{
  switch (G_TYPE_FUNDAMENTAL (pspec->value_type)) {
    case G_TYPE_UCHAR:
    case G_TYPE_UINT:
    case G_TYPE_ULONG:
    case G_TYPE_UINT64:
      if (text[0] == '-')
        return FALSE;
      break;
    default:
      break;
  }
  return gst_value_deserialize_with_pspec (value, text, pspec);
}

/* NULL, or why @pspec cannot be set in @state. */
static const gchar *
find_obstacle (GParamSpec *pspec, GstState state)
{
  if (!(pspec->flags & G_PARAM_WRITABLE))
    return "can only be read";
  if (pspec->flags & G_PARAM_CONSTRUCT_ONLY)
    return "can only be set in the launch line";
  if ((pspec->flags & GST_PARAM_MUTABLE_READY) && state > GST_STATE_READY)
    return "can only be set in the launch line";
  if ((pspec->flags & GST_PARAM_MUTABLE_PAUSED) && state > GST_STATE_PAUSED)
    return "can only be set after pause";
  return NULL;
}

static void
set_property (App *app, const gchar *name, const gchar *text)
{
  GObject *object = NULL;
  GParamSpec *pspec = NULL;
  GValue value = G_VALUE_INIT;
  const gchar *obstacle;

  if (!find_property (app, name, &object, &pspec))
    return;

  obstacle = find_obstacle (pspec, GST_STATE (app->pipeline));
  g_value_init (&value, pspec->value_type);
  if (obstacle != NULL) {
    printf ("%s %s\n", name, obstacle);
  } else if (!parse_value (&value, text, pspec)) {
    printf ("%s takes a %s, not '%s'\n", name, g_type_name (pspec->value_type),
        text);
  } else if (g_param_value_validate (pspec, &value)) {
    /* GLib would set the nearest valid value, or none, with a warning only */
    printf ("%s: %s is out of range; see gst-inspect-1.0\n", name, text);
  } else {
    g_object_set_property (object, pspec->name, &value);
    if (pspec->flags & G_PARAM_READABLE)
      print_property (name, object, pspec);
  }
  g_value_unset (&value);
  g_object_unref (object);
}

static void
get_property (App *app, const gchar *name)
{
  GObject *object = NULL;
  GParamSpec *pspec = NULL;

  if (!find_property (app, name, &object, &pspec))
    return;
  if (pspec->flags & G_PARAM_READABLE)
    print_property (name, object, pspec);
  else
    printf ("%s can only be set\n", name);
  g_object_unref (object);
}

static void
print_stats (const GValue *item, gpointer user_data)
{
  GstElement *element = g_value_get_object (item);
  GString *text;
  GstStructure *stats = NULL;
  gint i;

  if (!GST_IS_EEG_STAGE (element))
    return;
  g_object_get (element, "stats", &stats, NULL);
  text = g_string_new (GST_OBJECT_NAME (element));
  g_string_append_c (text, ':');
  for (i = 0; stats != NULL && i < gst_structure_n_fields (stats); i++) {
    const gchar *field = gst_structure_nth_field_name (stats, i);
    gchar *value = value_to_string (gst_structure_get_value (stats, field));

    g_string_append_printf (text, " %s=%s", field, value);
    g_free (value);
  }
  /* elements come sinks first */
  g_ptr_array_insert (user_data, 0, g_string_free (text, FALSE));
  g_clear_pointer (&stats, gst_structure_free);
}

static void
print_all_stats (App *app)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  GstIterator *it = gst_bin_iterate_sorted (GST_BIN (app->pipeline));
  guint i;

  while (gst_iterator_foreach (it, print_stats, lines) == GST_ITERATOR_RESYNC) {
    g_ptr_array_set_size (lines, 0);
    gst_iterator_resync (it);
  }
  gst_iterator_free (it);
  for (i = 0; i < lines->len; i++)
    printf ("%s\n", (gchar *) g_ptr_array_index (lines, i));
  if (lines->len == 0)
    printf ("no stage here keeps counters\n");
  g_ptr_array_unref (lines);
}

static void
set_state (App *app, GstState state)
{
  if (gst_element_set_state (app->pipeline, state) == GST_STATE_CHANGE_FAILURE)
    printf ("the state did not change\n");
}

static void
quit (App *app)
{
  GstState state;

  if (app->quitting) {
    g_main_loop_quit (app->loop);
    return;
  }
  app->quitting = TRUE;
  /* A paused pipeline would never get to the end. One that is still on its way
   * to playing would deadlock: its source waits behind a sink that waits for
   * the state change, which waits for the source to take the event. */
  gst_element_set_state (app->pipeline, GST_STATE_PLAYING);
  if (gst_element_get_state (app->pipeline, &state, NULL, 0)
          == GST_STATE_CHANGE_SUCCESS
      && state == GST_STATE_PLAYING)
    gst_element_send_event (app->pipeline, gst_event_new_eos ());
  else
    app->eos_wanted = TRUE;
}

static void
run_command (App *app, gchar *line)
{
  gchar *equals;

  g_strstrip (line);
  if (line[0] == '\0' || line[0] == '#')
    return;

  if (strcmp (line, "play") == 0) {
    set_state (app, GST_STATE_PLAYING);
  } else if (strcmp (line, "pause") == 0) {
    set_state (app, GST_STATE_PAUSED);
  } else if (strcmp (line, "stats") == 0) {
    print_all_stats (app);
  } else if (strcmp (line, "quit") == 0) {
    quit (app);
  } else if (strcmp (line, "help") == 0) {
    fputs (usage, stdout);
  } else if ((equals = strchr (line, '=')) != NULL) {
    *equals = '\0';
    set_property (app, g_strchomp (line), g_strchug (equals + 1));
  } else {
    get_property (app, line);
  }
  fflush (stdout);
}

static gboolean
on_input (gint fd, GIOCondition condition, gpointer user_data)
{
  App *app = user_data;
  gchar bytes[4096];
  gchar *newline;
  ssize_t n = read (fd, bytes, sizeof bytes);

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n > 0)
    g_string_append_len (app->input, bytes, n);
  else if (app->input->len > 0)
    g_string_append_c (app->input, '\n'); /* the last line had none */

  while ((newline = memchr (app->input->str, '\n', app->input->len)) != NULL) {
    gsize length = newline - app->input->str + 1;
    gchar *line = g_strndup (app->input->str, length - 1);

    g_string_erase (app->input, 0, length);
    if (app->input_too_long)
      printf ("a command has at most %d characters\n", MAX_LINE);
    else
      run_command (app, line);
    app->input_too_long = FALSE;
    g_free (line);
  }
  if (app->input->len > MAX_LINE) {
    app->input_too_long = TRUE;
    g_string_truncate (app->input, 0);
  }
  return n > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean
on_signal (gpointer user_data)
{
  quit (user_data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  App *app = user_data;

  switch (GST_MESSAGE_TYPE (message)) {
    case GST_MESSAGE_ERROR:
    case GST_MESSAGE_WARNING: {
      gboolean is_error = GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;
      GError *error = NULL;

      if (is_error)
        gst_message_parse_error (message, &error, NULL);
      else
        gst_message_parse_warning (message, &error, NULL);
      fprintf (stderr, "%s: %s: %s\n", is_error ? "error" : "warning",
          GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), error->message);
      g_error_free (error);
      if (is_error) {
        app->exit_status = 1;
        g_main_loop_quit (app->loop);
      }
      break;
    }
    case GST_MESSAGE_EOS:
      printf ("end of stream\n");
      g_main_loop_quit (app->loop);
      break;
    case GST_MESSAGE_STATE_CHANGED:
      if (GST_MESSAGE_SRC (message) == GST_OBJECT (app->pipeline)) {
        GstState state;

        gst_message_parse_state_changed (message, NULL, &state, NULL);
        if (state == GST_STATE_PLAYING) {
          printf ("playing\n");
          if (app->eos_wanted)
            gst_element_send_event (app->pipeline, gst_event_new_eos ());
          app->eos_wanted = FALSE;
        } else if (state == GST_STATE_PAUSED)
          printf ("paused\n");
      }
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency (GST_BIN (app->pipeline));
      break;
    case GST_MESSAGE_CLOCK_LOST:
      gst_element_set_state (app->pipeline, GST_STATE_PAUSED);
      gst_element_set_state (app->pipeline, GST_STATE_PLAYING);
      break;
    case GST_MESSAGE_REQUEST_STATE: {
      GstState state;

      gst_message_parse_request_state (message, &state);
      gst_element_set_state (app->pipeline, state);
      break;
    }
    case GST_MESSAGE_ELEMENT: {
      guint64 first, count;
      const gchar *reason;

      if (gst_eeg_message_parse_loss (message, &first, &count, &reason))
        printf ("%s: lost %" G_GUINT64_FORMAT " samples from %" G_GUINT64_FORMAT
                ": %s\n",
            GST_OBJECT_NAME (GST_MESSAGE_SRC (message)), count, first,
            reason != NULL ? reason : "");
      break;
    }
    default:
      break;
  }
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

/* (transfer full) (nullable): a pipeline, or NULL after saying why not */
static GstElement *
make_pipeline (const gchar *line)
{
  GError *error = NULL;
  GstElement *element, *pipeline;
  gchar *secret = find_secret (line);

  if (secret != NULL) {
    fprintf (stderr, "'%s' in a launch line would show a secret to everybody\n",
        secret);
    g_free (secret);
    return NULL;
  }
  element =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (element == NULL) {
    fprintf (stderr, "%s\n",
        error != NULL ? error->message : "the launch line is empty");
    g_clear_error (&error);
    return NULL;
  }
  g_clear_error (&error);
  if (GST_IS_PIPELINE (element))
    return element;
  pipeline = gst_pipeline_new (NULL);
  gst_bin_add (GST_BIN (pipeline), element);
  return pipeline;
}

int
main (int argc, char **argv)
{
  App app = { NULL };
  GstBus *bus;
  gchar *line;

  gst_init (&argc, &argv);
  if (argc < 2 || strcmp (argv[1], "-h") == 0
      || strcmp (argv[1], "--help") == 0) {
    fputs (usage, argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }

  line = g_strjoinv (" ", argv + 1);
  app.pipeline = make_pipeline (line);
  g_free (line);
  if (app.pipeline == NULL)
    return 2;
  gst_object_ref_sink (app.pipeline);

  app.loop = g_main_loop_new (NULL, FALSE);
  app.input = g_string_new (NULL);
  bus = gst_element_get_bus (app.pipeline);
  gst_bus_add_watch (bus, on_message, &app);
  g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, &app);
  g_unix_signal_add (SIGINT, on_signal, &app);
  g_unix_signal_add (SIGTERM, on_signal, &app);

  /* a failure comes as a message too */
  gst_element_set_state (app.pipeline, GST_STATE_PLAYING);
  g_main_loop_run (app.loop);

  gst_element_set_state (app.pipeline, GST_STATE_NULL);
  gst_bus_remove_watch (bus);
  gst_object_unref (bus);
  gst_object_unref (app.pipeline);
  g_string_free (app.input, TRUE);
  g_main_loop_unref (app.loop);
  return app.exit_status;
}
