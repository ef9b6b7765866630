/* SPDX-License-Identifier: MIT
 *
 * hoya/host.h: who blocks this thread, and when does the loop get to run? The seam between a loop (the
 * guest) and a main loop that somebody else wrote (the host). docs/hosts.md teaches how to write one; the
 * native loop is the smallest example (core/loop/host_native.c), adapters/glib the next.
 *
 * A host does four things for its guest: it watches a descriptor, keeps one deadline, gives another turn
 * when asked, and lets go. Everything else (the order of callbacks, timers, threads) is the guest's. In the
 * usual case the host sees a single descriptor, the selector's, whatever the number of sockets.
 */
#ifndef HOYA_HOST_H
#define HOYA_HOST_H

#include <hoya/base.h>

HOYA_BEGIN_DECLS

typedef struct hoya_host hoya_host;
typedef struct hoya_guest hoya_guest; /* a loop, as its host sees it */

/* A descriptor that the host watches for the guest. Owned by the guest, one a descriptor, at a fixed
 * address until its mask is 0. `scratch` belongs to the host (a tag, two notifiers, a poll handle) and is
 * zero while mask is 0. */
typedef struct hoya_watch {
    hoya_fd fd;
    uint32_t mask; /* what the host was last asked to watch; set by the guest after a successful watch() */
    void *scratch[4];
} hoya_watch;

enum hoya_host_caps {
    /* The host's loop may be run again from a callback (dialogs): what is left behind a callback is announced by kick
     * before it runs, but for descriptors: those stay ready until their callbacks have run. So such a host goes on
     * watching by level while a dispatch is on its stack: it neither asks for edges nor mutes a descriptor meanwhile. */
    HOYA_HOST_NESTS = 1u << 0,
    /* The host asks hoya_guest_deadline() each time before it blocks, in nested loops too. Its kick may be NULL;
     * else it comes with every change, and has work to do only between the asking and the wait. */
    HOYA_HOST_BEFORE_BLOCK = 1u << 1
};

/* What an adapter provides. All calls come on the thread that owns the loop. From inside attach, watch,
 * arm, kick and detach a host never calls the guest (except detach's done). */
typedef struct hoya_host_ops {
    size_t size; /* sizeof(hoya_host_ops) */
    const char *name;
    uint32_t caps;

    /* Begins to serve `guest`. `priority` is in the host's own scale, 0 its default. HOYA_ENOHOST: the
     * thread has no main loop yet; the loop stays native and asks again at every later call. */
    int (*attach)(hoya_host *host, hoya_guest *guest, int priority);

    /* Watches record->fd for `mask` (HOYA_IN, HOYA_OUT, HOYA_PRI), instead of what it was watched for
     * before (record->mask); 0 stops, clears the scratch and cannot fail. Idempotent. When ready:
     * hoya_guest_ready, then hoya_guest_dispatch. By level: what is still ready is found again by the next wait. */
    int (*watch)(hoya_host *host, hoya_watch *record, uint32_t mask);

    /* Calls hoya_guest_dispatch at or after `deadline` (of CLOCK_MONOTONIC); HOYA_NEVER disarms. One timer: a new deadline
     * replaces the old one. A held promise: neither an early firing nor a dispatch for another reason
     * consumes it. */
    int (*arm)(hoya_host *host, int64_t deadline);

    /* Calls hoya_guest_dispatch once more, soon, after the host had its own turn. Kicks that come before that
     * are one. NULL with HOYA_HOST_BEFORE_BLOCK only. Not for other threads: those write a descriptor. */
    void (*kick)(hoya_host *host);

    /* Lets go: no call to the guest begins after this one. `done(arg)` is called when nothing of the
     * guest's is in use any more: inline, or later where the host closes asynchronously. May be called from
     * inside a dispatch. */
    void (*detach)(hoya_host *host, void (*done)(void *arg), void *arg);

    /* Frees the host's object; comes after done, or after hoya_guest_host_gone, or if it was never attached.
     * The adapter's own frames may still be on the stack below. */
    void (*free)(hoya_host *host);

    /* ---- optional ---- */

    /* Runs the host's loop until quit (OWNER mode). Missing: hoya_loop_run_* answer HOYA_ENOTSUP.
     * Returns 0, or a negative code when it could not run. */
    int (*run)(hoya_host *host);

    /* Ends the innermost run that this host opened by run(); never one that the application opened.
     * HOYA_ESTATE if there is none. */
    int (*quit)(hoya_host *host);

    /* Asked in a dispatch on another thread than before, and when the first run is on another one than attach: 1 if the
     * host's main loop may be run on this thread. Missing: it may. */
    int (*is_owner)(const hoya_host *host);
    /* How many of the host's loops, or turns, are on this thread's stack, as far as it knows. Without HOYA_HOST_NESTS a
     * run is refused while there is one (HOYA_ENOTSUP). */
    int (*depth)(const hoya_host *host);
    /* The loop has work pending (1), or none, or was paused by stop (0): uv's ref, QEventLoopLocker. */
    void (*hold)(hoya_host *host, int on);
    /* For a host that is not told when its main loop goes away: asked at every call of the loop's; 1 if it has gone. The
     * loop is native then, and nothing is called on the host after that but free. Missing: it tells, by
     * hoya_guest_host_gone. */
    int (*is_gone)(const hoya_host *host);

    /* In the child of a fork: forget the guest's watches and deadline without touching what the parent shares. 0: the
     * main loop can be used in the child, and the guest will ask for all again. An error, or NULL: it cannot; the
     * host is freed. May come twice. */
    int (*after_fork)(hoya_host *host);
    void (*log)(hoya_host *host, hoya_log_level level, const char *text); /* the host's own log */
} hoya_host_ops;

