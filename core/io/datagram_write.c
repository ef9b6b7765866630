/* SPDX-License-Identifier: MIT
 *
 * io/datagram_write.c: what goes out of a datagram endpoint.
 *
 * A datagram goes to the system at once, if none waits; else it waits in a queue, each whole and with its address, and the
 * engine asks for them. What goes wrong with one does not hold up those behind it (statement 118).
 *
 * A connected socket, and one with IP_RECVERR, keeps what it hears of an earlier datagram (nobody took it) until
 * the next call, which then does nothing else. So where a call fails with such a code the datagram is sent once
 * more: if that answers otherwise, the code was an earlier one's, and is told as such.
 *
 * A Unix socket that is not connected is never told when the other side has room again: to the system it is always writable.
 * What cannot go then is tried again after 10 ms, and after twice as long each time, up to 100.
 */
#include <netinet/in.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "io/datagram.h"
#include "io/names.h"

#define SHORTEST_REST HOYA_MSEC(10)
#define LONGEST_REST HOYA_MSEC(100)

struct hoya_waiting {
    hoya_waiting *next;
    size_t size;                                    /* of the datagram */
    socklen_t length;                               /* of the address; 0: none */
    _Alignas(struct sockaddr_storage) char bytes[]; /* the address, then the datagram */
};

static size_t cost_of(size_t size, socklen_t length)
{
    return sizeof(hoya_waiting) + length + size;
}

static hoya_datagram datagram_of(const hoya_waiting *one)
{
    return (hoya_datagram){.data = one->bytes + one->length,
                           .size = one->size,
                           .address = one->length ? (const struct sockaddr *)(const void *)one->bytes : NULL,
                           .length = one->length};
}

/* ---- flow control ------------------------------------------------------------------------------------------- */

/* Last: what is inline may run the host's loop, or close this one, and drop the last reference. */
static void tell(hoya_datagram_transport *transport, int (*fn)(hoya_datagram_transport *transport, void *arg),
                 const char *what)
{
    if (!fn) return;
    hoya_datagram_transport_ref(transport);
    hoya_datagram_begin(transport);
    hoya_inline_begin();
    int rc = fn(transport, transport->protocol.arg);
    hoya_inline_end();
    hoya_datagram_finish(transport);
    if (rc < 0) hoya_loop_report(transport->channel.loop, rc, transport->channel.record.fd, what);
    hoya_datagram_transport_unref(transport);
}

void hoya_datagram_pause_if_full(hoya_datagram_transport *transport)
{
    if (!transport->made && !transport->inside) return;
    if (transport->lost_due || transport->writing_paused || transport->waiting <= transport->limits.high) return;
    transport->writing_paused = true;
    tell(transport, transport->protocol.ops->pause_writing, "a datagram protocol's pause_writing failed");
}

static void resume_if_low(hoya_datagram_transport *transport)
{
    if (!transport->writing_paused || transport->waiting > transport->limits.low) return;
    transport->writing_paused = false;
    tell(transport, transport->protocol.ops->resume_writing, "a datagram protocol's resume_writing failed");
}

int hoya_datagram_transport_set_write_buffer_limits(hoya_datagram_transport *transport, size_t high, size_t low,
                                                    size_t hard)
{
    int rc = hoya_datagram_enter(transport);
    if (rc >= 0) rc = hoya_write_limits_resolve(high, low, hard, &transport->limits);
    if (rc < 0 || transport->lost_due) return rc;
    if (transport->writing_paused) resume_if_low(transport);
    else hoya_datagram_pause_if_full(transport);
    return 0;
}

int hoya_datagram_transport_get_write_buffer_limits(const hoya_datagram_transport *transport, size_t *high,
                                                    size_t *low, size_t *hard)
{
    int rc = hoya_datagram_enter(transport);
    if (rc < 0) return rc;
    if (high) *high = transport->limits.high;
    if (low) *low = transport->limits.low;
    if (hard) *hard = transport->limits.hard;
    return 0;
}

size_t hoya_datagram_transport_get_write_buffer_size(const hoya_datagram_transport *transport)
{
    return transport->lost_due ? 0 : transport->waiting; /* what an end drops stays where it is, for the engine */
}

/* ---- the queue ---------------------------------------------------------------------------------------------- */

static int append(hoya_datagram_transport *transport, const hoya_datagram *datagram)
{
    size_t cost = cost_of(datagram->size, datagram->length), waiting = transport->waiting;
    size_t hard = transport->limits.hard;
    if (waiting > hard || cost > hard - waiting)
        return hoya_error_set(HOYA_ENOBUFS, "%zu bytes wait, %zu more are over the limit of %zu", waiting, cost,
                              hard);
    hoya_waiting *one = hoya_resize(NULL, cost, 1);
    if (!one) return HOYA_ENOMEM;
    *one = (hoya_waiting){.size = datagram->size, .length = datagram->length};
    if (one->length) memcpy(one->bytes, datagram->address, one->length);
    if (one->size) memcpy(one->bytes + one->length, datagram->data, one->size);
    if (transport->last) transport->last->next = one;
    else transport->first = one;
    transport->last = one;
    transport->waiting += cost;
    return 0;
}

