/* SPDX-License-Identifier: MIT
 *
 * loop/loop.h: the loop's state and what its files offer each other. Read loop/loop.c first: the iteration.
 * Each group of members below is written by the file named beside it, and read by the others.
 */
#ifndef HOYA_LOOP_LOOP_H
#define HOYA_LOOP_LOOP_H

#include <hoya/loop.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include HOYA_LIBC
#include "base/check.h"
#include "base/fork.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/ring.h"
#include "base/thread.h"
#include "base/turn.h"

typedef struct hoya_fd_record hoya_fd_record; /* loop/watch.h */
typedef struct hoya_identity hoya_identity;   /* loop/debug.c */
typedef struct hoya_printer hoya_printer;     /* loop/dump.c */

/* What a layer above keeps of a loop, what the loop's end means to it, and what it has to say of it; in the order
 * of their ends, with the ready queue still there. The owner makes it when it first needs it. */
typedef struct hoya_slot {
    void *data;
    void (*close)(hoya_loop *loop);
    void (*dump)(const hoya_loop *loop, const hoya_printer *to);
    /* In debug mode, when the loop goes to wait and has nothing to wait for: says what waits for ever, and returns whether
     * anything does. Or NULL. */
    bool (*stuck)(hoya_loop *loop);
} hoya_slot;
enum { HOYA_SLOT_TASKS, HOYA_SLOT_IO, HOYA_SLOT_RESOLVER, HOYA_SLOT_JOBS, HOYA_SLOTS };

struct hoya_loop {
    /* life.c: read by every thread, and hardly ever written */
    atomic_bool closed;     /* set under inbox_lock, so that no post slips in behind it */
    atomic_bool debug;      /* debug.c */
    atomic_uintptr_t owner; /* the thread, as hoya_thread_self() */
    unsigned generation;    /* of the process that the loop belongs to (base/fork.h); fork.c moves it on */
    hoya_fd wake_fd;        /* threadsafe.c */

    /* threadsafe.c: written by other threads. */
    atomic_bool wake_pending;
    pthread_mutex_t inbox_lock;
    hoya_ring_entry *inbox; /* posted */
    size_t inbox_count, inbox_size;
    size_t inbox_places;     /* reserved, and not posted */
    size_t places_of_parent; /* of those, in the child of a fork: nobody here may ever post */

    /* What follows is written all the time by the loop's thread: not in the cache lines above, which others read. */
    char apart[64];

    /* life.c */
    atomic_int refs;
    bool settled; /* a run or dispatch has happened: the owner is final */
    bool unusual; /* closed, in debug mode, or with a host that is absent or to be asked: off the shortest way */

    /* loop.c: the ready queue and the round. [ready.head, round_end) is the snapshot that is being run; it
     * is empty between rounds, and not empty at a dispatch's entry when an outer dispatch was nested or an
     * earlier one was cut. */
    hoya_ring ready;
    uint64_t round_end;
    uint64_t found, found_end; /* of these entries the last look found the descriptors ready */
    bool looked;               /* the kernel has been looked at for the next round already (hoya_guest_poll) */
    bool seen;                 /* the host has seen our selector's descriptor, and there was no look since */
    hoya_fd_record *lone; /* whose class guesses (loop/watch.h), and that a look behind a hint has found alone */
    hoya_loop_statistics stats;

    /* timer.c */
    hoya_heap timers;
    hoya_clock clock;
    hoya_fd timer_fd;      /* or HOYA_INVALID_FD: the host's arm, or the wait's timeout */
    int64_t timers_looked; /* when due timers were looked for, or the first was made */
    int64_t armed_at;      /* what timer_fd or the host is set to; HOYA_NEVER when it will not fire */

    /* watch.c */
    hoya_selector
        *selector; /* what is asked: the own one, or the one in front of it while the host watches each fd */
    hoya_selector *own_selector;
    bool per_fd; /* asked for by the options */
    bool edge;   /* the selector reports edges: our own descriptors need no reads */
    hoya_fd_record **records;
    size_t records_size;
    size_t
        aside; /* records that the selector has not as they want to be, for lack of room; tried again each look */

    /* waiter.c */
    hoya_list waiters;

