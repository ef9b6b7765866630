/* SPDX-License-Identifier: MIT
 *
 * conformance/children_test.cc: children and signals belong to the process, and the host may have been there first.
 * Its children end properly whatever the loop does with SIGCHLD; its signals are its own until the loop is asked to
 * handle them, and again afterwards.
 */
#include "conformance.h"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "support/leaks.h"

namespace hoya_test
{
namespace
{

volatile sig_atomic_t caught;

void (*HandlerOf(int signum))(int)
{
    struct sigaction now;
    sigaction(signum, nullptr, &now);
    return now.sa_handler;
}

/* SIGCHLD as it was, after whatever the host left there. */
struct Restore {
    struct sigaction before;
    Restore() { sigaction(SIGCHLD, nullptr, &before); }
    ~Restore() { sigaction(SIGCHLD, &before, nullptr); }
};

/* A child of the application's: the host's, if it has such; else one that a timer of the host's waits for. */
void Spawn(HostLoop &host, const char *script, std::function<void(int)> ended)
{
    if (host.Spawn(script, ended)) return;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", script, static_cast<char *>(nullptr));
        _exit(127);
    }
    auto timer = std::make_shared<HostLoop::Id>();
    *timer = host.AddTimer(HOYA_MSEC(1), [&host, child, timer, ended] {
        int status = 0;
        if (waitpid(child, &status, WNOHANG) != child) return;
        host.Remove(*timer);
        ended(WEXITSTATUS(status));
    });
}

/* A handler of the application's for SIGINT, by way of the host if it has such; else a plain action. It counts. */
class Interrupts
{
  public:
    explicit Interrupts(HostLoop &host) : host_(host)
    {
        sigaction(SIGINT, nullptr, &before_);
        caught = 0;
        id_ = host.AddSignal(SIGINT, [] { caught = caught + 1; });
        if (id_) return;
        struct sigaction action = {};
        action.sa_handler = [](int) { caught = caught + 1; };
        sigaction(SIGINT, &action, nullptr);
    }
    ~Interrupts()
    {
        if (id_) host_.Remove(id_);
        host_.Settle();
        sigaction(SIGINT, &before_, nullptr);
    }

  private:
    HostLoop &host_;
    HostLoop::Id id_;
    struct sigaction before_;
};

constexpr char kShort[] = "exit 3";
constexpr char kLonger[] = "sleep 0.1; exit 4"; /* there is time to do something meanwhile */

/* What the first child and the first signal of a host's open stays open. */
WarmUp children([] {
    Restore restore;
    for (const Variant &variant : foreign_variants()) {
        if (variant.flags || variant.selector) continue;
        auto host = variant.make_host();
        bool over = false;
        Spawn(*host, kShort, [&](int) { over = true; });
        host->RunUntil([&] { return over; });
        Interrupts{*host};
    }
});

} // namespace

/* ---- children ---- */

// Holds: F25
TEST_P(GuestConformance, AChildOfTheHostsEndsBesideALoopWithoutAHandler)
{
    Restore restore;
    int code = -1;
    CallLater(HOYA_SEC(60), Say("never"));
    Spawn(*host, kShort, [&](int how) { code = how; });
    RunHostUntil([&] { return code >= 0; });
    EXPECT_EQ(code, 3);
}

// Holds: F25
TEST_P(GuestConformance, AChildOfTheHostsEndsThoughTheLoopHandlesSigchldMeanwhile)
{
    Restore restore;
    int code = -1;
    Spawn(*host, kLonger, [&](int how) { code = how; });
    AddSignal(SIGCHLD, [&](int) { Note("SIGCHLD"); });
    RunHostUntil([&] { return code >= 0 && Seen("SIGCHLD"); });
    EXPECT_EQ(code, 4);
}

