/* SPDX-License-Identifier: MIT
 *
 * conformance/gobject_test.cc: signals of GObjects awaited, and tasks that end with an object.
 */
#include "await.h"

#if __has_include(<gio/gio.h>) && __has_include(<hoya/gio.h>)

#include "gio.h"

#include <thread>

namespace hoya_test
{
namespace
{

/* An object with a signal of several arguments. */
GObject *NewBell()
{
    static GType type = [] {
        GType made = g_type_register_static_simple(G_TYPE_OBJECT, "HoyaBell", sizeof(GObjectClass), nullptr,
                                                   sizeof(GObject), nullptr, GTypeFlags(0));
        g_signal_new("rings", made, G_SIGNAL_RUN_LAST, 0, nullptr, nullptr, nullptr, G_TYPE_BOOLEAN, 2, G_TYPE_INT,
                     G_TYPE_STRING);
        return made;
    }();
    return static_cast<GObject *>(g_object_new(type, nullptr));
}

bool Ring(GObject *bell, int times, const char *how)
{
    gboolean result = TRUE;
    g_signal_emit_by_name(bell, "rings", times, how, &result);
    return result;
}

struct UnrefArray {
    void operator()(GArray *array) const { g_array_unref(array); }
};
using Values = std::unique_ptr<GArray, UnrefArray>;

const GValue *At(const Values &values, guint i)
{
    return &g_array_index(values.get(), GValue, i);
}

} // namespace

class GObjectConformance : public GioConformance
{
  protected:
    Future Signal(const Object &of, const char *name = "rings")
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_gobject_signal_future(loop, of.get(), name, &future), 0) << hoya_error_detail();
        return Future(future);
    }
    Task CreateListener()
    {
        return Create([this](hoya_task *) { return hoya_gobject_wait_signal(bell.get(), "rings", nullptr); });
    }
    Task CreateSleeper()
    {
        return Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); });
    }
    Object bell = Object(NewBell());
};

