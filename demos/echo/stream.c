/* SPDX-License-Identifier: MIT
 *
 * echo-stream: the same as echo-server, by streams: a task for each client, which reads and writes as a program with one
 * connection would. Compare it with sock.c, which does the rest by hand, and protocol.c, the same in callbacks.
 *
 *     echo-stream --listen 127.0.0.1:7007 --host glib
 *
 * A write waits while the peer does not read, and who waits reads nothing: TCP slows the peer down. The server and its
 * clients are children of a group. A signal cancels the task that waits for them: the server closes, the clients end, and
 * what they have written still goes out.
 */
#include <signal.h>

#include "demo.h"

enum { BUFFER_SIZE = 16 * 1024 };

static demo_clients clients;

/* ---- a connection ------------------------------------------------------------------------------------- */

static int echo(hoya_task *self, hoya_stream *stream, void *arg)
{
    char bytes[BUFFER_SIZE];
    ssize_t n;

    (void)self;
    (void)arg;
    demo_client_came(&clients);
    while ((n = hoya_stream_read(stream, bytes, sizeof bytes)) > 0) {
        int rc = hoya_stream_write(stream, bytes, (size_t)n);
        if (rc < 0) {
            n = rc;
            break;
        }
        clients.echoed += (uint64_t)n;
    }
    clients.open--;
    return (int)n; /* a peer that is gone is no failure: what ended the connection is not reported */
}

/* ---- the server --------------------------------------------------------------------------------------- */

typedef struct settings {
    char host[DEMO_ADDRESS_SIZE], port[8];
    bool quiet;
} settings;

/* A task: the whole life of the server. A signal cancels it. */
static int serve(hoya_task *self, void *arg)
{
    const settings *o = arg;
    hoya_group *group;
    hoya_server *server = NULL;

    (void)self;
    int rc = hoya_group_enter(NULL, &group);
    if (rc < 0) return rc;
    rc = hoya_start_server(group, o->host, o->port, echo, NULL, NULL, NULL, &server);
    if (rc < 0) return rc;
    if (!o->quiet) demo_say_listening(server);
    hoya_server_unref(server);      /* the group has it */
    return hoya_group_leave(group); /* waits until the server is closed, and its last client has gone */
}

/* ---- the program -------------------------------------------------------------------------------------- */

static void on_signal(int number, void *task)
{
    (void)number;
    hoya_task_cancel(task, "a signal");
}

/* Returns the exit code. */
static int run(hoya_loop *loop, settings *o)
{
    hoya_task *server;
    char ticks[DEMO_TICKS_SIZE];

    int rc = hoya_create_task(loop, serve, o, NULL, &server);
    if (rc < 0) return demo_library_failed("begin to serve", rc);
    rc = hoya_loop_add_signal_handler(loop, SIGINT, on_signal, server, NULL);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(loop, SIGTERM, on_signal, server, NULL);
    if (rc >= 0) {
        demo_start_ticking();
        rc = hoya_run_until_complete(loop, hoya_task_future(server), NULL);
        demo_stop_ticking(ticks);
        if (!o->quiet && rc == HOYA_ECANCELED) demo_say_statistics(loop, &clients, ticks);
    }
    hoya_task_unref(server);
    return rc == HOYA_ECANCELED ? DEMO_OK : demo_library_failed("serve", rc);
}

int main(int argc, char **argv)
{
    const char *main_loop = "native", *address = "127.0.0.1:7007";
    settings o = {.quiet = false};
    hoya_loop *loop;

    demo_program = "echo-stream";
    demo_read_options(argc, argv, "Sends back whatever it receives.",
                      (const demo_option[]){
                          {"listen", "ADDR:PORT",
                           "where to listen, 127.0.0.1:7007 by default; port 0 takes a free one", .text = &address},
                          {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv",
                           .text = &main_loop},
                          {"quiet", NULL, "print nothing but errors", .flag = &o.quiet},
                          {0},
                      });

    int rc = demo_choose_host(main_loop); /* from here on hoya_new_event_loop makes a guest of that host */
    if (rc == DEMO_OK) rc = demo_split(address, o.host, o.port);
    if (rc != DEMO_OK) return rc;
    rc = hoya_new_event_loop(&loop);
    if (rc < 0) return demo_library_failed("make an event loop", rc);
    rc = run(loop, &o);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    return rc;
}
