/* SPDX-License-Identifier: MIT
 *
 * task/items.c: a ring, of which one end or the other is the next item; or a binary heap. A size is a power of two.
 *
 * base/heap.c is for timers, which lie in memory of their own and leave from the middle; items do neither.
 */
#include "task/items.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/error.h"

#define SMALLEST 8

/* What lies before `first` has come around: it goes behind the end, where there is as much room now. */
static int grow_ring(hoya_items *items, size_t size)
{
    void **ring = hoya_resize(items->in.ring, size, sizeof *ring);
    if (!ring) return HOYA_ENOMEM;
    memcpy(ring + items->size, ring, items->first * sizeof *ring);
    items->in.ring = ring;
    return 0;
}

static int grow_heap(hoya_items *items, size_t size)
{
    hoya_item *heap = hoya_resize(items->in.heap, size, sizeof *heap);
    if (!heap) return HOYA_ENOMEM;
    items->in.heap = heap;
    return 0;
}

static int grow(hoya_items *items)
{
    size_t size = items->size ? items->size * 2 : SMALLEST;
    int rc = items->kind == HOYA_QUEUE_PRIORITY ? grow_heap(items, size) : grow_ring(items, size);
    if (rc >= 0) items->size = size;
    return rc;
}

/* ---- by priority ----------------------------------------------------------------------------------------- */

static bool before(const hoya_item *a, const hoya_item *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->number < b->number;
}

static void sift_up(hoya_item *all, size_t i, hoya_item item)
{
    for (; i > 0 && before(&item, &all[(i - 1) / 2]); i = (i - 1) / 2) all[i] = all[(i - 1) / 2];
    all[i] = item;
}

static void sift_down(hoya_item *all, size_t count, hoya_item item)
{
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && before(&all[child + 1], &all[child])) child++;
        if (!before(&all[child], &item)) break;
        all[i] = all[child];
    }
    all[i] = item;
}

static void heap_push(hoya_items *items, void *value, int64_t priority)
{
    sift_up(items->in.heap, items->count++, (hoya_item){value, priority, items->made++});
}

static void *heap_pop(hoya_items *items)
{
    hoya_item *heap = items->in.heap;
    void *item = heap[0].item;
    if (--items->count) sift_down(heap, items->count, heap[items->count]);
    return item;
}

/* ---- of any kind ----------------------------------------------------------------------------------------- */

int hoya_items_push(hoya_items *items, void *item, int64_t priority)
{
    if (hoya_unlikely(items->count == items->size) && grow(items) < 0) return HOYA_ENOMEM;
    if (items->kind == HOYA_QUEUE_PRIORITY) heap_push(items, item, priority);
    else hoya_ring_of_items_push(items, item);
    return 0;
}

void *hoya_items_pop(hoya_items *items)
{
    if (items->kind == HOYA_QUEUE_PRIORITY) return heap_pop(items);
    if (items->kind == HOYA_QUEUE_LIFO) return items->in.ring[(items->first + --items->count) & (items->size - 1)];
    return hoya_ring_of_items_pop(items);
}

void hoya_items_free(hoya_items *items)
{
    if (items->kind == HOYA_QUEUE_PRIORITY) hoya_free(items->in.heap);
    else hoya_free(items->in.ring);
}
