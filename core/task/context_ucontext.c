/* SPDX-License-Identifier: MIT
 *
 * task/context_ucontext.c: the switch by swapcontext, for machines without one of our own. It asks the kernel twice a
 * switch: swapcontext for the signal mask, and we, so that the mask stays the thread's, as in the other twins.
 *
 * There is no way to call a function on a stack that is in use; but whoever waits there can be woken and asked to. Such an
 * errand lies on the stack of the one that asks, and is done in the switch, before that returns.
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "task/context.h"

struct hoya_context_errand {
    hoya_context *from;
    int (*fn)(void *arg);
    void *arg;
    int result;
};

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
    context->errand = NULL;
    makecontext(&context->registers, (void (*)(void))start, 2, (unsigned)(self >> 32), (unsigned)self);
}

static void swap(hoya_context *from, hoya_context *to)
{
    pthread_sigmask(SIG_BLOCK, NULL, &to->registers.uc_sigmask);
    swapcontext(&from->registers, &to->registers);
}

int hoya_context_switch(hoya_context *from, hoya_context *to, int result)
{
    from->errand = NULL;
    from->then = NULL;
    to->result = result;
    swap(from, to);
    while (from->errand) {
        struct hoya_context_errand *errand = from->errand;
        from->errand = NULL;
        errand->result = errand->fn(errand->arg);
        swap(from, errand->from);
    }
    return from->then ? from->then(from->then_arg) : from->result;
}

int hoya_context_leave(hoya_context *to, int (*then)(void *arg), void *arg)
{
    to->then = then;
    to->then_arg = arg;
    pthread_sigmask(SIG_BLOCK, NULL, &to->registers.uc_sigmask);
    setcontext(&to->registers);
    abort();
}

int hoya_context_call(hoya_context *from, hoya_context *on, int (*fn)(void *arg), void *arg)
{
    struct hoya_context_errand errand = {from, fn, arg, 0};
    on->errand = &errand;
    swap(from, on);
    return errand.result;
}
