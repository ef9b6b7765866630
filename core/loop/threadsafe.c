/* SPDX-License-Identifier: MIT
 *
 * loop/threadsafe.c: what other threads may do: post a callback, wake the loop, cancel what was posted.
 *
 * Posts go into an array under a mutex. The loop takes the array whole, once a look, so that its cache
 * lines change hands once a batch; the eventfd is written only when the array was empty and no wake is on
 * its way. Where the selector reports edges the eventfd is never read.
 *
 * Nothing is lost for want of memory: when the ready queue cannot grow for a batch, one entry stands for
 * all of it (its place was reserved when the loop was made) and runs one post a round until there is room
 * again.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "loop/handle.h"

/* ---- the handle ---------------------------------------------------------------------------------------- */

struct hoya_threadsafe_handle {
    hoya_runnable runnable;
    atomic_int refs;      /* the poster's, and the queue's */
    pthread_mutex_t lock; /* recursive, and held while the callback runs: that is what cancel waits for */
    unsigned generation;  /* of the process that the lock is of */
    hoya_callback fn;
    void *arg;
    hoya_destroy destroy;
    const void *place; /* the return address of the call that made it */
    bool pending, cancelled;
};

static void init_lock(hoya_threadsafe_handle *handle)
{
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&handle->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    handle->generation = hoya_fork_generation();
}

static void lock(hoya_threadsafe_handle *handle)
{
    /* In the child of a fork: whoever held it does not exist here. */
    if (hoya_unlikely(handle->generation != hoya_fork_generation())) init_lock(handle);
    pthread_mutex_lock(&handle->lock);
}

/* Takes the argument out, under the lock; the caller destroys it outside. */
static hoya_destroy take(hoya_threadsafe_handle *handle, void **arg)
{
    hoya_destroy destroy = handle->destroy;
    *arg = handle->arg;
    handle->destroy = NULL;
    handle->arg = NULL;
    return destroy;
}

static bool run_threadsafe(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_threadsafe_handle *handle = (hoya_threadsafe_handle *)runnable;
    (void)loop;
    lock(handle);
    bool run = handle->pending;
    handle->pending = false;
    if (run) handle->fn(handle->arg);
    void *arg;
    hoya_destroy destroy = take(handle, &arg);
    pthread_mutex_unlock(&handle->lock);
    hoya_destroy_arg(destroy, arg);
    hoya_threadsafe_handle_unref(handle);
    return run;
}

static int end_threadsafe(hoya_threadsafe_handle *handle, bool cancelled)
{
    lock(handle);
    bool in_time = handle->pending;
    void *arg = NULL;
    hoya_destroy destroy = in_time ? take(handle, &arg) : NULL;
    handle->pending = false;
    handle->cancelled |= in_time && cancelled;
    pthread_mutex_unlock(&handle->lock);
    hoya_destroy_arg(destroy, arg);
    return in_time;
}

static void drop_threadsafe(hoya_loop *loop, hoya_runnable *runnable)
{
    (void)loop;
    hoya_threadsafe_handle *handle = (hoya_threadsafe_handle *)runnable;
    end_threadsafe(handle, false);
    hoya_threadsafe_handle_unref(handle);
}

static hoya_description describe_threadsafe(const hoya_runnable *runnable)
{
    const hoya_threadsafe_handle *handle = (const hoya_threadsafe_handle *)runnable;
    return (hoya_description){"call_soon_threadsafe callback", (uintptr_t)handle->fn, handle->place,
                              .live = handle->pending};
}

static const hoya_runnable_class threadsafe_class = {run_threadsafe, drop_threadsafe, describe_threadsafe};

static hoya_threadsafe_handle *new_threadsafe(hoya_callback fn, void *arg, hoya_destroy destroy, const void *place)
{
    hoya_threadsafe_handle *handle = hoya_new_handle(sizeof *handle);
    if (!handle) return NULL;
    init_lock(handle);
    handle->runnable.class = &threadsafe_class;
    handle->fn = fn;
    handle->arg = arg;
    handle->destroy = destroy;
    handle->place = place;
    handle->pending = true;
    atomic_init(&handle->refs, 1);
    return handle;
}

hoya_threadsafe_handle *hoya_threadsafe_handle_ref(hoya_threadsafe_handle *handle)
{
    int before = atomic_fetch_add_explicit(&handle->refs, 1, memory_order_relaxed);
    hoya_check(before > 0, "a threadsafe handle was used after it was freed");
    (void)before;
    return handle;
}

void hoya_threadsafe_handle_unref(hoya_threadsafe_handle *handle)
{
    if (!handle) return;
    int before = atomic_fetch_sub_explicit(&handle->refs, 1, memory_order_acq_rel);
    hoya_check(before > 0, "a threadsafe handle was unreferenced once too often");
    if (before != 1) return;
    pthread_mutex_destroy(&handle->lock);
    hoya_free_handle(handle);
}

int hoya_threadsafe_handle_cancel(hoya_threadsafe_handle *handle)
{
    return end_threadsafe(handle, true);
}

