/* SPDX-License-Identifier: MIT
 *
 * task/annotate.h: what a sanitizer has to be told of a fiber. Twins, chosen by CMake: task/annotate_none.h,
 * task/annotate_asan.h (which tells LeakSanitizer, too), task/annotate_tsan.h. Each has
 *
 *     hoya_annotate_create, _destroy      around the time in which the fiber has its stack; never on that stack
 *     hoya_annotate_resume, _entered      before and after the switch to it
 *     hoya_annotate_suspend, _resumed     before and after the switch back
 *     hoya_annotate_call, _called         before and after the switch to the thread's stack, for a call there: the fiber
 *                                         that calls, and the last of its chain (task/fiber.h)
 *     hoya_annotate_return, _returned     before and after the switch back
 *     HOYA_STACK_SCALE                    how many times larger stacks have to be
 *     HOYA_SPARE_TASKS                    how many blocks of tasks a loop keeps for the next ones: none where somebody
 *                                         looks for those who use a task after they have let it go
 *
 * Valgrind works on any build: task/valgrind_known.h tells it where stacks are, and task/valgrind_none.h stands in its
 * place where valgrind's header was missing.
 */
#include HOYA_ANNOTATE
#include HOYA_VALGRIND
