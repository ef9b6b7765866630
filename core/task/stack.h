/* SPDX-License-Identifier: MIT
 *
 * task/stack.h: stacks, by size, from a pool that belongs to one thread.
 */
#ifndef HOYA_TASK_STACK_H
#define HOYA_TASK_STACK_H

#include <hoya/coroutine.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/log.h"

/* Belongs to its pool; in the hands of a fiber, or idle. */
typedef struct hoya_stack {
    hoya_list idle; /* in one of the two lists of its class */
    char *base;     /* the lowest byte that may be used; the guard lies below */
    size_t size;
    unsigned class_index;
    unsigned valgrind_id;
    bool is_protected; /* its guard is one of mprotect's, which are counted */
} hoya_stack;

/* A stack of at least `size` bytes, guard included; 0: the default. The stack used last comes first. Errors:
 * HOYA_EINVAL, HOYA_ENOMEM. */
int hoya_stack_take(hoya_stack_pool *pool, size_t size, hoya_stack **stack);

/* Needs no memory. */
void hoya_stack_release(hoya_stack_pool *pool, hoya_stack *stack);

/* What the one who asked for it knows: with the guard. */
size_t hoya_stack_whole_size(const hoya_stack *stack);
/* In a handler of signals, too. */
bool hoya_stack_guard_has(const hoya_stack *stack, const void *address);

uintptr_t hoya_stack_pool_thread(const hoya_stack_pool *pool);
/* It is the calling thread's from now on; no other one may be using it. */
void hoya_stack_pool_move_here(hoya_stack_pool *pool);

/* Whether the process had its line about unguarded stacks. Atomic; a test puts it back. */
extern bool hoya_stack_told_unguarded;

/* Where the line about unguarded stacks goes if the application has no log function: by default nowhere. */
void hoya_stack_pool_set_log(hoya_stack_pool *pool, hoya_log_sink log);

/* The pool of one stack, for a fiber that was given none: it maps no more than that at a time. */
int hoya_stack_pool_new_single(hoya_stack_pool **pool);

#endif
