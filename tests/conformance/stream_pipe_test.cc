/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_pipe_test.cc: streams over pipes, terminals and files: one direction each, for tasks.
 */
#include "ends.h"
#include "sock.h"
#include "streams.h"

#include <hoya/pipe.h>

#include <cstdlib>
#include <fcntl.h>
#include <pty.h>

#include "support/executors.h"

namespace hoya_test
{
namespace
{

enum class Kind { kPipe, kSocket, kTerminal, kFile };

const Kind kKinds[] = {Kind::kPipe, Kind::kSocket, Kind::kTerminal, Kind::kFile};

class StreamPipes : public StreamConformance
{
  protected:
    /* As InTask, for what may be read and written by jobs: their threads have ended, too. */
    void WithJobs(const TaskWork &work)
    {
        InTask([&](hoya_task *self) {
            int rc = work(self);
            EndJobs(loop);
            return rc;
        });
    }
    static int TryOpen(bool reads, int fd, hoya_stream **stream, const hoya_stream_options *options = nullptr)
    {
        return reads ? hoya_open_read_pipe(fd, options, stream) : hoya_open_write_pipe(fd, options, stream);
    }
    /* In a task. Takes the descriptor. */
    static Stream OpenPipe(bool reads, int fd, size_t limit = 0)
    {
        hoya_stream *stream = nullptr;
        hoya_stream_options options = StreamOptions(limit);
        EXPECT_EQ(TryOpen(reads, fd, &stream, &options), 0) << hoya_error_detail();
        return Stream(stream);
    }
    /* The two ends, of which ours blocks, and that of the test's does not. */
    int OpenEnds(Kind kind, bool reads, int *peer)
    {
        int fds[2] = {-1, -1};
        if (kind == Kind::kPipe) {
            EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
            if (!reads) std::swap(fds[0], fds[1]);
        } else if (kind == Kind::kSocket) {
            EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        } else if (kind == Kind::kTerminal) {
            EXPECT_EQ(openpty(&fds[1], &fds[0], nullptr, nullptr, nullptr), 0);
            termios mode;
            EXPECT_EQ(tcgetattr(fds[0], &mode), 0);
            cfmakeraw(&mode);
            EXPECT_EQ(tcsetattr(fds[0], TCSANOW, &mode), 0);
        } else {
            fds[0] = FileOf("");
            fds[1] = fcntl(fds[0], F_DUPFD_CLOEXEC, 3); /* the same position */
        }
        *peer = Own(fds[1]);
        if (kind != Kind::kFile) EXPECT_EQ(fcntl(*peer, F_SETFL, fcntl(*peer, F_GETFL) | O_NONBLOCK), 0);
        return fds[0];
    }
    static std::string Text() { return hoya_error_detail(); }
};

INSTANTIATE_TEST_SUITE_P(Hosts, StreamPipes, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

/* ---- reading ---- */

// Holds: S119 S121 S122
TEST_P(StreamPipes, LinesAreReadWhateverTheInputIs)
{
    WithJobs([&](hoya_task *) {
        for (bool debug : {false, true})
            for (Kind kind : kKinds) {
                SCOPED_TRACE(static_cast<int>(kind));
                EXPECT_EQ(hoya_loop_set_debug(loop, debug), 0);
                int peer;
                int ours = OpenEnds(kind, true, &peer);
                Put(peer, "one\ntwo\nrest");
                if (kind == Kind::kFile) EXPECT_EQ(lseek(peer, 0, SEEK_SET), 0);
                Stream stream = OpenPipe(true, ours);
                EXPECT_EQ(ReadLine(stream), "one\n");
                EXPECT_EQ(ReadLine(stream), "two\n");
                EXPECT_EQ(Peek(stream, 4), "rest");
                if (kind != Kind::kFile) Close(peer);
                EXPECT_EQ(ReadLine(stream), "rest");
                EXPECT_EQ(ReadLine(stream), "");
                EXPECT_EQ(hoya_stream_at_eof(stream.get()), 1);
                EXPECT_EQ(Read(stream), "");
                EXPECT_EQ(hoya_stream_wait_closed(stream.get()), 0) << "it ends by itself";
                EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), 0);
                EXPECT_EQ(hoya_loop_set_debug(loop, 0), 0);
            }
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamPipes, AReaderIsWokenByWhatComesLater)
{
    for (Kind kind : {Kind::kPipe, Kind::kSocket, Kind::kTerminal})
        for (size_t size : {10u, 5000u})
            InTask([&](hoya_task *) {
                int peer;
                Stream stream = OpenPipe(true, OpenEnds(kind, true, &peer));
                Task other = Create([&, peer](hoya_task *) {
                    Rounds(3);
                    Put(peer, "late");
                    return 0;
                });
                EXPECT_EQ(Read(stream, size), "late");
                EXPECT_EQ(Join(other), 0);
                return hoya_stream_close(stream.get(), HOYA_NEVER);
            });
}

TEST_P(StreamPipes, ALongFileIsReadWholeWithinTheLimit)
{
    WithJobs([&](hoya_task *) {
        const std::string data = Much(300000);
        Stream stream = OpenPipe(
            true,
            [&] {
                int file = FileOf(data);
                EXPECT_EQ(lseek(file, 0, SEEK_SET), 0);
                return file;
            }(),
            5000);
        EXPECT_EQ(ReadUntil(stream, "w"), data.substr(0, 23));
        std::string all = data.substr(0, 23) + ReadExactly(stream, 100000);
        while (!hoya_stream_at_eof(stream.get())) all += Read(stream, 777);
        EXPECT_TRUE(all == data) << all.size();
        return 0;
    });
}

TEST_P(StreamPipes, WhoReadsAFileGoesOnBeforeMoreOfItIsRead)
{
    Executor pool = NewPool(1);
    EXPECT_EQ(hoya_set_default_executor(loop, pool.get()), 0);
    Door before, after;
    auto pass = [](hoya_job *, void *door) { return static_cast<Door *>(door)->Pass(), 0; };
    InTask([&](hoya_task *) {
        Task one = Create([&](hoya_task *) { return hoya_to_thread(pass, &before, nullptr, nullptr, nullptr); });
        Rounds(1);
        int file = FileOf("line\n");
        EXPECT_EQ(lseek(file, 0, SEEK_SET), 0);
        Stream stream = OpenPipe(true, file);
        Rounds(2); /* the first job that reads waits behind that one, the second will behind the next */
        Task two = Create([&](hoya_task *) { return hoya_to_thread(pass, &after, nullptr, nullptr, nullptr); });
        Rounds(1);
        before.Open();
        EXPECT_EQ(ReadLine(stream), "line\n");
        EXPECT_FALSE(Done(two));
        after.Open();
        EXPECT_EQ(ReadLine(stream), "");
        EXPECT_EQ(Join(one), 0);
        EXPECT_EQ(Join(two), 0);
        EndJobs(loop);
        return 0;
    });
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_NEVER, 0), 0);
}

TEST_P(StreamPipes, ACancelledReadTakesNothing)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = OpenPipe(true, OpenEnds(Kind::kPipe, true, &peer));
        Task reader = Create([&](hoya_task *) { return ReadLine(stream) == "HOYA_ECANCELED" ? 0 : 1; });
        Rounds(2);
        Put(peer, "li");
        Rounds(3);
        EXPECT_EQ(hoya_task_cancel(reader.get(), nullptr), 1);
        EXPECT_EQ(Join(reader), 0);
        Put(peer, "ne\n");
        EXPECT_EQ(ReadLine(stream), "line\n");
        return 0;
    });
}

