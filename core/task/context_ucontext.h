/* SPDX-License-Identifier: MIT
 *
 * task/context_ucontext.h: a context of the ucontext twin.
 */
#ifndef HOYA_TASK_CONTEXT_UCONTEXT_H
#define HOYA_TASK_CONTEXT_UCONTEXT_H

#include <ucontext.h>

struct hoya_context {
    ucontext_t registers;
    void (*entry)(void *arg);
    void *arg;
    struct hoya_context_errand *errand; /* what somebody else wants done on the stack of one that waits */
    int result;                         /* of the switch that waits here, */
    int (*then)(void *arg);             /* unless this gives it */
    void *then_arg;
};

#endif
