/* SPDX-License-Identifier: MIT
 *
 * conformance/transport_test.cc: a connection's life: what a protocol hears, in which order, and what it can do to it.
 */
#include "net.h"

#include <fcntl.h>

namespace hoya_test
{

/* ---- the beginning ---- */

// Holds: S84
TEST_P(NetConformance, ConnectionMadeComesInTheNextRoundAndReadingAfterIt)
{
    Recorder recorder(&trace, "a");
    int peer;
    bool reading = true;
    recorder.on_made = [&](hoya_transport *t) {
        reading = hoya_transport_is_reading(t);
        return 0;
    };
    Transport transport = Connect(recorder, &peer);
    Send(peer, "early");
    EXPECT_EQ(trace, Trace{}) << "never inside the call";
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"a made"});
    EXPECT_FALSE(reading);
    EXPECT_TRUE(hoya_transport_is_reading(transport.get()));
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a data"}));
    EXPECT_EQ(recorder.data, "early");
}

// Holds: S85
TEST_P(NetConformance, APauseInConnectionMadeIsHonoured)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.on_made = [](hoya_transport *t) { return hoya_transport_pause_reading(t); };
    Transport transport = Connect(recorder, &peer);
    Send(peer, "early");
    RunRounds(3);
    EXPECT_EQ(trace, Trace{"a made"});
    EXPECT_FALSE(hoya_transport_is_reading(transport.get()));
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    RunRounds(1);
    EXPECT_EQ(recorder.data, "early");
}

// Holds: S85
TEST_P(NetConformance, APauseBeforeConnectionMadeIsHonouredToo)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connect(recorder, &peer);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    Send(peer, "early");
    RunRounds(3);
    EXPECT_EQ(trace, Trace{"a made"});
}

// Holds: S101
TEST_P(NetConformance, AFailingConnectionMadeEndsTheConnection)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.on_made = [](hoya_transport *) { return HOYA_EINVAL; };
    Transport transport = Connect(recorder, &peer);
    Send(peer, "early");
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a made", "a lost HOYA_EINVAL", "a released"})) << "and nothing is read";
    EXPECT_TRUE(Logged("connection_made failed"));
}

TEST_P(NetConformance, WhoEndsItBeforeItsBeginningHearsOfBothInOrder)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connect(recorder, &peer);
    CallSoon([&] { trace.push_back("before"); });
    EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"a made", "before", "a lost", "a released"}));
}

TEST_P(NetConformance, WhoClosesInConnectionMadeHearsOfTheEndInALaterRound)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.on_made = [](hoya_transport *t) { return hoya_transport_close(t); };
    Transport transport = Connect(recorder, &peer);
    Send(peer, "early");
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"a made"});
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a lost", "a released"}));
}

/* ---- reading ---- */

// Holds: S86
TEST_P(NetConformance, PauseAndResumeMayBeRepeated)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    Send(peer, "x");
    RunRounds(2);
    EXPECT_EQ(recorder.data, "");
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    RunRounds(1);
    EXPECT_EQ(recorder.data, "x");
    hoya_transport_close(transport.get());
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    EXPECT_FALSE(hoya_transport_is_reading(transport.get())) << "after close nothing is read any more";
}

// Holds: S87
TEST_P(NetConformance, ARoundReadsOnceOfEachConnection)
{
    Recorder one(&trace, "one", true), other(&trace, "other");
    int peer_of_one, peer_of_other;
    Transport a = Connected(one, &peer_of_one), b = Connected(other, &peer_of_other);
    Send(peer_of_one, std::string(10000, 'x')); /* its memory is 4096 bytes */
    Send(peer_of_other, "y");
    RunRounds(1);
    EXPECT_EQ(trace.size(), 2u);
    EXPECT_EQ(one.reads, (std::vector<size_t>{4096}));
    EXPECT_EQ(other.data, "y");
    RunRounds(2);
    EXPECT_EQ(one.reads, (std::vector<size_t>{4096, 4096, 1808}));
}

// Holds: S87
TEST_P(NetConformance, OneReadGivesAtMost256KiB)
{
    Recorder recorder(&trace, "a");
    recorder.notes_data = false;
    int peer;
    Transport transport = Connected(recorder, &peer);
    int size = 1 << 20;
    setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    const std::string data = Much();
    size_t sent = 0;
    RunUntil([&] {
        ssize_t n = sent < data.size() ? send(peer, data.data() + sent, data.size() - sent, MSG_NOSIGNAL) : 0;
        if (n > 0) sent += static_cast<size_t>(n);
        return recorder.data.size() == data.size();
    });
    EXPECT_TRUE(recorder.data == data);
    for (size_t n : recorder.reads) EXPECT_LE(n, 256u * 1024);
}

// Holds: S88
TEST_P(NetConformance, NothingIsReadAfterClose)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Send(peer, "x");
    CallSoon([&] { hoya_transport_close(transport.get()); }); /* the descriptor is found ready in the same round */
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
}

