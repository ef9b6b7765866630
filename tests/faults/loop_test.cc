/* SPDX-License-Identifier: MIT
 *
 * faults/loop_test.cc: the scenarios of a loop's life, on every host and selector, with each fallible call failing.
 * What was refused has destroyed its argument; what was accepted happens.
 */
#include "faults/sweep.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

/* An argument: how often it was run and destroyed. */
struct Seen {
    int runs = 0, destroyed = 0;

    static void Run(void *arg) { static_cast<Seen *>(arg)->runs++; }
    static void RunSignal(int, void *arg) { Run(arg); }
    static void Destroy(void *arg) { static_cast<Seen *>(arg)->destroyed++; }
};

/* A connected pair whose first end is readable; of the scenario's own. */
struct Ends {
    int fds[2];
    Seen reader, writer;

    explicit Ends(bool readable = true)
    {
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        if (readable) EXPECT_EQ(send(fds[1], "x", 1, 0), 1);
    }
    ~Ends()
    {
        close(fds[0]);
        close(fds[1]);
    }
    Ends(const Ends &) = delete;

    static void Run(hoya_fd, uint32_t, void *arg) { Seen::Run(arg); }
};

class LoopFaults : public VariantFaults
{
};

class GuestFaults : public LoopFaults
{
};

class NestingFaults : public LoopFaults
{
};

std::string VariantName(const testing::TestParamInfo<Variant> &info)
{
    return info.param.name;
}

} // namespace

TEST_P(LoopFaults, MakingAndClosing)
{
    Sweep(Name("making and closing").c_str(), [&](Faults &faults) { Loop loop(faults, variant(), host.get()); });
}

TEST_P(LoopFaults, CallSoon)
{
    Sweep(Name("call_soon").c_str(), [&](Faults &faults) {
        Seen plain, full;
        int accepted = 0, cancelled = 0, attempts = 0;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            for (int i = 0; i < 70; i++) {
                accepted += faults.Ok(hoya_loop_call_soon(loop, Seen::Run, &plain));
                if (i % 7) continue;
                hoya_handle *handle = nullptr;
                attempts++;
                if (faults.Ok(hoya_loop_call_soon_full(loop, Seen::Run, &full, Seen::Destroy, &handle)) && i % 2)
                    cancelled += hoya_handle_cancel(handle);
                hoya_handle_unref(handle);
            }
            EXPECT_TRUE(loop.RunUntil([&] { return plain.runs == accepted && full.destroyed == attempts; }))
                << plain.runs << " of " << accepted;
        }
        EXPECT_EQ(full.destroyed, attempts);
        EXPECT_LE(full.runs, attempts - cancelled);
    });
}

TEST_P(LoopFaults, Timers)
{
    Sweep(Name("timers").c_str(), [&](Faults &faults) {
        Seen soon, far;
        int accepted = 0;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            for (int i = 0; i < 40; i++) {
                hoya_handle *handle = nullptr;
                int64_t delay = i % 4 ? HOYA_USEC(i) : HOYA_SEC(3600);
                Seen *seen = i % 4 ? &soon : &far;
                bool made = faults.Ok(hoya_loop_call_later(loop, delay, Seen::Run, seen, Seen::Destroy, &handle));
                if (made && i % 4) accepted++;
                if (made && i % 8 == 0) EXPECT_EQ(hoya_handle_cancel(handle), 1);
                hoya_handle_unref(handle);
            }
            EXPECT_TRUE(loop.RunUntil([&] { return soon.runs == accepted; })) << soon.runs << " of " << accepted;
        }
        EXPECT_EQ(soon.destroyed, 30);
        EXPECT_EQ(far.destroyed, 10);
        EXPECT_EQ(far.runs, 0);
    });
}

TEST_P(LoopFaults, ReadersAndWriters)
{
    Sweep(Name("readers and writers").c_str(), [&](Faults &faults) {
        Ends ends, other;
        Seen replaced;
        int attempts = 0;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            bool reader =
                faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, Seen::Destroy));
            bool writer =
                faults.Ok(hoya_loop_add_writer(loop, ends.fds[0], Ends::Run, &ends.writer, Seen::Destroy));
            if (faults.Ok(hoya_loop_add_writer(loop, other.fds[0], Ends::Run, &other.writer, Seen::Destroy)))
                EXPECT_EQ(hoya_loop_remove_writer(loop, other.fds[0]), 1);
            EXPECT_TRUE(
                loop.RunUntil([&] { return (!reader || ends.reader.runs) && (!writer || ends.writer.runs); }));
            attempts++;
            if (faults.Ok(hoya_loop_replace_reader(loop, ends.fds[0], Ends::Run, &replaced, Seen::Destroy))) {
                EXPECT_TRUE(loop.RunUntil([&] { return replaced.runs > 0; }));
                EXPECT_EQ(ends.reader.destroyed, 1);
            } else if (reader) {
                int runs = ends.reader.runs;
                EXPECT_TRUE(loop.RunUntil([&] { return ends.reader.runs > runs; })) << "the old one stays";
            }
            EXPECT_EQ(hoya_loop_remove_writer(loop, ends.fds[0]), writer);
        }
        EXPECT_EQ(ends.reader.destroyed, 1);
        EXPECT_EQ(ends.writer.destroyed, 1);
        EXPECT_EQ(other.writer.destroyed, 1);
        EXPECT_EQ(replaced.destroyed, attempts);
        EXPECT_EQ(other.writer.runs, 0);
    });
}

