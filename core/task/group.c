/* SPDX-License-Identifier: MIT
 *
 * task/group.c: a part of a task that ends after its children.
 *
 * The children are those of the group's task (owner.c): who waits for whom, and who ends first, is decided there. A
 * group adds three things: whose turn it is, what an end means for the others (the policy, in hoya_group_tell), and
 * that it is a scope of its task: up with HOYA_ECANCELED from the moment that it is cancelled. So a child's failure
 * touches no cancel count, and a cancel from outside stays what it is (statements 64 to 66).
 *
 * Two words: a group that is ending takes no children, and those that it has are asked to end; one that was
 * cancelled is also up for its body. A race that was won is ending, and not cancelled.
 */
#include "task/group.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/options.h"
#include "loop/handle.h"

static hoya_member *member_of(hoya_list *node)
{
    return HOYA_CONTAINER_OF(node, hoya_member, node);
}

static bool is_closing(const hoya_group *group)
{
    return hoya_tasks_of(group->loop)->closing;
}

static void let_go_of_ended(hoya_group *group)
{
    for (hoya_list *node; (node = hoya_list_pop(&group->failed));) {
        hoya_member *member = member_of(node);
        if (group->winner) member->task->future.looked = true; /* to lose a race is no accident */
        hoya_task_unref(member->task);
        hoya_free(member);
    }
    hoya_task *winner = group->winner;
    group->winner = NULL;
    hoya_task_unref(winner);
}

/* Who is told of a failure that nobody looked at may ask the group: it goes after them. */
static void unref_group(hoya_group *group)
{
    if (group->refs == 1) let_go_of_ended(group);
    if (--group->refs == 0) hoya_free(group);
}

/* ---- the end --------------------------------------------------------------------------------------------- */

/* The first one that has not been asked to end. Those that have been stand behind the others. */
static hoya_member *next_to_ask(const hoya_list *members)
{
    hoya_member *first = hoya_list_is_empty(members) ? NULL : member_of(members->next);
    return first && !first->task->asked ? first : NULL;
}

/* From the front, always, as in owner.c: a destroy function may end any other. */
static void ask(hoya_list *members, const char *reason)
{
    for (hoya_member *member; (member = next_to_ask(members));) {
        hoya_list_remove(&member->node);
        hoya_list_append(members, &member->node);
        hoya_owner_ask(member->task, reason);
    }
}

/* The caller has a reference. */
static void end_group(hoya_group *group)
{
    group->ending = true;
    ask(&group->queue, group->why);
    ask(&group->begun, group->why);
}

static void cancel_group(hoya_group *group)
{
    group->scope.why = group->why;
    hoya_scope_raise(&group->scope, HOYA_ECANCELED);
    end_group(group);
}

static void say_cancelled(hoya_group *group, const char *reason)
{
    snprintf(group->why, sizeof group->why, "the group %.60s was cancelled%s%.100s", group->name,
             reason ? ": " : "", reason ? reason : "");
}

int hoya_group_cancel(hoya_group *group, const char *reason)
{
    if (!group) return hoya_error_set(HOYA_EINVAL, "the group is NULL");
    int rc = hoya_loop_check_thread(group->loop);
    if (rc < 0) return rc;
    if (!group->scope.task || group->scope.up) return 0;
    group->refs++;
    say_cancelled(group, reason);
    cancel_group(group);
    unref_group(group);
    return 1;
}

/* ---- whose turn it is ------------------------------------------------------------------------------------ */

static void let_begin(hoya_group *group)
{
    while (!group->ending && !hoya_list_is_empty(&group->queue) &&
           !(group->limit && group->running >= group->limit)) {
        hoya_member *member = member_of(hoya_list_pop(&group->queue));
        hoya_list_append(&group->begun, &member->node);
        member->begun = true;
        group->running++;
        hoya_task_wake(member->task);
    }
}

/* ---- a child has ended ----------------------------------------------------------------------------------- */

