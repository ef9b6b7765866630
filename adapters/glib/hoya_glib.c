/* SPDX-License-Identifier: MIT
 *
 * hoya_glib.c: the loop as a guest of a GMainContext: one GSource, on one descriptor. Compare
 * core/loop/host_native.c.
 *
 * The host is the source: one piece of memory, of GLib's reference count, so that it lives while GLib is in
 * any of its functions. The source may recurse: GLib calls it in nested main loops too, and the guest knows
 * what may be entered again.
 *
 * prepare is the hook before each wait, nested or not: there the guest says whether it has work. A kick has something to
 * do only between that and the wait. GLib may call prepare, check and dispatch in any order or leave some out; nothing here
 * depends on the order.
 *
 * Manners. A turn of GLib's is no turn for everybody: while a source is ready, those of lower priority are
 * not even asked, and a busy guest would stop GTK's redraws. So after 4 ms without a pause the source steps
 * aside (it is masked) until a source of the lowest priority there is has run, which means that everybody
 * else had a turn, or until 4 ms have passed.
 *
 * Death. The context may be destroyed first. GLib then destroys its sources; `finalize` would come too late
 * (references), so the news comes by the destroy notify of the source's callback, which is there for
 * nothing else.
 */
#include <hoya/error.h>
#include <hoya/glib.h>

#define BUSY HOYA_MSEC(4)

typedef struct watched {
    GPollFD fd;
    hoya_watch *record;
} watched;

typedef struct glib_host {
    GSource source;
    hoya_host base;
    hoya_guest *guest;     /* NULL before attach and after the end */
    GMainContext *context; /* a reference, until attach */
    GMainLoop *run;        /* the one that we run, if any */
    GPtrArray *watched;    /* of watched; usually one, the selector's descriptor */
    gint64 ready_time;     /* us, as GLib's; -1: none */
    gboolean settled;      /* the context has been run with us in it, by the thread that is its owner then */
    gboolean asked;        /* prepare has said no, and check has not come yet: GLib may be about to wait */
    gboolean kicked;       /* the ready time is 0 for that reason */
    GSource *unmask;       /* there while we are masked: then GLib has no ready time, and check says no */
    gint64 busy_since;     /* us, 0: there was a pause */
    gint64 masked_since;
} glib_host;

static glib_host *from_base(const hoya_host *host)
{
    return (glib_host *)((char *)(uintptr_t)host - offsetof(glib_host, base));
}

/* ---- stepping aside ------------------------------------------------------------------------------------- */

static void tell_glib(glib_host *self)
{
    g_source_set_ready_time(&self->source, self->unmask ? -1 : self->kicked ? 0 : self->ready_time);
}

static void forget_unmask(glib_host *self)
{
    if (!self->unmask) return;
    g_source_destroy(self->unmask);
    g_source_unref(self->unmask);
    self->unmask = NULL;
}

static void step_back(glib_host *self)
{
    forget_unmask(self);
    self->busy_since = 0;
    tell_glib(self);
}

static gboolean everybody_had_a_turn(gpointer data)
{
    step_back(data);
    return G_SOURCE_REMOVE;
}

static void step_aside(glib_host *self)
{
    self->unmask = g_idle_source_new();
    g_source_set_priority(self->unmask, G_MAXINT);
    g_source_set_callback(self->unmask, everybody_had_a_turn, self, NULL);
    g_source_attach(self->unmask, g_source_get_context(&self->source));
    self->masked_since = g_get_monotonic_time();
    tell_glib(self);
}

static gboolean is_masked(glib_host *self)
{
    if (self->unmask && g_get_monotonic_time() - self->masked_since >= BUSY / 1000) step_back(self);
    return self->unmask != NULL;
}

/* ---- the source ----------------------------------------------------------------------------------------- */

static gboolean source_prepare(GSource *source, gint *timeout)
{
    glib_host *self = (glib_host *)source;
    *timeout = -1;
    if (!self->guest || is_masked(self)) return FALSE; /* masked, GLib does not wait: the other source is ready */
    gboolean ready = hoya_guest_deadline(self->guest) == HOYA_NOW;
    self->asked = !ready;
    return ready;
}

/* Tells the guest which of its descriptors GLib's poll found. */
static gboolean report_ready(glib_host *self)
{
    gboolean any = FALSE;
    for (guint i = 0; i < self->watched->len; i++) {
        watched *w = g_ptr_array_index(self->watched, i);
        if (!w->fd.revents) continue;
        w->fd.revents = 0;
        any = TRUE;
        hoya_guest_ready(self->guest, w->record, 0); /* the guest finds out itself what it is */
    }
    return any;
}

