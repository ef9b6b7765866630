/* SPDX-License-Identifier: MIT
 *
 * io/transport.c: a connection's life: its protocol hears of its beginning, of what comes in, and of its end. What goes out is
 * write.c, and who is at its two ends tells ends.c.
 *
 * Beginning and end come as turns of the channel: connection_made in the first; connection_lost in the one after whoever ended
 * it (statement 89), and never while a function of the protocol is on the stack: a turn that comes then is missed, and asked for
 * again when that has returned. Ending, closing and aborting need no memory: the channel has its place in the ring.
 */
#include "io/transport.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sys.h"
#include "io/packed_address.h"
#include "io/pipe.h"
#include "io/rights.h"

static hoya_transport *transport_of(hoya_channel *channel)
{
    return HOYA_CONTAINER_OF(channel, hoya_transport, channel);
}

static hoya_loop_io *io_of(const hoya_transport *transport)
{
    return transport->channel.loop->slots[HOYA_SLOT_IO].data;
}

int hoya_protocol_check(hoya_protocol protocol)
{
    const hoya_protocol_ops *ops = protocol.ops;
    if (!hoya_protocol_is_known(ops))
        return hoya_error_set(HOYA_EINVAL, "a protocol without functions, or of another version");
    if (!ops->get_buffer != !ops->buffer_updated)
        return hoya_error_set(HOYA_EINVAL, "a protocol with one of get_buffer and buffer_updated");
    return 0;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static void unwatch(hoya_transport *transport, hoya_channel_want want)
{
    transport->channel.engine->stop(&transport->channel, want);
}

void hoya_transport_end(hoya_transport *transport, int code)
{
    if (transport->lost_due) return;
    transport->closing = transport->lost_due = true;
    transport->code = code;
    transport->cut = transport->output.size || transport->sends_file;
    unwatch(transport, HOYA_CHANNEL_INPUT | HOYA_CHANNEL_OUTPUT | HOYA_CHANNEL_HANGUP);
    hoya_channel_soon(&transport->channel);
    if (transport->sends_file) hoya_sendfile_fail(transport, code);
}

/* What waits goes out first. */
static void begin_to_close(hoya_transport *transport)
{
    if (transport->closing) return;
    transport->closing = true;
    unwatch(transport, HOYA_CHANNEL_INPUT);
    if (!transport->output.size && !transport->sends_file) hoya_transport_end(transport, 0);
}

/* Ended first: the exception handler may run the host's loop. */
void hoya_transport_fail(hoya_transport *transport, int code, const char *what)
{
    hoya_transport_end(transport, code);
    hoya_loop_report(transport->channel.loop, code, transport->channel.record.fd, what);
}

/* A function of the protocol has failed; unless it hands on what a write has told it of the connection's end, which is no
 * failure of anybody's (statement 102), or has forked, and this is the child. */
static void fail_of_protocol(hoya_transport *transport, int code, const char *what)
{
    bool of_network = transport->lost_due && code == transport->code;
    if (of_network || (transport->closing && code == HOYA_ECLOSED)) return;
    if (hoya_loop_is_forked(transport->channel.loop)) return;
    hoya_transport_fail(transport, code, what);
}

/* What is the same after connection_lost and where the loop closes. */
static void let_go(hoya_transport *transport)
{
    hoya_protocol protocol = transport->protocol;
    hoya_transport_owner *owner = transport->owner;
    hoya_fd fd = transport->channel.record.fd;
    transport->protocol = (hoya_protocol){NULL, NULL};
    transport->owner = NULL;
    transport->closing = transport->lost_due = transport->lost = true;
    hoya_list_remove(&transport->node);
    if (transport->sends_file) hoya_sendfile_forget(transport);
    hoya_transport_ref(transport); /* the end of the channel takes the loop's */
    transport->channel.engine->end(&transport->channel);
    if (hoya_unlikely(transport->puts_back)) hoya_pipe_put_back(transport, fd);
    hoya_fd_close(&fd);
    hoya_destroy_arg(protocol.ops->released, protocol.arg);
    if (owner) owner->lost(owner, transport);
    hoya_transport_unref(transport);
}

/* For connection_lost: which connection that was. And in debug mode for the log, which hears of no other end that the network
 * has made (statement 102). */
static void say_why(const hoya_transport *transport)
{
    char text[HOYA_ADDRESS_TEXT_SIZE + 160], peer[HOYA_ADDRESS_TEXT_SIZE] = "an unknown address";
    hoya_address address;
    const char *why = hoya_strerror(transport->code);
    if (hoya_is_pipe(transport)) {
        snprintf(text, sizeof text, "the pipe of descriptor %d: %s", transport->channel.record.fd, why);
    } else {
        if (hoya_transport_get_peername(transport, &address) >= 0)
            hoya_address_format((const struct sockaddr *)&address.storage, address.length, peer, sizeof peer);
        snprintf(text, sizeof text, "the connection to %s: %s", peer, why);
    }
    if (hoya_unlikely(hoya_loop_debugs(transport->channel.loop))) {
        hoya_log_sink sink = hoya_loop_log_sink(transport->channel.loop);
        hoya_log(&sink, HOYA_LOG_DEBUG, "%s", text);
    }
    hoya_error_set(transport->code, "%s", text);
}

static void lose(hoya_transport *transport)
{
    const hoya_protocol_ops *ops = transport->protocol.ops;
    transport->lost = true;
    if (transport->code < 0) say_why(transport);
    hoya_protocol_begin(transport);
    if (ops->connection_lost) ops->connection_lost(transport, transport->code, transport->protocol.arg);
    transport->inside--; /* no turn comes any more */
    let_go(transport);
}

void hoya_transports_close(hoya_loop_io *io)
{
    while (!hoya_list_is_empty(&io->transports))
        let_go(HOYA_CONTAINER_OF(io->transports.next, hoya_transport, node));
}

/* ---- the beginning ------------------------------------------------------------------------------------------ */

int hoya_transport_start_reading(hoya_transport *transport)
{
    if (transport->closing || transport->at_eof || transport->reading_paused || !transport->made) return 0;
    if (transport->sends_file) return 0;
    return transport->channel.engine->start(&transport->channel, HOYA_CHANNEL_INPUT);
}

static int start(hoya_transport *transport)
{
    if (hoya_likely(!transport->hangs_up)) return hoya_transport_start_reading(transport);
    return transport->lost_due ? 0 : transport->channel.engine->start(&transport->channel, HOYA_CHANNEL_HANGUP);
}

/* Statement 84: connection_made, then reading, then whoever waits for the connection. */
static void make(hoya_transport *transport)
{
    const hoya_protocol_ops *ops = transport->protocol.ops;
    hoya_protocol_begin(transport);
    int rc = ops->connection_made ? ops->connection_made(transport, transport->protocol.arg) : 0;
    transport->made = true;
    hoya_protocol_end(transport);
    rc = hoya_io_answer(transport->channel.loop, rc);
    const char *what = "a protocol's connection_made failed";
    if (rc >= 0) {
        what = "a connection cannot be watched";
        rc = start(transport);
    }
    /* The owner first: what an exception handler does is not why. */
    if (transport->owner) transport->owner->made(transport->owner, transport, rc < 0 ? rc : 0);
    if (rc < 0) fail_of_protocol(transport, rc, what);
    else hoya_transport_pause_if_full(transport); /* of what was written before */
}

static void turn(hoya_channel *channel)
{
    hoya_transport *transport = transport_of(channel);
    if (transport->inside) {
        transport->missed = true;
        return;
    }
    if (transport->made) {
        if (transport->lost_due) lose(transport);
        return;
    }
    bool ends = transport->lost_due; /* before its beginning, it had no turn of its own */
    make(transport);
    if (ends && channel->open) hoya_channel_soon(channel);
}

/* ---- what comes in ----------------------------------------------------------------------------------------- */

/* Statement 105. */
static bool ask_for_buffer(hoya_transport *transport, void **memory, size_t *size)
{
    void *given = NULL;
    size_t room = 0;
    transport->asks = true; /* the two calls are to the same protocol */
    hoya_protocol_begin(transport);
    int rc =
        transport->protocol.ops->get_buffer(transport, HOYA_IO_BUFFER / 4, &given, &room, transport->protocol.arg);
    hoya_protocol_end(transport);
    bool forked = hoya_loop_is_forked(transport->channel.loop); /* what there is to read is the parent's */
    if (!transport->closing && !forked) {
        if (rc >= 0 && (!given || !room)) rc = hoya_error_set(HOYA_ENOBUFS, "no memory was given");
        if (rc < 0) hoya_transport_fail(transport, rc, "a protocol's get_buffer failed");
    }
    transport->asks = !transport->closing && !forked;
    *memory = given;
    *size = room;
    return transport->asks;
}

/* It may have stopped reading. Not inline: who reads into the loop's memory need not save a register for it. */
static __attribute__((noinline)) bool ask_and_read(hoya_transport *transport, void **memory, size_t *size)
{
    if (ask_for_buffer(transport, memory, size) && transport->channel.wants & HOYA_CHANNEL_INPUT) return true;
    transport->asks = false;
    return false;
}

static bool input(hoya_channel *channel, void **memory, size_t *size)
{
    hoya_transport *transport = transport_of(channel);
    if (transport->protocol.ops->get_buffer) return ask_and_read(transport, memory, size);
    hoya_loop_io *io = io_of(transport);
    if (hoya_likely(!io->buffer_taken)) { /* else the engine's, which is less */
        io->buffer_taken = true;
        *memory = io->buffer;
        *size = HOYA_IO_BUFFER;
    }
    return true;
}

/* Inline although it is called twice: each request passes here. */
static inline __attribute__((always_inline)) void receive_data(hoya_transport *transport, const void *memory,
                                                               size_t count)
{
    const hoya_protocol_ops *ops = transport->protocol.ops;
    hoya_protocol_begin(transport);
    int rc =
        hoya_likely(ops->data_received) ? ops->data_received(transport, memory, count, transport->protocol.arg) : 0;
    hoya_protocol_end(transport);
    if (hoya_unlikely(rc < 0)) fail_of_protocol(transport, rc, "a protocol's data_received failed");
}

static void update_buffer(hoya_transport *transport, size_t count)
{
    transport->asks = false;
    hoya_protocol_begin(transport);
    int rc = transport->protocol.ops->buffer_updated(transport, count, transport->protocol.arg);
    hoya_protocol_end(transport);
    if (hoya_unlikely(rc < 0)) fail_of_protocol(transport, rc, "a protocol's buffer_updated failed");
}

/* asyncio's _feed_data_to_buffered_proto: bytes that lie in the loop's memory, for a protocol that fds_received has set. */
static HOYA_COLD void feed(hoya_transport *transport, const char *bytes, size_t count)
{
    void *memory;
    size_t room;
    while (count && transport->protocol.ops->get_buffer && ask_for_buffer(transport, &memory, &room)) {
        if (room > count) room = count;
        memcpy(memory, bytes, room);
        update_buffer(transport, room);
        if (transport->closing || hoya_loop_is_forked(transport->channel.loop)) return;
        bytes += room;
        count -= room;
    }
    if (count && !transport->protocol.ops->get_buffer) receive_data(transport, bytes, count);
}

/* Not inline, as ask_and_read. */
static __attribute__((noinline)) void receive_buffered(hoya_transport *transport, const void *memory, size_t count)
{
    if (hoya_likely(transport->asks)) update_buffer(transport, count);
    else feed(transport, memory, count);
}

static bool receive_descriptors(hoya_channel *channel, hoya_fd *fds, size_t count, bool lost)
{
    hoya_transport *transport = transport_of(channel);
    const char *what = "descriptors that came could not be taken";
    if (lost) {
        hoya_rights_close(fds, count);
        hoya_transport_fail(transport, hoya_error_set(HOYA_EMFILE, "there is room for %zu of them", count), what);
        return false;
    }
    hoya_protocol_begin(transport);
    int rc = transport->protocol.ops->fds_received(transport, fds, count, transport->protocol.arg);
    hoya_protocol_end(transport);
    if (rc < 0) fail_of_protocol(transport, rc, "a protocol's fds_received failed");
    return !transport->closing && !hoya_loop_is_forked(channel->loop);
}

static void receive_eof(hoya_transport *transport)
{
    const hoya_protocol_ops *ops = transport->protocol.ops;
    transport->at_eof = true;
    unwatch(transport, HOYA_CHANNEL_INPUT);
    hoya_protocol_begin(transport);
    int rc = ops->eof_received ? ops->eof_received(transport, transport->protocol.arg) : 0;
    hoya_protocol_end(transport);
    if (rc < 0) fail_of_protocol(transport, rc, "a protocol's eof_received failed");
    else if (rc == 0 || transport->reads_pipe) begin_to_close(transport); /* statement 119 */
}

static void received(hoya_channel *channel, const void *memory, ssize_t count)
{
    hoya_transport *transport = transport_of(channel);
    hoya_loop_io *io = io_of(transport);
    if (hoya_likely(count > 0)) {
        if (hoya_likely(!transport->protocol.ops->get_buffer)) receive_data(transport, memory, (size_t)count);
        else receive_buffered(transport, memory, (size_t)count);
    } else {
        transport->asks = false;
        if (count == 0) receive_eof(transport);
        else if (count != HOYA_EAGAIN) hoya_transport_end(transport, (int)count); /* statement 102: not reported */
    }
    if (hoya_likely(memory == io->buffer)) io->buffer_taken = false;
}

/* Statement 120. */
static void hung_up(hoya_channel *channel)
{
    hoya_transport *transport = transport_of(channel);
    transport->hung_up = true;
    hoya_transport_end(transport, transport->output.size || transport->sends_file ? HOYA_EPIPE : 0);
}

static void gone(hoya_channel *channel)
{
    hoya_transport *transport = transport_of(channel);
    hoya_output_clear(&transport->output); /* whoever still has a reference need not keep that */
    if (transport->more) hoya_passed_clear(&transport->more->passed);
    hoya_transport_unref(transport);
}

static uintptr_t function(const hoya_channel *channel)
{
    const hoya_protocol_ops *ops = ((const hoya_transport *)channel)->protocol.ops; /* its first member */
    if (!ops) return 0;
    return ops->buffer_updated ? (uintptr_t)ops->buffer_updated : (uintptr_t)ops->data_received;
}

static const void *hint(const hoya_channel *channel)
{
    const hoya_protocol *protocol = &((const hoya_transport *)channel)->protocol;
    return ((const hoya_hinting_ops *)protocol->ops)->hint(protocol->arg); /* its first member */
}

static const hoya_channel_events events = {.what = "transport",
                                           .turn = turn,
                                           .input = input,
                                           .received = received,
                                           .descriptors = receive_descriptors,
                                           .output = hoya_transport_output,
                                           .sent = hoya_transport_sent,
                                           .hung_up = hung_up,
                                           .gone = gone,
                                           .hint = hint,
                                           .function = function};

/* ---- making one ------------------------------------------------------------------------------------------- */

/* Descriptors: only of Unix connections whose protocol wants to know; all others have a shorter way. And get_buffer is asked
 * when something has come: it may have no room before, which ends the connection. */
static void look_at_protocol(hoya_transport *transport)
{
    const hoya_protocol_ops *ops = transport->protocol.ops;
    transport->channel.takes_fds = hoya_protocol_takes_fds(ops) && hoya_transport_family(transport) == AF_UNIX;
    transport->channel.patient = !ops->get_buffer && !transport->channel.takes_fds;
}

/* malloc's block of 192 bytes has 184 for us: what is more costs each idle connection 16 (bench/README.md). */
_Static_assert(sizeof(void *) > 8 || offsetof(hoya_transport, addresses) + 2 * 18 <= 184, "over IPv6 it is larger");

static hoya_transport *allocate(hoya_fd fd, const struct sockaddr *given, socklen_t peer_length)
{
    struct sockaddr_storage name, peer;
    socklen_t name_length = sizeof name;
    if (hoya_sys_getsockname(fd, (struct sockaddr *)&name, &name_length) < 0) name_length = 0;
    if (given) {
        memcpy(&peer, given, peer_length);
    } else {
        peer_length = sizeof peer;
        if (hoya_sys_getpeername(fd, (struct sockaddr *)&peer, &peer_length) < 0) peer_length = 0;
    }
    char packed_name[HOYA_PACKED_MOST], packed_peer[HOYA_PACKED_MOST];
    uint8_t name_form = hoya_address_pack((struct sockaddr *)&name, name_length, packed_name);
    uint8_t peer_form = hoya_address_pack((struct sockaddr *)&peer, peer_length, packed_peer);
    size_t name_size = hoya_packed_size(name_form), peer_size = hoya_packed_size(peer_form);
    /* Where they begin may be within what the struct is filled up to. */
    size_t size = offsetof(hoya_transport, addresses) + name_size + peer_size;
    hoya_transport *transport = hoya_new_zeroed(size > sizeof *transport ? size : sizeof *transport);
    if (!transport) return NULL;
    transport->sockname_form = name_form;
    transport->peername_form = peer_form;
    memcpy(transport->addresses, packed_name, name_size);
    memcpy(transport->addresses + name_size, packed_peer, peer_size);
    return transport;
}

int hoya_transport_new(hoya_loop *loop, const hoya_engine *engine, hoya_fd fd, const struct sockaddr *peer,
                       socklen_t length, hoya_protocol protocol, const hoya_write_limits *limits,
                       hoya_transport_owner *owner, hoya_transport **out)
{
    hoya_loop_io *io;
    int rc = hoya_loop_io_of(loop, &io);
    if (rc < 0) return rc;
    hoya_transport *transport = allocate(fd, peer, length);
    if (!transport) return HOYA_ENOMEM;
    transport->refs = 1;
    transport->channel.loop = loop;
    transport->channel.engine = engine ? engine : io->engine;
    transport->channel.events = &events;
    if (limits) rc = hoya_transport_set_write_buffer_limits(transport, limits->high, limits->low, limits->hard);
    if (rc >= 0) rc = transport->channel.engine->begin(&transport->channel, fd);
    if (rc < 0) {
        hoya_free(transport->more);
        hoya_free(transport);
        return rc;
    }
    hoya_loop_ref(loop);
    transport->protocol = protocol;
    look_at_protocol(transport);
    int family = hoya_transport_family(transport);
    transport->channel.keeps_errors = family == AF_INET || family == AF_INET6;
    transport->owner = owner;
    hoya_list_append(&io->transports, &transport->node);
    hoya_channel_soon(&transport->channel);
    *out = transport;
    return 0;
}

hoya_transport *hoya_transport_ref(hoya_transport *transport)
{
    hoya_check(transport->refs > 0, "a transport was used after it was freed");
    transport->refs++;
    return transport;
}

void hoya_transport_unref(hoya_transport *transport)
{
    if (!transport) return;
    hoya_check(transport->refs > 0, "a transport was unreferenced once too often");
    if (--transport->refs) return;
    hoya_loop *loop = transport->channel.loop;
    hoya_free(transport->more);
    hoya_free(transport);
    hoya_loop_unref(loop);
}

/* ---- what the program asks -------------------------------------------------------------------------------- */

hoya_loop *hoya_transport_get_loop(const hoya_transport *transport)
{
    return transport->channel.loop;
}

hoya_protocol hoya_transport_get_protocol(const hoya_transport *transport)
{
    return transport->protocol;
}

int hoya_transport_set_protocol(hoya_transport *transport, hoya_protocol protocol)
{
    int rc = hoya_transport_enter(transport);
    if (rc >= 0) rc = hoya_protocol_check(protocol);
    if (rc < 0) return rc;
    if (transport->lost) return hoya_error_set(HOYA_ECLOSED, "the connection has ended");
    if (transport->asks) return hoya_error_set(HOYA_EBUSY, "the protocol has been asked for memory");
    transport->protocol = protocol;
    transport->channel.hints = false;
    look_at_protocol(transport);
    return 0;
}

int hoya_transport_close(hoya_transport *transport)
{
    int rc = hoya_transport_enter(transport);
    if (rc >= 0) begin_to_close(transport);
    return rc;
}

int hoya_transport_abort(hoya_transport *transport)
{
    int rc = hoya_transport_enter(transport);
    if (rc >= 0) hoya_transport_end(transport, 0);
    return rc;
}

int hoya_transport_is_closing(const hoya_transport *transport)
{
    return transport->closing;
}

int hoya_transport_pause_reading(hoya_transport *transport)
{
    int rc = hoya_transport_enter(transport);
    if (rc < 0 || transport->closing || transport->reading_paused) return rc;
    transport->reading_paused = true;
    unwatch(transport, HOYA_CHANNEL_INPUT);
    return 0;
}

int hoya_transport_resume_reading(hoya_transport *transport)
{
    int rc = hoya_transport_enter(transport);
    if (rc < 0 || transport->closing || !transport->reading_paused) return rc;
    transport->reading_paused = false;
    rc = hoya_transport_start_reading(transport);
    if (rc < 0) transport->reading_paused = true;
    return rc;
}

int hoya_transport_is_reading(const hoya_transport *transport)
{
    return transport->made && !transport->closing && !transport->reading_paused && !transport->at_eof &&
           !transport->sends_file;
}

hoya_fd hoya_transport_fileno(const hoya_transport *transport)
{
    return transport->protocol.ops ? transport->channel.record.fd : HOYA_INVALID_FD;
}