/* It has failed, and the group answers for that. */
static void on_failed(hoya_group *group, hoya_member *member)
{
    hoya_task_ref(member->task);
    hoya_list_append(&group->failed, &member->node);
    if (group->policy != HOYA_GROUP_FAIL_FAST || group->ending) return;
    snprintf(group->why, sizeof group->why, "%.60s of the group %.60s has failed", hoya_task_get_name(member->task),
             group->name);
    cancel_group(group);
}

static void on_well(hoya_group *group, hoya_task *child)
{
    if (group->policy != HOYA_GROUP_RACE || group->winner) return;
    group->winner = hoya_task_ref(child);
    if (group->ending) return;
    snprintf(group->why, sizeof group->why, "%.60s of the group %.60s has won", hoya_task_get_name(child),
             group->name);
    end_group(group);
}

void hoya_group_tell(hoya_member *member)
{
    hoya_group *group = member->group;
    hoya_task *child = member->task;
    hoya_start *start = member->start;
    int code = child->future.outcome.code;
    bool failed = code < 0 && code != HOYA_ECANCELED && !start;
    child->body->member = NULL;
    hoya_list_remove(&member->node);
    group->count--;
    group->running -= member->begun;
    if (start) hoya_task_wake(start->starter); /* its end is told there, and nowhere else */
    else if (failed) on_failed(group, member);
    else if (code >= 0) on_well(group, child);
    if (!failed) hoya_free(member);
    let_begin(group);
    if (!group->count && group->joined) hoya_task_wake(group->scope.task);
    unref_group(group);
}

/* ---- the scope ------------------------------------------------------------------------------------------- */

/* Left. If children are there its task has ended, and asks them itself (owner.c), or the loop is closed, which asks
 * all. */
static void drop(hoya_scope *scope)
{
    hoya_group *group = (hoya_group *)scope;
    if (!group->ending) snprintf(group->why, sizeof group->why, "the group %.60s was left", group->name);
    group->ending = true;
    scope->task = NULL;
    unref_group(group);
}

static void describe(const hoya_scope *scope, char *text, size_t size)
{
    static const char *const policies[] = {"fail fast", "wait all", "race"};
    const hoya_group *group = (const hoya_group *)scope;
    int n =
        snprintf(text, size, "a group, %.60s: %s, %u children", group->name, policies[group->policy], group->count);
    if (group->count > group->running)
        n += snprintf(text + n, size - (size_t)n, ", %u wait for their turn", group->count - group->running);
    if (group->ending) snprintf(text + n, size - (size_t)n, "; %s", group->why);
}

static const hoya_scope_class group_class = {drop, describe};

int hoya_group_enter(const hoya_group_options *given, hoya_group **out)
{
    hoya_group_options options;
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0 &&
        (!hoya_options_read(&options, sizeof options, given) || (unsigned)options.policy > HOYA_GROUP_RACE))
        rc = hoya_error_set(HOYA_EINVAL, "hoya_group_options: not of this version");
    if (rc < 0) return rc;
    char name[32];
    snprintf(name, sizeof name, "Group-%u", hoya_tasks_of(task->future.loop)->groups + 1);
    if (!options.name) options.name = name;
    hoya_group *group = hoya_new_zeroed(sizeof *group + strlen(options.name) + 1);
    if (!group) return HOYA_ENOMEM;
    hoya_tasks_of(task->future.loop)->groups++;
    strcpy(group->name, options.name);
    group->loop = task->future.loop;
    group->refs = 1;
    group->policy = options.policy;
    group->limit = options.limit;
    hoya_list_init(&group->queue);
    hoya_list_init(&group->begun);
    hoya_list_init(&group->failed);
    hoya_scope_enter(&group->scope, &group_class, task);
    *out = group;
    return 0;
}

void hoya_describe_join(const hoya_task *task, char *text, size_t size)
{
    const hoya_group *group = task->body->waits_for;
    snprintf(text, size, "waits for the children of the group %s", group->name);
}

