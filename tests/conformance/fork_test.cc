/* SPDX-License-Identifier: MIT
 *
 * conformance/fork_test.cc: a loop in the child of a fork. The child's half of a test runs in a process of its own and
 * leaves by _exit; what it finds wrong makes that exit status 1. The parent's half looks whether the parent noticed
 * anything.
 */
#include "conformance.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

/* What answered something other than HOYA_ECHILD. */
Trace AllowedInChild(hoya_loop *loop, hoya_handle *handle, int fd, Probe *probe)
{
    Trace allowed;
    auto expect = [&allowed](const char *name, int answer) {
        if (answer != HOYA_ECHILD) allowed.push_back(std::string(name) + " answered " + hoya_error_name(answer));
    };
    auto run = Probe::Run;
    auto run_fd = Probe::RunFd;
    auto run_signal = [](int, void *) {};
    auto gone = Probe::Destroy;
    hoya_loop_statistics stats = {};
    stats.size = sizeof stats;
    expect("run_forever", hoya_loop_run_forever(loop));
    expect("run_once", hoya_loop_run_once(loop, HOYA_NOW));
    expect("dispatch", hoya_loop_dispatch(loop, HOYA_NEVER));
    expect("start", hoya_loop_start(loop));
    expect("stop", hoya_loop_stop(loop));
    expect("wakeup", hoya_loop_wakeup(loop));
    expect("abort", hoya_loop_abort(loop, HOYA_EPIPE));
    expect("call_soon", hoya_loop_call_soon(loop, run, probe));
    expect("call_soon_full", hoya_loop_call_soon_full(loop, run, probe, gone, nullptr));
    expect("call_soon_threadsafe", hoya_loop_call_soon_threadsafe(loop, run, probe, gone, nullptr));
    expect("call_later", hoya_loop_call_later(loop, 0, run, probe, gone, nullptr));
    expect("call_at", hoya_loop_call_at(loop, HOYA_NOW, run, probe, gone, nullptr));
    expect("handle_cancel", hoya_handle_cancel(handle));
    expect("add_reader", hoya_loop_add_reader(loop, fd, run_fd, probe, gone));
    expect("remove_reader", hoya_loop_remove_reader(loop, fd));
    expect("add_writer", hoya_loop_add_writer(loop, fd, run_fd, probe, gone));
    expect("remove_writer", hoya_loop_remove_writer(loop, fd));
    expect("add_signal_handler", hoya_loop_add_signal_handler(loop, SIGUSR1, run_signal, probe, gone));
    expect("remove_signal_handler", hoya_loop_remove_signal_handler(loop, SIGUSR1));
    expect("set_debug", hoya_loop_set_debug(loop, 1));
    expect("detach", hoya_loop_detach(loop));
    expect("stats", hoya_loop_stats(loop, &stats));
    return allowed;
}

} // namespace

// Holds: S56 F27
TEST_P(LoopConformance, InAForkedChildEverythingOfTheParentsLoopAnswersEchild)
{
    int fd = MakePair()[0];
    AddReader(fd, [](hoya_fd, uint32_t) {});
    Handle handle = CallLater(HOYA_SEC(3600), [] {});
    Probe probe;
    int status = InChild([&] {
        EXPECT_EQ(AllowedInChild(loop, handle.get(), fd, &probe), Trace{});
        EXPECT_EQ(probe.runs, 0);
        EXPECT_EQ(probe.destroyed, 7) << "the arguments of refused calls";
        EXPECT_EQ(hoya_loop_pollfd(loop), HOYA_INVALID_FD);
        EXPECT_EQ(hoya_loop_deadline(loop), HOYA_NEVER);
        EXPECT_EQ(hoya_loop_is_closed(loop), 0);
    });
    EXPECT_EQ(status, 0);
    CallSoon([&] { Stop(); });
    Run();
}

