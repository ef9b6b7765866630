/* SPDX-License-Identifier: MIT
 *
 * term.h: the downloads in a terminal: a story (term.c), and two ways to show it: a screen of curses (screen.c),
 * and plain lines (plain.c), for pipes, which can also play a scene.
 */
#ifndef DEMO_FETCH_TERM_H
#define DEMO_FETCH_TERM_H

#include "crowd.h"
#include "fetch.h"

#include <stdbool.h>

enum { ROWS = 1000, NAME_WIDTH = 24 };

/* What is shown of an item, beside what the item knows itself: its user pointer. */
struct row {
    char why[256];
};

struct term {
    hoya_loop *loop;
    fetch *fetch;
    const struct display *display;
    const char *host, *port; /* host NULL: a server of our own */
    const char *names;       /* "a/5M,b/3M" */
    long limit, rate, crowd_wanted;
    fetch_crowd *crowd; /* or NULL */
    bool crowd_there;   /* all of it */
    hoya_event *over;   /* set when the program shall end */
    int result;         /* the program's */
    struct row rows[ROWS];
    size_t count;
};

struct display {
    int (*open)(struct term *term);
    void (*state)(struct term *term, fetch_item *item, fetch_state state);
    void (*update)(struct term *term); /* figures have changed, or the crowd */
    void (*finished)(struct term *term);
    void (*close)(struct term *term); /* may wait */
};

extern const struct display screen_display, plain_display, scene_display;

/* Results as fetch_add's. */
int term_add(struct term *term, const char *name, fetch_item **item);

/* "song.ogg" of "song.ogg/5M"; "12.3 MB"; "1.2 MB/s"; how much of it, 0 to 1. */
int term_name_length(const char *name);
enum { SIZE_TEXT = 32 };
const char *term_size(char text[SIZE_TEXT], int64_t bytes);
double term_part(const fetch_figures *figures);
const char *term_state(fetch_state state);

/* "5 done, 1 cancelled, 2 failed", in the order of the states; those that there are none of are left out. */
enum { SUM_TEXT = 160 };
void term_sum(const struct term *term, char text[SUM_TEXT]);

#endif
