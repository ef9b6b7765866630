/* SPDX-License-Identifier: MIT
 *
 * conformance/debug_test.cc: what a loop says in debug mode, and what it tells when it is asked. Places in the program
 * are recognised by the name of this test program, since its own functions are not known to the dynamic linker.
 */
#include "conformance.h"

#include <sys/socket.h>

#include <csignal>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

constexpr char kHere[] = ", from hoya-conformance-tests(";

std::string Dump(hoya_loop *loop)
{
    std::string text;
    auto line = [](const char *words, void *arg) { *static_cast<std::string *>(arg) += std::string(words) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
    return text;
}

bool Has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

void Nothing(void *) {}

} // namespace

/* ---- slow callbacks ---- */

// Holds: S157
TEST_P(LoopConformance, ASlowCallbackIsNamedWithThePlaceThatScheduledIt)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    EXPECT_EQ(hoya_loop_set_slow_callback_duration(loop, HOYA_MSEC(1)), 0);
    auto burn = [](void *) { Burn(HOYA_MSEC(2)); };
    EXPECT_EQ(hoya_loop_call_soon(loop, burn, nullptr), 0);
    RunRounds(1);
    EXPECT_TRUE(Logged("Executing call_soon callback hoya-conformance-tests("));
    EXPECT_TRUE(Logged(kHere)) << "the bare call_soon knows its place in debug mode as well";
    EXPECT_TRUE(Logged(", took 0."));
    EXPECT_EQ(hoya_loop_call_later(loop, 0, burn, nullptr, nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_TRUE(Logged("Executing timer hoya-conformance-tests("));
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, burn, nullptr, nullptr, nullptr), 0);
    RunRounds(1);
    EXPECT_TRUE(Logged("Executing call_soon_threadsafe callback hoya-conformance-tests("));
}

TEST_P(LoopConformance, DebugModeMeasuresTheSelectorAndTheCallbacks)
{
    CallSoon([] { Burn(HOYA_MSEC(2)); });
    RunRounds(2);
    EXPECT_EQ(Stats().select_time, 0);
    EXPECT_EQ(Stats().callback_time, 0);
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    CallSoon([] { Burn(HOYA_MSEC(2)); });
    RunRounds(2);
    EXPECT_GT(Stats().select_time, 0);
    EXPECT_GE(Stats().callback_time, HOYA_MSEC(2));
}

/* ---- descriptors ---- */

// Holds: S81 F19
TEST_P(LoopConformance, ADescriptorThatWasClosedWhileItWasWatchedIsNamedOnce)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    auto pair = MakePair();
    AddReader(pair[0], [](hoya_fd, uint32_t) {});
    AddWriter(pair[0], [](hoya_fd, uint32_t) {});
    RunRounds(2);
    EXPECT_EQ(LogLines(), 0u) << "not while it is open";
    Close(pair[0]);
    RunRounds(3);
    std::string words = "descriptor " + std::to_string(pair[0]) + " was closed while it was watched: ";
    EXPECT_TRUE(Logged(words + "reader hoya-conformance-tests("));
    EXPECT_TRUE(Logged(words + "writer hoya-conformance-tests("));
    EXPECT_TRUE(Logged(kHere));
    EXPECT_EQ(LogLines(), 2u) << "once a side";
    EXPECT_EQ(hoya_loop_remove_reader(loop, pair[0]), 1);
    EXPECT_EQ(hoya_loop_remove_writer(loop, pair[0]), 1);
}

// Holds: F19
TEST_P(LoopConformance, ADescriptorThatBecameSomethingElseWhileItWasWatchedIsNamed)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    auto watched = MakePair();
    auto other = MakePipe();
    AddReader(watched[0], [](hoya_fd, uint32_t) {});
    RunRounds(1);
    ASSERT_EQ(dup2(other[0], watched[0]), watched[0]);
    RunRounds(2);
    EXPECT_TRUE(Logged("descriptor " + std::to_string(watched[0]) +
                       " was closed and opened as something else while it was watched: reader"));
    EXPECT_EQ(hoya_loop_remove_reader(loop, watched[0]), 1);
}