// Holds: S97
TEST_P(NetConformance, TheOtherSidesEndClosesTheConnection)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Send(peer, "last");
    shutdown(peer, SHUT_WR);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(trace, (Trace{"a data", "a eof", "a lost", "a released"}));
    EXPECT_EQ(recorder.code, 0);
}

// Holds: S97
TEST_P(NetConformance, AProtocolMayStayAfterTheOtherSidesEndAndWrite)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_eof = [](hoya_transport *) { return 1; };
    shutdown(peer, SHUT_WR);
    RunRounds(5);
    EXPECT_EQ(trace, Trace{"a eof"}) << "once, and the loop does not spin on it";
    EXPECT_FALSE(hoya_transport_is_reading(transport.get()));
    EXPECT_EQ(Write(transport, "still here"), 0);
    EXPECT_EQ(Receive(peer), "still here");
    hoya_transport_close(transport.get());
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"a eof", "a lost", "a released"}));
}

// Holds: S100
TEST_P(NetConformance, AFailingDataReceivedIsFatal)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_data = [](hoya_transport *, const std::string &) { return hoya_error_set(HOYA_EINVAL, "no verb"); };
    Send(peer, "x");
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a data", "a lost HOYA_EINVAL", "a released"}));
    EXPECT_TRUE(Logged("data_received failed"));
    EXPECT_TRUE(Logged("no verb"));
}

// Holds: S100
TEST_P(NetConformance, AFailingBufferUpdatedIsFatal)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_data = [](hoya_transport *, const std::string &) { return HOYA_EINVAL; };
    Send(peer, "x");
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a data", "a lost HOYA_EINVAL", "a released"}));
    EXPECT_TRUE(Logged("buffer_updated failed"));
}

// Holds: S100
TEST_P(NetConformance, AFailingEofReceivedIsFatal)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_eof = [](hoya_transport *) { return HOYA_EINVAL; };
    shutdown(peer, SHUT_WR);
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a eof", "a lost HOYA_EINVAL", "a released"}));
    EXPECT_TRUE(Logged("eof_received failed"));
}

// Holds: S100
TEST_P(NetConformance, AFailingGetBufferIsFatal)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_buffer = [](hoya_transport *, void **, size_t *) { return HOYA_ENOMEM; };
    Send(peer, "x");
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a lost HOYA_ENOMEM", "a released"}));
    EXPECT_TRUE(Logged("get_buffer failed"));
}

// Holds: S105
TEST_P(NetConformance, NoMemoryFromGetBufferIsFatal)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_buffer = [](hoya_transport *, void **, size_t *size) {
        *size = 0;
        return 0;
    };
    Send(peer, "x");
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a lost HOYA_ENOBUFS", "a released"}));
}

TEST_P(NetConformance, AProtocolThatClosesInGetBufferGetsNothing)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_buffer = [](hoya_transport *t, void **, size_t *) { return hoya_transport_close(t); };
    Send(peer, "x");
    RunRounds(3);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
}

TEST_P(NetConformance, AProtocolThatPausesInGetBufferGetsNothingUntilItResumes)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_buffer = [](hoya_transport *t, void **, size_t *) { return hoya_transport_pause_reading(t); };
    Send(peer, "x");
    RunRounds(3);
    EXPECT_EQ(recorder.data, "");
    Recorder other(&trace, "b");
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), other.protocol()), 0) << "it is asked no more";
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    RunUntil([&] { return other.data == "x"; });
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), recorder.protocol()), 0);
}

