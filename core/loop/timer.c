/* SPDX-License-Identifier: MIT
 *
 * loop/timer.c: call_later and call_at on the heap, and the one descriptor that wakes the loop for the
 * nearest deadline.
 *
 * That descriptor is a timerfd in the selector, so that a host that watches only the selector wakes in
 * time, and as exactly as the kernel can. It is set at once when the nearest deadline moves earlier, and
 * left alone when it moves later: a cancelled timer costs one empty wake-up at most, and a timer that is
 * pushed back again and again costs no system call. Without timerfd the host's `arm` has the same part, and
 * natively the wait's timeout.
 *
 * A timer is due when its deadline is not after now, to the nanosecond: never early (statement 24).
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "loop/handle.h"

#define LONGEST HOYA_SEC(86400) /* statement 27: whatever the deadline, look once a day */
#define RETRY HOYA_MSEC(10)     /* how long to wait for memory before registering a descriptor again */

int64_t hoya_loop_time(const hoya_loop *loop)
{
    return loop->clock.now(loop->clock.arg);
}

int64_t hoya_loop_next_deadline(const hoya_loop *loop)
{
    int64_t deadline = hoya_heap_first(&loop->timers);
    if (loop->run_deadline < deadline) deadline = loop->run_deadline;
    if (hoya_unlikely(loop->aside)) {
        int64_t retry = hoya_time_add(hoya_loop_time(loop), RETRY);
        if (retry < deadline) deadline = retry;
    }
    return deadline;
}

void hoya_timers_collect(hoya_loop *loop)
{
    if (!loop->timers.count) return;
    int64_t now = hoya_loop_time(loop), late_from = HOYA_NEVER;
    for (int64_t first; (first = hoya_heap_first(&loop->timers)) <= now;) {
        /* A deadline before the last look was past when its timer was made. The first of the others is latest. */
        if (late_from == HOYA_NEVER && first >= loop->timers_looked) late_from = first;
        hoya_handle *handle = hoya_timer_at(loop, 0);
        if (handle->kind == HOYA_HANDLE_REPEAT) {
            hoya_repeat_queue(loop, handle);
            continue;
        }
        hoya_heap_pop(&loop->timers);
        /* Its place in the ring was reserved when it was made; its reference goes over to the queue. */
        if (handle->kind == HOYA_HANDLE_TIMER) hoya_handle_queue(loop, handle);
        else handle->fn.soon(handle->arg);
    }
    loop->timers_looked = now;
    if (late_from == HOYA_NEVER) return;
    loop->stats.timer_lag = now - late_from;
    if (now - late_from > loop->stats.timer_lag_max) loop->stats.timer_lag_max = now - late_from;
}

int hoya_timers_sync(hoya_loop *loop)
{
    int64_t deadline = hoya_loop_is_paused(loop) ? HOYA_NEVER : hoya_loop_next_deadline(loop);
    if (deadline == loop->armed_at) return 0;
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return 0; /* it is the parent's timer */
    bool by_host = loop->timer_fd == HOYA_INVALID_FD;
    if (by_host && loop->host == loop->native) return 0; /* hoya_guest_poll waits for it */
    if (deadline == HOYA_NEVER && !by_host) return 0;
    int64_t now = hoya_loop_time(loop);
    if (loop->armed_at > now && loop->armed_at < deadline)
        return 0; /* it fires before that; then it is set again */

    int rc;
    if (by_host) {
        rc = loop->host->ops->arm(loop->host, deadline);
    } else {
        int64_t longest = hoya_time_add(now, LONGEST);
        if (deadline > longest) deadline = longest;
        rc = hoya_fd_set_timer(loop->timer_fd, deadline);
    }
    if (rc >= 0) loop->armed_at = deadline;
    return rc;
}

void hoya_timers_set_again(hoya_loop *loop)
{
    if (loop->timer_fd != HOYA_INVALID_FD) return; /* it stays readable until somebody looks */
    loop->armed_at = HOYA_NEVER;
    hoya_timers_sync(loop);
}

