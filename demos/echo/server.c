/* SPDX-License-Identifier: MIT
 *
 * echo-server: sends back whatever it receives, to any number of connections, in one thread, with nothing of hoya
 * but callbacks for descriptors and a timer. The sockets are POSIX's own.
 *
 *     echo-server --listen 127.0.0.1:7007                 hoya's own loop blocks the thread
 *     echo-server --listen 127.0.0.1:7007 --host glib     a GMainLoop does, and hoya is its guest
 *
 * The source is the same for both. Look for the place where the host matters: it is one line of main, and there it
 * is a name.
 *
 * How it works. The listener has a reader, on_connection, which accepts what has queued up. Each connection is in
 * one of two states, and in each it waits for exactly one thing:
 *
 *     READING   has a reader and no buffer. on_readable reads into the buffer that all connections share and sends
 *               it back at once. Nearly always the kernel takes all of it; else the rest is kept:
 *     WRITING   has a writer. on_writable sends the rest, then goes back to READING.
 *
 * So a peer that sends without reading is not read from either: TCP slows it down, and a connection never owns
 * more than one buffer's worth. It also makes a half-close simple. The end of input can only be seen in READING,
 * when nothing is left to send; then the connection is closed.
 *
 * Failures: a connection that fails (reset, no memory for its rest) is closed, the others go on. When the process
 * has no descriptor left it stops accepting for a moment; who waits stays in the kernel's queue. SIGINT, SIGTERM or
 * --seconds end the loop; what is still open is closed then.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "demo.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_PAUSE HOYA_MSEC(100)

enum {
    BUFFER_SIZE = 64 * 1024,
    ACCEPTS_A_ROUND = 64 /* then those who are connected already get their turn */
};

typedef struct server {
    hoya_loop *loop;
    int listener;
    struct connection *connections; /* the open ones, the youngest first */
    bool said_full;                 /* that no descriptor was left, once is enough */
    demo_clients clients;
    char buffer[BUFFER_SIZE]; /* every read goes here first: idle connections own no buffer */
} server;

typedef struct connection {
    server *server;
    struct connection *next, *previous;
    int fd;
    char *rest; /* what the peer has not taken yet; NULL: none, we are READING */
    size_t rest_length, rest_sent;
} connection;

/* ---- a connection ----------------------------------------------------------------------------------- */

static void on_readable(hoya_fd fd, uint32_t events, void *arg);
static void on_writable(hoya_fd fd, uint32_t events, void *arg);

static void close_connection(connection *c)
{
    server *s = c->server;

    /* First the loop forgets the descriptor, then it is closed: its number may be somebody else's right after. */
    hoya_loop_remove_reader(s->loop, c->fd);
    hoya_loop_remove_writer(s->loop, c->fd);
    close(c->fd);

    if (c->next != NULL) c->next->previous = c->previous;
    if (c->previous != NULL) c->previous->next = c->next;
    else s->connections = c->next;
    s->clients.open--;

    free(c->rest);
    free(c);
}

/* Takes `fd`, which is closed if anything fails. */
static void open_connection(server *s, int fd)
{
    connection *c = calloc(1, sizeof *c);
    int rc = c != NULL ? hoya_loop_add_reader(s->loop, fd, on_readable, c, NULL) : HOYA_ENOMEM;

    if (rc < 0) {
        demo_library_failed("serve a connection", rc);
        close(fd);
        free(c);
        return;
    }
    c->server = s;
    c->fd = fd;
    c->next = s->connections;
    if (c->next != NULL) c->next->previous = c;
    s->connections = c;

    demo_client_came(&s->clients);
}

/* Sends what the kernel takes now: a number of bytes, or -1 if the connection is gone. */
static ssize_t send_some(connection *c, const char *bytes, size_t length)
{
    ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);

    if (sent < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->server->clients.echoed += (uint64_t)sent;
    return sent;
}

/* READING -> WRITING. */
static int keep_rest(connection *c, const char *bytes, size_t length)
{
    c->rest = malloc(length);
    if (c->rest == NULL) return HOYA_ENOMEM;
    memcpy(c->rest, bytes, length);
    c->rest_length = length;
    c->rest_sent = 0;

    hoya_loop_remove_reader(c->server->loop, c->fd);
    return hoya_loop_add_writer(c->server->loop, c->fd, on_writable, c, NULL);
}

/* WRITING -> READING. */
static int drop_rest(connection *c)
{
    free(c->rest);
    c->rest = NULL;

    hoya_loop_remove_writer(c->server->loop, c->fd);
    return hoya_loop_add_reader(c->server->loop, c->fd, on_readable, c, NULL);
}

/* One read a call, however much there is: the loop calls again in the next round, and the others come in between.
 * No need to look at `events`: recv tells of a hang-up or an error too. */
static void on_readable(hoya_fd fd, uint32_t events, void *arg)
{
    connection *c = arg;
    char *buffer = c->server->buffer;
    (void)events;

    ssize_t received = recv(fd, buffer, BUFFER_SIZE, 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) return; /* readiness is a hint */
    if (received <= 0) {
        close_connection(c); /* the end of input, and nothing left to send; or the peer reset it */
        return;
    }

    ssize_t sent = send_some(c, buffer, (size_t)received);
    if (sent == received) return;

    int rc = sent >= 0 ? keep_rest(c, buffer + sent, (size_t)(received - sent)) : 0;
    if (rc < 0) demo_library_failed("go on with a connection", rc);
    if (rc < 0 || sent < 0) close_connection(c);
}

