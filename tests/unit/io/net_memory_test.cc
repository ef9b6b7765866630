/* SPDX-License-Identifier: MIT
 *
 * unit/io/net_memory_test.cc: connections without memory: what needs it says so and leaves nothing behind; closing,
 * aborting, cancelling and ending need none.
 */
#include <string>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

struct Heard {
    int made = 0, lost = 0, released = 0, code = 1;
    size_t read = 0;
    const void *memory = nullptr;
    hoya_transport *transport = nullptr;

    hoya_protocol protocol()
    {
        static const hoya_protocol_ops ops = {sizeof ops,
                                              [](hoya_transport *t, void *arg) {
                                                  of(arg)->transport = t;
                                                  return of(arg)->made++, 0;
                                              },
                                              nullptr,
                                              nullptr,
                                              [](hoya_transport *, const void *data, size_t size, void *arg) {
                                                  of(arg)->memory = data;
                                                  of(arg)->read += size;
                                                  return 0;
                                              },
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              [](hoya_transport *, int why, void *arg) {
                                                  of(arg)->lost++;
                                                  of(arg)->code = why;
                                              },
                                              [](void *arg) { of(arg)->released++; },
                                              nullptr};
        return {&ops, this};
    }
    static Heard *of(void *arg) { return static_cast<Heard *>(arg); }
};

class NetMemory : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
        hoya_set_log_function([](hoya_log_level, const char *, void *) {}, nullptr);
    }
    void TearDown() override
    {
        allocator.fail = false;
        allocator.fail_after = -1;
        if (loop) {
            EXPECT_EQ(hoya_loop_close(loop), 0);
            hoya_loop_unref(loop);
        }
        for (int fd : fds_) close(fd);
        hoya_set_log_function(nullptr, nullptr);
    }
    int Own(int fd)
    {
        EXPECT_GE(fd, 0);
        fds_.push_back(fd);
        return fd;
    }
    int Pair(int *peer)
    {
        int ends[2] = {-1, -1};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        *peer = Own(ends[1]);
        return ends[0];
    }
    hoya_transport *Connect(Heard *heard, int *peer)
    {
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, Pair(peer), heard->protocol(), nullptr, &transport), 0);
        RunRounds(1);
        EXPECT_EQ(heard->made, 1);
        return transport;
    }
    std::string Listen()
    {
        int server = Own(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(listen(server, 16), 0);
        getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
        return std::to_string(ntohs(address.sin_port));
    }
    void RunRounds(int n)
    {
        for (int i = 0; i < n; i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }
    template <typename Done> void RunUntil(Done done)
    {
        for (int i = 0; i < 5000 && !done(); i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_MSEC(1)), 0);
        EXPECT_TRUE(done());
    }
    static int OpenFds()
    {
        int n = 0;
        for (int fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
        return n;
    }

    FailingAllocator allocator;
    hoya_loop *loop = nullptr;

  private:
    std::vector<int> fds_;
};

} // namespace

TEST_F(NetMemory, WhatComesLiesWhereALineOfTheCacheBegins)
{
    Heard heard;
    int peer;
    hoya_transport *transport = Connect(&heard, &peer);
    EXPECT_EQ(write(peer, "hello", 5), 5);
    RunUntil([&] { return heard.read == 5; });
    EXPECT_EQ(reinterpret_cast<uintptr_t>(heard.memory) % 64, 0u);
    EXPECT_EQ(hoya_transport_abort(transport), 0);
    RunUntil([&] { return heard.released; });
    hoya_transport_unref(transport);
}

TEST_F(NetMemory, ASocketThatCannotBeTakenOverStaysTheCallers)
{
    hoya_transport_options options = {};
    options.size = sizeof options;
    options.write_high = 10; /* limits of its own: one more allocation */
    int after = 0, rc = HOYA_ENOMEM, peer;
    int fd = Pair(&peer);
    for (; rc < 0; after++) {
        ASSERT_LT(after, 20);
        Heard heard;
        hoya_transport *transport = nullptr;
        allocator.fail_after = after;
        rc = hoya_connect_accepted_socket(loop, fd, heard.protocol(), &options, &transport);
        allocator.fail_after = -1;
        if (rc < 0) {
            EXPECT_EQ(rc, HOYA_ENOMEM);
            EXPECT_EQ(transport, nullptr);
            EXPECT_EQ(heard.released, 1);
            EXPECT_GE(fcntl(fd, F_GETFD), 0);
            RunRounds(1);
            EXPECT_EQ(heard.made, 0);
        } else {
            RunRounds(1);
            EXPECT_EQ(heard.made, 1);
            hoya_transport_abort(transport);
            RunRounds(2);
            EXPECT_EQ(heard.lost, 1);
            hoya_transport_unref(transport);
        }
    }
    EXPECT_GE(after, 4);
}

