/* SPDX-License-Identifier: MIT
 *
 * conformance/qt_dispatcher_test.cc: Qt finds a thread's main loop by the thread, so that it may not be there yet;
 * and it may be GLib's, or not.
 */
#include "conformance.h"

#if __has_include(<QtCore/QCoreApplication>) && __has_include(<hoya/qt.h>)

#include <QtCore/QAbstractEventDispatcher>
#include <QtCore/QCoreApplication>

#include <hoya/qt.h>

namespace hoya_test
{

class QtConformance : public GuestConformance
{
};

static std::vector<Variant> QtVariants()
{
    std::vector<Variant> found;
    for (const Variant &variant : foreign_variants())
        if (std::string(variant.name).rfind("qt", 0) == 0) found.push_back(variant);
    return found;
}

INSTANTIATE_TEST_SUITE_P(Hosts, QtConformance, ::testing::ValuesIn(QtVariants()),
                         [](const auto &of) { return std::string(of.param.name); });

// Holds: F16 F4
TEST_P(QtConformance, ALoopThatIsMadeBeforeTheApplicationEntersItWithAllItsWork)
{
    Release(loop);
    loop = nullptr;
    host->Die();
    ASSERT_EQ(QCoreApplication::instance(), nullptr);
    loop = NewSibling();
    EXPECT_TRUE(IsNative());
    Scatter();
    host = GetParam().make_host();
    RunHostUntil([this] { return trace.size() == 5; });
    EXPECT_FALSE(IsNative());
    EXPECT_EQ(trace[0], "soon");
}

// Holds: F16
TEST_P(QtConformance, ALoopWhoseApplicationNeverBeginsRunsNatively)
{
    Release(loop);
    loop = nullptr;
    host->Die();
    loop = NewSibling();
    Scatter();
    RunUntilNoted(5);
    EXPECT_TRUE(IsNative());
}

// Holds: F31
TEST_P(QtConformance, EitherDispatcherServes)
{
    bool glib = QAbstractEventDispatcher::instance()->inherits("QEventDispatcherGlib");
    if (std::string(GetParam().name).find("noglib") != std::string::npos)
        EXPECT_FALSE(glib) << "or nothing here is about Qt's own dispatcher";
    Scatter();
    RunHostUntil([this] { return trace.size() == 5; });
    Detach();
    Attach();
    Scatter();
    RunUntilNoted(10);
}

} // namespace hoya_test

#endif
