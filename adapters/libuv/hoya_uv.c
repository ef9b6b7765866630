/* SPDX-License-Identifier: MIT
 *
 * hoya_uv.c: the loop as a guest of a uv_loop_t: one poll handle, a check handle in which the guest runs, an idle handle
 * for the kick, a prepare handle that begins a turn and keeps uv_run alive, and a timer for systems without
 * timerfd. Compare core/loop/host_native.c and adapters/glib/hoya_glib.c.
 *
 * A turn of libuv's: timers, idle handles, the wait, descriptors, check handles. Whatever is for the guest is noted
 * (`due`), and the guest runs once, at the turn's end, when all descriptors of the turn are known. The kick is an active
 * idle handle that does nothing: libuv does not wait while there is one.
 *
 * Close. A handle's memory is libuv's until its close callback, so nothing is freed before the last of them, and detach
 * is done then. `pins` counts them. If somebody else has closed our handles (uv_walk does that to all), the loop of
 * libuv is going away: that is the host's death, as far as libuv tells. Then no callback of ours tells when libuv is
 * through with them: a handle that we close behind them does (`last`).
 *
 * Turns. libuv does not say whether uv_run is on the stack. Between our idle or prepare handle and our check handle it
 * is: meanwhile the host is in the list `turning` of its thread.
 *
 * Liveness. No handle of ours keeps uv_run alive but the idle one (work is due) and, while the guest holds or a run of
 * ours is open, `alive`, which stands for all.
 */
#include <fcntl.h>
#include <hoya/error.h>
#include <hoya/uv.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define BUDGET HOYA_MSEC(4)

typedef struct watched watched;
typedef struct uv_host uv_host;

struct uv_host {
    hoya_host base;
    uv_loop_t *uv;
    hoya_guest *guest; /* NULL before attach and after the end */
    uv_check_t check;
    uv_idle_t idle;
    uv_timer_t timer;
    uv_prepare_t alive; /* marks the beginning of a turn; referenced while uv_run is to go on */
    uv_idle_t last;     /* closed behind handles that somebody else has closed */
    unsigned hops;      /* how often it has been */
    watched *first;
    watched *theirs; /* closed by somebody else: the memory goes with the host's */
    uv_host *outer;  /* the next in `turning` */
    bool in_turn, closed_by_others;
    bool due;      /* the guest is to run at the end of this turn */
    bool quitting; /* our run is over, and uv_run about to return */
    bool attached, running, held;
    bool settled;            /* uv_run has reached us: its thread is known to the guest */
    unsigned pins;           /* handles whose close callback is to come, and frames of ours that are on the stack */
    void (*done)(void *arg); /* detach's */
    void *done_arg;
    bool freed; /* free has come before the last close callback */
};

struct watched {
    uv_poll_t poll;
    uv_host *host;
    hoya_watch *record; /* NULL once it is closing */
    watched *next, **here;
};

static uv_host *from_base(const hoya_host *host)
{
    return (uv_host *)(uintptr_t)host;
}

static int uv_failed(int code, const char *what)
{
    return hoya_error_set(code, "%s: %s", what,
                          uv_strerror(code)); /* libuv's codes are errno's with a minus, too */
}

/* ---- turns ---------------------------------------------------------------------------------------------- */

static _Thread_local uv_host *turning;

static void begin_turn(uv_host *self)
{
    if (self->in_turn) return;
    self->in_turn = true;
    self->outer = turning;
    turning = self;
}

static void end_turn(uv_host *self)
{
    if (!self->in_turn) return;
    uv_host **at = &turning;
    while (*at && *at != self) at = &(*at)->outer;
    if (*at) *at = self->outer;
    self->in_turn = false;
}

/* Is libuv through with what somebody else has closed? A closed handle has lost its reference, and the idle handle, the
 * first of ours, is closed last: libuv goes from the last that was closed to the first. Only memory of ours is looked
 * at: if so, the uv_loop_t may be no more. */
static bool is_through(const uv_host *self)
{
    return !uv_has_ref((const uv_handle_t *)&self->idle);
}

/* What one host of a uv_loop_t knows is true for all of them: this one may be younger than the turn. Where somebody
 * has closed our check handle, the turn is over when libuv is through with our handles: it closes last of all. */
static int host_depth(const hoya_host *host)
{
    for (uv_host *at = turning, *outer; at; at = outer) {
        outer = at->outer;
        if (is_through(at)) end_turn(at);
        else if (at->uv == from_base(host)->uv) return 1;
    }
    return 0;
}

/* ---- closing -------------------------------------------------------------------------------------------- */

