/* SPDX-License-Identifier: MIT
 *
 * gdb/tasks.c: tasks in all states, and a place for gdb to stop at. See gdb.sh.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <stdlib.h>

void stop_here(void);
__attribute__((noinline)) void stop_here(void)
{
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static int descend(int depth, int (*at_the_end)(hoya_future *future), hoya_future *future)
{
    int rc = depth ? descend(depth - 1, at_the_end, future) : at_the_end(future);
    __asm__ volatile("" ::: "memory"); /* so that the call above is no jump */
    return rc;
}

static int sleep_long(hoya_future *future)
{
    (void)future;
    int rc = hoya_sleep(HOYA_SEC(3600));
    __asm__ volatile("" ::: "memory");
    return rc;
}

static int wait_for_it(hoya_future *future)
{
    int rc = hoya_wait_done(future);
    __asm__ volatile("" ::: "memory");
    return rc;
}

static int sleeper(hoya_task *self, void *arg)
{
    (void)self;
    (void)arg;
    int rc = descend(3, sleep_long, NULL);
    __asm__ volatile("" ::: "memory");
    return rc;
}

static int waiter(hoya_task *self, void *arg)
{
    (void)self;
    int rc = descend(1, wait_for_it, hoya_task_future(arg));
    __asm__ volatile("" ::: "memory");
    return rc;
}

static int looker(hoya_task *self, void *arg)
{
    (void)self;
    hoya_loop *loop = arg;
    hoya_task *late;
    if (hoya_create_task(loop, sleeper, NULL,
                         &(hoya_task_options){.size = sizeof(hoya_task_options), .name = "late"}, &late))
        return HOYA_EIO;
    hoya_task_unref(late);
    stop_here();
    hoya_loop_stop(loop);
    return 0;
}

int main(void)
{
    hoya_loop *loop;
    hoya_task *sleeping;
    hoya_task_options options = {.size = sizeof options};
    if (hoya_loop_new(NULL, &loop)) return 1;
    options.name = "sleeping";
    if (hoya_create_task(loop, sleeper, NULL, &options, &sleeping)) return 1;
    options.name = "waiting";
    if (hoya_create_task(loop, waiter, sleeping, &options, NULL)) return 1;
    options.name = "looking";
    if (hoya_create_task(loop, looker, loop, &options, NULL)) return 1;
    hoya_loop_run_forever(loop);
    hoya_loop_close(loop);
    hoya_task_unref(sleeping);
    hoya_loop_unref(loop);
    return 0;
}
