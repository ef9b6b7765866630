/* SPDX-License-Identifier: MIT
 *
 * loop/waiter.h: what waits for an object of a layer above: for a future to be done. It stands in the list of its source,
 * which wakes all of them in order.
 *
 * A waiter is a callback, to the application a hoya_handle like any other: it has its place in the ready ring from its
 * birth, so that queueing it cannot fail. While it waits it stands in two lists: its loop's, which drops it at the close,
 * and its source's, which queues it. The source is borrowed while it waits (it must drop its waiters before it goes), and
 * referenced while it is queued.
 *
 * Somebody who has a place of his own (a task) needs no waiter, only the node of the source's list. He keeps the source
 * alive as long as he stands there, and the loop's close is his own business.
 */
#ifndef HOYA_LOOP_WAITER_H
#define HOYA_LOOP_WAITER_H

#include "loop/handle.h"

typedef void (*hoya_waiter_function)(void); /* its real type is the source's business */

typedef struct hoya_source_class {
    const char *what; /* "done callback", for texts */
    void (*ref)(void *source);
    void (*unref)(void *source);
    void (*call)(void *source, hoya_waiter_function fn, void *arg);
} hoya_source_class;

/* A node of a source's list. */
typedef struct hoya_waiting {
    hoya_list of_source;
    void (*wake)(struct hoya_waiting *waiting); /* out of the list already; needs no memory. NULL: a waiter's */
} hoya_waiting;

typedef struct hoya_waiter {
    hoya_handle handle;
    hoya_list of_loop;
    hoya_waiting waiting;
    const hoya_source_class *class;
    void *source;
} hoya_waiter;

/* At the end of the list `waiters` of a source; takes `arg`. On the loop's thread, the loop is open. */
int hoya_waiter_new(hoya_loop *loop, const hoya_source_class *class, void *source, hoya_list *waiters,
                    hoya_waiter_function fn, void *arg, hoya_destroy destroy, const void *place,
                    hoya_handle **handle);

/* At the end of the list; out of it by hoya_list_remove. */
static inline void hoya_waiting_begin(hoya_waiting *waiting, hoya_list *waiters)
{
    hoya_list_append(waiters, &waiting->of_source);
}

/* Queues or wakes all of the list, in order; on a closed loop drops them. Needs no memory. */
void hoya_waiters_queue(hoya_loop *loop, hoya_list *waiters);
/* Drops the callbacks of the list that have this function and argument; NULL for all; then nodes of
 * others leave the list, too. Returns how many those were. */
int hoya_waiters_drop(hoya_list *waiters, hoya_waiter_function fn, void *arg);

/* Any of a loop's waiters. */
#define HOYA_WAITER_OF_LOOP(node) HOYA_CONTAINER_OF(node, hoya_waiter, of_loop)

#endif