static void on_writable(hoya_fd fd, uint32_t events, void *arg)
{
    connection *c = arg;
    (void)fd;
    (void)events;

    ssize_t sent = send_some(c, c->rest + c->rest_sent, c->rest_length - c->rest_sent);
    if (sent < 0) {
        close_connection(c);
        return;
    }
    c->rest_sent += (size_t)sent;
    if (c->rest_sent < c->rest_length) return;

    int rc = drop_rest(c);
    if (rc < 0) {
        demo_library_failed("go on with a connection", rc);
        close_connection(c);
    }
}

/* ---- the listener ----------------------------------------------------------------------------------- */

static void on_connection(hoya_fd fd, uint32_t events, void *arg);

static void resume_accepting(void *arg)
{
    server *s = arg;
    int rc = hoya_loop_add_reader(s->loop, s->listener, on_connection, s, NULL);

    if (rc < 0) {
        demo_library_failed("go on accepting", rc);
        hoya_loop_stop(s->loop);
    }
}

/* A listener whose connections cannot be accepted stays readable, and the loop would spin. So it is not watched for
 * a moment; who waits in the kernel's queue is served when another connection has ended. */
static void pause_accepting(server *s, int reason)
{
    if (!s->said_full)
        demo_say("cannot accept more than %" PRIu64 " connections: %s; the others wait", s->clients.open,
                 demo_reason(-reason));
    s->said_full = true;

    hoya_loop_remove_reader(s->loop, s->listener);
    int rc = hoya_loop_call_later(s->loop, ACCEPT_PAUSE, resume_accepting, s, NULL, NULL);
    if (rc < 0) {
        demo_library_failed("go on accepting", rc);
        hoya_loop_stop(s->loop);
    }
}

static void on_connection(hoya_fd listener, uint32_t events, void *arg)
{
    server *s = arg;
    (void)events;

    for (int i = 0; i < ACCEPTS_A_ROUND; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            open_connection(s, fd);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            pause_accepting(s, errno); /* those two are over at once, what else there is lasts */
            return;
        }
    }
}

/* ---- the program ------------------------------------------------------------------------------------ */

typedef struct settings {
    const char *host, *address;
    long seconds; /* 0: until a signal comes */
    bool quiet;
} settings;

static hoya_loop *loop_to_stop;

/* hoya_loop_stop may be called in a signal handler: it wakes the loop through a descriptor of its own. */
static void on_signal(int number)
{
    (void)number;
    hoya_loop_stop(loop_to_stop);
}

static void handle_signals(void (*handler)(int))
{
    const struct sigaction action = {.sa_handler = handler};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void stop_loop(void *arg)
{
    hoya_loop_stop(arg);
}

/* Everything between the birth and the death of the loop. Returns the exit code. */
static int serve(server *s, const settings *o)
{
    char ticks[DEMO_TICKS_SIZE];
    int rc = hoya_loop_add_reader(s->loop, s->listener, on_connection, s, NULL);

    if (rc >= 0 && o->seconds > 0)
        rc = hoya_loop_call_later(s->loop, HOYA_SEC(o->seconds), stop_loop, s->loop, NULL, NULL);
    if (rc < 0) return demo_library_failed("begin to serve", rc);

    loop_to_stop = s->loop;
    handle_signals(on_signal);
    if (!o->quiet) demo_say_listening_socket(s->loop, s->listener);

    demo_start_ticking();
    rc = hoya_loop_run_forever(s->loop); /* until stop: natively this blocks in epoll, under GLib in a GMainLoop */
    demo_stop_ticking(ticks);

    handle_signals(SIG_DFL);
    if (!o->quiet) demo_say_statistics(s->loop, &s->clients, ticks);
    while (s->connections != NULL) close_connection(s->connections);
    return rc < 0 ? demo_library_failed("run the loop", rc) : DEMO_OK;
}

int main(int argc, char **argv)
{
    static server s;

    demo_program = "echo-server";
    settings o = {.host = "native", .address = "127.0.0.1:7007"};
    demo_read_options(
        argc, argv, "Sends back whatever it receives.",
        (const demo_option[]){
            {"listen", "ADDR:PORT", "where to listen, 127.0.0.1:7007 by default; port 0 takes a free one",
             .text = &o.address},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, libuv", .text = &o.host},
            {"seconds", "N", "end after N seconds; without it SIGINT or SIGTERM ends the server",
             .number = &o.seconds, .least = 1, .most = 1000000},
            {"quiet", NULL, "print nothing but errors", .flag = &o.quiet},
            {0},
        });

    int rc = demo_choose_host(o.host); /* from here on hoya_new_event_loop makes a guest of that host */
    if (rc == DEMO_OK) rc = demo_listen(o.address, &s.listener);
    if (rc != DEMO_OK) return rc;

    rc = hoya_new_event_loop(&s.loop);
    if (rc < 0) {
        rc = demo_library_failed("make an event loop", rc);
    } else {
        rc = serve(&s, &o);
        hoya_loop_unref(s.loop); /* closes it too: the listener is forgotten, a timer still waiting is dropped */
    }
    close(s.listener);
    return rc;
}
