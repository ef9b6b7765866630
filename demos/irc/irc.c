/* SPDX-License-Identifier: MIT
 *
 * irc.c: the life of a client. One task tries to be connected for as long as that is wanted:
 *
 *     attempt: a group, and in it  connect, then  reader | sender | pinger
 *     wait: 1 s, 2 s, 4 s, ... 60 s, or until somebody calls
 *
 * The three of a session are children of its group: the first that fails (the reader at the end of the connection,
 * the pinger when it is dead) ends the others, and a cancel of the group ends all, whatever they wait for. What was
 * made in an attempt has gone after it: the stream, the tasks, the lines that were not sent.
 *
 * The sender keeps to the limits that servers have against floods: a burst, then one line now and then. What the
 * protocol needs (PONG, the questions of the pinger, QUIT) is written past it: a stream has any number of writers.
 */
#include "inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

irc_patience irc_patience_now = {.connect = HOYA_SEC(10),
                                 .ping = HOYA_SEC(15),
                                 .silence = HOYA_SEC(60),
                                 .quit = HOYA_SEC(2),
                                 .first = HOYA_SEC(1),
                                 .most = HOYA_SEC(60),
                                 .burst = 5,
                                 .each = HOYA_SEC(2)};

enum { MOST_LINES = 500 };

