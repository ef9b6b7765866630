/* SPDX-License-Identifier: MIT
 *
 * conformance/datagram_test.cc: datagram endpoints: what their protocol hears, in which order, and their end.
 */
#include "datagrams.h"

#include <fcntl.h>
#include <netdb.h>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, DatagramConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- life ---- */

// Holds: S84 S117
TEST_P(DatagramConformance, ConnectionMadeComesInTheNextRoundThenTheFutureIsDoneThenDatagramsCome)
{
    Hearer hearer(&trace, "a");
    options.local_host = OwnAddress();
    Future future = Create(hearer);
    WhenDone(future, Say("done"));
    int peer = Peer();
    EXPECT_EQ(trace, Trace{}) << "never inside the call";
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    hearer.on_made = [&](hoya_datagram_transport *t) {
        EXPECT_EQ(hoya_datagram_transport_is_reading(t), 0);
        EXPECT_EQ(hoya_future_done(future.get()), 0);
        SendTo(peer, "x", NameOf(hoya_datagram_transport_fileno(t)));
        return 0;
    };
    RunUntilHeard(3);
    EXPECT_EQ(trace[0], "a made");
    EXPECT_TRUE(Seen("done") && Seen("a got x"));
    void *value = nullptr;
    EXPECT_EQ(hoya_future_result(future.get(), &value), 0);
    EXPECT_EQ(value, hearer.transport);
    EXPECT_EQ(hoya_datagram_transport_is_reading(hearer.transport), 1);
    EXPECT_EQ(hoya_datagram_transport_get_loop(hearer.transport), loop);
}

// Holds: S117
TEST_P(DatagramConformance, DatagramsComeAndGoOneByOneAndEmptyOnesToo)
{
    Hearer hearer(&trace, "a");
    Datagrams transport = Open(hearer);
    int peer = Peer();
    hoya_address name = NameOf(transport), to = NameOf(peer);
    for (const char *text : {"one", "", "three"}) SendTo(peer, text, name);
    RunUntilHeard(3);
    EXPECT_EQ(trace, (Trace{"a got one", "a got ", "a got three"}));
    EXPECT_EQ(TextOf(hearer.from), TextOf(to));
    for (const char *text : {"one", "", "three"}) EXPECT_EQ(Send(transport, text, &to), 0);
    EXPECT_EQ(hoya_datagram_transport_sendto(transport.get(), nullptr, 0, &to), 0);
    EXPECT_EQ(Receive(peer), (std::vector<std::string>{"one", "", "three", ""})) << "at once";
    EXPECT_EQ(hoya_datagram_transport_get_write_buffer_size(transport.get()), 0u);
}

TEST_P(DatagramConformance, TheLongestOnesComeAndGoWhole)
{
    Hearer hearer(&trace, "a");
    hearer.notes_data = false;
    Datagrams transport = Open(hearer);
    int peer = Peer();
    hoya_address name = NameOf(transport), to = NameOf(peer);
    const std::string longest(65507, 'l');
    SendTo(peer, longest, name);
    RunUntil([&] { return !hearer.got.empty(); });
    EXPECT_TRUE(hearer.got[0] == longest);
    EXPECT_EQ(Send(transport, longest, &to), 0);
    EXPECT_TRUE(Receive(peer) == std::vector<std::string>{longest});
    EXPECT_EQ(Send(transport, longest + "r", &to), HOYA_EMSGSIZE);
    EXPECT_EQ(std::string(hoya_error_detail()),
              "a datagram of 65508 bytes to " + TextOf(to) + ": message too long");
    RunRounds(2);
    EXPECT_TRUE(hearer.errors.empty()) << "that was sendto's answer";
    EXPECT_EQ(Send(transport, "next", &to), 0);
}

// Holds: S117
TEST_P(DatagramConformance, AConnectedOneHearsItsRemoteAddressAloneAndRefusesToSendElsewhere)
{
    Hearer hearer(&trace, "a");
    int peer = Peer(), other = Peer();
    hoya_address remote = NameOf(peer), elsewhere = NameOf(other), address;
    Datagrams transport = Connect(hearer, peer);
    hoya_address name = NameOf(transport);
    SendTo(other, "not for us", name);
    SendTo(peer, "hello", name);
    RunUntilHeard(1);
    RunRounds(2);
    EXPECT_EQ(trace, Trace{"a got hello"});
    EXPECT_EQ(TextOf(hearer.from), TextOf(remote));
    EXPECT_EQ(Send(transport, "1"), 0);
    EXPECT_EQ(Send(transport, "2", &remote), 0) << "its own address may be said";
    EXPECT_EQ(Send(transport, "3", &elsewhere), HOYA_EINVAL);
    EXPECT_NE(std::string(hoya_error_detail()).find(TextOf(elsewhere)), std::string::npos) << hoya_error_detail();
    EXPECT_EQ(Receive(peer), (std::vector<std::string>{"1", "2"}));
    EXPECT_TRUE(Receive(other).empty());
    EXPECT_EQ(hoya_datagram_transport_get_peername(transport.get(), &address), 0);
    EXPECT_EQ(TextOf(address), TextOf(remote));
}

