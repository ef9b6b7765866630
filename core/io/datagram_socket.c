/* SPDX-License-Identifier: MIT
 *
 * io/datagram_socket.c: the sockets of datagram endpoints, before they are any: what the options say, where they are bound, and
 * whom they know. Nothing here waits: to connect such a socket is to write an address down. And the groups that they are in.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sys.h"
#include "io/datagram.h"
#include "io/names.h"

/* ---- options ------------------------------------------------------------------------------------------------ */

static size_t limit_of(size_t given)
{
    return given ? given : HOYA_LIMIT_DEFAULT;
}

/* Its index; or a code. */
static int find_interface(const char *name, unsigned *index)
{
    char text[HOYA_QUOTED_SIZE];
    *index = hoya_sys_if_nametoindex(name);
    if (*index) return 0;
    int code = errno ? -errno : -ENODEV;
    return hoya_error_set(code, "interface %s: %s", hoya_quoted(name, text), hoya_strerror(code));
}

static int check_hops(int hops, const char *what)
{
    return hops < 0 || hops > 255 ? hoya_error_set(HOYA_EINVAL, "%s of %d: 1 to 255", what, hops) : 0;
}

int hoya_datagram_setup_read(hoya_datagram_setup *setup, const hoya_datagram_options *given)
{
    hoya_datagram_options *o = &setup->options;
    setup->multicast_interface = 0;
    if (!hoya_options_read(o, sizeof *o, given))
        return hoya_error_set(HOYA_EINVAL, "datagram options that this version does not know");
    int rc = check_hops(o->ttl, "a ttl");
    if (rc >= 0) rc = check_hops(o->multicast_ttl, "a multicast_ttl");
    if (rc >= 0)
        rc = hoya_write_limits_resolve(limit_of(o->write_high), limit_of(o->write_low), limit_of(o->write_hard),
                                       &setup->limits);
    if (rc >= 0 && o->multicast_interface) rc = find_interface(o->multicast_interface, &setup->multicast_interface);
    return rc;
}

static int set_of_ipv4(hoya_fd fd, const hoya_datagram_setup *setup)
{
    const hoya_datagram_options *o = &setup->options;
    struct ip_mreqn through = {.imr_ifindex = (int)setup->multicast_interface};
    int rc = o->ttl ? hoya_socket_set_number(fd, IPPROTO_IP, IP_TTL, o->ttl, "IP_TTL") : 0;
    if (rc >= 0 && o->multicast_ttl)
        rc = hoya_socket_set_number(fd, IPPROTO_IP, IP_MULTICAST_TTL, o->multicast_ttl, "IP_MULTICAST_TTL");
    if (rc >= 0 && o->no_multicast_loop)
        rc = hoya_socket_set_number(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP");
    if (rc >= 0 && through.imr_ifindex &&
        hoya_sys_setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &through, sizeof through) < 0)
        rc = hoya_error_errno("IP_MULTICAST_IF");
    return rc;
}

static int set_of_ipv6(hoya_fd fd, const hoya_datagram_setup *setup)
{
    const hoya_datagram_options *o = &setup->options;
    int through = (int)setup->multicast_interface;
    int rc = o->ttl ? hoya_socket_set_number(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, o->ttl, "IPV6_UNICAST_HOPS") : 0;
    if (rc >= 0 && o->multicast_ttl)
        rc = hoya_socket_set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, o->multicast_ttl, "IPV6_MULTICAST_HOPS");
    if (rc >= 0 && o->no_multicast_loop)
        rc = hoya_socket_set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP");
    if (rc >= 0 && through)
        rc = hoya_socket_set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, through, "IPV6_MULTICAST_IF");
    return rc;
}

/* What may be said at any time. */
static int set_up(hoya_fd fd, int family, const hoya_datagram_setup *setup)
{
    int rc = setup->options.broadcast ? hoya_socket_set_flag(fd, SOL_SOCKET, SO_BROADCAST, "SO_BROADCAST") : 0;
    if (rc >= 0 && family == AF_INET) rc = set_of_ipv4(fd, setup);
    if (rc >= 0 && family == AF_INET6) rc = set_of_ipv6(fd, setup);
    return rc;
}

