/* SPDX-License-Identifier: MIT
 *
 * task/wait.c: how a task waits: for a future, for a time, for a round; and what a cancel does to it.
 *
 * One rule for all: first what is there already, then the question whether waiting is allowed, then the wait, and after
 * it again what is there, before anything else: so nothing that arrived is lost to a cancel.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

static __attribute__((noinline)) int why_interrupted(hoya_task *task)
{
    if (hoya_tasks_of(task->future.loop)->closing)
        return hoya_error_set(HOYA_ECANCELED, "%s: the loop is closed", hoya_task_get_name(task));
    if (task->cancels && !task->shields)
        return hoya_error_set(HOYA_ECANCELED, "%s was cancelled%s%s", hoya_task_get_name(task),
                              task->body->reason ? ": " : "", task->body->reason ? task->body->reason : "");
    const hoya_scope *up = NULL; /* the outermost one: so far the task has to go back */
    for (hoya_scope *scope = task->body->scopes; scope; scope = scope->outer) {
        if (scope->overdue) scope->up = HOYA_EDEADLINE;
        if (scope->up && scope->shields >= task->shields) up = scope;
    }
    return up ? hoya_error_set(up->up, "%s: %s", hoya_task_get_name(task), up->why) : 0;
}

int hoya_task_interrupted(hoya_task *task)
{
    bool usual = !task->cancels && !task->body->scopes && !hoya_tasks_of(task->future.loop)->closing;
    return hoya_likely(usual) ? 0 : why_interrupted(task);
}

/* Queued, it is ready, whoever asks; nothing interrupts that. */
void hoya_task_pause(hoya_task *task)
{
    task->budget = HOYA_TASK_BUDGET;
    if (hoya_tasks_of(task->future.loop)->closing) return; /* there are no more rounds */
    hoya_task_wake(task);
    hoya_task_suspend(task, NULL, NULL);
}

/* ---- futures --------------------------------------------------------------------------------------------- */

void hoya_describe_future(const hoya_task *task, char *text, size_t size)
{
    const hoya_future *future = task->body->waits_for;
    char place[160];
    if (future->class) snprintf(text, size, "waits for %s", future->class->name(future));
    else snprintf(text, size, "waits for a future from %s", hoya_code_name(future->place, place, sizeof place));
}

/* The future is pending, and the task may wait. */
static int wait_for(hoya_task *task, hoya_future *future)
{
    hoya_task_begin_waiting(task, &future->callbacks);
    hoya_task_suspend(task, hoya_describe_future, future);
    hoya_list_remove(&task->body->waiting.of_source); /* if it was not this that came */
    return future->outcome.done ? 0 : hoya_task_interrupted(task);
}

int hoya_task_may_wait_for(const hoya_task *task, const hoya_future *future)
{
    if (hoya_task_is_in_circle(task, future))
        return hoya_error_set(HOYA_EDEADLK, "%s would wait for itself", hoya_task_get_name(task));
    if (future->loop != task->future.loop)
        return hoya_error_set(HOYA_EINVAL, "%s: the future is of another loop", hoya_task_get_name(task));
    return 0;
}

static int check(hoya_future *future, hoya_task **task)
{
    if (!future) return hoya_error_set(HOYA_EINVAL, "the future is NULL");
    int rc = hoya_task_here(task);
    return rc < 0 ? rc : hoya_task_may_wait_for(*task, future);
}

/* The caller keeps the future. */
static int wait_done(hoya_task *task, hoya_future *future)
{
    if (future->outcome.done) {
        hoya_task_spend(task);
        return 0;
    }
    /* A wake-up that belonged to something else (a cancel that was taken back) is no reason to return. */
    int rc = 0;
    while (!future->outcome.done && rc == 0) {
        rc = hoya_task_interrupted(task);
        if (rc == 0) rc = wait_for(task, future);
    }
    return future->outcome.done ? 0 : rc;
}

int hoya_wait_done(hoya_future *future)
{
    hoya_task *task;
    int rc = check(future, &task);
    if (rc < 0) return rc;
    hoya_future_ref(future);
    rc = wait_done(task, future);
    hoya_future_unref(future);
    return rc;
}

/* The usual wait is none: the future is done and has its value. */
static bool take_at_once(hoya_future *future, void **value)
{
    hoya_task *task = future ? hoya_task_at_once(future->loop) : NULL;
    if (hoya_unlikely(!task)) return false;
    const hoya_outcome *outcome = &future->outcome;
    if (!outcome->done || outcome->code < 0 || outcome->taken || hoya_unlikely(--task->budget < 0)) return false;
    future->looked = true;
    if (value) *value = outcome->value;
    return true;
}