TEST_P(StreamPipes, ADumpNamesTheDescriptorThatIsRead)
{
    std::string text;
    int fd = -1;
    InTask([&](hoya_task *) {
        int peer;
        fd = OpenEnds(Kind::kPipe, true, &peer);
        Stream stream = OpenPipe(true, fd);
        Task reader = Create([&](hoya_task *) { return Read(stream) == "HOYA_ECLOSED" ? 0 : 1; });
        Rounds(2);
        auto take = [](const char *line, void *arg) { *static_cast<std::string *>(arg) += line; };
        EXPECT_EQ(hoya_loop_dump(loop, take, &text), 0);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), 0);
        return Join(reader);
    });
    EXPECT_NE(text.find("reads from the pipe of descriptor " + std::to_string(fd)), std::string::npos) << text;
}

/* ---- writing ---- */

// Holds: S147
TEST_P(StreamPipes, AWriterIsSlowedDownByWhoReads)
{
    for (Kind kind : {Kind::kPipe, Kind::kSocket})
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = OpenPipe(false, OpenEnds(kind, false, &peer));
            Rounds(1);
            EXPECT_EQ(Write(stream, "small"), 0);
            EXPECT_EQ(hoya_stream_drain(stream.get()), 0);
            EXPECT_EQ(Get(peer), "small") << "at once";
            const std::string much = Much(1 << 20);
            EXPECT_EQ(Write(stream, much), 0);
            EXPECT_GT(Unsent(stream), 65536u);
            Task writer = Create([&](hoya_task *) {
                EXPECT_EQ(hoya_stream_drain(stream.get()), 0);
                EXPECT_LE(Unsent(stream), 16384u);
                int rc = Write(stream, "more");
                return rc < 0 ? rc : hoya_stream_close(stream.get(), HOYA_NEVER);
            });
            Rounds(5);
            EXPECT_FALSE(Done(writer));
            std::string got;
            Until([&] {
                got += Get(peer);
                return Done(writer);
            });
            got += Get(peer);
            EXPECT_TRUE(got == much + "more") << got.size();
            return Join(writer);
        });
}

