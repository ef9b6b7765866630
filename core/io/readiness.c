/* SPDX-License-Identifier: MIT
 *
 * io/readiness.c: the engine that waits until a descriptor is ready, and does the system call then.
 *
 * A channel is a record of the loop's table and an entry of its ring at once: a look marks what was found, and queues the
 * channel; its turn does one thing a direction: one read, one write, so many accepts (statement 87: nobody gets more than the
 * others). What the callback of one direction leaves on the stack is not found again until it has returned (loop/watch.c says
 * why it must leave the selector); the other direction goes on.
 *
 * Who ended in its own callback, or with an entry in the ring, is gone when that has come back.
 *
 * A callback may fork, and return in the child as well: there its turn is over, since what it would go on with is the parent's.
 */
#include <errno.h>

#include "base/error.h"
#include "base/sys.h"
#include "io/io.h"
#include "io/pipe.h"
#include "io/rights.h"

#define PARTS 64     /* of what is sent by one call */
#define ACCEPTS 128  /* by one turn; statement 113 */
#define DATAGRAMS 32 /* the same, each way: as many as there are */
#define SOME 16384   /* of memory that an owner without any gets: a part of the stack */
#define AHEAD 32     /* turns: what they begin with is fetched before the first of them */
#define OWNERS 48    /* bytes of that behind the channel */

/* Nothing is sent or received by the file's own flag: whoever shares the file may have made it one that blocks. (sendfile and
 * accept know no other.) */
#define HOW (MSG_NOSIGNAL | MSG_DONTWAIT)

/* A hang-up is seen by who looks for input, with every selector. */
static const uint8_t readers = HOYA_CHANNEL_INPUT | HOYA_CHANNEL_ACCEPT | HOYA_CHANNEL_ARRIVE | HOYA_CHANNEL_HANGUP;
static const uint8_t writers = HOYA_CHANNEL_OUTPUT | HOYA_CHANNEL_CONNECT | HOYA_CHANNEL_LEAVE;

static const hoya_channel *of_record(const hoya_fd_record *record)
{
    return (const hoya_channel *)record; /* its first member */
}

static const hoya_channel *of_runnable(const hoya_runnable *runnable)
{
    return (const hoya_channel *)(const void *)((const char *)runnable - offsetof(hoya_channel, runnable));
}

/* ---- what the loop asks --------------------------------------------------------------------------------- */

static uint32_t wants(const hoya_fd_record *record)
{
    const hoya_channel *channel = of_record(record);
    uint8_t want = channel->wants & (uint8_t)~channel->blocked;
    return (want & readers ? HOYA_IN : 0u) | (want & writers ? HOYA_OUT : 0u);
}

static void queue(hoya_channel *channel)
{
    if (channel->queued) return;
    channel->queued = true;
    hoya_ring_push(&channel->loop->ready, NULL, &channel->runnable);
}

static void note(hoya_channel *channel, uint8_t seen)
{
    channel->due |= seen;
    if (hoya_likely(seen)) queue(channel);
}

/* A nested loop has looked. Not inline: the usual look need not save a register for it. */
static __attribute__((noinline)) void found_inside(hoya_channel *channel, uint8_t seen)
{
    channel->blocked |= seen & channel->busy;
    hoya_watch_update(channel->loop, &channel->record);
    note(channel, seen & (uint8_t)~channel->busy);
}

static void found(hoya_loop *loop, hoya_fd_record *record, uint32_t events)
{
    (void)loop;
    hoya_channel *channel = HOYA_CONTAINER_OF(record, hoya_channel, record);
    uint8_t seen = channel->wants & (uint8_t)((events & HOYA_WAKES_READER ? readers : 0) |
                                              (events & HOYA_WAKES_WRITER ? writers : 0));
    if (hoya_unlikely(seen & channel->busy)) found_inside(channel, seen);
    else note(channel, seen);
}

static hoya_description describe_side(const hoya_fd_record *record, int side)
{
    const hoya_channel *channel = of_record(record);
    uint8_t bits = side == 0 ? readers : writers;
    bool idle = side == 0 && !channel->wants; /* it has the descriptor, whatever it wants of it */
    if (!(channel->wants & bits) && !idle) return (hoya_description){.what = NULL};
    return (hoya_description){.what = channel->events->what,
                              .function = channel->events->function(channel),
                              .live = true,
                              .lasts = true,
                              .queued = channel->due & bits,
                              .running = channel->busy & bits,
                              .blocked = channel->blocked & bits};
}

