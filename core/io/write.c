/* SPDX-License-Identifier: MIT
 *
 * io/write.c: what goes out of a connection.
 *
 * A write goes to the system at once, if nothing waits; what that does not take waits in the transport's output, and the
 * engine asks for it. The protocol is told when too much waits, and when that is over: in turn, and inline, since whoever
 * writes has to know before he writes more (statement 98).
 */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sys.h"
#include "io/transport.h"

#define PARTS 1024 /* what one call takes: IOV_MAX of Linux */

/* Statement 99. */
static const hoya_write_limits default_limits = {64 * 1024, 16 * 1024, SIZE_MAX};

static const hoya_write_limits *limits_of(const hoya_transport *transport)
{
    return transport->more ? &transport->more->limits : &default_limits;
}

static hoya_transport *transport_of(hoya_channel *channel)
{
    return HOYA_CONTAINER_OF(channel, hoya_transport, channel);
}

/* ---- flow control ------------------------------------------------------------------------------------------- */

/* Last: what is inline may run the host's loop, or close this one, and drop the last reference. */
static void tell(hoya_transport *transport, int (*fn)(hoya_transport *transport, void *arg), const char *what)
{
    if (!fn) return;
    hoya_transport_ref(transport);
    hoya_protocol_begin(transport);
    hoya_inline_begin();
    int rc = fn(transport, transport->protocol.arg);
    hoya_inline_end();
    hoya_protocol_end(transport);
    /* Statement 100: the connection has nothing to do with it. */
    if (rc < 0) hoya_loop_report(transport->channel.loop, rc, transport->channel.record.fd, what);
    hoya_transport_unref(transport);
}

void hoya_transport_pause_if_full(hoya_transport *transport)
{
    if (!transport->made && !transport->inside) return;
    if (transport->lost_due || transport->writing_paused || transport->output.size <= limits_of(transport)->high)
        return;
    transport->writing_paused = true;
    tell(transport, transport->protocol.ops->pause_writing, "a protocol's pause_writing failed");
}

static void resume_if_low(hoya_transport *transport)
{
    if (!transport->writing_paused || transport->output.size > limits_of(transport)->low) return;
    if (transport->sends_file) return; /* it would be refused: when that is over */
    transport->writing_paused = false;
    tell(transport, transport->protocol.ops->resume_writing, "a protocol's resume_writing failed");
}

int hoya_transport_want_more(hoya_transport *transport)
{
    if (transport->more) return 0;
    transport->more = hoya_new(hoya_transport_more);
    if (!transport->more) return HOYA_ENOMEM;
    transport->more->limits = default_limits;
    return 0;
}

int hoya_write_limits_resolve(size_t high, size_t low, size_t hard, hoya_write_limits *limits)
{
    const size_t none = HOYA_LIMIT_DEFAULT;
    if (high == none && low == none) high = hard < default_limits.high ? hard : default_limits.high;
    else if (high == none) high = low > SIZE_MAX / 4 ? SIZE_MAX - 1 : 4 * low;
    if (low == none) low = high / 4;
    if (low > high)
        return hoya_error_set(HOYA_EINVAL, "the low-water mark %zu is over the high one, %zu", low, high);
    if (high > hard)
        return hoya_error_set(HOYA_EINVAL, "the high-water mark %zu is over the hard limit, %zu", high, hard);
    *limits = (hoya_write_limits){high, low, hard};
    return 0;
}

int hoya_transport_set_write_buffer_limits(hoya_transport *transport, size_t high, size_t low, size_t hard)
{
    hoya_write_limits wanted;
    int rc = hoya_transport_enter(transport);
    if (rc >= 0) rc = hoya_write_limits_resolve(high, low, hard, &wanted);
    if (rc < 0) return rc;
    rc = hoya_transport_want_more(transport);
    if (rc < 0) return rc;
    transport->more->limits = wanted;
    if (transport->lost_due) return 0;
    if (transport->writing_paused) resume_if_low(transport);
    else hoya_transport_pause_if_full(transport);
    return 0;
}

int hoya_transport_get_write_buffer_limits(const hoya_transport *transport, size_t *high, size_t *low, size_t *hard)
{
    int rc = hoya_transport_enter(transport);
    if (rc < 0) return rc;
    if (high) *high = limits_of(transport)->high;
    if (low) *low = limits_of(transport)->low;
    if (hard) *hard = limits_of(transport)->hard;
    return 0;
}

