/* SPDX-License-Identifier: MIT
 *
 * future/combine.h: what the combinators of several futures have in common: gather.c, first.c, some.c.
 *
 * A combinator stands in the list of each pending part with a node of its own, and hears of its end inside the call that
 * completes it: that needs no memory and no place in the ready queue, and nothing of the application's runs. What it does
 * then to the other parts waits for its turn: cancelled inside that call, they would be told of before others have heard
 * what came first. One that may have to do so has the first of its own done callbacks for it.
 *
 * References go one way, from the combinator to its parts: while it is pending to all, and then to those whose values it
 * lends.
 */
#ifndef HOYA_FUTURE_COMBINE_H
#define HOYA_FUTURE_COMBINE_H

#include <hoya/combine.h>

#include "future/future.h"
#include "loop/waiter.h"

typedef struct hoya_combined hoya_combined;

typedef struct hoya_part {
    hoya_waiting waiting;
    hoya_combined *whole;
    hoya_future *future; /* a reference, or NULL */
} hoya_part;

/* What one part's end means: completes the whole, or does not. Not called once it is done. */
typedef void hoya_combined_decide(hoya_combined *whole, hoya_part *part);

struct hoya_combined {
    hoya_future future; /* first: a combinator is one */
    hoya_combined_decide *decide;
    hoya_handle *timer; /* NULL: none */
    hoya_handle *sweep; /* the callback that cancels what is left; NULL: it leaves the others alone */
    hoya_part *kept;    /* by that one, or the winner of a race; or NULL */
    const char *reason; /* which it gives */
    size_t count;
    size_t pending;   /* parts whose end has not been decided upon; the same future twice is one */
    unsigned options; /* flags of a gather, or a hoya_when */
    bool asked;       /* to end: the parts have been cancelled */
    bool late;        /* its time was up */
    hoya_part parts[];
};

/* How one behaves that is cancelled: its parts are, and it ends with the last of them. */
int hoya_combined_cancel_parts(hoya_future *future, const char *reason);
/* The same: it ends alone. */
int hoya_combined_cancel_alone(hoya_future *future, const char *reason);
/* Nothing leads to it any more; then it goes. */
void hoya_combined_leave(hoya_future *future);
void hoya_combined_free(hoya_future *future);

/* A pending one with its references, and `extra` bytes for each part behind all of them; waits for nothing yet. */
int hoya_combined_new(const hoya_future_class *class, hoya_loop *loop, hoya_future *const *futures, size_t count,
                      size_t extra, const void *place, hoya_combined **whole);

/* It may cancel parts at its end. */
int hoya_combined_may_cancel(hoya_combined *whole);

/* Waits for its parts; decides upon those that are done already, in their order. Cannot fail. */
void hoya_combined_begin(hoya_combined *whole, hoya_combined_decide *decide);

/* What comes first at the end, of one that may cancel: all parts but `kept` (or NULL) are let go soon, and those that are
 * pending then are cancelled. */
void hoya_combined_sweep(hoya_combined *whole, hoya_part *kept, const char *reason);

/* Completes it with a value, or with the outcome of a part, which is looked at by that. A cancel of it, too. */
void hoya_combined_end_value(hoya_combined *whole, void *value);
void hoya_combined_end_as(hoya_combined *whole, const hoya_part *part);
void hoya_combined_end_error(hoya_combined *whole, int code, const char *text);

/* Of one that is done: lets go of all parts but `kept` (or NULL) at once, and leaves them alone. */
void hoya_combined_let_go(hoya_combined *whole, const hoya_part *kept);

/* Somebody waits for the future: a callback, a task, a combinator. */
bool hoya_future_is_wanted(const hoya_future *future);

/* It is the callback of what comes then, for which somebody has asked. */
bool hoya_waiting_is_then(const hoya_waiting *waiting);

static inline bool hoya_part_is_pending(const hoya_part *part)
{
    return !hoya_list_is_empty(&part->waiting.of_source);
}

#endif
