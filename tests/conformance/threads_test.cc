/* SPDX-License-Identifier: MIT
 *
 * conformance/threads_test.cc: a loop belongs to its thread; what others may do, and what a signal handler may.
 */
#include "conformance.h"

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include <poll.h>
#include <pthread.h>

namespace hoya_test
{
namespace
{

/* Everything that belongs to the loop's thread, called on the one that runs this: the names of those that did not
 * answer HOYA_ETHREAD. `probe` counts the arguments that were destroyed. The first run may be anywhere. */
Trace AllowedHere(hoya_loop *loop, hoya_handle *handle, int fd, Probe *probe, bool has_run)
{
    Trace allowed;
    auto expect_refusal = [&allowed](const char *name, int answer) {
        if (answer != HOYA_ETHREAD) allowed.push_back(std::string(name) + " answered " + hoya_error_name(answer));
    };
    auto run = Probe::Run;
    auto run_fd = Probe::RunFd;
    auto gone = Probe::Destroy;
    hoya_loop_statistics stats = {};
    stats.size = sizeof stats;

    expect_refusal("close", hoya_loop_close(loop));
    if (has_run) {
        expect_refusal("run_forever", hoya_loop_run_forever(loop));
        expect_refusal("run_once", hoya_loop_run_once(loop, HOYA_NOW));
        expect_refusal("dispatch", hoya_loop_dispatch(loop, HOYA_NEVER));
    }
    expect_refusal("start", hoya_loop_start(loop));
    expect_refusal("abort", hoya_loop_abort(loop, HOYA_EPIPE));
    expect_refusal("call_soon", hoya_loop_call_soon(loop, run, probe));
    expect_refusal("call_soon_full", hoya_loop_call_soon_full(loop, run, probe, gone, nullptr));
    expect_refusal("call_later", hoya_loop_call_later(loop, 0, run, probe, gone, nullptr));
    expect_refusal("call_at", hoya_loop_call_at(loop, HOYA_NOW, run, probe, gone, nullptr));
    expect_refusal("handle_cancel", hoya_handle_cancel(handle));
    expect_refusal("add_reader", hoya_loop_add_reader(loop, fd, run_fd, probe, gone));
    expect_refusal("replace_reader", hoya_loop_replace_reader(loop, fd, run_fd, probe, gone));
    expect_refusal("remove_reader", hoya_loop_remove_reader(loop, fd));
    expect_refusal("add_writer", hoya_loop_add_writer(loop, fd, run_fd, probe, gone));
    expect_refusal("replace_writer", hoya_loop_replace_writer(loop, fd, run_fd, probe, gone));
    expect_refusal("remove_writer", hoya_loop_remove_writer(loop, fd));
    expect_refusal("set_exception_handler", hoya_loop_set_exception_handler(loop, nullptr, nullptr));
    expect_refusal("set_debug", hoya_loop_set_debug(loop, 1));
    expect_refusal("get_debug", hoya_loop_get_debug(loop));
    expect_refusal("set_slow_callback_duration", hoya_loop_set_slow_callback_duration(loop, HOYA_SEC(1)));
    expect_refusal("detach", hoya_loop_detach(loop));
    expect_refusal("stats", hoya_loop_stats(loop, &stats));
    return allowed;
}

constexpr int kTakers = 7; /* of these functions take an argument with a destroy function */

} // namespace

/* ---- the loop's thread ---- */

// Holds: F15 S16 S162
TEST_P(LoopConformance, EveryFunctionOfTheLoopRefusesAnotherThread)
{
    Handle handle = CallLater(HOYA_SEC(60), Say("never"));
    int fd = MakePair()[0];
    auto on_another_thread = [&](bool has_run) {
        Probe probe;
        Trace allowed;
        std::thread([&] { allowed = AllowedHere(loop, handle.get(), fd, &probe, has_run); }).join();
        EXPECT_EQ(allowed, Trace{});
        EXPECT_EQ(probe.runs, 0);
        EXPECT_EQ(probe.destroyed, kTakers) << "refused, so destroyed";
    };
    on_another_thread(false);
    CallSoon([&] { on_another_thread(true); });
    RunRounds(2);
    on_another_thread(true);
    EXPECT_EQ(Stats().queued, 0u);
    EXPECT_EQ(hoya_handle_cancel(handle.get()), 1);
}

// Holds: F15 S16
TEST_P(LoopConformance, TheFirstRunSettlesTheThread)
{
    std::promise<void> ran, checked;
    CallSoon(Say("queued by the maker"));
    Stop();
    if (host && !host->RunsElsewhere()) {
        std::thread([this] { Run(HOYA_ETHREAD); }).join();
        Run(); /* it is still its maker's */
        EXPECT_EQ(trace, Trace{"queued by the maker"});
        return;
    }
    std::thread runner([&] {
        Run();
        ran.set_value();
        checked.get_future().wait();
        EXPECT_EQ(hoya_loop_close(loop), 0);
    });
    ran.get_future().wait();
    EXPECT_EQ(trace, Trace{"queued by the maker"});
    EXPECT_EQ(hoya_loop_call_soon(loop, Probe::Run, nullptr), HOYA_ETHREAD) << "the maker is a stranger now";
    EXPECT_EQ(hoya_loop_close(loop), HOYA_ETHREAD);
    checked.set_value();
    runner.join();
    EXPECT_EQ(hoya_loop_is_closed(loop), 1);
    hoya_loop_unref(loop);
    loop = nullptr;
}

// Holds: F15 S16 S14
TEST_P(LoopConformance, ARefusedRunOnAnotherThreadSettlesNothing)
{
    std::thread([this] {
        auto its_host = GetParam().foreign() ? GetParam().make_host() : nullptr;
        hoya_loop *busy = nullptr;
        ASSERT_EQ(NewLoop(GetParam(), its_host.get(), &busy), 0);
        auto try_the_other = new Work([&] {
            EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EBUSY) << "this thread runs another loop";
            EXPECT_EQ(hoya_loop_stop(busy), 0);
        });
        EXPECT_EQ(hoya_loop_call_soon_full(busy, Lambda::Run, try_the_other, Lambda::Destroy, nullptr), 0);
        EXPECT_EQ(hoya_loop_run_forever(busy), 0);
        Release(busy);
    }).join();
    ASSERT_EQ(hoya_loop_start(loop), 0) << "it is still its maker's";
    RunRounds(1);
}

