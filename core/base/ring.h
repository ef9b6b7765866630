/* SPDX-License-Identifier: MIT
 *
 * base/ring.h: the queue of what is ready to run, with reserved places.
 *
 * Whatever may later have to queue itself reserves a place when it is made; from then on pushing cannot
 * fail. A place is held whether its owner is queued or not, and an owner is queued at most once, so: queued
 * <= places <= capacity.
 *
 * Indices are absolute and never wrap in practice (2^64): an inner dispatch may consume what an outer one
 * had in view, and the outer one sees it by comparing numbers.
 */
#ifndef HOYA_BASE_RING_H
#define HOYA_BASE_RING_H

#include <hoya/base.h>
#include <stdbool.h>

#include "base/check.h"

/* fn(arg), or, where fn is NULL, the object `arg` that knows what to run. 16 bytes: four a cache line. */
typedef struct hoya_ring_entry {
    hoya_callback fn;
    void *arg;
} hoya_ring_entry;

typedef struct hoya_ring {
    hoya_ring_entry *entries;
    uint64_t capacity; /* 0 or a power of two */
    uint64_t head, tail;
    uint64_t places;
} hoya_ring;

/* Out of line: makes room. HOYA_ENOMEM leaves everything as it was. */
int hoya_ring_grow(hoya_ring *ring, uint64_t places);
void hoya_ring_free(hoya_ring *ring);

static inline uint64_t hoya_ring_count(const hoya_ring *ring)
{
    return ring->tail - ring->head;
}

static inline int hoya_ring_reserve(hoya_ring *ring, uint64_t n)
{
    if (hoya_unlikely(ring->places + n > ring->capacity)) {
        int rc = hoya_ring_grow(ring, ring->places + n);
        if (rc < 0) return rc;
    }
    ring->places += n;
    return 0;
}

static inline void hoya_ring_unreserve(hoya_ring *ring, uint64_t n)
{
    hoya_check(ring->places >= n, "a place in the ready ring was given back twice");
    ring->places -= n;
}

/* The pusher holds a place. */
static inline void hoya_ring_push(hoya_ring *ring, hoya_callback fn, void *arg)
{
    hoya_check(hoya_ring_count(ring) < ring->places, "the ready ring was pushed without a place");
    hoya_ring_entry *entry = &ring->entries[ring->tail++ & (ring->capacity - 1)];
    entry->fn = fn;
    entry->arg = arg;
}

static inline hoya_ring_entry hoya_ring_pop(hoya_ring *ring)
{
    return ring->entries[ring->head++ & (ring->capacity - 1)];
}

#endif
