/* SPDX-License-Identifier: MIT
 *
 * conformance/pipe_descriptors_test.cc: whose descriptors and flags are what while they are pipes, and what is
 * refused.
 */
#include "pipes.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>

namespace hoya_test
{

/* ---- descriptors and flags ---- */

TEST_P(PipeConformance, ADescriptorIsNonblockingAndClosedOnExecWhileItIsAPipe)
{
    Recorder recorder(&trace, "a");
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    Own(ends[0]);
    int shared = Own(dup(ends[1]));
    Transport transport = Opened(Way::kWrite, ends[1], recorder);
    EXPECT_TRUE(IsNonblocking(ends[1]));
    EXPECT_TRUE(IsCloexec(ends[1]));
    EXPECT_TRUE(IsNonblocking(shared)) << "that is the open file's";
    EXPECT_FALSE(IsCloexec(shared));
    hoya_transport_close(transport.get());
    RunUntilReleased(recorder);
    EXPECT_FALSE(IsNonblocking(shared)) << "as it was";
}

TEST_P(PipeConformance, AStandardDescriptorIsStillTheChildrens)
{
    for (bool cloexec : {false, true}) {
        int ends[2];
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        fcntl(Own(ends[0]), F_SETFL, O_NONBLOCK);
        EXPECT_EQ(InChild([&] {
                      Recorder recorder(&trace, "a");
                      hoya_loop *own;
                      ASSERT_EQ(hoya_loop_new(nullptr, &own), 0);
                      ASSERT_EQ(dup3(ends[1], 1, cloexec ? O_CLOEXEC : 0), 1);
                      ASSERT_EQ(TryOpen(own, Way::kWrite, 1, recorder), 0);
                      EXPECT_EQ(IsCloexec(1), cloexec);
                      EXPECT_TRUE(IsNonblocking(1));
                      if (!cloexec) EXPECT_EQ(system("echo from a child"), 0);
                      hoya_loop_close(own);
                      hoya_loop_unref(own);
                  }),
                  0);
        close(ends[1]);
        EXPECT_EQ(Get(ends[0]), cloexec ? "" : "from a child\n");
    }
}

TEST_P(PipeConformance, AFlagThatWasThereBeforeStays)
{
    Recorder recorder(&trace, "a");
    auto ends = MakePipe();
    Transport transport = Opened(Way::kRead, dup(ends[0]), recorder);
    hoya_transport_abort(transport.get());
    RunUntilReleased(recorder);
    EXPECT_TRUE(IsNonblocking(ends[0]));
}

TEST_P(PipeConformance, AClosedLoopTakesItsFlagsBack)
{
    Recorder recorder(&trace, "a");
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    Own(ends[1]);
    int shared = Own(dup(ends[0]));
    Transport transport = Opened(Way::kRead, ends[0], recorder);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(recorder.released, 1);
    EXPECT_FALSE(IsNonblocking(shared));
    EXPECT_FALSE(IsOpen(ends[0]));
}

TEST_P(PipeConformance, TheLastOfSeveralOnOneFileTakesTheFlagBack)
{
    for (bool first_ends_first : {true, false}) {
        Recorder one(&trace, "one"), other(&trace, "other"), stranger(&trace, "stranger");
        int ends[2], stranger_peer;
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        int shared = Own(dup(ends[0]));
        Own(ends[1]);
        Transport strange = OpenedPipe(Way::kRead, stranger, &stranger_peer);
        int second = dup(ends[0]);
        Transport reads = Opened(Way::kRead, ends[0], one);
        Transport writes = Opened(Way::kWrite, second, other);
        Recorder &earlier = first_ends_first ? one : other, &later = first_ends_first ? other : one;
        hoya_transport_close(earlier.transport);
        RunUntilReleased(earlier);
        EXPECT_TRUE(IsNonblocking(shared)) << "the other one needs it";
        hoya_transport_close(later.transport);
        RunUntilReleased(later);
        EXPECT_FALSE(IsNonblocking(shared));
        EXPECT_TRUE(IsNonblocking(hoya_transport_fileno(strange.get())));
        hoya_transport_close(strange.get());
        RunUntilReleased(stranger);
    }
}

TEST_P(PipeConformance, WhoLacksTheFlagByAnothersDoingDoesNotInheritTheDuty)
{
    for (int first = 0; first < 2; first++) { /* of those that lack it, in the loop's order */
        Recorder ends(&trace, "ends"), heir(&trace, "heir"), stranger(&trace, "stranger");
        int ours[2], theirs[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ours), 0);
        ASSERT_EQ(pipe2(theirs, O_CLOEXEC), 0);
        Own(ours[1]), Own(theirs[1]);
        int shared = Own(dup(ours[0])), of_stranger = Own(dup(theirs[0])), second = dup(ours[0]);
        Transport transport = Opened(Way::kRead, ours[0], ends), strange, writes;
        for (int i = 0; i < 2; i++) {
            if (i == first) strange = Opened(Way::kRead, theirs[0], stranger);
            else writes = Opened(Way::kWrite, second, heir);
        }
        EXPECT_EQ(fcntl(of_stranger, F_SETFL, 0), 0) << "another program that has it";
        hoya_transport_abort(transport.get());
        RunUntilReleased(ends);
        EXPECT_TRUE(IsNonblocking(shared)) << "the heir needs it";
        EXPECT_FALSE(IsNonblocking(of_stranger));
        hoya_transport_abort(writes.get());
        RunUntilReleased(heir);
        EXPECT_FALSE(IsNonblocking(shared)) << "the stranger has nothing to do with it";
        hoya_transport_abort(strange.get());
        RunUntilReleased(stranger);
    }
}

