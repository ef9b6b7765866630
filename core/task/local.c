/* SPDX-License-Identifier: MIT
 *
 * task/local.c: the values that a task has by key, and hands on to the tasks that it makes.
 *
 * A task's values are an array of pairs, which a child shares until one of the two sets something: then that one gets an
 * array of its own. A value stands in a cell, which all arrays share that have it; the last one to go destroys it. All of
 * one loop, so counts need no atomics.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "loop/handle.h"
#include "task/task.h"

typedef struct cell {
    uint32_t refs;
    void *value;
    hoya_destroy destroy;
} cell;

typedef struct pair {
    const void *key;
    cell *cell;
} pair;

struct hoya_locals {
    uint32_t refs;
    uint32_t count;
    pair pairs[];
};

static void unref_cell(cell *c)
{
    if (--c->refs) return;
    hoya_destroy_arg(c->destroy, c->value);
    hoya_free(c);
}

hoya_locals *hoya_locals_share(hoya_locals *locals)
{
    if (locals) locals->refs++;
    return locals;
}

void hoya_locals_unref(hoya_locals *locals)
{
    if (!locals || --locals->refs) return;
    for (uint32_t i = 0; i < locals->count; i++) unref_cell(locals->pairs[i].cell);
    hoya_free(locals);
}

static pair *find(hoya_locals *locals, const void *key)
{
    for (uint32_t i = 0; locals && i < locals->count; i++)
        if (locals->pairs[i].key == key) return &locals->pairs[i];
    return NULL;
}

/* What the task has, in an array of its own with a place for the key. */
static pair *make_own(hoya_task *task, const void *key)
{
    hoya_locals *old = task->body->locals;
    pair *found = find(old, key);
    if (found && old->refs == 1) return found;
    uint32_t count = old ? old->count : 0;
    hoya_locals *own = hoya_new_zeroed(sizeof *own + (count + !found) * sizeof *own->pairs);
    if (!own) return NULL;
    own->refs = 1;
    own->count = count + !found;
    for (uint32_t i = 0; i < count; i++) {
        own->pairs[i] = old->pairs[i];
        own->pairs[i].cell->refs++;
    }
    task->body->locals = own;
    hoya_locals_unref(old); /* destroys nothing: all its cells are here, too */
    return found ? find(own, key) : &own->pairs[count];
}

int hoya_task_set_local(const void *key, void *value, hoya_destroy destroy)
{
    hoya_task *task = hoya_current_task();
    int rc = key ? 0 : hoya_error_set(HOYA_EINVAL, "a task-local value without a key");
    if (rc >= 0 && !task) rc = hoya_error_set(HOYA_ESTATE, "this is no task: it has no values");
    cell *fresh = rc < 0 ? NULL : hoya_new(cell);
    pair *place = fresh ? make_own(task, key) : NULL;
    if (!place) {
        hoya_free(fresh);
        hoya_destroy_arg(destroy, value);
        return rc < 0 ? rc : HOYA_ENOMEM;
    }
    *fresh = (cell){1, value, destroy};
    cell *old = place->cell;
    *place = (pair){key, fresh};
    if (old) unref_cell(old); /* last: it may come back here */
    return 0;
}

void *hoya_task_get_local(const void *key)
{
    const hoya_task *task = hoya_current_task();
    const pair *found = task ? find(task->body->locals, key) : NULL;
    return found ? found->cell->value : NULL;
}
