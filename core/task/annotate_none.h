/* SPDX-License-Identifier: MIT
 *
 * task/annotate_none.h: without a sanitizer nobody has to be told of a switch.
 */
#ifndef HOYA_TASK_ANNOTATE_H
#define HOYA_TASK_ANNOTATE_H

#include <stdbool.h>

#include "task/stack.h"

#define HOYA_STACK_SCALE 1
#define HOYA_SPARE_TASKS 64

typedef struct hoya_annotation {
    char unused;
} hoya_annotation;

static inline void hoya_annotate_create(hoya_annotation *a, const hoya_stack *stack)
{
    (void)a, (void)stack;
}

static inline void hoya_annotate_destroy(hoya_annotation *a, const hoya_stack *stack)
{
    (void)a, (void)stack;
}

static inline void hoya_annotate_resume(hoya_annotation *a, const hoya_stack *stack)
{
    (void)a, (void)stack;
}

static inline void hoya_annotate_entered(hoya_annotation *a)
{
    (void)a;
}

static inline void hoya_annotate_suspend(hoya_annotation *a, bool last)
{
    (void)a, (void)last;
}

static inline void hoya_annotate_resumed(hoya_annotation *a)
{
    (void)a;
}

static inline void hoya_annotate_call(hoya_annotation *a, hoya_annotation *last)
{
    (void)a, (void)last;
}

static inline void hoya_annotate_called(hoya_annotation *last)
{
    (void)last;
}

static inline void hoya_annotate_return(hoya_annotation *last, const hoya_stack *stack)
{
    (void)last, (void)stack;
}

static inline void hoya_annotate_returned(hoya_annotation *a)
{
    (void)a;
}

#endif
