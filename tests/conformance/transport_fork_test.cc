/* SPDX-License-Identifier: MIT
 *
 * conformance/transport_fork_test.cc: a function of a protocol forks, and returns in the child as well. There the turn that is on
 * the stack is over: what it would go on with, descriptors that both share and bytes that wait, is the parent's.
 */
#include "datagrams.h"
#include "pipes.h"
#include "server.h"

#include <cerrno>
#include <poll.h>
#include <sys/wait.h>
#include <utility>

namespace hoya_test
{
namespace
{

class TransportFork : public WithServers<PipeConformance>
{
  protected:
    void TearDown() override
    {
        if (in_child()) _exit(1); /* a failure has led here */
        WithServers<PipeConformance>::TearDown();
    }
    /* True in the parent, where the child has ended. */
    bool ForkOnce()
    {
        if (!std::exchange(forked_, true)) in_child_ = Fork(&status_);
        return !in_child_;
    }
    bool in_child() const { return in_child_; }
    /* The child's run has ended: so does the child, well if it has noted what it should. */
    void EndChild(const Trace &expected)
    {
        EXPECT_EQ(trace, expected);
        EXPECT_EQ(LogLines(), 0u) << "what went wrong is the parent's to tell";
        _exit(HasFailure() ? 1 : 0);
    }
    /* Until `done`, or in the child to the end of its run. */
    void RunBothUntil(const Predicate &done)
    {
        done_ = &done;
        look_ = [this] {
            if (!done_) return; /* the parent's timer, in a child that has taken the loop over */
            if ((*done_)()) Stop();
            else CallLater(HOYA_MSEC(1), look_);
        };
        CallSoon(look_);
        int rc = hoya_loop_run_forever(loop);
        done_ = nullptr;
        EXPECT_EQ(rc, in_child() ? HOYA_ECHILD : 0);
    }
    const std::string much = std::string(1000000, 'w');
    /* More was written than there is room for. */
    Transport Full(Recorder &recorder, int *peer)
    {
        Transport transport = Connected(recorder, peer);
        EXPECT_EQ(Write(transport, much), 0);
        EXPECT_GT(hoya_transport_get_write_buffer_size(transport.get()), 0u);
        trace.clear();
        return transport;
    }
    void ExpectThatTheChildWasWell()
    {
        EXPECT_EQ(status_, 0);
        forked_ = false; /* there may be another one */
    }

  private:
    const Predicate *done_ = nullptr;
    Work look_;
    bool forked_ = false, in_child_ = false;
    int status_ = -1;
};

INSTANTIATE_TEST_SUITE_P(Hosts, TransportFork, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S56
TEST_P(TransportFork, WhatFailsInTheChildTakesNothingFromTheParent)
{
    for (bool buffered : {false, true}) {
        Recorder recorder(&trace, "a", buffered);
        int peer;
        Transport transport = Connected(recorder, &peer);
        recorder.on_data = [&](hoya_transport *t, const std::string &) {
            return ForkOnce() ? 0 : hoya_transport_write(t, "never", 5);
        };
        Send(peer, "first");
        RunBothUntil([&] { return recorder.data == "first"; });
        if (in_child()) { /* nor from a child that takes the loop over */
            if (host) host->AfterFork();
            EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
            RunRounds(3);
            EndChild({"a data"});
        }
        Send(peer, " second");
        RunUntil([&] { return recorder.data == "first second"; });
        EXPECT_EQ(Receive(peer), "");
        EXPECT_EQ(trace, (Trace{"a data", "a data"}));
        ExpectThatTheChildWasWell();
        recorder.on_data = nullptr;
    }
}

TEST_P(TransportFork, WhatFailsInAFunctionOfAnotherKindTakesNothingEither)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connect(recorder, &peer);
    recorder.on_buffer = [&](hoya_transport *, void **, size_t *) { return ForkOnce() ? 0 : HOYA_ECHILD; };
    Send(peer, "first");
    RunBothUntil([&] { return recorder.data == "first"; });
    if (in_child()) EndChild({"a made"});
    Send(peer, " second");
    RunUntil([&] { return recorder.data == "first second"; });
    EXPECT_EQ(trace, (Trace{"a made", "a data", "a data"}));
    ExpectThatTheChildWasWell();
}

TEST_P(TransportFork, TheChildReadsNothingIntoTheMemoryThatItsProtocolGives)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_buffer = [&](hoya_transport *, void **, size_t *) {
        ForkOnce();
        return 0;
    };
    Send(peer, "for the parent");
    RunBothUntil([&] { return !recorder.data.empty(); });
    if (in_child()) EndChild({});
    EXPECT_EQ(recorder.data, "for the parent");
    ExpectThatTheChildWasWell();
}

TEST_P(TransportFork, WhatWaitsIsSentOnceByTheParent)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Full(recorder, &peer);
    std::string back = Receive(peer);
    ASSERT_LT(back.size(), much.size());
    recorder.on_data = [&](hoya_transport *, const std::string &) {
        ForkOnce();
        return 0;
    };
    Send(peer, "x"); /* beside the room for output, so that both come in one turn */
    RunBothUntil([&] {
        back += Receive(peer);
        return back.size() >= much.size();
    });
    if (in_child()) EndChild({"a data"});
    RunRounds(3);
    back += Receive(peer);
    EXPECT_EQ(back.size(), much.size());
    EXPECT_EQ(trace, (Trace{"a data", "a resume"}));
    ExpectThatTheChildWasWell();
}

