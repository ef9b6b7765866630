/* SPDX-License-Identifier: MIT
 *
 * net/datagram_net_test.cc: datagrams where there are interfaces, groups and broadcasts, and ways that lead nowhere. net.sh makes the
 * network: 10.9.1.1/24 and fe80::1 on the interface "hole".
 */
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include <netinet/in.h>
#include <sys/socket.h>

namespace hoya_test
{
namespace
{

struct Endpoint {
    std::vector<std::string> got;
    std::vector<int> errors;
    bool answers = false; /* "re " and what came */
    int released = 0;
    hoya_datagram_transport *transport = nullptr; /* a reference */

    Endpoint() = default;
    Endpoint(const Endpoint &) = delete;
    ~Endpoint() { hoya_datagram_transport_unref(transport); }

    static Endpoint *of(void *arg) { return static_cast<Endpoint *>(arg); }
    hoya_datagram_protocol protocol()
    {
        static const hoya_datagram_protocol_ops ops = {
            sizeof ops,
            nullptr,
            [](hoya_datagram_transport *t, const void *data, size_t size, const hoya_address *from, void *arg) {
                of(arg)->got.emplace_back(static_cast<const char *>(data), size);
                const std::string answer = "re " + of(arg)->got.back();
                return of(arg)->answers ? hoya_datagram_transport_sendto(t, answer.data(), answer.size(), from) : 0;
            },
            [](hoya_datagram_transport *, int code, void *arg) { return of(arg)->errors.push_back(code), 0; },
            nullptr,
            nullptr,
            nullptr,
            [](void *arg) { of(arg)->released++; }};
        return {&ops, this};
    }
    int Send(const std::string &text, const hoya_address *to = nullptr)
    {
        return hoya_datagram_transport_sendto(transport, text.data(), text.size(), to);
    }
    std::string port() const
    {
        hoya_address name = {};
        EXPECT_EQ(hoya_datagram_transport_get_sockname(transport, &name), 0);
        return std::to_string(ntohs(reinterpret_cast<sockaddr_in *>(&name.storage)->sin_port)); /* or IPv6's */
    }
};

class NetDatagrams : public testing::Test
{
  protected:
    void SetUp() override
    {
        if (!getenv("HOYA_TEST_NETWORK")) GTEST_SKIP() << "tests/net/net.sh makes the network";
        ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
        options.size = sizeof options;
    }
    void TearDown() override
    {
        if (loop) hoya_loop_close(loop);
        endpoints_.clear();
        hoya_loop_unref(loop);
    }
    /* Lives as long as the loop. */
    Endpoint &New()
    {
        endpoints_.push_back(std::make_unique<Endpoint>());
        return *endpoints_.back();
    }
    int Open(Endpoint &endpoint)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_datagram_endpoint(loop, endpoint.protocol(), &options, &future), 0)
            << hoya_error_detail();
        RunUntil([&] { return hoya_future_done(future) == 1; });
        void *value = nullptr;
        int rc = hoya_future_take(future, &value, nullptr);
        endpoint.transport = static_cast<hoya_datagram_transport *>(value);
        hoya_future_unref(future);
        return rc;
    }
    template <typename Done> void RunUntil(Done done)
    {
        int64_t end = hoya_loop_time(loop) + HOYA_SEC(10);
        while (!done() && hoya_loop_time(loop) < end) ASSERT_GE(hoya_loop_run_once(loop, HOYA_MSEC(10)), 0);
        EXPECT_TRUE(done());
    }
    void RunFor(int64_t duration)
    {
        int64_t end = hoya_loop_time(loop) + duration;
        while (hoya_loop_time(loop) < end) ASSERT_GE(hoya_loop_run_once(loop, HOYA_MSEC(1)), 0);
    }
    static hoya_address Address(const char *host, const std::string &port)
    {
        hoya_address address = {};
        EXPECT_EQ(hoya_address_set(&address, host, port.c_str()), 0) << hoya_error_detail();
        return address;
    }

    hoya_loop *loop = nullptr;
    hoya_datagram_options options = {};

  private:
    std::vector<std::unique_ptr<Endpoint>> endpoints_;
};

} // namespace

// Holds: S117
TEST_F(NetDatagrams, AGroupIsHeardByItsMembersWhoseAnswersComeBack)
{
    for (int family : {AF_INET, AF_INET6}) {
        const char *group = family == AF_INET ? "239.9.9.9" : "ff02::9:9%hole";
        Endpoint &one = New(), &two = New(), &stranger = New(), &sender = New();
        options = {};
        options.size = sizeof options;
        options.family = family;
        options.reuse_address = 1;
        ASSERT_EQ(Open(one), 0) << hoya_error_detail();
        const std::string port = one.port();
        options.local_port = port.c_str();
        ASSERT_EQ(Open(two), 0) << hoya_error_detail();
        ASSERT_EQ(Open(stranger), 0) << hoya_error_detail();
        hoya_address address = Address(group, port);
        for (Endpoint *member : {&one, &two})
            ASSERT_EQ(hoya_datagram_transport_join_group(member->transport, &address,
                                                         family == AF_INET ? "hole" : nullptr),
                      0)
                << hoya_error_detail();
        one.answers = true;
        options.local_port = nullptr;
        options.reuse_address = 0;
        options.remote_host = group;
        options.remote_port = port.c_str();
        options.multicast_interface = "hole";
        ASSERT_EQ(Open(sender), 0) << hoya_error_detail();
        ASSERT_EQ(sender.Send("hello"), 0) << hoya_error_detail();
        RunUntil([&] { return !one.got.empty() && !two.got.empty() && !sender.got.empty(); });
        EXPECT_EQ(one.got, std::vector<std::string>{"hello"});
        EXPECT_EQ(two.got, std::vector<std::string>{"hello"});
        EXPECT_EQ(sender.got, std::vector<std::string>{"re hello"}) << "by another address than the group's";
        ASSERT_EQ(hoya_datagram_transport_leave_group(two.transport, &address, "hole"), 0) << hoya_error_detail();
        ASSERT_EQ(sender.Send("again"), 0);
        RunUntil([&] { return one.got.size() == 2; });
        RunFor(HOYA_MSEC(20));
        EXPECT_EQ(two.got.size(), 1u) << "who has left hears no more, whoever is still there";
        EXPECT_TRUE(stranger.got.empty()) << "the port is not enough";
        for (Endpoint *each : {&one, &two, &stranger, &sender}) hoya_datagram_transport_abort(each->transport);
        RunUntil([&] { return one.released && two.released && stranger.released && sender.released; });
    }
}

