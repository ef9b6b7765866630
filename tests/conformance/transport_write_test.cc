/* SPDX-License-Identifier: MIT
 *
 * conformance/transport_write_test.cc: what goes out of a connection: at once where it can, in order, within limits.
 */
#include "net.h"

#include <climits>
#include <fcntl.h>

namespace hoya_test
{
namespace
{

class TransportWrite : public NetConformance
{
  protected:
    static int Writelines(const Transport &transport, const std::vector<std::string> &lines)
    {
        std::vector<iovec> parts;
        for (const std::string &line : lines) parts.push_back({const_cast<char *>(line.data()), line.size()});
        return hoya_transport_writelines(transport.get(), parts.data(), parts.size());
    }
    static size_t Waiting(const Transport &transport)
    {
        return hoya_transport_get_write_buffer_size(transport.get());
    }
    static int SetLimits(const Transport &transport, size_t high, size_t low, size_t hard = HOYA_LIMIT_DEFAULT)
    {
        return hoya_transport_set_write_buffer_limits(transport.get(), high, low, hard);
    }
    static std::vector<size_t> Limits(const Transport &transport)
    {
        size_t high, low, hard;
        EXPECT_EQ(hoya_transport_get_write_buffer_limits(transport.get(), &high, &low, &hard), 0);
        return {high, low, hard};
    }
    /* Until nothing waits; what came. */
    std::string Flush(const Transport &transport, int peer)
    {
        std::string all;
        RunUntil([&] {
            all += Receive(peer);
            return !Waiting(transport);
        });
        return all + Receive(peer);
    }
    /* So that the next write waits, whole. */
    size_t Fill(const Transport &transport)
    {
        EXPECT_EQ(SetLimits(transport, SIZE_MAX / 2, 0), 0);
        const std::string data = Much();
        EXPECT_EQ(Write(transport, data), 0);
        EXPECT_GT(Waiting(transport), 0u);
        return data.size();
    }
};

/* NONBLOCK is the file's, which may be shared. */
TEST_P(TransportWrite, WhoSharesTheSocketCannotMakeAWriteBlock)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(fcntl(hoya_transport_fileno(transport.get()), F_SETFL, O_RDWR), 0);
    const std::string much = Much();
    EXPECT_EQ(SetLimits(transport, SIZE_MAX / 2, 0), 0);
    EXPECT_EQ(Writelines(transport, {much, much}), 0);
    EXPECT_EQ(Flush(transport, peer).size(), 2 * much.size());
    EXPECT_EQ(Write(transport, much), 0);
    EXPECT_EQ(Flush(transport, peer).size(), much.size());
}

// Holds: S92
TEST_P(TransportWrite, WhatTheSystemTakesIsSentAtOnce)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(Write(transport, "now"), 0);
    EXPECT_EQ(Receive(peer), "now") << "before the loop has run";
    EXPECT_EQ(Waiting(transport), 0u);
}

// Holds: S92
TEST_P(TransportWrite, TheRestWaitsAndTheOrderIsKept)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    const std::string data = Much();
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_GT(Waiting(transport), 0u);
    EXPECT_EQ(Write(transport, "second "), 0);
    EXPECT_EQ(Writelines(transport, {"third ", "fourth"}), 0);
    EXPECT_TRUE(Flush(transport, peer) == data + "second third fourth");
}

TEST_P(TransportWrite, ManySmallWritesWaitInOrder)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    size_t first = Fill(transport);
    std::string all;
    for (int i = 0; i < 20000; i++) {
        std::string line = "line " + std::to_string(i) + "\n";
        all += line;
        ASSERT_EQ(Write(transport, line), 0);
    }
    EXPECT_TRUE(Flush(transport, peer).substr(first) == all);
}

TEST_P(TransportWrite, WhatWasWrittenInConnectionMadeGoesOut)
{
    Recorder recorder(&trace, "a");
    int peer;
    recorder.on_made = [](hoya_transport *t) { return hoya_transport_write(t, "hello", 5); };
    Transport transport = Connect(recorder, &peer);
    RunRounds(1);
    EXPECT_EQ(Receive(peer), "hello");
}