int hoya_threadsafe_handle_cancelled(hoya_threadsafe_handle *handle)
{
    lock(handle);
    bool cancelled = handle->cancelled;
    pthread_mutex_unlock(&handle->lock);
    return cancelled;
}

/* ---- waking -------------------------------------------------------------------------------------------- */

int hoya_loop_wakeup(hoya_loop *loop)
{
    /* No details: this may be a signal handler. */
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return HOYA_ECHILD; /* it would wake the parent */
    if (atomic_load(&loop->closed)) return HOYA_ECLOSED;
    /* The descriptor lives as long as the loop's last reference, which the caller holds. */
    if (!atomic_exchange(&loop->wake_pending, true)) hoya_fd_signal_event(loop->wake_fd);
    return 0;
}

/* ---- posting ------------------------------------------------------------------------------------------- */

static int make_room(hoya_ring_entry **entries, size_t *size, size_t needed)
{
    if (needed <= *size) return 0;
    size_t more = *size ? *size : 64;
    while (more < needed) more *= 2;
    hoya_ring_entry *moved = hoya_resize(*entries, more, sizeof *moved);
    if (!moved) return HOYA_ENOMEM;
    *entries = moved;
    *size = more;
    return 0;
}

/* For one more, beside those who have a place. Under the lock. */
static int make_room_for_post(hoya_loop *loop)
{
    return make_room(&loop->inbox, &loop->inbox_size, loop->inbox_count + loop->inbox_places + 1);
}

/* Under the lock. Those of the parent's are thought to go first. */
static void give_place_back(hoya_loop *loop)
{
    loop->inbox_places--;
    if (loop->places_of_parent > loop->inbox_places) loop->places_of_parent = loop->inbox_places;
}

static int post_from_outside(hoya_loop *loop, hoya_ring_entry entry, bool has_place)
{
    bool wake = false;
    pthread_mutex_lock(&loop->inbox_lock);
    /* Nothing else may be looked at once the loop is closed: its end goes on without the lock. */
    bool closed = atomic_load(&loop->closed);
    if (has_place && !closed) give_place_back(loop);
    int rc = closed ? hoya_error_set(HOYA_ECLOSED, "the loop is closed") : make_room_for_post(loop);
    if (rc >= 0) {
        /* Set under the lock: what the loop's own thread posts behind this one has to find it, to keep its order. */
        wake = loop->inbox_count == 0 && !atomic_exchange(&loop->wake_pending, true);
        loop->inbox[loop->inbox_count++] = entry;
    }
    pthread_mutex_unlock(&loop->inbox_lock);
    if (wake) hoya_fd_signal_event(loop->wake_fd); /* it lives as long as the caller's reference */
    return rc;
}

static int post_from_inside(hoya_loop *loop, hoya_ring_entry entry)
{
    int rc = hoya_loop_enter(loop);
    if (rc >= 0) rc = hoya_ring_reserve(&loop->ready, 1);
    if (rc < 0) return rc;
    hoya_inbox_keep_order(loop);
    hoya_ring_push(&loop->ready, entry.fn, entry.arg);
    hoya_loop_rearm(loop);
    return 0;
}

int hoya_inbox_reserve(hoya_loop *loop)
{
    pthread_mutex_lock(&loop->inbox_lock);
    int rc = make_room_for_post(loop);
    /* The two arrays change places: either has to do. */
    if (rc >= 0) rc = make_room(&loop->batch, &loop->batch_size, loop->inbox_places + 1);
    loop->inbox_places += rc >= 0;
    pthread_mutex_unlock(&loop->inbox_lock);
    hoya_loop_rearm(loop); /* that holds the application */
    return rc;
}

void hoya_inbox_unreserve(hoya_loop *loop)
{
    pthread_mutex_lock(&loop->inbox_lock);
    bool closed = atomic_load(&loop->closed);
    if (!closed) give_place_back(loop);
    pthread_mutex_unlock(&loop->inbox_lock);
    if (!closed) hoya_loop_rearm(loop); /* it holds it no longer */
}

bool hoya_inbox_expects(hoya_loop *loop)
{
    pthread_mutex_lock(&loop->inbox_lock);
    bool posts = loop->inbox_count || loop->batch_at < loop->batch_count;
    bool expects = posts || loop->inbox_places > loop->places_of_parent;
    pthread_mutex_unlock(&loop->inbox_lock);
    return expects;
}

int hoya_inbox_post(hoya_loop *loop, hoya_runnable *runnable)
{
    hoya_ring_entry entry = {NULL, runnable};
    /* From inside: in line with call_soon; by way of the place, should the queue be unable to grow. */
    bool inside = hoya_get_running_loop() == loop && post_from_inside(loop, entry) >= 0;
    if (!inside) return post_from_outside(loop, entry, true);
    hoya_inbox_unreserve(loop);
    return 0;
}

/* Inside the loop's own run or dispatch the queue is ours. Outside, being the owner is not enough: the maker of a loop may
 * be posting while the thread that is to run it begins to. */
