/* SPDX-License-Identifier: MIT
 *
 * base/clock.c: the system's monotonic clock.
 */
#include "base/clock.h"

#include <time.h>

int64_t hoya_clock_monotonic(void *unused)
{
    (void)unused;
    struct timespec now;
    /* Cannot fail: the clock id is valid on every Linux and the address is ours. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
