/* SPDX-License-Identifier: MIT
 *
 * echo-client: a load for echo-server, or for any other echo. It opens many connections, waits until all are open
 * together, exchanges many messages on each, and compares every byte that comes back. One thread, and of hoya
 * nothing but callbacks for descriptors, call_soon and one timer.
 *
 *     echo-client --connect 127.0.0.1:7007 --connections 1000 --messages 100 --size 1024 [--host glib]
 *
 * The life of a connection:
 *
 *     1. connecting    connect() is under way; a writer waits for it: on_connected
 *     2. open          has a reader from now on: on_readable. Waits until the others are open too
 *     3. talking       sends a message, compares what comes back, sends the next one. A writer is there only while
 *                      the kernel does not take the whole of a message: on_writable
 *     4. half-closed   when every connection has had its last message back, all say "no more from me" (shutdown)
 *                      and wait for the server to say the same. Surplus bytes would show here
 *     5. closed
 *
 * A message has no buffer: pattern.h makes its bytes when they are sent, and again when they come back.
 *
 * Failures: whatever goes wrong is said in one sentence, ends the run and makes the exit code 1: a refused
 * connection, a stream that ends early, a byte too many, the deadline. Bytes that differ are counted to the end.
 */
#define _GNU_SOURCE 1

#include "demo.h"
#include "pattern.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHUNK_SIZE = 64 * 1024,
    CONNECTS_AT_ONCE = 100 /* more might not find room in a listener's queue, and TCP tries again only after 1 s */
};

typedef struct settings {
    const char *host, *address;
    long connections, messages, size, timeout;
} settings;

/* One run of the program, with the state of all its connections. */
typedef struct run {
    const settings *o;
    hoya_loop *loop;
    struct addrinfo *address;
    struct connection *connections;          /* o->connections of them */
    long begun, connected, finished, closed; /* how many have come that far */
    int64_t started, ended;                  /* the first message, the last byte compared */
    uint64_t compared, different;
    bool failed;
    uint8_t bytes[CHUNK_SIZE], expected[CHUNK_SIZE]; /* shared by all connections, empty between two callbacks */
} run;

typedef struct connection {
    run *run;
    long number;
    int fd;              /* -1: not yet, or no more */
    bool writing;        /* there is a writer */
    long message;        /* the current one, from 0 */
    long sent, received; /* bytes of it */
} connection;

/* Says what went wrong and ends the run. What goes wrong after that is a consequence, and not said. */
static void fail(run *r, const char *format, ...) HOYA_PRINTF(2, 3);

static void fail(run *r, const char *format, ...)
{
    char sentence[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);

    if (!r->failed) demo_say("%s", sentence);
    r->failed = true;
    hoya_loop_stop(r->loop);
}

/* For the calls of hoya that may want memory. */
static void check(run *r, const char *what, int rc)
{
    if (rc < 0) fail(r, "cannot %s: %s", what, demo_reason(rc));
}

/* ---- talking ---------------------------------------------------------------------------------------- */

/* Compares the next bytes of the message, which are in r->bytes. */
static void compare(connection *c, size_t length)
{
    run *r = c->run;

    pattern(c->number, c->message, c->received, r->expected, length);
    r->compared += length;
    if (memcmp(r->bytes, r->expected, length) == 0) return;

    for (size_t i = 0; i < length; i++) {
        if (r->bytes[i] != r->expected[i] && r->different++ == 0)
            demo_say("connection %ld, message %ld, byte %ld came back different", c->number, c->message,
                     c->received + (long)i);
    }
}

static void on_writable(hoya_fd fd, uint32_t events, void *arg);

static void want_writable(connection *c, bool wanted)
{
    run *r = c->run;

    if (wanted && !c->writing)
        check(r, "wait for a connection", hoya_loop_add_writer(r->loop, c->fd, on_writable, c, NULL));
    if (!wanted && c->writing) hoya_loop_remove_writer(r->loop, c->fd);
    c->writing = wanted;
}

/* Sends the next piece of the current message. A long one takes several turns, so that no single callback takes
 * long, and the others, the host and its timers come in between. */
