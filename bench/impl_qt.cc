/* SPDX-License-Identifier: MIT
 *
 * impl_qt.cc: Qt without hoya: what it does by its own means with the workloads in which it is hoya's host.
 */
#include <QtCore/QCoreApplication>
#include <QtCore/QSocketNotifier>
#include <unistd.h>

#include "bench.h"

namespace
{

int argc = 1;
char name[] = "bench", *argv[] = {name, nullptr};
QObject *object; /* in the thread that sleeps */

void echo(const int *fds, int n)
{
    QCoreApplication application(argc, argv);
    int left = n;
    for (int i = 0; i < n; i++) {
        auto notifier = new QSocketNotifier(fds[i], QSocketNotifier::Read, &application);
        QObject::connect(notifier, &QSocketNotifier::activated, notifier, [&left, notifier, fd = fds[i]] {
            if (bench_echo_once(fd)) return;
            notifier->setEnabled(false);
            close(fd);
            if (--left == 0) QCoreApplication::quit();
        });
    }
    bench_start_echo();
    QCoreApplication::exec();
}

void woken()
{
    if (!bench_woken()) QCoreApplication::quit();
}

void wake()
{
    QMetaObject::invokeMethod(object, woken, Qt::QueuedConnection);
}

void sleeper()
{
    QCoreApplication application(argc, argv);
    object = &application;
    pthread_t waker = bench_start_waking();
    QCoreApplication::exec();
    pthread_join(waker, nullptr);
}

} // namespace

const bench_impl bench_implementation = {"qt",    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                                         nullptr, nullptr, echo,    nullptr, nullptr, sleeper, wake};
