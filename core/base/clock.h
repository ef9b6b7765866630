/* SPDX-License-Identifier: MIT
 *
 * base/clock.h: the monotonic clock in nanoseconds, and sums that stop at its ends instead of wrapping.
 */
#ifndef HOYA_BASE_CLOCK_H
#define HOYA_BASE_CLOCK_H

#include <hoya/base.h>

/* CLOCK_MONOTONIC. Any thread. About 30 ns a call. */
int64_t hoya_clock_monotonic(void *unused);

/* now + delay; HOYA_NEVER beyond the range, and one above HOYA_NOW below it. */
static inline int64_t hoya_time_add(int64_t now, int64_t delay)
{
    int64_t sum;
    if (delay == HOYA_NEVER) return HOYA_NEVER;
    if (__builtin_add_overflow(now, delay, &sum)) return delay > 0 ? HOYA_NEVER : HOYA_NOW + 1;
    return sum;
}

/* How long from now until deadline: 0 if it has passed, HOYA_NEVER if it never comes. */
static inline int64_t hoya_time_until(int64_t now, int64_t deadline)
{
    int64_t distance;
    if (deadline == HOYA_NEVER) return HOYA_NEVER;
    if (deadline <= now) return 0;
    return __builtin_sub_overflow(deadline, now, &distance) ? HOYA_NEVER : distance;
}

#endif
