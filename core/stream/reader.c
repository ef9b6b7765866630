/* SPDX-License-Identifier: MIT
 *
 * stream/reader.c: what tasks read of a stream.
 *
 * Each call: what is buffered first, then whether it has ended, then the wait, and after it again what is there. What is read
 * leaves the buffer only with the call that returns it, so that an interrupted one has taken nothing; but for
 * readexactly, which may want more than the buffer holds, and says how far it came.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "stream/stream.h"

#define BIG 1024 /* reads of so much go past the buffer */

/* ---- waiting --------------------------------------------------------------------------------------------- */

/* A call that reads begins: 0, and it has to end with hoya_stream_leave. */
static int begin(hoya_stream *stream, hoya_task **task)
{
    hoya_task *here = hoya_sync_task_at_once(stream ? &stream->sync : NULL);
    if (hoya_unlikely(!here)) {
        int rc = hoya_sync_task(stream ? &stream->sync : NULL, &here);
        if (rc < 0) return rc;
    }
    if (hoya_unlikely(stream->reader)) /* statement 145 */
        return hoya_error_set(HOYA_EBUSY, "%s reads this stream already", hoya_task_get_name(stream->reader->task));
    hoya_input_end_loan(stream);
    hoya_stream_stay(stream);
    *task = here;
    return 0;
}

/* The same, of one that takes the rest of a line as it is. */
static int begin_raw(hoya_stream *stream, hoya_task **task)
{
    int rc = begin(stream, task);
    if (hoya_likely(rc >= 0)) stream->skipping = false;
    return rc;
}

static void describe(const hoya_task *task, char *text, size_t size)
{
    const hoya_stream *stream = task->body->waits_for;
    char peer[HOYA_ADDRESS_TEXT_SIZE] = "somebody";
    hoya_address address;
    if (hoya_is_pipe(stream->transport)) {
        snprintf(text, size, "reads from the pipe of descriptor %d", hoya_transport_fileno(stream->transport));
        return;
    }
    if (hoya_transport_get_peername(stream->transport, &address) >= 0)
        hoya_address_format((const struct sockaddr *)&address.storage, address.length, peer, sizeof peer);
    snprintf(text, size, "reads from %s", peer);
}

/* Until there is what the reading wants, or no more comes: 0. Or why that could not be waited for. */
static int wait(hoya_stream *stream, hoya_task *task, hoya_reading *reading)
{
    int rc = hoya_task_interrupted(task);
    if (rc < 0) return rc;
    if (hoya_unlikely(stream->reading_paused)) { /* there is less than is wanted: so there is room */
        rc = hoya_transport_resume_reading(stream->transport);
        if (rc < 0) return rc;
        stream->reading_paused = false;
    }
    hoya_input_rest(stream, !reading->memory);
    reading->task = task;
    reading->body = task->body;
    stream->reader = reading;
    while (!reading->done && rc == 0) {
        hoya_task_suspend(task, describe, stream);
        if (!reading->done) rc = hoya_task_interrupted(task);
    }
    stream->reader = NULL;
    return rc;
}

static bool no_more_comes(const hoya_stream *stream)
{
    int code;
    return stream->at_eof || hoya_stream_has_ended(stream, &code);
}

/* The same; then 0 at the other side's end, or the code. */
static bool is_over(const hoya_stream *stream, int *rc)
{
    int code;
    *rc = 0;
    if (stream->at_eof) {
        if (hoya_unlikely(stream->transport->writes_pipe))
            *rc = hoya_error_set(HOYA_ENOTSUP, "nothing can be read from a write pipe");
        return true;
    }
    if (hoya_likely(!hoya_stream_has_ended(stream, &code))) return false;
    *rc = hoya_stream_say_ended(code);
    return true;
}

/* Until so many bytes are buffered: 1. Or 0 or a code: fewer are, and no more come, or it may not wait. */
static int buffer(hoya_stream *stream, hoya_task *task, size_t least)
{
    int rc;
    while (hoya_input_size(stream) < least) {
        if (is_over(stream, &rc)) return rc;
        hoya_reading reading = {.least = least};
        rc = wait(stream, task, &reading);
        if (rc < 0) return rc;
    }
    return 1;
}

static size_t take(hoya_stream *stream, void *memory, size_t size)
{
    size_t count = hoya_input_size(stream);
    if (count > size) count = size;
    if (count) memcpy(memory, stream->memory + stream->begin, count);
    hoya_input_take(stream, count);
    return count;
}

/* ---- bytes ------------------------------------------------------------------------------------------------- */

