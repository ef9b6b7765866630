/* SPDX-License-Identifier: MIT
 *
 * unit/loop/fake_host.h: a host that runs nothing by itself and writes down what the loop asks of it. The
 * test is the main loop: turn() is a dispatch. While an operation of the host is under way no callback of
 * the guest may run (fault F30); the fake has no way of telling that by itself, so its users record `in_op`
 * in their callbacks.
 */
#ifndef HOYA_TESTS_UNIT_LOOP_FAKE_HOST_H
#define HOYA_TESTS_UNIT_LOOP_FAKE_HOST_H

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace hoya_test
{

struct FakeHost {
    hoya_host base{}; /* first: the guest knows this address */
    hoya_host_ops ops{};
    hoya_guest *guest = nullptr;
    std::vector<std::string> calls; /* "attach 3", "watch 1", "arm", "kick", "detach", "free", "hold 1", "quit" */
    int attach_result = 0, watch_result = 0, arm_result = 0;
    int64_t deadline = HOYA_NEVER;
    hoya_watch *record = nullptr;
    uint32_t mask = 0;
    bool *freed = nullptr;
    bool detach_later = false;
    void (*done)(void *) = nullptr;
    void *done_arg = nullptr;
    std::function<int()> on_run;
    bool quit = false;
    bool owner = true;

    FakeHost()
    {
        ops.size = sizeof ops;
        ops.name = "fake";
        ops.caps = HOYA_HOST_NESTS;
        ops.attach = [](hoya_host *h, hoya_guest *g, int priority) {
            self(h)->calls.push_back("attach " + std::to_string(priority));
            self(h)->guest = g;
            return self(h)->attach_result;
        };
        ops.watch = [](hoya_host *h, hoya_watch *watch, uint32_t wanted) {
            self(h)->calls.push_back("watch " + std::to_string(wanted));
            self(h)->record = watch;
            if (self(h)->watch_result < 0 && wanted) return self(h)->watch_result;
            self(h)->mask = wanted;
            return 0;
        };
        ops.arm = [](hoya_host *h, int64_t when) {
            self(h)->calls.push_back("arm");
            if (self(h)->arm_result < 0) return self(h)->arm_result;
            self(h)->deadline = when;
            return 0;
        };
        ops.kick = [](hoya_host *h) { self(h)->calls.push_back("kick"); };
        ops.detach = [](hoya_host *h, void (*done_fn)(void *), void *arg) {
            FakeHost *me = self(h);
            me->calls.push_back("detach");
            me->guest = nullptr;
            if (!me->detach_later) return done_fn(arg);
            me->done = done_fn;
            me->done_arg = arg;
        };
        ops.free = [](hoya_host *h) {
            if (self(h)->freed) *self(h)->freed = true;
            delete self(h);
        };
        base.ops = &ops;
    }

    /* Can be run: the test says how. */
    void make_runnable(std::function<int()> run)
    {
        on_run = std::move(run);
        ops.run = [](hoya_host *h) {
            self(h)->quit = false;
            return self(h)->on_run();
        };
        ops.quit = [](hoya_host *h) {
            self(h)->calls.push_back("quit");
            self(h)->quit = true;
            return 0;
        };
    }

    static FakeHost *self(const hoya_host *host)
    {
        return reinterpret_cast<FakeHost *>(const_cast<hoya_host *>(host));
    }

    int turn(int64_t budget = HOYA_NEVER) { return hoya_guest_dispatch(guest, budget); }

    int count(const std::string &call) const
    {
        int n = 0;
        for (const std::string &c : calls) n += c == call;
        return n;
    }
};

/* A loop in a fake host, closed and freed at the end of the test. */
class FakeHosted : public testing::Test
{
  public:
    FakeHost *host = new FakeHost;
    hoya_loop *loop = nullptr;
    std::vector<std::string> trace;

    void make(uint32_t flags = 0, int priority = 0)
    {
        hoya_loop_options options{};
        options.size = sizeof options;
        options.flags = flags;
        options.priority = priority;
        options.host = &host->base;
        ASSERT_EQ(hoya_loop_new(&options, &loop), 0) << hoya_error_detail();
    }

    void TearDown() override
    {
        if (!loop) return;
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
    }

    /* Callbacks as lambdas: they live in the fixture. */
    using Work = std::function<void()>;
    void *keep(Work work)
    {
        works.push_back(std::make_unique<Work>(std::move(work)));
        return works.back().get();
    }
    static void call(void *arg) { (*static_cast<Work *>(arg))(); }
    void soon(Work work) { EXPECT_EQ(hoya_loop_call_soon(loop, call, keep(std::move(work))), 0); }
    void later(int64_t delay, Work work)
    {
        EXPECT_EQ(hoya_loop_call_later(loop, delay, call, keep(std::move(work)), nullptr, nullptr), 0);
    }
    Work note(const std::string &what)
    {
        return [this, what] { trace.push_back(what); };
    }

    std::vector<std::unique_ptr<Work>> works;
};

/* What the loop asks of its host, and when. */
class HostSeam : public FakeHosted
{
};

} // namespace hoya_test

#endif