/* Not come to: the layer ends its channels before (io/life.c). */
static void close_record(hoya_loop *loop, hoya_fd_record *record)
{
    hoya_watch_end(loop, record);
}

static const hoya_runnable_class socket_class;

/* A socket that is read, and nothing else: recv says "not yet" as a look would. One whose callback is on the stack is looked
 * for, as it would be found for ever. */
static bool guess(hoya_loop *loop, hoya_fd_record *record)
{
    (void)loop;
    hoya_channel *channel = HOYA_CONTAINER_OF(record, hoya_channel, record);
    if (channel->wants != HOYA_CHANNEL_INPUT || !channel->patient || channel->busy) return false;
    if (channel->runnable.class != &socket_class) return false;
    channel->guessed = true;
    note(channel, HOYA_CHANNEL_INPUT);
    return true;
}

static const hoya_fd_class fd_class = {wants, found, close_record, guess, describe_side};

/* ---- a direction's turn ----------------------------------------------------------------------------------- */

/* Behind a callback: who begins something else in this turn asks. */
static bool is_parents(const hoya_channel *channel)
{
    return hoya_unlikely(hoya_loop_is_forked(channel->loop));
}

/* The same where a turn does several things of one kind. */
static bool goes_on(const hoya_channel *channel, hoya_channel_want want)
{
    return channel->open && channel->wants & want && !is_parents(channel);
}

/* After a call that failed: the code, or `later` for "not now", which is no failure (statement 103). */
static int code_or(int later)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? later : -errno;
}

/* A program may ask its socket to keep what went wrong, with all details (IP_RECVERR), or when things went out
 * (SO_TIMESTAMPING, MSG_ZEROCOPY), until somebody takes it: so long it is ready, and has nothing. What went wrong has been
 * told by then, as ever, and who wants the details has read them. Only where the system knows such a queue: others would
 * give, and lose, a datagram. */
static bool drop_errors(hoya_channel *channel)
{
    struct msghdr nowhere = {.msg_iovlen = 0};
    int count = 0;
    if (!channel->keeps_errors) return false;
    while (count < DATAGRAMS && hoya_sys_recvmsg(channel->record.fd, &nowhere, MSG_ERRQUEUE) >= 0) count++;
    return count;
}

/* Nothing has gone. Such errors may have brought the turn; whoever reads drops them there. */
static HOYA_COLD ssize_t not_sent(hoya_channel *channel, int later)
{
    int code = code_or(later);
    if (code == later && channel->busy & writers && !(channel->wants & readers)) drop_errors(channel);
    return code;
}

/* Not inline: what it needs is on the stack of nobody else. */
static __attribute__((noinline)) ssize_t receive_with_fds(hoya_channel *channel, void *memory, size_t size)
{
    hoya_rights rights;
    ssize_t n = hoya_rights_receive(channel->record.fd, memory, size, &rights);
    if (n < 0 || (!rights.count && !rights.lost)) return n;
    if (channel->events->descriptors(channel, rights.fds, rights.count, rights.lost)) return n;
    errno = EAGAIN;
    return -1;
}

static inline ssize_t receive_from_socket(hoya_channel *channel, void *memory, size_t size)
{
    if (hoya_unlikely(channel->takes_fds)) return receive_with_fds(channel, memory, size);
    return hoya_sys_recv(channel->record.fd, memory, size, MSG_DONTWAIT);
}

static ssize_t receive_from_pipe(hoya_channel *channel, void *memory, size_t size)
{
    return hoya_pipe_read(channel->record.fd, memory, size);
}

static inline __attribute__((always_inline)) void
take_input_by(hoya_channel *channel, ssize_t (*receive)(hoya_channel *channel, void *memory, size_t size))
{
    char some[SOME];
    void *memory = some;
    size_t size = sizeof some;
    if (!channel->events->input(channel, &memory, &size)) return;
    ssize_t n = receive(channel, memory, size);
    if (hoya_unlikely(n < 0)) n = code_or(HOYA_EAGAIN);
    channel->events->received(channel, memory, n);
    if (hoya_likely(n != HOYA_EAGAIN)) return;
    channel->vain = true;
    hoya_watch_in_vain(channel->loop);
    if (channel->open) drop_errors(channel);
}

