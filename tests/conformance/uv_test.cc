/* SPDX-License-Identifier: MIT
 *
 * conformance/uv_test.cc: what only libuv has: uv_run returns by itself when nothing is alive, and the loop's work
 * counts; it is not re-entrant; a handle's memory is its own until it is closed; the policy makes a uv_loop_t a thread.
 */
#include "net.h"

#if __has_include(<uv.h>) && __has_include(<hoya/uv.h>)

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include <unistd.h>

#include <hoya/uv.h>

#include "support/resolvers.h"

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
        if (loop) Release(loop);
        loop = nullptr;
        uv_run(&uv_, UV_RUN_DEFAULT); /* the adapter's handles close */
        EXPECT_EQ(uv_loop_close(&uv_), 0);
        GuestConformance::TearDown();
    }

    /* The watchdog sees to it that it returns. */
    void RunWhileAlive() { EXPECT_EQ(uv_run(&uv_, UV_RUN_DEFAULT), 0); }

    hoya_loop *NewLoopHere()
    {
        hoya_loop *made = nullptr;
        EXPECT_EQ(hoya_uv_loop_new(&uv_, &made), 0);
        return made;
    }

    /* `work` in a callback of libuv's for a descriptor, in an uv_run that ends with it. */
    void InCallbackOfADescriptor(Work work)
    {
        uv_poll_t poll;
        poll.data = &work;
        uv_poll_init(&uv_, &poll, MakeReadable());
        uv_poll_start(&poll, UV_READABLE, [](uv_poll_t *p, int, int) {
            uv_poll_stop(p);
            (*static_cast<Work *>(p->data))();
            uv_stop(p->loop);
        });
        uv_run(&uv_, UV_RUN_DEFAULT);
        uv_close(reinterpret_cast<uv_handle_t *>(&poll), nullptr);
        uv_run(&uv_, UV_RUN_NOWAIT);
    }

    /* As many programs end. */
    void CloseAllHandles()
    {
        uv_walk(
            &uv_,
            [](uv_handle_t *handle, void *) {
                if (!uv_is_closing(handle)) uv_close(handle, nullptr);
            },
            nullptr);
    }

    /* Before it comes to what was closed so far: it begins with the last one. */
    void WhenLibuvBeginsToClose(Work work)
    {
        work_ = std::move(work);
        uv_check_init(&uv_, &last_);
        last_.data = &work_;
        uv_close(reinterpret_cast<uv_handle_t *>(&last_),
                 [](uv_handle_t *handle) { (*static_cast<Work *>(handle->data))(); });
    }

    uv_loop_t uv_;

  private:
    Work work_;
    uv_check_t last_;
};

/* What was freed before this belongs to somebody else now, who writes into it. */
class OtherPeoplesMemory
{
  public:
    void Take()
    {
        for (size_t size = 16; size <= 2048; size += 16)
            for (int i = 0; i < 8; i++) {
                blocks_.emplace_back(new char[size]);
                memset(blocks_.back().get(), 0xa5, size);
            }
    }

  private:
    std::vector<std::unique_ptr<char[]>> blocks_;
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

// Holds: F24
TEST_P(UvConformance, ALookupKeepsUvRunGoingUntilItHasItsAnswer)
{
    hoya_future *lookup = nullptr;
    ASSERT_EQ(hoya_getaddrinfo(loop, "localhost", "80", nullptr, &lookup), 0) << hoya_error_detail();
    RunWhileAlive();
    EXPECT_EQ(hoya_future_done(lookup), 1);
    hoya_future_unref(lookup);
    Release(loop);
    loop = nullptr;
    AwaitLanes();
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

// Holds: F24 F5
TEST_P(UvConformance, APausedLoopDoesNotKeepUvRunGoing)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        hoya_loop_remove_reader(loop, fd);
        Note("reader");
    });
    Stop();
    RunWhileAlive();
    Feed(theirs);
    RunWhileAlive();
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(hoya_loop_start(loop), 0);
    CallSoon([this] {
        Stop();
        CallSoon(Say("soon"));
    });
    RunWhileAlive();
    CallSoon(Say("later"));
    RunWhileAlive();
    EXPECT_EQ(trace, Trace{"reader"});
    EXPECT_EQ(hoya_loop_start(loop), 0);
    RunWhileAlive();
    EXPECT_EQ(trace, (Trace{"reader", "soon", "later"}));
}

