/* SPDX-License-Identifier: MIT
 *
 * conformance/pipe_test.cc: pipes, FIFOs and sockets of one direction: what their protocols hear.
 */
#include "pipes.h"

#include <sys/wait.h>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, PipeConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- read pipes ---- */

// Holds: S119
TEST_P(PipeConformance, AReadPipeHearsOfItsBeginningItsDataAndItsEndEachInARoundOfItsOwn)
{
    Recorder recorder(&trace, "a");
    auto ends = MakePipe();
    Transport transport = Open(Way::kRead, dup(ends[0]), recorder);
    Put(ends[1], "early");
    EXPECT_EQ(trace, Trace{}) << "never inside the call";
    RunRounds(1);
    EXPECT_EQ(trace, Trace{"a made"});
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a data"}));
    EXPECT_EQ(recorder.data, "early");
    Close(ends[1]);
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a data", "a eof"}));
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a data", "a eof", "a lost", "a released"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S119
TEST_P(PipeConformance, WhatEofReceivedAnswersIsIgnored)
{
    Recorder recorder(&trace, "a", true);
    int peer;
    recorder.on_eof = [](hoya_transport *) { return 1; };
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    Put(peer, "x");
    Close(peer);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a data", "a eof", "a lost", "a released"}));
    EXPECT_EQ(recorder.code, 0);
}

TEST_P(PipeConformance, AFailureOfEofReceivedIsTheCodeOfTheEnd)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.on_eof = [](hoya_transport *) { return HOYA_EINVAL; };
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    Close(peer);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.code, HOYA_EINVAL);
    EXPECT_TRUE(Logged("eof_received failed"));
}

TEST_P(PipeConformance, AReadPipeCanBePaused)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    EXPECT_EQ(hoya_transport_is_reading(transport.get()), 1);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    Put(peer, "x");
    Close(peer);
    RunRounds(3);
    EXPECT_EQ(trace, Trace{}) << "nor is the end noticed";
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.data, "x");
}

TEST_P(PipeConformance, MuchComesThroughAReadPipeInOrder)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.notes_data = false;
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    const std::string data = Much();
    size_t sent = 0;
    RunUntil([&] {
        ssize_t n = write(peer, data.data() + sent, data.size() - sent);
        if (n > 0) sent += static_cast<size_t>(n);
        return recorder.data.size() == data.size();
    });
    EXPECT_TRUE(recorder.data == data);
}

TEST_P(PipeConformance, AReadPipeTakesNothingToWrite)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    iovec part = {const_cast<char *>("x"), 1};
    EXPECT_EQ(hoya_transport_can_write_eof(transport.get()), 0);
    EXPECT_EQ(Write(transport, "x"), HOYA_ENOTSUP);
    EXPECT_EQ(hoya_transport_writelines(transport.get(), &part, 1), HOYA_ENOTSUP);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), HOYA_ENOTSUP);
    EXPECT_FALSE(hoya_transport_is_closing(transport.get()));
    Put(peer, "still here");
    RunUntil([&] { return recorder.data == "still here"; });
}

TEST_P(PipeConformance, AClosedReadPipeHearsNoMoreAndItsDescriptorIsClosed)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    int fd = hoya_transport_fileno(transport.get());
    recorder.on_lost = [&](hoya_transport *, int) { EXPECT_TRUE(IsOpen(fd)) << "closed behind connection_lost"; };
    Put(peer, "late");
    EXPECT_EQ(hoya_transport_close(transport.get()), 0);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
    EXPECT_FALSE(IsOpen(fd));
    EXPECT_EQ(hoya_transport_fileno(transport.get()), HOYA_INVALID_FD);
}

/* ---- write pipes ---- */

TEST_P(PipeConformance, AWritePipeSendsAtOnceWhatTheSystemTakes)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kWrite, recorder, &peer);
    EXPECT_EQ(Write(transport, "now"), 0);
    EXPECT_EQ(Get(peer), "now") << "before the loop has run";
    EXPECT_EQ(hoya_transport_is_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    RunRounds(2);
    EXPECT_EQ(trace, Trace{});
}

TEST_P(PipeConformance, AWritePipeKeepsTheRestInOrderWithinItsMarks)
{
    Recorder recorder(&trace, "a");
    int peer;
    hoya_pipe_options options = {sizeof options, 10000, 1000, 8u << 20};
    Transport transport = OpenedPipe(Way::kWrite, recorder, &peer, &options);
    const std::string data = Much(), more = "more";
    iovec parts[2] = {{const_cast<char *>(more.data()), 2}, {const_cast<char *>(more.data()) + 2, 2}};
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_EQ(trace, Trace{"a pause"});
    EXPECT_EQ(hoya_transport_writelines(transport.get(), parts, 2), 0);
    EXPECT_EQ(Write(transport, Much(8u << 20)), HOYA_ENOBUFS);
    std::string all;
    RunUntil([&] {
        all += Get(peer);
        return all.size() == data.size() + 4;
    });
    EXPECT_TRUE(all == data + more);
    RunUntil([&] { return hoya_transport_get_write_buffer_size(transport.get()) == 0; });
    EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
}