TEST_P(DatagramConformance, TheRemoteAddressIsTheOneThatTheSystemHasConnectedTo)
{
    for (bool six : {false, true}) {
        Hearer hearer(&trace, "a");
        int peer = Peer(six ? "::1" : "127.0.0.1");
        const std::string port = std::to_string(PortOf(NameOf(peer)));
        options.remote_host = six ? "::" : "0.0.0.0"; /* this machine */
        options.remote_port = port.c_str();
        Datagrams transport = Take(Create(hearer));
        hearer.on_datagram = [](hoya_datagram_transport *t, const std::string &, const hoya_address &from) {
            EXPECT_EQ(hoya_datagram_transport_sendto(t, "answer", 6, &from), 0) << hoya_error_detail();
            return 0;
        };
        SendTo(peer, "x", NameOf(transport));
        EXPECT_EQ(Await(peer, 1), std::vector<std::string>{"answer"});
        hoya_address address = {};
        EXPECT_EQ(hoya_datagram_transport_get_peername(transport.get(), &address), 0);
        EXPECT_EQ(TextOf(address), TextOf(NameOf(peer)));
        trace.clear();
    }
}

TEST_P(DatagramConformance, OneThatIsNotConnectedWantsAnAddressOfItsFamily)
{
    Hearer hearer(&trace, "a");
    Datagrams transport = Open(hearer);
    hoya_address six = AddressOf("::1", 9), broken = AddressOf(OwnAddress(), 9), path, address;
    ASSERT_EQ(hoya_address_set_unix(&path, "@x"), 0);
    broken.length = 3;
    EXPECT_EQ(Send(transport, "x"), HOYA_EDESTADDRREQ);
    EXPECT_EQ(Send(transport, "x", &six), HOYA_EINVAL);
    EXPECT_EQ(Send(transport, "x", &path), HOYA_EINVAL);
    EXPECT_EQ(Send(transport, "x", &broken), HOYA_EINVAL);
    hoya_address good = AddressOf(OwnAddress(), 9);
    EXPECT_EQ(hoya_datagram_transport_sendto(transport.get(), nullptr, 1, &good), HOYA_EINVAL);
    EXPECT_EQ(hoya_datagram_transport_get_peername(transport.get(), &address), HOYA_ENOTCONN);
    RunRounds(2);
    EXPECT_EQ(trace, Trace{});
}

// Holds: S117
TEST_P(DatagramConformance, ThatNobodyTakesThemIsAnErrorReceivedAndTheEndpointLivesOn)
{
    Hearer hearer(&trace, "a");
    int peer = Peer();
    int port = PortOf(NameOf(peer));
    Datagrams transport = Connect(hearer, peer);
    Close(peer);
    EXPECT_EQ(Send(transport, "lost"), 0);
    RunUntilHeard(1);
    EXPECT_EQ(trace, Trace{"a error HOYA_ECONNREFUSED"});
    EXPECT_NE(hearer.texts[0], "");
    peer = Peer(OwnAddress(), port);
    EXPECT_EQ(Send(transport, "taken"), 0);
    EXPECT_EQ(Receive(peer), std::vector<std::string>{"taken"});
    EXPECT_EQ(hoya_datagram_transport_is_closing(transport.get()), 0);
}

// Holds: S117
TEST_P(DatagramConformance, WhatASendHearsOfAnEarlierOneIsToldLaterAndTheDatagramGoes)
{
    Hearer hearer(&trace, "a");
    int peer = Peer();
    int port = PortOf(NameOf(peer));
    Datagrams transport = Connect(hearer, peer);
    Close(peer);
    EXPECT_EQ(Send(transport, "lost"), 0);
    peer = Peer(OwnAddress(), port); /* in the same round: the loop has not looked */
    EXPECT_EQ(Send(transport, "taken"), 0) << hoya_error_detail();
    EXPECT_EQ(trace, Trace{}) << "never inside the call";
    EXPECT_EQ(Receive(peer), std::vector<std::string>{"taken"});
    RunRounds(2);
    EXPECT_EQ(trace, Trace{"a error HOYA_ECONNREFUSED"});
    EXPECT_EQ(hearer.texts[0],
              std::string("a datagram to ") + OwnAddress() + ":" + std::to_string(port) + ": connection refused");
}

