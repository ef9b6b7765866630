/* SPDX-License-Identifier: MIT
 *
 * hoya/loop.h: the event loop: callbacks, timers, descriptors, signals, running and stopping. PEP 3156, "Event Loop
 * Interface".
 *
 * Thread: a loop belongs to one thread: the one that made it, until the first run, which may be on another
 * thread and settles it. Every function here that can change something answers HOYA_ETHREAD on a wrong
 * thread, in every build, except those marked "any thread"; plain getters do not look. Under a foreign host
 * the loop follows the thread that runs the host's loop.
 *
 * Callbacks run from the iteration only, in the order in which they became ready, never inside the call
 * that scheduled them. They may call everything here, and may run the host's loop again (a dialog):
 * everything but what is on the stack goes on meanwhile. The functions marked "runs inline" are the
 * exceptions: destroy functions, and exception and log handlers. They may call everything but what waits
 * (HOYA_EPERM, where the task that they interrupt could).
 *
 * Arguments: a function with a `destroy` takes the argument, always: destroy(arg) is called exactly once,
 * after the run, at the cancel, at the close of the loop, or before a failed call returns.
 */
#ifndef HOYA_LOOP_H
#define HOYA_LOOP_H

#include <hoya/base.h>
#include <hoya/host.h>
#include <hoya/selector.h>

HOYA_BEGIN_DECLS

typedef struct hoya_loop hoya_loop;

/* ---- life -------------------------------------------------------------------------------------------- */

enum hoya_loop_flags {
    HOYA_LOOP_NO_TIMERFD = 1u << 0, /* timers by the host's `arm`, or by the selector's timeout */
    HOYA_LOOP_DEBUG = 1u << 1, /* as hoya_loop_set_debug(loop, 1); HOYA_DEBUG=1 in the environment does the same */
    HOYA_LOOP_PER_FD =
        1u << 2 /* a foreign host watches each descriptor by itself, as it must where the selector has
                                  none of its own (poll, select) */
};

/* All zero but the size (or NULL instead of the struct) means the defaults. The loop takes the selector and the host,
 * also when hoya_loop_new fails, except when it cannot read the options, or the host is of another version. */
typedef struct hoya_loop_options {
    size_t size; /* sizeof(hoya_loop_options) */
    uint32_t flags;
    int priority;            /* for the host, in its own scale */
    hoya_selector *selector; /* NULL: the best of this system */
    hoya_host *host;         /* NULL: native */
    const hoya_clock
        *clock; /* NULL: the system's; copied. Another one implies HOYA_LOOP_NO_TIMERFD, no foreign host */
} hoya_loop_options;

/* Makes a loop; *loop is a new reference. With a host it dispatches from now on, whenever the host's loop
 * runs. Errors: HOYA_EINVAL (an option that this version does not know), HOYA_EMFILE, HOYA_ENOMEM, and what
 * attach answers (HOYA_ENOHOST is none: the loop is native until the host appears). Origin:
 * SelectorEventLoop(). */
HOYA_API int hoya_loop_new(const hoya_loop_options *options, hoya_loop **loop);

/* Any thread. The last unref frees the loop and closes it first if need be; it must then be on the loop's
 * thread. Futures, tasks, connections and servers have references, too: while there are any, hoya_loop_close is the end. */
HOYA_API hoya_loop *hoya_loop_ref(hoya_loop *loop);
HOYA_API void hoya_loop_unref(hoya_loop *loop);

/* Ends the loop: what is queued, timed or watched is dropped and its arguments are destroyed (inline); the
 * host is let go, descriptors are unwatched and stay open. Needs no memory. 0 as well when it is closed
 * already. Errors: HOYA_EBUSY while it runs or dispatches. Origin: loop.close. */
HOYA_API int hoya_loop_close(hoya_loop *loop);
HOYA_API int hoya_loop_is_closed(const hoya_loop *loop); /* any thread */

/* ---- running ------------------------------------------------------------------------------------------ */

/* Runs until stop or abort. Native loops block in their selector; on a foreign host this runs the host's
 * loop (OWNER mode), nested if the application runs it already and the host nests. When the host changes or dies under way,
 * the run goes on with what is left. Returns 0 after stop, the code given to abort, or an error: HOYA_EBUSY
 * (this loop, or another one of this thread, is running or dispatching), HOYA_ECLOSED, HOYA_ENOTSUP (the
 * host cannot be run from here: it has no way to, or runs already and does not nest; libuv), HOYA_ETHREAD (the host is another thread's), HOYA_ECANCELED (the application's quit or
 * uv_stop ended the run), or the selector's failure. Origin: loop.run_forever. */
