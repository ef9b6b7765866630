/* SPDX-License-Identifier: MIT
 *
 * hoya_gio.c: what GIO and GObject do by themselves, as futures of a loop.
 *
 * One way for all of it: whatever happens over there, on whatever thread, completes a thread future, which was
 * wrapped (hoya_wrap_future) when it was made. So nothing is touched on two threads but that and GLib's own
 * objects, and nothing is lost for want of memory. What GLib calls has a reference to the thread future, and to
 * nothing else of ours.
 *
 * The other way, a future that ends takes its connection down: in the destroy function of a done callback, which
 * comes at its completion, at a cancel and at the close of its loop, always on the loop's thread.
 *
 * A call of GIO's has two parts: its beginner's, until hoya_gio_end, and the callback's, until that has come.
 */
#include <errno.h>
#include <hoya/error.h>
#include <hoya/gio.h>
#include <hoya/task.h>
#include <stdbool.h>

/* ---- futures that GLib completes ------------------------------------------------------------------------ */

static void nothing(hoya_future *future, void *arg)
{
    (void)future, (void)arg;
}

/* A future of the loop, and the thread future that stands behind it. A new reference to each. */
static int new_pair(hoya_loop *loop, hoya_thread_future **told, hoya_future **future)
{
    hoya_thread_future *new_told;
    int rc = hoya_thread_future_new(&new_told);
    if (rc < 0) return rc;
    rc = hoya_wrap_future(loop, new_told, future);
    if (rc < 0) hoya_thread_future_unref(new_told);
    else *told = new_told;
    return rc;
}

/* Takes the future back that could not be set up. */
static int give_up(int rc, hoya_future *future)
{
    hoya_future_cancel(future, NULL);
    hoya_future_unref(future);
    return rc;
}

/* ---- one future that ends another ----------------------------------------------------------------------- */

/* Between a cause and what it cancels, of the same loop; each has a done callback with a reference to the bond. */
typedef struct bond {
    int refs;
    hoya_future *cause;  /* a reference */
    hoya_future *target; /* NULL when it has ended */
    const char *reason;
} bond;

static void bond_unref(bond *b)
{
    if (--b->refs) return;
    hoya_future_unref(b->cause);
    g_free(b);
}

static void cause_came(hoya_future *cause, void *arg)
{
    bond *b = arg;
    bool ended = !b->target || hoya_future_done(b->target); /* an error of its own is not looked at here */
    if (!ended && !hoya_future_cancelled(cause)) hoya_future_cancel(b->target, b->reason);
}

static void cause_gone(void *arg)
{
    bond_unref(arg);
}

static void target_gone(void *arg)
{
    bond *b = arg;
    b->target = NULL;
    hoya_future_cancel(b->cause, NULL);
    bond_unref(b);
}

/* Takes the reference to the cause. */
static int make_bond(hoya_future *cause, hoya_future *target, const char *reason)
{
    bond *b = g_new0(bond, 1);
    *b = (bond){2, cause, target, reason};
    int rc = hoya_future_add_done_callback(cause, cause_came, b, cause_gone, NULL);
    if (rc >= 0) return hoya_future_add_done_callback(target, nothing, b, target_gone, NULL);
    target_gone(b);
    return rc;
}

/* ---- a pair of _async and _finish ----------------------------------------------------------------------- */

struct hoya_gio_call {
    gint refs; /* atomic */
    GCancellable *cancellable;
    hoya_thread_future *told; /* its value will be the GAsyncResult */
    hoya_future *future;      /* the beginner's, on the loop's thread */
    int interrupt;            /* the code of the cancel or timeout that came while the beginner waited, or 0 */
    int failure;              /* what waiting answered */
};

static void call_unref(hoya_gio_call *call)
{
    if (!g_atomic_int_dec_and_test(&call->refs)) return;
    g_object_unref(call->cancellable);
    hoya_thread_future_unref(call->told);
    g_free(call);
}

