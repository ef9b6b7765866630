/* SPDX-License-Identifier: MIT
 *
 * future/job.c: a job with its future: of threads (submit), or of a loop (run_in_executor). Each pair is one block of
 * memory.
 *
 * The future of threads is simple: it has the references, one of which is the executor's.
 *
 * The future of a loop belongs to the loop's thread, and the outcome comes from another. So the memory has two owners, and
 * an atomic count: the future, and the executor's side, which posts the outcome into the loop by a place that it has had
 * from the beginning. Until the post has come the loop keeps a reference to the future, in a list: nobody else has to.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "future/executor.h"
#include "future/future.h"
#include "loop/handle.h"

static int check_function(hoya_job_function fn)
{
    return fn ? 0 : hoya_error_set(HOYA_EINVAL, "a job needs a function");
}

/* ---- for threads --------------------------------------------------------------------------------------- */

typedef struct thread_job {
    hoya_job job;
    hoya_thread_future future;
} thread_job;

static thread_job *of_thread_future(hoya_thread_future *future)
{
    return HOYA_CONTAINER_OF(future, thread_job, future);
}

static void complete_thread_job(hoya_job *job, hoya_outcome outcome)
{
    thread_job *tj = HOYA_CONTAINER_OF(job, thread_job, job);
    hoya_thread_future_complete(&tj->future, outcome);
    hoya_thread_future_unref(&tj->future);
}

static int cancel_thread_job(hoya_thread_future *future, const char *reason)
{
    thread_job *tj = of_thread_future(future);
    if (!hoya_job_withdraw(&tj->job)) return 0;
    complete_thread_job(&tj->job, hoya_outcome_error(HOYA_ECANCELED, reason));
    return 1;
}

static void free_thread_job(hoya_thread_future *future)
{
    hoya_free(of_thread_future(future));
}

static const hoya_thread_future_class thread_job_class = {cancel_thread_job, free_thread_job};

int hoya_executor_submit(hoya_executor *executor, hoya_job_function fn, void *arg, hoya_destroy destroy,
                         hoya_thread_future **out)
{
    int rc = check_function(fn);
    thread_job *tj = rc < 0 ? NULL : hoya_new(thread_job);
    if (rc >= 0 && !tj) rc = HOYA_ENOMEM;
    if (tj) {
        hoya_job_init(&tj->job, fn, arg, destroy, complete_thread_job);
        hoya_thread_future_init(&tj->future, &thread_job_class);
        hoya_thread_future_ref(&tj->future); /* before it is somebody else's */
        rc = hoya_executor_accept(executor, &tj->job);
        if (rc < 0) hoya_thread_future_unref(&tj->future);
    }
    if (rc >= 0 && out) *out = &tj->future;
    else if (tj) hoya_thread_future_unref(&tj->future);
    if (rc < 0) hoya_destroy_arg(destroy, arg);
    return rc;
}

/* ---- for a loop ---------------------------------------------------------------------------------------- */

typedef struct loop_job {
    hoya_job job;
    atomic_int owners; /* of the memory: the future, and the executor's side */
    hoya_future future;
    hoya_list of_loop; /* while it is in there the loop has a reference to the future */
    hoya_loop *loop;   /* a reference, of the executor's side */
    hoya_runnable post;
    hoya_outcome outcome; /* on its way */
    bool patient;
} loop_job;

static loop_job *of_future(hoya_future *future)
{
    return HOYA_CONTAINER_OF(future, loop_job, future);
}

static void disown(loop_job *lj)
{
    if (atomic_fetch_sub_explicit(&lj->owners, 1, memory_order_acq_rel) == 1) hoya_free(lj);
}

/* On the loop's thread: nothing more will come. */
static void forget(loop_job *lj)
{
    if (hoya_list_is_empty(&lj->of_loop)) return;
    hoya_list_remove(&lj->of_loop);
    hoya_future_unref(&lj->future);
}

void hoya_job_forget(hoya_list *of_loop)
{
    forget(HOYA_CONTAINER_OF(of_loop, loop_job, of_loop));
}

void hoya_job_dump(const hoya_list *of_loop, const hoya_printer *to)
{
    const loop_job *lj = (const loop_job *)((const char *)of_loop - offsetof(loop_job, of_loop));
    static const char *const states[] = {"queued", "withdrawn", "begun", "begun, and asked to end"};
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_description of = {"job", (uintptr_t)lj->job.fn, lj->future.place, .live = true, .lasts = false};
    hoya_print(to, "    %s, %s", hoya_description_text(of, text, sizeof text),
               states[atomic_load_explicit(&lj->job.state, memory_order_relaxed)]);
}

