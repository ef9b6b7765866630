/* SPDX-License-Identifier: MIT
 *
 * poll/poll.c: the selector on poll(2), for systems without a better one. Costs O(registered) a look; its waits are exact to
 * the nanosecond (ppoll). It has no descriptor of its own, so a host watches each descriptor by itself.
 */
#include <errno.h>

#include "base/error.h"
#include "poll/poll.h"
#include "poll/table.h"

static int poll_select(hoya_selector *selector, int64_t timeout, hoya_selector_event *events, int max)
{
    hoya_poll_table *table = (hoya_poll_table *)selector;
    struct timespec space;
    int n = hoya_sys_ppoll(table->fds, (nfds_t)table->count, hoya_to_timespec(timeout, &space), NULL);
    if (n < 0) return errno == EINTR ? 0 : hoya_error_errno("ppoll");
    return n ? hoya_table_collect(table, events, max) : 0;
}

static const hoya_selector_ops poll_ops = {
    .size = sizeof(hoya_selector_ops),
    .name = "poll",
    .add = hoya_table_add,
    .modify = hoya_table_modify,
    .remove = hoya_table_remove,
    .select = poll_select,
    .get_key = hoya_table_get_key,
    .free = hoya_table_free,
};

int hoya_poll_new(hoya_selector **selector)
{
    return hoya_table_new(&poll_ops, selector);
}
