/* SPDX-License-Identifier: MIT
 *
 * task/items.h: what a queue keeps: items in the order in which they are to be got.
 */
#ifndef HOYA_TASK_ITEMS_H
#define HOYA_TASK_ITEMS_H

#include <hoya/error.h>
#include <hoya/queue.h>

#include "base/check.h"

/* Of a heap. */
typedef struct hoya_item {
    void *item;
    int64_t priority;
    uint64_t number; /* the older, the smaller */
} hoya_item;

typedef struct hoya_items {
    hoya_queue_kind kind;
    union {
        void **ring;     /* from `first` on */
        hoya_item *heap; /* by priority; `first` is 0 */
    } in;
    size_t first, count, size;
    uint64_t made;
} hoya_items;

/* HOYA_ENOMEM leaves everything as it was; where there were so many items before it cannot happen. */
int hoya_items_push(hoya_items *items, void *item, int64_t priority);
/* The next one; there is one. */
void *hoya_items_pop(hoya_items *items);

/* The two for a ring that has room; for one whose first item is the next. */
static inline void hoya_ring_of_items_push(hoya_items *items, void *item)
{
    items->in.ring[(items->first + items->count++) & (items->size - 1)] = item;
}
static inline void *hoya_ring_of_items_pop(hoya_items *items)
{
    void *item = items->in.ring[items->first];
    items->first = (items->first + 1) & (items->size - 1);
    items->count--;
    return item;
}

/* There is none. */
void hoya_items_free(hoya_items *items);

#endif
