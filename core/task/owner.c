/* SPDX-License-Identifier: MIT
 *
 * task/owner.c: tasks that end with the task that owns them.
 *
 * An owner has a list of its children that have not ended. It ends after them: its function has returned and its
 * outcome is settled, but it still has its stack and waits on that, and publishes the outcome when the list is
 * empty. So a child needs no reference of its owner, nor the owner of its children: the loop keeps both for as long
 * as the child is in the list.
 *
 * Owners form no circle, since an owner exists before its child and is never exchanged; so nobody is his own,
 * either. A child that waits for its owner would close one of waits: it cannot (task/wait.c). At the loop's close
 * all are asked to end at once, and nobody waits: the children lose their owners first.
 */
#include <stdio.h>

#include "base/error.h"
#include "loop/handle.h"
#include "task/group.h"
#include "task/task.h"

int hoya_owner_check(const hoya_task *owner, const hoya_loop *loop)
{
    if (owner->future.loop != loop)
        return hoya_error_set(HOYA_EINVAL, "%s is of another loop, and owns no tasks of this one",
                              hoya_task_get_name(owner));
    if (owner->ended || owner->ending)
        return hoya_error_set(HOYA_ESTATE, "%s has ended, and takes no more children", hoya_task_get_name(owner));
    return 0;
}

void hoya_owner_adopt(hoya_task *owner, hoya_task *child)
{
    hoya_task_body *body = owner->body;
    if (hoya_list_is_empty(&body->children)) body->asked_children = &body->children;
    child->body->owner = owner;
    hoya_list_append(body->asked_children, &child->body->of_owner); /* before those */
}

void hoya_owner_disown(hoya_task *owner)
{
    hoya_task_body *body = owner->body;
    body->asked_children = &body->children;
    for (hoya_list *node; (node = hoya_list_pop(&body->children));)
        HOYA_CONTAINER_OF(node, hoya_task_body, of_owner)->owner = NULL;
}

/* ---- the end --------------------------------------------------------------------------------------------- */

/* The one place where an owner hears of a child's end, with the outcome in the child's future; then its group does. At
 * the loop's close only groups are left to hear of it. Needs no memory. */
void hoya_owner_tell(hoya_task *child)
{
    hoya_task *owner = child->body->owner;
    hoya_list *node = &child->body->of_owner;
    child->body->owner = NULL;
    if (owner && owner->body->asked_children == node) owner->body->asked_children = node->next;
    hoya_list_remove(node);
    if (owner && owner->ending && owner->wanted && hoya_list_is_empty(&owner->body->children))
        hoya_task_wake(owner);
    if (child->body->member) hoya_group_tell(child->body->member);
}

/* The first child that has not been asked to end. Those that have been stand behind the others, whenever those came. */
static hoya_task *next_to_ask(const hoya_task *owner)
{
    hoya_list *first = owner->body->children.next;
    return first == owner->body->asked_children ? NULL : HOYA_CONTAINER_OF(first, hoya_task_body, of_owner)->task;
}

void hoya_owner_ask(hoya_task *child, const char *reason)
{
    hoya_task_body *owner = child->body->owner ? child->body->owner->body : NULL;
    hoya_list *node = &child->body->of_owner;
    child->asked = true;
    if (owner) {
        hoya_list_remove(node);
        hoya_list_append(&owner->children, node);
        if (owner->asked_children == &owner->children) owner->asked_children = node;
    }
    hoya_task_ask(child, reason);
}

/* A cancel ends a child that has not started, whose destroy function may end any other: so from the front, always.
 * */
static void ask_children(hoya_task *owner)
{
    char reason[128];
    snprintf(reason, sizeof reason, "its owner %.80s has ended", hoya_task_get_name(owner));
    for (hoya_task *child; (child = next_to_ask(owner));) hoya_owner_ask(child, reason);
}

static void describe_children(const hoya_task *task, char *text, size_t size)
{
    (void)task;
    snprintf(text, size, "waits for its children");
}

/* A cancel of the owner wakes it, too; it goes on waiting. */
void hoya_owner_wait(hoya_task *owner)
{
    owner->ending = true;
    ask_children(owner);
    while (!hoya_list_is_empty(&owner->body->children)) hoya_task_suspend(owner, describe_children, NULL);
}
