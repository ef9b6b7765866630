/* SPDX-License-Identifier: MIT
 *
 * io/create_datagram.c: datagram endpoints, from what the program says to a transport.
 *
 * Both hosts are looked up at once; then the addresses are tried in one go, since none of them can make anybody wait. The
 * creation lives on until connection_made has returned. However it ends, give_up leaves nothing behind: that needs no memory.
 * What still has the creation's memory then (a callback that is queued) has a reference, and finds it over. The future is done
 * before that: the protocol's `released` runs in give_up, and may cancel it.
 */
#include <netdb.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/fd.h"
#include "future/future.h"
#include "io/answer.h"
#include "io/datagram.h"

struct hoya_datagram_creation {
    hoya_future
        future; /* first: it is one. References: the program's; one while it is pending; one of each lookup's callback */
    hoya_list node; /* of hoya_loop_io.datagram_creations, until it is over */
    bool over, tried;
    hoya_future *remote, *local; /* lookups; NULL: not asked for */
    hoya_datagram_setup setup;
    hoya_datagram_protocol protocol;    /* until the transport has it */
    hoya_datagram_transport *transport; /* a reference, from its making to its beginning */
};

static hoya_datagram_creation *creation_of(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, hoya_datagram_creation, future);
}

/* ---- the end -------------------------------------------------------------------------------------------------- */

static void end_lookup(hoya_future **lookup)
{
    hoya_future *future = *lookup;
    *lookup = NULL;
    if (future) hoya_future_cancel(future, NULL);
    hoya_future_unref(future);
}

static void forget_lookups(hoya_datagram_creation *creation)
{
    end_lookup(&creation->remote);
    end_lookup(&creation->local);
}

/* Once; whoever holds no other reference has none any more. */
static void give_up(hoya_datagram_creation *creation)
{
    if (creation->over) return;
    creation->over = true;
    hoya_list_remove(&creation->node);
    forget_lookups(creation);
    hoya_datagram_protocol protocol = creation->protocol;
    hoya_datagram_transport *transport = creation->transport;
    creation->protocol = (hoya_datagram_protocol){NULL, NULL};
    creation->transport = NULL;
    if (transport) {
        transport->creation = NULL;
        hoya_datagram_end(transport, 0);
        hoya_datagram_transport_unref(transport);
    }
    if (protocol.ops) hoya_destroy_arg(protocol.ops->released, protocol.arg);
    hoya_future_drop(&creation->future);
}

void hoya_datagram_creations_close(hoya_loop_io *io)
{
    while (!hoya_list_is_empty(&io->datagram_creations))
        give_up(HOYA_CONTAINER_OF(io->datagram_creations.next, hoya_datagram_creation, node));
}

static void end_with(hoya_datagram_creation *creation, hoya_outcome outcome)
{
    hoya_future_hold(&creation->future); /* a cancel after the loop's close: it is over already */
    creation->future.outcome = outcome;
    hoya_future_settle(&creation->future);
    give_up(creation);
    hoya_future_drop(&creation->future);
}

static void fail(hoya_datagram_creation *creation, int code, const char *text)
{
    end_with(creation, hoya_outcome_error(code, text));
}

static int cancel(hoya_future *future, const char *reason)
{
    fail(creation_of(future), HOYA_ECANCELED, reason);
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
    return "a datagram endpoint that was being made";
}

static const hoya_future_class creation_class = {.cancel = cancel, .free = free_creation, .name = name};

static void unref_transport(void *value)
{
    hoya_datagram_transport_unref(value);
}

void hoya_datagram_creation_made(hoya_datagram_creation *creation, int code)
{
    hoya_datagram_transport *transport = creation->transport;
    creation->transport = NULL; /* its reference becomes the value's */
    if (code >= 0) {
        end_with(creation, hoya_outcome_value(transport, unref_transport));
        return;
    }
    hoya_datagram_transport_unref(transport);
    fail(creation, code, hoya_error_detail_of(code));
}

/* ---- one of several addresses --------------------------------------------------------------------------------- */

static int serve(hoya_datagram_creation *creation, hoya_datagram_socket *socket)
{
    int rc = hoya_datagram_transport_new(creation->future.loop, socket, creation->protocol, &creation->setup,
                                         creation, &creation->transport);
    if (rc < 0) {
        hoya_datagram_socket_close(socket);
        return rc;
    }
    creation->protocol = (hoya_datagram_protocol){NULL, NULL};
    hoya_datagram_transport_ref(creation->transport);
    return 0;
}

