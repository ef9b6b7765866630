/* SPDX-License-Identifier: MIT
 *
 * poll/epoll.c: the selector on Linux.
 *
 * The kernel's set is the truth; beside it stands a table by descriptor number with what was asked for. An
 * event carries number and generation instead of a pointer: a descriptor that was closed while it was
 * registered may go on reporting through a duplicate (the kernel keeps the open file, not the number), and
 * such an event must not reach the number's next owner.
 *
 * In the child of a fork the set is the parent's, too: until after_fork has opened another one, only the table changes.
 *
 * Waiting is exact to the nanosecond with epoll_pwait2 (Linux 5.11); before that the wait is rounded up to
 * milliseconds, never down: early would spin (fault F8).
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fork.h"
#include "base/sys.h"
#include "poll/poll.h"

#define BATCH 256

typedef struct slot {
    void *data;
    uint32_t events; /* 0: not registered */
    uint32_t generation;
} slot;

typedef struct epoll_selector {
    hoya_selector base;
    hoya_fd epfd;
    unsigned generation; /* of the process whose it is */
    bool no_pwait2;
    slot *slots; /* by descriptor */
    size_t size;
} epoll_selector;

static uint32_t to_epoll(uint32_t events)
{
    return (events & HOYA_IN ? (uint32_t)EPOLLIN : 0) | (events & HOYA_OUT ? (uint32_t)EPOLLOUT : 0) |
           (events & HOYA_PRI ? (uint32_t)EPOLLPRI : 0) | (events & HOYA_EDGE ? (uint32_t)EPOLLET : 0);
}

static uint32_t from_epoll(uint32_t events)
{
    return (events & EPOLLIN ? HOYA_IN : 0) | (events & EPOLLOUT ? HOYA_OUT : 0) |
           (events & EPOLLPRI ? HOYA_PRI : 0) | (events & EPOLLERR ? HOYA_ERR : 0) |
           (events & EPOLLHUP ? HOYA_HUP : 0);
}

static slot *find(const epoll_selector *self, hoya_fd fd)
{
    return fd >= 0 && (size_t)fd < self->size && self->slots[fd].events ? &self->slots[fd] : NULL;
}

