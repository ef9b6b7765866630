/* SPDX-License-Identifier: MIT
 *
 * task/context.h: the switch: leave one stack, go on on another one. Twins, chosen by CMake: assembly for x86-64 and
 * aarch64 (task/context_x86_64.S, task/context_aarch64.S), and ucontext for other machines (task/context_ucontext.c).
 *
 * What travels with a context is what the calling convention wants a function to keep: the callee-saved registers and
 * the floating point control words (rounding, traps). What belongs to the thread stays: its signal mask, errno, the
 * floating point status.
 */
#ifndef HOYA_TASK_CONTEXT_H
#define HOYA_TASK_CONTEXT_H

#include <stddef.h>

/* Where somebody waits to go on. */
typedef struct hoya_context hoya_context;

#include HOYA_CONTEXT

/* Makes a context that calls entry(arg) on the stack when it is switched to, with the control words of this moment.
 * `entry` must not return. */
void hoya_context_make(hoya_context *context, void *stack, size_t size, void (*entry)(void *arg), void *arg);

/* Waits in `from`, goes on in `to`. */
void hoya_context_switch(hoya_context *from, hoya_context *to);

/* fn(arg) on the stack of one that waits, below the place where it does; `from` is the caller's, for a twin that needs
 * one. `on` waits as before when this returns. */
int hoya_context_call(hoya_context *from, hoya_context *on, int (*fn)(void *arg), void *arg);

#endif
