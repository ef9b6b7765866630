/* SPDX-License-Identifier: MIT
 *
 * term.h: the terminal client: a story (term.c), and two ways to show it: a screen of curses (screen.c), and plain
 * lines in and out (plain.c), for scripts and pipes.
 */
#ifndef DEMO_IRC_TERM_H
#define DEMO_IRC_TERM_H

#include "irc.h"
#include "parse.h"

struct term {
    hoya_loop *loop;
    irc *client;
    irc_settings settings;
    const struct display *display;
    const char *script; /* the name of a file, or NULL */
    hoya_event *over;   /* set when the program shall end */
    bool quitting;
    bool ready;          /* has been online, and in a channel if there is one to join */
    char page[IRC_NAME]; /* where text goes that is typed; "" is the server's page */
    char state[160];
    int64_t lag;
    int result; /* the program's */
};

struct display {
    int (*open)(struct term *term);
    void (*show)(struct term *term, const char *page, const char *line); /* page: NULL is the server's */
    void (*page)(struct term *term, const char *page, bool there);       /* a page comes, or goes */
    void (*update)(struct term *term); /* state, nick, lag or names have changed */
    void (*close)(struct term *term);  /* may wait */
};

extern const struct display screen_display, plain_display;

/* What somebody typed on the present page; the end of the input. */
void term_typed(struct term *term, const char *line);
void term_quit(struct term *term);

#endif
