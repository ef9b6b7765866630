/* SPDX-License-Identifier: MIT
 *
 * poll/select.c: the selector on select(2): the oldest and the most portable one. Descriptors of FD_SETSIZE (1024) and
 * above are refused: there is no bit for them.
 *
 * select does the waiting; what it found is then asked of poll once more, without blocking, so that the events are told as
 * exactly as by the other selectors (select knows no hang-up, and calls it readable).
 *
 * For the same reason a descriptor that is watched for writing alone is put among the readable ones, too: else its hang-up
 * would not end the wait. If it turns out to be readable without a hang-up it is `noisy`, and left out of there until it is
 * modified: what select cannot tell then is the hang-up of a descriptor with unread data, watched for writing, and full.
 */
#include <errno.h>
#include <stdbool.h>

#include "base/error.h"
#include "poll/poll.h"
#include "poll/table.h"

#define NOISY (1u << 30) /* among a key's events; add and modify clear it */

static int select_add(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    struct stat status;
    if (fd < FD_SETSIZE || hoya_sys_fstat(fd, &status) < 0) return hoya_table_add(selector, fd, events, data);
    return hoya_error_set(HOYA_ELIMIT, "descriptor %d: select has no room beyond %d", fd, FD_SETSIZE - 1);
}

static int select_get_key(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key)
{
    int rc = hoya_table_get_key(selector, fd, key);
    if (rc >= 0) key->events &= ~NOISY;
    return rc;
}

static bool asks_for_hang_up_alone(const hoya_poll_table *table, size_t i)
{
    return !(table->fds[i].events & POLLIN) && !(table->keys[i].events & NOISY);
}

static int wait_for(const hoya_poll_table *table, int64_t timeout, fd_set *in)
{
    fd_set out, except;
    FD_ZERO(in);
    FD_ZERO(&out);
    FD_ZERO(&except);
    int highest = -1;
    for (size_t i = 0; i < table->count; i++) {
        int fd = table->fds[i].fd;
        if (fd < 0) continue;
        if ((table->fds[i].events & POLLIN) || asks_for_hang_up_alone(table, i)) FD_SET(fd, in);
        if (table->fds[i].events & POLLOUT) FD_SET(fd, &out);
        if (table->fds[i].events & POLLPRI) FD_SET(fd, &except);
        if (fd > highest) highest = fd;
    }
    struct timespec space;
    return hoya_sys_pselect(highest + 1, in, &out, &except, hoya_to_timespec(timeout, &space), NULL);
}

static int select_select(hoya_selector *selector, int64_t timeout, hoya_selector_event *events, int max)
{
    hoya_poll_table *table = (hoya_poll_table *)selector;
    fd_set in;
    int n = wait_for(table, timeout, &in);
    bool closed = n < 0 && errno == EBADF; /* one of them: poll tells which, and it is dropped */
    if (n < 0 && errno == EINTR) return 0;
    if (n < 0 && !closed) return hoya_error_errno("pselect");
    if (n == 0) return 0;
    struct timespec now = {0, 0};
    n = hoya_sys_ppoll(table->fds, (nfds_t)table->count, &now, NULL);
    if (n < 0) return errno == EINTR ? 0 : hoya_error_errno("ppoll");
    for (size_t i = 0; i < table->count && !closed; i++)
        if (table->fds[i].fd >= 0 && asks_for_hang_up_alone(table, i) && FD_ISSET(table->fds[i].fd, &in) &&
            !(table->fds[i].revents & (POLLHUP | POLLERR)))
            table->keys[i].events |= NOISY;
    return hoya_table_collect(table, events, max);
}

static const hoya_selector_ops select_ops = {
    .size = sizeof(hoya_selector_ops),
    .name = "select",
    .add = select_add,
    .modify = hoya_table_modify,
    .remove = hoya_table_remove,
    .select = select_select,
    .get_key = select_get_key,
    .free = hoya_table_free,
};

int hoya_select_new(hoya_selector **selector)
{
    return hoya_table_new(&select_ops, selector);
}
