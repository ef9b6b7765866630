/* SPDX-License-Identifier: MIT
 *
 * task/items.h: what a queue keeps: items in the order in which they are to be got.
 */
#ifndef HOYA_TASK_ITEMS_H
#define HOYA_TASK_ITEMS_H

#include <hoya/error.h>
#include <hoya/queue.h>

#include "base/check.h"

typedef struct hoya_item {
    void *item;
    int64_t priority; /* these two in a heap alone */
    uint64_t number;  /* the older, the smaller */
} hoya_item;

typedef struct hoya_items {
    hoya_queue_kind kind;
    hoya_item *all; /* a ring from `first` on; by priority: a heap, and `first` is 0 */
    size_t first, count, size;
    uint64_t made;
} hoya_items;

/* HOYA_ENOMEM leaves everything as it was. */
int hoya_items_grow(hoya_items *items);
void hoya_items_sift_in(hoya_items *items, void *item, int64_t priority);
void *hoya_items_sift_out(hoya_items *items);

/* HOYA_ENOMEM leaves everything as it was; where there were so many items before it cannot happen. */
static inline int hoya_items_push(hoya_items *items, void *item, int64_t priority)
{
    if (hoya_unlikely(items->count == items->size) && hoya_items_grow(items) < 0) return HOYA_ENOMEM;
    if (items->kind == HOYA_QUEUE_PRIORITY) hoya_items_sift_in(items, item, priority);
    else items->all[(items->first + items->count) & (items->size - 1)].item = item;
    items->count++;
    return 0;
}

/* The next one; there is one. */
static inline void *hoya_items_pop(hoya_items *items)
{
    size_t first = items->first, last = --items->count, mask = items->size - 1;
    if (items->kind == HOYA_QUEUE_PRIORITY) return hoya_items_sift_out(items);
    if (items->kind == HOYA_QUEUE_LIFO) return items->all[(first + last) & mask].item;
    items->first = (first + 1) & mask;
    return items->all[first].item;
}

/* There is none. */
void hoya_items_free(hoya_items *items);

#endif
