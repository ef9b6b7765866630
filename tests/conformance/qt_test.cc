/* SPDX-License-Identifier: MIT
 *
 * conformance/qt_test.cc: what only Qt has: a main thread without a main loop, QThreads, its quit, its priorities, its log;
 * with the GLib dispatcher and with Qt's own.
 */
#include "conformance.h"

#if __has_include(<hoya/qt.h>)

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>
#include <QtCore/QEventLoop>
#include <QtCore/QThread>
#include <QtCore/QTimer>
#include <array>
#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <future>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include <hoya/qt.h>

namespace hoya_test
{

/* No application but the test's own, and it begins when the test says so. */
class Qt5 : public ::testing::TestWithParam<const char *>
{
  protected:
    void SetUp() override
    {
        if (std::string(GetParam()) == "glib") unsetenv("QT_NO_GLIB");
        else setenv("QT_NO_GLIB", "1", 1);
        alarm(20);
    }
    void TearDown() override
    {
        if (loop) hoya_loop_unref(loop);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        app.reset();
        alarm(0);
    }

    void BeginApplication()
    {
        static int argc = 1;
        static char name[] = "hoya-tests", *argv[] = {name, nullptr};
        app = std::make_unique<QCoreApplication>(argc, argv);
    }
    void NewLoop(int priority = 0)
    {
        ASSERT_EQ(hoya_qt_loop_new(nullptr, priority, &loop), 0) << hoya_error_detail();
    }
    void CallSoon(Work work)
    {
        EXPECT_EQ(hoya_loop_call_soon_full(loop, Lambda::Run, new Work(std::move(work)), Lambda::Destroy, nullptr),
                  0);
    }
    void CallLater(int64_t delay, Work work)
    {
        auto arg = new Work(std::move(work));
        EXPECT_EQ(hoya_loop_call_later(loop, delay, Lambda::Run, arg, Lambda::Destroy, nullptr), 0);
    }
    std::string HostName() const { return hoya_loop_host_name(loop); }

    std::unique_ptr<QCoreApplication> app;
    hoya_loop *loop = nullptr;
};

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

/* ---- threads ---------------------------------------------------------------------------------------------- */

/* A loop that is its thread's ends in that thread, and before its dispatcher. */
struct EndingThread : QThread {
    void run() override
    {
        if (started_running) started_running();
        has_started.set_value();
        exec();
        if (at_end) at_end();
        ended.set_value();
    }
    void Join()
    {
        ended.get_future().wait(); /* no sanitizer sees how wait() orders the two */
        wait();
    }
    Work started_running, at_end;
    std::promise<void> has_started, ended;
};

bool Comes(std::promise<void> &promise)
{
    return promise.get_future().wait_for(std::chrono::seconds(5)) == std::future_status::ready;
}

// Holds: F15 F31
TEST_P(Qt5, AThreadThatQtDidNotBeginMayHaveALoop)
{
    BeginApplication();
    std::thread([&] {
        hoya_loop *own = nullptr;
        ASSERT_EQ(hoya_qt_loop_new(nullptr, 0, &own), 0);
        EXPECT_STREQ(hoya_loop_host_name(own), "qt");
        QTimer::singleShot(1, [own] { hoya_loop_stop(own); }); /* Qt's own timers run in there, too */
        EXPECT_EQ(hoya_loop_run_forever(own), 0);
        EXPECT_EQ(hoya_loop_close(own), 0);
        hoya_loop_unref(own);
    }).join();
}

// Holds: F15
TEST_P(Qt5, ALoopForAThreadThatHasNotBegunRunsInThatThread)
{
    BeginApplication();
    EndingThread thread;
    ASSERT_EQ(hoya_qt_loop_new(&thread, 0, &loop), 0) << hoya_error_detail();
    EXPECT_EQ(HostName(), "qt");
    std::atomic<QThread *> ran_in{nullptr}; /* how Qt orders threads, no sanitizer sees */
    hoya_loop *in_thread = loop;
    std::atomic<int> rounds{0};
    CallSoon([&] {
        ran_in = QThread::currentThread();
        rounds++;
    });
    CallLater(HOYA_MSEC(1), [&] {
        rounds++;
        thread.quit();
    });
    thread.at_end = [&] { EXPECT_EQ(hoya_loop_close(in_thread), 0); };
    thread.start();
    thread.Join();
    EXPECT_EQ(ran_in, &thread);
    EXPECT_EQ(rounds, 2);
    EXPECT_EQ(hoya_loop_is_closed(loop), 1);
}

// Holds: F15 F16
TEST_P(Qt5, ALoopForAThreadThatBeganBeforeTheApplicationRunsWithIt)
{
    EndingThread thread;
    ASSERT_EQ(hoya_qt_loop_new(&thread, 0, &loop), 0) << hoya_error_detail();
    std::promise<void> ran;
    CallSoon([&] { CallSoon([&] { ran.set_value(); }); });
    thread.at_end = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
    thread.started_running = [] { QCoreApplication::processEvents(); }; /* drops what is posted */
    thread.start();
    thread.has_started.get_future().wait();
    BeginApplication();
    EXPECT_TRUE(Comes(ran));
    thread.quit();
    thread.Join();
}

/* A thread whose loop has begun, and which waits while an application ends or begins: one that delivers an event just
 * then would use what is being destroyed, inside Qt. */
struct PausingThread : EndingThread {
    void Begin()
    {
        started_running = [this] {
            QCoreApplication::processEvents();
            begun_.set_value();
            go_on_.get_future().wait();
            if (before_exec) before_exec();
        };
        start();
        begun_.get_future().wait();
    }
    void GoOn() { go_on_.set_value(); }
    Work before_exec;

