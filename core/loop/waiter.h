/* SPDX-License-Identifier: MIT
 *
 * loop/waiter.h: a callback that waits for an object of a layer above: a future to be done. To the application it is a
 * hoya_handle like any other.
 *
 * It has its place in the ready ring from its birth, so that queueing it cannot fail. While it waits it stands in two
 * lists: its loop's, which drops it at the close, and its source's, which queues it. The source is borrowed while it
 * waits (it must drop its waiters before it goes), and referenced while it is queued.
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

typedef struct hoya_waiter {
    hoya_handle handle;
    hoya_list of_loop, of_source;
    const hoya_source_class *class;
    void *source;
} hoya_waiter;

/* At the end of the list `waiters` of a source; takes `arg`. On the loop's thread, the loop is open. */
int hoya_waiter_new(hoya_loop *loop, const hoya_source_class *class, void *source, hoya_list *waiters,
                    hoya_waiter_function fn, void *arg, hoya_destroy destroy, const void *place,
                    hoya_handle **handle);

/* Queues all of the list, in order; on a closed loop drops them. Needs no memory. */
void hoya_waiters_queue(hoya_loop *loop, hoya_list *waiters);
/* Drops those of the list that have this function and argument; NULL for all. Returns how many those were. */
int hoya_waiters_drop(hoya_list *waiters, hoya_waiter_function fn, void *arg);

/* Any of a loop's waiters. */
#define HOYA_WAITER_OF_LOOP(node) HOYA_CONTAINER_OF(node, hoya_waiter, of_loop)

#endif
