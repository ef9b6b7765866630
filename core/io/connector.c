/* SPDX-License-Identifier: MIT
 *
 * io/connector.c: tries addresses until one answers: RFC 8305. The next try begins when the one before has failed, or has not
 * answered for a while; the first that is connected ends the others.
 *
 * However it ends, by success, failure, a cancel, the time, or the loop's close, give_up leaves nothing behind: that needs no
 * memory. What still has the connector's memory then (a channel in the ring, a callback that is queued) has a reference, and
 * finds it over. The future is done before that: the protocol's `released` runs in give_up, and may cancel it.
 */
#include "io/connector.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/fd.h"
#include "base/options.h"
#include "base/sys.h"
#include "loop/handle.h"

#define DELAY HOYA_MSEC(250) /* RFC 8305, section 8 */
#define MORE 32              /* bytes of the text that are kept for "; and 17 more" */
#define BUSY HOYA_MSEC(10)   /* until a Unix server whose queue is full is asked again */

static void unref(void *arg)
{
    hoya_connector *c = arg;
    hoya_future_drop(&c->future);
}

static hoya_connector *ref(hoya_connector *c)
{
    hoya_future_hold(&c->future);
    return c;
}

static void try_next(hoya_connector *c);

/* ---- the end -------------------------------------------------------------------------------------------------- */

static void end_try(hoya_connect_try *try)
{
    if (!try->open) return;
    hoya_fd fd = try->channel.record.fd;
    try->open = false;
    try->connector->running--;
    try->channel.engine->end(&try->channel);
    hoya_fd_close(&fd);
}

static void end_tries(hoya_connector *c)
{
    for (size_t i = 0; i < c->next && c->running; i++) end_try(&c->tries[i]);
}

static void end_timer(hoya_handle **timer)
{
    hoya_handle *handle = *timer;
    *timer = NULL;
    if (handle) hoya_handle_cancel(handle);
    hoya_handle_unref(handle);
}

static void end_lookup(hoya_future **lookup)
{
    hoya_future *future = *lookup;
    *lookup = NULL;
    if (future) hoya_future_cancel(future, NULL);
    hoya_future_unref(future);
}

void hoya_connector_forget_lookups(hoya_connector *c)
{
    end_lookup(&c->remote);
    end_lookup(&c->local);
}

/* Once; whoever holds no other reference has none any more. */
static void give_up(hoya_connector *c)
{
    if (c->over) return;
    c->over = true;
    hoya_list_remove(&c->node);
    end_timer(&c->stagger);
    end_timer(&c->deadline);
    end_tries(c);
    hoya_connector_forget_lookups(c);
    hoya_protocol protocol = c->protocol;
    hoya_transport *transport = c->transport;
    c->protocol = (hoya_protocol){NULL, NULL};
    c->transport = NULL;
    if (transport) {
        transport->owner = NULL;
        hoya_transport_end(transport, 0);
        hoya_transport_unref(transport);
    }
    hoya_protocol_release(protocol);
    unref(c);
}

void hoya_connectors_close(hoya_loop_io *io)
{
    while (!hoya_list_is_empty(&io->connectors))
        give_up(HOYA_CONTAINER_OF(io->connectors.next, hoya_connector, node));
}

static void end_with(hoya_connector *c, hoya_outcome outcome)
{
    ref(c); /* a cancel after the loop's close: it is over already */
    c->future.outcome = outcome;
    hoya_future_settle(&c->future);
    give_up(c);
    unref(c);
}

void hoya_connector_fail(hoya_connector *c, int code, const char *text)
{
    end_with(c, hoya_outcome_error(code, text));
}

static int cancel(hoya_future *future, const char *reason)
{
    end_with((hoya_connector *)future, hoya_outcome_error(HOYA_ECANCELED, reason));
    return 1;
}

static void free_connector(hoya_future *future)
{
    hoya_connector *c = (hoya_connector *)future;
    hoya_loop *loop = future->loop;
    hoya_free(c->tries);
    hoya_free(c);
    hoya_loop_unref(loop);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "a connection that was being made";
}