size_t hoya_transport_get_write_buffer_size(const hoya_transport *transport)
{
    return transport->lost_due ? 0
                               : transport->output.size; /* what an end drops stays where it is, for the engine */
}

/* ---- the engine's side -------------------------------------------------------------------------------------- */

int hoya_transport_output(hoya_channel *channel, struct iovec *parts, int max)
{
    hoya_transport *transport = transport_of(channel);
    if (hoya_unlikely(transport->sends_file) && !transport->output.size)
        return hoya_sendfile_output(transport, parts);
    if (hoya_unlikely(transport->more) && transport->more->passed.first)
        return hoya_descriptors_output(transport, parts, max);
    return hoya_output_parts(&transport->output, parts, max);
}

static void shut_down(hoya_transport *transport)
{
    hoya_sys_shutdown(transport->channel.record.fd, SHUT_WR); /* whoever reads finds out what is wrong */
}

void hoya_transport_sent(hoya_channel *channel, ssize_t count)
{
    hoya_transport *transport = transport_of(channel);
    if (transport->lost_due) return;
    if (count < 0) {
        int code = transport->sends_file ? hoya_sendfile_reason(transport, (int)count) : (int)count;
        hoya_transport_end(transport, code); /* statement 102: not reported */
        return;
    }
    if (hoya_unlikely(transport->sends_file) && !transport->output.size) {
        hoya_sendfile_take(transport, (size_t)count);
        return;
    }
    hoya_output_take(&transport->output, (size_t)count);
    if (hoya_unlikely(transport->more)) hoya_passed_move(&transport->more->passed, (size_t)count);
    resume_if_low(transport); /* may write */
    if (transport->output.size || transport->lost_due || transport->sends_file) return;
    channel->engine->stop(channel, HOYA_CHANNEL_OUTPUT);
    if (transport->closing) hoya_transport_end(transport, 0);
    else if (transport->eof_wanted) shut_down(transport);
}

void hoya_transport_file_over(hoya_transport *transport)
{
    if (transport->lost_due) return;
    if (!transport->output.size) {
        transport->channel.engine->stop(&transport->channel, HOYA_CHANNEL_OUTPUT);
        if (transport->closing) hoya_transport_end(transport, 0);
    }
    int rc = hoya_transport_start_reading(transport);
    if (rc < 0) hoya_transport_fail(transport, rc, "a connection cannot be watched");
    else if (!transport->lost_due) resume_if_low(transport);
}

/* ---- the program's side --------------------------------------------------------------------------------------- */

static int refuse(const hoya_transport *transport)
{
    if (transport->reads_pipe) return hoya_error_set(HOYA_ENOTSUP, "nothing can be written to a read pipe");
    if (!transport->closing && transport->sends_file)
        return hoya_error_set(HOYA_EBUSY, "write while a file is sent");
    if (!transport->closing) return hoya_error_set(HOYA_ESTATE, "write after write_eof");
    if (transport->code < 0) return hoya_error_set(transport->code, "the connection has ended");
    if (transport->hung_up) return hoya_error_set(HOYA_EPIPE, "nobody reads this pipe any more");
    return hoya_error_set(HOYA_ECLOSED, "write on a connection that was closed"); /* statement 95 */
}

int hoya_transport_enter_write_unusual(const hoya_transport *transport)
{
    int rc = hoya_transport_enter(transport);
    return rc >= 0 && hoya_transport_refuses_writes(transport) ? refuse(transport) : rc;
}

/* The default is no limit. */
int hoya_transport_check_hard_limit(const hoya_transport *transport, size_t more)
{
    size_t hard = transport->more->limits.hard, waiting = transport->output.size;
    if (waiting <= hard && more <= hard - waiting) return 0;
    return hoya_error_set(HOYA_ENOBUFS, "%zu bytes wait, %zu more are over the limit of %zu", waiting, more, hard);
}

static int add_up(const struct iovec *parts, size_t count, size_t *total)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len && !parts[i].iov_base) return hoya_error_set(HOYA_EINVAL, "write without data");
        if (__builtin_add_overflow(sum, parts[i].iov_len, &sum))
            return hoya_error_set(HOYA_EINVAL, "more than there is");
    }
    *total = sum;
    return 0;
}

