/* SPDX-License-Identifier: MIT
 *
 * hosts.h: what the demos know of a host: its name, its policy, and a timer of its own. One file a host: host_*.c.
 */
#ifndef HOYA_DEMOS_HOSTS_H
#define HOYA_DEMOS_HOSTS_H

#include <hoya/hoya.h>

typedef struct demo_host {
    const char *name;
    hoya_policy *(*policy)(void);
    /* A repeating timer of the host's, that is none of hoya's; NULL if there is no host. */
    void (*start_timer)(int milliseconds, void (*tick)(void));
    void (*stop_timer)(void);
} demo_host;

/* The hosts that this build has, the native one first; NULL ends the list. */
extern const demo_host *const demo_hosts[];

#endif
