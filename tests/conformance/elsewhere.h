/* SPDX-License-Identifier: MIT
 *
 * conformance/elsewhere.h: another thread with a loop of its own, for what crosses between two.
 */
#ifndef HOYA_TESTS_ELSEWHERE_H
#define HOYA_TESTS_ELSEWHERE_H

#include "conformance.h"

#include <atomic>
#include <thread>

namespace hoya_test
{

/* A loop of its own on a thread of its own, native; runs until it goes. */
class Elsewhere
{
  public:
    Elsewhere()
    {
        thread_ = std::thread([this] {
            EXPECT_EQ(hoya_loop_new(nullptr, &loop), 0);
            hoya_loop_call_soon(
                loop, [](void *arg) { *static_cast<std::atomic<bool> *>(arg) = true; }, &ready_);
            EXPECT_EQ(hoya_loop_run_forever(loop), 0);
            if (at_end) at_end();
            EXPECT_EQ(hoya_loop_close(loop), 0);
        });
        while (!ready_) std::this_thread::yield();
    }
    ~Elsewhere()
    {
        Join();
        hoya_loop_unref(loop);
    }
    void Join()
    {
        if (!thread_.joinable()) return;
        hoya_loop_stop(loop);
        thread_.join();
    }

    /* Runs it there; returns when it has returned. */
    void Do(const Work &work)
    {
        std::atomic<bool> done{false};
        auto both = new Work([&] {
            work();
            done = true;
        });
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, Lambda::Run, both, Lambda::Destroy, nullptr), 0);
        while (!done) std::this_thread::yield();
    }

    hoya_loop *loop = nullptr;
    Work at_end; /* on its thread, before the loop is closed */

  private:
    std::atomic<bool> ready_{false};
    std::thread thread_;
};

} // namespace hoya_test

#endif
