/* SPDX-License-Identifier: MIT
 *
 * base/heap.c: the 4-ary heap. Four children a node: half the levels of a binary heap, and the children of
 * one node lie in two cache lines.
 *
 * Invariant: entries[i] is not before its parent entries[(i - 1) / 4], and entries[i].node->index == i.
 */
#include "base/heap.h"

#include <stdbool.h>

#include "base/alloc.h"
#include "base/error.h"

#define WIDTH 4
#define SMALLEST 32

static inline bool before(const hoya_heap_entry *a, const hoya_heap_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static inline void place(hoya_heap *heap, size_t i, hoya_heap_entry entry)
{
    heap->entries[i] = entry;
    entry.node->index = i;
}

static void sift_up(hoya_heap *heap, size_t i, hoya_heap_entry entry)
{
    while (i > 0) {
        size_t parent = (i - 1) / WIDTH;
        if (!before(&entry, &heap->entries[parent])) break;
        place(heap, i, heap->entries[parent]);
        i = parent;
    }
    place(heap, i, entry);
}

static void sift_down(hoya_heap *heap, size_t i, hoya_heap_entry entry)
{
    for (;;) {
        size_t first = i * WIDTH + 1;
        if (first >= heap->count) break;
        size_t last = first + WIDTH < heap->count ? first + WIDTH : heap->count;
        size_t least = first;
        for (size_t child = first + 1; child < last; child++)
            if (before(&heap->entries[child], &heap->entries[least])) least = child;
        if (!before(&heap->entries[least], &entry)) break;
        place(heap, i, heap->entries[least]);
        i = least;
    }
    place(heap, i, entry);
}

int hoya_heap_insert(hoya_heap *heap, int64_t key, hoya_heap_node *node)
{
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity ? heap->capacity * 2 : SMALLEST;
        hoya_heap_entry *entries = hoya_resize(heap->entries, capacity, sizeof *entries);
        if (!entries) return HOYA_ENOMEM;
        heap->entries = entries;
        heap->capacity = capacity;
    }
    hoya_heap_entry entry = {key, heap->sequence++, node};
    sift_up(heap, heap->count++, entry);
    return 0;
}

void hoya_heap_remove(hoya_heap *heap, hoya_heap_node *node)
{
    size_t i = node->index;
    if (i == HOYA_HEAP_NONE) return;
    node->index = HOYA_HEAP_NONE;
    hoya_heap_entry moved = heap->entries[--heap->count];
    if (moved.node == node) return;
    /* The last entry comes from another branch: it may belong above or below the gap. */
    if (i > 0 && before(&moved, &heap->entries[(i - 1) / WIDTH])) sift_up(heap, i, moved);
    else sift_down(heap, i, moved);
}

hoya_heap_node *hoya_heap_pop(hoya_heap *heap)
{
    if (!heap->count) return NULL;
    hoya_heap_node *node = heap->entries[0].node;
    hoya_heap_remove(heap, node);
    return node;
}

void hoya_heap_move(hoya_heap *heap, hoya_heap_node *node, int64_t key)
{
    hoya_heap_remove(heap, node);
    hoya_heap_insert(heap, key, node); /* where it was, there is room */
}

void hoya_heap_free(hoya_heap *heap)
{
    hoya_free(heap->entries);
    *heap = (hoya_heap){0};
}
