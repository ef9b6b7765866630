/* SPDX-License-Identifier: MIT
 *
 * unit/loop/look_test.cc: when a round asks the kernel. One that does not wait, in a loop that watches nothing, knows by
 * the clock and by a flag all that there is to know.
 */
#include <atomic>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#include "unit/loop/fake_host.h"

extern "C" {
#include "base/sys.h"
}

#ifdef HOYA_FAULTS

using namespace hoya_test;

namespace
{

int looks;

} // namespace

class Look : public FakeHosted
{
  public:
    void SetUp() override
    {
        FakeHosted::SetUp();
        make();
        looks = 0;
        hoya_sys.epoll_wait = [](int fd, epoll_event *events, int max, int ms) {
            looks++;
            return hoya_sys_real.epoll_wait(fd, events, max, ms);
        };
    }
    void TearDown() override
    {
        hoya_sys = hoya_sys_real;
        FakeHosted::TearDown();
    }
    /* A round for each call, until somebody says that it is enough, or for 10 s. */
    std::atomic<bool> enough{false};
    Work again;
    void go_on_until_it_is_enough()
    {
        again = [this] {
            if (!enough) soon(again);
        };
        soon(again);
        for (int64_t end = hoya_loop_time(loop) + HOYA_SEC(10); !enough && hoya_loop_time(loop) < end;)
            host->turn();
        EXPECT_TRUE(enough);
        host->turn();
    }
};

TEST_F(Look, ALoopThatWatchesNothingAsksNoKernelWhileItHasWork)
{
    for (int i = 0; i < 100; i++) {
        soon([] {});
        EXPECT_EQ(host->turn(), 1);
    }
    EXPECT_EQ(looks, 0);
    host->turn();
    EXPECT_EQ(looks, 1) << "without work it asks";
}

TEST_F(Look, AnIdleDescriptorIsAskedForInEachRound)
{
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    ASSERT_EQ(hoya_loop_replace_reader(
                  loop, pair[0], [](hoya_fd, uint32_t, void *) {}, nullptr, nullptr),
              0);
    for (int i = 0; i < 100; i++) {
        soon([] {});
        EXPECT_EQ(host->turn(), 1);
    }
    EXPECT_EQ(looks, 100);
    EXPECT_GE(hoya_loop_remove_reader(loop, pair[0]), 0);
    for (int fd : pair) close(fd);
}

// Holds: S24
TEST_F(Look, ATimerIsDueAlsoWhereNobodyAsks)
{
    EXPECT_EQ(
        hoya_loop_call_later(
            loop, HOYA_MSEC(2), [](void *arg) { static_cast<Look *>(arg)->enough = true; }, this, nullptr, nullptr),
        0);
    go_on_until_it_is_enough();
    EXPECT_EQ(looks, 0);
}

// Holds: S19
TEST_F(Look, APostIsHeardAlsoWhereNobodyAsked)
{
    std::thread other([this] {
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(
                      loop, [](void *arg) { static_cast<Look *>(arg)->enough = true; }, this, nullptr, nullptr),
                  0);
    });
    go_on_until_it_is_enough();
    EXPECT_GE(looks, 1);
    EXPECT_LE(looks, 2) << "for the flag, which was up once, and where the work was over before";
    other.join();
}

#endif
