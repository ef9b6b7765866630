/* SPDX-License-Identifier: MIT
 *
 * hoya/future.h: results that come later. hoya_future belongs to a loop, hoya_thread_future to no thread, and a chain
 * hands the outcome of one to another. PEP 3156, "Futures"; PEP 3148.
 *
 * A future is pending, and once and for all done: with a value, with an error (a negative code and a text), or
 * cancelled, which is the code HOYA_ECANCELED. Completing it, cancelling it and letting it go need no memory: a text
 * that cannot be copied is dropped, the code is not.
 *
 * Values: whoever gives one with a destroy function gives it away, always: it is destroyed at the last unref, unless it
 * was taken, or at once if the future was done already. Destroy functions run inline and may call everything.
 */
#ifndef HOYA_FUTURE_H
#define HOYA_FUTURE_H

#include <hoya/base.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

/* ---- the future of a loop ------------------------------------------------------------------------------ */

/* Belongs to the thread of its loop: other threads get HOYA_ETHREAD (done, cancelled and get_loop do not look). Holds a
 * reference to the loop: end that by hoya_loop_close. A future lives on when its loop is closed, and can be completed
 * then; its callbacks are dropped at the close. */
typedef struct hoya_future hoya_future;

/* Makes a pending one; *future is a new reference. Errors: HOYA_ECLOSED, HOYA_ENOMEM. Origin: loop.create_future. */
HOYA_API int hoya_future_new(hoya_loop *loop, hoya_future **future);

/* At the last unref, an error that nobody has looked at is reported to the loop's exception handler (in debug mode with
 * the place that made the future), callbacks that still wait are dropped, and the value is destroyed. Origin:
 * Future.__del__. */
HOYA_API hoya_future *hoya_future_ref(hoya_future *future);
HOYA_API void hoya_future_unref(hoya_future *future);

HOYA_API hoya_loop *hoya_future_get_loop(const hoya_future *future); /* borrowed */
HOYA_API int hoya_future_done(const hoya_future *future);
HOYA_API int hoya_future_cancelled(const hoya_future *future); /* HOYA_EINVAL, both, without a future */

/* The value comes: queues the callbacks and returns before any of them runs. Takes the value. Errors: HOYA_ESTATE (it
 * is done). Origin: Future.set_result. */
HOYA_API int hoya_future_set_result(hoya_future *future, void *value, hoya_destroy destroy);

/* It failed. `text` may be NULL and is copied. The code HOYA_ECANCELED is a cancel. Errors: HOYA_ESTATE; HOYA_EINVAL
 * (the code is not negative). Origin: Future.set_exception. */
HOYA_API int hoya_future_set_exception(hoya_future *future, int code, const char *text);

/* 1 if this call cancelled it, or asked it to end (a task); 0 if it was done: an error that it has is reported no more
 * then. One that a task ends with after it was asked is reported. `reason` may be NULL and is copied. Origin:
 * Future.cancel. */
HOYA_API int hoya_future_cancel(hoya_future *future, const char *reason);

/* 0 and the value, borrowed until the last unref; or the code that it failed with, whose text hoya_error_detail gives;
 * HOYA_ECANCELED; HOYA_ESTATE while it is pending, and when the value was taken. `value` may be NULL. Origin:
 * Future.result. */
HOYA_API int hoya_future_result(hoya_future *future, void **value);

/* The same code without the value: 0 if it did not fail. When it is done *text (may be NULL) is the text, "" if there is
 * none, borrowed until the last unref. Origin: Future.exception. */
HOYA_API int hoya_future_exception(hoya_future *future, const char **text);

/* As result, but moves the value out: the caller calls destroy(value) when he is done with it, if *destroy is not NULL.
 * Once: HOYA_ESTATE afterwards. `destroy` may be NULL for those who know. Origin: none. */
HOYA_API int hoya_future_take(hoya_future *future, void **value, hoya_destroy *destroy);

typedef void (*hoya_done_callback)(hoya_future *future, void *arg);

/* Calls fn(future, arg) once when the future is done: as a callback of the loop, in the order of registration, never
 * inside the call that completed it, nor inside this one if it is done already. *handle (may be NULL) is a new
 * reference; its cancel takes back this one callback, also when it is queued. Errors: HOYA_ECLOSED, HOYA_ENOMEM.
 * Origin: Future.add_done_callback. */
HOYA_API int hoya_future_add_done_callback(hoya_future *future, hoya_done_callback fn, void *arg,
                                           hoya_destroy destroy, hoya_handle **handle);

/* Removes all callbacks with this function and argument that are not queued yet; returns how many. Origin:
 * Future.remove_done_callback. */
HOYA_API int hoya_future_remove_done_callback(hoya_future *future, hoya_done_callback fn, void *arg);