TEST_P(PipeConformance, WriteEofClosesAWritePipeOnceAllIsWritten)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.notes_data = false;
    Transport transport = OpenedPipe(Way::kWrite, recorder, &peer);
    const std::string data = Much();
    EXPECT_EQ(hoya_transport_can_write_eof(transport.get()), 1);
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
    EXPECT_EQ(Write(transport, "late"), HOYA_ECLOSED);
    std::string all;
    RunUntil([&] {
        all += Get(peer);
        return recorder.released == 1;
    });
    all += Get(peer);
    EXPECT_TRUE(all == data);
    EXPECT_EQ(recorder.code, 0);
    char byte;
    EXPECT_EQ(read(peer, &byte, 1), 0) << "the end";
}

// Holds: S120
TEST_P(PipeConformance, AWritePipeNoticesThatNobodyReadsWithoutAWrite)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kWrite, recorder, &peer);
    RunRounds(2);
    EXPECT_EQ(trace, Trace{});
    Close(peer);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S120
TEST_P(PipeConformance, AWritePipeWithSomethingToWriteIsBrokenWhenNobodyReads)
{
    for (bool closing : {false, true}) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = OpenedPipe(Way::kWrite, recorder, &peer);
        EXPECT_EQ(Write(transport, Much()), 0);
        if (closing) EXPECT_EQ(hoya_transport_close(transport.get()), 0);
        trace.clear();
        Close(peer);
        RunUntilReleased(recorder);
        EXPECT_EQ(trace, (Trace{"a lost HOYA_EPIPE", "a released"}));
        EXPECT_EQ(LogLines(), 0u) << "what the other side does is nobody's failure";
    }
}

// Holds: S120
TEST_P(PipeConformance, WhoIsToldOfABrokenPipeIsToldWhich)
{
    Recorder recorder(&trace, "a");
    int peer;
    std::string text;
    recorder.on_lost = [&](hoya_transport *, int) { text = hoya_error_detail(); };
    Transport transport = OpenedPipe(Way::kWrite, recorder, &peer);
    const std::string number = std::to_string(hoya_transport_fileno(transport.get()));
    EXPECT_EQ(Write(transport, Much()), 0);
    Close(peer);
    RunUntilReleased(recorder);
    EXPECT_NE(text.find("descriptor " + number + ": "), std::string::npos) << text;
}

// Holds: S94
TEST_P(PipeConformance, AWriteToABrokenPipeSaysSo)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kWrite, recorder, &peer);
    Close(peer);
    EXPECT_EQ(Write(transport, "x"), HOYA_EPIPE);
    EXPECT_TRUE(hoya_transport_is_closing(transport.get()));
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.code, HOYA_EPIPE);
}

// Holds: S120
TEST_P(PipeConformance, ASocketIsAWritePipeToo)
{
    Recorder recorder(&trace, "a");
    auto pair = MakePair();
    int fd = dup(pair[0]);
    Close(pair[0]);
    Transport transport = Opened(Way::kWrite, fd, recorder);
    EXPECT_EQ(Write(transport, "to a socket"), 0);
    EXPECT_EQ(Receive(pair[1]), "to a socket");
    Close(pair[1]);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
}

TEST_P(PipeConformance, WhatComesInByASocketThatIsAWritePipeIsLeftAloneAndDoesNotSpin)
{
    Recorder recorder(&trace, "a");
    auto pair = MakePair();
    Transport transport = Opened(Way::kWrite, dup(pair[0]), recorder);
    Send(pair[1], "not for a write pipe");
    RunFor(HOYA_MSEC(10));
    uint64_t events = Stats().events;
    RunFor(HOYA_MSEC(20));
    EXPECT_LT(Stats().events, events + 10);
    EXPECT_EQ(trace, Trace{});
    EXPECT_EQ(Write(transport, "x"), 0);
    EXPECT_EQ(Receive(pair[1]), "x");
    EXPECT_EQ(Receive(pair[0]), "not for a write pipe");
}

TEST_P(PipeConformance, ASocketIsAReadPipeToo)
{
    Recorder recorder(&trace, "a");
    auto pair = MakePair();
    recorder.on_eof = [](hoya_transport *) { return 1; };
    Transport transport = Opened(Way::kRead, dup(pair[0]), recorder);
    Send(pair[1], "from a socket");
    EXPECT_EQ(Write(transport, "x"), HOYA_ENOTSUP);
    EXPECT_EQ(shutdown(pair[1], SHUT_WR), 0);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.data, "from a socket");
    EXPECT_EQ(recorder.code, 0);
}