TEST_F(NetMemory, AConnectionIsMadeOrRefusedAndLeavesNothing)
{
    const std::string port = Listen();
    RunRounds(1);
    int before = OpenFds();
    hoya_connection_options options = {};
    options.size = sizeof options;
    options.timeout = HOYA_SEC(100);
    options.local_host = "127.0.0.1";
    int succeeded = 0, refused = 0, failed = 0;
    for (int after = 0; !succeeded; after++) {
        ASSERT_LT(after, 200);
        SCOPED_TRACE(after);
        Heard heard;
        hoya_future *future = nullptr;
        allocator.fail_after = after;
        int rc = hoya_create_connection(loop, "127.0.0.1", port.c_str(), heard.protocol(), &options, &future);
        if (rc < 0) {
            allocator.fail_after = -1;
            EXPECT_EQ(rc, HOYA_ENOMEM) << hoya_error_detail();
            EXPECT_EQ(future, nullptr);
            refused++;
        } else {
            for (int i = 0; i < 5000 && !hoya_future_done(future); i++) hoya_loop_run_once(loop, HOYA_MSEC(1));
            bool used = allocator.fail_after < 0; /* the one that was to fail has come */
            allocator.fail_after = -1;
            rc = hoya_future_result(future, nullptr);
            if (rc < 0) {
                EXPECT_EQ(rc, HOYA_ENOMEM) << hoya_error_detail();
                failed++;
            } else {
                succeeded += !used;
                hoya_transport_abort(heard.transport);
                RunUntil([&] { return heard.released == 1; });
                EXPECT_EQ(heard.lost, 1);
            }
            hoya_future_unref(future);
        }
        EXPECT_EQ(heard.released, 1);
        EXPECT_EQ(OpenFds(), before);
    }
    EXPECT_GT(refused, 0);
    EXPECT_GT(failed, 0);
}

TEST_F(NetMemory, AWriteThatCannotWaitIsNotTaken)
{
    Heard heard;
    int peer;
    hoya_transport *transport = Connect(&heard, &peer);
    const std::string much(4u << 20, 'x');
    ASSERT_EQ(hoya_transport_write(transport, much.data(), much.size()), 0);
    size_t waiting = hoya_transport_get_write_buffer_size(transport);
    ASSERT_GT(waiting, 0u);
    allocator.fail = true;
    EXPECT_EQ(hoya_transport_write(transport, much.data(), much.size()), HOYA_ENOMEM);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
    EXPECT_EQ(hoya_transport_get_write_buffer_size(transport), waiting);
    EXPECT_FALSE(hoya_transport_is_closing(transport));
    size_t received = 0;
    char some[65536];
    RunUntil([&] {
        for (ssize_t n; (n = recv(peer, some, sizeof some, 0)) > 0;) received += static_cast<size_t>(n);
        return received == much.size();
    });
    EXPECT_EQ(hoya_transport_write(transport, "fits", 4), 0) << "what the system takes needs none";
    EXPECT_EQ(recv(peer, some, sizeof some, 0), 4);
    hoya_transport_abort(transport);
    RunRounds(2);
    EXPECT_EQ(heard.code, 0);
    hoya_transport_unref(transport);
}

TEST_F(NetMemory, AWriteThatWentInPartAndCannotWaitEndsTheConnection)
{
    Heard heard;
    int peer;
    hoya_transport *transport = Connect(&heard, &peer);
    const std::string much(4u << 20, 'x');
    allocator.fail = true;
    EXPECT_EQ(hoya_transport_write(transport, much.data(), much.size()), HOYA_ENOMEM);
    EXPECT_TRUE(hoya_transport_is_closing(transport));
    EXPECT_EQ(hoya_transport_write(transport, "x", 1), HOYA_ENOMEM) << "and goes on saying it";
    RunRounds(2);
    EXPECT_EQ(heard.code, HOYA_ENOMEM);
    EXPECT_EQ(heard.released, 1);
    hoya_transport_unref(transport);
}