// Holds: S16
TEST_P(LoopConformance, AFewFunctionsAreForAnyThread)
{
    std::thread([this] {
        EXPECT_EQ(hoya_loop_is_closed(loop), 0);
        EXPECT_EQ(hoya_loop_is_running(loop), 0);
        EXPECT_GT(hoya_loop_time(loop), 0);
        EXPECT_EQ(hoya_loop_wakeup(loop), 0);
        EXPECT_EQ(hoya_loop_ref(loop), loop);
        hoya_loop_unref(loop);
        EXPECT_EQ(hoya_get_running_loop(), nullptr);
        CallSoonThreadsafe(Say("posted"));
        Stop();
    }).join();
    Run();
    EXPECT_EQ(trace, Trace{"posted"});
}

/* ---- posts ---- */

// Holds: S19
TEST_P(LoopConformance, APostWakesABlockedLoop)
{
    std::thread poster;
    CallSoon([&] { poster = std::thread([this] { CallSoonThreadsafe(Say("posted")); }); });
    RunUntilNoted(1);
    poster.join();
}

// Holds: S19
TEST_P(LoopConformance, APostBeforeTheRunStaysQueued)
{
    std::thread([this] {
        CallSoonThreadsafe(Say("first"));
        CallSoonThreadsafe(Say("second"));
    }).join();
    EXPECT_EQ(trace, Trace{});
    RunUntilNoted(2);
    EXPECT_EQ(trace, (Trace{"first", "second"}));
}

// Holds: S19 S4
TEST_P(LoopConformance, PostsOfTheLoopsOwnThreadAreInLineWithCallSoon)
{
    CallSoon(Say("a"));
    CallSoonThreadsafe(Say("b"));
    CallSoon([this] {
        Note("c");
        CallSoonThreadsafe(Say("e"));
        CallSoon(Say("f"));
    });
    CallSoonThreadsafe(Say("d"));
    RunUntilNoted(6);
    EXPECT_EQ(trace, (Trace{"a", "b", "c", "d", "e", "f"}));
}

