/* SPDX-License-Identifier: MIT
 *
 * host.h: where hoya's loop lives (host_native.c, host_glib.c, host_qt.cc, host_libuv.c), and who runs that: the
 * application (mode_guest.c) or hoya (mode_owner.c).
 */
#ifndef HOYA_BENCH_HOST_H
#define HOYA_BENCH_HOST_H

#include <hoya/hoya.h>

#ifdef __cplusplus
extern "C" {
#endif

/* host_*.c */
int bench_host_open(hoya_loop **loop);
/* The application's way to run its main loop, and to leave it. The native host has none. */
void bench_host_run(void);
void bench_host_quit(void);

/* mode_*.c */
void bench_mode_run(hoya_loop *loop);
void bench_mode_quit(hoya_loop *loop);

#ifdef __cplusplus
}
#endif

#endif
