/* SPDX-License-Identifier: MIT
 *
 * conformance/descriptors_test.cc: descriptors that travel over Unix connections, with the bytes of their write.
 */
#include "net.h"
#include "support/few_descriptors.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace hoya_test
{
namespace
{

/* A recorder that takes descriptors, and closes them at its end: "NAME fds COUNT". */
class Taker : public Recorder
{
  public:
    explicit Taker(Trace *trace, std::string name, bool buffered = false)
        : Recorder(trace, name, buffered), trace_(trace), name_(std::move(name)), ops_(*Recorder::protocol().ops)
    {
        ops_.fds_received = Take;
    }
    ~Taker()
    {
        for (int fd : fds) close(fd);
    }
    hoya_protocol protocol() { return {&ops_, static_cast<Recorder *>(this)}; }

    std::vector<int> fds;
    std::function<int(hoya_transport *)> on_fds;

  private:
    static int Take(hoya_transport *transport, const hoya_fd *fds, size_t count, void *arg)
    {
        auto self = static_cast<Taker *>(static_cast<Recorder *>(arg));
        self->trace_->push_back(self->name_ + " fds " + std::to_string(count));
        self->fds.insert(self->fds.end(), fds, fds + count);
        return self->on_fds ? self->on_fds(transport) : 0;
    }

    Trace *trace_;
    std::string name_;
    hoya_protocol_ops ops_;
};

/* By plain calls. */
int SendFds(int socket, const std::string &data, const std::vector<int> &fds)
{
    alignas(cmsghdr) char control[CMSG_SPACE(HOYA_FDS_MAX * sizeof(int))] = {};
    iovec part = {const_cast<char *>(data.data()), data.size()};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    return sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(data.size()) ? 0 : -errno;
}

struct Got {
    std::string data;
    std::vector<int> fds;
    std::vector<size_t> at; /* of each: how many bytes had come before the read that brought it */
};

/* What there is to read now, in reads of at most `most`. */
void ReceiveFds(int socket, Got *got, size_t most = 65536)
{
    for (;;) {
        alignas(cmsghdr) char control[CMSG_SPACE(HOYA_FDS_MAX * sizeof(int))];
        std::string some(most, ' ');
        iovec part = {&some[0], some.size()};
        msghdr message = {};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        if (n <= 0) return;
        cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header) {
            size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int), old = got->fds.size();
            got->fds.resize(old + count);
            memcpy(&got->fds[old], CMSG_DATA(header), count * sizeof(int));
            got->at.insert(got->at.end(), count, got->data.size());
        }
        got->data.append(some, 0, static_cast<size_t>(n));
    }
}

