/* SPDX-License-Identifier: MIT
 *
 * hoya/datagram.h: datagrams: UDP, and Unix sockets of that type. An endpoint is one socket: a transport, from which datagrams
 * go out and to which they come, and a protocol, which is what the program does with them. PEP 3156, "Datagram protocols".
 * docs/net.md is the guide; hoya/transport.h is the same for connections.
 *
 * A datagram comes whole or not at all, and goes so, also where it has to wait; it may be empty. Whether one arrives nobody
 * knows, and what goes wrong with one is no end of the endpoint: it lives until close, abort, or its loop's close.
 *
 * Life of a protocol's functions: connection_made; then datagram_received and error_received in any number and order;
 * connection_lost; released. All run as callbacks of the loop, never inside a call of the program's, except those marked "runs
 * inline"; none before the one that is on the stack has returned, also where that runs the host's loop (a dialog): what comes
 * in waits in the system then, and what was sent goes out. Only a dialog inside error_received, pause_writing or
 * resume_writing does not hold up what comes in.
 *
 * Thread: the loop's, for everything here: elsewhere HOYA_ETHREAD, and HOYA_ECHILD in the child of a fork, from what has
 * codes; what only looks does not check. A transport lives until its last unref; the loop has a reference while it is open.
 *
 * Protocols: who gives one gives it away, always: its `released` is called once, after the endpoint, or because there was
 * none; in the failing call, too. Sockets are NONBLOCK and CLOEXEC from birth.
 */
#ifndef HOYA_DATAGRAM_H
#define HOYA_DATAGRAM_H

#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>
#include <hoya/resolver.h>

HOYA_BEGIN_DECLS

typedef struct hoya_datagram_transport hoya_datagram_transport;

/* ---- protocols ----------------------------------------------------------------------------------------- */

/* Constant, and apart from the object: `arg` is that. Every member but the size may be NULL: nothing is done. Those that return
 * an int return 0, or a negative code for "this went wrong", which is reported to the loop's exception handler; the endpoint
 * goes on, but for connection_made. Who hands on what sendto has answered about the network has not failed: nothing is
 * reported. */
typedef struct hoya_datagram_protocol_ops {
    size_t size; /* sizeof(hoya_datagram_protocol_ops) */

    /* The endpoint is there; what comes in is read when this has returned. A failure ends it with that code. Origin:
     * BaseProtocol.connection_made; there a failure is only reported. */
    int (*connection_made)(hoya_datagram_transport *transport, void *arg);

    /* A datagram, in memory of the loop's, and the address that it comes from; both are valid during the call. Of a Unix socket
     * without a name `from` is no more than its family. Origin: DatagramProtocol.datagram_received. */
    int (*datagram_received)(hoya_datagram_transport *transport, const void *data, size_t size,
                             const hoya_address *from, void *arg);

    /* A datagram did not get there, or did not come; hoya_error_detail says more. HOYA_ECONNREFUSED: nobody was
     * there to take an earlier one (only connected endpoints hear of that, and sockets with IP_RECVERR);
     * HOYA_EMSGSIZE: one that came was longer than 256 KiB, and is lost; or what the system said of one that had
     * waited: that is lost, and the next one goes. Origin: DatagramProtocol.error_received. */
    int (*error_received)(hoya_datagram_transport *transport, int code, void *arg);

    /* Run inline, in sendto, set_write_buffer_limits, or where what waited has gone out: more than the high-water mark waits; it
     * is the low-water mark again, or less. In turn, pause first; it may end paused. Origin: BaseProtocol.pause_writing, resume_writing. */
    int (*pause_writing)(hoya_datagram_transport *transport, void *arg);
    int (*resume_writing)(hoya_datagram_transport *transport, void *arg);

    /* The end, once: 0 after close and abort; or the code that ended it. The descriptor is closed when this has returned. Origin:
     * BaseProtocol.connection_lost. */
    void (*connection_lost)(hoya_datagram_transport *transport, int code, void *arg);

    /* Runs inline. The transport has done with the protocol: after connection_lost; when the loop is closed before that; or
     * where there was no endpoint at all. The destroy function of `arg`. Origin: none. */
    void (*released)(void *arg);
} hoya_datagram_protocol_ops;