TEST_P(LoopConformance, ADescriptorThatIsWatchedAnewIsANewOneToDebugMode)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    auto watched = MakePair();
    auto other = MakePipe();
    AddReader(watched[0], [](hoya_fd, uint32_t) {});
    EXPECT_EQ(hoya_loop_remove_reader(loop, watched[0]), 1);
    ASSERT_EQ(dup2(other[0], watched[0]), watched[0]);
    AddReader(watched[0], [](hoya_fd, uint32_t) {});
    RunRounds(2);
    EXPECT_EQ(hoya_loop_remove_reader(loop, watched[0]), 1);
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: F6
TEST_P(LoopConformance, AReaderThatDoesNotHandleTheEndIsNamedOnce)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    enum { kSocket, kPipe, kHalf };
    for (int kind : {kSocket, kPipe, kHalf}) {
        auto [ours, theirs] = kind == kPipe ? MakePipe() : MakePair();
        AddReader(ours, [](hoya_fd, uint32_t) {});
        if (kind == kHalf) EXPECT_EQ(shutdown(theirs, SHUT_WR), 0); /* the end, and no hang-up */
        else Close(theirs);
        RunRounds(90);
        EXPECT_EQ(LogLines(), 0u);
        RunRounds(200);
        EXPECT_TRUE(Logged("descriptor " + std::to_string(ours) +
                           " is at its end, and is neither read nor removed: reader hoya-conformance-tests("));
        EXPECT_EQ(LogLines(), 1u);
        EXPECT_EQ(hoya_loop_remove_reader(loop, ours), 1);
        ClearLog();
    }
}

// Holds: F6
TEST_P(LoopConformance, AReaderThatTakesItsTimeToTheEndIsNotNamed)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    auto pair = MakePair();
    char text[300] = {};
    ASSERT_EQ(write(pair[1], text, sizeof text), static_cast<ssize_t>(sizeof text));
    Close(pair[1]);
    AddReader(pair[0], [&](hoya_fd fd, uint32_t) {
        char byte;
        if (read(fd, &byte, 1) == 0) hoya_loop_remove_reader(loop, fd);
        else Note("byte");
    });
    RunRounds(400);
    EXPECT_EQ(trace.size(), sizeof text);
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: F6
TEST_P(LoopConformance, AReaderOfEmptyPacketsIsNotNamed)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    for (int type : {SOCK_DGRAM, SOCK_SEQPACKET}) {
        int pair[2];
        ASSERT_EQ(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        Own(pair[0]);
        Own(pair[1]);
        EXPECT_EQ(send(pair[1], "", 0, 0), 0);
        AddReader(pair[0], [&](hoya_fd fd, uint32_t) {
            char byte;
            EXPECT_EQ(recv(fd, &byte, 1, 0), 0);
            EXPECT_EQ(send(pair[1], "", 0, 0), 0);
            Note("packet");
        });
        RunRounds(300);
        EXPECT_GT(trace.size(), 200u);
        EXPECT_EQ(LogLines(), 0u);
        EXPECT_EQ(hoya_loop_remove_reader(loop, pair[0]), 1);
        trace.clear();
    }
}

/* ---- what is left ---- */

TEST_P(LoopConformance, WhatIsLeftInALoopThatIsClosedIsNamedInDebugMode)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    CallSoon([] {});
    CallLater(HOYA_SEC(10), [] {});
    auto pair = MakePair();
    AddReader(pair[0], [](hoya_fd, uint32_t) {});
    AddWriter(pair[1], [](hoya_fd, uint32_t) {});
    AddSignal(SIGUSR1, [](int) {});
    std::thread([&] { CallSoonThreadsafe([] {}); }).join();
    CallSoonHandle([] {}).reset();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    for (const char *what :
         {"call_soon callback", "timer", "reader", "writer", "signal handler", "call_soon_threadsafe callback"})
        EXPECT_TRUE(Logged(std::string("left in a loop that is closed: ") + what + " ")) << what;
    EXPECT_TRUE(Logged(kHere));
    EXPECT_TRUE(Logged("7 things were left in the loop from hoya-conformance-tests("));
}

TEST_P(LoopConformance, WhatWasCancelledOrRemovedIsNotLeft)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    EXPECT_EQ(hoya_handle_cancel(CallSoonHandle([] {}).get()), 1);
    EXPECT_EQ(hoya_handle_cancel(CallLater(HOYA_SEC(10), [] {}).get()), 1);
    auto pair = MakePair();
    AddReader(pair[0], [](hoya_fd, uint32_t) {});
    EXPECT_EQ(hoya_loop_remove_reader(loop, pair[0]), 1);
    AddSignal(SIGUSR1, [](int) {});
    EXPECT_EQ(hoya_loop_remove_signal_handler(loop, SIGUSR1), 1);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(LoopConformance, OfManyThingsLeftOnlyTheFirstAreNamed)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    for (int i = 0; i < 1000; i++) CallLater(HOYA_SEC(10), [] {});
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(LogLines(), 21u);
    EXPECT_TRUE(Logged("1000 things were left"));
}

