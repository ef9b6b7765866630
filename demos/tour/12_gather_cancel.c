/* SPDX-License-Identifier: MIT
 *
 * tour 12: gather, and cancel.
 *
 * gather makes one future of several: it is done when all are, with the values in their order. The first failure is its
 * own at once, and cancels the others. A cancel is a request that arrives where a task waits: there it can clean up;
 * nothing that had arrived before is lost.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

typedef struct job {
    char *name;
    int64_t takes;
    int ends_with;
} job;

static int work(hoya_task *self, void *arg)
{
    job *j = arg;
    int rc = hoya_sleep(j->takes);
    if (rc < 0) {
        printf("  %s: %s, so I clean up\n", j->name, hoya_error_name(rc));
        return rc;
    }
    printf("  %s: %s\n", j->name, j->ends_with < 0 ? "fails" : "through");
    return j->ends_with < 0 ? j->ends_with : hoya_task_set_value(self, j->name, NULL);
}

static int gather(hoya_loop *loop, job *jobs)
{
    hoya_task *tasks[3];
    hoya_future *futures[3], *all;
    for (int i = 0; i < 3; i++) {
        must(hoya_create_task(loop, work, &jobs[i], NULL, &tasks[i]));
        futures[i] = hoya_task_future(tasks[i]);
    }
    must(hoya_gather(loop, futures, 3, 0, &all)); /* HOYA_GATHER_KEEP_SIBLINGS: a failure leaves the others alone */
    int rc = hoya_await(all, NULL);
    for (int i = 0; i < 3; i++) hoya_wait_done(futures[i]); /* until each of them has ended */
    hoya_future_unref(all);
    for (int i = 0; i < 3; i++) hoya_task_unref(tasks[i]);
    return rc;
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    job good[] = {{"a", HOYA_MSEC(3), 0}, {"b", HOYA_MSEC(1), 0}, {"c", HOYA_MSEC(6), 0}};
    printf("all of them\n");
    printf("gather: %d\n", gather(loop, good));
    job bad[] = {{"a", HOYA_MSEC(1), HOYA_EIO}, {"b", HOYA_SEC(10), 0}, {"c", HOYA_SEC(10), 0}};
    printf("one fails\n");
    printf("gather: %s\n", hoya_error_name(gather(loop, bad)));

    printf("one is cancelled\n");
    hoya_task *task;
    job slow = {"slow", HOYA_SEC(10), 0};
    must(hoya_create_task(loop, work, &slow, NULL, &task));
    must(hoya_sleep(HOYA_MSEC(1)));
    must(hoya_task_cancel(task, "no patience"));
    int rc = hoya_await(hoya_task_future(task), NULL);
    printf("the task: %s\n", hoya_error_name(rc));
    hoya_task_unref(task);

    /* A timeout is a cancel that the clock asks for; it ends the waiting inside, and is no error of the task itself. */
    hoya_timeout *scope;
    must(hoya_timeout_enter(HOYA_MSEC(2), &scope));
    rc = hoya_sleep(HOYA_SEC(10));
    printf("a scope of 2 ms: %s\n", hoya_error_name(rc));
    printf("its time was up: %d\n", must(hoya_timeout_leave(scope)));
    return 0;
}

int main(void)
{
    return must(hoya_run(program, NULL, NULL));
}
