/* SPDX-License-Identifier: MIT
 *
 * unit/loop/post_order_test.cc: what the loop's own thread posts keeps its order, whatever another thread is about to do:
 * that one is stopped in the middle of its post, by way of the table of system calls.
 */
#include <thread>
#include <utility>

#include "unit/loop/fake_host.h"
#include "unit/loop/held_write.h"

#ifdef HOYA_FAULTS

using namespace hoya_test;
using Trace = std::vector<std::string>;

class PostOrder : public FakeHosted
{
  public:
    void post(Work work)
    {
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, call, keep(std::move(work)), nullptr, nullptr), 0);
    }
};

// Holds: S4 S19
TEST_F(PostOrder, ACallSoonDoesNotOvertakeAnEarlierPostOfItsThread)
{
    delete std::exchange(host, nullptr); /* here the loop is native */
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    HeldWrite held;
    Work stranger = note("stranger");
    std::thread other(
        [&] { EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, call, &stranger, nullptr, nullptr), 0); });
    held.came.get_future().wait(); /* in the inbox, and nobody woken yet */
    post(note("posted"));
    soon(note("soon"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 3);
    EXPECT_EQ(trace, (Trace{"stranger", "posted", "soon"}));
    held.may_go_on.set_value();
    other.join();
}

// Holds: S4 S19
TEST_F(PostOrder, APostInACallbackOfTheHostsDoesNotOvertakeOneFromBeforeTheRun)
{
    host->make_runnable([this] {
        post(note("in the host's callback, before the first turn"));
        while (!host->quit) host->turn();
        return 0;
    });
    make();
    post(note("before the run"));
    post([this] { hoya_loop_stop(loop); });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_EQ(trace, (Trace{"before the run", "in the host's callback, before the first turn"}));
}

#endif
