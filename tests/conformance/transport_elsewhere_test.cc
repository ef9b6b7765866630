/* SPDX-License-Identifier: MIT
 *
 * conformance/transport_elsewhere_test.cc: connections and who they are not for: other threads, and the child of a fork.
 * And what is told of them: in a dump, and in debug mode where a loop is closed that still has some.
 */
#include "net.h"

#include <csignal>
#include <thread>

namespace hoya_test
{
namespace
{

class TransportElsewhere : public NetConformance
{
  protected:
    /* What each function answered that did not answer `code`. */
    Trace OtherAnswers(const Transport &transport, Recorder &other, int code)
    {
        hoya_transport *t = transport.get();
        Trace answers;
        auto expect = [&](const char *name, int answer) {
            if (answer != code) answers.push_back(std::string(name) + " answered " + hoya_error_name(answer));
        };
        hoya_address address;
        hoya_credentials credentials;
        size_t limit;
        iovec part = {const_cast<char *>("x"), 1};
        expect("write", hoya_transport_write(t, "x", 1));
        expect("writelines", hoya_transport_writelines(t, &part, 1));
        const hoya_fd passed = 0;
        expect("write_fds", hoya_transport_write_fds(t, "x", 1, &passed, 1));
        expect("sendfile", hoya_sendfile(t, 0, 0, 1, 0, nullptr));
        expect("write_eof", hoya_transport_write_eof(t));
        expect("close", hoya_transport_close(t));
        expect("abort", hoya_transport_abort(t));
        expect("pause_reading", hoya_transport_pause_reading(t));
        expect("resume_reading", hoya_transport_resume_reading(t));
        expect("set_protocol", hoya_transport_set_protocol(t, other.protocol()));
        expect("set_write_buffer_limits", hoya_transport_set_write_buffer_limits(t, 10, 1, 20));
        expect("get_write_buffer_limits", hoya_transport_get_write_buffer_limits(t, &limit, &limit, &limit));
        expect("get_sockname", hoya_transport_get_sockname(t, &address));
        expect("get_peername", hoya_transport_get_peername(t, &address));
        expect("get_peer_credentials", hoya_transport_get_peer_credentials(t, &credentials));
        int released = other.released;
        hoya_future *future = nullptr;
        expect("create_connection",
               hoya_create_connection(loop, "127.0.0.1", "80", other.protocol(), nullptr, &future));
        expect("create_unix_connection",
               hoya_create_unix_connection(loop, "@nobody", other.protocol(), nullptr, &future));
        auto pair = MakePair();
        expect("connect_accepted_socket",
               hoya_connect_accepted_socket(loop, pair[0], other.protocol(), nullptr, nullptr));
        EXPECT_EQ(future, nullptr);
        EXPECT_EQ(other.released, released + 3) << "given away, always";
        return answers;
    }
    /* Both ways, and neither is at its end. */
    void ExpectToWork(const Transport &transport, Recorder &recorder, int peer)
    {
        const std::string before = recorder.data;
        EXPECT_FALSE(hoya_transport_is_closing(transport.get()));
        EXPECT_EQ(Write(transport, "from here"), 0);
        EXPECT_EQ(Receive(peer), "from here");
        EXPECT_FALSE(AtEnd(peer));
        Send(peer, "from there");
        RunUntil([&] { return recorder.data == before + "from there"; });
    }
};

TEST_P(TransportElsewhere, AnotherThreadIsRefusedEverything)
{
    Recorder recorder(&trace, "a"), other(&trace, "b");
    int peer;
    Transport transport = Connected(recorder, &peer);
    std::thread([&] { EXPECT_EQ(OtherAnswers(transport, other, HOYA_ETHREAD), Trace{}); }).join();
    ExpectToWork(transport, recorder, peer);
    EXPECT_EQ(recorder.lost, 0);
}

/* ---- forks ---- */

// Holds: S56
TEST_P(TransportElsewhere, AForkedChildIsRefusedEverythingAndItsCloseLeavesTheParentsConnectionAlone)
{
    Recorder recorder(&trace, "a"), other(&trace, "b");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(OtherAnswers(transport, other, HOYA_ECHILD), Trace{});
                  EXPECT_EQ(recorder.released, 0);
                  EXPECT_EQ(hoya_loop_close(loop), 0);
                  EXPECT_EQ(recorder.released, 1);
                  EXPECT_EQ(recorder.lost, 0) << "no callback runs";
                  EXPECT_EQ(hoya_transport_fileno(transport.get()), HOYA_INVALID_FD);
                  transport.reset();
                  hoya_loop_unref(loop);
              }),
              0);
    ExpectToWork(transport, recorder, peer);
}

// Holds: S56
TEST_P(TransportElsewhere, WhatWaitsIsTheParentsToSendAndTheChildsCloseSendsNothing)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    const std::string data = Much();
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_EQ(InChild([&] { EXPECT_EQ(hoya_loop_close(loop), 0); }), 0);
    std::string all;
    RunUntil([&] {
        all += Receive(peer);
        return all.size() == data.size();
    });
    EXPECT_TRUE(all == data);
    EXPECT_EQ(Receive(peer), "");
}

