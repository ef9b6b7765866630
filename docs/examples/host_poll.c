/* SPDX-License-Identifier: MIT
 *
 * host_poll.c: a complete host, for a main loop on poll(2) such as many programs have. docs/hosts.md explains it.
 *
 * The main loop is the while in run(). It asks the guest before each wait (HOYA_HOST_BEFORE_BLOCK), so it needs no kick
 * and no timer: arm has nothing to do. It has room for one descriptor, the selector's (epoll).
 */
#include <hoya/hoya.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct poll_host {
    hoya_host base; /* first: the loop knows this address */
    hoya_guest *guest;
    hoya_watch *record;
    struct pollfd fd;
    int running, in_run, freed;
} poll_host;

static int attach(hoya_host *host, hoya_guest *guest, int priority)
{
    (void)priority;
    ((poll_host *)host)->guest = guest;
    ((poll_host *)host)->fd.fd = -1;
    return 0;
}

static int watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    poll_host *self = (poll_host *)host;
    if (mask && self->record && self->record != record)
        return hoya_error_set(HOYA_ENOTSUP, "this main loop has room for one descriptor");
    if (!mask && self->record != record) return 0;
    self->record = mask ? record : NULL;
    self->fd.fd = mask ? record->fd : -1;
    self->fd.events = (short)((mask & HOYA_IN ? POLLIN : 0) | (mask & HOYA_OUT ? POLLOUT : 0));
    return 0;
}

static int arm(hoya_host *host, int64_t deadline)
{
    (void)host, (void)deadline;
    return 0;
}

static void detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    ((poll_host *)host)->guest = NULL;
    done(arg); /* may free the host */
}

static void free_host(hoya_host *host)
{
    poll_host *self = (poll_host *)host;
    if (self->in_run) self->freed = 1; /* run() is on the stack below */
    else free(self);
}

/* For poll: milliseconds, rounded up. */
static int wait_until(int64_t deadline)
{
    struct timespec now;
    if (deadline == HOYA_NOW) return 0;
    if (deadline == HOYA_NEVER) return -1;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = deadline - HOYA_SEC(now.tv_sec) - now.tv_nsec;
    return left <= 0 ? 0 : left >= HOYA_SEC(3600) ? 3600000 : (int)((left + 999999) / 1000000);
}

static int run(hoya_host *host)
{
    poll_host *self = (poll_host *)host;
    self->running = self->in_run = 1;
    while (self->running) {
        int n = poll(&self->fd, 1, wait_until(hoya_guest_deadline(self->guest)));
        if (n > 0 && self->record) hoya_guest_ready(self->guest, self->record, HOYA_IN);
        hoya_guest_dispatch(self->guest, HOYA_MSEC(4));
    }
    self->in_run = 0;
    if (self->freed) free(self);
    return 0;
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
    .name = "poll(2)",
    .caps = HOYA_HOST_BEFORE_BLOCK,
    .attach = attach,
    .watch = watch,
    .arm = arm,
    .detach = detach,
    .free = free_host,
    .run = run,
    .quit = quit,
};

static void say(void *loop)
{
    printf("hello from a loop on %s\n", hoya_loop_host_name(loop));
    hoya_loop_stop(loop);
}

int main(void)
{
    poll_host *host = calloc(1, sizeof *host);
    if (!host) return 1;
    host->base.ops = &ops;
    hoya_loop_options options = {.size = sizeof options, .host = &host->base};
    hoya_loop *loop;
    int rc = hoya_loop_new(&options, &loop); /* takes the host, also when it fails */
    if (rc < 0) return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    hoya_loop_call_later(loop, HOYA_MSEC(5), say, loop, NULL, NULL);
    rc = hoya_loop_run_forever(loop);
    hoya_loop_unref(loop); /* closes it, too */
    return rc < 0;
}