TEST_P(LoopFaults, ManyDescriptors)
{
    Sweep(Name("many descriptors").c_str(), [&](Faults &faults) {
        std::vector<std::unique_ptr<Ends>> all;
        for (int i = 0; i < 40; i++) all.push_back(std::make_unique<Ends>());
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        std::vector<Ends *> accepted;
        for (auto &ends : all)
            if (faults.Ok(hoya_loop_add_reader(loop, ends->fds[0], Ends::Run, &ends->reader, nullptr)))
                accepted.push_back(ends.get());
        EXPECT_TRUE(loop.RunUntil([&] {
            return std::all_of(accepted.begin(), accepted.end(), [](Ends *ends) { return ends->reader.runs > 0; });
        }));
    });
}

TEST_P(LoopFaults, PostsOfAnotherThread)
{
    Sweep(Name("posts of another thread").c_str(), [&](Faults &faults) {
        Seen plain, full;
        int accepted = 0, attempts = 0, cancelled = 0;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            std::thread([&] {
                for (int i = 0; i < 100; i++) {
                    accepted +=
                        faults.Ok(hoya_loop_call_soon_threadsafe(loop, Seen::Run, &plain, nullptr, nullptr));
                    if (i % 20) continue;
                    hoya_threadsafe_handle *handle = nullptr;
                    attempts++;
                    if (faults.Ok(hoya_loop_call_soon_threadsafe(loop, Seen::Run, &full, Seen::Destroy, &handle)) &&
                        i % 40)
                        cancelled += hoya_threadsafe_handle_cancel(handle);
                    hoya_threadsafe_handle_unref(handle);
                }
            }).join();
            EXPECT_TRUE(loop.RunUntil([&] { return plain.runs == accepted && full.destroyed == attempts; }))
                << plain.runs << " of " << accepted;
        }
        EXPECT_EQ(full.destroyed, attempts);
        EXPECT_LE(full.runs, attempts - cancelled);
    });
}

TEST_P(LoopFaults, RunForeverAndStop)
{
    Sweep(Name("run_forever and stop").c_str(), [&](Faults &faults) {
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        std::thread stopper([&] { EXPECT_EQ(hoya_loop_stop(loop), 0); });
        faults.Ok(hoya_loop_run_forever(loop));
        stopper.join();
        EXPECT_EQ(hoya_loop_start(loop), 0) << "if the run failed before the stop";
        EXPECT_EQ(hoya_loop_wakeup(loop), 0);
        auto stop = [](void *arg) { hoya_loop_stop(*static_cast<Loop *>(arg)); };
        if (faults.Ok(hoya_loop_call_soon(loop, stop, &loop))) faults.Ok(hoya_loop_run_forever(loop));
        auto abort = [](void *arg) { hoya_loop_abort(*static_cast<Loop *>(arg), HOYA_EPIPE); };
        EXPECT_EQ(hoya_loop_start(loop), 0);
        if (!faults.Ok(hoya_loop_call_soon(loop, abort, &loop))) return;
        int rc = hoya_loop_run_forever(loop);
        if (rc == HOYA_EPIPE) return;
        EXPECT_FALSE(faults.Ok(rc)) << "the wait failed before the callback ran, which is still queued";
        EXPECT_EQ(hoya_loop_run_forever(loop), HOYA_EPIPE);
    });
}

