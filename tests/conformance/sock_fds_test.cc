/* SPDX-License-Identifier: MIT
 *
 * conformance/sock_fds_test.cc: descriptors that tasks pass over plain Unix sockets.
 */
#include "sock.h"
#include "support/few_descriptors.h"

#include <sys/resource.h>
#include <sys/stat.h>

namespace hoya_test
{
namespace
{

ssize_t SendFds(int fd, const std::string &data, const std::vector<int> &fds)
{
    return hoya_sock_send_fds(fd, data.data(), data.size(), fds.data(), fds.size());
}

/* What came: the bytes, or the name of the code; and descriptors, that are closed at its end. */
struct Got {
    Got() = default;
    explicit Got(int fd, size_t size = 100)
    {
        hoya_fd all[HOYA_FDS_MAX];
        size_t count = 4711;
        std::string some(size, '?');
        ssize_t n = hoya_sock_recv_fds(fd, &some[0], size, all, &count);
        text = n < 0 ? hoya_error_name(static_cast<int>(n)) : some.substr(0, static_cast<size_t>(n));
        if (n < 0) EXPECT_EQ(count, 4711u) << "untouched";
        else fds.assign(all, all + count);
    }
    ~Got()
    {
        for (int fd : fds) close(fd);
    }
    Got(const Got &) = delete;
    Got &operator=(const Got &) = delete;

    std::string text;
    std::vector<int> fds;
};

bool IsSameFile(int one, int other)
{
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

} // namespace

TEST_P(TaskConformance, DescriptorsGoWithTheFirstByteAndAreTheReceiversOwn)
{
    for (bool blocking : {false, true}) {
        auto pair = MakePair();
        if (blocking) SetBlocking(pair[0]), SetBlocking(pair[1]);
        int one = Own(FileOf("one")), two = Own(FileOf("two"));
        Task receiver = Create([&](hoya_task *) {
            Got got(pair[1]);
            EXPECT_EQ(got.text, "both");
            EXPECT_EQ(got.fds.size(), 2u);
            if (got.fds.size() != 2) return 1;
            EXPECT_TRUE(IsSameFile(got.fds[0], one) && IsSameFile(got.fds[1], two));
            for (int fd : got.fds) EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            return 0;
        });
        Task sender = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
            EXPECT_EQ(SendFds(pair[0], "both", {one, two}), 4) << hoya_error_detail();
            return 0;
        });
        RunUntilDone({Of(receiver), Of(sender)});
        EXPECT_EQ(Result(receiver), 0);
        EXPECT_EQ(Stats().watches, 0u);
    }
}

TEST_P(TaskConformance, DescriptorsOfTwoSendsComeOneByOneAndBytesAloneBringNone)
{
    auto pair = MakePair();
    int one = Own(FileOf("one")), two = Own(FileOf("two"));
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(SockSend(pair[0], "plain "), 0);
        {
            Got got(pair[1]);
            EXPECT_EQ(got.text, "plain ");
            EXPECT_EQ(got.fds.size(), 0u);
        }
        EXPECT_EQ(SendFds(pair[0], "first", {one}), 5);
        EXPECT_EQ(SendFds(pair[0], "second", {two}), 6);
        Got first(pair[1]), second(pair[1]);
        EXPECT_EQ(first.text, "first");
        EXPECT_EQ(second.text, "second");
        EXPECT_TRUE(first.fds.size() == 1 && IsSameFile(first.fds[0], one));
        EXPECT_TRUE(second.fds.size() == 1 && IsSameFile(second.fds[0], two));
        shutdown(pair[0], SHUT_WR);
        EXPECT_EQ(Got(pair[1]).text, "");
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, ADescriptorWaitsUntilThereIsRoom)
{
    auto pair = MakePair();
    int file = Own(FileOf("file"));
    Task sender = Create([&](hoya_task *) {
        for (std::string some(65536, 's'); send(pair[0], some.data(), some.size(), MSG_DONTWAIT) > 0;) continue;
        ssize_t n = SendFds(pair[0], "last", {file});
        EXPECT_EQ(n, 4);
        return shutdown(pair[0], SHUT_WR);
    });
    Task receiver = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_FALSE(Done(sender));
        size_t descriptors = 0;
        for (bool end = false; !end;) {
            Got got(pair[1], 65536);
            descriptors += got.fds.size();
            end = got.text.empty();
        }
        EXPECT_EQ(descriptors, 1u);
        return 0;
    });
    RunUntilDone({Of(sender), Of(receiver)});
}

