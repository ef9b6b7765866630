/* SPDX-License-Identifier: MIT
 *
 * hoya/sync.h: tasks that wait for each other: locks, conditions, semaphores, events, barriers. asyncio's locks.
 *
 * All are fair: who waits is served in the order of coming, and nobody overtakes him. What is released goes straight into
 * the hands of who waits longest, so a task that was served and cancelled before it went on has what it waited for: its wait
 * returns 0, and the cancel stays. One that was interrupted (HOYA_ECANCELED, HOYA_EDEADLINE) has done nothing, and has lost
 * its place. So no lock and no wake-up is ever lost to a cancel, nor kept by one.
 *
 * A function marked "waits" is for tasks (HOYA_ESTATE, HOYA_EDEADLK: hoya/task.h) of the object's loop (HOYA_EINVAL). What
 * is free it takes without waiting, and then it lets nobody else run, but for the fairness of hoya/task.h. All others never
 * wait, and are for callbacks as well. Thread: as the loop's, HOYA_ETHREAD elsewhere; those that only
 * tell how it stands (locked, is_set, value, broken, waiting) do not look. Only `new` needs memory.
 *
 * An object keeps its loop: end that by hoya_loop_close. At the close all who wait answer HOYA_ECANCELED. A `free` frees
 * nothing and answers HOYA_EBUSY while tasks wait, or have been woken and have not gone on yet; it may come after the close, and takes NULL. Names are for dumps and texts;
 * copied, NULL: none. Errors of each `new`: HOYA_ECLOSED, HOYA_ENOMEM.
 */
#ifndef HOYA_SYNC_H
#define HOYA_SYNC_H

#include <hoya/base.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

/* ---- lock -------------------------------------------------------------------------------------------- */

/* Belongs to one task at a time, which alone may release it. In a callback there is nobody to whom it could belong: use a
 * semaphore of one. A task that ends with a lock in its hands leaves it locked for ever. Origin: asyncio.Lock. */
typedef struct hoya_lock hoya_lock;

HOYA_API int hoya_lock_new(hoya_loop *loop, const char *name, hoya_lock **lock);
HOYA_API int hoya_lock_free(hoya_lock *lock);

/* Waits. Errors: HOYA_EDEADLK also if the task has it already. Origin: Lock.acquire. */
HOYA_API int hoya_lock_acquire(hoya_lock *lock);
/* HOYA_EAGAIN if it is taken, by whomever. Errors: HOYA_ESTATE (no task), HOYA_EINVAL (of another loop). */
HOYA_API int hoya_lock_try_acquire(hoya_lock *lock);
/* Gives it to who waits longest. Errors: HOYA_ESTATE (it is not locked), HOYA_EPERM (it belongs to another task, or this is a
 * callback). Origin: Lock.release. */
HOYA_API int hoya_lock_release(hoya_lock *lock);
HOYA_API int hoya_lock_locked(const hoya_lock *lock);

/* ---- event ------------------------------------------------------------------------------------------- */

/* Is set or not; tasks wait until it is. From another thread: hoya_loop_call_soon_threadsafe a function that sets it. Origin:
 * asyncio.Event. */
typedef struct hoya_event hoya_event;

HOYA_API int hoya_event_new(hoya_loop *loop, const char *name, hoya_event **event);
HOYA_API int hoya_event_free(hoya_event *event);

HOYA_API int hoya_event_set(hoya_event *event); /* all who wait go on, even if it is cleared before they do */
HOYA_API int hoya_event_clear(hoya_event *event);
HOYA_API int hoya_event_is_set(const hoya_event *event);
HOYA_API int hoya_event_wait(hoya_event *event); /* waits */

/* ---- condition --------------------------------------------------------------------------------------- */

/* For tasks that wait until something is so that a lock protects. Keeps the lock in use: free the condition first. Origin:
 * asyncio.Condition. */
typedef struct hoya_condition hoya_condition;

