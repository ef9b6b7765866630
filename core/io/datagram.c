/* SPDX-License-Identifier: MIT
 *
 * io/datagram.c: a datagram endpoint's life: its protocol hears of its beginning, of what comes in and what went wrong, and of
 * its end. What goes out is datagram_write.c.
 *
 * Beginning and end come as turns of the channel, as a connection's do (io/transport.c). What goes wrong with a datagram is no
 * end (statement 117): error_received, at once where it comes from a look, and in a turn of its own where it comes from a call
 * of the program's, or while a function of the protocol is on the stack.
 */
#include "io/datagram.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/fd.h"
#include "base/fork.h"
#include "base/sys.h"

static hoya_loop_io *io_of(const hoya_datagram_transport *transport)
{
    return transport->channel.loop->slots[HOYA_SLOT_IO].data;
}

/* ---- protocols ---------------------------------------------------------------------------------------------- */

static bool is_known(hoya_datagram_protocol protocol)
{
    return protocol.ops && protocol.ops->size == sizeof *protocol.ops;
}

int hoya_datagram_protocol_check(hoya_datagram_protocol protocol)
{
    if (is_known(protocol)) return 0;
    return hoya_error_set(HOYA_EINVAL, "a datagram protocol without functions, or of another version");
}

int hoya_datagram_protocol_refuse(hoya_datagram_protocol protocol, int code)
{
    hoya_error_place errors; /* what is let go may fail in its turn: nobody asked */
    hoya_error_place *before = hoya_error_begin(&errors);
    if (is_known(protocol)) hoya_destroy_arg(protocol.ops->released, protocol.arg);
    hoya_error_move(before);
    return code;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void unwatch(hoya_datagram_transport *transport, hoya_channel_want want)
{
    transport->channel.engine->stop(&transport->channel, want);
}

static void stop_resting(hoya_datagram_transport *transport)
{
    if (transport->resting) hoya_alarm_clear(&transport->alarm);
    transport->resting = transport->rested = false;
}

void hoya_datagram_end(hoya_datagram_transport *transport, int code)
{
    if (transport->lost_due) return;
    transport->closing = transport->lost_due = true;
    transport->code = code;
    stop_resting(transport);
    unwatch(transport, HOYA_CHANNEL_ARRIVE | HOYA_CHANNEL_LEAVE);
    hoya_channel_soon(&transport->channel);
}

/* A function of the protocol has failed; unless it hands on what sendto has told it. */
static void report(hoya_datagram_transport *transport, int code, const char *what)
{
    if (code == transport->said || (transport->closing && code == HOYA_ECLOSED)) return;
    hoya_loop_report(transport->channel.loop, code, transport->channel.record.fd, what);
}

/* What is the same after connection_lost and where the loop closes. */
static void let_go(hoya_datagram_transport *transport)
{
    hoya_datagram_protocol protocol = transport->protocol;
    transport->protocol = (hoya_datagram_protocol){NULL, NULL};
    transport->closing = transport->lost_due = transport->lost = true;
    stop_resting(transport);
    hoya_list_remove(&transport->node);
    hoya_datagram_transport_ref(transport); /* the end of the channel takes the loop's */
    transport->channel.engine->end(&transport->channel);
    if (transport->generation != hoya_fork_generation()) transport->socket.removes_file = false;
    hoya_datagram_socket_close(&transport->socket);
    hoya_destroy_arg(protocol.ops->released, protocol.arg);
    hoya_datagram_transport_unref(transport);
}

static void name_of(const hoya_datagram_transport *transport, char text[HOYA_ADDRESS_TEXT_SIZE])
{
    const hoya_address *name = &transport->socket.name;
    const struct sockaddr *address = (const struct sockaddr *)&name->storage;
    if (hoya_address_format(address, name->length, text, HOYA_ADDRESS_TEXT_SIZE) < 0) snprintf(text, 4, "?");
}

static void lose(hoya_datagram_transport *transport)
{
    const hoya_datagram_protocol_ops *ops = transport->protocol.ops;
    transport->lost = true;
    if (transport->code < 0) {
        char name[HOYA_ADDRESS_TEXT_SIZE];
        name_of(transport, name);
        hoya_error_set(transport->code, "the datagram endpoint %s: %s", name, hoya_strerror(transport->code));
    }
    hoya_datagram_begin(transport);
    if (ops->connection_lost) ops->connection_lost(transport, transport->code, transport->protocol.arg);
    transport->inside--; /* no turn comes any more */
    let_go(transport);
}

void hoya_datagrams_close(hoya_loop_io *io)
{
    while (!hoya_list_is_empty(&io->datagrams))
        let_go(HOYA_CONTAINER_OF(io->datagrams.next, hoya_datagram_transport, node));
}

/* ---- the beginning ------------------------------------------------------------------------------------------ */

static int start_reading(hoya_datagram_transport *transport)
{
    if (transport->closing || transport->reading_paused || !transport->made) return 0;
    return transport->channel.engine->start(&transport->channel, HOYA_CHANNEL_ARRIVE);
}

/* connection_made, then reading, then whoever waits for the endpoint. */
static void make(hoya_datagram_transport *transport)
{
    const hoya_datagram_protocol_ops *ops = transport->protocol.ops;
    transport->said = 0;
    hoya_datagram_begin(transport);
    int rc = ops->connection_made ? ops->connection_made(transport, transport->protocol.arg) : 0;
    transport->made = true;
    hoya_datagram_finish(transport);
    rc = hoya_io_answer(transport->channel.loop, rc);
    const char *what = "a datagram protocol's connection_made failed";
    if (rc >= 0) {
        what = "a datagram endpoint cannot be watched";
        rc = start_reading(transport);
    }
    hoya_datagram_creation *creation = transport->creation;
    transport->creation = NULL;
    if (creation) hoya_datagram_creation_made(creation, rc < 0 ? rc : 0); /* the owner first */
    if (rc < 0) {
        hoya_datagram_end(transport, rc);
        report(transport, rc, what);
    } else {
        hoya_datagram_pause_if_full(transport); /* of what was sent before */
    }
}

/* ---- what went wrong ---------------------------------------------------------------------------------------- */

static void call_error_received(hoya_datagram_transport *transport, int code)
{
    const hoya_datagram_protocol_ops *ops = transport->protocol.ops;
    transport->said = 0;
    if (!ops->error_received) return;
    hoya_datagram_begin(transport);
    int rc = ops->error_received(transport, code, transport->protocol.arg);
    hoya_datagram_finish(transport);
    if (rc < 0) report(transport, rc, "a datagram protocol's error_received failed");
}

void hoya_datagram_note(hoya_datagram_transport *transport, int code)
{
    if (!transport->error) transport->error = code;
    hoya_channel_soon(&transport->channel);
}

void hoya_datagram_tell(hoya_datagram_transport *transport, int code)
{
    if (transport->inside || !transport->made) hoya_datagram_note(transport, code);
    else call_error_received(transport, code);
}

/* What has been noted of an earlier datagram; whose it was nobody knows but a connected socket. */
static void tell_noted(hoya_datagram_transport *transport)
{
    int code = transport->error;
    char where[HOYA_ADDRESS_TEXT_SIZE] = "somebody";
    const hoya_address *remote = &transport->socket.remote;
    if (remote->length)
        hoya_address_format((const struct sockaddr *)&remote->storage, remote->length, where, sizeof where);
    transport->error = 0;
    hoya_error_set(code, "a datagram to %s: %s", where, hoya_strerror(code));
    call_error_received(transport, code);
}

static void turn(hoya_channel *channel)
{
    hoya_datagram_transport *transport = hoya_datagram_transport_of(channel);
    if (transport->rested) hoya_datagram_go_on(transport);
    if (transport->inside) {
        transport->missed = true;
        return;
    }
    bool ends = transport->lost_due; /* while something was to be told first, it had no turn of its own */
    if (!transport->made) {
        make(transport);
    } else if (transport->error) {
        tell_noted(transport);
    } else {
        if (ends) lose(transport);
        return;
    }
    if ((ends || transport->error) && channel->open) hoya_channel_soon(channel);
}

/* ---- what comes in ----------------------------------------------------------------------------------------- */

/* The memory that all share; if somebody's callback has it on the stack, some of that size for this once; and where there is
 * none, the engine's, which is less. */
static bool input(hoya_channel *channel, void **memory, size_t *size)
{
    hoya_datagram_transport *transport = hoya_datagram_transport_of(channel);
    hoya_loop_io *io = io_of(transport);
    if (hoya_unlikely(io->buffer_taken)) {
        transport->spare = hoya_resize(NULL, HOYA_IO_BUFFER, 1);
        if (!transport->spare) return true;
        *memory = transport->spare;
    } else {
        io->buffer_taken = true;
        *memory = io->buffer;
    }
    *size = HOYA_IO_BUFFER;
    return true;
}

static void give_back(hoya_datagram_transport *transport, const void *memory)
{
    hoya_loop_io *io = io_of(transport);
    if (hoya_likely(memory == io->buffer)) io->buffer_taken = false;
    hoya_free(transport->spare);
    transport->spare = NULL;
}

static void receive(hoya_datagram_transport *transport, const hoya_datagram *datagram)
{
    const hoya_datagram_protocol_ops *ops = transport->protocol.ops;
    hoya_address from = {.length = datagram->length};
    memcpy(&from.storage, datagram->address, datagram->length);
    if (!from.length) { /* a Unix socket without a name */
        from.storage.ss_family = (sa_family_t)transport->socket.family;
        from.length = sizeof from.storage.ss_family;
    }
    transport->said = 0;
    if (!ops->datagram_received) return;
    hoya_datagram_begin(transport);
    int rc = ops->datagram_received(transport, datagram->data, datagram->size, &from, transport->protocol.arg);
    hoya_datagram_finish(transport);
    if (hoya_unlikely(rc < 0)) report(transport, rc, "a datagram protocol's datagram_received failed");
}

/* Nothing can be read from it any more: the program has closed the descriptor. */
static bool is_broken(int code)
{
    return code == HOYA_EBADF || code == HOYA_ENOTSOCK;
}

/* Longer than its memory; which may be less than there should be. */
static void tell_of_lost(hoya_datagram_transport *transport, const hoya_datagram *datagram)
{
    const hoya_loop_io *io = io_of(transport);
    int code = transport->spare || datagram->data == io->buffer ? HOYA_EMSGSIZE : HOYA_ENOMEM;
    hoya_error_set(code, "a datagram of %zu bytes came, and was lost: %s", datagram->size, hoya_strerror(code));
    hoya_datagram_tell(transport, code);
}

static void fail_to_receive(hoya_datagram_transport *transport, int code)
{
    hoya_error_set(code, "receiving a datagram: %s", hoya_strerror(code));
    if (!is_broken(code)) {
        hoya_datagram_tell(transport, code);
        return;
    }
    hoya_datagram_end(transport, code);
    hoya_loop_report(transport->channel.loop, code, transport->channel.record.fd,
                     "the descriptor of a datagram endpoint was closed");
}

static void arrived(hoya_channel *channel, const hoya_datagram *datagram, int code)
{
    hoya_datagram_transport *transport = hoya_datagram_transport_of(channel);
    if (hoya_likely(code == 0)) receive(transport, datagram);
    else if (code == HOYA_EMSGSIZE) tell_of_lost(transport, datagram);
    else if (code != HOYA_EAGAIN) fail_to_receive(transport, code);
    give_back(transport, datagram->data);
}

static void gone(hoya_channel *channel)
{
    hoya_datagram_transport *transport = hoya_datagram_transport_of(channel);
    hoya_datagram_drop_waiting(transport); /* whoever still has a reference need not keep that */
    hoya_datagram_transport_unref(transport);
}

static uintptr_t function(const hoya_channel *channel)
{
    const hoya_datagram_protocol_ops *ops = ((const hoya_datagram_transport *)channel)->protocol.ops;
    return ops ? (uintptr_t)ops->datagram_received : 0;
}

static const hoya_channel_events events = {.what = "datagram transport",
                                           .turn = turn,
                                           .input = input,
                                           .arrived = arrived,
                                           .leaving = hoya_datagram_leaving,
                                           .left = hoya_datagram_left,
                                           .gone = gone,
                                           .function = function};

/* ---- making one ------------------------------------------------------------------------------------------- */

int hoya_datagram_transport_new(hoya_loop *loop, const hoya_datagram_socket *socket,
                                hoya_datagram_protocol protocol, const hoya_datagram_setup *setup,
                                hoya_datagram_creation *creation, hoya_datagram_transport **out)
{
    hoya_loop_io *io;
    int rc = hoya_loop_io_of(loop, &io);
    if (rc < 0) return rc;
    hoya_datagram_transport *transport = hoya_new_zeroed(sizeof *transport);
    if (!transport) return HOYA_ENOMEM;
    transport->refs = 1;
    transport->channel.loop = loop;
    transport->channel.engine = io->engine;
    transport->channel.events = &events;
    transport->channel.keeps_errors = socket->family == AF_INET || socket->family == AF_INET6;
    rc = io->engine->begin(&transport->channel, socket->fd);
    if (rc < 0) {
        hoya_free(transport);
        return rc;
    }
    hoya_loop_ref(loop);
    transport->socket = *socket;
    transport->generation = hoya_fork_generation();
    transport->limits = setup->limits;
    transport->protocol = protocol;
    transport->creation = creation;
    hoya_list_append(&io->datagrams, &transport->node);
    hoya_channel_soon(&transport->channel);
    *out = transport;
    return 0;
}

hoya_datagram_transport *hoya_datagram_transport_ref(hoya_datagram_transport *transport)
{
    hoya_check(transport->refs > 0, "a datagram transport was used after it was freed");
    transport->refs++;
    return transport;
}

void hoya_datagram_transport_unref(hoya_datagram_transport *transport)
{
    if (!transport) return;
    hoya_check(transport->refs > 0, "a datagram transport was unreferenced once too often");
    if (--transport->refs) return;
    hoya_loop *loop = transport->channel.loop;
    hoya_free(transport);
    hoya_loop_unref(loop);
}

/* ---- what the program asks -------------------------------------------------------------------------------- */

hoya_loop *hoya_datagram_transport_get_loop(const hoya_datagram_transport *transport)
{
    return transport->channel.loop;
}

hoya_datagram_protocol hoya_datagram_transport_get_protocol(const hoya_datagram_transport *transport)
{
    return transport->protocol;
}

int hoya_datagram_transport_set_protocol(hoya_datagram_transport *transport, hoya_datagram_protocol protocol)
{
    int rc = hoya_datagram_enter(transport);
    if (rc >= 0) rc = hoya_datagram_protocol_check(protocol);
    if (rc < 0) return rc;
    if (transport->lost) return hoya_error_set(HOYA_ECLOSED, "the datagram endpoint has ended");
    transport->protocol = protocol;
    return 0;
}

int hoya_datagram_transport_close(hoya_datagram_transport *transport)
{
    int rc = hoya_datagram_enter(transport);
    if (rc < 0 || transport->closing) return rc;
    transport->closing = true;
    unwatch(transport, HOYA_CHANNEL_ARRIVE);
    if (!transport->first) hoya_datagram_end(transport, 0);
    return 0;
}

int hoya_datagram_transport_abort(hoya_datagram_transport *transport)
{
    int rc = hoya_datagram_enter(transport);
    if (rc >= 0) hoya_datagram_end(transport, 0);
    return rc;
}

int hoya_datagram_transport_is_closing(const hoya_datagram_transport *transport)
{
    return transport->closing;
}

int hoya_datagram_transport_pause_reading(hoya_datagram_transport *transport)
{
    int rc = hoya_datagram_enter(transport);
    if (rc < 0 || transport->closing || transport->reading_paused) return rc;
    transport->reading_paused = true;
    unwatch(transport, HOYA_CHANNEL_ARRIVE);
    return 0;
}

int hoya_datagram_transport_resume_reading(hoya_datagram_transport *transport)
{
    int rc = hoya_datagram_enter(transport);
    if (rc < 0 || transport->closing || !transport->reading_paused) return rc;
    transport->reading_paused = false;
    rc = start_reading(transport);
    if (rc < 0) transport->reading_paused = true;
    return rc;
}

int hoya_datagram_transport_is_reading(const hoya_datagram_transport *transport)
{
    return transport->made && !transport->closing && !transport->reading_paused;
}

hoya_fd hoya_datagram_transport_fileno(const hoya_datagram_transport *transport)
{
    return transport->socket.fd;
}

int hoya_datagram_transport_get_sockname(const hoya_datagram_transport *transport, hoya_address *address)
{
    int rc = hoya_datagram_enter(transport);
    if (rc >= 0) *address = transport->socket.name;
    return rc;
}

int hoya_datagram_transport_get_peername(const hoya_datagram_transport *transport, hoya_address *address)
{
    int rc = hoya_datagram_enter(transport);
    if (rc < 0) return rc;
    if (!transport->socket.remote.length)
        return hoya_error_set(HOYA_ENOTCONN, "the datagram endpoint has no remote address");
    *address = transport->socket.remote;
    return 0;
}

void hoya_datagrams_dump(const hoya_loop_io *io, const hoya_printer *to)
{
    size_t count = 0;
    for (const hoya_list *node = io->datagrams.next; node != &io->datagrams; node = node->next) count++;
    if (count) hoya_print(to, "  datagram endpoints: %zu", count);
    for (const hoya_list *node = io->datagrams.next; node != &io->datagrams; node = node->next) {
        const hoya_datagram_transport *transport =
            (const hoya_datagram_transport *)((const char *)node - offsetof(hoya_datagram_transport, node));
        const hoya_address *remote = &transport->socket.remote;
        char name[HOYA_ADDRESS_TEXT_SIZE], peer[HOYA_ADDRESS_TEXT_SIZE] = "anybody";
        name_of(transport, name);
        if (remote->length)
            hoya_address_format((const struct sockaddr *)&remote->storage, remote->length, peer, sizeof peer);
        hoya_print(to, "    %d: %s to %s%s%s, %zu bytes wait", transport->socket.fd, name, peer,
                   transport->lost_due  ? ", ending"
                   : transport->closing ? ", closing"
                                        : "",
                   hoya_datagram_transport_is_reading(transport) ? "" : ", not reading",
                   hoya_datagram_transport_get_write_buffer_size(transport));
    }
}
