/* SPDX-License-Identifier: MIT
 *
 * task/fiber.h: a function with a stack of its own, and the way to and fro. Coroutines and tasks embed one.
 *
 * Who resumes a fiber waits in it, not in a scheduler's place: fibers resume fibers, as deep as you like. The order around
 * a switch is fixed: first who runs, then the sanitizer, then the switch; on the other side the sanitizer alone, so that
 * without one the switch is the last step of the two below, and of who returns what they return (task/context.h).
 *
 * Fibers that run form a chain: the running one, the one below it that resumed it, and so on to one that was resumed on the
 * thread's own stack, whose `resumer` is therefore the place where that was last left. A call on the thread's stack begins
 * a chain of its own, and puts the old one back when it returns; so the innermost such place is always the chain's end.
 */
#ifndef HOYA_TASK_FIBER_H
#define HOYA_TASK_FIBER_H

#include <hoya/coroutine.h>
#include <stdbool.h>

#include HOYA_LIBC
#include "base/check.h"
#include "task/annotate.h"
#include "task/context.h"
#include "task/stack.h"

typedef struct hoya_fiber hoya_fiber;

/* What embeds one. */
typedef struct hoya_fiber_class {
    const char *kind; /* "task" */
    void (*run)(hoya_fiber *fiber);
    const char *(*name)(const hoya_fiber *fiber); /* in a handler of signals, too */
    /* After `run`, on the stack of the resumer, where hoya_fiber_resume returns its result, HOYA_FIBER_ENDED: gives up the
     * stack (hoya_fiber_after_end), or leaves that to who resumes it. */
    int (*after_end)(void *fiber);
} hoya_fiber_class;

struct hoya_fiber {
    hoya_context resumer; /* where the one waits that resumed it */
    hoya_context context; /* where it waits */
    hoya_fiber *below;    /* the fiber that is, NULL: it waits on the thread's own stack. While it runs */
    const hoya_fiber_class *class;
    hoya_stack_pool *pool; /* kept by the stack */
    hoya_stack *stack;     /* until it has given that up */
    enum hoya_coroutine_state state;
    bool yields; /* a coroutine that has not been asked to end */
    hoya_annotation annotation;
};

/* The first function on a fiber's stack. */
void hoya_fiber_enter(void *fiber);

/* Will call class->run(fiber), on a stack of the pool, which the fiber gives up. It leaves the first `room` bytes alone: the
 * fiber itself may lie there. Cannot fail. */
static inline void hoya_fiber_init(hoya_fiber *fiber, hoya_stack_pool *pool, hoya_stack *stack, size_t room,
                                   const hoya_fiber_class *class)
{
    fiber->pool = pool;
    fiber->stack = stack;
    fiber->class = class;
    fiber->state = HOYA_COROUTINE_CREATED;
    fiber->yields = false;
    hoya_annotate_create(&fiber->annotation, stack);
    hoya_context_make(&fiber->context, stack->base, stack->used - room, hoya_fiber_enter, fiber);
}

/* For one that has ended, or that has not started and so never does. If the fiber lies on its stack, it is no more. */
static inline void hoya_fiber_give_up_stack(hoya_fiber *fiber)
{
    hoya_check(fiber->state == HOYA_COROUTINE_CREATED || fiber->state == HOYA_COROUTINE_CLOSED,
               "a fiber that has started cannot be discarded");
    hoya_annotate_destroy(&fiber->annotation, fiber->stack);
    hoya_stack_release(fiber->pool, fiber->stack);
}
int hoya_fiber_after_end(void *fiber);

/* The one that runs on this thread, NULL if none does. */
extern HOYA_THREAD_LOCAL hoya_fiber *hoya_fiber_running;

/* Goes on in a fiber that was created or is suspended, whose hoya_fiber_suspend returns `result`. Returns what the fiber's
 * next suspend says, or HOYA_FIBER_ENDED. */
static inline int hoya_fiber_resume(hoya_fiber *fiber, int result)
{
    fiber->below = hoya_fiber_running;
    fiber->state = HOYA_COROUTINE_RUNNING;
    hoya_fiber_running = fiber;
    hoya_annotate_resume(&fiber->annotation, fiber->stack);
    result = hoya_context_switch(&fiber->resumer, &fiber->context, result);
    hoya_annotate_resumed(&fiber->annotation);
    return result;
}

#define HOYA_FIBER_ENDED 0

/* Does it run, or has it resumed, directly or not, the one that runs? Not from inside a call on the thread's stack. */
static inline bool hoya_fiber_runs(const hoya_fiber *fiber)
{
    const hoya_fiber *running = hoya_fiber_running;
    while (running && running != fiber) running = running->below;
    return running;
}

/* Goes back to who resumed the running fiber, where hoya_fiber_resume returns `result`, until it is resumed again. */
static inline int hoya_fiber_suspend(hoya_fiber *running, int result)
{
    running->state = HOYA_COROUTINE_SUSPENDED;
    hoya_fiber_running = running->below;
    hoya_annotate_suspend(&running->annotation, false);
    result = hoya_context_switch(&running->context, &running->resumer, result);
    hoya_annotate_entered(&running->annotation);
    return result;
}

#endif