bool Same(int one, int other)
{
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

class Passing : public NetConformance
{
  protected:
    static int WriteFds(const Transport &transport, const std::string &data, const std::vector<int> &fds)
    {
        return hoya_transport_write_fds(transport.get(), data.data(), data.size(), fds.data(), fds.size());
    }
    int MakeFile(const std::string &content = "")
    {
        int fd = Own(memfd_create("file", MFD_CLOEXEC));
        EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        return fd;
    }
    /* A transport on one end of a pair whose protocol takes descriptors. */
    Transport Connected(Recorder &recorder, hoya_protocol protocol, int *peer)
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        *peer = Own(fds[1]);
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, fds[0], protocol, nullptr, &transport), 0);
        RunRounds(1);
        EXPECT_NE(recorder.transport, nullptr);
        trace.clear();
        return Transport(transport);
    }
    Transport Connected(Taker &taker, int *peer) { return Connected(taker, taker.protocol(), peer); }
    using NetConformance::Connected;
    void OwnAll(const Got &got)
    {
        for (int fd : got.fds) {
            EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
            Own(fd);
        }
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, Passing, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

/* ---- out ---- */

TEST_P(Passing, TheyGoAtOnceWithTheirBytes)
{
    Recorder recorder(&trace, "a");
    int peer, one = MakeFile(), other = MakePipe()[0];
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(Write(transport, "before"), 0);
    EXPECT_EQ(WriteFds(transport, "with", {one, other, one}), 0);
    EXPECT_EQ(Write(transport, "after"), 0);
    Got got;
    ReceiveFds(peer, &got);
    OwnAll(got);
    EXPECT_EQ(got.data, "beforewithafter");
    ASSERT_EQ(got.fds.size(), 3u);
    EXPECT_TRUE(Same(got.fds[0], one) && Same(got.fds[1], other) && Same(got.fds[2], one));
}

/* Each write is "<N>" with the files N of `files`, between plain ones. */
TEST_P(Passing, ThoseThatWaitStayWithTheirBytesInOrderAndTheirsMayBeClosed)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    const std::string much = Much(1u << 20);
    EXPECT_EQ(Write(transport, much), 0);
    ASSERT_GT(hoya_transport_get_write_buffer_size(transport.get()), 0u);
    std::string expected = much;
    std::vector<int> kept, passed;
    std::vector<size_t> positions;
    for (int i = 0; i < 12; i++) {
        int file = MakeFile(), same = Own(fcntl(file, F_DUPFD_CLOEXEC, 0));
        kept.push_back(same);
        const std::string data =
            i % 3 == 0 ? std::string(1, 'x') : std::string(50000 * static_cast<size_t>(i), 'y');
        positions.push_back(expected.size());
        ASSERT_EQ(WriteFds(transport, data, {file}), 0) << hoya_error_detail();
        Close(file);
        expected += data;
        if (i % 4 == 1) EXPECT_EQ(Write(transport, "plain"), 0);
        if (i % 4 == 1) expected += "plain";
    }
    Got got;
    RunUntil([&] {
        ReceiveFds(peer, &got, 1000);
        return got.data.size() == expected.size();
    });
    OwnAll(got);
    EXPECT_TRUE(got.data == expected);
    ASSERT_EQ(got.fds.size(), kept.size());
    for (size_t i = 0; i < kept.size(); i++) {
        EXPECT_TRUE(Same(got.fds[i], kept[i])) << i;
        EXPECT_LE(got.at[i], positions[i]);
        EXPECT_GT(got.at[i] + 1000, positions[i]) << "with the read that has their byte";
    }
}

TEST_P(Passing, CloseSendsThoseThatWaitAndAbortDropsThem)
{
    for (bool aborts : {false, true}) {
        Recorder recorder(&trace, "a");
        int peer, before = OpenFds();
        Transport transport = Connected(recorder, &peer);
        auto pipe = MakePipe();
        EXPECT_EQ(Write(transport, Much()), 0);
        EXPECT_EQ(WriteFds(transport, "x", {pipe[1]}), 0);
        EXPECT_EQ(WriteFds(transport, "y", {pipe[1], pipe[1]}), 0);
        Close(pipe[1]);
        EXPECT_EQ(hoya_transport_close(transport.get()), 0);
        if (aborts) EXPECT_EQ(hoya_transport_abort(transport.get()), 0);
        Got got;
        RunUntil([&] {
            ReceiveFds(peer, &got);
            return recorder.released > 0;
        });
        ReceiveFds(peer, &got);
        EXPECT_EQ(got.fds.size(), aborts ? 0u : 3u);
        for (int fd : got.fds) close(fd);
        EXPECT_TRUE(AtEnd(peer));
        char byte;
        EXPECT_EQ(read(pipe[0], &byte, 1), 0) << "nobody has the other end any more";
        Close(pipe[0]);
        Close(peer);
        EXPECT_EQ(OpenFds(), before);
        EXPECT_EQ(WriteFds(transport, "z", {0}), HOYA_ECLOSED);
    }
}

TEST_P(Passing, ALoopThatIsClosedClosesThoseThatWait)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    auto pipe = MakePipe();
    EXPECT_EQ(Write(transport, Much()), 0);
    EXPECT_EQ(WriteFds(transport, "x", {pipe[1]}), 0);
    Close(pipe[1]);
    char byte;
    EXPECT_EQ(read(pipe[0], &byte, 1), -1);
    ASSERT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(read(pipe[0], &byte, 1), 0);
}