TEST_P(DatagramConformance, AProtocolNeedsNoFunctionAtAll)
{
    static const hoya_datagram_protocol_ops ops = {sizeof ops, nullptr, nullptr, nullptr,
                                                   nullptr,    nullptr, nullptr, nullptr};
    options.local_host = OwnAddress();
    hoya_future *future = nullptr;
    ASSERT_EQ(hoya_create_datagram_endpoint(loop, {&ops, nullptr}, &options, &future), 0);
    Datagrams transport = Take(Future(future));
    int peer = Peer();
    SendTo(peer, "dropped", NameOf(transport));
    RunRounds(2);
    EXPECT_EQ(hoya_datagram_transport_close(transport.get()), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_datagram_transport_fileno(transport.get()), HOYA_INVALID_FD);
}

/* ---- failures of the protocol's ---- */

// Holds: S117
TEST_P(DatagramConformance, AFailingFunctionIsReportedAndTheEndpointLivesOn)
{
    Hearer hearer(&trace, "a");
    int peer = Peer();
    Datagrams transport = Connect(hearer, peer);
    hearer.on_datagram = [](hoya_datagram_transport *, const std::string &, const hoya_address &) {
        return HOYA_EIO;
    };
    hearer.on_error = [](hoya_datagram_transport *, int) { return HOYA_EPROTO; };
    SendTo(peer, "x", NameOf(transport));
    RunUntilHeard(1);
    EXPECT_TRUE(Logged("datagram_received failed"));
    Close(peer);
    EXPECT_EQ(Send(transport, "lost"), 0);
    RunUntilHeard(2);
    EXPECT_TRUE(Logged("error_received failed"));
    EXPECT_EQ(hearer.lost, 0);
}

