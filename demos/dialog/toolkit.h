/* SPDX-License-Identifier: MIT
 *
 * toolkit.h: what the demo wants of a toolkit: a window with bars, a modal dialog, and a picture of both. One file a
 * toolkit (gtk.c, qt.cc); CMake makes a program of each. Nothing here is hoya's but the policy.
 */
#ifndef DEMO_DIALOG_TOOLKIT_H
#define DEMO_DIALOG_TOOLKIT_H

#include <hoya/hoya.h>

HOYA_BEGIN_DECLS

extern const char toolkit_name[];

hoya_policy *toolkit_policy(void);

/* Opens the window. Exits with a sentence when there is no display. */
void toolkit_open(int argc, char **argv, int bars);
void toolkit_close(void);

void toolkit_show(int bar, int percent);

/* Opens the dialog, modal, and returns when it is closed, with 1 for yes: here the toolkit's main loop runs once more. */
int toolkit_run_dialog(const char *question);
void toolkit_press_yes(void);

/* A picture of the screen, as far as the window goes, and so with the dialog; as PNG. 0, or -1. */
int toolkit_save_picture(const char *path);

HOYA_END_DECLS

#endif