// Holds: S19 S1
TEST_P(LoopConformance, PostsOfOneThreadRunInOrder)
{
    constexpr int kThreads = 4, kPosts = 1000;
    std::vector<int> next(kThreads);
    int disorder = 0, ran = 0;
    std::vector<std::thread> posters;
    for (int t = 0; t < kThreads; t++)
        posters.emplace_back([&, t] {
            for (int i = 0; i < kPosts; i++)
                CallSoonThreadsafe([&, t, i] {
                    disorder += next[static_cast<size_t>(t)]++ != i;
                    if (++ran == kThreads * kPosts) Stop();
                });
        });
    Run();
    for (std::thread &poster : posters) poster.join();
    EXPECT_EQ(disorder, 0);
    EXPECT_EQ(ran, kThreads * kPosts);
}

// Holds: F14 S20
TEST_P(LoopConformance, PostsToABusyLoopAreOneWakeUp)
{
    int ran = 0;
    CallSoon([&] {
        std::thread([&] {
            for (int i = 0; i < 1000; i++)
                CallSoonThreadsafe([&] {
                    if (++ran == 1000) Stop();
                });
        }).join();
    });
    uint64_t before = Stats().wakeups;
    Run();
    EXPECT_EQ(ran, 1000);
    EXPECT_LE(Stats().wakeups - before, 2u);
}

// Holds: F14 S20
TEST_P(LoopConformance, WakeUpsNeverFailAndAreOne)
{
    int refused = 0;
    std::thread([&] {
        for (int i = 0; i < 100000; i++) refused += hoya_loop_wakeup(loop) != 0;
    }).join();
    EXPECT_EQ(refused, 0);
    hoya_loop_statistics before = Stats();
    RunFor(HOYA_MSEC(10));
    EXPECT_LE(Stats().wakeups - before.wakeups, 1u);
    EXPECT_LE(Stats().rounds - before.rounds, 4u);
}

// Holds: F14 S3
TEST_P(LoopConformance, AFloodOfPostsLetsTimersAndDescriptorsIn)
{
    std::atomic<bool> done{false};
    std::atomic<int> outstanding{0};
    auto [ours, theirs] = MakePair();
    std::thread flood([&] {
        while (!done)
            if (outstanding < 100) {
                outstanding++;
                CallSoonThreadsafe([&] { outstanding--; });
            }
    });
    CallLater(HOYA_MSEC(2), [this, fd = theirs] {
        Note("timer");
        Feed(fd);
    });
    AddReader(ours, [this, fd = ours] {
        Drain(fd);
        Note("reader");
    });
    RunUntilNoted(2);
    done = true;
    flood.join();
}

// Holds: S16 S19
TEST_P(LoopConformance, TheMakerMayPostWhileAnotherThreadBeginsTheFirstRun)
{
    if (host && !host->RunsElsewhere()) return; /* it is refused: see TheFirstRunSettlesTheThread */
    std::atomic<bool> closed{false};
    CallSoon(Say("queued before"));
    std::thread runner([&] {
        EXPECT_EQ(hoya_loop_run_forever(loop), 0);
        EXPECT_EQ(hoya_loop_close(loop), 0);
        closed = true;
    });
    for (int i = 0; i < 100; i++) CallSoonThreadsafe([this] { Note("posted"); });
    CallSoonThreadsafe([this] { Stop(); });
    runner.join();
    EXPECT_TRUE(closed);
    EXPECT_EQ(trace.size(), 101u);
    EXPECT_EQ(trace.front(), "queued before");
    hoya_loop_unref(loop);
    loop = nullptr;
}

// Holds: S15 S162 S20
TEST_P(LoopConformance, PostingWhileTheLoopClosesLosesNoArgument)
{
    struct Count {
        std::atomic<int> destroyed{0};
    } count;
    std::atomic<int> posted{0};
    auto run = [](void *) {};
    auto destroy = [](void *arg) { static_cast<Count *>(arg)->destroyed++; };
    int last = 0;
    std::thread poster([&] {
        do {
            last = hoya_loop_call_soon_threadsafe(loop, run, &count, destroy, nullptr);
            posted++;
            if (posted % 64 == 0) std::this_thread::yield();
        } while (last == 0);
    });
    while (posted < 100) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    poster.join();
    EXPECT_EQ(last, HOYA_ECLOSED);
    EXPECT_EQ(count.destroyed.load(), posted.load());
}

/* ---- stop and wake-up from elsewhere ---- */

// Holds: F14 S6
TEST_P(LoopConformance, StopFromAnotherThreadEndsABlockedRun)
{
    std::thread stopper;
    CallSoon([&] { stopper = std::thread([this] { Stop(); }); });
    Run();
    stopper.join();
}

