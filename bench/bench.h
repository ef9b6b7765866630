/* SPDX-License-Identifier: MIT
 *
 * bench.h: one implementation of all workloads. A program is main.c with one file impl_*.c; run.sh runs the programs
 * in turn and compares. An implementation does the work and keeps no time: main.c does.
 */
#ifndef HOYA_BENCH_BENCH_H
#define HOYA_BENCH_BENCH_H

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bench_impl {
    const char *name;

    /* n callbacks, each of which schedules the next one. Between two the kernel is looked at once. */
    void (*chain)(long n);
    /* n callbacks, scheduled 1,000 at a time and then run. */
    void (*batch)(long n);

    /* n timers, timer i after delays[i] milliseconds, counted from one reading of the clock; then all cancelled. */
    void (*timers_insert)(long n, const int *delays);
    void (*timers_cancel)(long n);
    /* Those of a second insert are due: runs them all. */
    void (*timers_expire)(long n);

    /* `producers` threads post n callbacks in all to a loop that runs on this thread. */
    void (*posts)(int producers, long n);
    /* n times there and back between this thread's loop and that of another thread. */
    void (*ping_pong)(long n);

    /* n empty jobs on the one thread of a pool, `flight` at a time; the loop on this thread hears of the end of each, and
     * queues the next one. */
    void (*jobs)(long flight, long n);

    /* Sends back what comes on each descriptor, until all of them have ended. Calls bench_start_echo before it waits. */
    void (*echo)(const int *fds, int n);
    /* The same by what the library has for connections; NULL: by nothing else. What comes is in memory of the library's, or
     * of the program's if it is to be `buffered`. Calls bench_end_echo when the first one has ended. */
    void (*connections)(const int *fds, int n, int buffered);
    /* The same by a task for each of them; NULL: as connections. */
    void (*streams)(const int *fds, int n, size_t size); /* of a message */

    /* A loop on this thread: begins with bench_start_waking, calls bench_woken until that says 0, and joins the
     * thread. */
    void (*sleeper)(void);
    /* On another thread: has the loop call bench_woken once. */
    void (*wake)(void);
} bench_impl;

/* Those that are no peers but hoya's hosts have echo, sleeper and wake only; libev has no pool of threads, and no jobs. */
extern const bench_impl bench_implementation;

/* The loop is there, and about to be run: the client may begin. */
void bench_start_echo(void);
void bench_end_echo(void);
/* For all of them: a message there and back. Returns 0 at the end of the stream. */
int bench_echo_once(int fd);
/* Room for the largest message. */
#define BENCH_ROOM 65536

/* Starts the thread that wakes the sleeper, whose loop is there and about to be run. The loop must outlive it. */
pthread_t bench_start_waking(void);
/* Returns 0 if that was the last time. */
int bench_woken(void);

/* A thread on a processor that is not the calling thread's, if the program may use several. */
pthread_t bench_start_thread(void *(*run)(void *arg), void *arg);

/* On a thread of somebody's pool, before its first job: the same for that one. */
void bench_settle_worker(void);

/* Ends the program with a sentence unless `good`. */
void bench_require(int good, const char *what);

#ifdef __cplusplus
}
#endif

#endif