/* Runs the loop until the future is done, at least one round; then as hoya_future_result. Errors: HOYA_EINVAL (another
 * loop's future), HOYA_ESTATE (somebody stopped the loop before the future was done; nothing of this call is left in the
 * loop then), and those of hoya_loop_run_forever, with the code of an abort. Origin: loop.run_until_complete. */
HOYA_API int hoya_run_until_complete(hoya_loop *loop, hoya_future *future, void **value);

/* ---- the future of threads ----------------------------------------------------------------------------- */

/* For work on other threads: every function from any thread, references included. Origin: concurrent.futures.Future. */
typedef struct hoya_thread_future hoya_thread_future;

/* *future is a new reference. Errors: HOYA_ENOMEM. */
HOYA_API int hoya_thread_future_new(hoya_thread_future **future);
HOYA_API hoya_thread_future *hoya_thread_future_ref(hoya_thread_future *future);
HOYA_API void hoya_thread_future_unref(hoya_thread_future *future); /* an error that nobody saw is not reported */

/* As those of hoya_future, but callbacks run inline. */
HOYA_API int hoya_thread_future_set_result(hoya_thread_future *future, void *value, hoya_destroy destroy);
HOYA_API int hoya_thread_future_set_exception(hoya_thread_future *future, int code, const char *text);

/* 1 if this call cancelled it, 0 if it was done or its work has begun. */
HOYA_API int hoya_thread_future_cancel(hoya_thread_future *future, const char *reason);

/* For whoever does the work, before he begins: 1, and it can be cancelled no more; 0 if it was cancelled. Errors:
 * HOYA_ESTATE (it runs, or is done). Origin: Future.set_running_or_notify_cancel. */
HOYA_API int hoya_thread_future_set_running_or_notify_cancel(hoya_thread_future *future);

HOYA_API int hoya_thread_future_done(hoya_thread_future *future);
HOYA_API int hoya_thread_future_cancelled(hoya_thread_future *future);

/* Waits at most `timeout` nanoseconds (HOYA_NOW: not at all, HOYA_NEVER: without end), then as hoya_future_result. The
 * value is borrowed until the last unref, or until a chain moves it. Errors: HOYA_ETIMEDOUT; HOYA_EDEADLK (it would
 * wait inside a run or a dispatch of a loop on this thread: hoya_get_running_loop). What is not noticed: on the thread of
 * a guest, in a callback of the host's own (a GSource, a slot), no loop runs; waiting there for what this thread's loop
 * has to do freezes both until the time is up. Origin: concurrent.futures.Future.result. */
HOYA_API int hoya_thread_future_result(hoya_thread_future *future, int64_t timeout, void **value);

typedef void (*hoya_thread_done_callback)(hoya_thread_future *future, void *arg);

/* Runs inline: fn(future, arg) runs in the thread that completes the future, inside its call; in this call if it is done
 * already. In order of registration. Errors: HOYA_ENOMEM. Origin: concurrent.futures.Future.add_done_callback. */
HOYA_API int hoya_thread_future_add_done_callback(hoya_thread_future *future, hoya_thread_done_callback fn,
                                                  void *arg, hoya_destroy destroy);

/* Removes all callbacks with this function and argument that have not begun; returns how many. */
HOYA_API int hoya_thread_future_remove_done_callback(hoya_thread_future *future, hoya_thread_done_callback fn,
                                                     void *arg);

/* ---- chains -------------------------------------------------------------------------------------------- */

/* The outcome of the source becomes the destination's; cancelling the destination cancels the source. Nothing
 * happens inside the call. A value has one owner: with a destroy function it moves, and the source answers
 * HOYA_ESTATE from then on; without one both have it, as long as whoever lends it lives. A future that is let go
 * while it is pending, or whose loop is closed, cancels its destination; a thread's is kept by the chain. A
 * destination whose loop is closed is dropped without an error. What is on its way already needs no memory. */

/* Makes a future of `loop` out of a thread's; on the loop's thread. *future is a new reference, and the chain holds one
 * while it is pending. Errors: HOYA_ECLOSED, HOYA_ENOMEM. Origin: asyncio.wrap_future. */
HOYA_API int hoya_wrap_future(hoya_loop *loop, hoya_thread_future *thread_future, hoya_future **future);

/* Futures of the same loop, of two loops of this thread, or of two threads: called on either of them. A future of
 * another thread must be kept alive until its loop has had its next round. Errors: HOYA_ETHREAD (neither is this
 * thread's), HOYA_EINVAL (with itself), HOYA_ESTATE (the destination is a task or a job), HOYA_ECLOSED, HOYA_ENOMEM. Origin: futures._chain_future. */
HOYA_API int hoya_future_chain(hoya_future *source, hoya_future *destination);

HOYA_END_DECLS

#endif