HOYA_API int hoya_loop_run_forever(hoya_loop *loop);

/* Runs one iteration: waits at most `timeout` nanoseconds (HOYA_NOW: not at all, HOYA_NEVER: without end)
 * until something is ready, then runs one round. With HOYA_NOW that is one iteration, whatever it finds: tulip's
 * run_briefly. Returns the number of callbacks that ran. Errors as run_forever. Origin: BaseEventLoop._run_once. */
HOYA_API int hoya_loop_run_once(hoya_loop *loop, int64_t timeout);

/* Ends the run at the end of the current round: what the round's callbacks schedule stays queued for the
 * next run. Before a run: the next one makes exactly one iteration without blocking. While no hoya run is
 * open and the host drives the loop: callbacks pause at the end of the round, until start; what is pending
 * then keeps no application going (libuv, HOYA_QT_HOLD). Never ends a host's loop that hoya did not start. Any thread; async-signal-safe. Errors: HOYA_ECLOSED. Origin:
 * loop.stop. */
HOYA_API int hoya_loop_stop(hoya_loop *loop);

/* Takes a stop back that has not ended a run: a paused loop goes on. 0 as well if there was none. */
HOYA_API int hoya_loop_start(hoya_loop *loop);

/* Leaves the run at once: after the callback that calls this no other one runs; they stay queued, in order,
 * for the next run, which continues with them. run_forever returns `code` (negative). Origin: an exception
 * like KeyboardInterrupt that leaves run_forever. Errors: HOYA_ESTATE when no run is open, HOYA_EINVAL for
 * a code that is not negative. */
HOYA_API int hoya_loop_abort(hoya_loop *loop, int code);

/* Makes a blocked loop look again; several calls before the look are one. Any thread; async-signal-safe. */
HOYA_API int hoya_loop_wakeup(hoya_loop *loop);

/* 1 while a run is open or a callback of the loop is on the stack. Any thread. Origin: loop.is_running. */
HOYA_API int hoya_loop_is_running(const hoya_loop *loop);

/* The loop whose run or dispatch this thread is in, the innermost one; NULL if none. Borrowed.
 * Origin: asyncio.get_running_loop. */
HOYA_API hoya_loop *hoya_get_running_loop(void);

/* ---- callbacks ---------------------------------------------------------------------------------------- */

/* A callback's registration. Belongs to the loop's thread; may outlive the loop. */
typedef struct hoya_handle hoya_handle;

/* Runs fn(arg) in the next round. First in, first out. Errors: HOYA_ECLOSED, HOYA_ENOMEM. Origin:
 * loop.call_soon. */
HOYA_API int hoya_loop_call_soon(hoya_loop *loop, hoya_callback fn, void *arg);

/* The same with a destroy function and a handle; either may be NULL. *handle is a new reference. */
HOYA_API int hoya_loop_call_soon_full(hoya_loop *loop, hoya_callback fn, void *arg, hoya_destroy destroy,
                                      hoya_handle **handle);

/* Runs fn(arg) once, `delay` nanoseconds from now, never earlier; a delay of 0 or less means the next
 * round, after what was queued before. Sums beyond the clock's range are HOYA_NEVER. *handle (may be NULL)
 * is a new reference. Errors: HOYA_ECLOSED, HOYA_ENOMEM. Origin: loop.call_later. */
HOYA_API int hoya_loop_call_later(hoya_loop *loop, int64_t delay, hoya_callback fn, void *arg, hoya_destroy destroy,
                                  hoya_handle **handle);

/* The same at a point of the loop's clock. Equal deadlines run in the order of insertion. Origin:
 * loop.call_at. */
HOYA_API int hoya_loop_call_at(hoya_loop *loop, int64_t when, hoya_callback fn, void *arg, hoya_destroy destroy,
                               hoya_handle **handle);

/* Runs fn(arg) again and again, at now + interval, now + 2 * interval, ..., until the handle is cancelled, in its own
 * callback, too. It does not drift: a call that is late makes no later one late. Times that have gone by meanwhile (the
 * callback took longer, the thread was stopped) are left out, not made up for; while the machine is suspended the clock stands
 * still, so that afterwards the rest of the interval is waited for. Never early, and up to `slack` nanoseconds late on
 * purpose: timers with slack go off together, those of other processes, too, and the machine sleeps longer. While the
 * callback is on the stack it is not called again, by a nested loop either. hoya_handle_when is the next deadline; in the
 * callback the one that it is called for. Errors: as call_at; HOYA_EINVAL (an interval of 0 or less, a negative slack, or one
 * that is not less than the interval). Origin: none in asyncio. */