INSTANTIATE_TEST_SUITE_P(Hosts, GObjectConformance, ::testing::ValuesIn(VariantsOf("glib")),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- signals --------------------------------------------------------------------------------------------- */

TEST_P(GObjectConformance, ATaskWaitsForASignalAndGetsItsArguments)
{
    Task task = Create([this](hoya_task *) {
        GArray *array = nullptr;
        int rc = hoya_gobject_wait_signal(bell.get(), "rings", &array);
        Values values(array);
        EXPECT_EQ(array->len, 2u);
        EXPECT_EQ(g_value_get_int(At(values, 0)), 3);
        EXPECT_STREQ(g_value_get_string(At(values, 1)), "softly");
        return rc;
    });
    RunRounds(3);
    {
        std::string gone = "softly"; /* the copy is the task's */
        EXPECT_FALSE(Ring(bell.get(), 3, gone.c_str())) << "who waits has no answer";
    }
    EXPECT_FALSE(Done(task)) << "never inside the emission";
    EXPECT_FALSE(Ring(bell.get(), 4, "again")); /* nobody's: the first one counts */
    EXPECT_EQ(RunUntilDone(task), 0);
    RunRounds(2);
    EXPECT_EQ(Handlers(bell.get(), "rings"), 0);
}

TEST_P(GObjectConformance, ADetailedSignalIsThatOneAlone)
{
    Object menu(G_OBJECT(g_simple_action_new("quit", nullptr)));
    Future enabled = Signal(menu, "notify::enabled");
    g_object_notify(menu.get(), "name");
    RunRounds(3);
    EXPECT_FALSE(hoya_future_done(enabled.get()));
    g_simple_action_set_enabled(G_SIMPLE_ACTION(menu.get()), FALSE);
    EXPECT_EQ(RunUntilDone(enabled), 0);
    void *value = nullptr;
    hoya_destroy destroy = nullptr;
    ASSERT_EQ(hoya_future_take(enabled.get(), &value, &destroy), 0);
    Values values(static_cast<GArray *>(value));
    ASSERT_EQ(values->len, 1u);
    EXPECT_STREQ(g_param_spec_get_name(g_value_get_param(At(values, 0))), "enabled");
}

TEST_P(GObjectConformance, OthersGoOnWhileATaskWaitsForASignal)
{
    int ticks = 0;
    Task ticker = CreateTicker(&ticks), task = CreateListener();
    while (ticks < 3) RunFor(HOYA_MSEC(1));
    EXPECT_FALSE(Done(task));
    Ring(bell.get(), 1, "");
    EXPECT_EQ(RunUntilDone(task), 0);
    Cancel(ticker);
    RunUntilDone(ticker);
}

// Holds: F14
TEST_P(GObjectConformance, ASignalMayBeEmittedOnAnyThread)
{
    Task task = CreateListener();
    RunRounds(3);
    std::thread other([this] { Ring(bell.get(), 1, ""); });
    EXPECT_EQ(RunUntilDone(task), 0);
    other.join();
}

TEST_P(GObjectConformance, ACancelDisconnects)
{
    Task task = CreateListener();
    Future future = Signal(bell);
    RunRounds(3);
    EXPECT_EQ(Handlers(bell.get(), "rings"), 2);
    EXPECT_TRUE(Cancel(task));
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
    RunRounds(3);
    EXPECT_EQ(Handlers(bell.get(), "rings"), 0);
}

TEST_P(GObjectConformance, ASignalThatCameBeforeTheCancelIsDelivered)
{
    Future future = Signal(bell);
    Task task = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); });
    auto cancel = [](hoya_future *, void *whom) { EXPECT_TRUE(Cancel(*static_cast<Task *>(whom))); };
    EXPECT_EQ(hoya_future_add_done_callback(future.get(), cancel, &task, nullptr, nullptr),
              0); /* before the task's */
    RunRounds(3);
    Ring(bell.get(), 1, "");
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(GObjectConformance, AnObjectThatGoesFirstIsAnError)
{
    Task task = CreateListener();
    RunRounds(3);
    bell.reset();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECLOSED);
}

TEST_P(GObjectConformance, AnObjectThatIsDisposedOfAndKeptIsAnErrorToo)
{
    Future future = Signal(bell);
    g_object_run_dispose(bell.get()); /* as a widget that is destroyed */
    EXPECT_EQ(RunUntilDone(future), HOYA_ECLOSED);
    EXPECT_EQ(TextOf(future), "the object was disposed of");
}

TEST_P(GObjectConformance, AnObjectThatGoesInItsSignalHasBeenHeard)
{
    Future future = Signal(bell);
    auto drop = +[](GObject *, int, const char *, gpointer self) -> gboolean {
        static_cast<Object *>(self)->reset();
        return FALSE;
    };
    g_signal_connect(bell.get(), "rings", G_CALLBACK(drop), &bell);
    Ring(bell.get(), 1, "");
    EXPECT_EQ(bell, nullptr);
    EXPECT_EQ(RunUntilDone(future), 0);
}

TEST_P(GObjectConformance, TheEndOfTheLoopDisconnects)
{
    Task task = CreateListener();
    Future future = Signal(bell);
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(Handlers(bell.get(), "rings"), 0);
    EXPECT_EQ(hoya_future_result(Of(task), nullptr), HOYA_ECANCELED);
    Ring(bell.get(), 1, "");
    EXPECT_FALSE(hoya_future_done(future.get()));
}

