/* SPDX-License-Identifier: MIT
 *
 * hoya/executor.h: work for other threads: what blocks or computes for long runs there, and its result comes back as a
 * future. PEP 3156, "Threads"; PEP 3148, "Executor". docs/executors.md is the guide.
 *
 * An executor is a queue of jobs, first in, first out, and threads that run them. The queue is the library's; the threads
 * are those of hoya_thread_pool_new, or of whoever provides two functions (hoya_executor_ops).
 *
 * Thread: every function from any thread, except those that take a loop. In the child of a fork an executor of the
 * parent's has no threads: all but unref answer HOYA_ECHILD, and the futures of its jobs stay pending.
 */
#ifndef HOYA_EXECUTOR_H
#define HOYA_EXECUTOR_H

#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

typedef struct hoya_executor hoya_executor;
typedef struct hoya_job hoya_job;

/* ---- jobs -------------------------------------------------------------------------------------------- */

/* What a job does, on a thread of the executor. The result is the job's: 0 or more is success (hoya_job_set_value gives
 * a value), a negative code a failure, whose text is the one that hoya_error_set left on this thread; HOYA_ECANCELED a
 * cancelled job. `self` ends with the function. C++ exceptions and longjmp must not leave it. */
typedef int (*hoya_job_function)(hoya_job *self, void *arg);

/* Inside: the value that the future gives when the job has ended well. Takes the value; a later one replaces an earlier
 * one. Origin: the result of the function. */
HOYA_API void hoya_job_set_value(hoya_job *self, void *value, hoya_destroy destroy);

/* The cancel token: 1 once somebody has cancelled the future, else 0. A long job looks at it now and then, and answers
 * HOYA_ECANCELED; one that does not goes on to its end. Inside, and on threads that the job has started and waits for.
 * Origin: none. */
HOYA_API int hoya_job_cancelled(const hoya_job *self);

/* Queues a job. *future is a new reference. Takes the argument: it is destroyed once, on the thread that ran the job; by
 * whoever cancelled it; or in here, if it is refused. Cancelling the future takes the job out of the queue at once (1); a
 * job that runs is told by its token, and its future cannot be cancelled any more (0). The future cannot be completed from
 * outside (HOYA_ESTATE). Errors: HOYA_ECLOSED (shut down), HOYA_ENOBUFS (the queue is full), HOYA_ENOMEM, HOYA_ECHILD,
 * HOYA_EAGAIN (there is no thread, and none can be made). Origin: concurrent.futures.Executor.submit. */
HOYA_API int hoya_executor_submit(hoya_executor *executor, hoya_job_function fn, void *arg, hoya_destroy destroy,
                                  hoya_thread_future **future);

/* The same for a loop, on its thread; executor NULL is the loop's default. Cancelling the future completes it at once,
 * whatever the job does: one that is queued never runs, one that runs is told by its token, and its value is destroyed.
 * Nobody needs to keep the future: the loop keeps it until the job has ended, and a failure that nobody looked at goes to
 * the exception handler. A job whose loop is closed is run all the same, and its value destroyed. Errors: as submit; those
 * of the loop; HOYA_ECLOSED after hoya_shutdown_default_executor. Origin: loop.run_in_executor. */
HOYA_API int hoya_run_in_executor(hoya_loop *loop, hoya_executor *executor, hoya_job_function fn, void *arg,
                                  hoya_destroy destroy, hoya_future **future);

/* ---- executors --------------------------------------------------------------------------------------- */

HOYA_API hoya_executor *hoya_executor_ref(hoya_executor *executor);
/* At the last unref what was queued is still run. Then, or at once, the threads are ended: by this call, which waits for
 * them to go (they have nothing to do any more), or by the last job. */
HOYA_API void hoya_executor_unref(hoya_executor *executor);

