/* SPDX-License-Identifier: MIT
 *
 * io/create_server.c: servers, from what the program says to sockets that listen.
 *
 * Hosts are looked up first, all at once; then everything is bound in one go, in their order: all of it, or nothing is left
 * (statement 116). The future of a creation is done right after that, so that a cancel comes while names are looked up, or too
 * late. What still knows the creation then (a callback that is queued) has a reference, and finds it over: its server is NULL.
 * The future is done before anything is let go: a list of a resolver's runs a destroy function, which may cancel it.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/fd.h"
#include "base/sys.h"
#include "future/future.h"
#include "io/answer.h"
#include "io/names.h"
#include "io/server.h"

#define TRIES 16 /* for a port that is free on each address of a host */

struct hoya_creation {
    hoya_future
        future; /* first: it is one. References: the program's; one while it is pending; one of each lookup's callback */
    hoya_server *server; /* a reference, while it is pending */
    size_t count;
    hoya_future *lookups[];
};

static hoya_creation *creation_of(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, hoya_creation, future);
}

/* ---- the end of a creation -------------------------------------------------------------------------------------- */

static void forget_lookups(hoya_creation *creation)
{
    for (size_t i = 0; i < creation->count; i++) {
        hoya_future *lookup = creation->lookups[i];
        creation->lookups[i] = NULL;
        if (lookup) hoya_future_cancel(lookup, NULL);
        hoya_future_unref(lookup);
    }
}

/* Leaves nothing behind but the server, which is the caller's; needs no memory. */
static void give_up(hoya_creation *creation)
{
    creation->server->creation = NULL;
    creation->server = NULL;
    forget_lookups(creation);
}

static void end_with(hoya_creation *creation, hoya_outcome outcome)
{
    creation->future.outcome = outcome;
    hoya_future_settle(&creation->future);
    if (!creation->server) return; /* a cancel after the loop's close: it was over already */
    give_up(creation);
    hoya_future_drop(&creation->future);
}

static void fail(hoya_creation *creation, hoya_outcome outcome)
{
    hoya_server *server = creation->server;
    end_with(creation, outcome);
    if (server) hoya_server_shut(server);
    hoya_server_unref(server);
}

static void unref_server(void *server)
{
    hoya_server_unref(server);
}

static int cancel(hoya_future *future, const char *reason)
{
    fail(creation_of(future), hoya_outcome_error(HOYA_ECANCELED, reason));
    return 1;
}

static void free_creation(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    hoya_free(creation_of(future));
    hoya_loop_unref(loop);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "a server that was being made";
}

static const hoya_future_class creation_class = {.cancel = cancel, .free = free_creation, .name = name};

void hoya_creation_close(hoya_creation *creation)
{
    hoya_server *server = creation->server;
    give_up(creation);
    hoya_server_shut(server);
    hoya_server_unref(server);
    hoya_future_drop(&creation->future); /* pending for ever: its loop is closed */
}

/* ---- all or nothing --------------------------------------------------------------------------------------------- */

static in_port_t *port_of(struct sockaddr *address)
{
    return address->sa_family == AF_INET6 ? &((struct sockaddr_in6 *)(void *)address)->sin6_port
                                          : &((struct sockaddr_in *)(void *)address)->sin_port;
}

static hoya_address address_of(const struct addrinfo *found)
{
    hoya_address address = {.length = found->ai_addrlen};
    memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    return address;
}

/* Names of two hosts may lead to one address, and a host's list may have one twice. */
static bool is_bound(const hoya_server *server, const hoya_address *address)
{
    for (size_t i = 0; i < server->count; i++) {
        const hoya_address *name = &server->listeners[i].name;
        if (name->length == address->length && !memcmp(&name->storage, &address->storage, name->length))
            return true;
    }
    return false;
}

/* This machine has not got the address, or none of its family. */
static bool is_missing(int code)
{
    return code == HOYA_EADDRNOTAVAIL || code == HOYA_EAFNOSUPPORT;
}

static int add_address(hoya_server *server, const hoya_address *address, int protocol)
{
    hoya_fd fd = hoya_listener_bind(server, (const struct sockaddr *)&address->storage, address->length, protocol);
    if (fd < 0) return fd;
    int rc = hoya_listener_add(server, fd);
    if (rc < 0) hoya_fd_close(&fd);
    return rc;
}

/* One host's. Where the system chooses the port it chooses once, if that is insisted on: *chosen, for the addresses that
 * follow. What is missing is left out, unless it is all there is. */
static int add_host(hoya_server *server, const struct addrinfo *list, bool insist, in_port_t *chosen)
{
    bool served = false;
    int missing = 0;
    char text[256] = "";
    for (const struct addrinfo *found = list; found; found = found->ai_next) {
        hoya_address address = address_of(found);
        in_port_t *port = port_of((struct sockaddr *)&address.storage);
        bool chooses = !*port;
        if (chooses && insist) *port = *chosen;
        int rc = is_bound(server, &address) ? 1 : add_address(server, &address, found->ai_protocol);
        if (rc < 0 && !is_missing(rc)) return rc;
        if (rc >= 0) served = true;
        else if (!missing) snprintf(text, sizeof text, "%s", hoya_error_detail());
        if (rc < 0 && !missing) missing = rc;
        if (rc == 0 && chooses)
            *chosen = *port_of((struct sockaddr *)&server->listeners[server->count - 1].name.storage);
    }
    return served ? 0 : hoya_error_set(missing ? missing : HOYA_EADDRNOTAVAIL, "%s", text);
}

