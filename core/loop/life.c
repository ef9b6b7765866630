/* SPDX-License-Identifier: MIT
 *
 * loop/life.c: how a loop begins and ends, and whose it is.
 *
 * close ends it: everything that was queued, timed or watched is dropped, the host is let go, the selector
 * is gone. The last unref frees what is left: the memory and the eventfd, which a thread with a reference
 * may be about to write.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/options.h"
#include "loop/loop.h"

#define KNOWN_FLAGS (HOYA_LOOP_NO_TIMERFD | HOYA_LOOP_DEBUG | HOYA_LOOP_PER_FD)

/* ---- whose ---------------------------------------------------------------------------------------------- */

int hoya_loop_check_thread(const hoya_loop *loop)
{
    if (hoya_unlikely(!loop)) return hoya_error_set(HOYA_EINVAL, "the loop is NULL");
    if (hoya_unlikely(hoya_loop_is_forked(loop)))
        return hoya_error_set(HOYA_ECHILD, "the loop is the parent process's; hoya_loop_after_fork comes first");
    if (hoya_likely(hoya_loop_on_thread(loop))) return 0;
    return hoya_error_set(HOYA_ETHREAD, "the loop belongs to another thread; use call_soon_threadsafe");
}

int hoya_loop_enter_unusual(hoya_loop *loop)
{
    int rc = hoya_loop_check_thread(loop);
    if (hoya_unlikely(rc < 0)) return rc;
    if (hoya_unlikely(atomic_load_explicit(&loop->closed, memory_order_relaxed)))
        return hoya_error_set(HOYA_ECLOSED, "the loop is closed");
    if (loop->absent) hoya_loop_try_absent_host(loop);
    hoya_loop_ask_host(loop);
    loop->unusual = loop->absent || loop->host->ops->is_gone || hoya_loop_debugs(loop);
    return 0;
}

/* ---- the beginning -------------------------------------------------------------------------------------- */

static int open_descriptors(hoya_loop *loop, bool with_timer)
{
    uint32_t events = HOYA_IN | (loop->edge ? HOYA_EDGE : 0);
    int fd = hoya_fd_open_event();
    if (fd < 0) return fd;
    loop->wake_fd = fd;
    int rc = hoya_selector_register(loop->selector, fd, events, &loop->wake_fd);
    if (rc < 0 || !with_timer) return rc;
    fd = hoya_fd_open_timer();
    if (fd < 0) return fd;
    loop->timer_fd = fd;
    return hoya_selector_register(loop->selector, fd, events, &loop->timer_fd);
}

static void init(hoya_loop *loop, const hoya_loop_options *options)
{
    static const hoya_clock system = {hoya_clock_monotonic, NULL};
    atomic_init(&loop->refs, 1);
    atomic_init(&loop->owner, hoya_thread_self());
    loop->generation = hoya_fork_generation();
    pthread_mutex_init(&loop->inbox_lock, NULL);
    hoya_list_init(&loop->waiters);
    loop->clock = options->clock ? *options->clock : system;
    loop->timer_fd = loop->wake_fd = loop->watch.fd = HOYA_INVALID_FD;
    loop->armed_at = loop->run_deadline = HOYA_NEVER;
    loop->per_fd = options->flags & HOYA_LOOP_PER_FD;
    loop->slow_callback_duration = HOYA_MSEC(100);
    const char *debug = getenv("HOYA_DEBUG");
    atomic_init(&loop->debug, (options->flags & HOYA_LOOP_DEBUG) || (debug && debug[0] && debug[0] != '0'));
    loop->unusual = true; /* until the first enter finds out */
    hoya_live_add(HOYA_LIVE_LOOPS, 1);
}

static int build(hoya_loop *loop, const hoya_loop_options *options)
{
    loop->own_selector = options->selector;
    int rc = loop->own_selector ? 0 : hoya_selector_new(NULL, &loop->own_selector);
    loop->selector = loop->own_selector;
    if (rc >= 0) rc = hoya_fork_notice();
    if (rc >= 0) rc = hoya_host_native_new(&loop->native);
    if (rc < 0) return rc;
    loop->host = loop->native;
    loop->quiet_host = true;
    loop->native->ops->attach(loop->native, hoya_loop_guest(loop), 0);

    uint32_t caps = hoya_selector_caps(loop->selector);
    loop->edge = caps & HOYA_SELECTOR_EDGE;
    if (caps & HOYA_SELECTOR_NESTS) loop->watch.fd = hoya_selector_fileno(loop->selector);
    rc = open_descriptors(loop, !options->clock && !(options->flags & HOYA_LOOP_NO_TIMERFD));
    /* The place of the batch of posts; see threadsafe.c. */
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    return rc;
}

static void discard(const hoya_loop_options *options)
{
    if (options->host) options->host->ops->free(options->host);
    hoya_selector_free(options->selector);
}

