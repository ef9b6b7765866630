/* SPDX-License-Identifier: MIT
 *
 * conformance/qt5.h: an application of Qt's that begins and ends when the test says so, with the GLib dispatcher
 * and with Qt's own.
 */
#ifndef HOYA_TESTS_QT5_H
#define HOYA_TESTS_QT5_H

#include "conformance.h"

#include <QtCore/QCoreApplication>

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

} // namespace hoya_test

#endif
