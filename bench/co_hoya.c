/* SPDX-License-Identifier: MIT
 *
 * co_hoya.c: hoya: a generator's switch; tasks of a loop that runs itself.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <stdlib.h>

#include "co.h"

static hoya_loop *loop;
static long left;

static void check(int rc)
{
    if (rc >= 0) return;
    fprintf(stderr, "hoya: %s\n", hoya_error_detail());
    exit(1);
}

static void *give(void *arg)
{
    while (hoya_yield(arg, &arg) == 0) continue;
    return NULL;
}

static void switches(long n)
{
    static hoya_stack_pool *pool; /* stays, so that the stack is there */
    if (!pool) check(hoya_stack_pool_new(NULL, &pool));
    hoya_coroutine_options options = {.size = sizeof options, .pool = pool};
    hoya_coroutine *co;
    void *value = NULL;
    check(hoya_coroutine_new(give, NULL, &options, &co));
    for (long i = 0; i < n; i += 2) check(hoya_coroutine_send(co, value, &value));
    hoya_coroutine_free(co);
}

/* Runs a loop with `count` tasks until all have ended. */
static int running;

static int last_one_stops(void)
{
    return --running > 0 ? 0 : hoya_loop_stop(loop);
}

static void run(int count, hoya_task_function fn)
{
    running = count;
    if (!loop) check(hoya_loop_new(NULL, &loop)); /* stays for the next time */
    for (int i = 0; i < count; i++) check(hoya_create_task(loop, fn, NULL, NULL, NULL));
    check(hoya_loop_run_forever(loop));
}

static int go_round(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    while (left-- > 0) check(hoya_sleep(0));
    return last_one_stops();
}

static void rounds(long n)
{
    left = n;
    run(BENCH_TASKS, go_round);
}

static int await_done(hoya_task *self, void *arg)
{
    hoya_future *future;
    void *value = NULL;
    (void)self, (void)arg;
    check(hoya_future_new(loop, &future));
    check(hoya_future_set_result(future, &left, NULL));
    for (; left > 0; left--) {
        check(hoya_await(future, &value));
        bench_require(value == &left, "another value");
    }
    hoya_future_unref(future);
    return last_one_stops();
}

static void awaits(long n)
{
    left = n;
    run(1, await_done);
}

static int end(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    return 0;
}

static int spawn(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    for (; left > 0; left -= BENCH_TASKS) {
        hoya_task *tasks[BENCH_TASKS];
        for (int i = 0; i < BENCH_TASKS; i++) check(hoya_create_task(loop, end, NULL, NULL, &tasks[i]));
        for (int i = 0; i < BENCH_TASKS; i++) {
            check(hoya_await(hoya_task_future(tasks[i]), NULL));
            hoya_task_unref(tasks[i]);
        }
    }
    return last_one_stops();
}

static void spawns(long n)
{
    left = n;
    run(1, spawn);
}

static int lock_and_unlock(hoya_task *self, void *arg)
{
    hoya_lock *lock;
    (void)self, (void)arg;
    check(hoya_lock_new(loop, NULL, &lock));
    for (; left > 0; left--) {
        check(hoya_lock_acquire(lock));
        check(hoya_lock_release(lock));
    }
    check(hoya_lock_free(lock));
    return last_one_stops();
}

static void locks(long n)
{
    left = n;
    run(1, lock_and_unlock);
}

static hoya_queue *queue;

static int put_all(hoya_task *self, void *arg)
{
    (void)self, (void)arg;
    for (long i = left; i > 0; i--) check(hoya_queue_put(queue, &left));
    return last_one_stops();
}

static int get_all(hoya_task *self, void *arg)
{
    void *item = NULL;
    (void)self;
    check(hoya_create_task(loop, put_all, arg, NULL, NULL));
    for (long i = left; i > 0; i--) {
        check(hoya_queue_get(queue, &item));
        bench_require(item == &left, "another item");
    }
    return last_one_stops();
}

static void hand_over(long n, size_t capacity)
{
    left = n;
    if (!loop) check(hoya_loop_new(NULL, &loop));
    hoya_queue_options options = {.size = sizeof options, .capacity = capacity};
    check(hoya_queue_new(loop, &options, &queue));
    check(hoya_create_task(loop, get_all, NULL, NULL, NULL));
    running = 2;
    check(hoya_loop_run_forever(loop));
    check(hoya_queue_free(queue));
}

static void handovers(long n)
{
    hand_over(n, BENCH_TASKS);
}

static void meetings(long n)
{
    hand_over(n, 0);
}

static void streams(long n)
{
    hand_over(n, HOYA_QUEUE_UNBOUNDED);
}

const bench_co bench_co_implementation = {"hoya", switches,  rounds,   awaits, spawns,
                                          locks,  handovers, meetings, streams};
