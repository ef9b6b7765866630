/* SPDX-License-Identifier: MIT
 *
 * hoya/sock.h: plain sockets in tasks: the system's calls, which wait for their task alone and never block its thread.
 * PEP 3156, "Low-level socket operations". docs/net.md is the guide; what is more comfortable stands in hoya/net.h.
 *
 * A socket stays the program's: it opens it (with SOCK_NONBLOCK | SOCK_CLOEXEC), sets it up and closes it. A call tries
 * first, and only where the system says "not now" its task waits until the socket is ready, and tries again. So what is there
 * is given at once, to a cancelled task, too; of some hundreds of calls in a row that need not wait, or some megabytes, one
 * lets the loop have a round before it returns what it has (hoya/task.h: fairness).
 *
 * One task reads and one writes at a time. Who comes second on one side of a descriptor (a call here, hoya_loop_add_reader or
 * add_writer), or where a transport or a server has it, is refused: HOYA_EBUSY; the first one goes on. (asyncio's second
 * sock_recv orphans the first, which never wakes up.)
 *
 * A cancel, or a timeout, leaves the socket as it is, unwatched and good for everything. Before a socket is closed, whoever
 * waits for it is cancelled and has ended: a task that waits for a descriptor that was closed may wait for ever, or for
 * another socket that got its number. Debug mode tells of that in the log, as for readers.
 *
 * A socket that is always ready and never has anything (errors in its queue that only recvmsg with MSG_ERRQUEUE takes; a
 * datagram socket after shutdown) is looked at each 5 ms, by a call that waits for it.
 *
 * No call ever raises SIGPIPE: a connection that is gone is HOYA_EPIPE or HOYA_ECONNRESET. In a task only, which has the
 * socket watched by its own loop. Errors of all: HOYA_ESTATE and HOYA_EDEADLK (this is no task: hoya/task.h), HOYA_ECHILD,
 * HOYA_EBADF, HOYA_ENOTSOCK, HOYA_EBUSY, HOYA_EINVAL, and what the system says of the socket; of those that wait HOYA_ECANCELED,
 * HOYA_EDEADLINE, HOYA_ENOMEM and HOYA_ENOSPC (it cannot be watched). What needs not wait needs no memory.
 */
#ifndef HOYA_SOCK_H
#define HOYA_SOCK_H

#include <hoya/base.h>
#include <hoya/resolver.h>
#include <hoya/transport.h>
#include <sys/types.h>

HOYA_BEGIN_DECLS

/* ---- receiving ------------------------------------------------------------------------------------------- */

/* Receives what is there, at most `size` bytes (HOYA_EINVAL for 0 of them), and at least one. Returns how many; 0 is the end
 * of a stream, or an empty datagram. What of a datagram does not fit is lost. The socket may be a blocking one. Waits. Origin:
 * loop.sock_recv, loop.sock_recv_into. */
HOYA_API ssize_t hoya_sock_recv(hoya_fd fd, void *buffer, size_t size);

/* The same, and who sent it: of length 0 where nobody says so, as in a stream. `from` may be NULL. Waits. Origin:
 * loop.sock_recvfrom, loop.sock_recvfrom_into. */
HOYA_API ssize_t hoya_sock_recvfrom(hoya_fd fd, void *buffer, size_t size, hoya_address *from);

/* ---- sending --------------------------------------------------------------------------------------------- */

/* Sends all of it, however often it has to wait meanwhile. *sent (may be NULL) is how many bytes went, always: also after a
 * failure, a cancel, or a refusal, which is what asyncio cannot say. The memory is used until this returns. The socket may be
 * a blocking one. Waits. Origin: loop.sock_sendall. */
HOYA_API int hoya_sock_sendall(hoya_fd fd, const void *data, size_t size, size_t *sent);

/* Sends a datagram; `to` NULL: to where the socket is connected. Returns how many bytes went, which is all of a datagram, and
 * may be less of a stream. Waits. Errors: HOYA_EMSGSIZE, HOYA_EDESTADDRREQ, too; and what an earlier one met
 * (HOYA_ECONNREFUSED). Origin: loop.sock_sendto. */
