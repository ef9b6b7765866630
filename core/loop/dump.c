/* SPDX-License-Identifier: MIT
 *
 * loop/dump.c: everything that a loop holds, as text. Reads the state that the other files write, and needs no memory:
 * a line is built on the stack.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "loop/waiter.h"
#include "loop/watch.h"

struct hoya_printer {
    void (*line)(const char *text, void *arg);
    void *arg;
};

void hoya_print(const hoya_printer *to, const char *format, ...)
{
    char text[HOYA_DESCRIPTION_SIZE + 100];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    to->line(text, to->arg);
}

static const char *state(const hoya_loop *loop)
{
    if (hoya_loop_is_closed(loop)) return "closed";
    if (hoya_loop_is_paused(loop)) return "paused";
    return loop->level ? "running" : loop->depth ? "dispatching" : "not running";
}

static void print_head(const hoya_printer *to, const hoya_loop *loop)
{
    char place[160];
    uint32_t caps = hoya_loop_host_caps(loop);
    hoya_print(to, "loop %p, from %s", (const void *)loop, hoya_code_name(loop->place, place, sizeof place));
    hoya_print(to, "  %s, %d dispatches on the stack%s", state(loop), loop->depth,
               hoya_loop_debugs(loop) ? ", debug" : "");
    hoya_print(to, "  host %s%s%s%s, selector %s%s", loop->host->ops->name, caps & HOYA_HOST_NESTS ? ", nests" : "",
               caps & HOYA_HOST_BEFORE_BLOCK ? ", asks before it blocks" : "",
               loop->absent ? ", waiting for another one" : "", hoya_loop_selector_name(loop),
               loop->selector == loop->own_selector ? "" : ", each descriptor watched by the host");
    hoya_print(to, "  timers by %s", loop->timer_fd == HOYA_INVALID_FD ? "the host, or the wait" : "timerfd");
    hoya_print(to,
               "  %llu dispatches, %llu rounds, %llu callbacks, %llu events, %llu wake-ups, %llu kicks, %llu cut",
               (unsigned long long)loop->stats.dispatches, (unsigned long long)loop->stats.rounds,
               (unsigned long long)loop->stats.callbacks, (unsigned long long)loop->stats.events,
               (unsigned long long)loop->stats.wakeups, (unsigned long long)loop->stats.kicks,
               (unsigned long long)loop->stats.cut);
    hoya_print(to, "  timers at most %lld us late", (long long)loop->stats.timer_lag_max / 1000);
}

static void print_description(const hoya_printer *to, hoya_description of, const char *before)
{
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_description_text(of, text, sizeof text);
    hoya_print(to, "    %s%s%s%s%s", before, text, of.queued ? " (queued)" : "", of.running ? " (running)" : "",
               of.blocked ? " (blocked)" : "");
}

static void print_handle(const hoya_printer *to, const hoya_handle *handle, const char *before)
{
    print_description(to, hoya_handle_describe(handle), before);
}

static void print_queue(const hoya_printer *to, const hoya_loop *loop)
{
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_print(to, "  queued: %llu", (unsigned long long)hoya_ring_count(&loop->ready));
    for (uint64_t i = loop->ready.head; i != loop->ready.tail; i++) {
        hoya_description of = hoya_entry_describe(loop->ready.entries[i & (loop->ready.capacity - 1)]);
        if (of.live) hoya_print(to, "    %s", hoya_description_text(of, text, sizeof text));
        else hoya_print(to, "    a cancelled %s", of.what);
    }
}

const char *hoya_when_text(const hoya_loop *loop, int64_t when, char *text, size_t size)
{
    int64_t left = hoya_time_until(hoya_loop_time(loop), when);
    if (left == HOYA_NEVER) snprintf(text, size, "never");
    else if (left == 0) snprintf(text, size, "due");
    else snprintf(text, size, "in %.6f s", (double)left / 1e9);
    return text;
}

static void print_timers(const hoya_printer *to, const hoya_loop *loop)
{
    hoya_print(to, "  timers: %zu", loop->timers.count);
    for (size_t i = 0; i < loop->timers.count; i++) {
        const hoya_handle *handle = hoya_timer_at(loop, i);
        char when[48], before[52];
        snprintf(before, sizeof before, "%s: ", hoya_when_text(loop, handle->of.timer.when, when, sizeof when));
        print_handle(to, handle, before);
    }
}

static void print_waiters(const hoya_printer *to, const hoya_loop *loop)
{
    size_t count = 0;
    for (hoya_list *node = loop->waiters.next; node != &loop->waiters; node = node->next) count++;
    hoya_print(to, "  waiting for futures: %zu", count);
    for (hoya_list *node = loop->waiters.next; node != &loop->waiters; node = node->next)
        print_handle(to, &HOYA_WAITER_OF_LOOP(node)->handle, "");
}

static void print_watches(const hoya_printer *to, const hoya_loop *loop)
{
    hoya_print(to, "  descriptors: %llu", (unsigned long long)loop->stats.watches);
    for (size_t fd = 0; fd < loop->records_size; fd++)
        for (int side = 0; loop->records[fd] && side < 2; side++) {
            hoya_description of = loop->records[fd]->class->describe(loop->records[fd], side);
            char number[24];
            snprintf(number, sizeof number, "%zu: ", fd);
            if (of.what) print_description(to, of, number);
        }
}

static void print_signals(const hoya_printer *to, const hoya_loop *loop)
{
    hoya_print(to, "  signals: %d", __builtin_popcountll(loop->signals));
    for (uint64_t left = loop->signals; left; left &= left - 1) {
        int signum = __builtin_ctzll(left) + 1;
        char number[24];
        snprintf(number, sizeof number, "%d: ", signum);
        print_handle(to, loop->handlers[signum], number);
    }
}

int hoya_loop_dump(hoya_loop *loop, void (*line)(const char *text, void *arg), void *arg)
{
    int rc = hoya_loop_check_thread(loop);
    if (rc >= 0 && !line) rc = hoya_error_set(HOYA_EINVAL, "dump without a function");
    if (rc < 0) return rc;
    hoya_printer to = {line, arg};
    print_head(&to, loop);
    print_queue(&to, loop);
    pthread_mutex_lock(&loop->inbox_lock);
    size_t posts = loop->inbox_count + loop->batch_count - loop->batch_at;
    pthread_mutex_unlock(&loop->inbox_lock);
    hoya_print(&to, "  posts on their way: %zu", posts);
    print_timers(&to, loop);
    print_waiters(&to, loop);
    print_watches(&to, loop);
    print_signals(&to, loop);
    for (const hoya_slot *slot = loop->slots; slot < loop->slots + HOYA_SLOTS; slot++)
        if (slot->dump) slot->dump(loop, &to);
    return 0;
}