/* Nothing is buffered. */
static ssize_t read_next(hoya_stream *stream, hoya_task *task, void *memory, size_t size)
{
    int rc;
    if (is_over(stream, &rc)) return rc;
    hoya_reading reading = {.least = 1, .memory = memory, .room = size};
    if (size < BIG) reading.memory = NULL, reading.room = 0;
    rc = wait(stream, task, &reading);
    if (hoya_likely(reading.filled)) return (ssize_t)reading.filled; /* also where it was interrupted as it came */
    if (rc < 0) return rc;
    size_t count = take(stream, memory, size);
    if (!count) is_over(stream, &rc);
    return count ? (ssize_t)count : rc;
}

static ssize_t read_some(hoya_stream *stream, hoya_task *task, void *memory, size_t size)
{
    if (hoya_unlikely(!memory || !size)) return hoya_error_set(HOYA_EINVAL, "read into no memory");
    if (hoya_unlikely(size > SSIZE_MAX)) size = SSIZE_MAX;
    if (!hoya_input_size(stream)) return read_next(stream, task, memory, size);
    size_t count = take(stream, memory, size);
    hoya_task_spend(task);
    return (ssize_t)count;
}

ssize_t hoya_stream_read(hoya_stream *stream, void *memory, size_t size)
{
    hoya_task *task;
    int rc = begin_raw(stream, &task);
    if (hoya_unlikely(rc < 0)) return rc;
    ssize_t count = read_some(stream, task, memory, size);
    hoya_stream_leave(stream);
    return count;
}

/* 1: all of them. What fits into the buffer is taken in one piece, or not at all, while more may come. What is more
 * goes past it. */
static int read_all(hoya_stream *stream, hoya_task *task, char *memory, size_t size, size_t *count)
{
    int rc;
    if (size && !memory) return hoya_error_set(HOYA_EINVAL, "read into no memory");
    if (hoya_input_size(stream) >= size) {
        *count = take(stream, memory, size);
        hoya_task_spend(task);
        return 1;
    }
    if (size < BIG && size <= stream->limit) {
        rc = buffer(stream, task, size);
        if (rc >= 0 || no_more_comes(stream)) *count = take(stream, memory, size);
        return rc;
    }
    rc = no_more_comes(stream) ? 0 : hoya_task_interrupted(task);
    if (rc < 0) return rc;
    *count = take(stream, memory, size);
    while (*count < size) {
        if (is_over(stream, &rc)) return rc;
        hoya_reading reading = {.least = size - *count, .memory = memory + *count, .room = size - *count};
        rc = wait(stream, task, &reading);
        *count += reading.filled;
        if (rc < 0) return rc;
    }
    return 1;
}

int hoya_stream_readexactly(hoya_stream *stream, void *memory, size_t size, size_t *out)
{
    hoya_task *task;
    size_t count = 0;
    int rc = begin_raw(stream, &task);
    if (rc >= 0) {
        rc = read_all(stream, task, memory, size, &count);
        hoya_stream_leave(stream);
    }
    if (out) *out = count;
    if (rc == 0) return hoya_error_set(HOYA_EEOF, "the other side has sent %zu bytes of %zu", count, size);
    return rc < 0 ? rc : 0;
}

/* ---- in place ---------------------------------------------------------------------------------------------- */

static const void *lend(hoya_stream *stream)
{
    stream->lent = stream->memory;
    return stream->memory ? stream->memory + stream->begin : "";
}

/* A call that gives something in place ends: nobody may look at it if this one was the last to keep the stream. */
static ssize_t leave_lent(hoya_stream *stream, ssize_t size)
{
    if (hoya_unlikely(size >= 0 && !stream->refs))
        size = hoya_error_set(HOYA_ECLOSED, "the stream was given up by all others while this task waited");
    hoya_stream_leave(stream);
    return size;
}

static ssize_t peek(hoya_stream *stream, hoya_task *task, size_t least, const void **data)
{
    int rc = 0;
    if (!data) return hoya_error_set(HOYA_EINVAL, "peek without a place for the data");
    if (least > stream->limit)
        return hoya_error_set(HOYA_ELIMIT, "%zu bytes are more than the limit, %zu", least, stream->limit);
    if (hoya_input_size(stream) >= least) hoya_task_spend(task);
    else rc = buffer(stream, task, least);
    size_t size = hoya_input_size(stream);
    if (rc < 0 && (!size || !no_more_comes(stream))) return rc;
    *data = lend(stream);
    return (ssize_t)size;
}

ssize_t hoya_stream_peek(hoya_stream *stream, size_t least, const void **data)
{
    hoya_task *task;
    int rc = begin_raw(stream, &task);
    return rc < 0 ? rc : leave_lent(stream, peek(stream, task, least, data));
}

