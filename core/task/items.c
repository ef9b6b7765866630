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
#include "base/error.h"

#define SMALLEST 8

/* What lies before `first` has come around: it goes behind the end, where there is as much room now. */
int hoya_items_grow(hoya_items *items)
{
    size_t size = items->size ? items->size * 2 : SMALLEST;
    hoya_item *all = hoya_resize(items->all, size, sizeof *all);
    if (!all) return HOYA_ENOMEM;
    memcpy(all + items->size, all, items->first * sizeof *all);
    items->all = all;
    items->size = size;
    return 0;
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

/* Behind the last one; `count` does not count it yet. */
void hoya_items_sift_in(hoya_items *items, void *value, int64_t priority)
{
    sift_up(items->all, items->count, (hoya_item){value, priority, items->made++});
}

/* The first one, which `count` does not count any more. */
void *hoya_items_sift_out(hoya_items *items)
{
    void *item = items->all[0].item;
    if (items->count) sift_down(items->all, items->count, items->all[items->count]);
    return item;
}

void hoya_items_free(hoya_items *items)
{
    hoya_free(items->all);
}
