/* SPDX-License-Identifier: MIT
 *
 * task/coroutine.c: generators: a fiber, and a value that goes to and fro: who goes on finds it in the place that it named
 * when it began to wait, written by the other side before the switch. So the switch is the last step of a send and of a
 * yield.
 *
 * There is no way to take a stack away from a function that is in the middle of something, in C; so a coroutine ends by
 * returning, always. Closing asks it to: from then on its hoya_yield does not wait any more.
 */
#include <hoya/coroutine.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include "base/options.h"
#include "base/thread.h"
#include "task/fiber.h"

/* The two halves of a switch are so short that it counts how many lines of the cache they lie in: each begins one, as the
 * switch itself does. */
#define CACHE_LINE 64

struct hoya_coroutine {
    hoya_fiber fiber;
    uintptr_t thread;
    hoya_coroutine_function fn;
    void *arg;
    void **yielded; /* the sender's place for a value, or NULL */
    void **sent;    /* the coroutine's */
    char name[];
};

static void run(hoya_fiber *fiber)
{
    hoya_coroutine *co = HOYA_CONTAINER_OF(fiber, hoya_coroutine, fiber);
    void *value = co->fn(co->arg);
    if (co->yielded) *co->yielded = value;
}

static const char *name_of(const hoya_fiber *fiber)
{
    return ((const hoya_coroutine *)((const char *)fiber - offsetof(hoya_coroutine, fiber)))->name;
}

static const hoya_fiber_class coroutine_class = {"coroutine", run, name_of, hoya_fiber_after_end};

static inline hoya_coroutine *current(void)
{
    hoya_fiber *fiber = hoya_fiber_running;
    return fiber && fiber->class == &coroutine_class ? HOYA_CONTAINER_OF(fiber, hoya_coroutine, fiber) : NULL;
}

hoya_coroutine *hoya_coroutine_current(void)
{
    return current();
}

/* A new reference to the pool that the options name, or to one for a single stack. */
static int pool_of(const hoya_coroutine_options *options, hoya_stack_pool **pool)
{
    if (!options->pool) return hoya_stack_pool_new_single(pool);
    if (hoya_stack_pool_thread(options->pool) != hoya_thread_self())
        return hoya_error_set(HOYA_ETHREAD, "this pool of stacks belongs to another thread");
    *pool = hoya_stack_pool_ref(options->pool);
    return 0;
}

int hoya_coroutine_new(hoya_coroutine_function fn, void *arg, const hoya_coroutine_options *options,
                       hoya_coroutine **result)
{
    hoya_coroutine_options known;
    if (!fn || !hoya_options_read(&known, sizeof known, options))
        return hoya_error_set(HOYA_EINVAL,
                              fn ? "hoya_coroutine_options: not of this version" : "a coroutine needs a function");
    const char *name = known.name ? known.name : "coroutine";
    hoya_coroutine *co = hoya_new_zeroed(sizeof *co + strlen(name) + 1);
    if (!co) return HOYA_ENOMEM;
    hoya_stack_pool *pool;
    hoya_stack *stack;
    int rc = pool_of(&known, &pool);
    if (rc >= 0) {
        rc = hoya_stack_take(pool, known.stack_size, &stack);
        if (rc >= 0) hoya_fiber_init(&co->fiber, pool, stack, 0, &coroutine_class);
        hoya_stack_pool_unref(pool); /* the stack has one of its own */
    }
    if (rc < 0) {
        hoya_free(co);
        return rc;
    }
    co->fiber.yields = true;
    co->thread = hoya_thread_self();
    co->fn = fn;
    co->arg = arg;
    strcpy(co->name, name);
    *result = co;
    return 0;
}

/* May this thread resume it, now? */
static int check(const hoya_coroutine *co)
{
    if (hoya_unlikely(co->thread != hoya_thread_self()))
        return hoya_error_set(HOYA_ETHREAD, "%s belongs to another thread", co->name);
    if (hoya_unlikely(co->fiber.state == HOYA_COROUTINE_RUNNING))
        return hoya_error_set(HOYA_EBUSY, "%s is running", co->name);
    return 0;
}

static int go_on(hoya_coroutine *co, void *value, void **yielded)
{
    co->yielded = yielded;
    if (co->sent) *co->sent = value;
    return hoya_fiber_resume(&co->fiber, 0);
}

/* The first one, or one that is refused. Out of line, as every text is, so that the usual send and yield need no room on
 * the stack. */
static __attribute__((noinline)) int send_unusual(hoya_coroutine *co, void *value, void **yielded)
{
    int rc = check(co);
    if (rc < 0) return rc;
    if (co->fiber.state == HOYA_COROUTINE_CLOSED) return hoya_error_set(HOYA_ESTATE, "%s has ended", co->name);
    if (value) return hoya_error_set(HOYA_EINVAL, "%s has not started: nobody waits for a value", co->name);
    return go_on(co, NULL, yielded);
}

__attribute__((aligned(CACHE_LINE))) int hoya_coroutine_send(hoya_coroutine *co, void *value, void **yielded)
{
    if (hoya_unlikely(co->thread != hoya_thread_self())) return send_unusual(co, value, yielded);
    if (hoya_unlikely(co->fiber.state != HOYA_COROUTINE_SUSPENDED)) return send_unusual(co, value, yielded);
    return go_on(co, value, yielded);
}

static __attribute__((noinline)) int refuse_yield(const hoya_coroutine *co)
{
    if (!co) return hoya_error_set(HOYA_ESTATE, "hoya_yield: not in a coroutine");
    return hoya_error_set(HOYA_ECANCELED, "%s shall end", co->name);
}

__attribute__((aligned(CACHE_LINE))) int hoya_yield(void *value, void **sent)
{
    hoya_fiber *fiber = hoya_fiber_running;
    if (hoya_unlikely(!fiber || !fiber->yields)) return refuse_yield(current());
    hoya_coroutine *co = HOYA_CONTAINER_OF(fiber, hoya_coroutine, fiber);
    if (co->yielded) *co->yielded = value;
    co->sent = sent;
    return hoya_fiber_suspend(&co->fiber, 1);
}

int hoya_coroutine_close(hoya_coroutine *co)
{
    int rc = check(co);
    if (rc < 0) return rc;
    co->fiber.yields = false;
    co->yielded = NULL;
    if (co->fiber.state == HOYA_COROUTINE_SUSPENDED) hoya_fiber_resume(&co->fiber, refuse_yield(co));
    if (co->fiber.state == HOYA_COROUTINE_CREATED) hoya_fiber_give_up_stack(&co->fiber);
    co->fiber.state = HOYA_COROUTINE_CLOSED;
    return 0;
}

void hoya_coroutine_free(hoya_coroutine *co)
{
    if (!co) return;
    bool closed = hoya_coroutine_close(co) == 0;
    hoya_check(closed, "a coroutine was freed while it ran, or on another thread");
    if (!closed) return;
    hoya_free(co);
}

enum hoya_coroutine_state hoya_coroutine_get_state(const hoya_coroutine *co)
{
    return co->fiber.state;
}

const char *hoya_coroutine_name(const hoya_coroutine *co)
{
    return co->name;
}