TEST_P(LoopFaults, SignalHandlers)
{
    Sweep(Name("signal handlers").c_str(), [&](Faults &faults) {
        Seen first, second;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            bool added =
                faults.Ok(hoya_loop_add_signal_handler(loop, SIGUSR1, Seen::RunSignal, &first, Seen::Destroy));
            if (added) {
                raise(SIGUSR1);
                EXPECT_TRUE(loop.RunUntil([&] { return first.runs == 1; }));
            }
            bool replaced =
                faults.Ok(hoya_loop_replace_signal_handler(loop, SIGUSR1, Seen::RunSignal, &second, Seen::Destroy));
            if (replaced) {
                raise(SIGUSR1);
                EXPECT_TRUE(loop.RunUntil([&] { return second.runs == 1; }));
            }
            EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), added || replaced);
        }
        EXPECT_EQ(first.destroyed, 1);
        EXPECT_EQ(second.destroyed, 1);
    });
}

TEST_P(LoopFaults, DebugModeAndDump)
{
    Sweep(Name("debug mode").c_str(), [&](Faults &faults) {
        Ends ends;
        Seen seen;
        int accepted = 0;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
        EXPECT_EQ(hoya_loop_set_slow_callback_duration(loop, 0), 0);
        bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
        accepted += faults.Ok(hoya_loop_call_soon(loop, Seen::Run, &seen));
        accepted += faults.Ok(hoya_loop_call_soon_threadsafe(loop, Seen::Run, &seen, nullptr, nullptr));
        faults.Ok(hoya_loop_call_later(loop, HOYA_SEC(3600), Seen::Run, &seen, nullptr, nullptr));
        size_t lines = 0;
        EXPECT_EQ(hoya_loop_dump(
                      loop, [](const char *, void *arg) { ++*static_cast<size_t *>(arg); }, &lines),
                  0);
        EXPECT_GT(lines, 5u);
        EXPECT_TRUE(loop.RunUntil([&] { return seen.runs == accepted && (!reader || ends.reader.runs); }));
    });
}

TEST_P(LoopFaults, AMainLoopOfTheApplications)
{
    if (variant().foreign() || variant().selector) return; /* without a descriptor there is nothing to wait for */
    Sweep(Name("a main loop of the application's").c_str(), [&](Faults &faults) {
        Ends ends;
        Seen timer;
        Loop loop(faults, variant());
        if (!loop) return;
        bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
        bool later = faults.Ok(hoya_loop_call_later(loop, HOYA_USEC(50), Seen::Run, &timer, nullptr, nullptr));
        auto done = [&] { return (!reader || ends.reader.runs) && (!later || timer.runs); };
        for (int i = 0; i < 200 && !done(); i++) {
            pollfd ready = {hoya_loop_pollfd(loop), POLLIN, 0};
            poll(&ready, 1, hoya_loop_deadline(loop) == HOYA_NOW ? 0 : 1);
            faults.Ok(hoya_loop_dispatch(loop, HOYA_NEVER));
        }
        EXPECT_TRUE(done());
    });
}

TEST_P(LoopFaults, TheChildOfAFork)
{
    Sweep(Name("the child of a fork").c_str(), [&](Faults &faults) {
        Ends ends;
        Seen timer;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
        bool later = faults.Ok(hoya_loop_call_later(loop, HOYA_USEC(50), Seen::Run, &timer, nullptr, nullptr));
        faults.InChild([&] {
            if (host) host->AfterFork();
            bool mine = faults.Ok(hoya_loop_after_fork(loop));
            if (!mine) EXPECT_EQ(hoya_loop_call_soon(loop, Seen::Run, &timer), HOYA_ECHILD);
            Faults::Pause pause;
            EXPECT_EQ(hoya_loop_after_fork(loop), 0) << "may be tried again";
            EXPECT_TRUE(loop.RunUntil([&] { return (!reader || ends.reader.runs) && (!later || timer.runs); }));
        });
        faults.InChild([&] {
            if (host) host->AfterFork();
            EXPECT_EQ(hoya_loop_close(loop), 0);
        });
    });
}

INSTANTIATE_TEST_SUITE_P(Hosts, LoopFaults, testing::ValuesIn(variants()), VariantName);

/* ---- hosts ---- */

TEST_P(GuestFaults, AttachAndDetach)
{
    Sweep(Name("attach and detach").c_str(), [&](Faults &faults) {
        Ends ends;
        Seen timer;
        Loop loop(faults, variant());
        if (!loop) return;
        bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
        bool later = faults.Ok(hoya_loop_call_later(loop, HOYA_USEC(50), Seen::Run, &timer, nullptr, nullptr));
        bool attached = faults.Ok(hoya_loop_attach(loop, host->NewAdapter(), 0));
        EXPECT_EQ(std::string(hoya_loop_host_name(loop)) == "native", !attached);
        EXPECT_TRUE(loop.RunUntil([&] { return (!reader || ends.reader.runs) && (!later || timer.runs); }));
        EXPECT_EQ(hoya_loop_detach(loop), attached ? 0 : HOYA_ESTATE);
        EXPECT_STREQ(hoya_loop_host_name(loop), "native");
        int runs = ends.reader.runs;
        EXPECT_TRUE(loop.RunUntil([&] { return !reader || ends.reader.runs > runs; }));
    });
}

