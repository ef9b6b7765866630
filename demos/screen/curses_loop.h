/* SPDX-License-Identifier: MIT
 *
 * curses_loop.h: a screen of curses in a loop. Curses never waits here: standard input is watched by the loop, as any
 * descriptor, and SIGWINCH is a callback of the loop. What changes asks for the screen to be drawn, once, by a call_soon: a
 * flood of messages is one drawing a round.
 *
 * There is one of them. Thread: the loop's.
 */
#ifndef DEMO_SCREEN_CURSES_LOOP_H
#define DEMO_SCREEN_CURSES_LOOP_H

#include <curses.h>
#include <hoya/hoya.h>
#include <stdbool.h>

/* What the screen is for. */
typedef struct curses_face {
    void (*draw)(int rows, int columns); /* all of it: nothing is there */
    void (*read_keys)(void);             /* all that there are: getch does not wait */
    void (*hung_up)(void);               /* the terminal has gone */
} curses_face;

/* Takes the terminal, and asks to draw. After an error, too, curses_end is called. Errors: HOYA_ENOTSUP (curses does not know
 * this terminal). */
int curses_begin(hoya_loop *loop, const curses_face *face);
/* Soon; does nothing where there is no screen. */
void curses_ask_to_draw(void);
/* Gives the terminal back. */
void curses_end(void);

#endif
