/* SPDX-License-Identifier: MIT
 *
 * net/net_test.cc: connections over networks that lose, refuse, reset and swallow what is sent. net.sh makes the network;
 * what is lost on the loopback is dropped by a filter on the receiving socket, below TCP: the sender sees a silent network.
 */
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include "support/resolvers.h"

#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

/* Sends back what comes, and counts what it hears. */
struct Echo {
    int made = 0, lost = 0, released = 0, code = 1;
    size_t read = 0;
    hoya_transport *transport = nullptr;

    hoya_protocol protocol()
    {
        static const hoya_protocol_ops ops = {
            sizeof ops,
            [](hoya_transport *t, void *arg) {
                of(arg)->transport = t;
                return of(arg)->made++, 0;
            },
            nullptr,
            nullptr,
            [](hoya_transport *t, const void *data, size_t size, void *arg) {
                of(arg)->read += size;
                return hoya_transport_write(t, data, size);
            },
            nullptr,
            [](hoya_transport *t, void *) { return hoya_transport_pause_reading(t); },
            [](hoya_transport *t, void *) { return hoya_transport_resume_reading(t); },
            [](hoya_transport *, int why, void *arg) {
                of(arg)->lost++;
                of(arg)->code = why;
            },
            [](void *arg) { of(arg)->released++; },
            nullptr};
        return {&ops, this};
    }
    static Echo *of(void *arg) { return static_cast<Echo *>(arg); }
};

class Net : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!getenv("HOYA_TEST_NETWORK")) GTEST_SKIP() << "tests/net/net.sh makes the network";
        ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
        options.size = sizeof options;
        link.size = sizeof link;
        options.transport = &link;
    }
    void TearDown() override
    {
        if (future) hoya_future_unref(future);
        if (loop) hoya_loop_close(loop);
        hoya_loop_unref(loop);
        for (int fd : fds_) close(fd);
    }
    int Own(int fd)
    {
        EXPECT_GE(fd, 0);
        fds_.push_back(fd);
        return fd;
    }
    void Close(int fd)
    {
        fds_.erase(std::find(fds_.begin(), fds_.end(), fd));
        close(fd);
    }
    int Listen(std::string *port)
    {
        int server = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(listen(server, 16), 0);
        getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
        *port = std::to_string(ntohs(address.sin_port));
        return server;
    }
    void Create(const char *host, const std::string &port)
    {
        ASSERT_EQ(hoya_create_connection(loop, host, port.c_str(), echo.protocol(), &options, &future), 0)
            << hoya_error_detail();
    }
    /* A connection over the loopback; the other side. */
    int Connect()
    {
        std::string port;
        int server = Listen(&port);
        Create("127.0.0.1", port);
        RunUntil([&] { return hoya_future_done(future) == 1; });
        EXPECT_EQ(hoya_future_result(future, nullptr), 0) << hoya_error_detail();
        return Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    }
    template <typename Done> void RunUntil(Done done)
    {
        int64_t end = hoya_loop_time(loop) + HOYA_SEC(20);
        while (!done() && hoya_loop_time(loop) < end) ASSERT_GE(hoya_loop_run_once(loop, HOYA_MSEC(10)), 0);
        EXPECT_TRUE(done());
    }
    int Result()
    {
        RunUntil([&] { return hoya_future_done(future) == 1; });
        return hoya_future_exception(future, &text);
    }
    /* Of what comes to this socket so many of 1000 packets are lost. */
    static void Lose(int fd, uint32_t per_mille)
    {
        sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
            BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 1000),
            BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, per_mille, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
            BPF_STMT(BPF_RET | BPF_K, 0),
        };
        sock_fprog program = {sizeof code / sizeof *code, code};
        ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0) << strerror(errno);
    }

    static unsigned Resent(int fd)
    {
        tcp_info info = {};
        socklen_t size = sizeof info;
        EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        return info.tcpi_total_retrans;
    }

    hoya_loop *loop = nullptr;
    hoya_future *future = nullptr;
    hoya_connection_options options = {};
    hoya_transport_options link = {};
    Echo echo;
    const char *text = "";

  private:
    std::vector<int> fds_;
};

} // namespace

/* ---- connecting ---- */

TEST_F(Net, WhereThereIsNoWayTheCodeSaysWhichAndTheTextWhere)
{
    struct {
        const char *host;
        int code;
    } const rows[] = {{"192.0.2.1", HOYA_ENETUNREACH}, {"10.8.0.1", HOYA_EHOSTUNREACH}, {"10.7.0.1", HOYA_EACCES}};
    for (const auto &row : rows) {
        Create(row.host, "80");
        EXPECT_EQ(Result(), row.code) << text;
        EXPECT_NE(std::string(text).find(std::string(row.host) + ":80: "), std::string::npos) << text;
        hoya_future_unref(future);
        future = nullptr;
    }
    EXPECT_EQ(echo.released, 3);
}