void irc_go(irc *me, irc_state state, const char *format, ...)
{
    char text[IRC_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    me->state = state;
    irc_tell_state(me, state, text);
}

/* ---- sending --------------------------------------------------------------------------------------------- */

/* A line with its end, never longer than a line may be, and never two: nobody types a second one into the first. */
static size_t build(char line[IRC_LINE + 1], const char *format, va_list arguments)
{
    char text[2 * IRC_LONGEST];
    vsnprintf(text, sizeof text, format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    size_t length = irc_fit(text, IRC_LINE - 2);
    memcpy(line, text, length);
    memcpy(line + length, "\r\n", 3);
    return length + 2;
}

int irc_say(irc *me, const char *format, ...)
{
    char line[IRC_LINE + 1];
    va_list arguments;
    va_start(arguments, format);
    size_t length = build(line, format, arguments);
    va_end(arguments);
    return hoya_stream_write(me->stream, line, length);
}

int irc_queue(irc *me, const char *format, ...)
{
    char line[IRC_LINE + 1];
    va_list arguments;
    va_start(arguments, format);
    build(line, format, arguments);
    va_end(arguments);
    char *copy = strdup(line);
    int rc = copy ? hoya_queue_put_nowait(me->lines, copy) : HOYA_ENOMEM;
    if (rc < 0) free(copy);
    return rc == HOYA_EAGAIN ? HOYA_ELIMIT : rc;
}

int irc_ask(irc *me)
{
    me->asked = hoya_loop_time(me->loop);
    return irc_say(me, "PING :hoya");
}

/* `due` is when the next line may go: it lags behind the clock by as much as a burst is worth, and no more. */
static int send_lines(hoya_task *self, void *arg)
{
    irc *me = arg;
    const int64_t each = irc_patience_now.each, burst = (irc_patience_now.burst - 1) * each;
    int64_t due = HOYA_NOW;
    (void)self;
    for (;;) {
        void *line;
        int rc = hoya_queue_get(me->lines, &line);
        if (rc < 0) return rc;
        int64_t now = hoya_loop_time(me->loop);
        if (due < now - burst) due = now - burst;
        if (due > now) rc = hoya_sleep(due - now);
        if (rc >= 0) rc = hoya_stream_write(me->stream, line, strlen(line));
        due += each;
        if (rc < 0) me->unsent++;
        free(line);
        if (rc < 0) return rc;
    }
}

static void drop_lines(irc *me)
{
    void *line;
    while (hoya_queue_get_nowait(me->lines, &line) == 0) {
        me->unsent++;
        free(line);
    }
    if (me->unsent) irc_tell_trouble(me, HOYA_ECLOSED, "%d lines were not sent", me->unsent);
    me->unsent = 0;
}

/* ---- the others of a session ----------------------------------------------------------------------------- */

static int read_lines(hoya_task *self, void *arg)
{
    irc *me = arg;
    const char *data;
    (void)self;
    for (;;) {
        ssize_t size = hoya_stream_readline(me->stream, &data);
        if (size == HOYA_ELIMIT) {
            irc_tell_trouble(me, HOYA_ELIMIT, "a line of the server was too long, and is left out");
            continue;
        }
        if (size == 0) return hoya_error_set(HOYA_EEOF, "the server has closed the connection");
        if (size < 0) return (int)size;
        me->heard = hoya_loop_time(me->loop);
        int rc = irc_parse(&me->line, data, (size_t)size) ? irc_hear(me, &me->line) : 0;
        if (rc < 0) return rc;
    }
}

/* A write may have to wait for ever on a connection that is dead: the deadline is for that. */
static int ask_in_time(irc *me)
{
    hoya_timeout *scope;
    int rc = hoya_timeout_enter(irc_patience_now.silence, &scope);
    if (rc < 0) return rc;
    rc = irc_ask(me);
    hoya_timeout_leave(scope);
    return rc;
}

static int keep_asking(hoya_task *self, void *arg)
{
    irc *me = arg;
    (void)self;
    for (;;) {
        int rc = hoya_sleep(irc_patience_now.ping);
        if (rc >= 0 && hoya_loop_time(me->loop) - me->heard >= irc_patience_now.silence) rc = HOYA_EDEADLINE;
        if (rc >= 0 && me->state == IRC_ONLINE) {
            if (me->asked) irc_tell_lag(me, HOYA_NEVER);
            else rc = ask_in_time(me);
        }
        if (rc == HOYA_EDEADLINE)
            return hoya_error_set(HOYA_ETIMEDOUT, "the server has not answered for %d s",
                                  (int)(irc_patience_now.silence / HOYA_SEC(1)));
        if (rc < 0) return rc;
    }
}

/* The server answers QUIT by closing the connection; one that does not is left. */
static int say_goodbye(hoya_task *self, void *arg)
{
    irc *me = arg;
    (void)self;
    int rc = irc_say(me, "QUIT :%s", me->farewell);
    if (rc >= 0) rc = hoya_sleep(irc_patience_now.quit);
    return rc < 0 ? rc : HOYA_ECLOSED;
}

/* ---- an attempt ------------------------------------------------------------------------------------------ */

static int open_stream(irc *me)
{
    const hoya_stream_options options = {.size = sizeof options, .limit = IRC_LONGEST};
    char host[sizeof me->host], port[sizeof me->port]; /* others may be set meanwhile */
    hoya_timeout *scope;
    hoya_stream *stream;
    memcpy(host, me->host, sizeof host);
    memcpy(port, me->port, sizeof port);
    irc_go(me, IRC_CONNECTING, "connecting to %s:%s", host, port);
    int rc = hoya_timeout_enter(irc_patience_now.connect, &scope);
    if (rc < 0) return rc;
    rc = hoya_open_connection(host, port, &options, &stream);
    hoya_timeout_leave(scope);
    if (rc < 0) return rc;
    me->stream = stream;
    irc_go(me, IRC_REGISTERING, "connected to %s:%s, and saying who we are", host, port);
    return 0;
}

static int begin_session(irc *me)
{
    me->heard = hoya_loop_time(me->loop);
    me->asked = 0;
    memcpy(me->nick, me->wish, sizeof me->nick);
    int rc = irc_say(me, "NICK %s", me->nick);
    if (rc >= 0) rc = irc_say(me, "USER %s 0 * :%s", me->nick, me->nick);
    if (rc >= 0) rc = hoya_group_create_task(me->group, read_lines, me, NULL, NULL);
    if (rc >= 0) rc = hoya_group_create_task(me->group, send_lines, me, NULL, NULL);
    if (rc >= 0) rc = hoya_group_create_task(me->group, keep_asking, me, NULL, NULL);
    return rc;
}

static void end_session(irc *me)
{
    if (me->stream) {
        if (me->quitting) hoya_stream_close(me->stream, HOYA_SEC(1));
        else hoya_stream_abort(me->stream);
        hoya_stream_unref(me->stream);
        me->stream = NULL;
    }
    drop_lines(me);
    for (irc_channel *channel = me->channels; channel; channel = channel->next) {
        irc_clear_names(channel);
        channel->joined = channel->listing = false;
        irc_tell_names(me, channel->name);
    }
}

/* Of several that fail at once, as the end of a connection makes it, the first is told; the others are no news. */
static void overlook(hoya_task *child, int code, const char *text, void *arg)
{
    (void)child, (void)code, (void)text, (void)arg;
}

static int attempt(irc *me, char why[IRC_LINE])
{
    hoya_group *group;
    why[0] = '\0';
    int rc = hoya_group_enter(NULL, &group);
    if (rc < 0) return rc;
    me->group = group;
    rc = open_stream(me);
    if (rc >= 0) rc = begin_session(me);
    if (rc < 0) {
        snprintf(why, IRC_LINE, "%s", hoya_error_detail());
        hoya_group_cancel(group, NULL);
    }

    int end = hoya_group_join(group);
    if (rc >= 0 && end < 0) {
        rc = end;
        snprintf(why, IRC_LINE, "%s", hoya_error_detail());
    }
    hoya_group_errors(group, overlook, NULL);
    me->group = NULL;
    hoya_group_leave(group);
    end_session(me);
    return rc;
}

/* ---- a life ---------------------------------------------------------------------------------------------- */

static void tell_failure(irc *me, int code, const char *why)
{
    if (code == HOYA_EDEADLINE) why = "no answer";
    else if (!why[0]) why = hoya_strerror(code);
    if (me->stayed) irc_tell_trouble(me, code, "The connection is lost: %s", why);
    else irc_tell_trouble(me, code, "No connection to %s:%s: %s", me->host, me->port, why);
}

static int wait_to_try_again(irc *me, int64_t pause)
{
    hoya_timeout *scope;
    irc_go(me, IRC_WAITING, "trying again in %d s", (int)((pause + HOYA_SEC(1) - 1) / HOYA_SEC(1)));
    int rc = hoya_timeout_enter(pause, &scope);
    if (rc < 0) return rc;
    hoya_event_wait(me->wake);
    return hoya_timeout_leave(scope);
}

static int live(hoya_task *self, void *arg)
{
    irc *me = arg;
    char why[IRC_LINE];
    int64_t pause = irc_patience_now.first;
    int rc = 0;
    while (me->wanted && !hoya_task_cancelling(self) && rc >= 0) {
        hoya_event_clear(me->wake);
        me->stayed = me->quitting = false;
        int code = attempt(me, why);
        if (me->stayed) pause = irc_patience_now.first;
        if (me->quitting || hoya_task_cancelling(self)) continue;
        tell_failure(me, code, why);
        if (!me->wanted || hoya_event_is_set(me->wake)) continue;
        rc = wait_to_try_again(me, pause);
        pause = pause < irc_patience_now.most / 2 ? 2 * pause : irc_patience_now.most;
    }
    return rc < 0 ? rc : 0;
}

/* Its destroy function: it has ended, or never began. */
static void life_is_over(void *arg)
{
    irc *me = arg;
    me->wanted = false;
    me->living = false;
    irc_go(me, IRC_OFFLINE, "not connected");
    irc_unref(me);
}

/* ---- what faces call --------------------------------------------------------------------------------------- */

int irc_new(hoya_loop *loop, const irc_face *face, void *arg, irc **out)
{
    const hoya_queue_options options = {.size = sizeof options, .capacity = MOST_LINES, .destroy = free};
    irc *me = calloc(1, sizeof *me);
    if (!me) return HOYA_ENOMEM;
    me->refs = 1;
    me->loop = hoya_loop_ref(loop);
    me->face = *face;
    me->arg = arg;
    int rc = hoya_event_new(loop, NULL, &me->wake);
    if (rc >= 0) rc = hoya_queue_new(loop, &options, &me->lines);
    if (rc < 0) irc_unref(me);
    else *out = me;
    return rc;
}

void irc_ref(irc *me)
{
    me->refs++;
}

void irc_unref(irc *me)
{
    if (--me->refs) return;
    hoya_future *done = me->done;
    hoya_loop *loop = me->loop;
    irc_remove_channels(me);
    hoya_event_free(me->wake);
    hoya_queue_free(me->lines);
    free(me);
    if (done) hoya_future_set_result(done, NULL, NULL);
    hoya_future_unref(done);
    hoya_loop_unref(loop);
}

static bool fits(const char *text, size_t size)
{
    return text && text[0] && strlen(text) < size && !strpbrk(text, " \r\n");
}

/* The channels of another server are none of this one's. */
static void set_server(irc *me, const irc_settings *settings)
{
    if (strcmp(me->host, settings->host) != 0 || strcmp(me->port, settings->port) != 0) {
        for (irc_channel *channel = me->channels; channel; channel = channel->next)
            irc_tell_left(me, channel->name);
        irc_remove_channels(me);
    }
    snprintf(me->host, sizeof me->host, "%s", settings->host);
    snprintf(me->port, sizeof me->port, "%s", settings->port);
    snprintf(me->wish, sizeof me->wish, "%s", settings->nick);
}

int irc_connect(irc *me, const irc_settings *settings)
{
    const hoya_task_options options = {.size = sizeof options, .name = "irc", .destroy = life_is_over};
    if (me->closed) return hoya_error_set(HOYA_ESTATE, "the client is closed");
    if (me->wanted && me->state != IRC_WAITING) return hoya_error_set(HOYA_EBUSY, "connected already");
    if (!fits(settings->host, sizeof me->host)) return hoya_error_set(HOYA_EINVAL, "that is no name of a server");
    if (!fits(settings->port, sizeof me->port)) return hoya_error_set(HOYA_EINVAL, "that is no port");
    if (!irc_is_nick(settings->nick) || !fits(settings->nick, sizeof me->wish))
        return hoya_error_set(HOYA_EINVAL, "that is no nick: letters, digits, and no digit first");

    set_server(me, settings);
    for (const char *at = settings->join ? settings->join : ""; *at; at += *at == ',') {
        size_t length = strcspn(at, ",");
        char name[IRC_NAME];
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), at);
        if (irc_is_channel(name)) irc_add_channel(me, name);
        at += length;
    }
    me->wanted = true;
    if (me->living) return hoya_event_set(me->wake);
    me->living = true;
    irc_ref(me);
    return hoya_create_task(me->loop, live, me, &options, NULL);
}

