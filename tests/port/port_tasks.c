/* SPDX-License-Identifier: MIT
 *
 * port/port_tasks.c: futures, tasks, and what they wait for: port.c.
 */
#include <pthread.h>
#include <string.h>

#include "port.h"

/* ---- futures ---------------------------------------------------------------------------------------------- */

static void count_done(hoya_future *future, void *arg)
{
    CHECK(hoya_future_done(future));
    count(arg);
}

static void count_thread_done(hoya_thread_future *future, void *arg)
{
    CHECK(hoya_thread_future_done(future));
    count(arg);
}

static void *complete_thread_future(void *arg)
{
    CHECK(hoya_thread_future_set_running_or_notify_cancel(arg) == 1);
    CHECK(hoya_thread_future_set_result(arg, trace, NULL) == 0);
    return NULL;
}

void test_futures(void)
{
    hoya_loop *loop;
    hoya_future *future = NULL, *copy = NULL, *failed = NULL;
    hoya_handle *handle;
    void *value = NULL;
    const char *text;
    int done = 0, destroyed = 0;
    hoya_destroy destroy;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_future_new(loop, &future) == 0 && hoya_future_new(loop, &copy) == 0);
    CHECK(hoya_future_get_loop(future) == loop && !hoya_future_done(future));
    CHECK(hoya_future_add_done_callback(future, count_done, &done, NULL, NULL) == 0);
    CHECK(hoya_future_add_done_callback(future, count_done, &destroyed, NULL, &handle) == 0);
    CHECK(hoya_handle_cancel(handle) == 1);
    hoya_handle_unref(handle);
    CHECK(hoya_future_remove_done_callback(future, count_done, &done) == 1);
    CHECK(hoya_future_add_done_callback(future, count_done, &done, NULL, NULL) == 0);
    CHECK(hoya_future_chain(future, copy) == 0);
    CHECK(hoya_future_set_result(future, &destroyed, count) == 0 && done == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) == 2 && done == 1);
    CHECK(hoya_future_result(copy, &value) == 0 && value == &destroyed);
    CHECK(hoya_future_take(copy, &value, &destroy) == 0 && destroy == count && destroyed == 0);
    hoya_future_unref(hoya_future_ref(future));
    hoya_future_unref(future);
    hoya_future_unref(copy);
    CHECK(hoya_future_new(loop, &failed) == 0 && hoya_future_set_exception(failed, HOYA_EPIPE, "gone") == 0);
    CHECK(hoya_future_exception(failed, &text) == HOYA_EPIPE && strcmp(text, "gone") == 0);
    CHECK(hoya_future_cancel(failed, NULL) == 0 && !hoya_future_cancelled(failed));
    hoya_future_unref(failed);

    CHECK(hoya_future_new(loop, &future) == 0 && hoya_loop_stop(loop) == 0);
    CHECK(hoya_run_until_complete(loop, future, &value) == HOYA_ESTATE);
    CHECK(hoya_future_set_result(future, loop, NULL) == 0);
    CHECK(hoya_run_until_complete(loop, future, &value) == 0 && value == loop);
    hoya_future_unref(future);

    hoya_thread_future *work = NULL, *idle = NULL;
    pthread_t worker;
    CHECK(hoya_thread_future_new(&work) == 0 && hoya_thread_future_new(&idle) == 0);
    CHECK(hoya_thread_future_add_done_callback(idle, count_thread_done, &done, NULL) == 0);
    CHECK(hoya_thread_future_remove_done_callback(idle, count_thread_done, &done) == 1);
    CHECK(hoya_thread_future_cancel(idle, NULL) == 1 && hoya_thread_future_cancelled(idle));
    CHECK(hoya_thread_future_set_exception(idle, HOYA_EPIPE, NULL) == HOYA_ESTATE);
    CHECK(hoya_thread_future_result(work, HOYA_USEC(10), NULL) == HOYA_ETIMEDOUT);
    CHECK(hoya_wrap_future(loop, hoya_thread_future_ref(work), &future) == 0);
    CHECK(pthread_create(&worker, NULL, complete_thread_future, work) == 0);
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    CHECK(pthread_join(worker, NULL) == 0);
    CHECK(hoya_future_result(future, &value) == 0 && value == trace);
    CHECK(hoya_thread_future_result(work, HOYA_NEVER, &value) == 0 && value == trace);
    hoya_future_unref(future);
    hoya_thread_future_unref(work);
    hoya_thread_future_unref(work);
    hoya_thread_future_unref(idle);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
}

