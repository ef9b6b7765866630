/* SPDX-License-Identifier: MIT
 *
 * base/live.h: the count of futures, which come and go by the million: one locked instruction takes as long as half of
 * making one. So a thread that gathers (while it is in a dispatch) adds up its own, and hands in the sum at the end.
 *
 * The thread itself sees its sum in the counts at any time; others see it when the dispatch is over.
 */
#ifndef HOYA_BASE_LIVE_H
#define HOYA_BASE_LIVE_H

#include <stdbool.h>

#include HOYA_LIBC
#include "base/alloc.h"

typedef struct hoya_live_sum {
    int futures;
    bool gathers;
} hoya_live_sum;

extern HOYA_THREAD_LOCAL hoya_live_sum hoya_live_here;

static inline void hoya_live_add_future(int n)
{
    if (hoya_live_here.gathers) hoya_live_here.futures += n;
    else hoya_live_add(HOYA_LIVE_FUTURES, n);
}

/* Returns what hoya_live_hand_in puts back: one dispatch may be in another one. */
static inline bool hoya_live_gather(void)
{
    bool before = hoya_live_here.gathers;
    hoya_live_here.gathers = true;
    return before;
}

static inline void hoya_live_hand_in(bool before)
{
    hoya_live_sum sum = hoya_live_here;
    hoya_live_here = (hoya_live_sum){0, before};
    if (sum.futures) hoya_live_add(HOYA_LIVE_FUTURES, sum.futures);
}

#endif
