/* SPDX-License-Identifier: MIT
 *
 * conformance/pipes.h: read pipes and write pipes as tests like them.
 */
#ifndef HOYA_TESTS_PIPES_H
#define HOYA_TESTS_PIPES_H

#include "ends.h"
#include "net.h"

#include <hoya/pipe.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <pty.h>
#include <sys/stat.h>

namespace hoya_test
{

enum class Way { kRead, kWrite };

class PipeConformance : public NetConformance
{
  protected:
    /* Ends as a well-kept program does: the default executor first, so that nothing of it is alive when a test is over. */
    void TearDown() override
    {
        hoya_future *end = nullptr;
        if (!hoya_loop_is_closed(loop)) {
            EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &end), 0) << hoya_error_detail();
            RunUntil([&] { return hoya_future_done(end) == 1; });
            hoya_future_unref(end);
        }
        NetConformance::TearDown();
    }

    static int TryOpen(hoya_loop *loop, Way way, int fd, Recorder &recorder, hoya_transport **transport = nullptr,
                       const hoya_pipe_options *options = nullptr)
    {
        auto open = way == Way::kRead ? hoya_connect_read_pipe : hoya_connect_write_pipe;
        return open(loop, fd, recorder.protocol(), options, transport);
    }
    /* Takes the descriptor. */
    Transport Open(Way way, int fd, Recorder &recorder, const hoya_pipe_options *options = nullptr)
    {
        hoya_transport *transport = nullptr;
        EXPECT_EQ(TryOpen(loop, way, fd, recorder, &transport, options), 0) << hoya_error_detail();
        return Transport(transport);
    }
    /* With connection_made behind it. */
    Transport Opened(Way way, int fd, Recorder &recorder, const hoya_pipe_options *options = nullptr)
    {
        Transport transport = Open(way, fd, recorder, options);
        RunRounds(1);
        EXPECT_NE(recorder.transport, nullptr);
        trace.clear();
        return transport;
    }
    /* A transport on one end of a pipe that blocks; *peer is the other end. */
    Transport OpenedPipe(Way way, Recorder &recorder, int *peer, const hoya_pipe_options *options = nullptr)
    {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        int ours = way == Way::kWrite;
        *peer = Own(ends[1 - ours]);
        EXPECT_EQ(fcntl(*peer, F_SETFL, O_NONBLOCK), 0); /* another open file than the other end */
        return Opened(way, ends[ours], recorder, options);
    }
    void RunUntilReleased(const Recorder &recorder)
    {
        RunUntil([&] { return recorder.released == 1; });
    }

    static bool IsCloexec(int fd) { return fcntl(fd, F_GETFD) & FD_CLOEXEC; }
    static bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

    /* A file with this in it, that is nowhere; at its beginning. */
    static int NewFile(const std::string &content)
    {
        char path[] = "/tmp/hoya-XXXXXX";
        int fd = mkostemp(path, O_CLOEXEC);
        EXPECT_GE(fd, 0);
        unlink(path);
        Put(fd, content);
        EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
        return fd;
    }
    static std::string ContentOf(int fd)
    {
        EXPECT_EQ(lseek(fd, 0, SEEK_SET), 0);
        return Get(fd);
    }
    /* The two ends of a terminal that changes nothing of what goes through it. */
    static void OpenTerminal(int *master, int *slave)
    {
        ASSERT_EQ(openpty(master, slave, nullptr, nullptr, nullptr), 0);
        for (int fd : {*master, *slave}) fcntl(fd, F_SETFD, FD_CLOEXEC);
        termios mode;
        ASSERT_EQ(tcgetattr(*slave, &mode), 0);
        cfmakeraw(&mode);
        ASSERT_EQ(tcsetattr(*slave, TCSANOW, &mode), 0);
    }
};

} // namespace hoya_test

#endif
