/* SPDX-License-Identifier: MIT
 *
 * base/turn.h: whose turn is it, beyond doubt? What a task that runs may do at once, without asking anybody else.
 *
 * Whether a task may wait here is a long question: does it run, or a callback that stands above it; is this the process
 * that the loop belongs to; has the loop a host that knows more? But nearly every call comes from a task that has just
 * been gone on with, and nothing has happened since. So who goes on with a task (task/task.c) answers the question and
 * writes the task down; and whatever could change the answer strikes it out, and need not know what else is the case:
 *
 *     a dispatch or a run begins or ends on this thread       hoya_loop_run_here      loop/loop.h
 *     the loop is closed, debugged, or has another host        hoya_loop_doubt         loop/loop.h
 *     this is the child of a fork                              in_child                base/fork.c
 *     the task waits, or has ended                             step                    task/task.c
 *     something begins that runs inline                        hoya_inline_begin       here
 *
 * Nobody puts it back: until it is gone on with anew the task asks the long way. It stays while the task runs something on
 * another stack (a coroutine, a call on the thread's stack): who reads this looks whether the fiber that runs is the task's.
 */
#ifndef HOYA_BASE_TURN_H
#define HOYA_BASE_TURN_H

#include <stddef.h>

#include HOYA_LIBC

struct hoya_task;

extern HOYA_THREAD_LOCAL struct hoya_task *hoya_turn; /* NULL: in doubt */

/* What runs inline (a destroy function, pause_writing, a handler) stands in the middle of one of our functions, often in a
 * task: it may call everything, and wait for nothing. So many of those are on the stack, above the innermost dispatch. */
extern HOYA_THREAD_LOCAL unsigned hoya_inlines;

static inline void hoya_inline_begin(void)
{
    hoya_inlines++;
    hoya_turn = NULL;
}

static inline void hoya_inline_end(void)
{
    hoya_inlines--;
}

#endif
