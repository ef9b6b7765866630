/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_test.cc: what tasks read of a stream: what there is, the end, the limits, and nothing lost.
 */
#include "streams.h"

#include <thread>

namespace hoya_test
{

INSTANTIATE_TEST_SUITE_P(Hosts, StreamConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- bytes ---- */

TEST_P(StreamConformance, AReadGivesWhatIsThereAndThenTheEnd)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, "hello");
        EXPECT_EQ(Read(stream), "hello");
        Send(peer, "world");
        EXPECT_EQ(Read(stream, 3), "wor") << "no more than there is room for";
        EXPECT_EQ(hoya_stream_at_eof(stream.get()), 0);
        shutdown(peer, SHUT_WR);
        Rounds(3);
        EXPECT_EQ(hoya_stream_at_eof(stream.get()), 0) << "some is buffered";
        EXPECT_EQ(Read(stream, 3), "ld");
        EXPECT_EQ(hoya_stream_at_eof(stream.get()), 1);
        EXPECT_EQ(Read(stream), "");
        EXPECT_EQ(Read(stream, 3), "");
        EXPECT_EQ(Write(stream, "bye"), 0) << "the other direction goes on";
        EXPECT_EQ(Receive(peer), "bye");
        return 0;
    });
}

TEST_P(StreamConformance, WhoWaitsIsWokenByWhatComesAndOthersGoOn)
{
    for (size_t size : {10u, 5000u}) {
        trace.clear();
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            Task other = Create([&, peer](hoya_task *) {
                Note("other");
                Rounds(3);
                Send(peer, "late");
                return 0;
            });
            EXPECT_EQ(Read(stream, size), "late");
            Note("read");
            return Join(other);
        });
        EXPECT_EQ(trace, (Trace{"other", "read"}));
    }
}

TEST_P(StreamConformance, WhoWaitsGoesOnInTheRoundInWhichItCame)
{
    int peers[2];
    Stream streams[2];
    Task tasks[2];
    for (int i = 0; i < 2; i++)
        tasks[i] = Create([&, i](hoya_task *) {
            streams[i] = Open(&peers[i]);
            while (Read(streams[i]) != "") Note("read"), Write(streams[i], "answer");
            return 0;
        });
    RunRounds(4);
    for (int peer : peers) Send(peer, "ask");
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"read", "read"}));
    for (int peer : peers) EXPECT_EQ(Receive(peer), "answer");
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    for (int peer : peers) Send(peer, "ask");
    RunRounds(1);
    EXPECT_EQ(trace.size(), 2u) << "in debug mode each has a turn of its own";
    RunRounds(2);
    EXPECT_EQ(trace.size(), 4u);
    EXPECT_EQ(hoya_loop_set_debug(loop, 0), 0);
    for (int peer : peers) shutdown(peer, SHUT_WR);
    RunUntilDone({Of(tasks[0]), Of(tasks[1])});
}

TEST_P(StreamConformance, TheEndWakesWhoWaits)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task other = Create([&, peer](hoya_task *) {
            Rounds(3);
            return shutdown(peer, SHUT_WR);
        });
        EXPECT_EQ(Read(stream), "");
        return Join(other);
    });
}

TEST_P(StreamConformance, WhatComesWhileNobodyReadsIsKeptInOrder)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, "one ");
        Rounds(3);
        Send(peer, "two ");
        Rounds(3);
        EXPECT_EQ(Peek(stream, 0), "one two ");
        Task other = Create([peer](hoya_task *) {
            Send(peer, "three");
            return 0;
        });
        EXPECT_EQ(ReadExactly(stream, 13), "one two three");
        return Join(other);
    });
}