// Holds: S103 S102
TEST_P(NetConformance, AResetIsQuietAndTellsItsCode)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Write(transport, "unread"); /* a Unix peer that closes with unread data resets */
    Close(peer);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(trace, (Trace{"a lost HOYA_ECONNRESET", "a released"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S102
TEST_P(NetConformance, InDebugModeAResetIsLogged)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_loop_set_debug(loop, 1);
    Write(transport, "unread");
    Close(peer);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(recorder.code, HOYA_ECONNRESET);
    EXPECT_TRUE(Logged(std::string(": ") + hoya_strerror(HOYA_ECONNRESET)));
}

/* ---- protocols ---- */

// Holds: S104
TEST_P(NetConformance, AnotherProtocolOfTheOtherKindMayTakeOver)
{
    Recorder plain(&trace, "plain"), buffered(&trace, "buffered", true);
    int peer;
    Transport transport = Connected(plain, &peer);
    plain.on_data = [&](hoya_transport *t, const std::string &) {
        return hoya_transport_set_protocol(t, buffered.protocol());
    };
    buffered.on_data = [&](hoya_transport *t, const std::string &data) {
        return data == "back" ? hoya_transport_set_protocol(t, plain.protocol()) : 0;
    };
    Send(peer, "one");
    RunRounds(1);
    EXPECT_EQ(hoya_transport_get_protocol(transport.get()).arg, &buffered);
    Send(peer, "two");
    RunRounds(1);
    Send(peer, "back");
    RunRounds(1);
    plain.on_data = nullptr;
    Send(peer, "three");
    RunRounds(1);
    EXPECT_EQ(plain.data, "onethree");
    EXPECT_EQ(buffered.data, "twoback");
    EXPECT_EQ(plain.released + buffered.released, 0) << "whoever is replaced is the caller's again";
    hoya_transport_abort(transport.get());
    RunRounds(2);
    EXPECT_EQ(plain.released, 1);
    EXPECT_EQ(buffered.released, 0);
}

TEST_P(NetConformance, SetProtocolIsRefusedWhereItCannotBe)
{
    Recorder recorder(&trace, "a", true), other(&trace, "b");
    int peer;
    Transport transport = Connected(recorder, &peer);
    int between = 1, after = 1;
    recorder.on_buffer = [&](hoya_transport *t, void **, size_t *) {
        between = hoya_transport_set_protocol(t, other.protocol());
        return 0;
    };
    recorder.on_lost = [&](hoya_transport *t, int) { after = hoya_transport_set_protocol(t, other.protocol()); };
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), {nullptr, nullptr}), HOYA_EINVAL);
    hoya_protocol_ops half = {};
    half.size = sizeof half;
    half.get_buffer = other.protocol().ops->get_buffer;
    EXPECT_EQ(half.get_buffer, nullptr);
    half.get_buffer = recorder.protocol().ops->get_buffer;
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), {&half, nullptr}), HOYA_EINVAL);
    half.size = 3;
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), {&half, nullptr}), HOYA_EINVAL);
    Send(peer, "x");
    RunRounds(1);
    EXPECT_EQ(between, HOYA_EBUSY);
    EXPECT_EQ(recorder.data, "x");
    hoya_transport_abort(transport.get());
    RunRounds(2);
    EXPECT_EQ(after, HOYA_ECLOSED);
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), other.protocol()), HOYA_ECLOSED);
    EXPECT_EQ(hoya_transport_get_protocol(transport.get()).ops, nullptr);
}

TEST_P(NetConformance, AProtocolWithoutFunctionsReadsAndDrops)
{
    static const hoya_protocol_ops nothing = {sizeof nothing, nullptr, nullptr, nullptr, nullptr, nullptr,
                                              nullptr,        nullptr, nullptr, nullptr, nullptr};
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    Own(fds[1]);
    ASSERT_EQ(hoya_connect_accepted_socket(loop, fds[0], {&nothing, nullptr}, nullptr, nullptr), 0);
    Send(fds[1], "for nobody");
    shutdown(fds[1], SHUT_WR);
    RunUntil([&] { return AtEnd(fds[1]); });
}

/* ---- the descriptor ---- */

TEST_P(NetConformance, ADescriptorOfATransportIsNobodyElsesToWatch)
{
    Recorder recorder(&trace, "a"), other(&trace, "b");
    int peer;
    Transport transport = Connected(recorder, &peer);
    int fd = hoya_transport_fileno(transport.get());
    Probe probe;
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_EBUSY);
    EXPECT_EQ(hoya_loop_replace_writer(loop, fd, Probe::RunFd, &probe, Probe::Destroy), HOYA_EBUSY);
    EXPECT_EQ(probe.destroyed, 2);
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), 0);
    EXPECT_EQ(hoya_connect_accepted_socket(loop, fd, other.protocol(), nullptr, nullptr), HOYA_EBUSY);
    EXPECT_EQ(other.released, 1);
    Send(peer, "x");
    RunRounds(1);
    EXPECT_EQ(recorder.data, "x");
}

TEST_P(NetConformance, OnlyAConnectedStreamSocketIsTakenOver)
{
    Recorder recorder(&trace, "a");
    auto refused = [&](int fd, int code) {
        recorder.released = 0;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, fd, recorder.protocol(), nullptr, nullptr), code)
            << hoya_error_detail();
        EXPECT_EQ(recorder.released, 1);
    };
    refused(-1, HOYA_EBADF);
    refused(MakePipe()[0], HOYA_ENOTSOCK);
    refused(Own(socket(AF_INET, SOCK_DGRAM, 0)), HOYA_EINVAL);
    refused(Own(socket(AF_INET, SOCK_STREAM, 0)), HOYA_ENOTCONN);
    int listening = Own(socket(AF_INET, SOCK_STREAM, 0));
    listen(listening, 1);
    refused(listening, HOYA_EINVAL);
    hoya_transport_options options = {};
    options.size = sizeof options;
    options.keep_alive = -1;
    EXPECT_EQ(hoya_connect_accepted_socket(loop, MakePair()[0], recorder.protocol(), &options, nullptr),
              HOYA_EINVAL);
}

TEST_P(NetConformance, ASocketThatIsTakenOverBecomesNonBlockingAndCloseOnExec)
{
    Recorder recorder(&trace, "a");
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    Own(fds[1]);
    ASSERT_EQ(hoya_connect_accepted_socket(loop, fds[0], recorder.protocol(), nullptr, nullptr), 0);
    EXPECT_TRUE(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    EXPECT_TRUE(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
}

INSTANTIATE_TEST_SUITE_P(Hosts, NetConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace hoya_test
