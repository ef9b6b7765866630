/* SPDX-License-Identifier: MIT
 *
 * host_native.c: hoya has no other main loop.
 */
#include "host.h"

int bench_host_open(hoya_loop **loop)
{
    return hoya_loop_new(NULL, loop);
}
