/* SPDX-License-Identifier: MIT
 *
 * hoya/net.h: connections and servers over TCP and Unix sockets. PEP 3156, "Internet name lookups" and "Internet
 * connections". docs/net.md is the guide; hoya/transport.h says what a connection is, hoya/resolver.h how names are looked up.
 *
 * Thread: the loop's, for everything here: elsewhere HOYA_ETHREAD, and HOYA_ECHILD in the child of a fork, from what has a code
 * to say so.
 *
 * Protocols: who gives one gives it away, always: its `released` is called once, after the connection, or because there was
 * none; in the failing call, too. Sockets are NONBLOCK, CLOEXEC, and TCP's have TCP_NODELAY, from birth. Who shares one with
 * another process leaves it NONBLOCK: what is read and written never blocks, but hoya_sendfile and accepting go by that.
 *
 * Bad arguments are this call's answer, before anything is opened. What the network says is the future's: HOYA_ECONNREFUSED,
 * HOYA_EHOSTUNREACH, HOYA_EADDRINUSE, HOYA_EMFILE, HOYA_EAI_NONAME, ..., with the address in the text.
 */
#ifndef HOYA_NET_H
#define HOYA_NET_H

#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>
#include <hoya/resolver.h>
#include <hoya/transport.h>

HOYA_BEGIN_DECLS

/* For a connection, from its beginning. All zero but the size (or NULL instead of the struct) means the defaults. */
typedef struct hoya_transport_options {
    size_t size; /* sizeof(hoya_transport_options) */
    int64_t
        keep_alive; /* TCP: after so many nanoseconds of silence the other side is asked for a sign of life, which is
                           * rounded up to seconds, 32,767 at most; 0: as the socket was, which is never for a new one */
    int64_t
        user_timeout; /* TCP: what is not acknowledged for so long ends the connection (HOYA_ETIMEDOUT); rounded up to
                           * milliseconds; 0: as the socket was, which is the system's patience for a new one */
    int delay;        /* TCP: not 0 holds small writes back, to send them together (no TCP_NODELAY) */
    size_t write_high, write_low, write_hard; /* as hoya_transport_set_write_buffer_limits, but 0 is the default */
} hoya_transport_options;

/* ---- connections --------------------------------------------------------------------------------------- */

typedef struct hoya_connection_options {
    size_t size;                             /* sizeof(hoya_connection_options) */
    const hoya_transport_options *transport; /* or NULL */
    int family;                              /* AF_INET, AF_INET6; 0: any */
    int flags;                               /* of getaddrinfo: AI_* */
    const char *local_host, *local_port; /* where it shall come from (SO_REUSEADDR: on Linux several tries may come
                                              * from one port); NULL: the system decides */
    int64_t happy_eyeballs_delay;   /* the next address is tried when the one before has failed, or has not answered
                                              * for so long, nanoseconds; 0: 250 ms; HOYA_NEVER: only when it has failed */
    int first_address_family_count; /* so many of the first family, then they alternate; 0: 1 */
    int64_t timeout;                /* for all of it, nanoseconds: then HOYA_ETIMEDOUT; 0: the system's patience */
} hoya_connection_options;

/* Connects to a host: its addresses are tried as RFC 8305 says (happy eyeballs), and the first that answers is it. The future
 * is done after connection_made has returned; its value is the hoya_transport *, a reference of the future's. Cancelling it
 * ends everything at once: no descriptor is left; a connection that is there already is aborted, and its protocol hears of both
 * its beginning and its end. Nobody needs to keep the future. If all addresses fail it has the code of the one that failed
 * first, and the text tells of each, as far as there is room. Errors of the call: HOYA_EINVAL (a protocol or options that cannot
 * be; no host; no port), those of hoya_getaddrinfo's arguments, HOYA_ECLOSED, HOYA_ENOMEM. Origin: loop.create_connection. */
HOYA_API int hoya_create_connection(hoya_loop *loop, const char *host, const char *port, hoya_protocol protocol,
                                    const hoya_connection_options *options, hoya_future **future);

