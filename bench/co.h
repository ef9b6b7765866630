/* SPDX-License-Identifier: MIT
 *
 * co.h: one implementation of the workloads of coroutines and tasks. A program is co_main.c with one file co_*.c. What an
 * implementation does not have is NULL.
 */
#ifndef HOYA_BENCH_CO_H
#define HOYA_BENCH_CO_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bench_co {
    const char *name;

    /* n switches from one stack to another one: two are there and back. */
    void (*switches)(long n);

    /* Each of BENCH_TASKS tasks lets all others run, n times in all. */
    void (*rounds)(long n);

    /* A task waits n times for what is there already. */
    void (*awaits)(long n);

    /* A task makes n tasks that do nothing, BENCH_TASKS at a time, and waits for the end of each of these. The stacks come
     * from a pool. */
    void (*spawns)(long n);

    /* A task locks and unlocks n times what nobody else wants. */
    void (*locks)(long n);

    /* n items from one task to another one, by a queue with room for BENCH_TASKS. */
    void (*handovers)(long n);

    /* The same by a queue without any room: each item goes from hand to hand. And without a bound. */
    void (*meetings)(long n);
    void (*streams)(long n);
} bench_co;

#define BENCH_TASKS 32

extern const bench_co bench_co_implementation;

/* Ends the program with a sentence unless `good`. */
void bench_require(int good, const char *what);

#ifdef __cplusplus
}
#endif

#endif
