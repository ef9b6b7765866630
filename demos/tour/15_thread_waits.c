/* SPDX-License-Identifier: MIT
 *
 * tour 15: a thread that waits for a future.
 *
 * The other way round: a plain thread wants something of the loop's thread, and blocks until it has it. It hands a
 * function over (call_soon_threadsafe), or starts a task there, and waits for a future of threads. A loop's own futures
 * belong to the loop's thread, and say so to any other.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

static hoya_loop *loop;

/* On the loop's thread. */
static int answer(hoya_task *self, void *question)
{
    int rc = hoya_sleep(HOYA_MSEC(5)); /* it may wait, as every task */
    if (rc < 0) return rc;
    printf("loop: asked %s\n", (const char *)question);
    return hoya_task_set_value(self, "42", NULL);
}

static void stop(void *arg)
{
    (void)arg;
    hoya_loop_stop(loop);
}

/* A thread that has no loop. */
static void *ask(void *arg)
{
    (void)arg;
    hoya_thread_future *future;
    void *value;
    must(hoya_create_task_threadsafe(loop, answer, "for the answer", NULL, &future));
    must(hoya_thread_future_result(future, HOYA_SEC(10), &value)); /* blocks this thread, for ten seconds at most */
    printf("thread: got %s\n", (const char *)value);
    hoya_thread_future_unref(future);

    hoya_future *wrong;
    printf("thread: a loop's own future: %s\n", hoya_error_name(hoya_future_new(loop, &wrong)));
    must(hoya_loop_call_soon_threadsafe(loop, stop, NULL, NULL, NULL));
    return NULL;
}

int main(void)
{
    pthread_t thread;
    must(hoya_get_event_loop(&loop));
    if (pthread_create(&thread, NULL, ask, NULL)) return 1;
    must(hoya_loop_run_forever(loop));
    pthread_join(thread, NULL);
    return 0;
}