static const hoya_future_class connector_class = {.cancel = cancel, .free = free_connector, .name = name};

/* What became of an address; those for whose text there is no room are counted. */
static void note(hoya_connector *c, const struct addrinfo *address, int code, const char *detail)
{
    char where[HOYA_ADDRESS_TEXT_SIZE] = "an address", text[HOYA_ADDRESS_TEXT_SIZE + 160];
    hoya_error_place errors; /* it may have no text, and `detail` be the one that this thread has */
    hoya_error_place *before = hoya_error_begin(&errors);
    hoya_address_format(address->ai_addr, address->ai_addrlen, where, sizeof where);
    hoya_error_move(before);
    if (!c->code) c->code = code;
    size_t n = (size_t)snprintf(text, sizeof text, "%s%s: %s", c->written ? "; " : "", where, detail);
    if (n >= sizeof text) n = sizeof text - 1;
    if (c->more || n + MORE >= sizeof c->text - c->written) {
        c->more++;
        return;
    }
    memcpy(c->text + c->written, text, n + 1);
    c->written += n;
}

/* All of it. */
static const char *tried(hoya_connector *c)
{
    if (c->more) snprintf(c->text + c->written, sizeof c->text - c->written, "; and %zu more", c->more);
    return c->text;
}

static void on_deadline(void *arg)
{
    hoya_connector *c = arg;
    if (c->over) return;
    char text[sizeof c->text + 64];
    for (size_t i = 0; i < c->next; i++)
        if (c->tries[i].open) note(c, c->tries[i].address, HOYA_ETIMEDOUT, "no answer yet");
    if (c->won) note(c, c->won, HOYA_ETIMEDOUT, "just connected");
    else if (c->next < c->count && !c->code) /* between two tries of one that is busy */
        note(c, c->tries[c->next].address, HOYA_ETIMEDOUT, "no answer yet");
    snprintf(text, sizeof text, "the time was up%s", c->tries ? "; " : " before the host was found");
    hoya_connector_fail(c, HOYA_ETIMEDOUT, strcat(text, tried(c)));
}

/* ---- the connection is there -------------------------------------------------------------------------------- */

static void unref_transport(void *value)
{
    hoya_transport_unref(value);
}

static void made(hoya_transport_owner *owner, hoya_transport *transport, int code)
{
    hoya_connector *c = HOYA_CONTAINER_OF(owner, hoya_connector, owner);
    transport->owner = NULL;
    c->transport = NULL; /* its reference becomes the value's */
    if (code >= 0) {
        end_with(c, hoya_outcome_value(transport, unref_transport));
        return;
    }
    hoya_transport_unref(transport);
    hoya_connector_fail(c, code, hoya_error_detail_of(code));
}

/* Not come to: give_up and made leave the transport before. */
static void lost(hoya_transport_owner *owner, hoya_transport *transport)
{
    (void)owner;
    (void)transport;
}

/* Who has answered is not always who was called (0.0.0.0), but where the connection has ended by now the system does not tell
 * any more. */
static int link_to(hoya_connector *c, hoya_fd fd, const struct addrinfo *called, hoya_transport **transport)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    const struct sockaddr *to = (const struct sockaddr *)&peer;
    if (hoya_sys_getpeername(fd, (struct sockaddr *)&peer, &length) < 0) {
        to = called->ai_addr;
        length = called->ai_addrlen;
    }
    return hoya_link_new(c->future.loop, fd, to, length, c->protocol, &c->link, &c->owner, transport);
}

static void win(hoya_connector *c, hoya_connect_try *try)
{
    hoya_fd fd = try->channel.record.fd;
    try->open = false;
    c->running--;
    try->channel.engine->end(&try->channel);
    end_timer(&c->stagger);
    end_tries(c);
    hoya_transport *transport;
    int rc = link_to(c, fd, try->address, &transport);
    if (rc < 0) {
        hoya_fd_close(&fd);
        hoya_connector_fail(c, rc, hoya_error_detail());
        return;
    }
    c->won = try->address;
    c->protocol = (hoya_protocol){NULL, NULL};
    c->transport = hoya_transport_ref(transport);
}