  private:
    std::promise<void> begun_, go_on_;
};

// Holds: F15 F23
TEST_P(Qt5, ALoopOfAThreadGoesOnWithoutAnApplication)
{
    for (uint32_t flags : {0u, uint32_t(HOYA_LOOP_NO_TIMERFD | HOYA_LOOP_PER_FD)}) {
        BeginApplication();
        PausingThread thread;
        hoya_loop_options options = {};
        options.size = sizeof options;
        options.flags = flags;
        ASSERT_EQ(hoya_qt_host_new(&thread, 0, &options.host), 0);
        ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
        std::promise<void> posted, later;
        thread.at_end = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
        thread.Begin();
        app.reset();
        thread.GoOn();
        Work in_thread = [&] {
            CallSoon([&] {
                posted.set_value();
                CallLater(HOYA_MSEC(2), [&] { later.set_value(); });
            });
        };
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Lambda::Run, &in_thread, nullptr, nullptr), 0);
        EXPECT_TRUE(Comes(posted));
        EXPECT_TRUE(Comes(later));
        thread.quit();
        thread.Join();
        hoya_loop_unref(loop);
        loop = nullptr;
    }
}

// Holds: F4 F15
TEST_P(Qt5, ALoopOfAThreadHasTheTurnThatWasLostBetweenTwoApplications)
{
    BeginApplication();
    PausingThread thread;
    ASSERT_EQ(hoya_qt_loop_new(&thread, 0, &loop), 0);
    std::promise<void> lost, next, ran;
    thread.before_exec = [&] {
        CallSoon([&] { ran.set_value(); });
        QCoreApplication::removePostedEvents(nullptr);
        lost.set_value();
        next.get_future().wait();
    };
    thread.at_end = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
    thread.Begin();
    app.reset();
    thread.GoOn();
    lost.get_future().wait();
    BeginApplication();
    next.set_value();
    EXPECT_TRUE(Comes(ran));
    thread.quit();
    thread.Join();
}