    /* signal.c */
    uint64_t signals;       /* the ones that are ours: bit signum - 1 */
    hoya_handle **handlers; /* by signum; NULL until there is one */

    /* threadsafe.c */
    hoya_ring_entry *batch; /* taken from the inbox, being moved into the ready queue */
    size_t batch_at, batch_count, batch_size;
    bool batch_queued;

    /* guest.c: the host. `native` is always there; `absent` is one that had no main loop yet. */
    hoya_host *host, *native, *absent;
    unsigned host_changes;
    int absent_priority;
    hoya_watch watch; /* our selector's descriptor, as the host watches it */
    bool armed;       /* a kick is on its way: set by a kick, cleared by the entry into dispatch, by nothing else */
    bool held;
    bool quiet_host; /* it asks by itself, and wants to be told nothing */
    bool may_nest;   /* its loop may run again inside a callback, and has to know what is left behind that */
    bool holds;      /* it is to be told when there is something to wait for, and when not */

    /* run.c: levels */
    int level;              /* 1 while a hoya run is open */
    int depth;              /* dispatches on the stack */
    atomic_bool running;    /* level or depth, for other threads to see */
    atomic_bool stopping;   /* stop was asked for; consumed by the end of a run, or by start */
    bool single;            /* run_once: the run ends after one round */
    bool quit_sent;         /* the host was told to return from our run */
    uint64_t run_callbacks; /* had run when the run began */
    int64_t run_deadline;   /* run_once's timeout */
    int abort_code;

    /* For the layers above, which the loop knows nothing of. */
    hoya_slot slots[HOYA_SLOTS];

    /* exception.c */
    hoya_exception_handler exception_handler;
    void *exception_arg;

    /* debug.c */
    int64_t slow_callback_duration;
    const void *place;         /* that made the loop */
    hoya_identity *identities; /* by descriptor: what it was when it was added */
    size_t identities_size, next_check;
    bool told_stuck;
};

/* ---- objects in the ready queue (ring entries without fn) begin with this ------------------------------ */

/* For texts. */
typedef struct hoya_description {
    const char *what;   /* "timer" */
    uintptr_t function; /* that it calls */
    const void *place;  /* that made it, or NULL */
    bool live;          /* may still run */
    bool lasts;         /* a descriptor's or a signal's: stays after a run */
    bool queued, running, blocked;
} hoya_description;

typedef struct hoya_runnable hoya_runnable;
typedef struct hoya_runnable_class {
    /* The entry has left the queue: runs the callback (true), or finds that it was cancelled (false). */
    bool (*run)(hoya_loop *loop, hoya_runnable *runnable);
    /* The loop closes: destroys the argument, gives up the queue's reference. */
    void (*drop)(hoya_loop *loop, hoya_runnable *runnable);
    hoya_description (*describe)(const hoya_runnable *runnable);
} hoya_runnable_class;

struct hoya_runnable {
    const hoya_runnable_class *class;
};

/* ---- loop.c -------------------------------------------------------------------------------------------- */

int hoya_loop_look(hoya_loop *loop, int64_t timeout);

/* ---- life.c -------------------------------------------------------------------------------------------- */

static inline bool hoya_loop_on_thread(const hoya_loop *loop)
{
    /* Asked by other threads too: nothing but the atomic may be touched here, the host least of all. */
    return atomic_load_explicit(&loop->owner, memory_order_relaxed) == hoya_thread_self();
}
int hoya_loop_check_thread(const hoya_loop *loop);

/* ---- fork.c -------------------------------------------------------------------------------------------- */

/* This is the child of a fork, and the loop is its parent's: nothing but memory may be touched. */
static inline bool hoya_loop_is_forked(const hoya_loop *loop)
{
    return loop->generation != hoya_fork_generation();
}
/* Gives up what is shared with the parent, without touching it. Needs no memory. */
void hoya_loop_leave_parent(hoya_loop *loop);

/* ---- life.c: the first line of every function for the loop's thread ------------------------------------------ */

int hoya_loop_enter_unusual(hoya_loop *loop);

static inline bool hoya_loop_is_usual(const hoya_loop *loop)
{
    return loop && hoya_loop_on_thread(loop) && !hoya_loop_is_forked(loop) && !loop->unusual;
}