/* What the system takes now of the parts, by calls of at most PARTS each; how many bytes, or why not. */
static ssize_t send_now(hoya_transport *transport, const struct iovec *parts, size_t count)
{
    hoya_channel *channel = &transport->channel;
    size_t sent = 0;
    while (count) {
        int n = count < PARTS ? (int)count : PARTS;
        size_t wanted = 0;
        for (int i = 0; i < n; i++) wanted += parts[i].iov_len;
        ssize_t now = wanted ? channel->engine->send(channel, parts, n) : 0;
        if (now < 0) return now;
        sent += (size_t)now;
        if ((size_t)now < wanted) break;
        parts += n;
        count -= (size_t)n;
    }
    return (ssize_t)sent;
}

static HOYA_COLD int end_of(hoya_transport *transport, int code, const char *what)
{
    hoya_transport_end(transport, code);
    return hoya_error_set(code, "%s: %s", what, hoya_strerror(code));
}

int hoya_transport_keep_rest(hoya_transport *transport, const struct iovec *parts, size_t count, ssize_t sent)
{
    if (sent < 0) return end_of(transport, (int)sent, "send");
    bool first = !transport->output.size;
    int rc = hoya_output_append(&transport->output, parts, count, (size_t)sent);
    /* Half of it has gone: the connection is of no use any more. */
    if (rc < 0) return sent ? end_of(transport, rc, "the rest of a write") : rc;
    if (first) rc = transport->channel.engine->start(&transport->channel, HOYA_CHANNEL_OUTPUT);
    if (rc < 0) return end_of(transport, rc, "watch for writing");
    hoya_transport_pause_if_full(transport);
    return 0;
}

/* Behind the question whether something may be written. */
static int write_parts(hoya_transport *transport, const struct iovec *parts, size_t count)
{
    size_t total = 0;
    int rc = add_up(parts, count, &total);
    if (rc >= 0) rc = hoya_transport_check_limit(transport, total);
    if (rc < 0 || !total) return rc;
    ssize_t sent = transport->output.size ? 0 : send_now(transport, parts, count);
    return hoya_transport_finish_write(transport, parts, count, total, sent);
}

int hoya_transport_writelines(hoya_transport *transport, const struct iovec *parts, size_t count)
{
    int rc = hoya_transport_enter_write(transport);
    return rc < 0 ? rc : write_parts(transport, parts, count);
}

/* Statement 95: the program's close is its last word, but not that of who is between the two. */
int hoya_transport_write_of_layer(hoya_transport *transport, const struct iovec *parts, size_t count)
{
    int rc = hoya_transport_enter(transport);
    if (rc >= 0 && (transport->lost_due || transport->eof_wanted || transport->sends_file)) rc = refuse(transport);
    return rc < 0 ? rc : write_parts(transport, parts, count);
}

/* The same for one part, without the loops. */
int hoya_transport_write(hoya_transport *transport, const void *data, size_t size)
{
    int rc = hoya_transport_enter_write(transport);
    if (rc < 0 || !size) return rc;
    if (!data) return hoya_error_set(HOYA_EINVAL, "write without data");
    rc = hoya_transport_check_limit(transport, size);
    if (rc < 0) return rc;
    union { /* nothing is written to it */
        const void *given;
        void *wanted;
    } cast = {data};
    struct iovec part = {cast.wanted, size};
    hoya_channel *channel = &transport->channel;
    ssize_t sent = transport->output.size ? 0 : channel->engine->send(channel, &part, 1);
    return hoya_transport_finish_write(transport, &part, 1, size, sent);
}

int hoya_transport_can_write_eof(const hoya_transport *transport)
{
    return !transport->reads_pipe;
}

int hoya_transport_write_eof(hoya_transport *transport)
{
    int rc = hoya_transport_enter(transport);
    if (rc < 0) return rc;
    if (hoya_unlikely(transport->reads_pipe)) return refuse(transport);
    if (transport->closing) return 0;
    if (transport->writes_pipe && !transport->sends_file) return hoya_transport_close(transport);
    if (transport->eof_wanted) return 0;
    if (transport->sends_file) return refuse(transport);
    transport->eof_wanted = true;
    if (!transport->output.size) shut_down(transport);
    return 0;
}
