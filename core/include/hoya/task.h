/* SPDX-License-Identifier: MIT
 *
 * hoya/task.h: sequential code on a loop: a function with a stack of its own that waits without blocking its thread.
 * PEP 3156, "Coroutines"; asyncio's tasks.
 *
 * A task is a future: it is done when its function returns. While it waits (hoya_await, hoya_sleep) the loop runs
 * everything else; it goes on when what it waits for is there. Tasks run one at a time, on the loop's thread, and change
 * places nowhere but in the functions marked "waits".
 *
 * Cancelling is sticky. From hoya_task_cancel on, whatever can be done without waiting is done, and whatever would wait
 * answers HOYA_ECANCELED instead and has done nothing; so until the task ends, enters a shield, or the cancel is taken
 * back. Nothing is ever lost to a cancel: what arrived is delivered first.
 *
 * In a task, outside: a function marked "waits" answers HOYA_ESTATE where there is no task, and HOYA_EDEADLK in a
 * callback of a main loop that the task runs itself (a dialog): that callback is nobody's, and the task is below it on the
 * stack. What runs inline in a task (a destroy function, pause_writing, an exception handler) gets HOYA_EPERM: it stands in
 * the middle of something.
 *
 * Thread: as the loop's, HOYA_ETHREAD elsewhere; hoya_create_task_threadsafe is for all.
 */
#ifndef HOYA_TASK_H
#define HOYA_TASK_H

#include <hoya/base.h>
#include <hoya/executor.h>
#include <hoya/future.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

typedef struct hoya_task hoya_task;

/* ---- life -------------------------------------------------------------------------------------------- */

/* What a task does. The result is the task's: 0 or more is success (hoya_task_set_value gives a value), a negative code a
 * failure (whose text is what hoya_error_detail says in the task, if that failed with the same code), HOYA_ECANCELED a
 * cancelled task. C++ exceptions and longjmp must not leave it. */
typedef int (*hoya_task_function)(hoya_task *self, void *arg);

typedef struct hoya_task_options {
    size_t size;          /* sizeof(hoya_task_options) */
    const char *name;     /* copied; NULL: "Task-1", "Task-2", ... */
    size_t stack_size;    /* as hoya_coroutine_options' */
    hoya_destroy destroy; /* of the argument: when the task has ended, or if it never runs */
    hoya_task *owner;     /* see below; borrowed. NULL: none, the task is detached */
} hoya_task_options;

/* An owner is a task of the same loop that has not ended; the tasks that it owns are its children. When its
 * function has returned, those that have not ended are cancelled ("its owner NAME has ended"), and the owner is
 * done, and its argument destroyed, only when they have ended; a child with children does the same first. So a
 * child may use the argument of its owner, but not the local variables of its function. An owner that is cancelled
 * before its first step never runs, and waits for its children all the same. While it waits it takes no new
 * children, its timeouts are over, and a cancel changes nothing: a child that refuses is waited for. A child cannot
 * wait for its owner (HOYA_EDEADLK). Outcomes stay where they are: a child's failure that nobody looked at goes to
 * the exception handler. Only the close of the loop waits for nobody. Origin: none in asyncio. */

/* Makes a task; its first step is queued as by call_soon, never run inside this call. *task (may be NULL) is a new
 * reference. Nobody needs to keep one: the loop keeps a task until it has ended, and a failure that nobody looked at
 * goes to the exception handler. Takes the argument. Errors: HOYA_ECLOSED, HOYA_ENOMEM, HOYA_EINVAL (the owner is of
 * another loop, too), HOYA_ESTATE (the owner has ended, or its function has returned). Origin: asyncio.create_task. */
HOYA_API int hoya_create_task(hoya_loop *loop, hoya_task_function fn, void *arg, const hoya_task_options *options,
                              hoya_task **task);

/* The same from any thread. The task's first step is queued as by call_soon_threadsafe. *future (may be NULL) is a new
 * reference to what becomes of the task: its value, its failure, or that it was cancelled. Whoever has the future answers
 * for its error: let go unseen, nobody hears of it. Where `future` is NULL a failure goes to the exception handler, that
 * the task could not be made among them. Cancelling it cancels the task, which
 * never runs if it has not begun; the future does not wait for what the task does on its way out. A loop that is closed
 * first cancels it. Takes the argument, and destroys it on the loop's thread or, if it was refused, here. Errors:
 * HOYA_ECLOSED, HOYA_ENOMEM, HOYA_EINVAL (any owner, too), HOYA_ECHILD. Origin: asyncio.run_coroutine_threadsafe. */
HOYA_API int hoya_create_task_threadsafe(hoya_loop *loop, hoya_task_function fn, void *arg,
                                         const hoya_task_options *options, hoya_thread_future **future);

HOYA_API hoya_task *hoya_task_ref(hoya_task *task);
HOYA_API void hoya_task_unref(hoya_task *task);

/* The task as a future, for everything that takes one; borrowed. It cannot be completed from outside (HOYA_ESTATE), and
 * hoya_future_cancel is hoya_task_cancel. */
HOYA_API hoya_future *hoya_task_future(hoya_task *task);

/* Inside, until the function returns: the value that hoya_future_result gives when the task has ended well. Takes
 * the value; a later one replaces an earlier one. Errors: HOYA_ESTATE. */
HOYA_API int hoya_task_set_value(hoya_task *self, void *value, hoya_destroy destroy);

HOYA_API const char *hoya_task_get_name(const hoya_task *task);
HOYA_API hoya_loop *hoya_task_get_loop(const hoya_task *task); /* borrowed */

/* The task that runs on this thread; NULL in callbacks, of a main loop in a task, too. Borrowed. Origin:
 * asyncio.current_task. */
