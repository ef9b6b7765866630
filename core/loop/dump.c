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

typedef struct printer {
    void (*line)(const char *text, void *arg);
    void *arg;
} printer;

static void print(const printer *to, const char *format, ...) HOYA_PRINTF(2, 3);

static void print(const printer *to, const char *format, ...)
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

static void print_head(const printer *to, const hoya_loop *loop)
{
    char place[160];
    uint32_t caps = hoya_loop_host_caps(loop);
    print(to, "loop %p, from %s", (const void *)loop, hoya_code_name(loop->place, place, sizeof place));
    print(to, "  %s, %d dispatches on the stack%s", state(loop), loop->depth,
          hoya_loop_debugs(loop) ? ", debug" : "");
    print(to, "  host %s%s%s%s, selector %s%s", loop->host->ops->name, caps & HOYA_HOST_NESTS ? ", nests" : "",
          caps & HOYA_HOST_BEFORE_BLOCK ? ", asks before it blocks" : "",
          loop->absent ? ", waiting for another one" : "", hoya_loop_selector_name(loop),
          loop->selector == loop->own_selector ? "" : ", each descriptor watched by the host");
    print(to, "  timers by %s", loop->timer_fd == HOYA_INVALID_FD ? "the host, or the wait" : "timerfd");
    print(to, "  %llu dispatches, %llu rounds, %llu callbacks, %llu events, %llu wake-ups, %llu kicks, %llu cut",
          (unsigned long long)loop->stats.dispatches, (unsigned long long)loop->stats.rounds,
          (unsigned long long)loop->stats.callbacks, (unsigned long long)loop->stats.events,
          (unsigned long long)loop->stats.wakeups, (unsigned long long)loop->stats.kicks,
          (unsigned long long)loop->stats.cut);
    print(to, "  timers at most %lld us late", (long long)loop->stats.timer_lag_max / 1000);
}

static void print_handle(const printer *to, const hoya_handle *handle, const char *before)
{
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_description_text(hoya_handle_describe(handle), text, sizeof text);
    print(to, "    %s%s%s%s%s", before, text, handle->queued ? " (queued)" : "",
          handle->running ? " (running)" : "", handle->blocked ? " (blocked)" : "");
}

static void print_queue(const printer *to, const hoya_loop *loop)
{
    char text[HOYA_DESCRIPTION_SIZE];
    print(to, "  queued: %llu", (unsigned long long)hoya_ring_count(&loop->ready));
    for (uint64_t i = loop->ready.head; i != loop->ready.tail; i++) {
        hoya_description of = hoya_entry_describe(loop->ready.entries[i & (loop->ready.capacity - 1)]);
        if (of.live) print(to, "    %s", hoya_description_text(of, text, sizeof text));
        else print(to, "    a cancelled %s", of.what);
    }
}

static void print_timers(const printer *to, const hoya_loop *loop)
{
    int64_t now = hoya_loop_time(loop);
    print(to, "  timers: %zu", loop->timers.count);
    for (size_t i = 0; i < loop->timers.count; i++) {
        const hoya_handle *handle = hoya_timer_at(loop, i);
        char when[48];
        int64_t left = hoya_time_until(now, handle->of.timer.when);
        if (left == HOYA_NEVER) snprintf(when, sizeof when, "never: ");
        else if (left == 0) snprintf(when, sizeof when, "due: ");
        else snprintf(when, sizeof when, "in %.6f s: ", (double)left / 1e9);
        print_handle(to, handle, when);
    }
}

static void print_waiters(const printer *to, const hoya_loop *loop)
{
    size_t count = 0;
    for (hoya_list *node = loop->waiters.next; node != &loop->waiters; node = node->next) count++;
    print(to, "  waiting for futures: %zu", count);
    for (hoya_list *node = loop->waiters.next; node != &loop->waiters; node = node->next)
        print_handle(to, &HOYA_WAITER_OF_LOOP(node)->handle, "");
}

static void print_watches(const printer *to, const hoya_loop *loop)
{
    print(to, "  descriptors: %llu", (unsigned long long)loop->stats.watches);
    for (size_t fd = 0; fd < loop->records_size; fd++)
        for (int side = 0; loop->records[fd] && side < 2; side++) {
            char number[24];
            snprintf(number, sizeof number, "%zu: ", fd);
            if (loop->records[fd]->sides[side]) print_handle(to, loop->records[fd]->sides[side], number);
        }
}

static void print_signals(const printer *to, const hoya_loop *loop)
{
    print(to, "  signals: %d", __builtin_popcountll(loop->signals));
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
    printer to = {line, arg};
    print_head(&to, loop);
    print_queue(&to, loop);
    pthread_mutex_lock(&loop->inbox_lock);
    size_t posts = loop->inbox_count + loop->batch_count - loop->batch_at;
    pthread_mutex_unlock(&loop->inbox_lock);
    print(&to, "  posts on their way: %zu", posts);
    print_timers(&to, loop);
    print_waiters(&to, loop);
    print_watches(&to, loop);
    print_signals(&to, loop);
    return 0;
}