HOYA_API int hoya_loop_call_every(hoya_loop *loop, int64_t interval, int64_t slack, hoya_callback fn, void *arg,
                                  hoya_destroy destroy, hoya_handle **handle);

/* The loop's clock now. Any thread with the system's clock. Origin: loop.time. */
HOYA_API int64_t hoya_loop_time(const hoya_loop *loop);

HOYA_API hoya_handle *hoya_handle_ref(hoya_handle *handle);
HOYA_API void hoya_handle_unref(hoya_handle *handle); /* does not cancel */

/* The callback will not run; its argument is destroyed now (inline), or after the run if it is running. 1
 * if this call cancelled it, 0 if it had run, been cancelled or dropped before. Needs no memory. Errors:
 * HOYA_ETHREAD. Origin: Handle.cancel. */
HOYA_API int hoya_handle_cancel(hoya_handle *handle);
HOYA_API int hoya_handle_cancelled(const hoya_handle *handle); /* 1 after a cancel that came in time */
HOYA_API int64_t hoya_handle_when(const hoya_handle *handle);  /* the deadline; HOYA_NOW for call_soon */

/* ---- from other threads ------------------------------------------------------------------------------- */

/* The handle of a callback posted by call_soon_threadsafe: references and cancel from any thread. */
typedef struct hoya_threadsafe_handle hoya_threadsafe_handle;

/* call_soon from any thread, the loop's own included; wakes a blocked loop. Posts of one thread run in
 * order; a post by the loop's own thread is in line with call_soon. destroy(arg) runs on the loop's thread,
 * or in the failing or cancelling call. The caller holds a reference to the loop. Not for signal handlers
 * (use wakeup or stop there). *handle may be NULL. Errors: HOYA_ECLOSED, HOYA_ENOMEM. Origin:
 * loop.call_soon_threadsafe. */
HOYA_API int hoya_loop_call_soon_threadsafe(hoya_loop *loop, hoya_callback fn, void *arg, hoya_destroy destroy,
                                            hoya_threadsafe_handle **handle);

HOYA_API hoya_threadsafe_handle *hoya_threadsafe_handle_ref(hoya_threadsafe_handle *handle);
HOYA_API void hoya_threadsafe_handle_unref(hoya_threadsafe_handle *handle);

/* When this returns, the callback is not running and will not run. From another thread it waits while the
 * callback runs; from inside that callback it returns at once. Results as hoya_handle_cancel. Origin:
 * 3.14's _ThreadSafeHandle.cancel. */
HOYA_API int hoya_threadsafe_handle_cancel(hoya_threadsafe_handle *handle);
HOYA_API int hoya_threadsafe_handle_cancelled(hoya_threadsafe_handle *handle);

/* ---- descriptors -------------------------------------------------------------------------------------- */

/* `events` is what was found: HOYA_IN or HOYA_OUT, HOYA_ERR, HOYA_HUP. Readiness is a hint: use
 * non-blocking descriptors. */
typedef void (*hoya_fd_callback)(hoya_fd fd, uint32_t events, void *arg);

/* Calls fn each round in which `fd` is readable, hung up or in error, until remove_reader. One reader and
 * one writer a descriptor. While fn is on the stack its descriptor is not reported again. Remove before you
 * close `fd`. Errors: HOYA_EEXIST (use replace), HOYA_EBUSY (a transport, a server, or a task that
 * waits has it), HOYA_EPERM (a regular file), HOYA_EBADF, HOYA_ECLOSED, HOYA_ENOMEM, HOYA_ENOSPC. Origin:
 * loop.add_reader, which replaces. */
HOYA_API int hoya_loop_add_reader(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg,
                                  hoya_destroy destroy);
/* asyncio's add_reader: takes the place of the reader there is; that one's argument is destroyed. */
HOYA_API int hoya_loop_replace_reader(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg,
                                      hoya_destroy destroy);
/* 1 if there was one, else 0 (also on a closed loop); a callback that is queued already does not run. Needs
 * no memory. */
HOYA_API int hoya_loop_remove_reader(hoya_loop *loop, hoya_fd fd);

/* The same for "writable". */
HOYA_API int hoya_loop_add_writer(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg,
                                  hoya_destroy destroy);
HOYA_API int hoya_loop_replace_writer(hoya_loop *loop, hoya_fd fd, hoya_fd_callback fn, void *arg,
                                      hoya_destroy destroy);
