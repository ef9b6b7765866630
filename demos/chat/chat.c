/* SPDX-License-Identifier: MIT
 *
 * chat: a room in which everybody reads what anybody writes. A stream and a task for each who is there; netcat is the client.
 *
 *     demo-chat --listen 127.0.0.1:7010 --host qt
 *     nc 127.0.0.1 7010
 *
 * The first line is the nick; each other one goes to all, also to who wrote it, so that all see the same in the same order.
 * "/nick NAME", "/who" and "/quit" are for the server, which begins its own lines with "* ".
 *
 * A line is written to nobody by waiting for him: who does not read has HARD_LIMIT bytes buffered, and is dropped by the next
 * line. Who writes waits for his own copies, and so cannot write faster than he reads.
 *
 * A guest lies on the stack of his task, and is in the room from his welcome to his end. Walking through the room never
 * waits, so nobody comes or goes meanwhile.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "echo/demo.h"

enum { NICK_SIZE = 17, LINE_LIMIT = 1024, HARD_LIMIT = 256 * 1024 };

typedef struct guest {
    struct guest *next;
    hoya_stream *stream;
    char nick[NICK_SIZE]; /* empty: not in the room yet */
    bool too_slow;
} guest;

static guest *room;
static uint64_t served, lines, dropped;

/* ---- telling ------------------------------------------------------------------------------------------ */

static void tell(guest *to, const char *text, size_t size)
{
    int rc = hoya_transport_write(hoya_stream_get_transport(to->stream), text, size);
    if (rc >= 0 || to->too_slow || hoya_stream_is_closing(to->stream)) return; /* who has gone tells so himself */
    to->too_slow = true;
    dropped++;
    hoya_stream_abort(to->stream); /* his task wakes up by that */
}

/* To one, or to all in the room (NULL). Longer than any line, with its nick. */
static HOYA_PRINTF(2, 3) void say(guest *to, const char *format, ...)
{
    char text[LINE_LIMIT + 2 * NICK_SIZE + 64];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof text - 1 ? (size_t)n : sizeof text - 2;
    text[size++] = '\n';
    if (to) tell(to, text, size);
    else
        for (guest *g = room; g; g = g->next) tell(g, text, size);
}

/* ---- the room ----------------------------------------------------------------------------------------- */

static bool is_there(const char *nick)
{
    for (const guest *g = room; g; g = g->next)
        if (strcmp(g->nick, nick) == 0) return true;
    return false;
}

