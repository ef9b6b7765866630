/* SPDX-License-Identifier: MIT
 *
 * echo-sock: the same as echo-server, by plain sockets in tasks: a task accepts, and each connection is a task that reads
 * and writes as a program with one connection would. Compare it with server.c, the same system calls in callbacks.
 *
 *     echo-sock --listen 127.0.0.1:7007 --host glib
 *
 * A task that waits to write does not read: TCP slows the peer down, and a connection owns one buffer. The tasks of the
 * connections are children of the one that accepts. A signal cancels that, they end with it, and each closes its socket on
 * the way out.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "demo.h"

enum { BUFFER_SIZE = 16 * 1024 };

static demo_clients clients;

/* ---- a connection ------------------------------------------------------------------------------------- */

static int serve(hoya_task *self, void *arg)
{
    const int *fd = arg;
    char bytes[BUFFER_SIZE];
    ssize_t n;
    size_t sent;

    (void)self;
    while ((n = hoya_sock_recv(*fd, bytes, sizeof bytes)) > 0) {
        int rc = hoya_sock_sendall(*fd, bytes, (size_t)n, &sent);
        clients.echoed += sent;
        if (rc < 0) break;
    }
    return 0; /* a peer that is gone is no failure */
}

/* Also of a connection whose task never ran. */
static void close_connection(void *arg)
{
    int *fd = arg;

    close(*fd);
    free(fd);
    clients.open--;
}

static int begin_connection(hoya_task *acceptor, hoya_fd fd)
{
    hoya_task_options options = {.size = sizeof options, .destroy = close_connection, .owner = acceptor};
    int *arg = malloc(sizeof *arg);

    if (arg == NULL) {
        close(fd);
        return HOYA_ENOMEM;
    }
    *arg = fd;
    demo_client_came(&clients);
    return hoya_create_task(hoya_task_get_loop(acceptor), serve, arg, &options, NULL);
}

/* ---- the server --------------------------------------------------------------------------------------- */

/* It is no failure of the listening socket, but of the process or the system, which may get over it. */
static bool may_pass(int rc)
{
    return rc == HOYA_EMFILE || rc == HOYA_ENFILE || rc == HOYA_ENOMEM || rc == HOYA_ENOBUFS || rc == HOYA_ENOSPC ||
           rc == HOYA_EPERM;
}

static int accept_all(hoya_task *self, void *arg)
{
    const int *listener = arg;
    hoya_fd fd;

    for (;;) {
        int rc = hoya_sock_accept(*listener, &fd, NULL);
        if (rc == 0) rc = begin_connection(self, fd);
        if (may_pass(rc)) {
            demo_say("cannot accept more than %" PRIu64 " connections: %s; the others wait", clients.open,
                     demo_reason(rc));
            rc = hoya_sleep(HOYA_SEC(1)); /* at once it would fail again */
        }
        if (rc < 0) return rc;
    }
}

/* ---- the program -------------------------------------------------------------------------------------- */

typedef struct settings {
    const char *host, *address;
    bool quiet;
} settings;

static void on_signal(int number, void *acceptor)
{
    (void)number;
    hoya_task_cancel(acceptor, "a signal");
}

/* Returns the exit code. */
static int run(hoya_loop *loop, int listener, bool quiet)
{
    hoya_task *acceptor;
    char ticks[DEMO_TICKS_SIZE];

    int rc = hoya_create_task(loop, accept_all, &listener, NULL, &acceptor);
    if (rc < 0) return demo_library_failed("begin to serve", rc);
    rc = hoya_loop_add_signal_handler(loop, SIGINT, on_signal, acceptor, NULL);
    if (rc >= 0) rc = hoya_loop_add_signal_handler(loop, SIGTERM, on_signal, acceptor, NULL);
    if (rc >= 0) {
        if (!quiet) demo_say_listening_socket(loop, listener);
        demo_start_ticking();
        rc =
            hoya_run_until_complete(loop, hoya_task_future(acceptor), NULL); /* when its children have ended, too */
        demo_stop_ticking(ticks);
        if (!quiet) demo_say_statistics(loop, &clients, ticks);
    }
    hoya_task_unref(acceptor);
    return rc == HOYA_ECANCELED ? DEMO_OK : demo_library_failed("serve", rc);
}

int main(int argc, char **argv)
{
    hoya_loop *loop;
    int listener;

    demo_program = "echo-sock";
    settings o = {.host = "native", .address = "127.0.0.1:7007"};
    demo_read_options(
        argc, argv, "Sends back whatever it receives.",
        (const demo_option[]){
            {"listen", "ADDR:PORT", "where to listen, 127.0.0.1:7007 by default; port 0 takes a free one",
             .text = &o.address},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv", .text = &o.host},
            {"quiet", NULL, "print nothing but errors", .flag = &o.quiet},
            {0},
        });

    int rc = demo_choose_host(o.host); /* from here on hoya_new_event_loop makes a guest of that host */
    if (rc == DEMO_OK) rc = demo_listen(o.address, &listener);
    if (rc != DEMO_OK) return rc;
    rc = hoya_new_event_loop(&loop);
    if (rc < 0) {
        rc = demo_library_failed("make an event loop", rc);
    } else {
        rc = run(loop, listener, o.quiet);
        hoya_loop_close(loop);
        hoya_loop_unref(loop);
    }
    close(listener);
    return rc;
}