/* Something about the loop has changed, or may have: the next enter finds out what. */
static inline void hoya_loop_doubt(hoya_loop *loop)
{
    loop->unusual = true;
    hoya_turn = NULL;
}

/* ETHREAD, ECHILD, ECLOSED, or 0. Gives an absent host another chance. */
static inline int hoya_loop_enter(hoya_loop *loop)
{
    return hoya_likely(hoya_loop_is_usual(loop)) ? 0 : hoya_loop_enter_unusual(loop);
}

/* ---- timer.c ------------------------------------------------------------------------------------------- */

int64_t hoya_loop_next_deadline(const hoya_loop *loop);
/* Queues what is due. */
void hoya_timers_collect(hoya_loop *loop);
/* Sets the timer descriptor (or the host's timer) when the nearest deadline has moved earlier or the old
 * one has fired. */
int hoya_timers_sync(hoya_loop *loop);
/* For a turn that goes on with a round and so looks at no timer: it may be the one that the host's timer has brought. */
void hoya_timers_set_again(hoya_loop *loop);
void hoya_timers_close(hoya_loop *loop);

/* ---- watch.c ------------------------------------------------------------------------------------------- */

void hoya_watch_retry(hoya_loop *loop);
/* Has the selector of per-fd mode take over what is registered. */
int hoya_watch_adopt(hoya_loop *loop, hoya_selector *per_fd);
void hoya_watch_close(hoya_loop *loop);

/* ---- threadsafe.c -------------------------------------------------------------------------------------- */

/* Moves what other threads posted into the ready queue, in order. */
void hoya_inbox_collect(hoya_loop *loop);
/* Before a call_soon from outside a dispatch: what this thread posted earlier comes first (statement 4). */
static inline void hoya_inbox_keep_order(hoya_loop *loop)
{
    if (!loop->depth && atomic_load_explicit(&loop->wake_pending, memory_order_relaxed)) hoya_inbox_collect(loop);
}
void hoya_inbox_close(hoya_loop *loop);

/* A place for a post that must not fail for want of memory; made on the loop's thread. It is given back, or used by one
 * post, on any thread; given back on the loop's. The post answers HOYA_ECLOSED, or takes the object over as an entry of the ready queue. Whoever
 * does either holds a reference to the loop. */
int hoya_inbox_reserve(hoya_loop *loop);
void hoya_inbox_unreserve(hoya_loop *loop);
/* There is a post, or a place for one: an answer is to come, of a job too. */
bool hoya_inbox_expects(hoya_loop *loop);
int hoya_inbox_post(hoya_loop *loop, hoya_runnable *runnable);
/* A post without a place: may answer HOYA_ENOMEM and HOYA_ECHILD, too. */
int hoya_inbox_offer(hoya_loop *loop, hoya_runnable *runnable);

/* ---- waiter.c ------------------------------------------------------------------------------------------- */

void hoya_waiters_close(hoya_loop *loop);

/* ---- signal.c ------------------------------------------------------------------------------------------- */

/* Queues the handlers of the signals that came. */
void hoya_signals_collect(hoya_loop *loop);
/* For a signal by which a user wants to be heard: one that comes before the loop has seen the last one (a callback blocks)
 * does what it did before the loop had it, and so does one that is still unseen when the handler is removed. Until the
 * handler is replaced. */
void hoya_signal_insists(hoya_loop *loop, int signum);
void hoya_signals_after_fork(hoya_loop *loop);
void hoya_signals_close(hoya_loop *loop);

/* ---- guest.c ------------------------------------------------------------------------------------------- */

/* stop without a run */
static inline bool hoya_loop_is_stopped(const hoya_loop *loop)
{
    return !loop->level && atomic_load_explicit(&loop->stopping, memory_order_relaxed);
}

/* Callbacks do not run now: that, or a run that is being aborted. */
static inline bool hoya_loop_is_paused(const hoya_loop *loop)
{
    return loop->abort_code || hoya_loop_is_stopped(loop);
}

