/* SPDX-License-Identifier: MIT
 *
 * annotations/without_calls.h: HOYA_ANNOTATE_WITH, whose calls on the thread's stack nobody is told of.
 */
#define hoya_annotate_call hoya_annotate_call_left_out
#define hoya_annotate_called hoya_annotate_called_left_out
#define hoya_annotate_return hoya_annotate_return_left_out
#define hoya_annotate_returned hoya_annotate_returned_left_out
#include HOYA_ANNOTATE_WITH
#undef hoya_annotate_call
#undef hoya_annotate_called
#undef hoya_annotate_return
#undef hoya_annotate_returned
#define hoya_annotate_call(a, last) ((void)(a), (void)(last))
#define hoya_annotate_called(last) ((void)(last))
#define hoya_annotate_return(last, stack) ((void)(last), (void)(stack))
#define hoya_annotate_returned(a) ((void)(a))
