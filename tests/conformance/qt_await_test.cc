/* SPDX-License-Identifier: MIT
 *
 * conformance/qt_await_test.cc: hoya/qt_await.hpp: signals and QFutures awaited, and tasks that end with a QObject,
 * with either of Qt's dispatchers. A QFutureInterface plays what computes.
 */
#if __has_include(<hoya/qt_await.hpp>)

#include <hoya/qt_await.hpp> /* first: it stands alone */

#include "await.h"

#include <QtCore/QCoreApplication>
#include <QtCore/QException>
#include <QtCore/QFutureInterface>
#include <QtCore/QStringListModel>
#include <QtCore/QTimer>
#include <stdexcept>
#include <thread>

namespace hoya_test
{
namespace
{

using hoya::qt::await_future;
using hoya::qt::await_signal;
using hoya::qt::signal_future;
using hoya::qt::wrap_future;

/* An object that tells how many listen to its name and its end. */
struct Sender : QObject {
    int Listeners() const
    {
        return receivers(SIGNAL(objectNameChanged(QString))) + receivers(SIGNAL(destroyed(QObject *)));
    }
};

struct OutOfTea : QException {
    const char *what() const noexcept override { return "out of tea"; }
    void raise() const override { throw *this; }
    OutOfTea *clone() const override { return new OutOfTea(*this); }
};

} // namespace

class QtAwaitConformance : public AwaitConformance
{
  protected:
    Future NameChange() const
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(signal_future<QString>(loop, sender.get(), &QObject::objectNameChanged, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }
    template <typename T> Future Wrap(const QFuture<T> &of) const
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(wrap_future(loop, of, &future), 0) << hoya_error_detail();
        return Future(future);
    }
    Task CreateListener()
    {
        return Create([this](hoya_task *) { return await_signal(sender.get(), &QObject::objectNameChanged); });
    }
    Task CreateSleeper()
    {
        return Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    }