namespace
{

hoya_loop *signalled;
volatile sig_atomic_t answer;

/* A handler for SIGUSR1 as long as it lives. */
class Handler
{
  public:
    Handler(hoya_loop *loop, void (*fn)(int))
    {
        signalled = loop;
        answer = 1;
        struct sigaction action = {};
        action.sa_handler = fn;
        sigaction(SIGUSR1, &action, &before_);
    }
    ~Handler() { sigaction(SIGUSR1, &before_, nullptr); }

  private:
    struct sigaction before_;
};

} // namespace

// Holds: F14
TEST_P(LoopConformance, ASignalHandlerMayStopTheLoop)
{
    Handler handler(loop, [](int) { answer = hoya_loop_stop(signalled); });
    pthread_t loop_thread = pthread_self();
    std::thread sender;
    CallSoon([&] { sender = std::thread([&] { pthread_kill(loop_thread, SIGUSR1); }); });
    Run();
    sender.join();
    EXPECT_EQ(answer, 0);
}

// Holds: F14
TEST_P(LoopConformance, ASignalHandlerMayWakeTheLoop)
{
    Handler handler(loop, [](int) { answer = hoya_loop_wakeup(signalled); });
    uint64_t before = Stats().wakeups;
    CallSoon([&] {
        raise(SIGUSR1);
        CallSoon([this] { CallSoon([this] { Stop(); }); });
    });
    Run();
    EXPECT_EQ(answer, 0);
    EXPECT_GE(Stats().wakeups - before, 1u);
}

/* ---- several loops ---- */

// Holds: F14 F17
TEST_P(LoopConformance, LoopsOfTwoThreadsPostToEachOther)
{
    struct Player {
        hoya_loop *loop = nullptr;
        Player *other = nullptr;
        int *left = nullptr;
        std::promise<void> ready;

        static void Hit(void *arg)
        {
            auto self = static_cast<Player *>(arg);
            EXPECT_EQ(hoya_get_running_loop(), self->loop);
            if (--*self->left > 0) {
                EXPECT_EQ(hoya_loop_call_soon_threadsafe(self->other->loop, Hit, self->other, nullptr, nullptr), 0);
                return;
            }
            EXPECT_EQ(hoya_loop_stop(self->other->loop), 0);
            EXPECT_EQ(hoya_loop_stop(self->loop), 0);
        }
    } players[2];
    int left = 501;
    auto play = [&](Player *self) {
        auto its_host = GetParam().foreign() ? GetParam().make_host() : nullptr;
        EXPECT_EQ(NewLoop(GetParam(), its_host.get(), &self->loop), 0);
        hoya_loop_ref(self->loop); /* the other one's, given back at the end */
        self->ready.set_value();
        EXPECT_EQ(hoya_loop_run_forever(self->loop), 0);
        Release(self->loop);
    };
    std::vector<std::thread> threads;
    for (int i : {0, 1}) {
        players[i].other = &players[1 - i];
        players[i].left = &left;
        threads.emplace_back(play, &players[i]);
    }
    for (Player &player : players) player.ready.get_future().wait();
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(players[0].loop, Player::Hit, &players[0], nullptr, nullptr), 0);
    for (std::thread &thread : threads) thread.join();
    for (Player &player : players) hoya_loop_unref(player.loop);
    EXPECT_EQ(left, 0);
}

/* A thread with a loop, and a main loop of the application's where there is one: it runs until it has heard what all
 * others post to it. */
struct Neighbour {
    static constexpr int kPosts = 1000, kPostsAtATime = 10;

    std::vector<Neighbour> *all;
    hoya_loop *loop = nullptr;
    std::thread::id thread;
    std::vector<int> heard; /* from each, in order so far */
    int sent = 0, wrong = 0;

