/* SPDX-License-Identifier: MIT
 *
 * hoya/stream.h: connections, and pipes, for tasks: sequential code that reads and writes without callbacks, and
 * without blocking its thread. asyncio's streams; docs/streams.md is the guide.
 *
 *     static int greet(hoya_task *self, void *arg)
 *     {
 *         hoya_stream *stream;
 *         const char *line;
 *         int rc = hoya_open_connection("localhost", "7000", NULL, &stream);
 *         if (rc < 0) return rc;
 *         rc = hoya_stream_write(stream, "hello\n", 6);
 *         ssize_t n = rc < 0 ? rc : hoya_stream_readline(stream, &line);
 *         if (n > 0) printf("%.*s", (int)n, line);
 *         rc = hoya_stream_close(stream, HOYA_SEC(5));
 *         hoya_stream_unref(stream);
 *         return n < 0 ? (int)n : rc;
 *     }
 *
 * A stream is reader and writer of one connection. One task reads at a time (HOYA_EBUSY), any number may write:
 * what each call writes stays together; which of those that wait goes first nobody promises. A function marked
 * "waits" is for tasks of the stream's loop (HOYA_ESTATE, HOYA_EDEADLK, HOYA_EINVAL: hoya/task.h), and answers
 * HOYA_ECANCELED or HOYA_EDEADLINE where it would have to wait and may not; what came until then is not lost: the
 * next call has it. All else never waits, and is for callbacks, too.
 *
 * The end: what the other side has sent is read to its end, then reads answer 0 (or HOYA_EEOF, of those that want more).
 * Where the connection ended otherwise they give what is buffered first, then the code: HOYA_ECONNRESET, ..., or
 * HOYA_ECLOSED of one that was closed here. Writes answer the code at once. A write that fails (HOYA_EPIPE, HOYA_ECONNRESET:
 * the other side has gone) ends the connection, and what that side had sent last and was not buffered yet is lost to the
 * reader: who expects last words reads before he writes.
 *
 * Order: a task that waits for bytes goes on as soon as they were read, inside the turn of its connection: before callbacks
 * and tasks that were queued behind that. Who waits for anything else, or to write, goes on at the end of the queue; and
 * in debug mode a reader, too, so that each has a turn, and a time, of its own. No program should need that order.
 *
 * Thread: as the loop's, HOYA_ETHREAD elsewhere, HOYA_ECHILD in the child of a fork.
 */
#ifndef HOYA_STREAM_H
#define HOYA_STREAM_H

#include <hoya/base.h>
#include <hoya/group.h>
#include <hoya/net.h>
#include <hoya/task.h>
#include <hoya/transport.h>

HOYA_BEGIN_DECLS

typedef struct hoya_stream hoya_stream;

typedef struct hoya_stream_options {
    size_t size;  /* sizeof(hoya_stream_options) */
    size_t limit; /* the longest line, and half of what is buffered at most, bytes; 0: 64 KiB */
    const hoya_connection_options
        *connection;                   /* of those that connect; or NULL. Of a socket its `transport` counts */
    const hoya_server_options *server; /* of those that serve; or NULL */
} hoya_stream_options;

/* ---- life ---------------------------------------------------------------------------------------------- */

/* Connects, as hoya_create_connection does, and waits for it. *stream is a new reference. A cancel leaves no descriptor
 * behind. Waits. Errors: HOYA_EINVAL (options that cannot be, too), and those of hoya_create_connection. Origin:
 * asyncio.open_connection. */
HOYA_API int hoya_open_connection(const char *host, const char *port, const hoya_stream_options *options,
                                  hoya_stream **stream);
/* To a Unix socket: a path, or "@name". Waits. Origin: asyncio.open_unix_connection. */
HOYA_API int hoya_open_unix_connection(const char *path, const hoya_stream_options *options, hoya_stream **stream);
/* For a stream socket that is connected already, and the stream's to close from here on; on failure it is still the
 * caller's. In a task of the loop that it shall have, at once. Errors: those of hoya_connect_accepted_socket. Origin:
 * open_connection(sock=). */
HOYA_API int hoya_open_connection_on_socket(hoya_fd fd, const hoya_stream_options *options, hoya_stream **stream);

/* Streams of one direction, for what hoya/pipe.h takes: pipes, FIFOs, terminals, sockets, regular files, and so a
 * standard input or output, whatever it was redirected to. In a task of the loop that it shall have, at once. Of
 * the options `limit` counts. The descriptor is the stream's, and treated as hoya/pipe.h says; on failure it is
 * still the caller's, as it was.
 *
 * A read pipe ends by itself when the other side has: reads give what is buffered, then 0; what would write is
 * HOYA_ENOTSUP. Of a write pipe what would read is that, and at_eof is 1; write_eof closes it. When nobody reads at
 * its other end any more writes are HOYA_EPIPE, and close and wait_closed are, if something waited then, or a write
 * was the first to notice. No SIGPIPE comes. Errors: those of hoya_connect_read_pipe. Origin: loop.connect_read_pipe with StreamReaderProtocol,
 * connect_write_pipe with StreamWriter. */
