/* SPDX-License-Identifier: MIT
 *
 * faults/gio_test.cc: what GIO and GObject do, awaited, with each fallible call failing. What was refused has left
 * nothing connected; what was accepted comes.
 */
#include "faults/sweep.h"
#include "support/leaks.h"

#if __has_include(<gio/gio.h>) && __has_include(<hoya/gio.h>)

#include <hoya/gio.h>

namespace hoya_test
{
namespace
{

/* The first task opens descriptors that stay. */
WarmUp gio([] {
    GTask *task = g_task_new(nullptr, nullptr, nullptr, nullptr);
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
    while (g_main_context_iteration(nullptr, FALSE)) continue;
});

class GioFaults : public VariantFaults
{
};

INSTANTIATE_TEST_SUITE_P(Native, GioFaults, testing::Values(variants()[0]),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(GioFaults, ACallOfGios)
{
    Sweep(Name("a call of GIO's").c_str(), [&](Faults &faults) {
        Loop loop(faults, variant());
        hoya_gio_call *call = nullptr;
        if (!loop || !faults.Ok(hoya_gio_begin(loop, &call))) return;
        GTask *task = g_task_new(nullptr, hoya_gio_cancellable(call), hoya_gio_ready, call);
        GTask *watched = task; /* NULL when it is gone */
        g_object_add_weak_pointer(G_OBJECT(task), reinterpret_cast<gpointer *>(&watched));
        g_task_return_boolean(task, TRUE);
        g_object_unref(task);
        while (g_main_context_iteration(nullptr, FALSE)) continue;
        hoya_future *future = hoya_gio_future(call);
        EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(future); }));
        EXPECT_EQ(hoya_gio_end(call, nullptr), 0);
        EXPECT_TRUE(loop.RunUntil([&] { return !watched; }));
    });
}

TEST_P(GioFaults, ACallThatIsCancelled)
{
    Sweep(Name("a call of GIO's, cancelled").c_str(), [&](Faults &faults) {
        Loop loop(faults, variant());
        hoya_gio_call *call = nullptr;
        if (!loop || !faults.Ok(hoya_gio_begin(loop, &call))) return;
        GTask *task = g_task_new(nullptr, hoya_gio_cancellable(call), hoya_gio_ready, call);
        EXPECT_EQ(hoya_gio_end(call, nullptr), HOYA_ECANCELED);
        EXPECT_TRUE(g_task_return_error_if_cancelled(task)) << "that needs no memory of ours";
        g_object_unref(task);
        while (g_main_context_iteration(nullptr, FALSE)) continue;
    });
}

TEST_P(GioFaults, ASignalABondAndAGCancellable)
{
    Sweep(Name("a signal, a bond and a GCancellable").c_str(), [&](Faults &faults) {
        GObject *object = static_cast<GObject *>(g_object_new(G_TYPE_OBJECT, nullptr));
        GCancellable *cancellable = g_cancellable_new();
        GObject *kept = G_OBJECT(cancellable); /* its own notify is the signal */
        {
            Loop loop(faults, variant());
            hoya_future *heard = nullptr, *bound = nullptr, *stopped = nullptr;
            bool bond = false, stop = false;
            if (loop && !faults.Ok(hoya_gobject_signal_future(loop, kept, "cancelled", &heard)))
                EXPECT_EQ(heard, nullptr);
            if (loop && faults.Ok(hoya_future_new(loop, &bound)))
                bond = faults.Ok(hoya_gobject_bind(object, bound));
            if (loop && faults.Ok(hoya_future_new(loop, &stopped)))
                stop = faults.Ok(hoya_gio_cancel_on(stopped, cancellable));
            g_object_unref(object);
            g_cancellable_cancel(cancellable);
            if (heard) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(heard); }));
            if (bond) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_cancelled(bound); }));
            if (stop) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_cancelled(stopped); }));
            for (hoya_future *future : {heard, bound, stopped}) hoya_future_unref(future);
        }
        EXPECT_EQ(g_signal_handler_find(cancellable, G_SIGNAL_MATCH_UNBLOCKED, 0, 0, nullptr, nullptr, nullptr),
                  0u);
        g_object_unref(cancellable);
    });
}

} // namespace hoya_test

#endif
