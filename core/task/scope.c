/* SPDX-License-Identifier: MIT
 *
 * task/scope.c: parts of a task in which other rules hold: shields, where cancels wait, and timeouts, where waiting ends.
 *
 * A timeout that is in the past when it is entered has no timer, and is up from the first wait on; without a wait it never
 * was (statement 71). A timeout counts inside the shields that were there when it was entered, and not inside those that came later.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

int hoya_shield_enter(void)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0) task->shields++;
    return rc;
}

int hoya_shield_leave(void)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0 && !task->shields) rc = hoya_error_set(HOYA_ESTATE, "%s has no shield to leave", task->name);
    if (rc >= 0) task->shields--;
    return rc;
}

static void on_expired(void *arg)
{
    hoya_timeout *scope = arg;
    hoya_task *task = scope->task;
    scope->expired = true;
    if (task->wanted && scope->shields >= task->shields) hoya_task_wake(task);
}

static int enter(hoya_task *task, int64_t deadline, hoya_timeout **out)
{
    hoya_timeout *scope = hoya_new(hoya_timeout);
    if (!scope) return HOYA_ENOMEM;
    *scope = (hoya_timeout){.task = task, .deadline = deadline, .outer = task->scopes, .shields = task->shields};
    hoya_loop *loop = task->future.loop;
    int rc = deadline <= hoya_loop_time(loop)
                 ? 0
                 : hoya_loop_call_at(loop, deadline, on_expired, scope, NULL, &scope->timer);
    if (rc < 0) {
        hoya_free(scope);
        return rc;
    }
    task->scopes = scope;
    *out = scope;
    return 0;
}

int hoya_timeout_enter_at(int64_t deadline, hoya_timeout **scope)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    return rc < 0 ? rc : enter(task, deadline, scope);
}

int hoya_timeout_enter(int64_t delay, hoya_timeout **scope)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc < 0) return rc;
    int64_t now = hoya_loop_time(task->future.loop);
    return enter(task, delay <= 0 ? HOYA_NOW : hoya_time_add(now, delay), scope);
}

void hoya_task_drop_scope(hoya_task *task)
{
    hoya_timeout *scope = task->scopes;
    task->scopes = scope->outer;
    if (scope->timer) hoya_handle_cancel(scope->timer);
    hoya_handle_unref(scope->timer);
    hoya_free(scope);
}

int hoya_timeout_leave(hoya_timeout *scope)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc < 0) return rc;
    if (!scope || task->scopes != scope)
        return hoya_error_set(HOYA_ESTATE, "%s: this is not the innermost timeout", task->name);
    bool expired = scope->expired;
    hoya_task_drop_scope(task);
    return expired;
}