TEST_P(Passing, AsManyGoAsTheSystemTakesAtOnce)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    std::vector<int> many(HOYA_FDS_MAX, MakeFile());
    EXPECT_EQ(WriteFds(transport, "x", many), 0) << hoya_error_detail();
    Got got;
    ReceiveFds(peer, &got);
    OwnAll(got);
    EXPECT_EQ(got.fds.size(), many.size());
    many.push_back(many.back());
    EXPECT_EQ(WriteFds(transport, "x", many), HOYA_EINVAL);
}

TEST_P(Passing, BadArgumentsAreRefusedAndTheConnectionGoesOn)
{
    Recorder recorder(&trace, "a");
    int peer, file = MakeFile();
    Transport transport = Connected(recorder, &peer);
    hoya_transport *t = transport.get();
    for (bool waits : {false, true}) {
        if (waits) EXPECT_EQ(Write(transport, Much()), 0);
        size_t size = hoya_transport_get_write_buffer_size(t);
        EXPECT_EQ(WriteFds(transport, "", {file}), HOYA_EINVAL);
        EXPECT_EQ(hoya_transport_write_fds(t, nullptr, 1, &file, 1), HOYA_EINVAL);
        EXPECT_EQ(WriteFds(transport, "x", {}), HOYA_EINVAL);
        EXPECT_EQ(hoya_transport_write_fds(t, "x", 1, nullptr, 1), HOYA_EINVAL);
        EXPECT_EQ(WriteFds(transport, "x", {file, -1}), HOYA_EBADF);
        EXPECT_EQ(WriteFds(transport, "x", {file, 1 << 20}), HOYA_EBADF);
        EXPECT_NE(std::string(hoya_error_detail()), "");
        EXPECT_EQ(hoya_transport_set_write_buffer_limits(t, 10, 1, size + 10), 0);
        EXPECT_EQ(WriteFds(transport, "more than that", {file}), HOYA_ENOBUFS);
        EXPECT_EQ(hoya_transport_get_write_buffer_size(t), size);
        EXPECT_EQ(hoya_transport_set_write_buffer_limits(t, SIZE_MAX / 2, 1, SIZE_MAX), 0);
    }
    EXPECT_FALSE(hoya_transport_is_closing(t));
    EXPECT_EQ(WriteFds(transport, "x", {file}), 0);
    Got got;
    RunUntil([&] {
        ReceiveFds(peer, &got);
        return got.data.size() == Much().size() + 1;
    });
    OwnAll(got);
    EXPECT_EQ(got.fds.size(), 1u);
    EXPECT_EQ(hoya_transport_write_eof(t), 0);
    EXPECT_EQ(WriteFds(transport, "x", {file}), HOYA_ESTATE);
}

TEST_P(Passing, OnlyUnixConnectionsTakeThem)
{
    int listener = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), length), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(client, reinterpret_cast<sockaddr *>(&address), length), 0);
    Taker taker(&trace, "a");
    hoya_transport *transport = nullptr;
    ASSERT_EQ(hoya_connect_accepted_socket(loop, client, taker.protocol(), nullptr, &transport), 0);
    EXPECT_EQ(hoya_transport_write_fds(transport, "x", 1, &listener, 1), HOYA_ENOTSUP);
    EXPECT_FALSE(hoya_transport_is_closing(transport));
    RunRounds(1);
    int peer = Own(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    Send(peer, "data");
    RunUntil([&] { return taker.data == "data"; });
    hoya_transport_unref(transport);
}

TEST_P(Passing, AProtocolThatPausesInTheMiddleFindsTheirsInTheOutput)
{
    Recorder recorder(&trace, "a");
    int peer, file = MakeFile();
    recorder.on_pause = [](hoya_transport *t) {
        RecordProperty("waiting", static_cast<int>(hoya_transport_get_write_buffer_size(t)));
        return hoya_transport_abort(t);
    };
    Transport transport = Connected(recorder, &peer);
    EXPECT_EQ(hoya_transport_set_write_buffer_limits(transport.get(), SIZE_MAX / 2, 0, SIZE_MAX), 0);
    EXPECT_EQ(Write(transport, Much()), 0);
    size_t waiting = hoya_transport_get_write_buffer_size(transport.get());
    EXPECT_EQ(hoya_transport_set_write_buffer_limits(transport.get(), waiting, 0, SIZE_MAX), 0);
    EXPECT_EQ(WriteFds(transport, "x", {file}), 0) << "and is aborted inside";
    RunUntil([&] { return recorder.released; });
}

