/* SPDX-License-Identifier: MIT
 *
 * poll/kqueue.c: the selector on the BSDs and macOS. NOT RUN ON ONE YET: it is compiled and driven by the tests on a
 * kqueue that they make of epoll (tests/kqueue).
 *
 * kqueue keeps a filter for each direction of a descriptor; here a descriptor is one thing. So a change is up to three
 * changes, undone if one is refused, and what is found for one descriptor is put together again. An event carries the
 * generation of its registration, as in poll/epoll.c: of two events of one look, the first one's callback may have
 * closed the second one's descriptor.
 *
 * The end of a stream does not say which of its halves has ended; poll is asked then, without blocking. Not as on the
 * other selectors: a descriptor that is watched for out-of-band data alone hears of no hang-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/fork.h"
#include "base/sys.h"
#include "base/sys_kqueue.h"
#include "poll/poll.h"
#include "poll/table.h"

#define BATCH 256

typedef struct slot {
    void *data;
    uint32_t events; /* 0: not registered */
    uint32_t generation;
    int place; /* in the events of the look that is under way, + 1 */
} slot;

typedef struct kqueue_selector {
    hoya_selector base;
    hoya_fd kq;
    unsigned generation; /* of the process that opened it */
    slot *slots;         /* by descriptor */
    size_t size;
} kqueue_selector;

static const struct {
    uint32_t event;
    short filter;
    unsigned note;
} filters[] = {
    {HOYA_IN, EVFILT_READ, 0},
    {HOYA_OUT, EVFILT_WRITE, 0},
    {HOYA_PRI, HOYA_EVFILT_PRI, HOYA_NOTE_PRI},
};
#define FILTERS (sizeof filters / sizeof *filters)

static slot *find(const kqueue_selector *self, hoya_fd fd)
{
    return fd >= 0 && (size_t)fd < self->size && self->slots[fd].events ? &self->slots[fd] : NULL;
}

static int make_room(kqueue_selector *self, hoya_fd fd)
{
    if ((size_t)fd < self->size) return 0;
    size_t size = self->size ? self->size : 64;
    while (size <= (size_t)fd) size *= 2;
    slot *slots = hoya_resize(self->slots, size, sizeof *slots);
    if (!slots) return HOYA_ENOMEM;
    for (size_t i = self->size; i < size; i++) slots[i] = (slot){0};
    self->slots = slots;
    self->size = size;
    return 0;
}

/* A child does not inherit it: the number is free by then, or somebody else's. Until after_fork has opened another one, only
 * the table changes. */
static bool is_parents(const kqueue_selector *self)
{
    return self->generation != hoya_fork_generation();
}

/* One filter: added, or taken out. Returns 0 or -errno. */
static int change(kqueue_selector *self, hoya_fd fd, size_t i, unsigned short flags, uint32_t generation)
{
    struct kevent event, receipt;
    EV_SET(&event, (uintptr_t)fd, filters[i].filter, flags | EV_RECEIPT, filters[i].note, 0,
           (void *)(uintptr_t)generation);
    struct timespec now = {0, 0};
    int n = hoya_sys_kevent(self->kq, &event, 1, &receipt, 1, &now);
    if (n < 0) return -errno;
    return n > 0 && (receipt.flags & EV_ERROR) ? -(int)receipt.data : 0;
}

static unsigned short kind_of_add(uint32_t events)
{
    return EV_ADD | (events & HOYA_EDGE ? EV_CLEAR : 0);
}

/* Puts the first filters back as they were; what is refused now cannot be helped. */
static void undo(kqueue_selector *self, hoya_fd fd, size_t n, uint32_t before, uint32_t wanted, uint32_t generation)
{
    for (size_t i = 0; i < n; i++) {
        if (before & filters[i].event) change(self, fd, i, kind_of_add(before), generation);
        else if (wanted & filters[i].event) change(self, fd, i, EV_DELETE, 0);
    }
}

/* From what is watched to what is wanted. A filter that keeps its kind of report stays as it is. */
static int apply(kqueue_selector *self, hoya_fd fd, uint32_t before, uint32_t wanted, uint32_t generation)
{
    if (is_parents(self)) return 0;
    bool renew = (before ^ wanted) & HOYA_EDGE;
    for (size_t i = 0; i < FILTERS; i++) {
        bool has = before & filters[i].event, wants = wanted & filters[i].event;
        if (has && (!wants || renew)) change(self, fd, i, EV_DELETE, 0); /* gone already, if fd was closed */
        if (!wants || (has && !renew)) continue;
        int rc = filters[i].filter ? change(self, fd, i, kind_of_add(wanted), generation) : HOYA_ENOTSUP;
        if (rc >= 0) continue;
        undo(self, fd, has ? i + 1 : i, before, wanted, generation);
        return rc;
    }
    return 0;
}

static int refused(int code, hoya_fd fd)
{
    return hoya_error_set(code, "descriptor %d: %s", fd, hoya_strerror(code));
}

