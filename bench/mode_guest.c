/* SPDX-License-Identifier: MIT
 *
 * mode_guest.c: the application runs its main loop, hoya runs inside.
 */
#include "host.h"

void bench_mode_run(hoya_loop *loop)
{
    (void)loop;
    bench_host_run();
}

void bench_mode_quit(hoya_loop *loop)
{
    (void)loop;
    bench_host_quit();
}