/* In the group's task. A group that is ending has done what an interruption could do. */
static int wait_for_children(hoya_group *group)
{
    hoya_task *task = group->scope.task;
    int rc = 0;
    while (group->count) {
        if (!group->ending && (rc = hoya_task_interrupted(task)) < 0) {
            say_cancelled(group, hoya_error_detail());
            cancel_group(group);
            continue; /* those that had not begun have ended */
        }
        if (is_closing(group)) return hoya_task_interrupted(task);
        group->joined = true;
        hoya_task_suspend(task, hoya_describe_join, group);
        group->joined = false;
    }
    return rc;
}

static int join(hoya_group *group)
{
    if (!group->count) hoya_task_spend(group->scope.task);
    int rc = wait_for_children(group);
    if (group->winner) return 0; /* who wins in spite of a cancel is believed */
    if (hoya_list_is_empty(&group->failed)) return rc;
    return hoya_future_result(&member_of(group->failed.next)->task->future, NULL);
}

int hoya_group_join(hoya_group *group)
{
    hoya_task *task;
    int rc = hoya_task_here(&task);
    if (rc >= 0 && (!group || group->scope.task != task))
        rc = hoya_error_set(HOYA_ESTATE, "%s: this is not a group of this task", hoya_task_get_name(task));
    return rc < 0 ? rc : join(group);
}

int hoya_group_leave(hoya_group *group)
{
    int rc = hoya_scope_check_innermost(group ? &group->scope : NULL, "scope");
    if (rc < 0) return rc;
    rc = join(group);
    hoya_scope_drop_innermost(group->scope.task);
    return rc;
}

/* ---- children -------------------------------------------------------------------------------------------- */

static int check_open(const hoya_group *group, const hoya_task_options *options)
{
    if (!group) return hoya_error_set(HOYA_EINVAL, "the group is NULL");
    int rc = hoya_loop_check_thread(group->loop);
    if (rc < 0) return rc;
    if (group->ending) return hoya_error_set(HOYA_ESTATE, "%s: it takes no more children", group->why);
    if (options->owner && options->owner != group->scope.task)
        return hoya_error_set(HOYA_EINVAL, "the group %s is not of %s", group->name,
                              hoya_task_get_name(options->owner));
    return 0;
}

/* The options are read. Takes the argument on success; the child waits for its turn. */
static int make(hoya_group *group, hoya_task_function fn, void *arg, hoya_task_options *options, const void *place,
                hoya_start *start, hoya_task **out)
{
    hoya_task *task;
    int rc = check_open(group, options);
    if (rc < 0) return rc;
    hoya_member *member = hoya_new(hoya_member);
    if (!member) return HOYA_ENOMEM;
    options->owner = group->scope.task;
    rc = hoya_task_make(group->loop, fn, arg, options, place, &task);
    if (rc < 0) {
        hoya_free(member);
        return rc;
    }
    *member = (hoya_member){.group = group, .task = task, .start = start};
    task->body->member = member;
    hoya_list_append(&group->queue, &member->node);
    group->count++;
    group->refs++;
    if (out) *out = hoya_task_ref(task);
    let_begin(group);
    return 0;
}

int hoya_group_create_task(hoya_group *group, hoya_task_function fn, void *arg, const hoya_task_options *given,
                           hoya_task **out)
{
    hoya_task_options options;
    int rc = hoya_task_options_read(&options, given);
    if (rc >= 0) rc = make(group, fn, arg, &options, HOYA_CALLER(), NULL, out);
    if (rc < 0) hoya_destroy_arg(options.destroy, arg);
    return rc;
}

/* ---- a child that says when it is ready ------------------------------------------------------------------ */

void hoya_describe_start(const hoya_task *task, char *text, size_t size)
{
    const hoya_task *child = task->body->waits_for;
    snprintf(text, size, "waits until %s is ready", hoya_task_get_name(child));
}