/* ---- tasks ------------------------------------------------------------------------------------------------ */

static char local_key;
static int waits_for_cancel;

static int hear_cancel(hoya_task *self, void *arg)
{
    hoya_timeout *timeout;
    CHECK(hoya_current_task() == self && hoya_task_get_local(&local_key) == trace);
    CHECK(hoya_timeout_enter(HOYA_USEC(10), &timeout) == 0);
    CHECK(hoya_sleep(HOYA_SEC(60)) == HOYA_EDEADLINE && hoya_timeout_leave(timeout) == 1);
    CHECK(hoya_timeout_enter_at(HOYA_NEVER, &timeout) == 0 && hoya_timeout_leave(timeout) == 0);
    waits_for_cancel = 1;
    CHECK(hoya_sleep(HOYA_SEC(60)) == HOYA_ECANCELED && hoya_task_cancelling(self) == 1);
    CHECK(hoya_shield_enter() == 0 && hoya_sleep(HOYA_USEC(10)) == 0 && hoya_shield_leave() == 0);
    CHECK(hoya_task_uncancel(self) == 0 && hoya_sleep(0) == 0);
    return hoya_task_set_value(self, arg, NULL);
}

static int say_ready(hoya_task *self, void *arg)
{
    CHECK(hoya_task_started(self, arg, NULL) == 1);
    return 0;
}

static int fail_child(hoya_task *self, void *arg)
{
    CHECK(arg == NULL && hoya_sleep(0) == 0);
    return hoya_error_set(HOYA_EIO, "%s fails", hoya_task_get_name(self));
}

static void note_error(hoya_task *child, int code, const char *text, void *arg)
{
    CHECK(code == HOYA_EIO && strcmp(text, "child fails") == 0 && strcmp(hoya_task_get_name(child), "child") == 0);
    count(arg);
}

static void have_groups(hoya_task_options *options)
{
    int errors = 0;
    void *value = NULL;
    hoya_group *group;
    CHECK(hoya_group_enter(NULL, &group) == 0);
    CHECK(hoya_group_create_task(group, fail_child, NULL, options, NULL) == 0);
    CHECK(hoya_group_join(group) == HOYA_EIO && hoya_group_errors(group, note_error, &errors) == 1 && errors == 1);
    CHECK(hoya_group_leave(group) == HOYA_EIO && strcmp(hoya_error_detail(), "child fails") == 0);
    hoya_group_options race = {.size = sizeof race, .policy = HOYA_GROUP_RACE, .limit = 1};
    CHECK(hoya_group_enter(&race, &group) == 0);
    CHECK(hoya_group_start(group, say_ready, trace, options, &value, NULL) == 0 && value == trace);
    CHECK(hoya_group_join(group) == 0 && hoya_group_winner(group) != NULL);
    CHECK(hoya_group_cancel(group, "port") == 1 && hoya_sleep(0) == HOYA_ECANCELED);
    CHECK(hoya_group_leave(group) == 0 && hoya_sleep(0) == 0);
}

static int have_child(hoya_task *self, void *arg)
{
    hoya_task *child;
    void *value = NULL;
    hoya_task_options options = {.size = sizeof options, .name = "child", .stack_size = 64 * 1024};
    CHECK(hoya_task_set_local(&local_key, trace, NULL) == 0);
    CHECK(hoya_create_task(hoya_task_get_loop(self), hear_cancel, arg, &options, &child) == 0);
    CHECK(strcmp(hoya_task_get_name(child), "child") == 0);
    while (!waits_for_cancel) CHECK(hoya_sleep(HOYA_USEC(100)) == 0);
    CHECK(hoya_task_cancel(child, "port") == 1);
    CHECK(hoya_wait_done(hoya_task_future(child)) == 0);
    CHECK(hoya_await(hoya_task_future(child), &value) == 0 && value == arg);
    hoya_task_unref(hoya_task_ref(child));
    hoya_task_unref(child);
    have_groups(&options);
    hoya_loop_stop(hoya_task_get_loop(self));
    return hoya_error_set(HOYA_EPIPE, "the end");
}

