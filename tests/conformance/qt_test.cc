/* SPDX-License-Identifier: MIT
 *
 * conformance/qt_test.cc: what only Qt has: a main thread without a main loop, its quit, its priorities, its log.
 */
#if __has_include(<hoya/qt.h>)

#include "qt5.h"

#include <QtCore/QEventLoop>
#include <QtCore/QTimer>
#include <array>
#include <atomic>
#include <fcntl.h>
#include <future>
#include <thread>
#include <unistd.h>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Dispatchers, Qt5, ::testing::Values("glib", "own"),
                         [](const auto &of) { return std::string(of.param); });

/* ---- before the application ------------------------------------------------------------------------------- */

// Holds: F16
TEST_P(Qt5, WhatIsQueuedBeforeTheApplicationRunsInIt)
{
    NewLoop();
    EXPECT_EQ(HostName(), "native");
    Trace trace;
    CallSoon([&] { trace.push_back("soon in " + HostName()); });
    CallLater(HOYA_MSEC(2), [&] {
        trace.push_back("later");
        app->quit();
    });
    BeginApplication();
    app->exec(); /* without another word to the loop */
    EXPECT_EQ(trace, (Trace{"soon in qt", "later"}));
}

// Holds: F16
TEST_P(Qt5, TheFirstCallAfterTheApplicationBeganMakesTheLoopAGuest)
{
    NewLoop();
    BeginApplication();
    EXPECT_EQ(HostName(), "native");
    CallSoon([&] { app->quit(); });
    EXPECT_EQ(HostName(), "qt");
    app->exec();
}

// Holds: F16
TEST_P(Qt5, ALoopCanRunAndEndBeforeThereIsAnApplication)
{
    NewLoop();
    int ran = 0;
    CallSoon([&] {
        ran++;
        hoya_loop_stop(loop);
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    BeginApplication();
    QCoreApplication::processEvents(); /* nothing of it is left there */
}

// Holds: F16
TEST_P(Qt5, ALoopOfAnotherThreadDoesNotMakeThatQtsMainThread)
{
    std::thread([] {
        hoya_loop *native = nullptr;
        ASSERT_EQ(hoya_qt_loop_new(nullptr, 0, &native), 0);
        EXPECT_STREQ(hoya_loop_host_name(native), "native") << "there is nothing of Qt's yet";
        hoya_loop_unref(native);
    }).join();
    static std::atomic<int> warnings;
    warnings = 0;
    qInstallMessageHandler([](QtMsgType, const QMessageLogContext &, const QString &) { warnings++; });
    BeginApplication(); /* which warns if it is not in Qt's main thread */
    qInstallMessageHandler(nullptr);
    EXPECT_EQ(warnings, 0);
}

// Holds: F16 F15
TEST_P(Qt5, ALoopMadeBeforeTheApplicationAndRunInAnotherThreadStaysNative)
{
    NewLoop();
    auto stop = [](void *arg) { hoya_loop_stop(static_cast<hoya_loop *>(arg)); };
    EXPECT_EQ(hoya_loop_call_soon(loop, stop, loop), 0);
    std::promise<void> ran, begun;
    std::thread runner([&] {
        EXPECT_EQ(hoya_loop_run_forever(loop), 0); /* now it is this thread's */
        ran.set_value();
        begun.get_future().wait();
        EXPECT_EQ(hoya_loop_call_soon(loop, stop, loop), 0);
        EXPECT_EQ(HostName(), "native");
        EXPECT_EQ(hoya_loop_run_forever(loop), 0);
        EXPECT_EQ(hoya_loop_close(loop), 0);
    });
    ran.get_future().wait();
    BeginApplication();
    QCoreApplication::processEvents();
    begun.set_value();
    runner.join();
}

// Holds: F16
TEST_P(Qt5, AContextOfTheMainThreadIsTheMainThread)
{
    auto context = std::make_unique<QObject>();
    ASSERT_EQ(hoya_qt_loop_new(context.get(), 0, &loop), 0);
    EXPECT_EQ(HostName(), "native");
    context.reset(); /* it was asked for its thread, and is not asked again */
    CallLater(HOYA_MSEC(1), [&] { app->quit(); });
    BeginApplication();
    app->exec();
    EXPECT_EQ(HostName(), "qt");
}

// Holds: F16
TEST_P(Qt5, AnApplicationThatEndsBeforeItRanLeavesTheLoopToTheNextOne)
{
    NewLoop();
    bool ran = false;
    CallSoon([&] {
        ran = true;
        app->quit();
    });
    BeginApplication();
    app.reset();
    BeginApplication();
    QTimer::singleShot(2000, app.get(), [&] { app->quit(); });
    app->exec();
    EXPECT_TRUE(ran);
}

/* ---- the application's own loop --------------------------------------------------------------------------- */

// Holds: F3
TEST_P(Qt5, TheApplicationsQuitEndsARunAndSaysSo)
{
    BeginApplication();
    NewLoop();
    int ran = 0;
    CallSoon([&] { QTimer::singleShot(0, app.get(), [&] { app->quit(); }); });
    QTimer::singleShot(0, app.get(), [&] {
        EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ECANCELED);
        CallSoon([&] { ran++; });
    });
    app->exec();
    CallSoon([&] { hoya_loop_stop(loop); });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0) << "the loop itself is as it was";
    EXPECT_EQ(ran, 1);
}

