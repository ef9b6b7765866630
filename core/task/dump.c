/* SPDX-License-Identifier: MIT
 *
 * task/dump.c: the tasks of a loop, as text: for hoya_loop_dump, and in debug mode for
 * the loop's end, and for a wait that nothing will end. Needs no memory; what
 * a task waits for it says itself, by the function that it left when it suspended itself.
 */
#include <stdio.h>

#include "task/group.h"
#include "task/task.h"

#define LEFT_LINES 20 /* how many of those that are left are told one by one */

static const char *where(const hoya_task *task, char *text, size_t size)
{
    hoya_description of = {"", (uintptr_t)task->body->fn, task->future.place, .live = true, .lasts = true};
    return hoya_description_text(of, text, size) + 1; /* behind the empty word's space */
}

static const char *state(const hoya_task *task, char *text, size_t size)
{
    switch (hoya_task_state(task)) {
    case HOYA_COROUTINE_CREATED:
        return task->body->member && !task->body->member->begun ? "waits for its turn, has not begun"
                                                                : "ready, has not begun";
    case HOYA_COROUTINE_RUNNING:
        return "running";
    default:
        break;
    }
    if (task->queued || !task->body->describe_wait) return "ready";
    task->body->describe_wait(task, text, size);
    return text;
}

static void dump_task(const hoya_task *task, const hoya_printer *to)
{
    char text[HOYA_DESCRIPTION_SIZE];
    hoya_print(to, "    %s: %s", hoya_task_get_name(task), state(task, text, sizeof text));
    hoya_print(to, "      %s", where(task, text, sizeof text));
    if (task->body->owner) hoya_print(to, "      its owner is %s", hoya_task_get_name(task->body->owner));
    if (task->body->member) hoya_print(to, "      in the group %s", task->body->member->group->name);
    if (task->cancels)
        hoya_print(to, "      cancelled %d times%s%s", task->cancels, task->body->reason ? ": " : "",
                   task->body->reason ? task->body->reason : "");
    if (task->shields) hoya_print(to, "      in %d shields", task->shields);
    for (const hoya_scope *scope = task->body->scopes; scope; scope = scope->outer) {
        scope->class->describe(scope, text, sizeof text);
        hoya_print(to, "      %s", text);
    }
}

void hoya_tasks_dump(const hoya_loop *loop, const hoya_printer *to)
{
    hoya_list *all = &hoya_tasks_of(loop)->all;
    size_t count = 0;
    for (hoya_list *node = all->next; node != all; node = node->next) count++;
    hoya_print(to, "  tasks: %zu", count);
    for (hoya_list *node = all->next; node != all; node = node->next) dump_task(hoya_task_of_node(node), to);
}

void hoya_tasks_tell_left(hoya_loop *loop)
{
    hoya_list *all = &hoya_tasks_of(loop)->all;
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    char text[HOYA_DESCRIPTION_SIZE];
    int told = 0;
    for (hoya_list *node = all->next; node != all && told < LEFT_LINES; node = node->next, told++) {
        const hoya_task *task = hoya_task_of_node(node);
        hoya_log(&sink, HOYA_LOG_WARNING, "left in a loop that is closed: the task %s, %s",
                 hoya_task_get_name(task), where(task, text, sizeof text));
    }
}

bool hoya_tasks_tell_stuck(hoya_loop *loop)
{
    hoya_list *all = &hoya_tasks_of(loop)->all;
    if (hoya_list_is_empty(all)) return false;
    hoya_log_sink sink = hoya_loop_log_sink(loop);
    char text[HOYA_DESCRIPTION_SIZE], place[HOYA_DESCRIPTION_SIZE];
    int told = 0;
    hoya_log(&sink, HOYA_LOG_WARNING,
             "deadlock: all tasks wait, and the loop has nothing else to wait for; unless another thread posts:");
    for (hoya_list *node = all->next; node != all && told < LEFT_LINES; node = node->next, told++) {
        const hoya_task *task = hoya_task_of_node(node);
        hoya_log(&sink, HOYA_LOG_WARNING, "deadlock: %s %s, %s", hoya_task_get_name(task),
                 state(task, text, sizeof text), where(task, place, sizeof place));
    }
    return true;
}