static bool may_be_called(guest *g, const char *nick)
{
    size_t length = strspn(nick, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    if (length == 0 || length >= NICK_SIZE || nick[length] != '\0')
        say(g, "* a nick is made of at most %d letters and digits, - and _", NICK_SIZE - 1);
    else if (is_there(nick)) say(g, "* %s is here already", nick);
    else return true;
    return false;
}

/* At the end of the list: /who tells them in the order of their coming. */
static void enter(guest *g, const char *nick)
{
    guest **end = &room;

    say(NULL, "* %s is here", nick);
    while (*end) end = &(*end)->next;
    *end = g;
    strcpy(g->nick, nick);
    say(g, "* welcome, %s; there are /who, /nick NAME, and /quit", nick);
}

static void leave(guest *g)
{
    guest **at = &room;

    if (g->nick[0] == '\0') return;
    while (*at != g) at = &(*at)->next;
    *at = g->next;
    say(NULL, "* %s has gone%s", g->nick, g->too_slow ? ": too slow" : "");
}

static void tell_who(guest *to)
{
    for (const guest *g = room; g; g = g->next) say(to, "* here: %s", g->nick);
}

/* ---- a guest ------------------------------------------------------------------------------------------ */

/* 1: he wants to go. */
static int heard(guest *g, const char *line)
{
    if (g->nick[0] == '\0') {
        if (may_be_called(g, line)) enter(g, line);
    } else if (line[0] != '/') {
        lines++;
        say(NULL, "<%s> %s", g->nick, line);
    } else if (strncmp(line, "/nick ", 6) == 0) {
        if (!may_be_called(g, line + 6)) return 0;
        say(NULL, "* %s is now %s", g->nick, line + 6);
        strcpy(g->nick, line + 6);
    } else if (strcmp(line, "/who") == 0) {
        tell_who(g);
    } else if (strcmp(line, "/quit") == 0) {
        return 1;
    } else {
        say(g, "* there are /who, /nick NAME, and /quit");
    }
    return 0;
}

/* Without its end, and without what a terminal would take for a command. */
static void copy_line(char text[LINE_LIMIT + 1], const char *line, size_t size)
{
    while (size && (line[size - 1] == '\n' || line[size - 1] == '\r')) size--;
    for (size_t i = 0; i < size; i++) text[i] = (unsigned char)line[i] < ' ' || line[i] == 127 ? '?' : line[i];
    text[size] = '\0';
}

static int attend(hoya_task *self, hoya_stream *stream, void *arg)
{
    guest g = {.stream = stream};
    char text[LINE_LIMIT + 1];
    const char *line;
    ssize_t n;
    int rc = 0;

    (void)self;
    (void)arg;
    served++;
    say(&g, "* who are you?");
    while (rc == 0 && (n = hoya_stream_readline(stream, &line)) != 0) {
        if (n > 0) {
            copy_line(text, line, (size_t)n);
            rc = heard(&g, text);
            if (rc == 0) rc = hoya_stream_drain(stream); /* who does not read is not listened to */
        } else if (n == HOYA_ELIMIT) {
            say(&g, "* a line has at most %d bytes", LINE_LIMIT);
        } else {
            rc = (int)n;
        }
    }
    leave(&g);
    return rc < 0 ? rc : 0; /* his connection is closed by that; what it ended with is not reported */
}

/* ---- the program -------------------------------------------------------------------------------------- */

typedef struct settings {
    char host[DEMO_ADDRESS_SIZE], port[8];
} settings;

/* A task: the whole life of the server. A signal cancels it. */
static int serve(hoya_task *self, void *arg)
{
    const settings *o = arg;
    hoya_transport_options transport = {.size = sizeof transport, .write_hard = HARD_LIMIT};
    hoya_server_options server_options = {.size = sizeof server_options, .transport = &transport};
    hoya_stream_options options = {.size = sizeof options, .limit = LINE_LIMIT, .server = &server_options};
    hoya_group *group;
    hoya_server *server = NULL;

    (void)self;
    int rc = hoya_group_enter(NULL, &group);
    if (rc < 0) return rc;
    rc = hoya_start_server(group, o->host, o->port, attend, NULL, NULL, &options, &server);
    if (rc < 0) return rc;
    demo_say_listening(server);
    hoya_server_unref(server);      /* the group has it */
    return hoya_group_leave(group); /* waits until the server is closed, and its last guest has gone */
}

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
        if (rc == HOYA_ECANCELED)
            printf("served %" PRIu64 " guests, %" PRIu64 " lines, dropped %" PRIu64 "; host ticks %s\n", served,
                   lines, dropped, ticks);
    }
    hoya_task_unref(server);
    return rc == HOYA_ECANCELED ? DEMO_OK : demo_library_failed("serve", rc);
}

int main(int argc, char **argv)
{
    const char *main_loop = "native", *address = "127.0.0.1:7010";
    settings o;
    hoya_loop *loop;

    demo_program = "chat";
    demo_read_options(argc, argv, "A room in which everybody reads what anybody writes.",
                      (const demo_option[]){
                          {"listen", "ADDR:PORT",
                           "where to listen, 127.0.0.1:7010 by default; port 0 takes a free one", .text = &address},
                          {"host", "NAME", "whose main loop to live in: native (the default), glib, qt, libuv",
                           .text = &main_loop},
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