/* ---- one try ---------------------------------------------------------------------------------------------------- */

static void connected(hoya_channel *channel, int code)
{
    hoya_connect_try *try = HOYA_CONTAINER_OF(channel, hoya_connect_try, channel);
    hoya_connector *c = ref(try->connector);
    if (code >= 0) {
        win(c, try);
    } else {
        note(c, try->address, code, hoya_strerror(code));
        end_try(try);
        try_next(c);
    }
    unref(c);
}

static void gone(hoya_channel *channel)
{
    unref(HOYA_CONTAINER_OF(channel, hoya_connect_try, channel)->connector);
}

static uintptr_t function(const hoya_channel *channel)
{
    const hoya_connector *c = ((const hoya_connect_try *)channel)->connector; /* its first member */
    return c->protocol.ops ? (uintptr_t)c->protocol.ops->connection_made : 0;
}

static const hoya_channel_events events = {
    .what = "connect", .connected = connected, .gone = gone, .function = function};

/* To the first local address of its family that can be had. */
static int bind_local(const hoya_connector *c, hoya_fd fd, int family)
{
    if (!c->local) return 0;
    /* So that several tries may come from one port. */
    int rc = hoya_socket_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
    if (rc < 0) return rc;
    rc = hoya_error_set(HOYA_EADDRNOTAVAIL, "the local address is of another family");
    for (const struct addrinfo *local = c->local_addresses; local; local = local->ai_next) {
        if (local->ai_family != family) continue;
        if (hoya_sys_bind(fd, local->ai_addr, local->ai_addrlen) == 0) return 0;
        char text[HOYA_ADDRESS_TEXT_SIZE] = "an address";
        rc = -errno;
        hoya_address_format(local->ai_addr, local->ai_addrlen, text, sizeof text);
        hoya_error_set(rc, "bind to %s: %s", text, hoya_strerror(rc));
    }
    return rc;
}

static int begin_try(hoya_connector *c, hoya_connect_try *try)
{
    const struct addrinfo *to = try->address;
    hoya_loop_io *io;
    int rc = hoya_loop_io_of(c->future.loop, &io);
    hoya_fd fd = rc < 0 ? rc : hoya_socket_open(to->ai_family, SOCK_STREAM, to->ai_protocol);
    if (fd < 0) return fd;
    rc = hoya_socket_set_link(fd, to->ai_family, &c->link);
    if (rc >= 0) rc = bind_local(c, fd, to->ai_family);
    try->channel.loop = c->future.loop;
    try->channel.engine = io->engine;
    try->channel.events = &events;
    if (rc >= 0) rc = io->engine->begin(&try->channel, fd);
    if (rc < 0) {
        hoya_fd_close(&fd);
        return rc;
    }
    ref(c); /* the channel's */
    try->open = true;
    c->running++;
    rc = io->engine->connect(&try->channel, to->ai_addr, to->ai_addrlen);
    if (rc < 0) end_try(try);
    return rc;
}

/* ---- one after the other -------------------------------------------------------------------------------------- */

static void on_stagger(void *arg)
{
    hoya_connector *c = arg;
    if (c->over) return;
    end_timer(&c->stagger);
    try_next(c);
}

static int try_later(hoya_connector *c, int64_t delay)
{
    return hoya_loop_call_later(c->future.loop, delay, on_stagger, ref(c), unref, &c->stagger);
}

