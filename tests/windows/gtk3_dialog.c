/* SPDX-License-Identifier: MIT
 *
 * gtk3_dialog.c: a modal dialog of GTK 3 in a callback of hoya's. gtk_dialog_run does not return before the dialog is
 * answered, so the callback stays on the stack, and the loop runs on inside it: its timer fills the dialog's bar, its
 * reader reads, and at the end its timer answers the dialog.
 *
 * The first dialog is opened by a timer. The second one is opened by a reader that has not read yet: its descriptor
 * stays readable all the while, and must neither enter the reader again nor keep the main loop busy. The third one is
 * opened by a task whose stack is much too small for it, on the thread's own; other tasks go on meanwhile.
 */
#include "windows.h"

#include <fcntl.h>
#include <gtk/gtk.h>
#include <hoya/glib.h>
#include <stdio.h>
#include <unistd.h>

typedef struct app {
    hoya_loop *loop;
    GtkWidget *window;
    GtkWidget *dialog; /* NULL: none is open */
    GtkWidget *bar;
    heart beats;
    const char *picture; /* NULL: of this dialog none is taken */
    int last_step;       /* the one that answers the dialog */
    int behind;          /* 1: what was queued just before the dialog has run */
    int turns;           /* of the main loop */
    hoya_fd command[2];
} app;

/* ---- how often does the main loop turn? ------------------------------------------------------------------- */

typedef struct turn_source {
    GSource base;
    int *turns;
} turn_source;

static gboolean turn_prepare(GSource *source, gint *timeout)
{
    ++*((turn_source *)source)->turns;
    *timeout = -1;
    return FALSE;
}

static gboolean turn_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)source, (void)callback, (void)data;
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs turn_funcs = {.prepare = turn_prepare, .dispatch = turn_dispatch};

static void count_turns(int *turns)
{
    GSource *source = g_source_new(&turn_funcs, sizeof(turn_source));
    ((turn_source *)source)->turns = turns;
    g_source_set_priority(source, G_PRIORITY_HIGH); /* the lower ones are not asked while a higher one is ready */
    g_source_attach(source, NULL);
    g_source_unref(source);
}

/* ---- a dialog --------------------------------------------------------------------------------------------- */

static void step(int number, void *arg)
{
    app *self = arg;
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->bar), MIN(1.0, (double)number / self->last_step));
    if (self->picture && number == self->last_step / 2) picture_begin(self->picture);
    if (number >= self->last_step && (!self->picture || picture_is_done()))
        gtk_dialog_response(GTK_DIALOG(self->dialog), GTK_RESPONSE_ACCEPT);
}

static void note(void *arg)
{
    app *self = arg;
    self->behind = self->dialog != NULL;
}

static void ask(app *self, const char *title, int last_step, const char *picture)
{
    ensure(!self->dialog, "%s: a callback was entered again while its dialog was open", title);
    self->last_step = last_step;
    self->picture = picture;
    self->behind = self->turns = 0;
    self->dialog = gtk_dialog_new_with_buttons(title, GTK_WINDOW(self->window), GTK_DIALOG_MODAL, "_Done",
                                               GTK_RESPONSE_ACCEPT, NULL);
    self->bar = gtk_progress_bar_new();
    gtk_progress_bar_set_show_text(GTK_PROGRESS_BAR(self->bar), TRUE);
    gtk_widget_set_size_request(self->bar, 300, -1);
    GtkWidget *content = gtk_dialog_get_content_area(GTK_DIALOG(self->dialog));
    gtk_container_set_border_width(GTK_CONTAINER(content), 20);
    gtk_box_set_spacing(GTK_BOX(content), 10);
    gtk_container_add(GTK_CONTAINER(content), gtk_label_new(title));
    gtk_container_add(GTK_CONTAINER(content), self->bar);
    gtk_widget_show_all(content);

    hoya_loop_call_soon(self->loop, note, self); /* behind us in the queue, and due before the dialog's end */
    heart_start(&self->beats, self->loop, step, self);
    gint response = gtk_dialog_run(GTK_DIALOG(self->dialog));
    int steps = self->beats.steps, bytes = self->beats.bytes;
    heart_stop(&self->beats);
    gtk_widget_destroy(self->dialog);
    self->dialog = NULL;

    printf("%s: %d steps of the timer, %d bytes read, %d turns of the main loop\n", title, steps, bytes,
           self->turns);
    ensure(response == GTK_RESPONSE_ACCEPT, "%s: the dialog was not answered, but ended with %d", title, response);
    ensure(steps >= last_step, "%s: the timer came %d times only", title, steps);
    ensure(bytes >= steps - 1, "%s: the reader took %d of %d bytes", title, bytes, steps);
    ensure(self->behind, "%s: what was queued before the dialog did not run while it was open", title);
    /* A main loop that never waits turns some thousand times a step. */
    ensure(self->turns <= steps * 50, "%s: the main loop did not wait, but turned %d times", title, self->turns);
}

