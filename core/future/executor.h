/* SPDX-License-Identifier: MIT
 *
 * future/executor.h: what a job is to its executor, and an executor to its jobs.
 *
 * A job that was accepted is the executor's until one of three has it, and only one does: a thread that runs it, a
 * shutdown that drops it, or the cancel that withdraws it. The winner destroys the argument, and gives the outcome to
 * where it belongs (job.c): from then on the executor knows nothing of the job.
 */
#ifndef HOYA_FUTURE_EXECUTOR_H
#define HOYA_FUTURE_EXECUTOR_H

#include <hoya/executor.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "future/outcome.h"
#include "loop/loop.h"

typedef enum hoya_job_state {
    HOYA_JOB_QUEUED,
    HOYA_JOB_WITHDRAWN, /* cancelled in time */
    HOYA_JOB_BEGUN,     /* runs, was dropped, or has ended */
    HOYA_JOB_ASKED      /* the same, and somebody has cancelled it */
} hoya_job_state;

struct hoya_job {
    hoya_list node; /* in the queue */
    atomic_int state;
    hoya_executor *executor; /* borrowed: it lives while it has jobs */
    hoya_job_function fn;
    void *arg;
    hoya_destroy destroy;
    void *value; /* of set_value */
    hoya_destroy destroy_value;
    /* The outcome, on whatever thread: the last that the executor does with the job. */
    void (*deliver)(hoya_job *job, hoya_outcome outcome);
};

void hoya_job_init(hoya_job *job, hoya_job_function fn, void *arg, hoya_destroy destroy,
                   void (*deliver)(hoya_job *job, hoya_outcome outcome));

/* Queues it, or refuses it with a code: then the job is the caller's, with its argument. */
int hoya_executor_accept(hoya_executor *executor, hoya_job *job);

/* A cancel. True: it had not begun, and never will; its argument is destroyed, and it is the caller's. False: it has been
 * told by its token. Needs no memory. */
bool hoya_job_withdraw(hoya_job *job);

/* This is the child of a fork, and the executor is its parent's. */
bool hoya_executor_is_forked(const hoya_executor *executor);

/* A shutdown that does not wait, of one that is not forked; on a thread with a reference. */
void hoya_executor_close(hoya_executor *executor, bool cancel_queued);
/* Done, with no value, when the executor was shut down and its last job has ended. Borrowed. */
hoya_thread_future *hoya_executor_drained(hoya_executor *executor);

/* future/loop_executor.c: what a loop keeps of its jobs. */
typedef struct hoya_loop_jobs {
    hoya_list pending;       /* their outcomes have not come */
    hoya_executor *executor; /* the default: a reference; NULL until there is one */
    bool own;                /* it was made here */
    bool shut;               /* by shutdown_default_executor */
} hoya_loop_jobs;

/* On the loop's thread, the loop is open. Makes it. */
int hoya_loop_jobs_of(hoya_loop *loop, hoya_loop_jobs **jobs);
/* The default, made now if there is none; a new reference. */
int hoya_loop_jobs_default(hoya_loop_jobs *jobs, hoya_executor **executor);

/* future/job.c: the end of a loop comes, and the job's outcome will not. */
void hoya_job_forget(hoya_list *of_loop);
/* A line of a dump. */
void hoya_job_dump(const hoya_list *of_loop, const hoya_printer *to);

/* As hoya_run_in_executor. A patient future is not done before its job has ended: a cancel asks, as a task's. */
int hoya_run_job(hoya_loop *loop, hoya_executor *executor, hoya_job_function fn, void *arg, hoya_destroy destroy,
                 bool patient, const void *place, hoya_future **future);

#endif
