/* SPDX-License-Identifier: MIT
 *
 * host_libuv.c: hoya in libuv's loop.
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

void bench_host_run(void)
{
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

void bench_host_quit(void)
{
    uv_stop(uv_default_loop());
}
