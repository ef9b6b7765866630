/* SPDX-License-Identifier: MIT
 *
 * impl_glib.c: GLib without hoya: what it does by its own means with the workloads in which it is hoya's host.
 */
#include <glib-unix.h>
#include <unistd.h>

#include "bench.h"

static GMainLoop *main_loop;
static int left;

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    (void)condition, (void)data;
    if (bench_echo_once(fd)) return G_SOURCE_CONTINUE;
    close(fd);
    if (--left == 0) g_main_loop_quit(main_loop);
    return G_SOURCE_REMOVE;
}

static void echo(const int *fds, int n)
{
    main_loop = g_main_loop_new(NULL, FALSE);
    left = n;
    for (int i = 0; i < n; i++) g_unix_fd_add(fds[i], G_IO_IN, on_readable, NULL);
    bench_start_echo();
    g_main_loop_run(main_loop);
}

static gboolean woken(gpointer data)
{
    (void)data;
    if (!bench_woken()) g_main_loop_quit(main_loop);
    return G_SOURCE_REMOVE;
}

static void wake(void)
{
    g_main_context_invoke(NULL, woken, NULL);
}

static void sleeper(void)
{
    main_loop = g_main_loop_new(NULL, FALSE);
    pthread_t waker = bench_start_waking();
    g_main_loop_run(main_loop);
    pthread_join(waker, NULL);
}

const bench_impl bench_implementation = {.name = "glib", .echo = echo, .sleeper = sleeper, .wake = wake};
