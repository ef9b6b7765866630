/* SPDX-License-Identifier: MIT
 *
 * base/alloc.h: the one hook through which all memory comes, and the counters of what is alive.
 */
#ifndef HOYA_BASE_ALLOC_H
#define HOYA_BASE_ALLOC_H

#include <hoya/base.h>

/* Zeroed memory; NULL and a detail when there is none. */
void *hoya_new_zeroed(size_t size);
#define hoya_new(type) ((type *)hoya_new_zeroed(sizeof(type)))

/* The same for a handle and back: memory and handle are counted in one step, since timers come by the million. */
void *hoya_new_handle(size_t size);
void hoya_free_handle(void *handle);

/* An array of `count` items; the old block stays as it is on failure. NULL also when the size would
 * overflow. */
void *hoya_resize(void *block, size_t count, size_t item);

void hoya_free(void *block);

typedef enum hoya_live_kind {
    HOYA_LIVE_BLOCKS,
    HOYA_LIVE_FDS,
    HOYA_LIVE_LOOPS,
    HOYA_LIVE_SELECTORS,
    HOYA_LIVE_FUTURES,
    HOYA_LIVE_HOSTS,
    HOYA_LIVE_GUARDS, /* of stacks, by mprotect: a process may have so many only */
    HOYA_LIVE_KINDS
} hoya_live_kind;

void hoya_live_add(hoya_live_kind kind, int n);
int64_t hoya_live_count(hoya_live_kind kind); /* not of blocks or futures */

#endif