/* ---- uv_run is not re-entrant --------------------------------------------------------------------------------- */

// Holds: F3
TEST_P(UvConformance, ARunInACallbackOfLibuvsIsRefusedAndChangesNothing)
{
    Stop();
    RunWhileAlive();
    CallSoon(Say("soon"));
    InCallbackOfADescriptor([this] {
        EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_ENOTSUP);
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_ENOTSUP);
        EXPECT_EQ(hoya_loop_is_running(loop), 0);
    });
    RunWhileAlive();
    EXPECT_EQ(trace, Trace{}) << "it still is paused";
    hoya_loop_start(loop);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1) << "no uv_run is on the stack";
}

// Holds: F3
TEST_P(UvConformance, ALoopThatIsMadeInATurnIsNotRunInItEither)
{
    InCallbackOfADescriptor([this] {
        hoya_loop *young = NewLoopHere();
        EXPECT_EQ(hoya_loop_run_once(young, HOYA_NOW), HOYA_ENOTSUP);
        Release(young);
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_ENOTSUP);
    });
}

TEST_P(UvConformance, InACallbackOfOneUvLoopAnotherOneMayBeRun)
{
    uv_loop_t second;
    uv_loop_init(&second);
    InCallbackOfADescriptor([&] {
        hoya_loop *other = nullptr;
        ASSERT_EQ(hoya_uv_loop_new(&second, &other), 0);
        EXPECT_EQ(hoya_loop_run_once(other, HOYA_NOW), 0);
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), HOYA_ENOTSUP);
        Release(other);
    });
    uv_run(&second, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&second), 0);
}

TEST_P(UvConformance, ALoopMayBeClosedInATurn)
{
    InCallbackOfADescriptor([this] {
        Release(loop);
        loop = nullptr;
    });
    loop = NewLoopHere();
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0) << "the turn is over";
}

/* ---- somebody else closes our handles -------------------------------------------------------------------------- */

// Holds: F22
TEST_P(UvConformance, HandlesThatSomebodyElseClosesKeepTheirMemoryUntilLibuvIsThrough)
{
    AddReader(MakePair()[0], [] {});
    OtherPeoplesMemory others;
    CloseAllHandles();
    WhenLibuvBeginsToClose([&] { others.Take(); });
    Release(loop);
    loop = nullptr;
    others.Take();
    uv_run(&uv_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_alive(&uv_), 0);
}

// Holds: F22
TEST_P(UvConformance, SoTheyDoIfTheLoopIsClosedWhileLibuvIsAtIt)
{
    AddReader(MakePair()[0], [] {});
    OtherPeoplesMemory others;
    CloseAllHandles();
    WhenLibuvBeginsToClose([&] {
        Release(loop);
        loop = nullptr;
        others.Take();
    });
    uv_run(&uv_, UV_RUN_DEFAULT);
    EXPECT_EQ(loop, nullptr);
}

// Holds: F22 F21
TEST_P(UvConformance, AWatchThatSomebodyElseClosesKeepsItsMemoryToo)
{
    int fd = MakePair()[0];
    AddReader(fd, [] {});
    uv_walk(
        &uv_,
        [](uv_handle_t *handle, void *) {
            if (handle->type == UV_POLL) uv_close(handle, nullptr);
        },
        nullptr);
    EXPECT_EQ(hoya_loop_add_writer(
                  loop, fd, [](hoya_fd, uint32_t, void *) {}, nullptr, nullptr),
              GetParam().per_fd() ? HOYA_ECLOSED : 0);
    hoya_loop_remove_reader(loop, fd);
    Detach();
    OtherPeoplesMemory others;
    others.Take();
    uv_run(&uv_, UV_RUN_DEFAULT);
    EXPECT_TRUE(IsNative());
}

