/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stage with several pads lets a barrier leave once it came by all of them.
 * Nothing is held back meanwhile: what came by a pad behind the barrier may be
 * written already when the barrier leaves. It comes once more when the
 * recording goes on, as each pad's source begins where it sent the barrier, and
 * the stage skips what it has. So filters before the pads may look back by
 * different times.
 *
 * Barriers of one source are the same object on all pads. Those of several
 * sources belong together by their numbers, and become one.
 */
#include "gsteegjoin.h"

static GstEegBarrier *
get_barrier (GstEvent *event)
{
  GstEegBarrier *barrier = NULL;

  gst_eeg_event_parse_barrier (event, &barrier);
  return barrier;
}

/* transfer full */
void
gst_eeg_lane_add (GstEegLane *lane, GstEvent *event)
{
  g_queue_push_tail (&lane->events, event);
}

void
gst_eeg_lane_clear (GstEegLane *lane)
{
  g_queue_clear_full (&lane->events, (GDestroyNotify) gst_event_unref);
  g_clear_pointer (&lane->last, gst_eeg_barrier_unref);
}

static guint64
get_id (GList *link)
{
  return gst_eeg_barrier_get_id (get_barrier (link->data));
}

/* The lowest number above @last that some pad has; 0: none. */
static guint64
find_next (GstEegLane *const *lanes, guint n, guint64 last)
{
  guint64 next = 0;
  guint i;

  for (i = 0; i < n; i++) {
    GList *l = lanes[i]->events.head;

    while (l != NULL && get_id (l) <= last)
      l = l->next;
    if (l != NULL && (next == 0 || get_id (l) < next))
      next = get_id (l);
  }
  return next;
}

/* Takes all barriers up to a number from the lane; the last one stays in it.
 * transfer full; that of the number itself, or NULL if it did not come. */
static GstEvent *
take (GstEegLane *lane, guint64 id)
{
  GstEvent *found = NULL;

  while (lane->events.head != NULL && get_id (lane->events.head) <= id) {
    GstEvent *event = g_queue_pop_head (&lane->events);
    GstEegBarrier *barrier = get_barrier (event);

    g_clear_pointer (&lane->last, gst_eeg_barrier_unref);
    lane->last = gst_eeg_barrier_ref (barrier);
    if (gst_eeg_barrier_get_id (barrier) == id)
      found = event;
    else
      gst_event_unref (event);
  }
  return found;
}

/* Lets the next barrier leave that came by all of @n pads but those that have
 * ended: what is before their end came, and so did their last barrier. *last:
 * its number, which was that of the one before; 0 at the beginning.
 *
 * transfer full; with what all sources and stages before @stage have saved, or
 * NULL if there is none yet. */
GstEvent *
gst_eeg_join (GstEegStage *stage, GstEegLane *const *lanes,
    const gboolean *ended, guint n, guint64 *last)
{
  GstEvent *joined = NULL;
  guint64 id = find_next (lanes, n, *last);
  guint i;

  if (id == 0)
    return NULL;
  for (i = 0; i < n; i++) {
    GList *newest = lanes[i]->events.tail;

    if (!ended[i] && (newest == NULL || get_id (newest) < id))
      return NULL;
  }
  for (i = 0; i < n; i++) {
    GstEvent *event = take (lanes[i], id);

    if (joined == NULL)
      joined = event;
    else
      g_clear_pointer (&event, gst_event_unref);
  }
  for (i = 0; i < n; i++)
    if (lanes[i]->last != NULL)
      gst_eeg_barrier_merge (get_barrier (joined), lanes[i]->last, stage);
  *last = id;
  return joined;
}
