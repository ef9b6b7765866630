/* SPDX-License-Identifier: MIT
 *
 * loop/host_native.c: the native host: it blocks in the loop's own selector. The smallest host there is;
 * the others (adapters/) do the same with somebody else's main loop.
 *
 * It has no kick and no watch to speak of: it asks before each wait whether there is work, and the wait is
 * the selector's.
 */
#include <hoya/error.h>
#include <hoya/host.h>

#include "base/alloc.h"
#include "loop/loop.h"

typedef struct native {
    hoya_host base;
    hoya_guest *guest;
    bool running;
} native;

static int native_attach(hoya_host *host, hoya_guest *guest, int priority)
{
    (void)priority;
    ((native *)host)->guest = guest;
    return 0;
}

static int native_watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    (void)host, (void)record, (void)mask;
    return 0;
}

static int native_arm(hoya_host *host, int64_t deadline)
{
    (void)host, (void)deadline;
    return 0;
}

static void native_detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    (void)host;
    done(arg);
}

static void native_free(hoya_host *host)
{
    hoya_free(host);
}

static int native_run(hoya_host *host)
{
    native *self = (native *)host;
    self->running = true;
    while (self->running) {
        int rc = hoya_guest_poll(self->guest, HOYA_NEVER);
        if (rc >= 0) rc = hoya_guest_dispatch(self->guest, HOYA_NEVER);
        if (rc < 0) {
            self->running = false;
            return rc;
        }
    }
    return 0;
}

static int native_quit(hoya_host *host)
{
    native *self = (native *)host;
    if (!self->running) return HOYA_ESTATE;
    self->running = false;
    return 0;
}

static const hoya_host_ops native_ops = {
    .size = sizeof(hoya_host_ops),
    .name = "native",
    .caps = HOYA_HOST_BEFORE_BLOCK,
    .attach = native_attach,
    .watch = native_watch,
    .arm = native_arm,
    .detach = native_detach,
    .free = native_free,
    .run = native_run,
    .quit = native_quit,
};

int hoya_host_native_new(hoya_host **host)
{
    native *self = hoya_new(native);
    if (!self) return HOYA_ENOMEM;
    self->base.ops = &native_ops;
    *host = &self->base;
    return 0;
}