static void try_next(hoya_connector *c)
{
    end_timer(&c->stagger);
    int rc = 0;
    while (c->next < c->count) {
        hoya_connect_try *try = &c->tries[c->next++];
        rc = begin_try(c, try);
        if (rc == HOYA_EAGAIN && try->address->ai_family == AF_UNIX) {
            c->next--; /* its queue is full: nothing tells when it is not */
            rc = try_later(c, BUSY);
            if (rc >= 0) return;
        } else if (rc >= 0) {
            if (c->next < c->count && c->delay != HOYA_NEVER) rc = try_later(c, c->delay);
            if (rc >= 0) return;
        } else {
            note(c, try->address, rc, hoya_error_detail());
            continue;
        }
        hoya_connector_fail(c, rc, hoya_error_detail()); /* no memory for the timer */
        return;
    }
    if (!c->running) hoya_connector_fail(c, c->code, tried(c));
}

/* RFC 8305, section 4: so many of the first family, then one of each in turn. */
static size_t put_in_order(hoya_connect_try *tries, const struct addrinfo *addresses, unsigned first_count)
{
    size_t n = 0;
    int family = addresses->ai_family;
    const struct addrinfo *sides[2] = {addresses, addresses};
    unsigned side = 0, ahead = first_count - 1;
    while (sides[0] || sides[1]) {
        const struct addrinfo **at = &sides[side];
        while (*at && ((*at)->ai_family == family) != (side == 0)) *at = (*at)->ai_next;
        if (*at) {
            tries[n++].address = *at;
            *at = (*at)->ai_next;
        }
        if (side == 0 && ahead && sides[0]) ahead--;
        else side = !side;
    }
    return n;
}

void hoya_connector_try(hoya_connector *c, const struct addrinfo *addresses)
{
    for (const struct addrinfo *at = addresses; at; at = at->ai_next) c->count++;
    c->tries = hoya_new_zeroed(c->count * sizeof *c->tries);
    if (!c->tries) {
        hoya_connector_fail(c, HOYA_ENOMEM, NULL);
        return;
    }
    for (size_t i = 0; i < c->count; i++) c->tries[i].connector = c;
    put_in_order(c->tries, addresses, c->first_count);
    try_next(c);
}

/* ---- the beginning -------------------------------------------------------------------------------------------- */

static int read_options(hoya_connector *c, const hoya_connection_options *o)
{
    if (o->happy_eyeballs_delay < 0 || o->timeout < 0 || o->first_address_family_count < 0)
        return hoya_error_set(HOYA_EINVAL, "connection options with a negative number");
    c->delay = o->happy_eyeballs_delay ? o->happy_eyeballs_delay : DELAY;
    c->first_count = o->first_address_family_count ? (unsigned)o->first_address_family_count : 1;
    int rc = hoya_link_options_read(&c->link, o->transport);
    if (rc < 0 || !o->timeout || o->timeout == HOYA_NEVER) return rc;
    return hoya_loop_call_later(c->future.loop, o->timeout, on_deadline, ref(c), unref, &c->deadline);
}

int hoya_connector_new(hoya_loop *loop, hoya_protocol protocol, const hoya_connection_options *options,
                       const void *place, hoya_connector **out)
{
    hoya_loop_io *io;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_protocol_check(protocol);
    if (rc >= 0) rc = hoya_loop_io_of(loop, &io);
    hoya_connector *c = rc < 0 ? NULL : hoya_new(hoya_connector);
    if (rc >= 0 && !c) rc = HOYA_ENOMEM;
    if (rc < 0) return hoya_protocol_refuse(protocol, rc);
    hoya_loop_ref(loop);
    hoya_future_init(&c->future, &connector_class, loop, place);
    ref(c); /* while it is pending */
    c->owner = (hoya_transport_owner){made, lost};
    c->protocol = protocol;
    hoya_list_append(&io->connectors, &c->node);
    rc = read_options(c, options);
    if (rc < 0) return hoya_connector_discard(c, rc);
    *out = c;
    return 0;
}

int hoya_connector_discard(hoya_connector *c, int code)
{
    hoya_error_place errors; /* what is let go may fail in its turn: nobody asked */
    hoya_error_place *before = hoya_error_begin(&errors);
    give_up(c);
    unref(c);
    hoya_error_move(before);
    return code;
}
