/* SPDX-License-Identifier: MIT
 *
 * run/run.c: a whole program: a loop, its main task, and the end of everything.
 *
 *   made: the loop, the hand on Ctrl-C, the main task
 *   run:  until the main task has ended, or the run has
 *   end:  all other tasks are asked to end and waited for, generation by generation; then the jobs of the default
 *         executor, if there is one; then the loop is closed, which gives SIGINT back
 *
 * The end needs no memory, but for the wait for jobs. What the user's Ctrl-C means depends on how far this is: see on_interrupt.
 */
#include <hoya/executor.h>
#include <hoya/run.h>
#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "base/options.h"
#include "base/sys.h"
#include "loop/handle.h"
#include "run/policy.h"
#include "task/task.h"

#define LONGEST_JOBS HOYA_SEC(300) /* asyncio's */
#define KNOWN_FLAGS (HOYA_RUN_DEBUG | HOYA_RUN_NO_SIGINT)

typedef struct run {
    hoya_loop *loop;
    hoya_task *main;
    bool interrupted; /* main was cancelled by Ctrl-C */
    bool cut;         /* nobody is waited for any more */
    int result;
    char detail[256]; /* of a result that is a failure */
} run;

/* The first failure is the result, whatever happens after it. */
static void conclude(run *r, int rc)
{
    if (r->result < 0 || rc == 0) return;
    r->result = rc;
    if (rc < 0) snprintf(r->detail, sizeof r->detail, "%s", hoya_error_detail());
}

/* ---- Ctrl-C ---------------------------------------------------------------------------------------------- */

static void on_interrupt(int signum, void *arg)
{
    run *r = arg;
    if (!r->interrupted && hoya_task_cancel(r->main, "interrupted") == 1) {
        r->interrupted = true;
        return;
    }
    /* Asking did not help, or there is nobody to ask. From here on the next one is the system's. */
    r->cut = true;
    hoya_loop_remove_signal_handler(r->loop, signum);
    hoya_loop_abort(r->loop, HOYA_EINTR);
}

/* Whoever ignores SIGINT or handles it himself goes on doing so. */
static bool interrupts_are_ours(void)
{
    struct sigaction now;
    return hoya_thread_is_main() && hoya_sys_sigaction(SIGINT, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
           now.sa_handler == SIG_DFL;
}

static int take_interrupts(run *r)
{
    int rc = hoya_loop_add_signal_handler(r->loop, SIGINT, on_interrupt, r, NULL);
    if (rc >= 0) hoya_signal_insists(r->loop, SIGINT);
    return rc;
}

/* ---- the beginning --------------------------------------------------------------------------------------- */

static int check(hoya_task_function main, const hoya_run_options *options)
{
    if (!main) return hoya_error_set(HOYA_EINVAL, "run without a main function");
    if (options->flags & ~(uint32_t)KNOWN_FLAGS)
        return hoya_error_set(HOYA_EINVAL, "hoya_run_options: flags 0x%x are not known", (unsigned)options->flags);
    if (options->policy && hoya_policy_check(options->policy) < 0) return HOYA_EINVAL;
    if (hoya_get_running_loop()) return hoya_error_set(HOYA_EBUSY, "a loop is running on this thread already");
    return 0;
}

/* Everything that main needs but itself. */
static int make_loop(run *r, const hoya_run_options *options, const void *place)
{
    hoya_policy *policy = options->policy ? options->policy : hoya_get_event_loop_policy();
    int rc = hoya_policy_new_loop(policy, &r->loop, place);
    if (rc >= 0 && (options->flags & HOYA_RUN_DEBUG)) rc = hoya_loop_set_debug(r->loop, 1);
    if (rc >= 0 && !(options->flags & HOYA_RUN_NO_SIGINT) && interrupts_are_ours()) rc = take_interrupts(r);
    return rc;
}

/* Takes the argument. */
static int begin(run *r, hoya_task_function main, void *arg, const hoya_run_options *options, const void *place)
{
    int rc = check(main, options);
    if (rc >= 0) rc = make_loop(r, options, place);
    if (rc < 0) {
        hoya_destroy_arg(options->destroy, arg);
        return rc;
    }
    hoya_task_options of_main = {sizeof of_main, options->name, options->stack_size, options->destroy, NULL};
    return hoya_create_task(r->loop, main, arg, &of_main, &r->main);
}

/* ---- the run --------------------------------------------------------------------------------------------- */

/* What main returned, or why the run ended before it did. */
static int run_main(run *r)
{
    hoya_future *future = hoya_task_future(r->main);
    int rc = hoya_run_until_complete(r->loop, future, NULL);
    if (!hoya_future_done(future)) return rc == HOYA_EINTR ? hoya_error_set(rc, "interrupted") : rc;
    rc = hoya_future_result(future, NULL);
    /* Somebody else may have cancelled it, too; then it is that (as in asyncio.Runner). */
    if (rc == HOYA_ECANCELED && r->interrupted && hoya_task_cancelling(r->main) == 1)
        return hoya_error_set(HOYA_EINTR, "interrupted");
    return rc < 0 ? rc : r->main->status;
}

/* ---- the end --------------------------------------------------------------------------------------------- */

static void cancel(hoya_task *task, void *arg)
{
    (void)arg;
    hoya_task_cancel(task, "the run has ended");
}

/* Tasks that are made on the way out may be the cleaning up of others: they are asked only when those have ended. */
static int end_tasks(run *r)
{
    int rc = 0;
    while (rc >= 0 && !r->cut && hoya_tasks_after(r->loop, 0)) {
        unsigned long last = hoya_tasks_of(r->loop)->made;
        hoya_all_tasks(r->loop, cancel, NULL);
        for (const hoya_task *oldest; rc >= 0 && (oldest = hoya_tasks_after(r->loop, 0)) && oldest->number <= last;)
            rc = hoya_loop_run_once(r->loop, HOYA_NEVER);
    }
    if (r->cut) return hoya_error_set(HOYA_EINTR, "interrupted while the last tasks ended");
    return rc < 0 ? rc : 0;
}

/* New jobs are refused, those that there are waited for. */
static int end_jobs(run *r)
{
    if (r->cut || !r->loop->slots[HOYA_SLOT_JOBS].data) return 0; /* nobody had any */
    hoya_future *ended;
    int rc = hoya_shutdown_default_executor(r->loop, LONGEST_JOBS, &ended);
    if (rc < 0) return rc;
    while (rc >= 0 && !r->cut && !hoya_future_done(ended)) rc = hoya_loop_run_once(r->loop, HOYA_NEVER);
    if (r->cut) rc = hoya_error_set(HOYA_EINTR, "interrupted while the last jobs ended");
    else if (rc >= 0) rc = hoya_future_result(ended, NULL);
    hoya_future_unref(ended);
    return rc;
}

static void end(run *r)
{
    if (!r->loop) return;
    hoya_loop_close(r->loop);
    hoya_task_unref(r->main);
    hoya_loop_unref(r->loop);
}

int hoya_run(hoya_task_function main, void *arg, const hoya_run_options *given)
{
    hoya_run_options options;
    if (!hoya_options_read(&options, sizeof options, given))
        return hoya_error_set(HOYA_EINVAL, "hoya_run_options: not of this version");
    run r = {.result = 0};
    conclude(&r, begin(&r, main, arg, &options, HOYA_CALLER()));
    if (r.main) {
        conclude(&r, run_main(&r));
        conclude(&r, end_tasks(&r));
        conclude(&r, end_jobs(&r));
    }
    end(&r);
    return r.result < 0 ? hoya_error_set(r.result, "%s", r.detail) : r.result;
}
