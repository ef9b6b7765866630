/* SPDX-License-Identifier: MIT
 *
 * task/valgrind_known.h: tells valgrind which memory is a stack, so that it does not take a switch for a large frame.
 * A few instructions without effect when the program does not run under valgrind.
 */
#ifndef HOYA_TASK_VALGRIND_H
#define HOYA_TASK_VALGRIND_H

#include <stddef.h>
#include <valgrind/valgrind.h>

static inline unsigned hoya_valgrind_register(char *stack, size_t size)
{
    return (unsigned)VALGRIND_STACK_REGISTER(stack, stack + size);
}

static inline void hoya_valgrind_deregister(unsigned id)
{
    (void)id; /* where valgrind's macros are empty */
    VALGRIND_STACK_DEREGISTER(id);
}

#endif
