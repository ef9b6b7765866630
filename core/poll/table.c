/* SPDX-License-Identifier: MIT
 *
 * poll/table.c: the registered descriptors of poll and select.
 *
 * Two differences to epoll are evened out here. A regular file is refused (epoll refuses it; poll would call it ready
 * for ever). A descriptor that is closed while it is registered is forgotten (epoll forgets it; poll would report it for
 * ever): its entry stays until it is unregistered, with a number that poll skips.
 */
#include "poll/table.h"

#include "base/alloc.h"
#include "base/error.h"

short hoya_to_poll(uint32_t events)
{
    return (short)((events & HOYA_IN ? POLLIN : 0) | (events & HOYA_OUT ? POLLOUT : 0) |
                   (events & HOYA_PRI ? POLLPRI : 0));
}

uint32_t hoya_from_poll(short events)
{
    return (events & POLLIN ? HOYA_IN : 0) | (events & POLLOUT ? HOYA_OUT : 0) | (events & POLLPRI ? HOYA_PRI : 0) |
           (events & POLLERR ? HOYA_ERR : 0) | (events & POLLHUP ? HOYA_HUP : 0);
}

const struct timespec *hoya_to_timespec(int64_t timeout, struct timespec *space)
{
    if (timeout == HOYA_NEVER) return NULL;
    *space = (struct timespec){(time_t)(timeout / 1000000000), (long)(timeout % 1000000000)};
    return space;
}

static int find(const hoya_poll_table *table, hoya_fd fd)
{
    if (fd >= 0 && (size_t)fd < table->index_size && table->index[fd]) return table->index[fd] - 1;
    return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
}

static int make_room(hoya_poll_table *table, hoya_fd fd)
{
    if (table->count == table->room) {
        size_t room = table->room ? table->room * 2 : 32;
        struct pollfd *fds = hoya_resize(table->fds, room, sizeof *fds);
        if (!fds) return HOYA_ENOMEM;
        table->fds = fds;
        hoya_selector_key *keys = hoya_resize(table->keys, room, sizeof *keys);
        if (!keys) return HOYA_ENOMEM;
        table->keys = keys;
        table->room = room;
    }
    if ((size_t)fd >= table->index_size) {
        size_t size = table->index_size ? table->index_size : 64;
        while (size <= (size_t)fd) size *= 2;
        int *index = hoya_resize(table->index, size, sizeof *index);
        if (!index) return HOYA_ENOMEM;
        for (size_t i = table->index_size; i < size; i++) index[i] = 0;
        table->index = index;
        table->index_size = size;
    }
    return 0;
}

int hoya_table_add(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    hoya_poll_table *table = (hoya_poll_table *)selector;
    if ((size_t)fd < table->index_size && table->index[fd])
        return hoya_error_set(HOYA_EEXIST, "descriptor %d is registered already", fd);
    struct stat status;
    if (hoya_sys_fstat(fd, &status) < 0) {
        int code = -errno;
        return hoya_error_set(code, "descriptor %d: %s", fd, hoya_strerror(code));
    }
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
        return hoya_error_set(HOYA_EPERM, "descriptor %d is of a kind that is always ready (a regular file?)", fd);
    int rc = make_room(table, fd);
    if (rc < 0) return rc;
    table->fds[table->count] = (struct pollfd){.fd = fd, .events = hoya_to_poll(events)};
    table->keys[table->count] = (hoya_selector_key){fd, events, data};
    table->index[fd] = (int)++table->count;
    return 0;
}

int hoya_table_modify(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    hoya_poll_table *table = (hoya_poll_table *)selector;
    int i = find(table, fd);
    if (i < 0) return i;
    if (table->fds[i].fd < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d was closed", fd);
    table->fds[i].events = hoya_to_poll(events);
    table->keys[i] = (hoya_selector_key){fd, events, data};
    return 0;
}

int hoya_table_remove(hoya_selector *selector, hoya_fd fd)
{
    hoya_poll_table *table = (hoya_poll_table *)selector;
    int i = find(table, fd);
    if (i < 0) return i;
    /* The last one fills the gap. */
    table->count--;
    table->fds[i] = table->fds[table->count];
    table->keys[i] = table->keys[table->count];
    table->index[table->keys[i].fd] = i + 1;
    table->index[fd] = 0;
    return 0;
}

int hoya_table_get_key(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key)
{
    const hoya_poll_table *table = (const hoya_poll_table *)selector;
    int i = find(table, fd);
    if (i < 0) return i;
    *key = table->keys[i];
    return 0;
}

int hoya_table_collect(hoya_poll_table *table, hoya_selector_event *events, int max)
{
    int n = 0;
    size_t start = table->next < table->count ? table->next : 0;
    for (size_t step = 0; step < table->count && n < max; step++) {
        size_t i = start + step < table->count ? start + step : start + step - table->count;
        short seen = table->fds[i].revents;
        if (!seen) continue;
        table->fds[i].revents = 0;
        table->next = i + 1;
        if (seen & POLLNVAL) table->fds[i].fd = -1;
        else events[n++] = (hoya_selector_event){table->keys[i].fd, hoya_from_poll(seen), table->keys[i].data};
    }
    return n;
}

int hoya_table_new(const hoya_selector_ops *ops, hoya_selector **selector)
{
    hoya_poll_table *table = hoya_new(hoya_poll_table);
    if (!table) return HOYA_ENOMEM;
    table->base.ops = ops;
    hoya_live_add(HOYA_LIVE_SELECTORS, 1);
    *selector = &table->base;
    return 0;
}

void hoya_table_free(hoya_selector *selector)
{
    hoya_poll_table *table = (hoya_poll_table *)selector;
    hoya_free(table->fds);
    hoya_free(table->keys);
    hoya_free(table->index);
    hoya_free(table);
    hoya_live_add(HOYA_LIVE_SELECTORS, -1);
}