int irc_disconnect(irc *me, const char *reason)
{
    bool before = me->quitting;
    me->wanted = false;
    me->quitting = true;
    snprintf(me->farewell, sizeof me->farewell, "%s", reason ? reason : "bye");
    hoya_event_set(me->wake);
    if (!me->group) return 0;
    /* Who says it a second time does not wait for the server's answer. */
    if (!me->stream || before || hoya_group_create_task(me->group, say_goodbye, me, NULL, NULL) < 0)
        hoya_group_cancel(me->group, NULL);
    return 0;
}

irc_state irc_get_state(const irc *me)
{
    return me->state;
}

const char *irc_get_nick(const irc *me)
{
    return me->nick[0] ? me->nick : me->wish;
}

int irc_close(irc *me, hoya_future **done)
{
    if (me->closed) return hoya_error_set(HOYA_ESTATE, "the client is closed");
    int rc = done ? hoya_future_new(me->loop, &me->done) : 0;
    if (rc < 0) return rc;
    me->closed = true;
    if (done) *done = hoya_future_ref(me->done);
    me->wanted = false; /* a goodbye may be on its way, and a connect have come behind it */
    hoya_event_set(me->wake);
    if (!me->quitting) irc_disconnect(me, NULL);
    irc_unref(me);
    return 0;
}
