/* SPDX-License-Identifier: MIT
 *
 * loop/watch.c: readers and writers of descriptors.
 *
 * One record a descriptor, with up to two sides; each side is a handle that holds a place in the ready ring
 * for as long as it is registered. What the selector watches is derived from the record, always, by
 * update(): the union of the sides that are not blocked. The selector is changed before the call returns,
 * so that its descriptor tells a host the truth.
 *
 * A side whose callback is on the stack is not reported again: when a nested round of the host's loop sees
 * it a second time, it is `blocked` and leaves the selector (unregistered, not masked: hang-up is reported
 * whatever the mask), and comes back when the callback returns. The mark is the handle's, so a new
 * registration of the same descriptor, made inside the nested loop, is not concerned. Nothing is paid when
 * nothing nests.
 *
 * A side may also be somebody's who waits for it: then its handle is in his memory, and has no place in the ring. It uses the
 * same mark: while he does not listen the side is his, and not watched.
 */
#include "loop/watch.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/sys.h"
#include "loop/selector_host.h"

static const uint32_t wakes[2] = {HOYA_WAKES_READER, HOYA_WAKES_WRITER};
static const uint32_t asks[2] = {HOYA_IN, HOYA_OUT};

/* ---- records: whoever's they are ----------------------------------------------------------------------- */

static hoya_fd_record *find(const hoya_loop *loop, hoya_fd fd)
{
    return fd >= 0 && (size_t)fd < loop->records_size ? loop->records[fd] : NULL;
}