/* Takes the host, whatever comes of it. */
int hoya_loop_take_host(hoya_loop *loop, hoya_host *host, int priority);
/* A host that does not tell by itself is asked whether it still is there. */
void hoya_loop_ask_host(hoya_loop *loop);
/* Has the host that was just taken watch and wait for the loop. */
int hoya_loop_begin_service(hoya_loop *loop);
/* In the child of a fork: the host forgets what it watched and goes on, or the loop becomes native. */
void hoya_loop_fork_host(hoya_loop *loop);
void hoya_loop_let_host_go(hoya_loop *loop);
void hoya_loop_try_absent_host(hoya_loop *loop);
void hoya_loop_drop_absent_host(hoya_loop *loop);

bool hoya_loop_wants_turn(const hoya_loop *loop);
/* After every change: asks the host for a turn if one is wanted and none is on its way. */
void hoya_loop_tell_host(hoya_loop *loop);
static inline void hoya_loop_rearm(hoya_loop *loop)
{
    if (!loop->quiet_host) hoya_loop_tell_host(loop);
}
/* Watches the selector's descriptor (in per-fd mode: each one) in the host, or not while paused. */
int hoya_loop_sync_host(hoya_loop *loop);

static inline hoya_guest *hoya_loop_guest(hoya_loop *loop)
{
    return (hoya_guest *)loop;
}

/* ---- host_native.c ------------------------------------------------------------------------------------- */

int hoya_host_native_new(hoya_host **host);

/* ---- run.c --------------------------------------------------------------------------------------------- */

/* The thread's innermost running loop; in the child of a fork the parent's. */
extern HOYA_THREAD_LOCAL hoya_loop *hoya_loop_running;
/* From here on callbacks of this loop run (NULL: of none), and no task below them. */
static inline void hoya_loop_run_here(hoya_loop *loop)
{
    hoya_loop_running = loop;
    hoya_turn = NULL;
}
/* At the end of each round: tells the host to return from our run if it is over. */
void hoya_run_end_of_round(hoya_loop *loop);

/* ---- exception.c --------------------------------------------------------------------------------------- */

/* A failure that no caller can be told of. */
void hoya_loop_report(hoya_loop *loop, int code, hoya_fd fd, const char *message) HOYA_COLD;
/* Where this loop's log goes if the application set no function: its host's. */
hoya_log_sink hoya_loop_log_sink(hoya_loop *loop);

/* ---- debug.c ------------------------------------------------------------------------------------------- */

/* In a public function: the place that calls it. */
#define HOYA_CALLER() __builtin_extract_return_addr(__builtin_return_address(0))

/* Any thread. */
static inline bool hoya_loop_debugs(const hoya_loop *loop)
{
    return atomic_load_explicit(&loop->debug, memory_order_relaxed);
}

/* "program(main+0x2a) [0x55...]" of an address of code, into `text`, which it returns. */
const char *hoya_code_name(const void *address, char *text, size_t size);
hoya_description hoya_entry_describe(hoya_ring_entry entry);
/* "timer program(on_tick+0x0) [0x...], from program(main+0x2a) [0x...]" */
const char *hoya_description_text(hoya_description of, char *text, size_t size);
#define HOYA_DESCRIPTION_SIZE 400

/* What loop.c and watch.c do instead, or beside, in debug mode. */
bool hoya_debug_run(hoya_loop *loop, hoya_ring_entry entry);
int hoya_debug_select(hoya_loop *loop, int64_t timeout, hoya_selector_event *events, int max);
void hoya_debug_watched(hoya_loop *loop, hoya_fd fd);
void hoya_debug_close(hoya_loop *loop);

/* ---- dump.c ---------------------------------------------------------------------------------------------- */

/* A line of a dump. */
void hoya_print(const hoya_printer *to, const char *format, ...) HOYA_PRINTF(2, 3);
/* "in 1.500000 s", "due", "never"; into `text`, which it returns. */
const char *hoya_when_text(const hoya_loop *loop, int64_t when, char *text, size_t size);

/* ---- loop.c: an entry, run ------------------------------------------------------------------------------ */

static inline bool hoya_entry_run(hoya_loop *loop, hoya_ring_entry entry)
{
    if (entry.fn) {
        entry.fn(entry.arg);
        return true;
    }
    hoya_runnable *runnable = entry.arg;
    return runnable->class->run(loop, runnable);
}

#endif