static int make_room(epoll_selector *self, hoya_fd fd)
{
    if ((size_t)fd < self->size) return 0;
    struct stat status; /* no memory for a number that is no descriptor: the table is as long as the largest */
    if (hoya_sys_fstat(fd, &status) < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d is not open", fd);
    size_t size = self->size ? self->size : 64;
    while (size <= (size_t)fd) size *= 2;
    slot *slots = hoya_resize(self->slots, size, sizeof *slots);
    if (!slots) return HOYA_ENOMEM;
    for (size_t i = self->size; i < size; i++) slots[i] = (slot){0};
    self->slots = slots;
    self->size = size;
    return 0;
}

static bool is_parents(const epoll_selector *self)
{
    return self->generation != hoya_fork_generation();
}

static int control(epoll_selector *self, int op, hoya_fd fd, uint32_t events, uint32_t generation)
{
    if (is_parents(self)) return 0;
    struct epoll_event event = {.events = to_epoll(events), .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd};
    if (hoya_sys_epoll_ctl(self->epfd, op, fd, &event) == 0) return 0;
    if (errno == EPERM)
        return hoya_error_set(HOYA_EPERM, "descriptor %d is of a kind that is always ready (a regular file?)", fd);
    int code = -errno;
    return hoya_error_set(code, "descriptor %d: %s", fd, hoya_strerror(code));
}

static int epoll_add(hoya_selector *base, hoya_fd fd, uint32_t events, void *data)
{
    epoll_selector *self = (epoll_selector *)base;
    if (find(self, fd)) return hoya_error_set(HOYA_EEXIST, "descriptor %d is registered already", fd);
    int rc = make_room(self, fd);
    if (rc < 0) return rc;
    slot *s = &self->slots[fd];
    uint32_t generation = s->generation + 1;
    rc = control(self, EPOLL_CTL_ADD, fd, events, generation);
    /* Registered once before, closed without unregister, and the same open file again under the same number
     * (dup2). */
    if (rc == HOYA_EEXIST) rc = control(self, EPOLL_CTL_MOD, fd, events, generation);
    if (rc < 0) return rc;
    *s = (slot){data, events, generation};
    return 0;
}

static int epoll_modify(hoya_selector *base, hoya_fd fd, uint32_t events, void *data)
{
    epoll_selector *self = (epoll_selector *)base;
    slot *s = find(self, fd);
    if (!s) return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
    if (s->events != events) {
        int rc = control(self, EPOLL_CTL_MOD, fd, events, s->generation);
        if (rc < 0) return rc;
    }
    s->events = events;
    s->data = data;
    return 0;
}

static int epoll_remove(hoya_selector *base, hoya_fd fd)
{
    epoll_selector *self = (epoll_selector *)base;
    slot *s = find(self, fd);
    if (!s) return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
    s->events = 0;
    s->data = NULL;
    /* ENOENT and EBADF: closed before it was unregistered; the kernel has forgotten it (statement 81). */
    struct epoll_event unused = {0};
    if (!is_parents(self)) hoya_sys_epoll_ctl(self->epfd, EPOLL_CTL_DEL, fd, &unused);
    return 0;
}

static int wait_for(epoll_selector *self, struct epoll_event *found, int max, int64_t timeout)
{
    if (timeout == HOYA_NEVER || timeout == 0) return hoya_sys_epoll_wait(self->epfd, found, max, timeout ? -1 : 0);
    if (!self->no_pwait2) {
        struct timespec ts = {(time_t)(timeout / 1000000000), (long)(timeout % 1000000000)};
        int n = hoya_sys_epoll_pwait2(self->epfd, found, max, &ts, NULL);
        if (n >= 0 || errno != ENOSYS) return n;
        self->no_pwait2 = true;
    }
    int64_t ms = timeout / 1000000 + (timeout % 1000000 != 0);
    return hoya_sys_epoll_wait(self->epfd, found, max, ms > INT32_MAX ? INT32_MAX : (int)ms);
}

static int epoll_select(hoya_selector *base, int64_t timeout, hoya_selector_event *events, int max)
{
    epoll_selector *self = (epoll_selector *)base;
    struct epoll_event found[BATCH];
    int n = wait_for(self, found, max < BATCH ? max : BATCH, timeout);
    if (n < 0) return errno == EINTR ? 0 : hoya_error_errno("epoll_wait");
    int kept = 0;
    for (int i = 0; i < n; i++) {
        hoya_fd fd = (hoya_fd)(uint32_t)found[i].data.u64;
        const slot *s = find(self, fd);
        if (!s || s->generation != (uint32_t)(found[i].data.u64 >> 32)) continue;
        events[kept++] = (hoya_selector_event){fd, from_epoll(found[i].events), s->data};
    }
    return kept;
}

static int epoll_get_key(const hoya_selector *base, hoya_fd fd, hoya_selector_key *key)
{
    const slot *s = find((const epoll_selector *)base, fd);
    if (!s) return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
    *key = (hoya_selector_key){fd, s->events & ~(uint32_t)HOYA_EDGE, s->data};
    return 0;
}

static hoya_fd epoll_fileno(const hoya_selector *base)
{
    return ((const epoll_selector *)base)->epfd;
}

static int epoll_after_fork(hoya_selector *base)
{
    epoll_selector *self = (epoll_selector *)base;
    hoya_fd_close(&self->epfd); /* our name for it */
    int rc = hoya_fd_open_epoll();
    if (rc < 0) return rc;
    self->epfd = rc;
    self->generation = hoya_fork_generation();
    for (size_t fd = 0; fd < self->size; fd++) {
        if (!self->slots[fd].events) continue;
        rc = control(self, EPOLL_CTL_ADD, (hoya_fd)fd, self->slots[fd].events, self->slots[fd].generation);
        /* EBADF: closed while it was registered, and forgotten as ever. */
        if (rc < 0 && rc != HOYA_EBADF) return rc;
    }
    return 0;
}

static void epoll_free(hoya_selector *base)
{
    epoll_selector *self = (epoll_selector *)base;
    hoya_fd_close(&self->epfd);
    hoya_free(self->slots);
    hoya_free(self);
    hoya_live_add(HOYA_LIVE_SELECTORS, -1);
}

static const hoya_selector_ops epoll_ops = {
    .size = sizeof(hoya_selector_ops),
    .name = "epoll",
    .caps = HOYA_SELECTOR_NESTS | HOYA_SELECTOR_EDGE,
    .add = epoll_add,
    .modify = epoll_modify,
    .remove = epoll_remove,
    .select = epoll_select,
    .get_key = epoll_get_key,
    .fileno = epoll_fileno,
    .after_fork = epoll_after_fork,
    .free = epoll_free,
};

int hoya_epoll_new(hoya_selector **selector)
{
    epoll_selector *self = hoya_new(epoll_selector);
    if (!self) return HOYA_ENOMEM;
    int rc = hoya_fork_notice(), fd = rc < 0 ? rc : hoya_fd_open_epoll();
    if (fd < 0) {
        hoya_free(self);
        return fd;
    }
    self->base.ops = &epoll_ops;
    self->epfd = fd;
    self->generation = hoya_fork_generation();
    hoya_live_add(HOYA_LIVE_SELECTORS, 1);
    *selector = &self->base;
    return 0;
}