static void pass_cancel_on(hoya_thread_future *told, void *cancellable)
{
    if (hoya_thread_future_cancelled(told)) g_cancellable_cancel(cancellable);
}

int hoya_gio_begin(hoya_loop *loop, hoya_gio_call **out)
{
    hoya_thread_future *told;
    hoya_future *future;
    int rc = new_pair(loop, &told, &future);
    if (rc < 0) return rc;
    GCancellable *cancellable = g_cancellable_new();
    rc = hoya_thread_future_add_done_callback(told, pass_cancel_on, g_object_ref(cancellable), g_object_unref);
    if (rc < 0) {
        g_object_unref(cancellable);
        hoya_thread_future_unref(told);
        return give_up(rc, future);
    }
    hoya_gio_call *call = g_new0(hoya_gio_call, 1);
    *call = (hoya_gio_call){2, cancellable, told, future, 0, 0};
    *out = call;
    return 0;
}

GCancellable *hoya_gio_cancellable(hoya_gio_call *call)
{
    return call->cancellable;
}

hoya_future *hoya_gio_future(hoya_gio_call *call)
{
    return call->future;
}

void hoya_gio_ready(GObject *source, GAsyncResult *result, gpointer data)
{
    hoya_gio_call *call = data;
    (void)source;
    if (!hoya_thread_future_done(call->told)) /* else its future was cancelled: nobody waits */
        hoya_thread_future_set_result(call->told, g_object_ref(result), g_object_unref);
    call_unref(call);
}

/* The operation is asked to end, and waited for. */
static void interrupt(hoya_gio_call *call, int rc)
{
    call->interrupt = rc;
    g_cancellable_cancel(call->cancellable);
    hoya_shield_enter();
    hoya_wait_done(call->future);
    hoya_shield_leave();
}

int hoya_gio_await(hoya_gio_call *call, GAsyncResult **result)
{
    void *value = NULL;
    int rc = hoya_wait_done(call->future);
    if (rc == HOYA_ECANCELED || rc == HOYA_EDEADLINE) interrupt(call, rc);
    if (hoya_future_done(call->future)) rc = hoya_future_result(call->future, &value);
    call->failure = rc;
    if (rc >= 0 && result) *result = value;
    return rc;
}

int hoya_gio_end(hoya_gio_call *call, GError **error)
{
    int rc = hoya_gio_error(error);
    if (!call) return rc;
    if (!hoya_future_done(call->future)) {
        g_cancellable_cancel(call->cancellable);
        hoya_future_cancel(call->future, NULL);
    }
    if (rc == 0) rc = call->failure;
    if (rc == 0 && hoya_future_cancelled(call->future))
        rc = hoya_error_set(HOYA_ECANCELED, "the operation had not ended");
    if (rc == HOYA_ECANCELED && call->interrupt == HOYA_EDEADLINE)
        rc = hoya_error_set(HOYA_EDEADLINE, "the time of the operation was up");
    hoya_future_unref(call->future);
    call_unref(call);
    return rc;
}

/* ---- errors --------------------------------------------------------------------------------------------- */