/* The same for a Unix socket: a path, or "@name" for an abstract one. Of the options transport and timeout count. While
 * the server's queue is full, which nothing tells the end of, it is asked again every 10 ms. Errors: as above,
 * HOYA_ENAMETOOLONG. Origin: loop.create_unix_connection. */
HOYA_API int hoya_create_unix_connection(hoya_loop *loop, const char *path, hoya_protocol protocol,
                                         const hoya_connection_options *options, hoya_future **future);

/* For a stream socket that is connected already: made NONBLOCK and CLOEXEC, and the transport's to close from here on.
 * What it puts into its queue of errors (SO_TIMESTAMPING, MSG_ZEROCOPY) is dropped: such sockets are for hoya/sock.h.
 * *transport (may be NULL) is a new reference; connection_made comes in the next round. On failure `fd` is still the
 * caller's, though perhaps NONBLOCK, and with its options set. Errors: HOYA_ENOTSOCK, HOYA_EINVAL (no stream, or one that
 * listens), HOYA_ENOTCONN, HOYA_EBUSY (it is watched), HOYA_EBADF, HOYA_ENOMEM. Origin: loop.connect_accepted_socket,
 * create_connection(sock=). */
HOYA_API int hoya_connect_accepted_socket(hoya_loop *loop, hoya_fd fd, hoya_protocol protocol,
                                          const hoya_transport_options *options, hoya_transport **transport);

/* ---- servers ------------------------------------------------------------------------------------------- */

typedef struct hoya_server hoya_server;

/* Runs as a callback of the loop, for each connection that comes in: fills in *protocol, which is given away. A negative code:
 * this connection is closed, and the failure reported; a protocol that was filled in all the same is released. Origin: a protocol factory. */
typedef int (*hoya_protocol_factory)(hoya_server *server, hoya_protocol *protocol, void *arg);

typedef struct hoya_endpoint {
    const char *host, *port;
} hoya_endpoint;

typedef struct hoya_server_options {
    size_t size;                             /* sizeof(hoya_server_options) */
    const hoya_transport_options *transport; /* of the connections; or NULL */
    int family;                              /* AF_INET, AF_INET6; 0: any */
    int flags;                               /* of getaddrinfo, beside AI_PASSIVE */
    int backlog;                             /* of listen; 0: 100 */
    int reuse_port;                          /* SO_REUSEPORT: several servers share the port, one a thread, say */
    int no_reuse_address;      /* leaves SO_REUSEADDR out: a port is refused for a while after its use */
    int paused;                /* bound, and refusing, until hoya_server_start_serving */
    const hoya_endpoint *more; /* create_server: further hosts and ports of the same server */
    size_t more_count;
    int keep_socket; /* Unix: the path stays when the server is closed */
} hoya_server_options;

/* Listens on each address of a host (NULL or "": every address of this machine, of both families) and of options->more: on all
 * of them, or the future fails with what the first of them said, and none is left. Of a host's addresses those that this
 * machine has not got are left out, unless it has none. Port "0" is one of the system's choice, the same for all addresses of
 * a host where that can be. IPv6 sockets take no IPv4. Names are looked up first, all at once; for numbers the future is done
 * when this returns. `future` may be NULL: a failure is the exception handler's then. Cancelling it leaves nothing. Its value
 * is the hoya_server *, a reference of the future's; a server lives on without it while it listens or has connections.
 * When there is no descriptor for a connection, that is reported, once a second at most; accepting goes on after a second, or
 * when one of the server's connections has ended.
 * Takes `arg`: destroyed when the server has ended, or in the failing call. Errors of the call: HOYA_EINVAL (no factory;
 * options that cannot be; no port), those of hoya_getaddrinfo's arguments, HOYA_ECLOSED, HOYA_ENOMEM. Origin:
 * loop.create_server. */
HOYA_API int hoya_create_server(hoya_loop *loop, const char *host, const char *port, hoya_protocol_factory factory,
                                void *arg, hoya_destroy destroy, const hoya_server_options *options,
                                hoya_future **future);

