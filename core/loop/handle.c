/* SPDX-License-Identifier: MIT
 *
 * loop/handle.c: handles, and call_soon.
 *
 * The life of a one-shot handle: made, queued (with a place in the ring), run, dropped. Each failure:
 * cancelled while queued (dropped at once; the entry stays in the queue, finds itself dropped and goes by,
 * giving the place back), loop closed (dropped). The handle of a descriptor, a signal or a repeating timer goes round:
 * queued, run, queued, run, until it is removed; its place is its own all the time.
 *
 * A handle in its own callback is neither cancelled nor destroyed: the argument lives until the callback
 * returns.
 */
#include "loop/handle.h"

#include "base/alloc.h"
#include "base/error.h"

static bool lasts(const hoya_handle *handle)
{
    return handle->kind >= HOYA_HANDLE_READER;
}

static void call_lasting(hoya_loop *loop, hoya_handle *handle)
{
    handle->running = true;
    if (handle->kind == HOYA_HANDLE_SIGNAL) {
        handle->fn.signal(handle->of.signum, handle->arg);
    } else if (handle->kind == HOYA_HANDLE_REPEAT) {
        handle->fn.soon(handle->arg);
    } else {
        uint32_t events = handle->of.fd.events;
        handle->of.fd.events = 0;
        handle->fn.fd(handle->of.fd.fd, events, handle->arg);
    }
    handle->running = false;
    if (!handle->loop) hoya_handle_drop(handle); /* it was removed meanwhile */
    else if (handle->kind == HOYA_HANDLE_SIGNAL) hoya_signal_returned(loop, handle);
    else if (handle->kind == HOYA_HANDLE_REPEAT) hoya_repeat_returned(loop, handle);
    else hoya_watch_returned(loop, handle);
}

static void call_once(hoya_handle *handle)
{
    handle->loop = NULL; /* it has happened, as far as cancel is concerned */
    handle->running = true;
    if (hoya_unlikely(handle->kind == HOYA_HANDLE_WAITER)) hoya_waiter_call(handle);
    else handle->fn.soon(handle->arg);
    handle->running = false;
    hoya_handle_drop(handle);
}

static bool run(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_handle *handle = (hoya_handle *)runnable;
    handle->queued = false;
    bool live = handle->loop != NULL;
    /* A one-shot's place goes with its entry, and a lasting one's if it was removed while it was queued. */
    if (live && lasts(handle)) hoya_ring_keep(&loop->ready);
    if (live && lasts(handle)) call_lasting(loop, handle);
    else if (live) call_once(handle);
    hoya_handle_unref(handle);
    return live;
}

static void drop(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    hoya_handle *handle = (hoya_handle *)runnable;
    handle->queued = false;
    hoya_handle_drop(handle);
    hoya_handle_unref(handle);
}

hoya_description hoya_handle_describe(const hoya_handle *handle)
{
    static const char *const names[] = {"call_soon callback", "timer",           NULL,    "reader", "writer",
                                        "signal handler",     "repeating timer", "sleep", "wait"};
    const char *name = handle->kind == HOYA_HANDLE_WAITER ? hoya_waiter_name(handle) : names[handle->kind];
    return (hoya_description){.what = name,
                              .function = (uintptr_t)handle->fn.soon,
                              .place = handle->place,
                              .live = handle->loop != NULL,
                              .lasts = lasts(handle),
                              .queued = handle->queued,
                              .running = handle->running,
                              .blocked = handle->blocked};
}

static hoya_description describe(const hoya_runnable *runnable)
{
    return hoya_handle_describe((const hoya_handle *)runnable);
}

const hoya_runnable_class hoya_handle_class = {run, drop, describe};

void hoya_handle_init(hoya_handle *handle, hoya_loop *loop, hoya_handle_kind kind, void *arg, hoya_destroy destroy,
                      const void *place)
{
    handle->runnable.class = &hoya_handle_class;
    handle->loop = loop;
    handle->arg = arg;
    handle->destroy = destroy;
    handle->place = place;
    handle->refs = 1;
    handle->kind = (uint8_t)kind;
}

hoya_handle *hoya_handle_new(hoya_loop *loop, hoya_handle_kind kind, void *arg, hoya_destroy destroy,
                             const void *place)
{
    hoya_handle *handle = hoya_new_handle(sizeof *handle);
    if (!handle) {
        hoya_destroy_arg(destroy, arg);
        return NULL;
    }
    hoya_handle_init(handle, loop, kind, arg, destroy, place);
    return handle;
}

hoya_handle *hoya_handle_ref(hoya_handle *handle)
{
    hoya_check(handle->refs > 0, "a handle was used after it was freed");
    handle->refs++;
    return handle;
}

