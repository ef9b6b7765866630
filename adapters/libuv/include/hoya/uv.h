/* SPDX-License-Identifier: MIT
 *
 * hoya/uv.h: loops that live in a uv_loop_t. Link libhoya-uv (hoya::uv).
 *
 * The loop is one uv_poll_t on one descriptor, and an idle handle while it has callbacks to run. It dispatches whenever
 * its uv_loop_t is run. While it has work (callbacks, timers, descriptors, answers of threads) it keeps uv_run alive; an
 * idle one does not, so that a program ends when nothing is left; a signal handler is no work, and a loop that is paused by
 * hoya_loop_stop waits for nothing.
 *
 * Rules of libuv's: uv_run is not re-entrant, so hoya_loop_run_* must not be called inside uv_run. In a callback of a
 * hoya loop they answer HOYA_EBUSY, in a callback of libuv's for a descriptor, a signal, an async or a request HOYA_ENOTSUP.
 * In those of timers, idle, prepare and check handles, and in close callbacks, it cannot be known whether uv_run is on the
 * stack: there the rule is the program's to keep.
 *
 * Handles are closed asynchronously: after hoya_loop_close or hoya_loop_detach run the uv_loop_t once more (UV_RUN_NOWAIT
 * will do) before uv_loop_close, as for handles of your own. In the child of a fork, uv_loop_fork comes before
 * hoya_loop_after_fork or hoya_loop_close.
 *
 * A program may close all handles of a uv_loop_t, ours too (uv_walk): at the next call hoya's loop is native. If that call
 * comes before libuv has closed them all, run the uv_loop_t until uv_loop_close no longer says UV_EBUSY (UV_RUN_DEFAULT
 * does); our part of the memory goes then. If it is not run again, that memory stays: libuv may still look at it. Our
 * handles must not be unreferenced by others (uv_unref): by its reference we know a handle that libuv has not closed yet.
 */
#ifndef HOYA_UV_H
#define HOYA_UV_H

#include <hoya/host.h>
#include <hoya/loop.h>
#include <hoya/policy.h>
#include <uv.h>

HOYA_BEGIN_DECLS

/* New loops are guests of their thread's uv_loop_t (hoya_uv_thread_loop). Static; any thread. */
HOYA_API hoya_policy *hoya_uv_policy(void);

/* The uv_loop_t of the policy in this thread: uv_default_loop() in the main thread, in another one a loop of its own that
 * is made here at the first call and closed when the thread ends, after hoya's loop of the thread. If anything is open in
 * it then (a handle of the program's, a loop that somebody else has a reference to), nothing is run any more and it stays
 * behind with its descriptors. NULL without memory. For the program's own handles, and to be run. */
HOYA_API uv_loop_t *hoya_uv_thread_loop(void);

/* A loop on `uv`, which must outlive it, or be told apart first (hoya_loop_detach). *loop is a new reference. Thread: the
 * one that runs `uv`. Errors: those of hoya_loop_new; HOYA_EEXIST if a descriptor is watched in `uv` already. */
HOYA_API int hoya_uv_loop_new(uv_loop_t *uv, hoya_loop **loop);

/* The host alone, for hoya_loop_options.host or hoya_loop_attach, which take it. Errors: HOYA_ENOMEM, HOYA_EINVAL. */
HOYA_API int hoya_uv_host_new(uv_loop_t *uv, hoya_host **host);

HOYA_END_DECLS

#endif