HOYA_API int hoya_open_read_pipe(hoya_fd fd, const hoya_stream_options *options, hoya_stream **stream);
HOYA_API int hoya_open_write_pipe(hoya_fd fd, const hoya_stream_options *options, hoya_stream **stream);

/* The last unref closes the connection, if nobody has: what was written still goes out, what is unread is dropped. It
 * takes NULL. A call that waits keeps the stream until it returns: if the last reference goes meanwhile the connection is
 * closed the same way, and the call answers as after a close: a read into the caller's memory with what is buffered, or
 * HOYA_ECLOSED; what would give data in place HOYA_ECLOSED, for that goes with the stream; a close with how it ended. */
HOYA_API hoya_stream *hoya_stream_ref(hoya_stream *stream);
HOYA_API void hoya_stream_unref(hoya_stream *stream);

/* Its connection, for addresses, limits, the descriptor, credentials; borrowed. Reading it and its protocol stay
 * the stream's. And for hoya_sendfile: until that is done write, writelines and write_eof are HOYA_EBUSY (what
 * waits for room goes on after the file), reads give what is buffered, and wait; a close lets the file go to its
 * end; an abort, or a close whose time is up, cuts it off: HOYA_ECLOSED, of wait_closed, too. Origin:
 * StreamWriter.transport, get_extra_info. */
HOYA_API hoya_transport *hoya_stream_get_transport(const hoya_stream *stream);

/* ---- reading ------------------------------------------------------------------------------------------- */

/* Data "in place" lies in the stream's buffer, and stays there, whatever else is waited for, until the next call that reads
 * (all of this section). The buffer has at most twice the limit; when that is full the connection is not read, until
 * half of it is free. It is made when it is needed, and given back by a read that has to wait, if it is more than 4 KiB, or
 * if that read and the one that waited before it went past it. */

/* At least one byte, at most `size`: how many; 0 at the end. Big reads (1 KiB and more) go right into `buffer`, past the
 * stream's. Waits. Errors: HOYA_EBUSY (another task reads), HOYA_EINVAL (no room at all). Origin: StreamReader.read. */
HOYA_API ssize_t hoya_stream_read(hoya_stream *stream, void *buffer, size_t size);

/* All `size` bytes: 0. *count (may be NULL) is how many have come, also if it fails; those are read, and are in `buffer`:
 * after HOYA_EEOF, and after a cancel or a failure on the way, too. What cannot wait from the beginning takes none. Waits.
 * Errors: as read, HOYA_EEOF. Origin: StreamReader.readexactly. */
HOYA_API int hoya_stream_readexactly(hoya_stream *stream, void *buffer, size_t size, size_t *count);

/* Up to the separator, and with it: how many bytes, at *data, in place. HOYA_ELIMIT: there are more than the limit before
 * the separator, or without one; HOYA_EEOF: there is no separator to the end. Both leave all of it to be read otherwise.
 * Waits. Errors: as read, HOYA_EINVAL (no separator, or one longer than the limit). Origin: StreamReader.readuntil. */
HOYA_API ssize_t hoya_stream_readuntil(hoya_stream *stream, const void *separator, size_t length,
                                       const void **data);

/* A line, with its '\n', in place: how many bytes; the last one may be without; 0 at the end. HOYA_ELIMIT drops a line that
 * is longer: what is there of it, and what comes of it if the next read is a readline; the one after it is the next.
 * Waits. Errors: as read. Origin: StreamReader.readline, which gives the rest of such a line as another one. */
HOYA_API ssize_t hoya_stream_readline(hoya_stream *stream, const char **line);

/* The buffer itself. peek waits until at least `least` bytes are there, or no more come: how many there are, at *data, in
 * place; 0 at the end. With `least` 0 it says what is there now, and does not wait. consume has done with so many of them,
 * which stay in place; it may be called several times. Waits. Errors: as read, HOYA_ELIMIT (least is over the limit); of
 * consume HOYA_EINVAL (more than there are). Origin: none. */
HOYA_API ssize_t hoya_stream_peek(hoya_stream *stream, size_t least, const void **data);
HOYA_API int hoya_stream_consume(hoya_stream *stream, size_t count);

/* 1 if all has been read and no more comes. Never waits. Origin: StreamReader.at_eof. */
HOYA_API int hoya_stream_at_eof(const hoya_stream *stream);

