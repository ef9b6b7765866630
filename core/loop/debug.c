/* SPDX-License-Identifier: MIT
 *
 * loop/debug.c: debug mode: slow callbacks, descriptors that were closed while they are watched or whose end nobody
 * handles, and what is left in a loop that is closed, each named with its place in the program. Nothing here changes what the
 * loop does, but that each round looks (decision 007); where memory is short, it says less.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/sys.h"
#include "loop/waiter.h"
#include "loop/watch.h"

#define CHECKS 256     /* descriptors checked a look */
#define IDLE_LOOKS 100 /* so often a descriptor at its end is found again before that is told */
#define LEFT_LINES 20  /* how much of what is left open is told one by one */

/* ---- names ---------------------------------------------------------------------------------------------- */

const char *hoya_code_name(const void *address, char *text, size_t size)
{
    Dl_info info;
    if (!address) {
        snprintf(text, size, "an unknown place");
    } else if (!dladdr(address, &info) || !info.dli_fname) {
        snprintf(text, size, "[%p]", address);
    } else {
        const char *file = strrchr(info.dli_fname, '/');
        const char *name = info.dli_sname ? info.dli_sname : "";
        const char *from = info.dli_sname ? info.dli_saddr : info.dli_fbase; /* addr2line knows both */
        snprintf(text, size, "%s(%s+0x%zx) [%p]", file ? file + 1 : info.dli_fname, name,
                 (size_t)((const char *)address - (const char *)from), address);
    }
    return text;
}

hoya_description hoya_entry_describe(hoya_ring_entry entry)
{
    if (entry.fn) return (hoya_description){"call_soon callback", (uintptr_t)entry.fn, NULL, .live = true};
    const hoya_runnable *runnable = entry.arg;
    return runnable->class->describe(runnable);
}

const char *hoya_description_text(hoya_description of, char *text, size_t size)
{
    char function[160], place[160];
    snprintf(text, size, "%s %s, from %s", of.what,
             hoya_code_name((const void *)of.function, function, sizeof function),
             hoya_code_name(of.place, place, sizeof place));
    return text;
}

/* ---- slow callbacks -------------------------------------------------------------------------------------- */

bool hoya_debug_run(hoya_loop *loop, hoya_ring_entry entry)
{
    hoya_description of = hoya_entry_describe(entry); /* the object may be gone after the run */
    int64_t start = hoya_loop_time(loop);
    bool ran = hoya_entry_run(loop, entry);
    int64_t took = hoya_loop_time(loop) - start;
    loop->stats.callback_time += took;
    if (!ran || took < loop->slow_callback_duration) return ran;
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    hoya_log(&sink, HOYA_LOG_WARNING, "Executing %s, took %.3f seconds",
             hoya_description_text(of, text, sizeof text), (double)took / 1e9);
    return ran;
}

/* ---- descriptors that were closed while they are watched -------------------------------------------------- */

/* What stood behind a number when it was added. Descriptors of one anonymous kind (eventfd, epoll) look alike: of
 * those, one that was replaced by another is not noticed, one that is closed is. */
struct hoya_identity {
    dev_t device;
    ino_t inode;
    bool known, told;
    bool stream;      /* nothing unread is the end: a packet may be empty */
    int unread, idle; /* after the end of what there is to read: bytes, and looks in which they did not change */
};

