/* SPDX-License-Identifier: MIT
 *
 * host_poll.c: a complete host, for a main loop on poll(2) such as many programs have. docs/hosts.md explains it.
 *
 * The main loop below knows one descriptor, one deadline and one flag. It asks the guest before each wait
 * (HOYA_HOST_BEFORE_BLOCK), so it needs no kick.
 */
#include <hoya/hoya.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct poll_host {
    hoya_host base; /* first: the loop knows this address */
    hoya_guest *guest;
    struct pollfd fd;
    int64_t deadline;
    int running;
} poll_host;

static int attach(hoya_host *host, hoya_guest *guest, int priority)
{
    (void)priority;
    ((poll_host *)host)->guest = guest;
    return 0;
}

static int watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    ((poll_host *)host)->fd = (struct pollfd){.fd = mask ? record->fd : -1, .events = POLLIN};
    return 0;
}

static int arm(hoya_host *host, int64_t deadline)
{
    ((poll_host *)host)->deadline = deadline;
    return 0;
}

static void detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    ((poll_host *)host)->guest = NULL;
    done(arg);
}

static void free_host(hoya_host *host)
{
    free(host);
}

static int run(hoya_host *host)
{
    poll_host *self = (poll_host *)host;
    self->running = 1;
    while (self->running && self->guest) {
        int wait = hoya_guest_deadline(self->guest) == HOYA_NOW ? 0 : -1; /* its timers are behind its descriptor */
        if (poll(&self->fd, 1, wait) < 0) continue;
        hoya_guest_dispatch(self->guest, self->base.ops->budget);
    }
    return 0;
}

static int quit(hoya_host *host)
{
    ((poll_host *)host)->running = 0;
    return 0;
}

static const hoya_host_ops ops = {
    .size = sizeof(hoya_host_ops),
    .name = "poll",
    .caps = HOYA_HOST_BEFORE_BLOCK,
    .budget = HOYA_MSEC(4),
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
    if (hoya_loop_new(&options, &loop) < 0) return 1;
    hoya_loop_call_later(loop, HOYA_MSEC(5), say, loop, NULL, NULL);
    int rc = hoya_loop_run_forever(loop);
    hoya_loop_close(loop);
    hoya_loop_unref(loop);
    return rc < 0;
}
