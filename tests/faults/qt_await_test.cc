/* SPDX-License-Identifier: MIT
 *
 * faults/qt_await_test.cc: what Qt does, awaited, with each fallible call failing. What was refused has left
 * nothing connected; what was accepted comes.
 */
#if __has_include(<hoya/qt_await.hpp>)

#include <hoya/qt_await.hpp>

#include <QtCore/QFutureInterface>

#include "faults/sweep.h"

namespace hoya_test
{
namespace
{

class QtAwaitFaults : public VariantFaults
{
};

std::vector<Variant> QtVariants()
{
    std::vector<Variant> found;
    for (const Variant &one : foreign_variants())
        if (one.name == std::string("qt") || one.name == std::string("qt_noglib")) found.push_back(one);
    return found;
}

INSTANTIATE_TEST_SUITE_P(Hosts, QtAwaitFaults, testing::ValuesIn(QtVariants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(QtAwaitFaults, ASignalAQFutureAndABond)
{
    Sweep(Name("a signal, a QFuture and a bond").c_str(), [&](Faults &faults) {
        QObject sender;
        QFutureInterface<int> work;
        work.reportStarted();
        auto object = std::make_unique<QObject>();
        Loop loop(faults, variant(), host.get());
        if (!loop) {
            work.reportFinished();
            return;
        }
        hoya_future *heard = nullptr, *wrapped = nullptr, *bound = nullptr;
        bool bond = false;
        int rc = hoya::qt::signal_future<QString>(loop, &sender, &QObject::objectNameChanged, &heard);
        if (!faults.Ok(rc)) EXPECT_EQ(heard, nullptr);
        if (!faults.Ok(hoya::qt::wrap_future(loop, work.future(), &wrapped))) EXPECT_EQ(wrapped, nullptr);
        if (faults.Ok(hoya_future_new(loop, &bound))) bond = faults.Ok(hoya::qt::bind(object.get(), bound));
        sender.setObjectName("first");
        work.reportFinished();
        object.reset();
        if (bond) EXPECT_TRUE(hoya_future_cancelled(bound)) << "which needs no memory";
        if (heard) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(heard); }));
        if (wrapped) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(wrapped); }));
        for (hoya_future *future : {heard, wrapped, bound}) hoya_future_unref(future);
    });
}

} // namespace hoya_test

#endif