// Holds: S121
TEST_P(StreamPipes, AFileIsWrittenWholeAndCloseWaitsForThat)
{
    WithJobs([&](hoya_task *) {
        int peer;
        Stream stream = OpenPipe(false, OpenEnds(Kind::kFile, false, &peer));
        const std::string much = Much(500000);
        for (size_t at = 0; at < much.size(); at += 50000) EXPECT_EQ(Write(stream, much.substr(at, 50000)), 0);
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_SEC(60)), 0);
        EXPECT_EQ(lseek(peer, 0, SEEK_SET), 0);
        EXPECT_TRUE(Get(peer) == much);
        return 0;
    });
}

TEST_P(StreamPipes, WriteEofIsTheEndOfAWritePipe)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = OpenPipe(false, OpenEnds(Kind::kPipe, false, &peer));
        EXPECT_EQ(Write(stream, "last words"), 0);
        EXPECT_EQ(hoya_stream_write_eof(stream.get()), 0);
        EXPECT_EQ(Write(stream, "x"), HOYA_ECLOSED);
        EXPECT_EQ(hoya_stream_wait_closed(stream.get()), 0);
        EXPECT_EQ(Get(peer), "last words");
        char byte;
        EXPECT_EQ(read(peer, &byte, 1), 0) << "the end";
        return 0;
    });
}

// Holds: S120
TEST_P(StreamPipes, WhoWritesToAPipeThatNobodyReadsIsToldSo)
{
    for (bool late : {false, true})
        InTask([&](hoya_task *) {
            int peer;
            Stream stream = OpenPipe(false, OpenEnds(Kind::kPipe, false, &peer));
            Rounds(2);
            Close(peer);
            if (late) Until([&] { return hoya_stream_is_closing(stream.get()) == 1; });
            EXPECT_EQ(Write(stream, "x"), HOYA_EPIPE) << Text();
            EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_EPIPE);
            EXPECT_NE(Text(), "");
            EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), late ? 0 : HOYA_EPIPE) << "all had gone, or not";
            EXPECT_EQ(Write(stream, "x"), HOYA_EPIPE);
            return 0;
        });
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S120 S147
TEST_P(StreamPipes, WhoWaitsToWriteIsToldThatNobodyReadsAnyMore)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = OpenPipe(false, OpenEnds(Kind::kPipe, false, &peer));
        Rounds(2);
        EXPECT_EQ(Write(stream, Much(1 << 20)), 0);
        Task writer = Create([&](hoya_task *) { return Write(stream, "more"); });
        Task drainer = Create([&](hoya_task *) { return hoya_stream_drain(stream.get()); });
        Rounds(3);
        Close(peer);
        EXPECT_EQ(Join(writer), HOYA_EPIPE);
        EXPECT_EQ(Join(drainer), HOYA_EPIPE);
        EXPECT_EQ(hoya_stream_wait_closed(stream.get()), HOYA_EPIPE);
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

