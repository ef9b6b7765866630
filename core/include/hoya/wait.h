/* SPDX-License-Identifier: MIT
 *
 * hoya/wait.h: how a task waits for several futures, or for a limited time. What hoya/combine.h makes is awaited as any
 * future; here is what is better done by a task itself.
 *
 * All of them wait as hoya/task.h says: what is there already is delivered first, a cancel loses nothing, and what was
 * interrupted has done nothing. Errors of all: HOYA_ESTATE, HOYA_EDEADLK, HOYA_ECANCELED, HOYA_EDEADLINE, HOYA_EINVAL (a
 * NULL, a future of another loop), HOYA_ENOMEM.
 */
#ifndef HOYA_WAIT_H
#define HOYA_WAIT_H

#include <hoya/base.h>
#include <hoya/combine.h>
#include <hoya/task.h>

HOYA_BEGIN_DECLS

/* Waits until that is so, or `timeout` nanoseconds have passed (HOYA_NEVER: no limit; 0 or less: does not wait), which is
 * no error. Returns how many are done; ask the futures which. Looks at no error and cancels nothing, also when the task
 * is cancelled. Needs no memory for up to 16 futures without a timeout. Waits. Errors: HOYA_EINVAL (no futures, no such
 * `when`), too. Origin: asyncio.wait. */
HOYA_API int hoya_wait(hoya_future *const *futures, size_t count, hoya_when when, int64_t timeout);

/* hoya_await for a limited time: when that is over the future is cancelled and waited for, unless others wait for it, too;
 * if it then ends as cancelled, or goes on for others, the result is HOYA_ETIMEDOUT. A future that is done gives its
 * result whatever the timeout, and with 0 or less a task that has not begun never does. Waits. Origin:
 * asyncio.wait_for. */
HOYA_API int hoya_wait_for(hoya_future *future, int64_t timeout, void **value);

/* ---- one after the other ------------------------------------------------------------------------------ */

/* Gives futures as they are done. One task's, or several that take turns. */
typedef struct hoya_as_completed hoya_as_completed;

/* *iterator is the caller's, who frees it on the loop's thread; it keeps the futures. The same one twice is given once.
 * Outside of tasks, too. Errors: HOYA_ECLOSED, too. Origin: asyncio.as_completed. */
HOYA_API int hoya_as_completed_new(hoya_loop *loop, hoya_future *const *futures, size_t count,
                                   hoya_as_completed **iterator);

/* Waits for the next one: 1 and the future, borrowed until the iterator is freed, or 0 when all were given. Those that were
 * done from the start come first, in the order of the arguments. What is there already is given outside of tasks as
 * well. Needs no memory. */
HOYA_API int hoya_as_completed_next(hoya_as_completed *iterator, hoya_future **future);

/* The futures go on. Not while a task waits in next. NULL is ignored. */
HOYA_API void hoya_as_completed_free(hoya_as_completed *iterator);

/* ---- one of several tries ----------------------------------------------------------------------------- */

/* The size of this struct is part of the interface. */
typedef struct hoya_attempt {
    hoya_task_function fn;
    void *arg;
    hoya_destroy destroy; /* of the argument: when the task has ended, or if it never began */
    const char *name;     /* of the task; copied. NULL: as for other tasks */
    hoya_task *task;      /* set: a new reference to the task, which has ended; NULL if it never began */
} hoya_attempt;

/* Begins the attempts as tasks, one after the other: the next one when `delay` nanoseconds have passed (0 or less: at
 * once; HOYA_NEVER: no such time) since the one before it began, or that one has failed. The first that ends well is the
 * winner; the others are cancelled. Returns when all have ended: 0 and the winner's index, or the failure of the first
 * attempt if all have failed. An interruption cancels all, and is the result unless one ends well all the same. The
 * outcomes, errors among them, are in the tasks, which the caller answers for and unreferences. The tasks are children
 * of the calling one. Takes the arguments. Waits. Errors: HOYA_EINVAL (no attempts), too. Origin:
 * asyncio.staggered.staggered_race. */
HOYA_API int hoya_staggered_race(hoya_attempt *attempts, size_t count, int64_t delay, size_t *winner);

HOYA_END_DECLS

#endif
