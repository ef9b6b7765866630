/* SPDX-License-Identifier: MIT
 *
 * conformance/manners_test.cc: a guest that is called from everywhere: what each kind of the host's own handlers
 * leaves behind is done without another event, hang-ups and errors of its descriptors cost the host nothing once
 * they are told, and the host may die in the middle of a callback.
 */
#include "conformance.h"

#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

/* A kind of handler that hosts have, and how one begins; `readable` is for those that watch a descriptor. */
struct Handler {
    const char *name;
    HostLoop::Id (*begin)(HostLoop &host, int readable, Work work);
};

const Handler handlers[] = {
    {"timer", [](HostLoop &host, int, Work work) { return host.AddTimer(HOYA_MSEC(2), work); }},
    {"work", [](HostLoop &host, int, Work work) { return host.AddIdle(Rank::kNormal, work); }},
    {"redraw", [](HostLoop &host, int, Work work) { return host.AddIdle(Rank::kRedraw, work); }},
    {"idle", [](HostLoop &host, int, Work work) { return host.AddIdle(Rank::kIdle, work); }},
    {"descriptor", [](HostLoop &host, int readable, Work work) { return host.AddReader(readable, work); }},
};

/* Has a handler of that kind do `work` once. Nothing of it is left then that could wake the host. */
void Once(HostLoop &host, const Handler &handler, int readable, Work work)
{
    auto id = std::make_shared<HostLoop::Id>();
    *id = handler.begin(host, readable, [&host, id, work] {
        host.Remove(*id);
        work();
    });
    if (*id == 0) host.CallOnce(std::move(work)); /* this host has no such thing */
}

/* A socket that takes no more for now. */
void Fill(int fd)
{
    char block[4096] = {};
    while (write(fd, block, sizeof block) > 0) continue;
}

} // namespace

/* ---- wake-ups that the host's own handlers could lose ---- */

// Holds: F4 F33
TEST_P(GuestConformance, CallSoonInAnyHandlerOfTheHostsIsDoneWithoutAnotherEvent)
{
    int readable = MakeReadable();
    for (const Handler &handler : handlers) {
        RunHostFor(HOYA_MSEC(3)); /* the loop has fallen silent */
        Once(*host, handler, readable, [&] { CallSoon(Say(handler.name)); });
        RunHostUntilSeen(handler.name);
    }
}

// Holds: F4 S159
TEST_P(GuestConformance, AnEarlierDeadlineSetInAnyHandlerOfTheHostsIsKept)
{
    int readable = MakeReadable();
    CallLater(HOYA_SEC(3600), Say("never"));
    for (const Handler &handler : handlers) {
        RunHostFor(HOYA_MSEC(3));
        Handle far = CallLater(HOYA_SEC(60), Say("never"));
        Once(*host, handler, readable, [&] { CallLater(HOYA_MSEC(2), Say(handler.name)); });
        RunHostUntilSeen(handler.name);
        EXPECT_EQ(hoya_handle_cancel(far.get()), 1);
    }
}

// Holds: F4
TEST_P(GuestConformance, AReadyDescriptorWatchedInAnyHandlerOfTheHostsIsReported)
{
    int readable = MakeReadable(), ours = MakeReadable();
    for (const Handler &handler : handlers) {
        RunHostFor(HOYA_MSEC(3));
        Once(*host, handler, readable, [&] {
            AddReader(ours, [&] {
                hoya_loop_remove_reader(loop, ours);
                Note(handler.name);
            });
        });
        RunHostUntilSeen(handler.name);
    }
}

// Holds: F4
TEST_P(GuestConformance, AWriterAddedInAnyHandlerOfTheHostsIsCalled)
{
    int readable = MakeReadable(), ours = MakePair()[0];
    AddReader(ours, Say("never"));
    for (const Handler &handler : handlers) {
        RunHostFor(HOYA_MSEC(3));
        Once(*host, handler, readable, [&] {
            AddWriter(ours, [&] {
                hoya_loop_remove_writer(loop, ours);
                Note(handler.name);
            });
        });
        RunHostUntilSeen(handler.name);
    }
    EXPECT_FALSE(Seen("never"));
}

// Holds: F4 F14
TEST_P(GuestConformance, APostInAnyHandlerOfTheHostsIsDoneWithoutAnotherEvent)
{
    int readable = MakeReadable();
    for (const Handler &handler : handlers) {
        RunHostFor(HOYA_MSEC(3));
        Once(*host, handler, readable, [&] { CallSoonThreadsafe(Say(handler.name)); });
        RunHostUntilSeen(handler.name);
    }
}

// Holds: F4 F3
TEST_P(GuestConformance, AStartInAnyHandlerOfTheHostsEndsThePause)
{
    int readable = MakeReadable();
    for (const Handler &handler : handlers) {
        Stop();
        CallSoon(Say(handler.name));
        RunHostFor(HOYA_MSEC(3));
        EXPECT_FALSE(Seen(handler.name));
        Once(*host, handler, readable, [&] { EXPECT_EQ(hoya_loop_start(loop), 0); });
        RunHostUntilSeen(handler.name);
    }
}