/* Where a callback turns the main loop after a quit Qt forgets not to wait once more before the end. */
// Holds: F3
TEST_P(Qt5, TheApplicationsQuitEndsARunWhereTheCallbackTurnsTheMainLoopAfterIt)
{
    BeginApplication();
    NewLoop();
    std::array<int, 2> pipe;
    ASSERT_EQ(pipe2(pipe.data(), O_NONBLOCK | O_CLOEXEC), 0);
    ASSERT_EQ(write(pipe[1], "", 1), 1);
    Work reads = [&] {
        hoya_loop_remove_reader(loop, pipe[0]);
        app->quit();
        for (int i = 0; i < 3; i++) QCoreApplication::processEvents();
    };
    auto arg = new Work(reads);
    auto run = [](hoya_fd, uint32_t, void *work) { Lambda::Run(work); };
    EXPECT_EQ(hoya_loop_add_reader(loop, pipe[0], run, arg, Lambda::Destroy), 0);
    CallSoon([] {}); /* so the round is the kick's, and the wait of that turn is still to come */
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ECANCELED);
    close(pipe[0]);
    close(pipe[1]);
}

// Holds: F3 F23
TEST_P(Qt5, AfterTheApplicationsQuitALoopCanStillBeRunToFinish)
{
    BeginApplication();
    NewLoop();
    bool finished = false;
    CallSoon([&] { app->quit(); });
    EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ECANCELED);
    CallLater(HOYA_MSEC(1), [&] {
        finished = true;
        hoya_loop_stop(loop);
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_TRUE(finished);
}

// Holds: F3 F5
TEST_P(Qt5, WhoTurnsTheMainLoopInACallbackFindsItAliveAfterStop)
{
    BeginApplication();
    NewLoop();
    bool done = false;
    CallSoon([&] {
        CallLater(HOYA_MSEC(2), [&] { done = true; });
        hoya_loop_stop(loop);
        QTimer guard;
        guard.start(1);
        while (!done) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_TRUE(done);
}

// Holds: F22 F23
TEST_P(Qt5, AnApplicationMayEndAfterALoopWasDetachedInACallback)
{
    BeginApplication();
    NewLoop();
    CallSoon([&] {
        EXPECT_EQ(hoya_loop_detach(loop), 0);
        hoya_loop_stop(loop);
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    app.reset(); /* what the adapter forgot there is told of no end */
    EXPECT_EQ(HostName(), "native");
}

// Holds: F4
TEST_P(Qt5, AnApplicationThatTakesItsOwnEventsLeavesTheLoopsAlone)
{
    struct Filter : QObject {
        bool eventFilter(QObject *, QEvent *event) override
        {
            return event->type() >= QEvent::User && event->type() < QEvent::User + 100;
        }
    } filter;
    BeginApplication();
    app->installEventFilter(&filter);
    NewLoop();
    CallSoon([&] { app->quit(); });
    app->exec();
}

// Holds: F4
TEST_P(Qt5, AnApplicationThatRemovesPostedEventsDoesNotTakeTheLoopsTurn)
{
    BeginApplication();
    NewLoop();
    int runs = 0;
    CallSoon([&] { runs++; });
    QCoreApplication::removePostedEvents(nullptr);
    CallLater(HOYA_MSEC(2), [&] {
        runs++;
        app->quit();
    });
    QTimer::singleShot(2000, app.get(), [&] { app->quit(); });
    app->exec();
    EXPECT_EQ(runs, 2);
}

// Holds: F4
TEST_P(Qt5, AFilterThatTakesAllEventsForAWhileDoesNotTakeTheLoopsTurn)
{
    struct Filter : QObject {
        bool eventFilter(QObject *, QEvent *) override { return taken++ < 10; }
        int taken = 0;
    } filter;
    BeginApplication();
    NewLoop();
    bool ran = false;
    CallSoon([&] {
        ran = true;
        app->quit();
    });
    app->installEventFilter(&filter);
    QTimer::singleShot(2000, app.get(), [&] { app->quit(); });
    app->exec();
    EXPECT_TRUE(ran);
    EXPECT_GE(filter.taken, 10);
}

// Holds: F24
TEST_P(Qt5, AnApplicationThatRemovesPostedEventsEndsWithTheWorkOfALoopThatHolds)
{
    BeginApplication();
    hoya_loop_options options = {};
    options.size = sizeof options;
    ASSERT_EQ(hoya_qt_host_new(nullptr, HOYA_QT_HOLD, &options.host), 0);
    ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
    bool too_late = false;
    CallSoon([] {}); /* the only work; when it is done, the loop posts that it is */
    QTimer::singleShot(0, app.get(), [&] {
        CallLater(HOYA_MSEC(1), [] {});
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_SEC(1)), 1);
        QCoreApplication::removePostedEvents(nullptr);
    });
    QTimer::singleShot(2000, app.get(), [&] {
        too_late = true;
        app->quit();
    });
    app->exec();
    EXPECT_FALSE(too_late);
}

// Holds: F3
TEST_P(Qt5, StopEndsNoLoopOfTheApplications)
{
    BeginApplication();
    NewLoop();
    bool stopped = false, over = false;
    CallSoon([&] {
        hoya_loop_stop(loop);
        stopped = true;
    });
    QTimer::singleShot(20, app.get(), [&] {
        over = true;
        app->quit();
    });
    app->exec();
    EXPECT_TRUE(stopped && over);
}

// Holds: F2 F4
TEST_P(Qt5, ALoopThatExcludesNotifiersStillRunsWhatIsQueued)
{
    BeginApplication();
    NewLoop();
    bool ran = false;
    QTimer::singleShot(0, app.get(), [&] {
        CallSoon([&] { ran = true; });
        while (!ran)
            QCoreApplication::processEvents(QEventLoop::ExcludeSocketNotifiers | QEventLoop::X11ExcludeTimers);
        app->quit();
    });
    app->exec();
}

// Holds: F11 F12
TEST_P(Qt5, ABackgroundLoopComesAfterEventsOfNormalPriority)
{
    BeginApplication();
    NewLoop(Qt::LowEventPriority);
    Trace trace;
    auto post = [&](Work work) { QMetaObject::invokeMethod(app.get(), std::move(work), Qt::QueuedConnection); };
    post([&] {
        CallSoon([&] { trace.push_back("loop"); });
        post([&] { trace.push_back("application"); });
    });
    while (trace.size() < 2) QCoreApplication::processEvents();
    EXPECT_EQ(trace, (Trace{"application", "loop"}));
    CallLater(HOYA_MSEC(1), [&] { app->quit(); });
    app->exec();
}

// Holds: F24
TEST_P(Qt5, ALoopThatHoldsKeepsTheApplicationUntilItsWorkIsDone)
{
    BeginApplication();
    hoya_loop_options options = {};
    options.size = sizeof options;
    ASSERT_EQ(hoya_qt_host_new(nullptr, HOYA_QT_HOLD, &options.host), 0);
    ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
    bool done = false;
    QTimer::singleShot(0, app.get(), [&] {
        CallLater(HOYA_MSEC(5), [&] { done = true; });
        QEventLoopLocker window; /* goes at once: the last one, if the loop has none */
    });
    app->exec(); /* ends by the loop's locker alone */
    EXPECT_TRUE(done);
}

// Holds: F24
TEST_P(Qt5, WorkThatFollowsOnWorkHoldsTheApplicationToo)
{
    BeginApplication();
    hoya_loop_options options = {};
    options.size = sizeof options;
    ASSERT_EQ(hoya_qt_host_new(nullptr, HOYA_QT_HOLD, &options.host), 0);
    ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
    struct Wire {
        hoya_loop *loop;
        int ends[2];
        bool tried_again;

        static void Lost(hoya_fd fd, uint32_t, void *arg)
        {
            auto self = static_cast<Wire *>(arg);
            hoya_loop_remove_reader(self->loop, fd); /* nothing is left for a moment */
            hoya_loop_call_later(self->loop, HOYA_MSEC(2), TryAgain, self, nullptr, nullptr);
        }
        static void TryAgain(void *arg) { static_cast<Wire *>(arg)->tried_again = true; }
    } wire = {loop, {-1, -1}, false};
    ASSERT_EQ(pipe(wire.ends), 0);
    close(wire.ends[1]);
    QTimer::singleShot(0, app.get(), [&] { hoya_loop_add_reader(loop, wire.ends[0], Wire::Lost, &wire, nullptr); });
    app->exec();
    EXPECT_TRUE(wire.tried_again);
    close(wire.ends[0]);
}

// Holds: F21
TEST_P(Qt5, AFlagThatIsNotKnownIsRefused)
{
    hoya_host *host = nullptr;
    EXPECT_EQ(hoya_qt_host_new(nullptr, 1u << 7, &host), HOYA_EINVAL);
    EXPECT_EQ(host, nullptr);
}

// Holds: F17
TEST_P(Qt5, ThePolicyMakesLoopsInTheCallingThread)
{
    BeginApplication();
    EXPECT_EQ(hoya_set_event_loop_policy(hoya_qt_policy()), 0);
    EXPECT_EQ(hoya_new_event_loop(&loop), 0);
    EXPECT_EQ(hoya_set_event_loop_policy(nullptr), 0);
    EXPECT_EQ(HostName(), "qt") << "a loop keeps its host when the policy changes";
    CallSoon([&] { app->quit(); });
    app->exec();
}

// Holds: S156
TEST_P(Qt5, WithoutALogFunctionTheTextGoesToQtsLog)
{
    static std::string logged;
    logged.clear();
    BeginApplication();
    NewLoop();
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext &context, const QString &text) {
        logged +=
            std::string(context.category) + (type == QtCriticalMsg ? " critical: " : " ?: ") + text.toStdString();
    });
    hoya_exception_context context = {};
    context.size = sizeof context;
    context.message = "the pipe broke";
    context.fd = HOYA_INVALID_FD;
    hoya_loop_call_exception_handler(loop, &context);
    qInstallMessageHandler(nullptr);
    EXPECT_EQ(logged.find("hoya critical: "), 0u) << logged;
    EXPECT_NE(logged.find("the pipe broke"), std::string::npos) << logged;
}

} // namespace hoya_test

#endif