static void send_message(connection *c)
{
    run *r = c->run;
    long left = r->o->size - c->sent;
    size_t length = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;

    pattern(c->number, c->message, c->sent, r->bytes, length);
    ssize_t n = send(c->fd, r->bytes, length, MSG_NOSIGNAL);
    if (n > 0) c->sent += (long)n;
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        fail(r, "cannot send on connection %ld: %s", c->number, demo_reason(-errno));
    want_writable(c, c->sent < r->o->size && !r->failed);
}

static void on_writable(hoya_fd fd, uint32_t events, void *arg)
{
    (void)fd;
    (void)events;
    send_message(arg);
}

static void start_talking(void *arg)
{
    send_message(arg);
}

/* Step 4: from here on only the ends of the streams are left to come. */
static void everybody_has_finished(run *r)
{
    r->ended = hoya_loop_time(r->loop);
    for (long i = 0; i < r->o->connections; i++) {
        if (shutdown(r->connections[i].fd, SHUT_WR) < 0)
            fail(r, "cannot end the stream of connection %ld: %s", i, demo_reason(-errno));
    }
}

static void message_is_back(connection *c)
{
    run *r = c->run;

    c->message++;
    if (c->message < r->o->messages) {
        c->sent = c->received = 0;
        send_message(c);
    } else if (++r->finished == r->o->connections) {
        everybody_has_finished(r);
    }
}

static void close_connection(connection *c)
{
    if (c->fd < 0) return;
    hoya_loop_remove_reader(c->run->loop, c->fd);
    hoya_loop_remove_writer(c->run->loop, c->fd);
    close(c->fd);
    c->fd = -1;
}

static void on_readable(hoya_fd fd, uint32_t events, void *arg)
{
    connection *c = arg;
    run *r = c->run;
    (void)events;

    ssize_t n = recv(fd, r->bytes, CHUNK_SIZE, 0);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            fail(r, "cannot receive on connection %ld: %s", c->number, demo_reason(-errno));
    } else if (n == 0 && r->ended == 0) {
        fail(r, "the server closed connection %ld in message %ld of %ld", c->number, c->message + 1,
             r->o->messages);
    } else if (n == 0) {
        close_connection(c);
        if (++r->closed == r->o->connections) hoya_loop_stop(r->loop);
    } else if (c->received + n > c->sent) {
        fail(r, "connection %ld got more bytes than it had sent", c->number);
    } else {
        compare(c, (size_t)n);
        c->received += (long)n;
        if (c->received == r->o->size) message_is_back(c);
    }
}

/* ---- connecting ------------------------------------------------------------------------------------- */

static void on_connected(hoya_fd fd, uint32_t events, void *arg);

static void fail_to_connect(run *r, long number, int reason)
{
    fail(r, "cannot connect to %s (connection %ld of %ld): %s", r->o->address, number + 1, r->o->connections,
         demo_reason(-reason));
}

static void begin_to_connect(run *r, connection *c)
{
    const struct addrinfo *a = r->address;

    c->fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (c->fd < 0 || (connect(c->fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)) {
        fail_to_connect(r, c->number, errno);
        return;
    }
    check(r, "wait for a connection", hoya_loop_add_writer(r->loop, c->fd, on_connected, c, NULL));
}

static void connect_some(run *r)
{
    while (r->begun < r->o->connections && r->begun - r->connected < CONNECTS_AT_ONCE && !r->failed)
        begin_to_connect(r, &r->connections[r->begun++]);
}

/* Step 3 for all, in a callback each: see send_message. */
static void everybody_is_open(run *r)
{
    r->started = hoya_loop_time(r->loop);
    for (long i = 0; i < r->o->connections; i++)
        check(r, "start", hoya_loop_call_soon(r->loop, start_talking, &r->connections[i]));
}

/* A socket becomes writable when its connect() has ended, well or not. */
static void on_connected(hoya_fd fd, uint32_t events, void *arg)
{
    connection *c = arg;
    run *r = c->run;
    int failure = 0;
    (void)events;

    hoya_loop_remove_writer(r->loop, fd);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &(socklen_t){sizeof failure}) < 0) failure = errno;
    if (failure != 0) {
        fail_to_connect(r, c->number, failure);
        return;
    }
    check(r, "watch a connection", hoya_loop_add_reader(r->loop, fd, on_readable, c, NULL));

    if (++r->connected == r->o->connections) everybody_is_open(r);
    else connect_some(r);
}