// Holds: S56
TEST_P(LoopConformance, AChildForkedInACallbackHasNoRunningLoopAndMayRunOneOfItsOwn)
{
    CallSoon([&] {
        int status = InChild([&] {
            EXPECT_EQ(hoya_get_running_loop(), nullptr);
            EXPECT_EQ(hoya_loop_is_running(loop), 0);
            hoya_loop *mine = nullptr;
            ASSERT_EQ(hoya_get_event_loop(&mine), 0) << hoya_error_detail();
            ASSERT_NE(mine, loop);
            EXPECT_EQ(hoya_loop_call_soon(
                          mine, [](void *arg) { hoya_loop_stop(static_cast<hoya_loop *>(arg)); }, mine),
                      0);
            EXPECT_EQ(hoya_loop_run_forever(mine), 0);
        });
        EXPECT_EQ(status, 0);
        EXPECT_EQ(hoya_get_running_loop(), loop);
        Stop();
    });
    Run();
}

// Holds: S56
TEST_P(LoopConformance, AChildDoesNotShareItsParentsCurrentLoop)
{
    ASSERT_EQ(hoya_set_event_loop(loop), 0);
    int status = InChild([&] {
        hoya_loop *mine = nullptr;
        ASSERT_EQ(hoya_get_event_loop(&mine), 0);
        EXPECT_NE(mine, loop);
        EXPECT_EQ(hoya_loop_is_closed(loop), 0) << "nothing happened to that one";
        hoya_loop *again = nullptr;
        ASSERT_EQ(hoya_get_event_loop(&again), 0);
        EXPECT_EQ(again, mine);
        EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
        EXPECT_EQ(hoya_loop_close(loop), 0);
    });
    EXPECT_EQ(status, 0);
    hoya_loop *current = nullptr;
    EXPECT_EQ(hoya_get_event_loop(&current), 0);
    EXPECT_EQ(current, loop);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    hoya_loop *unwanted = nullptr;
    EXPECT_EQ(hoya_get_event_loop(&unwanted), HOYA_ESTATE);
}

