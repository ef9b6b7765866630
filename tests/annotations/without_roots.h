/* SPDX-License-Identifier: MIT
 *
 * annotations/without_roots.h: HOYA_ANNOTATE_WITH, whose stacks are not searched for pointers.
 */
#include <sanitizer/lsan_interface.h>
#define __lsan_register_root_region(start, size) ((void)(start), (void)(size))
#define __lsan_unregister_root_region(start, size) ((void)(start), (void)(size))
#include HOYA_ANNOTATE_WITH