static void free_memory(uv_host *self)
{
    for (watched *w = self->theirs, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    free(self);
}

static void free_if_over(uv_host *self)
{
    if (self->pins) return;
    if (self->done) {
        void (*done)(void *arg) = self->done;
        self->done = NULL;
        done(self->done_arg); /* calls free */
    } else if (self->freed) {
        free_memory(self);
    }
}

static void unpin(uv_host *self)
{
    self->pins--;
    free_if_over(self);
}

static void handle_closed(uv_handle_t *handle)
{
    unpin(handle->data);
}

static void watched_closed(uv_handle_t *handle)
{
    watched *w = (watched *)handle;
    uv_host *self = w->host;
    free(w);
    unpin(self);
}

static void close_handle(uv_host *self, uv_handle_t *handle, uv_close_cb closed)
{
    if (uv_is_closing(handle)) { /* by somebody else: there will be no callback of ours */
        self->closed_by_others = true;
        return;
    }
    self->pins++;
    uv_close(handle, closed);
}

static void insert(uv_host *self, watched *w)
{
    w->next = self->first;
    w->here = &self->first;
    if (w->next) w->next->here = &w->next;
    self->first = w;
}

static void drop(watched *w)
{
    uv_handle_t *handle = (uv_handle_t *)&w->poll;
    *w->here = w->next;
    if (w->next) w->next->here = w->here;
    w->record = NULL;
    if (uv_is_closing(handle)) {
        w->next = w->host->theirs;
        w->host->theirs = w;
    } else {
        uv_poll_stop(&w->poll); /* at once: the descriptor may be closed when this returns */
    }
    close_handle(w->host, handle, watched_closed);
}

static bool is_gone(const uv_host *self)
{
    return self->attached && uv_is_closing((const uv_handle_t *)&self->idle);
}

static void last_closed(uv_handle_t *handle);

static void close_last(uv_host *self)
{
    uv_idle_init(self->uv, &self->last);
    self->last.data = self;
    uv_close((uv_handle_t *)&self->last, last_closed);
}

/* The first callback comes in the same pass over closed handles as the end of theirs, and before that; what is closed in
 * a pass waits for the next one: with the second callback theirs are through. */
static void last_closed(uv_handle_t *handle)
{
    uv_host *self = handle->data;
    if (++self->hops < 2) close_last(self);
    else unpin(self);
}

static void end(uv_host *self)
{
    self->guest = NULL;
    while (self->first) drop(self->first);
    if (!self->attached) return;
    self->attached = false;
    end_turn(self);
    close_handle(self, (uv_handle_t *)&self->check, handle_closed);
    close_handle(self, (uv_handle_t *)&self->idle, handle_closed);
    close_handle(self, (uv_handle_t *)&self->timer, handle_closed);
    close_handle(self, (uv_handle_t *)&self->alive, handle_closed);
    if (!self->closed_by_others || is_through(self)) return;
    self->pins++;
    close_last(self);
}

/* ---- what libuv calls ----------------------------------------------------------------------------------- */

static void on_idle(uv_idle_t *idle)
{
    begin_turn(idle->data);
}

/* There is to be a dispatch, without a wait before it. */
static void make_due(uv_host *self)
{
    self->due = true;
    uv_idle_start(&self->idle, on_idle);
}

static void on_timer(uv_timer_t *timer)
{
    make_due(timer->data);
}

static void on_check(uv_check_t *check)
{
    uv_host *self = check->data;
    end_turn(self); /* what is called from here on is the guest's, or may come behind uv_run */
    if (!self->due || self->quitting) return; /* it stays due for the next run */
    /* Before the guest runs: what it leaves is a new kick. */
    self->due = false;
    self->settled = true;
    uv_idle_stop(&self->idle);
    self->pins++;
    int rc = hoya_guest_dispatch(self->guest, BUDGET);
    if (rc == HOYA_ECHILD && self->running) uv_stop(self->uv); /* our caller is to hear of it */
    unpin(self);
}

static void on_alive(uv_prepare_t *alive)
{
    begin_turn(alive->data);
}

static unsigned to_uv(uint32_t mask)
{
    return (mask & HOYA_IN ? UV_READABLE : 0u) | (mask & HOYA_OUT ? UV_WRITABLE : 0u) |
           (mask & HOYA_PRI ? UV_PRIORITIZED : 0u);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static int start(watched *w, uint32_t mask)
{
    return uv_poll_start(&w->poll, (int)to_uv(mask), on_ready);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)events; /* a hint: the guest finds out itself */
    watched *w = (watched *)poll;
    if (!w->record || !w->host->guest) return;
    /* After an error libuv has stopped the handle. A descriptor that is gone must not be started again: libuv would end the
     * program over it. */
    if (status < 0 && fcntl(w->record->fd, F_GETFD) >= 0) start(w, w->record->mask);
    hoya_guest_ready(w->host->guest, w->record, 0);
    w->host->due = true; /* the turn's end is near */
}

/* ---- the host ------------------------------------------------------------------------------------------- */

static int host_attach(hoya_host *host, hoya_guest *guest, int priority)
{
    (void)priority; /* libuv has none */
    uv_host *self = from_base(host);
    uv_idle_init(self->uv, &self->idle); /* first; see is_through */
    uv_check_init(self->uv, &self->check);
    uv_timer_init(self->uv, &self->timer);
    uv_prepare_init(self->uv, &self->alive);
    self->check.data = self->idle.data = self->timer.data = self->alive.data = self;
    uv_check_start(&self->check, on_check);
    uv_unref((uv_handle_t *)&self->check);
    uv_prepare_start(&self->alive, on_alive);
    uv_unref((uv_handle_t *)&self->timer);
    uv_unref((uv_handle_t *)&self->alive);
    self->guest = guest;
    self->attached = true;
    return 0;
}

static int host_watch(hoya_host *host, hoya_watch *record, uint32_t mask)
{
    uv_host *self = from_base(host);
    watched *w = record->scratch[0];
    if (!mask) {
        record->scratch[0] = NULL;
        if (w) drop(w);
        return 0;
    }
    if (is_gone(self)) return 0; /* the guest is about to hear of it, and goes on natively */
    if (w && uv_is_closing((const uv_handle_t *)&w->poll))
        return hoya_error_set(HOYA_ECLOSED, "the handles of this uv_loop_t were closed");
    if (w) {
        int rc = start(w, mask);
        return rc < 0 ? uv_failed(rc, "uv_poll_start") : 0;
    }
    w = calloc(1, sizeof *w);
    if (!w) return hoya_error_set(HOYA_ENOMEM, "out of memory");
    int rc = uv_poll_init(self->uv, &w->poll, record->fd);
    if (rc < 0) {
        free(w);
        return uv_failed(rc, "uv_poll_init");
    }
    w->host = self;
    w->record = record;
    insert(self, w);
    uv_unref((uv_handle_t *)&w->poll);
    rc = start(w, mask);
    if (rc < 0) {
        drop(w);
        return uv_failed(rc, "uv_poll_start");
    }
    record->scratch[0] = w;
    return 0;
}

static int host_arm(hoya_host *host, int64_t deadline)
{
    uv_host *self = from_base(host);
    if (is_gone(self)) return 0;
    uv_timer_stop(&self->timer);
    if (deadline == HOYA_NEVER) return 0;
    /* libuv's clock is the monotonic one in whole milliseconds, as it was when this turn began: a point on it, rounded up, is
     * neither early nor late however old that is. */
    uint64_t at = deadline <= 0 ? 0 : (uint64_t)(deadline / 1000000 + (deadline % 1000000 != 0));
    uint64_t now = uv_now(self->uv);
    uv_timer_start(&self->timer, on_timer, at > now ? at - now : 0, 0);
    return 0;
}

static void host_kick(hoya_host *host)
{
    uv_host *self = from_base(host);
    if (!is_gone(self)) make_due(self);
}

static void host_detach(hoya_host *host, void (*done)(void *arg), void *arg)
{
    uv_host *self = from_base(host);
    self->done = done;
    self->done_arg = arg;
    end(self);
    free_if_over(self);
}

static void host_free(hoya_host *host)
{
    uv_host *self = from_base(host);
    end(self);
    self->freed = true;
    free_if_over(self);
}

static void keep_alive(uv_host *self)
{
    if (!self->attached || is_gone(self)) return;
    if (self->held || self->running) uv_ref((uv_handle_t *)&self->alive);
    else uv_unref((uv_handle_t *)&self->alive);
}

static void host_hold(hoya_host *host, int on)
{
    uv_host *self = from_base(host);
    self->held = on;
    keep_alive(self);
}

static int host_run(hoya_host *host)
{
    uv_host *self = from_base(host);
    self->running = self->settled = true;
    self->pins++;
    keep_alive(self);
    uv_run(self->uv, UV_RUN_DEFAULT);
    bool asked = self->quitting || !self->guest;
    self->running = self->quitting = false;
    keep_alive(self);
    unpin(self);
    return asked ? 0 : hoya_error_set(HOYA_ECANCELED, "uv_stop ended the run");
}

static int host_quit(hoya_host *host)
{
    uv_host *self = from_base(host);
    if (!self->running) return hoya_error_set(HOYA_ESTATE, "no run of this uv_loop_t is ours");
    self->quitting = true;
    uv_stop(self->uv);
    return 0;
}

static int host_is_gone(const hoya_host *host)
{
    return is_gone(from_base(host));
}

/* libuv does not tell which thread runs its loop: the first one stays. */
static int host_is_owner(const hoya_host *host)
{
    return !from_base(host)->settled;
}

/* The program has called uv_loop_fork: libuv's own set is the child's. The handles stay, the guest asks for all anew. */
static int host_after_fork(hoya_host *host)
{
    uv_host *self = from_base(host);
    if (is_gone(self)) return HOYA_ECLOSED;
    while (self->first) drop(self->first);
    uv_idle_stop(&self->idle);
    uv_timer_stop(&self->timer);
    self->due = self->held = false;
    keep_alive(self);
    return 0;
}

static const hoya_host_ops host_ops = {
    .size = sizeof(hoya_host_ops),
    .name = "libuv",
    .attach = host_attach,
    .watch = host_watch,
    .arm = host_arm,
    .kick = host_kick,
    .detach = host_detach,
    .free = host_free,
    .run = host_run,
    .quit = host_quit,
    .is_owner = host_is_owner,
    .is_gone = host_is_gone,
    .depth = host_depth,
    .hold = host_hold,
    .after_fork = host_after_fork,
};

int hoya_uv_host_new(uv_loop_t *uv, hoya_host **host)
{
    if (!uv) return hoya_error_set(HOYA_EINVAL, "the uv_loop_t is NULL");
    uv_host *self = calloc(1, sizeof *self);
    if (!self) return hoya_error_set(HOYA_ENOMEM, "out of memory");
    self->base.ops = &host_ops;
    self->uv = uv;
    *host = &self->base;
    return 0;
}

int hoya_uv_loop_new(uv_loop_t *uv, hoya_loop **loop)
{
    hoya_loop_options options = {.size = sizeof options};
    int rc = hoya_uv_host_new(uv, &options.host);
    return rc < 0 ? rc : hoya_loop_new(&options, loop);
}

/* ---- the policy ----------------------------------------------------------------------------------------- */

typedef struct thread_loop {
    uv_loop_t uv;
    int passes; /* over the thread's keys, at its end */
} thread_loop;

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static int key_error;

typedef struct handle_counts {
    unsigned closing, open;
} handle_counts;

static void count_handle(uv_handle_t *handle, void *arg)
{
    handle_counts *counts = arg;
    if (uv_is_closing(handle)) counts->closing++;
    else counts->open++;
}

static bool has_only_to_close(uv_loop_t *uv)
{
    handle_counts counts = {0, 0};
    uv_walk(uv, count_handle, &counts);
    return counts.closing && !counts.open;
}

/* Turn by turn, since a close callback may close another handle. Where one is open nothing is run: the thread is over. */
static int finish_and_close(uv_loop_t *uv)
{
    int rc;
    while ((rc = uv_loop_close(uv)) == UV_EBUSY && has_only_to_close(uv)) uv_run(uv, UV_RUN_NOWAIT);
    return rc;
}

/* hoya's own key, which closes this thread's loops, may have its turn after this one, and so may those of others: while
 * anything is open another pass over the keys is asked for. Not the last one: in that a sanitizer takes leave of the
 * thread. */
static void end_thread_loop(void *arg)
{
    thread_loop *own = arg;
    if (finish_and_close(&own->uv) == 0) free(own);
    else if (++own->passes < PTHREAD_DESTRUCTOR_ITERATIONS - 1) pthread_setspecific(key, own);
    /* else the program left handles open in it: libuv's memory is not ours to take */
}

static void make_key(void)
{
    key_error = pthread_key_create(&key, end_thread_loop);
}

uv_loop_t *hoya_uv_thread_loop(void)
{
    if (getpid() == gettid()) return uv_default_loop();
    pthread_once(&key_once, make_key);
    if (key_error) return NULL;
    thread_loop *own = pthread_getspecific(key);
    if (own) return &own->uv;
    own = calloc(1, sizeof *own);
    if (!own || uv_loop_init(&own->uv) < 0) {
        free(own);
        return NULL;
    }
    if (pthread_setspecific(key, own) == 0) return &own->uv;
    uv_loop_close(&own->uv);
    free(own);
    return NULL;
}

static int policy_new_host(hoya_policy *policy, hoya_host **host)
{
    (void)policy;
    uv_loop_t *uv = hoya_uv_thread_loop();
    return uv ? hoya_uv_host_new(uv, host) : hoya_error_set(HOYA_ENOMEM, "no uv_loop_t for this thread");
}

static const hoya_policy_ops policy_ops = {
    .size = sizeof(hoya_policy_ops), .name = "libuv", .new_host = policy_new_host};

hoya_policy *hoya_uv_policy(void)
{
    static hoya_policy policy = {&policy_ops};
    return &policy;
}
