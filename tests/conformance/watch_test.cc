/* SPDX-License-Identifier: MIT
 *
 * conformance/watch_test.cc: readers and writers: one each a descriptor, told of hang-up, gone when removed.
 */
#include "conformance.h"

#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace hoya_test
{

/* ---- one reader, one writer ---- */

// Holds: S5
TEST_P(LoopConformance, TheReaderComesBeforeTheWriter)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddWriter(ours, Say("writer"));
    AddReader(ours, Say("reader"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 2);
    EXPECT_EQ(trace, (Trace{"reader", "writer"}));
}

// Holds: S75
TEST_P(LoopConformance, ASecondReaderOfADescriptorIsRefused)
{
    auto [ours, theirs] = MakePair();
    Probe second;
    AddReader(ours, Say("first"));
    EXPECT_EQ(hoya_loop_add_reader(loop, ours, Probe::RunFd, &second, Probe::Destroy), HOYA_EEXIST);
    EXPECT_EQ(second.destroyed, 1);
    EXPECT_NE(std::string(hoya_error_detail()).find(std::to_string(ours)), std::string::npos)
        << "names the descriptor: " << hoya_error_detail();
    Feed(theirs);
    RunUntilNoted(1);
    EXPECT_EQ(second.runs, 0);
}

// Holds: S75
TEST_P(LoopConformance, ASecondWriterOfADescriptorIsRefused)
{
    int fd = MakePair()[0];
    Probe second;
    AddWriter(fd, Say("first"));
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, Probe::RunFd, &second, Probe::Destroy), HOYA_EEXIST);
    EXPECT_EQ(second.destroyed, 1);
    RunUntilNoted(1);
    EXPECT_EQ(second.runs, 0);
}

// Holds: S75 S162
TEST_P(LoopConformance, ReplaceTakesThePlaceOfTheReaderThereIs)
{
    int fd = MakeReadable();
    Probe first, second;
    EXPECT_EQ(hoya_loop_replace_reader(loop, fd, Probe::RunFd, &first, Probe::Destroy), 0) << "or adds one";
    EXPECT_EQ(hoya_loop_replace_reader(loop, fd, Probe::RunFd, &second, Probe::Destroy), 0);
    EXPECT_EQ(first.destroyed, 1);
    EXPECT_EQ(Stats().watches, 1u);
    RunRounds(1);
    EXPECT_EQ(first.runs, 0);
    EXPECT_EQ(second.runs, 1);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
    EXPECT_EQ(second.destroyed, 1);
}

// Holds: S75 S162
TEST_P(LoopConformance, ReplaceTakesThePlaceOfTheWriterThereIs)
{
    int fd = MakePair()[0];
    Probe first, second;
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, Probe::RunFd, &first, Probe::Destroy), 0);
    EXPECT_EQ(hoya_loop_replace_writer(loop, fd, Probe::RunFd, &second, Probe::Destroy), 0);
    EXPECT_EQ(first.destroyed, 1);
    RunRounds(1);
    EXPECT_EQ(first.runs, 0);
    EXPECT_EQ(second.runs, 1);
    EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 1);
    EXPECT_EQ(second.destroyed, 1);
}

/* ---- removing ---- */

// Holds: S76
TEST_P(LoopConformance, RemovingAReaderSuppressesItsQueuedCallback)
{
    int fds[] = {MakeReadable(), MakeReadable()};
    for (int i : {0, 1})
        AddReader(fds[i], [&, other = fds[1 - i]] {
            Note("one of them");
            EXPECT_EQ(hoya_loop_remove_reader(loop, other), 1);
        });
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1) << "both were found ready in the same look";
    EXPECT_EQ(trace, Trace{"one of them"});
}

// Holds: S76
TEST_P(LoopConformance, TheReaderMayRemoveTheWriterOfItsOwnRound)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, [&, fd = ours] {
        Note("reader");
        EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 1);
    });
    AddWriter(ours, Say("writer"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, Trace{"reader"});
}

// Holds: S76
TEST_P(LoopConformance, AReaderAddedAgainInItsOwnRoundWaitsForTheNextLook)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, Say("old"));
    CallSoon([&, fd = ours] {
        EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
        Drain(fd);
        AddReader(fd, Say("new"));
    });
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0);
    EXPECT_EQ(trace, Trace{}) << "what was found ready was ready for the old one";
}

// Holds: S77
TEST_P(LoopConformance, RemovingOneSideLeavesTheOther)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddReader(ours, Say("reader"));
    AddWriter(ours, Say("writer"));
    EXPECT_EQ(Stats().watches, 1u) << "one watch a descriptor";
    EXPECT_EQ(hoya_loop_remove_reader(loop, ours), 1);
    EXPECT_EQ(Stats().watches, 1u);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, Trace{"writer"});
    AddReader(ours, Say("reader"));
    EXPECT_EQ(hoya_loop_remove_writer(loop, ours), 1);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, (Trace{"writer", "reader"}));
}

