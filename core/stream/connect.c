/* SPDX-License-Identifier: MIT
 *
 * stream/connect.c: streams of connections that a task makes, and of pipes.
 *
 * The stream is the protocol of its connection from the beginning. Where there is none in the end, the protocol is released,
 * maybe some rounds after the task has given up; so that the stream outlives this, and goes by itself.
 */
#include <hoya/pipe.h>

#include "future/future.h"
#include "stream/stream.h"

static hoya_protocol protocol_of(hoya_stream *stream)
{
    return (hoya_protocol){&hoya_stream_protocol.ops, stream};
}

/* In a task: a stream without a connection. */
static int begin(const hoya_stream_options *given, hoya_stream **out, hoya_stream_options *options,
                 hoya_stream **stream)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0 && !out) rc = hoya_error_set(HOYA_EINVAL, "a connection without a place for its stream");
    if (rc >= 0) rc = hoya_stream_options_read(options, given);
    return rc < 0 ? rc : hoya_stream_new(task->future.loop, options->limit, stream);
}

/* `rc` is what became of the call that makes the connection; `future` has it. */
static int finish(int rc, hoya_future *future, hoya_stream *stream, hoya_stream **out)
{
    void *transport;
    if (rc >= 0) {
        rc = hoya_await(future, &transport);
        hoya_future_unref(future);
    }
    if (rc < 0) hoya_stream_unref(stream);
    else *out = stream;
    return rc;
}

int hoya_open_connection(const char *host, const char *port, const hoya_stream_options *given, hoya_stream **out)
{
    hoya_stream_options options;
    hoya_stream *stream;
    hoya_future *future = NULL;
    int rc = begin(given, out, &options, &stream);
    if (rc < 0) return rc;
    rc = hoya_create_connection(stream->sync.loop, host, port, protocol_of(stream), options.connection, &future);
    return finish(rc, future, stream, out);
}

int hoya_open_unix_connection(const char *path, const hoya_stream_options *given, hoya_stream **out)
{
    hoya_stream_options options;
    hoya_stream *stream;
    hoya_future *future = NULL;
    int rc = begin(given, out, &options, &stream);
    if (rc < 0) return rc;
    rc = hoya_create_unix_connection(stream->sync.loop, path, protocol_of(stream), options.connection, &future);
    return finish(rc, future, stream, out);
}

typedef int (*connect_pipe)(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol, const hoya_pipe_options *options,
                            hoya_transport **transport);

static int open_pipe(connect_pipe connect, hoya_fd fd, const hoya_stream_options *given, hoya_stream **out)
{
    hoya_stream_options options;
    hoya_stream *stream;
    int rc = begin(given, out, &options, &stream);
    if (rc < 0) return rc;
    rc = connect(stream->sync.loop, fd, protocol_of(stream), NULL, &stream->transport);
    if (rc < 0) {
        hoya_stream_unref(stream);
        return rc;
    }
    stream->at_eof = stream->transport->at_eof;
    *out = stream;
    return 0;
}

int hoya_open_read_pipe(hoya_fd fd, const hoya_stream_options *options, hoya_stream **stream)
{
    return open_pipe(hoya_connect_read_pipe, fd, options, stream);
}

int hoya_open_write_pipe(hoya_fd fd, const hoya_stream_options *options, hoya_stream **stream)
{
    return open_pipe(hoya_connect_write_pipe, fd, options, stream);
}

int hoya_open_connection_on_socket(hoya_fd fd, const hoya_stream_options *given, hoya_stream **out)
{
    hoya_stream_options options;
    hoya_stream *stream;
    int rc = begin(given, out, &options, &stream);
    if (rc < 0) return rc;
    const hoya_transport_options *transport = options.connection ? options.connection->transport : NULL;
    rc = hoya_connect_accepted_socket(stream->sync.loop, fd, protocol_of(stream), transport, &stream->transport);
    if (rc < 0) hoya_stream_unref(stream);
    else *out = stream;
    return rc;
}
