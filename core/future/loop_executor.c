/* SPDX-License-Identifier: MIT
 *
 * future/loop_executor.c: what a loop keeps of executors: its default, and the jobs whose outcomes have not come.
 *
 * The end of a loop forgets both. It does not wait: a job that runs then finds the loop closed, and its value is destroyed.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "future/executor.h"
#include "future/future.h"
#include "loop/handle.h"

static void close_jobs(hoya_loop *loop)
{
    hoya_loop_jobs *jobs = loop->slots[HOYA_SLOT_JOBS].data;
    loop->slots[HOYA_SLOT_JOBS] = (hoya_slot){.data = NULL};
    while (!hoya_list_is_empty(&jobs->pending)) hoya_job_forget(jobs->pending.next);
    hoya_executor_unref(jobs->executor);
    hoya_free(jobs);
}

static void dump_jobs(const hoya_loop *loop, const hoya_printer *to)
{
    const hoya_loop_jobs *jobs = loop->slots[HOYA_SLOT_JOBS].data;
    size_t count = 0;
    for (const hoya_list *node = jobs->pending.next; node != &jobs->pending; node = node->next) count++;
    hoya_print(to, "  jobs of executors: %zu%s", count, jobs->shut ? "; the default executor was shut down" : "");
    for (const hoya_list *node = jobs->pending.next; node != &jobs->pending; node = node->next)
        hoya_job_dump(node, to);
}

int hoya_loop_jobs_of(hoya_loop *loop, hoya_loop_jobs **out)
{
    hoya_loop_jobs *jobs = loop->slots[HOYA_SLOT_JOBS].data;
    if (!jobs) {
        jobs = hoya_new(hoya_loop_jobs);
        if (!jobs) return HOYA_ENOMEM;
        hoya_list_init(&jobs->pending);
        loop->slots[HOYA_SLOT_JOBS] = (hoya_slot){jobs, close_jobs, dump_jobs, NULL};
    }
    *out = jobs;
    return 0;
}

static void set_default(hoya_loop_jobs *jobs, hoya_executor *executor, bool own)
{
    hoya_executor *before = jobs->executor;
    jobs->executor = executor;
    jobs->own = own;
    hoya_executor_unref(before);
}

int hoya_loop_jobs_default(hoya_loop_jobs *jobs, hoya_executor **out)
{
    if (jobs->shut) return hoya_error_set(HOYA_ECLOSED, "the default executor was shut down");
    /* The child of a fork took the loop over: the pool's threads are the parent's. */
    if (!jobs->executor || (jobs->own && hoya_executor_is_forked(jobs->executor))) {
        hoya_executor *pool;
        int rc = hoya_thread_pool_new(NULL, &pool);
        if (rc < 0) return rc;
        set_default(jobs, pool, true);
    }
    *out = hoya_executor_ref(jobs->executor);
    return 0;
}

int hoya_set_default_executor(hoya_loop *loop, hoya_executor *executor)
{
    hoya_loop_jobs *jobs;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_loop_jobs_of(loop, &jobs);
    if (rc >= 0) set_default(jobs, executor ? hoya_executor_ref(executor) : NULL, false);
    return rc;
}

/* ---- shutdown without blocking ------------------------------------------------------------------------- */

static void too_late(void *arg)
{
    hoya_future *future = arg;
    if (!hoya_future_done(future))
        hoya_future_set_exception(future, HOYA_ETIMEDOUT, "jobs of the default executor still run");
}

static void unref_future(void *arg)
{
    hoya_future_unref(arg);
}

static void stop_timer(hoya_future *future, void *arg)
{
    (void)future;
    hoya_handle_cancel(arg);
}

static void unref_handle(void *arg)
{
    hoya_handle_unref(arg);
}

/* The timer has a reference to the future, and the future's callback one to the timer, which it cancels. */
static int limit_time(hoya_loop *loop, hoya_future *future, int64_t timeout)
{
    if (timeout == HOYA_NEVER) return 0;
    hoya_handle *timer;
    int rc = hoya_loop_call_later(loop, timeout, too_late, hoya_future_ref(future), unref_future, &timer);
    if (rc < 0) return rc;
    hoya_handle_ref(timer);
    rc = hoya_future_add_done_callback(future, stop_timer, timer, unref_handle, NULL);
    if (rc < 0) hoya_handle_cancel(timer);
    hoya_handle_unref(timer);
    return rc;
}

/* A future that is done when the executor is; NULL has nothing to wait for. */
static int when_drained(hoya_loop *loop, hoya_executor *executor, int64_t timeout, hoya_future **future)
{
    int rc =
        executor ? hoya_wrap_future(loop, hoya_executor_drained(executor), future) : hoya_future_new(loop, future);
    if (rc < 0) return rc;
    if (!executor) return hoya_future_set_result(*future, NULL, NULL);
    rc = limit_time(loop, *future, timeout);
    if (rc >= 0) return 0;
    hoya_future_cancel(*future, NULL); /* or it would wait on */
    hoya_future_unref(*future);
    return rc;
}

int hoya_shutdown_default_executor(hoya_loop *loop, int64_t timeout, hoya_future **out)
{
    hoya_loop_jobs *jobs;
    hoya_future *future;
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_loop_jobs_of(loop, &jobs);
    if (rc < 0) return rc;
    hoya_executor *executor = jobs->executor;
    if (executor && hoya_executor_is_forked(executor)) executor = NULL; /* what goes on there is the parent's */
    rc = when_drained(loop, executor, timeout, &future);
    if (rc < 0) return rc;
    jobs->shut = true;
    if (executor) hoya_executor_close(executor, false);
    if (out) *out = future;
    else hoya_future_unref(future);
    return 0;
}
