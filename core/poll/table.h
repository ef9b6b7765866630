/* SPDX-License-Identifier: MIT
 *
 * poll/table.h: what poll and select share: the registered descriptors in one array without gaps, and where each number
 * stands in it. Adding is the only thing that needs memory.
 */
#ifndef HOYA_POLL_TABLE_H
#define HOYA_POLL_TABLE_H

#include <hoya/selector.h>

#include "base/sys.h"

typedef struct hoya_poll_table {
    hoya_selector base;
    struct pollfd *fds; /* fd -1: closed while it was registered; forgotten by the kernel, not by us */
    hoya_selector_key *keys;
    int *index; /* by descriptor: place in the arrays + 1, or 0 */
    size_t count, room, index_size;
    size_t next; /* where the next collection begins */
} hoya_poll_table;

/* Members of hoya_selector_ops. */
int hoya_table_add(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);
int hoya_table_modify(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data);
int hoya_table_remove(hoya_selector *selector, hoya_fd fd);
int hoya_table_get_key(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key);
void hoya_table_free(hoya_selector *selector);

int hoya_table_new(const hoya_selector_ops *ops, hoya_selector **selector);

/* Between hoya's events and poll's. */
short hoya_to_poll(uint32_t events);
uint32_t hoya_from_poll(short events);

/* The events of the entries whose revents are set, at most max, beginning where the last collection ended, so that the
 * first ones do not hide the others. Those found closed are dropped from the set. */
int hoya_table_collect(hoya_poll_table *table, hoya_selector_event *events, int max);

/* What ppoll and pselect want: NULL is without end. */
const struct timespec *hoya_to_timespec(int64_t timeout, struct timespec *space);

#endif