TEST_P(StreamConformance, AConnectionThatIsReadInBigPiecesOwnsNoBuffer)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        auto blocks = [] {
            hoya_live_counts counts = {};
            counts.size = sizeof counts;
            EXPECT_EQ(hoya_get_live_counts(&counts), 0);
            return counts.blocks;
        };
        Rounds(2);
        auto before = blocks();
        Send(peer, "early");
        Rounds(2);
        EXPECT_EQ(blocks(), before + 1) << "nobody has offered memory";
        for (int i = 0; i < 3; i++) {
            EXPECT_EQ(Read(stream), i ? "ping" : "early");
            Task other = Create([&, peer](hoya_task *) {
                Send(peer, "ping");
                return 0;
            });
            EXPECT_EQ(Join(other), 0);
        }
        EXPECT_EQ(Read(stream), "ping");
        Task other = Create([&, peer](hoya_task *) {
            EXPECT_EQ(blocks(), before + 1) << "this task, and nothing else";
            Send(peer, "pong");
            return 0;
        });
        EXPECT_EQ(Read(stream), "pong");
        return Join(other);
    });
}

TEST_P(StreamConformance, TheBufferForLinesIsKeptOverTheBigReadsBetweenThem)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Rounds(2);
        auto blocks = [] {
            hoya_live_counts counts = {};
            counts.size = sizeof counts;
            EXPECT_EQ(hoya_get_live_counts(&counts), 0);
            return counts.blocks;
        };
        auto before = blocks();
        auto body = [&](decltype(before) expected) {
            Task child = Create([&](hoya_task *) {
                EXPECT_EQ(blocks(), before + 1 + expected);
                Send(peer, "body");
                return 0;
            });
            EXPECT_EQ(Read(stream), "body");
            EXPECT_EQ(Join(child), 0);
        };
        for (int i = 0; i < 3; i++) {
            Send(peer, "line\n");
            EXPECT_EQ(ReadLine(stream), "line\n");
            body(1);
        }
        body(0);
        body(0);
        return 0;
    });
}

/* ---- all of so many ---- */

TEST_P(StreamConformance, ReadexactlyWaitsForAllOfThem)
{
    for (size_t size : {100u, 5000u}) {
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            const std::string data = Much(size);
            Task other = Create([&, peer](hoya_task *) {
                for (size_t i = 0; i < size; i += size / 10) {
                    Send(peer, data.substr(i, size / 10));
                    Rounds(2);
                }
                Send(peer, "rest");
                return 0;
            });
            EXPECT_EQ(ReadExactly(stream, size), data);
            EXPECT_EQ(ReadExactly(stream, 0), "");
            EXPECT_EQ(ReadExactly(stream, 4), "rest");
            return Join(other);
        });
    }
}

// Holds: S144
TEST_P(StreamConformance, ReadexactlyOfMoreThanTheLimitDoesNotDeadlock)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 100);
        const std::string data = Much(20000);
        Send(peer, data);
        Rounds(4);
        EXPECT_FALSE(IsReading(stream)) << "the buffer is full";
        EXPECT_EQ(ReadExactly(stream, 20000), data);
        Send(peer, data);
        EXPECT_EQ(ReadExactly(stream, 150), data.substr(0, 150))
            << "more than the limit, in one piece of the buffer";
        EXPECT_EQ(ReadExactly(stream, 19850), data.substr(150));
        return 0;
    });
}

TEST_P(StreamConformance, ReadexactlySaysHowManyCameBeforeTheEnd)
{
    for (size_t size : {10u, 5000u}) {
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            Send(peer, "some");
            shutdown(peer, SHUT_WR);
            EXPECT_EQ(ReadExactly(stream, size), "HOYA_EEOF after some");
            EXPECT_EQ(ReadExactly(stream, size), "HOYA_EEOF after ");
            EXPECT_EQ(Read(stream), "");
            EXPECT_EQ(hoya_stream_readexactly(stream.get(), nullptr, 0, nullptr), 0);
            return 0;
        });
    }
}

/* ---- the buffer's limits ---- */

// Holds: S144
TEST_P(StreamConformance, AFullBufferStopsReadingUntilHalfOfItIsFree)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 1000);
        Send(peer, Much(10000));
        Rounds(5);
        EXPECT_FALSE(IsReading(stream));
        EXPECT_EQ(Peek(stream, 0).size(), 2000u);
        EXPECT_EQ(Read(stream, 999).size(), 999u);
        EXPECT_FALSE(IsReading(stream));
        EXPECT_EQ(Read(stream, 1).size(), 1u);
        EXPECT_TRUE(IsReading(stream));
        EXPECT_EQ(Peek(stream, 0).size(), 1000u);
        Rounds(2);
        EXPECT_EQ(Peek(stream, 0).size(), 2000u);
        EXPECT_EQ(ReadExactly(stream, 10000 - 1000), Much(10000).substr(1000)) << "in order";
        return 0;
    });
}

