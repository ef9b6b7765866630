/* SPDX-License-Identifier: MIT
 *
 * task/context_asm.h: a context of the assembly twins: the stack pointer. All else lies on the stack that it points into.
 */
#ifndef HOYA_TASK_CONTEXT_ASM_H
#define HOYA_TASK_CONTEXT_ASM_H

struct hoya_context {
    void *sp;
};

#endif
