/* SPDX-License-Identifier: MIT
 *
 * base/heap.h: deadlines in a 4-ary implicit heap. The key stands in the heap itself, so that comparing
 * touches no item; the item carries its index back, so that removing from the middle is O(log n) and
 * immediate; equal keys leave in the order in which they came (statement 22, changed: insertion order is
 * guaranteed).
 *
 * The heap does not own its items.
 */
#ifndef HOYA_BASE_HEAP_H
#define HOYA_BASE_HEAP_H

#include <hoya/base.h>

#define HOYA_HEAP_NONE SIZE_MAX

/* Embedded in what is kept in a heap. */
typedef struct hoya_heap_node {
    size_t index; /* HOYA_HEAP_NONE while in no heap */
} hoya_heap_node;

typedef struct hoya_heap_entry {
    int64_t key;
    uint64_t sequence;
    hoya_heap_node *node;
} hoya_heap_entry;

typedef struct hoya_heap {
    hoya_heap_entry *entries;
    size_t count, capacity;
    uint64_t sequence;
} hoya_heap;

/* HOYA_ENOMEM leaves everything as it was. */
int hoya_heap_insert(hoya_heap *heap, int64_t key, hoya_heap_node *node);
/* These need no memory. */
void hoya_heap_remove(hoya_heap *heap, hoya_heap_node *node);
hoya_heap_node *hoya_heap_pop(hoya_heap *heap); /* NULL if empty */
/* As if it was removed and inserted; needs no memory either. */
void hoya_heap_move(hoya_heap *heap, hoya_heap_node *node, int64_t key);
void hoya_heap_free(hoya_heap *heap);

/* The smallest key, HOYA_NEVER if there is none. */
static inline int64_t hoya_heap_first(const hoya_heap *heap)
{
    return heap->count ? heap->entries[0].key : HOYA_NEVER;
}

#endif
