/* SPDX-License-Identifier: MIT
 *
 * loop/fork.c: a loop in the child of a fork. The child has a copy of the loop's memory, and shares with the parent
 * what stands behind its descriptors: the epoll set, the eventfd, the timerfd, the host's main loop. A DEL in the
 * child would take the parent's watch away, a write would wake the parent. So everything answers HOYA_ECHILD until
 * the loop is either made the child's own or closed; both give up the shared things by closing the child's names
 * for them, and nothing else.
 */
#include "base/error.h"
#include "base/fd.h"
#include "loop/loop.h"

/* Whoever held the lock does not exist here. If somebody did, the posts are half written: they stay the parent's. */
static void free_inbox_lock(hoya_loop *loop)
{
    if (pthread_mutex_trylock(&loop->inbox_lock) == 0) {
        pthread_mutex_unlock(&loop->inbox_lock);
        return;
    }
    loop->inbox = NULL;
    loop->inbox_count = loop->inbox_size = 0;
    pthread_mutex_init(&loop->inbox_lock, NULL);
}

/* What both ways have in common. May come twice. */
static int leave(hoya_loop *loop)
{
    atomic_store_explicit(&loop->owner, hoya_thread_self(), memory_order_relaxed);
    free_inbox_lock(loop);
    hoya_loop_fork_host(loop);
    loop->looked = false;
    return hoya_selector_after_fork(loop->own_selector);
}

void hoya_loop_leave_parent(hoya_loop *loop)
{
    leave(loop); /* without a set of its own the selector forgets its descriptors as well */
    loop->generation = hoya_fork_generation();
}

/* The old one is kept until the new one is in its place, so that this can be tried again. */
static int renew(hoya_loop *loop, hoya_fd *fd, int (*open_new)(void))
{
    if (*fd == HOYA_INVALID_FD) return 0;
    hoya_fd fresh = open_new();
    if (fresh < 0) return fresh;
    hoya_selector_unregister(loop->own_selector, *fd);
    int rc = hoya_selector_register(loop->own_selector, fresh, HOYA_IN | (loop->edge ? HOYA_EDGE : 0), fd);
    if (rc < 0) {
        hoya_fd_close(&fresh);
        return rc;
    }
    hoya_fd_close(fd);
    *fd = fresh;
    return 0;
}

static int serve_again(hoya_loop *loop)
{
    if (loop->host == loop->native) return hoya_timers_sync(loop);
    int rc = hoya_loop_begin_service(loop);
    if (rc >= 0) return 0;
    hoya_loop_report(loop, rc, HOYA_INVALID_FD, "the host refused its loop in a forked child; it is native");
    hoya_loop_let_host_go(loop);
    return hoya_timers_sync(loop);
}

int hoya_loop_after_fork(hoya_loop *loop)
{
    if (!loop || !hoya_loop_is_forked(loop)) return hoya_loop_enter(loop);
    if (hoya_loop_is_closed(loop)) return hoya_error_set(HOYA_ECLOSED, "the loop is closed");
    int rc = leave(loop);
    if (rc >= 0) rc = renew(loop, &loop->wake_fd, hoya_fd_open_event);
    if (rc >= 0) rc = renew(loop, &loop->timer_fd, hoya_fd_open_timer);
    if (rc < 0) return rc; /* still the parent's; may be tried again, or closed */

    loop->places_of_parent = loop->inbox_places;
    loop->armed_at = HOYA_NEVER;
    if (loop->watch.fd != HOYA_INVALID_FD) loop->watch.fd = hoya_selector_fileno(loop->own_selector);
    loop->generation = hoya_fork_generation();
    hoya_signals_after_fork(loop);
    atomic_store(&loop->wake_pending, false);
    hoya_loop_wakeup(loop); /* for what was posted before the fork */
    return serve_again(loop);
}