// Holds: F27
TEST_P(LoopConformance, TheParentsLoopIsNotDestroyedBehindTheChildsBack)
{
    hoya_loop *only = NewSibling();
    Probe probe;
    ASSERT_EQ(hoya_loop_call_soon_full(only, Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    ASSERT_EQ(hoya_set_event_loop(only), 0);
    hoya_loop_unref(only); /* the policy's reference is the last one */
    int status = InChild([&] {
        hoya_loop *mine = nullptr;
        ASSERT_EQ(hoya_get_event_loop(&mine), 0);
        EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
        EXPECT_EQ(probe.destroyed, 0) << "its arguments may be files, or children, of the parent's";
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(probe.destroyed, 0);
    EXPECT_EQ(hoya_set_event_loop(nullptr), 0);
    EXPECT_EQ(probe.destroyed, 1);
}

// Holds: F27
TEST_P(LoopConformance, AChildThatClosesTheLoopTakesNothingFromTheParent)
{
    auto pair = MakePair();
    Probe probe;
    ASSERT_EQ(hoya_loop_add_reader(loop, pair[0], Probe::RunFd, &probe, Probe::Destroy), 0);
    ASSERT_EQ(hoya_loop_call_later(loop, HOYA_SEC(3600), Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    ASSERT_EQ(hoya_loop_call_soon_full(loop, Probe::Run, &probe, Probe::Destroy, nullptr), 0);
    hoya_loop_statistics before = Stats();
    int status = InChild([&] {
        int fds = OpenFds();
        EXPECT_EQ(hoya_loop_close(loop), 0);
        EXPECT_EQ(probe.destroyed, 3) << "the child's copies end like any other's";
        EXPECT_LT(OpenFds(), fds);
        EXPECT_EQ(hoya_loop_call_soon(loop, Probe::Run, &probe), HOYA_ECLOSED);
        hoya_loop_unref(loop);
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(Stats().wakeups, before.wakeups);
    Feed(pair[1]);
    RunRounds(2);
    EXPECT_EQ(probe.runs, 3) << "the queued one, and the reader in each of two rounds";
    EXPECT_EQ(probe.destroyed, 1);
    EXPECT_EQ(Stats().wakeups, before.wakeups) << "the child woke nobody";
    Release(std::exchange(loop, nullptr)); /* while `probe` is there */
}

// Holds: F27
TEST_P(LoopConformance, AfterForkTheChildHasACopyOfAllTheWork)
{
    auto pair = MakePair();
    AddReader(pair[0], [&](hoya_fd fd, uint32_t) {
        Drain(fd);
        Note("reader");
    });
    CallSoon(Say("soon"));
    CallLater(HOYA_MSEC(5), Say("later"));
    CallSoonThreadsafe(Say("posted"));
    int status = InChild([&] {
        EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
        EXPECT_EQ(hoya_loop_after_fork(loop), 0) << "once more changes nothing";
        RunUntilNoted(3);
        Feed(pair[1]);
        RunUntilNoted(4);
        EXPECT_TRUE(Seen("soon") && Seen("later") && Seen("posted") && Seen("reader"));
        EXPECT_EQ(hoya_loop_remove_reader(loop, pair[0]), 1) << "of the child's set";
        Release(loop);
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(trace, Trace{});
    RunUntilNoted(3);
    Feed(pair[1]);
    RunUntilNoted(4);
    EXPECT_TRUE(Seen("soon") && Seen("later") && Seen("posted") && Seen("reader"));
}

TEST_P(LoopConformance, AfterForkTheChildsDescriptorsAreItsOwn)
{
    int status = InChild([&] {
        EXPECT_EQ(hoya_loop_after_fork(loop), 0);
        CallLater(HOYA_MSEC(1), [&] { Stop(); });
        Run();
        CallSoonThreadsafe([&] { Stop(); });
        Run();
        EXPECT_EQ(hoya_loop_wakeup(loop), 0);
        Release(loop);
    });
    EXPECT_EQ(status, 0);
    pollfd look = {hoya_loop_pollfd(loop), POLLIN, 0};
    EXPECT_EQ(poll(&look, 1, 0), 0) << "nothing of the parent's was written or set";
    uint64_t wakeups = Stats().wakeups;
    RunRounds(2);
    EXPECT_EQ(Stats().wakeups, wakeups);
}

// Holds: S56
TEST_P(LoopConformance, ACallbackThatForksAndReturnsInTheChildEndsTheChildsRun)
{
    bool in_child = false;
    int status = -1;
    CallSoon([&] {
        in_child = Fork(&status);
        if (!in_child) Stop();
    });
    CallSoon(Say("second"));
    int rc = hoya_loop_run_forever(loop);
    if (in_child) _exit(rc == HOYA_ECHILD && trace.empty() ? 0 : 1);
    EXPECT_EQ(rc, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(trace, (Trace{"second"}));
}

TEST_P(LoopConformance, ACallbackThatForksMayGoOnInTheChildAfterAfterFork)
{
    bool in_child = false;
    int status = -1;
    CallSoon([&] {
        in_child = Fork(&status);
        if (in_child) {
            if (host) host->AfterFork();
            EXPECT_EQ(hoya_loop_after_fork(loop), 0);
            EXPECT_EQ(hoya_get_running_loop(), loop);
        }
        CallLater(HOYA_MSEC(1), [&] { Stop(); });
    });
    CallSoon(Say("second"));
    int rc = hoya_loop_run_forever(loop);
    if (in_child) _exit(rc == 0 && trace == Trace{"second"} && !HasFailure() ? 0 : 1);
    EXPECT_EQ(rc, 0);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(trace, (Trace{"second"}));
}

TEST_P(LoopConformance, AfterForkInTheParentOrOnAClosedLoopIsAnswered)
{
    EXPECT_EQ(hoya_loop_after_fork(nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_loop_after_fork(loop), 0);
    std::thread([&] { EXPECT_EQ(hoya_loop_after_fork(loop), HOYA_ETHREAD); }).join();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_loop_after_fork(loop), HOYA_ECLOSED);
    EXPECT_EQ(InChild([&] { EXPECT_EQ(hoya_loop_after_fork(loop), HOYA_ECLOSED); }), 0);
}

/* ---- signals ---- */

// Holds: S56
TEST_P(LoopConformance, InAForkedChildASignalDoesWhatItDidBeforeTheLoopHandledIt)
{
    AddSignal(SIGUSR1, [&](int) { Note("parent"); });
    int status = InChild([] { raise(SIGUSR1); });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1) << status;
    RunRounds(2);
    EXPECT_EQ(trace, Trace{}) << "the child's signal is not the parent's";
}

// Holds: S56
TEST_P(LoopConformance, AfterForkAHandlerIsCalledInTheProcessThatGotTheSignal)
{
    AddSignal(SIGUSR1, [&](int) {
        Note("signal");
        Stop();
    });
    int status = InChild([&] {
        EXPECT_EQ(hoya_loop_after_fork(loop), 0);
        raise(SIGUSR1);
        Run();
        Release(loop);
        raise(SIGUSR1); /* as before the loop: ends the process */
    });
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1) << status;
    RunRounds(2);
    EXPECT_EQ(trace, Trace{});
    raise(SIGUSR1);
    Run();
    EXPECT_EQ(trace, (Trace{"signal"}));
}

TEST_P(LoopConformance, AChildsOwnLoopMayOwnASignalOfTheParents)
{
    AddSignal(SIGUSR1, [&](int) { Note("parent"); });
    int status = InChild([&] {
        hoya_loop *mine = nullptr;
        ASSERT_EQ(hoya_loop_new(nullptr, &mine), 0);
        auto stop = [](int, void *arg) { hoya_loop_stop(static_cast<hoya_loop *>(arg)); };
        EXPECT_EQ(hoya_loop_add_signal_handler(mine, SIGUSR1, stop, mine, nullptr), 0) << hoya_error_detail();
        raise(SIGUSR1);
        EXPECT_EQ(hoya_loop_run_forever(mine), 0);
        Release(mine);
        EXPECT_EQ(hoya_loop_close(loop), 0);
    });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(trace, Trace{});
}

/* ---- bad moments ---- */

TEST_P(LoopConformance, AForkBetweenPostsOfOtherThreadsLeavesAChildThatWorks)
{
    std::atomic<bool> enough{false};
    std::atomic<int> waiting{0};
    auto post = [&] {
        while (!enough) {
            if (waiting > 50) std::this_thread::yield();
            else {
                waiting++;
                CallSoonThreadsafe([&] { waiting--; });
            }
        }
    };
    std::vector<std::thread> posters;
    for (int i = 0; i < 3; i++) posters.emplace_back(post);
    for (int i = 0; i < 20; i++) {
        int status = InChild([&] {
            EXPECT_EQ(hoya_loop_after_fork(loop), 0);
            CallSoon([&] { Stop(); });
            Run();
        });
        EXPECT_EQ(status, 0);
        RunRounds(1);
    }
    enough = true;
    for (std::thread &poster : posters) poster.join();
    RunRounds(2);
}

TEST_P(LoopConformance, AfterForkWithoutDescriptorsMayBeTriedAgain)
{
    CallSoon([&] { Stop(); });
    int status = InChild([&] {
        rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        for (rlim_t most = 0; most < 40; most++) {
            rlimit low = {most, limit.rlim_max};
            setrlimit(RLIMIT_NOFILE, &low);
            int rc = hoya_loop_after_fork(loop);
            EXPECT_TRUE(rc == 0 || rc == HOYA_EMFILE) << rc;
            if (rc == 0) break;
            EXPECT_EQ(hoya_loop_call_soon(loop, Probe::Run, nullptr), HOYA_ECHILD);
        }
        setrlimit(RLIMIT_NOFILE, &limit);
        EXPECT_EQ(hoya_loop_after_fork(loop), 0);
        Run();
        Release(loop);
    });
    EXPECT_EQ(status, 0);
    Run();
}

// Holds: F27
TEST_P(GuestConformance, AfterForkAHostGoesOnIfItCanAndTheParentsDoesInAnyCase)
{
    int ticks = 0;
    HostLoop::Id timer = host->AddTimer(HOYA_MSEC(1), [&] { ticks++; });
    CallLater(HOYA_MSEC(5), Say("later"));
    int status = InChild([&] {
        EXPECT_EQ(hoya_loop_after_fork(loop), 0);
        EXPECT_EQ(IsNative(), !host->Forks());
        CallLater(HOYA_MSEC(10), [&] { Stop(); });
        Run();
        EXPECT_EQ(trace, (Trace{"later"}));
        Release(loop);
    });
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(IsNative());
    RunHostUntilSeen("later");
    RunHostUntil([&] { return ticks > 2; });
    host->Remove(timer);
}

// Holds: F27
TEST_P(GuestConformance, AChildThatClosesTheLoopLeavesTheParentsHostAsItWas)
{
    int watched = host->WatchedFds();
    int status = InChild([&] { Release(loop); });
    EXPECT_EQ(status, 0);
    EXPECT_EQ(host->WatchedFds(), watched);
    CallSoon(Say("soon"));
    RunHostUntilSeen("soon");
}

} // namespace hoya_test
