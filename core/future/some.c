/* SPDX-License-Identifier: MIT
 *
 * future/some.c: until enough of several futures are done, or the time is up. It looks at no error: who waits for futures
 * this way asks them.
 */
#include "future/some.h"
#include "base/error.h"
#include "future/combine.h"

int hoya_when_check(size_t count, hoya_when when)
{
    if (!count) return hoya_error_set(HOYA_EINVAL, "waiting for no futures would have no end");
    if (when < HOYA_ALL_COMPLETED || when > HOYA_FIRST_EXCEPTION)
        return hoya_error_set(HOYA_EINVAL, "there is no hoya_when %d", (int)when);
    return 0;
}

static void stop(hoya_combined *whole)
{
    hoya_combined_end_value(whole, NULL);
    hoya_combined_let_go(whole, NULL);
}

static void decide(hoya_combined *whole, hoya_part *part)
{
    if (!whole->pending || hoya_when_is_enough((hoya_when)whole->options, part->future)) stop(whole);
}

static void on_time(void *arg)
{
    hoya_combined *whole = arg;
    hoya_future_ref(&whole->future);
    stop(whole);
    hoya_future_unref(&whole->future);
}

static const char *name(const hoya_future *future)
{
    (void)future;
    return "some of several futures";
}

static const hoya_future_class wait_class = {
    .cancel = hoya_combined_cancel_alone, .free = hoya_combined_free, .name = name, .leave = hoya_combined_leave};

int hoya_wait_futures(hoya_loop *loop, hoya_future *const *futures, size_t count, hoya_when when, int64_t timeout,
                      hoya_future **future)
{
    hoya_combined *whole;
    int rc = hoya_when_check(count, when);
    if (rc >= 0) rc = hoya_combined_new(&wait_class, loop, futures, count, 0, HOYA_CALLER(), &whole);
    if (rc < 0) return rc;
    whole->options = when;
    if (timeout > 0 && timeout != HOYA_NEVER)
        rc = hoya_loop_call_later(loop, timeout, on_time, whole, NULL, &whole->timer);
    if (rc < 0) {
        hoya_future_unref(&whole->future);
        return rc;
    }
    hoya_combined_begin(whole, decide);
    if (timeout <= 0 && !whole->future.outcome.done) stop(whole);
    *future = &whole->future;
    return 0;
}
