/* SPDX-License-Identifier: MIT
 *
 * stream/writer.c: what tasks write to a stream, and its end.
 *
 * A write waits first and writes then, so that it is done, or has done nothing. Who waits stands in a line, which the
 * connection serves when writing goes on, or when it has ended.
 */
#include <stdio.h>

#include "base/clock.h"
#include "stream/stream.h"

static void describe(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    const hoya_stream *stream = (const hoya_stream *)place->sync;
    size_t left = stream->transport ? hoya_transport_get_write_buffer_size(stream->transport) : 0;
    snprintf(text, size, "waits until %zu bytes are written", left);
}

/* A call that may wait begins: 0, and it has to end with hoya_stream_leave. */
static int begin(hoya_stream *stream, hoya_task **task)
{
    *task = hoya_sync_task_at_once(stream ? &stream->sync : NULL);
    if (hoya_unlikely(!*task)) {
        int rc = hoya_sync_task(stream ? &stream->sync : NULL, task);
        if (rc < 0) return rc;
    }
    hoya_stream_stay(stream);
    return 0;
}

static int leave(hoya_stream *stream, int rc)
{
    hoya_stream_leave(stream);
    return rc;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* Until writing goes on, or the connection has ended. */
static int wait_for_room(hoya_stream *stream, hoya_task *task)
{
    int code, rc = 0;
    while (stream->writing_paused && !hoya_stream_has_ended(stream, &code) && rc >= 0) {
        hoya_place place = {0};
        rc = hoya_wait_in_line(task, &stream->sync, &stream->writers, &place, describe);
    }
    return rc;
}

static void spend(hoya_task *task, size_t bytes)
{
    hoya_task_spend_bytes(task, bytes);
    hoya_task_spend(task);
}

int hoya_stream_write(hoya_stream *stream, const void *data, size_t size)
{
    hoya_task *task;
    int rc = begin(stream, &task);
    if (hoya_unlikely(rc < 0)) return rc;
    if (hoya_unlikely(stream->writing_paused)) rc = wait_for_room(stream, task);
    if (hoya_likely(rc >= 0)) {
        rc = hoya_transport_write(stream->transport, data, size);
        spend(task, size);
    }
    return leave(stream, rc);
}

static size_t size_of(const struct iovec *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) size += parts[i].iov_len;
    return size;
}

int hoya_stream_writelines(hoya_stream *stream, const struct iovec *parts, size_t count)
{
    hoya_task *task;
    int rc = begin(stream, &task);
    if (rc < 0) return rc;
    if (stream->writing_paused) rc = wait_for_room(stream, task);
    if (rc >= 0 && count && !parts) rc = hoya_error_set(HOYA_EINVAL, "writelines without lines");
    if (rc >= 0) {
        rc = hoya_transport_writelines(stream->transport, parts, count);
        spend(task, size_of(parts, count));
    }
    return leave(stream, rc);
}

/* Statement 147. */
static int drain(hoya_stream *stream, hoya_task *task)
{
    int code, rc = 0;
    if (hoya_unlikely(stream->transport->reads_pipe)) return hoya_transport_enter_write(stream->transport);
    if (stream->writing_paused) rc = wait_for_room(stream, task);
    else if (!stream->lost && hoya_stream_has_ended(stream, &code)) rc = hoya_sleep(0);
    else hoya_task_spend(task);
    if (rc < 0) return rc;
    if (!hoya_stream_has_ended(stream, &code)) return 0;
    return hoya_stream_say_ended(code == 0 && stream->transport->hung_up ? HOYA_EPIPE : code);
}

int hoya_stream_drain(hoya_stream *stream)
{
    hoya_task *task;
    int rc = begin(stream, &task);
    return rc < 0 ? rc : leave(stream, drain(stream, task));
}

int hoya_stream_write_eof(hoya_stream *stream)
{
    int rc = hoya_sync_enter(stream ? &stream->sync : NULL);
    return rc < 0 ? rc : hoya_transport_write_eof(stream->transport);
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

/* The time is up, where due timers are looked for. */
static void on_time(void *arg)
{
    hoya_place *place = arg;
    if (place->served) return;
    hoya_list_remove(&place->of_line);
    place->served = true;
    place->result = HOYA_ETIMEDOUT;
    if (!place->task->queued) hoya_task_queue(place->task);
}

/* Until it has: what it ended with, or why that could not be waited for. */
static int wait_for_end(hoya_stream *stream, hoya_task *task, int64_t timeout)
{
    int rc = 0;
    if (stream->lost) hoya_task_spend(task);
    else {
        hoya_place place = {0};
        hoya_handle alarm = {0};
        hoya_loop *loop = stream->sync.loop;
        int64_t end = timeout == HOYA_NEVER ? HOYA_NEVER : hoya_time_add(hoya_loop_time(loop), timeout);
        if (end != HOYA_NEVER) rc = hoya_alarm_set(loop, &alarm, end, on_time, &place, NULL);
        if (rc < 0) return rc;
        rc = hoya_wait_in_line(task, &stream->sync, &stream->closers, &place, describe);
        if (end != HOYA_NEVER) hoya_alarm_clear(&alarm);
    }
    if (rc < 0) return rc;
    if (stream->code == HOYA_ECLOSED)
        return hoya_error_set(HOYA_ECLOSED, "the connection was aborted before all that was written had gone out");
    return stream->code < 0 ? hoya_stream_say_ended(stream->code) : 0;
}

static int end(hoya_stream *stream, int (*how)(hoya_transport *transport))
{
    int rc = hoya_sync_enter(stream ? &stream->sync : NULL);
    if (rc >= 0) rc = how(stream->transport);
    if (rc < 0) return rc;
    hoya_stream_wake_users(stream);
    return 0;
}

static int close_in_time(hoya_stream *stream, hoya_task *task, int64_t timeout)
{
    int rc = end(stream, hoya_transport_close);
    if (rc < 0) return rc;
    rc = wait_for_end(stream, task, timeout);
    if (rc != HOYA_ETIMEDOUT) return rc;
    /* It has ended meanwhile, or that is only to be told. */
    if (stream->lost || stream->transport->lost_due) return wait_for_end(stream, task, HOYA_NEVER);
    hoya_transport_abort(stream->transport);
    return hoya_error_set(HOYA_ETIMEDOUT, "not all that was written went out in time: the connection is aborted");
}

int hoya_stream_close(hoya_stream *stream, int64_t timeout)
{
    hoya_task *task;
    if (timeout == HOYA_NOW) return end(stream, hoya_transport_close);
    int rc = begin(stream, &task);
    return rc < 0 ? rc : leave(stream, close_in_time(stream, task, timeout));
}

int hoya_stream_wait_closed(hoya_stream *stream)
{
    hoya_task *task;
    int rc = begin(stream, &task);
    return rc < 0 ? rc : leave(stream, wait_for_end(stream, task, HOYA_NEVER));
}

int hoya_stream_abort(hoya_stream *stream)
{
    return end(stream, hoya_transport_abort);
}

int hoya_stream_is_closing(const hoya_stream *stream)
{
    int code;
    return stream && hoya_stream_has_ended(stream, &code);
}
