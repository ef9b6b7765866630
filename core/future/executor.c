/* SPDX-License-Identifier: MIT
 *
 * future/executor.c: an executor: a queue of jobs, and the threads that somebody sends to run them.
 *
 * Whoever queues a job wakes a thread; a thread that was woken runs what there is until there is nothing. So a wake that
 * comes too often finds an empty queue, and one that failed is made good by any other that comes after the job.
 *
 * `busy` counts the jobs that were accepted and have not ended. While there are some the executor has a reference to
 * itself. The thread that ended the last one gives that up before anybody hears of the end, and touches the executor no
 * more: who has waited for the end and lets go then is the last.
 */
#include "future/executor.h"

#include <pthread.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"
#include "base/error_place.h"
#include "base/fork.h"
#include "future/future.h"
#include "loop/handle.h"

struct hoya_executor {
    const hoya_executor_ops *ops;
    void *arg;
    atomic_int refs;
    unsigned generation; /* of the process that the threads are of */
    hoya_thread_future *drained;

    pthread_mutex_t lock; /* of what follows */
    hoya_list queue;
    size_t queued, limit;
    size_t busy;
    bool closed;
};

/* The runs that are open on this thread: a job of one executor may run those of another. Not quite a stack: where tasks run
 * them the one below may end first. */
typedef struct run {
    const hoya_executor *executor; /* may be gone: to compare with */
    struct run *below;
} run;

static _Thread_local run *runs;

/* ---- life ---------------------------------------------------------------------------------------------- */

static int make(const hoya_executor_ops *ops, void *arg, hoya_executor **out)
{
    int rc = hoya_fork_notice();
    if (rc < 0) return rc;
    hoya_executor *executor = hoya_new(hoya_executor);
    if (!executor) return HOYA_ENOMEM;
    rc = hoya_thread_future_new(&executor->drained);
    if (rc < 0) {
        hoya_free(executor);
        return rc;
    }
    hoya_thread_future_set_running_or_notify_cancel(executor->drained); /* nobody cancels an end */
    executor->ops = ops;
    executor->arg = arg;
    atomic_init(&executor->refs, 1);
    executor->generation = hoya_fork_generation();
    pthread_mutex_init(&executor->lock, NULL);
    hoya_list_init(&executor->queue);
    *out = executor;
    return 0;
}

int hoya_executor_new(const hoya_executor_ops *ops, void *arg, hoya_executor **out)
{
    if (!ops || ops->size != sizeof *ops || !ops->wake || !ops->free)
        return hoya_error_set(HOYA_EINVAL, "hoya_executor_ops: not of this version, or a function is missing");
    int rc = make(ops, arg, out);
    if (rc < 0) ops->free(arg);
    return rc;
}

hoya_executor *hoya_executor_ref(hoya_executor *executor)
{
    int before = atomic_fetch_add_explicit(&executor->refs, 1, memory_order_relaxed);
    hoya_check(before > 0, "an executor was used after it was freed");
    (void)before;
    return executor;
}

static void free_executor(hoya_executor *executor)
{
    executor->ops->free(executor->arg); /* threads that found nothing to do may be in here until then */
    hoya_thread_future_unref(executor->drained);
    if (!hoya_executor_is_forked(executor)) {
        pthread_mutex_lock(&executor->lock); /* who gave the last job's reference back may be about to open it */
        pthread_mutex_unlock(&executor->lock);
        pthread_mutex_destroy(&executor->lock);
    }
    hoya_free(executor);
}

void hoya_executor_unref(hoya_executor *executor)
{
    if (!executor) return;
    int before = atomic_fetch_sub_explicit(&executor->refs, 1, memory_order_acq_rel);
    hoya_check(before > 0, "an executor was unreferenced once too often");
    if (before == 1) free_executor(executor);
}

bool hoya_executor_is_forked(const hoya_executor *executor)
{
    return executor->generation != hoya_fork_generation();
}

