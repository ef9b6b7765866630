/* SPDX-License-Identifier: MIT
 *
 * gtk.h: what the windows with GTK 3 have in common. Of hoya there is nothing in here.
 */
#ifndef DEMO_WINDOW_GTK_H
#define DEMO_WINDOW_GTK_H

#include <gtk/gtk.h>

#include "window/window.h"

void window_use_style(const char *css);      /* for all widgets */
void window_close_by_key(GtkWidget *window); /* Ctrl-Q is as its close button */

/* Of the screen, as far as the window goes, and so with a dialog before it; as PNG. 0, or -1. */
int window_save_picture(GtkWidget *window, const char *path);

/* Where to click, in the middle of the widget: for the log. */
void window_log_place(const char *name, GtkWidget *widget);

#endif
