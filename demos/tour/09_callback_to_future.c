/* SPDX-License-Identifier: MIT
 *
 * tour 9: a callback interface turned into a future.
 *
 * The world is full of libraries that take a function and call it "when it is done". A few lines make a future of that:
 * make one, hand it over as the callback's argument, and fill it there, with the value or with the error. From then on it
 * can be awaited, gathered, given a timeout, like every other.
 */
#include <hoya/hoya.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tour.h"

/* ---- somebody else's library: it looks names up, and calls back ---------------------------------------------------- */

typedef void (*lookup_done)(int error, const char *answer, void *arg);

typedef struct lookup {
    const char *name;
    lookup_done done;
    void *arg;
} lookup;

static void answer(void *arg)
{
    lookup *l = arg;
    if (strcmp(l->name, "hoya") == 0) l->done(0, "a climbing flower", l->arg);
    else l->done(HOYA_ENOENT, NULL, l->arg);
}

static void look_up(hoya_loop *loop, const char *name, lookup_done done, void *arg)
{
    lookup *l = malloc(sizeof *l);
    if (!l) exit(1);
    *l = (lookup){name, done, arg};
    must(hoya_loop_call_later(loop, HOYA_MSEC(1), answer, l, free, NULL));
}

/* ---- the turn of it ------------------------------------------------------------------------------------------------ */

static void fill(int error, const char *text, void *arg)
{
    hoya_future *future = arg;
    /* Whoever waits may have lost patience: a future that is done takes no second outcome. */
    if (hoya_future_done(future)) printf("an answer that nobody waits for any more\n");
    else if (error) must(hoya_future_set_exception(future, error, "no such word"));
    else must(hoya_future_set_result(future, strdup(text), free)); /* the library's text is gone after this */
    hoya_future_unref(future);                                     /* the callback's reference */
}

static hoya_future *look_up_future(hoya_loop *loop, const char *name)
{
    hoya_future *future;
    must(hoya_future_new(loop, &future));
    look_up(loop, name, fill, hoya_future_ref(future));
    return future;
}

/* ---- which a task can wait for --------------------------------------------------------------------------------------- */

static void ask(hoya_task *self, const char *name)
{
    hoya_future *future = look_up_future(hoya_task_get_loop(self), name);
    void *value;
    int rc = hoya_await(future, &value);
    if (rc < 0) printf("%s: %s, %s\n", name, hoya_error_name(rc), hoya_error_detail());
    else printf("%s: %s\n", name, (const char *)value);
    hoya_future_unref(future);
}

static int program(hoya_task *self, void *arg)
{
    (void)arg;
    ask(self, "hoya");
    ask(self, "hyoa");

    hoya_future *future = look_up_future(hoya_task_get_loop(self), "hoya");
    hoya_future_cancel(future, NULL);
    printf("a cancel: %s\n", hoya_error_name(hoya_await(future, NULL)));
    hoya_future_unref(future);
    return hoya_sleep(HOYA_MSEC(10));
}

int main(void)
{
    return must(hoya_run(program, NULL, NULL));
}
