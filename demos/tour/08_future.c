/* SPDX-License-Identifier: MIT
 *
 * tour 8: futures.
 *
 * A future is a place for a result that is not there yet. Somebody fills it, once; whoever wants to know adds a callback.
 * What comes out is a value, an error with its text, or that it was cancelled. Callbacks come by the queue, as everything.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

static void fill(void *future)
{
    must(hoya_future_set_result(future, "42", NULL)); /* NULL: nobody has to free it */
    printf("filled; nobody has been told yet\n");
}

static void tell(hoya_future *future, void *name)
{
    void *value;
    int rc = hoya_future_result(future, &value);
    if (rc < 0) printf("%s: %s, %s\n", (const char *)name, hoya_error_name(rc), hoya_error_detail());
    else printf("%s: %s\n", (const char *)name, (const char *)value);
}

int main(void)
{
    hoya_loop *loop;
    hoya_future *future;
    must(hoya_get_event_loop(&loop));

    must(hoya_future_new(loop, &future));
    printf("before: %s\n", hoya_future_done(future) ? "done" : "pending");
    must(hoya_future_add_done_callback(future, tell, "the answer", NULL, NULL));
    must(hoya_loop_call_later(loop, HOYA_MSEC(10), fill, future, NULL, NULL));

    void *value; /* borrowed: the future's, until its last unref */
    must(hoya_run_until_complete(loop, future, &value));
    printf("run_until_complete: %s\n", (const char *)value);
    printf("a second result: %s\n", hoya_error_name(hoya_future_set_result(future, "43", NULL)));
    hoya_future_unref(future);

    /* An error is an outcome like any other. One that nobody ever looks at is reported; it does not get lost. */
    must(hoya_future_new(loop, &future));
    must(hoya_future_set_exception(future, HOYA_ECONNREFUSED, "nobody listens"));
    must(hoya_future_add_done_callback(future, tell, "an error", NULL, NULL));
    hoya_run_until_complete(loop, future, NULL);
    hoya_future_unref(future);

    must(hoya_future_new(loop, &future));
    must(hoya_future_cancel(future, "nobody wants it any more"));
    must(hoya_future_add_done_callback(future, tell, "a cancel", NULL, NULL));
    hoya_run_until_complete(loop, future, NULL);
    hoya_future_unref(future);
    return 0;
}