/* Else it hears all groups that anybody on this machine has joined, on its port. IPv6's is known since Linux 4.20. */
static int hear_joined_groups_only(hoya_fd fd, int family)
{
    int rc = hoya_socket_set_number(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
    if ((rc >= 0 || rc == -ENOPROTOOPT) && family == AF_INET6) /* it may be of both */
        rc = hoya_socket_set_number(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "IPV6_MULTICAST_ALL");
    return rc == -ENOPROTOOPT ? 0 : rc;
}

/* What has to be said before it is bound. */
static int set_up_address(hoya_fd fd, int family, const hoya_datagram_options *o)
{
    int rc = o->reuse_port ? hoya_socket_set_flag(fd, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT") : 0;
    if (rc >= 0 && o->reuse_address) rc = hoya_socket_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
    if (rc >= 0) rc = hear_joined_groups_only(fd, family);
    if (rc >= 0 && family == AF_INET6)
        rc = hoya_socket_set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, !o->dual_stack, "IPV6_V6ONLY");
    return rc;
}

/* ---- where it is -------------------------------------------------------------------------------------------- */

static bool is_group(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return IN_MULTICAST(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_MULTICAST(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static int address_error(int code, const char *what, const struct sockaddr *address, socklen_t length)
{
    char where[HOYA_ADDRESS_TEXT_SIZE] = "an address";
    hoya_address_format(address, length, where, sizeof where);
    return hoya_error_set(code, "%s %s: %s", what, where, hoya_strerror(code));
}

static int ask_name(hoya_datagram_socket *socket)
{
    struct sockaddr *name = (struct sockaddr *)&socket->name.storage;
    socket->name.length = sizeof socket->name.storage;
    return hoya_sys_getsockname(socket->fd, name, &socket->name.length) < 0 ? hoya_error_errno("getsockname") : 0;
}

static int connect_to(hoya_datagram_socket *socket, const struct sockaddr *address, socklen_t length)
{
    if (hoya_sys_connect(socket->fd, address, length) < 0)
        return address_error(-errno, "connect to", address, length);
    socket->connected = true;
    return 0;
}

/* The system may have made another address of it: 0.0.0.0 is this machine. From there the answers come. */
static int ask_peer(hoya_datagram_socket *socket)
{
    struct sockaddr *peer = (struct sockaddr *)&socket->remote.storage;
    socket->remote.length = sizeof socket->remote.storage;
    return hoya_sys_getpeername(socket->fd, peer, &socket->remote.length) < 0 ? hoya_error_errno("getpeername") : 0;
}

/* Bound always: an endpoint has an address to which it can be answered. */
static int bind_to(const hoya_datagram_socket *socket, const struct addrinfo *local)
{
    struct sockaddr_storage any = {.ss_family = (sa_family_t)socket->family};
    const struct sockaddr *address = local ? local->ai_addr : (const struct sockaddr *)&any;
    socklen_t length = local                       ? local->ai_addrlen
                       : socket->family == AF_INET ? sizeof(struct sockaddr_in)
                                                   : sizeof(struct sockaddr_in6);
    return hoya_sys_bind(socket->fd, address, length) < 0 ? address_error(-errno, "bind to", address, length) : 0;
}

static int place(hoya_datagram_socket *socket, const hoya_datagram_setup *setup, const struct addrinfo *local,
                 const struct addrinfo *remote)
{
    bool connects = remote && !setup->options.broadcast && !is_group(remote->ai_addr);
    int rc = set_up_address(socket->fd, socket->family, &setup->options);
    if (rc >= 0) rc = set_up(socket->fd, socket->family, setup);
    if (rc >= 0 && (local || !connects)) rc = bind_to(socket, local); /* connect finds an address of its own */
    if (rc >= 0 && connects) rc = connect_to(socket, remote->ai_addr, remote->ai_addrlen);
    if (rc >= 0 && connects) rc = ask_peer(socket);
    if (rc < 0) return rc;
    if (remote && !connects) {
        socket->remote.length = remote->ai_addrlen;
        memcpy(&socket->remote.storage, remote->ai_addr, remote->ai_addrlen);
    }
    return ask_name(socket);
}

int hoya_datagram_socket_open(hoya_datagram_socket *socket, const hoya_datagram_setup *setup, int family,
                              const struct addrinfo *local, const struct addrinfo *remote)
{
    *socket = (hoya_datagram_socket){.fd = hoya_socket_open(family, SOCK_DGRAM, 0), .family = family};
    if (socket->fd < 0) return socket->fd;
    int rc = place(socket, setup, local, remote);
    if (rc < 0) hoya_datagram_socket_close(socket);
    return rc;
}

/* A name of the system's choice is asked for by an address without one (Linux). */
static int place_unix(hoya_datagram_socket *socket, const hoya_address *local, const hoya_address *remote)
{
    const struct sockaddr *address = (const struct sockaddr *)&local->storage;
    int rc = hoya_unix_path_bind(socket->fd, address, local->length);
    if (rc < 0) return address_error(rc, "bind to", address, local->length);
    socket->name = *local;
    socket->file = hoya_unix_path_identify(local);
    socket->removes_file = true;
    rc = ask_name(socket);
    if (rc >= 0 && remote->length) {
        rc = connect_to(socket, (const struct sockaddr *)&remote->storage, remote->length);
        socket->remote = *remote;
    }
    return rc;
}

int hoya_datagram_socket_open_unix(hoya_datagram_socket *socket, const hoya_datagram_setup *setup,
                                   const char *local, const char *remote)
{
    hoya_address here = {.length = sizeof here.storage.ss_family, .storage.ss_family = AF_UNIX},
                 there = {.length = 0};
    int rc = local ? hoya_address_set_unix(&here, local) : 0;
    if (rc >= 0 && remote) rc = hoya_address_set_unix(&there, remote);
    if (rc < 0) return rc;
    *socket = (hoya_datagram_socket){.fd = hoya_socket_open(AF_UNIX, SOCK_DGRAM, 0), .family = AF_UNIX};
    if (socket->fd < 0) return socket->fd;
    rc = place_unix(socket, &here, &there);
    if (rc < 0) hoya_datagram_socket_close(socket);
    else if (setup->options.keep_socket) socket->removes_file = false; /* from now on: it is there */
    return rc;
}

static int get_number(hoya_fd fd, int option, int *value)
{
    socklen_t size = sizeof *value;
    return hoya_sys_getsockopt(fd, SOL_SOCKET, option, value, &size);
}

int hoya_datagram_socket_take(hoya_datagram_socket *socket, const hoya_datagram_setup *setup, hoya_fd fd)
{
    int type;
    *socket = (hoya_datagram_socket){.fd = fd, .remote.length = sizeof socket->remote.storage};
    if (get_number(fd, SO_TYPE, &type) < 0) return hoya_error_errno("the descriptor of a datagram endpoint");
    if (type != SOCK_DGRAM && type != SOCK_RAW)
        return hoya_error_set(HOYA_EINVAL, "descriptor %d is no datagram socket", fd);
    if (get_number(fd, SO_DOMAIN, &socket->family) < 0) return hoya_error_errno("SO_DOMAIN");
    if (hoya_sys_set_nonblocking(fd) < 0) return hoya_error_errno("O_NONBLOCK");
    struct sockaddr *remote = (struct sockaddr *)&socket->remote.storage;
    socket->connected = hoya_sys_getpeername(fd, remote, &socket->remote.length) == 0;
    if (!socket->connected) socket->remote = (hoya_address){.length = 0};
    int rc = set_up(fd, socket->family, setup);
    return rc < 0 ? rc : ask_name(socket);
}

void hoya_datagram_socket_close(hoya_datagram_socket *socket)
{
    if (socket->removes_file) hoya_unix_path_remove(&socket->name, socket->file);
    hoya_fd_close(&socket->fd);
}

/* ---- groups --------------------------------------------------------------------------------------------------- */

static int change_group(const hoya_datagram_transport *transport, const hoya_address *group,
                        const char *interface_name, int option, const char *what)
{
    int rc = hoya_datagram_enter(transport);
    if (rc < 0) return rc;
    int family = transport->socket.family;
    struct group_req request = {.gr_interface = 0};
    if (transport->lost) return hoya_error_set(HOYA_ECLOSED, "the datagram endpoint has ended");
    if (!group || group->storage.ss_family != family || !is_group((const struct sockaddr *)&group->storage))
        return hoya_error_set(HOYA_EINVAL, "no group, or one of another family");
    rc = hoya_check_length((const struct sockaddr *)&group->storage, group->length);
    if (rc < 0) return rc;
    unsigned index = 0;
    if (interface_name) rc = find_interface(interface_name, &index);
    else if (family == AF_INET6)
        index = ((const struct sockaddr_in6 *)(const void *)&group->storage)->sin6_scope_id;
    if (rc < 0) return rc;
    request.gr_interface = index;
    request.gr_group = group->storage;
    int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    if (hoya_sys_setsockopt(transport->socket.fd, level, option, &request, sizeof request) == 0) return 0;
    return address_error(-errno, what, (const struct sockaddr *)&group->storage, group->length);
}

int hoya_datagram_transport_join_group(hoya_datagram_transport *transport, const hoya_address *group,
                                       const char *interface_name)
{
    return change_group(transport, group, interface_name, MCAST_JOIN_GROUP, "joining");
}

int hoya_datagram_transport_leave_group(hoya_datagram_transport *transport, const hoya_address *group,
                                        const char *interface_name)
{
    return change_group(transport, group, interface_name, MCAST_LEAVE_GROUP, "leaving");
}
