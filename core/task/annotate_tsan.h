/* SPDX-License-Identifier: MIT
 *
 * task/annotate_tsan.h: ThreadSanitizer has a state for each fiber, and is told of each switch in the function that
 * switches: it counts the calls and returns of each, hence always_inline.
 */
#ifndef HOYA_TASK_ANNOTATE_H
#define HOYA_TASK_ANNOTATE_H

#include <sanitizer/tsan_interface.h>
#include <stdbool.h>

#include "task/stack.h"

#define HOYA_STACK_SCALE 4
#define HOYA_SPARE_TASKS 0
#define HOYA_ALWAYS_INLINE static inline __attribute__((always_inline))

typedef struct hoya_annotation {
    void *fiber, *resumer;
} hoya_annotation;

HOYA_ALWAYS_INLINE void hoya_annotate_create(hoya_annotation *a, const hoya_stack *stack)
{
    (void)stack;
    a->fiber = __tsan_create_fiber(0);
}

HOYA_ALWAYS_INLINE void hoya_annotate_destroy(hoya_annotation *a, const hoya_stack *stack)
{
    (void)stack;
    __tsan_destroy_fiber(a->fiber);
}

/* Flag 0: what was done before the switch is seen after it. */
HOYA_ALWAYS_INLINE void hoya_annotate_resume(hoya_annotation *a, const hoya_stack *stack)
{
    (void)stack;
    a->resumer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(a->fiber, 0);
}

HOYA_ALWAYS_INLINE void hoya_annotate_entered(hoya_annotation *a)
{
    (void)a;
}

HOYA_ALWAYS_INLINE void hoya_annotate_suspend(hoya_annotation *a, bool last)
{
    (void)last;
    __tsan_switch_to_fiber(a->resumer, 0);
}

HOYA_ALWAYS_INLINE void hoya_annotate_resumed(hoya_annotation *a)
{
    (void)a;
}

/* Both ways where the call is made, so that what is called there is counted there. */
HOYA_ALWAYS_INLINE void hoya_annotate_call(hoya_annotation *a, hoya_annotation *last)
{
    (void)a;
    __tsan_switch_to_fiber(last->resumer, 0);
}

HOYA_ALWAYS_INLINE void hoya_annotate_called(hoya_annotation *last)
{
    (void)last;
}

HOYA_ALWAYS_INLINE void hoya_annotate_return(hoya_annotation *last, const hoya_stack *stack)
{
    (void)last, (void)stack;
}

HOYA_ALWAYS_INLINE void hoya_annotate_returned(hoya_annotation *a)
{
    __tsan_switch_to_fiber(a->fiber, 0);
}

#endif