static void ask_by_timer(void *arg)
{
    app *self = arg;
    ask(self, "A dialog in a timer of hoya's", 100, self->picture);
    ensure(write(self->command[1], "x", 1) == 1, "no command could be written");
}

static int ask_on_thread_stack(void *arg)
{
    ensure(!hoya_current_task(), "a dialog is no part of the task that opened it");
    ask(arg, "A dialog in a task of hoya's", 25, NULL);
    return 25;
}

static int ask_by_task(hoya_task *self, void *arg)
{
    ensure(hoya_call_on_thread_stack(ask_on_thread_stack, arg) == 25, "the call's result was lost");
    ensure(hoya_current_task() == self && hoya_sleep(0) == 0, "the task cannot wait any more");
    gtk_main_quit();
    return 0;
}

static int go_on(hoya_task *self, void *arg)
{
    int *steps = arg;
    (void)self;
    while (hoya_sleep(HOYA_MSEC(10)) == 0) ++*steps;
    return HOYA_ECANCELED;
}

static void ask_by_reader(hoya_fd fd, uint32_t events, void *arg)
{
    (void)events;
    app *self = arg;
    char byte;
    ask(self, "A dialog in a reader of hoya's", 25, NULL);
    ensure(read(fd, &byte, 1) == 1, "the command that opened the dialog is not there any more");
    hoya_loop_remove_reader(self->loop, fd);
    hoya_task_options options = {.size = sizeof options, .name = "dialog", .stack_size = 16 << 10};
    int rc = hoya_create_task(self->loop, ask_by_task, self, &options, NULL);
    ensure(rc == 0, "no task could be made: %s", hoya_error_detail());
}

int main(int argc, char **argv)
{
    gtk_init(&argc, &argv);
    ensure(argc == 2, "usage: gtk3_dialog PICTURE");
    app self = {.picture = argv[1]};
    self.window = gtk_window_new(GTK_WINDOW_TOPLEVEL);
    gtk_window_set_title(GTK_WINDOW(self.window), "hoya in GTK 3");
    gtk_window_set_default_size(GTK_WINDOW(self.window), 560, 300);
    GtkWidget *text = gtk_text_view_new(); /* white: the dialog, which has no frame here, stands out */
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(GTK_TEXT_VIEW(text)), "The window behind the dialog", -1);
    gtk_container_add(GTK_CONTAINER(self.window), text);
    gtk_widget_show_all(self.window);
    count_turns(&self.turns);

    hoya_set_event_loop_policy(hoya_glib_policy());
    ensure(hoya_new_event_loop(&self.loop) == 0, "no loop: %s", hoya_error_detail());
    ensure(pipe2(self.command, O_NONBLOCK | O_CLOEXEC) == 0, "no pipe");
    hoya_loop_add_reader(self.loop, self.command[0], ask_by_reader, &self, NULL);
    hoya_loop_call_later(self.loop, HOYA_MSEC(100), ask_by_timer, &self, NULL, NULL);
    int other = 0;
    hoya_task *task;
    ensure(hoya_create_task(self.loop, go_on, &other, NULL, &task) == 0, "no task: %s", hoya_error_detail());
    gtk_main();
    printf("another task went on %d times\n", other);
    ensure(other >= 100, "the other task did not go on during the dialogs");
    while (!hoya_future_done(hoya_task_future(task)))
        ensure(hoya_task_cancel(task, NULL) == 1 && hoya_loop_run_once(self.loop, HOYA_SEC(1)) >= 0, "no end");
    hoya_task_unref(task);

    gtk_widget_destroy(self.window);
    end_loop(self.loop);
    return 0;
}
