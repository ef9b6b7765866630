/* SPDX-License-Identifier: MIT
 *
 * task/fiber.c: how fibers begin and end. A fiber that ends cannot give up the stack it stands on: its resumer does.
 */
#include "task/fiber.h"

#include "base/check.h"
#include "base/error.h"
#include "base/thread.h"

HOYA_THREAD_LOCAL hoya_fiber *hoya_fiber_running;

/* The first function on a fiber's stack, and its last. */
static void enter(void *arg)
{
    hoya_fiber *fiber = arg;
    hoya_annotate_entered(&fiber->annotation);
    fiber->run(fiber);
    fiber->state = HOYA_COROUTINE_CLOSED;
    hoya_annotate_suspend(&fiber->annotation, true);
    hoya_context_switch(&fiber->context, &fiber->resumer);
    __builtin_unreachable();
}

int hoya_fiber_init(hoya_fiber *fiber, hoya_stack_pool *pool, size_t size, void (*run)(hoya_fiber *fiber))
{
    int rc = 0;
    if (!pool) rc = hoya_stack_pool_new_single(&pool);
    else if (hoya_stack_pool_thread(pool) != hoya_thread_self())
        rc = hoya_error_set(HOYA_ETHREAD, "this pool of stacks belongs to another thread");
    else hoya_stack_pool_ref(pool);
    if (rc < 0) return rc;

    rc = hoya_stack_take(pool, size, &fiber->stack);
    if (rc < 0) {
        hoya_stack_pool_unref(pool);
        return rc;
    }
    fiber->pool = pool;
    fiber->run = run;
    fiber->state = HOYA_COROUTINE_CREATED;
    hoya_annotate_create(&fiber->annotation, fiber->stack);
    hoya_context_make(&fiber->context, fiber->stack->base, fiber->stack->size, enter, fiber);
    return 0;
}

void hoya_fiber_give_up_stack(hoya_fiber *fiber)
{
    hoya_annotate_destroy(&fiber->annotation, fiber->stack);
    hoya_stack_release(fiber->pool, fiber->stack);
    fiber->stack = NULL;
}

void hoya_fiber_discard(hoya_fiber *fiber)
{
    hoya_check(fiber->state == HOYA_COROUTINE_CREATED, "a fiber that has started cannot be discarded");
    fiber->state = HOYA_COROUTINE_CLOSED;
    hoya_fiber_give_up_stack(fiber);
}

void hoya_fiber_clear(hoya_fiber *fiber)
{
    hoya_check(fiber->state == HOYA_COROUTINE_CLOSED, "a fiber was freed before its end");
    hoya_stack_pool_unref(fiber->pool);
    fiber->pool = NULL;
}
