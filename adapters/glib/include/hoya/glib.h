/* SPDX-License-Identifier: MIT
 *
 * hoya/glib.h: loops that live in a GMainContext. Link libhoya-glib (hoya::glib).
 *
 * The loop is one GSource on one descriptor. It dispatches whenever its context is iterated, nested loops
 * (gtk_dialog_run, g_main_loop_run in a callback) included. GLib's priorities: 0 (G_PRIORITY_DEFAULT) is
 * the default; 150 is "background", below GTK's redraw (120) and above idle sources (200).
 */
#ifndef HOYA_GLIB_H
#define HOYA_GLIB_H

#include <glib.h>
#include <hoya/host.h>
#include <hoya/loop.h>
#include <hoya/policy.h>

HOYA_BEGIN_DECLS

/* New loops are guests of the thread-default GMainContext of the thread that makes them (the global default
 * one in the main thread, unless another was pushed). Static; any thread. */
HOYA_API hoya_policy *hoya_glib_policy(void);

/* A loop on `context` (NULL: the thread-default one), with a GLib priority. *loop is a new reference.
 * The context may be destroyed first: then the loop is native. */
HOYA_API int hoya_glib_loop_new(GMainContext *context, int priority, hoya_loop **loop);

/* The host alone, for hoya_loop_options.host or hoya_loop_attach, which take it. */
HOYA_API int hoya_glib_host_new(GMainContext *context, hoya_host **host);

HOYA_END_DECLS

#endif
