/* SPDX-License-Identifier: MIT
 *
 * conformance/datagram_errors_test.cc: sockets of the program's that keep what went wrong with their datagrams, until somebody
 * takes it (IP_RECVERR): it is told, whoever wants to reads the details, and the loop is not busy with what is left. Nor is it with
 * the same queue of a connection.
 */
#include "datagrams.h"

#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <poll.h>

namespace hoya_test
{
namespace
{

class DatagramErrors : public DatagramConformance
{
  protected:
    /* Is there a loopback of this family? */
    static bool Has(const char *at)
    {
        hoya_address address = AddressOf(at, 0);
        int fd = socket(address.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bool has = bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length) == 0;
        close(fd);
        return has;
    }
    /* An address at which nobody is. */
    hoya_address Nobody(const char *at)
    {
        int fd = Peer(at);
        hoya_address address = NameOf(fd);
        Close(fd);
        return address;
    }
    Datagrams Keeping(Hearer &hearer, const char *at, const hoya_address *connected = nullptr)
    {
        int fd = fcntl(Peer(at), F_DUPFD_CLOEXEC, 3), on = 1;
        bool six = NameOf(fd).storage.ss_family == AF_INET6;
        EXPECT_EQ(setsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on),
                  0);
        if (connected)
            EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr *>(&connected->storage), connected->length), 0);
        hoya_datagram_transport *transport = nullptr;
        EXPECT_EQ(hoya_create_datagram_endpoint_on_socket(loop, fd, hearer.protocol(), &options, &transport), 0)
            << hoya_error_detail();
        RunRounds(1);
        trace.clear();
        return Datagrams(transport);
    }
    /* The next one of its queue: its code, or 0 for none; and where its datagram was to go. */
    static int TakeKept(int fd, hoya_address *to)
    {
        char data[64];
        union {
            cmsghdr aligned;
            char bytes[512];
        } control;
        iovec part = {data, sizeof data};
        msghdr message = {};
        message.msg_name = &to->storage;
        message.msg_namelen = sizeof to->storage;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control;
        if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0) return 0;
        to->length = message.msg_namelen;
        for (cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one))
            if (one->cmsg_type == IP_RECVERR || one->cmsg_type == IPV6_RECVERR) {
                sock_extended_err error;
                memcpy(&error, CMSG_DATA(one), sizeof error);
                return -static_cast<int>(error.ee_errno);
            }
        return 0;
    }
    void ExpectSilence()
    {
        RunFor(HOYA_MSEC(2));
        uint64_t events = Stats().events;
        RunFor(HOYA_MSEC(5));
        EXPECT_LT(Stats().events, events + 10);
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, DatagramErrors, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S117
TEST_P(DatagramErrors, WhatASocketKeepsIsToldAndDoesNotSpin)
{
    for (const char *at : {OwnAddress(), "::1"})
        for (bool connected : {false, true}) {
            if (!Has(at)) continue;
            SCOPED_TRACE(std::string(at) + (connected ? ", connected" : ""));
            Hearer hearer(&trace, "a");
            const hoya_address nobody = Nobody(at);
            Datagrams transport = Keeping(hearer, at, connected ? &nobody : nullptr);
            for (size_t i = 1; i <= 3; i++) {
                EXPECT_EQ(Send(transport, "lost", connected ? nullptr : &nobody), 0);
                RunUntil([&] { return hearer.errors.size() == i; });
                RunRounds(3);
            }
            EXPECT_EQ(hearer.errors, std::vector<int>(3, HOYA_ECONNREFUSED)) << "each once";
            ExpectSilence();
            for (int i = 0; i < 100; i++) EXPECT_EQ(Send(transport, "lost", connected ? nullptr : &nobody), 0);
            RunUntil([&] { return hearer.errors.size() > 3; });
            ExpectSilence();
            EXPECT_LT(hearer.errors.size(), 10u) << "of several the first, as the system does it";
            if (!connected) {
                SendTo(Peer(at), "alive", NameOf(transport));
                RunUntil([&] { return hearer.got == std::vector<std::string>{"alive"}; });
            }
        }
}

TEST_P(DatagramErrors, WhatComesWhileReadingIsPausedIsNotFoundAgainAndAgain)
{
    Hearer hearer(&trace, "a");
    const hoya_address nobody = Nobody(OwnAddress());
    Datagrams transport = Keeping(hearer, OwnAddress());
    EXPECT_EQ(hoya_datagram_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(Send(transport, "lost", &nobody), 0);
    ExpectSilence();
    EXPECT_EQ(hearer.errors.size(), 0u);
    EXPECT_EQ(hoya_datagram_transport_resume_reading(transport.get()), 0);
    RunUntil([&] { return hearer.errors.size() == 1; });
    ExpectSilence();
}

// Holds: S117
TEST_P(DatagramErrors, WhoeverIsToldReadsTheDetails)
{
    Hearer hearer(&trace, "a");
    const hoya_address nobody = Nobody(OwnAddress());
    hoya_address to = {}, more;
    int code = 0;
    hearer.on_error = [&](hoya_datagram_transport *transport, int) {
        code = TakeKept(hoya_datagram_transport_fileno(transport), &to);
        EXPECT_EQ(TakeKept(hoya_datagram_transport_fileno(transport), &more), 0);
        return 0;
    };
    Datagrams transport = Keeping(hearer, OwnAddress());
    EXPECT_EQ(Send(transport, "lost", &nobody), 0);
    RunUntil([&] { return hearer.errors.size() == 1; });
    EXPECT_EQ(code, HOYA_ECONNREFUSED);
    EXPECT_EQ(TextOf(to), TextOf(nobody));
    ExpectSilence();
    EXPECT_EQ(hearer.errors.size(), 1u);
}

// Holds: S118
TEST_P(DatagramErrors, WhatBecameOfAnEarlierOneDoesNotKeepBackOneToSomebodyElse)
{
    Hearer hearer(&trace, "a");
    const hoya_address nobody = Nobody(OwnAddress());
    int peer = Peer();
    const hoya_address somebody = NameOf(peer);
    Datagrams transport = Keeping(hearer, OwnAddress());
    EXPECT_EQ(Send(transport, "lost", &nobody), 0);
    EXPECT_EQ(Send(transport, "found", &somebody), 0);
    EXPECT_EQ(Await(peer, 1), std::vector<std::string>{"found"});
    RunUntil([&] { return hearer.errors.size() == 1; });
    ExpectSilence();
    EXPECT_EQ(hearer.errors, std::vector<int>{HOYA_ECONNREFUSED});
    EXPECT_EQ(LogLines(), 0u);
}

/* Whoever reads drops it; and whoever does not, and waits until something goes out. */
TEST_P(DatagramErrors, WhatAConnectionKeepsDoesNotSpin)
{
    static const hoya_protocol_ops silent = [] {
        hoya_protocol_ops ops = {};
        ops.size = sizeof ops;
        return ops;
    }();
    for (bool reads : {true, false}) {
        int server = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
            client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        hoya_address address = AddressOf(OwnAddress(), 0);
        EXPECT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        EXPECT_EQ(listen(server, 1), 0);
        address = NameOf(server);
        EXPECT_EQ(connect(client, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        int peer = Own(accept4(server, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        int what = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
        EXPECT_EQ(setsockopt(client, SOL_SOCKET, SO_TIMESTAMPING, &what, sizeof what), 0);
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, client, {&silent, nullptr}, nullptr, &transport), 0);
        RunRounds(2);
        if (!reads) EXPECT_EQ(hoya_transport_pause_reading(transport), 0);
        EXPECT_EQ(hoya_transport_write(transport, "some", 4), 0);
        pollfd kept = {client, 0, 0};
        EXPECT_EQ(poll(&kept, 1, 1000), 1) << "when it went out is kept";
        EXPECT_EQ(kept.revents, POLLERR);
        const std::string much(1 << 20, 'm');
        while (!reads && !hoya_transport_get_write_buffer_size(transport))
            EXPECT_EQ(hoya_transport_write(transport, much.data(), much.size()), 0);
        ExpectSilence();
        char data[8];
        EXPECT_EQ(recv(peer, data, 4, 0), 4);
        EXPECT_EQ(reads ? hoya_transport_close(transport) : hoya_transport_abort(transport), 0);
        hoya_transport_unref(transport);
        RunRounds(2);
    }
}

} // namespace hoya_test
