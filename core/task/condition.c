/* SPDX-License-Identifier: MIT
 *
 * task/condition.c: a condition: a line, beside a lock that the tasks in the line have given up meanwhile.
 *
 * Who was notified has been served, and returns 0 when it has the lock again; so a notification is never lost to a cancel
 * (statement 138), nor has anybody to pass one on.
 */
#include <stdio.h>

#include "task/lock.h"

struct hoya_condition {
    hoya_sync sync;
    hoya_lock *lock;
    hoya_list line;
};

int hoya_condition_new(hoya_lock *lock, const char *name, hoya_condition **out)
{
    if (!lock) return hoya_error_set(HOYA_EINVAL, "a condition needs a lock");
    int rc;
    hoya_condition *condition = hoya_sync_new(lock->sync.loop, name, sizeof *condition, &rc);
    if (!condition) return rc;
    condition->lock = lock;
    hoya_list_init(&condition->line);
    *out = condition;
    return 0;
}

int hoya_condition_free(hoya_condition *condition)
{
    int rc = condition ? hoya_sync_check_idle(&condition->sync) : 0;
    if (condition && rc >= 0) hoya_sync_free(&condition->sync);
    return rc;
}

static void describe_condition(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    char what[120];
    snprintf(text, size, "waits for %s", hoya_sync_text(place->sync, "condition", what, sizeof what));
}

/* The task that has the lock. */
static int check(const hoya_condition *condition, hoya_task **task)
{
    int rc = hoya_sync_task(condition ? &condition->sync : NULL, task);
    if (rc >= 0 && condition->lock->owner != (*task)->number)
        rc = hoya_error_set(HOYA_EPERM, "%s has not the lock of the condition", hoya_task_get_name(*task));
    return rc;
}

static int wait(hoya_condition *condition, hoya_task *task)
{
    int rc = hoya_task_interrupted(task);
    if (rc < 0) {
        if (hoya_tasks_of(task->future.loop)->closing) hoya_lock_hand_on(condition->lock); /* as one that waited */
        return rc;
    }
    hoya_place place = {0};
    hoya_lock_hand_on(condition->lock); /* until the wait is over */
    rc = hoya_wait_in_line(task, &condition->sync, &condition->line, &place, describe_condition);
    condition->sync.inside++; /* wait_for comes back to it */
    int back = hoya_lock_take_back(condition->lock, task);
    condition->sync.inside--;
    return rc < 0 ? rc : back;
}

int hoya_condition_wait(hoya_condition *condition)
{
    hoya_task *task;
    int rc = check(condition, &task);
    return rc < 0 ? rc : wait(condition, task);
}

int hoya_condition_wait_for(hoya_condition *condition, int (*predicate)(void *arg), void *arg)
{
    hoya_task *task;
    int rc = check(condition, &task);
    if (rc >= 0 && !predicate) rc = hoya_error_set(HOYA_EINVAL, "wait_for without a predicate");
    bool waited = false;
    for (; rc >= 0 && !predicate(arg); waited = true) rc = hoya_condition_wait(condition);
    if (rc >= 0 && !waited) hoya_task_spend(task);
    return rc;
}

int hoya_condition_notify(hoya_condition *condition, int count)
{
    int rc = hoya_sync_enter(condition ? &condition->sync : NULL);
    if (rc >= 0 && count < 0) rc = hoya_error_set(HOYA_EINVAL, "notify of %d tasks", count);
    if (rc < 0) return rc;
    int woken = 0;
    for (hoya_place *place; woken < count && (place = hoya_first_in_line(&condition->line)); woken++)
        hoya_serve(place, 0);
    return woken;
}

int hoya_condition_notify_all(hoya_condition *condition)
{
    return hoya_condition_notify(condition, INT32_MAX);
}