TEST_P(LoopConformance, WithoutDebugModeALoopIsClosedInSilence)
{
    CallSoon([] {});
    CallLater(HOYA_SEC(10), [] {});
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(LogLines(), 0u);
}

/* ---- dump ---- */

TEST_P(LoopConformance, DumpTellsEverythingThatTheLoopHolds)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    CallSoon([] {});
    EXPECT_EQ(hoya_handle_cancel(CallSoonHandle([] {}).get()), 1);
    CallLater(HOYA_SEC(10), [] {});
    CallLater(HOYA_NEVER, [] {});
    CallLater(-1, [] {});
    auto pair = MakePair();
    AddReader(pair[0], [](hoya_fd, uint32_t) {});
    AddSignal(SIGUSR1, [](int) {});
    std::thread([&] { CallSoonThreadsafe([] {}); }).join();
    std::string text = Dump(loop);
    for (const std::string &part :
         {std::string("not running, 0 dispatches on the stack, debug"),
          "host " + std::string(hoya_loop_host_name(loop)),
          "selector " + std::string(hoya_loop_selector_name(loop)), std::string("queued: 2\n"),
          std::string("a cancelled call_soon callback\n"), std::string("posts on their way: 1\n"),
          std::string("timers: 3\n"), std::string("    in 9.9"), std::string("    never: timer"),
          std::string("    due: timer"), std::string("descriptors: 1\n"),
          "    " + std::to_string(pair[0]) + ": reader", std::string("signals: 1\n"),
          "    " + std::to_string(SIGUSR1) + ": signal handler", std::string(kHere)})
        EXPECT_TRUE(Has(text, part)) << part << " is not in\n" << text;
    EXPECT_EQ(hoya_loop_set_debug(loop, 0), 0);
}

TEST_P(LoopConformance, DumpInACallbackShowsWhatIsRunning)
{
    auto pair = MakePair();
    Feed(pair[1]);
    std::string text;
    AddReader(pair[0], [&](hoya_fd fd, uint32_t) {
        Drain(fd);
        text = Dump(loop);
        Stop();
    });
    Run();
    EXPECT_TRUE(Has(text, "running, 1 dispatches on the stack")) << text;
    EXPECT_TRUE(Has(text, "(running)")) << text;
}

TEST_P(LoopConformance, DumpOnAWrongThreadWithoutAFunctionOrOfAClosedLoop)
{
    auto ignore = [](const char *, void *) { ADD_FAILURE() << "nothing was to be said"; };
    EXPECT_EQ(hoya_loop_dump(nullptr, ignore, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_loop_dump(loop, nullptr, nullptr), HOYA_EINVAL);
    RunRounds(1);
    std::thread([&] { EXPECT_EQ(hoya_loop_dump(loop, ignore, nullptr), HOYA_ETHREAD); }).join();
    EXPECT_EQ(hoya_loop_stop(loop), 0);
    EXPECT_TRUE(Has(Dump(loop), "  paused,"));
    EXPECT_EQ(hoya_loop_start(loop), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(Has(Dump(loop), "  closed,"));
}

TEST_P(LoopConformance, TheAbilitiesOfHostAndSelectorCanBeAsked)
{
    uint32_t host_caps = hoya_loop_host_caps(loop), selector_caps = hoya_loop_selector_caps(loop);
    EXPECT_EQ(host_caps & HOYA_HOST_NESTS ? true : false, GetParam().nests);
    EXPECT_EQ(selector_caps & HOYA_SELECTOR_NESTS ? true : false, GetParam().selector == nullptr);
    EXPECT_EQ(hoya_loop_call_soon(loop, Nothing, nullptr), 0);
    EXPECT_EQ(Stats().signal_handlers, 0u);
    AddSignal(SIGUSR1, [](int) {});
    EXPECT_EQ(Stats().signal_handlers, 1u);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_loop_selector_caps(loop), 0u);
}

} // namespace hoya_test
