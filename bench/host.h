/* SPDX-License-Identifier: MIT
 *
 * host.h: where hoya's loop lives: twins host_native.c and host_glib.c.
 */
#ifndef HOYA_BENCH_HOST_H
#define HOYA_BENCH_HOST_H

#include <hoya/hoya.h>

int bench_host_open(hoya_loop **loop);
void bench_host_run(hoya_loop *loop);
void bench_host_quit(hoya_loop *loop);

#endif
