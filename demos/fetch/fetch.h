/* SPDX-License-Identifier: MIT
 *
 * fetch.h: many downloads at once; for a face, which is told of everything by callbacks of the loop (never inside
 * its own calls, and never on the stack of a task). Which main loop that is, nobody here knows.
 *
 * Texts are borrowed for the call. Results are hoya's: 0, or a negative code. Thread: the loop's.
 */
#ifndef DEMO_FETCH_FETCH_H
#define DEMO_FETCH_FETCH_H

#include <hoya/hoya.h>

HOYA_BEGIN_DECLS

typedef struct fetch fetch;           /* all of them */
typedef struct fetch_item fetch_item; /* one; lives until fetch_close's future is done */

typedef enum fetch_state {
    FETCH_WAITING, /* for its turn */
    FETCH_CONNECTING,
    FETCH_LOADING,
    FETCH_DONE,
    FETCH_CANCELLED,
    FETCH_FAILED
} fetch_state;

typedef struct fetch_figures {
    int64_t bytes;
    int64_t size; /* -1: not known yet */
    double speed; /* bytes a second, of the last second or so */
} fetch_figures;

/* A NULL member is not called. */
typedef struct fetch_face {
    /* text: why it failed; or "". */
    void (*state)(fetch_item *item, fetch_state state, const char *text, void *face);
    /* Some time after something has come, at most 30 times a second for all of them together, and now and then
     * while nothing comes: ask by fetch_item_figures and fetch_total. */
    void (*progress)(fetch *fetch, void *face);
    /* None is waiting or loading any more; may come again after a retry. */
    void (*finished)(fetch *fetch, void *face);
} fetch_face;

int fetch_new(hoya_loop *loop, const char *host, const char *port, const fetch_face *face, void *arg,
              fetch **fetch);

/* Begins soon; so many at once: fetch_set_limit, 8. The name is copied. Errors: HOYA_EINVAL (a name that is empty,
 * too long, or more than a line), HOYA_ESTATE (closed). */
int fetch_add(fetch *fetch, const char *name, void *user, fetch_item **item);
/* At least 1. Those that are loading go on, if it is less than there are. */
int fetch_set_limit(fetch *fetch, int at_once);

/* Cancels its task: what it has opened is closed. It is told by the state. Errors: HOYA_ESTATE (it has ended). */
int fetch_item_cancel(fetch_item *item);
/* Of one that has failed or was cancelled: from its beginning. Errors: HOYA_ESTATE (it is neither). */
int fetch_item_retry(fetch_item *item);

const char *fetch_item_name(const fetch_item *item);
fetch_state fetch_item_state(const fetch_item *item);
void *fetch_item_user(const fetch_item *item);
void fetch_item_figures(const fetch_item *item, fetch_figures *figures);
/* Of those that have neither failed nor been cancelled; the size as far as it is known. */
void fetch_total(const fetch *fetch, fetch_figures *figures);
/* In the order of their adding; until the next fetch_add. */
size_t fetch_items(const fetch *fetch, fetch_item *const **items);

/* Cancels all; freed when all has ended: *done (a new reference; may be NULL) is done then. Nothing is told from
 * here on. */
int fetch_close(fetch *fetch, hoya_future **done);

HOYA_END_DECLS

#endif
