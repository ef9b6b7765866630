/* SPDX-License-Identifier: MIT
 *
 * task/all.c: the tasks of a loop, one after the other, and what they are called. For those who look from outside: nothing here
 * is on the way of a task that runs.
 */
#include <string.h>

#include "task/task.h"

/* Writes "Task-12". Most tasks are never asked. Without printf: a handler of signals may be who asks. */
static void write_name(hoya_task *task)
{
    char *end = task->name + sizeof "Task-";
    memcpy(task->name, "Task-0", sizeof "Task-0");
    for (unsigned long left = task->number / 10; left; left /= 10) end++;
    *end = 0;
    for (unsigned long left = task->number; left; left /= 10) *--end = (char)('0' + left % 10);
}

const char *hoya_task_get_name(const hoya_task *task)
{
    if (task->naming == HOYA_NAME_NUMBER) write_name((hoya_task *)(uintptr_t)task);
    return task->name;
}

hoya_task *hoya_tasks_after(const hoya_loop *loop, unsigned long number)
{
    const hoya_tasks *tasks = hoya_tasks_of(loop);
    for (hoya_list *node = tasks ? tasks->all.next : NULL; tasks && node != &tasks->all; node = node->next) {
        hoya_task *task = hoya_task_of_node(node);
        if (task->number > number) return task;
    }
    return NULL;
}

int hoya_all_tasks(hoya_loop *loop, void (*fn)(hoya_task *task, void *arg), void *arg)
{
    int rc = hoya_loop_check_thread(loop);
    if (rc < 0) return rc;
    const hoya_tasks *tasks = hoya_tasks_of(loop);
    int count = 0;
    unsigned long last = tasks ? tasks->made : 0;
    hoya_task *task = hoya_tasks_after(loop, 0), *next;
    for (; task && task->number <= last; task = next, count++) {
        unsigned long number = task->number;
        hoya_list *node = task->body->of_loop.next;
        next = node == &tasks->all ? NULL : hoya_task_of_node(node);
        if (!fn || !next) {
            if (fn) fn(task, arg);
            continue;
        }
        hoya_task_ref(next);
        fn(task, arg);
        /* A cancel ends one that has not started, and its destroy function may end any other. */
        bool gone = next->ended;
        hoya_task_unref(next);
        if (gone) next = hoya_tasks_after(loop, number);
    }
    return count;
}