// Holds: S56
TEST_P(TransportElsewhere, AChildThatTakesTheLoopOverSharesItsConnectionsAndMayAbortThem)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Send(peer, "for whoever reads first");
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
                  RunUntil([&] { return !recorder.data.empty(); });
                  EXPECT_EQ(recorder.data, "for whoever reads first");
                  EXPECT_EQ(Write(transport, "from the child"), 0);
                  EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
                  RunUntil([&] { return recorder.released; });
                  EXPECT_EQ(hoya_loop_close(loop), 0);
              }),
              0);
    EXPECT_EQ(Receive(peer), "from the child");
    EXPECT_FALSE(AtEnd(peer)) << "the parent has it still";
    RunRounds(2);
    EXPECT_EQ(recorder.data, "") << "that has been read";
    ExpectToWork(transport, recorder, peer);
}

// Holds: S56
TEST_P(TransportElsewhere, AChildClosesItsCopyOfAConnectionThatIsBeingMadeAndTheParentsIsMade)
{
    Recorder recorder(&trace, "a");
    hoya_address address;
    const std::string name = "@hoya-elsewhere-" + std::to_string(getpid());
    ASSERT_EQ(hoya_address_set_unix(&address, name.c_str()), 0);
    int server = Own(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
    ASSERT_EQ(listen(server, 1), 0);
    hoya_future *future = nullptr;
    ASSERT_EQ(hoya_create_unix_connection(loop, name.c_str(), recorder.protocol(), nullptr, &future), 0);
    Future owner(future);
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(hoya_future_cancel(future, nullptr), HOYA_ECHILD);
                  EXPECT_EQ(hoya_loop_close(loop), 0);
                  EXPECT_EQ(recorder.released, 1);
              }),
              0);
    RunUntil([&] { return hoya_future_done(future); });
    EXPECT_EQ(hoya_future_result(future, nullptr), 0) << hoya_error_detail();
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    Send(fd, "hello");
    RunUntil([&] { return recorder.data == "hello"; });
}

/* ---- what is told of them ---- */

TEST_P(TransportElsewhere, ADumpHasALineForEachConnectionAndItsState)
{
    Recorder one(&trace, "one"), two(&trace, "two"), three(&trace, "three");
    int peers[3];
    Transport a = Connected(one, &peers[0]), b = Connected(two, &peers[1]), c = Connected(three, &peers[2]);
    hoya_transport_pause_reading(b.get());
    EXPECT_EQ(Write(c, Much()), 0);
    hoya_transport_close(c.get());
    std::string waiting = std::to_string(hoya_transport_get_write_buffer_size(c.get()));
    auto dump = [this] {
        std::string all;
        EXPECT_EQ(
            hoya_loop_dump(
                loop,
                [](const char *line, void *arg) { *static_cast<std::string *>(arg) += std::string(line) + "\n"; },
                &all),
            0);
        return all;
    };
    auto line = [](const Transport &of, const std::string &rest) {
        return "    " + std::to_string(hoya_transport_fileno(of.get())) + ": unix: to unix:" + rest + "\n";
    };
    std::string text = dump();
    EXPECT_NE(text.find("  connections: 3\n"), std::string::npos) << text;
    EXPECT_NE(text.find(line(a, ", 0 bytes to be sent")), std::string::npos) << text;
    EXPECT_NE(text.find(line(b, ", not reading, 0 bytes to be sent")), std::string::npos) << text;
    EXPECT_NE(text.find(line(c, ", closing, not reading, " + waiting + " bytes to be sent")), std::string::npos)
        << text;
    hoya_transport_abort(c.get());
    text = dump();
    EXPECT_NE(text.find(", ending, not reading, 0 bytes to be sent"), std::string::npos) << text;
    RunRounds(2);
    EXPECT_NE(dump().find("  connections: 2\n"), std::string::npos);
}

TEST_P(TransportElsewhere, ConnectionsThatAreLeftInALoopAreNamedInDebugMode)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    Recorder recorder(&trace, "a"), paused(&trace, "b"), early(&trace, "c"), over(&trace, "d");
    int peers[4];
    Transport a = Connected(recorder, &peers[0]), b = Connected(paused, &peers[1]), d = Connected(over, &peers[3]);
    hoya_transport_pause_reading(b.get());
    hoya_transport_abort(d.get());
    RunRounds(2);
    Transport c = Connect(early, &peers[2]);
    ClearLog();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(Logged("left in a loop that is closed: transport hoya-conformance-tests("));
    EXPECT_TRUE(Logged("3 things were left in the loop")) << "one that wants nothing now is among them";
}

INSTANTIATE_TEST_SUITE_P(Hosts, TransportElsewhere, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
