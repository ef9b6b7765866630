/* SPDX-License-Identifier: MIT
 *
 * qt.h: what the windows with Qt 5 have in common. Of hoya there is nothing in here.
 */
#ifndef DEMO_WINDOW_QT_H
#define DEMO_WINDOW_QT_H

#include <QtWidgets/QWidget>

#include "window/window.h"

/* Of the screen, as far as the window goes, and so with a dialog before it; as PNG. 0, or -1. */
int window_save_picture(const QWidget *window, const char *path);

/* Where to click, from the widget's upper left corner: for the log. */
void window_log_place(const QString &name, const QWidget *widget, const QPoint &at);

#endif