static void take_input(hoya_channel *channel)
{
    take_input_by(channel, receive_from_socket);
}

static void take_input_of_pipe(hoya_channel *channel)
{
    take_input_by(channel, receive_from_pipe);
}

static __attribute__((noinline)) ssize_t send_message(hoya_channel *channel, const struct iovec *parts, int count)
{
    union { /* the parts are not written to */
        const struct iovec *given;
        struct iovec *wanted;
    } cast = {parts};
    struct msghdr message = {.msg_iov = cast.wanted, .msg_iovlen = (size_t)count};
    ssize_t n = hoya_sys_sendmsg(channel->record.fd, &message, HOW);
    return n >= 0 ? n : not_sent(channel, 0);
}

static ssize_t send_parts(hoya_channel *channel, const struct iovec *parts, int count)
{
    if (hoya_unlikely(count != 1)) return send_message(channel, parts, count);
    ssize_t n = hoya_sys_send(channel->record.fd, parts->iov_base, parts->iov_len, HOW);
    return hoya_likely(n >= 0) ? n : not_sent(channel, 0);
}

static ssize_t send_fds(hoya_channel *channel, const struct iovec *parts, int count, const hoya_fd *fds,
                        size_t fd_count)
{
    ssize_t n = hoya_rights_send(channel->record.fd, parts, count, fds, fd_count);
    return n >= 0 ? n : code_or(0);
}

static ssize_t send_from(hoya_channel *channel, hoya_fd file, int64_t offset, size_t count)
{
    ssize_t n = hoya_sys_send_file(channel->record.fd, file, offset, count);
    return n >= 0 ? n : not_sent(channel, HOYA_EAGAIN);
}

static ssize_t send_to_pipe(hoya_channel *channel, const struct iovec *parts, int count)
{
    ssize_t n = hoya_pipe_write(channel->loop, channel->record.fd, parts, count);
    return hoya_likely(n >= 0) ? n : code_or(0);
}

static inline void give_output_by(hoya_channel *channel,
                                  ssize_t (*give)(hoya_channel *channel, const struct iovec *parts, int count))
{
    struct iovec parts[PARTS];
    int count = channel->events->output(channel, parts, PARTS);
    if (count <= 0) return;
    ssize_t n = give(channel, parts, count);
    if (n) channel->events->sent(channel, n);
}

static void give_output(hoya_channel *channel)
{
    give_output_by(channel, send_parts);
}

static void give_output_to_pipe(hoya_channel *channel)
{
    give_output_by(channel, send_to_pipe);
}

/* Looked at once more: what there is to read looks the same to some selectors. Of that nothing is read, and so it would be
 * found for ever. */
static void take_hangup(hoya_channel *channel)
{
    struct pollfd look = {.fd = channel->record.fd, .events = POLLIN};
    const struct timespec now = {0, 0};
    if (hoya_sys_ppoll(&look, 1, &now, NULL) <= 0) return;
    if (look.revents & (POLLERR | POLLHUP | POLLNVAL)) channel->events->hung_up(channel);
    else channel->engine->stop(channel, HOYA_CHANNEL_HANGUP);
}

/* MSG_TRUNC: it says how long the datagram was, whatever the memory had room for. */
static void take_datagrams(hoya_channel *channel)
{
    char some[SOME];
    struct sockaddr_storage from;
    bool in_vain = true;
    for (int i = 0; i < DATAGRAMS && goes_on(channel, HOYA_CHANNEL_ARRIVE); i++) {
        void *memory = some;
        size_t size = sizeof some;
        if (!channel->events->input(channel, &memory, &size)) return;
        socklen_t length = sizeof from;
        ssize_t n = hoya_sys_recvfrom(channel->record.fd, memory, size, MSG_TRUNC | MSG_DONTWAIT,
                                      (struct sockaddr *)&from, &length);
        int code = n < 0 ? code_or(HOYA_EAGAIN) : (size_t)n > size ? HOYA_EMSGSIZE : 0;
        hoya_datagram datagram = {memory, n < 0 ? 0 : (size_t)n, (const struct sockaddr *)&from, length};
        channel->events->arrived(channel, &datagram, code);
        if (code != HOYA_EAGAIN) in_vain = false;
        else if (!in_vain || !drop_errors(channel)) return;
    }
}