    std::unique_ptr<Sender> sender = std::make_unique<Sender>();
};

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(QtAwaitConformance);
INSTANTIATE_TEST_SUITE_P(Hosts, QtAwaitConformance, ::testing::ValuesIn(VariantsOf("qt")),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- signals --------------------------------------------------------------------------------------------- */

TEST_P(QtAwaitConformance, ATaskWaitsForASignalAndGetsItsArguments)
{
    QString name = "none";
    Task task = Create([&](hoya_task *) { return await_signal(sender.get(), &QObject::objectNameChanged, &name); });
    RunRounds(3);
    sender->setObjectName("first");
    EXPECT_FALSE(Done(task)) << "never inside the emission";
    sender->setObjectName("second"); /* nobody's: the first one counts */
    EXPECT_EQ(RunUntilDone(task), 0);
    EXPECT_EQ(name, "first");
    RunRounds(2);
    EXPECT_EQ(sender->Listeners(), 0);
}

TEST_P(QtAwaitConformance, SeveralArgumentsOrFewerAsWithSlots)
{
    QStringListModel model;
    QModelIndex parent;
    int first = -1;
    long last = -1; /* converted */
    Task all = Create(
        [&](hoya_task *) { return await_signal(&model, &QStringListModel::rowsInserted, &parent, &first, &last); });
    Task none = Create([&](hoya_task *) { return await_signal(&model, &QStringListModel::rowsInserted); });
    RunRounds(3);
    model.insertRows(0, 3);
    EXPECT_EQ(RunUntilDone(all), 0);
    EXPECT_EQ(first, 0);
    EXPECT_EQ(last, 2);
    EXPECT_EQ(RunUntilDone(none), 0);
}

TEST_P(QtAwaitConformance, ATimerOfQtsIsAwaited)
{
    Task task = Create([](hoya_task *) {
        QTimer timer;
        timer.start(1);
        return await_signal(&timer, &QTimer::timeout);
    });
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(QtAwaitConformance, OthersGoOnWhileATaskWaitsForASignal)
{
    int ticks = 0;
    Task ticker = CreateTicker(&ticks), task = CreateListener();
    while (ticks < 3) RunFor(HOYA_MSEC(1));
    EXPECT_FALSE(Done(task));
    sender->setObjectName("first");
    EXPECT_EQ(RunUntilDone(task), 0);
    Cancel(ticker);
    RunUntilDone(ticker);
}

// Holds: F14
TEST_P(QtAwaitConformance, ASignalMayBeEmittedOnAnyThread)
{
    Task task = CreateListener();
    RunRounds(3);
    std::thread other([this] { sender->setObjectName("from elsewhere"); });
    EXPECT_EQ(RunUntilDone(task), 0);
    other.join();
}

TEST_P(QtAwaitConformance, TheFutureOfASignalHasATuple)
{
    Future future = NameChange();
    sender->setObjectName("first");
    EXPECT_EQ(RunUntilDone(future), 0);
    void *value = nullptr;
    ASSERT_EQ(hoya_future_result(future.get(), &value), 0);
    EXPECT_EQ(*static_cast<std::tuple<QString> *>(value), std::tuple<QString>("first"));
}

TEST_P(QtAwaitConformance, ACancelDisconnects)
{
    QString name = "none";
    Task task = Create([&](hoya_task *) { return await_signal(sender.get(), &QObject::objectNameChanged, &name); });
    Future future = NameChange();
    RunRounds(3);
    EXPECT_EQ(sender->Listeners(), 4);
    EXPECT_TRUE(Cancel(task));
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
    RunRounds(3);
    EXPECT_EQ(sender->Listeners(), 0);
    sender->setObjectName("late");
    EXPECT_EQ(name, "none") << "outputs are untouched on failure";
}

TEST_P(QtAwaitConformance, ASignalThatCameBeforeTheCancelIsDelivered)
{
    Future future = NameChange();
    Task task = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    WhenDone(future, [&] { EXPECT_TRUE(Cancel(task)); }); /* before the task's */
    RunRounds(3);
    sender->setObjectName("first");
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(QtAwaitConformance, ASenderThatGoesFirstIsAnError)
{
    Task task = CreateListener();
    RunRounds(3);
    sender.reset();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECLOSED);
}

TEST_P(QtAwaitConformance, TheEndOfASenderIsASignalLikeOthers)
{
    Task task = Create([this](hoya_task *) { return await_signal(sender.get(), &QObject::destroyed); });
    RunRounds(3);
    sender.reset();
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(QtAwaitConformance, ASenderThatGoesInItsSignalHasBeenHeard)
{
    Future future = NameChange();
    QObject::connect(sender.get(), &QObject::objectNameChanged, [this] { sender.release()->deleteLater(); });
    sender->setObjectName("first");
    EXPECT_EQ(RunUntilDone(future), 0);
}

TEST_P(QtAwaitConformance, TheEndOfTheLoopDisconnects)
{
    Task task = CreateListener();
    Future future = NameChange();
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(sender->Listeners(), 0);
    EXPECT_EQ(hoya_future_result(Of(task), nullptr), HOYA_ECANCELED);
    sender->setObjectName("late");
    EXPECT_FALSE(hoya_future_done(future.get()));
}

/* An argument that cannot be copied on its way. */
struct Brittle {
    Brittle() = default;
    explicit Brittle(int) {}
    Brittle(const QString &) {} /* what the signal has is converted */
    Brittle(const Brittle &) { throw std::runtime_error("it broke"); }
    Brittle &operator=(const Brittle &) = default;
};

TEST_P(QtAwaitConformance, AnArgumentThatCannotBeCopiedIsAnErrorAndNoException)
{
    Brittle value;
    Task task =
        Create([&](hoya_task *) { return await_signal(sender.get(), &QObject::objectNameChanged, &value); });
    RunRounds(3);
    EXPECT_NO_THROW(sender->setObjectName("first"));
    EXPECT_EQ(RunUntilDone(task), HOYA_ENOMEM);
}

TEST_P(QtAwaitConformance, WhatCannotBeAwaitedIsSaid)
{
    hoya_future *future = nullptr;
    QObject *nobody = nullptr;
    auto name_changed = &QObject::objectNameChanged;
    EXPECT_EQ(signal_future<>(loop, nobody, name_changed, &future), HOYA_EINVAL);
    EXPECT_EQ(await_signal(sender.get(), name_changed), HOYA_ESTATE);
    CallSoon([&] {
        EXPECT_EQ(await_signal(sender.get(), name_changed), HOYA_ESTATE) << "no task";
        Note("asked");
    });
    RunUntilNoted(1);
    RunRounds(3);
    EXPECT_EQ(sender->Listeners(), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(signal_future<>(loop, sender.get(), name_changed, &future), HOYA_ECLOSED);
    EXPECT_EQ(future, nullptr);
}

/* ---- QFuture --------------------------------------------------------------------------------------------- */

TEST_P(QtAwaitConformance, ATaskWaitsForAQFutureWhileOthersGoOn)
{
    QFutureInterface<int> work;
    work.reportStarted();
    int ticks = 0, answer = 0;
    Task ticker = CreateTicker(&ticks);
    Task task = Create([&](hoya_task *) { return await_future(work.future(), &answer); });
    while (ticks < 3) RunFor(HOYA_MSEC(1));
    EXPECT_FALSE(Done(task));
    std::thread other([&] { /* as of a thread pool */
                            work.reportResult(42);
                            work.reportFinished();
    });
    EXPECT_EQ(RunUntilDone(task), 0);
    EXPECT_EQ(answer, 42);
    other.join();
    Cancel(ticker);
    RunUntilDone(ticker);
}

TEST_P(QtAwaitConformance, AQFutureThatHasFinishedIsThereAtOnce)
{
    QFutureInterface<void> work;
    work.reportStarted();
    work.reportFinished();
    Task task = Create([&](hoya_task *) {
        CallSoon(Say("later"));
        int rc = await_future(work.future());
        EXPECT_EQ(trace, Trace{}) << "nobody else ran";
        return rc;
    });
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(QtAwaitConformance, ACancelIsPassedOnToAQFutureAndWaitedFor)
{
    QFutureInterface<int> work;
    work.reportStarted();
    int answer = -1;
    Task task = Create([&](hoya_task *) { return await_future(work.future(), &answer); });
    RunRounds(3);
    EXPECT_FALSE(work.isCanceled());
    EXPECT_TRUE(Cancel(task));
    RunRounds(3);
    EXPECT_TRUE(work.isCanceled());
    EXPECT_FALSE(Done(task)) << "what computes may still use what is on the task's stack";
    work.reportFinished();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
    EXPECT_EQ(answer, -1);
}

TEST_P(QtAwaitConformance, ATimeoutIsPassedOnToAQFutureAndIsADeadline)
{
    QFutureInterface<int> work;
    work.reportStarted();
    Task task = Create([&](hoya_task *) {
        hoya_timeout *scope;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        int rc = await_future(work.future());
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        return rc;
    });
    while (!work.isCanceled()) RunFor(HOYA_MSEC(1));
    EXPECT_FALSE(Done(task));
    work.reportFinished();
    EXPECT_EQ(RunUntilDone(task), HOYA_EDEADLINE);
}

TEST_P(QtAwaitConformance, AQFutureThatSomebodyCancelledIsCancelled)
{
    QFutureInterface<int> work;
    work.reportStarted();
    Task task = Create([&](hoya_task *self) {
        int rc = await_future(work.future());
        EXPECT_EQ(hoya_task_cancelling(self), 0);
        return rc;
    });
    RunRounds(3);
    work.future().cancel();
    work.reportFinished();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(QtAwaitConformance, AnExceptionInAQFutureIsACodeAndStaysThere)
{
    QFutureInterface<int> work;
    work.reportStarted();
    Task task = Create([&](hoya_task *) {
        int rc = await_future(work.future());
        EXPECT_NE(std::string(hoya_error_detail()).find("out of tea"), std::string::npos) << hoya_error_detail();
        EXPECT_EQ(await_future(work.future()), rc) << "and at once the next time";
        return rc;
    });
    RunRounds(3);
    work.reportException(OutOfTea());
    work.reportFinished();
    EXPECT_EQ(RunUntilDone(task), HOYA_EIO);
    EXPECT_THROW(work.future().waitForFinished(), OutOfTea);
}

TEST_P(QtAwaitConformance, AQFutureWithoutAResultSaysSo)
{
    QFutureInterface<int> work;
    work.reportStarted();
    work.reportFinished();
    int answer = -1;
    Task task = Create([&](hoya_task *) { return await_future(work.future(), &answer); });
    EXPECT_EQ(RunUntilDone(task), HOYA_ENOENT);
    EXPECT_EQ(answer, -1);
}

TEST_P(QtAwaitConformance, TheFutureOfAQFutureEndsWithIt)
{
    QFutureInterface<int> work;
    work.reportStarted();
    Future future = Wrap(work.future());
    RunRounds(3);
    EXPECT_FALSE(hoya_future_done(future.get()));
    work.reportFinished();
    EXPECT_EQ(RunUntilDone(future), 0);
}

TEST_P(QtAwaitConformance, CancellingTheFutureCancelsTheQFuture)
{
    QFutureInterface<int> work, other;
    work.reportStarted();
    other.reportStarted();
    Future future = Wrap(work.future()), let_go = Wrap(other.future());
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    let_go.reset();
    RunRounds(3);
    EXPECT_TRUE(work.isCanceled());
    EXPECT_FALSE(other.isCanceled()) << "who lets go asks for nothing";
    work.reportFinished();
    other.reportFinished();
}

TEST_P(QtAwaitConformance, ALoopThatIsClosedDoesNotWaitForAQFuture)
{
    QFutureInterface<int> work;
    work.reportStarted();
    Task task = Create([&](hoya_task *) { return await_future(work.future()); });
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_future_result(Of(task), nullptr), HOYA_ECANCELED);
    EXPECT_TRUE(work.isCanceled());
    work.reportFinished();
    QCoreApplication::processEvents(); /* finds nobody */
}

TEST_P(QtAwaitConformance, AwaitingAQFutureOutsideATaskSaysSo)
{
    QFutureInterface<int> work;
    work.reportStarted();
    EXPECT_EQ(await_future(work.future()), HOYA_ESTATE);
    EXPECT_FALSE(work.isCanceled());
    work.reportFinished();
}

/* ---- bonds ----------------------------------------------------------------------------------------------- */

TEST_P(QtAwaitConformance, ATaskEndsWithItsObject)
{
    Task task = CreateSleeper();
    EXPECT_EQ(hoya::qt::bind(sender.get(), Of(task)), 0);
    RunRounds(3);
    sender.reset();
    EXPECT_EQ(hoya_task_cancelling(task.get()), 1) << "asked inside the destructor";
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(QtAwaitConformance, ATaskThatEndsFirstIsBoundNoMore)
{
    Task task = Create([](hoya_task *) { return HOYA_EPIPE; });
    EXPECT_EQ(hoya::qt::bind(sender.get(), Of(task)), 0);
    EXPECT_EQ(RunUntilDone(task), HOYA_EPIPE);
    RunRounds(2);
    EXPECT_EQ(sender->Listeners(), 0);
}

TEST_P(QtAwaitConformance, AnObjectMayGoInTheTaskThatEndsWithIt)
{
    Task task = Create([this](hoya_task *) {
        sender.reset();
        return hoya_sleep(HOYA_MSEC(1));
    });
    EXPECT_EQ(hoya::qt::bind(sender.get(), Of(task)), 0);
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(QtAwaitConformance, AnObjectThatDiesOnAnotherThreadEndsTheTaskByWayOfTheLoop)
{
    Task task = CreateSleeper();
    EXPECT_EQ(hoya::qt::bind(sender.get(), Of(task)), 0);
    RunRounds(3);
    sender->moveToThread(nullptr); /* anybody's */
    std::thread([this] { sender.reset(); }).join();
    EXPECT_EQ(hoya_task_cancelling(task.get()), 0) << "not on that thread";
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(QtAwaitConformance, AnObjectDiesOnAnotherThreadWhileItsFutureEnds)
{
    for (int i = 0; i < 50; i++) {
        auto object = std::make_unique<QObject>();
        Future future = NewFuture(loop);
        ASSERT_EQ(hoya::qt::bind(object.get(), future.get()), 0);
        object->moveToThread(nullptr);
        std::thread thread([&] { object.reset(); });
        if (i % 2) EXPECT_EQ(hoya_future_set_result(future.get(), nullptr, nullptr), 0);
        future.reset();
        RunRounds(1 + i % 3);
        thread.join();
    }
    RunRounds(3); /* the leak check finds what is left */
}

TEST_P(QtAwaitConformance, ABondIsNoLookAtAnError)
{
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya::qt::bind(sender.get(), future.get()), 0);
    EXPECT_EQ(hoya_future_set_exception(future.get(), HOYA_EPIPE, nullptr), 0);
    sender.reset();
    RunRounds(2);
    future.reset();
    EXPECT_TRUE(Logged("nobody looked at the error"));
}

TEST_P(QtAwaitConformance, WhatCannotBeBoundIsSaid)
{
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya::qt::bind(nullptr, future.get()), HOYA_EINVAL);
    EXPECT_EQ(hoya::qt::bind(sender.get(), nullptr), HOYA_EINVAL);
    std::thread([&] { EXPECT_EQ(hoya::qt::bind(sender.get(), future.get()), HOYA_ETHREAD); }).join();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya::qt::bind(sender.get(), future.get()), HOYA_ECLOSED);
    EXPECT_EQ(sender->Listeners(), 0);
}

} // namespace hoya_test

#endif
