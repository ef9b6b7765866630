/* SPDX-License-Identifier: MIT
 *
 * base/ring.c: the rare half of the ready ring: growing.
 */
#include "base/ring.h"

#include "base/alloc.h"
#include "base/error.h"

#define SMALLEST 64

int hoya_ring_grow(hoya_ring *ring, uint64_t needed)
{
    uint64_t capacity = ring->capacity ? ring->capacity : SMALLEST;
    while (capacity < needed) capacity *= 2;
    if (capacity > SIZE_MAX) return hoya_error_nomem(); /* 32 bits have less memory than indices */
    hoya_ring_entry *entries = hoya_resize(NULL, (size_t)capacity, sizeof *entries);
    if (!entries) return HOYA_ENOMEM;
    /* Absolute indices stay valid: an entry keeps its number, only the mask is wider. */
    for (uint64_t i = ring->head; i != ring->tail; i++)
        entries[i & (capacity - 1)] = ring->entries[i & (ring->capacity - 1)];
    hoya_free(ring->entries);
    ring->entries = entries;
    ring->capacity = capacity;
    return 0;
}

void hoya_ring_free(hoya_ring *ring)
{
    hoya_free(ring->entries);
    *ring = (hoya_ring){0};
}
