/* SPDX-License-Identifier: MIT
 *
 * inside.h: what the files of the downloads have in common.
 *
 *     fetch.c     all of them: a group of tasks, and what faces call
 *     download.c  one of them: connect, ask, read; and how it ends
 *     tell.c      what the face is told, by callbacks
 */
#ifndef DEMO_FETCH_INSIDE_H
#define DEMO_FETCH_INSIDE_H

#include "fetch.h"
#include "meter.h"

#include <stdbool.h>

HOYA_BEGIN_DECLS

enum { FETCH_NAME = 200, FETCH_TEXT = 256 };

/* How long things may take; the tests have less patience. */
typedef struct fetch_patience {
    int64_t connect; /* to a connection */
    int64_t silence; /* from one piece to the next */
} fetch_patience;
extern fetch_patience fetch_patience_now;

struct fetch_item {
    fetch *fetch;
    void *user;
    char name[FETCH_NAME + 1];
    fetch_state state;
    int64_t bytes, size;
    fetch_meter meter;
    hoya_task *task;      /* ours, while it has not ended; NULL before the group is there, too */
    bool begun;           /* the task could be made */
    int code;             /* what came of it: 0, HOYA_ECANCELED, or a failure */
    char why[FETCH_TEXT]; /* that, as a text */
};

struct fetch {
    hoya_loop *loop;
    fetch_face face;
    void *arg;
    int refs;    /* the owner's, the task's, one of each download's task, and of each thing to tell */
    bool closed; /* nothing is told any more */
    bool over;   /* the task has ended */
    hoya_future *done;
    char host[256], port[32];

    hoya_group *group; /* the downloads'; NULL before the task's first step, and after its end */
    hoya_event *closing;
    hoya_semaphore *room; /* a permit for each that may load now */
    int limit;
    int debt; /* so many permits are not given back, because the limit was lowered */

    fetch_item **items;
    size_t count, space;
    int active; /* how many wait, connect or load */

    fetch_meter meter;
    hoya_handle *ticking; /* while some are active */
    bool news;            /* something has come since the last tick */
    int quiet;            /* so many ticks nothing has */
};

/* fetch.c */
void fetch_ref(fetch *me);
void fetch_unref(fetch *me);

/* download.c */
int fetch_begin(fetch_item *item); /* its task; the group is there */
void fetch_settle(fetch_item *item);

/* tell.c */
void fetch_tell_state(fetch_item *item);
void fetch_tell_finished(fetch *me);
void fetch_tick(fetch *me, bool on);

HOYA_END_DECLS

#endif
