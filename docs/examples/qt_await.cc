/* SPDX-License-Identifier: MIT
 *
 * qt_await.cc: a task in a Qt program: it waits for signals of a timer, and for what another thread computes. No
 * moc, no slots, no state between them.
 */
#include <QtCore/QCoreApplication>
#include <QtCore/QFutureInterface>
#include <QtCore/QTimer>
#include <cstdio>
#include <hoya/hoya.h>
#include <hoya/qt.hpp>
#include <hoya/qt_await.hpp>
#include <string>
#include <thread>

/* As QtConcurrent::run does it. */
static QFuture<int> count_letters(std::string word)
{
    QFutureInterface<int> work;
    work.reportStarted();
    std::thread([work, word]() mutable {
        work.reportResult(int(word.size()));
        work.reportFinished();
    }).detach();
    return work.future();
}

static int program(hoya_task *, void *)
{
    QTimer timer;
    int letters = 0, rc = 0;
    timer.start(1);
    for (int i = 0; i < 3 && rc >= 0; i++) rc = hoya::qt::await_signal(&timer, &QTimer::timeout);
    if (rc >= 0) rc = hoya::qt::await_future(count_letters("hello"), &letters);
    if (rc >= 0) printf("hello has %d letters\n", letters);
    QCoreApplication::quit();
    return rc;
}

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QObject window;
    hoya::qt::Loop loop;
    hoya_task *task = nullptr;
    if (!loop || hoya_create_task(loop.get(), program, nullptr, nullptr, &task) < 0 ||
        hoya::qt::bind(&window, hoya_task_future(task)) < 0) /* it would end with its window */
        return fprintf(stderr, "%s\n", hoya_error_detail()), 1;
    int rc = app.exec();
    hoya_task_unref(task);
    return rc;
}
