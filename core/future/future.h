/* SPDX-License-Identifier: MIT
 *
 * future/future.h: what the files of this layer, and those above it, know of a future beyond the public header.
 *
 * References: those of the application, and one for each done callback that is queued. A callback that still waits is
 * the future's (loop/waiter.h), and goes with it.
 */
#ifndef HOYA_FUTURE_FUTURE_H
#define HOYA_FUTURE_FUTURE_H

#include <hoya/future.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/check.h"
#include "base/list.h"
#include "base/live.h"
#include "future/outcome.h"

/* A future that is part of something else: a task, a job. */
typedef struct hoya_future_class {
    int (*cancel)(hoya_future *future, const char *reason);
    void (*free)(hoya_future *future); /* after the last unref: the memory, and what keeps the loop */
    const char *(*name)(const hoya_future *future);
    bool open; /* others may complete it, too */
    /* After the last unref, while it may still be touched: makes sure that nothing it waits for leads to it. Or NULL. */
    void (*leave)(hoya_future *future);
} hoya_future_class;

struct hoya_future {
    const hoya_future_class *class; /* NULL: it stands alone */
    hoya_loop *loop;                /* a reference, or what else keeps it */
    uint32_t refs;
    bool looked; /* somebody has seen the error, or nobody needs to */
    hoya_outcome outcome;
    hoya_list callbacks; /* waiters; empty once it is done */
    const void *place;   /* the return address of the call that made it */
};

/* For one that is embedded; takes a reference to the loop, or what else keeps that. */
static inline void hoya_future_init(hoya_future *future, const hoya_future_class *class, hoya_loop *loop,
                                    const void *place)
{
    *future = (hoya_future){.class = class, .loop = loop, .refs = 1, .place = place};
    hoya_list_init(&future->callbacks);
    hoya_live_add_future(1);
}

/* The public ref and unref, without a call. */
static inline void hoya_future_hold(hoya_future *future)
{
    hoya_check(future->refs > 0, "a future was used after it was freed");
    future->refs++;
}

void hoya_future_free(hoya_future *future); /* after the last reference */
static inline void hoya_future_drop(hoya_future *future)
{
    hoya_check(future->refs > 0, "a future was unreferenced once too often");
    if (--future->refs == 0) hoya_future_free(future);
}

/* The same of threads: a job. */
typedef struct hoya_thread_future_class {
    int (*cancel)(hoya_thread_future *future, const char *reason); /* any thread */
    void (*free)(hoya_thread_future *future);
} hoya_thread_future_class;

struct hoya_thread_future {
    const hoya_thread_future_class *class; /* NULL: it stands alone */
    atomic_int refs;
    unsigned generation; /* of the process that the lock is of */
    pthread_mutex_t lock;
    pthread_cond_t completed;
    bool running; /* its work has begun: too late for a cancel */
    hoya_outcome outcome;
    hoya_list callbacks;
};

/* For one that is embedded, in zeroed memory. */
void hoya_thread_future_init(hoya_thread_future *future, const hoya_thread_future_class *class);

/* HOYA_ESTATE for one that is part of something else: that decides what it is. */
int hoya_future_check_alone(const hoya_future *future);

/* Those that wait, if there are any. */
void hoya_future_tell(hoya_future *future);

/* Takes the outcome; clears it where it is too late, or the thread is wrong. */
int hoya_future_complete(hoya_future *future, hoya_outcome outcome);
/* Done, with the outcome that its owner has put there: for a future that is pending, on its thread; cannot fail. */
static inline void hoya_future_settle(hoya_future *future)
{
    future->outcome.done = true;
    if (!hoya_list_is_empty(&future->callbacks)) hoya_future_tell(future);
}

/* The outcome of one that is done, for the other end of a chain, which will answer for the error. */
hoya_outcome hoya_future_hand_on(hoya_future *future);

/* The same two for the future of threads. */
int hoya_thread_future_complete(hoya_thread_future *future, hoya_outcome outcome);
hoya_outcome hoya_thread_future_hand_on(hoya_thread_future *future);

/* future/bridge.c: chains a future, on its loop's thread, with the future of threads: as the source or as the
 * destination. Cancelling the handle (a new reference; may be NULL) takes the bridge down. */
typedef enum hoya_bridge_direction { HOYA_BRIDGE_FROM_THREADS, HOYA_BRIDGE_TO_THREADS } hoya_bridge_direction;
int hoya_bridge(hoya_future *future, hoya_thread_future *other, hoya_bridge_direction direction,
                hoya_handle **handle);

#endif