TEST_P(PipeConformance, AFifoGoesOnWhenOneOfItsReadersHasGone)
{
    char folder[] = "/tmp/hoya-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const std::string path = std::string(folder) + "/fifo";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    int one = Own(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    int two = Own(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    Recorder recorder(&trace, "a");
    Transport transport = Opened(Way::kWrite, open(path.c_str(), O_WRONLY | O_CLOEXEC), recorder);
    Close(one);
    RunRounds(3);
    EXPECT_EQ(Write(transport, "x"), 0);
    EXPECT_EQ(Get(two), "x");
    Close(two);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.code, 0);
    unlink(path.c_str());
    rmdir(folder);
}

/* ---- SIGPIPE ---- */

TEST_P(PipeConformance, NoSigpipeEndsAProgramThatHasNotAskedForIt)
{
    EXPECT_EQ(InChild([&] {
                  signal(SIGPIPE, SIG_DFL);
                  sigset_t none, pending;
                  sigemptyset(&none);
                  pthread_sigmask(SIG_SETMASK, &none, nullptr);
                  hoya_loop *own;
                  ASSERT_EQ(hoya_loop_new(nullptr, &own), 0);
                  Recorder recorder(&trace, "a");
                  int ends[2];
                  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
                  hoya_transport *transport;
                  ASSERT_EQ(TryOpen(own, Way::kWrite, ends[1], recorder, &transport), 0);
                  close(ends[0]);
                  EXPECT_EQ(hoya_transport_write(transport, "x", 1), HOYA_EPIPE);
                  EXPECT_EQ(sigpending(&pending), 0);
                  EXPECT_FALSE(sigismember(&pending, SIGPIPE));
                  hoya_loop_close(own);
                  hoya_transport_unref(transport);
                  hoya_loop_unref(own);
              }),
              0);
}

/* ---- other programs ---- */

TEST_P(PipeConformance, AnotherProgramReadsWhatIsWrittenAndAnswers)
{
    Recorder answers(&trace, "out"), commands(&trace, "in");
    int in[2], out[2];
    ASSERT_EQ(pipe2(in, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(out, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl("/bin/sh", "sh", "-c", "echo begin; cat; echo end", nullptr);
        _exit(1);
    }
    close(in[0]);
    close(out[1]);
    answers.notes_data = false;
    Transport reads = Open(Way::kRead, out[0], answers), writes = Open(Way::kWrite, in[1], commands);
    const std::string data = Much();
    EXPECT_EQ(Write(writes, data), 0);
    EXPECT_EQ(hoya_transport_write_eof(writes.get()), 0);
    RunUntilReleased(answers);
    RunUntilReleased(commands);
    EXPECT_TRUE(answers.data == "begin\n" + data + "end\n");
    EXPECT_EQ(commands.code, 0);
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

/* ---- dialogs ---- */

class PipeNesting : public PipeConformance
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, PipeNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

TEST_P(PipeNesting, ADialogInDataReceivedHoldsUpItsOwnPipeOrFileAndNoOther)
{
    Recorder other(&trace, "other"), pipe(&trace, "pipe"), file(&trace, "file");
    int peer_of_pipe, peer_of_other;
    Transport second = OpenedPipe(Way::kRead, other, &peer_of_other);
    Transport first = OpenedPipe(Way::kRead, pipe, &peer_of_pipe);
    for (Recorder *one : {&pipe, &file}) {
        one->on_data = [&, one](hoya_transport *, const std::string &) {
            if (one->reads.size() > 1) return 0;
            other.data.clear();
            Put(peer_of_other, "inside");
            if (one == &pipe) Put(peer_of_pipe, "waits");
            EXPECT_TRUE(host->RunNestedUntil([&] { return other.data == "inside"; }));
            host->RunNestedUntil([] { return false; }, HOYA_MSEC(20));
            EXPECT_EQ(one->reads.size(), 1u);
            return 0;
        };
    }
    Put(peer_of_pipe, "x");
    EXPECT_TRUE(host->RunUntil([&] { return pipe.data == "xwaits"; }));
    Transport third = Open(Way::kRead, NewFile(Much(300000)), file);
    EXPECT_TRUE(host->RunUntil([&] { return file.released == 1; }));
    EXPECT_TRUE(file.data == Much(300000));
}

TEST_P(PipeNesting, AWritePipeWhoseReaderGoesInADialogHearsOfItAfterIt)
{
    Recorder recorder(&trace, "a");
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Own(ends[0]);
    recorder.on_made = [&](hoya_transport *) {
        Close(ends[0]);
        host->RunNestedUntil([] { return false; }, HOYA_MSEC(20));
        EXPECT_EQ(recorder.lost, 0);
        return 0;
    };
    Transport transport = Open(Way::kWrite, ends[1], recorder);
    EXPECT_TRUE(host->RunUntil([&] { return recorder.released == 1; }));
    EXPECT_EQ(trace, (Trace{"a made", "a lost", "a released"}));
}

} // namespace hoya_test