/* Takes no new jobs from here on; `cancel_queued` not 0 cancels those that have not begun. Then waits at most `timeout`
 * nanoseconds (HOYA_NOW: not at all, HOYA_NEVER: without end) until the last job has ended, and its future is completed:
 * 0, or HOYA_ETIMEDOUT, and the jobs go on. May be called again. Needs no memory. Errors: HOYA_EDEADLK (it would wait on a
 * thread that runs a loop, or in a job of this executor, also where another's job is between), HOYA_ECHILD. Origin:
 * concurrent.futures.Executor.shutdown. */
HOYA_API int hoya_executor_shutdown(hoya_executor *executor, int64_t timeout, int cancel_queued);

/* At most so many jobs wait in the queue; 0: no limit. Those beyond are refused with HOYA_ENOBUFS. Origin: none. */
HOYA_API int hoya_executor_set_queue_limit(hoya_executor *executor, size_t limit);

typedef struct hoya_thread_pool_options {
    size_t size;        /* sizeof(hoya_thread_pool_options) */
    int max_threads;    /* 1 to 32768; 0: 4 more than there are processors, and at most 32 */
    const char *name;   /* of its threads: "name-1", "name-2", ...; copied; NULL: "hoya" */
    size_t queue_limit; /* see hoya_executor_set_queue_limit */
    size_t stack_size;  /* of a thread; 0: the system's default */
} hoya_thread_pool_options;

/* A pool of threads; *executor is a new reference. A thread is made when a job comes that no idle one waits for, up to the
 * most, and stays until the pool ends. Signals are blocked in all of them. If no thread can be made, those that are there
 * do the work. Errors: HOYA_ENOMEM, HOYA_EINVAL. Origin: concurrent.futures.ThreadPoolExecutor. */
HOYA_API int hoya_thread_pool_new(const hoya_thread_pool_options *options, hoya_executor **executor);

/* ---- a loop's default ---------------------------------------------------------------------------------- */

/* What run_in_executor without an executor uses, from now on: a reference. NULL: a pool of the loop's own, which is also
 * what it has before this, and which is made when it is first needed. Errors: HOYA_ENOMEM, those of the loop. Origin:
 * loop.set_default_executor. */
HOYA_API int hoya_set_default_executor(hoya_loop *loop, hoya_executor *executor);

/* Shuts the default down without blocking the loop: *future is done when its last job has ended, or fails with
 * HOYA_ETIMEDOUT. From now on run_in_executor without an executor is HOYA_ECLOSED. A cancel of the future ends the waiting
 * only. A loop that is closed without this drops its default, and does not wait: what was queued is still run. Errors:
 * HOYA_ENOMEM, those of the loop. Origin: loop.shutdown_default_executor. */
HOYA_API int hoya_shutdown_default_executor(hoya_loop *loop, int64_t timeout, hoya_future **future);

/* ---- other threads ------------------------------------------------------------------------------------- */

/* What makes an executor out of somebody's threads. Both functions may be called on any thread. */
typedef struct hoya_executor_ops {
    size_t size; /* sizeof(hoya_executor_ops) */
    const char *name;

    /* There is a job: has some thread call hoya_executor_run, later, or inside this call. One call for each wake, or one for
     * several; it only has to begin after the wake. A negative code: there is no such thread; the job is refused with it. */
    int (*wake)(hoya_executor *executor, void *arg);

    /* The executor has ended: it is empty, and nobody has a reference. Nothing is called after this. May be called inside
     * hoya_executor_run; and in the child of a fork, where the threads are not. */
    void (*free)(void *arg);
} hoya_executor_ops;

/* An executor; *executor is a new reference. Takes `arg`: ops->free gets it, also when this fails. Errors: HOYA_ENOMEM,
 * HOYA_EINVAL (ops of another version; then nothing is called). Origin: concurrent.futures.Executor, derived from. */
HOYA_API int hoya_executor_new(const hoya_executor_ops *ops, void *arg, hoya_executor **executor);

/* Runs what is in the queue until nothing is; returns how many jobs that were. By any number of threads at a time. Whoever
 * may come late holds a reference: after ops->free has returned this must not be called. Errors: HOYA_ECHILD. */
HOYA_API int hoya_executor_run(hoya_executor *executor);

HOYA_END_DECLS

#endif