// Holds: S144
TEST_P(StreamConformance, NothingIsLostInABufferThatIsFilledAndEmptiedAnyHow)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 5000);
        const std::string data = Much(300000);
        Task other = Create([&, peer](hoya_task *) {
            for (size_t at = 0, step = 1; at < data.size();) {
                step = 1 + (step * 7919 + at) % 9000;
                ssize_t n = send(peer, data.data() + at, std::min(step, data.size() - at), MSG_NOSIGNAL);
                if (n > 0) at += static_cast<size_t>(n);
                Rounds(1);
            }
            return shutdown(peer, SHUT_WR);
        });
        std::string all;
        for (size_t step = 1; !hoya_stream_at_eof(stream.get());) {
            step = 1 + (step * 104729 + all.size()) % 4000;
            switch (step % 4) {
            case 0:
                all += Read(stream, step);
                break;
            case 1:
                all += Read(stream, 300);
                break;
            case 2: {
                std::string seen = Peek(stream, step).substr(0, step);
                EXPECT_EQ(hoya_stream_consume(stream.get(), seen.size()), 0);
                all += seen;
                break;
            }
            default: {
                std::string line = ReadUntil(stream, "w");
                if (line == "HOYA_EEOF") line = Read(stream);
                all += line;
            }
            }
        }
        EXPECT_TRUE(all == data) << all.size();
        return Join(other);
    });
}

/* ---- lines ---- */

TEST_P(StreamConformance, LinesComeOneByOneAndTheLastOneMayHaveNoEnd)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, "one\n\nthree\nfo");
        EXPECT_EQ(ReadLine(stream), "one\n");
        EXPECT_EQ(ReadLine(stream), "\n");
        EXPECT_EQ(ReadLine(stream), "three\n");
        Task other = Create([&, peer](hoya_task *) {
            Rounds(2);
            Send(peer, "u");
            Rounds(2);
            Send(peer, "r\nfive");
            return shutdown(peer, SHUT_WR);
        });
        EXPECT_EQ(ReadLine(stream), "four\n");
        EXPECT_EQ(ReadLine(stream), "five");
        EXPECT_EQ(ReadLine(stream), "");
        return Join(other);
    });
}

TEST_P(StreamConformance, ASeparatorMayComeInPieces)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task other = Create([&, peer](hoya_task *) {
            for (const char *piece : {"a\r", "\n", "b\r\n\r", "\nrest"}) {
                Send(peer, piece);
                Rounds(3);
            }
            return shutdown(peer, SHUT_WR);
        });
        EXPECT_EQ(ReadUntil(stream, "\r\n\r\n"), "a\r\nb\r\n\r\n");
        EXPECT_EQ(ReadUntil(stream, "\r\n\r\n"), "HOYA_EEOF");
        EXPECT_EQ(Read(stream), "rest") << "it was left";
        EXPECT_EQ(ReadUntil(stream, "x"), "HOYA_EEOF");
        return Join(other);
    });
}

// Holds: S146
TEST_P(StreamConformance, ReadlineDropsALineOverTheLimitAndKeepsTheRest)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 7);
        Send(peer, "1234567\n12345678\nshort\n");
        EXPECT_EQ(ReadLine(stream), "1234567\n") << "as long as the limit";
        EXPECT_EQ(ReadLine(stream), "HOYA_ELIMIT");
        EXPECT_EQ(ReadLine(stream), "short\n");
        Send(peer, "a line of many bytes that comes in pieces");
        EXPECT_EQ(ReadLine(stream), "HOYA_ELIMIT");
        Task other = Create([&, peer](hoya_task *) {
            Rounds(2);
            Send(peer, ", and goes on for long\nnext\n");
            return 0;
        });
        EXPECT_EQ(ReadLine(stream), "next\n") << "all of it is dropped";
        Send(peer, "12345678 once more");
        EXPECT_EQ(ReadLine(stream), "HOYA_ELIMIT");
        Send(peer, "\nraw");
        EXPECT_FALSE(Read(stream, 100).empty()) << "whoever reads otherwise has the rest";
        shutdown(peer, SHUT_WR);
        Rounds(2);
        while (Read(stream, 100) != "") continue;
        EXPECT_EQ(ReadLine(stream), "");
        return Join(other);
    });
}