static int send_datagram(hoya_channel *channel, const hoya_datagram *datagram)
{
    ssize_t n = hoya_sys_sendto(channel->record.fd, datagram->data, datagram->size, HOW, datagram->address,
                                datagram->length);
    return n >= 0 ? 0 : (int)not_sent(channel, HOYA_EAGAIN);
}

static void give_datagrams(hoya_channel *channel)
{
    hoya_datagram datagram;
    for (int i = 0; i < DATAGRAMS && goes_on(channel, HOYA_CHANNEL_LEAVE); i++) {
        if (!channel->events->leaving(channel, &datagram)) return;
        int code = send_datagram(channel, &datagram);
        channel->events->left(channel, code);
        if (code == HOYA_EAGAIN) return;
    }
}

static void take_connections(hoya_channel *channel)
{
    for (int i = 0; i < ACCEPTS && goes_on(channel, HOYA_CHANNEL_ACCEPT); i++) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd =
            hoya_sys_accept4(channel->record.fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            fd = -errno;
            if (fd == -EAGAIN || fd == -EWOULDBLOCK) return;
            if (fd == -EINTR) continue;
        }
        if (!channel->events->accepted(channel, fd, (const struct sockaddr *)&peer, length)) return;
    }
}

static void finish_connect(hoya_channel *channel)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (hoya_sys_getsockopt(channel->record.fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0) code = errno;
    channel->wants &= (uint8_t)~HOYA_CHANNEL_CONNECT;
    hoya_watch_update(channel->loop, &channel->record);
    channel->events->connected(channel, -code);
}

/* What is due is wanted, and is not on the stack: who stops or ends takes it out of `due`. The bit leaves that first: what a
 * nested loop finds of the other directions it may do. */
static inline void take(hoya_channel *channel, uint8_t bit, void (*direction)(hoya_channel *))
{
    if (!(channel->due & bit)) return;
    hoya_check(channel->open && channel->wants & bit && !(channel->busy & bit), "a turn of what nobody waits for");
    channel->due &= (uint8_t)~bit;
    channel->busy |= bit;
    direction(channel);
    channel->busy &= (uint8_t)~bit;
    if (hoya_likely(!(channel->blocked & bit))) return;
    channel->blocked &= (uint8_t)~bit;
    if (channel->open) hoya_watch_put_back(channel->loop, &channel->record);
}

/* Reader before writer (statement 5). */
static inline void take_turn(hoya_channel *channel, void (*input)(hoya_channel *), void (*output)(hoya_channel *))
{
    if (channel->due & HOYA_CHANNEL_TURN) {
        channel->due &= (uint8_t)~HOYA_CHANNEL_TURN;
        channel->events->turn(channel);
        if (is_parents(channel)) return;
    }
    take(channel, HOYA_CHANNEL_INPUT, input);
    if (hoya_likely(!channel->due) || is_parents(channel)) return; /* else it has room for output, too */
    take(channel, HOYA_CHANNEL_OUTPUT, output);
    if (hoya_likely(!channel->due) || is_parents(channel)) return;
    take(channel, HOYA_CHANNEL_HANGUP, take_hangup);
    take(channel, HOYA_CHANNEL_ARRIVE, take_datagrams);
    take(channel, HOYA_CHANNEL_LEAVE, give_datagrams);
    take(channel, HOYA_CHANNEL_ACCEPT, take_connections);
    take(channel, HOYA_CHANNEL_CONNECT, finish_connect);
}

/* ---- the entry of the ready ring -------------------------------------------------------------------------- */

static void let_go(hoya_channel *channel)
{
    if (!channel->open && !channel->queued && !channel->turns) channel->events->gone(channel);
}