static gboolean source_check(GSource *source)
{
    glib_host *self = (glib_host *)source;
    self->asked = FALSE;
    if (!self->guest || is_masked(self)) return FALSE;
    gboolean ready = report_ready(self) || hoya_guest_deadline(self->guest) == HOYA_NOW;
    if (!ready) self->busy_since = 0;
    return ready;
}

static gboolean source_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    (void)callback, (void)data;
    glib_host *self = (glib_host *)source;
    if (!self->guest) return G_SOURCE_CONTINUE;
    if (!self->busy_since) self->busy_since = g_get_monotonic_time();
    self->asked = FALSE;
    if (self->kicked) {
        /* Before the guest runs: a kick that comes meanwhile is a new one. */
        self->kicked = FALSE;
        tell_glib(self);
    }
    self->settled = TRUE;
    report_ready(self); /* GLib asks no check of a source whose prepare said yes */
    int rc = hoya_guest_dispatch(self->guest, BUSY);
    if (rc == HOYA_ECHILD && self->run) g_main_loop_quit(self->run); /* our caller is to hear of it */
    if (self->guest && !self->unmask && self->busy_since &&
        g_get_monotonic_time() - self->busy_since >= BUSY / 1000)
        step_aside(self);
    return G_SOURCE_CONTINUE;
}

static void source_finalize(GSource *source)
{
    glib_host *self = (glib_host *)source;
    g_ptr_array_unref(self->watched);
    if (self->context) g_main_context_unref(self->context);
}

static GSourceFuncs source_funcs = {source_prepare, source_check, source_dispatch, source_finalize, NULL, NULL};

static gboolean never_called(gpointer data)
{
    (void)data;
    return G_SOURCE_CONTINUE;
}

/* The source has been destroyed: by our detach (guest is NULL then), or with its context. */
static void source_destroyed(gpointer data)
{
    glib_host *self = data;
    hoya_guest *guest = self->guest;
    if (!guest) return;
    self->guest = NULL;
    forget_unmask(self);
    if (self->run) g_main_loop_quit(self->run);
    hoya_guest_host_gone(guest);
}

/* ---- the host ------------------------------------------------------------------------------------------- */

static int host_attach(hoya_host *host, hoya_guest *guest, int priority)
{
    glib_host *self = from_base(host);
    /* Held for the time of the call: another thread must not dispatch a loop that is half attached. */
    GMainContext *context = self->context;
    if (!g_main_context_acquire(context))
        return hoya_error_set(HOYA_ETHREAD, "another thread runs this GMainContext");
    self->guest = guest;
    g_source_set_priority(&self->source, priority);
    g_source_set_can_recurse(&self->source, TRUE);
    g_source_set_static_name(&self->source, "hoya");
    g_source_set_callback(&self->source, never_called, self, source_destroyed);
    g_source_attach(&self->source, context);
    g_main_context_release(context);
    g_main_context_unref(context);
    self->context = NULL; /* else it could not die before us */
    return 0;
}

static int host_watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    glib_host *self = from_base(host);
    watched *w = record->scratch[0];
    if (!mask && w) {
        g_source_remove_poll(&self->source, &w->fd);
        g_ptr_array_remove_fast(self->watched, w); /* frees it */
        record->scratch[0] = NULL;
    }
    if (!mask) return 0;
    if (!w) {
        w = g_new0(watched, 1);
        w->fd.fd = record->fd;
        w->record = record;
        g_ptr_array_add(self->watched, w);
        record->scratch[0] = w;
        g_source_add_poll(&self->source, &w->fd);
    }
    /* GLib reads it before each poll. One that is about to begin has read it, and is woken for what is new. */
    gushort before = w->fd.events;
    w->fd.events = (gushort)((mask & HOYA_IN ? G_IO_IN : 0) | (mask & HOYA_OUT ? G_IO_OUT : 0) |
                             (mask & HOYA_PRI ? G_IO_PRI : 0) | G_IO_ERR | G_IO_HUP);
    if (self->asked && w->fd.events & ~before) g_main_context_wakeup(g_source_get_context(&self->source));
    return 0;
}

static int host_arm(hoya_host *host, int64_t deadline)
{
    glib_host *self = from_base(host);
    /* Microseconds, rounded up. GLib keeps a ready time until it is changed: a held promise. */
    self->ready_time = deadline == HOYA_NEVER ? -1 : deadline <= 0 ? 0 : deadline / 1000 + (deadline % 1000 != 0);
    tell_glib(self);
    return 0;
}