/* Several conditions may share a lock. Errors: HOYA_EINVAL (no lock). */
HOYA_API int hoya_condition_new(hoya_lock *lock, const char *name, hoya_condition **condition);
HOYA_API int hoya_condition_free(hoya_condition *condition);

/* Releases the lock, waits until somebody notifies, and waits for the lock again. However it ends, the task has the lock
 * again, for which cancels and timeouts are waited out; but at the close of the loop, where it has not. One that was notified
 * returns 0. Waits. Errors: HOYA_EPERM (the lock is not the task's). Origin: Condition.wait. */
HOYA_API int hoya_condition_wait(hoya_condition *condition);
/* The same until predicate(arg) is not 0; it is asked with the lock, inline, and first of all. Waits. Origin:
 * Condition.wait_for. */
HOYA_API int hoya_condition_wait_for(hoya_condition *condition, int (*predicate)(void *arg), void *arg);

/* Wakes the first `count` who wait, or all; returns how many those were. The caller need not have the lock: between two
 * waits nothing else runs. Errors: HOYA_EINVAL (count is negative). Origin: Condition.notify, notify_all. */
HOYA_API int hoya_condition_notify(hoya_condition *condition, int count);
HOYA_API int hoya_condition_notify_all(hoya_condition *condition);

/* ---- semaphore --------------------------------------------------------------------------------------- */

/* A number of permits. Whoever likes may release one. Origin: asyncio.Semaphore, BoundedSemaphore. */
typedef struct hoya_semaphore hoya_semaphore;

/* With `value` permits; with a bound (0: none) there are never more than that. Errors: HOYA_EINVAL (a value above the
 * bound). */
HOYA_API int hoya_semaphore_new(hoya_loop *loop, const char *name, uint32_t value, uint32_t bound,
                                hoya_semaphore **semaphore);
HOYA_API int hoya_semaphore_free(hoya_semaphore *semaphore);

HOYA_API int hoya_semaphore_acquire(hoya_semaphore *semaphore);     /* waits */
HOYA_API int hoya_semaphore_try_acquire(hoya_semaphore *semaphore); /* HOYA_EAGAIN if there is no permit */
/* Gives a permit to who waits longest, or keeps it. Errors: HOYA_ELIMIT (more than the bound), HOYA_EOVERFLOW. */
HOYA_API int hoya_semaphore_release(hoya_semaphore *semaphore);
HOYA_API uint32_t hoya_semaphore_value(const hoya_semaphore *semaphore);

/* ---- barrier ----------------------------------------------------------------------------------------- */

/* Tasks wait until so many of them do, and go on together; then it is as new. One that is interrupted steps back, and breaks
 * nothing. Origin: asyncio.Barrier. */
typedef struct hoya_barrier hoya_barrier;

/* Errors: HOYA_EINVAL (parties are 0, or more than INT32_MAX). */
HOYA_API int hoya_barrier_new(hoya_loop *loop, const char *name, uint32_t parties, hoya_barrier **barrier);
HOYA_API int hoya_barrier_free(hoya_barrier *barrier);

/* 0 for the first of those that go on together, 1, 2, ...: in the order in which they came, each number once. Waits.
 * Errors: HOYA_ESTATE (also: it is broken, or was reset meanwhile). Origin: Barrier.wait. */
HOYA_API int hoya_barrier_wait(hoya_barrier *barrier);
/* Who waits answers HOYA_ESTATE; who was let through already has his number. `reset` makes it as new, `abort` breaks it until
 * a reset. Origin: Barrier.reset, abort. */
HOYA_API int hoya_barrier_reset(hoya_barrier *barrier);
HOYA_API int hoya_barrier_abort(hoya_barrier *barrier);
HOYA_API int hoya_barrier_broken(const hoya_barrier *barrier);
HOYA_API uint32_t hoya_barrier_waiting(const hoya_barrier *barrier); /* how many wait now. Barrier.n_waiting */

HOYA_END_DECLS

#endif