TEST_F(Net, ABlackHoleIsLeftToItselfAndTheNextAddressIsTried)
{
    std::string port;
    Listen(&port);
    Addresses addresses{{{"10.9.1.2", "80"}, {"127.0.0.1", port}}};
    addresses.Install(loop);
    options.happy_eyeballs_delay = HOYA_MSEC(50);
    int64_t begin = hoya_loop_time(loop);
    Create("two.example", "80");
    EXPECT_EQ(Result(), 0) << text;
    int64_t took = hoya_loop_time(loop) - begin;
    EXPECT_GE(took, HOYA_MSEC(50));
    EXPECT_LT(took, HOYA_SEC(1)) << "the first would take two minutes";
}

TEST_F(Net, ABlackHoleAloneTakesAsLongAsTheTimeoutSays)
{
    options.timeout = HOYA_MSEC(100);
    int64_t begin = hoya_loop_time(loop);
    Create("10.9.1.2", "80");
    EXPECT_EQ(Result(), HOYA_ETIMEDOUT);
    EXPECT_GE(hoya_loop_time(loop) - begin, HOYA_MSEC(100));
    EXPECT_EQ(echo.released, 1);
}

/* ---- loss ---- */

TEST_F(Net, WhatALossyNetworkLosesComesAllTheSameInOrder)
{
    int peer = Connect(), on = 1;
    Lose(peer, 100);
    Lose(hoya_transport_fileno(echo.transport), 100);
    ASSERT_EQ(setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    std::string data(60000, ' '), back;
    for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<char>('!' + i % 89);
    size_t sent = 0;
    char some[65536];
    RunUntil([&] {
        ssize_t n = send(peer, data.data() + sent, std::min<size_t>(data.size() - sent, 100), MSG_NOSIGNAL);
        if (n > 0) sent += static_cast<size_t>(n);
        while ((n = recv(peer, some, sizeof some, 0)) > 0) back.append(some, static_cast<size_t>(n));
        return back.size() == data.size();
    });
    EXPECT_TRUE(back == data);
    EXPECT_EQ(echo.lost, 0);
    EXPECT_GT(Resent(peer) + Resent(hoya_transport_fileno(echo.transport)), 0u) << "and some was lost";
}

TEST_F(Net, ANetworkThatSwallowsEverythingEndsTheConnectionAfterItsUserTimeout)
{
    link.user_timeout = HOYA_MSEC(400);
    int peer = Connect();
    Lose(peer, 1000);
    int64_t begin = hoya_loop_time(loop);
    EXPECT_EQ(hoya_transport_write(echo.transport, "x", 1), 0);
    RunUntil([&] { return echo.lost == 1; });
    EXPECT_EQ(echo.code, HOYA_ETIMEDOUT);
    int64_t took = hoya_loop_time(loop) - begin;
    EXPECT_GE(took, HOYA_MSEC(350));
    EXPECT_LT(took, HOYA_SEC(3));
}

TEST_F(Net, AFlushIntoASilentNetworkEndsAfterTheUserTimeoutToo)
{
    link.user_timeout = HOYA_MSEC(400);
    int peer = Connect();
    Lose(peer, 1000);
    const std::string much(16u << 20, 'x');
    hoya_transport_pause_reading(echo.transport);
    EXPECT_EQ(hoya_transport_write(echo.transport, much.data(), much.size()), 0);
    EXPECT_GT(hoya_transport_get_write_buffer_size(echo.transport), 0u);
    EXPECT_EQ(hoya_transport_close(echo.transport), 0);
    RunUntil([&] { return echo.lost == 1; });
    EXPECT_EQ(echo.code, HOYA_ETIMEDOUT);
}

/* ---- resets ---- */

TEST_F(Net, AResetEndsItWithItsCodeWhateverItIsDoing)
{
    for (bool flushes : {false, true}) {
        int peer = Connect();
        const std::string much(16u << 20, 'x');
        if (flushes) {
            hoya_transport_write(echo.transport, much.data(), much.size());
            EXPECT_EQ(hoya_transport_close(echo.transport), 0);
            EXPECT_GT(hoya_transport_get_write_buffer_size(echo.transport), 0u);
        }
        linger hard = {1, 0};
        ASSERT_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
        Close(peer);
        RunUntil([&] { return echo.lost == 1; });
        if (flushes) EXPECT_TRUE(echo.code == HOYA_ECONNRESET || echo.code == HOYA_EPIPE) << echo.code;
        else EXPECT_EQ(echo.code, HOYA_ECONNRESET);
        echo.lost = 0;
        hoya_future_unref(future);
        future = nullptr;
    }
}

TEST_F(Net, AResetWhileReadingIsPausedIsToldWhenItGoesOn)
{
    int peer = Connect();
    EXPECT_EQ(hoya_transport_pause_reading(echo.transport), 0);
    linger hard = {1, 0};
    ASSERT_EQ(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    Close(peer);
    for (int i = 0; i < 5; i++) hoya_loop_run_once(loop, HOYA_MSEC(2));
    EXPECT_EQ(echo.lost, 0);
    EXPECT_EQ(hoya_transport_resume_reading(echo.transport), 0);
    RunUntil([&] { return echo.lost == 1; });
    EXPECT_EQ(echo.code, HOYA_ECONNRESET);
}

} // namespace hoya_test
