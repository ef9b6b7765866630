/* SPDX-License-Identifier: MIT
 *
 * hoya/policy.h: which loop does this thread have, and of what kind are new ones? PEP 3156, "Event Loop
 * Policy".
 *
 * One policy for the process, one current loop a thread. hoya_set_event_loop_policy(hoya_glib_policy()) is
 * the one line that moves a program into another main loop. The policy may be changed at any time: loops
 * that exist keep their host; get_event_loop asks the new policy, which knows no loop of this thread yet.
 */
#ifndef HOYA_POLICY_H
#define HOYA_POLICY_H

#include <hoya/base.h>
#include <hoya/host.h>
#include <hoya/loop.h>
#include <hoya/selector.h>

HOYA_BEGIN_DECLS

typedef struct hoya_policy hoya_policy;

/* A NULL member means the default behaviour, so most policies have one function: new_host. */
typedef struct hoya_policy_ops {
    size_t size; /* sizeof(hoya_policy_ops) */
    const char *name;
    int (*get_event_loop)(hoya_policy *policy, hoya_loop **loop); /* *loop is borrowed */
    int (*set_event_loop)(hoya_policy *policy, hoya_loop *loop);
    int (*new_event_loop)(hoya_policy *policy, hoya_loop **loop); /* *loop is a new reference */
    /* the factories that the default new_event_loop uses; a NULL result with 0 means the default */
    int (*new_selector)(hoya_policy *policy, hoya_selector **selector);
    int (*new_host)(hoya_policy *policy, hoya_host **host);
} hoya_policy_ops;

/* A policy of one's own begins with this. It is called on any thread, and must outlive its being set and
 * every thread that set a loop through it: make it static. */
struct hoya_policy {
    const hoya_policy_ops *ops;
};

/* The policy of the process: never NULL; the native one at first. NULL restores that. Any thread.
 * Errors: HOYA_EINVAL (no ops, or a size that this version does not know).
 * Origin: asyncio.get_event_loop_policy, set_event_loop_policy. */
HOYA_API hoya_policy *hoya_get_event_loop_policy(void);
HOYA_API int hoya_set_event_loop_policy(hoya_policy *policy);

/* The native policy: the best selector, no foreign host. */
HOYA_API hoya_policy *hoya_default_policy(void);

/* The loop that runs on this thread; else the one the policy knows for this thread; else, on the main
 * thread only and unless set_event_loop was called there, a new one, which the policy then keeps. *loop is
 * borrowed. Errors: HOYA_ESTATE (no loop in this thread), and those of new_event_loop. Origin:
 * asyncio.get_event_loop. */
HOYA_API int hoya_get_event_loop(hoya_loop **loop);

/* Makes `loop` this thread's current one; the policy holds a reference until the next set or the thread's
 * end. NULL for none. Errors: HOYA_ENOMEM. Origin: asyncio.set_event_loop. */
HOYA_API int hoya_set_event_loop(hoya_loop *loop);

/* Makes a loop as the policy likes it, for this thread; *loop is a new reference. Does not set it.
 * Errors: those of hoya_loop_new and of the factories. Origin: asyncio.new_event_loop. */
HOYA_API int hoya_new_event_loop(hoya_loop **loop);

HOYA_END_DECLS

#endif