// Holds: S82 S83
TEST_P(TaskConformance, WhoWaitsForDescriptorsIsAloneAndACancelLeavesTheSocketUsable)
{
    auto pair = MakePair();
    int file = Own(FileOf("file"));
    Task first = Create([&](hoya_task *) {
        EXPECT_EQ(Got(pair[0]).text, "HOYA_ECANCELED");
        return 0;
    });
    Task second = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(Got(pair[0]).text, "HOYA_EBUSY");
        EXPECT_EQ(SendFds(pair[0], "x", {file}), 1) << "the other side is free";
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        EXPECT_EQ(hoya_await(Of(first), nullptr), 0);
        EXPECT_EQ(Stats().watches, 0u);
        EXPECT_EQ(SendFds(pair[1], "y", {file}), 1);
        EXPECT_EQ(Got(pair[0]).fds.size(), 1u);
        return 0;
    });
    RunUntilDone({Of(first), Of(second)});
}

TEST_P(TaskConformance, WhatIsNoUnixSocketOrNoDescriptorIsRefused)
{
    auto pair = MakePair();
    int udp = Own(BoundSocket(SOCK_DGRAM)), file = Own(FileOf("file"));
    EXPECT_EQ(SendFds(pair[0], "x", {file}), HOYA_ESTATE) << "no task";
    EXPECT_EQ(Got(pair[0]).text, "HOYA_ESTATE");
    Task task = Create([&](hoya_task *) {
        char byte;
        hoya_fd all[HOYA_FDS_MAX];
        size_t count = 0;
        EXPECT_EQ(SendFds(udp, "x", {file}), HOYA_ENOTSUP);
        EXPECT_EQ(SendFds(file, "x", {file}), HOYA_ENOTSOCK);
        EXPECT_EQ(SendFds(-1, "x", {file}), HOYA_EBADF);
        EXPECT_EQ(SendFds(pair[0], "x", {-1}), HOYA_EBADF);
        EXPECT_EQ(SendFds(pair[0], "", {file}), HOYA_EINVAL);
        EXPECT_EQ(SendFds(pair[0], "x", {}), HOYA_EINVAL);
        EXPECT_EQ(SendFds(pair[0], "x", std::vector<int>(HOYA_FDS_MAX + 1, file)), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_send_fds(pair[0], "x", 1, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_recv_fds(pair[0], nullptr, 1, all, &count), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_recv_fds(pair[0], &byte, 0, all, &count), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_recv_fds(pair[0], &byte, 1, nullptr, &count), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_recv_fds(pair[0], &byte, 1, all, nullptr), HOYA_EINVAL);
        EXPECT_EQ(Got(file).text, "HOYA_ENOTSOCK");
        EXPECT_EQ(ReadAll(pair[1]), "");
        EXPECT_EQ(SendFds(pair[0], "x", std::vector<int>(HOYA_FDS_MAX, file)), 1);
        EXPECT_EQ(Got(pair[1]).fds.size(), static_cast<size_t>(HOYA_FDS_MAX));
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, DescriptorsForWhichThereIsNoRoomAreAFailureAndNoneIsLeft)
{
    auto pair = MakePair();
    int file = Own(FileOf("file"));
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(SendFds(pair[0], "x", {file, file, file}), 1);
        int next = fcntl(file, F_DUPFD_CLOEXEC, 3);
        close(next);
        {
            FewDescriptors few(2);
            EXPECT_EQ(Got(pair[1]).text, "HOYA_EMFILE");
        }
        int again = fcntl(file, F_DUPFD_CLOEXEC, 3);
        EXPECT_EQ(again, next) << "what had come is closed";
        close(again);
        EXPECT_EQ(SockSend(pair[0], "goes on"), 0);
        EXPECT_EQ(Got(pair[1]).text, "goes on");
        return 0;
    });
    RunUntilDone({Of(task)});
}

} // namespace hoya_test