static int make_room(hoya_loop *loop, hoya_fd fd)
{
    if ((size_t)fd < loop->records_size) return 0;
    struct stat status; /* no memory for a number that is no descriptor: the table is as long as the largest */
    if (hoya_sys_fstat(fd, &status) < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d is not open", fd);
    size_t size = loop->records_size ? loop->records_size : 64;
    while (size <= (size_t)fd) size *= 2;
    hoya_fd_record **records = hoya_resize(loop->records, size, sizeof *records);
    if (!records) return HOYA_ENOMEM;
    for (size_t i = loop->records_size; i < size; i++) records[i] = NULL;
    loop->records = records;
    loop->records_size = size;
    return 0;
}

int hoya_watch_begin(hoya_loop *loop, hoya_fd_record *record, const hoya_fd_class *class, hoya_fd fd)
{
    if (fd < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d is negative", fd);
    if (find(loop, fd)) return hoya_error_set(HOYA_EBUSY, "descriptor %d is watched already", fd);
    int rc = make_room(loop, fd);
    if (rc < 0) return rc;
    *record = (hoya_fd_record){.class = class, .fd = fd};
    loop->records[fd] = record;
    loop->stats.watches++;
    return 0;
}

static bool lacks_room(int rc)
{
    return rc == HOYA_ENOMEM || rc == HOYA_ENOSPC;
}

/* The next look tries again. */
static void set_aside(hoya_loop *loop, hoya_fd_record *record, bool aside)
{
    if (hoya_likely(record->aside == aside)) return;
    record->aside = aside;
    if (aside) loop->aside++;
    else loop->aside--;
}

int hoya_watch_update(hoya_loop *loop, hoya_fd_record *record)
{
    uint32_t want = record->class->wants(record);
    if (want == record->registered) return 0;
    int rc;
    if (!want) rc = hoya_selector_unregister(loop->selector, record->fd);
    else if (!record->registered) rc = hoya_selector_register(loop->selector, record->fd, want, record);
    else rc = hoya_selector_modify(loop->selector, record->fd, want, record);
    if (rc < 0 && record->registered && !(want & ~record->registered)) {
        if (want && lacks_room(rc)) { /* rather too much than nothing */
            set_aside(loop, record, true);
            return 0;
        }
        /* A descriptor that was closed while it was watched cannot be masked, only forgotten. */
        hoya_selector_unregister(loop->selector, record->fd);
        want = 0;
        rc = 0;
    }
    if (rc >= 0) record->registered = (uint16_t)want;
    return rc;
}

void hoya_watch_put_back(hoya_loop *loop, hoya_fd_record *record)
{
    set_aside(loop, record, false);
    int rc = hoya_watch_update(loop, record);
    if (rc >= 0) return;
    if (lacks_room(rc)) {
        set_aside(loop, record, true);
        return;
    }
    /* The descriptor was closed inside its own callback's nested loop: nobody can watch it any more. */
    hoya_loop_report(loop, rc, record->fd,
                     "a watched descriptor was closed; remove its reader and writer before closing it");
}

void hoya_watch_retry(hoya_loop *loop)
{
    if (hoya_likely(!loop->aside)) return;
    for (size_t fd = 0; fd < loop->records_size; fd++) {
        hoya_fd_record *record = loop->records[fd];
        if (record && record->aside) hoya_watch_put_back(loop, record);
    }
}

void hoya_watch_end(hoya_loop *loop, hoya_fd_record *record)
{
    if (record->registered) hoya_selector_unregister(loop->selector, record->fd);
    record->registered = 0;
    loop->records[record->fd] = NULL;
    loop->stats.watches--;
    if (loop->lone == record) loop->lone = NULL;
    set_aside(loop, record, false);
}

int hoya_watch_adopt(hoya_loop *loop, hoya_selector *per_fd)
{
    int rc = hoya_selector_host_adopt(per_fd, loop->wake_fd, HOYA_IN, &loop->wake_fd);
    if (rc >= 0 && loop->timer_fd != HOYA_INVALID_FD)
        rc = hoya_selector_host_adopt(per_fd, loop->timer_fd, HOYA_IN, &loop->timer_fd);
    for (size_t fd = 0; rc >= 0 && fd < loop->records_size; fd++) {
        hoya_fd_record *record = loop->records[fd];
        if (record && record->registered)
            rc = hoya_selector_host_adopt(per_fd, (hoya_fd)fd, record->registered, record);
    }
    return rc;
}

void hoya_watch_close(hoya_loop *loop)
{
    for (size_t fd = 0; fd < loop->records_size; fd++)
        if (loop->records[fd]) loop->records[fd]->class->close(loop, loop->records[fd]);
    hoya_free(loop->records);
    loop->records = NULL;
    loop->records_size = 0;
}

/* ---- the application's record: a reader and a writer ------------------------------------------------------- */

/* There is one exactly while there is a reader or a writer. */
typedef struct watch {
    hoya_fd_record record;
    hoya_handle *sides[2];
} watch;
enum { READER = HOYA_SIDE_READER, WRITER = HOYA_SIDE_WRITER };
static const char *const names[2] = {"reader", "writer"};

static bool waits(const hoya_handle *side)
{
    return side && side->kind == HOYA_HANDLE_WAIT;
}

static uint32_t wants(const hoya_fd_record *record)
{
    const watch *w = (const watch *)record;
    uint32_t want = 0;
    for (int side = 0; side < 2; side++)
        if (w->sides[side] && !w->sides[side]->blocked) want |= asks[side];
    return want;
}

static void found(hoya_loop *loop, hoya_fd_record *record, uint32_t events)
{
    watch *w = (watch *)record;
    bool changed = false;
    for (int side = 0; side < 2; side++) {
        hoya_handle *handle = w->sides[side];
        uint32_t seen = events & wakes[side];
        if (!handle || !seen) continue;
        if (handle->running) {
            handle->blocked = changed = true;
            continue;
        }
        handle->of.fd.events |= seen;
        if (hoya_unlikely(handle->kind == HOYA_HANDLE_WAIT)) {
            handle->fn.soon(handle->arg);
            continue;
        }
        if (handle->queued) continue;
        hoya_handle_ref(handle);
        hoya_handle_queue(loop, handle);
    }
    if (changed) hoya_watch_update(loop, record);
}

static void free_if_empty(hoya_loop *loop, watch *w)
{
    if (w->sides[0] || w->sides[1]) return;
    hoya_watch_end(loop, &w->record);
    hoya_free(w);
}

static void close_watch(hoya_loop *loop, hoya_fd_record *record)
{
    watch *w = (watch *)record;
    hoya_handle *sides[2] = {w->sides[0], w->sides[1]};
    w->sides[0] = w->sides[1] = NULL;
    free_if_empty(loop, w);
    for (hoya_handle **side = sides; side < sides + 2; side++) {
        if (waits(*side)) (*side)->loop = NULL;
        else if (*side) hoya_handle_retire(loop, *side);
    }
}

static hoya_description describe(const hoya_fd_record *record, int side)
{
    const hoya_handle *handle = ((const watch *)record)->sides[side];
    return handle ? hoya_handle_describe(handle) : (hoya_description){.what = NULL};
}

static const hoya_fd_class watch_class = {wants, found, close_watch, NULL, describe};

static int get_watch(hoya_loop *loop, hoya_fd fd, watch **out)
{
    hoya_fd_record *record = find(loop, fd);
    watch *w = (watch *)record;
    if (!record) {
        w = hoya_new(watch);
        if (!w) return HOYA_ENOMEM;
        int rc = hoya_watch_begin(loop, &w->record, &watch_class, fd);
        if (rc < 0) {
            hoya_free(w);
            return rc;
        }
    }
    *out = w;
    return 0;
}

/* The application's, or none. */
static watch *find_watch(const hoya_loop *loop, hoya_fd fd)
{
    hoya_fd_record *record = find(loop, fd);
    return record && record->class == &watch_class ? (watch *)record : NULL;
}

static int add(hoya_loop *loop, hoya_fd fd, int side, bool replace, hoya_fd_callback fn, void *arg,
               hoya_destroy destroy, const void *place)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && !fn) rc = hoya_error_set(HOYA_EINVAL, "a %s without a function", names[side]);
    if (rc >= 0 && fd < 0) rc = hoya_error_set(HOYA_EBADF, "descriptor %d is negative", fd);
    watch *w = rc >= 0 ? find_watch(loop, fd) : NULL;
    if (rc >= 0 && !w && find(loop, fd))
        rc = hoya_error_set(HOYA_EBUSY, "descriptor %d is a transport's or a server's", fd);
    if (w && waits(w->sides[side])) rc = hoya_error_set(HOYA_EBUSY, "a task waits for descriptor %d", fd);
    if (rc >= 0 && w && w->sides[side] && !replace)
        rc = hoya_error_set(HOYA_EEXIST, "descriptor %d has a %s already", fd, names[side]);
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    hoya_handle *handle =
        hoya_handle_new(loop, side == READER ? HOYA_HANDLE_READER : HOYA_HANDLE_WRITER, arg, destroy, place);
    if (!handle) {
        hoya_ring_unreserve(&loop->ready, 1);
        return HOYA_ENOMEM;
    }
    handle->fn.fd = fn;
    handle->of.fd.fd = fd;

    rc = get_watch(loop, fd, &w);
    if (rc < 0) {
        hoya_handle_retire(loop, handle);
        return rc;
    }
    hoya_handle *old = w->sides[side];
    w->sides[side] = handle;
    rc = hoya_watch_update(loop, &w->record);
    if (rc < 0) {
        w->sides[side] = old;
        free_if_empty(loop, w);
        hoya_handle_retire(loop, handle);
        return rc;
    }
    if (old) hoya_handle_retire(loop, old);
    if (hoya_unlikely(hoya_loop_debugs(loop))) hoya_debug_watched(loop, fd);
    hoya_loop_rearm(loop);
    return 0;
}

