/* SPDX-License-Identifier: MIT
 *
 * task/scope.c: parts of a task in which other rules hold: shields, where cancels wait, and scopes, where waiting
 * may end.
 *
 * A task has a list of scopes: timeouts (here) and groups (group.c). Each may be up, with a code that whatever
 * would wait inside answers until it is left. A scope counts inside the shields that were there when it was
 * entered, and not inside those that came later.
 *
 * A timeout that is in the past when it is entered has no timer, and is up from the first wait on; without a wait
 * it never was (statement 71).
 */
#include <stdio.h>

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
    if (rc >= 0 && !task->shields)
        rc = hoya_error_set(HOYA_ESTATE, "%s has no shield to leave", hoya_task_get_name(task));
    if (rc >= 0) task->shields--;
    return rc;
}

/* ---- scopes ---------------------------------------------------------------------------------------------- */

void hoya_scope_enter(hoya_scope *scope, const hoya_scope_class *class, hoya_task *task)
{
    *scope = (hoya_scope){.class = class, .task = task, .outer = task->body->scopes, .shields = task->shields};
    task->body->scopes = scope;
}

void hoya_scope_raise(hoya_scope *scope, int code)
{
    hoya_task *task = scope->task;
    scope->up = code;
    if (task->wanted && scope->shields >= task->shields) hoya_task_wake(task);
}

int hoya_scope_check_innermost(const hoya_scope *scope, const char *what)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0 && (!scope || task->body->scopes != scope))
        rc = hoya_error_set(HOYA_ESTATE, "%s: this is not the innermost %s", hoya_task_get_name(task), what);
    return rc;
}

void hoya_scope_drop_innermost(hoya_task *task)
{
    hoya_scope *scope = task->body->scopes;
    task->body->scopes = scope->outer;
    scope->class->drop(scope);
}

/* ---- timeouts -------------------------------------------------------------------------------------------- */

struct hoya_timeout {
    hoya_scope scope; /* first */
    int64_t deadline;
    hoya_handle *timer; /* NULL: the deadline was in the past; the first wait finds it so */
};

static void drop_timeout(hoya_scope *scope)
{
    hoya_timeout *timeout = (hoya_timeout *)scope;
    /* Also in a forked child, whose task ends before the loop is its own. */
    if (timeout->timer && timeout->timer->loop) hoya_handle_withdraw(timeout->timer);
    hoya_handle_unref(timeout->timer);
    hoya_free(timeout);
}

static void describe_timeout(const hoya_scope *scope, char *text, size_t size)
{
    const hoya_timeout *timeout = (const hoya_timeout *)scope;
    const hoya_loop *loop = scope->task->future.loop;
    char when[48];
    snprintf(text, size, "a timeout, %s",
             scope->up ? "up" : hoya_when_text(loop, timeout->deadline, when, sizeof when));
}

static const hoya_scope_class timeout_class = {drop_timeout, describe_timeout};

static void on_expired(void *arg)
{
    hoya_scope_raise(arg, HOYA_EDEADLINE);
}

static int enter(hoya_task *task, int64_t deadline, hoya_timeout **out)
{
    hoya_timeout *timeout = hoya_new(hoya_timeout);
    if (!timeout) return HOYA_ENOMEM;
    timeout->deadline = deadline;
    hoya_loop *loop = task->future.loop;
    bool overdue = deadline <= hoya_loop_time(loop);
    int rc = overdue ? 0 : hoya_loop_call_at(loop, deadline, on_expired, timeout, NULL, &timeout->timer);
    if (rc < 0) {
        hoya_free(timeout);
        return rc;
    }
    hoya_scope_enter(&timeout->scope, &timeout_class, task);
    timeout->scope.why = "the time was up";
    timeout->scope.overdue = overdue;
    *out = timeout;
    return 0;
}

int hoya_timeout_enter_at(int64_t deadline, hoya_timeout **timeout)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    return rc < 0 ? rc : enter(task, deadline, timeout);
}

int hoya_timeout_enter(int64_t delay, hoya_timeout **timeout)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc < 0) return rc;
    int64_t now = hoya_loop_time(task->future.loop);
    return enter(task, delay <= 0 ? HOYA_NOW : hoya_time_add(now, delay), timeout);
}

int hoya_timeout_leave(hoya_timeout *timeout)
{
    int rc = hoya_scope_check_innermost(timeout ? &timeout->scope : NULL, "timeout");
    if (rc < 0) return rc;
    bool expired = timeout->scope.up;
    hoya_scope_drop_innermost(timeout->scope.task);
    return expired;
}