// Holds: S146
TEST_P(StreamConformance, ALineOverTheLimitThatEndsWithTheStreamIsDroppedToo)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 7);
        Send(peer, "123456789012345678901234567890");
        shutdown(peer, SHUT_WR);
        EXPECT_EQ(ReadLine(stream), "HOYA_ELIMIT");
        EXPECT_EQ(ReadLine(stream), "");
        EXPECT_EQ(hoya_stream_at_eof(stream.get()), 1);
        return 0;
    });
}

// Holds: S146
TEST_P(StreamConformance, ReaduntilOverTheLimitLeavesTheData)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 7);
        Send(peer, "12345678||9");
        Rounds(3);
        for (int i = 0; i < 2; i++) EXPECT_EQ(ReadUntil(stream, "||"), "HOYA_ELIMIT") << "with a separator";
        for (int i = 0; i < 2; i++) EXPECT_EQ(ReadUntil(stream, "x"), "HOYA_ELIMIT") << "without one";
        EXPECT_EQ(Read(stream, 1), "1");
        EXPECT_EQ(ReadUntil(stream, "||"), "2345678||");
        EXPECT_EQ(Read(stream, 100), "9");
        EXPECT_EQ(ReadUntil(stream, "12345678"), "HOYA_EINVAL") << "a separator over the limit";
        Send(peer, "123456ABCDEFG");
        EXPECT_EQ(ReadUntil(stream, "ABCDEFG"), "123456ABCDEFG") << "nearly all of the buffer";
        return 0;
    });
}

/* ---- in place ---- */

TEST_P(StreamConformance, WhatWasGivenInPlaceStaysThereWhateverComes)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 8000);
        for (const char *what : {"line\n", "peek"}) {
            Send(peer, std::string("head") + what);
            EXPECT_EQ(ReadExactly(stream, 4), "head");
            const void *data = nullptr;
            ssize_t n = 0;
            if (*what == 'l') {
                const char *line = nullptr;
                n = hoya_stream_readline(stream.get(), &line);
                data = line;
            } else {
                n = hoya_stream_peek(stream.get(), 4, &data);
                EXPECT_EQ(hoya_stream_consume(stream.get(), 4), 0);
            }
            const std::string more = Much(15000);
            Send(peer, more);
            Rounds(8);
            EXPECT_EQ(TextOf(n, data), what) << "the buffer has grown meanwhile";
            EXPECT_EQ(ReadExactly(stream, 15000), more);
        }
        return 0;
    });
}

TEST_P(StreamConformance, PeekWaitsForSoManyAndConsumeTakesThem)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer, 10);
        EXPECT_EQ(Peek(stream, 0), "") << "does not wait";
        Send(peer, "abc");
        Task other = Create([&, peer](hoya_task *) {
            Rounds(3);
            Send(peer, "de");
            return 0;
        });
        EXPECT_EQ(Peek(stream, 5), "abcde");
        EXPECT_EQ(hoya_stream_consume(stream.get(), 6), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_consume(stream.get(), 2), 0);
        EXPECT_EQ(hoya_stream_consume(stream.get(), 0), 0);
        EXPECT_EQ(Peek(stream, 1), "cde");
        EXPECT_EQ(Peek(stream, 11), "HOYA_ELIMIT");
        shutdown(peer, SHUT_WR);
        EXPECT_EQ(Peek(stream, 10), "cde") << "no more come";
        EXPECT_EQ(hoya_stream_consume(stream.get(), 3), 0);
        EXPECT_EQ(Peek(stream, 1), "");
        return Join(other);
    });
}