static void *start_task(void *loop)
{
    hoya_thread_future *future = NULL;
    CHECK(hoya_create_task_threadsafe(loop, have_child, trace, NULL, &future) == 0);
    CHECK(hoya_thread_future_result(future, HOYA_SEC(20), NULL) == HOYA_EPIPE);
    CHECK(strcmp(hoya_error_detail(), "the end") == 0);
    hoya_thread_future_unref(future);
    return NULL;
}

void test_tasks(void)
{
    hoya_loop *loop;
    pthread_t thread;
    CHECK(hoya_loop_new(NULL, &loop) == 0 && hoya_all_tasks(loop, NULL, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, start_task, loop) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0);
    CHECK(hoya_loop_run_once(loop, HOYA_NOW) >= 0); /* the outcome goes on its way a round later */
    CHECK(pthread_join(thread, NULL) == 0 && hoya_current_task() == NULL);
    CHECK(hoya_loop_close(loop) == 0);
    hoya_loop_unref(loop);
}

/* ---- combinators ------------------------------------------------------------------------------------------ */

static int fail_then(hoya_future *source, hoya_future *next, void *other)
{
    CHECK(hoya_future_done(source));
    return hoya_future_follow(next, other);
}

static int sleep_a_round(hoya_task *self, void *arg)
{
    (void)arg;
    return hoya_sleep(0) < 0 ? HOYA_ECANCELED : hoya_task_set_value(self, trace, NULL);
}

static int combine(hoya_task *self, void *arg)
{
    hoya_loop *loop = hoya_task_get_loop(self);
    hoya_future *futures[2], *made[6], *future = NULL;
    hoya_as_completed *iterator;
    hoya_attempt attempts[2] = {{.fn = sleep_a_round, .arg = arg, .destroy = count, .name = "first"},
                                {.fn = sleep_a_round, .arg = arg, .destroy = count, .name = "second"}};
    void *value = NULL;
    size_t winner = 9;
    CHECK(hoya_future_new(loop, &futures[0]) == 0 && hoya_future_new(loop, &futures[1]) == 0);
    CHECK(hoya_gather(loop, futures, 2, HOYA_GATHER_RETURN_ERRORS, &made[0]) == 0);
    CHECK(hoya_race(loop, futures, 2, &made[1]) == 0 && hoya_shield(futures[0], &made[2]) == 0);
    CHECK(hoya_with_timeout(futures[0], HOYA_SEC(20), &made[3]) == 0);
    CHECK(hoya_wait_futures(loop, futures, 2, HOYA_FIRST_COMPLETED, HOYA_SEC(20), &made[4]) == 0);
    CHECK(hoya_future_then(futures[0], fail_then, fail_then, made[2], NULL, &made[5]) == 0);
    CHECK(hoya_as_completed_new(loop, futures, 2, &iterator) == 0);
    CHECK(hoya_wait(futures, 2, HOYA_FIRST_COMPLETED, HOYA_USEC(10)) == 0);
    CHECK(hoya_future_set_result(futures[0], arg, NULL) == 0);
    CHECK(hoya_wait(futures, 2, HOYA_ALL_COMPLETED, HOYA_NEVER) == 2);
    CHECK(hoya_as_completed_next(iterator, &future) == 1 && future == futures[0]);
    hoya_as_completed_free(iterator);
    CHECK(hoya_await(made[0], &value) == 0 && ((hoya_gathered *)value)[1].code == HOYA_ECANCELED);
    for (int i = 1; i < 6; i++)
        CHECK(hoya_wait_for(made[i], HOYA_SEC(20), &value) == 0 && (i == 4 || value == arg));
    for (int i = 0; i < 6; i++) hoya_future_unref(made[i]);
    for (int i = 0; i < 2; i++) hoya_future_unref(futures[i]);
    CHECK(hoya_staggered_race(attempts, 2, HOYA_SEC(20), &winner) == 0 && winner == 0);
    CHECK(strcmp(hoya_task_get_name(attempts[0].task), "first") == 0 && !attempts[1].task);
    hoya_task_unref(attempts[0].task);
    return 0;
}