HOYA_API ssize_t hoya_sock_sendto(hoya_fd fd, const void *data, size_t size, const hoya_address *to);

/* Sends `count` bytes of a file from `offset` on, or as many as there are (HOYA_SENDFILE_ALL): by the system's sendfile, or where
 * that cannot read the file, by reads in the loop's default executor. The file's own position stays as it is (asyncio moves it);
 * what was sent is *sent (may be NULL), always, as in sendall. With sendfile the thread waits for the disk where the file is not
 * in memory. Flags, as of hoya_sendfile: HOYA_SENDFILE_NATIVE: by the system's sendfile, or not at all: HOYA_ENOTSUP;
 * HOYA_SENDFILE_READ: by reads from the beginning. The socket has to be non-blocking, and the file one that can be read from an
 * offset: HOYA_EINVAL. Waits. Errors: those of hoya_to_thread, too. Origin: loop.sock_sendfile. */
HOYA_API int hoya_sock_sendfile(hoya_fd fd, hoya_fd file, int64_t offset, int64_t count, uint32_t flags,
                                int64_t *sent);

/* ---- descriptors over Unix sockets --------------------------------------------------------------------- */

/* Sends bytes, at least one, and with the first of them descriptors: 1 to HOYA_FDS_MAX, which the other side gets
 * as its own; the caller may close his as soon as this returns. Returns how many bytes went, which may be less of a
 * stream: the rest is hoya_sock_sendall's. The socket may be a blocking one. Waits. Errors: HOYA_ENOTSUP (no Unix
 * socket), HOYA_EBADF (no such descriptor), HOYA_ETOOMANYREFS (too many are under way), too. Origin:
 * socket.send_fds. */
HOYA_API ssize_t hoya_sock_send_fds(hoya_fd fd, const void *data, size_t size, const hoya_fd *fds, size_t count);

/* As hoya_sock_recv, and with it *count descriptors that came, CLOEXEC and the caller's to close; of one send at
 * most, and right before the bytes that it went with, which may have others before them. HOYA_EMFILE: there was no
 * room for all in this process: none is given, and the bytes are lost with them. Other calls drop descriptors that
 * come. Waits. Origin: socket.recv_fds, which leaves them open to programs that are executed. */
HOYA_API ssize_t hoya_sock_recv_fds(hoya_fd fd, void *buffer, size_t size, hoya_fd fds[HOYA_FDS_MAX],
                                    size_t *count);

/* ---- connections ----------------------------------------------------------------------------------------- */

/* Accepts a connection: *connection is the caller's, non-blocking and close-on-exec; *peer (may be NULL) who came, of length 0
 * where nobody can say. One that has gone again, or whose network has, is passed over. The listening socket has to be
 * non-blocking: HOYA_EINVAL. HOYA_EMFILE and HOYA_ENOBUFS come at once, each time: who goes on accepting sleeps first (servers of
 * hoya/net.h know how). Waits. Origin: loop.sock_accept. */
HOYA_API int hoya_sock_accept(hoya_fd fd, hoya_fd *connection, hoya_address *peer);

/* Connects, and returns when that has ended: 0, or why not (the socket's SO_ERROR: HOYA_ECONNREFUSED, HOYA_ETIMEDOUT, ...) with
 * the address in the text. The socket has to be non-blocking: HOYA_EINVAL. An address from numbers is hoya_address_set's, one
 * from a name hoya_getaddrinfo's; hoya_create_connection does all of that. A cancelled task begins none (but of a Unix
 * socket, which does not wait). A cancel under way leaves the system connecting: call this again to go on waiting, or close
 * the socket. Of a Unix socket whose listener has no more room it is HOYA_EAGAIN: sleep, and try again. Waits. Origin:
 * loop.sock_connect. */
HOYA_API int hoya_sock_connect(hoya_fd fd, const hoya_address *address);

HOYA_END_DECLS

#endif