// Holds: S93
TEST_P(TransportWrite, NothingIsWrittenByAWriteOfNothing)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(hoya_transport_write(transport.get(), nullptr, 0), 0);
    EXPECT_EQ(hoya_transport_writelines(transport.get(), nullptr, 0), 0);
    EXPECT_EQ(Writelines(transport, {"", "", ""}), 0);
    EXPECT_EQ(hoya_transport_write(transport.get(), nullptr, 3), HOYA_EINVAL);
    EXPECT_EQ(Write(transport, "x"), 0);
    EXPECT_EQ(Receive(peer), "x");
}

// Holds: S106
TEST_P(TransportWrite, LinesBeyondWhatOneCallTakesAllGo)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    std::vector<std::string> lines;
    std::string all;
    for (int i = 0; i < 3 * IOV_MAX + 7; i++) {
        lines.push_back(i % 5 ? std::to_string(i) : std::string());
        all += lines.back();
    }
    EXPECT_EQ(Writelines(transport, lines), 0);
    EXPECT_TRUE(Flush(transport, peer) == all);
}

// Holds: S106
TEST_P(TransportWrite, LinesThatWereSentInPartGoOnWhereTheyStopped)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    std::vector<std::string> lines;
    std::string all;
    for (size_t i = 0; i < 300; i++) {
        lines.push_back(Much(9973 + i));
        all += lines.back();
    }
    EXPECT_EQ(Writelines(transport, lines), 0);
    EXPECT_GT(Waiting(transport), 0u);
    EXPECT_TRUE(Flush(transport, peer) == all);
}

// Holds: S94
TEST_P(TransportWrite, AFailingWriteEndsTheConnectionAndSaysSo)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_transport_pause_reading(transport.get());
    Close(peer);
    EXPECT_EQ(Write(transport, "x"), HOYA_EPIPE);
    EXPECT_TRUE(hoya_transport_is_closing(transport.get()));
    EXPECT_EQ(trace, Trace{}) << "never inside the call";
    EXPECT_EQ(Write(transport, "x"), HOYA_EPIPE);
    RunRounds(2);
    EXPECT_EQ(trace, (Trace{"a lost HOYA_EPIPE", "a released"}));
    EXPECT_EQ(Write(transport, "x"), HOYA_EPIPE) << "and goes on saying it";
    EXPECT_EQ(LogLines(), 0u) << "that is the network's way";
}

// Holds: S94
TEST_P(TransportWrite, WhatWaitsFailsLater)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_transport_pause_reading(transport.get());
    Fill(transport);
    Close(peer);
    RunUntil([&] { return recorder.released; });
    EXPECT_LT(recorder.code, 0);
}

// Holds: S102
TEST_P(TransportWrite, AProtocolMayHandOnWhatAWriteSaysOfTheEnd)
{
    for (bool closes : {false, true}) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        recorder.on_data = [&](hoya_transport *t, const std::string &) {
            if (closes) hoya_transport_close(t);
            else Close(peer);
            return hoya_transport_write(t, "x", 1);
        };
        Send(peer, "x");
        RunUntil([&] { return recorder.released; });
        EXPECT_EQ(recorder.code, closes ? 0 : HOYA_EPIPE);
        EXPECT_EQ(LogLines(), 0u) << "nobody has done anything wrong";
    }
}

TEST_P(TransportWrite, ConnectionLostFindsWhoseConnectionItWas)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    std::string detail;
    recorder.on_lost = [&](hoya_transport *, int) { detail = hoya_error_detail(); };
    Close(peer);
    Write(transport, "x");
    hoya_error_set(HOYA_EBADF, "of something else");
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(detail, std::string("the connection to unix:: ") + hoya_strerror(HOYA_EPIPE));
}

TEST_P(TransportWrite, WhatIsWrittenBeforeTheBeginningPausesAfterIt)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connect(recorder, &peer);
    EXPECT_EQ(Write(transport, Much()), 0);
    EXPECT_EQ(trace, Trace{});
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a pause"}));
}

// Holds: S95
TEST_P(TransportWrite, NothingIsTakenAfterClose)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_lost = [](hoya_transport *t, int) { EXPECT_EQ(hoya_transport_write(t, "x", 1), HOYA_ECLOSED); };
    size_t first = Fill(transport);
    hoya_transport_close(transport.get());
    EXPECT_EQ(Write(transport, "x"), HOYA_ECLOSED) << "although it is still being flushed";
    EXPECT_EQ(ReceiveAll(peer, recorder).size(), first);
    EXPECT_EQ(Write(transport, "x"), HOYA_ECLOSED);
}