TEST_P(DatagramConformance, WhoHandsOnWhatSendtoHasAnsweredHasNotFailed)
{
    Hearer hearer(&trace, "a");
    Datagrams transport = Open(hearer);
    int peer = Peer();
    std::string answer(70000, 'x');
    hearer.on_datagram = [&](hoya_datagram_transport *t, const std::string &, const hoya_address &from) {
        return hoya_datagram_transport_sendto(t, answer.data(), answer.size(), &from);
    };
    SendTo(peer, "too long", NameOf(transport));
    RunUntilHeard(1);
    EXPECT_EQ(LogLines(), 0u);
    hearer.on_datagram = [&](hoya_datagram_transport *t, const std::string &, const hoya_address &from) {
        hoya_datagram_transport_close(t);
        return hoya_datagram_transport_sendto(t, "x", 1, &from);
    };
    SendTo(peer, "too late", NameOf(transport));
    RunUntil([&] { return hearer.released; });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(DatagramConformance, WhoHandsOnAMistakeOfItsOwnHasFailed)
{
    Hearer hearer(&trace, "a");
    Datagrams transport = Open(hearer);
    int peer = Peer();
    hearer.on_datagram = [&](hoya_datagram_transport *t, const std::string &, const hoya_address &) {
        return hoya_datagram_transport_sendto(t, "x", 1, nullptr);
    };
    SendTo(peer, "x", NameOf(transport));
    RunUntilHeard(1);
    EXPECT_TRUE(Logged("datagram_received failed"));
}

TEST_P(DatagramConformance, AFailingConnectionMadeEndsItAndTheFutureSaysSo)
{
    Hearer hearer(&trace, "a");
    options.local_host = OwnAddress();
    hearer.on_made = [](hoya_datagram_transport *) { return HOYA_EACCES; };
    Future future = Create(hearer);
    EXPECT_EQ(Result(future), HOYA_EACCES);
    RunUntil([&] { return hearer.released; });
    EXPECT_EQ(trace, (Trace{"a made", "a lost HOYA_EACCES", "a released"}));
    EXPECT_TRUE(Logged("connection_made failed"));
}

/* ---- the end ---- */

TEST_P(DatagramConformance, CloseAndAbortAreToldOnceInALaterRound)
{
    for (bool aborts : {false, true}) {
        Hearer hearer(&trace, "a");
        Datagrams transport = Open(hearer);
        auto end = aborts ? hoya_datagram_transport_abort : hoya_datagram_transport_close;
        EXPECT_EQ(end(transport.get()), 0);
        EXPECT_EQ(hoya_datagram_transport_is_closing(transport.get()), 1);
        EXPECT_EQ(trace, Trace{});
        hearer.on_lost = [&](hoya_datagram_transport *t, int) {
            EXPECT_NE(hoya_datagram_transport_fileno(t), HOYA_INVALID_FD) << "closed after this";
            EXPECT_EQ(hoya_datagram_transport_sendto(t, "x", 1, nullptr), HOYA_ECLOSED);
        };
        RunRounds(2);
        EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
        EXPECT_EQ(hearer.code, 0);
        EXPECT_EQ(hoya_datagram_transport_close(transport.get()), 0);
        EXPECT_EQ(hoya_datagram_transport_abort(transport.get()), 0);
        EXPECT_EQ(hoya_datagram_transport_pause_reading(transport.get()), 0);
        EXPECT_EQ(hoya_datagram_transport_resume_reading(transport.get()), 0);
        EXPECT_EQ(hoya_datagram_transport_is_reading(transport.get()), 0);
        EXPECT_EQ(hoya_datagram_transport_fileno(transport.get()), HOYA_INVALID_FD);
        EXPECT_EQ(hoya_datagram_transport_get_protocol(transport.get()).ops, nullptr);
        EXPECT_EQ(hoya_datagram_transport_set_protocol(transport.get(), hearer.protocol()), HOYA_ECLOSED);
        EXPECT_EQ(PortOf(NameOf(transport)) > 0, true) << "known after its end too";
        RunRounds(2);
        EXPECT_EQ(hearer.lost, 1);
        trace.clear();
    }
}

// Holds: S117
TEST_P(DatagramConformance, AfterCloseSendtoSaysSoAndNothingIsSent)
{
    Hearer hearer(&trace, "a");
    int peer = Peer();
    Datagrams transport = Connect(hearer, peer);
    EXPECT_EQ(hoya_datagram_transport_close(transport.get()), 0);
    EXPECT_EQ(Send(transport, "late"), HOYA_ECLOSED);
    RunRounds(2);
    EXPECT_EQ(Send(transport, "later"), HOYA_ECLOSED);
    EXPECT_TRUE(Receive(peer).empty());
    EXPECT_TRUE(hearer.errors.empty());
}

TEST_P(DatagramConformance, NobodyNeedsAReference)
{
    Hearer hearer(&trace, "a");
    Open(hearer).reset();
    int peer = Peer();
    ASSERT_NE(hearer.transport, nullptr);
    SendTo(peer, "x", NameOf(hoya_datagram_transport_fileno(hearer.transport)));
    hearer.on_datagram = [](hoya_datagram_transport *t, const std::string &, const hoya_address &) {
        return hoya_datagram_transport_abort(t);
    };
    RunUntil([&] { return hearer.released; });
    EXPECT_EQ(trace, (Trace{"a got x", "a lost", "a released"}));
}

TEST_P(DatagramConformance, AClosedLoopReleasesWithoutConnectionLost)
{
    Hearer hearer(&trace, "a"), early(&trace, "b");
    Datagrams transport = Open(hearer);
    Future future = Create(early);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"a released", "b released"}));
    EXPECT_EQ(Send(transport, "x"), HOYA_ECLOSED);
    EXPECT_EQ(hoya_datagram_transport_close(transport.get()), 0);
    EXPECT_EQ(hoya_datagram_transport_fileno(transport.get()), HOYA_INVALID_FD);
    Hearer late(&trace, "c");
    hoya_future *never = nullptr;
    EXPECT_EQ(hoya_create_datagram_endpoint(loop, late.protocol(), &options, &never), HOYA_ECLOSED);
    EXPECT_EQ(late.released, 1);
    EXPECT_EQ(never, nullptr);
}

