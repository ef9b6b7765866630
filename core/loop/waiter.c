/* SPDX-License-Identifier: MIT
 *
 * loop/waiter.c: waiters: from their list into the ready queue, or out of it. See waiter.h.
 *
 * Whatever calls the application in here (an argument's destroy function) may come back and change the same lists: they
 * are emptied from the front, and a waiter leaves both of them before its argument goes.
 */
#include "loop/waiter.h"

#include "base/alloc.h"
#include "base/error.h"

static hoya_waiting *of_source(hoya_list *node)
{
    return HOYA_CONTAINER_OF(node, hoya_waiting, of_source);
}

static hoya_waiter *of_waiting(hoya_waiting *waiting)
{
    return HOYA_CONTAINER_OF(waiting, hoya_waiter, waiting);
}

/* Out of the queue: as any handle, but the source was kept for it. */
static bool run(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_waiter *waiter = (hoya_waiter *)runnable;
    const hoya_source_class *class = waiter->class;
    void *source = waiter->source;
    bool ran = hoya_handle_class.run(loop, runnable);
    class->unref(source);
    return ran;
}

static void drop(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_waiter *waiter = (hoya_waiter *)runnable;
    const hoya_source_class *class = waiter->class;
    void *source = waiter->source;
    hoya_handle_class.drop(loop, runnable);
    class->unref(source);
}

static hoya_description describe(const hoya_runnable *runnable)
{
    return hoya_handle_describe((const hoya_handle *)runnable);
}

static const hoya_runnable_class waiter_class = {run, drop, describe};

void hoya_waiter_call(hoya_handle *handle)
{
    hoya_waiter *waiter = (hoya_waiter *)handle;
    waiter->class->call(waiter->source, handle->fn.waiter, handle->arg);
}

const char *hoya_waiter_name(const hoya_handle *handle)
{
    return ((const hoya_waiter *)handle)->class->what;
}

void hoya_waiter_unlink(hoya_handle *handle)
{
    hoya_waiter *waiter = (hoya_waiter *)handle;
    hoya_list_remove(&waiter->of_loop);
    hoya_list_remove(&waiter->waiting.of_source);
}

static void retire(hoya_waiter *waiter)
{
    hoya_waiter_unlink(&waiter->handle);
    hoya_handle_retire(waiter->handle.loop, &waiter->handle);
}

int hoya_waiter_new(hoya_loop *loop, const hoya_source_class *class, void *source, hoya_list *waiters,
                    hoya_waiter_function fn, void *arg, hoya_destroy destroy, const void *place, hoya_handle **out)
{
    int rc = hoya_ring_reserve(&loop->ready, 1);
    hoya_waiter *waiter = rc < 0 ? NULL : hoya_new_handle(sizeof *waiter);
    if (!waiter) {
        if (rc >= 0) hoya_ring_unreserve(&loop->ready, 1);
        hoya_destroy_arg(destroy, arg);
        return HOYA_ENOMEM;
    }
    hoya_handle_init(&waiter->handle, loop, HOYA_HANDLE_WAITER, arg, destroy, place);
    waiter->handle.runnable.class = &waiter_class;
    waiter->handle.fn.waiter = fn;
    waiter->class = class;
    waiter->source = source;
    hoya_list_append(&loop->waiters, &waiter->of_loop);
    hoya_waiting_begin(&waiter->waiting, waiters);
    if (out) *out = hoya_handle_ref(&waiter->handle);
    return 0;
}

void hoya_waiters_queue(hoya_loop *loop, hoya_list *waiters)
{
    if (hoya_list_is_empty(waiters)) return;
    if (hoya_loop_is_closed(loop)) { /* in the middle of its close: the others have been dropped */
        hoya_waiters_drop(waiters, NULL, NULL);
        return;
    }
    hoya_inbox_keep_order(loop);
    while (!hoya_list_is_empty(waiters)) {
        hoya_waiting *next = of_source(waiters->next);
        if (next->wake) {
            hoya_list_remove(&next->of_source);
            next->wake(next);
        } else {
            hoya_waiter *waiter = of_waiting(next);
            hoya_waiter_unlink(&waiter->handle);
            waiter->class->ref(waiter->source);
            hoya_handle_queue(loop, &waiter->handle);
        }
    }
    hoya_loop_rearm(loop);
}

int hoya_waiters_drop(hoya_list *waiters, hoya_waiter_function fn, void *arg)
{
    int count = 0;
    hoya_list dropped;
    hoya_list_init(&dropped);
    for (hoya_list *node = waiters->next, *next; node != waiters; node = next) {
        hoya_waiting *waiting = of_source(node);
        const hoya_handle *handle = waiting->wake ? NULL : &of_waiting(waiting)->handle;
        next = node->next;
        if (fn && (!handle || handle->fn.waiter != fn || handle->arg != arg)) continue;
        hoya_list_remove(node);
        hoya_list_append(&dropped, node);
        count++;
    }
    while (!hoya_list_is_empty(&dropped)) {
        hoya_waiting *next = of_source(dropped.next);
        if (next->wake) hoya_list_remove(&next->of_source);
        else retire(of_waiting(next));
    }
    return count;
}

void hoya_waiters_close(hoya_loop *loop)
{
    while (!hoya_list_is_empty(&loop->waiters)) retire(HOYA_WAITER_OF_LOOP(loop->waiters.next));
}