static int enter(const hoya_executor *executor)
{
    if (!executor) return hoya_error_set(HOYA_EINVAL, "the executor is NULL");
    if (hoya_unlikely(hoya_executor_is_forked(executor)))
        return hoya_error_set(HOYA_ECHILD, "the threads of the executor are in the parent process");
    return 0;
}

hoya_thread_future *hoya_executor_drained(hoya_executor *executor)
{
    return executor->drained;
}

/* ---- jobs come and go ---------------------------------------------------------------------------------- */

/* Counts `ended` jobs as gone. With `wanted` takes the next one that can begin. Opens the lock; where this was the last job
 * the executor may be gone after it. */
static hoya_job *leave(hoya_executor *executor, size_t ended, bool wanted)
{
    hoya_job *next = NULL;
    while (wanted && !next && !hoya_list_is_empty(&executor->queue)) {
        next = HOYA_CONTAINER_OF(hoya_list_pop(&executor->queue), hoya_job, node);
        executor->queued--;
        int queued = HOYA_JOB_QUEUED;
        /* One that is being withdrawn is left to him who does it: he comes for the lock. */
        if (!atomic_compare_exchange_strong(&next->state, &queued, HOYA_JOB_BEGUN)) next = NULL;
    }
    executor->busy -= ended;
    bool last = ended && !executor->busy;
    hoya_thread_future *drained = last && executor->closed ? hoya_thread_future_ref(executor->drained) : NULL;
    /* Under the lock: whose reference is the last one after a shutdown is then certain, and his unref waits for the threads. */
    bool gone = last && atomic_fetch_sub_explicit(&executor->refs, 1, memory_order_acq_rel) == 1;
    pthread_mutex_unlock(&executor->lock);
    if (gone) free_executor(executor);
    if (drained) {
        hoya_thread_future_set_result(drained, NULL, NULL);
        hoya_thread_future_unref(drained);
    }
    return next;
}

static bool withdraw(hoya_job *job)
{
    int queued = HOYA_JOB_QUEUED;
    if (!atomic_compare_exchange_strong(&job->state, &queued, HOYA_JOB_WITHDRAWN)) return false;
    hoya_executor *executor = job->executor;
    if (hoya_executor_is_forked(executor))
        return true; /* the lock may be in the hands of a thread that is not here */
    pthread_mutex_lock(&executor->lock);
    if (!hoya_list_is_empty(&job->node)) {
        hoya_list_remove(&job->node);
        executor->queued--;
    }
    leave(executor, 1, false);
    return true;
}

int hoya_executor_accept(hoya_executor *executor, hoya_job *job)
{
    int rc = enter(executor);
    if (rc < 0) return rc;
    job->executor = executor;
    pthread_mutex_lock(&executor->lock);
    if (executor->closed) rc = hoya_error_set(HOYA_ECLOSED, "the executor was shut down");
    else if (executor->limit && executor->queued >= executor->limit)
        rc = hoya_error_set(HOYA_ENOBUFS, "%zu jobs wait already", executor->queued);
    if (rc >= 0) {
        if (!executor->busy++) hoya_executor_ref(executor);
        executor->queued++;
        hoya_list_append(&executor->queue, &job->node);
    }
    pthread_mutex_unlock(&executor->lock);
    if (rc < 0) return rc;
    rc = executor->ops->wake(executor, executor->arg);
    /* Nobody was woken for it; but somebody who was awake may have it all the same. */
    return rc < 0 && withdraw(job) ? rc : 0;
}

/* What the function says, with a place of its own for the text of a failure. */
static hoya_outcome run_function(hoya_job *job)
{
    hoya_error_place errors;
    hoya_error_place *before = hoya_error_begin(&errors);
    int status = job->fn(job, job->arg);
    hoya_error_move(before);
    if (status >= 0) return hoya_outcome_value(job->value, job->destroy_value);
    hoya_job_set_value(job, NULL, NULL);
    return hoya_outcome_error(status, status == errors.code ? errors.text : NULL);
}

/* It is this thread's, and the executor's no more after this. */
static void end_job(hoya_job *job, hoya_outcome outcome)
{
    hoya_destroy_arg(job->destroy, job->arg);
    job->deliver(job, outcome);
}

