/* SPDX-License-Identifier: MIT
 *
 * thread_waits_future.c: a job in a thread of a pool waits for what the loop's thread will say. It waits for a thread
 * future; the loop's own futures belong to the loop's thread, and say so: docs/executors.md.
 */
#include <hoya/hoya.h>
#include <stdio.h>

typedef struct talk {
    hoya_loop *loop;
    hoya_future *wrong;         /* of the loop */
    hoya_thread_future *answer; /* of threads */
} talk;

static int ask(hoya_job *self, void *arg)
{
    talk *t = arg;
    void *text;
    (void)self;
    printf("XXXXX\n");
    int rc = hoya_future_result(t->wrong, &text);
    printf("a loop's future, in a job: %s\n", hoya_error_name(rc));
    rc = hoya_thread_future_result(t->answer, HOYA_SEC(10), &text); /* blocks this thread, and no other */
    if (rc < 0) return rc;
    printf("BBBBB: %s\n", (char *)text);
    return 0;
}

static void say_hello(void *arg)
{
    hoya_thread_future_set_result(arg, "hello", NULL);
}

static void stop(hoya_future *done, void *arg)
{
    (void)done;
    hoya_loop_stop(arg);
}

static int run(talk *t, hoya_executor *pool)
{
    hoya_future *job;
    int rc = hoya_run_in_executor(t->loop, pool, ask, t, NULL, &job);
    if (rc < 0) return rc;
    rc = hoya_future_add_done_callback(job, stop, t->loop, NULL, NULL);
    if (rc >= 0) rc = hoya_loop_call_later(t->loop, HOYA_MSEC(10), say_hello, t->answer, NULL, NULL);
    if (rc >= 0) rc = hoya_loop_run_forever(t->loop);
    if (rc >= 0) rc = hoya_future_result(job, NULL);
    hoya_future_unref(job);
    return rc;
}

int main(void)
{
    talk t = {NULL, NULL, NULL};
    hoya_executor *pool = NULL;
    hoya_thread_pool_options two = {.size = sizeof two, .max_threads = 2};
    int rc = hoya_loop_new(NULL, &t.loop);
    if (rc >= 0) rc = hoya_future_new(t.loop, &t.wrong);
    if (rc >= 0) rc = hoya_thread_future_new(&t.answer);
    if (rc >= 0) rc = hoya_thread_pool_new(&two, &pool);
    if (rc >= 0) rc = run(&t, pool);
    if (rc < 0) fprintf(stderr, "%s\n", hoya_error_detail());
    if (pool) hoya_executor_shutdown(pool, HOYA_NEVER, 1); /* before what its jobs use goes */
    hoya_executor_unref(pool);
    hoya_thread_future_unref(t.answer);
    hoya_future_unref(t.wrong);
    hoya_loop_close(t.loop);
    hoya_loop_unref(t.loop);
    return rc < 0;
}