void test_combinators(void)
{
    int destroyed = 0;
    CHECK(hoya_run(combine, &destroyed, NULL) == 0 && destroyed == 2);
}

/* ---- what tasks wait for ---------------------------------------------------------------------------------- */

typedef struct meeting {
    hoya_lock *lock;
    hoya_event *event;
    hoya_condition *condition;
    hoya_semaphore *semaphore;
    hoya_barrier *barrier;
    hoya_queue *queue, *heap;
} meeting;

static int is_set(void *event)
{
    return hoya_event_is_set(event);
}

static int meet_first(hoya_task *self, void *arg)
{
    const meeting *at = arg;
    void *item = NULL;
    (void)self;
    CHECK(hoya_lock_acquire(at->lock) == 0 && hoya_lock_locked(at->lock) == 1);
    CHECK(hoya_condition_wait(at->condition) == 0);
    CHECK(hoya_condition_wait_for(at->condition, is_set, at->event) == 0);
    CHECK(hoya_lock_release(at->lock) == 0);
    CHECK(hoya_event_wait(at->event) == 0 && hoya_event_clear(at->event) == 0);
    CHECK(hoya_semaphore_acquire(at->semaphore) == 0);
    CHECK(hoya_queue_get(at->queue, &item) == 0 && item == at->queue);
    CHECK(hoya_queue_task_done(at->queue) == 0);
    return hoya_barrier_wait(at->barrier) == 0 ? 0 : -1;
}

static int meet_second(hoya_task *self, void *arg)
{
    const meeting *at = arg;
    CHECK(hoya_lock_try_acquire(at->lock) == 0 && hoya_lock_release(at->lock) == 0);
    CHECK(hoya_condition_notify(at->condition, 1) == 1 && hoya_sleep(0) == 0);
    CHECK(hoya_event_set(at->event) == 0 && hoya_condition_notify_all(at->condition) == 1 && hoya_sleep(0) == 0);
    CHECK(hoya_semaphore_release(at->semaphore) == 0 && hoya_queue_put(at->queue, at->queue) == 0);
    CHECK(hoya_queue_join(at->queue) == 0);
    CHECK(hoya_barrier_waiting(at->barrier) == 1 && hoya_barrier_wait(at->barrier) == 1);
    CHECK(hoya_queue_put_priority(at->heap, arg, 1) == 0);
    hoya_loop_stop(hoya_task_get_loop(self));
    return 0;
}

void test_sync(void)
{
    hoya_loop *loop;
    meeting at;
    hoya_queue_options options = {.size = sizeof options, .kind = HOYA_QUEUE_PRIORITY, .capacity = 3};
    void *item;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_lock_new(loop, "lock", &at.lock) == 0 && hoya_event_new(loop, NULL, &at.event) == 0);
    CHECK(hoya_condition_new(at.lock, NULL, &at.condition) == 0);
    CHECK(hoya_semaphore_new(loop, NULL, 0, 1, &at.semaphore) == 0);
    CHECK(hoya_barrier_new(loop, NULL, 2, &at.barrier) == 0);
    CHECK(hoya_queue_new(loop, NULL, &at.queue) == 0 && hoya_queue_new(loop, &options, &at.heap) == 0);
    CHECK(hoya_create_task(loop, meet_first, &at, NULL, NULL) == 0);
    CHECK(hoya_create_task(loop, meet_second, &at, NULL, NULL) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0);
    CHECK(hoya_semaphore_try_acquire(at.semaphore) == HOYA_EAGAIN && hoya_semaphore_value(at.semaphore) == 0);
    CHECK(hoya_barrier_abort(at.barrier) == 0 && hoya_barrier_broken(at.barrier) == 1);
    CHECK(hoya_barrier_reset(at.barrier) == 0);
    CHECK(hoya_queue_put_nowait(at.heap, loop) == 0 && hoya_queue_size(at.heap) == 2);
    CHECK(hoya_queue_put_priority_nowait(at.heap, &at, -1) == 0 && hoya_queue_capacity(at.heap) == 3);
    CHECK(hoya_queue_get_nowait(at.heap, &item) == 0 && item == &at);
    CHECK(hoya_queue_shutdown(at.heap, 1) == 0);
    CHECK(hoya_loop_close(loop) == 0);
    CHECK(hoya_queue_free(at.queue) == 0 && hoya_queue_free(at.heap) == 0 && hoya_barrier_free(at.barrier) == 0);
    CHECK(hoya_semaphore_free(at.semaphore) == 0 && hoya_condition_free(at.condition) == 0);
    CHECK(hoya_event_free(at.event) == 0 && hoya_lock_free(at.lock) == 0);
    hoya_loop_unref(loop);
}

