/* SPDX-License-Identifier: MIT
 *
 * io/sendfile.c: a file goes out of a connection. It is one future, which is in one of three states:
 *
 *     waits      for what was written before: the transport's output
 *     sends      whenever the engine has room: from the file itself, or what has been read of it
 *     reads      a job of the loop's executor; the engine is not asked meanwhile
 *
 * The connection has a reference to it until it ends, and it has one to the connection. The file is open until nobody can touch
 * it any more: a thread that reads may do so long after a cancel, and has its own reference to what it uses.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sys.h"
#include "future/executor.h"
#include "future/future.h"
#include "io/transport.h"

#define MOST (1024 * 1024)      /* of one round */
#define PIECE (256 * 1024)      /* of one read */
#define AHEAD (64 * 1024)       /* of one read of a pipe, where what is read and not sent is lost */
#define PATIENCE HOYA_MSEC(100) /* until a thread that waits for a pipe asks whether somebody still wants that */

/* The file, and what has been read of it: of the loop's thread, or of the one that reads, never of both. */
typedef struct source {
    atomic_int refs;
    hoya_fd fd;
    bool in_sequence; /* it has no positions */
    int64_t at;       /* of what is to be read next */
    size_t wanted, got;
    char *memory; /* PIECE bytes, or NULL */
} source;

typedef struct hoya_file_sending {
    hoya_future future;
    hoya_transport *transport; /* a reference; NULL when it is over */
    source *source;
    hoya_future *read; /* or NULL */
    int64_t offset, left, sent;
    size_t begin, end; /* of what has been read: not sent yet */
    bool native, may_read;
    int doubt; /* what sendfile(2) has failed with, if it may be the connection's; until a send says that it is not */
} sending;

