/* SPDX-License-Identifier: MIT
 *
 * dialog.c: a task asks a question in a modal dialog, and waits for the answer, while ten other tasks work on. Sequential
 * code throughout: the dialog is a plain call, and runs the toolkit's main loop once more; the others are loops with a
 * sleep in them. All of it is one thread.
 *
 *     demo-dialog-gtk [PICTURE]      the picture is taken while the dialog is open
 */
#include <stdio.h>

#include "toolkit.h"

enum { WORKERS = 10, FULL = 100, ENOUGH = 20 };

typedef struct worker {
    int number;
    int steps; /* done so far */
} worker;

typedef struct demo {
    const char *picture; /* or NULL */
    worker workers[WORKERS];
    int saved;
} demo;

/* Works a little, and rests a little, for ever: until it is cancelled. */
static int work(hoya_task *self, void *arg)
{
    (void)self;
    worker *me = arg;
    for (;;) {
        int rc = hoya_sleep(HOYA_MSEC(8 + me->number));
        if (rc < 0) return rc;
        toolkit_show(me->number, ++me->steps % (FULL + 1));
    }
}

static int answer(hoya_task *self, void *arg)
{
    (void)self;
    demo *all = arg;
    int rc = hoya_sleep(HOYA_MSEC(250));
    if (rc >= 0 && all->picture) all->saved = toolkit_save_picture(all->picture);
    if (rc >= 0) rc = hoya_sleep(HOYA_MSEC(250));
    toolkit_press_yes(); /* or the dialog would wait for ever */
    return rc;
}

static int run_dialog(void *question)
{
    return toolkit_run_dialog(question);
}

static int ask(hoya_task *self, demo *all)
{
    int before[WORKERS], fewest = -1;
    for (int i = 0; i < WORKERS; i++) before[i] = all->workers[i].steps;

    int rc = hoya_create_task(hoya_task_get_loop(self), answer, all, NULL, NULL);
    if (rc < 0) return rc;
    int64_t start = hoya_loop_time(hoya_task_get_loop(self));
    int yes = hoya_call_on_thread_stack(run_dialog, "Shall the other tasks go on meanwhile?");
    int64_t took = hoya_loop_time(hoya_task_get_loop(self)) - start;

    printf("%s: the dialog was open for %d ms; steps of the other tasks meanwhile:", toolkit_name,
           (int)(took / 1000000));
    for (int i = 0; i < WORKERS; i++) {
        int steps = all->workers[i].steps - before[i];
        printf(" %d", steps);
        if (fewest < 0 || steps < fewest) fewest = steps;
    }
    printf("\n");
    return yes && fewest >= ENOUGH && all->saved == 0 ? 0 : HOYA_ESTATE;
}

static int program(hoya_task *self, void *arg)
{
    demo *all = arg;
    for (int i = 0; i < WORKERS; i++) {
        all->workers[i].number = i;
        int rc = hoya_create_task(hoya_task_get_loop(self), work, &all->workers[i], NULL, NULL);
        if (rc < 0) return rc;
    }
    int rc = hoya_sleep(HOYA_MSEC(200));
    return rc < 0 ? rc : ask(self, all); /* hoya_run ends the others */
}

int main(int argc, char **argv)
{
    demo all = {.picture = argc > 1 ? argv[1] : NULL};
    toolkit_open(argc, argv, WORKERS);
    hoya_set_event_loop_policy(toolkit_policy());
    int rc = hoya_run(program, &all, NULL);
    toolkit_close();
    if (rc < 0) fprintf(stderr, "demo-dialog: %s\n", hoya_strerror(rc));
    return rc < 0;
}