// Holds: S96
TEST_P(TransportWrite, WriteEofTellsTheOtherSideAndReadingGoesOn)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    EXPECT_TRUE(hoya_transport_can_write_eof(transport.get()));
    EXPECT_EQ(Write(transport, "last"), 0);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0) << "twice is fine";
    EXPECT_EQ(Write(transport, "x"), HOYA_ESTATE);
    EXPECT_EQ(Receive(peer), "last");
    EXPECT_TRUE(AtEnd(peer));
    Send(peer, "answer");
    RunRounds(1);
    EXPECT_EQ(recorder.data, "answer");
}

// Holds: S96
TEST_P(TransportWrite, WriteEofWaitsForWhatWaits)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    size_t first = Fill(transport);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
    EXPECT_EQ(Flush(transport, peer).size(), first);
    EXPECT_TRUE(AtEnd(peer));
    EXPECT_EQ(recorder.lost, 0);
}

// Holds: S96
TEST_P(TransportWrite, WriteEofAfterCloseIsIgnored)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    hoya_transport_close(transport.get());
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
    RunRounds(2);
    EXPECT_EQ(recorder.code, 0);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
}

/* ---- flow control ---- */

// Holds: S98
TEST_P(TransportWrite, TheProtocolPausesAboveTheHighMarkAndResumesAtTheLowOne)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    size_t at_resume = SIZE_MAX;
    recorder.on_resume = [&](hoya_transport *t) {
        at_resume = hoya_transport_get_write_buffer_size(t);
        return 0;
    };
    Fill(transport);
    size_t waiting = Waiting(transport);
    EXPECT_EQ(SetLimits(transport, waiting + 2, waiting / 2), 0);
    EXPECT_EQ(trace, Trace{});
    Write(transport, "12");
    EXPECT_EQ(trace, Trace{}) << "at the mark is not over it";
    Write(transport, "3");
    EXPECT_EQ(trace, Trace{"a pause"}) << "inside the write";
    Write(transport, "4");
    EXPECT_EQ(trace, Trace{"a pause"}) << "once";
    Flush(transport, peer);
    EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
    EXPECT_LE(at_resume, waiting / 2);
    EXPECT_GT(at_resume, 0u) << "before all had gone";
}

// Holds: S99
TEST_P(TransportWrite, LimitsHaveDefaultsThatFollowEachOther)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    const size_t none = HOYA_LIMIT_DEFAULT;
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{65536, 16384, none}));
    EXPECT_EQ(SetLimits(transport, 1000, none), 0);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{1000, 250, none}));
    EXPECT_EQ(SetLimits(transport, none, 1000, 5000), 0);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{4000, 1000, 5000}));
    EXPECT_EQ(SetLimits(transport, 0, none), 0);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{0, 0, none}));
    EXPECT_EQ(SetLimits(transport, none, none, 1000), 0);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{1000, 250, 1000})) << "no mark is over a hard limit alone";
    EXPECT_EQ(SetLimits(transport, 0, none), 0);
    EXPECT_EQ(SetLimits(transport, 10, 11), HOYA_EINVAL);
    EXPECT_EQ(SetLimits(transport, 10, 1, 9), HOYA_EINVAL);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{0, 0, none})) << "unchanged";
    EXPECT_EQ(SetLimits(transport, none, none), 0);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{65536, 16384, none}));
}

// Holds: S99
TEST_P(TransportWrite, OtherLimitsMayPauseOrResumeAtOnce)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    Fill(transport);
    EXPECT_EQ(SetLimits(transport, 10, 5), 0);
    EXPECT_EQ(trace, Trace{"a pause"});
    EXPECT_EQ(SetLimits(transport, SIZE_MAX / 2, SIZE_MAX / 4), 0);
    EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
}

// Holds: S99
TEST_P(TransportWrite, LimitsComeWithTheOptionsOfAConnection)
{
    Recorder recorder(&trace, "a");
    int peer;
    hoya_transport_options options = {};
    options.size = sizeof options;
    options.write_high = 100;
    options.write_hard = 200;
    Transport transport = Connected(recorder, &peer, &options);
    EXPECT_EQ(Limits(transport), (std::vector<size_t>{100, 25, 200}));
}

