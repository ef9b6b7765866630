/* SPDX-License-Identifier: MIT
 *
 * conformance/uv_test.cc: what only libuv has: uv_run returns by itself when nothing is alive, and the loop's work
 * counts.
 */
#include "conformance.h"

#if __has_include(<uv.h>) && __has_include(<hoya/uv.h>)

#include <hoya/uv.h>

namespace hoya_test
{

class UvConformance : public GuestConformance
{
  protected:
    /* The fixture's loop moves into a uv_loop_t that the test runs itself. */
    void SetUp() override
    {
        GuestConformance::SetUp();
        uv_loop_init(&uv_);
        Detach();
        hoya_host *adapter = nullptr;
        ASSERT_EQ(hoya_uv_host_new(&uv_, &adapter), 0);
        ASSERT_EQ(hoya_loop_attach(loop, adapter, 0), 0);
    }
    void TearDown() override
    {
        Release(loop);
        loop = nullptr;
        uv_run(&uv_, UV_RUN_DEFAULT); /* the adapter's handles close */
        EXPECT_EQ(uv_loop_close(&uv_), 0);
        GuestConformance::TearDown();
    }

    /* The watchdog sees to it that it returns. */
    void RunWhileAlive() { EXPECT_EQ(uv_run(&uv_, UV_RUN_DEFAULT), 0); }

    uv_loop_t uv_;
};

static std::vector<Variant> UvVariants()
{
    std::vector<Variant> found;
    for (const Variant &variant : foreign_variants())
        if (std::string(variant.name).rfind("libuv", 0) == 0) found.push_back(variant);
    return found;
}

INSTANTIATE_TEST_SUITE_P(Hosts, UvConformance, ::testing::ValuesIn(UvVariants()),
                         [](const auto &of) { return std::string(of.param.name); });

// Holds: F24
TEST_P(UvConformance, UvRunGoesOnUntilTheLoopHasNoWork)
{
    CallSoon([this] {
        Note("soon");
        CallLater(HOYA_MSEC(5), [this] {
            Note("timer");
            CallSoonThreadsafe(Say("posted"));
        });
    });
    RunWhileAlive();
    EXPECT_EQ(trace, (Trace{"soon", "timer", "posted"}));
}

// Holds: F24
TEST_P(UvConformance, AReaderKeepsUvRunGoingUntilItIsRemoved)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        hoya_loop_remove_reader(loop, fd);
        Note("reader");
    });
    CallLater(HOYA_MSEC(5), [fd = theirs] { Feed(fd); });
    RunWhileAlive();
    EXPECT_EQ(trace, Trace{"reader"});
}

// Holds: F24 F5
TEST_P(UvConformance, ALoopWithoutWorkDoesNotKeepUvRunGoing)
{
    RunWhileAlive();
    CallSoon(Say("soon"));
    RunWhileAlive();
    Handle timer = CallLater(HOYA_SEC(60), Say("never"));
    CallSoon([&] { EXPECT_EQ(hoya_handle_cancel(timer.get()), 1); });
    RunWhileAlive();
    EXPECT_EQ(trace, Trace{"soon"});
}

} // namespace hoya_test

#endif