static void drop_first(hoya_datagram_transport *transport)
{
    hoya_waiting *one = transport->first;
    transport->first = one->next;
    if (!one->next) transport->last = NULL;
    transport->waiting -= cost_of(one->size, one->length);
    hoya_free(one);
}

void hoya_datagram_drop_waiting(hoya_datagram_transport *transport)
{
    while (transport->first) drop_first(transport);
}

/* ---- until there is room ---------------------------------------------------------------------------------- */

/* Where due timers are looked for: it goes on in a turn of the channel, which has its place in the ring. */
static void on_alarm(void *arg)
{
    hoya_datagram_transport *transport = arg;
    transport->rested = true;
    hoya_channel_soon(&transport->channel);
}

static void rest(hoya_datagram_transport *transport)
{
    hoya_loop *loop = transport->channel.loop;
    transport->channel.engine->stop(&transport->channel, HOYA_CHANNEL_LEAVE);
    transport->resting = true;
    memset(&transport->alarm, 0, sizeof transport->alarm);
    transport->rest = transport->rest ? 2 * transport->rest : SHORTEST_REST;
    if (transport->rest > LONGEST_REST) transport->rest = LONGEST_REST;
    int64_t when = hoya_time_add(hoya_loop_time(loop), transport->rest);
    if (hoya_alarm_set(loop, &transport->alarm, when, on_alarm, transport, NULL) < 0) on_alarm(transport);
}

static bool has_to_rest(const hoya_datagram_transport *transport)
{
    return transport->socket.family == AF_UNIX && !transport->socket.connected;
}

/* The first of them waits, and the engine is to ask for it when it can go. */
static int wait_for_room(hoya_datagram_transport *transport)
{
    if (has_to_rest(transport)) rest(transport);
    else return transport->channel.engine->start(&transport->channel, HOYA_CHANNEL_LEAVE);
    return 0;
}

void hoya_datagram_go_on(hoya_datagram_transport *transport)
{
    transport->resting = transport->rested = false;
    if (!transport->first || transport->lost_due) return;
    if (transport->channel.engine->start(&transport->channel, HOYA_CHANNEL_LEAVE) < 0) rest(transport);
}

/* ---- the engine's side -------------------------------------------------------------------------------------- */

/* What a socket may have heard of an earlier datagram: ICMP's answers. One that is not connected hears of them only
 * if its program has asked for that (IP_RECVERR). */
static bool may_be_of_an_earlier_one(const hoya_datagram_transport *transport, int code)
{
    if (!transport->channel.keeps_errors) return false;
    switch (-code) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EACCES:
    case EPROTO:
    case EMSGSIZE:
        return true;
    default:
        return false;
    }
}

bool hoya_datagram_leaving(hoya_channel *channel, hoya_datagram *datagram)
{
    const hoya_waiting *first = hoya_datagram_transport_of(channel)->first;
    if (!first) return false;
    *datagram = datagram_of(first);
    return true;
}

static int fail_to_send(const hoya_datagram_transport *transport, const hoya_datagram *datagram, int code)
{
    char where[HOYA_ADDRESS_TEXT_SIZE] = "somebody";
    const hoya_address *remote = &transport->socket.remote;
    if (datagram->address) hoya_address_format(datagram->address, datagram->length, where, sizeof where);
    else if (remote->length)
        hoya_address_format((const struct sockaddr *)&remote->storage, remote->length, where, sizeof where);
    return hoya_error_set(code, "a datagram of %zu bytes to %s: %s", datagram->size, where, hoya_strerror(code));
}

/* After one has left, or has not: the next, or no more. */
static void look_for_end(hoya_datagram_transport *transport)
{
    resume_if_low(transport); /* may send */
    if (transport->first || transport->lost_due) return;
    transport->channel.engine->stop(&transport->channel, HOYA_CHANNEL_LEAVE);
    if (transport->closing) hoya_datagram_end(transport, 0);
}

