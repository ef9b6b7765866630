/* SPDX-License-Identifier: MIT
 *
 * future/run.c: a run that ends when a future is done. The run is the loop's (loop/run.c); what is added is a done callback
 * that stops it, and that is gone when this returns, whatever ended the run: no stray stop later (statement 12).
 */
#include "base/error.h"
#include "future/future.h"

static void stop(hoya_future *future, void *arg)
{
    (void)arg;
    hoya_loop_stop(future->loop);
}

int hoya_run_until_complete(hoya_loop *loop, hoya_future *future, void **value)
{
    if (!loop || !future) return hoya_error_set(HOYA_EINVAL, "run_until_complete without a loop or a future");
    if (future->loop != loop) return hoya_error_set(HOYA_EINVAL, "the future is of another loop");
    hoya_handle *handle;
    int rc = hoya_future_add_done_callback(future, stop, NULL, NULL, &handle);
    if (rc < 0) return rc;
    hoya_future_ref(future);
    rc = hoya_loop_run_forever(loop);
    hoya_handle_cancel(handle);
    hoya_handle_unref(handle);
    if (rc >= 0 && !future->outcome.done)
        rc = hoya_error_set(HOYA_ESTATE, "the loop was stopped before the future was done");
    if (rc >= 0) rc = hoya_future_result(future, value);
    hoya_future_unref(future);
    return rc;
}