/* A port that the system has chosen for one address may be somebody's on the next. */
static int add_host_by_tries(hoya_server *server, const struct addrinfo *list)
{
    size_t before = server->count;
    for (int i = 1;; i++) {
        in_port_t chosen = 0;
        int rc = add_host(server, list, i < TRIES, &chosen);
        if (rc >= 0 || !chosen || rc != HOYA_EADDRINUSE || i == TRIES) return rc;
        while (server->count > before) hoya_listener_remove_last(server);
    }
}

/* `look` has looked at the answers. */
static int bind_all(hoya_creation *creation, hoya_server *server)
{
    void *list;
    size_t room = 0;
    for (size_t i = 0; i < creation->count; i++) {
        hoya_future_result(creation->lookups[i], &list);
        for (const struct addrinfo *found = list; found; found = found->ai_next) room++;
    }
    int rc = hoya_listeners_reserve(server, room);
    for (size_t i = 0; rc >= 0 && i < creation->count; i++) {
        hoya_future_result(creation->lookups[i], &list);
        rc = add_host_by_tries(server, list);
    }
    return rc < 0 || server->options.paused ? rc : hoya_listeners_start(server);
}

static void finish(hoya_creation *creation, int rc)
{
    if (rc >= 0) rc = bind_all(creation, creation->server);
    if (rc < 0) fail(creation, hoya_outcome_error(rc, hoya_error_detail()));
    else end_with(creation, hoya_outcome_value(creation->server, unref_server));
}

/* ---- the lookups -------------------------------------------------------------------------------------------------- */

/* One that fails decides; otherwise the last. */
static void look(hoya_creation *creation)
{
    bool all = true;
    for (size_t i = 0; i < creation->count; i++) {
        const struct addrinfo *list;
        bool done = creation->lookups[i] && hoya_future_done(creation->lookups[i]);
        int rc = done ? hoya_answer_addresses(creation->lookups[i], &list) : 0;
        if (rc < 0) {
            finish(creation, rc);
            return;
        }
        if (!done) all = false;
    }
    if (all) finish(creation, 0);
}

static void on_lookup(hoya_future *lookup, void *arg)
{
    (void)lookup;
    hoya_creation *creation = arg;
    if (creation->server) look(creation);
}

static void unref(void *arg)
{
    hoya_creation *creation = arg;
    hoya_future_drop(&creation->future);
}

static bool is_anybody(const char *host)
{
    return !host || !host[0];
}

/* Bad arguments are the call's answer, before anybody is asked for the first of them. */
static int check_endpoint(const char *host, const char *port)
{
    if (!port || !port[0]) return hoya_error_set(HOYA_EINVAL, "a server on no port of \"%s\"", host ? host : "");
    int rc = is_anybody(host) ? 0 : hoya_check_host(host);
    return rc < 0 ? rc : hoya_check_service(port);
}

static int look_up(hoya_creation *creation, const char *host, const char *port, const struct addrinfo *hints,
                   hoya_future **lookup)
{
    int rc = hoya_getaddrinfo(creation->future.loop, is_anybody(host) ? NULL : host, port, hints, lookup);
    if (rc < 0 || hoya_future_done(*lookup)) return rc;
    hoya_future_hold(&creation->future);
    return hoya_future_add_done_callback(*lookup, on_lookup, creation, unref, NULL);
}

/* A resolver of the program's may run the loop, or close it: it may be over, and the server gone, after each question. */
static int begin(hoya_creation *creation, const char *host, const char *port, const hoya_endpoint *more)
{
    const hoya_server_options *o = &creation->server->options;
    const struct addrinfo hints = {
        .ai_family = o->family, .ai_socktype = SOCK_STREAM, .ai_flags = o->flags | AI_PASSIVE};
    int rc = check_endpoint(host, port);
    for (size_t i = 1; rc >= 0 && i < creation->count; i++) rc = check_endpoint(more[i - 1].host, more[i - 1].port);
    if (rc >= 0) rc = look_up(creation, host, port, &hints, &creation->lookups[0]);
    for (size_t i = 1; rc >= 0 && creation->server && i < creation->count; i++)
        rc = look_up(creation, more[i - 1].host, more[i - 1].port, &hints, &creation->lookups[i]);
    return rc;
}

static hoya_creation *new_creation(hoya_server *server, size_t count, const void *place)
{
    hoya_creation *creation = hoya_new_zeroed(sizeof *creation + count * sizeof(hoya_future *));
    if (!creation) return NULL;
    hoya_future_init(&creation->future, &creation_class, hoya_loop_ref(server->loop), place);
    hoya_future_hold(&creation->future); /* while it is pending */
    creation->server = server;
    creation->count = count;
    server->creation = creation;
    return creation;
}

