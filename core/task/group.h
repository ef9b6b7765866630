/* SPDX-License-Identifier: MIT
 *
 * task/group.h: a group and its members, for the files of tasks.
 *
 * A member is what a child has of its group, and the group of its child: a block of its own, so that tasks without
 * a group do not carry it. It stands in one of three lists of the group: those that wait for their turn, those that
 * were allowed to begin, those that have failed. From a failure on it is what the group remembers of it, with a
 * reference to the task that has failed: so that remembering needs no memory, and whoever lets the last reference
 * go reports what nobody has looked at.
 *
 * References of a group: its task's, until it is left, and one of each child that has not ended. So a child may ask
 * for it even at the loop's close, when its task does not wait for it.
 */
#ifndef HOYA_TASK_GROUP_H
#define HOYA_TASK_GROUP_H

#include <hoya/group.h>

#include "task/task.h"

/* On the stack of a task that waits until a child is ready. */
typedef struct hoya_start {
    hoya_task *starter;
    bool ready;
    void *value;
    hoya_destroy destroy;
} hoya_start;

struct hoya_member {
    hoya_list node;
    hoya_group *group;
    hoya_task *task;   /* a reference once it has failed */
    hoya_start *start; /* NULL: nobody waits until it is ready */
    bool begun;        /* it has had its turn: its first step is queued, or done */
};

struct hoya_group {
    hoya_scope scope; /* first. Its task is NULL when it was left */
    hoya_loop *loop;  /* kept by whoever has a reference */
    unsigned refs;
    hoya_group_policy policy;
    unsigned limit;
    hoya_list queue, begun, failed; /* members */
    unsigned count, running;        /* how many there are in the first two, and in the second */
    hoya_task *winner;              /* a reference, or NULL */
    bool ending;                    /* it takes no more children; those that there are are asked to end */
    bool joined;                    /* its task waits for the last one */
    char why[192];                  /* it is ending */
    char name[];
};

/* Tasks that wait in these ways wait for the children of the group `waits_for`, and until the child `waits_for` is ready. */
void hoya_describe_join(const hoya_task *task, char *text, size_t size);
void hoya_describe_start(const hoya_task *task, char *text, size_t size);

/* The member's task is done. The member is the group's now, or no more. Needs no memory. */
void hoya_group_tell(hoya_member *member);

#endif