static void host_kick(hoya_host *host)
{
    glib_host *self = from_base(host);
    if (!self->asked) return; /* source_prepare comes before the next wait */
    /* Work from a source that is prepared after ours, or from the context's poll function. */
    self->asked = FALSE;
    self->kicked = TRUE;
    tell_glib(self);
}

static void host_detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    glib_host *self = from_base(host);
    self->guest = NULL;
    forget_unmask(self);
    g_source_destroy(&self->source);
    done(arg);
}

static void host_free(hoya_host *host)
{
    g_source_unref(&from_base(host)->source);
}

static int host_run(hoya_host *host)
{
    glib_host *self = from_base(host);
    GMainContext *context = g_source_get_context(&self->source);
    if (!g_main_context_acquire(context))
        return hoya_error_set(HOYA_ETHREAD, "another thread runs this GMainContext");
    self->settled = TRUE;
    GMainLoop *before = self->run;
    GMainLoop *run = self->run = g_main_loop_new(context, FALSE);
    g_source_ref(&self->source);
    g_main_loop_run(run);
    self->run = before;
    g_source_unref(&self->source);
    g_main_context_release(context);
    g_main_loop_unref(run);
    return 0;
}

static int host_quit(hoya_host *host)
{
    glib_host *self = from_base(host);
    if (!self->run) return hoya_error_set(HOYA_ESTATE, "no run of this GMainContext is ours");
    g_main_loop_quit(self->run);
    return 0;
}

/* GLib's main loops are the parent's. Without a system call (removing a poll would wake the parent) the source falls
 * silent: a descriptor of -1 is not polled. Only leaving a run of ours wakes the parent once, for nothing. */
static int host_after_fork(hoya_host *host)
{
    glib_host *self = from_base(host);
    self->guest = NULL;
    for (guint i = 0; i < self->watched->len; i++) ((watched *)g_ptr_array_index(self->watched, i))->fd.fd = -1;
    if (self->run) g_main_loop_quit(self->run);
    return hoya_error_set(HOYA_ENOTSUP, "a GMainContext cannot be used in a forked child");
}

static int host_is_owner(const hoya_host *host)
{
    glib_host *self = from_base(host);
    return !self->settled || g_main_context_is_owner(g_source_get_context(&self->source));
}

static int host_depth(const hoya_host *host)
{
    (void)host;
    return g_main_depth();
}

static void host_log(hoya_host *host, hoya_log_level level, const char *text)
{
    static const GLogLevelFlags levels[] = {G_LOG_LEVEL_CRITICAL, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_INFO,
                                            G_LOG_LEVEL_DEBUG};
    (void)host;
    g_log("hoya", levels[level], "%s", text);
}

static const hoya_host_ops host_ops = {
    .size = sizeof(hoya_host_ops),
    .name = "glib",
    .caps = HOYA_HOST_NESTS | HOYA_HOST_BEFORE_BLOCK,
    .attach = host_attach,
    .watch = host_watch,
    .arm = host_arm,
    .kick = host_kick,
    .detach = host_detach,
    .free = host_free,
    .run = host_run,
    .quit = host_quit,
    .is_owner = host_is_owner,
    .depth = host_depth,
    .after_fork = host_after_fork,
    .log = host_log,
};

int hoya_glib_host_new(GMainContext *context, hoya_host **host)
{
    glib_host *self = (glib_host *)g_source_new(&source_funcs, sizeof *self);
    self->base.ops = &host_ops;
    self->watched = g_ptr_array_new_with_free_func(g_free);
    self->ready_time = -1;
    self->context = context ? g_main_context_ref(context) : g_main_context_ref_thread_default();
    *host = &self->base;
    return 0;
}

int hoya_glib_loop_new(GMainContext *context, int priority, hoya_loop **loop)
{
    hoya_loop_options options = {.size = sizeof options, .priority = priority};
    int rc = hoya_glib_host_new(context, &options.host);
    return rc < 0 ? rc : hoya_loop_new(&options, loop);
}

/* ---- the policy ----------------------------------------------------------------------------------------- */

static int policy_new_host(hoya_policy *policy, hoya_host **host)
{
    (void)policy;
    return hoya_glib_host_new(NULL, host);
}

static const hoya_policy_ops policy_ops = {
    .size = sizeof(hoya_policy_ops), .name = "glib", .new_host = policy_new_host};

hoya_policy *hoya_glib_policy(void)
{
    static hoya_policy policy = {&policy_ops};
    return &policy;
}