/* ---- the program ------------------------------------------------------------------------------------ */

static void on_deadline(void *arg)
{
    run *r = arg;
    long all = r->o->connections, some = r->closed;
    const char *state = "were ended by the server";

    if (r->connected < all) {
        some = r->connected;
        state = "are open";
    } else if (r->finished < all) {
        some = r->finished;
        state = "have all their bytes back";
    }
    fail(r, "after %ld s only %ld of %ld connections %s", r->o->timeout, some, all, state);
}

static void say_result(const run *r, const char *ticks)
{
    const settings *o = r->o;
    double seconds = (double)(r->ended - r->started) / 1e9;
    hoya_loop_statistics stats = {.size = sizeof stats};

    hoya_loop_stats(r->loop, &stats);
    printf("%ld connections x %ld x %ld B: %" PRIu64 " bytes compared, %" PRIu64
           " differences, %.2f s, %.0f messages/s\n",
           o->connections, o->messages, o->size, r->compared, r->different, seconds,
           (double)o->connections * (double)o->messages / seconds);
    printf("host %s: host ticks %s; %" PRIu64 " loop rounds\n", hoya_loop_host_name(r->loop), ticks, stats.rounds);
}

/* Everything between the birth and the death of the loop. Returns the exit code. */
static int talk(run *r)
{
    char ticks[DEMO_TICKS_SIZE];
    int rc = hoya_loop_call_later(r->loop, HOYA_SEC(r->o->timeout), on_deadline, r, NULL, NULL);

    if (rc < 0) return demo_library_failed("set the deadline", rc);

    connect_some(r);
    demo_start_ticking();
    rc = hoya_loop_run_forever(r->loop); /* until everything is closed, or fail() */
    demo_stop_ticking(ticks);

    for (long i = 0; i < r->o->connections; i++) close_connection(&r->connections[i]);
    if (rc < 0) return demo_library_failed("run the loop", rc);
    if (r->failed) return DEMO_FAILED;

    say_result(r, ticks);
    return r->different == 0 ? DEMO_OK : DEMO_FAILED;
}

int main(int argc, char **argv)
{
    static run r;

    demo_program = "echo-client";
    settings o = {"native", "127.0.0.1:7007", 1000, 100, 1024, 60};
    demo_read_options(
        argc, argv, "Opens many connections to an echo server at once and compares what comes back.",
        (const demo_option[]){
            {"connect", "ADDR:PORT", "where the server listens, 127.0.0.1:7007 by default", .text = &o.address},
            {"connections", "N", "how many are open together, 1000 by default", .number = &o.connections,
             .least = 1, .most = 1000000},
            {"messages", "M", "how many each of them exchanges, 100 by default", .number = &o.messages, .least = 1,
             .most = 1000000000},
            {"size", "BYTES", "the size of a message, 1024 by default", .number = &o.size, .least = 1,
             .most = 1 << 30},
            {"timeout", "SECONDS", "give up after that time, 60 by default", .number = &o.timeout, .least = 1,
             .most = 1000000},
            {"host", "NAME", "whose main loop to live in: native (the default), glib, libuv", .text = &o.host},
            {0},
        });

    int rc = demo_choose_host(o.host); /* from here on hoya_new_event_loop makes a guest of that host */
    if (rc == DEMO_OK) rc = demo_resolve(o.address, 0, &r.address);
    if (rc != DEMO_OK) return rc;

    r.o = &o;
    r.connections = calloc((size_t)o.connections, sizeof *r.connections);
    for (long i = 0; i < o.connections && r.connections != NULL; i++)
        r.connections[i] = (connection){.run = &r, .number = i, .fd = -1};

    rc = r.connections != NULL ? hoya_new_event_loop(&r.loop) : HOYA_ENOMEM;
    if (rc < 0) {
        rc = demo_library_failed("begin", rc);
    } else {
        rc = talk(&r);
        hoya_loop_unref(r.loop); /* closes it too: the deadline that never came is dropped */
    }
    free(r.connections);
    freeaddrinfo(r.address);
    return rc;
}