// Holds: F19
TEST_P(DatagramConformance, ADescriptorThatTheProgramClosesEndsItWithThatCode)
{
    Hearer hearer(&trace, "a");
    int pair[2], other;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    Own(pair[1]);
    hoya_datagram_transport *raw = nullptr;
    ASSERT_EQ(hoya_create_datagram_endpoint_on_socket(loop, pair[0], hearer.protocol(), nullptr, &raw), 0);
    Datagrams transport(raw);
    RunRounds(1);
    ASSERT_EQ(send(pair[1], "x", 1, 0), 1);
    /* Found, and then another file is there. */
    hearer.on_datagram = [&](hoya_datagram_transport *, const std::string &, const hoya_address &) {
        other = open("/dev/null", O_RDWR | O_CLOEXEC);
        EXPECT_EQ(dup3(other, pair[0], O_CLOEXEC), pair[0]);
        close(other);
        return 0;
    };
    ASSERT_EQ(send(pair[1], "y", 1, 0), 1);
    EXPECT_EQ(hoya_datagram_transport_sendto(raw, "z", 1, nullptr), 0);
    RunUntilHeard(2);
    EXPECT_EQ(hoya_datagram_transport_sendto(raw, "z", 1, nullptr), HOYA_ENOTSOCK);
    EXPECT_EQ(hoya_datagram_transport_abort(raw), 0);
    RunUntil([&] { return hearer.released; });
}

/* ---- reading ---- */

TEST_P(DatagramConformance, WhatComesWhileReadingIsPausedComesAfterIt)
{
    Hearer hearer(&trace, "a");
    Datagrams transport = Open(hearer);
    int peer = Peer();
    hoya_address name = NameOf(transport);
    for (int i = 0; i < 2; i++) EXPECT_EQ(hoya_datagram_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(hoya_datagram_transport_is_reading(transport.get()), 0);
    SendTo(peer, "x", name);
    RunRounds(3);
    EXPECT_EQ(trace, Trace{});
    for (int i = 0; i < 2; i++) EXPECT_EQ(hoya_datagram_transport_resume_reading(transport.get()), 0);
    RunUntilHeard(1);
    hearer.on_datagram = [](hoya_datagram_transport *t, const std::string &, const hoya_address &) {
        return hoya_datagram_transport_pause_reading(t);
    };
    SendTo(peer, "y", name);
    SendTo(peer, "z", name);
    RunRounds(5);
    EXPECT_EQ(trace, (Trace{"a got x", "a got y"})) << "none comes after a pause";
}

TEST_P(DatagramConformance, APauseBeforeOrInConnectionMadeIsHonoured)
{
    Hearer hearer(&trace, "a");
    hearer.on_made = [](hoya_datagram_transport *t) { return hoya_datagram_transport_pause_reading(t); };
    Datagrams transport = Open(hearer);
    int peer = Peer();
    SendTo(peer, "x", NameOf(transport));
    RunRounds(3);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(hoya_datagram_transport_resume_reading(transport.get()), 0);
    RunUntilHeard(1);
}

// Holds: S87
TEST_P(DatagramConformance, AFloodOfOneDoesNotHoldUpAnother)
{
    Hearer one(&trace, "one"), other(&trace, "other");
    one.notes_data = other.notes_data = false;
    Datagrams a = Open(one), b = Open(other);
    int peer = Peer();
    hoya_address to_a = NameOf(a), to_b = NameOf(b);
    RunRounds(1);
    for (int i = 0; i < 200; i++) SendTo(peer, "flood", to_a);
    SendTo(peer, "one", to_b);
    RunUntil([&] { return !other.got.empty(); });
    EXPECT_LE(one.got.size(), 64u) << "one turn has so many";
    RunUntil([&] { return one.got.size() == 200; });
}

TEST_P(DatagramConformance, AnotherProtocolServesFromTheNextFunctionOn)
{
    Hearer one(&trace, "one"), other(&trace, "other");
    Datagrams transport = Open(one);
    int peer = Peer();
    hoya_address name = NameOf(transport);
    one.on_datagram = [&](hoya_datagram_transport *t, const std::string &, const hoya_address &) {
        return hoya_datagram_transport_set_protocol(t, other.protocol());
    };
    SendTo(peer, "x", name);
    SendTo(peer, "y", name);
    RunUntilHeard(2);
    EXPECT_EQ(trace, (Trace{"one got x", "other got y"}));
    one.transport = nullptr;
    EXPECT_EQ(hoya_datagram_transport_get_protocol(transport.get()).arg, &other);
    hoya_datagram_protocol none = {nullptr, nullptr};
    EXPECT_EQ(hoya_datagram_transport_set_protocol(transport.get(), none), HOYA_EINVAL);
    hoya_datagram_transport_abort(transport.get());
    RunUntil([&] { return other.released; });
    EXPECT_EQ(one.released, 0) << "it was the caller's again";
}

} // namespace hoya_test
