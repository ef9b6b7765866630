/* SPDX-License-Identifier: MIT
 *
 * io/listener.c: the sockets on which a server listens, from bind to close, and the connections that they bring.
 *
 * What a connection is to be (TCP_NODELAY, keep-alive) its listener is already: connections inherit it, and cost no system
 * call but accept.
 *
 * When there is no descriptor for a connection (statement 114), the server rests: one report, and nothing more is accepted
 * until one of its connections has ended, or a second has passed. Resting and going on need no memory but the alarm's place
 * in the heap; where there is none the next round tries.
 */
#include "io/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"

#define REST HOYA_SEC(1)

static hoya_listener *listener_of(hoya_channel *channel)
{
    return HOYA_CONTAINER_OF(channel, hoya_listener, channel);
}

/* "bind to 127.0.0.1:80: address in use" */
static int address_error(int code, const char *what, const struct sockaddr *address, socklen_t length)
{
    char where[HOYA_ADDRESS_TEXT_SIZE] = "an address";
    hoya_address_format(address, length, where, sizeof where);
    return hoya_error_set(code, "%s %s: %s", what, where, hoya_strerror(code));
}

/* ---- resting ------------------------------------------------------------------------------------------------- */

static void stop(hoya_server *server)
{
    for (size_t i = 0; i < server->count; i++) {
        hoya_channel *channel = &server->listeners[i].channel;
        channel->engine->stop(channel, HOYA_CHANNEL_ACCEPT);
    }
}

static int start(hoya_server *server)
{
    for (size_t i = 0; i < server->count; i++) {
        hoya_channel *channel = &server->listeners[i].channel;
        int rc = channel->engine->start(channel, HOYA_CHANNEL_ACCEPT);
        if (rc < 0) {
            stop(server);
            return rc;
        }
    }
    return 0;
}

/* Where due timers are looked for: accepting goes on in the turn of a channel, which has its place in the ring. */
static void on_alarm(void *arg)
{
    hoya_server *server = arg;
    hoya_channel_soon(&server->listeners[0].channel);
}

const char *hoya_listener_text(const hoya_listener *listener, char text[HOYA_ADDRESS_TEXT_SIZE])
{
    const hoya_address *name = &listener->name;
    const struct sockaddr *address = (const struct sockaddr *)&name->storage;
    return hoya_address_format(address, name->length, text, HOYA_ADDRESS_TEXT_SIZE) < 0 ? "?" : text;
}

/* What keeps on failing is reported once a second. The report is last: it may close the server. */
static void rest(hoya_listener *listener, int code)
{
    hoya_server *server = listener->server;
    hoya_loop *loop = server->loop;
    int64_t now = hoya_loop_time(loop);
    stop(server);
    server->resting = true;
    memset(&server->alarm, 0, sizeof server->alarm);
    if (hoya_alarm_set(loop, &server->alarm, hoya_time_add(now, REST), on_alarm, server, NULL) < 0)
        on_alarm(server);
    if (server->complained && now - server->complained_at < REST) return;
    server->complained = true;
    server->complained_at = now;
    char where[HOYA_ADDRESS_TEXT_SIZE];
    hoya_error_set(code, "%s: %s; the server tries again in a second, or when one of its connections has ended",
                   hoya_listener_text(listener, where), hoya_strerror(code));
    hoya_loop_report(loop, code, listener->channel.record.fd, "a server cannot accept connections");
}

static void wake(hoya_server *server)
{
    server->resting = false;
    hoya_alarm_clear(&server->alarm);
    int rc = start(server);
    if (rc < 0) rest(&server->listeners[0], rc);
}

void hoya_listeners_wake(hoya_server *server)
{
    if (server->resting && !server->closed) wake(server);
}

static void turn(hoya_channel *channel)
{
    hoya_listeners_wake(listener_of(channel)->server);
}

/* ---- a connection --------------------------------------------------------------------------------------------- */

static int make_connection(hoya_server *server, const hoya_arrival *arrival)
{
    hoya_protocol protocol = {NULL, NULL};
    hoya_transport *transport;
    int rc = server->factory(server, &protocol, server->arg);
    if (rc >= 0) rc = hoya_protocol_check(protocol);
    if (rc >= 0)
        rc = hoya_link_new(server->loop, arrival->fd, arrival->peer, arrival->length, protocol, &server->link,
                           &server->owner, &transport);
    if (rc < 0) return hoya_protocol_refuse(protocol, rc);
    server->connections++;
    hoya_server_ref(server);
    if (arrival->unwanted) hoya_transport_close(transport); /* nothing is written yet: no other than abort */
    return 0;
}

static bool accepted(hoya_channel *channel, int fd, const struct sockaddr *peer, socklen_t length)
{
    hoya_server *server = listener_of(channel)->server;
    if (hoya_unlikely(fd < 0)) {
        if (hoya_socket_met_an_end(-fd)) return true; /* the next may be well */
        rest(listener_of(channel), fd);
        return false;
    }
    hoya_fd_adopt(fd);
    /* What closes the server in there must leave `arg` alone; the channel's turn keeps the server. */
    hoya_arrival arrival = {.fd = fd, .peer = peer, .length = length, .outer = server->arrivals};
    server->arrivals = &arrival;
    int rc = make_connection(server, &arrival);
    server->arrivals = arrival.outer;
    if (hoya_unlikely(rc < 0)) {
        hoya_loop_report(server->loop, rc, fd, "a connection that came in was closed: nobody could serve it");
        hoya_fd_close(&fd); /* statement 115 */
    }
    if (hoya_unlikely(server->closed)) hoya_server_look_for_end(server);
    return true;
}

