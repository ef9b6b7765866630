/* SPDX-License-Identifier: MIT
 *
 * host_qt.cc: Qt 5. The loop is one QSocketNotifier of the thread's event dispatcher; hoya_loop_run_forever runs a
 * QEventLoop, and whatever else lives in that thread lives on: windows, sockets, or here a QTimer.
 */
#include <QtCore/QCoreApplication>
#include <QtCore/QTimer>

#include <hoya/qt.h>

extern "C" {
#include "hosts.h"
}

static QTimer *timer;

/* Main's business in a real program: an application is there before a policy is named. */
static hoya_policy *policy()
{
    static int argc = 1;
    static char name[] = "demo", *argv[] = {name, nullptr};
    if (!QCoreApplication::instance()) new QCoreApplication(argc, argv); /* QCoreApplication::instance() keeps it */
    return hoya_qt_policy();
}

static void start_timer(int milliseconds, void (*tick)())
{
    timer = new QTimer;
    timer->setTimerType(Qt::PreciseTimer);
    QObject::connect(timer, &QTimer::timeout, tick);
    timer->start(milliseconds);
}

static void stop_timer()
{
    delete timer;
}

extern "C" const demo_host demo_host_qt = {"qt", policy, start_timer, stop_timer};