/* Without a place in the ring. */
static int insert(hoya_loop *loop, hoya_handle *handle, int64_t when)
{
    handle->of.timer.when = when;
    handle->of.timer.node.index = HOYA_HEAP_NONE;
    int rc = hoya_heap_insert(&loop->timers, when, &handle->of.timer.node);
    /* What is set for an earlier time leads to a dispatch, which sets the next: most timers are pushed back, and need
     * not even the clock. */
    if (rc >= 0 && when < loop->armed_at) {
        rc = hoya_timers_sync(loop);
        if (rc < 0) hoya_heap_remove(&loop->timers, &handle->of.timer.node);
    }
    return rc;
}

int hoya_timers_insert(hoya_loop *loop, hoya_handle *handle, int64_t when)
{
    int rc = insert(loop, handle, when);
    if (rc < 0) {
        hoya_ring_unreserve(&loop->ready, 1);
        hoya_handle_unref(handle); /* destroys the argument */
    }
    return rc;
}

/* `when` is a time or, with `later`, a delay. */
static int call_at(hoya_loop *loop, int64_t when, bool later, hoya_callback fn, void *arg, hoya_destroy destroy,
                   hoya_handle **out, const void *place)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "call_at without a function");
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    if (later || !loop->timers.count) { /* not before enter: the clock may be the application's */
        int64_t now = hoya_loop_time(loop);
        if (!loop->timers.count) loop->timers_looked = now; /* nobody looks while there is none */
        if (later) when = hoya_time_add(now, when);
    }
    hoya_handle *handle = hoya_handle_new(loop, HOYA_HANDLE_TIMER, arg, destroy, place);
    if (!handle) {
        hoya_ring_unreserve(&loop->ready, 1);
        return HOYA_ENOMEM;
    }
    handle->fn.soon = fn;
    rc = hoya_timers_insert(loop, handle, when);
    if (rc < 0) return rc;
    if (out) *out = hoya_handle_ref(handle);
    hoya_loop_rearm(loop);
    return 0;
}

int hoya_loop_call_at(hoya_loop *loop, int64_t when, hoya_callback fn, void *arg, hoya_destroy destroy,
                      hoya_handle **out)
{
    return call_at(loop, when, false, fn, arg, destroy, out, HOYA_CALLER());
}

int hoya_loop_call_later(hoya_loop *loop, int64_t delay, hoya_callback fn, void *arg, hoya_destroy destroy,
                         hoya_handle **out)
{
    return call_at(loop, delay, true, fn, arg, destroy, out, HOYA_CALLER());
}

/* ---- alarms ---------------------------------------------------------------------------------------------- */

int hoya_alarm_set(hoya_loop *loop, hoya_handle *alarm, int64_t when, hoya_callback queue, void *arg,
                   const void *place)
{
    hoya_handle_init(alarm, loop, HOYA_HANDLE_ALARM, arg, NULL, place);
    alarm->fn.soon = queue;
    if (!loop->timers.count) loop->timers_looked = hoya_loop_time(loop); /* nobody looks while there is none */
    int rc = insert(loop, alarm, when);
    if (rc >= 0) hoya_loop_rearm(loop);
    return rc;
}

bool hoya_alarm_clear(hoya_handle *alarm)
{
    bool early = alarm->of.timer.node.index != HOYA_HEAP_NONE;
    if (!early) return false;
    hoya_heap_remove(&alarm->loop->timers, &alarm->of.timer.node);
    hoya_loop_rearm(alarm->loop);
    return true;
}

/* ---- the end --------------------------------------------------------------------------------------------- */

void hoya_timers_close(hoya_loop *loop)
{
    hoya_heap_node *node;
    while ((node = hoya_heap_pop(&loop->timers))) {
        hoya_handle *handle = HOYA_CONTAINER_OF(node, hoya_handle, of.timer.node);
        if (handle->kind == HOYA_HANDLE_ALARM) continue;
        hoya_handle_drop(handle);
        hoya_handle_unref(handle);
    }
    hoya_heap_free(&loop->timers);
    hoya_fd_close(&loop->timer_fd);
}