/* The child's copy has nothing more to send; the parent's has. */
TEST_P(TransportFork, RoomForWhatTheParentWritesIsStillTold)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Full(recorder, &peer);
    bool more = true;
    recorder.on_resume = [&](hoya_transport *t) {
        if (!std::exchange(more, false)) return 0;
        return ForkOnce() ? hoya_transport_write(t, much.data(), much.size()) : HOYA_ECHILD;
    };
    std::string back;
    RunBothUntil([&] {
        back += Receive(peer);
        return back.size() >= 2 * much.size();
    });
    if (in_child()) EndChild({"a resume"});
    EXPECT_EQ(back.size(), 2 * much.size());
    ExpectThatTheChildWasWell();
}

TEST_P(TransportFork, OfFilesTheChildReadsAndWritesNothing)
{
    Recorder reader(&trace, "r"), writer(&trace, "w");
    reader.notes_data = false;
    Transport in = Open(Way::kRead, NewFile(much), reader);
    reader.on_data = [&](hoya_transport *, const std::string &) {
        ForkOnce();
        return 0;
    };
    RunBothUntil([&] { return reader.released; });
    if (in_child()) EndChild({"r made"});
    EXPECT_EQ(reader.data.size(), much.size());
    ExpectThatTheChildWasWell();

    int file = NewFile(""), same = Own(dup(file));
    Transport out = Opened(Way::kWrite, file, writer);
    EXPECT_EQ(Write(out, much), 0);
    trace.clear();
    writer.on_resume = [&](hoya_transport *) {
        ForkOnce();
        return 0;
    };
    RunBothUntil([&] { return !hoya_transport_get_write_buffer_size(out.get()); });
    if (in_child()) EndChild({"w resume"});
    ExpectThatTheChildWasWell();
    EXPECT_EQ(ContentOf(same).size(), much.size());
}

TEST_P(TransportFork, BytesThatCameWithDescriptorsAreTheParents)
{
    static hoya_protocol_ops ops;
    ops = *Recorder(&trace, "").protocol().ops;
    static std::function<int(hoya_transport *)> on_fds;
    ops.fds_received = [](hoya_transport *t, const hoya_fd *fds, size_t count, void *) {
        for (size_t i = 0; i < count; i++) close(fds[i]);
        return on_fds(t);
    };
    Recorder first(&trace, "a"), sender(&trace, "s"), buffered(&trace, "b", true);
    auto pair = MakePair();
    hoya_transport *to = nullptr, *from = nullptr;
    EXPECT_EQ(hoya_connect_accepted_socket(loop, dup(pair[0]), {&ops, first.protocol().arg}, nullptr, &to), 0);
    EXPECT_EQ(hoya_connect_accepted_socket(loop, dup(pair[1]), sender.protocol(), nullptr, &from), 0);
    Transport both[] = {Transport(to), Transport(from)};
    on_fds = [&](hoya_transport *t) { return hoya_transport_set_protocol(t, buffered.protocol()); };
    buffered.on_buffer = [&](hoya_transport *, void **, size_t *size) {
        trace.push_back("b asked");
        *size = 2;
        return 0;
    };
    buffered.on_data = [&](hoya_transport *, const std::string &) {
        ForkOnce();
        return 0;
    };
    EXPECT_EQ(hoya_transport_write_fds(from, "abcdef", 6, &pair[0], 1), 0) << hoya_error_detail();
    RunBothUntil([&] { return buffered.data.size() >= 6; });
    if (in_child()) EndChild({"a made", "s made", "b asked", "b data"});
    EXPECT_EQ(buffered.data, "abcdef");
    ExpectThatTheChildWasWell();
    for (const Transport &transport : both) EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
    RunUntil([&] { return buffered.released && sender.released; });
    first.transport = nullptr; /* whose end the other one has heard */
    on_fds = nullptr;
}

