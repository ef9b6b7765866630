/* SPDX-License-Identifier: MIT
 *
 * stream/stream.c: a stream's life, and what its connection tells it: each of that wakes the tasks that wait for it, and
 * does nothing else. Nothing here runs a function of the program's; but who waits for bytes goes on with them at the end of
 * the turn of the loop in which his connection was read, before whatever was queued behind that (hoya_channel_after). In
 * debug mode he has a turn of his own, at the end of the queue, as all others have always.
 */
#include "stream/stream.h"

#include "base/alloc.h"
#include "base/options.h"

#define LIMIT (64 * 1024)

static hoya_stream *of(void *arg)
{
    return arg;
}

/* ---- life ------------------------------------------------------------------------------------------------- */

int hoya_stream_options_read(hoya_stream_options *options, const hoya_stream_options *given)
{
    if (!hoya_options_read(options, sizeof *options, given))
        return hoya_error_set(HOYA_EINVAL, "stream options that this version does not know");
    if (!options->limit) options->limit = LIMIT;
    if (options->limit > SIZE_MAX / 16)
        return hoya_error_set(HOYA_EINVAL, "a stream with a limit of %zu bytes", options->limit);
    return 0;
}

int hoya_stream_new(hoya_loop *loop, size_t limit, hoya_stream **out)
{
    int rc;
    hoya_stream *stream = hoya_sync_new(loop, NULL, sizeof *stream, &rc);
    if (!stream) return rc;
    stream->refs = 1;
    stream->served = true;
    stream->limit = limit;
    hoya_list_init(&stream->writers);
    hoya_list_init(&stream->closers);
    *out = stream;
    return 0;
}

hoya_stream *hoya_stream_ref(hoya_stream *stream)
{
    hoya_check(stream->refs > 0, "a stream was used after its last unref");
    stream->refs++;
    return stream;
}

void hoya_stream_unref(hoya_stream *stream)
{
    if (!stream) return;
    hoya_check(stream->refs > 0, "a stream was unreferenced once too often");
    if (--stream->refs) return;
    /* The protocol is not released in there: it has the stream still. */
    int rc = stream->transport ? hoya_transport_close(stream->transport) : 0;
    if (!stream->sync.inside) hoya_stream_let_go(stream);
    else if (rc >= 0) hoya_stream_wake_users(stream);
}

void hoya_stream_let_go(hoya_stream *stream)
{
    hoya_transport *transport = stream->transport;
    stream->transport = NULL;
    hoya_input_free(stream);
    hoya_transport_unref(transport);
    if (!stream->served) hoya_sync_free(&stream->sync);
}