/* ---- one side ---- */

TEST_P(StreamPipes, OfAReadPipeNothingCanBeWrittenAndItGoesOn)
{
    InTask([&](hoya_task *) {
        int peer;
        char text[] = "x";
        iovec part = {text, 1};
        Stream stream = OpenPipe(true, OpenEnds(Kind::kSocket, true, &peer));
        for (int i = 0; i < 2; i++) {
            EXPECT_EQ(Write(stream, "x"), HOYA_ENOTSUP);
            EXPECT_NE(Text().find("read pipe"), std::string::npos) << Text();
            EXPECT_EQ(hoya_stream_writelines(stream.get(), &part, 1), HOYA_ENOTSUP);
            EXPECT_EQ(hoya_stream_drain(stream.get()), HOYA_ENOTSUP);
            EXPECT_NE(Text().find("read pipe"), std::string::npos) << Text();
            EXPECT_EQ(hoya_stream_write_eof(stream.get()), HOYA_ENOTSUP);
            Rounds(2);
        }
        Put(peer, "still here");
        EXPECT_EQ(Read(stream), "still here");
        return hoya_stream_close(stream.get(), HOYA_NEVER);
    });
}

TEST_P(StreamPipes, OfAWritePipeNothingCanBeReadAndItGoesOn)
{
    InTask([&](hoya_task *) {
        int peer;
        Stream stream = OpenPipe(false, OpenEnds(Kind::kSocket, false, &peer));
        for (int i = 0; i < 2; i++) {
            for (size_t size : {10u, 5000u}) {
                EXPECT_EQ(Read(stream, size), "HOYA_ENOTSUP");
                EXPECT_NE(Text().find("write pipe"), std::string::npos) << Text();
                EXPECT_EQ(ReadExactly(stream, size), "HOYA_ENOTSUP after ");
            }
            EXPECT_EQ(ReadLine(stream), "HOYA_ENOTSUP");
            EXPECT_EQ(ReadUntil(stream, "x"), "HOYA_ENOTSUP");
            EXPECT_EQ(Peek(stream, 1), "HOYA_ENOTSUP");
            EXPECT_EQ(hoya_stream_at_eof(stream.get()), 1);
            Rounds(2);
        }
        EXPECT_EQ(Write(stream, "still here"), 0);
        EXPECT_EQ(Get(peer), "still here");
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), 0);
        EXPECT_EQ(ReadLine(stream), "HOYA_ENOTSUP");
        return 0;
    });
}

TEST_P(StreamPipes, BothDirectionsOfATerminalWorkByADup)
{
    InTask([&](hoya_task *) {
        int slave;
        int master = OpenEnds(Kind::kTerminal, true, &slave);
        int again = fcntl(master, F_DUPFD_CLOEXEC, 3);
        Stream in = OpenPipe(true, master), out = OpenPipe(false, again);
        EXPECT_EQ(Write(out, "to it\n"), 0);
        Put(slave, "from it\n");
        EXPECT_EQ(ReadLine(in), "from it\n");
        std::string got;
        Until([&] { return (got += Get(slave)) == "to it\n"; });
        return 0;
    });
}

/* ---- life ---- */

TEST_P(StreamPipes, TheLastUnrefClosesAndWhatWasWrittenGoesOut)
{
    InTask([&](hoya_task *) {
        int peer;
        const std::string much = Much(1 << 20);
        int ours = OpenEnds(Kind::kPipe, true, &peer);
        OpenPipe(true, ours).reset();
        Until([&] { return fcntl(ours, F_GETFD) < 0; });
        {
            Stream stream = OpenPipe(false, OpenEnds(Kind::kPipe, false, &peer));
            EXPECT_EQ(Write(stream, much), 0);
        }
        std::string got;
        Until([&] {
            got += Get(peer);
            return got.size() == much.size();
        });
        EXPECT_TRUE(got == much);
        Until([&] {
            char byte;
            return read(peer, &byte, 1) == 0;
        });
        return 0;
    });
}