    bool HeardAll() const
    {
        for (int posts : heard)
            if (posts != kPosts) return false;
        return true;
    }
    void Hear(size_t sender, int post)
    {
        wrong += std::this_thread::get_id() != thread || hoya_get_running_loop() != loop || heard[sender]++ != post;
        StopIfDone();
    }
    void StopIfDone()
    {
        if (HeardAll() && sent == kPosts) EXPECT_EQ(hoya_loop_stop(loop), 0);
    }
    /* A few to each, itself included, and the next ones later. */
    void Send()
    {
        auto self = static_cast<size_t>(this - all->data());
        for (int end = sent + kPostsAtATime; sent < end; sent++)
            for (Neighbour &to : *all) {
                auto hear = new Work([&to, self, post = sent] { to.Hear(self, post); });
                EXPECT_EQ(hoya_loop_call_soon_threadsafe(to.loop, Lambda::Run, hear, Lambda::Destroy, nullptr), 0);
            }
        if (sent == kPosts) return StopIfDone();
        auto next = new Work([this] { Send(); });
        EXPECT_EQ(hoya_loop_call_soon_full(loop, Lambda::Run, next, Lambda::Destroy, nullptr), 0);
    }
};

// Holds: F14 F15 F17 S1 S19
TEST_P(LoopConformance, ThreeThreadsEachInAHostOfItsOwnHearEveryPostOfTheOthersInOrder)
{
    std::vector<Neighbour> all(3);
    std::mutex one_at_a_time; /* Qt's hosts are made with the help of the environment */
    std::atomic<int> ready{0}, over{0};
    auto live = [&](Neighbour *self) {
        std::unique_lock<std::mutex> making(one_at_a_time);
        auto its_host = GetParam().foreign() ? GetParam().make_host() : nullptr;
        ASSERT_EQ(NewLoop(GetParam(), its_host.get(), &self->loop), 0);
        making.unlock();
        self->thread = std::this_thread::get_id();
        for (ready++; ready < 3;) std::this_thread::yield();
        self->Send();
        if (its_host)
            EXPECT_TRUE(its_host->RunUntil([&] { return self->HeardAll() && self->sent == self->kPosts; }));
        else EXPECT_EQ(hoya_loop_run_forever(self->loop), 0);
        for (over++; over < 3;) std::this_thread::yield(); /* somebody may be posting to it still */
        Release(self->loop);
    };
    std::vector<std::thread> threads;
    for (Neighbour &one : all) {
        one.all = &all;
        one.heard.resize(all.size());
        threads.emplace_back(live, &one);
    }
    for (std::thread &thread : threads) thread.join();
    for (const Neighbour &one : all) {
        EXPECT_EQ(one.wrong, 0) << "on another thread, or out of order";
        EXPECT_EQ(one.heard, std::vector<int>(all.size(), Neighbour::kPosts));
    }
}

/* ---- posts to a loop that is not about to wait in its selector ---- */

// Holds: S19 F14
TEST_P(LoopConformance, APostDuringTheLastRoundOfARunIsDoneByTheNextRunWhateverTheHost)
{
    std::thread poster;
    CallSoon([&] {
        poster = std::thread([&] { CallSoonThreadsafe(Say("posted")); });
        poster.join(); /* while the loop is in a callback */
        Stop();
    });
    Run();
    EXPECT_EQ(trace, Trace{});
    RunUntilNoted(1);
}

// Holds: S19 F14
TEST_P(LoopConformance, APostWakesAnApplicationsOwnWaitInsideACallback)
{
    CallSoon([&] {
        std::thread poster([&] { CallSoonThreadsafe(Say("posted")); });
        poster.join();
        pollfd look = {hoya_loop_pollfd(loop), POLLIN, 0};
        int64_t deadline = hoya_loop_deadline(loop);
        if (look.fd >= 0 && deadline == HOYA_NEVER) EXPECT_EQ(poll(&look, 1, 5000), 1) << "it was not told";
        std::thread late([&] { CallSoonThreadsafe(Say("late")); });
        if (look.fd >= 0) EXPECT_EQ(poll(&look, 1, 5000), 1);
        late.join();
        Stop();
    });
    Run();
    RunUntilNoted(2);
}

// Holds: S19 F14
TEST_P(LoopConformance, ManyPostsOneAfterTheOtherAllWakeTheLoop)
{
    constexpr int kPosts = 2000;
    std::atomic<int> answered{0};
    std::thread poster([&] {
        for (int i = 0; i < kPosts; i++) {
            CallSoonThreadsafe([&] { answered++; });
            while (answered.load() <= i) continue; /* the loop is falling asleep, or has just woken */
        }
        CallSoonThreadsafe([&] { Stop(); });
    });
    Run();
    poster.join();
    EXPECT_EQ(answered.load(), kPosts);
}

} // namespace hoya_test
