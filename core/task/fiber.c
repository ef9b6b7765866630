/* SPDX-License-Identifier: MIT
 *
 * task/fiber.c: how fibers begin and end. A fiber that ends cannot give up the stack it stands on: its resumer does.
 */
#include "task/fiber.h"

#include "base/check.h"
#include "base/error.h"

HOYA_THREAD_LOCAL hoya_fiber *hoya_fiber_running;

int hoya_fiber_after_end(void *fiber)
{
    hoya_fiber_give_up_stack(fiber);
    return HOYA_FIBER_ENDED;
}

/* The first function on a fiber's stack, and its last. */
void hoya_fiber_enter(void *arg)
{
    hoya_fiber *fiber = arg;
    hoya_annotate_entered(&fiber->annotation);
    fiber->class->run(fiber);
    fiber->state = HOYA_COROUTINE_CLOSED;
    hoya_fiber_running = fiber->below;
    hoya_annotate_suspend(&fiber->annotation, true);
    hoya_context_leave(&fiber->resumer, fiber->class->after_end, fiber);
}

/* ---- the thread's own stack ------------------------------------------------------------------------------ */

typedef struct call {
    hoya_fiber *last; /* of the chain: it was resumed on the thread's stack */
    hoya_fiber *caller;
    int (*fn)(void *arg);
    void *arg;
} call;

/* The first function there, and its last. */
static int on_thread_stack(void *arg)
{
    const call *c = arg;
    hoya_annotate_called(&c->last->annotation);
    int result = c->fn(c->arg);
    hoya_annotate_return(&c->last->annotation, c->caller->stack);
    return result;
}

int hoya_call_on_thread_stack(int (*fn)(void *arg), void *arg)
{
    if (!fn) return hoya_error_set(HOYA_EINVAL, "a call on the thread's stack needs a function");
    hoya_fiber *caller = hoya_fiber_running, *last = caller;
    if (!caller) return fn(arg);
    while (last->below) last = last->below;

    call c = {last, caller, fn, arg};
    hoya_fiber_running = NULL;
    hoya_annotate_call(&caller->annotation, &last->annotation);
    int result = hoya_context_call(&caller->context, &last->resumer, on_thread_stack, &c);
    hoya_annotate_returned(&caller->annotation);
    hoya_fiber_running = caller;
    return result;
}
