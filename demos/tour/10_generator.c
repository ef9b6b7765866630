/* SPDX-License-Identifier: MIT
 *
 * tour 10: a coroutine as a generator.
 *
 * A coroutine is a function that can stop in its middle, hand a value out, and go on later where it was, with all its
 * local variables: it has a stack of its own. There is no loop here, and no waiting: send goes in, yield comes out.
 */
#include <hoya/hoya.h>
#include <stdio.h>

#include "tour.h"

/* Hands out a countdown. What is sent in, if anything, is where it goes on from. */
static void *countdown(void *arg)
{
    int *from = arg;
    for (int left = *from; left > 0; left--) {
        void *sent;
        if (hoya_yield(&left, &sent) < 0) break; /* somebody closes us: clean up, and return */
        if (sent) left = *(int *)sent + 1;
    }
    printf("  (the countdown's own last words)\n");
    return "lift-off";
}

int main(void)
{
    int three = 3, ten = 10;
    hoya_coroutine *co;
    void *value;

    must(hoya_coroutine_new(countdown, &three, NULL, &co));
    printf("nothing has run yet\n");
    while (must(hoya_coroutine_send(co, NULL, &value)) == 1) printf("%d\n", *(int *)value); /* 1: it has yielded */
    printf("%s\n", (const char *)value);                                                    /* 0: it has returned */
    hoya_coroutine_free(co);

    /* The same, but a value goes in. */
    must(hoya_coroutine_new(countdown, &three, NULL, &co));
    must(hoya_coroutine_send(co, NULL, &value)); /* up to the first yield: nobody waits for a value before that */
    printf("%d\n", *(int *)value);
    must(hoya_coroutine_send(co, &ten, &value));
    printf("%d\n", *(int *)value);
    hoya_coroutine_free(co); /* in its middle: it is asked to end, and does */
    return 0;
}
