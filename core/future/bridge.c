/* SPDX-License-Identifier: MIT
 *
 * future/bridge.c: a future and a thread future, chained: the way between a loop and other threads.
 *
 * A bridge has a callback on either end. The future's runs on the loop. The thread future's runs wherever that is
 * completed, and posts the bridge into the loop, by a place that it has had from the beginning: nothing on the way needs
 * memory. So both ends are touched on the loop's thread alone, but for the post.
 *
 * References to a bridge: the future's callback has one; the thread future's has one, which goes over to the post. The
 * bridge holds the thread future, and the future if that is the destination: a source is held by whoever is to complete
 * it. When the future's callback has run, or was dropped (its loop was closed, or the source was let go), the bridge is
 * down: what is posted then finds nobody.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "future/future.h"
#include "loop/handle.h"

typedef struct bridge {
    hoya_runnable runnable; /* its post */
    atomic_int refs;
    hoya_bridge_direction direction;
    hoya_loop *loop; /* a reference */
    hoya_thread_future *other;
    hoya_future *future; /* NULL when the bridge is down */
    hoya_handle *handle; /* the future's callback; the same */
} bridge;

static void unref(bridge *b)
{
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1) return;
    hoya_thread_future_unref(b->other);
    hoya_loop_unref(b->loop);
    hoya_free(b);
}

/* ---- the thread future is done ------------------------------------------------------------------------- */

/* Any thread. */
static void on_thread_done(hoya_thread_future *other, void *arg)
{
    bridge *b = arg;
    (void)other;
    hoya_loop *loop = hoya_loop_ref(b->loop); /* the post wakes it, and the bridge may be gone by then */
    if (hoya_inbox_post(loop, &b->runnable) < 0) unref(b); /* statement 38: a closed loop is no error */
    hoya_loop_unref(loop);
}

/* The post has come, on the loop's thread. */
static bool run(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    bridge *b = (bridge *)runnable;
    hoya_future *future = b->future;
    if (future) {
        hoya_future_ref(future);
        hoya_handle_cancel(b->handle); /* takes the bridge down */
        if (b->direction == HOYA_BRIDGE_FROM_THREADS) {
            if (!hoya_future_done(future)) hoya_future_complete(future, hoya_thread_future_hand_on(b->other));
        } else if (hoya_thread_future_cancelled(b->other)) {
            hoya_future_cancel(future, "its destination was cancelled");
        }
        hoya_future_unref(future);
    }
    unref(b);
    return future != NULL;
}

static void drop(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    unref((bridge *)runnable);
}

static hoya_description describe(const hoya_runnable *runnable)
{
    const bridge *b = (const bridge *)runnable;
    return (hoya_description){"chained future", (uintptr_t)on_thread_done, NULL, .live = b->future != NULL};
}

static const hoya_runnable_class bridge_class = {run, drop, describe};

/* ---- the future is done -------------------------------------------------------------------------------- */

/* The other end need not say when it is done. Too late, if it has said so or is about to: the post finds nobody. */
static void leave_other(bridge *b)
{
    if (!hoya_thread_future_remove_done_callback(b->other, on_thread_done, b)) return;
    hoya_inbox_unreserve(b->loop);
    unref(b);
}

static void on_future_done(hoya_future *future, void *arg)
{
    bridge *b = arg;
    leave_other(b);
    if (b->direction == HOYA_BRIDGE_TO_THREADS && !hoya_thread_future_done(b->other))
        hoya_thread_future_complete(b->other, hoya_future_hand_on(future));
    if (b->direction == HOYA_BRIDGE_FROM_THREADS && hoya_future_cancelled(future))
        hoya_thread_future_cancel(b->other, "its destination was cancelled");
}

/* After that, or instead. */
static void on_future_gone(void *arg)
{
    bridge *b = arg;
    hoya_future *future = b->future;
    b->future = NULL;
    hoya_handle_unref(b->handle); /* here: what remains of the bridge may go on another thread */
    b->handle = NULL;
    leave_other(b);
    if (future && b->direction == HOYA_BRIDGE_TO_THREADS)
        hoya_thread_future_cancel(b->other, "its source was let go"); /* 0 if it has been completed */
    if (b->direction == HOYA_BRIDGE_FROM_THREADS) hoya_future_unref(future);
    unref(b);
}

/* ---- building ------------------------------------------------------------------------------------------ */

/* With the future's callback and the place in the inbox; a refusal leaves neither. */
static int stand(bridge *b, hoya_future *future)
{
    int rc = hoya_inbox_reserve(b->loop);
    if (rc < 0) return rc;
    atomic_fetch_add(&b->refs, 1);
    rc = hoya_future_add_done_callback(future, on_future_done, b, on_future_gone, &b->handle);
    if (rc < 0) hoya_inbox_unreserve(b->loop);
    else b->future = b->direction == HOYA_BRIDGE_FROM_THREADS ? hoya_future_ref(future) : future;
    return rc;
}

int hoya_bridge(hoya_future *future, hoya_thread_future *other, hoya_bridge_direction direction,
                hoya_handle **handle)
{
    bridge *b = hoya_new(bridge);
    if (!b) return HOYA_ENOMEM;
    b->runnable.class = &bridge_class;
    atomic_init(&b->refs, 1);
    b->direction = direction;
    b->loop = hoya_loop_ref(hoya_future_get_loop(future));
    b->other = hoya_thread_future_ref(other);
    int rc = stand(b, future);
    if (rc >= 0) {
        atomic_fetch_add(&b->refs, 1);
        rc = hoya_thread_future_add_done_callback(other, on_thread_done, b, NULL);
        if (rc < 0) {
            unref(b);
            hoya_inbox_unreserve(b->loop);
            hoya_handle_cancel(b->handle);
        }
    }
    if (rc >= 0 && handle) *handle = hoya_handle_ref(b->handle);
    unref(b);
    return rc;
}

int hoya_wrap_future(hoya_loop *loop, hoya_thread_future *other, hoya_future **out)
{
    if (!other) return hoya_error_set(HOYA_EINVAL, "the thread future is NULL");
    hoya_future *future;
    int rc = hoya_future_new(loop, &future);
    if (rc < 0) return rc;
    future->place = HOYA_CALLER();
    rc = hoya_bridge(future, other, HOYA_BRIDGE_FROM_THREADS, NULL);
    if (rc < 0) hoya_future_unref(future);
    else *out = future;
    return rc;
}