/* GIO makes its codes of these; the first one that becomes the code is taken for it. */
static int code_of_io_error(int io_error)
{
    static const int numbers[] = {
        ENOENT, EEXIST,   EISDIR,      ENOTDIR,      ENOTEMPTY,    ENAMETOOLONG, ELOOP,  ENOSPC, EINVAL,
        EACCES, ENOTSUP,  ECANCELED,   EROFS,        ETIMEDOUT,    EBUSY,        EAGAIN, EMFILE, EADDRINUSE,
        EPIPE,  ENOTCONN, ENETUNREACH, EHOSTUNREACH, ECONNREFUSED, EMSGSIZE,     ENODEV, ENXIO,  EBADMSG};
    switch (io_error) {
    case G_IO_ERROR_CLOSED:
        return HOYA_ECLOSED;
    case G_IO_ERROR_PARTIAL_INPUT:
        return HOYA_EEOF;
    case G_IO_ERROR_PENDING:
        return HOYA_EBUSY;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if ((int)g_io_error_from_errno(numbers[i]) == io_error) return -numbers[i];
    return HOYA_EIO;
}

int hoya_gio_error(GError **error)
{
    if (!error || !*error) return 0;
    const GError *e = *error;
    int code = e->domain == G_IO_ERROR ? code_of_io_error(e->code) : HOYA_EIO;
    hoya_error_set(code, "%s: %s", g_quark_to_string(e->domain), e->message);
    g_clear_error(error);
    return code;
}

/* ---- a GCancellable of the program's -------------------------------------------------------------------- */

typedef struct connection {
    GCancellable *cancellable; /* a reference */
    gulong id;                 /* 0: it was cancelled already */
} connection;

/* Any thread. */
static void was_cancelled(GCancellable *cancellable, gpointer told)
{
    (void)cancellable;
    hoya_thread_future_set_result(told, NULL, NULL);
}

static void unref_told(gpointer told)
{
    hoya_thread_future_unref(told);
}

/* Not g_cancellable_disconnect, which waits for the other handlers: one of them may be what runs us. */
static void disconnect(void *arg)
{
    connection *c = arg;
    if (c->id) g_signal_handler_disconnect(c->cancellable, c->id);
    g_object_unref(c->cancellable);
    g_free(c);
}

int hoya_gio_cancel_on(hoya_future *target, GCancellable *cancellable)
{
    if (!target || !cancellable) return hoya_error_set(HOYA_EINVAL, "cancel_on without a future or a GCancellable");
    hoya_thread_future *told;
    hoya_future *cause;
    int rc = new_pair(hoya_future_get_loop(target), &told, &cause);
    if (rc < 0) return rc;
    connection *c = g_new0(connection, 1);
    c->cancellable = g_object_ref(cancellable);
    c->id = g_cancellable_connect(cancellable, G_CALLBACK(was_cancelled), told, unref_told);
    rc = hoya_future_add_done_callback(cause, nothing, c, disconnect, NULL);
    if (rc < 0) return give_up(rc, cause);
    return make_bond(cause, target, "its GCancellable was cancelled");
}

/* ---- objects -------------------------------------------------------------------------------------------- */

/* A closure that GObject invalidates when the object is disposed of. */
typedef struct ear {
    GClosure base;
    hoya_thread_future *told; /* a reference */
} ear;

static void unset_value(gpointer value)
{
    g_value_unset(value);
}

static void unref_values(void *values)
{
    g_array_unref(values);
}

/* Any thread. */
static void heard_signal(GClosure *closure, GValue *result, guint count, const GValue *values, gpointer hint,
                         gpointer data)
{
    (void)result, (void)hint, (void)data;
    hoya_thread_future *told = ((ear *)closure)->told;
    if (hoya_thread_future_done(told)) return; /* a second one, before we were disconnected */
    GArray *copies = g_array_sized_new(FALSE, TRUE, sizeof(GValue), count);
    g_array_set_clear_func(copies, unset_value);
    g_array_set_size(copies, count - 1);
    for (guint i = 1; i < count; i++) { /* the first one is the object */
        GValue *copy = &g_array_index(copies, GValue, i - 1);
        g_value_init(copy, values[i].g_type); /* G_VALUE_TYPE would drop the const */
        g_value_copy(&values[i], copy);
    }
    hoya_thread_future_set_result(told, copies, unref_values);
}

static void ear_lost_its_object(gpointer data, GClosure *closure)
{
    (void)data;
    hoya_thread_future *told = ((ear *)closure)->told;
    if (!hoya_thread_future_done(told))
        hoya_thread_future_set_exception(told, HOYA_ECLOSED, "the object was disposed of");
}

static void bound_object_went(gpointer data, GClosure *closure)
{
    (void)data;
    hoya_thread_future *told = ((ear *)closure)->told;
    if (!hoya_thread_future_done(told)) hoya_thread_future_set_result(told, NULL, NULL);
}

static void ear_finalize(gpointer data, GClosure *closure)
{
    (void)data;
    hoya_thread_future_unref(((ear *)closure)->told);
}

/* An ear on an object, which may go on another thread meanwhile. */
typedef struct plug {
    GWeakRef object;
    GClosure *ear; /* a reference */
} plug;

static void pull(void *arg)
{
    plug *p = arg;
    GObject *object = g_weak_ref_get(&p->object);
    if (object) {
        g_closure_invalidate(p->ear); /* which disconnects it */
        g_object_unref(object);
    } /* else GObject does it */
    g_closure_unref(p->ear);
    g_weak_ref_clear(&p->object);
    g_free(p);
}

/* A future that the ear completes; nobody has connected it yet. */
static int new_ear(hoya_loop *loop, GObject *object, GClosureNotify gone, GClosure **out, hoya_future **out_future)
{
    hoya_thread_future *told;
    hoya_future *future;
    int rc = new_pair(loop, &told, &future);
    if (rc < 0) return rc;
    GClosure *closure = g_closure_new_simple(sizeof(ear), NULL);
    ((ear *)closure)->told = told;
    g_closure_set_marshal(closure, heard_signal);
    g_closure_add_invalidate_notifier(closure, NULL, gone);
    g_closure_add_finalize_notifier(closure, NULL, ear_finalize);
    g_closure_ref(closure);
    g_closure_sink(closure);
    g_object_watch_closure(object, closure);
    plug *p = g_new0(plug, 1);
    g_weak_ref_init(&p->object, object);
    p->ear = closure;
    rc = hoya_future_add_done_callback(future, nothing, p, pull, NULL);
    if (rc < 0) return give_up(rc, future);
    *out = closure;
    *out_future = future;
    return 0;
}

int hoya_gobject_signal_future(hoya_loop *loop, gpointer object, const char *signal, hoya_future **out)
{
    guint id;
    GQuark detail;
    GClosure *closure;
    hoya_future *future;
    if (!G_IS_OBJECT(object) || !signal) return hoya_error_set(HOYA_EINVAL, "no object, or no name of a signal");
    if (!g_signal_parse_name(signal, G_OBJECT_TYPE(object), &id, &detail, TRUE))
        return hoya_error_set(HOYA_ENOENT, "%s has no signal \"%s\"", G_OBJECT_TYPE_NAME(object), signal);
    int rc = new_ear(loop, object, ear_lost_its_object, &closure, &future);
    if (rc < 0) return rc;
    g_signal_connect_closure_by_id(object, id, detail, closure, FALSE);
    *out = future;
    return 0;
}

int hoya_gobject_wait_signal(gpointer object, const char *signal, GArray **values)
{
    hoya_task *task = hoya_current_task();
    hoya_loop *loop = task ? hoya_task_get_loop(task) : hoya_get_running_loop();
    if (!loop) return hoya_error_set(HOYA_ESTATE, "this is no task: nothing can wait here");
    hoya_future *future;
    void *value;
    int rc = hoya_gobject_signal_future(loop, object, signal, &future);
    if (rc < 0) return rc;
    rc = hoya_await(future, NULL);
    if (rc >= 0 && values && (rc = hoya_future_take(future, &value, NULL)) >= 0) *values = value;
    hoya_future_cancel(future, NULL); /* if it could not wait */
    hoya_future_unref(future);
    return rc;
}

int hoya_gobject_bind(gpointer object, hoya_future *target)
{
    GClosure *closure;
    hoya_future *cause;
    if (!G_IS_OBJECT(object) || !target) return hoya_error_set(HOYA_EINVAL, "bind without an object or a future");
    int rc = new_ear(hoya_future_get_loop(target), object, bound_object_went, &closure, &cause);
    return rc < 0 ? rc : make_bond(cause, target, "the object that it was bound to was disposed of");
}
