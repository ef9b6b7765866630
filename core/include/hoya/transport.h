/* SPDX-License-Identifier: MIT
 *
 * hoya/transport.h: connections. A transport moves the bytes of one connection, and a protocol is what the program does with
 * them: a table of functions, and an argument. PEP 3156, "Transports" and "Protocols". docs/net.md is the guide;
 * hoya/net.h makes transports.
 *
 * Life of a protocol's functions: connection_made; then any number of get_buffer with buffer_updated, or data_received; then
 * at most once eof_received; connection_lost; released. All run as callbacks of the loop, never inside a call of the
 * program's, except those marked "runs inline"; none before the one that is on the stack has returned, also where that runs
 * the host's loop (a dialog): the connection waits then, others go on, and what was written goes out. A dialog inside
 * pause_writing or resume_writing holds up the end alone; what comes in may be told, and the latter holds up what goes out.
 *
 * Thread: the loop's, for everything here: elsewhere HOYA_ETHREAD, and HOYA_ECHILD in the child of a fork, from what has
 * codes; what only looks (is_closing, is_reading, can_write_eof, sizes, what is borrowed) does not check. A transport lives
 * until its last unref; the loop has a reference while it is connected, so that nobody else needs one.
 */
#ifndef HOYA_TRANSPORT_H
#define HOYA_TRANSPORT_H

#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>
#include <hoya/resolver.h>
#include <sys/types.h>
#include <sys/uio.h>

HOYA_BEGIN_DECLS

typedef struct hoya_transport hoya_transport;

/* ---- protocols ----------------------------------------------------------------------------------------- */

/* What a program does with a connection. Constant, and apart from the object: `arg` is that. Every member but the size may
 * be NULL, which means what is said in brackets. Those that return an int return 0, or a negative code for "this went wrong":
 * it is reported to the loop's exception handler, and ends the connection with that code where nothing else is said.
 *
 * What comes in goes either through get_buffer and buffer_updated, into memory of the protocol's (BufferedProtocol), or
 * through data_received, in memory of the loop's, which is valid during the call (Protocol). With neither it is dropped. */
typedef struct hoya_protocol_ops {
    size_t size; /* sizeof(hoya_protocol_ops) */

    /* The connection is there; reading begins when this has returned. [nothing] Origin: BaseProtocol.connection_made; there a
     * failure is only reported. */
    int (*connection_made)(hoya_transport *transport, void *arg);

    /* Runs inline. Where the next bytes shall go: *size bytes at *buffer, which stay untouched until buffer_updated. `hint` is
     * how many are sensible. A size of 0 ends the connection, with HOYA_ENOBUFS. Who pauses reading in it is asked again
     * when that is over. Both or neither. Origin:
     * BufferedProtocol.get_buffer, buffer_updated. */
    int (*get_buffer)(hoya_transport *transport, size_t hint, void **buffer, size_t *size, void *arg);
    int (*buffer_updated)(hoya_transport *transport, size_t count, void *arg);

    /* Bytes have come: as many as one read gives, at most 256 KiB. Origin: Protocol.data_received. */
    int (*data_received)(hoya_transport *transport, const void *data, size_t size, void *arg);

    /* The other side will send no more. 1: the connection stays, for writing; 0: it is closed, once all is written. [0]
     * Origin: Protocol.eof_received. */
    int (*eof_received)(hoya_transport *transport, void *arg);

    /* Run inline, in write, set_write_buffer_limits, or where what was written has gone out, or hoya_sendfile ends: more than the
     * high-water mark is buffered; it is the low-water mark again, or less. In turn, pause first, whoever is the connection's protocol
     * then; it may end paused. A failure is reported, and changes nothing. [nothing] Origin: BaseProtocol.pause_writing, resume_writing. */
    int (*pause_writing)(hoya_transport *transport, void *arg);
    int (*resume_writing)(hoya_transport *transport, void *arg);

    /* The end, once: 0 after close, abort, or the other side's end; or the code that ended it. The descriptor is closed when
     * this has returned. What is written here is refused. [nothing] Origin: BaseProtocol.connection_lost. */
    void (*connection_lost)(hoya_transport *transport, int code, void *arg);

    /* Runs inline. The transport has done with the protocol: after connection_lost; when the loop is closed before that; or
     * where there was no connection at all. The destroy function of `arg`. [nothing] Origin: none. */
    void (*released)(void *arg);

    /* Descriptors have come over a Unix socket, CLOEXEC, and are the protocol's from here on, whatever it returns: to be closed.
     * Right before the bytes with which they came; those may have others before them. If not all of them could be had, for want
     * of room in this process, none is told, and the connection ends with HOYA_EMFILE. [The system closes them] Origin: none;
     * SCM_RIGHTS. A table that ends before this member, of an older program, is fine. */
    int (*fds_received)(hoya_transport *transport, const hoya_fd *fds, size_t count, void *arg);
} hoya_protocol_ops;

