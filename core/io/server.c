/* SPDX-License-Identifier: MIT
 *
 * io/server.c: a server's life: it serves, is closed, and has ended when its last connection has.
 *
 * Closing, waiting for the end and reaching it need no memory but a waiting future's own. Nothing of the program's runs in
 * them but the destroy function of its argument, at the very end.
 */
#include "io/server.h"

#include <limits.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/options.h"
#include "future/future.h"

/* ---- futures that wait for it ----------------------------------------------------------------------------------- */

/* While it is pending the server has a reference to it, and it has one to the server. */
struct hoya_server_wait {
    hoya_future future; /* first: it is one */
    hoya_server *server;
    hoya_list node; /* of its waits; serve_forever's is in no list */
    bool asked;     /* serve_forever: to end, by a cancel, with this */
    hoya_outcome outcome;
};

static hoya_server_wait *wait_of(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, hoya_server_wait, future);
}

static void end_wait(hoya_server_wait *wait, hoya_outcome outcome)
{
    hoya_server *server = wait->server;
    hoya_list_remove(&wait->node);
    if (server->forever == wait) server->forever = NULL;
    wait->future.outcome = outcome;
    hoya_future_settle(&wait->future);
    hoya_future_drop(&wait->future);
    hoya_server_unref(server);
}

static int cancel_wait(hoya_future *future, const char *reason)
{
    end_wait(wait_of(future), hoya_outcome_error(HOYA_ECANCELED, reason));
    return 1;
}

/* With what it was asked to end with. */
static void end_forever(hoya_server_wait *wait)
{
    hoya_outcome outcome = wait->outcome;
    wait->outcome = (hoya_outcome){.done = false};
    end_wait(wait, outcome);
}

/* Statement 112. Whoever cancels again will not wait for the connections. */
static int cancel_forever(hoya_future *future, const char *reason)
{
    hoya_server_wait *wait = wait_of(future);
    if (wait->asked) {
        end_forever(wait);
        return 1;
    }
    wait->asked = true;
    wait->outcome = hoya_outcome_error(HOYA_ECANCELED, reason);
    hoya_server_shut(wait->server);
    return 1;
}

static void free_wait(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    hoya_free(wait_of(future));
    hoya_loop_unref(loop);
}

static const char *name_wait(const hoya_future *future)
{
    (void)future;
    return "a server";
}

static const hoya_future_class wait_class = {.cancel = cancel_wait, .free = free_wait, .name = name_wait};
static const hoya_future_class forever_class = {.cancel = cancel_forever, .free = free_wait, .name = name_wait};

static hoya_server_wait *new_wait(hoya_server *server, const hoya_future_class *class, const void *place)
{
    hoya_server_wait *wait = hoya_new(hoya_server_wait);
    if (!wait) return NULL;
    hoya_future_init(&wait->future, class, hoya_loop_ref(server->loop), place);
    hoya_list_init(&wait->node);
    wait->server = hoya_server_ref(server);
    return wait;
}

int hoya_server_wait_closed(hoya_server *server, hoya_future **future)
{
    int rc = hoya_server_enter(server);
    if (rc >= 0 && !future) rc = hoya_error_set(HOYA_EINVAL, "wait_closed without a place for the future");
    if (rc < 0) return rc;
    hoya_server_wait *wait = new_wait(server, &wait_class, HOYA_CALLER());
    if (!wait) return HOYA_ENOMEM;
    hoya_list_append(&server->waits, &wait->node);
    *future = hoya_future_ref(&wait->future);
    if (server->ended) end_wait(wait, hoya_outcome_value(NULL, NULL));
    return 0;
}