TEST_P(GObjectConformance, WhatCannotBeAwaitedIsSaid)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_gobject_signal_future(loop, bell.get(), "no-such-signal", &future), HOYA_ENOENT);
    EXPECT_EQ(hoya_gobject_signal_future(loop, bell.get(), "rings::softly", &future), HOYA_ENOENT) << "no details";
    EXPECT_EQ(hoya_gobject_signal_future(loop, nullptr, "rings", &future), HOYA_EINVAL);
    EXPECT_EQ(hoya_gobject_wait_signal(bell.get(), "rings", nullptr), HOYA_ESTATE);
    CallSoon([this] {
        EXPECT_EQ(hoya_gobject_wait_signal(bell.get(), "rings", nullptr), HOYA_ESTATE);
        Note("asked");
    });
    RunUntilNoted(1);
    RunRounds(3);
    EXPECT_EQ(Handlers(bell.get(), "rings"), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_gobject_signal_future(loop, bell.get(), "rings", &future), HOYA_ECLOSED);
    EXPECT_EQ(hoya_gobject_bind(nullptr, nullptr), HOYA_EINVAL);
}

TEST_P(GObjectConformance, ACallbackOfAMainLoopThatATaskRunsCannotWait)
{
    Task task = Create([this](hoya_task *) {
        CallSoon([this] {
            EXPECT_EQ(hoya_gobject_wait_signal(bell.get(), "rings", nullptr), HOYA_EDEADLK);
            Note("asked");
        });
        while (trace.empty()) g_main_context_iteration(context, TRUE); /* a dialog */
        return 0;
    });
    EXPECT_EQ(RunUntilDone(task), 0);
}

// Holds: F15
TEST_P(GObjectConformance, AnotherThreadMakesNoFuturesOfThisLoop)
{
    RunRounds(1);
    std::thread([this] {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_gobject_signal_future(loop, bell.get(), "rings", &future), HOYA_ETHREAD);
        hoya_gio_call *call = nullptr;
        EXPECT_EQ(hoya_gio_begin(loop, &call), HOYA_ETHREAD);
    }).join();
}

/* ---- bonds ----------------------------------------------------------------------------------------------- */

TEST_P(GObjectConformance, ATaskEndsWithItsObject)
{
    Task task = CreateSleeper();
    EXPECT_EQ(hoya_gobject_bind(bell.get(), Of(task)), 0);
    RunRounds(3);
    bell.reset();
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

// Holds: F14
TEST_P(GObjectConformance, TheObjectMayGoOnAnyThread)
{
    Task task = CreateSleeper();
    EXPECT_EQ(hoya_gobject_bind(bell.get(), Of(task)), 0);
    RunRounds(3);
    std::thread other([this] { bell.reset(); });
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
    other.join();
}

TEST_P(GObjectConformance, ADestroyedWidgetEndsItsTaskThoughSomebodyKeepsIt)
{
    Task task = CreateSleeper();
    EXPECT_EQ(hoya_gobject_bind(bell.get(), Of(task)), 0);
    g_object_run_dispose(bell.get());
    EXPECT_EQ(RunUntilDone(task), HOYA_ECANCELED);
}

TEST_P(GObjectConformance, ATaskThatEndsFirstIsBoundNoMore)
{
    Task task = Create([](hoya_task *) { return HOYA_EPIPE; });
    EXPECT_EQ(hoya_gobject_bind(bell.get(), Of(task)), 0);
    EXPECT_EQ(RunUntilDone(task), HOYA_EPIPE);
    RunRounds(3);
    bell.reset();
    RunRounds(3);
    EXPECT_EQ(hoya_future_result(Of(task), nullptr), HOYA_EPIPE);
}

TEST_P(GObjectConformance, ATaskThatRefusesGoesOnWithoutItsObject)
{
    Task task = Create([](hoya_task *) {
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(5)), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        return 0;
    });
    EXPECT_EQ(hoya_gobject_bind(bell.get(), Of(task)), 0);
    RunRounds(2);
    bell.reset();
    EXPECT_EQ(RunUntilDone(task), 0);
}

TEST_P(GObjectConformance, ALoopThatIsClosedLeavesNoBond)
{
    Future future = NewFuture(loop);
    EXPECT_EQ(hoya_gobject_bind(bell.get(), future.get()), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    bell.reset();
    EXPECT_FALSE(hoya_future_done(future.get()));
}

} // namespace hoya_test

#endif
