/* SPDX-License-Identifier: MIT
 *
 * host_libuv.c: libuv. The loop is one poll handle of the thread's uv_loop_t; hoya_loop_run_forever runs uv_run, and
 * whatever other handles there are live on, here a timer.
 */
#include <hoya/uv.h>
#include <uv.h>

#include "hosts.h"

static uv_timer_t timer;
static void (*on_tick)(void);

static void ticked(uv_timer_t *unused)
{
    (void)unused;
    on_tick();
}

static void start_timer(int milliseconds, void (*tick)(void))
{
    on_tick = tick;
    uv_timer_init(hoya_uv_thread_loop(), &timer);
    uv_timer_start(&timer, ticked, (uint64_t)milliseconds, (uint64_t)milliseconds);
}

static void stop_timer(void)
{
    uv_close((uv_handle_t *)&timer, NULL);
}

const demo_host demo_host_libuv = {"libuv", hoya_uv_policy, start_timer, stop_timer};
