/* SPDX-License-Identifier: MIT
 *
 * host_libuv.c: the application runs libuv's loop, hoya is its guest.
 */
#include <hoya/uv.h>

#include "host.h"

/* An idle guest does not keep uv_run alive; the application does. */
static uv_async_t application;

int bench_host_open(hoya_loop **loop)
{
    uv_async_init(uv_default_loop(), &application, NULL);
    return hoya_uv_loop_new(uv_default_loop(), loop);
}

void bench_host_run(hoya_loop *loop)
{
    (void)loop;
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

void bench_host_quit(hoya_loop *loop)
{
    (void)loop;
    uv_stop(uv_default_loop());
}