/* ---- what is refused ---- */

// Holds: S121
TEST_P(PipeConformance, WhatIsNoPipeIsRefusedAndStaysTheCallersAsItWas)
{
    Recorder recorder(&trace, "a");
    hoya_transport *untouched = reinterpret_cast<hoya_transport *>(this), *transport = untouched;
    auto pair = MakePair(), ends = MakePipe();
    int dgram = Own(socket(AF_INET, SOCK_DGRAM, 0)), unconnected = Own(socket(AF_INET, SOCK_STREAM, 0));
    int listener = Own(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(listen(listener, 1), 0);
    int closed = fcntl(pair[0], F_DUPFD, 500);
    close(closed);
    struct {
        Way way;
        int fd, code;
        const char *text;
    } const cases[] = {
        {Way::kRead, Own(open("/", O_RDONLY)), HOYA_EINVAL, "a directory"},
        {Way::kRead, Own(epoll_create1(0)), HOYA_EINVAL, "no file"},
        {Way::kWrite, Own(eventfd(0, 0)), HOYA_EINVAL, "no file"},
        {Way::kRead, ends[1], HOYA_EBADF, "not open for reading"},
        {Way::kWrite, ends[0], HOYA_EBADF, "not open for writing"},
        {Way::kWrite, Own(open("/dev/null", O_RDONLY)), HOYA_EBADF, "not open for writing"},
        {Way::kRead, dgram, HOYA_EINVAL, "no stream socket"},
        {Way::kRead, listener, HOYA_EINVAL, "listens"},
        {Way::kWrite, unconnected, HOYA_ENOTCONN, "not connected"},
        {Way::kRead, closed, HOYA_EBADF, ""},
        {Way::kRead, -1, HOYA_EBADF, ""},
    };
    int released = 0;
    for (const auto &c : cases) {
        SCOPED_TRACE(std::string(c.text) + " " + std::to_string(c.fd));
        int flags = fcntl(c.fd, F_GETFL), own = fcntl(c.fd, F_GETFD);
        EXPECT_EQ(TryOpen(loop, c.way, c.fd, recorder, &transport), c.code);
        EXPECT_NE(std::string(hoya_error_detail()).find(c.text), std::string::npos) << hoya_error_detail();
        EXPECT_EQ(recorder.released, ++released) << "given away, always";
        EXPECT_EQ(fcntl(c.fd, F_GETFL), flags);
        EXPECT_EQ(fcntl(c.fd, F_GETFD), own);
    }
    EXPECT_EQ(transport, untouched);
}

// Holds: S121
TEST_P(PipeConformance, ABlockDeviceIsRefused)
{
    const char *path = nullptr;
    for (const char *try_path : {"/dev/vda", "/dev/sda", "/dev/loop0", "/dev/ram0", "/dev/nvme0n1"})
        if (access(try_path, R_OK) == 0) path = try_path;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return; /* there is none that we may open */
    Own(fd);
    Recorder recorder(&trace, "a");
    EXPECT_EQ(TryOpen(loop, Way::kRead, fd, recorder), HOYA_EINVAL);
    EXPECT_NE(std::string(hoya_error_detail()).find("a block device"), std::string::npos);
}

TEST_P(PipeConformance, BadArgumentsAreRefused)
{
    Recorder recorder(&trace, "a");
    auto ends = MakePipe();
    hoya_pipe_options crossed = {sizeof crossed, 10, 20, 0};
    struct {
        hoya_pipe_options known;
        int more;
    } newer = {{sizeof newer, 0, 0, 0}, 1};
    EXPECT_EQ(TryOpen(loop, Way::kWrite, ends[1], recorder, nullptr, &crossed), HOYA_EINVAL);
    EXPECT_EQ(TryOpen(loop, Way::kWrite, ends[1], recorder, nullptr, &newer.known), HOYA_EINVAL);
    EXPECT_EQ(recorder.released, 2);
    EXPECT_EQ(hoya_connect_read_pipe(loop, ends[0], {nullptr, nullptr}, nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_connect_read_pipe(nullptr, ends[0], recorder.protocol(), nullptr, nullptr), HOYA_EINVAL);
    AddReader(ends[0], [] {});
    EXPECT_EQ(TryOpen(loop, Way::kRead, ends[0], recorder), HOYA_EBUSY);
    EXPECT_EQ(hoya_loop_remove_reader(loop, ends[0]), 1);
    int file = NewFile("x");
    Recorder second(&trace, "b");
    Transport transport = Open(Way::kRead, file, second);
    EXPECT_EQ(TryOpen(loop, Way::kRead, file, recorder), HOYA_EBUSY) << "a file's is its transport's, too";
    hoya_transport_abort(transport.get());
    RunUntilReleased(second);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(TryOpen(loop, Way::kRead, ends[0], recorder), HOYA_ECLOSED);
}

TEST_P(PipeConformance, AnotherThreadIsRefused)
{
    Recorder recorder(&trace, "a");
    auto ends = MakePipe();
    RunRounds(1);
    std::thread([&] {
        EXPECT_EQ(TryOpen(loop, Way::kRead, ends[0], recorder), HOYA_ETHREAD);
        EXPECT_EQ(TryOpen(loop, Way::kWrite, ends[1], recorder), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(recorder.released, 2);
}

// Holds: S56
TEST_P(PipeConformance, AForkedChildIsRefusedAndItsCloseLeavesTheParentsPipeAlone)
{
    Recorder recorder(&trace, "a"), other(&trace, "b"), file(&trace, "file");
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    Own(ends[1]);
    int shared = Own(dup(ends[0]));
    Transport transport = Opened(Way::kRead, ends[0], recorder);
    Transport reads = Open(Way::kRead, NewFile("content"), file);
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(TryOpen(loop, Way::kRead, shared, other), HOYA_ECHILD);
                  EXPECT_EQ(hoya_loop_close(loop), 0);
                  EXPECT_EQ(recorder.released, 1);
                  EXPECT_TRUE(IsNonblocking(shared)) << "it is the parent's, too";
              }),
              0);
    EXPECT_TRUE(IsNonblocking(shared));
    Put(ends[1], "x");
    RunUntil([&] { return recorder.data == "x" && file.released; });
    EXPECT_EQ(file.data, "content");
}

TEST_P(PipeConformance, APipeHasNoAddresses)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = OpenedPipe(Way::kRead, recorder, &peer);
    hoya_address address;
    hoya_credentials credentials;
    EXPECT_EQ(hoya_transport_get_sockname(transport.get(), &address), HOYA_ENOTSOCK);
    EXPECT_EQ(hoya_transport_get_peername(transport.get(), &address), HOYA_ENOTSOCK);
    EXPECT_EQ(hoya_transport_get_peer_credentials(transport.get(), &credentials), HOYA_ENOTSUP);
    std::string all;
    hoya_loop_dump(
        loop, [](const char *line, void *arg) { *static_cast<std::string *>(arg) += line; }, &all);
    EXPECT_NE(all.find("read pipe"), std::string::npos) << all;
}

} // namespace hoya_test
