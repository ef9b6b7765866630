/* SPDX-License-Identifier: MIT
 *
 * gtk4_window.c: a window of GTK 4, in a main loop that hoya_loop_run_forever runs (OWNER mode). A hoya timer fills the
 * window's bar and ends the run, and a hoya reader reads.
 */
#include "windows.h"

#include <gtk/gtk.h>
#include <hoya/glib.h>
#include <stdio.h>

enum { LAST_STEP = 100 };

typedef struct app {
    hoya_loop *loop;
    GtkWidget *bar;
    const char *picture;
    int frames;
} app;

static void step(int number, void *arg)
{
    app *self = arg;
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->bar), MIN(1.0, (double)number / LAST_STEP));
    if (number == LAST_STEP / 2) picture_begin(self->picture);
    if (number >= LAST_STEP && picture_is_done()) hoya_loop_stop(self->loop);
}

static gboolean frame(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    (void)widget, (void)clock;
    app *self = data;
    self->frames++;
    return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv)
{
    ensure(argc == 2, "usage: gtk4_window PICTURE");
    gtk_init();
    app self = {.picture = argv[1]};
    GtkWidget *window = gtk_window_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 10);
    gtk_window_set_title(GTK_WINDOW(window), "hoya in GTK 4");
    gtk_window_set_default_size(GTK_WINDOW(window), 480, 200);
    gtk_window_set_child(GTK_WINDOW(window), box);
    self.bar = gtk_progress_bar_new();
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(self.bar), TRUE);
    gtk_widget_set_margin_start(self.bar, 20);
    gtk_widget_set_margin_end(self.bar, 20);
    gtk_box_append(GTK_BOX(box), gtk_label_new("A timer of hoya's fills the bar"));
    gtk_box_append(GTK_BOX(box), self.bar);
    gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
    gtk_widget_add_tick_callback(self.bar, frame, &self, NULL);
    gtk_window_present(GTK_WINDOW(window));

    heart beats;
    hoya_set_event_loop_policy(hoya_glib_policy());
    ensure(hoya_new_event_loop(&self.loop) == 0, "no loop: %s", hoya_error_detail());
    heart_start(&beats, self.loop, step, &self);
    int rc = hoya_loop_run_forever(self.loop);
    ensure(rc == 0, "the run ended with %s", hoya_strerror(rc));
    heart_stop(&beats);

    printf("GTK 4: %d steps of the timer, %d bytes read, %d frames\n", beats.steps, beats.bytes, self.frames);
    ensure(beats.bytes >= beats.steps - 1, "the reader took %d of %d bytes", beats.bytes, beats.steps);
    ensure(self.frames >= LAST_STEP / 4, "the window had %d frames only", self.frames);
    gtk_window_destroy(GTK_WINDOW(window));
    end_loop(self.loop);
    return 0;
}
