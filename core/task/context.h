/* SPDX-License-Identifier: MIT
 *
 * task/context.h: the switch: leave one stack, go on on another one. Twins, chosen by CMake: assembly for x86-64 and
 * aarch64 (task/context_x86_64.S, task/context_aarch64.S), and ucontext for other machines (task/context_ucontext.c).
 *
 * What travels with a context is what the calling convention wants a function to keep: the callee-saved registers, and of
 * floating point the rounding and the traps. What belongs to the thread stays: its signal mask, errno, the floating point
 * status.
 *
 * The switch is fast where it is the last thing that a function does: the compiler then jumps to it, and it returns to
 * that function's caller. So whoever switches does everything before, for both sides, and says what the other side
 * returns.
 */
#ifndef HOYA_TASK_CONTEXT_H
#define HOYA_TASK_CONTEXT_H

#include <stddef.h>

/* Where somebody waits to go on. */
typedef struct hoya_context hoya_context;

#include HOYA_CONTEXT

/* Makes a context that calls entry(arg) on the stack when it is switched to, with the rounding and the traps of this
 * moment. `entry` must not return. */
void hoya_context_make(hoya_context *context, void *stack, size_t size, void (*entry)(void *arg), void *arg);

/* Waits in `from`, goes on in `to`, where the call by which that waits returns `result`. */
int hoya_context_switch(hoya_context *from, hoya_context *to, int result);

/* For the last switch of a stack: nobody waits in this one any more. Goes on in `to` with then(arg), on the stack of
 * `to`; its result is what the call by which `to` waits returns. Does not return: it has a result so that it can be the
 * last thing that a function does. */
int hoya_context_leave(hoya_context *to, int (*then)(void *arg), void *arg);

/* fn(arg) on the stack of one that waits, below the place where it does; `from` is the caller's, for a twin that needs
 * one. `on` waits as before when this returns. */
int hoya_context_call(hoya_context *from, hoya_context *on, int (*fn)(void *arg), void *arg);

#endif