typedef struct hoya_datagram_protocol {
    const hoya_datagram_protocol_ops *ops;
    void *arg;
} hoya_datagram_protocol;

/* ---- making one ---------------------------------------------------------------------------------------- */

/* All zero but the size (or NULL instead of the struct) means the defaults. */
typedef struct hoya_datagram_options {
    size_t size; /* sizeof(hoya_datagram_options) */

    /* Of create_datagram_endpoint. Where it is bound: host NULL is every address of this machine and of one family (IPv4, as a
     * rule, if `family` does not say), port NULL or "0" one of the system's choice. Whom it talks to, and nobody else: both, or
     * neither. */
    const char *local_host, *local_port;
    const char *remote_host, *remote_port;
    int family;     /* AF_INET, AF_INET6; 0: any, as long as a host says which */
    int flags;      /* of getaddrinfo: AI_* */
    int reuse_port; /* SO_REUSEPORT: several sockets share the port, and each sender is one's; one a thread, say */
    int reuse_address; /* SO_REUSEADDR: the same for several programs, for groups, where each gets all; what is sent to one
                        * address goes to any of them */
    int dual_stack; /* IPv6: takes IPv4 too, as ::ffff:192.0.2.1; else not */

    int broadcast; /* SO_BROADCAST: may be sent to broadcast addresses */
    int ttl,
        multicast_ttl; /* hops that a datagram may take, 1 to 255; 0: the system's (of groups: 1, this network) */
    const char *multicast_interface; /* by which those to groups go out, "eth0"; NULL: the system's choice */
    int no_multicast_loop;           /* those to groups do not come to this machine's members */

    int keep_socket; /* Unix: the path stays at the end */

    size_t write_high, write_low, write_hard; /* as set_write_buffer_limits, but 0 is the default */
} hoya_datagram_options;

/* One socket, bound and connected as the options say: names are looked up first, then the addresses of the remote host (of the
 * local one, if there is no other) are tried in their order, each with the local ones of its family, and the first that can be
 * had is it. Nothing is sent, so that an address at which nobody is passes too: RFC 8305 does not help there. With neither host
 * a family is wanted, and the port is the system's choice.
 *
 * With a remote host the socket is connected: it takes datagrams of that address alone, and hears when nobody is there. But
 * for a group, and with `broadcast`: who answers there has another address, so the remote one is only where everything goes.
 *
 * The future is done after connection_made has returned; its value is the hoya_datagram_transport *, a reference of the
 * future's. Cancelling it leaves nothing; an endpoint that is there already is aborted. Nobody needs to keep it: `future` may be
 * NULL. If all addresses fail it has the code and the text of the first. Errors of the call: HOYA_EINVAL (a
 * protocol or options that cannot be, half of a remote address, no address and no family), those of hoya_getaddrinfo's
 * arguments, -ENODEV (no such interface), HOYA_ECLOSED, HOYA_ENOMEM. Origin: loop.create_datagram_endpoint. */
HOYA_API int hoya_create_datagram_endpoint(hoya_loop *loop, hoya_datagram_protocol protocol,
                                           const hoya_datagram_options *options, hoya_future **future);

/* The same for Unix sockets, at once: paths, or "@name" for abstract ones. local NULL: an abstract name of the system's choice,
 * so that it can be answered. A path whose socket has ended is taken over, and removed at the end if it is still this one's.
 * remote NULL: not connected. Of the options keep_socket and the limits count. *transport (may be NULL) is a new reference;
 * connection_made comes in the next round. Errors: HOYA_EADDRINUSE (somebody has that path, or it is no socket),
 * HOYA_ECONNREFUSED (nobody has the remote one any more), HOYA_ENOENT, HOYA_EACCES, HOYA_ENAMETOOLONG, -EPROTOTYPE (a stream
 * socket), and as above. Origin: create_datagram_endpoint(family=AF_UNIX), which removes whatever socket stands at the path, and
 * leaves its own. */
