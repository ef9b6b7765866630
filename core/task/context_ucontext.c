/* SPDX-License-Identifier: MIT
 *
 * task/context_ucontext.c: the switch by swapcontext, for machines without one of our own. It asks the kernel twice a
 * switch: swapcontext for the signal mask, and we, so that the mask stays the thread's, as in the other twins.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "task/context.h"

/* makecontext passes ints: the pointer comes in two halves, of which the upper one is 0 on a machine of 32 bits. */
static void start(unsigned high, unsigned low)
{
    hoya_context *context = (hoya_context *)(uintptr_t)((uint64_t)high << 32 | low);
    context->entry(context->arg);
    abort();
}

void hoya_context_make(hoya_context *context, void *stack, size_t size, void (*entry)(void *arg), void *arg)
{
    uint64_t self = (uintptr_t)context;
    getcontext(&context->registers); /* cannot fail */
    context->registers.uc_stack.ss_sp = stack;
    context->registers.uc_stack.ss_size = size;
    context->registers.uc_link = NULL;
    context->entry = entry;
    context->arg = arg;
    makecontext(&context->registers, (void (*)(void))start, 2, (unsigned)(self >> 32), (unsigned)self);
}

void hoya_context_switch(hoya_context *from, hoya_context *to)
{
    pthread_sigmask(SIG_BLOCK, NULL, &to->registers.uc_sigmask);
    swapcontext(&from->registers, &to->registers);
}