int hoya_server_serve_forever(hoya_server *server, hoya_future **future)
{
    int rc = hoya_server_enter(server);
    if (rc >= 0 && !future) rc = hoya_error_set(HOYA_EINVAL, "serve_forever without a place for the future");
    if (rc >= 0 && server->forever) rc = hoya_error_set(HOYA_EBUSY, "the server serves for ever already");
    if (rc < 0) return rc;
    hoya_server_wait *wait = new_wait(server, &forever_class, HOYA_CALLER());
    if (!wait) return HOYA_ENOMEM;
    rc = hoya_server_start_serving(server);
    if (rc < 0) {
        hoya_future_drop(&wait->future);
        hoya_server_unref(server);
        return rc;
    }
    server->forever = wait;
    *future = hoya_future_ref(&wait->future);
    return 0;
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

void hoya_server_look_for_end(hoya_server *server)
{
    if (!server->closed || server->connections || server->arrivals || server->ended) return;
    server->ended = true;
    hoya_list_remove(&server->node);
    while (!hoya_list_is_empty(&server->waits))
        end_wait(HOYA_CONTAINER_OF(server->waits.next, hoya_server_wait, node), hoya_outcome_value(NULL, NULL));
    if (server->forever) end_forever(server->forever);
    hoya_destroy_arg(server->destroy, server->arg);
}

void hoya_server_shut(hoya_server *server)
{
    if (server->closed) return;
    hoya_server_ref(server);
    server->closed = true;
    hoya_listeners_close(server);
    if (server->forever && !server->forever->asked)
        end_wait(server->forever, hoya_outcome_error(HOYA_ECLOSED, "the server was closed"));
    hoya_server_look_for_end(server);
    hoya_server_unref(server);
}

int hoya_server_close(hoya_server *server)
{
    int rc = hoya_server_enter(server);
    if (rc >= 0) hoya_server_shut(server);
    return rc;
}

/* A connection's transport tells its owner. Nobody waits for its beginning. */
static void made(hoya_transport_owner *owner, hoya_transport *transport, int code)
{
    (void)owner;
    (void)transport;
    (void)code;
}

static void lost(hoya_transport_owner *owner, hoya_transport *transport)
{
    hoya_server *server = HOYA_CONTAINER_OF(owner, hoya_server, owner);
    (void)transport;
    server->connections--;
    hoya_listeners_wake(server); /* its descriptor is free */
    hoya_server_look_for_end(server);
    hoya_server_unref(server);
}

void hoya_servers_close(hoya_loop_io *io)
{
    while (!hoya_list_is_empty(&io->servers)) {
        hoya_server *server = HOYA_CONTAINER_OF(io->servers.next, hoya_server, node);
        hoya_list_remove(&server->node);
        if (server->creation) hoya_creation_close(server->creation);
        else hoya_server_shut(server);
    }
}

/* ---- making one ------------------------------------------------------------------------------------------------- */

static int check_options(const hoya_server_options *o)
{
    if (o->backlog < 0) return hoya_error_set(HOYA_EINVAL, "a server with a backlog of %d", o->backlog);
    if (o->more_count && !o->more) return hoya_error_set(HOYA_EINVAL, "a server with more hosts, which are NULL");
    if (o->more_count > INT_MAX) return hoya_error_set(HOYA_EINVAL, "a server on %zu more hosts", o->more_count);
    return 0;
}

static int fill_in(hoya_server *server, hoya_loop *loop, hoya_protocol_factory factory,
                   const hoya_server_options *given)
{
    hoya_loop_io *io;
    if (!factory) return hoya_error_set(HOYA_EINVAL, "a server without a protocol factory");
    if (!hoya_options_read(&server->options, sizeof server->options, given))
        return hoya_error_set(HOYA_EINVAL, "server options that this version does not know");
    int rc = check_options(&server->options);
    if (rc >= 0) rc = hoya_link_options_read(&server->link, server->options.transport);
    if (rc >= 0) rc = hoya_loop_io_of(loop, &io);
    if (rc < 0) return rc;
    server->options.transport = NULL;
    server->options.more = NULL;
    server->refs = 1;
    server->generation = hoya_fork_generation();
    server->owner = (hoya_transport_owner){made, lost};
    server->loop = hoya_loop_ref(loop);
    server->factory = factory;
    hoya_list_init(&server->waits);
    hoya_list_append(&io->servers, &server->node);
    return 0;
}

int hoya_server_new(hoya_loop *loop, hoya_protocol_factory factory, void *arg, hoya_destroy destroy,
                    const hoya_server_options *options, hoya_server **out)
{
    int rc = hoya_loop_enter(loop);
    hoya_server *server = rc < 0 ? NULL : hoya_new(hoya_server);
    if (rc >= 0) rc = server ? fill_in(server, loop, factory, options) : HOYA_ENOMEM;
    if (rc < 0) {
        hoya_free(server);
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    server->arg = arg;
    server->destroy = destroy;
    *out = server;
    return 0;
}

int hoya_server_discard(hoya_server *server, int code)
{
    hoya_error_place errors; /* what is let go may fail in its turn: nobody asked */
    hoya_error_place *before = hoya_error_begin(&errors);
    hoya_server_shut(server);
    hoya_server_unref(server);
    hoya_error_move(before);
    return code;
}

hoya_server *hoya_server_ref(hoya_server *server)
{
    hoya_check(server->refs > 0, "a server was used after it was freed");
    server->refs++;
    return server;
}

/* One that listens, or has connections, has references. */
void hoya_server_unref(hoya_server *server)
{
    if (!server) return;
    hoya_check(server->refs > 0, "a server was unreferenced once too often");
    if (--server->refs) return;
    hoya_check(server->ended, "a server was freed before its end");
    hoya_loop *loop = server->loop;
    hoya_free(server->listeners);
    hoya_free(server);
    hoya_loop_unref(loop);
}

/* ---- what the program asks ---------------------------------------------------------------------------------------- */

hoya_loop *hoya_server_get_loop(const hoya_server *server)
{
    return server->loop;
}

int hoya_server_start_serving(hoya_server *server)
{
    int rc = hoya_server_enter(server);
    if (rc >= 0 && server->closed) rc = hoya_error_set(HOYA_ECLOSED, "the server is closed");
    return rc < 0 || server->serving ? rc : hoya_listeners_start(server);
}

int hoya_server_is_serving(const hoya_server *server)
{
    return server->serving;
}

/* None of them is out of the list before its turn comes, unless the end of one, with a file that nobody waits for, is
 * reported to an exception handler that turns the host's loop, or closes ours: then it begins anew, or all have ended. */
static int end_clients(hoya_server *server, int (*end)(hoya_transport *transport))
{
    int rc = hoya_server_enter(server);
    if (rc < 0) return rc;
    for (hoya_arrival *arrival = server->arrivals; arrival; arrival = arrival->outer) arrival->unwanted = true;
    if (!server->connections) return 0;
    const hoya_loop_io *io = server->loop->slots[HOYA_SLOT_IO].data;
    hoya_server_ref(server);
    hoya_list *next;
    for (hoya_list *node = io->transports.next; node != &io->transports; node = next) {
        hoya_transport *transport = HOYA_CONTAINER_OF(node, hoya_transport, node);
        if (transport->owner != &server->owner) {
            next = node->next;
            continue;
        }
        hoya_transport_ref(transport);
        end(transport);
        bool over = hoya_loop_is_closed(server->loop);
        if (!over) next = hoya_list_is_empty(node) ? io->transports.next : node->next;
        hoya_transport_unref(transport);
        if (over) break;
    }
    hoya_server_unref(server);
    return 0;
}

int hoya_server_close_clients(hoya_server *server)
{
    return end_clients(server, hoya_transport_close);
}

int hoya_server_abort_clients(hoya_server *server)
{
    return end_clients(server, hoya_transport_abort);
}

size_t hoya_server_count_sockets(const hoya_server *server)
{
    return server->count;
}

size_t hoya_server_count_connections(const hoya_server *server)
{
    return server->connections;
}

hoya_fd hoya_server_get_socket(const hoya_server *server, size_t index)
{
    return index < server->count ? server->listeners[index].channel.record.fd : HOYA_INVALID_FD;
}

int hoya_server_get_sockname(const hoya_server *server, size_t index, hoya_address *address)
{
    int rc = hoya_server_enter(server);
    if (rc >= 0 && (index >= server->count || !address))
        rc = hoya_error_set(HOYA_EINVAL, "the server has %zu sockets, and was asked for number %zu", server->count,
                            index);
    if (rc >= 0) *address = server->listeners[index].name;
    return rc;
}

/* ---- the dump ----------------------------------------------------------------------------------------------------- */

static void dump_server(const hoya_server *server, const hoya_printer *to)
{
    char where[400];
    size_t at = 0;
    for (size_t i = 0; i < server->count && at < sizeof where; i++) {
        char text[HOYA_ADDRESS_TEXT_SIZE];
        at += (size_t)snprintf(where + at, sizeof where - at, "%s%s", i ? ", " : "",
                               hoya_listener_text(&server->listeners[i], text));
    }
    hoya_print(to, "    %s, connections: %zu%s", at ? where : "on no socket", server->connections,
               server->creation   ? ", looking its hosts up"
               : server->closed   ? ", closed"
               : server->resting  ? ", resting: it could not accept"
               : !server->serving ? ", not serving yet"
                                  : "");
}

void hoya_servers_dump(const hoya_loop_io *io, const hoya_printer *to)
{
    size_t count = 0;
    for (const hoya_list *node = io->servers.next; node != &io->servers; node = node->next) count++;
    hoya_print(to, "  servers: %zu", count);
    for (const hoya_list *node = io->servers.next; node != &io->servers; node = node->next)
        dump_server((const hoya_server *)(const void *)((const char *)node - offsetof(hoya_server, node)), to);
}