/* Until the child is ready or has ended: 0, or why that had to be sooner. */
static int wait_until_ready(hoya_task *task, const hoya_start *start, hoya_task *child)
{
    int rc = 0;
    while (!start->ready && !child->future.outcome.done) {
        if (rc == 0 && (rc = hoya_task_interrupted(task)) < 0) {
            char reason[128];
            snprintf(reason, sizeof reason, "who waited until it was ready does not: %.80s", hoya_error_detail());
            hoya_task_cancel(child, reason);
            continue;
        }
        if (hoya_tasks_of(task->future.loop)->closing) break;
        hoya_task_suspend(task, hoya_describe_start, child);
    }
    return rc;
}

/* What that is to who waited, and to nobody else; `rc` is why he could not any more. */
static int result_of_unready(hoya_task *child, int rc)
{
    int code = child->future.outcome.done ? child->future.outcome.code : 0; /* at the loop's close it may not be */
    if (code < 0 && (code != HOYA_ECANCELED || rc == 0)) return hoya_future_result(&child->future, NULL);
    return rc < 0 ? rc : hoya_error_set(HOYA_ESTATE, "%s has ended and was never ready", hoya_task_get_name(child));
}

int hoya_group_start(hoya_group *group, hoya_task_function fn, void *arg, const hoya_task_options *given,
                     void **value, hoya_destroy *destroy_value)
{
    hoya_task_options options;
    hoya_task *task, *child;
    int rc = hoya_task_options_read(&options, given);
    if (rc >= 0) rc = hoya_task_here(&task);
    if (rc >= 0) rc = hoya_task_interrupted(task);
    if (rc >= 0 && group && group->loop != task->future.loop)
        rc = hoya_error_set(HOYA_EINVAL, "%s: the group is of another loop", hoya_task_get_name(task));
    hoya_start start = {.starter = rc < 0 ? NULL : task};
    if (rc >= 0) rc = make(group, fn, arg, &options, HOYA_CALLER(), &start, &child);
    if (rc < 0) {
        hoya_destroy_arg(options.destroy, arg);
        return rc;
    }
    rc = wait_until_ready(task, &start, child);
    if (child->body && child->body->member) child->body->member->start = NULL;
    rc = start.ready ? 0 : result_of_unready(child, rc);
    hoya_task_unref(child);
    if (rc < 0) return rc;
    if (value) *value = start.value;
    else hoya_destroy_arg(start.destroy, start.value);
    if (value && destroy_value) *destroy_value = start.destroy;
    return 0;
}

int hoya_task_started(hoya_task *self, void *value, hoya_destroy destroy)
{
    bool here = self && self == hoya_current_task() && !self->ending;
    hoya_start *start = here && self->body->member ? self->body->member->start : NULL;
    if (!start) {
        hoya_destroy_arg(destroy, value);
        return here ? 0 : hoya_error_set(HOYA_ESTATE, "only a task itself says that it is ready, in its function");
    }
    start->ready = true;
    start->value = value;
    start->destroy = destroy;
    self->body->member->start = NULL;
    hoya_task_wake(start->starter);
    return 1;
}

/* ---- what became of them --------------------------------------------------------------------------------- */

int hoya_group_errors(hoya_group *group, hoya_group_error_function fn, void *arg)
{
    if (!group) return hoya_error_set(HOYA_EINVAL, "the group is NULL");
    int rc = hoya_loop_check_thread(group->loop);
    if (rc < 0) return rc;
    int count = 0;
    group->refs++;
    for (hoya_list *node = group->failed.next; node != &group->failed; node = node->next, count++) {
        hoya_future *failed = &member_of(node)->task->future;
        if (!fn) continue;
        failed->looked = true;
        fn(member_of(node)->task, failed->outcome.code, hoya_outcome_text(&failed->outcome), arg);
    }
    unref_group(group);
    return count;
}

hoya_task *hoya_group_winner(const hoya_group *group)
{
    return group ? group->winner : NULL;
}
