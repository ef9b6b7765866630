/* SPDX-License-Identifier: MIT
 *
 * tell.c: what the face is told. What happens to a download becomes a callback of the loop, with a copy of its
 * text: so the face is never called inside one of its own calls, may call everything, and opens its dialogs on the
 * thread's own stack, not on a task's. Callbacks run in the order in which they were made. Where there is no memory
 * for one, the face does not hear of it.
 *
 * Bytes come far more often than anybody can look: of those a timer tells, which goes while something is loading.
 */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK HOYA_MSEC(34)
enum { QUIET = 8 }; /* after so many ticks without news it is told all the same: speeds sink */

typedef struct news {
    fetch *me;
    fetch_item *item; /* NULL: all have ended */
    fetch_state state;
    char text[FETCH_TEXT];
} news;

static void deliver(void *arg)
{
    const news *n = arg;
    fetch *me = n->me;
    if (me->closed) return;
    if (n->item && me->face.state) me->face.state(n->item, n->state, n->text, me->arg);
    if (!n->item && me->face.finished && !me->active) me->face.finished(me, me->arg);
}

static void destroy(void *arg)
{
    news *n = arg;
    fetch_unref(n->me);
    free(n);
}

static void tell(fetch *me, fetch_item *item)
{
    news *n = me->closed ? NULL : calloc(1, sizeof *n);
    if (!n) return;
    n->me = me;
    n->item = item;
    if (item) {
        n->state = item->state;
        memcpy(n->text, item->why, sizeof n->text);
    }
    fetch_ref(me);
    hoya_loop_call_soon_full(me->loop, deliver, n, destroy, NULL);
}

void fetch_tell_state(fetch_item *item)
{
    tell(item->fetch, item);
}

void fetch_tell_finished(fetch *me)
{
    tell(me, NULL);
}

static void tick(void *arg)
{
    fetch *me = arg;
    me->quiet = me->news ? 0 : me->quiet + 1;
    if (me->closed || (!me->news && me->quiet % QUIET)) return;
    me->news = false;
    if (me->face.progress) me->face.progress(me, me->arg);
}

void fetch_tick(fetch *me, bool on)
{
    if (on && !me->ticking) {
        hoya_loop_call_every(me->loop, TICK, HOYA_MSEC(2), tick, me, NULL, &me->ticking);
    } else if (!on && me->ticking) {
        hoya_handle_cancel(me->ticking);
        hoya_handle_unref(me->ticking);
        me->ticking = NULL;
    }
}
