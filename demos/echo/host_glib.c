/* SPDX-License-Identifier: MIT
 *
 * host_glib.c: the demos' hosts in a build that has GLib. This is all that the two programs know of it; its twin
 * for a build without GLib is host_none.c.
 *
 * Under GLib the loop is one GSource of the thread's GMainContext. hoya_loop_run_forever then runs a GMainLoop, and
 * whatever else lives in that context lives on: a GTK window, a D-Bus connection, or here a timer. It counts its
 * ticks and the longest time between two of them: so long would the sockets have kept a window waiting.
 */
#include "demo.h"

#include <glib.h>
#include <hoya/glib.h>
#include <stdio.h>
#include <string.h>

enum { TICK_MS = 10 };

static bool hosted;  /* GLib was chosen */
static guint source; /* the timer's id, 0 for none */
static unsigned long ticks;
static gint64 last, longest; /* microseconds, as GLib counts them */

int demo_choose_host(const char *name)
{
    if (strcmp(name, "native") == 0) return DEMO_OK; /* the default policy */

    if (strcmp(name, "glib") != 0) {
        demo_say("there is no host \"%s\" in this build; there are native and glib", name);
        return DEMO_USAGE;
    }

    hosted = true;
    hoya_set_event_loop_policy(hoya_glib_policy()); /* this line is the whole difference */
    return DEMO_OK;
}

static void note_gap(void)
{
    gint64 now = g_get_monotonic_time();

    if (now - last > longest) longest = now - last;
    last = now;
}

static gboolean on_tick(gpointer data)
{
    (void)data;
    ticks++;
    note_gap();
    return G_SOURCE_CONTINUE;
}

void demo_start_ticking(void)
{
    if (!hosted) return; /* nobody would run GLib's timers */
    last = g_get_monotonic_time();
    source = g_timeout_add(TICK_MS, on_tick, NULL);
}

void demo_stop_ticking(char text[DEMO_TICKS_SIZE])
{
    if (source == 0) {
        snprintf(text, DEMO_TICKS_SIZE, "none");
        return;
    }
    g_source_remove(source);
    source = 0;
    note_gap(); /* a timer that starved to the end shows */
    snprintf(text, DEMO_TICKS_SIZE, "%lu (every %d ms, longest gap %.1f ms)", ticks, TICK_MS,
             (double)longest / 1000);
}