TEST_P(TransportFork, OfDatagramsTheChildHearsOne)
{
    Hearer hearer(&trace, "a");
    hoya_datagram_options options = {};
    options.size = sizeof options;
    options.local_host = "127.0.0.1";
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_create_datagram_endpoint(loop, hearer.protocol(), &options, &future), 0) << hoya_error_detail();
    RunUntil([&] { return hearer.transport; });
    hoya_future_unref(future);
    hearer.on_datagram = [&](hoya_datagram_transport *, const std::string &, const hoya_address &) {
        return ForkOnce() ? 0 : HOYA_ECHILD;
    };
    hoya_address to;
    EXPECT_EQ(hoya_datagram_transport_get_sockname(hearer.transport, &to), 0);
    int peer = Own(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (const char *word : {"one", "two", "three"})
        EXPECT_EQ(sendto(peer, word, strlen(word), 0, reinterpret_cast<sockaddr *>(&to.storage), to.length),
                  static_cast<ssize_t>(strlen(word)));
    trace.clear();
    RunBothUntil([&] { return hearer.got.size() == 3; });
    if (in_child()) EndChild({"a got one"});
    ExpectThatTheChildWasWell();
    EXPECT_EQ(trace, (Trace{"a got one", "a got two", "a got three"}));
    EXPECT_EQ(hoya_datagram_transport_abort(hearer.transport), 0);
    RunUntil([&] { return hearer.released; });
}

TEST_P(TransportFork, AConnectionThatTheParentGivesUpDoesNotStayInItsSelector)
{
    Recorder recorder(&trace, "a");
    int peer, over[2], back[2];
    ASSERT_EQ(pipe2(over, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(back, O_CLOEXEC), 0);
    for (int fd : {over[0], back[0]}) Own(fd);
    pid_t child = -1;
    char byte;
    recorder.on_made = [&](hoya_transport *t) {
        fflush(stdout);
        child = fork();
        if (child == 0) {
            alarm(10);
            close(over[1]);
            return 0; /* begins to read */
        }
        close(back[1]);
        EXPECT_EQ(read(back[0], &byte, 1), 1) << "the child has come that far";
        return hoya_transport_abort(t);
    };
    Transport transport = Connect(recorder, &peer);
    CallSoon([] {});
    Work look = [&] {
        if (recorder.released) Stop();
        else CallLater(HOYA_MSEC(1), look);
    };
    CallSoon(look);
    int rc = hoya_loop_run_forever(loop);
    if (child == 0) {
        EXPECT_EQ(write(back[1], "r", 1), 1);
        EXPECT_EQ(read(over[0], &byte, 1), 0) << "it keeps its descriptor until then";
        _exit(HasFailure() || rc != HOYA_ECHILD ? 1 : 0);
    }
    EXPECT_EQ(rc, 0);
    Send(peer, "to the child's");
    uint64_t rounds = Stats().rounds;
    RunFor(HOYA_MSEC(20));
    EXPECT_LT(Stats().rounds, rounds + 10) << "it spins";
    close(over[1]);
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    EXPECT_EQ(status, 0);
}

TEST_P(TransportFork, AChildOfAFactoryAcceptsNothing)
{
    Server server = Serve(house);
    for (int i = 0; i < 4; i++) Dial(server);
    house.on_factory = [&](hoya_server *) { return house.asked > 1 || ForkOnce() ? 0 : HOYA_ECHILD; };
    RunBothUntil([&] { return house.made == 4; });
    if (in_child()) {
        EXPECT_EQ(house.asked, 1);
        EndChild({});
    }
    EXPECT_EQ(house.asked, 4);
    ExpectThatTheChildWasWell();
    EXPECT_EQ(hoya_server_close(server.get()), 0);
}

TEST_P(TransportFork, AChildThatTakesTheLoopOverGoesOnWithWhatItReturnedFrom)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.on_made = [&](hoya_transport *) {
        return ForkOnce() ? 0 : HOYA_ECHILD; /* which says nothing of the connection */
    };
    Transport transport = Connect(recorder, &peer);
    CallLater(HOYA_MSEC(1), [&] { Stop(); });
    int rc = hoya_loop_run_forever(loop);
    if (in_child()) {
        if (host) host->AfterFork();
        EXPECT_EQ(rc, HOYA_ECHILD);
        EXPECT_EQ(hoya_loop_after_fork(loop), 0) << hoya_error_detail();
        Send(peer, "to the child");
        RunUntil([&] { return recorder.data == "to the child"; });
        EXPECT_EQ(Write(transport, "from the child"), 0);
        _exit(HasFailure() ? 1 : 0);
    }
    EXPECT_EQ(rc, 0);
    ExpectThatTheChildWasWell();
    EXPECT_EQ(Receive(peer), "from the child");
    Send(peer, "to the parent");
    RunUntil([&] { return recorder.data == "to the parent"; });
}

} // namespace hoya_test
