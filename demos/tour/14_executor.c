/* SPDX-License-Identifier: MIT
 *
 * tour 14: run in executor.
 *
 * Some things block and know no other way: a compression, a library without callbacks, a slow disk. They go into a thread
 * of a pool, and the loop's thread goes on meanwhile. The job touches nothing of the loop's; its value comes back as the
 * value of a future, or of the call.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <unistd.h>

#include "tour.h"

/* In another thread. */
static int compute(hoya_job *self, void *arg)
{
    usleep(100000);
    *(int *)arg *= 2;
    hoya_job_set_value(self, arg, NULL);
    return 0; /* or a negative code: the future fails with it */
}

static int ticks;

static int tick(hoya_task *self, void *arg)
{
    (void)self;
    (void)arg;
    for (;;) {
        int rc = hoya_sleep(HOYA_MSEC(1));
        if (rc < 0) return rc;
        ticks++;
    }
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    hoya_task *clock;
    must(hoya_create_task(loop, tick, NULL, NULL, &clock));

    /* As a future: several may be under way. */
    int one = 1, ten = 10;
    hoya_future *futures[2], *both;
    must(hoya_run_in_executor(loop, NULL, compute, &one, NULL, &futures[0])); /* NULL: the loop's own pool */
    must(hoya_run_in_executor(loop, NULL, compute, &ten, NULL, &futures[1]));
    must(hoya_gather(loop, futures, 2, 0, &both));
    must(hoya_await(both, NULL));
    printf("%d and %d\n", one, ten);
    printf("meanwhile the loop %s\n", ticks > 2 ? "went on" : "stood still");
    for (int i = 0; i < 2; i++) hoya_future_unref(futures[i]);
    hoya_future_unref(both);

    /* As a call. */
    void *value;
    must(hoya_to_thread(compute, &ten, NULL, &value, NULL));
    printf("%d\n", *(int *)value);

    must(hoya_task_cancel(clock, NULL));
    hoya_wait_done(hoya_task_future(clock));
    hoya_task_unref(clock);
    return 0;
}

int main(void)
{
    return must(hoya_run(program, NULL, NULL));
}