static int remove_side(hoya_loop *loop, hoya_fd fd, int side)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc == HOYA_ECLOSED ? 0 : rc;
    watch *w = find_watch(loop, fd);
    hoya_handle *handle = w ? w->sides[side] : NULL;
    if (!handle || waits(handle)) return 0;
    w->sides[side] = NULL;
    hoya_watch_update(loop, &w->record);
    free_if_empty(loop, w);
    hoya_handle_retire(loop, handle);
    hoya_loop_rearm(loop);
    return 1;
}

void hoya_watch_returned(hoya_loop *loop, hoya_handle *handle)
{
    if (hoya_likely(!handle->blocked)) return;
    handle->blocked = false;
    hoya_watch_put_back(loop, find(loop, handle->of.fd.fd));
}

int hoya_loop_add_reader(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg, hoya_destroy destroy)
{
    return add(loop, fd, READER, false, fn, arg, destroy, HOYA_CALLER());
}

int hoya_loop_replace_reader(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg, hoya_destroy destroy)
{
    return add(loop, fd, READER, true, fn, arg, destroy, HOYA_CALLER());
}

int hoya_loop_remove_reader(hoya_loop *loop, hoya_fd fd)
{
    return remove_side(loop, fd, READER);
}

int hoya_loop_add_writer(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg, hoya_destroy destroy)
{
    return add(loop, fd, WRITER, false, fn, arg, destroy, HOYA_CALLER());
}

