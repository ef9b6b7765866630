/* SPDX-License-Identifier: MIT
 *
 * task/to_thread.c: a job as a plain call: started, awaited, and its value moved out. The future is a patient one: it is not
 * done before the job is, so that nothing of the task's is in use when this returns.
 */
#include "future/executor.h"
#include "loop/handle.h"
#include "task/task.h"

int hoya_to_thread(hoya_job_function fn, void *arg, hoya_destroy destroy, void **value, hoya_destroy *destroy_value)
{
    hoya_task *task;
    hoya_future *future;
    int rc = hoya_task_here(&task);
    if (rc >= 0) rc = hoya_task_interrupted(task);
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    rc = hoya_run_job(task->future.loop, NULL, fn, arg, destroy, true, HOYA_CALLER(), &future);
    if (rc < 0) return rc;
    void *result;
    hoya_destroy destroy_result;
    rc = hoya_await(future, NULL);
    if (rc >= 0) rc = hoya_future_take(future, &result, &destroy_result);
    hoya_future_unref(future);
    if (rc < 0) return rc;
    if (value) *value = result;
    else hoya_destroy_arg(destroy_result, result);
    if (value && destroy_value) *destroy_value = destroy_result;
    return 0;
}
