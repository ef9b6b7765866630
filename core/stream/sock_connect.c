/* SPDX-License-Identifier: MIT
 *
 * stream/sock_connect.c: connections by plain sockets: accepted, and made.
 *
 * A connect is begun once, and then only waited for: the system goes on with it whatever becomes of the task. The socket is
 * writable when it has ended, and knows how.
 */
#include <errno.h>
#include <stddef.h>

#include "base/error.h"
#include "base/sys.h"
#include "io/socket.h"
#include "stream/sock.h"

/* ---- accepting -------------------------------------------------------------------------------------------- */

static bool has_gone(hoya_fd fd, int code)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    if (!hoya_socket_met_an_end(code)) return false;
    if (code != EOPNOTSUPP) return true;
    return hoya_sys_getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
}

static int accept_one(hoya_sock_call *call, hoya_address *peer)
{
    for (;;) {
        *peer = (hoya_address){.length = sizeof peer->storage};
        int fd = hoya_sys_accept4(call->fd, (struct sockaddr *)&peer->storage, &peer->length,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) return fd;
        int code = errno;
        if (has_gone(call->fd, code)) {
            hoya_sock_moved(call, 0, true); /* the next may be there; and the next */
            continue;
        }
        errno = code;
        int rc = hoya_sock_again(call, "accept");
        if (rc < 0) return rc;
    }
}

int hoya_sock_accept(hoya_fd fd, hoya_fd *connection, hoya_address *peer)
{
    if (!connection) return hoya_error_set(HOYA_EINVAL, "no place for the connection");
    hoya_sock_call call;
    hoya_address who;
    int rc = hoya_sock_begin(&call, fd, HOYA_SIDE_READER, HOYA_CALLER());
    if (rc >= 0) rc = hoya_sock_check_nonblocking(fd);
    if (rc < 0) return rc;
    int accepted = accept_one(&call, &who);
    rc = (int)hoya_sock_end(&call, accepted < 0 ? accepted : 0);
    if (rc < 0) return rc;
    *connection = accepted;
    if (peer) *peer = who;
    return 0;
}

/* ---- connecting ------------------------------------------------------------------------------------------- */

static int failed(const hoya_address *address, int code)
{
    char text[HOYA_ADDRESS_TEXT_SIZE];
    int rc = hoya_address_format((const struct sockaddr *)&address->storage, address->length, text, sizeof text);
    return hoya_error_set(-code, "connect to %s: %s", rc < 0 ? "an address" : text, hoya_strerror(-code));
}

static int await_end(hoya_sock_call *call, const hoya_address *address)
{
    int code = 0, rc = hoya_sock_wait(call);
    socklen_t size = sizeof code;
    if (rc < 0) return rc;
    if (hoya_sys_getsockopt(call->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0) code = errno;
    return code ? failed(address, code) : 0;
}

static int connect_to(hoya_sock_call *call, const hoya_address *address)
{
    /* What would wait does nothing in a task that was interrupted. A Unix socket is connected at once, or not. */
    int rc = address->storage.ss_family == AF_UNIX ? 0 : hoya_task_interrupted(call->task);
    if (rc < 0) return rc;
    if (hoya_sys_connect(call->fd, (const struct sockaddr *)&address->storage, address->length) == 0) return 0;
    /* Interrupted, it goes on all the same; and it may have been begun by a call that was cancelled. */
    bool under_way = errno == EINPROGRESS || errno == EINTR || errno == EALREADY;
    return under_way ? await_end(call, address) : failed(address, errno);
}

int hoya_sock_connect(hoya_fd fd, const hoya_address *address)
{
    if (!address || address->length < sizeof(sa_family_t) || address->length > sizeof address->storage)
        return hoya_error_set(HOYA_EINVAL, "no address to connect to");
    hoya_sock_call call;
    int rc = hoya_sock_begin(&call, fd, HOYA_SIDE_WRITER, HOYA_CALLER());
    if (rc >= 0) rc = hoya_sock_check_nonblocking(fd);
    if (rc < 0) return rc;
    return (int)hoya_sock_end(&call, connect_to(&call, address));
}