TEST_P(StreamPipes, TheFlagOfAFileThatOthersShareIsTakenBackAtTheEnd)
{
    InTask([&](hoya_task *) {
        int peer;
        int ours = OpenEnds(Kind::kPipe, true, &peer), shared = Own(fcntl(ours, F_DUPFD_CLOEXEC, 3));
        Stream stream = OpenPipe(true, ours);
        EXPECT_TRUE(IsNonblocking(shared));
        EXPECT_EQ(hoya_stream_close(stream.get(), HOYA_NEVER), 0);
        Rounds(1);
        EXPECT_FALSE(IsNonblocking(shared));
        return 0;
    });
}

TEST_P(StreamPipes, ADescriptorThatCannotBeAPipeIsStillTheCallers)
{
    InTask([&](hoya_task *) {
        int fds[2];
        hoya_stream *stream = nullptr;
        EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
        int reads = Own(fds[0]), writes = Own(fds[1]), folder = Own(open("/tmp", O_RDONLY | O_CLOEXEC));
        EXPECT_EQ(TryOpen(true, writes, &stream), HOYA_EBADF);
        EXPECT_EQ(TryOpen(false, reads, &stream), HOYA_EBADF);
        EXPECT_EQ(TryOpen(true, folder, &stream), HOYA_EINVAL);
        EXPECT_EQ(TryOpen(true, -1, &stream), HOYA_EBADF);
        EXPECT_EQ(TryOpen(true, reads, nullptr), HOYA_EINVAL);
        hoya_stream_options bad = StreamOptions(SIZE_MAX);
        EXPECT_EQ(TryOpen(true, reads, &stream, &bad), HOYA_EINVAL);
        Stream taken = OpenPipe(true, fcntl(reads, F_DUPFD_CLOEXEC, 3));
        int fd = hoya_transport_fileno(hoya_stream_get_transport(taken.get()));
        EXPECT_EQ(TryOpen(true, fd, &stream), HOYA_EBUSY);
        EXPECT_EQ(stream, nullptr);
        EXPECT_EQ(hoya_stream_close(taken.get(), HOYA_NEVER), 0);
        Rounds(1);
        EXPECT_FALSE(IsNonblocking(reads));
        return 0;
    });
}

TEST_P(StreamPipes, OnlyATaskOpensPipes)
{
    int fds[2];
    hoya_stream *stream = nullptr;
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    Own(fds[0]), Own(fds[1]);
    for (bool reads : {false, true}) EXPECT_EQ(TryOpen(reads, fds[reads ? 0 : 1], &stream), HOYA_ESTATE);
    EXPECT_EQ(stream, nullptr);
    EXPECT_FALSE(IsNonblocking(fds[0]));
}

/* ---- dialogs ---- */

namespace
{
class StreamPipeNesting : public StreamPipes
{
};
INSTANTIATE_TEST_SUITE_P(Hosts, StreamPipeNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });
} // namespace

// Holds: S160
TEST_P(StreamPipeNesting, ATaskThatOpensADialogDoesNotHoldUpItsFile)
{
    WithJobs([&](hoya_task *) {
        const std::string data = Much(200000);
        int file = FileOf(data);
        EXPECT_EQ(lseek(file, 0, SEEK_SET), 0);
        Stream stream = OpenPipe(true, file);
        EXPECT_EQ(Read(stream, 1), data.substr(0, 1)) << "it goes on inside the turn of the file";
        std::string rest;
        Task other = Create([&](hoya_task *) {
            rest = ReadExactly(stream, data.size() - 1);
            return 0;
        });
        EXPECT_TRUE(host->RunNestedUntil([&] { return !rest.empty(); }));
        EXPECT_TRUE(rest == data.substr(1));
        return Join(other);
    });
}

} // namespace hoya_test