void hoya_handle_unref(hoya_handle *handle)
{
    if (!handle) return;
    hoya_check(handle->refs > 0, "a handle was unreferenced once too often");
    if (--handle->refs) return;
    hoya_handle_drop(handle);
    hoya_free_handle(handle);
}

void hoya_handle_drop(hoya_handle *handle)
{
    handle->loop = NULL;
    if (handle->running) return; /* run() drops it again when the callback has returned */
    hoya_destroy destroy = handle->destroy;
    void *arg = handle->arg;
    /* Forgotten before it is called: it may come back here. */
    handle->destroy = NULL;
    handle->arg = NULL;
    hoya_destroy_arg(destroy, arg);
}

void hoya_handle_retire(hoya_loop *loop, hoya_handle *handle)
{
    /* While it is queued, the entry has the place. */
    if (!handle->queued) hoya_ring_unreserve(&loop->ready, 1);
    hoya_handle_drop(handle);
    hoya_handle_unref(handle);
}

void hoya_handle_queue(hoya_loop *loop, hoya_handle *handle)
{
    handle->queued = true;
    hoya_ring_push(&loop->ready, NULL, handle);
}

int hoya_handle_cancel(hoya_handle *handle)
{
    hoya_loop *loop = handle->loop;
    if (!loop) return 0;
    int rc = hoya_loop_check_thread(loop);
    if (rc < 0) return rc;
    hoya_handle_withdraw(handle);
    return 1;
}

void hoya_handle_withdraw(hoya_handle *handle)
{
    hoya_loop *loop = handle->loop;
    handle->cancelled = true;
    bool queued = handle->queued;
    bool repeats = handle->kind == HOYA_HANDLE_REPEAT;
    if (repeats || (handle->kind == HOYA_HANDLE_TIMER && !queued))
        hoya_heap_remove(&loop->timers, &handle->of.timer.node);
    else if (!queued) hoya_waiter_unlink(handle);
    if (!hoya_loop_is_forked(loop)) hoya_loop_rearm(loop);
    /* Last: the argument may hold the last reference to the loop, by a future. */
    if (queued && !repeats) hoya_handle_drop(handle);
    else hoya_handle_retire(loop, handle);
}

int hoya_handle_cancelled(const hoya_handle *handle)
{
    return handle->cancelled;
}

int64_t hoya_handle_when(const hoya_handle *handle)
{
    bool timer = handle->kind == HOYA_HANDLE_TIMER || handle->kind == HOYA_HANDLE_REPEAT;
    return timer ? handle->of.timer.when : HOYA_NOW;
}

static int call_soon_full(hoya_loop *loop, hoya_callback fn, void *arg, hoya_destroy destroy, hoya_handle **out,
                          const void *place)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "call_soon without a function");
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    hoya_handle *handle = hoya_handle_new(loop, HOYA_HANDLE_SOON, arg, destroy, place);
    if (!handle) {
        hoya_ring_unreserve(&loop->ready, 1);
        return HOYA_ENOMEM;
    }
    handle->fn.soon = fn;
    hoya_inbox_keep_order(loop);
    hoya_handle_queue(loop, handle);
    if (out) *out = hoya_handle_ref(handle);
    hoya_loop_rearm(loop);
    return 0;
}

int hoya_loop_call_soon_full(hoya_loop *loop, hoya_callback fn, void *arg, hoya_destroy destroy, hoya_handle **out)
{
    return call_soon_full(loop, fn, arg, destroy, out, HOYA_CALLER());
}

static __attribute__((noinline)) int call_soon(hoya_loop *loop, hoya_callback fn, void *arg, const void *place)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc;
    if (hoya_loop_debugs(loop)) return call_soon_full(loop, fn, arg, NULL, NULL, place);
    if (!fn) return hoya_error_set(HOYA_EINVAL, "call_soon without a function");
    hoya_inbox_keep_order(loop);
    rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) return rc;
    hoya_ring_push(&loop->ready, fn, arg);
    hoya_loop_rearm(loop);
    return 0;
}

int hoya_loop_call_soon(hoya_loop *loop, hoya_callback fn, void *arg)
{
    /* The usual case, in a round of a loop that runs natively, calls nothing. */
    if (hoya_unlikely(!fn || !hoya_loop_is_usual(loop) || !loop->depth || !loop->quiet_host ||
                      !hoya_ring_has_room(&loop->ready)))
        return call_soon(loop, fn, arg, HOYA_CALLER());
    hoya_ring_put(&loop->ready, fn, arg);
    return 0;
}