/* The post has come. */
static bool run_post(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    loop_job *lj = HOYA_CONTAINER_OF(runnable, loop_job, post);
    if (hoya_future_done(&lj->future)) hoya_outcome_clear(&lj->outcome); /* it was cancelled meanwhile */
    else hoya_future_complete(&lj->future, lj->outcome);
    forget(lj);
    disown(lj);
    return true;
}

/* The loop closes, or is closed. */
static void drop_post(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    loop_job *lj = HOYA_CONTAINER_OF(runnable, loop_job, post);
    hoya_outcome_clear(&lj->outcome);
    disown(lj);
}

static hoya_description describe_post(const hoya_runnable *runnable)
{
    const loop_job *lj = (const loop_job *)(const void *)((const char *)runnable - offsetof(loop_job, post));
    return (hoya_description){"job's outcome", (uintptr_t)lj->job.fn, lj->future.place, .live = true};
}

static const hoya_runnable_class post_class = {run_post, drop_post, describe_post};

static void post_outcome(hoya_job *job, hoya_outcome outcome)
{
    loop_job *lj = HOYA_CONTAINER_OF(job, loop_job, job);
    hoya_loop *loop = lj->loop; /* lives until the post is over; the job may not */
    lj->outcome = outcome;
    if (hoya_inbox_post(loop, &lj->post) < 0) drop_post(loop, &lj->post); /* statement 38: that is no error */
    hoya_loop_unref(loop);
}

/* The executor has no hand in it any more; its own reference to the memory is the caller's. */
static void take_back(loop_job *lj)
{
    hoya_inbox_unreserve(lj->loop);
    hoya_loop_unref(lj->loop);
}

static int cancel_loop_job(hoya_future *future, const char *reason)
{
    loop_job *lj = of_future(future);
    bool withdrawn = hoya_job_withdraw(&lj->job);
    if (!withdrawn && lj->patient) return 1;
    if (withdrawn) take_back(lj);
    hoya_future_ref(future);
    hoya_future_complete(future, hoya_outcome_error(HOYA_ECANCELED, reason));
    if (withdrawn) forget(lj);
    hoya_future_unref(future);
    if (withdrawn) disown(lj);
    return 1;
}

static void free_loop_job(hoya_future *future)
{
    hoya_loop *loop = future->loop;
    disown(of_future(future));
    hoya_loop_unref(loop);
}

static const char *name_loop_job(const hoya_future *future)
{
    (void)future;
    return "a job";
}

static const hoya_future_class loop_job_class = {
    .cancel = cancel_loop_job, .free = free_loop_job, .name = name_loop_job};

static int start(hoya_loop *loop, hoya_loop_jobs *jobs, hoya_executor *executor, loop_job *lj, const void *place)
{
    int rc = hoya_inbox_reserve(loop);
    if (rc < 0) {
        hoya_free(lj);
        return rc;
    }
    atomic_init(&lj->owners, 2);
    lj->post.class = &post_class;
    lj->loop = hoya_loop_ref(loop);
    hoya_future_init(&lj->future, &loop_job_class, hoya_loop_ref(loop), place);
    hoya_list_append(&jobs->pending, &lj->of_loop);
    hoya_future_ref(&lj->future); /* the list's; the first one is the caller's */
    rc = hoya_executor_accept(executor, &lj->job);
    if (rc >= 0) return 0;
    take_back(lj);
    forget(lj);
    hoya_future_unref(&lj->future);
    disown(lj);
    return rc;
}

int hoya_run_job(hoya_loop *loop, hoya_executor *executor, hoya_job_function fn, void *arg, hoya_destroy destroy,
                 bool patient, const void *place, hoya_future **out)
{
    hoya_loop_jobs *jobs;
    loop_job *lj = NULL;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = check_function(fn);
    if (rc >= 0) rc = hoya_loop_jobs_of(loop, &jobs);
    if (rc >= 0 && executor) hoya_executor_ref(executor);
    else if (rc >= 0) rc = hoya_loop_jobs_default(jobs, &executor);
    if (rc >= 0) {
        lj = hoya_new(loop_job);
        if (!lj) rc = HOYA_ENOMEM;
        if (lj) {
            hoya_job_init(&lj->job, fn, arg, destroy, post_outcome);
            lj->patient = patient;
            rc = start(loop, jobs, executor, lj, place);
        }
        hoya_executor_unref(executor);
    }
    if (rc < 0) hoya_destroy_arg(destroy, arg);
    else if (out) *out = &lj->future;
    else hoya_future_unref(&lj->future);
    return rc;
}

int hoya_run_in_executor(hoya_loop *loop, hoya_executor *executor, hoya_job_function fn, void *arg,
                         hoya_destroy destroy, hoya_future **future)
{
    return hoya_run_job(loop, executor, fn, arg, destroy, false, HOYA_CALLER(), future);
}
