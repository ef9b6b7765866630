/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_test.cc: what tasks read of a stream: what there is, so much of it, lines, and in place.
 */
#include "streams.h"

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

} // namespace hoya_test
