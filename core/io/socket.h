/* SPDX-License-Identifier: MIT
 *
 * io/socket.h: sockets before they are connections: opened, taken over, and set up.
 */
#ifndef HOYA_IO_SOCKET_H
#define HOYA_IO_SOCKET_H

#include <hoya/net.h>
#include <stdbool.h>

#include "io/transport.h"

/* What the options of a connection say, read once, for its sockets and its transport. */
typedef struct hoya_link_options {
    int keep_alive;   /* seconds; 0: off */
    int user_timeout; /* milliseconds; 0: the system's */
    bool delay;
    bool limited; /* limits are not the default ones */
    hoya_write_limits limits;
} hoya_link_options;

/* HOYA_EINVAL for what cannot be. `given` may be NULL. */
int hoya_link_options_read(hoya_link_options *options, const hoya_transport_options *given);

/* A new stream socket, ours, with these options; a negative code with its detail. */
hoya_fd hoya_socket_open(int family, int type, int protocol);
/* What it is to be as a connection; does nothing to what is no TCP. */
int hoya_socket_set_link(hoya_fd fd, int family, const hoya_link_options *options);
int hoya_socket_set_number(hoya_fd fd, int level, int option, int value, const char *name);
int hoya_socket_set_flag(hoya_fd fd, int level, int option, const char *name);

/* A stream socket of the program's, made NONBLOCK and CLOEXEC: its family, or why it cannot be a connection, or a server. It is
 * not ours before the caller says so (hoya_fd_adopt). */
int hoya_socket_check(hoya_fd fd, bool server);

/* errno after accept: a connection has ended before it was accepted, which says nothing of the next one (accept(2)). A socket
 * that does not listen is EOPNOTSUPP, too. */
bool hoya_socket_met_an_end(int code);

/* A transport on a connected socket, which is ours, with its options; `peer` as in hoya_transport_new. Takes the socket and the
 * protocol unless it fails. */
int hoya_link_new(hoya_loop *loop, hoya_fd fd, const struct sockaddr *peer, socklen_t length,
                  hoya_protocol protocol, const hoya_link_options *options, hoya_transport_owner *owner,
                  hoya_transport **transport);

/* The protocol will have no connection. Returns `code`, with the detail: what is released may fail in its turn. */
void hoya_protocol_release(hoya_protocol protocol);
int hoya_protocol_refuse(hoya_protocol protocol, int code);

#endif