hoya_transport *hoya_stream_get_transport(const hoya_stream *stream)
{
    return stream->transport;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

/* The connection may know of its end before it says so. */
bool hoya_stream_has_ended(const hoya_stream *stream, int *code)
{
    const hoya_transport *transport = stream->transport;
    *code = stream->lost ? stream->code : transport->lost_due ? transport->code : 0;
    return stream->lost || transport->closing;
}

int hoya_stream_say_ended(int code)
{
    if (code < 0 && code != HOYA_ECLOSED)
        return hoya_error_set(code, "the connection has ended: %s", hoya_strerror(code));
    return hoya_error_set(HOYA_ECLOSED, "the connection was closed");
}

/* ---- what the connection tells ------------------------------------------------------------------------------ */

/* At the loop's close everybody is woken anyway. */
static void wake(const hoya_stream *stream, hoya_reading *reader)
{
    reader->done = true;
    if (!hoya_loop_is_closed(stream->sync.loop)) hoya_task_wake(reader->task);
}

/* If nothing else has woken it meanwhile. */
static void go_on(void *arg)
{
    hoya_task *task = arg;
    if (task->wanted && !task->queued) hoya_task_step(task);
    hoya_task_unref(task);
}

/* What it waits for has come. It goes on in this turn of its connection, as a protocol would: what it is about to send
 * goes by memory of the system's that was just used. In debug mode it has a turn of its own, with its name. */
static void wake_at_once(const hoya_stream *stream, hoya_reading *reader)
{
    hoya_task *task = reader->task;
    if (hoya_unlikely(hoya_loop_debugs(stream->sync.loop)) || task->queued) {
        wake(stream, reader);
        return;
    }
    reader->done = true;
    hoya_task_ref(task);
    hoya_channel_after(stream->sync.loop, go_on, task);
}

static void wake_reader(const hoya_stream *stream)
{
    if (stream->reader) wake(stream, stream->reader);
}

void hoya_stream_wake_users(hoya_stream *stream)
{
    wake_reader(stream);
    hoya_serve_all(&stream->writers, 0);
}

static int on_made(hoya_transport *transport, void *arg)
{
    hoya_stream *stream = of(arg);
    if (!stream->refs)
        return hoya_transport_close(transport); /* who wanted it was cancelled, or is through already */
    if (!stream->transport) stream->transport = hoya_transport_ref(transport);
    transport->channel.hints = true;
    bool arriving = stream->arriving;
    stream->arriving = false;
    return arriving ? hoya_service_admit(stream) : 0;
}

/* Who waits for bytes: they go by his stack. */
static const void *hint(const void *arg)
{
    return ((const hoya_stream *)arg)->reader;
}

/* What a reader's memory has room for goes there; but not ahead of what is buffered. */
static int on_get_buffer(hoya_transport *transport, size_t hint, void **buffer, size_t *size, void *arg)
{
    (void)transport, (void)hint;
    hoya_stream *stream = of(arg);
    hoya_reading *reader = stream->reader;
    if (hoya_likely(reader)) hoya_task_fetch(reader->task, reader->body, reader);
    if (hoya_likely(reader && reader->filled < reader->room && !hoya_input_size(stream))) {
        *buffer = reader->memory + reader->filled;
        __builtin_prefetch(reader->memory + reader->filled);
        *size = reader->room - reader->filled;
        return 0;
    }
    char *memory;
    int rc = hoya_input_room(stream, &memory, size);
    if (rc >= 0) *buffer = memory;
    return rc;
}

/* The same question has the same answer. */
static int on_updated(hoya_transport *transport, size_t count, void *arg)
{
    (void)transport;
    hoya_stream *stream = of(arg);
    hoya_reading *reader = stream->reader;
    if (hoya_likely(reader && reader->filled < reader->room && !hoya_input_size(stream))) reader->filled += count;
    else hoya_input_add(stream, count);
    if (!reader || reader->done) return 0;
    if ((reader->memory ? reader->filled : hoya_input_size(stream)) >= reader->least) wake_at_once(stream, reader);
    return 0;
}

/* The other direction goes on. */
static int on_eof(hoya_transport *transport, void *arg)
{
    (void)transport;
    hoya_stream *stream = of(arg);
    stream->at_eof = true;
    wake_reader(stream);
    return 1;
}

static int on_pause(hoya_transport *transport, void *arg)
{
    (void)transport;
    of(arg)->writing_paused = true;
    return 0;
}

static int on_resume(hoya_transport *transport, void *arg)
{
    (void)transport;
    of(arg)->writing_paused = false;
    hoya_serve_all(&of(arg)->writers, 0);
    return 0;
}

static void lose(hoya_stream *stream, int code)
{
    if (stream->lost) return;
    stream->lost = true;
    stream->code = code;
    hoya_stream_wake_users(stream);
    hoya_serve_all(&stream->closers, 0);
}

/* What was written and is dropped is told, though nobody but this program is to blame. */
static void on_lost(hoya_transport *transport, int code, void *arg)
{
    lose(of(arg), code == 0 && transport->cut ? HOYA_ECLOSED : code);
}

/* The loop may have been closed, or there never was a connection. */
static void on_released(void *arg)
{
    hoya_stream *stream = of(arg);
    lose(stream, 0);
    stream->served = false;
    if (stream->arriving) hoya_service_dismiss(stream);
    else if (!stream->refs && !stream->sync.inside) hoya_sync_free(&stream->sync);
}

const hoya_hinting_ops hoya_stream_protocol = {.ops = {.size = sizeof(hoya_protocol_ops),
                                                       .connection_made = on_made,
                                                       .get_buffer = on_get_buffer,
                                                       .buffer_updated = on_updated,
                                                       .eof_received = on_eof,
                                                       .pause_writing = on_pause,
                                                       .resume_writing = on_resume,
                                                       .connection_lost = on_lost,
                                                       .released = on_released},
                                               .hint = hint};
