/* SPDX-License-Identifier: MIT
 *
 * future/chain.c: two futures, chained.
 *
 * On one thread: a link with a callback on either end, each of which has a reference to it. The link holds the
 * destination; the source is held by whoever is to complete it. Either callback takes the other one back when it has
 * run, or was dropped.
 *
 * On two threads: a thread future in the middle, with a bridge (bridge.c) to each of the two. Each bridge is built on
 * its own future's thread: one here, the other by a post.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "future/future.h"
#include "loop/loop.h"

/* ---- one thread ---------------------------------------------------------------------------------------- */

typedef struct chain_link {
    int refs;
    hoya_future *source;      /* NULL when its callback is gone */
    hoya_future *destination; /* the same; a reference */
    hoya_handle *of_source, *of_destination;
} chain_link;

static void unref(chain_link *l)
{
    if (--l->refs) return;
    hoya_handle_unref(l->of_source);
    hoya_handle_unref(l->of_destination);
    hoya_free(l);
}

static void take_back(hoya_handle *handle)
{
    if (handle) hoya_handle_cancel(handle);
}

static void on_source_done(hoya_future *source, void *arg)
{
    chain_link *l = arg;
    hoya_future *destination = l->destination;
    if (!destination || hoya_future_done(destination)) return;
    hoya_future_ref(destination);
    take_back(l->of_destination);
    hoya_future_complete(destination, hoya_future_hand_on(source));
    hoya_future_unref(destination);
}

static void on_destination_done(hoya_future *destination, void *arg)
{
    chain_link *l = arg;
    if (l->source && hoya_future_cancelled(destination) && !hoya_future_done(l->source))
        hoya_future_cancel(l->source, "its destination was cancelled");
}

/* After its callback has run, or instead. */
static void on_source_gone(void *arg)
{
    chain_link *l = arg;
    hoya_future *destination = l->destination ? hoya_future_ref(l->destination) : NULL;
    l->source = NULL;
    take_back(l->of_destination);
    if (destination && !hoya_future_done(destination)) hoya_future_cancel(destination, "its source was let go");
    hoya_future_unref(destination);
    unref(l);
}

static void on_destination_gone(void *arg)
{
    chain_link *l = arg;
    hoya_future *destination = l->destination;
    l->destination = NULL;
    take_back(l->of_source);
    hoya_future_unref(destination);
    unref(l);
}

static int chain_here(hoya_future *source, hoya_future *destination)
{
    chain_link *l = hoya_new(chain_link);
    if (!l) return HOYA_ENOMEM;
    l->refs = 2; /* this function's, and that of the callback that is made next */
    int rc = hoya_future_add_done_callback(source, on_source_done, l, on_source_gone, &l->of_source);
    if (rc >= 0) {
        l->source = source;
        l->refs++;
        rc = hoya_future_add_done_callback(destination, on_destination_done, l, on_destination_gone,
                                           &l->of_destination);
    }
    if (rc >= 0) l->destination = hoya_future_ref(destination);
    unref(l);
    return rc;
}

/* ---- two threads --------------------------------------------------------------------------------------- */

/* The far end, on its way to its thread. */
typedef struct far_end {
    hoya_future *future; /* borrowed; NULL when it has been reached */
    hoya_thread_future *middle;
    hoya_bridge_direction direction;
} far_end;

static void reach(void *arg)
{
    far_end *far = arg;
    int rc = hoya_bridge(far->future, far->middle, far->direction, NULL);
    if (rc < 0 && far->direction == HOYA_BRIDGE_FROM_THREADS)
        hoya_future_set_exception(far->future, rc, hoya_error_detail());
    else if (rc < 0) hoya_thread_future_set_exception(far->middle, rc, hoya_error_detail());
    far->future = NULL;
}

static void far_end_gone(void *arg)
{
    far_end *far = arg;
    /* A source that was never reached will not come; a destination is dropped without an error. */
    if (far->future && far->direction == HOYA_BRIDGE_TO_THREADS)
        hoya_thread_future_cancel(far->middle, "its source's loop was closed");
    hoya_thread_future_unref(far->middle);
    hoya_free(far);
}

/* `near` is of this thread, and has the given direction. */
static int chain_far(hoya_future *near, hoya_future *far, hoya_bridge_direction direction)
{
    hoya_thread_future *middle;
    int rc = hoya_thread_future_new(&middle);
    if (rc < 0) return rc;
    far_end *end = hoya_new(far_end);
    if (!end) {
        hoya_thread_future_unref(middle);
        return HOYA_ENOMEM;
    }
    *end = (far_end){far, hoya_thread_future_ref(middle),
                     direction == HOYA_BRIDGE_TO_THREADS ? HOYA_BRIDGE_FROM_THREADS : HOYA_BRIDGE_TO_THREADS};
    hoya_loop *far_loop = hoya_future_get_loop(far);
    hoya_handle *bridge = NULL;
    rc = hoya_bridge(near, middle, direction, &bridge);
    if (rc < 0) {
        far_end_gone(end);
    } else {
        rc = hoya_loop_call_soon_threadsafe(far_loop, reach, end, far_end_gone, NULL);
        if (rc < 0) hoya_handle_cancel(bridge);
    }
    hoya_handle_unref(bridge);
    hoya_thread_future_unref(middle);
    return rc;
}

int hoya_future_chain(hoya_future *source, hoya_future *destination)
{
    if (!source || !destination || source == destination)
        return hoya_error_set(HOYA_EINVAL, "a chain needs two different futures");
    int rc = hoya_future_check_alone(destination);
    if (rc < 0) return rc;
    bool source_here = hoya_loop_on_thread(hoya_future_get_loop(source));
    bool destination_here = hoya_loop_on_thread(hoya_future_get_loop(destination));
    if (source_here && destination_here) return chain_here(source, destination);
    if (source_here) return chain_far(source, destination, HOYA_BRIDGE_TO_THREADS);
    if (destination_here) return chain_far(destination, source, HOYA_BRIDGE_FROM_THREADS);
    return hoya_error_set(HOYA_ETHREAD, "neither of the futures is of this thread");
}