/* ---- writing ------------------------------------------------------------------------------------------- */

/* Waits first, while more than the high-water mark is buffered, until that is the low one; then sends what the system takes
 * and buffers a copy of the rest: all of it, or nothing with a failure, as hoya_transport_write. So who was cancelled has
 * written nothing, and a program that writes faster than the other side reads is slowed down by itself. writelines does so
 * for several pieces. Waits. Errors: those of hoya_transport_write. Origin: StreamWriter.write, writelines, with drain. */
HOYA_API int hoya_stream_write(hoya_stream *stream, const void *data, size_t size);
HOYA_API int hoya_stream_writelines(hoya_stream *stream, const struct iovec *parts, size_t count);

/* Waits while writing is held up like that; else, if the connection is closing, for a round, so that its end is seen. Waits.
 * Errors: the code that the connection ended with, or HOYA_ECLOSED. Origin: StreamWriter.drain. */
HOYA_API int hoya_stream_drain(hoya_stream *stream);

/* No more will be written: hoya_transport_write_eof. Origin: StreamWriter.write_eof. */
HOYA_API int hoya_stream_write_eof(hoya_stream *stream);

/* ---- the end ------------------------------------------------------------------------------------------- */

/* Closes the connection: what was written goes out; then waits for its end, which needs no memory. The result is
 * the code that it ended with: 0 only if all went out, HOYA_ECLOSED if somebody else aborted it before. When
 * `timeout` nanoseconds are over it is aborted, HOYA_ETIMEDOUT: 0 leaves it no time, so that what has not gone out
 * yet is dropped; HOYA_NEVER: no limit. HOYA_NOW is something else: it is not waited for at all, what was written
 * still goes out, and the result is 0. Whatever ends the waiting (a cancel), it is closed. "Gone out" is what the
 * system has taken. A read that waits answers HOYA_ECLOSED, once nothing is buffered. Waits, unless HOYA_NOW.
 * Errors: HOYA_ENOMEM (of the timeout: it is closed, and nobody waits). Origin: StreamWriter.close, wait_closed. */
HOYA_API int hoya_stream_close(hoya_stream *stream, int64_t timeout);
/* Waits for the end, which somebody else brings about: the same result, and HOYA_ECLOSED also after a close that
 * has timed out. Waits. Origin: StreamWriter.wait_closed. */
HOYA_API int hoya_stream_wait_closed(hoya_stream *stream);
/* Ends it now, and drops what was not sent. Needs no memory. Origin: StreamWriter.transport.abort. */
HOYA_API int hoya_stream_abort(hoya_stream *stream);
/* 1 from close, abort, or a failure of the connection on. Origin: StreamWriter.is_closing. */
HOYA_API int hoya_stream_is_closing(const hoya_stream *stream);

/* ---- servers ------------------------------------------------------------------------------------------- */

/* What is done for a client, in a task of its own. The stream is borrowed, and closed when the task has ended: what was
 * written still goes out. A failure is reported to the exception handler, unless it is the code with which the connection
 * itself has ended; it does not count for the group, nor does a cancel. Origin: client_connected_cb. */
typedef int (*hoya_client_connected)(hoya_task *self, hoya_stream *stream, void *arg);

/* Serves by a task for each client, in a group: a child of it; or, without one (NULL), detached. The server is a
 * child of the group, too, until it is closed and its last connection has ended, so that leaving the group waits
 * for that; and when the group is cancelled the server is closed. (One of a group's `limit` is the server's own. In
 * a RACE the first client that ends well has won; one that failed has not.) All else as hoya_create_server. *server
 * (may be NULL) is a new reference. Takes `arg`: destroyed after the server and its last client, or in the failing
 * call. Waits. Errors: HOYA_EINVAL (no function; options that cannot be), HOYA_ESTATE (the group ends), and those
 * of hoya_create_server and its future. Origin: asyncio.start_server. */
HOYA_API int hoya_start_server(hoya_group *group, const char *host, const char *port, hoya_client_connected fn,
                               void *arg, hoya_destroy destroy, const hoya_stream_options *options,
                               hoya_server **server);
/* The same as hoya_create_unix_server, and hoya_create_server_on_socket. Origin: asyncio.start_unix_server,
 * start_server(sock=). */
HOYA_API int hoya_start_unix_server(hoya_group *group, const char *path, hoya_client_connected fn, void *arg,
                                    hoya_destroy destroy, const hoya_stream_options *options, hoya_server **server);
HOYA_API int hoya_start_server_on_socket(hoya_group *group, hoya_fd fd, hoya_client_connected fn, void *arg,
                                         hoya_destroy destroy, const hoya_stream_options *options,
                                         hoya_server **server);

HOYA_END_DECLS

#endif