int hoya_stream_consume(hoya_stream *stream, size_t count)
{
    int rc = hoya_sync_enter(stream ? &stream->sync : NULL);
    if (rc < 0) return rc;
    if (stream->reader)
        return hoya_error_set(HOYA_EBUSY, "%s reads this stream", hoya_task_get_name(stream->reader->task));
    if (count > hoya_input_size(stream))
        return hoya_error_set(HOYA_EINVAL, "%zu bytes are buffered, and %zu were read", hoya_input_size(stream),
                              count);
    hoya_input_take(stream, count);
    return 0;
}

/* How far it is to the end of the first separator, or 0: there is none so far, nor before *looked, which moves on. */
static size_t find(const hoya_stream *stream, const void *separator, size_t length, size_t *looked)
{
    size_t size = hoya_input_size(stream);
    if (size < length) return 0;
    const char *start = stream->memory + stream->begin;
    const char *found = memmem(start + *looked, size - *looked, separator, length);
    *looked = size - length + 1;
    return found ? (size_t)(found - start) + length : 0;
}

/* Bytes to the end of the separator; or 0, a code: there is none, and no more comes. */
static ssize_t seek(hoya_stream *stream, hoya_task *task, const void *separator, size_t length)
{
    size_t looked = 0, end = find(stream, separator, length, &looked);
    if (end) hoya_task_spend(task);
    while (!end && looked <= stream->limit) {
        int rc = buffer(stream, task, hoya_input_size(stream) + 1);
        if (rc <= 0) return rc;
        end = find(stream, separator, length, &looked);
    }
    size_t before = end ? end - length : looked;
    if (before > stream->limit)
        return hoya_error_set(HOYA_ELIMIT, "more than %zu bytes before the separator", stream->limit);
    return (ssize_t)end;
}

static const void *lend_some(hoya_stream *stream, size_t size)
{
    const void *data = lend(stream);
    hoya_input_take(stream, size);
    return data;
}

static ssize_t read_until(hoya_stream *stream, hoya_task *task, const void *separator, size_t length,
                          const void **data)
{
    if (!separator || !length || !data)
        return hoya_error_set(HOYA_EINVAL, "readuntil without a separator, or a place for the data");
    if (length > stream->limit)
        return hoya_error_set(HOYA_EINVAL, "a separator of %zu bytes, over the limit of %zu", length,
                              stream->limit);
    ssize_t size = seek(stream, task, separator, length);
    if (size == 0)
        return hoya_error_set(HOYA_EEOF, "the other side has sent %zu bytes, and no separator",
                              hoya_input_size(stream));
    if (size > 0) *data = lend_some(stream, (size_t)size);
    return size;
}

ssize_t hoya_stream_readuntil(hoya_stream *stream, const void *separator, size_t length, const void **data)
{
    hoya_task *task;
    int rc = begin_raw(stream, &task);
    return rc < 0 ? rc : leave_lent(stream, read_until(stream, task, separator, length, data));
}

/* Of a line that was too long: what is there of it goes. */
static void skip(hoya_stream *stream)
{
    size_t looked = 0, end = find(stream, "\n", 1, &looked);
    hoya_input_take(stream, end ? end : hoya_input_size(stream));
    stream->skipping = !end;
}

/* 1: it is behind us. */
static int skip_rest(hoya_stream *stream, hoya_task *task)
{
    int rc = 1;
    while (stream->skipping && (rc = buffer(stream, task, 1)) > 0) skip(stream);
    return rc;
}

static ssize_t read_line(hoya_stream *stream, hoya_task *task, const char **line)
{
    if (!line) return hoya_error_set(HOYA_EINVAL, "readline without a place for the line");
    int rc = skip_rest(stream, task);
    if (rc == 0) *line = "";
    if (rc <= 0) return rc;
    ssize_t size = seek(stream, task, "\n", 1);
    if (size == HOYA_ELIMIT) skip(stream);                  /* statement 146 */
    if (size == 0) size = (ssize_t)hoya_input_size(stream); /* the last one */
    if (size >= 0) *line = lend_some(stream, (size_t)size);
    return size;
}

ssize_t hoya_stream_readline(hoya_stream *stream, const char **line)
{
    hoya_task *task;
    int rc = begin(stream, &task);
    return rc < 0 ? rc : leave_lent(stream, read_line(stream, task, line));
}

int hoya_stream_at_eof(const hoya_stream *stream)
{
    int code;
    bool over = stream && (stream->at_eof || hoya_stream_has_ended(stream, &code));
    return over && !hoya_input_size(stream);
}
