/* SPDX-License-Identifier: MIT
 *
 * host_glib.c: hoya in GLib's main loop.
 */
#include <hoya/glib.h>

#include "host.h"

static GMainLoop *main_loop;

int bench_host_open(hoya_loop **loop)
{
    main_loop = g_main_loop_new(NULL, FALSE);
    return hoya_glib_loop_new(NULL, G_PRIORITY_DEFAULT, loop);
}

void bench_host_run(void)
{
    g_main_loop_run(main_loop);
}

void bench_host_quit(void)
{
    g_main_loop_quit(main_loop);
}