static int kqueue_add(hoya_selector *base, hoya_fd fd, uint32_t events, void *data)
{
    kqueue_selector *self = (kqueue_selector *)base;
    if (find(self, fd)) return hoya_error_set(HOYA_EEXIST, "descriptor %d is registered already", fd);
    struct stat status;
    if (hoya_sys_fstat(fd, &status) < 0) return refused(-errno, fd);
    /* kqueue would watch it grow. */
    if (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
        return hoya_error_set(HOYA_EPERM, "descriptor %d is of a kind that is always ready (a regular file?)", fd);
    int rc = make_room(self, fd);
    if (rc < 0) return rc;
    slot *s = &self->slots[fd];
    rc = apply(self, fd, 0, events, s->generation + 1);
    if (rc < 0) return refused(rc, fd);
    *s = (slot){data, events, s->generation + 1, 0};
    return 0;
}

static int kqueue_modify(hoya_selector *base, hoya_fd fd, uint32_t events, void *data)
{
    kqueue_selector *self = (kqueue_selector *)base;
    slot *s = find(self, fd);
    if (!s) return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
    int rc = apply(self, fd, s->events, events, s->generation);
    if (rc < 0) return refused(rc, fd);
    s->events = events;
    s->data = data;
    return 0;
}

static int kqueue_remove(hoya_selector *base, hoya_fd fd)
{
    kqueue_selector *self = (kqueue_selector *)base;
    slot *s = find(self, fd);
    if (!s) return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
    apply(self, fd, s->events, 0, 0);
    s->events = 0;
    s->data = NULL;
    return 0;
}

/* The end of a stream, in one direction or both, or an error: poll tells which, and what can still be done. */
static uint32_t ask_poll(hoya_fd fd, uint32_t events)
{
    struct pollfd asked = {.fd = fd, .events = hoya_to_poll(events)};
    struct timespec now = {0, 0};
    return hoya_sys_ppoll(&asked, 1, &now, NULL) > 0 ? hoya_from_poll(asked.revents) : 0;
}

static uint32_t from_kevent(const struct kevent *event, uint32_t asked)
{
    if (event->flags & EV_EOF) return ask_poll((hoya_fd)event->ident, asked);
    for (size_t i = 0; i < FILTERS; i++)
        if (filters[i].filter && event->filter == filters[i].filter) return filters[i].event;
    return 0;
}

static int kqueue_select(hoya_selector *base, int64_t timeout, hoya_selector_event *events, int max)
{
    kqueue_selector *self = (kqueue_selector *)base;
    struct kevent found[BATCH];
    struct timespec space;
    int n = hoya_sys_kevent(self->kq, NULL, 0, found, max < BATCH ? max : BATCH,
                            hoya_to_timespec(timeout < 0 ? 0 : timeout, &space));
    if (n < 0) return errno == EINTR ? 0 : hoya_error_errno("kevent");
    int kept = 0;
    for (int i = 0; i < n; i++) {
        slot *s = find(self, (hoya_fd)found[i].ident);
        if (!s || s->generation != (uint32_t)(uintptr_t)found[i].udata) continue;
        if (!s->place) {
            events[kept++] = (hoya_selector_event){(hoya_fd)found[i].ident, 0, s->data};
            s->place = kept;
        }
        events[s->place - 1].events |= from_kevent(&found[i], s->events);
    }
    for (int i = 0; i < kept; i++) self->slots[events[i].fd].place = 0;
    return kept;
}

static int kqueue_get_key(const hoya_selector *base, hoya_fd fd, hoya_selector_key *key)
{
    const slot *s = find((const kqueue_selector *)base, fd);
    if (!s) return hoya_error_set(HOYA_ENOENT, "descriptor %d is not registered", fd);
    *key = (hoya_selector_key){fd, s->events & ~(uint32_t)HOYA_EDGE, s->data};
    return 0;
}

static hoya_fd kqueue_fileno(const hoya_selector *base)
{
    return ((const kqueue_selector *)base)->kq;
}

static int open_kqueue(kqueue_selector *self)
{
    int fd = hoya_sys_kqueue();
    if (fd < 0) return hoya_error_errno("kqueue");
    hoya_live_add(HOYA_LIVE_FDS, 1);
    self->kq = fd;
    self->generation = hoya_fork_generation();
    /* There is no way to make it so from birth that all systems have. */
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

static void forget(kqueue_selector *self)
{
    hoya_live_add(HOYA_LIVE_FDS, -1);
    self->kq = HOYA_INVALID_FD;
}

static int kqueue_after_fork(hoya_selector *base)
{
    kqueue_selector *self = (kqueue_selector *)base;
    if (self->kq != HOYA_INVALID_FD && is_parents(self)) forget(self);
    hoya_fd_close(&self->kq);
    int rc = open_kqueue(self);
    for (size_t fd = 0; rc >= 0 && fd < self->size; fd++) {
        if (!self->slots[fd].events) continue;
        rc = apply(self, (hoya_fd)fd, 0, self->slots[fd].events, self->slots[fd].generation);
        if (rc == HOYA_EBADF) rc = 0; /* closed while it was registered, and forgotten as ever */
        if (rc < 0) rc = refused(rc, (hoya_fd)fd);
    }
    return rc;
}

static void kqueue_free(hoya_selector *base)
{
    kqueue_selector *self = (kqueue_selector *)base;
    hoya_fd_close(&self->kq);
    hoya_free(self->slots);
    hoya_free(self);
    hoya_live_add(HOYA_LIVE_SELECTORS, -1);
}

static const hoya_selector_ops kqueue_ops = {
    .size = sizeof(hoya_selector_ops),
    .name = "kqueue",
    .caps = HOYA_SELECTOR_NESTS | HOYA_SELECTOR_EDGE,
    .add = kqueue_add,
    .modify = kqueue_modify,
    .remove = kqueue_remove,
    .select = kqueue_select,
    .get_key = kqueue_get_key,
    .fileno = kqueue_fileno,
    .after_fork = kqueue_after_fork,
    .free = kqueue_free,
};

int hoya_kqueue_new(hoya_selector **selector)
{
    kqueue_selector *self = hoya_new(kqueue_selector);
    if (!self) return HOYA_ENOMEM;
    self->base.ops = &kqueue_ops;
    int rc = hoya_fork_notice();
    if (rc >= 0) rc = open_kqueue(self);
    if (rc < 0) {
        hoya_free(self);
        return rc;
    }
    hoya_live_add(HOYA_LIVE_SELECTORS, 1);
    *selector = &self->base;
    return 0;
}
