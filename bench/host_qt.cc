/* SPDX-License-Identifier: MIT
 *
 * host_qt.cc: hoya in Qt's main loop: GLib's dispatcher where Qt was built with it, Qt's own if QT_NO_GLIB=1.
 */
#include <QtCore/QCoreApplication>
#include <hoya/qt.h>

#include "host.h"

int bench_host_open(hoya_loop **loop)
{
    static int argc = 1;
    static char name[] = "bench", *argv[] = {name, nullptr};
    static QCoreApplication application(argc, argv);
    return hoya_qt_loop_new(nullptr, 0, loop);
}

void bench_host_run()
{
    QCoreApplication::exec();
}

void bench_host_quit()
{
    QCoreApplication::quit();
}