TEST_F(NetDatagrams, WithoutTheLoopWhatIsSentToAGroupStaysAway)
{
    Endpoint &member = New(), &sender = New();
    options.family = AF_INET;
    ASSERT_EQ(Open(member), 0);
    hoya_address address = Address("239.9.9.9", member.port());
    ASSERT_EQ(hoya_datagram_transport_join_group(member.transport, &address, "hole"), 0);
    options.no_multicast_loop = 1;
    options.multicast_interface = "hole";
    ASSERT_EQ(Open(sender), 0);
    ASSERT_EQ(sender.Send("hello", &address), 0) << hoya_error_detail();
    RunFor(HOYA_MSEC(20));
    EXPECT_TRUE(member.got.empty());
}

TEST_F(NetDatagrams, WhatIsWrongWithAGroupIsSaid)
{
    Endpoint &one = New();
    options.local_host = "0.0.0.0";
    ASSERT_EQ(Open(one), 0);
    auto t = one.transport;
    hoya_address group = Address("239.9.9.9", "0"), nobody = Address("10.9.1.1", "0"),
                 six = Address("ff02::9", "0");
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &nobody, "hole"), HOYA_EINVAL);
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &six, "hole"), HOYA_EINVAL);
    EXPECT_EQ(hoya_datagram_transport_join_group(t, nullptr, "hole"), HOYA_EINVAL);
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &group, "nowhere0"), -ENODEV);
    EXPECT_NE(std::string(hoya_error_detail()).find("interface \"nowhere0\""), std::string::npos);
    EXPECT_EQ(hoya_datagram_transport_leave_group(t, &group, "hole"), HOYA_EADDRNOTAVAIL);
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &group, "hole"), 0);
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &group, "hole"), HOYA_EADDRINUSE);
    EXPECT_NE(std::string(hoya_error_detail()).find("239.9.9.9"), std::string::npos) << hoya_error_detail();
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &group, "lo"), 0) << "by another interface it is another one";
    hoya_datagram_transport_abort(t);
    RunUntil([&] { return one.released == 1; });
    EXPECT_EQ(hoya_datagram_transport_join_group(t, &group, "hole"), HOYA_ECLOSED);
}

// Holds: S117
TEST_F(NetDatagrams, ABroadcastWantsTheOptionAndItsAnswersComeBack)
{
    Endpoint &one = New(), &mute = New(), &sender = New();
    options.family = AF_INET;
    ASSERT_EQ(Open(one), 0);
    one.answers = true;
    const std::string port = one.port();
    hoya_address everybody = Address("10.9.1.255", port);
    ASSERT_EQ(Open(mute), 0);
    EXPECT_EQ(mute.Send("hello", &everybody), HOYA_EACCES);
    options.broadcast = 1;
    options.remote_host = "10.9.1.255";
    options.remote_port = port.c_str();
    ASSERT_EQ(Open(sender), 0) << hoya_error_detail();
    ASSERT_EQ(sender.Send("hello"), 0) << hoya_error_detail();
    RunUntil([&] { return !sender.got.empty(); });
    EXPECT_EQ(sender.got, std::vector<std::string>{"re hello"});
    EXPECT_EQ(sender.Send("elsewhere", &(everybody = Address("10.9.1.1", port))), HOYA_EINVAL);
}

// Holds: S117
TEST_F(NetDatagrams, WhereThereIsNoWayTheCodeSaysWhichAndTheEndpointLivesOn)
{
    Endpoint &one = New();
    options.family = AF_INET;
    ASSERT_EQ(Open(one), 0);
    const struct {
        const char *host;
        int code;
    } rows[] = {{"192.0.2.1", HOYA_ENETUNREACH}, {"10.8.0.1", HOYA_EHOSTUNREACH}, {"10.7.0.1", HOYA_EACCES}};
    for (const auto &row : rows) {
        hoya_address to = Address(row.host, "9");
        EXPECT_EQ(one.Send("x", &to), row.code);
        EXPECT_NE(std::string(hoya_error_detail()).find(row.host), std::string::npos) << hoya_error_detail();
        Endpoint &never = New();
        options.remote_host = row.host;
        options.remote_port = "9";
        EXPECT_EQ(Open(never), row.code);
        EXPECT_EQ(never.released, 1);
    }
    RunFor(HOYA_MSEC(5));
    EXPECT_TRUE(one.errors.empty());
    hoya_address self = Address("127.0.0.1", one.port());
    EXPECT_EQ(one.Send("x", &self), 0);
    RunUntil([&] { return !one.got.empty(); });
}

} // namespace hoya_test
