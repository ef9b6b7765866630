/* SPDX-License-Identifier: MIT
 *
 * conformance/sock_sendfile_test.cc: plain sockets in tasks: files.
 */
#include "sock.h"

#include <algorithm>
#include <csignal>

namespace hoya_test
{

TEST_P(TaskConformance, AFileIsSentFromAnOffsetAndItsPositionStays)
{
    auto fds = MakePair();
    const std::string data = Pattern(300000);
    int file = Own(FileOf(data));
    EXPECT_EQ(lseek(file, 7, SEEK_SET), 7);
    auto send = [&](int64_t offset, int64_t count, size_t expected, uint32_t way = HOYA_SENDFILE_NATIVE) {
        int64_t sent = 1;
        std::string got;
        Task reader = Create([&](hoya_task *) {
            while (got.size() < expected) got += SockRecv(fds[1], 65536);
            return 0;
        });
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, offset, count, way, &sent), 0) << hoya_error_detail();
        EXPECT_EQ(sent, static_cast<int64_t>(expected));
        EXPECT_EQ(hoya_await(Of(reader), nullptr), 0);
        EXPECT_TRUE(got == data.substr(std::min(data.size(), static_cast<size_t>(offset)), expected));
    };
    Task task = Create([&](hoya_task *) {
        send(0, static_cast<int64_t>(data.size()), data.size());
        send(1000, 50, 50);
        send(1000, 50, 50, HOYA_SENDFILE_READ);
        send(0, HOYA_SENDFILE_ALL, data.size(), HOYA_SENDFILE_READ);
        send(0, HOYA_SENDFILE_ALL, data.size());
        send(299990, HOYA_SENDFILE_ALL, 10);
        send(299990, 1000, 10);
        send(400000, 1000, 0);
        send(0, 0, 0);
        send(0, 0, 0, HOYA_SENDFILE_READ);
        EXPECT_EQ(lseek(file, 0, SEEK_CUR), 7);
        EndJobs(loop);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Stats().watches, 0u);
}

TEST_P(TaskConformance, AFileThatIsSentTakesItsTurnsWithOthers)
{
    auto fds = MakePair();
    const std::string data = Pattern(5u << 20);
    int file = Own(FileOf(data));
    std::string got;
    Task sender = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, HOYA_SENDFILE_ALL, 0, nullptr), 0);
        return shutdown(fds[0], SHUT_WR);
    });
    Task receiver = Create([&](hoya_task *) {
        for (std::string some; !(some = SockRecv(fds[1], 65536)).empty();) got += some;
        return 0;
    });
    RunUntilDone({Of(sender), Of(receiver)});
    EXPECT_TRUE(got == data);
}

/* By reads in threads, which a sendfile that cannot is made into; /proc has such files, in some versions of the kernel. */
TEST_P(TaskConformance, AFileThatTheSystemCannotSendIsReadAndSent)
{
    auto fds = MakePair();
    int file = Own(open("/proc/self/environ", O_RDONLY | O_CLOEXEC));
    ASSERT_GE(file, 0);
    std::string wanted(1u << 20, ' ');
    wanted.resize(static_cast<size_t>(pread(file, &wanted[0], wanted.size(), 0)));
    Task task = Create([&](hoya_task *) {
        int64_t sent = 0;
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, HOYA_SENDFILE_ALL, 0, &sent), 0) << hoya_error_detail();
        EXPECT_EQ(sent, static_cast<int64_t>(wanted.size()));
        EndJobs(loop);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_TRUE(ReadAll(fds[1]) == wanted);
}

// Holds: S83
TEST_P(TaskConformance, ASendfileThatIsCancelledTellsHowMuchWent)
{
    auto fds = MakePair();
    const std::string data = Pattern(4u << 20);
    int file = Own(FileOf(data));
    int64_t sent = 0;
    Task task =
        Create([&](hoya_task *) { return hoya_sock_sendfile(fds[0], file, 0, HOYA_SENDFILE_ALL, 0, &sent); });
    Task other = Create([&](hoya_task *) {
        EXPECT_EQ(SockSend(fds[0], "between"), HOYA_EBUSY);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        EXPECT_EQ(hoya_wait_done(Of(task)), 0);
        EXPECT_GT(sent, 0);
        EXPECT_TRUE(ReadAll(fds[1]) == data.substr(0, static_cast<size_t>(sent)));
        EXPECT_EQ(Stats().watches, 0u);
        return SockSend(fds[0], "afterwards");
    });
    RunUntilDone({Of(task), Of(other)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_EQ(ReadAll(fds[1]), "afterwards");
}

TEST_P(TaskConformance, ASendfileToAPeerThatHasGoneIsAFailureAndNoSignal)
{
    auto fds = MakePair();
    const std::string data = Pattern(4u << 20);
    int file = Own(FileOf(data));
    Task task = Create([&](hoya_task *) {
        int64_t sent = 0;
        int rc = hoya_sock_sendfile(fds[0], file, 0, HOYA_SENDFILE_ALL, 0, &sent);
        EXPECT_TRUE(rc == HOYA_EPIPE || rc == HOYA_ECONNRESET) << rc;
        EXPECT_GT(sent, 0);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, HOYA_SENDFILE_ALL, 0, &sent), HOYA_EPIPE);
        EXPECT_EQ(sent, 0);
        return 0;
    });
    CallLater(HOYA_MSEC(2), [&] { Close(fds[1]); });
    RunUntilDone({Of(task)});
    sigset_t pending;
    EXPECT_EQ(sigpending(&pending), 0);
    EXPECT_FALSE(sigismember(&pending, SIGPIPE));
}

TEST_P(TaskConformance, SendfileSaysWhatIsWrongWithItsArguments)
{
    auto fds = MakePair();
    auto pipe = MakePipe();
    int file = Own(FileOf("x")), directory = Own(open("/tmp", O_RDONLY | O_CLOEXEC));
    Task task = Create([&](hoya_task *) {
        int64_t sent = 5;
        auto says = [](const std::string &text) {
            EXPECT_NE(std::string(hoya_error_detail()).find(text), std::string::npos) << hoya_error_detail();
        };
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, -1, 1, 0, &sent), HOYA_EINVAL);
        says("negative offset");
        EXPECT_EQ(sent, 0);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, -1, 0, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], -1, 0, 1, 0, nullptr), HOYA_EBADF);
        EXPECT_EQ(hoya_sock_sendfile(-1, file, 0, 1, 0, nullptr), HOYA_EBADF);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, 1, 4, nullptr), HOYA_EINVAL);
        says("flags 0x4");
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, 1, HOYA_SENDFILE_NATIVE | HOYA_SENDFILE_READ, nullptr),
                  HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], pipe[0], 0, 1, 0, nullptr), HOYA_EINVAL);
        says("cannot be read from an offset");
        EXPECT_EQ(hoya_sock_sendfile(fds[0], directory, 0, 1, 0, nullptr), -EISDIR);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], directory, 0, 1, HOYA_SENDFILE_NATIVE, nullptr), HOYA_ENOTSUP);
        SetBlocking(fds[0]);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, 1, 0, nullptr), HOYA_EINVAL);
        says("needs O_NONBLOCK");
        EndJobs(loop);
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(ReadAll(fds[1]), "");
}

} // namespace hoya_test