typedef struct hoya_protocol {
    const hoya_protocol_ops *ops;
    void *arg;
} hoya_protocol;

/* ---- transports ---------------------------------------------------------------------------------------- */

HOYA_API hoya_transport *hoya_transport_ref(hoya_transport *transport);
HOYA_API void hoya_transport_unref(hoya_transport *transport); /* does not close */

HOYA_API hoya_loop *hoya_transport_get_loop(const hoya_transport *transport); /* borrowed */

/* The protocol that is served now; ops is NULL after its release. Origin: BaseTransport.get_protocol. */
HOYA_API hoya_protocol hoya_transport_get_protocol(const hoya_transport *transport);
/* Another one, from the next function on, of either kind. No connection_made is called. The old one is the caller's again: its
 * `released` is not called. On failure so is the new one. Errors: HOYA_ECLOSED (connection_lost has been called), HOYA_EINVAL,
 * HOYA_EBUSY (between get_buffer and buffer_updated). Origin: BaseTransport.set_protocol. */
HOYA_API int hoya_transport_set_protocol(hoya_transport *transport, hoya_protocol protocol);

/* Stops reading now; what is buffered still goes out, then connection_lost(0) comes. 0 as well if it is closing already. Needs
 * no memory. Origin: BaseTransport.close. */
HOYA_API int hoya_transport_close(hoya_transport *transport);
/* The same at once: what is buffered is dropped. Origin: WriteTransport.abort. */
HOYA_API int hoya_transport_abort(hoya_transport *transport);
/* 1 from close, abort, the other side's end or the failure on. Origin: BaseTransport.is_closing. */
HOYA_API int hoya_transport_is_closing(const hoya_transport *transport);

/* ---- reading ------------------------------------------------------------------------------------------- */

/* Both may be called again, from connection_made on; after close they do nothing. What a pause leaves unread stays in the
 * system, and holds up the other side in the end; its end is not noticed meanwhile. Errors of resume: those of
 * hoya_loop_add_reader. Origin: ReadTransport.pause_reading, resume_reading. */
HOYA_API int hoya_transport_pause_reading(hoya_transport *transport);
HOYA_API int hoya_transport_resume_reading(hoya_transport *transport);
HOYA_API int hoya_transport_is_reading(const hoya_transport *transport);

/* ---- writing ------------------------------------------------------------------------------------------- */

/* Never blocks: sends at once what the system takes, and buffers a copy of the rest. 0: all of it was taken. Otherwise
 * nothing was, unless the connection ended of it: the code that it ended with, which connection_lost will be told too.
 * Errors: HOYA_ECLOSED (after close), HOYA_ESTATE (after write_eof), HOYA_ENOBUFS (it would be more than the hard limit;
 * nothing was taken), HOYA_ENOMEM (the same), HOYA_ENOTSUP (a read pipe), HOYA_EPIPE, HOYA_ECONNRESET, ... Origin: WriteTransport.write, which
 * says nothing. */
HOYA_API int hoya_transport_write(hoya_transport *transport, const void *data, size_t size);
/* The same for several pieces, by as few system calls as can be: one takes 1,024. Origin: WriteTransport.writelines. */
HOYA_API int hoya_transport_writelines(hoya_transport *transport, const struct iovec *parts, size_t count);

/* No more will be written: the other side is told when all is sent. 0 also the second time, and after close. can_write_eof
 * is 1 for sockets and write pipes. Of a pipe (hoya/pipe.h) it is the end of all: hoya_transport_close. Errors: HOYA_ENOTSUP (a
 * read pipe). Origin: WriteTransport.write_eof, can_write_eof. */
HOYA_API int hoya_transport_write_eof(hoya_transport *transport);
HOYA_API int hoya_transport_can_write_eof(const hoya_transport *transport);

/* How much may be buffered before the protocol is asked to pause (more than `high` bytes), and when it may go on (at most
 * `low`). HOYA_LIMIT_DEFAULT: high 64 KiB, or four times the low; low a quarter of the high. May pause or resume at once.
 * `hard` is what write refuses to go beyond; HOYA_LIMIT_DEFAULT, and at the beginning: no limit. Errors: HOYA_EINVAL (low over
 * high, high over hard), HOYA_ENOMEM. Origin: WriteTransport.set_write_buffer_limits, get_write_buffer_limits. */
#define HOYA_LIMIT_DEFAULT SIZE_MAX
HOYA_API int hoya_transport_set_write_buffer_limits(hoya_transport *transport, size_t high, size_t low,
                                                    size_t hard);
/* Each may be NULL. */
HOYA_API int hoya_transport_get_write_buffer_limits(const hoya_transport *transport, size_t *high, size_t *low,
                                                    size_t *hard);