/* ---- one reader ---- */

// Holds: S145
TEST_P(StreamConformance, OneTaskReadsAtATime)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create(
            [&](hoya_task *) {
                EXPECT_EQ(ReadExactly(stream, 4), "data");
                return 0;
            },
            "the reader");
        Rounds(1);
        Send(peer, "da");
        Rounds(3);
        EXPECT_EQ(Read(stream), "HOYA_EBUSY") << "though there is something";
        EXPECT_NE(std::string(hoya_error_detail()).find("the reader"), std::string::npos);
        EXPECT_EQ(ReadExactly(stream, 1), "HOYA_EBUSY after ");
        EXPECT_EQ(ReadUntil(stream, "a"), "HOYA_EBUSY");
        EXPECT_EQ(ReadLine(stream), "HOYA_EBUSY");
        EXPECT_EQ(Peek(stream, 0), "HOYA_EBUSY");
        EXPECT_EQ(hoya_stream_consume(stream.get(), 1), HOYA_EBUSY);
        Send(peer, "ta");
        EXPECT_EQ(Join(reader), 0);
        Send(peer, "x");
        EXPECT_EQ(Read(stream), "x");
        return 0;
    });
}

/* ---- cancelled ---- */

TEST_P(StreamConformance, ACancelledReadLosesNothing)
{
    for (const char *how : {"read", "big", "exactly", "until", "line", "peek"}) {
        SCOPED_TRACE(how);
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            auto run = [&](const char *of) -> int {
                char memory[5000];
                const void *data = nullptr;
                const char *line = nullptr;
                size_t count;
                ssize_t rc = *of == 'r'   ? hoya_stream_read(stream.get(), memory, 10)
                             : *of == 'b' ? hoya_stream_read(stream.get(), memory, sizeof memory)
                             : *of == 'e' ? hoya_stream_readexactly(stream.get(), memory, 10, &count)
                             : *of == 'u' ? hoya_stream_readuntil(stream.get(), "x", 1, &data)
                             : *of == 'l' ? hoya_stream_readline(stream.get(), &line)
                                          : hoya_stream_peek(stream.get(), 10, &data);
                return static_cast<int>(rc);
            };
            Task reader = Create([&](hoya_task *) { return run(how); });
            Rounds(1);
            std::string expected = "after";
            if (*how != 'r' && *how != 'b') {
                Send(peer, "before ");
                Rounds(3);
                expected = "before after";
            }
            EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
            EXPECT_EQ(Join(reader), HOYA_ECANCELED);
            Send(peer, "after");
            Rounds(3);
            EXPECT_EQ(Read(stream), expected);
            return 0;
        });
    }
}

TEST_P(StreamConformance, ACancelledReadexactlySaysWhatItHasTaken)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        char memory[5000];
        size_t count = 0;
        Task reader = Create(
            [&](hoya_task *) { return hoya_stream_readexactly(stream.get(), memory, sizeof memory, &count); });
        Send(peer, "begin ");
        Rounds(4);
        EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
        Send(peer, "rest");
        EXPECT_EQ(Join(reader), HOYA_ECANCELED);
        EXPECT_EQ(std::string(memory, count) + Read(stream), "begin rest");
        return 0;
    });
}

TEST_P(StreamConformance, WhoIsCancelledReadsWhatIsThereAndDoesNotWait)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create([&](hoya_task *self) {
            Send(peer, "there\nmore");
            Rounds(3);
            EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
            EXPECT_EQ(ReadExactly(stream, 5000), "HOYA_ECANCELED after ") << "it would have had to wait";
            EXPECT_EQ(Peek(stream, 100), "HOYA_ECANCELED");
            EXPECT_EQ(ReadLine(stream), "there\n");
            EXPECT_EQ(ReadLine(stream), "HOYA_ECANCELED");
            EXPECT_EQ(ReadExactly(stream, 100), "HOYA_ECANCELED after ");
            EXPECT_EQ(Read(stream), "more");
            EXPECT_EQ(Read(stream), "HOYA_ECANCELED");
            EXPECT_EQ(Read(stream, 1), "HOYA_ECANCELED");
            return 0;
        });
        return Join(reader);
    });
}

