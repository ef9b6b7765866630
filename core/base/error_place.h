/* SPDX-License-Identifier: MIT
 *
 * base/error_place.h: where the detail of a failure is kept. Each thread has a place, and each task one of its own (on its
 * stack: task/task.c), to which whoever switches moves.
 */
#ifndef HOYA_BASE_ERROR_PLACE_H
#define HOYA_BASE_ERROR_PLACE_H

#include <stddef.h>

#include HOYA_LIBC

typedef struct hoya_error_place {
    int code; /* that it belongs to; 0: nothing failed */
    char text[256];
} hoya_error_place;

extern HOYA_THREAD_LOCAL hoya_error_place *hoya_error_here; /* NULL: the thread's */

/* From here on, details go there. Returns where they went before. */
static inline hoya_error_place *hoya_error_move(hoya_error_place *place)
{
    hoya_error_place *before = hoya_error_here;
    hoya_error_here = place;
    return before;
}

/* The same for a place that begins with nothing in it: for what is called and whose details are its own. */
static inline hoya_error_place *hoya_error_begin(hoya_error_place *place)
{
    place->code = 0;
    place->text[0] = 0;
    return hoya_error_move(place);
}

#endif