/* ---- in ---- */

TEST_P(Passing, TheyAreToldRightBeforeTheirBytes)
{
    for (bool buffered : {false, true}) {
        Taker taker(&trace, "a", buffered);
        int peer, one = MakeFile(), other = MakePipe()[0];
        Transport transport = Connected(taker, &peer);
        EXPECT_EQ(SendFds(peer, "first", {one}), 0);
        EXPECT_EQ(SendFds(peer, "second", {other, one}), 0);
        Send(peer, "third");
        RunUntil([&] { return taker.data == "firstsecondthird"; });
        EXPECT_EQ(trace, (Trace{"a fds 1", "a data", "a fds 2", "a data", "a data"}));
        ASSERT_EQ(taker.fds.size(), 3u);
        EXPECT_TRUE(Same(taker.fds[0], one) && Same(taker.fds[1], other) && Same(taker.fds[2], one));
        for (int fd : taker.fds) EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        trace.clear();
    }
}

TEST_P(Passing, NobodyTakesThemWhereTheProtocolDoesNot)
{
    Recorder recorder(&trace, "a");
    int peer;
    Transport transport = Connected(recorder, &peer);
    auto pipe = MakePipe();
    EXPECT_EQ(SendFds(peer, "x", {pipe[1]}), 0);
    Close(pipe[1]);
    RunUntil([&] { return recorder.data == "x"; });
    char byte;
    EXPECT_EQ(read(pipe[0], &byte, 1), 0) << "closed";
}

TEST_P(Passing, AProtocolFromBeforeThereWereAnyIsServed)
{
    Recorder recorder(&trace, "a");
    hoya_protocol_ops shorter = *recorder.protocol().ops;
    shorter.size = offsetof(hoya_protocol_ops, fds_received);
    shorter.fds_received = [](hoya_transport *, const hoya_fd *, size_t, void *) {
        ADD_FAILURE() << "behind the end of the table";
        return 0;
    };
    int peer;
    Transport transport = Connected(recorder, {&shorter, &recorder}, &peer);
    EXPECT_EQ(SendFds(peer, "x", {MakeFile()}), 0);
    RunUntil([&] { return recorder.data == "x"; });
    shutdown(peer, SHUT_WR);
    RunUntil([&] { return recorder.released; });
    shorter.size--;
    EXPECT_EQ(hoya_connect_accepted_socket(loop, MakePair()[0], {&shorter, &recorder}, nullptr, nullptr),
              HOYA_EINVAL);
    EXPECT_EQ(recorder.released, 1) << "what is not known is not called";
}

TEST_P(Passing, AnotherProtocolMayWantThemOrNot)
{
    Taker taker(&trace, "a");
    Recorder recorder(&trace, "b");
    int peer, file = MakeFile();
    Transport transport = Connected(taker, &peer);
    taker.on_fds = [&](hoya_transport *t) { return hoya_transport_set_protocol(t, recorder.protocol()); };
    EXPECT_EQ(SendFds(peer, "x", {file}), 0);
    RunUntil([&] { return !recorder.data.empty(); });
    EXPECT_EQ(SendFds(peer, "y", {file}), 0);
    RunUntil([&] { return recorder.data == "xy"; });
    taker.on_fds = nullptr;
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), taker.protocol()), 0);
    EXPECT_EQ(SendFds(peer, "z", {file}), 0);
    RunUntil([&] { return taker.data == "z"; });
    EXPECT_EQ(taker.fds.size(), 2u);
}

