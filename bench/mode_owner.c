/* SPDX-License-Identifier: MIT
 *
 * mode_owner.c: hoya runs the main loop that it lives in; natively, itself.
 */
#include "host.h"

void bench_mode_run(hoya_loop *loop)
{
    hoya_loop_run_forever(loop);
}

void bench_mode_quit(hoya_loop *loop)
{
    hoya_loop_stop(loop);
}