/* ---- executors -------------------------------------------------------------------------------------------- */

static int give_value(hoya_job *self, void *arg)
{
    hoya_job_set_value(self, arg, NULL);
    return hoya_job_cancelled(self);
}

static int call_a_job(hoya_task *self, void *arg)
{
    void *value = NULL;
    hoya_destroy destroy = count;
    CHECK(hoya_to_thread(give_value, arg, NULL, &value, &destroy) == 0 && value == arg && destroy == NULL);
    hoya_loop_stop(hoya_task_get_loop(self));
    return 0;
}

static int run_inline(hoya_executor *executor, void *arg)
{
    count(arg);
    return hoya_executor_run(executor) < 0;
}

void test_executors(void)
{
    static const hoya_executor_ops ops = {sizeof ops, "inline", run_inline, count};
    hoya_loop *loop;
    hoya_executor *pool, *here;
    hoya_thread_future *work;
    hoya_future *future;
    hoya_thread_pool_options options = {
        .size = sizeof options, .max_threads = 2, .name = "port", .stack_size = 1 << 17};
    int calls = 0;
    void *value = NULL;
    CHECK(hoya_loop_new(NULL, &loop) == 0);
    CHECK(hoya_thread_pool_new(&options, &pool) == 0 && hoya_executor_set_queue_limit(pool, 10) == 0);
    CHECK(hoya_executor_submit(pool, give_value, trace, NULL, &work) == 0);
    CHECK(hoya_thread_future_result(work, HOYA_NEVER, &value) == 0 && value == trace);
    hoya_thread_future_unref(work);
    CHECK(hoya_run_in_executor(loop, pool, give_value, &calls, NULL, &future) == 0);
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    CHECK(hoya_future_result(future, &value) == 0 && value == &calls);
    hoya_future_unref(future);
    CHECK(hoya_set_default_executor(loop, pool) == 0);
    CHECK(hoya_create_task(loop, call_a_job, trace, NULL, NULL) == 0);
    CHECK(hoya_loop_run_forever(loop) == 0);
    CHECK(hoya_executor_shutdown(pool, HOYA_NEVER, 0) == 0);
    CHECK(hoya_executor_submit(pool, give_value, NULL, NULL, NULL) == HOYA_ECLOSED);
    hoya_executor_unref(hoya_executor_ref(pool));
    hoya_executor_unref(pool);
    CHECK(hoya_executor_new(&ops, &calls, &here) == 0 && hoya_set_default_executor(loop, here) == 0);
    hoya_executor_unref(here);
    CHECK(hoya_run_in_executor(loop, NULL, give_value, NULL, NULL, NULL) == 0 && calls == 1);
    CHECK(hoya_shutdown_default_executor(loop, HOYA_SEC(10), &future) == 0);
    while (!hoya_future_done(future)) CHECK(hoya_loop_run_once(loop, HOYA_NEVER) >= 0);
    hoya_future_unref(future);
    CHECK(hoya_loop_close(loop) == 0 && calls == 2);
    hoya_loop_unref(loop);
}