// Holds: F24 F27
TEST_P(UvConformance, WhatTheParentsThreadsOweHoldsNoChild)
{
    hoya_thread_future *source = nullptr;
    hoya_future *future = nullptr;
    ASSERT_EQ(hoya_thread_future_new(&source), 0);
    ASSERT_EQ(hoya_wrap_future(loop, source, &future), 0) << hoya_error_detail();
    bool in_child = false;
    int status = -1;
    CallSoon([&] {
        in_child = Fork(&status);
        if (in_child) {
            EXPECT_EQ(uv_loop_fork(&uv_), 0);
            EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
        } else {
            EXPECT_EQ(hoya_future_cancel(future, nullptr), 1);
        }
    });
    RunWhileAlive();
    if (in_child) {
        CallSoon(Say("of the child"));
        RunWhileAlive();
        EXPECT_EQ(trace, Trace{"of the child"});
        _exit(HasFailure() ? 1 : 0);
    }
    EXPECT_EQ(status, 0);
    hoya_future_unref(future);
    hoya_thread_future_unref(source);
}

/* libuv has one watcher a descriptor, and per-fd mode wants it. */
// Holds: F5
TEST_P(UvConformance, AStartThatFailedForOneDescriptorMayBeTriedAgain)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, [this, fd = ours] {
        hoya_loop_remove_reader(loop, fd);
        Note("reader");
    });
    Stop();
    uv_run(&uv_, UV_RUN_NOWAIT);
    uv_poll_t poll;
    uv_poll_init(&uv_, &poll, ours);
    uv_poll_start(&poll, UV_DISCONNECT, [](uv_poll_t *, int, int) {});
    EXPECT_EQ(hoya_loop_start(loop), GetParam().per_fd() ? HOYA_EEXIST : 0);
    uv_close(reinterpret_cast<uv_handle_t *>(&poll), nullptr);
    uv_run(&uv_, UV_RUN_NOWAIT);
    EXPECT_EQ(hoya_loop_start(loop), 0) << hoya_error_detail();
    std::thread([this] { CallSoonThreadsafe(Say("posted")); }).join();
    Feed(theirs);
    RunWhileAlive();
    std::sort(trace.begin(), trace.end());
    EXPECT_EQ(trace, (Trace{"posted", "reader"}));
}

// Holds: F23
TEST_P(UvConformance, WhatBeginsBehindTheCloseOfAllHandlesGoesOnNatively)
{
    Recorder recorder(&trace, "a");
    auto [ours, theirs] = MakePair();
    hoya_transport *transport = nullptr;
    ASSERT_EQ(hoya_connect_accepted_socket(loop, dup(ours), recorder.protocol(), nullptr, &transport), 0);
    recorder.on_data = [&](hoya_transport *t, const std::string &) {
        CloseAllHandles(); /* all that waits goes out behind this, and its watch is changed */
        return hoya_transport_get_write_buffer_size(t) ? 0 : HOYA_EINVAL;
    };
    uv_run(&uv_, UV_RUN_NOWAIT);
    const std::string much(300000, 'w');
    EXPECT_EQ(hoya_transport_write(transport, much.data(), much.size()), 0);
    std::string drained(much.size(), ' ');
    while (recv(theirs, &drained[0], drained.size(), MSG_DONTWAIT) > 0) continue;
    EXPECT_EQ(send(theirs, "first", 5, 0), 5);
    uv_run(&uv_, UV_RUN_DEFAULT);
    recorder.on_data = nullptr;
    EXPECT_EQ(send(theirs, " second", 7, 0), 7);
    RunUntil([&] { return recorder.data == "first second"; });
    EXPECT_TRUE(IsNative());
    hoya_transport_abort(transport);
    hoya_transport_unref(transport);
    RunRounds(2);
}

// Holds: F23
TEST_P(UvConformance, AUvLoopThatIsNoMoreIsNotTouched)
{
    CloseAllHandles();
    uv_run(&uv_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&uv_), 0);
    memset(&uv_, 0xa5, sizeof uv_);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    uv_loop_init(&uv_); /* for the end of the test */
}