/* Bytes that wait to be sent. Origin: WriteTransport.get_write_buffer_size. */
HOYA_API size_t hoya_transport_get_write_buffer_size(const hoya_transport *transport);

/* The same as write, of at least one byte, and with the first byte descriptors: 1 to HOYA_FDS_MAX of them, which the other side
 * gets as its own. The caller may close his at once. In order with all that is written. Only over Unix sockets. Errors: as
 * write; HOYA_ENOTSUP (no Unix socket), HOYA_EINVAL, HOYA_EBADF (no such descriptor), HOYA_EMFILE (what waits needs copies), and
 * what the system will not pass, such as HOYA_ETOOMANYREFS: nothing was taken. Where it says that of descriptors that have
 * waited, the connection ends. Origin: none; SCM_RIGHTS. */
#define HOYA_FDS_MAX 253
HOYA_API int hoya_transport_write_fds(hoya_transport *transport, const void *data, size_t size, const hoya_fd *fds,
                                      size_t count);

/* ---- files --------------------------------------------------------------------------------------------- */

/* Sends `count` bytes of a file, from `offset` on, or with HOYA_SENDFILE_ALL all that it has there; a file that ends sooner is no
 * failure. What was written before goes first. Then the system sends from the file, up to 1 MiB a round; where it cannot,
 * threads of the loop's default executor read, and what they have read is sent. Until the future is done nothing is read of
 * the connection, as if by a pause of its own, and write, write_eof and another sendfile are HOYA_EBUSY.
 *
 * `file` is duplicated: the caller may close it at once. Its position is neither used nor moved; what has none (a pipe) is read
 * as it comes, with an offset of 0: one that says nothing holds a thread of the executor meanwhile, and what was read of it and
 * not sent yet, at most 64 KiB, is lost if this ends early.
 *
 * *future (may be NULL) is a new reference; it has no value, and is done when the last byte is the system's. How many went
 * hoya_sendfile_sent says, however it ends. A cancel of the future stops it at once, in the middle of the file; the connection
 * goes on, and may be written to. After close it still goes to its end; an abort, or the end of the connection, fails it with
 * HOYA_ECLOSED, or the connection's code. What fails about the file leaves the connection alone: where the system's answer may be
 * either's, but for HOYA_EPIPE and HOYA_ECONNRESET, threads read on and find out whose. When the loop is closed it stays pending.
 *
 * Flags: HOYA_SENDFILE_NATIVE: no reading by threads; what the system says instead, HOYA_ENOTSUP where it cannot, fails the
 * future alone. HOYA_SENDFILE_READ: by threads from the beginning, for a file system so slow that the loop should not wait.
 *
 * Errors: HOYA_EINVAL (a negative offset, a count below 1, both flags), HOYA_EBADF, HOYA_EBUSY, HOYA_ECLOSED, HOYA_ESTATE (after
 * write_eof), HOYA_ENOTSUP (the transport of a pipe or a file), HOYA_ENOMEM, HOYA_EMFILE. Origin: loop.sendfile, which moves the file's position instead. */
#define HOYA_SENDFILE_ALL INT64_MAX
enum hoya_sendfile_flags { HOYA_SENDFILE_NATIVE = 1u << 0, HOYA_SENDFILE_READ = 1u << 1 };
HOYA_API int hoya_sendfile(hoya_transport *transport, hoya_fd file, int64_t offset, int64_t count, uint32_t flags,
                           hoya_future **future);

/* How many bytes of the file have gone: so far, or in all; also after a failure or a cancel. HOYA_EINVAL for any other future. */
HOYA_API int64_t hoya_sendfile_sent(const hoya_future *future);

/* ---- what is known of the connection --------------------------------------------------------------------- */

/* Its addresses, as they were when it was made; also after its end. A socket without a name has an address of no more than
 * its family. Errors: HOYA_ENOTCONN (the other side had gone by then), HOYA_ENOTSOCK (a pipe). Origin: get_extra_info("sockname"), get_extra_info("peername"). */
HOYA_API int hoya_transport_get_sockname(const hoya_transport *transport, hoya_address *address);
HOYA_API int hoya_transport_get_peername(const hoya_transport *transport, hoya_address *address);

/* Who is at the other end of a Unix connection, as it was when that was made. Errors: HOYA_ENOTSUP (no Unix socket),
 * HOYA_ECLOSED (it has been closed). Origin: none; SO_PEERCRED. */
typedef struct hoya_credentials {
    pid_t pid;
    uid_t uid;
    gid_t gid;
} hoya_credentials;
HOYA_API int hoya_transport_get_peer_credentials(const hoya_transport *transport, hoya_credentials *credentials);

/* Its descriptor, for options: the transport's, who closes it and watches it. HOYA_INVALID_FD after its end. Origin:
 * get_extra_info("socket"). */
HOYA_API hoya_fd hoya_transport_fileno(const hoya_transport *transport);

HOYA_END_DECLS

#endif
