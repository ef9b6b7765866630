/* SPDX-License-Identifier: MIT
 *
 * hoya/group.h: tasks that are waited for together. asyncio's TaskGroup, trio's nursery.
 *
 * A group is a part of a task, as a timeout is: entered, and left when its last child has ended. So nothing that
 * begins in it goes on after it, and no failure gets lost:
 *
 *     static int fetch_both(hoya_task *self, void *arg)
 *     {
 *         hoya_group *group;
 *         int rc = hoya_group_enter(NULL, &group);
 *         if (rc < 0) return rc;
 *         rc = hoya_group_create_task(group, fetch, "one", NULL, NULL);
 *         if (rc >= 0) rc = hoya_group_create_task(group, fetch, "two", NULL, NULL);
 *         if (rc >= 0) rc = hoya_sleep(HOYA_SEC(1));              // the body: it may wait
 *         if (rc < 0) hoya_group_cancel(group, "the body failed"); // else leave waits for them
 *         int end = hoya_group_leave(group);                       // what a child failed with, or 0
 *         return end < 0 ? end : rc;
 *     }
 *
 * A group that ends early (a child has failed, or somebody calls cancel) cancels its children, and takes no new
 * ones. In its body what would wait answers HOYA_ECANCELED from then on until it is left. No cancel of the task is
 * counted for that and none is taken back: after leave the task goes on as before, and a cancel of its own that
 * came meanwhile is still there. Where several scopes of a task are up, the outermost one's code is the answer: so
 * far the task has to go back.
 *
 * The children are those of the group's task in everything that task.h says of an owner. They go on, in any order,
 * while the body runs, and in the dialogs that it opens.
 *
 * Thread: the loop's, HOYA_ETHREAD elsewhere.
 */
#ifndef HOYA_GROUP_H
#define HOYA_GROUP_H

#include <hoya/task.h>

HOYA_BEGIN_DECLS

typedef struct hoya_group hoya_group;

/* When does a group end early? A child that was cancelled has not failed. */
typedef enum hoya_group_policy {
    HOYA_GROUP_FAIL_FAST, /* when a child fails */
    HOYA_GROUP_WAIT_ALL,  /* never by itself */
    HOYA_GROUP_RACE       /* when a child ends well: the others are cancelled, the body goes on */
} hoya_group_policy;

typedef struct hoya_group_options {
    size_t size;              /* sizeof(hoya_group_options) */
    const char *name;         /* copied; NULL: "Group-1", "Group-2", ... */
    hoya_group_policy policy; /* 0 is FAIL_FAST */
    unsigned limit; /* so many children at most have begun and not ended, the others wait their turn; 0: all */
} hoya_group_options;

/* ---- the scope --------------------------------------------------------------------------------------- */

/* Inside a task, which from then on has the group; options may be NULL. *group is the task's until leave, or until
 * the task ends: then its children are cancelled and waited for, as those that it owns. Errors: HOYA_ESTATE,
 * HOYA_EDEADLK, HOYA_EINVAL, HOYA_ENOMEM. Origin: TaskGroup.__aenter__. */
HOYA_API int hoya_group_enter(const hoya_group_options *options, hoya_group **group);

/* Waits until all children have ended; by the group's task. The first failure, with its text; in a RACE only if
 * nobody has won. Else 0. A cancel of the task, and an outer scope that is up, cancel the group: its children are
 * waited for all the same; then the result is a failure, or HOYA_ECANCELED or HOYA_EDEADLINE, and the cancel stays.
 * A group that has ended early is waited for without that question. With no child it does not wait. It may be
 * called again, and children may be made after it. Waits. Errors: HOYA_ESTATE (not this task's group),
 * HOYA_EDEADLK. Needs no memory. */
HOYA_API int hoya_group_join(hoya_group *group);

/* As join; then the group is gone, with what it lent. Failures that were neither returned nor enumerated go to the
 * exception handler; in a RACE that was won, none. Waits. Errors: HOYA_ESTATE, too, if it is not the innermost
 * scope of the task. Needs no memory. Origin: TaskGroup.__aexit__. */
HOYA_API int hoya_group_leave(hoya_group *group);

/* Ends the group early; by anybody: its task, a child, a callback. 1; 0 if it was cancelled before, or a child has
 * failed so that it was. `reason` may be NULL, and is copied. Needs no memory. Origin: TaskGroup.cancel. */
HOYA_API int hoya_group_cancel(hoya_group *group, const char *reason);

/* ---- children ---------------------------------------------------------------------------------------- */

/* As hoya_create_task, in the group, from wherever the group is known to be there: its task, a child, a callback.
 * The first step is queued when it is its turn. Takes the argument. Errors: HOYA_ESTATE (the group ends or has
 * ended), HOYA_EINVAL (another owner is given, too), and those of hoya_create_task. Origin:
 * TaskGroup.create_task. */
HOYA_API int hoya_group_create_task(hoya_group *group, hoya_task_function fn, void *arg,
                                    const hoya_task_options *options, hoya_task **task);

/* The same, and waits until the child says that it is ready: 0 and its value, which is the caller's, who calls
 * destroy_value(value) when he is done with it if *destroy_value is not NULL. Both may be NULL. A child that ends
 * before it says so has ended for this call only, whatever the policy: the result is what it failed with, or
 * HOYA_ESTATE. If this may not wait any more the child is cancelled and waited for, and believed if it is ready all
 * the same. Waits, in any task of the loop. Takes the argument. Errors: as create_task; HOYA_ECANCELED,
 * HOYA_EDEADLINE, HOYA_EDEADLK. Origin: trio's nursery.start. */
HOYA_API int hoya_group_start(hoya_group *group, hoya_task_function fn, void *arg, const hoya_task_options *options,
                              void **value, hoya_destroy *destroy_value);

/* Inside: says that. 1; 0 if nobody waits for it: then the value is destroyed here. Takes the value. Errors:
 * HOYA_ESTATE. Origin: trio's task_status.started. */
HOYA_API int hoya_task_started(hoya_task *self, void *value, hoya_destroy destroy);

/* ---- what became of them ----------------------------------------------------------------------------- */

typedef void (*hoya_group_error_function)(hoya_task *child, int code, const char *text, void *arg);

/* Calls fn for each child that has failed, in the order in which they did; runs inline. The child is borrowed until
 * leave, as is the text ("" if there is none). Returns how many those are. fn may be NULL: then nobody has looked
 * at them. Needs no memory: none is lost. Origin: BaseExceptionGroup.exceptions. */
HOYA_API int hoya_group_errors(hoya_group *group, hoya_group_error_function fn, void *arg);

/* Of a RACE the first child that has ended well, else NULL. Borrowed until leave. */
HOYA_API hoya_task *hoya_group_winner(const hoya_group *group);

HOYA_END_DECLS

#endif