int hoya_loop_replace_writer(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg, hoya_destroy destroy)
{
    return add(loop, fd, WRITER, true, fn, arg, destroy, HOYA_CALLER());
}

int hoya_loop_remove_writer(hoya_loop *loop, hoya_fd fd)
{
    return remove_side(loop, fd, WRITER);
}

/* ---- a side of somebody's who waits ------------------------------------------------------------------------- */

int hoya_watch_check_side(const hoya_loop *loop, hoya_fd fd, hoya_watch_side side)
{
    if (fd < 0) return hoya_error_set(HOYA_EBADF, "descriptor %d is negative", fd);
    if (hoya_likely(!find(loop, fd))) return 0;
    const watch *w = find_watch(loop, fd);
    if (!w) return hoya_error_set(HOYA_EBUSY, "descriptor %d is a transport's or a server's", fd);
    if (waits(w->sides[side]))
        return hoya_error_set(HOYA_EBUSY, "another task %s descriptor %d",
                              side == HOYA_SIDE_READER ? "reads" : "writes", fd);
    return w->sides[side] ? hoya_error_set(HOYA_EBUSY, "descriptor %d has a %s", fd, names[side]) : 0;
}

int hoya_watch_claim_side(hoya_loop *loop, hoya_handle *wait, hoya_fd fd, hoya_watch_side side, hoya_callback queue,
                          void *arg, const void *place)
{
    watch *w;
    int rc = get_watch(loop, fd, &w);
    if (rc < 0) return rc;
    hoya_handle_init(wait, loop, HOYA_HANDLE_WAIT, arg, NULL, place);
    wait->fn.soon = queue;
    wait->of.fd.fd = fd;
    wait->blocked = true;
    w->sides[side] = wait;
    if (hoya_unlikely(hoya_loop_debugs(loop))) hoya_debug_watched(loop, fd);
    return 0;
}

int hoya_watch_listen(hoya_handle *wait, bool on)
{
    hoya_loop *loop = wait->loop;
    if (!loop || wait->blocked == !on) return 0;
    wait->blocked = !on;
    int rc = hoya_watch_update(loop, find(loop, wait->of.fd.fd));
    if (rc < 0) wait->blocked = true;
    else hoya_loop_rearm(loop);
    return rc;
}

void hoya_watch_release_side(hoya_handle *wait)
{
    hoya_loop *loop = wait->loop;
    if (!loop) return;
    watch *w = find_watch(loop, wait->of.fd.fd);
    w->sides[w->sides[READER] == wait ? READER : WRITER] = NULL;
    hoya_watch_update(loop, &w->record);
    free_if_empty(loop, w);
    hoya_loop_rearm(loop);
}
