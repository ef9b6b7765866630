/* SPDX-License-Identifier: MIT
 *
 * conformance/transport_end_test.cc: a connection's end: once, in its order, whoever and whatever has ended it.
 */
#include "net.h"

#include <fcntl.h>

namespace hoya_test
{

// Holds: S89
TEST_P(NetConformance, TheEndComesOnceWhateverHasEndedIt)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_FALSE(hoya_transport_is_closing(transport.get()));
    EXPECT_EQ(hoya_transport_close(transport.get()), 0);
    EXPECT_EQ(hoya_transport_close(transport.get()), 0);
    EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
    EXPECT_TRUE(hoya_transport_is_closing(transport.get()));
    Close(peer);
    EXPECT_EQ(trace, Trace{}) << "never inside the call";
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
    EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
    RunRounds(2);
    EXPECT_EQ(recorder.lost, 1);
}

/* Whether a look has found it ready or not, and in what order. */
// Holds: S2 S89
TEST_P(NetConformance, TheEndComesBehindWhatWasQueuedBeforeIt)
{
    Recorder a(&trace, "a"), b(&trace, "b");
    int peer_of_a, peer_of_b;
    Transport one = Connected(a, &peer_of_a), other = Connected(b, &peer_of_b);
    Send(peer_of_a, "x");
    Send(peer_of_b, "x");
    /* Both are found ready in the same round, and queued behind this. */
    CallSoon([&] {
        CallSoon([&] { trace.push_back("before"); });
        hoya_transport_abort(one.get());
        CallSoon([&] { trace.push_back("behind"); });
    });
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"b data", "before", "a lost", "a released", "behind"}));
}

// Holds: S90
TEST_P(NetConformance, CloseStopsReadingAndFlushesFirst)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    const std::string data = Much();
    int fd = -1;
    recorder.on_lost = [&](hoya_transport *t, int) {
        fd = hoya_transport_fileno(t);
        EXPECT_GE(fcntl(fd, F_GETFD), 0) << "the descriptor is closed after this";
    };
    recorder.on_released = [&] { EXPECT_LT(fcntl(fd, F_GETFD), 0); };
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_EQ(hoya_transport_close(transport.get()), 0);
    Send(peer, "too late");
    EXPECT_TRUE(ReceiveAll(peer, recorder) == data);
    EXPECT_EQ(recorder.data, "");
    EXPECT_EQ(recorder.code, 0);
    EXPECT_EQ(hoya_transport_fileno(transport.get()), HOYA_INVALID_FD);
}

// Holds: S91
TEST_P(NetConformance, AbortDropsWhatWaits)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    const std::string data = Much();
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_GT(hoya_transport_get_write_buffer_size(transport.get()), 0u);
    EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
    EXPECT_EQ(hoya_transport_get_write_buffer_size(transport.get()), 0u);
    RunRounds(2);
    EXPECT_EQ(recorder.code, 0);
    EXPECT_LT(Receive(peer).size(), data.size());
}

// Holds: S91
TEST_P(NetConformance, AbortEndsAFlushThatWouldNotEnd)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Write(transport, Much());
    hoya_transport_close(transport.get());
    RunRounds(3);
    EXPECT_EQ(recorder.lost, 0);
    hoya_transport_abort(transport.get());
    RunRounds(2);
    EXPECT_EQ(recorder.lost, 1);
}

// Holds: S107
TEST_P(NetConformance, WhatIsKnownOfAConnectionIsKnownAfterItsEnd)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_address address;
    hoya_credentials credentials;
    EXPECT_EQ(hoya_transport_get_loop(transport.get()), loop);
    ASSERT_EQ(hoya_transport_get_peer_credentials(transport.get(), &credentials), 0);
    EXPECT_EQ(credentials.pid, getpid());
    EXPECT_EQ(credentials.uid, getuid());
    EXPECT_EQ(credentials.gid, getgid());
    hoya_transport_abort(transport.get());
    RunRounds(2);
    EXPECT_EQ(hoya_transport_get_sockname(transport.get(), &address), 0);
    EXPECT_EQ(address.storage.ss_family, AF_UNIX);
    EXPECT_EQ(hoya_transport_get_peername(transport.get(), &address), 0);
    EXPECT_EQ(address.storage.ss_family, AF_UNIX);
    EXPECT_EQ(hoya_transport_get_peer_credentials(transport.get(), &credentials), HOYA_ECLOSED);
}

TEST_P(NetConformance, AClosedLoopReleasesItsConnectionsAndClosesThem)
{
    Recorder recorder(&trace, "a"), unmade(&trace, "b");
    int peer, other;
    Transport transport = Connected(recorder, &peer);
    Transport early = Connect(unmade, &other);
    Write(transport, Much());
    trace.clear();
    ASSERT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"a released", "b released"})) << "no callback runs any more";
    EXPECT_TRUE(AtEnd(other));
    EXPECT_TRUE(hoya_transport_is_closing(transport.get()));
    EXPECT_EQ(Write(transport, "x"), HOYA_ECLOSED);
    EXPECT_EQ(hoya_transport_close(transport.get()), 0);
    EXPECT_EQ(hoya_transport_fileno(transport.get()), HOYA_INVALID_FD);
}

TEST_P(NetConformance, NobodyNeedsAReferenceToAConnection)
{
    Recorder recorder(&trace, "a");
    int peer;
    Connected(recorder, &peer).reset();
    Send(peer, "x");
    RunRounds(1);
    EXPECT_EQ(recorder.data, "x");
    Close(peer);
    RunUntil([&] { return recorder.released; });
}

} // namespace hoya_test