TEST_P(StreamConformance, ACancelThatIsTakenBackChangesNothing)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create([&](hoya_task *) {
            EXPECT_EQ(Read(stream), "data");
            return 0;
        });
        Rounds(1);
        EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
        EXPECT_EQ(hoya_task_uncancel(reader.get()), 0);
        Rounds(3);
        EXPECT_FALSE(Done(reader));
        Send(peer, "data");
        return Join(reader);
    });
}

TEST_P(StreamConformance, ATimeoutEndsAReadAndTheStreamGoesOn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(1), &scope), 0);
        EXPECT_EQ(Read(stream), "HOYA_EDEADLINE");
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        Send(peer, "data");
        EXPECT_EQ(Read(stream), "data");
        return 0;
    });
}

/* ---- fairness ---- */

// Holds: S143
TEST_P(StreamConformance, WhoAlwaysFindsSomethingLetsTheLoopTurn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, Much(2000));
        Rounds(3);
        bool ran = false;
        CallSoon([&] { ran = true; });
        int reads = 0;
        for (; reads < 1500 && !ran; reads++) EXPECT_EQ(Read(stream, 1).size(), 1u);
        EXPECT_TRUE(ran);
        EXPECT_GT(reads, 100) << "not each time";
        return 0;
    });
}

/* ---- the end ---- */

TEST_P(StreamConformance, AfterAFailureReadsGiveWhatIsBufferedAndThenTheCode)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Send(peer, "some");
        EXPECT_EQ(Write(stream, "unread"), 0);
        Rounds(2);
        Close(peer); /* with data unread: a reset */
        Until([&] { return hoya_stream_is_closing(stream.get()) == 1; });
        EXPECT_EQ(ReadExactly(stream, 10), "HOYA_ECONNRESET after some");
        EXPECT_EQ(Read(stream), "HOYA_ECONNRESET");
        EXPECT_EQ(ReadLine(stream), "HOYA_ECONNRESET");
        EXPECT_EQ(Peek(stream, 1), "HOYA_ECONNRESET");
        EXPECT_EQ(Write(stream, "x"), HOYA_ECONNRESET);
        EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ECONNRESET);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), HOYA_ECONNRESET);
        EXPECT_EQ(hoya_stream_at_eof(stream.get()), 1);
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamConformance, AFailureWakesWhoReads)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        EXPECT_EQ(Write(stream, "unread"), 0);
        CallSoon([&] { Close(peer); });
        EXPECT_EQ(Read(stream), "HOYA_ECONNRESET");
        return 0;
    });
}

TEST_P(StreamConformance, WhatWasClosedHereReadsAsClosed)
{
    for (auto end : {hoya_stream_abort, +[](hoya_stream *of) { return hoya_stream_close(of, HOYA_NOW); }}) {
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = Open(&peer);
            Send(peer, "some");
            Rounds(4);
            EXPECT_EQ(hoya_stream_is_closing(stream.get()), 0);
            EXPECT_EQ(end(stream.get()), 0);
            EXPECT_EQ(hoya_stream_is_closing(stream.get()), 1);
            EXPECT_EQ(Read(stream), "some");
            EXPECT_EQ(Read(stream), "HOYA_ECLOSED");
            Rounds(2);
            EXPECT_EQ(Read(stream), "HOYA_ECLOSED");
            EXPECT_EQ(hoya_stream_wait_closed(stream.get()), 0);
            return 0;
        });
    }
}

TEST_P(StreamConformance, ACloseEndsTheReadOfAnotherTask)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        Task reader = Create([&](hoya_task *) {
            EXPECT_EQ(Read(stream), "HOYA_ECLOSED");
            return 0;
        });
        Rounds(2);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
        return Join(reader);
    });
}

TEST_P(StreamConformance, TheLastUnrefClosesAndWhatWasWrittenStillGoesOut)
{
    const std::string much = Much();
    int peer = -1;
    InTask([&](hoya_task *) {
        Stream stream = Open(&peer);
        Stream same(hoya_stream_ref(stream.get()));
        stream.reset();
        return Write(same, much);
    });
    std::string all;
    RunUntil([&] {
        all += Receive(peer);
        return AtEnd(peer);
    });
    EXPECT_EQ(all.size(), much.size());
    EXPECT_TRUE(all == much);
}