TEST_P(Passing, AProtocolWithMemoryOfItsOwnThatIsSetThereGetsTheBytesInIt)
{
    Taker taker(&trace, "a");
    Recorder buffered(&trace, "b", true), plain(&trace, "c");
    int peer;
    Transport transport = Connected(taker, &peer);
    taker.on_fds = [&](hoya_transport *t) { return hoya_transport_set_protocol(t, buffered.protocol()); };
    buffered.on_buffer = [](hoya_transport *, void **, size_t *size) {
        *size = 2;
        return 0;
    };
    buffered.on_data = [&](hoya_transport *t, const std::string &) {
        return buffered.data == "abcd" ? hoya_transport_set_protocol(t, plain.protocol()) : 0;
    };
    EXPECT_EQ(SendFds(peer, "abcdefg", {MakeFile()}), 0);
    RunUntil([&] { return plain.data == "efg"; });
    EXPECT_EQ(buffered.data, "abcd");
    EXPECT_EQ(buffered.reads, (std::vector<size_t>{2, 2}));
    buffered.on_data = [&](hoya_transport *t, const std::string &) { return hoya_transport_abort(t); };
    EXPECT_EQ(hoya_transport_set_protocol(transport.get(), taker.protocol()), 0);
    EXPECT_EQ(SendFds(peer, "12345", {MakeFile()}), 0);
    RunUntil([&] { return buffered.released; });
    EXPECT_EQ(buffered.data, "abcd12") << "and nothing behind an abort";
    EXPECT_EQ(taker.data, "");
    taker.transport = nullptr; /* whose end the other one has heard */
}

TEST_P(Passing, AFailingFdsReceivedIsFatalAndItsBytesAreNotTold)
{
    for (bool buffered : {false, true}) {
        Taker taker(&trace, "a", buffered);
        int peer;
        Transport transport = Connected(taker, &peer);
        taker.on_fds = [](hoya_transport *) { return hoya_error_set(HOYA_EPROTO, "who asked?"); };
        EXPECT_EQ(SendFds(peer, "x", {MakeFile()}), 0);
        RunUntil([&] { return taker.released; });
        EXPECT_EQ(trace, (Trace{"a fds 1", "a lost HOYA_EPROTO", "a released"}));
        EXPECT_TRUE(Logged("fds_received failed"));
        trace.clear();
    }
}

TEST_P(Passing, WhoClosesInFdsReceivedGetsNoBytes)
{
    Taker taker(&trace, "a"), other(&trace, "b");
    int peer, peer_of_other;
    Transport transport = Connected(taker, &peer), another = Connected(other, &peer_of_other);
    taker.on_fds = [](hoya_transport *t) { return hoya_transport_close(t); };
    EXPECT_EQ(SendFds(peer, "x", {MakeFile()}), 0);
    RunUntil([&] { return taker.released; });
    EXPECT_EQ(trace, (Trace{"a fds 1", "a lost", "a released"}));
    Send(peer_of_other, std::string(60000, 'y'));
    RunUntil([&] { return other.data.size() == 60000; });
    EXPECT_EQ(other.reads.size(), 1u) << "the memory that connections share is free again";
}

TEST_P(Passing, WithoutRoomForThemTheConnectionEndsAndSaysWhy)
{
    Taker taker(&trace, "a");
    int peer;
    Transport transport = Connected(taker, &peer);
    auto pipe = MakePipe();
    EXPECT_EQ(SendFds(peer, "x", {pipe[1], pipe[1], pipe[1]}), 0);
    Close(pipe[1]);
    {
        FewDescriptors few(2);
        RunUntil([&] { return taker.released; });
    }
    EXPECT_EQ(trace, (Trace{"a lost HOYA_EMFILE", "a released"}));
    EXPECT_TRUE(Logged("descriptors that came could not be taken"));
    char byte;
    EXPECT_EQ(read(pipe[0], &byte, 1), 0) << "those that could be had were closed";
}

/* ---- there and back ---- */

/* What a program does that has no loop: from `socket` come the read end of a pipe, a socket and a file. It answers over the
 * socket what it has read, and passes back a file of its own. */
