/* SPDX-License-Identifier: MIT
 *
 * poll_host.c: a complete host, and the main loop that it is for. docs/hosts.md explains it.
 *
 * The main loop asks each guest before it waits (HOYA_HOST_BEFORE_BLOCK), so the host needs no kick and no timer: arm
 * has nothing to do. A callback may do anything to the tables (watch, detach, run the main loop again), so a turn reads
 * them to the end before the first guest runs. poll reports levels: what is left out now is found by the next turn.
 */
#include "poll_host.h"

#include <stdlib.h>
#include <time.h>

struct poll_host {
    hoya_host base; /* first: the loop knows this address */
    poll_loop *loop;
    hoya_guest *guest;
    poll_host *next;
    int due;     /* it is to be dispatched in this turn */
    int running; /* until quit */
    int in_run;  /* run() is on the stack */
    int freed;   /* while it was */
};

struct poll_owner {
    poll_host *host;
    hoya_watch *record;
};

/* ---- the main loop -------------------------------------------------------------------------------------- */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return HOYA_SEC(time.tv_sec) + time.tv_nsec;
}

/* For poll: milliseconds, rounded up. */
static int wait_until(int64_t deadline)
{
    if (deadline == HOYA_NOW) return 0;
    if (deadline == HOYA_NEVER) return -1;
    int64_t left = deadline - now();
    return left <= 0 ? 0 : left >= HOYA_SEC(3600) ? 3600000 : (int)((left + 999999) / 1000000);
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
    loop->thread = pthread_self();
    loop->begun = 1;
    int64_t deadline = loop->work ? loop->work(loop->arg) : HOYA_NEVER;
    /* After everything that may have called a guest's loop. */
    for (poll_host *host = loop->hosts; host; host = host->next) {
        int64_t its = hoya_guest_deadline(host->guest);
        if (its < deadline) deadline = its;
    }
    int found = poll(loop->fds, loop->count, wait_until(deadline));

    for (nfds_t i = 0; found > 0 && i < loop->count; i++) {
        if (!loop->fds[i].revents) continue;
        poll_owner *owner = &loop->owners[i];
        hoya_guest_ready(owner->host->guest, owner->record, 0); /* the guest asks the kernel itself what it is */
        owner->host->due = 1;
    }
    for (poll_host *host = loop->hosts; host; host = host->next)
        if (hoya_guest_deadline(host->guest) <= now()) host->due = 1;

    int rc = 0;
    for (poll_host *host; rc >= 0 && (host = take_due(loop));) /* from the start: any of them may be gone by now */
        rc = hoya_guest_dispatch(host->guest, HOYA_MSEC(4));
    return rc < 0 ? rc : 0;
}

int poll_loop_turn(poll_loop *loop)
{
    loop->depth++;
    int rc = turn(loop);
    loop->depth--;
    return rc;
}

void poll_loop_end(poll_loop *loop)
{
    while (loop->hosts) hoya_guest_host_gone(loop->hosts->guest); /* calls free_host */
    free(loop->fds);
    free(loop->owners);
    *loop = (poll_loop){.depth = loop->depth}; /* the turns that are on the stack return */
}

/* ---- what the host watches ------------------------------------------------------------------------------ */

static int make_room(poll_loop *loop)
{
    if (loop->count < loop->size) return 0;
    nfds_t size = loop->size ? 2 * loop->size : 8;
    struct pollfd *fds = realloc(loop->fds, size * sizeof *fds);
    if (fds) loop->fds = fds;
    poll_owner *owners = fds ? realloc(loop->owners, size * sizeof *owners) : NULL;
    if (!owners) return hoya_error_set(HOYA_ENOMEM, "no memory for %d descriptors", (int)size);
    loop->owners = owners;
    loop->size = size;
    return 0;
}

static void drop(poll_loop *loop, nfds_t i)
{
    loop->fds[i] = loop->fds[--loop->count];
    loop->owners[i] = loop->owners[loop->count];
}

static int watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    poll_host *self = (poll_host *)host;
    poll_loop *loop = self->loop;
    nfds_t i = 0;
    while (i < loop->count && loop->owners[i].record != record) i++;
    if (!mask) {
        if (i < loop->count) drop(loop, i);
        return 0;
    }
    if (i == loop->count) {
        int rc = make_room(loop);
        if (rc < 0) return rc;
        loop->count++;
    }
    int events = (mask & HOYA_IN ? POLLIN : 0) | (mask & HOYA_OUT ? POLLOUT : 0) | (mask & HOYA_PRI ? POLLPRI : 0);
    loop->fds[i] = (struct pollfd){.fd = record->fd, .events = (short)events};
    loop->owners[i] = (poll_owner){self, record};
    return 0;
}

/* ---- coming and going ----------------------------------------------------------------------------------- */

static int attach(hoya_host *host, hoya_guest *guest, int priority)
{
    (void)priority; /* this main loop has none */
    poll_host *self = (poll_host *)host;
    self->guest = guest;
    self->next = self->loop->hosts;
    self->loop->hosts = self;
    return 0;
}

static int arm(hoya_host *host, int64_t deadline)
{
    (void)host, (void)deadline;
    return 0;
}

static void leave(poll_host *self) /* it watches nothing any more, or the tables are going, too */
{
    poll_host **here = &self->loop->hosts;
    while (*here && *here != self) here = &(*here)->next;
    if (*here) *here = self->next;
}

static void detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    leave((poll_host *)host);
    done(arg); /* calls free_host */
}

static void free_host(hoya_host *host)
{
    poll_host *self = (poll_host *)host;
    leave(self); /* there was no detach if the main loop is going */
    self->running = 0;
    if (self->in_run) self->freed = 1;
    else free(self);
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
    poll_host *self = (poll_host *)host;
    for (nfds_t i = self->loop->count; i-- > 0;)
        if (self->loop->owners[i].host == self) drop(self->loop, i);
    return 0; /* poll shares nothing with the parent: it goes on in the child */
}

/* ---- runs of the guest's -------------------------------------------------------------------------------- */

static int run(hoya_host *host)
{
    poll_host *self = (poll_host *)host;
    int rc = 0;
    self->running = self->in_run = 1;
    while (self->running && rc >= 0) rc = poll_loop_turn(self->loop);
    self->running = self->in_run = 0;
    if (self->freed) free(self);
    return rc;
}

static int quit(hoya_host *host)
{
    poll_host *self = (poll_host *)host;
    if (!self->running) return hoya_error_set(HOYA_ESTATE, "there is no run to end");
    self->running = 0;
    return 0;
}

static const hoya_host_ops ops = {
    .size = sizeof(hoya_host_ops),
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
    .after_fork = after_fork,
};

hoya_host *poll_host_new(poll_loop *loop)
{
    poll_host *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->base.ops = &ops;
    self->loop = loop;
    return &self->base;
}
