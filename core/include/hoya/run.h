/* SPDX-License-Identifier: MIT
 *
 * hoya/run.h: a whole program in one call: a loop, a task on it, and everything cleaned up behind that. asyncio.run.
 */
#ifndef HOYA_RUN_H
#define HOYA_RUN_H

#include <hoya/base.h>
#include <hoya/policy.h>
#include <hoya/task.h>

HOYA_BEGIN_DECLS

enum hoya_run_flags {
    HOYA_RUN_DEBUG = 1u << 0,    /* the loop is in debug mode */
    HOYA_RUN_NO_SIGINT = 1u << 1 /* Ctrl-C is the program's own business */
};

/* All zero but the size, or NULL, means the defaults. */
typedef struct hoya_run_options {
    size_t size; /* sizeof(hoya_run_options) */
    uint32_t flags;
    hoya_policy *policy; /* makes the loop; NULL: the policy of the process */
    const char *name;    /* these three: main's, as in hoya_task_options */
    size_t stack_size;
    hoya_destroy destroy;
} hoya_run_options;

/* Makes a loop, runs main(self, arg) on it as a task until that has ended, ends all other tasks, closes the loop, and
 * returns what main returned; if that is negative, hoya_error_detail is main's. Takes the argument.
 *
 * On a foreign host this runs the host's main loop (OWNER mode), nested if the application runs it already. Inside,
 * hoya_get_event_loop gives the new loop; the current loop of the thread (hoya_set_event_loop) stays what it is.
 *
 * The end: the tasks that are left are cancelled and waited for; then those that they have made meanwhile; until there
 * are none. Who refuses a cancel is waited for. A failure that nobody looks at goes to the loop's exception handler. Then
 * the default executor, if it was used or set, is shut down, and its jobs are waited for, five minutes at most
 * (HOYA_ETIMEDOUT). The rest is hoya_loop_close.
 *
 * Ctrl-C: on the main thread, if SIGINT has its default action, which it gets back in the end:
 *   the first one cancels main, and the result is HOYA_EINTR if main ends by that;
 *   the second one, or one after main has ended, ends the waiting: the loop is closed with the tasks there are (their
 *     waits answer HOYA_ECANCELED), and the result is HOYA_EINTR if main had not ended, or had ended well;
 *   one more has the default action, and so has one that comes before the loop has seen the one before (a callback
 *     blocks): the process dies. One that the loop did not get to see at all comes again when the default action is back.
 * A program that adds a handler for SIGINT in the loop uses hoya_loop_replace_signal_handler, or the flag.
 *
 * Errors beside main's own: HOYA_EBUSY (inside a running loop), HOYA_EINVAL, HOYA_ENOMEM and those of making a loop: main
 * has not run then. When the run ends before main, main is cancelled with all others, and the result is HOYA_ESTATE after
 * hoya_loop_stop, or that of hoya_loop_run_forever. When main has ended well, but waiting for the others failed: that
 * failure. Origin: asyncio.run, asyncio.Runner. */
HOYA_API int hoya_run(hoya_task_function main, void *arg, const hoya_run_options *options);

HOYA_END_DECLS

#endif
