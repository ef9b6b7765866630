/* SPDX-License-Identifier: MIT
 *
 * qt.cc: what the windows with Qt 5 have in common (qt.h).
 */
#include "window/qt.h"

#include <QtGui/QScreen>
#include <QtWidgets/QApplication>

int window_save_picture(const QWidget *window, const char *path)
{
    QRect frame = window->frameGeometry();
    QPixmap picture =
        QApplication::primaryScreen()->grabWindow(0, frame.x(), frame.y(), frame.width(), frame.height());
    return picture.save(path, "PNG") ? 0 : -1;
}

void window_log_place(const QString &name, const QWidget *widget, const QPoint &at)
{
    QPoint place = widget->mapToGlobal(at);
    QString text = QString("%1 %2").arg(place.x()).arg(place.y());
    window_log("place", name.toUtf8().constData(), text.toUtf8().constData());
}
