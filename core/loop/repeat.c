/* SPDX-License-Identifier: MIT
 *
 * loop/repeat.c: call_every: a timer that goes off again and again, without drift.
 *
 * Its times are a raster, `start + n * interval`; each deadline is computed from the raster, never from when the last
 * call was. A time that has gone by is left out: there is nothing to make up for, and no burst.
 *
 * The handle is in the heap of timers from its birth to its end: while it is queued, and while its callback is on the
 * stack, at HOYA_NEVER. So the next deadline needs no memory, and a loop that is nested in the callback does not call it
 * again.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "loop/handle.h"

typedef struct repeat {
    hoya_handle handle;
    int64_t due; /* the next time of the raster */
    int64_t interval, slack;
} repeat;

/* Of the times from `due` to `due + slack` the one that has most zeros at its end. Whoever else has slack around that time, in
 * whatever loop or process, finds the same one, and they wake together. */
static int64_t aim(int64_t due, int64_t slack)
{
    uint64_t last = (uint64_t)hoya_time_add(due, slack), differ = ((uint64_t)due - 1) ^ last;
    int bit = 63 - __builtin_clzll(differ); /* `due - 1` has not got it: what ends there is later */
    return (int64_t)(last >> bit << bit);
}

static void set(hoya_loop *loop, repeat *r, int64_t when)
{
    hoya_heap_move(&loop->timers, &r->handle.of.timer.node, when);
    r->handle.of.timer.when = when;
}

void hoya_repeat_queue(hoya_loop *loop, hoya_handle *handle)
{
    hoya_heap_move(&loop->timers, &handle->of.timer.node, HOYA_NEVER); /* `when` says still when it was due */
    hoya_handle_queue(loop, hoya_handle_ref(handle));
}

void hoya_repeat_returned(hoya_loop *loop, hoya_handle *handle)
{
    repeat *r = (repeat *)handle;
    int64_t now = hoya_loop_time(loop);
    if (now >= r->due) {
        int64_t missed = (now - r->due) / r->interval;
        r->due = hoya_time_add(r->due + missed * r->interval, r->interval);
    }
    set(loop, r, aim(r->due, r->slack));
    if (handle->of.timer.when < loop->armed_at) hoya_timers_sync(loop); /* the round's end sees to a failure */
}

static int check(int64_t interval, int64_t slack, hoya_callback fn)
{
    if (!fn) return hoya_error_set(HOYA_EINVAL, "call_every without a function");
    if (interval <= 0) return hoya_error_set(HOYA_EINVAL, "call_every: an interval is more than nothing");
    if (slack < 0 || slack >= interval)
        return hoya_error_set(HOYA_EINVAL,
                              "call_every: slack is less than the interval, and not less than nothing");
    return 0;
}

int hoya_loop_call_every(hoya_loop *loop, int64_t interval, int64_t slack, hoya_callback fn, void *arg,
                         hoya_destroy destroy, hoya_handle **out)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = check(interval, slack, fn);
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    repeat *r = hoya_new_handle(sizeof *r);
    if (!r) {
        hoya_ring_unreserve(&loop->ready, 1);
        hoya_destroy_arg(destroy, arg);
        return HOYA_ENOMEM;
    }
    hoya_handle *handle = &r->handle;
    hoya_handle_init(handle, loop, HOYA_HANDLE_REPEAT, arg, destroy, HOYA_CALLER());
    handle->fn.soon = fn;
    r->interval = interval;
    r->slack = slack;
    int64_t now = hoya_loop_time(loop);
    if (!loop->timers.count) loop->timers_looked = now; /* nobody looks while there is none */
    r->due = hoya_time_add(now, interval);
    rc = hoya_timers_insert(loop, handle, aim(r->due, slack));
    if (rc < 0) return rc;
    if (out) *out = hoya_handle_ref(handle);
    hoya_loop_rearm(loop);
    return 0;
}