static __attribute__((noinline)) int await(hoya_future *future, void **value)
{
    hoya_task *task;
    int rc = check(future, &task);
    if (rc < 0) return rc;
    hoya_future_ref(future);
    rc = wait_done(task, future);
    if ((rc == HOYA_ECANCELED || rc == HOYA_EDEADLINE) && !hoya_task_awaited(future)) {
        /* What it waited for is asked to end, too, and waited for: a task may have to clean up, or may refuse. But not what
         * other tasks want (statement 41). */
        hoya_future_cancel(future, rc == HOYA_ECANCELED ? task->body->reason : "the time of who awaited it was up");
        task->shields++;
        while (!future->outcome.done && !hoya_tasks_of(task->future.loop)->closing) {
            if (hoya_task_is_in_circle(task, future)) break; /* closed since: by others that wait like this */
            if (wait_for(task, future) < 0) break;
        }
        task->shields--;
        if (future->outcome.done && !hoya_future_cancelled(future)) rc = 0;
    }
    if (rc == 0) rc = hoya_future_result(future, value);
    else if (future->outcome.done) future->looked = true;
    hoya_future_unref(future);
    return rc;
}

int hoya_await(hoya_future *future, void **value)
{
    return hoya_likely(take_at_once(future, value)) ? 0 : await(future, value);
}

/* ---- time ------------------------------------------------------------------------------------------------ */

static void on_time(void *arg)
{
    hoya_task *task = arg;
    if (!task->queued) hoya_task_queue(task); /* else something else came first, and it goes on by that */
}

static void describe_sleep(const hoya_task *task, char *text, size_t size)
{
    const int64_t *end = task->body->waits_for; /* on its stack */
    char when[48];
    snprintf(text, size, "sleeps, wakes %s", hoya_when_text(task->future.loop, *end, when, sizeof when));
}

int hoya_sleep(int64_t duration)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0) rc = hoya_task_interrupted(task);
    if (rc < 0) return rc;
    if (duration <= 0) {
        hoya_task_pause(task);
        return 0; /* a round has gone by: that is done, whatever else came */
    }
    hoya_loop *loop = task->future.loop;
    int64_t end = hoya_time_add(hoya_loop_time(loop), duration);
    while (rc == 0) {
        hoya_handle alarm = {0};
        rc = hoya_alarm_set(loop, &alarm, end, on_time, task, task->future.place);
        if (rc < 0) return rc;
        hoya_task_suspend(task, describe_sleep, &end);
        if (!hoya_alarm_clear(&alarm)) return 0;
        rc = hoya_task_interrupted(task);
    }
    return rc;
}

/* ---- cancelling ------------------------------------------------------------------------------------------ */

int hoya_task_cancel(hoya_task *task, const char *reason)
{
    if (!task) return hoya_error_set(HOYA_EINVAL, "the task is NULL");
    int rc = hoya_loop_check_thread(task->future.loop);
    return rc < 0 ? rc : hoya_task_ask(task, reason);
}

int hoya_task_ask(hoya_task *task, const char *reason)
{
    if (task->ended || task->future.outcome.done) return 0;
    if (!task->body->reason && reason) {
        task->body->reason = hoya_new_zeroed(strlen(reason) + 1); /* without memory it goes without */
        if (task->body->reason) strcpy(task->body->reason, reason);
    }
    task->cancels++;
    if (hoya_task_state(task) == HOYA_COROUTINE_CREATED) {
        hoya_task_end_unstarted(task);
    } else if (task->wanted && !task->shields) {
        hoya_task_wake(task);
    }
    return 1;
}

int hoya_task_cancelling(const hoya_task *task)
{
    return task ? task->cancels : hoya_error_set(HOYA_EINVAL, "the task is NULL");
}

int hoya_task_uncancel(hoya_task *task)
{
    if (!task) return hoya_error_set(HOYA_EINVAL, "the task is NULL");
    int rc = hoya_loop_check_thread(task->future.loop);
    if (rc < 0) return rc;
    if (task->cancels && --task->cancels == 0 && task->body) { /* the next one has a reason of its own */
        hoya_free(task->body->reason);
        task->body->reason = NULL;
    }
    return task->cancels;
}
