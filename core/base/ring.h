/* SPDX-License-Identifier: MIT
 *
 * base/ring.h: the queue of what is ready to run, with reserved places.
 *
 * Whatever may later have to queue itself reserves a place when it is made; from then on pushing cannot fail: the
 * entry takes the place with it. Whoever is popped and may queue itself again keeps its place, before anything else
 * happens. So: queued + places <= capacity.
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
    uint64_t
        places; /* reserved, and not queued. Not beside `tail`: a push would change the two in one step, when one of
                        * them was just written, for which a processor has to wait */
    uint64_t head, tail;
} hoya_ring;

/* Out of line: makes room for so many. HOYA_ENOMEM leaves everything as it was. */
int hoya_ring_grow(hoya_ring *ring, uint64_t needed);
void hoya_ring_free(hoya_ring *ring);

static inline uint64_t hoya_ring_count(const hoya_ring *ring)
{
    return ring->tail - ring->head;
}

static inline bool hoya_ring_has_room(const hoya_ring *ring)
{
    return ring->tail - ring->head + ring->places < ring->capacity;
}

static inline int hoya_ring_reserve(hoya_ring *ring, uint64_t n)
{
    uint64_t needed = hoya_ring_count(ring) + ring->places + n;
    if (hoya_unlikely(needed > ring->capacity)) {
        int rc = hoya_ring_grow(ring, needed);
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

/* Into room that is there (hoya_ring_has_room) and nobody's. */
static inline void hoya_ring_put(hoya_ring *ring, hoya_callback fn, void *arg)
{
    hoya_check(hoya_ring_has_room(ring), "the ready ring was filled beyond its places");
    hoya_ring_entry *entry = &ring->entries[ring->tail++ & (ring->capacity - 1)];
    entry->fn = fn;
    entry->arg = arg;
}

/* Into a place of the pusher's, which the entry takes over. */
static inline void hoya_ring_push(hoya_ring *ring, hoya_callback fn, void *arg)
{
    hoya_check(ring->places > 0, "the ready ring was pushed without a place");
    ring->places--;
    hoya_ring_put(ring, fn, arg);
}

static inline hoya_ring_entry hoya_ring_pop(hoya_ring *ring)
{
    return ring->entries[ring->head++ & (ring->capacity - 1)];
}

/* The entry with this number, from head to tail. */
static inline const hoya_ring_entry *hoya_ring_at(const hoya_ring *ring, uint64_t number)
{
    return &ring->entries[number & (ring->capacity - 1)];
}

/* An entry gives its place back; those before it move up, in their order. */
static inline void hoya_ring_take_out(hoya_ring *ring, uint64_t number)
{
    uint64_t mask = ring->capacity - 1;
    for (; number != ring->head; number--) ring->entries[number & mask] = ring->entries[(number - 1) & mask];
    ring->head++;
    ring->places++;
}

/* The entry that was popped last keeps its place. */
static inline void hoya_ring_keep(hoya_ring *ring)
{
    hoya_check(hoya_ring_has_room(ring), "a place was kept too late");
    ring->places++;
}

#endif
