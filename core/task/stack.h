/* SPDX-License-Identifier: MIT
 *
 * task/stack.h: stacks, by size, from a pool that belongs to one thread.
 */
#ifndef HOYA_TASK_STACK_H
#define HOYA_TASK_STACK_H

#include <hoya/coroutine.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/list.h"
#include "base/log.h"

/* Belongs to its pool; in the hands of a fiber, or idle. */
typedef struct hoya_stack {
    hoya_list idle; /* in one of the two lists of its class */
    char *base;     /* the lowest byte that may be used; the guard lies below */
    uint32_t size;
    uint32_t used; /* the first frame begins so far above the base, a little below the end */
    unsigned valgrind_id;
    uint8_t class_index;
    bool is_protected; /* its guard is one of mprotect's, which are counted */
} hoya_stack;

/* The idle ones of one size: see stack.c. */
typedef struct hoya_stack_class {
    hoya_list warm, cold;
    unsigned warm_count;
    struct hoya_slab *slabs; /* the newest first: only that one may have stacks that were never used */
} hoya_stack_class;

#define HOYA_STACK_CLASSES 17

struct hoya_stack_pool {
    unsigned refs;
    unsigned away; /* without references: the stacks that are still taken; it goes with the last of them */
    unsigned keep, default_class;
    uintptr_t thread;
    bool strict, single;
    hoya_log_sink log;
    size_t page;
    enum { HOYA_GUARD_BY_MADVISE, HOYA_GUARD_BY_MPROTECT } guards;
    int64_t most_protected; /* guards of mprotect that the process may have */
    hoya_stack_class classes[HOYA_STACK_CLASSES];
};

int hoya_stack_take_other(hoya_stack_pool *pool, size_t size, hoya_stack **stack);
void hoya_stack_cool_down(hoya_stack_class *c);        /* the warm one that has waited longest */
void hoya_stack_pool_came_home(hoya_stack_pool *pool); /* one of its stacks, and it has no references */

static inline hoya_stack *hoya_stack_take_last(hoya_list *idle)
{
    hoya_list *last = idle->prev;
    hoya_list_take_out(last);
    return HOYA_CONTAINER_OF(last, hoya_stack, idle);
}

/* A stack of at least `size` bytes, guard included; 0: the default. The stack used last comes first. It keeps the pool
 * until it is released. Errors: HOYA_EINVAL, HOYA_ENOMEM. */
static inline int hoya_stack_take(hoya_stack_pool *pool, size_t size, hoya_stack **stack)
{
    hoya_stack_class *c = &pool->classes[pool->default_class];
    if (hoya_unlikely(size || !c->warm_count)) return hoya_stack_take_other(pool, size, stack);
    c->warm_count--;
    *stack = hoya_stack_take_last(&c->warm);
    return 0;
}

/* Needs no memory. */
static inline void hoya_stack_release(hoya_stack_pool *pool, hoya_stack *stack)
{
    hoya_stack_class *c = &pool->classes[stack->class_index];
    hoya_list_append(&c->warm, &stack->idle);
    if (hoya_unlikely(++c->warm_count > pool->keep)) hoya_stack_cool_down(c);
    if (hoya_unlikely(pool->refs == 0)) hoya_stack_pool_came_home(pool);
}

/* What the one who asked for it knows: with the guard. */
size_t hoya_stack_whole_size(const hoya_stack *stack);
/* In a handler of signals, too. */
bool hoya_stack_guard_has(const hoya_stack *stack, const void *address);

/* The one that made it. */
uintptr_t hoya_stack_pool_thread(const hoya_stack_pool *pool);

/* Whether the process had its line about unguarded stacks. Atomic; a test puts it back. */
extern bool hoya_stack_told_unguarded;

/* Where the line about unguarded stacks goes if the application has no log function: by default nowhere. */
void hoya_stack_pool_set_log(hoya_stack_pool *pool, hoya_log_sink log);

/* The pool of one stack, for a fiber that was given none: it maps no more than that at a time. */
int hoya_stack_pool_new_single(hoya_stack_pool **pool);

#endif