/* An adapter's object begins with this. The host is handed to exactly one loop, which frees it. */
struct hoya_host {
    const hoya_host_ops *ops;
    void *guest_data; /* the guest's, from the hand-over on */
};

/* ---- what the guest offers its host: callable in any order, at any depth, spuriously ------------------ */

/* Takes part in the host's life: runs at most one round of callbacks, or what is left of one that was cut
 * short, for at most `budget` nanoseconds (HOYA_NEVER: no bound; looked at after each callback, or after 16 while those
 * are quick). Call it whenever something may be due: a call too many costs one look at the kernel. What is left asks for
 * another turn by kick. Returns how many callbacks ran, or a negative code (HOYA_ETHREAD; nothing has run
 * then). Thread: the one that runs the host's loop. */
HOYA_API int hoya_guest_dispatch(hoya_guest *guest, int64_t budget);

/* A hint that a watched descriptor was seen with `events`, for the next round that begins: runs nothing, and need not be true.
 * That round looks for itself; but where a connection is all that the loop watches, and a look behind such a hint has found it
 * before, its socket may be read without another one. */
HOYA_API void hoya_guest_ready(hoya_guest *guest, hoya_watch *record, uint32_t events);

/* Until when may the host sleep? HOYA_NOW: there is work; HOYA_NEVER: only a descriptor can wake the guest. */
HOYA_API int64_t hoya_guest_deadline(hoya_guest *guest);

/* The descriptor that says "look": readable while the guest wants a dispatch for I/O, a timer or another
 * thread. HOYA_INVALID_FD if this loop's selector does not nest. */
HOYA_API hoya_fd hoya_guest_pollfd(const hoya_guest *guest);

/* Blocks this thread in the selector until something is ready, `deadline` or the nearest timer; does not
 * block when there is work. What was found is kept for the next dispatch. For hosts without a wait of their
 * own: the native one. 0 or a code. */
HOYA_API int hoya_guest_poll(hoya_guest *guest, int64_t deadline);

/* The main loop that attach did not find (HOYA_ENOHOST) is there now: the loop attaches, if it still wants to. For hosts
 * that hear of it; any call of the loop's does the same. Thread: the loop's. */
HOYA_API void hoya_guest_host_appeared(hoya_guest *guest);

/* The host's main loop is being destroyed: the loop becomes native, so that its owner can finish. Nothing
 * is called on the host after that but free, perhaps before this returns. */
HOYA_API void hoya_guest_host_gone(hoya_guest *guest);

HOYA_END_DECLS

#endif
