/* SPDX-License-Identifier: MIT
 *
 * loop/selector_host.c: per-fd mode. Where the selector has no descriptor that a host could watch (poll, select), the host
 * watches each one by itself, and this selector stands in front of the loop's own while there is a host.
 *
 * Both know every registration: the own selector so that the loop can go back to it at any time without needing memory,
 * the host so that it wakes. What the host says is a hint (it may have polled before a callback drained the descriptor, or
 * before the number changed hands): records it names are put on a list, and select asks the kernel about these once more.
 *
 * In the child of a fork the host is the parent's: it hears of nothing, and the records that it knows stay until it has been told
 * of the fork (loop/fork.c), by which this selector ends.
 */
#include "loop/selector_host.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fork.h"
#include "base/list.h"
#include "base/sys.h"
#include "poll/table.h"

#define BATCH 64 /* records a poll */

typedef struct entry {
    hoya_watch watch; /* first: the host knows this address */
    uint32_t events;
    void *data;
    hoya_list pending;
} entry;

typedef struct selector_host {
    hoya_selector base;
    hoya_selector *own;
    hoya_host *host;     /* NULL: gone */
    unsigned generation; /* of the process whose host it is */
    entry **entries;     /* by descriptor */
    size_t size;
    hoya_list pending;
    bool paused;
    bool stale; /* not all of them could be paused, or go on */
} selector_host;

static entry *find(const selector_host *self, hoya_fd fd)
{
    return fd >= 0 && (size_t)fd < self->size ? self->entries[fd] : NULL;
}

static bool is_parents(const selector_host *self)
{
    return self->generation != hoya_fork_generation();
}

static int tell_host(selector_host *self, entry *e)
{
    uint32_t mask = self->paused ? 0 : e->events;
    if (!self->host || mask == e->watch.mask || is_parents(self)) return 0;
    int rc = self->host->ops->watch(self->host, &e->watch, mask);
    if (rc >= 0) e->watch.mask = mask;
    return rc;
}

static void end(selector_host *self, entry *e)
{
    e->events = 0;
    tell_host(self, e);
    hoya_list_remove(&e->pending);
}

static void drop(selector_host *self, entry *e)
{
    end(self, e);
    if (is_parents(self)) return;
    self->entries[e->watch.fd] = NULL;
    hoya_free(e);
}

int hoya_selector_host_adopt(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    selector_host *self = (selector_host *)selector;
    if ((size_t)fd >= self->size) {
        size_t size = self->size ? self->size : 64;
        while (size <= (size_t)fd) size *= 2;
        entry **entries = hoya_resize(self->entries, size, sizeof *entries);
        if (!entries) return HOYA_ENOMEM;
        for (size_t i = self->size; i < size; i++) entries[i] = NULL;
        self->entries = entries;
        self->size = size;
    }
    entry *e = self->entries[fd] ? self->entries[fd] : hoya_new(entry);
    if (!e) return HOYA_ENOMEM;
    e->watch.fd = fd;
    e->events = events;
    e->data = data;
    hoya_list_init(&e->pending);
    self->entries[fd] = e;
    int rc = tell_host(self, e);
    if (rc < 0) drop(self, e);
    return rc;
}

static int host_add(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    selector_host *self = (selector_host *)selector;
    int rc = hoya_selector_register(self->own, fd, events, data);
    if (rc < 0) return rc;
    rc = hoya_selector_host_adopt(selector, fd, events, data);
    if (rc < 0) hoya_selector_unregister(self->own, fd);
    return rc;
}

static int host_modify(hoya_selector *selector, hoya_fd fd, uint32_t events, void *data)
{
    selector_host *self = (selector_host *)selector;
    int rc = hoya_selector_modify(self->own, fd, events, data);
    if (rc < 0) return rc;
    entry *e = find(self, fd);
    uint32_t before = e->events;
    e->events = events;
    rc = tell_host(self, e);
    if (rc < 0) {
        e->events = before;
        hoya_selector_modify(self->own, fd, before, e->data);
        return rc;
    }
    e->data = data;
    return 0;
}