HOYA_API int hoya_create_unix_datagram_endpoint(hoya_loop *loop, const char *local, const char *remote,
                                                hoya_datagram_protocol protocol,
                                                const hoya_datagram_options *options,
                                                hoya_datagram_transport **transport);

/* For a socket of the program's that keeps boundaries without being a connection (SOCK_DGRAM, SOCK_RAW), bound and
 * connected as it is: made NONBLOCK and CLOEXEC, and the transport's to close from here on. Of the options
 * broadcast to no_multicast_loop and the limits count. *transport (may be NULL) is a new reference; connection_made
 * comes in the next round. On failure `fd` is still the caller's. With IP_RECVERR or IPV6_RECVERR error_received is
 * called for one that is not connected, too; the details are to be read there, by recvmsg with MSG_ERRQUEUE: what
 * is left in that queue is dropped; and so is what else the system puts there, unasked (SO_TIMESTAMPING: such sockets
 * are for the calls of hoya/sock.h). Errors: HOYA_ENOTSOCK, HOYA_EINVAL (a stream), HOYA_EBUSY (it is watched),
 * HOYA_EBADF, HOYA_ENOMEM. Origin: create_datagram_endpoint(sock=). */
HOYA_API int hoya_create_datagram_endpoint_on_socket(hoya_loop *loop, hoya_fd fd, hoya_datagram_protocol protocol,
                                                     const hoya_datagram_options *options,
                                                     hoya_datagram_transport **transport);

/* ---- transports ---------------------------------------------------------------------------------------- */

HOYA_API hoya_datagram_transport *hoya_datagram_transport_ref(hoya_datagram_transport *transport);
HOYA_API void hoya_datagram_transport_unref(hoya_datagram_transport *transport); /* does not close */

HOYA_API hoya_loop *hoya_datagram_transport_get_loop(const hoya_datagram_transport *transport); /* borrowed */

/* The protocol that is served now; ops is NULL after its release. Origin: BaseTransport.get_protocol. */
HOYA_API hoya_datagram_protocol hoya_datagram_transport_get_protocol(const hoya_datagram_transport *transport);
/* Another one, from the next function on. No connection_made is called; the old one is the caller's again, and on failure so is
 * the new one. Errors: HOYA_ECLOSED (connection_lost has been called), HOYA_EINVAL. Origin: BaseTransport.set_protocol. */
HOYA_API int hoya_datagram_transport_set_protocol(hoya_datagram_transport *transport,
                                                  hoya_datagram_protocol protocol);

/* Takes no more datagrams; those that wait still go out, then connection_lost(0) comes. 0 as well if it is closing already.
 * Needs no memory. That may take for ever: where a Unix socket is not connected, and its receiver does not read, it asks every
 * 100 ms; abort ends that. Origin: BaseTransport.close. */
HOYA_API int hoya_datagram_transport_close(hoya_datagram_transport *transport);
/* The same at once: what waits is dropped. Origin: DatagramTransport.abort. */
HOYA_API int hoya_datagram_transport_abort(hoya_datagram_transport *transport);
/* 1 from close, abort, or a failure on. Origin: BaseTransport.is_closing. */
HOYA_API int hoya_datagram_transport_is_closing(const hoya_datagram_transport *transport);

/* Both may be called again, from connection_made on; after close they do nothing. What comes meanwhile stays in the system, and
 * what that has no room for is lost; so are errors that it keeps. Errors of resume: those of hoya_loop_add_reader. Origin: none. */
HOYA_API int hoya_datagram_transport_pause_reading(hoya_datagram_transport *transport);
HOYA_API int hoya_datagram_transport_resume_reading(hoya_datagram_transport *transport);
HOYA_API int hoya_datagram_transport_is_reading(const hoya_datagram_transport *transport);

/* ---- sending ------------------------------------------------------------------------------------------- */