void hoya_channel_after(hoya_loop *loop, hoya_callback fn, void *arg)
{
    hoya_loop_io *io = loop->slots[HOYA_SLOT_IO].data;
    hoya_check(!io->after, "two tasks are to go on after one turn of a connection");
    io->after = fn;
    io->after_arg = arg;
}

/* What its turn begins with. A task's stack is read, and not prefetched: where a processor has forgotten what page an address
 * is in it may drop a prefetch. */
static inline void fetch(const hoya_channel *channel)
{
    if (!channel->open || !(channel->due & HOYA_CHANNEL_INPUT)) return;
    __builtin_prefetch(channel + 1);
    __builtin_prefetch((const char *)(channel + 1) + OWNERS);
    if (!channel->hints) return;
    const volatile char *memory = channel->events->hint(channel);
    if (memory) (void)*memory;
}

/* Of the turns that come next, of the same kind. Each turn's work in the kernel drives other things out of the caches, so that the next one
 * would begin with waiting for its memory, piece by piece. Fetched together they wait together; and not for more turns than
 * will come before it is gone again. */
static __attribute__((noinline)) void fetch_next(hoya_loop_io *io, const hoya_ring *ring,
                                                 const hoya_runnable_class *class)
{
    uint64_t end = ring->tail - ring->head < AHEAD ? ring->tail : ring->head + AHEAD;
    for (uint64_t i = ring->head; i < end; i++) {
        const hoya_ring_entry *entry = hoya_ring_at(ring, i);
        const hoya_runnable *runnable = entry->arg;
        if (!entry->fn && runnable->class == class) fetch(of_runnable(runnable));
    }
    io->fetched = end;
}

static inline bool run_by(hoya_loop *loop, hoya_runnable *runnable, void (*input)(hoya_channel *),
                          void (*output)(hoya_channel *))
{
    hoya_channel *channel = HOYA_CONTAINER_OF(runnable, hoya_channel, runnable);
    channel->queued = false;
    bool live = channel->open;
    if (live) {
        hoya_ring_keep(&loop->ready); /* before anything else happens */
        hoya_loop_io *io = loop->slots[HOYA_SLOT_IO].data;
        if (loop->ready.head >= io->fetched) fetch_next(io, &loop->ready, runnable->class);
        channel->turns++;
        take_turn(channel, input, output);
        channel->turns--;
    }
    let_go(channel);
    hoya_channel_run_after(loop);
    return live;
}

/* Found where nobody has looked, perhaps for nothing. That is no callback (run_once waits for one), and nobody's code hears of
 * it: where the protocol is another one by now, it waits for a look, as what is ready stays so. */
static __attribute__((noinline)) bool run_guess(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_channel *channel = HOYA_CONTAINER_OF(runnable, hoya_channel, runnable);
    channel->guessed = channel->vain = false;
    if (!channel->patient) channel->due &= (uint8_t)~HOYA_CHANNEL_INPUT;
    bool tries = channel->due & HOYA_CHANNEL_INPUT, does_more = channel->due & (uint8_t)~HOYA_CHANNEL_INPUT;
    channel->turns++; /* it stays until we have asked it */
    bool live = run_by(loop, runnable, take_input, give_output);
    channel->turns--;
    bool was_ready = live && tries && !channel->vain;
    loop->stats.events += was_ready;
    let_go(channel);
    return was_ready || (live && does_more);
}

static bool run(hoya_loop *loop, hoya_runnable *runnable)
{
    if (hoya_unlikely(HOYA_CONTAINER_OF(runnable, hoya_channel, runnable)->guessed))
        return run_guess(loop, runnable);
    return run_by(loop, runnable, take_input, give_output);
}

static bool run_pipe(hoya_loop *loop, hoya_runnable *runnable)
{
    return run_by(loop, runnable, take_input_of_pipe, give_output_to_pipe);
}

static void drop(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    hoya_channel *channel = HOYA_CONTAINER_OF(runnable, hoya_channel, runnable);
    channel->queued = false;
    let_go(channel);
}

static hoya_description describe(const hoya_runnable *runnable)
{
    const hoya_channel *channel = of_runnable(runnable);
    return (hoya_description){.what = channel->events->what,
                              .function = channel->events->function(channel),
                              .live = channel->open,
                              .lasts = true};
}