/* ---- hang-ups and errors ---- */

// Holds: F6 S80
TEST_P(GuestConformance, AHangUpIsToldToBothSidesAndCostsTheHostNothingAfterwards)
{
    auto [ours, theirs] = MakePair();
    uint32_t reader = 0, writer = 0;
    AddReader(ours, [&](hoya_fd fd, uint32_t events) {
        reader = events;
        hoya_loop_remove_reader(loop, fd);
    });
    Fill(ours);
    AddWriter(ours, [&](hoya_fd fd, uint32_t events) {
        writer = events;
        hoya_loop_remove_writer(loop, fd);
    });
    ExpectSilence();
    Close(theirs);
    RunHostUntil([&] { return reader && writer; });
    EXPECT_TRUE(reader & HOYA_HUP);
    EXPECT_TRUE(writer & HOYA_HUP);
    ExpectSilence(); /* it is hung up still, and nobody's */
}

// Holds: F6 S80
TEST_P(GuestConformance, AnErrorIsToldToBothSidesAndCostsTheHostNothingAfterwards)
{
    auto [reading, writing] = MakePipe();
    uint32_t reader = 0, writer = 0;
    Fill(writing);
    AddReader(writing, [&](hoya_fd fd, uint32_t events) {
        reader = events;
        hoya_loop_remove_reader(loop, fd);
    });
    AddWriter(writing, [&](hoya_fd fd, uint32_t events) {
        writer = events;
        hoya_loop_remove_writer(loop, fd);
    });
    ExpectSilence();
    Close(reading);
    RunHostUntil([&] { return reader && writer; });
    EXPECT_TRUE(reader & HOYA_ERR);
    EXPECT_TRUE(writer & HOYA_ERR);
    ExpectSilence();
}

// Holds: F6 F5
TEST_P(GuestConformance, AHangUpBesideAWatchedSideThatIsRemovedInTimeIsSilent)
{
    auto [ours, theirs] = MakePair();
    AddReader(ours, Say("never"));
    AddWriter(theirs, Say("writer"));
    EXPECT_EQ(hoya_loop_remove_writer(loop, theirs), 1);
    EXPECT_EQ(hoya_loop_remove_reader(loop, ours), 1);
    Close(theirs);
    ExpectSilence();
    EXPECT_EQ(trace, Trace{});
}

// Holds: F6 F5
TEST_P(GuestConformance, TheEndOfInputDoesNotWakeAWriterThatWaits)
{
    auto [ours, theirs] = MakePair();
    Fill(ours);
    AddWriter(ours, [this, fd = ours] {
        hoya_loop_remove_writer(loop, fd);
        Note("writer");
    });
    Feed(theirs);
    EXPECT_EQ(shutdown(theirs, SHUT_WR), 0); /* half-closed, and input that nobody reads */
    ExpectSilence();
    EXPECT_EQ(trace, Trace{});
    Drain(theirs);
    RunHostUntilSeen("writer");
    ExpectSilence();
}

// Holds: F6 F3
TEST_P(GuestConformance, APausedLoopDoesNotWakeForHangUps)
{
    auto [reading, writing] = MakePipe();
    auto [other_reading, other_writing] = MakePipe();
    AddReader(reading, [this, fd = reading] {
        hoya_loop_remove_reader(loop, fd);
        Note("hung up");
    });
    AddWriter(other_writing, [this, fd = other_writing] {
        hoya_loop_remove_writer(loop, fd);
        Note("broken");
    });
    Stop();
    Close(writing);
    Close(other_reading);
    ExpectSilence();
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(hoya_loop_start(loop), 0);
    RunHostUntil([this] { return trace.size() == 2; });
    ExpectSilence();
}

/* ---- a host that dies in a callback ---- */

// Holds: F23
TEST_P(GuestConformance, AHostMayDieInItsOwnCallback)
{
    if (!host->DiesInCallbacks()) return;
    bool dead = false;
    host->CallOnce([&] {
        Scatter();
        host->Die();
        dead = true;
    });
    RunHostUntil([&] { return dead; });
    EXPECT_TRUE(IsNative());
    RunUntilNoted(5);
}

// Holds: F23
TEST_P(GuestConformance, AHostMayDieInACallbackOfTheLoops)
{
    if (!host->DiesInCallbacks()) return;
    bool dead = false;
    CallSoon([&] {
        Scatter();
        host->Die();
        dead = true;
    });
    RunHostUntil([&] { return dead; });
    EXPECT_TRUE(IsNative());
    RunUntilNoted(5);
}

// Holds: F23
TEST_P(GuestConformance, ARunFinishesThoughItsHostDiesInACallback)
{
    if (!host->DiesInCallbacks()) return;
    host->CallOnce([this] {
        Scatter();
        host->Die();
    });
    RunUntilNoted(5);
    EXPECT_TRUE(IsNative());
}

} // namespace hoya_test
