/* SPDX-License-Identifier: MIT
 *
 * tour 11: tasks.
 *
 * A task is a coroutine that the loop goes on with. Where it would have to wait it lets go of the thread, and others run.
 * "Imagine that the await is not there; imagine that the code is sequential." Two tasks change places only where one of
 * them waits: in the functions marked "waits", and nowhere else.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <stdlib.h>

#include "tour.h"

static int cook(hoya_task *self, void *dish)
{
    static int minutes = 5;
    int mine = minutes; /* a local variable, on the task's own stack */
    minutes += 10;
    printf("%s: begun\n", (const char *)dish);
    int rc = hoya_sleep(HOYA_MSEC(mine)); /* of this task alone */
    if (rc < 0) return rc;                /* cancelled: this is where that arrives */
    printf("%s: ready\n", (const char *)dish);
    return hoya_task_set_value(self, dish, NULL);
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    hoya_loop *loop = hoya_task_get_loop(self);
    char *dishes[] = {"soup", "rice", "cake"};
    hoya_task *cooks[3];

    /* They begin when this task waits for the first time. */
    for (int i = 0; i < 3; i++) must(hoya_create_task(loop, cook, dishes[i], NULL, &cooks[i]));
    printf("three tasks, and nothing has begun\n");

    void *ready[3];
    for (int i = 0; i < 3; i++)
        must(hoya_await(hoya_task_future(cooks[i]), &ready[i])); /* a task is a future, too */
    for (int i = 0; i < 3; i++) {
        printf("served: %s\n", (const char *)ready[i]);
        hoya_task_unref(cooks[i]);
    }
    return 0;
}

int main(void)
{
    return must(hoya_run(program, NULL, NULL)); /* a loop, a task on it, and everything cleaned up behind that */
}
