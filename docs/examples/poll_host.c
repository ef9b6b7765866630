/* SPDX-License-Identifier: MIT
 *
 * poll_host.c: a complete host, and the main loop that it is for. docs/hosts.md explains it.
 *
 * The main loop asks each guest before it waits (HOYA_HOST_BEFORE_BLOCK), so the host needs no kick and no timer: arm
 * has nothing to do. What it watches is a list through the records' own scratch. A callback may do anything to the lists
 * (watch, detach, run the main loop again), so a turn reads them to the end before the first guest runs. poll reports
 * levels: what is left out now is found by the next turn.
 */
#include "poll_host.h"

#include <stdlib.h>
#include <time.h>

/* ---- the main loop -------------------------------------------------------------------------------------- */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return HOYA_SEC(time.tv_sec) + time.tv_nsec;
}

static int wait_until(int64_t deadline) /* for poll: milliseconds, rounded up */
{
    if (deadline == HOYA_NEVER) return -1;
    int64_t left = deadline == HOYA_NOW ? 0 : deadline - now();
    return left <= 0 ? 0 : left >= HOYA_SEC(3600) ? 3600000 : (int)((left + 999999) / 1000000);
}

static short to_poll(uint32_t mask)
{
    return (short)((mask & HOYA_IN ? POLLIN : 0) | (mask & HOYA_OUT ? POLLOUT : 0) |
                   (mask & HOYA_PRI ? POLLPRI : 0));
}

static poll_host *take_due(poll_loop *loop)
{
    poll_host *host = loop->hosts;
    while (host && !host->due) host = host->next;
    if (host) host->due = 0;
    return host;
}

static int turn(poll_loop *loop)
{
    int64_t deadline = loop->work ? loop->work(loop->arg) : HOYA_NEVER;
    nfds_t count = 0, i = 0;
    for (poll_host *host = loop->hosts; host;
         host = host->next) { /* after everything that may have called a loop */
        int64_t its = hoya_guest_deadline(host->guest);
        if (its < deadline) deadline = its;
        count += host->count;
    }

    struct pollfd fds[count + 1];
    for (poll_host *host = loop->hosts; host; host = host->next)
        for (hoya_watch *watch = host->watches; watch; watch = watch->scratch[0])
            fds[i++] = (struct pollfd){watch->fd, to_poll(watch->mask), 0};
    poll(fds, count, wait_until(deadline)); /* a signal is a turn with nothing found */

    i = 0;
    for (poll_host *host = loop->hosts; host; host = host->next) {
        if (hoya_guest_deadline(host->guest) <= now()) host->due = 1;
        for (hoya_watch *watch = host->watches; watch; watch = watch->scratch[0]) {
            if (!fds[i++].revents) continue;
            hoya_guest_ready(host->guest, watch, 0); /* the guest finds out itself what it is */
            host->due = 1;
        }
    }
    int rc = 0;
    for (poll_host *host; rc >= 0 && (host = take_due(loop));) /* from the start: any of them may be gone by now */
        rc = hoya_guest_dispatch(host->guest, HOYA_MSEC(4));
    return rc < 0 ? rc : 0;
}

int poll_loop_turn(poll_loop *loop)
{
    loop->thread = pthread_self();
    loop->begun = 1;
    loop->depth++;
    int rc = turn(loop);
    loop->depth--;
    return rc;
}

void poll_loop_end(poll_loop *loop)
{
    while (loop->hosts) hoya_guest_host_gone(loop->hosts->guest); /* calls free_host */
    *loop = (poll_loop){.depth = loop->depth};                    /* the turns that are on the stack return */
}

/* ---- the host ------------------------------------------------------------------------------------------- */

static int attach(hoya_host *host, hoya_guest *guest, int priority)
{
    (void)priority; /* this main loop has none */
    poll_host *self = (poll_host *)host;
    self->guest = guest;
    self->next = self->loop->hosts;
    self->loop->hosts = self;
    return 0;
}

static int watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    poll_host *self = (poll_host *)host;
    void **here = &self->watches;
    while (*here && *here != record) here = ((hoya_watch *)*here)->scratch;
    if (mask && !*here) {
        *here = record;
        self->count++;
    } else if (!mask && *here) {
        *here = record->scratch[0];
        record->scratch[0] = NULL;
        self->count--;
    }
    return 0; /* each turn reads the mask from the record */
}

static int arm(hoya_host *host, int64_t deadline)
{
    (void)host, (void)deadline;
    return 0;
}

static void free_host(hoya_host *host)
{
    poll_host *self = (poll_host *)host, **here = &self->loop->hosts;
    while (*here && *here != self) here = &(*here)->next;
    if (*here) *here = self->next;
    if (self->loop->runner == self) self->loop->runner = NULL;
    free(self);
}

static void detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    (void)host;
    done(arg); /* calls free_host */
}

static int run(hoya_host *host)
{
    poll_loop *loop = ((poll_host *)host)->loop;
    int rc = 0;
    loop->runner = (poll_host *)host;
    while (loop->runner && rc >= 0) rc = poll_loop_turn(loop); /* a callback may free the host */
    loop->runner = NULL;
    return rc;
}

static int quit(hoya_host *host)
{
    poll_loop *loop = ((poll_host *)host)->loop;
    if (loop->runner != (poll_host *)host) return hoya_error_set(HOYA_ESTATE, "there is no run to end");
    loop->runner = NULL;
    return 0;
}

static int is_owner(const hoya_host *host)
{
    const poll_loop *loop = ((const poll_host *)host)->loop;
    return !loop->begun || pthread_equal(loop->thread, pthread_self());
}

static int depth(const hoya_host *host)
{
    return ((const poll_host *)host)->loop->depth;
}

static int after_fork(hoya_host *host)
{
    ((poll_host *)host)->watches = NULL; /* the guest has forgotten its records */
    ((poll_host *)host)->count = 0;
    return 0; /* poll shares nothing with the parent: it goes on in the child */
}

static const hoya_host_ops ops = {.size = sizeof(hoya_host_ops),
                                  .name = "poll",
                                  .caps = HOYA_HOST_BEFORE_BLOCK | HOYA_HOST_NESTS,
                                  .attach = attach,
                                  .watch = watch,
                                  .arm = arm,
                                  .detach = detach,
                                  .free = free_host,
                                  .run = run,
                                  .quit = quit,
                                  .is_owner = is_owner,
                                  .depth = depth,
                                  .after_fork = after_fork};

hoya_host *poll_host_new(poll_loop *loop)
{
    poll_host *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->base.ops = &ops;
    self->loop = loop;
    return &self->base;
}
