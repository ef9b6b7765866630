/* SPDX-License-Identifier: MIT
 *
 * future/some.h: when are enough of several futures done? For who waits with callbacks, and for tasks.
 */
#ifndef HOYA_FUTURE_SOME_H
#define HOYA_FUTURE_SOME_H

#include <hoya/combine.h>

#include "future/future.h"

/* HOYA_EINVAL for no futures, and what is no hoya_when. */
int hoya_when_check(size_t count, hoya_when when);

/* One of several has ended, and others are pending: is that enough? */
static inline bool hoya_when_is_enough(hoya_when when, const hoya_future *ended)
{
    if (when == HOYA_FIRST_EXCEPTION) return ended->outcome.code < 0 && !hoya_outcome_is_cancel(&ended->outcome);
    return when == HOYA_FIRST_COMPLETED;
}

#endif