// Holds: S77 F5
TEST_P(LoopConformance, RemovingTheLastSideUnwatches)
{
    int fd = MakeReadable();
    AddReader(fd, Say("never"));
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
    EXPECT_EQ(Stats().watches, 0u);
    uint64_t before = Stats().rounds;
    RunFor(HOYA_MSEC(20));
    EXPECT_LE(Stats().rounds - before, 3u) << "a descriptor that nobody asked for is not looked at";
    EXPECT_EQ(trace, Trace{});
}

// Holds: S77
TEST_P(LoopConformance, RemovingWhatIsNotThereIsZero)
{
    int fd = MakePair()[0];
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 0);
    EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 0);
    AddReader(fd, Say("reader"));
    EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop, 4711), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop, HOYA_INVALID_FD), 0);
}

// Holds: S79
TEST_P(LoopConformance, AfterCloseThereIsNothingToRemoveAndNothingCanBeAdded)
{
    int fd = MakeReadable();
    AddReader(fd, Say("dropped"));
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 0);
    EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 0);
    Probe probe;
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_ECLOSED);
    EXPECT_EQ(probe.destroyed, 2);
}

/* ---- what cannot be watched ---- */

// Holds: F21
TEST_P(LoopConformance, ARegularFileAndABadDescriptorAreRefused)
{
    FILE *file = tmpfile();
    ASSERT_NE(file, nullptr);
    Probe probe;
    EXPECT_EQ(hoya_loop_add_reader(loop, fileno(file), Probe::RunFd, &probe, Probe::Destroy), HOYA_EPERM);
    fclose(file);
    EXPECT_EQ(hoya_loop_add_reader(loop, 4711, Probe::RunFd, &probe, Probe::Destroy), HOYA_EBADF);
    EXPECT_EQ(hoya_loop_add_writer(loop, HOYA_INVALID_FD, Probe::RunFd, &probe, Probe::Destroy), HOYA_EBADF);
    EXPECT_EQ(probe.destroyed, 3);
    EXPECT_EQ(Stats().watches, 0u);
}

/* ---- hang-up and error ---- */

// Holds: S80 F6
TEST_P(LoopConformance, HangUpWakesBothSides)
{
    auto [reading, writing] = MakePipe();
    uint32_t seen[2] = {};
    AddReader(reading, [&](hoya_fd, uint32_t events) { seen[0] = events; });
    AddWriter(reading, [&](hoya_fd, uint32_t events) { seen[1] = events; }); /* never writable, only hung up */
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0);
    Close(writing);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 2);
    EXPECT_TRUE(seen[0] & HOYA_HUP);
    EXPECT_TRUE(seen[1] & HOYA_HUP);
}

// Holds: S80 F6
TEST_P(LoopConformance, AnErrorWakesBothSides)
{
    auto [reading, writing] = MakePipe();
    uint32_t seen[2] = {};
    Close(reading);
    AddReader(writing, [&](hoya_fd, uint32_t events) { seen[0] = events; }); /* never readable, only in error */
    AddWriter(writing, [&](hoya_fd, uint32_t events) { seen[1] = events; });
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 2);
    EXPECT_TRUE(seen[0] & HOYA_ERR);
    EXPECT_TRUE(seen[1] & HOYA_ERR);
}

// Holds: S80 F6
TEST_P(LoopConformance, HangUpWakesTheOneSideThatIsThere)
{
    auto [reading, writing] = MakePipe();
    AddWriter(reading, [&, fd = reading] {
        Note("writer");
        EXPECT_EQ(hoya_loop_remove_writer(loop, fd), 1);
    });
    Close(writing);
    RunUntilNoted(1);
}

// Holds: F6 F5
TEST_P(LoopConformance, AHungUpDescriptorThatNobodyWatchesIsSilent)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, Say("never"));
    AddWriter(ours, Say("never"));
    Close(theirs);
    EXPECT_EQ(hoya_loop_remove_reader(loop, ours), 1);
    EXPECT_EQ(hoya_loop_remove_writer(loop, ours), 1);
    uint64_t before = Stats().rounds;
    RunFor(HOYA_MSEC(20));
    EXPECT_LE(Stats().rounds - before, 3u);
    EXPECT_EQ(trace, Trace{});
}

// Holds: F5
TEST_P(LoopConformance, AReaderIsNotWokenByWritability)
{
    AddReader(MakePair()[0], Say("never"));
    uint64_t before = Stats().rounds;
    RunFor(HOYA_MSEC(20));
    EXPECT_LE(Stats().rounds - before, 3u);
    EXPECT_EQ(trace, Trace{});
}

/* ---- descriptors that were closed under the loop ---- */

// Holds: S81
TEST_P(LoopConformance, RemoveToleratesADescriptorThatWasClosed)
{
    int fd = MakeReadable();
    AddReader(fd, Say("never"));
    Close(fd);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 0);
    EXPECT_EQ(Stats().watches, 0u);
    RunRounds(3);
    EXPECT_EQ(trace, Trace{});
}