TEST_P(StreamConformance, AStreamOutlivesItsLoop)
{
    Stream kept;
    int peer;
    Task reader = Create([&](hoya_task *) {
        kept = Open(&peer);
        EXPECT_EQ(Read(kept), "HOYA_ECANCELED") << "the loop is closed";
        EXPECT_EQ(hoya_stream_close(kept.get(), HOYA_NEVER), HOYA_ECANCELED);
        return 0;
    });
    RunRounds(3);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(AtEnd(peer));
    EXPECT_EQ(hoya_stream_is_closing(kept.get()), 1);
    EXPECT_EQ(hoya_stream_at_eof(kept.get()), 1);
    EXPECT_EQ(hoya_stream_write_eof(kept.get()), 0);
    EXPECT_EQ(hoya_stream_abort(kept.get()), 0);
    reader.reset();
    kept.reset();
}

/* ---- what is refused ---- */

TEST_P(StreamConformance, WhatCannotBeIsRefused)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = Open(&peer);
        hoya_stream *s = stream.get(), *none = nullptr;
        char byte;
        const void *data;
        EXPECT_EQ(hoya_stream_read(s, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_read(s, &byte, 0), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readexactly(s, nullptr, 1, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readuntil(s, nullptr, 1, &data), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readuntil(s, "", 0, &data), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readuntil(s, "x", 1, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_readline(s, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_peek(s, 0, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_write(s, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_writelines(s, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_read(nullptr, &byte, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_write(nullptr, &byte, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_drain(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_close(nullptr, HOYA_NOW), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_abort(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_wait_closed(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_consume(nullptr, 0), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_write_eof(nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_stream_at_eof(nullptr), 0);
        hoya_stream_unref(nullptr);

        hoya_stream_options options = StreamOptions(SIZE_MAX / 2);
        EXPECT_EQ(hoya_open_connection("127.0.0.1", "1", &options, &none), HOYA_EINVAL);
        options.limit = 0;
        options.size = 1;
        EXPECT_EQ(hoya_open_unix_connection("@x", &options, &none), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection_on_socket(peer, &options, &none), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection(nullptr, "1", nullptr, &none), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection("127.0.0.1", "1", nullptr, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_open_connection_on_socket(HOYA_INVALID_FD, nullptr, &none), HOYA_EBADF);
        EXPECT_EQ(none, nullptr);
        return 0;
    });
}

TEST_P(StreamConformance, OnlyTasksWait)
{
    hoya_stream *none = nullptr;
    Stream stream;
    int peer;
    EXPECT_EQ(hoya_open_connection("127.0.0.1", "1", nullptr, &none), HOYA_ESTATE);
    EXPECT_EQ(hoya_start_server(
                  nullptr, "127.0.0.1", "0", [](hoya_task *, hoya_stream *, void *) { return 0; }, nullptr, nullptr,
                  nullptr, nullptr),
              HOYA_ESTATE);
    InTask([&](hoya_task *) {
        stream = Open(&peer);
        return 0;
    });
    EXPECT_EQ(Read(stream), "HOYA_ESTATE");
    EXPECT_EQ(Write(stream, "x"), HOYA_ESTATE);
    EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ESTATE);
    EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), HOYA_ESTATE);
    EXPECT_EQ(hoya_stream_is_closing(stream.get()), 0) << "nothing was done";
    EXPECT_EQ(hoya_stream_consume(stream.get(), 0), 0);
    EXPECT_EQ(hoya_stream_write_eof(stream.get()), 0);
    std::thread([&] {
        char byte;
        EXPECT_EQ(hoya_stream_read(stream.get(), &byte, 1), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_write(stream.get(), "x", 1), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_consume(stream.get(), 0), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), HOYA_ETHREAD);
        EXPECT_EQ(hoya_stream_abort(stream.get()), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NOW), 0);
}

} // namespace hoya_test