static int offer(hoya_loop *loop, hoya_ring_entry entry)
{
    bool inside = hoya_get_running_loop() == loop;
    return inside ? post_from_inside(loop, entry) : post_from_outside(loop, entry, false);
}

int hoya_inbox_offer(hoya_loop *loop, hoya_runnable *runnable)
{
    if (hoya_unlikely(hoya_loop_is_forked(loop))) return hoya_loop_check_thread(loop);
    return offer(loop, (hoya_ring_entry){NULL, runnable});
}

static __attribute__((noinline)) int call_soon_threadsafe(hoya_loop *loop, hoya_callback fn, void *arg,
                                                          hoya_destroy destroy, hoya_threadsafe_handle **out,
                                                          const void *place)
{
    int rc = loop && fn ? 0 : hoya_error_set(HOYA_EINVAL, "call_soon_threadsafe without a loop or a function");
    if (rc >= 0 && hoya_unlikely(hoya_loop_is_forked(loop))) rc = hoya_loop_check_thread(loop);
    hoya_threadsafe_handle *handle = NULL;
    if (rc >= 0 && (destroy || out || hoya_loop_debugs(loop))) {
        handle = new_threadsafe(fn, arg, destroy, place);
        if (!handle) rc = HOYA_ENOMEM;
    }
    if (rc < 0) {
        hoya_destroy_arg(destroy, arg);
        return rc;
    }
    hoya_ring_entry entry = {handle ? NULL : fn, handle ? (void *)handle : arg};
    /* Before the post: the loop may have run and let go of it by the time this returns. */
    if (out) hoya_threadsafe_handle_ref(handle);
    rc = offer(loop, entry);
    if (rc < 0 && handle) {
        if (out) hoya_threadsafe_handle_unref(handle);
        drop_threadsafe(loop, &handle->runnable);
    } else if (out) {
        *out = handle;
    }
    return rc;
}

int hoya_loop_call_soon_threadsafe(hoya_loop *loop, hoya_callback fn, void *arg, hoya_destroy destroy,
                                   hoya_threadsafe_handle **out)
{
    /* The usual case, a bare post from another thread: straight to the inbox. */
    if (hoya_likely(loop && fn && !destroy && !out && !hoya_loop_on_thread(loop) && !hoya_loop_debugs(loop) &&
                    !hoya_loop_is_forked(loop)))
        return post_from_outside(loop, (hoya_ring_entry){fn, arg}, false);
    return call_soon_threadsafe(loop, fn, arg, destroy, out, HOYA_CALLER());
}

/* ---- the loop's side ----------------------------------------------------------------------------------- */

static void run_one_of_batch(void *arg)
{
    hoya_loop *loop = arg;
    hoya_ring_keep(&loop->ready); /* it is the batch's for good */
    loop->batch_queued = false;
    hoya_ring_entry entry = loop->batch[loop->batch_at++];
    hoya_loop_wakeup(loop); /* there is more, here or in the inbox: look again */
    hoya_entry_run(loop, entry);
}

/* False: it could not be moved whole. */
static bool move_batch(hoya_loop *loop)
{
    size_t n = loop->batch_count - loop->batch_at;
    if (!n) return true;
    if (loop->batch_queued) return false;
    if (hoya_ring_reserve(&loop->ready, n) < 0) {
        loop->batch_queued = true;
        hoya_ring_push(&loop->ready, run_one_of_batch, loop);
        return false;
    }
    for (; loop->batch_at < loop->batch_count; loop->batch_at++)
        hoya_ring_push(&loop->ready, loop->batch[loop->batch_at].fn, loop->batch[loop->batch_at].arg);
    return true;
}

void hoya_inbox_collect(hoya_loop *loop)
{
    if (!move_batch(loop)) return; /* what was left of the last one goes first */
    pthread_mutex_lock(&loop->inbox_lock);
    hoya_ring_entry *empty = loop->batch;
    size_t size = loop->batch_size;
    loop->batch = loop->inbox;
    loop->batch_size = loop->inbox_size;
    loop->batch_count = loop->inbox_count;
    loop->inbox = empty;
    loop->inbox_size = size;
    loop->inbox_count = 0;
    pthread_mutex_unlock(&loop->inbox_lock);
    loop->batch_at = 0;
    move_batch(loop);
}

static void drop_all(hoya_loop *loop, hoya_ring_entry *entries, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        hoya_runnable *runnable = entries[i].fn ? NULL : entries[i].arg;
        if (runnable) runnable->class->drop(loop, runnable);
    }
    hoya_free(entries);
}

void hoya_inbox_close(hoya_loop *loop)
{
    /* `closed` is set: nobody appends any more. */
    drop_all(loop, loop->batch, loop->batch_at, loop->batch_count);
    drop_all(loop, loop->inbox, 0, loop->inbox_count);
    loop->batch = loop->inbox = NULL;
    loop->batch_at = loop->batch_count = loop->inbox_count = 0;
    loop->batch_size = loop->inbox_size = 0;
}