HOYA_API int hoya_loop_remove_writer(hoya_loop *loop, hoya_fd fd);

/* ---- signals ------------------------------------------------------------------------------------------- */

typedef void (*hoya_signal_callback)(int signum, void *arg);

/* Calls fn as a callback of the loop, never in signal context, after signal `signum` came, until it is removed.
 * Signals that come before it runs are one call; after the last of them there always is one. Signals are the
 * process's: any loop of any thread may own one, at most one loop each, and the action that was there is replaced,
 * not called (SIGCHLD's is called as well: GLib and Qt watch children by it). The signal must not be blocked in
 * every thread. In a child that forks and does not exec, the signal does what it did before, until
 * hoya_loop_after_fork. Errors: HOYA_EEXIST (this loop has a handler for it: use replace), HOYA_EBUSY (another loop
 * has), HOYA_EINVAL (no signal, SIGKILL, SIGSTOP, or a fault like SIGSEGV), HOYA_ECLOSED, HOYA_ENOMEM. Origin:
 * loop.add_signal_handler, which replaces. */
HOYA_API int hoya_loop_add_signal_handler(hoya_loop *loop, int signum, hoya_signal_callback fn, void *arg,
                                          hoya_destroy destroy);
/* asyncio's add_signal_handler: takes the place of the handler there is, without a moment in between in which the
 * signal has its old effect. */
HOYA_API int hoya_loop_replace_signal_handler(hoya_loop *loop, int signum, hoya_signal_callback fn, void *arg,
                                              hoya_destroy destroy);
/* 1 if there was one, else 0 (also on a closed loop). Puts back the action that was there before, if nobody else has
 * set another one since. hoya_loop_close does the same for all. Needs no memory. Errors: HOYA_EINVAL as above. */
HOYA_API int hoya_loop_remove_signal_handler(hoya_loop *loop, int signum);

/* ---- fork ---------------------------------------------------------------------------------------------- */

/* In the child of a fork, from its only thread: makes the loop the child's own, with all that is queued, timed,
 * watched and handled. Before that every function of this loop answers HOYA_ECHILD, except hoya_loop_close and unref,
 * which end it: nothing of the parent's is touched by any of them. A callback that forks and returns in the child
 * ends the child's run with HOYA_ECHILD, unless it called this first. A foreign host that cannot be used in a child
 * (GLib's main loop), or refuses there, is left, and the loop is native then. In the parent, or a second time: 0. Errors:
 * HOYA_EMFILE, HOYA_ENOMEM (may be tried again), HOYA_ECLOSED. Origin: none; asyncio's loops cannot be used in a
 * child. */
HOYA_API int hoya_loop_after_fork(hoya_loop *loop);

/* ---- errors that nobody asked for, and debug mode ------------------------------------------------------ */

/* Origin: the context of loop.call_exception_handler. */
typedef struct hoya_exception_context {
    size_t size;         /* sizeof(hoya_exception_context) */
    const char *message; /* never NULL */
    int code;            /* a negative code, or 0 */
    const char *detail;  /* or NULL */
    hoya_fd fd;          /* or HOYA_INVALID_FD */
} hoya_exception_context;

/* Runs inline. Returns 0, or a negative code when it failed itself: then the default handler is told of
 * both. */
typedef int (*hoya_exception_handler)(hoya_loop *loop, const hoya_exception_context *context, void *arg);

/* NULL restores the default, which logs (HOYA_LOG_ERROR). Origin: loop.set_exception_handler and its
 * siblings. */
HOYA_API int hoya_loop_set_exception_handler(hoya_loop *loop, hoya_exception_handler fn, void *arg);
HOYA_API hoya_exception_handler hoya_loop_get_exception_handler(const hoya_loop *loop, void **arg);
HOYA_API void hoya_loop_call_exception_handler(hoya_loop *loop, const hoya_exception_context *context);
HOYA_API void hoya_loop_default_exception_handler(hoya_loop *loop, const hoya_exception_context *context);

/* In debug mode the log (HOYA_LOG_WARNING) names, each with the place in the program that scheduled or added it:
 * a callback that takes at least slow_callback_duration (100 ms by default); a descriptor that was closed, or closed
 * and opened as something else, while it was watched; one that is at its end, and is neither read nor removed; and what is left in a loop that is closed: callbacks that never
 * ran, timers, readers, writers, signal handlers. Places are return addresses, named as the dynamic linker knows
 * them: "program(main+0x2a) [0x55...]"; link with -rdynamic, or give the address to addr2line. Costs memory and time
 * (each call_soon has a handle then). A task whose stack overflows is named on standard error, for which SIGSEGV is taken
 * from the loop's first task until its close. Origin: loop.set_debug, get_debug, slow_callback_duration. */
