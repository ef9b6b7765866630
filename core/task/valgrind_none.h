/* SPDX-License-Identifier: MIT
 *
 * task/valgrind_none.h: valgrind's header was not there when this was built.
 */
#ifndef HOYA_TASK_VALGRIND_H
#define HOYA_TASK_VALGRIND_H

#include <stddef.h>

static inline unsigned hoya_valgrind_register(char *stack, size_t size)
{
    (void)stack, (void)size;
    return 0;
}

static inline void hoya_valgrind_deregister(unsigned id)
{
    (void)id;
}

#endif