// Holds: S81
TEST_P(LoopConformance, ANumberThatIsUsedAgainIsANewDescriptor)
{
    int ours = MakePair()[0], readable = MakeReadable();
    AddReader(ours, Say("old"));
    EXPECT_EQ(hoya_loop_remove_reader(loop, ours), 1);
    Close(ours);
    int again = Own(fcntl(readable, F_DUPFD_CLOEXEC, ours));
    ASSERT_EQ(again, ours) << "the number is free";
    AddReader(again, Say("new"));
    RunUntilNoted(1);
    EXPECT_EQ(trace, Trace{"new"});
    EXPECT_EQ(hoya_loop_remove_reader(loop, again), 1);
}

// Holds: S81
TEST_P(LoopConformance, ANumberThatWasClosedWhileWatchedCanBeWatchedAgain)
{
    int ours = MakePair()[0], readable = MakeReadable();
    AddReader(ours, Say("old"));
    Close(ours); /* against the rule; the kernel forgets the descriptor silently */
    int again = Own(fcntl(readable, F_DUPFD_CLOEXEC, ours));
    ASSERT_EQ(again, ours);
    EXPECT_EQ(hoya_loop_remove_reader(loop, again), 1);
    AddReader(again, Say("new"));
    RunUntilNoted(1);
    EXPECT_EQ(trace, Trace{"new"});
}

/* ---- freeing what is on the stack ---- */

// Holds: F20 S162
TEST_P(LoopConformance, AReaderMayRemoveItselfAndKeepsItsArgumentUntilItReturns)
{
    struct Self {
        hoya_loop *loop;
        int destroyed = 0;
        int destroyed_while_running = -1;
    } self{loop};
    auto run = [](hoya_fd fd, uint32_t, void *arg) {
        auto it = static_cast<Self *>(arg);
        EXPECT_EQ(hoya_loop_remove_reader(it->loop, fd), 1);
        it->destroyed_while_running = it->destroyed;
    };
    auto destroy = [](void *arg) { static_cast<Self *>(arg)->destroyed++; };
    ASSERT_EQ(hoya_loop_add_reader(loop, MakeReadable(), run, &self, destroy), 0);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(self.destroyed_while_running, 0);
    EXPECT_EQ(self.destroyed, 1);
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 0);
}

// Holds: F20 S75
TEST_P(LoopConformance, AReaderMayReplaceItself)
{
    int fd = MakeReadable();
    std::string mine = "a string that dies with the lambda";
    AddReader(fd, [this, fd, mine] {
        auto next = new FdWork([this, fd](hoya_fd, uint32_t) {
            Note("second");
            EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 1);
        });
        EXPECT_EQ(hoya_loop_replace_reader(loop, fd, Lambda::RunFd, next, Lambda::DestroyFd), 0);
        Note(mine);
    });
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, Trace{mine});
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 1);
    EXPECT_EQ(trace, (Trace{mine, "second"}));
}

// Holds: F20
TEST_P(LoopConformance, AReaderMayCloseItsDescriptor)
{
    auto [ours, theirs] = MakePair();
    Feed(theirs);
    AddWriter(ours, Say("writer"));
    AddReader(ours, [&, fd = ours] {
        Note("reader");
        hoya_loop_remove_reader(loop, fd);
        hoya_loop_remove_writer(loop, fd);
        Close(fd);
    });
    RunRounds(3);
    EXPECT_EQ(trace, Trace{"reader"});
    EXPECT_EQ(Stats().watches, 0u);
}

/* ---- many ---- */

// Holds: F18
TEST_P(LoopConformance, AReaderAndAWriterOfADescriptorAreOneWatch)
{
    auto [ours, theirs] = MakePair();
    int watched = host ? host->WatchedFds() : 0;
    int one = host && GetParam().per_fd() ? 1 : 0;
    AddReader(ours, Say("reader"));
    AddWriter(ours, Say("writer"));
    EXPECT_EQ(Stats().watches, 1u);
    EXPECT_EQ(host ? host->WatchedFds() : 0, watched + one);
    Feed(theirs);
    EXPECT_EQ(hoya_loop_remove_reader(loop, ours), 1);
    EXPECT_EQ(host ? host->WatchedFds() : 0, watched + one) << "from reading and writing to writing alone";
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"writer"});
    EXPECT_EQ(hoya_loop_remove_writer(loop, ours), 1);
    EXPECT_EQ(host ? host->WatchedFds() : 0, watched);
}

// Holds: F10 S1
TEST_P(LoopConformance, HundredsOfDescriptorsAreEachCalledOnceARound)
{
    std::vector<int> calls(200);
    int fds = OpenFds() + 200;
    int watched = host ? host->WatchedFds() : 0;
    for (int &count : calls) AddReader(MakeReadable(), [&count] { count++; });
    EXPECT_EQ(OpenFds(), fds) << "none but the test's own";
    EXPECT_EQ(Stats().watches, 200u);
    int more = host && GetParam().per_fd() ? 200 : 0;
    EXPECT_EQ(host ? host->WatchedFds() : 0, watched + more)
        << "else the host looks at one descriptor for all of them";
    for (int round = 1; round <= 3; round++) {
        EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NOW), 200);
        EXPECT_EQ(calls, std::vector<int>(200, round));
    }
}

} // namespace hoya_test