static int host_remove(hoya_selector *selector, hoya_fd fd)
{
    selector_host *self = (selector_host *)selector;
    entry *e = find(self, fd);
    if (e) drop(self, e);
    return hoya_selector_unregister(self->own, fd);
}

void hoya_selector_host_ready(hoya_selector *selector, hoya_watch *record)
{
    entry *e = (entry *)record;
    if (hoya_list_is_empty(&e->pending)) hoya_list_append(&((selector_host *)selector)->pending, &e->pending);
}

/* Never waits: a loop with a host waits in the host. */
static int host_select(hoya_selector *selector, int64_t timeout, hoya_selector_event *events, int max)
{
    (void)timeout;
    selector_host *self = (selector_host *)selector;
    struct timespec now = {0, 0};
    int found = 0;
    while (found < max && !hoya_list_is_empty(&self->pending)) {
        struct pollfd fds[BATCH];
        entry *asked[BATCH];
        int n = 0;
        while (n < BATCH && n < max - found && !hoya_list_is_empty(&self->pending)) {
            asked[n] = HOYA_CONTAINER_OF(hoya_list_pop(&self->pending), entry, pending);
            fds[n] = (struct pollfd){.fd = asked[n]->watch.fd, .events = hoya_to_poll(asked[n]->events)};
            n++;
        }
        /* They stay unread, and the host will name them again, if this fails. */
        if (hoya_sys_ppoll(fds, (nfds_t)n, &now, NULL) < 0)
            return errno == EINTR ? found : hoya_error_errno("ppoll");
        for (int i = 0; i < n; i++) {
            if (fds[i].revents & POLLNVAL) { /* closed while it was watched: as silent as in the other selectors */
                asked[i]->events = 0;
                tell_host(self, asked[i]);
            } else if (fds[i].revents) {
                events[found++] =
                    (hoya_selector_event){asked[i]->watch.fd, hoya_from_poll(fds[i].revents), asked[i]->data};
            }
        }
    }
    return found;
}

static int host_get_key(const hoya_selector *selector, hoya_fd fd, hoya_selector_key *key)
{
    return hoya_selector_get_key(((const selector_host *)selector)->own, fd, key);
}

int hoya_selector_host_pause(hoya_selector *selector, bool pause)
{
    selector_host *self = (selector_host *)selector;
    if (self->paused == pause && !self->stale) return 0;
    self->paused = pause;
    int first = 0;
    for (size_t fd = 0; fd < self->size; fd++) {
        int rc = self->entries[fd] ? tell_host(self, self->entries[fd]) : 0;
        if (rc < 0 && !first) first = rc;
    }
    self->stale = first < 0;
    return first;
}

void hoya_selector_host_forget(hoya_selector *selector)
{
    ((selector_host *)selector)->host = NULL;
}

static void host_free(hoya_selector *selector)
{
    selector_host *self = (selector_host *)selector;
    for (size_t fd = 0; fd < self->size; fd++) {
        if (!self->entries[fd]) continue;
        end(self, self->entries[fd]);
        hoya_free(self->entries[fd]);
    }
    hoya_free(self->entries);
    hoya_free(self);
    hoya_live_add(HOYA_LIVE_SELECTORS, -1);
}

static const hoya_selector_ops host_ops = {
    .size = sizeof(hoya_selector_ops),
    .name = "host",
    .add = host_add,
    .modify = host_modify,
    .remove = host_remove,
    .select = host_select,
    .get_key = host_get_key,
    .free = host_free,
};

int hoya_selector_host_new(hoya_selector *own, hoya_host *host, hoya_selector **selector)
{
    selector_host *self = hoya_new(selector_host);
    if (!self) return HOYA_ENOMEM;
    self->base.ops = &host_ops;
    self->own = own;
    self->host = host;
    self->generation = hoya_fork_generation();
    hoya_list_init(&self->pending);
    hoya_live_add(HOYA_LIVE_SELECTORS, 1);
    *selector = &self->base;
    return 0;
}