/* As if it had never been. */
static int discard(hoya_creation *creation, hoya_server *server, int code)
{
    hoya_error_place errors; /* as in hoya_server_discard */
    hoya_error_place *before = hoya_error_begin(&errors);
    give_up(creation);
    hoya_future_drop(&creation->future);
    hoya_future_drop(&creation->future);
    hoya_error_move(before);
    return hoya_server_discard(server, code);
}

int hoya_create_server(hoya_loop *loop, const char *host, const char *port, hoya_protocol_factory factory,
                       void *arg, hoya_destroy destroy, const hoya_server_options *options, hoya_future **future)
{
    hoya_server *server;
    int rc = hoya_server_new(loop, factory, arg, destroy, options, &server);
    if (rc < 0) return rc;
    size_t count = 1 + server->options.more_count;
    hoya_creation *creation = new_creation(server, count, HOYA_CALLER());
    if (!creation) return hoya_server_discard(server, HOYA_ENOMEM);
    rc = begin(creation, host, port, count > 1 ? options->more : NULL);
    if (!creation->server) forget_lookups(creation);
    else if (rc < 0) return discard(creation, server, rc);
    else look(creation); /* numbers: nothing has to be asked */
    if (future) *future = &creation->future;
    else hoya_future_drop(&creation->future);
    return 0;
}

/* ---- without names ------------------------------------------------------------------------------------------------- */

static int new_alone(hoya_loop *loop, hoya_protocol_factory factory, void *arg, hoya_destroy destroy,
                     const hoya_server_options *options, hoya_server **out)
{
    hoya_server *server;
    int rc = hoya_server_new(loop, factory, arg, destroy, options, &server);
    if (rc < 0) return rc;
    if (server->options.more_count) rc = hoya_error_set(HOYA_EINVAL, "more hosts, for a server on no host");
    if (rc >= 0) rc = hoya_listeners_reserve(server, 1);
    if (rc < 0) return hoya_server_discard(server, rc);
    *out = server;
    return 0;
}

static void give(hoya_server *server, hoya_server **out)
{
    if (out) *out = server;
    else hoya_server_unref(server);
}

static int add_unix(hoya_server *server, const hoya_address *address)
{
    hoya_fd fd = hoya_listener_bind(server, (const struct sockaddr *)&address->storage, address->length, 0);
    if (fd < 0) return fd;
    hoya_file_identity file = hoya_unix_path_identify(address);
    int rc = hoya_listener_add(server, fd);
    if (rc >= 0) {
        server->listeners[0].file = file;
        server->listeners[0].removes_file = true;
    } else {
        hoya_unix_path_remove(address, file);
        hoya_fd_close(&fd);
    }
    return rc;
}

int hoya_create_unix_server(hoya_loop *loop, const char *path, hoya_protocol_factory factory, void *arg,
                            hoya_destroy destroy, const hoya_server_options *options, hoya_server **out)
{
    hoya_address address;
    hoya_server *server;
    int rc = new_alone(loop, factory, arg, destroy, options, &server);
    if (rc < 0) return rc;
    rc = hoya_address_set_unix(&address, path);
    if (rc >= 0) rc = add_unix(server, &address);
    if (rc >= 0 && !server->options.paused) rc = hoya_listeners_start(server);
    if (rc < 0) return hoya_server_discard(server, rc);
    if (server->options.keep_socket) server->listeners[0].removes_file = false; /* from now on: it is there */
    give(server, out);
    return 0;
}

/* The system would choose a port of any address, and bind a Unix socket to no name at all. */
static int check_bound(hoya_fd fd, int family)
{
    hoya_address name = {.length = sizeof name.storage};
    if (hoya_sys_getsockname(fd, (struct sockaddr *)&name.storage, &name.length) < 0)
        return hoya_error_errno("getsockname");
    bool unbound = family == AF_UNIX
                       ? name.length <= offsetof(struct sockaddr_un, sun_path)
                       : (family == AF_INET || family == AF_INET6) && !*port_of((struct sockaddr *)&name.storage);
    return unbound ? hoya_error_set(HOYA_EINVAL, "descriptor %d is not bound", fd) : 0;
}

/* The path of such a socket is not the server's: it was there before. */
int hoya_create_server_on_socket(hoya_loop *loop, hoya_fd fd, hoya_protocol_factory factory, void *arg,
                                 hoya_destroy destroy, const hoya_server_options *options, hoya_server **out)
{
    hoya_server *server;
    int rc = new_alone(loop, factory, arg, destroy, options, &server);
    if (rc < 0) return rc;
    int family = rc = hoya_socket_check(fd, true);
    if (rc >= 0) rc = check_bound(fd, family);
    if (rc >= 0) rc = hoya_socket_set_link(fd, family, &server->link);
    if (rc >= 0) rc = hoya_listener_add(server, fd);
    if (rc >= 0 && !server->options.paused) {
        rc = hoya_listeners_start(server);
        if (rc < 0) hoya_listener_take_last(server); /* it stays the caller's */
    }
    if (rc < 0) return hoya_server_discard(server, rc);
    hoya_fd_adopt(fd);
    give(server, out);
    return 0;
}
