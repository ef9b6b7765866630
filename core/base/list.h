/* SPDX-License-Identifier: MIT
 *
 * base/list.h: an intrusive, circular, doubly linked list. The list owns nothing; a node is in one list at
 * most, and an unlinked node points at itself, so that removing it twice is harmless.
 */
#ifndef HOYA_BASE_LIST_H
#define HOYA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hoya_list {
    struct hoya_list *next, *prev;
} hoya_list;

#define HOYA_CONTAINER_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void hoya_list_init(hoya_list *list)
{
    list->next = list->prev = list;
}

static inline bool hoya_list_is_empty(const hoya_list *list)
{
    return list->next == list;
}

static inline void hoya_list_append(hoya_list *list, hoya_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

/* The same at its beginning. */
static inline void hoya_list_push(hoya_list *list, hoya_list *node)
{
    hoya_list_append(list->next, node);
}

/* For one that goes into another list at once, or nowhere: it stays linked to where it was. */
static inline void hoya_list_take_out(const hoya_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
}

static inline void hoya_list_remove(hoya_list *node)
{
    hoya_list_take_out(node);
    hoya_list_init(node);
}

/* The first node, removed from the list, or NULL. A loop over this one may change the list as it goes. */
static inline hoya_list *hoya_list_pop(hoya_list *list)
{
    hoya_list *node = list->next;
    if (node == list) return NULL;
    hoya_list_remove(node);
    return node;
}

#endif
