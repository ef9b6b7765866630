/* SPDX-License-Identifier: MIT
 *
 * download.c: one download: a task from top to bottom. It waits for its turn, connects, asks, and reads; nothing of
 * that knows of the others. A cancel ends it wherever it waits: each step then answers HOYA_ECANCELED, and on the
 * way out the connection is closed and the turn is given to the next.
 */
#include "inside.h"
#include "pattern.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fetch_patience fetch_patience_now = {.connect = HOYA_SEC(10), .silence = HOYA_SEC(15)};

static void go(fetch_item *item, fetch_state state)
{
    item->state = state;
    fetch_tell_state(item);
}

/* Says why, for a person, and returns the code. Who was cancelled needs no reason. */
static int fails(fetch_item *item, int code, const char *format, ...) HOYA_PRINTF(3, 4);
static int fails(fetch_item *item, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (code != HOYA_ECANCELED) vsnprintf(item->why, sizeof item->why, format, arguments);
    va_end(arguments);
    return code;
}

/* ---- the steps ------------------------------------------------------------------------------------------- */

static int connect_in_time(fetch_item *item, hoya_stream **stream)
{
    const fetch *me = item->fetch;
    const hoya_connection_options connection = {.size = sizeof connection, .timeout = fetch_patience_now.connect};
    const hoya_stream_options options = {.size = sizeof options, .connection = &connection};
    int rc = hoya_open_connection(me->host, me->port, &options, stream);
    return rc < 0 ? fails(item, rc, "no connection: %s", hoya_strerror(rc)) : 0;
}

static int in_silence(fetch_item *item, int code)
{
    int seconds = (int)(fetch_patience_now.silence / HOYA_SEC(1));
    if (code == HOYA_EDEADLINE) return fails(item, HOYA_ETIMEDOUT, "nothing has come for %d s", seconds);
    return fails(item, code, "the connection is lost: %s", hoya_strerror(code));
}

/* What the server answers: "OK size", or why not. */
static int understand(fetch_item *item, const char *line, size_t length)
{
    char text[FETCH_TEXT];
    long long size;
    snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text - 1), line);
    text[strcspn(text, "\r\n")] = '\0';
    if (strncmp(text, "ERROR ", 6) == 0) return fails(item, HOYA_ENOENT, "the server says: %s", text + 6);
    if (sscanf(text, "OK %lld", &size) != 1 || size < 0)
        return fails(item, HOYA_EPROTO, "the server says what makes no sense");
    item->size = size;
    return 0;
}

static int ask(fetch_item *item, hoya_stream *stream)
{
    char line[FETCH_NAME + 8];
    const char *answer;
    hoya_timeout *scope;
    int length = snprintf(line, sizeof line, "GET %s\n", item->name);
    int rc = hoya_timeout_enter(fetch_patience_now.silence, &scope);
    if (rc < 0) return rc;
    rc = hoya_stream_write(stream, line, (size_t)length);
    ssize_t size = rc < 0 ? rc : hoya_stream_readline(stream, &answer);
    hoya_timeout_leave(scope);
    if (size == 0) size = HOYA_EEOF;
    return size < 0 ? in_silence(item, (int)size) : understand(item, answer, (size_t)size);
}

static ssize_t read_in_time(hoya_stream *stream, void *buffer, size_t size)
{
    hoya_timeout *scope;
    int rc = hoya_timeout_enter(fetch_patience_now.silence, &scope);
    if (rc < 0) return rc;
    ssize_t n = hoya_stream_read(stream, buffer, size);
    hoya_timeout_leave(scope);
    return n ? n : HOYA_EEOF;
}

static void count(fetch_item *item, int64_t bytes)
{
    fetch *me = item->fetch;
    int64_t now = hoya_loop_time(me->loop);
    item->bytes += bytes;
    fetch_meter_add(&item->meter, now, bytes);
    fetch_meter_add(&me->meter, now, bytes);
    me->news = true;
}

static int load(fetch_item *item, hoya_stream *stream, unsigned char buffer[FETCH_PATTERN])
{
    while (item->bytes < item->size) {
        int64_t left = item->size - item->bytes;
        ssize_t n = read_in_time(stream, buffer, left < FETCH_PATTERN ? (size_t)left : FETCH_PATTERN);
        if (n < 0) return in_silence(item, (int)n);
        if (memcmp(buffer, fetch_pattern(item->name, item->bytes), (size_t)n) != 0)
            return fails(item, HOYA_EPROTO, "what has come is not what was asked for");
        count(item, n);
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

static int load_by(fetch_item *item, hoya_stream *stream)
{
    int rc = ask(item, stream);
    if (rc < 0) return rc;
    fetch_meter_begin(&item->meter, hoya_loop_time(item->fetch->loop));
    go(item, FETCH_LOADING);
    unsigned char *buffer = malloc(FETCH_PATTERN);
    if (!buffer) return fails(item, HOYA_ENOMEM, "there is no memory");
    rc = load(item, stream, buffer);
    free(buffer);
    return rc;
}

static int connect_and_load(fetch_item *item)
{
    hoya_stream *stream;
    go(item, FETCH_CONNECTING);
    int rc = connect_in_time(item, &stream);
    if (rc < 0) return rc;
    rc = load_by(item, stream);
    hoya_stream_abort(stream); /* there is nothing left to say */
    hoya_stream_unref(stream);
    return rc;
}

static int download(hoya_task *self, void *arg)
{
    fetch_item *item = arg;
    fetch *me = item->fetch;
    (void)self;
    item->code = hoya_semaphore_acquire(me->room);
    if (item->code < 0) return 0; /* what became of it is the item's, and no failure of the group */
    item->code = connect_and_load(item);
    if (me->debt > 0) me->debt--;
    else hoya_semaphore_release(me->room);
    return 0;
}

/* Its destroy function: it has ended, or never began. */
static void download_is_over(void *arg)
{
    fetch_item *item = arg;
    fetch *me = item->fetch;
    if (!item->begun) return;
    item->begun = false;
    hoya_task_unref(item->task);
    item->task = NULL;
    fetch_settle(item);
    fetch_unref(me);
}

int fetch_begin(fetch_item *item)
{
    const hoya_task_options options = {.size = sizeof options, .name = item->name, .destroy = download_is_over};
    item->code = HOYA_ECANCELED; /* if it is cancelled before its first step */
    int rc = hoya_group_create_task(item->fetch->group, download, item, &options, &item->task);
    if (rc < 0) return rc;
    item->begun = true;
    fetch_ref(item->fetch); /* when a loop is closed, the task that has the group may end before it */
    return 0;
}

void fetch_settle(fetch_item *item)
{
    fetch *me = item->fetch;
    if (item->code < 0 && item->code != HOYA_ECANCELED && !item->why[0])
        fails(item, item->code, "%s", hoya_strerror(item->code));
    go(item, item->code >= 0 ? FETCH_DONE : item->code == HOYA_ECANCELED ? FETCH_CANCELLED : FETCH_FAILED);
    if (--me->active) return;
    fetch_tick(me, false);
    fetch_tell_finished(me);
}