static sending *of(const hoya_transport *transport)
{
    return transport->more->file;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static void unref_source(void *arg)
{
    source *s = arg;
    if (atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) return;
    hoya_fd_close(&s->fd);
    hoya_free(s->memory);
    hoya_free(s);
}

static source *ref_source(source *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

static int new_source(hoya_fd file, source **out)
{
    source *s = hoya_new(source);
    if (!s) return HOYA_ENOMEM;
    hoya_fd fd = hoya_sys_duplicate(file);
    if (fd < 0) {
        hoya_free(s);
        return hoya_error_errno("sendfile's copy of its descriptor");
    }
    atomic_init(&s->refs, 1);
    s->fd = hoya_fd_adopt(fd);
    *out = s;
    return 0;
}

/* A pipe may have nothing for ever. */
static int await_input(const source *s, const hoya_job *self)
{
    const struct timespec patience = {0, PATIENCE};
    struct pollfd poll = {.fd = s->fd, .events = POLLIN};
    for (;;) {
        int rc = hoya_sys_ppoll(&poll, 1, &patience, NULL);
        if (rc > 0) return 0;
        if (rc < 0 && errno != EINTR) return hoya_error_errno("waiting for what sendfile reads");
        if (hoya_job_cancelled(self)) return HOYA_ECANCELED;
    }
}

static int read_some(hoya_job *self, void *arg)
{
    source *s = arg;
    for (;;) {
        int rc = s->in_sequence ? await_input(s, self) : 0;
        if (rc < 0) return rc;
        size_t few = s->wanted < AHEAD ? s->wanted : AHEAD;
        ssize_t n = s->in_sequence ? hoya_sys_read(s->fd, s->memory, few)
                                   : hoya_sys_pread(s->fd, s->memory, s->wanted, (off_t)s->at);
        if (n >= 0) {
            s->got = (size_t)n;
            return 0;
        }
        if (errno == ESPIPE && !s->in_sequence && s->at == 0) s->in_sequence = true;
        else if (errno == ESPIPE)
            return hoya_error_set(HOYA_EINVAL, "a file without positions, which is not read from its beginning");
        else if (errno != EINTR && errno != EAGAIN) return hoya_error_errno("reading what is to be sent");
    }
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* It holds nothing any more but itself. Returns the transport, with its reference. */
static hoya_transport *let_go(sending *s)
{
    hoya_transport *transport = s->transport;
    hoya_future *read = s->read;
    s->transport = NULL;
    s->read = NULL;
    transport->more->file = NULL;
    transport->sends_file = false;
    if (read) hoya_future_cancel(read, NULL);
    hoya_future_unref(read);
    unref_source(s->source);
    s->source = NULL;
    return transport;
}

static void end_with(sending *s, hoya_outcome outcome)
{
    hoya_transport *transport = let_go(s);
    s->future.outcome = outcome;
    hoya_future_settle(&s->future);
    hoya_transport_file_over(transport); /* may call the protocol */
    hoya_future_drop(&s->future);        /* may call the exception handler */
    hoya_transport_unref(transport);
}

static void fail(sending *s, int code, const char *text)
{
    end_with(s, hoya_outcome_error(code, text));
}

static void advance(sending *s, size_t count)
{
    s->offset += (int64_t)count;
    s->left -= (int64_t)count;
    s->sent += (int64_t)count;
}

void hoya_sendfile_fail(hoya_transport *transport, int code)
{
    if (code < 0) fail(of(transport), code, NULL);
    else fail(of(transport), HOYA_ECLOSED, "the connection was aborted while a file was sent");
}

void hoya_sendfile_forget(hoya_transport *transport)
{
    sending *s = of(transport);
    let_go(s);
    hoya_future_drop(&s->future);
    hoya_transport_unref(transport);
}

static int cancel(hoya_future *future, const char *reason)
{
    sending *s = (sending *)future;
    hoya_outcome outcome = hoya_outcome_error(HOYA_ECANCELED, reason);
    if (s->transport) {
        end_with(s, outcome);
    } else { /* its loop is closed */
        future->outcome = outcome;
        hoya_future_settle(future);
    }
    return 1;
}

static void free_sending(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    hoya_free(future); /* its first member */
    hoya_loop_unref(loop);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "a sendfile";
}

static const hoya_future_class sending_class = {.cancel = cancel, .free = free_sending, .name = name};

/* ---- by reading --------------------------------------------------------------------------------------------------- */

static void unref_sending(void *arg)
{
    hoya_future_drop(&((sending *)arg)->future);
}

static void on_read(hoya_future *read, void *arg)
{
    sending *s = arg;
    if (s->read != read) return; /* it is over */
    int rc = hoya_future_result(read, NULL);
    hoya_future_unref(read);
    s->read = NULL;
    hoya_channel *channel = &s->transport->channel;
    if (rc >= 0 && !s->source->got) {
        end_with(s, hoya_outcome_value(NULL, NULL)); /* the end of the file */
        return;
    }
    s->begin = 0;
    s->end = s->source->got;
    if (rc >= 0) rc = channel->engine->start(channel, HOYA_CHANNEL_OUTPUT);
    if (rc < 0) fail(s, rc, hoya_error_detail_of(rc));
}

static int begin_read(sending *s)
{
    hoya_check(!s->read, "two reads of one file at once");
    source *from = s->source;
    if (!from->memory) from->memory = hoya_resize(NULL, PIECE, 1);
    if (!from->memory) return HOYA_ENOMEM;
    from->at = s->offset;
    from->wanted = s->left < PIECE ? (size_t)s->left : PIECE;
    hoya_future *read;
    int rc = hoya_run_job(s->future.loop, NULL, read_some, ref_source(from), unref_source, false, s->future.place,
                          &read);
    if (rc < 0) return rc;
    hoya_future_hold(&s->future);
    rc = hoya_future_add_done_callback(read, on_read, s, unref_sending, NULL);
    if (rc < 0) {
        hoya_future_cancel(read, NULL);
        hoya_future_unref(read);
        return rc;
    }
    s->read = read;
    return 0;
}

static void read_on(sending *s)
{
    hoya_channel *channel = &s->transport->channel;
    channel->engine->stop(channel, HOYA_CHANNEL_OUTPUT);
    int rc = begin_read(s);
    if (rc < 0) fail(s, rc, hoya_error_detail_of(rc));
}

/* ---- the engine's side -------------------------------------------------------------------------------------------- */

/* sendfile(2) fails for two, and a file may be on a network of its own (FUSE, NFS). These only a socket says; whose all others are,
 * is asked: whoever reads hears what is the file's, and whoever sends what is the connection's. */
static bool is_of_connection(ssize_t code)
{
    return code == HOYA_EPIPE || code == HOYA_ECONNRESET;
}

/* These a connection says once, when it has ended by them; the next send hears HOYA_EPIPE. */
static bool is_said_once(ssize_t code)
{
    return code == HOYA_ETIMEDOUT || code == HOYA_EHOSTUNREACH || code == HOYA_ENETUNREACH;
}

/* Not this file, or not to this socket. */
static bool is_of_kind(ssize_t code)
{
    return code == HOYA_EINVAL || code == -ESPIPE || code == HOYA_ENOSYS || code == HOYA_ENOTSUP ||
           code == HOYA_EOVERFLOW;
}

static void send_natively(sending *s)
{
    hoya_channel *channel = &s->transport->channel;
    size_t most = s->left < MOST ? (size_t)s->left : MOST;
    ssize_t n = channel->engine->send_file(channel, s->source->fd, s->offset, most);
    if (n == HOYA_EAGAIN) return;
    if (n > 0) advance(s, (size_t)n);
    if (n > 0 && s->left) return;
    if (n >= 0) {
        end_with(s, hoya_outcome_value(NULL, NULL));
    } else if (is_of_connection(n)) {
        hoya_transport_end(s->transport, (int)n);
    } else if (s->may_read) {
        s->native = false;
        if (is_said_once(n)) s->doubt = (int)n;
        read_on(s);
    } else if (is_of_kind(n)) {
        fail(s, HOYA_ENOTSUP, "the system's sendfile cannot send this file");
    } else {
        fail(s, (int)n, NULL);
    }
}

int hoya_sendfile_reason(const hoya_transport *transport, int code)
{
    const sending *s = of(transport);
    return s->doubt && code == HOYA_EPIPE ? s->doubt : code;
}

int hoya_sendfile_output(hoya_transport *transport, struct iovec *parts)
{
    sending *s = of(transport);
    if (s->begin < s->end) {
        parts[0] = (struct iovec){s->source->memory + s->begin, s->end - s->begin};
        return 1;
    }
    if (s->native) send_natively(s);
    else read_on(s);
    return 0;
}

void hoya_sendfile_take(hoya_transport *transport, size_t count)
{
    sending *s = of(transport);
    s->doubt = 0;
    s->begin += count;
    advance(s, count);
    if (!s->left) end_with(s, hoya_outcome_value(NULL, NULL));
    else if (s->begin == s->end) read_on(s);
}

/* ---- the program's side -------------------------------------------------------------------------------------------- */

static int check(int64_t offset, int64_t count, uint32_t flags)
{
    const uint32_t both = HOYA_SENDFILE_NATIVE | HOYA_SENDFILE_READ;
    if (offset < 0) return hoya_error_set(HOYA_EINVAL, "sendfile from a negative offset");
    if (count < 1) return hoya_error_set(HOYA_EINVAL, "sendfile of %lld bytes", (long long)count);
    if (flags & ~both || flags == both)
        return hoya_error_set(HOYA_EINVAL, "sendfile with flags 0x%x", (unsigned)flags);
    return 0;
}

/* What may fail comes first. Room for output may be asked for already: this may be the function that hears that all has gone. */
static int begin(sending *s)
{
    hoya_transport *transport = s->transport;
    hoya_channel *channel = &transport->channel;
    bool waits = transport->output.size;
    if (!waits) {
        int rc = s->native ? channel->engine->start(channel, HOYA_CHANNEL_OUTPUT) : begin_read(s);
        if (rc < 0) return rc;
    }
    if (!waits && !s->native) channel->engine->stop(channel, HOYA_CHANNEL_OUTPUT);
    channel->engine->stop(channel, HOYA_CHANNEL_INPUT);
    transport->more->file = s;
    transport->sends_file = true;
    return 0;
}

int hoya_sendfile(hoya_transport *transport, hoya_fd file, int64_t offset, int64_t count, uint32_t flags,
                  hoya_future **out)
{
    source *from = NULL;
    int rc = hoya_transport_enter_write(transport);
    if (rc >= 0 && !transport->channel.engine->send_file)
        rc = hoya_error_set(HOYA_ENOTSUP, "files are sent over sockets only");
    if (rc >= 0) rc = check(offset, count, flags);
    if (rc >= 0) rc = hoya_transport_want_more(transport);
    if (rc >= 0) rc = new_source(file, &from);
    if (rc < 0) return rc;
    sending *s = hoya_new(sending);
    if (!s) {
        unref_source(from);
        return HOYA_ENOMEM;
    }
    hoya_future_init(&s->future, &sending_class, hoya_loop_ref(transport->channel.loop), HOYA_CALLER());
    s->transport = transport;
    s->source = from;
    s->offset = offset;
    s->left = count;
    s->native = !(flags & HOYA_SENDFILE_READ);
    s->may_read = !(flags & HOYA_SENDFILE_NATIVE);
    rc = begin(s);
    if (rc < 0) {
        unref_source(from);
        hoya_future_drop(&s->future);
        return rc;
    }
    hoya_transport_ref(transport);
    if (out) *out = hoya_future_ref(&s->future);
    return 0;
}

int64_t hoya_sendfile_sent(const hoya_future *future)
{
    if (!future || future->class != &sending_class)
        return hoya_error_set(HOYA_EINVAL, "sendfile_sent of a future that is no sendfile's");
    return ((const sending *)future)->sent;
}