static void gone(hoya_channel *channel)
{
    hoya_server_unref(listener_of(channel)->server);
}

static uintptr_t function(const hoya_channel *channel)
{
    return (uintptr_t)((const hoya_listener *)channel)->server->factory;
}

static const hoya_channel_events events = {
    .what = "server", .turn = turn, .accepted = accepted, .gone = gone, .function = function};

/* ---- sockets ---------------------------------------------------------------------------------------------------- */

int hoya_listeners_reserve(hoya_server *server, size_t count)
{
    server->listeners = hoya_new_zeroed(count * sizeof *server->listeners);
    if (!server->listeners) return HOYA_ENOMEM;
    server->room = count;
    return 0;
}

static int set_up(const hoya_server *server, hoya_fd fd, int family)
{
    const hoya_server_options *o = &server->options;
    int rc = 0;
    if (family != AF_UNIX && !o->no_reuse_address)
        rc = hoya_socket_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
    if (rc >= 0 && family != AF_UNIX && o->reuse_port)
        rc = hoya_socket_set_flag(fd, SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT");
    if (rc >= 0 && family == AF_INET6) rc = hoya_socket_set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
    return rc < 0 ? rc : hoya_socket_set_link(fd, family, &server->link);
}

hoya_fd hoya_listener_bind(const hoya_server *server, const struct sockaddr *address, socklen_t length,
                           int protocol)
{
    hoya_fd fd = hoya_socket_open(address->sa_family, SOCK_STREAM, protocol);
    if (fd < 0) return address_error(fd, "socket for", address, length);
    int rc = set_up(server, fd, address->sa_family);
    if (rc >= 0) {
        rc = hoya_unix_path_bind(fd, address, length);
        if (rc < 0) address_error(rc, "bind to", address, length);
    }
    if (rc < 0) hoya_fd_close(&fd);
    return rc < 0 ? rc : fd;
}

int hoya_listener_add(hoya_server *server, hoya_fd fd)
{
    hoya_loop_io *io;
    hoya_listener *listener = &server->listeners[server->count];
    hoya_check(server->count < server->room, "a server has more sockets than it wanted");
    int rc = hoya_loop_io_of(server->loop, &io);
    if (rc < 0) return rc;
    memset(listener, 0, sizeof *listener);
    listener->server = server;
    listener->name.length = sizeof listener->name.storage;
    if (hoya_sys_getsockname(fd, (struct sockaddr *)&listener->name.storage, &listener->name.length) < 0)
        return hoya_error_errno("getsockname");
    listener->channel.loop = server->loop;
    listener->channel.engine = io->engine;
    listener->channel.events = &events;
    rc = io->engine->begin(&listener->channel, fd);
    if (rc < 0) return rc;
    hoya_server_ref(server);
    server->count++;
    return 0;
}

hoya_fd hoya_listener_take_last(hoya_server *server)
{
    hoya_listener *listener = &server->listeners[--server->count];
    hoya_fd fd = listener->channel.record.fd;
    listener->channel.engine->end(&listener->channel);
    return fd;
}

/* Unwatched first; the path before the socket (see unix_path.c). */
void hoya_listener_remove_last(hoya_server *server)
{
    const hoya_listener *listener = &server->listeners[server->count - 1];
    hoya_fd fd = hoya_listener_take_last(server);
    if (listener->removes_file && server->generation == hoya_fork_generation())
        hoya_unix_path_remove(&listener->name, listener->file);
    hoya_fd_close(&fd);
}

static int listen_on(const hoya_listener *listener, int backlog)
{
    int code = 0;
    if (!hoya_unix_path_is(&listener->name, listener->file)) code = HOYA_EADDRINUSE; /* nobody could find it */
    else if (hoya_sys_listen(listener->channel.record.fd, backlog) < 0) code = -errno;
    return code < 0 ? address_error(code, "listen on", (const struct sockaddr *)&listener->name.storage,
                                    listener->name.length)
                    : 0;
}

/* What listens already goes on when a later one fails: to stop it would cost a socket its port, if the system chose it. */
int hoya_listeners_start(hoya_server *server)
{
    int backlog = server->options.backlog ? server->options.backlog : 100;
    for (size_t i = 0; i < server->count; i++) {
        int rc = listen_on(&server->listeners[i], backlog);
        if (rc < 0) return rc;
    }
    int rc = start(server);
    if (rc >= 0) server->serving = true;
    return rc;
}

void hoya_listeners_close(hoya_server *server)
{
    if (server->resting) hoya_alarm_clear(&server->alarm);
    server->serving = server->resting = false;
    while (server->count) hoya_listener_remove_last(server);
}