/* On a Unix socket, "@name" for an abstract one. A socket that nobody listens on is removed from the path first (which
 * is tried by a connection), and the path is removed when the server is closed, if it still is this server's. A paused server
 * does not listen: another one may take its path, and hoya_server_start_serving will say so. *server (may be NULL) is a new reference.
 * Errors: HOYA_EADDRINUSE (somebody listens there, or it is no socket), HOYA_EMFILE (for the look, too), HOYA_ENAMETOOLONG, HOYA_EACCES, HOYA_ENOENT, ... Origin:
 * loop.create_unix_server. */
HOYA_API int hoya_create_unix_server(hoya_loop *loop, const char *path, hoya_protocol_factory factory, void *arg,
                                     hoya_destroy destroy, const hoya_server_options *options,
                                     hoya_server **server);

/* On a stream socket that is bound: made NONBLOCK and CLOEXEC, told to listen, and the server's to close; the path of a Unix
 * socket stays, since somebody else has made it. On failure `fd` is still the caller's, though perhaps NONBLOCK, with options
 * set, and listening. Errors: HOYA_ENOTSOCK, HOYA_EINVAL (no stream socket, or not bound), HOYA_EBUSY (it is watched),
 * HOYA_EBADF, HOYA_ENOMEM. Origin: create_server(sock=). */
HOYA_API int hoya_create_server_on_socket(hoya_loop *loop, hoya_fd fd, hoya_protocol_factory factory, void *arg,
                                          hoya_destroy destroy, const hoya_server_options *options,
                                          hoya_server **server);

HOYA_API hoya_server *hoya_server_ref(hoya_server *server);
HOYA_API void hoya_server_unref(hoya_server *server); /* does not close */
HOYA_API hoya_loop *hoya_server_get_loop(const hoya_server *server);

/* Listens and accepts from here on; 0 as well if it does already. Errors: HOYA_ECLOSED, HOYA_EADDRINUSE (another one listens
 * there by now, or the Unix path leads to another socket, or nowhere), HOYA_ENOMEM. After a failure it does not serve, and
 * may be started again, or closed; of several sockets those before the one that failed listen, and who connects to them
 * waits until then. Origin: Server.start_serving, is_serving. */
HOYA_API int hoya_server_start_serving(hoya_server *server);
HOYA_API int hoya_server_is_serving(const hoya_server *server);

/* *future is pending as long as the server serves, which it begins here. Cancelling it closes the server; it is cancelled
 * when the last connection has ended, or at once by a second cancel of it (hoya_await passes only one
 * on): connections go on then. If the server is closed by others it ends with HOYA_ECLOSED, as soon as that. One at a
 * time: HOYA_EBUSY. Errors: as start_serving. Origin: Server.serve_forever. */
HOYA_API int hoya_server_serve_forever(hoya_server *server, hoya_future **future);

/* Accepts no more and closes its sockets; connections go on. 0 as well if it was closed. Needs no memory. Origin:
 * Server.close. */
HOYA_API int hoya_server_close(hoya_server *server);
/* Close, or abort, each of its connections, those whose factory is running too. Needs no memory. Origin: Server.close_clients, abort_clients. */
HOYA_API int hoya_server_close_clients(hoya_server *server);
HOYA_API int hoya_server_abort_clients(hoya_server *server);

/* *future is done when the server is closed and its last connection has ended, in either order. Cancelling it ends the waiting
 * only. Origin: Server.wait_closed, as of 3.12.1. */
HOYA_API int hoya_server_wait_closed(hoya_server *server, hoya_future **future);

/* How many sockets it listens on (0 when it is closed), and which: index below that; else HOYA_INVALID_FD. They are the
 * server's. Origin: Server.sockets. */
HOYA_API size_t hoya_server_count_sockets(const hoya_server *server);
HOYA_API hoya_fd hoya_server_get_socket(const hoya_server *server, size_t index);
/* Where such a socket listens: which port the system has chosen. Errors: HOYA_EINVAL (no such index). */
HOYA_API int hoya_server_get_sockname(const hoya_server *server, size_t index, hoya_address *address);
HOYA_API size_t hoya_server_count_connections(const hoya_server *server);

HOYA_END_DECLS

#endif