int Child(int socket)
{
    Got got;
    pollfd wait = {socket, POLLIN, 0};
    while (got.fds.size() < 3 && poll(&wait, 1, 10000) > 0) ReceiveFds(socket, &got);
    if (got.fds.size() != 3 || got.data != "three") return 1;
    std::string pipe(100, ' '), file(100, ' ');
    ssize_t n = read(got.fds[0], &pipe[0], pipe.size()), m = pread(got.fds[2], &file[0], file.size(), 0);
    if (n <= 0 || m <= 0) return 2;
    std::string all = pipe.substr(0, static_cast<size_t>(n)) + file.substr(0, static_cast<size_t>(m));
    if (write(got.fds[1], all.data(), all.size()) != static_cast<ssize_t>(all.size())) return 3;
    int own = memfd_create("child", MFD_CLOEXEC);
    if (write(own, "of the child", 12) != 12) return 4;
    return SendFds(socket, "one", {own}) == 0 ? 0 : 5;
}

TEST_P(Passing, AnotherProcessGetsAPipeASocketAndAFileAndPassesOneBack)
{
    Taker taker(&trace, "a");
    int peer;
    Transport transport = Connected(taker, &peer);
    auto pipe = MakePipe(), pair = MakePair();
    pid_t child = fork();
    if (child == 0) _exit(Child(peer));
    EXPECT_EQ(write(pipe[1], "pipe ", 5), 5);
    EXPECT_EQ(WriteFds(transport, "three", {pipe[0], pair[1], MakeFile("file")}), 0);
    RunUntil([&] { return taker.data == "one"; });
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(Receive(pair[0]), "pipe file");
    ASSERT_EQ(taker.fds.size(), 1u);
    char text[20] = "";
    EXPECT_EQ(pread(taker.fds[0], text, sizeof text, 0), 12);
    EXPECT_STREQ(text, "of the child");
}

TEST_P(Passing, TwoConnectionsOfOneLoopPassThemOnAndOn)
{
    Taker one(&trace, "a"), other(&trace, "b");
    int fds[2], turns = 0;
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    auto answer = [&](Taker &taker) {
        return [&](hoya_transport *t, const std::string &) {
            int fd = taker.fds.back();
            taker.fds.pop_back();
            int rc = ++turns < 100 ? hoya_transport_write_fds(t, "x", 1, &fd, 1) : 0;
            close(fd);
            return rc;
        };
    };
    one.on_data = answer(one);
    other.on_data = answer(other);
    hoya_transport *first = nullptr;
    ASSERT_EQ(hoya_connect_accepted_socket(loop, fds[0], one.protocol(), nullptr, &first), 0);
    ASSERT_EQ(hoya_connect_accepted_socket(loop, fds[1], other.protocol(), nullptr, nullptr), 0);
    RunRounds(1);
    int file = MakeFile();
    EXPECT_EQ(hoya_transport_write_fds(first, "x", 1, &file, 1), 0);
    RunUntil([&] { return turns == 100; });
    EXPECT_TRUE(one.fds.empty() && other.fds.empty());
    hoya_transport_unref(first);
}

namespace
{

class PassingNesting : public Passing
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, PassingNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(PassingNesting, ADialogInFdsReceivedHoldsUpTheBytesAndOthersGoOn)
{
    for (bool ends : {false, true}) {
        Taker taker(&trace, "a"), other(&trace, "b");
        int peer, peer_of_other, file = MakeFile();
        Transport transport = Connected(taker, &peer), another = Connected(other, &peer_of_other);
        bool first = true;
        taker.on_fds = [&](hoya_transport *t) {
            if (!first) return 0;
            first = false;
            Send(peer, "more");
            EXPECT_EQ(SendFds(peer_of_other, "other", {file}), 0);
            if (ends) EXPECT_EQ(hoya_transport_abort(t), 0);
            EXPECT_TRUE(host->RunNestedUntil([&] { return other.data == "other"; }));
            EXPECT_EQ(taker.data, "");
            EXPECT_EQ(taker.lost, 0);
            return 0;
        };
        EXPECT_EQ(SendFds(peer, "first", {file}), 0);
        EXPECT_TRUE(host->RunUntil([&] { return taker.data == "firstmore" || taker.released; }));
        EXPECT_EQ(taker.data, ends ? "" : "firstmore");
        EXPECT_EQ(taker.released, ends ? 1 : 0);
        EXPECT_EQ(other.fds.size(), 1u);
    }
}

} // namespace hoya_test