TEST_F(NetMemory, LimitsThatFindNoMemoryStayAsTheyWereAndLaterOnesNeedNone)
{
    Heard heard;
    int peer;
    hoya_transport *transport = Connect(&heard, &peer);
    size_t high = 0;
    allocator.fail = true;
    EXPECT_EQ(hoya_transport_set_write_buffer_limits(transport, 200, 20, 2000), HOYA_ENOMEM);
    EXPECT_EQ(hoya_transport_get_write_buffer_limits(transport, &high, nullptr, nullptr), 0);
    EXPECT_EQ(high, 64 * 1024u);
    allocator.fail = false;
    ASSERT_EQ(hoya_transport_set_write_buffer_limits(transport, 100, 10, 1000), 0);
    allocator.fail = true;
    ASSERT_EQ(hoya_transport_set_write_buffer_limits(transport, 200, 20, 2000), 0);
    EXPECT_EQ(hoya_transport_get_write_buffer_limits(transport, &high, nullptr, nullptr), 0);
    EXPECT_EQ(high, 200u);
    hoya_transport_abort(transport);
    RunRounds(2);
    EXPECT_EQ(heard.released, 1);
    hoya_transport_unref(transport);
}

TEST_F(NetMemory, ReadingPausingClosingAndTheEndNeedNone)
{
    Heard read, closed, aborted, reset;
    int peers[4];
    hoya_transport *transports[] = {Connect(&read, &peers[0]), Connect(&closed, &peers[1]),
                                    Connect(&aborted, &peers[2]), Connect(&reset, &peers[3])};
    const std::string much(4u << 20, 'x');
    ASSERT_EQ(hoya_transport_write(transports[1], much.data(), much.size()), 0);
    int before = allocator.calls;
    allocator.fail = true;
    EXPECT_EQ(send(peers[0], "hello", 5, 0), 5);
    EXPECT_EQ(hoya_transport_pause_reading(transports[0]), 0);
    RunRounds(2);
    EXPECT_EQ(read.read, 0u);
    EXPECT_EQ(hoya_transport_resume_reading(transports[0]), 0);
    RunUntil([&] { return read.read == 5; });
    EXPECT_EQ(hoya_transport_close(transports[1]), 0);
    EXPECT_EQ(hoya_transport_abort(transports[2]), 0);
    EXPECT_EQ(hoya_transport_write(transports[3], "unread", 6), 0);
    EXPECT_EQ(shutdown(peers[0], SHUT_WR), 0);
    EXPECT_EQ(shutdown(peers[3], SHUT_RDWR), 0);
    char some[65536];
    RunUntil([&] {
        while (recv(peers[1], some, sizeof some, 0) > 0) continue;
        return read.released && closed.released && aborted.released && reset.released;
    });
    for (hoya_transport *transport : transports) hoya_transport_unref(transport);
    EXPECT_EQ(allocator.calls, before);
}

TEST_F(NetMemory, WhatWasNeverSentIsFreedWithTheConnectionWhoeverStillHasAReference)
{
    Heard heard;
    int peer;
    hoya_transport *transport = Connect(&heard, &peer);
    hoya_live_counts counts = {};
    counts.size = sizeof counts;
    hoya_get_live_counts(&counts);
    size_t before = counts.blocks;
    const std::string much(4u << 20, 'x');
    ASSERT_EQ(hoya_transport_write(transport, much.data(), much.size()), 0);
    EXPECT_EQ(hoya_transport_abort(transport), 0);
    RunRounds(2);
    hoya_get_live_counts(&counts);
    EXPECT_EQ(counts.blocks, before);
    hoya_transport_unref(transport);
}

TEST_F(NetMemory, ACancelATimeAndTheLoopsCloseNeedNone)
{
    const std::string port = Listen();
    hoya_connection_options options = {};
    options.size = sizeof options;
    options.timeout = HOYA_MSEC(1);
    Heard cancelled, late, left;
    hoya_future *futures[3] = {};
    ASSERT_EQ(hoya_create_connection(loop, "192.0.2.1", "9", late.protocol(), &options, &futures[1]), 0);
    ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", port.c_str(), cancelled.protocol(), nullptr, &futures[0]),
              0);
    ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", port.c_str(), left.protocol(), nullptr, &futures[2]), 0);
    int before = allocator.calls;
    allocator.fail = true;
    EXPECT_EQ(hoya_future_cancel(futures[0], nullptr), 1);
    EXPECT_EQ(cancelled.released, 1);
    EXPECT_EQ(hoya_future_cancel(futures[2], nullptr), 1);
    RunUntil([&] { return hoya_future_done(futures[1]); });
    EXPECT_EQ(allocator.calls - before, late.released) << "one for the text of that failure, which can be missing";
    EXPECT_LT(hoya_future_result(futures[1], nullptr), 0);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    for (hoya_future *future : futures) hoya_future_unref(future);
    hoya_loop_unref(loop);
    loop = nullptr;
}

} // namespace hoya_test
