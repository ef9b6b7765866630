/* SPDX-License-Identifier: MIT
 *
 * co_floor.c: the least that a program written by hand for just this work does: a bare switch, stacks in an array, tasks
 * that are run where they are made known. It has no errors, no guards, no threads, no waiting for anything.
 */
#include <stdlib.h>

#include "co.h"
#include "co_floor.h"

#define STACK 65536

typedef struct bare {
    void *sp, *back;
    int ended;
} bare;

static char *new_stack(void)
{
    char *stack = malloc(STACK);
    bench_require(stack != NULL, "memory");
    return stack + STACK;
}

static void give(void *arg)
{
    bare *self = arg;
    for (;;) bare_switch(&self->sp, self->back);
}

/* Each time on another stack: how two of them lie to each other makes a quarter of the time. */
static void switches(long n)
{
    static char *some[16];
    static unsigned times;
    char **top = &some[times++ % 16];
    if (!*top) *top = new_stack();
    bare co = {0};
    co.sp = bare_make(*top, give, &co);
    for (long i = 0; i < n; i += 2) bare_switch(&co.back, co.sp);
}

static bare tasks[BENCH_TASKS];
static char *tops[BENCH_TASKS];

static void make_stacks(void)
{
    /* Not all at the same place of a page, where they would drive each other out of the cache. */
    for (int i = 0; i < BENCH_TASKS; i++)
        if (!tops[i]) tops[i] = new_stack() - i % 8 * 256;
}

static void rounds(long n)
{
    make_stacks();
    for (int i = 0; i < BENCH_TASKS; i++) tasks[i].sp = bare_make(tops[i], give, &tasks[i]);
    for (long i = 0; i < n; i++) {
        bare *task = &tasks[i % BENCH_TASKS];
        bare_switch(&task->back, task->sp);
    }
}

static void end(void *arg)
{
    bare *self = arg;
    self->ended = 1;
    bare_switch(&self->sp, self->back);
}

static void spawns(long n)
{
    make_stacks();
    for (; n > 0; n -= BENCH_TASKS) {
        for (int i = 0; i < BENCH_TASKS; i++) {
            tasks[i].sp = bare_make(tops[i], end, &tasks[i]);
            tasks[i].ended = 0;
        }
        for (int i = 0; i < BENCH_TASKS; i++) bare_switch(&tasks[i].back, tasks[i].sp);
        for (int i = 0; i < BENCH_TASKS; i++) bench_require(tasks[i].ended, "a task has not ended");
    }
}

const bench_co bench_co_implementation = {"floor", switches, rounds, NULL, spawns, NULL, NULL, NULL, NULL};