static bool is_stream_socket(hoya_fd fd)
{
    int type;
    socklen_t size = sizeof type;
    return hoya_sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void hoya_debug_watched(hoya_loop *loop, hoya_fd fd)
{
    if ((size_t)fd >= loop->identities_size) {
        size_t size = loop->records_size; /* fd has a record */
        hoya_identity *identities = hoya_resize(loop->identities, size, sizeof *identities);
        if (!identities) return;
        memset(identities + loop->identities_size, 0, (size - loop->identities_size) * sizeof *identities);
        loop->identities = identities;
        loop->identities_size = size;
    }
    struct stat status;
    if (hoya_sys_fstat(fd, &status) < 0) loop->identities[fd] = (hoya_identity){0};
    else
        loop->identities[fd] = (hoya_identity){.device = status.st_dev,
                                               .inode = status.st_ino,
                                               .known = true,
                                               .stream = !S_ISSOCK(status.st_mode) || is_stream_socket(fd)};
}

static void tell_of(hoya_loop *loop, const hoya_fd_record *record, const char *what)
{
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    for (int side = 0; side < 2; side++) {
        hoya_description of = record->class->describe(record, side);
        if (!of.what) continue;
        char text[HOYA_DESCRIPTION_SIZE];
        hoya_description_text(of, text, sizeof text);
        hoya_log(&sink, HOYA_LOG_WARNING, "descriptor %d %s: %s", record->fd, what, text);
    }
}

static void check_watch(hoya_loop *loop, const hoya_fd_record *record)
{
    hoya_identity *was = (size_t)record->fd < loop->identities_size ? &loop->identities[record->fd] : NULL;
    if (!was || !was->known || was->told) return; /* added before debug mode, or told */
    struct stat is;
    bool closed = hoya_sys_fstat(record->fd, &is) < 0;
    if (!closed && is.st_dev == was->device && is.st_ino == was->inode) return;
    was->told = true;
    tell_of(loop, record,
            closed ? "was closed while it was watched"
                   : "was closed and opened as something else while it was watched");
}

/* A part of the table each look, so that a thousand descriptors do not cost a thousand calls each round. */
static void check_watches(hoya_loop *loop)
{
    size_t n = loop->records_size < CHECKS ? loop->records_size : CHECKS;
    for (; n; n--) {
        if (loop->next_check >= loop->records_size) loop->next_check = 0;
        const hoya_fd_record *record = loop->records[loop->next_check++];
        if (record) check_watch(loop, record);
    }
}

/* ---- descriptors at their end, which nobody reads or removes ------------------------------------------------ */

/* Readable without a byte is the end of a stream; after a hang-up nothing is added to what is there. Who handles
 * either of them removes the callback, or reads; who does neither is called for ever. */
static void check_end(hoya_loop *loop, const hoya_fd_record *record, uint32_t events)
{
    hoya_identity *is = (size_t)record->fd < loop->identities_size ? &loop->identities[record->fd] : NULL;
    int unread;
    if (!is || !is->stream || is->idle >= IDLE_LOOKS || hoya_sys_count_unread(record->fd, &unread) < 0) return;
    bool at_end = events & HOYA_HUP || (events & HOYA_IN && unread == 0);
    is->idle = at_end && unread == is->unread ? is->idle + 1 : 0;
    is->unread = unread;
    if (is->idle == IDLE_LOOKS) tell_of(loop, record, "is at its end, and is neither read nor removed");
}

/* ---- a wait that nothing will end --------------------------------------------------------------------------- */

static bool expects_something(hoya_loop *loop)
{
    if (loop->host != loop->native) return true; /* its own work is not ours to know */
    if (hoya_ring_count(&loop->ready) || loop->timers.count || loop->stats.watches || loop->signals) return true;
    return hoya_inbox_expects(loop) || atomic_load(&loop->stopping);
}

/* Once a loop: another thread may be about to post, which nobody can know. */
static void check_stuck(hoya_loop *loop, int64_t timeout)
{
    if (timeout != HOYA_NEVER || loop->told_stuck || expects_something(loop)) return;
    for (const hoya_slot *slot = loop->slots; slot < loop->slots + HOYA_SLOTS; slot++)
        if (slot->stuck && slot->stuck(loop)) loop->told_stuck = true;
}

int hoya_debug_select(hoya_loop *loop, int64_t timeout, hoya_selector_event *events, int max)
{
    check_watches(loop);
    check_stuck(loop, timeout);
    int64_t start = hoya_loop_time(loop);
    int n = hoya_selector_select(loop->selector, timeout, events, max);
    loop->stats.select_time += hoya_loop_time(loop) - start;
    for (int i = 0; i < n; i++)
        if (events[i].data != &loop->timer_fd && events[i].data != &loop->wake_fd)
            check_end(loop, events[i].data, events[i].events);
    return n;
}

/* ---- what is left open ------------------------------------------------------------------------------------ */

static void tell_left(hoya_loop *loop, size_t *told, hoya_description of)
{
    if (++*told > LEFT_LINES) return;
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    hoya_log(&sink, HOYA_LOG_WARNING, "left in a loop that is closed: %s",
             hoya_description_text(of, text, sizeof text));
}

static void tell_left_entry(hoya_loop *loop, size_t *told, hoya_ring_entry entry)
{
    hoya_description of = hoya_entry_describe(entry);
    if (of.live && !of.lasts) tell_left(loop, told, of);
}

void hoya_debug_close(hoya_loop *loop)
{
    hoya_free(loop->identities);
    loop->identities = NULL;
    loop->identities_size = 0;
    if (!hoya_loop_debugs(loop)) return;

    size_t told = 0;
    for (uint64_t i = loop->ready.head; i != loop->ready.tail; i++)
        tell_left_entry(loop, &told, loop->ready.entries[i & (loop->ready.capacity - 1)]);
    for (size_t i = loop->batch_at; i < loop->batch_count; i++) tell_left_entry(loop, &told, loop->batch[i]);
    for (size_t i = 0; i < loop->inbox_count; i++) tell_left_entry(loop, &told, loop->inbox[i]);
    for (size_t i = 0; i < loop->timers.count; i++)
        tell_left(loop, &told, hoya_handle_describe(hoya_timer_at(loop, i)));
    for (hoya_list *node = loop->waiters.next; node != &loop->waiters; node = node->next)
        tell_left(loop, &told, hoya_handle_describe(&HOYA_WAITER_OF_LOOP(node)->handle));
    for (size_t fd = 0; fd < loop->records_size; fd++)
        for (int side = 0; loop->records[fd] && side < 2; side++) {
            hoya_description of = loop->records[fd]->class->describe(loop->records[fd], side);
            if (of.what) tell_left(loop, &told, of);
        }
    for (uint64_t left = loop->signals; left; left &= left - 1)
        tell_left(loop, &told, hoya_handle_describe(loop->handlers[__builtin_ctzll(left) + 1]));
    if (!told) return;

    char place[160];
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    hoya_log(&sink, HOYA_LOG_WARNING, "%zu things were left in the loop from %s", told,
             hoya_code_name(loop->place, place, sizeof place));
}

/* ---- the switches ----------------------------------------------------------------------------------------- */

int hoya_loop_set_debug(hoya_loop *loop, int on)
{
    int rc = hoya_loop_enter(loop);
    if (rc < 0) return rc;
    atomic_store_explicit(&loop->debug, on, memory_order_relaxed);
    hoya_loop_doubt(loop);
    return 0;
}

int hoya_loop_get_debug(const hoya_loop *loop)
{
    int rc = hoya_loop_check_thread(loop);
    return rc < 0 ? rc : hoya_loop_debugs(loop);
}

int hoya_loop_set_slow_callback_duration(hoya_loop *loop, int64_t duration)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0 && duration < 0)
        rc = hoya_error_set(HOYA_EINVAL, "slow_callback_duration: %lld is negative", (long long)duration);
    if (rc >= 0) loop->slow_callback_duration = duration;
    return rc;
}

int64_t hoya_loop_get_slow_callback_duration(const hoya_loop *loop)
{
    int rc = hoya_loop_check_thread(loop);
    return rc < 0 ? rc : loop->slow_callback_duration;
}
