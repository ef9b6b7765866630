/* SPDX-License-Identifier: MIT
 *
 * gtk3_redraw.c: is a busy guest fair to GTK 3? A window draws itself anew at each tick of its frame clock, GLib has a
 * timer of 10 ms, and beside them the loop runs an endless chain of callbacks, at the default priority and at 150
 * (below GTK's redraws). Prints what each of the three got.
 *
 * A figure out of bounds is measured again, four times at most: a busy machine is late now and then, an unfair guest always.
 */
#include "windows.h"

#include <gtk/gtk.h>
#include <hoya/glib.h>
#include <stdio.h>

enum { SECONDS = 2, FRAMES_PER_SECOND = 50, LATE_MS = 20, CALLS_PER_SECOND = 10000, TRIES = 5 };

typedef struct counts {
    hoya_loop *loop; /* NULL: no guest */
    long frames, calls, ticks;
    gint64 late, late_max; /* us, of GLib's timer: the sum, and the worst */
} counts;

/* ---- those who want a turn -------------------------------------------------------------------------------- */

static gboolean draw(GtkWidget *widget, cairo_t *cairo, gpointer data)
{
    counts *self = data;
    int width = gtk_widget_get_allocated_width(widget), height = gtk_widget_get_allocated_height(widget);
    cairo_set_source_rgb(cairo, 0.1, 0.4, 0.7);
    cairo_rectangle(cairo, self->frames * 5 % width, 0, width / 4.0, height);
    cairo_fill(cairo);
    self->frames++;
    return FALSE;
}

static gboolean next_frame(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    (void)clock, (void)data;
    gtk_widget_queue_draw(widget);
    return G_SOURCE_CONTINUE;
}

static gboolean tick(gpointer data)
{
    counts *self = data;
    gint64 late = g_get_monotonic_time() - g_source_get_ready_time(g_main_current_source());
    self->ticks++;
    self->late += late;
    self->late_max = MAX(self->late_max, late);
    return G_SOURCE_CONTINUE;
}

static void call(void *arg)
{
    counts *self = arg;
    self->calls++;
    hoya_loop_call_soon(self->loop, call, self);
}

static gboolean quit(gpointer data)
{
    (void)data;
    gtk_main_quit();
    return G_SOURCE_REMOVE;
}

/* ---- the measurement -------------------------------------------------------------------------------------- */

/* 1 if all are within their bounds. */
static int measure(counts *self, const char *who)
{
    *self = (counts){.loop = self->loop};
    guint timer = g_timeout_add_full(G_PRIORITY_DEFAULT, 10, tick, self, NULL);
    g_timeout_add(SECONDS * 1000, quit, NULL);
    gint64 start = g_get_monotonic_time();
    gtk_main();
    double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    g_source_remove(timer);

    double frames = (double)self->frames / seconds, calls = (double)self->calls / seconds;
    printf("fairness: %s: %.1f frames/s, %.0f callbacks/s, a 10 ms timer of GLib %.2f ms late at most, %.3f ms on "
           "average\n",
           who, frames, calls, (double)self->late_max / 1e3,
           (double)self->late / 1e3 / (double)MAX(self->ticks, 1));
    return frames >= FRAMES_PER_SECOND && self->late_max <= LATE_MS * 1000 &&
           (!self->loop || calls >= CALLS_PER_SECOND);
}

static void try(counts *self, const char *who)
{
    for (int tries = 0; tries < TRIES; tries++)
        if (measure(self, who)) return;
    ensure(0, "%s: %d times fewer than %d frames/s, or than %d callbacks/s, or GLib's timer over %d ms late", who,
           TRIES, FRAMES_PER_SECOND, CALLS_PER_SECOND, LATE_MS);
}

static void try_guest(counts *self, int priority, const char *who)
{
    int rc = hoya_glib_loop_new(NULL, priority, &self->loop);
    ensure(rc == 0, "no loop: %s", hoya_strerror(rc));
    hoya_loop_call_soon(self->loop, call, self); /* the chain ends with the loop */
    try(self, who);
    end_loop(self->loop);
    self->loop = NULL;
}

int main(int argc, char **argv)
{
    gtk_init(&argc, &argv);
    counts self = {0};
    GtkWidget *window = gtk_window_new(GTK_WINDOW_TOPLEVEL), *area = gtk_drawing_area_new();
    gtk_window_set_default_size(GTK_WINDOW(window), 400, 300);
    gtk_container_add(GTK_CONTAINER(window), area);
    g_signal_connect(area, "draw", G_CALLBACK(draw), &self);
    gtk_widget_add_tick_callback(area, next_frame, NULL, NULL);
    gtk_widget_show_all(window);
    while (!self.frames) gtk_main_iteration(); /* what comes before the first one is not measured */

    try(&self, "without a guest");
    try_guest(&self, G_PRIORITY_DEFAULT, "with a guest at priority 0");
    try_guest(&self, 150, "with a guest at priority 150");
    gtk_widget_destroy(window);
    return 0;
}
