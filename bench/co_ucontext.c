/* SPDX-License-Identifier: MIT
 *
 * co_ucontext.c: the C library's own switch, which asks the kernel for the signal mask each time.
 */
#include <stdlib.h>
#include <ucontext.h>

#include "co.h"

#define STACK 65536

static ucontext_t here, there;

static void give(void)
{
    for (;;) swapcontext(&there, &here);
}

static void switches(long n)
{
    char *stack = malloc(STACK);
    bench_require(stack && getcontext(&there) == 0, "memory");
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK;
    makecontext(&there, give, 0);
    for (long i = 0; i < n; i += 2) swapcontext(&here, &there);
    free(stack);
}

const bench_co bench_co_implementation = {"ucontext", switches, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