static const hoya_runnable_class socket_class = {run, drop, describe};
static const hoya_runnable_class pipe_class = {run_pipe, drop, describe};

/* ---- what the owner asks ------------------------------------------------------------------------------------ */

static int begin_as(hoya_channel *channel, hoya_fd fd, const hoya_runnable_class *class)
{
    hoya_loop *loop = channel->loop;
    int rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) return rc;
    rc = hoya_watch_begin(loop, &channel->record, &fd_class, fd);
    if (rc < 0) {
        hoya_ring_unreserve(&loop->ready, 1);
        return rc;
    }
    channel->runnable.class = class;
    channel->open = true;
    if (hoya_unlikely(hoya_loop_debugs(loop))) hoya_debug_watched(loop, fd);
    return 0;
}

static int begin(hoya_channel *channel, hoya_fd fd)
{
    return begin_as(channel, fd, &socket_class);
}

static int begin_pipe(hoya_channel *channel, hoya_fd fd)
{
    return begin_as(channel, fd, &pipe_class);
}

static void end(hoya_channel *channel)
{
    hoya_loop *loop = channel->loop;
    channel->open = false;
    channel->wants = channel->due = 0;
    hoya_watch_end(loop, &channel->record);
    if (!channel->queued) hoya_ring_unreserve(&loop->ready, 1);
    hoya_loop_rearm(loop);
    let_go(channel);
}

static int start(hoya_channel *channel, hoya_channel_want want)
{
    channel->wants |= (uint8_t)want;
    int rc = hoya_watch_update(channel->loop, &channel->record);
    if (rc < 0) channel->wants &= (uint8_t)~want;
    else hoya_loop_rearm(channel->loop);
    return rc;
}

static void stop(hoya_channel *channel, hoya_channel_want want)
{
    channel->wants &= (uint8_t)~want;
    channel->due &= (uint8_t)~want;
    hoya_watch_update(channel->loop, &channel->record);
    hoya_loop_rearm(channel->loop);
}

static int begin_connect(hoya_channel *channel, const struct sockaddr *address, socklen_t length)
{
    int rc = hoya_sys_connect(channel->record.fd, address, length);
    /* Interrupted, it goes on all the same, and must not be called again. */
    if (rc < 0 && errno != EINPROGRESS && errno != EINTR) return hoya_error_errno("connect");
    return start(channel, HOYA_CHANNEL_CONNECT);
}

const hoya_engine hoya_engine_readiness = {.name = "readiness",
                                           .begin = begin,
                                           .end = end,
                                           .start = start,
                                           .stop = stop,
                                           .send = send_parts,
                                           .send_datagram = send_datagram,
                                           .send_fds = send_fds,
                                           .send_file = send_from,
                                           .connect = begin_connect};
const hoya_engine hoya_engine_pipes = {.name = "readiness of pipes",
                                       .begin = begin_pipe,
                                       .end = end,
                                       .start = start,
                                       .stop = stop,
                                       .send = send_to_pipe};

/* A look has queued it for what is not wanted any more. The place that it has so would bring the turn ahead of what was
 * queued since. Such an entry is of the round that runs, or of one that has not begun: what moves up stays in its own. */
static void give_place_up(hoya_channel *channel)
{
    hoya_loop *loop = channel->loop;
    hoya_ring *ring = &loop->ready;
    uint64_t number = ring->head;
    bool in_round = number < loop->round_end;
    while (hoya_ring_at(ring, number)->fn || hoya_ring_at(ring, number)->arg != &channel->runnable) {
        number++;
        hoya_check(number != ring->tail, "a channel that is queued is not in the ready ring");
    }
    hoya_ring_take_out(ring, number);
    channel->queued = false;
    /* Of a round that was cut short it may have been all that was left. */
    if (in_round && !loop->depth && ring->head >= loop->round_end) hoya_run_end_of_round(loop);
}

void hoya_channel_soon(hoya_channel *channel)
{
    if (hoya_unlikely(channel->queued && !channel->due)) give_place_up(channel);
    channel->due |= HOYA_CHANNEL_TURN;
    if (channel->queued) return;
    hoya_inbox_keep_order(channel->loop);
    queue(channel);
    hoya_loop_rearm(channel->loop);
}
