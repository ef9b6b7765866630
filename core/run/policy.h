/* SPDX-License-Identifier: MIT
 *
 * run/policy.h: what the policy knows and its neighbour needs.
 */
#ifndef HOYA_RUN_POLICY_H
#define HOYA_RUN_POLICY_H

#include <hoya/policy.h>

#include "loop/loop.h"

/* HOYA_EINVAL for what is none of this version. */
int hoya_policy_check(const hoya_policy *policy);

/* A loop as `policy` makes them, made by the application at `place`. */
int hoya_policy_new_loop(hoya_policy *policy, hoya_loop **loop, const void *place);

/* Is this the thread that the process began with? In the child of a fork: its only one. */
bool hoya_thread_is_main(void);

#endif
