/* SPDX-License-Identifier: MIT
 *
 * io/socket.c: sockets before they are connections, and the connection that somebody else has made.
 */
#include "io/socket.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/error.h"
#include "base/error_place.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sys.h"

#define KEEP_ALIVE 32767 /* TCP_KEEPIDLE takes no more seconds */

/* Rounded up: a short time is not none. */
static int in_units(int64_t nanoseconds, int64_t unit)
{
    int64_t n = nanoseconds / unit + (nanoseconds % unit != 0);
    return n > INT_MAX ? INT_MAX : (int)n;
}

static size_t limit_of(size_t given)
{
    return given ? given : HOYA_LIMIT_DEFAULT;
}

int hoya_link_options_read(hoya_link_options *options, const hoya_transport_options *given)
{
    hoya_transport_options o;
    if (!hoya_options_read(&o, sizeof o, given))
        return hoya_error_set(HOYA_EINVAL, "transport options that this version does not know");
    if (o.keep_alive < 0 || o.user_timeout < 0)
        return hoya_error_set(HOYA_EINVAL, "transport options with a negative time");
    if (o.keep_alive == HOYA_NEVER) o.keep_alive = 0;
    if (o.keep_alive > HOYA_SEC(KEEP_ALIVE))
        return hoya_error_set(HOYA_EINVAL, "keep_alive of more than %d s, which is TCP's most", KEEP_ALIVE);
    *options = (hoya_link_options){.keep_alive = in_units(o.keep_alive, HOYA_SEC(1)),
                                   .user_timeout = in_units(o.user_timeout, HOYA_MSEC(1)),
                                   .delay = o.delay != 0,
                                   .limited = o.write_high || o.write_low || o.write_hard};
    return hoya_write_limits_resolve(limit_of(o.write_high), limit_of(o.write_low), limit_of(o.write_hard),
                                     &options->limits);
}

hoya_fd hoya_socket_open(int family, int type, int protocol)
{
    int fd = hoya_sys_socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    return fd < 0 ? hoya_error_errno("socket") : hoya_fd_adopt(fd);
}

int hoya_socket_set_number(hoya_fd fd, int level, int option, int value, const char *name)
{
    return hoya_sys_setsockopt(fd, level, option, &value, sizeof value) < 0 ? hoya_error_errno(name) : 0;
}

int hoya_socket_set_flag(hoya_fd fd, int level, int option, const char *name)
{
    return hoya_socket_set_number(fd, level, option, 1, name);
}

int hoya_socket_set_link(hoya_fd fd, int family, const hoya_link_options *options)
{
    if (family != AF_INET && family != AF_INET6) return 0;
    int rc = hoya_socket_set_number(fd, IPPROTO_TCP, TCP_NODELAY, !options->delay, "TCP_NODELAY");
    if (rc == HOYA_ENOTSUP || rc == -ENOPROTOOPT) rc = 0; /* a stream, and no TCP: SCTP, MPTCP of old kernels */
    if (rc >= 0 && options->keep_alive) {
        rc = hoya_socket_set_number(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
        if (rc >= 0)
            rc = hoya_socket_set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, options->keep_alive, "TCP_KEEPIDLE");
    }
    if (rc >= 0 && options->user_timeout)
        rc = hoya_socket_set_number(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, options->user_timeout, "TCP_USER_TIMEOUT");
    return rc;
}

static int get_number(hoya_fd fd, int option, int *value)
{
    socklen_t size = sizeof *value;
    return hoya_sys_getsockopt(fd, SOL_SOCKET, option, value, &size);
}

int hoya_socket_check(hoya_fd fd, bool server)
{
    int type, listens, family;
    if (get_number(fd, SO_TYPE, &type) < 0) return hoya_error_errno("the descriptor of a connection or a server");
    if (type != SOCK_STREAM) return hoya_error_set(HOYA_EINVAL, "descriptor %d is no stream socket", fd);
    if (get_number(fd, SO_DOMAIN, &family) < 0) return hoya_error_errno("SO_DOMAIN");
    if (!server) {
        if (get_number(fd, SO_ACCEPTCONN, &listens) == 0 && listens)
            return hoya_error_set(HOYA_EINVAL, "descriptor %d listens: it is a server's", fd);
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        if (hoya_sys_getpeername(fd, (struct sockaddr *)&peer, &length) < 0 && errno == ENOTCONN)
            return hoya_error_set(HOYA_ENOTCONN, "descriptor %d is not connected, or no more", fd);
    }
    if (hoya_sys_set_nonblocking(fd) < 0) return hoya_error_errno("O_NONBLOCK");
    return family;
}

bool hoya_socket_met_an_end(int code)
{
    switch (code) {
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
        return true;
    default:
        return false;
    }
}

int hoya_link_new(hoya_loop *loop, hoya_fd fd, const struct sockaddr *peer, socklen_t length,
                  hoya_protocol protocol, const hoya_link_options *options, hoya_transport_owner *owner,
                  hoya_transport **transport)
{
    const hoya_write_limits *limits = options->limited ? &options->limits : NULL;
    return hoya_transport_new(loop, NULL, fd, peer, length, protocol, limits, owner, transport);
}

void hoya_protocol_release(hoya_protocol protocol)
{
    if (hoya_protocol_is_known(protocol.ops)) hoya_destroy_arg(protocol.ops->released, protocol.arg);
}

int hoya_protocol_refuse(hoya_protocol protocol, int code)
{
    hoya_error_place errors; /* what is let go may fail in its turn: nobody asked */
    hoya_error_place *before = hoya_error_begin(&errors);
    hoya_protocol_release(protocol);
    hoya_error_move(before);
    return code;
}

int hoya_connect_accepted_socket(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol,
                                 const hoya_transport_options *given, hoya_transport **out)
{
    hoya_link_options options;
    hoya_transport *transport;
    int family = 0, rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_protocol_check(protocol);
    if (rc >= 0) rc = hoya_link_options_read(&options, given);
    if (rc >= 0) rc = family = hoya_socket_check(fd, false);
    if (rc >= 0) rc = hoya_socket_set_link(fd, family, &options);
    if (rc >= 0) rc = hoya_link_new(loop, fd, NULL, 0, protocol, &options, NULL, &transport);
    if (rc < 0) return hoya_protocol_refuse(protocol, rc);
    hoya_fd_adopt(fd);
    if (out) *out = hoya_transport_ref(transport);
    return 0;
}