/* The first failure counts. */
static int try_pair(hoya_datagram_creation *creation, const struct addrinfo *local, const struct addrinfo *remote,
                    int before)
{
    hoya_datagram_socket socket;
    hoya_error_place errors, *outer = before < 0 ? hoya_error_begin(&errors) : NULL;
    int family = local ? local->ai_family : remote ? remote->ai_family : creation->setup.options.family;
    int rc = hoya_datagram_socket_open(&socket, &creation->setup, family, local, remote);
    if (rc >= 0) rc = serve(creation, &socket);
    if (before < 0) hoya_error_move(outer);
    return rc < 0 && before < 0 ? before : rc;
}

/* With each local address of its family. */
static int try_remote(hoya_datagram_creation *creation, const struct addrinfo *locals,
                      const struct addrinfo *remote, int rc)
{
    if (!creation->local) return try_pair(creation, NULL, remote, rc);
    for (const struct addrinfo *local = locals; local; local = local->ai_next) {
        if (remote && local->ai_family != remote->ai_family) continue;
        rc = try_pair(creation, local, remote, rc);
        if (rc >= 0 && creation->transport) return rc;
    }
    return rc;
}

static int try_all(hoya_datagram_creation *creation, const struct addrinfo *locals, const struct addrinfo *remotes)
{
    int rc = 0;
    if (!remotes) rc = try_remote(creation, locals, NULL, 0);
    for (const struct addrinfo *remote = remotes; remote && !creation->transport; remote = remote->ai_next)
        rc = try_remote(creation, locals, remote, rc);
    if (creation->transport || rc < 0) return rc;
    return hoya_error_set(HOYA_EADDRNOTAVAIL, "the local address is of another family");
}

static void on_addresses(hoya_datagram_creation *creation)
{
    const struct addrinfo *locals = NULL, *remotes = NULL;
    creation->tried = true;
    int rc = creation->remote ? hoya_answer_addresses(creation->remote, &remotes) : 0;
    if (rc >= 0 && creation->local) rc = hoya_answer_addresses(creation->local, &locals);
    if (rc >= 0) rc = try_all(creation, locals, remotes);
    if (rc < 0) fail(creation, rc, hoya_error_detail());
}

/* ---- lookups -------------------------------------------------------------------------------------------------- */

static bool is_ready(const hoya_datagram_creation *creation)
{
    return (!creation->remote || hoya_future_done(creation->remote)) &&
           (!creation->local || hoya_future_done(creation->local));
}

/* Both may be done before the callback of either runs. */
static void on_lookup(hoya_future *lookup, void *arg)
{
    (void)lookup;
    hoya_datagram_creation *creation = arg;
    if (!creation->over && !creation->tried && is_ready(creation)) on_addresses(creation);
}

static void unref(void *arg)
{
    hoya_datagram_creation *creation = arg;
    hoya_future_drop(&creation->future);
}

static int look_up(hoya_datagram_creation *creation, const char *host, const char *port, int flags,
                   hoya_future **lookup)
{
    const struct addrinfo hints = {.ai_family = creation->setup.options.family,
                                   .ai_socktype = SOCK_DGRAM,
                                   .ai_flags = creation->setup.options.flags | flags};
    return hoya_getaddrinfo(creation->future.loop, host, port, &hints, lookup);
}

static int wait_for(hoya_datagram_creation *creation, hoya_future *lookup)
{
    if (!lookup || hoya_future_done(lookup)) return 0;
    hoya_future_hold(&creation->future);
    return hoya_future_add_done_callback(lookup, on_lookup, creation, unref, NULL);
}

static int begin(hoya_datagram_creation *creation)
{
    const hoya_datagram_options *o = &creation->setup.options;
    int rc = 0;
    if (o->remote_host) rc = look_up(creation, o->remote_host, o->remote_port, 0, &creation->remote);
    if (rc >= 0 && !creation->over && (o->local_host || o->local_port))
        rc = look_up(creation, o->local_host, o->local_port, AI_PASSIVE, &creation->local);
    if (rc >= 0) rc = wait_for(creation, creation->remote);
    if (rc >= 0) rc = wait_for(creation, creation->local);
    return rc;
}

/* ---- making one ----------------------------------------------------------------------------------------------- */

static bool is_nobody(const char *host)
{
    return !host || !host[0];
}

static int check_hosts(const hoya_datagram_options *o)
{
    if (is_nobody(o->remote_host) != is_nobody(o->remote_port))
        return hoya_error_set(HOYA_EINVAL, "a datagram endpoint to a remote %s without a %s",
                              o->remote_host ? "host" : "port", o->remote_host ? "port" : "host");
    if (o->family && o->family != AF_INET && o->family != AF_INET6)
        return hoya_error_set(HOYA_EAI_FAMILY, "a datagram endpoint of family %d", o->family);
    if (!o->family && !o->remote_host && !o->local_host && !o->local_port)
        return hoya_error_set(HOYA_EINVAL, "a datagram endpoint without an address and without a family");
    return 0;
}

