/* SPDX-License-Identifier: MIT
 *
 * task/overflow.h: in debug mode the one whose stack overflows is named before the program ends.
 */
#ifndef HOYA_TASK_OVERFLOW_H
#define HOYA_TASK_OVERFLOW_H

#include "task/fiber.h"

/* hoya_fiber_resume; an overflow in there is named. `*handlers` is the stack on which that is done: NULL before the
 * first time, then one of the fiber's pool. Without memory it goes without a name. */
int hoya_overflow_resume(hoya_fiber *fiber, hoya_stack **handlers);

/* Gives the stack back, and after the last one of the process the signal, too. */
void hoya_overflow_end(hoya_stack_pool *pool, hoya_stack **handlers);

#endif