static void close_run(const run *ended)
{
    run **place = &runs;
    while (*place != ended) place = &(*place)->below;
    *place = ended->below;
}

static bool runs_here(const hoya_executor *executor)
{
    const run *open = runs;
    while (open && open->executor != executor) open = open->below;
    return open;
}

int hoya_executor_run(hoya_executor *executor)
{
    int rc = enter(executor), count = 0;
    if (rc < 0) return rc;
    run self = {executor, runs};
    runs = &self;
    pthread_mutex_lock(&executor->lock);
    for (hoya_job *job = leave(executor, 0, true); job; count++) {
        end_job(job, run_function(job));
        pthread_mutex_lock(&executor->lock);
        job = leave(executor, 1, true);
    }
    close_run(&self);
    return count;
}

/* ---- the end ------------------------------------------------------------------------------------------- */

void hoya_executor_close(hoya_executor *executor, bool cancel_queued)
{
    pthread_mutex_lock(&executor->lock);
    executor->closed = true;
    bool idle = !executor->busy;
    for (hoya_job *job = leave(executor, 0, cancel_queued); job;) {
        end_job(job, hoya_outcome_error(HOYA_ECANCELED, "the executor was shut down"));
        pthread_mutex_lock(&executor->lock);
        job = leave(executor, 1, true);
    }
    if (idle && !hoya_thread_future_done(executor->drained))
        hoya_thread_future_set_result(executor->drained, NULL, NULL); /* once, whoever comes first */
}

static int wait_for_end(hoya_executor *executor, int64_t timeout)
{
    if (timeout > 0 && runs_here(executor)) return hoya_error_set(HOYA_EDEADLK, "a job would wait for its own end");
    int rc = hoya_thread_future_result(executor->drained, timeout, NULL);
    return rc == HOYA_ETIMEDOUT ? hoya_error_set(rc, "jobs of the executor still run") : rc;
}

int hoya_executor_shutdown(hoya_executor *executor, int64_t timeout, int cancel_queued)
{
    int rc = enter(executor);
    if (rc < 0) return rc;
    hoya_executor_ref(executor); /* a destroy function may drop what the caller thinks is the last one */
    hoya_executor_close(executor, cancel_queued);
    rc = wait_for_end(executor, timeout);
    hoya_executor_unref(executor);
    return rc;
}

int hoya_executor_set_queue_limit(hoya_executor *executor, size_t limit)
{
    int rc = enter(executor);
    if (rc < 0) return rc;
    pthread_mutex_lock(&executor->lock);
    executor->limit = limit;
    pthread_mutex_unlock(&executor->lock);
    return 0;
}

/* ---- what a job does ----------------------------------------------------------------------------------- */

void hoya_job_init(hoya_job *job, hoya_job_function fn, void *arg, hoya_destroy destroy,
                   void (*deliver)(hoya_job *job, hoya_outcome outcome))
{
    hoya_list_init(&job->node);
    atomic_init(&job->state, HOYA_JOB_QUEUED);
    job->fn = fn;
    job->arg = arg;
    job->destroy = destroy;
    job->deliver = deliver;
}

bool hoya_job_withdraw(hoya_job *job)
{
    if (withdraw(job)) {
        hoya_destroy_arg(job->destroy, job->arg);
        return true;
    }
    int begun = HOYA_JOB_BEGUN;
    atomic_compare_exchange_strong(&job->state, &begun, HOYA_JOB_ASKED);
    return false;
}

void hoya_job_set_value(hoya_job *self, void *value, hoya_destroy destroy)
{
    void *before = self->value;
    hoya_destroy destroy_before = self->destroy_value;
    self->value = value;
    self->destroy_value = destroy;
    hoya_destroy_arg(destroy_before, before); /* last: it may set another one */
}

int hoya_job_cancelled(const hoya_job *self)
{
    return atomic_load(&self->state) == HOYA_JOB_ASKED;
}