int hoya_loop_new(const hoya_loop_options *given, hoya_loop **out)
{
    hoya_loop_options options;
    if (!hoya_options_read(&options, sizeof options, given))
        return hoya_error_set(HOYA_EINVAL,
                              "hoya_loop_options: the size is not set, or a member is not known to this version");
    if (options.host && (!options.host->ops || options.host->ops->size != sizeof *options.host->ops)) {
        options.host = NULL; /* not ours to free */
        discard(&options);
        return hoya_error_set(HOYA_EINVAL, "hoya_loop_options: this is no host of this version");
    }
    if (options.flags & ~(uint32_t)KNOWN_FLAGS) {
        discard(&options);
        return hoya_error_set(HOYA_EINVAL, "hoya_loop_options: flags 0x%x are not known", (unsigned)options.flags);
    }
    hoya_loop *loop = hoya_new(hoya_loop);
    if (!loop) {
        discard(&options);
        return HOYA_ENOMEM;
    }
    init(loop, &options);
    loop->place = HOYA_CALLER();
    int rc = build(loop, &options);
    if (rc >= 0 && options.host) rc = hoya_loop_take_host(loop, options.host, options.priority);
    else if (options.host) options.host->ops->free(options.host);
    if (rc < 0) {
        hoya_loop_unref(loop);
        return rc;
    }
    *out = loop;
    return 0;
}

/* ---- the end -------------------------------------------------------------------------------------------- */

static void end(hoya_loop *loop)
{
    if (hoya_loop_is_forked(loop)) hoya_loop_leave_parent(loop);
    /* From here on a post is refused; none is between its check and its append. */
    pthread_mutex_lock(&loop->inbox_lock);
    atomic_store(&loop->closed, true);
    hoya_loop_doubt(loop);
    pthread_mutex_unlock(&loop->inbox_lock);

    hoya_debug_close(loop);
    hoya_loop_drop_absent_host(loop);
    if (loop->host != loop->native) hoya_loop_let_host_go(loop);

    for (hoya_slot *slot = loop->slots; slot < loop->slots + HOYA_SLOTS; slot++)
        if (slot->close) slot->close(loop);

    /* Destroy functions run in here. They find a closed loop, and may cancel what has not been dropped yet. */
    while (hoya_ring_count(&loop->ready)) {
        hoya_ring_entry entry = hoya_ring_pop(&loop->ready);
        hoya_runnable *runnable = entry.fn ? NULL : entry.arg;
        if (runnable) runnable->class->drop(loop, runnable);
    }
    loop->round_end = loop->ready.head;
    hoya_inbox_close(loop);
    hoya_timers_close(loop);
    hoya_waiters_close(loop);
    hoya_signals_close(loop);
    hoya_watch_close(loop);
    hoya_selector_free(loop->own_selector);
    loop->selector = loop->own_selector = NULL;
    loop->watch.fd = HOYA_INVALID_FD;
    hoya_ring_free(&loop->ready);
}

int hoya_loop_close(hoya_loop *loop)
{
    if (!loop) return hoya_error_set(HOYA_EINVAL, "the loop is NULL");
    if (atomic_load(&loop->closed)) return 0;
    int rc = hoya_loop_is_forked(loop) ? 0 : hoya_loop_check_thread(loop); /* in a child: whoever wants to */
    if (rc < 0) return rc;
    if (loop->level || loop->depth) return hoya_error_set(HOYA_EBUSY, "a running loop cannot be closed");
    if (!hoya_loop_is_forked(loop)) hoya_loop_ask_host(loop);
    hoya_loop_ref(loop); /* a destroy function may drop what the caller thinks is the last one */
    end(loop);
    hoya_loop_unref(loop);
    return 0;
}

int hoya_loop_is_closed(const hoya_loop *loop)
{
    return atomic_load(&loop->closed);
}

hoya_loop *hoya_loop_ref(hoya_loop *loop)
{
    int before = atomic_fetch_add_explicit(&loop->refs, 1, memory_order_relaxed);
    hoya_check(before > 0, "a loop was used after it was freed");
    (void)before;
    return loop;
}

void hoya_loop_unref(hoya_loop *loop)
{
    if (!loop) return;
    int before = atomic_fetch_sub_explicit(&loop->refs, 1, memory_order_acq_rel);
    hoya_check(before > 0, "a loop was unreferenced once too often");
    if (before != 1) return;
    if (!atomic_load(&loop->closed)) {
        hoya_check(hoya_loop_is_forked(loop) || hoya_loop_on_thread(loop),
                   "the last reference of an open loop was dropped on a wrong thread");
        /* Alive once more while it ends: a host may need it for longer than that. */
        atomic_store(&loop->refs, 1);
        end(loop);
        hoya_loop_unref(loop);
        return;
    }
    hoya_fd_close(&loop->wake_fd);
    pthread_mutex_destroy(&loop->inbox_lock);
    if (loop->native) loop->native->ops->free(loop->native);
    hoya_free(loop);
    hoya_live_add(HOYA_LIVE_LOOPS, -1);
}

/* ---- counters ------------------------------------------------------------------------------------------- */

int hoya_loop_stats(const hoya_loop *loop, hoya_loop_statistics *stats)
{
    int rc = hoya_loop_check_thread(loop);
    if (rc < 0) return rc;
    if (!stats || stats->size != sizeof *stats)
        return hoya_error_set(HOYA_EINVAL, "hoya_loop_statistics: the size member is not set");
    *stats = loop->stats;
    stats->size = sizeof *stats;
    stats->queued = hoya_ring_count(&loop->ready);
    stats->timers = loop->timers.count;
    stats->signal_handlers = (uint64_t)__builtin_popcountll(loop->signals);
    return 0;
}
