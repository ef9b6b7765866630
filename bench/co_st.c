/* SPDX-License-Identifier: MIT
 *
 * co_st.c: the State Threads library. A thread of its own goes on when it is signalled: there and back are two signals and
 * two waits. Debian's version has no st_thread_yield; sleeping for no time is what lets the others run.
 */
#include <st.h>
#include <stddef.h>

#include "co.h"

static void begin(void)
{
    static int begun;
    if (!begun) bench_require(st_init() == 0, "st_init");
    begun = 1;
}

static st_cond_t ping, pong;
static long left;

static void *answer(void *arg)
{
    while (left > 0) {
        st_cond_signal(pong);
        st_cond_wait(ping);
    }
    return arg;
}

static void switches(long n)
{
    begin();
    ping = st_cond_new();
    pong = st_cond_new();
    left = n;
    st_thread_t thread = st_thread_create(answer, NULL, 1, 0);
    bench_require(thread != NULL, "st_thread_create");
    for (; left > 0; left -= 2) {
        st_cond_signal(ping);
        st_cond_wait(pong);
    }
    st_cond_signal(ping);
    st_thread_join(thread, NULL);
    st_cond_destroy(ping);
    st_cond_destroy(pong);
}

static void *go_round(void *arg)
{
    while (left-- > 0) st_usleep(0);
    return arg;
}

static void *end(void *arg)
{
    return arg;
}

static void run_all(void *(*fn)(void *arg))
{
    st_thread_t threads[BENCH_TASKS];
    for (int i = 0; i < BENCH_TASKS; i++) {
        threads[i] = st_thread_create(fn, NULL, 1, 0);
        bench_require(threads[i] != NULL, "st_thread_create");
    }
    for (int i = 0; i < BENCH_TASKS; i++) st_thread_join(threads[i], NULL);
}

static void rounds(long n)
{
    begin();
    left = n;
    run_all(go_round);
}

static void spawns(long n)
{
    begin();
    for (; n > 0; n -= BENCH_TASKS) run_all(end);
}

static void locks(long n)
{
    begin();
    st_mutex_t mutex = st_mutex_new();
    for (; n > 0; n--) {
        st_mutex_lock(mutex);
        st_mutex_unlock(mutex);
    }
    st_mutex_destroy(mutex);
}

/* It has no queues: an array and two conditions. */
static void *items[BENCH_TASKS];
static unsigned first, count;
static st_cond_t has_room, has_items;

static void *put_all(void *arg)
{
    for (long i = left; i > 0; i--) {
        while (count == BENCH_TASKS) st_cond_wait(has_room);
        items[(first + count++) % BENCH_TASKS] = &left;
        st_cond_signal(has_items);
    }
    return arg;
}

static void handovers(long n)
{
    begin();
    left = n;
    has_room = st_cond_new();
    has_items = st_cond_new();
    st_thread_t thread = st_thread_create(put_all, NULL, 1, 0);
    bench_require(thread != NULL, "st_thread_create");
    for (long i = n; i > 0; i--) {
        while (!count) st_cond_wait(has_items);
        bench_require(items[first] == &left, "another item");
        first = (first + 1) % BENCH_TASKS;
        count--;
        st_cond_signal(has_room);
    }
    st_thread_join(thread, NULL);
    st_cond_destroy(has_room);
    st_cond_destroy(has_items);
}

const bench_co bench_co_implementation = {"libst", switches, rounds, NULL, spawns, locks, handovers, NULL, NULL};