/* No handle of ours tells the end of that turn. */
// Holds: F3 F23
TEST_P(UvConformance, ATurnInWhichAllHandlesAreClosedEndsForTheNextLoop)
{
    Work closes = [this] {
        CloseAllHandles();
        hoya_loop *young = NewLoopHere();
        EXPECT_EQ(hoya_loop_run_once(young, HOYA_NOW), HOYA_ENOTSUP) << "it is not over yet";
        Release(young);
    };
    uv_async_t async;
    async.data = &closes;
    uv_async_init(&uv_, &async, [](uv_async_t *a) { (*static_cast<Work *>(a->data))(); });
    uv_async_send(&async);
    RunWhileAlive();
    hoya_loop *next = NewLoopHere();
    EXPECT_EQ(hoya_loop_run_once(next, HOYA_NOW), 0);
    Release(next);
}

/* ---- the uv_loop_t of a thread --------------------------------------------------------------------------------- */

/* Each in a process of its own (EXPECT_EXIT): in which order the keys of a thread are destroyed, ours and that of the
 * policies, is settled by the first use of each. */
struct UvThreadDeathTest : public ::testing::Test {
    static std::atomic<int> ran;

    static void Count(void *) { ran++; }

    /* A loop that is left to the end of its thread, with something queued. */
    static hoya_loop *NewLoopOfThisThread()
    {
        hoya_loop *loop = nullptr;
        if (hoya_new_event_loop(&loop) < 0 || hoya_set_event_loop(loop) < 0) exit(3);
        hoya_loop_unref(loop);
        hoya_loop_run_once(loop, HOYA_NOW);
        hoya_loop_call_soon(loop, Count, nullptr);
        return loop;
    }

    /* 0 if threads that call `work` leave nothing behind and run nothing at their end. */
    static int Threads(void (*work)())
    {
        int before = OpenFds();
        for (int i = 0; i < 3; i++) std::thread(work).join();
        return OpenFds() != before ? 1 : ran != 0 ? 2 : 0;
    }
};

std::atomic<int> UvThreadDeathTest::ran;

TEST_F(UvThreadDeathTest, AThreadTakesItsLoopsAlongIfLibuvsKeyIsTheFirst)
{
    EXPECT_EXIT(
        {
            hoya_set_event_loop_policy(hoya_uv_policy());
            exit(Threads([] { NewLoopOfThisThread(); }));
        },
        testing::ExitedWithCode(0), "");
}

TEST_F(UvThreadDeathTest, AThreadTakesItsLoopsAlongIfLibuvsKeyIsTheSecond)
{
    EXPECT_EXIT(
        {
            hoya_set_event_loop(nullptr);
            hoya_set_event_loop_policy(hoya_uv_policy());
            exit(Threads([] { NewLoopOfThisThread(); }));
        },
        testing::ExitedWithCode(0), "");
}

TEST_F(UvThreadDeathTest, ALoopMayGoLateInTheEndOfAThread)
{
    EXPECT_EXIT(
        {
            hoya_set_event_loop_policy(hoya_uv_policy());
            exit(Threads([] {
                static pthread_key_t key; /* younger than libuv's: behind it in each pass */
                static thread_local int passes;
                static std::once_flag once;
                hoya_loop *loop = NewLoopOfThisThread();
                std::call_once(once, [] {
                    pthread_key_create(&key, [](void *late) {
                        if (++passes < 2) pthread_setspecific(key, late);
                        else hoya_loop_unref(static_cast<hoya_loop *>(late));
                    });
                });
                pthread_setspecific(key, hoya_loop_ref(loop));
            }));
        },
        testing::ExitedWithCode(0), "");
}

TEST_F(UvThreadDeathTest, NothingOfTheProgramsRunsAtTheEndOfAThread)
{
    EXPECT_EXIT(
        {
            std::thread([] {
                static uv_timer_t left;
                uv_timer_init(hoya_uv_thread_loop(), &left);
                uv_timer_start(
                    &left, [](uv_timer_t *) { _exit(4); }, 0, 0);
                static uv_timer_t closing; /* that alone would be run */
                uv_timer_init(hoya_uv_thread_loop(), &closing);
                uv_close(reinterpret_cast<uv_handle_t *>(&closing), nullptr);
            }).join();
            _exit(0); /* what is open stays: no leak check */
        },
        testing::ExitedWithCode(0), "");
}

} // namespace hoya_test

#endif
