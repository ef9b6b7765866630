/* SPDX-License-Identifier: MIT
 *
 * task/annotate_asan.h: AddressSanitizer is told of each switch, so that it knows the bounds of the stack in use, and gives
 * each stack its own fake stack; LeakSanitizer looks for pointers on each stack that is in use.
 */
#ifndef HOYA_TASK_ANNOTATE_H
#define HOYA_TASK_ANNOTATE_H

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <stdbool.h>

#include "task/stack.h"

#define HOYA_STACK_SCALE 4
#define HOYA_SPARE_TASKS 0

/* The fake stacks of the fiber and of its resumer while each waits; the stack of the resumer, another one each time. */
typedef struct hoya_annotation {
    void *fake, *resumer_fake;
    const void *resumer_stack;
    size_t resumer_size;
} hoya_annotation;

static inline void hoya_annotate_create(hoya_annotation *a, const hoya_stack *stack)
{
    *a = (hoya_annotation){NULL, NULL, NULL, 0};
    __lsan_register_root_region(stack->base, stack->size);
}

/* The frame that was left for good is still poisoned. */
static inline void hoya_annotate_destroy(hoya_annotation *a, const hoya_stack *stack)
{
    (void)a;
    __lsan_unregister_root_region(stack->base, stack->size);
    __asan_unpoison_memory_region(stack->base, stack->size);
}

static inline void hoya_annotate_resume(hoya_annotation *a, const hoya_stack *stack)
{
    __sanitizer_start_switch_fiber(&a->resumer_fake, stack->base, stack->size);
}

static inline void hoya_annotate_entered(hoya_annotation *a)
{
    __sanitizer_finish_switch_fiber(a->fake, &a->resumer_stack, &a->resumer_size);
}

/* Without a place to keep it the fake stack is freed. */
static inline void hoya_annotate_suspend(hoya_annotation *a, bool last)
{
    __sanitizer_start_switch_fiber(last ? NULL : &a->fake, a->resumer_stack, a->resumer_size);
}

static inline void hoya_annotate_resumed(hoya_annotation *a)
{
    __sanitizer_finish_switch_fiber(a->resumer_fake, NULL, NULL);
}

/* A call on the thread's stack is a switch between the two that comes back by itself. */
static inline void hoya_annotate_call(hoya_annotation *a, hoya_annotation *last)
{
    __sanitizer_start_switch_fiber(&a->fake, last->resumer_stack, last->resumer_size);
}

static inline void hoya_annotate_called(hoya_annotation *last)
{
    __sanitizer_finish_switch_fiber(last->resumer_fake, NULL, NULL);
}

static inline void hoya_annotate_return(hoya_annotation *last, const hoya_stack *stack)
{
    __sanitizer_start_switch_fiber(&last->resumer_fake, stack->base, stack->size);
}

static inline void hoya_annotate_returned(hoya_annotation *a)
{
    __sanitizer_finish_switch_fiber(a->fake, NULL, NULL);
}

#endif
