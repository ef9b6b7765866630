/* SPDX-License-Identifier: MIT
 *
 * hoya/gio.h: what GIO and GObject do by themselves, awaited in a task or as a future: a pair of _async and _finish
 * functions, a signal; and cancels both ways. Link libhoya-gio (hoya::gio).
 *
 *     int rc = hoya_gio_begin(loop, &call);
 *     if (rc < 0) return rc;
 *     g_file_read_async(file, priority, hoya_gio_cancellable(call), hoya_gio_ready, call);
 *     if (hoya_gio_await(call, &result) >= 0) stream = g_file_read_finish(file, result, &error);
 *     rc = hoya_gio_end(call, &error);
 *
 * GIO calls back in the GMainContext that was the thread-default one when the _async function was called. Any
 * thread may run that context, but one has to: in the usual program the loop is its guest (hoya_glib_policy).
 * Signals may be emitted, and objects let go, on any thread, too. On its way to the loop nothing needs memory of
 * hoya's.
 *
 * Thread: that of the loop, HOYA_ETHREAD elsewhere, but for hoya_gio_ready, hoya_gio_cancellable and
 * hoya_gio_error. Memory that GLib has not got ends the program, as everywhere in GLib.
 */
#ifndef HOYA_GIO_H
#define HOYA_GIO_H

#include <gio/gio.h>
#include <hoya/base.h>
#include <hoya/future.h>
#include <hoya/loop.h>

HOYA_BEGIN_DECLS

/* ---- a pair of _async and _finish -------------------------------------------------------------------- */

/* One operation of GIO's. */
typedef struct hoya_gio_call hoya_gio_call;

/* Makes one; *call is the caller's until hoya_gio_end. An _async function has to be called with it, once: GIO's
 * callback has a part in it. Errors: HOYA_ECLOSED, HOYA_ENOMEM. */
HOYA_API int hoya_gio_begin(hoya_loop *loop, hoya_gio_call **call);

/* What the _async function gets: its GCancellable (borrowed), its GAsyncReadyCallback, and the call itself for
 * that. A GCancellable of the program's own is joined to the task by hoya_gio_cancel_on. */
HOYA_API GCancellable *hoya_gio_cancellable(hoya_gio_call *call);
HOYA_API void hoya_gio_ready(GObject *source, GAsyncResult *result, gpointer call);

/* Waits until the operation has ended: 0 and its result, for the _finish function, which tells what came of it;
 * borrowed until hoya_gio_end. A cancel or a timeout of the task cancels the GCancellable, and the end of the
 * operation is waited for all the same: what it writes to may be on the stack. If it was done before it heard of
 * that it is delivered, and the cancel stays. A loop that is closed does not wait (HOYA_ECANCELED): then the
 * operation is still on its way out. Errors: as hoya_wait_done; HOYA_ECANCELED if the future was cancelled. */
HOYA_API int hoya_gio_await(hoya_gio_call *call, GAsyncResult **result);

/* Ends the call, lets go of the result, and says what came of all: 0; or the code of *error, which is cleared
 * (`error` may be NULL, or point to NULL); or what hoya_gio_await failed with. G_IO_ERROR_CANCELLED because of a
 * timeout is HOYA_EDEADLINE. An operation that has not ended is cancelled, and its result dropped when it comes:
 * HOYA_ECANCELED. */
HOYA_API int hoya_gio_end(hoya_gio_call *call, GError **error);

/* The same as a future, for programs without tasks; its value is the GAsyncResult. Borrowed until hoya_gio_end.
 * Cancelling it is done at once, and cancels the GCancellable in the next round; nobody waits for the operation
 * then. */
HOYA_API hoya_future *hoya_gio_future(hoya_gio_call *call);

/* ---- errors and cancels ------------------------------------------------------------------------------ */

/* Clears *error and returns its code; domain and message are hoya_error_detail. 0 if there is none. A G_IO_ERROR
 * that g_io_error_from_errno makes of an errno is that one (G_IO_ERROR_CANCELLED: HOYA_ECANCELED); _CLOSED is
 * HOYA_ECLOSED, _PARTIAL_INPUT HOYA_EEOF, _PENDING HOYA_EBUSY; all others, and other domains, are HOYA_EIO. Any
 * thread. */
HOYA_API int hoya_gio_error(GError **error);

/* Cancels the future (a task: hoya_task_future) when `cancellable` is cancelled, on whatever thread: as a callback
 * of the loop, never inside this call. Ends with the future, or with its loop. Errors: HOYA_EINVAL, HOYA_ECLOSED,
 * HOYA_ENOMEM. */
HOYA_API int hoya_gio_cancel_on(hoya_future *future, GCancellable *cancellable);

/* ---- objects ----------------------------------------------------------------------------------------- */

/* Makes a future of the next emission of a signal, "clicked" or "notify::visible"; *future is a new reference. Its
 * value is a GArray of GValues, copies of the signal's arguments without the object; taken, it is the caller's to
 * g_array_unref. The object is not kept: disposed of before the signal, it makes the future fail with HOYA_ECLOSED.
 * A handler that is asked for a result gives none: 0, NULL, FALSE. One that nobody wants any more is cancelled:
 * letting go alone does not disconnect. Errors: HOYA_EINVAL (no GObject, or no name), HOYA_ENOENT (no such signal),
 * HOYA_ECLOSED, HOYA_ENOMEM. */
HOYA_API int hoya_gobject_signal_future(hoya_loop *loop, gpointer object, const char *signal, hoya_future **future);

/* The same for a task: waits for the emission. *values (may be NULL) is the GArray, the caller's. A cancel
 * disconnects. Errors: also those of hoya_await. */
HOYA_API int hoya_gobject_wait_signal(gpointer object, const char *signal, GArray **values);

/* Cancels the future (a task: hoya_task_future) when the object is disposed of, by its last unref on whatever
 * thread or by g_object_run_dispose (a widget that is destroyed): as a callback of the loop. Ends with the future,
 * or with its loop. Errors: HOYA_EINVAL, HOYA_ECLOSED, HOYA_ENOMEM. */
HOYA_API int hoya_gobject_bind(gpointer object, hoya_future *future);

HOYA_END_DECLS

#endif