TEST_P(GuestFaults, AttachAndDetachInACallback)
{
    Sweep(Name("attach and detach in a callback").c_str(), [&](Faults &faults) {
        struct Move {
            Faults &faults;
            hoya_loop *loop;
            HostLoop *host;
            int runs = 0;
        };
        Ends ends;
        Loop loop(faults, variant());
        if (!loop) return;
        Move move{faults, loop, host.get()};
        auto in = [](void *arg) {
            auto m = static_cast<Move *>(arg);
            m->faults.Ok(hoya_loop_attach(m->loop, m->host->NewAdapter(), 0));
            m->runs++;
        };
        auto out = [](void *arg) {
            auto m = static_cast<Move *>(arg);
            hoya_loop_detach(m->loop);
            m->runs++;
        };
        int accepted = faults.Ok(hoya_loop_call_soon(loop, in, &move));
        accepted += faults.Ok(hoya_loop_call_later(loop, HOYA_USEC(100), out, &move, nullptr, nullptr));
        bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
        EXPECT_TRUE(loop.RunUntil([&] { return move.runs == accepted && (!reader || ends.reader.runs); }));
    });
}

TEST_P(GuestFaults, TheHostDies)
{
    host.reset(); /* Qt has one application at a time */
    Sweep(Name("the host dies").c_str(), [&](Faults &faults) {
        Ends ends;
        Seen timer;
        std::unique_ptr<HostLoop> mortal;
        {
            Faults::Pause pause;
            mortal = variant().make_host();
        }
        {
            Loop loop(faults, variant(), mortal.get());
            if (loop) {
                bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
                bool later =
                    faults.Ok(hoya_loop_call_later(loop, HOYA_USEC(100), Seen::Run, &timer, nullptr, nullptr));
                mortal->Die();
                EXPECT_EQ(hoya_loop_detach(loop), HOYA_ESTATE) << "it has none any more";
                EXPECT_TRUE(loop.RunUntil([&] { return (!reader || ends.reader.runs) && (!later || timer.runs); }));
            }
        }
        mortal.reset();
    });
}

TEST_P(GuestFaults, TheApplicationRunsTheHost)
{
    Sweep(Name("the application runs the host").c_str(), [&](Faults &faults) {
        Ends ends;
        Seen timer, post;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        bool reader = faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], Ends::Run, &ends.reader, nullptr));
        bool later = faults.Ok(hoya_loop_call_later(loop, HOYA_USEC(100), Seen::Run, &timer, nullptr, nullptr));
        bool posted = false;
        std::thread([&] {
            posted = faults.Ok(hoya_loop_call_soon_threadsafe(loop, Seen::Run, &post, nullptr, nullptr));
        }).join();
        EXPECT_TRUE(host->RunUntil(
            [&] { return (!reader || ends.reader.runs) && (!later || timer.runs) && (!posted || post.runs); },
            HOYA_SEC(2)));
    });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(GuestFaults);
INSTANTIATE_TEST_SUITE_P(Hosts, GuestFaults, testing::ValuesIn(foreign_variants()), VariantName);

/* A descriptor whose callback nests leaves the selector and has to come back. */
TEST_P(NestingFaults, AReaderThatNests)
{
    Sweep(Name("a reader that nests").c_str(), [&](Faults &faults) {
        struct Nest {
            HostLoop *host;
            int runs = 0, inner = 0;
            hoya_loop *loop = nullptr;
        } nest{host.get()};
        Ends ends;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        nest.loop = loop;
        auto run = [](hoya_fd, uint32_t, void *arg) {
            auto n = static_cast<Nest *>(arg);
            if (++n->runs > 1) return;
            n->host->RunNestedUntil([] { return false; }, HOYA_MSEC(1));
        };
        if (!faults.Ok(hoya_loop_add_reader(loop, ends.fds[0], run, &nest, nullptr))) return;
        EXPECT_TRUE(loop.RunUntil([&] { return nest.runs > 0; }));
        Faults::Pause pause; /* while epoll has no memory it cannot come back, only be tried again */
        EXPECT_TRUE(loop.RunUntil([&] { return nest.runs > 2; }));
    });
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NestingFaults);
INSTANTIATE_TEST_SUITE_P(Hosts, NestingFaults, testing::ValuesIn(nesting_variants()), VariantName);

} // namespace hoya_test
