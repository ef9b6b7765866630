/* SPDX-License-Identifier: MIT
 *
 * loop/handle.h: a callback's registration: call_soon_full's, a timer's, a repeating timer's, a waiter's (loop/waiter.h), one side of a
 * descriptor, or a signal's.
 *
 * References: the caller's (if it asked for the handle), and the loop's while the callback may still run
 * (as an entry of the ready queue, in the timer heap, among the waiters, in the descriptor's record, or in the table of
 * signals). The argument is destroyed exactly once, by hoya_handle_drop.
 */
#ifndef HOYA_LOOP_HANDLE_H
#define HOYA_LOOP_HANDLE_H

#include "loop/loop.h"

typedef enum hoya_handle_kind {
    HOYA_HANDLE_SOON,
    HOYA_HANDLE_TIMER,
    HOYA_HANDLE_WAITER,
    /* from here on: stays registered after a run, and keeps its place in the ring until it is removed */
    HOYA_HANDLE_READER,
    HOYA_HANDLE_WRITER,
    HOYA_HANDLE_SIGNAL,
    HOYA_HANDLE_REPEAT,
    /* in somebody else's memory: */
    HOYA_HANDLE_ALARM, /* in the heap alone */
    HOYA_HANDLE_WAIT   /* a descriptor's side for who waits: in its record alone */
} hoya_handle_kind;

struct hoya_handle {
    hoya_runnable runnable;
    hoya_loop *loop; /* NULL once the callback can run no more */
    union {
        hoya_callback soon;
        hoya_fd_callback fd;
        hoya_signal_callback signal;
        void (*waiter)(void);
    } fn;
    void *arg;
    hoya_destroy destroy;
    const void *place; /* the return address of the call that made it */
    uint32_t refs;
    uint8_t kind;
    bool queued : 1;    /* an entry of the ready queue points here */
    bool running : 1;   /* the callback is on the stack */
    bool cancelled : 1; /* cancelled in time */
    bool blocked : 1;   /* a descriptor's side, seen again while running: out of the selector until it returns */
    union {
        struct {
            hoya_heap_node node;
            int64_t when;
        } timer;
        struct {
            hoya_fd fd;
            uint32_t events;
        } fd;
        int signum;
    } of;
};

/* A handle with one reference, that takes `arg`: on failure it is destroyed. */
hoya_handle *hoya_handle_new(hoya_loop *loop, hoya_handle_kind kind, void *arg, hoya_destroy destroy,
                             const void *place);

/* The same in memory that is a handle in its first bytes (hoya_new_handle); cannot fail. */
void hoya_handle_init(hoya_handle *handle, hoya_loop *loop, hoya_handle_kind kind, void *arg, hoya_destroy destroy,
                      const void *place);

/* What a handle is as an entry of the ready queue. */
extern const hoya_runnable_class hoya_handle_class;

/* Ends the registration: no run begins after this. The argument goes now, or after the run that is on the
 * stack. */
void hoya_handle_drop(hoya_handle *handle);

/* What a cancel does to one that may still run; on the loop's thread, in a forked child, too. */
void hoya_handle_withdraw(hoya_handle *handle);

/* The same with its place and the loop's reference, for one that is not in the queue, or lasts (a descriptor's side, a
 * signal's handler). */
void hoya_handle_retire(hoya_loop *loop, hoya_handle *handle);

hoya_description hoya_handle_describe(const hoya_handle *handle);

/* Puts it into the ready queue, where it holds a place; the queue takes over a reference. */
void hoya_handle_queue(hoya_loop *loop, hoya_handle *handle);

/* Any of the loop's timers, in no order. */
static inline hoya_handle *hoya_timer_at(const hoya_loop *loop, size_t i)
{
    return HOYA_CONTAINER_OF(loop->timers.entries[i].node, hoya_handle, of.timer.node);
}

static inline void hoya_destroy_arg(hoya_destroy destroy, void *arg)
{
    if (!destroy) return;
    hoya_inline_begin();
    destroy(arg);
    hoya_inline_end();
}

/* loop/waiter.c: a waiter is called, named, and taken out of the lists in which it waits. */
void hoya_waiter_call(hoya_handle *handle);
const char *hoya_waiter_name(const hoya_handle *handle);
void hoya_waiter_unlink(hoya_handle *handle);

/* loop/watch.c: the callback of a descriptor has returned. */
void hoya_watch_returned(hoya_loop *loop, hoya_handle *handle);
/* loop/signal.c: the same for a signal. */
void hoya_signal_returned(hoya_loop *loop, hoya_handle *handle);
/* loop/repeat.c: the same for a repeating timer; and one is due. */
void hoya_repeat_returned(hoya_loop *loop, hoya_handle *handle);
void hoya_repeat_queue(hoya_loop *loop, hoya_handle *handle);

/* loop/timer.c: an alarm, for who has a place in the ready queue already, and zeroed memory for a handle: when it is due,
 * queue(arg) is called where due timers are looked for, in their order, to put what it has into the queue. */
int hoya_alarm_set(hoya_loop *loop, hoya_handle *alarm, int64_t when, hoya_callback queue, void *arg,
                   const void *place);
/* It goes off no more; needs no memory. Whether it had not gone off. */
bool hoya_alarm_clear(hoya_handle *alarm);

/* loop/timer.c: puts a timer, which has a place in the ring, into the heap; on failure both are given back. */
int hoya_timers_insert(hoya_loop *loop, hoya_handle *handle, int64_t when);

#endif
