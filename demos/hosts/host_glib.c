/* SPDX-License-Identifier: MIT
 *
 * host_glib.c: GLib. The loop is one GSource of the thread's GMainContext; hoya_loop_run_forever runs a GMainLoop, and
 * whatever else lives in that context lives on: a GTK window, a D-Bus connection, or here a timer.
 */
#include <glib.h>
#include <hoya/glib.h>

#include "hosts.h"

static guint source;
static void (*on_tick)(void);

static gboolean ticked(gpointer data)
{
    (void)data;
    on_tick();
    return G_SOURCE_CONTINUE;
}

static void start_timer(int milliseconds, void (*tick)(void))
{
    on_tick = tick;
    source = g_timeout_add((guint)milliseconds, ticked, NULL);
}

static void stop_timer(void)
{
    g_source_remove(source);
}

const demo_host demo_host_glib = {"glib", hoya_glib_policy, start_timer, stop_timer};
