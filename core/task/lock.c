/* SPDX-License-Identifier: MIT
 *
 * task/lock.c: a lock: the number of a task, and a line. Nobody stands in the line while it is free.
 *
 * Statement 135, changed: a release hands the lock to the first in the line, where asyncio opens it and wakes him. So there is
 * no moment in which somebody could come between, and a task that is cancelled after that has the lock.
 */
#include "task/lock.h"

#include <stdio.h>

int hoya_lock_new(hoya_loop *loop, const char *name, hoya_lock **out)
{
    int rc;
    hoya_lock *lock = hoya_sync_new(loop, name, sizeof *lock, &rc);
    if (!lock) return rc;
    hoya_list_init(&lock->line);
    *out = lock;
    return 0;
}

int hoya_lock_free(hoya_lock *lock)
{
    int rc = lock ? hoya_sync_check_idle(&lock->sync) : 0;
    if (lock && rc >= 0) hoya_sync_free(&lock->sync);
    return rc;
}

static void describe_lock(const hoya_task *task, char *text, size_t size)
{
    const hoya_place *place = task->body->waits_for;
    const hoya_lock *lock = (const hoya_lock *)place->sync;
    const hoya_task *owner = hoya_tasks_after(lock->sync.loop, lock->owner - 1);
    char what[120];
    hoya_sync_text(&lock->sync, "lock", what, sizeof what);
    if (owner && owner->number == lock->owner)
        snprintf(text, size, "waits for %s, held by %s", what, hoya_task_get_name(owner));
    else snprintf(text, size, "waits for %s, held by a task that has ended", what);
}

static __attribute__((noinline)) int acquire(hoya_lock *lock)
{
    hoya_task *task;
    int rc = hoya_sync_task(lock ? &lock->sync : NULL, &task);
    if (rc < 0) return rc;
    if (!lock->owner) {
        lock->owner = task->number;
        hoya_task_spend(task);
        return 0;
    }
    char text[120];
    if (lock->owner == task->number)
        return hoya_error_set(HOYA_EDEADLK, "%s has %s already", hoya_task_get_name(task),
                              hoya_sync_text(&lock->sync, "lock", text, sizeof text));
    hoya_place place = {0};
    return hoya_wait_in_line(task, &lock->sync, &lock->line, &place, describe_lock);
}

int hoya_lock_acquire(hoya_lock *lock)
{
    hoya_task *task = lock ? hoya_sync_task_at_once(&lock->sync) : NULL;
    if (hoya_unlikely(!task || lock->owner || --task->budget < 0)) return acquire(lock);
    lock->owner = task->number;
    return 0;
}

int hoya_lock_try_acquire(hoya_lock *lock)
{
    int rc = hoya_sync_enter(lock ? &lock->sync : NULL);
    if (rc < 0) return rc;
    const hoya_task *task = hoya_current_task();
    if (!task) return hoya_error_set(HOYA_ESTATE, "a lock belongs to a task, and this is none");
    if (task->future.loop != lock->sync.loop)
        return hoya_error_set(HOYA_EINVAL, "%s: the lock is of another loop", hoya_task_get_name(task));
    if (lock->owner) return hoya_error_set(HOYA_EAGAIN, "the lock is taken");
    lock->owner = task->number;
    return 0;
}

void hoya_lock_hand_on(hoya_lock *lock)
{
    hoya_place *next = hoya_first_in_line(&lock->line);
    lock->owner = next ? next->task->number : 0;
    if (next) hoya_serve(next, 0);
}

int hoya_lock_take_back(hoya_lock *lock, hoya_task *task)
{
    if (hoya_tasks_of(task->future.loop)->closing) return hoya_task_interrupted(task);
    if (!lock->owner) {
        lock->owner = task->number;
        return 0;
    }
    hoya_place place = {0};
    task->shields++;
    int rc = hoya_wait_in_line(task, &lock->sync, &lock->line, &place, describe_lock);
    task->shields--;
    return rc;
}

static __attribute__((noinline)) int release(hoya_lock *lock)
{
    int rc = hoya_sync_enter(lock ? &lock->sync : NULL);
    if (rc < 0) return rc;
    const hoya_task *task = hoya_current_task();
    if (!lock->owner) return hoya_error_set(HOYA_ESTATE, "the lock is not locked");
    if (!task || task->future.loop != lock->sync.loop || lock->owner != task->number)
        return hoya_error_set(HOYA_EPERM, "the lock belongs to another task");
    hoya_lock_hand_on(lock);
    return 0;
}

int hoya_lock_release(hoya_lock *lock)
{
    const hoya_task *task = lock ? hoya_sync_task_at_once(&lock->sync) : NULL;
    if (hoya_unlikely(!task || lock->owner != task->number || !hoya_list_is_empty(&lock->line)))
        return release(lock);
    lock->owner = 0;
    return 0;
}

int hoya_lock_locked(const hoya_lock *lock)
{
    return lock ? lock->owner != 0 : hoya_error_set(HOYA_EINVAL, "the lock is NULL");
}