// Holds: F15 S162
TEST_P(Qt5, TheLoopThatAThreadHasByThePolicyIsClosedWithTheThread)
{
    BeginApplication();
    EXPECT_EQ(hoya_set_event_loop_policy(hoya_qt_policy()), 0);
    static std::atomic<int> destroyed;
    destroyed = 0;
    pid_t id = 0;
    EndingThread thread;
    thread.started_running = [&] {
        id = gettid();
        hoya_loop *own = nullptr;
        ASSERT_EQ(hoya_new_event_loop(&own), 0);
        EXPECT_EQ(hoya_set_event_loop(own), 0);
        hoya_loop_unref(own); /* the policy has it */
        EXPECT_STREQ(hoya_loop_host_name(own), "qt");
        EXPECT_EQ(hoya_loop_run_once(own, HOYA_NOW), 0);
        auto gone = [](void *) { destroyed++; };
        EXPECT_EQ(hoya_loop_call_later(own, HOYA_SEC(60), Probe::Run, nullptr, gone, nullptr), 0);
    };
    thread.start();
    thread.quit();
    thread.Join();
    while (syscall(SYS_tgkill, getpid(), id, 0) == 0) std::this_thread::yield(); /* QThread::wait comes earlier */
    EXPECT_EQ(hoya_set_event_loop_policy(nullptr), 0);
    EXPECT_EQ(destroyed, 1);
}

// Holds: F15
TEST_P(Qt5, AnObjectStandsForItsThread)
{
    BeginApplication();
    EndingThread thread;
    auto context = new QObject;
    context->moveToThread(&thread);
    ASSERT_EQ(hoya_qt_loop_new(context, 0, &loop), 0);
    std::atomic<QThread *> ran_in{nullptr}; /* how Qt orders threads, no sanitizer sees */
    CallSoon([&] {
        ran_in = QThread::currentThread();
        thread.quit();
    });
    thread.at_end = [&] {
        EXPECT_EQ(hoya_loop_close(loop), 0);
        delete context;
    };
    thread.start();
    thread.Join();
    EXPECT_EQ(ran_in, &thread);
}

// Holds: F15 F21
TEST_P(Qt5, ALoopForAThreadThatRunsAlreadyIsMadeInThatThread)
{
    BeginApplication();
    QThread thread;
    thread.start();
    EXPECT_EQ(hoya_qt_loop_new(&thread, 0, &loop), HOYA_ETHREAD);
    EXPECT_EQ(loop, nullptr);
    thread.quit();
    thread.wait();
}

// Holds: F22
TEST_P(Qt5, ALoopForAThreadThatNeverBeginsCanBeClosed)
{
    BeginApplication();
    QThread thread;
    ASSERT_EQ(hoya_qt_loop_new(&thread, 0, &loop), 0);
    Probe probe;
    EXPECT_EQ(hoya_loop_call_soon_full(loop, Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: F20
TEST_P(Qt5, WhatIsNoLongerWatchedWhenTheThreadBeginsIsForgotten)
{
    BeginApplication();
    EndingThread thread;
    hoya_loop_options options = {};
    options.size = sizeof options;
    options.flags = HOYA_LOOP_PER_FD;
    ASSERT_EQ(hoya_qt_host_new(&thread, 0, &options.host), 0);
    ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    auto nothing = [](hoya_fd, uint32_t, void *) {};
    EXPECT_EQ(hoya_loop_add_reader(loop, ends[0], nothing, nullptr, nullptr), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop, ends[0]), 1);
    CallLater(HOYA_MSEC(1), [&] { thread.quit(); });
    thread.at_end = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
    thread.start();
    thread.Join();
    close(ends[0]);
    close(ends[1]);
}

// Holds: F21
TEST_P(Qt5, AContextWithoutAThreadIsRefused)
{
    BeginApplication();
    QObject nowhere;
    nowhere.moveToThread(nullptr);
    EXPECT_EQ(hoya_qt_loop_new(&nowhere, 0, &loop), HOYA_EINVAL);
}

// Holds: F23
TEST_P(Qt5, WhenAQThreadEndsItsLoopIsNativeAndMayFinish)
{
    BeginApplication();
    struct Thread : QThread {
        void run() override
        {
            hoya_loop *own = nullptr;
            hoya_qt_loop_new(nullptr, 0, &own);
            /* After the adapter's, which it made when the loop came: by then it has let go. */
            connect(QAbstractEventDispatcher::instance(), &QObject::destroyed, [this, own] {
                bool native = std::string(hoya_loop_host_name(own)) == "native";
                hoya_loop_unref(own);
                ended_natively.set_value(native);
            });
            QTimer::singleShot(0, [this] { quit(); });
            exec();
        }
        std::promise<bool> ended_natively;
    } thread;
    thread.start();
    EXPECT_TRUE(thread.ended_natively.get_future().get());
    thread.wait();
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