HOYA_API hoya_task *hoya_current_task(void);

/* Calls fn for each task of the loop that has not ended, the oldest first; runs inline. Returns how many those are.
 * Origin: asyncio.all_tasks. */
HOYA_API int hoya_all_tasks(hoya_loop *loop, void (*fn)(hoya_task *task, void *arg), void *arg);

/* ---- values of a task -------------------------------------------------------------------------------- */

/* Sets the current task's value for a key, which is an address of yours (`static char user; ... &user`). Tasks that it makes
 * from then on have it, too; those that there are already have not, its maker neither. Takes the value, always, which is
 * destroyed (inline) when the last task that has it has ended or set another. Errors: HOYA_ESTATE in callbacks, of a main
 * loop in a task, too; HOYA_EINVAL (key is NULL), HOYA_ENOMEM. Origin: ContextVar.set. */
HOYA_API int hoya_task_set_local(const void *key, void *value, hoya_destroy destroy);
/* Borrowed until it is set again or the task ends; NULL if there is none, or no current task. Origin: ContextVar.get. */
HOYA_API void *hoya_task_get_local(const void *key);

/* ---- waiting ----------------------------------------------------------------------------------------- */

/* Fairness. A call that waits, here and in hoya/sync.h and hoya/queue.h, returns at once if what it waits for is there. A task
 * that only ever finds ready things would keep the loop for itself: so of some hundreds of such calls in a row one lets the
 * loop have a round before it returns what it has. */

/* Waits until the future is done, whatever came of it; a future that is done already costs nothing, and does not let
 * others run (but see above). A cancel leaves the future alone. 0 when it is done. Errors: HOYA_ECANCELED, HOYA_EDEADLINE (of a timeout
 * scope), HOYA_EDEADLK (for itself, or for a task that waits for this one, as owners do), HOYA_EINVAL (another loop's).
 * Waits that are followed: for a future, for a child to be ready, for the children of a group, and for a combinator with
 * one part left. A circle by other ways is not noticed, nor one that is closed last by a join, or by the end of a
 * combinator's other parts. Needs no memory. */
HOYA_API int hoya_wait_done(hoya_future *future);

/* hoya_wait_done, then hoya_future_result: the first failure of the two, else 0 and the value, borrowed until the
 * last unref. A cancel of the waiting task is passed on to the future, unless other tasks or a combinator
 * (hoya/combine.h: also a `next` of hoya_future_then, but no mere callback) wait for that, too; if it ends
 * otherwise all the same (a task may refuse), its outcome is the result, and the cancel stays. Waits. Origin:
 * await. */
HOYA_API int hoya_await(hoya_future *future, void **value);

/* Waits `duration` nanoseconds; 0 or less is one round of the loop. Errors: as hoya_wait_done; HOYA_ENOMEM if it is more
 * than a round. Origin: asyncio.sleep. */
HOYA_API int hoya_sleep(int64_t duration);

/* Runs a job (hoya/executor.h) by the default executor of the task's loop, and waits for it: 0 and the value, which is
 * the caller's, who calls destroy_value(value) when he is done with it if *destroy_value is not NULL; or the failure of
 * the job, with its text. `value` and `destroy_value` may be NULL. Takes the argument. A cancel and a timeout tell the job
 * by its token, and wait for its end all the same, so that the argument may lie on the task's stack; one that has not begun
 * never runs. (asyncio does not wait: that is hoya_run_in_executor and hoya_await.) Only the close of the loop waits for
 * no job: an argument that must outlive it has a destroy function. Waits. Errors: as hoya_run_in_executor and hoya_await.
 * Origin: asyncio.to_thread. */
HOYA_API int hoya_to_thread(hoya_job_function fn, void *arg, hoya_destroy destroy, void **value,
                            hoya_destroy *destroy_value);

/* ---- cancelling -------------------------------------------------------------------------------------- */

/* Asks the task to end: see above. One that has not started never does, and its argument is destroyed (of one with
 * children, when they have ended). 1, or 0 if it has ended already. `reason` may be NULL and is copied. Needs no
 * memory. Origin: Task.cancel. */
HOYA_API int hoya_task_cancel(hoya_task *task, const char *reason);
HOYA_API int hoya_task_cancelling(const hoya_task *task); /* how many cancels are not taken back. Task.cancelling */
HOYA_API int hoya_task_uncancel(hoya_task *task); /* takes one back; returns how many are left. Task.uncancel */

/* Inside: until the matching leave, cancels wait. They nest. Origin: asyncio.shield, as a scope. */
HOYA_API int hoya_shield_enter(void);
HOYA_API int hoya_shield_leave(void);

/* ---- deadlines --------------------------------------------------------------------------------------- */

/* A part of a task with a deadline: when its time is up, what would wait answers HOYA_EDEADLINE until the scope is left. A
 * cancel comes first. Scopes nest, and are left in the opposite order; a task that ends leaves all of its own. Origin:
 * asyncio.timeout. */
typedef struct hoya_timeout hoya_timeout;

/* *scope belongs to the task, until leave. Errors: HOYA_ESTATE, HOYA_EDEADLK, HOYA_ENOMEM. */
HOYA_API int hoya_timeout_enter(int64_t delay, hoya_timeout **scope);
HOYA_API int hoya_timeout_enter_at(int64_t deadline, hoya_timeout **scope);
/* 1 if the loop, or a wait, has found its time up before this, else 0: what never waits is not interrupted. Errors: HOYA_ESTATE if it is not the innermost one. */
HOYA_API int hoya_timeout_leave(hoya_timeout *scope);

HOYA_END_DECLS

#endif
