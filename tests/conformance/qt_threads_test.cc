/* SPDX-License-Identifier: MIT
 *
 * conformance/qt_threads_test.cc: loops of QThreads and of threads that Qt did not begin: before these run,
 * while they do, and when they end.
 */
#if __has_include(<hoya/qt.h>)

#include "qt5.h"

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QThread>
#include <QtCore/QTimer>
#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <future>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace hoya_test
{

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

} // namespace hoya_test

#endif