static int check(hoya_loop *loop, hoya_datagram_protocol protocol, const hoya_datagram_options *given,
                 hoya_datagram_setup *setup)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_datagram_protocol_check(protocol);
    return rc < 0 ? rc : hoya_datagram_setup_read(setup, given);
}

static int new_creation(hoya_loop *loop, hoya_datagram_protocol protocol, const hoya_datagram_setup *setup,
                        const void *place, hoya_datagram_creation **out)
{
    hoya_loop_io *io;
    int rc = hoya_loop_io_of(loop, &io);
    hoya_datagram_creation *creation = rc < 0 ? NULL : hoya_new_zeroed(sizeof *creation);
    if (!creation) return rc < 0 ? rc : HOYA_ENOMEM;
    hoya_future_init(&creation->future, &creation_class, hoya_loop_ref(loop), place);
    hoya_future_hold(&creation->future); /* while it is pending */
    creation->protocol = protocol;
    creation->setup = *setup;
    hoya_list_append(&io->datagram_creations, &creation->node);
    *out = creation;
    return 0;
}

/* As if it had never been. */
static int discard(hoya_datagram_creation *creation, int code)
{
    hoya_error_place errors; /* what is let go may fail in its turn: nobody asked */
    hoya_error_place *before = hoya_error_begin(&errors);
    give_up(creation);
    hoya_future_drop(&creation->future);
    hoya_error_move(before);
    return code;
}

static void forget_strings(hoya_datagram_options *o)
{
    o->local_host = o->local_port = o->remote_host = o->remote_port = o->multicast_interface = NULL;
}

int hoya_create_datagram_endpoint(hoya_loop *loop, hoya_datagram_protocol protocol,
                                  const hoya_datagram_options *options, hoya_future **future)
{
    hoya_datagram_setup setup;
    hoya_datagram_creation *creation;
    int rc = check(loop, protocol, options, &setup);
    if (rc >= 0) rc = check_hosts(&setup.options);
    if (rc >= 0) rc = new_creation(loop, protocol, &setup, HOYA_CALLER(), &creation);
    if (rc < 0) return hoya_datagram_protocol_refuse(protocol, rc);
    rc = begin(creation);
    forget_strings(&creation->setup.options);
    /* A resolver of the program's may have closed the loop. */
    if (creation->over) forget_lookups(creation);
    else if (rc < 0) return discard(creation, rc);
    else if (is_ready(creation)) on_addresses(creation); /* numbers: nothing has to be asked */
    if (future) *future = &creation->future;
    else hoya_future_drop(&creation->future);
    return 0;
}

static int give(hoya_datagram_transport *transport, hoya_datagram_transport **out)
{
    if (out) *out = hoya_datagram_transport_ref(transport);
    return 0;
}

int hoya_create_unix_datagram_endpoint(hoya_loop *loop, const char *local, const char *remote,
                                       hoya_datagram_protocol protocol, const hoya_datagram_options *options,
                                       hoya_datagram_transport **out)
{
    hoya_datagram_setup setup;
    hoya_datagram_socket socket;
    hoya_datagram_transport *transport;
    int rc = check(loop, protocol, options, &setup);
    if (rc >= 0) rc = hoya_datagram_socket_open_unix(&socket, &setup, local, remote);
    if (rc < 0) return hoya_datagram_protocol_refuse(protocol, rc);
    rc = hoya_datagram_transport_new(loop, &socket, protocol, &setup, NULL, &transport);
    if (rc >= 0) return give(transport, out);
    hoya_datagram_socket_close(&socket);
    return hoya_datagram_protocol_refuse(protocol, rc);
}

int hoya_create_datagram_endpoint_on_socket(hoya_loop *loop, hoya_fd fd, hoya_datagram_protocol protocol,
                                            const hoya_datagram_options *options, hoya_datagram_transport **out)
{
    hoya_datagram_setup setup;
    hoya_datagram_socket socket;
    hoya_datagram_transport *transport;
    int rc = check(loop, protocol, options, &setup);
    if (rc >= 0) rc = hoya_datagram_socket_take(&socket, &setup, fd);
    if (rc >= 0) rc = hoya_datagram_transport_new(loop, &socket, protocol, &setup, NULL, &transport);
    if (rc < 0) return hoya_datagram_protocol_refuse(protocol, rc);
    hoya_fd_adopt(fd);
    return give(transport, out);
}