// Holds: F25
TEST_P(GuestConformance, AChildOfTheHostsEndsThatBeganAfterTheLoopsHandler)
{
    Restore restore;
    int code = -1;
    AddSignal(SIGCHLD, [&](int) { Note("SIGCHLD"); });
    auto ours = HandlerOf(SIGCHLD);
    Spawn(*host, kLonger, [&](int how) { code = how; });
    bool is_ours = HandlerOf(SIGCHLD) == ours; /* else the host has taken it, and tells us or not: libuv does not */
    RunHostUntil([&] { return code >= 0 && (!is_ours || Seen("SIGCHLD")); });
    EXPECT_EQ(code, 4);
}

// Holds: F25 F26
TEST_P(GuestConformance, AChildOfTheHostsEndsAfterTheLoopGaveSigchldBack)
{
    Restore restore;
    int code = -1;
    AddSignal(SIGCHLD, [&](int) { Note("never"); });
    Spawn(*host, kLonger, [&](int how) { code = how; });
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGCHLD), 1);
    RunHostUntil([&] { return code >= 0; });
    EXPECT_EQ(code, 4);
    EXPECT_EQ(trace, Trace{});
}

// Holds: F25
TEST_P(GuestConformance, AChildOfNobodysIsWaitedForByNobody)
{
    Restore restore;
    int code = -1;
    pid_t mine = fork();
    if (mine == 0) _exit(5);
    AddSignal(SIGCHLD, [&](int) { Note("SIGCHLD"); });
    Spawn(*host, kShort, [&](int how) { code = how; });
    RunHostUntil([&] { return code >= 0; });
    int status = 0;
    EXPECT_EQ(waitpid(mine, &status, 0), mine);
    EXPECT_EQ(WEXITSTATUS(status), 5);
}

/* ---- SIGINT ---- */

// Holds: F26
TEST_P(GuestConformance, AnInterruptIsTheApplicationsWhileTheLoopHasNoHandler)
{
    Interrupts interrupts(*host);
    auto theirs = HandlerOf(SIGINT);
    AddSignal(SIGUSR1, [&](int) { Note("SIGUSR1"); });
    raise(SIGINT);
    raise(SIGUSR1);
    RunHostUntil([&] { return caught == 1 && Seen("SIGUSR1"); });
    EXPECT_EQ(HandlerOf(SIGINT), theirs);
}

// Holds: F26 S133
TEST_P(GuestConformance, AnInterruptIsTheApplicationsAgainAfterTheLoopsHandlerIsRemoved)
{
    Interrupts interrupts(*host);
    auto theirs = HandlerOf(SIGINT);
    for (int i = 1; i <= 3; i++) {
        AddSignal(SIGINT, [&](int) { Note("SIGINT"); });
        raise(SIGINT);
        RunHostUntil([&] { return trace.size() == static_cast<size_t>(i); });
        EXPECT_EQ(caught, i - 1) << "the loop's, and nobody else's";
        EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGINT), 1);
        EXPECT_EQ(HandlerOf(SIGINT), theirs);
        raise(SIGINT);
        RunHostUntil([&] { return caught == i; });
    }
    EXPECT_EQ(trace.size(), 3u);
}

// Holds: F26 S134
TEST_P(GuestConformance, AnInterruptIsTheApplicationsAgainAfterTheLoopIsClosed)
{
    Interrupts interrupts(*host);
    auto theirs = HandlerOf(SIGINT);
    hoya_loop *sibling = NewSibling();
    auto run = [](int, void *arg) { Probe::Run(arg); };
    Probe probe;
    EXPECT_EQ(hoya_loop_add_signal_handler(sibling, SIGINT, run, &probe, nullptr), 0);
    raise(SIGINT);
    RunHostUntil([&] { return probe.runs == 1; });
    host->CallOnce([&] { Release(sibling); });
    RunHostFor(HOYA_MSEC(2));
    EXPECT_EQ(HandlerOf(SIGINT), theirs);
    raise(SIGINT);
    RunHostUntil([&] { return caught == 1; });
    EXPECT_EQ(probe.runs, 1);
}

} // namespace hoya_test
