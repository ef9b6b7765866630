/* SPDX-License-Identifier: MIT
 *
 * task/scope.c: parts of a task in which other rules hold: shields, where cancels wait, and timeouts, where waiting ends.
 *
 * A timeout counts inside the shields that were there when it was entered, and not inside those that came later.
 */
#include "base/clock.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

_Static_assert(sizeof(hoya_scope) <= sizeof(hoya_timeout), "hoya_timeout has room for a scope");

static hoya_scope *inside(hoya_timeout *scope)
{
    return (hoya_scope *)(void *)scope->internal;
}

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
    hoya_scope *scope = arg;
    hoya_task *task = scope->task;
    scope->expired = true;
    if (task->wanted && scope->shields >= task->shields) hoya_task_wake(task);
}

int hoya_timeout_enter_at(hoya_timeout *timeout, int64_t deadline)
{
    hoya_task *task;
    if (!timeout) return hoya_error_set(HOYA_EINVAL, "a timeout without a scope");
    int rc = hoya_task_here(&task);
    if (rc < 0) return rc;
    hoya_scope *scope = inside(timeout);
    *scope = (hoya_scope){.task = task, .outer = task->scopes, .shields = task->shields};
    rc = hoya_loop_call_at(task->future.loop, deadline, on_expired, scope, NULL, &scope->timer);
    if (rc < 0) return rc;
    task->scopes = scope;
    return 0;
}

int hoya_timeout_enter(hoya_timeout *timeout, int64_t delay)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc < 0) return rc;
    return hoya_timeout_enter_at(
        timeout, delay == HOYA_NEVER ? HOYA_NEVER : hoya_time_add(hoya_loop_time(task->future.loop), delay));
}

int hoya_timeout_leave(hoya_timeout *timeout)
{
    hoya_task *task;
    if (!timeout) return hoya_error_set(HOYA_EINVAL, "a timeout without a scope");
    int rc = hoya_task_here(&task);
    if (rc < 0) return rc;
    hoya_scope *scope = inside(timeout);
    if (task->scopes != scope)
        return hoya_error_set(HOYA_ESTATE, "%s: this is not the innermost timeout", task->name);
    hoya_handle_cancel(scope->timer);
    hoya_handle_unref(scope->timer);
    task->scopes = scope->outer;
    return scope->expired;
}