TEST_P(TransportWrite, BeyondTheHardLimitNothingIsTaken)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    size_t first = Fill(transport);
    size_t waiting = Waiting(transport);
    EXPECT_EQ(SetLimits(transport, 100, 50, waiting + 10), 0);
    EXPECT_EQ(Write(transport, "12345678901"), HOYA_ENOBUFS);
    EXPECT_NE(std::string(hoya_error_detail()).find(std::to_string(waiting + 10)), std::string::npos)
        << hoya_error_detail();
    EXPECT_EQ(Waiting(transport), waiting);
    EXPECT_FALSE(hoya_transport_is_closing(transport.get()));
    EXPECT_EQ(Write(transport, "1234567890"), 0);
    EXPECT_EQ(Write(transport, "1"), HOYA_ENOBUFS);
    EXPECT_EQ(Flush(transport, peer).size(), first + 10);
    EXPECT_EQ(Write(transport, "1"), 0) << "and it goes on";
}

// Holds: S100
TEST_P(TransportWrite, AFailingPauseOrResumeIsReportedAndTheConnectionLives)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_pause = recorder.on_resume = [](hoya_transport *) { return HOYA_EINVAL; };
    Write(transport, Much());
    EXPECT_TRUE(Logged("pause_writing failed"));
    Flush(transport, peer);
    EXPECT_TRUE(Logged("resume_writing failed"));
    EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
    EXPECT_EQ(Write(transport, "x"), 0);
    EXPECT_EQ(Receive(peer), "x");
}

TEST_P(TransportWrite, AProtocolMayWriteInResumeWriting)
{
    Recorder recorder(&trace, "a");
    int peer, left = 3;
    Transport transport = Connected(recorder, &peer);
    const std::string data = Much(1u << 20);
    recorder.on_resume = [&](hoya_transport *t) {
        return left-- ? hoya_transport_write(t, data.data(), data.size()) : hoya_transport_close(t);
    };
    Write(transport, data);
    std::string all = ReceiveAll(peer, recorder);
    EXPECT_TRUE(all == data + data + data + data);
    EXPECT_EQ(recorder.code, 0);
}

TEST_P(TransportWrite, AProtocolMayAbortInPauseAndResume)
{
    for (bool at_pause : {true, false}) {
        Recorder recorder(&trace, "a");
        int peer;
        Transport transport = Connected(recorder, &peer);
        (at_pause ? recorder.on_pause : recorder.on_resume) = [](hoya_transport *t) {
            return hoya_transport_abort(t);
        };
        Write(transport, Much());
        ReceiveAll(peer, recorder);
        EXPECT_EQ(recorder.lost, 1);
        EXPECT_EQ(recorder.code, 0);
    }
}

TEST_P(TransportWrite, AnEchoOfManyBytesInBothDirectionsLosesNone)
{
    Recorder recorder(&trace, "a");
    recorder.notes_data = false;
    int peer;
    Transport transport = Connected(recorder, &peer);
    recorder.on_data = [](hoya_transport *t, const std::string &data) {
        return hoya_transport_write(t, data.data(), data.size());
    };
    recorder.on_pause = [](hoya_transport *t) { return hoya_transport_pause_reading(t); };
    recorder.on_resume = [](hoya_transport *t) { return hoya_transport_resume_reading(t); };
    const std::string data = Much(6u << 20);
    std::string back;
    size_t sent = 0, most = 0;
    RunUntil([&] {
        ssize_t n = sent < data.size() ? send(peer, data.data() + sent, data.size() - sent, MSG_NOSIGNAL) : 0;
        if (n > 0) sent += static_cast<size_t>(n);
        most = std::max(most, Waiting(transport));
        if (sent == data.size() || n < 0) back += Receive(peer); /* it reads late */
        return back.size() == data.size();
    });
    EXPECT_TRUE(back == data);
    EXPECT_LT(most, 65536u + 256 * 1024 + 1) << "one read over the mark";
}

INSTANTIATE_TEST_SUITE_P(Hosts, TransportWrite, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