/* One datagram, which may be empty, to an address of the endpoint's family; NULL: to its remote one. Never blocks: it is sent at
 * once or, where the system takes no more now, or others wait, copied. 0: one of these. Otherwise it was not sent, and the code
 * is why; the endpoint lives on. Errors: HOYA_EMSGSIZE (longer than there can be; of one that waits, what only the system finds
 * too long is error_received's), HOYA_EINVAL (another address than the remote one, or of another family),
 * HOYA_EDESTADDRREQ (NULL, and there is no remote one), HOYA_ECLOSED (after close), HOYA_ENOBUFS (more would wait than the hard
 * limit), HOYA_ENOMEM, HOYA_ENETUNREACH, HOYA_EACCES (a broadcast address), HOYA_ECONNREFUSED (a Unix socket that nobody has),
 * ... That nobody took an *earlier* one is error_received's, in the next round, and this one goes.
 * Origin: DatagramTransport.sendto, which says nothing, calls error_received inside, and ignores what comes after close. */
HOYA_API int hoya_datagram_transport_sendto(hoya_datagram_transport *transport, const void *data, size_t size,
                                            const hoya_address *to);

/* As hoya_transport_set_write_buffer_limits, with the same defaults (high 64 KiB), but for memory. Each datagram that waits counts as
 * its bytes and some for its address, so that empty ones count too. Origin: WriteTransport's. */
HOYA_API int hoya_datagram_transport_set_write_buffer_limits(hoya_datagram_transport *transport, size_t high,
                                                             size_t low, size_t hard);
/* Each may be NULL. */
HOYA_API int hoya_datagram_transport_get_write_buffer_limits(const hoya_datagram_transport *transport, size_t *high,
                                                             size_t *low, size_t *hard);
HOYA_API size_t hoya_datagram_transport_get_write_buffer_size(const hoya_datagram_transport *transport);

/* ---- groups -------------------------------------------------------------------------------------------- */

/* Multicast: datagrams to this group come too, from now on, or no more; as many groups as the system allows. An endpoint hears
 * the groups that it has joined, and no others that somebody else on this machine has (but a socket of the program's does, unless
 * that sets IP_MULTICAST_ALL to 0; and one over IPv6 before Linux 4.20); so also 224.0.0.1 and ff02::1. By an interface,
 * "eth0", "lo"; NULL: the one in an IPv6 address ("ff02::1%eth0"), or the system's choice. To have the port with other programs
 * the endpoint wants reuse_address, and its local host NULL, or the group. The port of `group` does not count; who leaves says the same interface. Errors: HOYA_EINVAL (no group, or of another
 * family), HOYA_ECLOSED, -ENODEV (no such interface, or none that leads there), HOYA_EADDRINUSE (it has been joined),
 * HOYA_EADDRNOTAVAIL (it has not), HOYA_ENOBUFS (too many). Origin: none; IP_ADD_MEMBERSHIP, RFC 3678. */
HOYA_API int hoya_datagram_transport_join_group(hoya_datagram_transport *transport, const hoya_address *group,
                                                const char *interface_name);
HOYA_API int hoya_datagram_transport_leave_group(hoya_datagram_transport *transport, const hoya_address *group,
                                                 const char *interface_name);

/* ---- what is known of it ------------------------------------------------------------------------------- */

/* Where it is bound, as it was when it was made; and its remote address, HOYA_ENOTCONN if it has none: of a connected one what the
 * system has made of it, so that "0.0.0.0" is 127.0.0.1. Also after its end. Origin:
 * get_extra_info("sockname"), get_extra_info("peername"). */
HOYA_API int hoya_datagram_transport_get_sockname(const hoya_datagram_transport *transport, hoya_address *address);
HOYA_API int hoya_datagram_transport_get_peername(const hoya_datagram_transport *transport, hoya_address *address);

/* Its descriptor, for options: the transport's, who closes it and watches it. HOYA_INVALID_FD after its end. Origin:
 * get_extra_info("socket"). */
HOYA_API hoya_fd hoya_datagram_transport_fileno(const hoya_datagram_transport *transport);

HOYA_END_DECLS

#endif