void hoya_datagram_left(hoya_channel *channel, int code)
{
    hoya_datagram_transport *transport = hoya_datagram_transport_of(channel);
    int earlier = transport->earlier;
    if (transport->lost_due) return;
    if (!earlier && may_be_of_an_earlier_one(transport, code)) {
        transport->earlier = code; /* it stays the first, and is sent again */
        return;
    }
    transport->earlier = 0;
    if (earlier && earlier != code) hoya_datagram_note(transport, earlier);
    if (code == HOYA_EAGAIN) {
        if (has_to_rest(transport)) rest(transport);
        return;
    }
    transport->rest = 0;
    if (code < 0) {
        hoya_datagram datagram = datagram_of(transport->first);
        fail_to_send(transport, &datagram, code);
    }
    drop_first(transport);
    if (code < 0) hoya_datagram_tell(transport, code);
    if (!transport->lost_due) look_for_end(transport);
}

/* ---- the program's side --------------------------------------------------------------------------------------- */

static bool is_same(const hoya_address *one, const hoya_address *other)
{
    if (one->storage.ss_family != other->storage.ss_family) return false;
    if (one->storage.ss_family == AF_INET) {
        const struct sockaddr_in *a = (const void *)&one->storage, *b = (const void *)&other->storage;
        return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
    }
    if (one->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const void *)&one->storage, *b = (const void *)&other->storage;
        return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
               !memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr);
    }
    return one->length == other->length && !memcmp(&one->storage, &other->storage, one->length);
}

/* Where it goes: an address that the endpoint may send to, or none, if the socket knows. */
static int address_datagram(const hoya_datagram_transport *transport, const hoya_address *to,
                            hoya_datagram *datagram)
{
    const hoya_datagram_socket *socket = &transport->socket;
    const struct sockaddr *address = to ? (const struct sockaddr *)&to->storage : NULL;
    if (to && to->storage.ss_family != socket->family)
        return hoya_error_set(HOYA_EINVAL, "an address of family %d, and the endpoint's is %d",
                              to->storage.ss_family, socket->family);
    int rc = to ? hoya_check_length(address, to->length) : 0;
    if (rc < 0) return rc;
    if (to && (socket->connected || socket->remote.length) && !is_same(to, &socket->remote)) {
        char text[HOYA_ADDRESS_TEXT_SIZE] = "elsewhere";
        hoya_address_format(address, to->length, text, sizeof text);
        return hoya_error_set(HOYA_EINVAL, "to %s, which is not the endpoint's remote address", text);
    }
    if (socket->connected) return 0;
    if (!to) to = &socket->remote;
    if (!to->length)
        return hoya_error_set(HOYA_EDESTADDRREQ, "a datagram to nobody, and there is no remote address");
    datagram->address = (const struct sockaddr *)&to->storage;
    datagram->length = to->length;
    return 0;
}

/* What the system would find too long, for one that it has not seen yet. */
static int check_size(const hoya_datagram_transport *transport, const hoya_datagram *datagram)
{
    int family = transport->socket.family;
    size_t most = family == AF_INET ? 65535 - 20 - 8 : family == AF_INET6 ? 65535 - 8 : SIZE_MAX;
    return datagram->size > most ? fail_to_send(transport, datagram, HOYA_EMSGSIZE) : 0;
}

static int send_now(hoya_datagram_transport *transport, const hoya_datagram *datagram)
{
    hoya_channel *channel = &transport->channel;
    int code = channel->engine->send_datagram(channel, datagram);
    if (hoya_likely(code == 0) || !may_be_of_an_earlier_one(transport, code)) return code;
    int again = channel->engine->send_datagram(channel, datagram);
    if (again != code) hoya_datagram_note(transport, code);
    return again;
}

static int keep(hoya_datagram_transport *transport, const hoya_datagram *datagram)
{
    bool first = !transport->first;
    int rc = check_size(transport, datagram);
    if (rc >= 0) rc = append(transport, datagram);
    if (rc >= 0 && first) {
        rc = wait_for_room(transport);
        if (rc < 0) drop_first(transport);
    }
    if (rc < 0) return rc;
    hoya_datagram_pause_if_full(transport);
    return 0;
}

int hoya_datagram_transport_sendto(hoya_datagram_transport *transport, const void *data, size_t size,
                                   const hoya_address *to)
{
    hoya_datagram datagram = {.data = data, .size = size};
    int rc = hoya_datagram_enter(transport);
    if (rc < 0) return rc;
    if (hoya_unlikely(transport->closing))
        return transport->code < 0 ? hoya_error_set(transport->code, "the datagram endpoint has ended")
                                   : hoya_error_set(HOYA_ECLOSED, "sendto on a datagram endpoint that was closed");
    if (hoya_unlikely(size && !data)) return hoya_error_set(HOYA_EINVAL, "sendto without data");
    rc = address_datagram(transport, to, &datagram);
    if (rc < 0) return rc;
    int code = transport->first ? HOYA_EAGAIN : send_now(transport, &datagram);
    if (hoya_likely(code == 0)) return 0;
    if (code == HOYA_EAGAIN) return keep(transport, &datagram);
    transport->said = code;
    return fail_to_send(transport, &datagram, code);
}
