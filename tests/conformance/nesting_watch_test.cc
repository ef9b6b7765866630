/* SPDX-License-Identifier: MIT
 *
 * conformance/nesting_watch_test.cc: a descriptor whose callback is on the stack, running a nested loop: it is not
 * reported again until that callback returns, and nothing spins meanwhile. The mark belongs to the registration.
 */
#include "conformance.h"

#include <algorithm>

#include <fcntl.h>

namespace hoya_test
{

// Holds: F7 S160
TEST_P(NestingConformance, AReaderOnTheStackIsNotEnteredAgain)
{
    int entered = 0, deepest = 0, depth = 0;
    AddReader(MakeReadable(), [&] {
        entered++;
        deepest = std::max(deepest, ++depth);
        if (entered == 1) {
            uint64_t dispatches = Stats().dispatches;
            NestFor(HOYA_MSEC(100));
            EXPECT_EQ(entered, 1);
            EXPECT_LE(Stats().dispatches - dispatches, 5u) << "and nothing spins";
        }
        depth--;
        Note("reported");
    });
    RunHostUntil([this] { return trace.size() >= 3; });
    EXPECT_GE(entered, 3) << "reported again as soon as it has returned";
    EXPECT_EQ(deepest, 1);
}

// Holds: F1 F4
TEST_P(NestingConformance, DescriptorsThatACallbackHasLeftBehindAreServedInItsNestedLoop)
{
    for (int i = 0; i < 3; i++) {
        int fd = MakeReadable();
        AddReader(fd, [this, fd] {
            Drain(fd);
            Note("read");
            if (trace.size() == 1) {
                Nest([this] { return trace.size() == 3; });
                EXPECT_EQ(trace.size(), 3u);
            }
        });
    }
    RunHostUntil([this] { return trace.size() >= 3; });
}

// Holds: F7 F6
TEST_P(NestingConformance, AHungUpReaderOnTheStackDoesNotSpin)
{
    auto [ours, theirs] = MakePair();
    Close(theirs);
    AddReader(ours, [this, fd = ours] {
        uint64_t dispatches = Stats().dispatches;
        NestFor(HOYA_MSEC(100));
        EXPECT_LE(Stats().dispatches - dispatches, 5u);
        hoya_loop_remove_reader(loop, fd);
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace.size(), 1u);
}

// Holds: F7
TEST_P(NestingConformance, HangUpInsideTheNestedLoopDoesNotSpin)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [this, reading = ours, writing = theirs] {
        Drain(reading);
        uint64_t dispatches = Stats().dispatches;
        CallSoon([this, writing] { Close(writing); });
        NestFor(HOYA_MSEC(100));
        EXPECT_LE(Stats().dispatches - dispatches, 6u);
        hoya_loop_remove_reader(loop, reading);
        Note("returned");
    });
    RunHostUntilSeen("returned");
}

// Holds: F7
TEST_P(NestingConformance, TheWriterIsCalledWhileTheReaderIsOnTheStack)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [this, fd = ours] {
        AddWriter(fd, [this, fd] {
            hoya_loop_remove_writer(loop, fd);
            Note("writer");
        });
        NestUntilSeen("writer");
        hoya_loop_remove_reader(loop, fd);
        Note("returned");
    });
    RunHostUntilSeen("returned");
    EXPECT_EQ(trace, (Trace{"writer", "returned"}));
}

// Holds: F7 F20
TEST_P(NestingConformance, AReaderOnTheStackMayBeRemovedInsideItsNestedLoop)
{
    int fd = MakeReadable();
    AddReader(fd, [this, fd] {
        CallSoon([this, fd] {
            EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
            Note("removed");
        });
        NestUntilSeen("removed");
        NestFor(HOYA_MSEC(5));
        Note("returned");
    });
    RunHostUntilSeen("returned");
    uint64_t dispatches = Stats().dispatches;
    RunHostFor(HOYA_MSEC(20));
    EXPECT_EQ(trace, (Trace{"removed", "returned"}));
    EXPECT_EQ(Stats().watches, 0u);
    EXPECT_LE(Stats().dispatches - dispatches, 3u);
}

// Holds: F7 F20 S75
TEST_P(NestingConformance, AReplacementIsCalledWhileTheOldReaderIsOnTheStack)
{
    int fd = MakeReadable();
    AddReader(fd, [this, fd] {
        CallSoon([this, fd] {
            auto next = new FdWork([this, fd](hoya_fd, uint32_t) {
                hoya_loop_remove_reader(loop, fd);
                Note("new");
            });
            EXPECT_EQ(hoya_loop_replace_reader(loop, fd, Lambda::RunFd, next, Lambda::DestroyFd), 0);
        });
        NestUntilSeen("new");
        Note("old");
    });
    RunHostUntilSeen("old");
    RunHostFor(HOYA_MSEC(5));
    EXPECT_EQ(trace, (Trace{"new", "old"})) << "the mark belongs to the registration, not to the number";
}

// Holds: F7 F20 S81
TEST_P(NestingConformance, ANumberMayBeClosedAndUsedAgainInsideTheNestedLoop)
{
    auto [ours, theirs] = MakePair();
    int readable = MakeReadable();
    Feed(theirs);
    AddReader(ours, [this, readable, fd = ours] {
        CallSoon([this, readable, fd] {
            EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
            Close(fd);
            EXPECT_EQ(Own(fcntl(readable, F_DUPFD_CLOEXEC, fd)), fd);
            AddReader(fd, Say("new"));
        });
        NestUntilSeen("new");
        Note("old");
    });
    RunHostUntilSeen("old");
    size_t before = trace.size();
    RunHostUntil([&] { return trace.size() > before + 2; });
    EXPECT_EQ(trace.back(), "new") << "still watched after the old one has returned";
}

// Holds: F7 F1
TEST_P(NestingConformance, AnotherDescriptorIsReportedInsideTheNestedLoopEachTime)
{
    int other = MakeReadable(), reports = 0;
    AddReader(MakeReadable(), [&] {
        AddReader(other, [&] {
            if (++reports == 5) hoya_loop_remove_reader(loop, other);
        });
        Nest([&] { return reports == 5; });
        Note("returned");
    });
    RunHostUntilSeen("returned");
}

} // namespace hoya_test
