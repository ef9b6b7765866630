/* SPDX-License-Identifier: MIT
 *
 * future/first.c: combinators that end as one of their parts: a race as the first, a timeout and a shield as the only one.
 */
#include "base/error.h"
#include "future/combine.h"

static void decide(hoya_combined *whole, hoya_part *part)
{
    bool cancelled = hoya_future_cancelled(part->future); /* it is out of the race */
    if (!cancelled && !whole->kept) whole->kept = part;
    if (whole->pending && (cancelled || whole->asked)) return;
    if (whole->kept) part = whole->kept; /* of those that refused a cancel the first */
    if (whole->sweep) hoya_combined_sweep(whole, part, "another one has won the race");
    if (whole->late && !whole->kept) hoya_combined_end_error(whole, HOYA_ETIMEDOUT, "the time was up");
    else hoya_combined_end_as(whole, part);
    if (!whole->sweep) hoya_combined_let_go(whole, part);
}

/* ---- race ---------------------------------------------------------------------------------------------- */

static const char *name_race(const hoya_future *future)
{
    (void)future;
    return "a race";
}

static const hoya_future_class race_class = {.cancel = hoya_combined_cancel_parts,
                                             .free = hoya_combined_free,
                                             .name = name_race,
                                             .leave = hoya_combined_leave};

int hoya_race(hoya_loop *loop, hoya_future *const *futures, size_t count, hoya_future **future)
{
    hoya_combined *whole;
    if (!count) return hoya_error_set(HOYA_EINVAL, "a race of none has no end");
    int rc = hoya_combined_new(&race_class, loop, futures, count, 0, HOYA_CALLER(), &whole);
    if (rc < 0) return rc;
    if (count > 1) rc = hoya_combined_may_cancel(whole);
    if (rc < 0) {
        hoya_future_unref(&whole->future);
        return rc;
    }
    hoya_combined_begin(whole, decide);
    *future = &whole->future;
    return 0;
}

/* ---- timeout ------------------------------------------------------------------------------------------- */

static const char *name_timeout(const hoya_future *future)
{
    (void)future;
    return "a future with a timeout";
}

static const hoya_future_class timeout_class = {.cancel = hoya_combined_cancel_parts,
                                                .free = hoya_combined_free,
                                                .name = name_timeout,
                                                .leave = hoya_combined_leave};

static void on_time(void *arg)
{
    hoya_combined *whole = arg;
    whole->late = true;
    hoya_combined_cancel_parts(&whole->future, "its time was up");
}

static int check(const hoya_future *future)
{
    return future ? 0 : hoya_error_set(HOYA_EINVAL, "the future is NULL");
}

int hoya_with_timeout(hoya_future *future, int64_t timeout, hoya_future **outer)
{
    hoya_combined *whole;
    int rc = check(future);
    if (rc < 0) return rc;
    rc = hoya_combined_new(&timeout_class, future->loop, &future, 1, 0, HOYA_CALLER(), &whole);
    if (rc < 0) return rc;
    if (timeout > 0 && timeout != HOYA_NEVER && !future->outcome.done)
        rc = hoya_loop_call_later(future->loop, timeout, on_time, whole, NULL, &whole->timer);
    if (rc < 0) {
        hoya_future_unref(&whole->future);
        return rc;
    }
    hoya_combined_begin(whole, decide);
    if (timeout <= 0 && !whole->future.outcome.done) on_time(whole);
    *outer = &whole->future;
    return 0;
}

/* ---- shield -------------------------------------------------------------------------------------------- */

static const char *name_shield(const hoya_future *future)
{
    (void)future;
    return "a shielded future";
}

static const hoya_future_class shield_class = {.cancel = hoya_combined_cancel_alone,
                                               .free = hoya_combined_free,
                                               .name = name_shield,
                                               .leave = hoya_combined_leave};

int hoya_shield(hoya_future *future, hoya_future **outer)
{
    hoya_combined *whole;
    int rc = check(future);
    if (rc < 0) return rc;
    rc = hoya_combined_new(&shield_class, future->loop, &future, 1, 0, HOYA_CALLER(), &whole);
    if (rc < 0) return rc;
    hoya_combined_begin(whole, decide);
    *outer = &whole->future;
    return 0;
}
