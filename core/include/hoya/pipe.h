/* SPDX-License-Identifier: MIT
 *
 * hoya/pipe.h: pipes, FIFOs, terminals, and files to which a standard descriptor was redirected, as transports with a protocol,
 * like connections (hoya/transport.h). PEP 3156, "Pipes". docs/net.md is the guide.
 *
 * A read pipe hears connection_made, what comes in, eof_received, whose answer is ignored, connection_lost(0). The other side of a
 * terminal that has been closed is the end as well. Whoever writes to a read pipe is told HOYA_ENOTSUP.
 *
 * A write pipe never hears of bytes. That nobody reads any more is noticed without a write: connection_lost is told
 * HOYA_EPIPE if something waited, else 0; who writes later is told HOYA_EPIPE in any case. (Not of terminals; and
 * not of a socket into which the other side writes: there it shows at the next write.) hoya_transport_write_eof is
 * hoya_transport_close. No SIGPIPE comes, whatever the program does with that signal.
 *
 * What: FIFOs, pipes, connected stream sockets, character devices, regular files. Whatever the system cannot wait for (regular
 * files, /dev/null) is read and written by jobs of the loop's default executor, one at a time, in order, by up to 64 KiB: the
 * protocol sees no difference. What has been read ahead when a transport is closed is lost to others who read the same open
 * file. A job that runs then goes on to its end, and nobody hears of it.
 *
 * The descriptor is made NONBLOCK, and CLOEXEC unless it is 0, 1 or 2: those stay as they came, so that children have a standard
 * input and output. It is the transport's to close; on failure it is the caller's, as it was. O_NONBLOCK is
 * not a property of the descriptor: whoever shares the open file has it too, which are the shell and all other descriptors of a terminal.
 * So a terminal is opened once more, and the new file takes the descriptor's number; everybody else's stays as it is. (A lock by
 * flock belongs to the old file, and is no longer had by that number.) Where that cannot be (the master of a pseudo-terminal, another user's terminal), and for pipes, the flag is set, and taken back when the transport
 * ends: so end it, or close the loop, before the program exits. Regular files do not need it.
 *
 * Both directions of a terminal, or of a socket: one descriptor for the read pipe and a dup of it for the write pipe, in the same
 * loop (which takes the flag back after both).
 *
 * Thread: the loop's, for everything here: elsewhere HOYA_ETHREAD. Protocols: who gives one gives it away, always, as
 * hoya/net.h says.
 */
#ifndef HOYA_PIPE_H
#define HOYA_PIPE_H

#include <hoya/base.h>
#include <hoya/loop.h>
#include <hoya/transport.h>

HOYA_BEGIN_DECLS

/* All zero but the size (or NULL instead of the struct) means the defaults. */
typedef struct hoya_pipe_options {
    size_t size;                              /* sizeof(hoya_pipe_options) */
    size_t write_high, write_low, write_hard; /* as hoya_transport_set_write_buffer_limits, but 0 is the default */
} hoya_pipe_options;

/* Reads from `fd`, or writes to it. *transport (may be NULL) is a new reference; connection_made comes in the next round.
 * Errors: HOYA_EINVAL (a directory, a block device, a socket that is no stream, or no file at all, like an epoll descriptor;
 * options or a protocol that cannot be), HOYA_EBADF (not open, or not in that direction), HOYA_ENOTCONN, HOYA_EBUSY (it is
 * watched), HOYA_ECLOSED, HOYA_ENOMEM, HOYA_EMFILE. Origin: loop.connect_read_pipe, loop.connect_write_pipe, which
 * refuse regular files. */
HOYA_API int hoya_connect_read_pipe(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol,
                                    const hoya_pipe_options *options, hoya_transport **transport);
HOYA_API int hoya_connect_write_pipe(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol,
                                     const hoya_pipe_options *options, hoya_transport **transport);

HOYA_END_DECLS

#endif
