/* SPDX-License-Identifier: MIT
 *
 * window.h: what a window shows, for whoever cannot see it, as the tests: a log of it, and the names of its pictures. gtk.h
 * and qt.h have what a toolkit is needed for.
 */
#ifndef DEMO_WINDOW_H
#define DEMO_WINDOW_H

#include <hoya/hoya.h>
#include <stdbool.h>
#include <stdio.h>

HOYA_BEGIN_DECLS

extern FILE *window_log_file; /* or NULL */

/* What --log names. False: it cannot be written, or there is one already. */
bool window_log_open(const char *path);
void window_log_close(void);
/* A line: what the window shows from now on. which and text may be NULL. */
void window_log(const char *what, const char *which, const char *text);

/* For the log: sockets and the like that are open, so that it can be seen that nothing is left. Files are not counted: a
 * toolkit keeps its icons open. 0 without a log. */
int window_descriptors(void);
void window_log_descriptors(int before); /* "12 before, 12 after" */

enum { WINDOW_PATH = 4096 };
/* "irc-chat.png" of "irc.png" and "chat" */
void window_picture_path(const char *all, const char *what, char path[WINDOW_PATH]);

HOYA_END_DECLS

#endif
