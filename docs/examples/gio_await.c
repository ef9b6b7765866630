/* SPDX-License-Identifier: MIT
 *
 * gio_await.c: a task that asks GIO for the standard input, line by line, in a GLib program; a GCancellable of the
 * program's own would end it.
 */
#include <hoya/gio.h>
#include <hoya/glib.h>
#include <hoya/hoya.h>
#include <stdio.h>

static int read_line(hoya_loop *loop, GDataInputStream *input, char **line)
{
    hoya_gio_call *call;
    GAsyncResult *result;
    GError *error = NULL;
    int rc = hoya_gio_begin(loop, &call);
    if (rc < 0) return rc;
    g_data_input_stream_read_line_async(input, 0, hoya_gio_cancellable(call), hoya_gio_ready, call);
    if (hoya_gio_await(call, &result) >= 0)
        *line = g_data_input_stream_read_line_finish(input, result, NULL, &error);
    return hoya_gio_end(call, &error);
}

static int echo(hoya_task *self, void *input)
{
    for (;;) {
        char *line = NULL;
        int rc = read_line(hoya_task_get_loop(self), input, &line); /* others run meanwhile */
        if (rc < 0 || !line) return rc;
        printf("you said %s\n", line);
        g_free(line);
    }
}

int main(void)
{
    hoya_loop *loop;
    hoya_task *task;
    GCancellable *quit = g_cancellable_new(); /* g_cancellable_cancel, on any thread, ends the task */
    GFile *file = g_file_new_for_path("/dev/stdin");
    GInputStream *raw = G_INPUT_STREAM(g_file_read(file, NULL, NULL));
    GDataInputStream *input = g_data_input_stream_new(raw);
    hoya_set_event_loop_policy(hoya_glib_policy());
    if (hoya_new_event_loop(&loop) < 0 || hoya_create_task(loop, echo, input, NULL, &task) < 0 ||
        hoya_gio_cancel_on(hoya_task_future(task), quit) < 0)
        return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    while (!hoya_future_done(hoya_task_future(task))) g_main_context_iteration(NULL, TRUE);
    int rc = hoya_future_result(hoya_task_future(task), NULL);
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    hoya_task_unref(task);
    hoya_loop_unref(loop);
    g_object_unref(input);
    g_object_unref(raw);
    g_object_unref(file);
    g_object_unref(quit);
    return rc < 0;
}