HOYA_API int hoya_loop_set_debug(hoya_loop *loop, int on);
HOYA_API int hoya_loop_get_debug(const hoya_loop *loop);
HOYA_API int hoya_loop_set_slow_callback_duration(hoya_loop *loop, int64_t duration);
HOYA_API int64_t hoya_loop_get_slow_callback_duration(const hoya_loop *loop);

/* ---- hosts -------------------------------------------------------------------------------------------- */

/* Moves a native loop into a host, or a guest out of it; anywhere: before a run, in a host's callback, in a
 * callback of the loop's own, during run_forever. The loop takes the host, also on failure. After detach
 * the loop is native: the next hoya_loop_run_* drives it. Nothing that is queued, timed or watched is lost.
 * Errors: attach: HOYA_EBUSY (there is a foreign host), and what the host says (HOYA_ENOHOST is none, see
 * hoya_loop_new); detach: HOYA_ESTATE (there is none). */
HOYA_API int hoya_loop_attach(hoya_loop *loop, hoya_host *host, int priority);
HOYA_API int hoya_loop_detach(hoya_loop *loop);

HOYA_API const char *hoya_loop_host_name(const hoya_loop *loop);     /* "native", "glib", ... */
HOYA_API uint32_t hoya_loop_host_caps(const hoya_loop *loop);        /* enum hoya_host_caps */
HOYA_API const char *hoya_loop_selector_name(const hoya_loop *loop); /* "epoll", ...; "" when closed */
HOYA_API uint32_t hoya_loop_selector_caps(const hoya_loop *loop);    /* enum hoya_selector_caps; 0 when closed */

/* For an application with a main loop of its own and no adapter: watch pollfd for reading, sleep at most
 * until the deadline (HOYA_NOW: do not sleep), call dispatch then. Ask for both before each wait:
 * while stop has paused the loop there is no descriptor to watch. As hoya_guest_pollfd, _deadline and
 * _dispatch, of a native loop. */
HOYA_API hoya_fd hoya_loop_pollfd(const hoya_loop *loop);
HOYA_API int64_t hoya_loop_deadline(hoya_loop *loop);
HOYA_API int hoya_loop_dispatch(hoya_loop *loop, int64_t budget);

/* ---- counters ----------------------------------------------------------------------------------------- */

typedef struct hoya_loop_statistics {
    size_t size;         /* sizeof(hoya_loop_statistics), set by the caller */
    uint64_t dispatches; /* times the loop was entered */
    uint64_t rounds;     /* times it looked, or took what the host had seen, and ran a snapshot */
    uint64_t callbacks;
    uint64_t events;          /* descriptors found ready */
    uint64_t wakeups;         /* looks that another thread asked for */
    uint64_t kicks;           /* turns asked of the host */
    uint64_t cut;             /* dispatches that the budget ended */
    uint64_t queued;          /* callbacks waiting now */
    uint64_t timers;          /* timers waiting now */
    uint64_t watches;         /* descriptors watched now */
    uint64_t signal_handlers; /* signals handled now */
    /* How late the loop was for its timers: from the deadline to the round that found it, nanoseconds. A callback or a
     * host that keeps the loop from its turn is seen here. The last round that found one, and the worst so far. */
    int64_t timer_lag, timer_lag_max;
    /* in debug mode only, nanoseconds */
    int64_t select_time;   /* spent in the selector, waiting or looking; a foreign host's own wait is not in it */
    int64_t callback_time; /* spent in callbacks; in nested ones twice */
} hoya_loop_statistics;

HOYA_API int hoya_loop_stats(const hoya_loop *loop, hoya_loop_statistics *stats);

/* Tells everything that the loop holds: its host, selector and state, the callbacks that are queued, in order, the
 * timers, descriptors and signals, each with its function and place. Calls `line` inline for each line of the text
 * (no newline at its end; valid during the call); it must not call the loop. Needs no memory; for a debugger's
 * command line as well. Works on a closed loop. Errors: HOYA_EINVAL (no function), HOYA_ETHREAD, HOYA_ECHILD. */
HOYA_API int hoya_loop_dump(hoya_loop *loop, void (*line)(const char *text, void *arg), void *arg);

HOYA_END_DECLS

#endif
