/* SPDX-License-Identifier: MIT
 *
 * tour 21: a modal dialog inside a task.
 *
 * A program with a window, of GTK or of Qt: its main loop is the toolkit's, and hoya's a guest in it. A task asks the user
 * something, and that is a plain call, which returns with the answer. Inside it the toolkit runs its main loop once more,
 * and with that hoya's: a client is served while the dialog is open. Only the task that asks stands still, as it should.
 */
#include <stdio.h>

#include "dialog/toolkit.h" /* the window and the dialog; gtk.c and qt.cc have them */
#include "tour.h"

static int ask_user(void *question)
{
    return toolkit_run_dialog(question);
}

/* The echo of tour 18, and then somebody answers the question. */
static int echo(hoya_task *self, hoya_stream *stream, void *arg)
{
    (void)self;
    (void)arg;
    const char *line;
    ssize_t n;
    int rc = 0;
    printf("  a client comes, while the dialog is open\n");
    while (rc >= 0 && (n = hoya_stream_readline(stream, &line)) != 0)
        rc = n < 0 ? (int)n : hoya_stream_write(stream, line, (size_t)n);
    printf("  it has been served; the user presses Yes\n");
    toolkit_press_yes();
    return rc;
}

static int program(hoya_task *self, void *arg)
{
    (void)self;
    int port, fd = listen_here(&port);
    hoya_group *group;
    hoya_server *server;
    client one;
    (void)arg;
    must(hoya_group_enter(NULL, &group));
    must(hoya_start_server_on_socket(group, fd, echo, NULL, NULL, NULL, &server));
    client_begin(&one, port); /* it has to wait: until here this task has had the thread for itself */

    /* Toolkits want much stack, so they are called on the thread's own: a task has little. */
    printf("the task asks: shall we stop serving?\n");
    int yes = hoya_call_on_thread_stack(ask_user, "Shall we stop serving?");
    printf("the task goes on, with the answer: %s\n", yes ? "yes" : "no");

    must(hoya_server_close(server));
    int rc = hoya_group_leave(group);
    hoya_server_unref(server);
    client_end(&one, "the client");
    return rc;
}

int main(int argc, char **argv)
{
    toolkit_open(argc, argv, 0);
    must(hoya_set_event_loop_policy(toolkit_policy())); /* hoya_glib_policy(), or hoya_qt_policy() */
    must(hoya_run(program, NULL, NULL));
    toolkit_close();
    return 0;
}
