/* SPDX-License-Identifier: MIT
 *
 * host_native.c: hoya runs itself.
 */
#include "host.h"

int bench_host_open(hoya_loop **loop)
{
    return hoya_loop_new(NULL, loop);
}

void bench_host_run(hoya_loop *loop)
{
    hoya_loop_run_forever(loop);
}

void bench_host_quit(hoya_loop *loop)
{
    hoya_loop_stop(loop);
}
