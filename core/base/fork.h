/* SPDX-License-Identifier: MIT
 *
 * base/fork.h: has this process been forked since? A counter that the child of a fork finds one higher, so that the
 * question costs a load where getpid costs a system call (docs/decisions/001). What belongs to the parent keeps the
 * number under which it was made.
 */
#ifndef HOYA_BASE_FORK_H
#define HOYA_BASE_FORK_H

#include <stdatomic.h>

/* Written by the child's fork handler alone. */
extern atomic_uint hoya_forks;

/* Begins to count, once a process; 0, or a code. */
int hoya_fork_notice(void);

static inline unsigned hoya_fork_generation(void)
{
    return atomic_load_explicit(&hoya_forks, memory_order_relaxed);
}

#endif
