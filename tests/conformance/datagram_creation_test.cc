/* SPDX-License-Identifier: MIT
 *
 * conformance/datagram_creation_test.cc: how datagram endpoints are made: of addresses, on sockets of the program's,
 * on paths; and what is refused.
 */
#include "datagrams.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "support/resolvers.h"

namespace hoya_test
{
namespace
{

/* ---- making one ---- */

// Holds: S117
TEST_P(DatagramConformance, NamesAreLookedUpAndLocalAndRemoteArePairedByFamily)
{
    int peer = Peer();
    const std::string port = std::to_string(PortOf(NameOf(peer)));
    Addresses addresses{{{"::1", port}, {OwnAddress(), port}}};
    addresses.Install(loop);
    Hearer hearer(&trace, "a");
    options.local_host = OwnAddress(); /* so not by the first */
    options.remote_host = "two.example";
    options.remote_port = "7";
    Datagrams transport = Take(Create(hearer));
    EXPECT_EQ(Send(transport, "x"), 0);
    EXPECT_EQ(Receive(peer), std::vector<std::string>{"x"});
    options.local_host = "::1";
    addresses.list = {{OwnAddress(), port}};
    Hearer never(&trace, "b");
    Future future = Create(never);
    EXPECT_EQ(Result(future), HOYA_EADDRNOTAVAIL);
    EXPECT_EQ(TextOf(future), "the local address is of another family");
    EXPECT_EQ(never.released, 1);
}

TEST_P(DatagramConformance, TheFirstAddressThatCanBeHadIsTakenAndIfNoneCanTheTextIsOfTheFirst)
{
    int taken = Peer();
    const std::string port = std::to_string(PortOf(NameOf(taken)));
    Addresses addresses{{{OwnAddress(), port}, {OwnAddress(), "0"}}};
    addresses.Install(loop);
    Hearer hearer(&trace, "a"), never(&trace, "b");
    options.local_host = "two.example";
    options.local_port = "7";
    Datagrams transport = Take(Create(hearer));
    EXPECT_NE(PortOf(NameOf(transport)), PortOf(NameOf(taken)));
    addresses.list = {{OwnAddress(), port}, {"192.0.2.1", "7"}};
    Future future = Create(never);
    EXPECT_EQ(Result(future), HOYA_EADDRINUSE);
    EXPECT_EQ(TextOf(future), std::string("bind to ") + OwnAddress() + ":" + port + ": address in use");
    EXPECT_EQ(never.released, 1);
}

/* A resolver whose answer waits for the test. */
struct Slow {
    Future asked;
    Work on_ask; /* in the call, before it returns */

    void Install(hoya_loop *loop)
    {
        static const hoya_resolver_ops ops = {sizeof ops, "test", Ask, nullptr, nullptr};
        EXPECT_EQ(hoya_set_resolver(loop, &ops, this), 0);
    }
    static int Ask(hoya_loop *loop, const char *, const char *, const addrinfo *hints, void *arg,
                   hoya_future **future)
    {
        EXPECT_EQ(hints->ai_socktype, SOCK_DGRAM);
        auto self = static_cast<Slow *>(arg);
        self->asked = NewFuture(loop);
        if (self->on_ask) self->on_ask();
        *future = hoya_future_ref(self->asked.get());
        return 0;
    }
};

TEST_P(DatagramConformance, ALookupThatFailsFailsIt)
{
    Slow slow;
    slow.Install(loop);
    Hearer hearer(&trace, "a");
    options.remote_host = "nobody.example";
    options.remote_port = "7";
    Future future = Create(hearer);
    RunRounds(2);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    EXPECT_EQ(hoya_future_set_exception(slow.asked.get(), HOYA_EAI_NONAME, "nobody knows it"), 0);
    EXPECT_EQ(Result(future), HOYA_EAI_NONAME);
    EXPECT_EQ(TextOf(future), "nobody knows it");
    EXPECT_EQ(hearer.released, 1);
    Hearer second(&trace, "b");
    future = Create(second);
    EXPECT_EQ(hoya_future_set_result(slow.asked.get(), nullptr, nullptr), 0);
    EXPECT_EQ(Result(future), HOYA_EAI_NONAME) << "an answer without addresses";
    Hearer third(&trace, "c");
    future = Create(third);
    addrinfo node = {};
    node.ai_family = AF_UNIX;
    EXPECT_EQ(hoya_future_set_result(slow.asked.get(), &node, nullptr), 0);
    EXPECT_EQ(Result(future), HOYA_EAI_FAMILY) << "an answer that is no address";
}

TEST_P(DatagramConformance, AResolverThatClosesTheLoopEndsIt)
{
    Slow slow;
    slow.Install(loop);
    slow.on_ask = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
    Hearer hearer(&trace, "a");
    options.remote_host = "nobody.example";
    options.remote_port = "7";
    Future future = Create(hearer);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    EXPECT_EQ(hearer.released, 1);
}

TEST_P(DatagramConformance, ACancelLeavesNothing)
{
    int before = OpenFds();
    Slow slow;
    slow.Install(loop);
    Hearer hearer(&trace, "a"), unmade(&trace, "b");
    options.remote_host = "slow.example";
    options.remote_port = "7";
    Future future = Create(hearer);
    EXPECT_EQ(hoya_future_cancel(future.get(), nullptr), 1);
    EXPECT_EQ(hoya_future_cancelled(slow.asked.get()), 1);
    EXPECT_EQ(hearer.released, 1);
    options.remote_host = OwnAddress();
    Future other = Create(unmade); /* its transport is there already */
    EXPECT_EQ(hoya_future_cancel(other.get(), nullptr), 1);
    RunUntil([&] { return unmade.released; });
    EXPECT_EQ(trace, (Trace{"a released", "b made", "b lost", "b released"}));
    RunUntil([&] { return OpenFds() <= before; });
    Hearer inside(&trace, "c");
    Future third = Create(inside);
    inside.on_made = [&](hoya_datagram_transport *) { return hoya_future_cancel(third.get(), nullptr) - 1; };
    RunUntil([&] { return inside.released; });
    EXPECT_EQ(hoya_future_cancelled(third.get()), 1);
    Hearer waits(&trace, "d");
    options.remote_host = "slow.example";
    Future fourth = Create(waits);
    EXPECT_EQ(hoya_loop_close(loop), 0) << "with a lookup under way";
    EXPECT_EQ(waits.released, 1);
    EXPECT_EQ(hoya_future_done(fourth.get()), 0);
    slow.asked.reset();
}

TEST_P(DatagramConformance, NobodyNeedsTheFuture)
{
    Hearer hearer(&trace, "a"), second(&trace, "b");
    options.local_host = OwnAddress();
    Create(hearer).reset();
    EXPECT_EQ(hoya_create_datagram_endpoint(loop, second.protocol(), &options, nullptr), 0);
    RunUntil([&] { return hearer.transport && second.transport; });
    RunRounds(2);
    EXPECT_EQ(hearer.lost + second.lost, 0);
}

TEST_P(DatagramConformance, WithoutHostsAFamilyIsEnoughAndThePortIsTheSystems)
{
    for (int family : {AF_INET, AF_INET6}) {
        Hearer hearer(&trace, "a");
        options.family = family;
        Datagrams transport = Take(Create(hearer));
        EXPECT_GT(PortOf(NameOf(transport)), 0);
        EXPECT_EQ(NameOf(transport).storage.ss_family, family);
        hoya_address name = NameOf(transport);
        int peer = Peer(family == AF_INET ? OwnAddress() : "::1");
        SendTo(peer, "x", AddressOf(family == AF_INET ? OwnAddress() : "::1", PortOf(name)));
        RunUntil([&] { return hearer.got.size() == 1; });
    }
}

TEST_P(DatagramConformance, ALocalPortAloneIsEveryAddress)
{
    Hearer hearer(&trace, "a");
    options.local_port = "0";
    options.family = AF_INET;
    Datagrams transport = Take(Create(hearer));
    int peer = Peer();
    SendTo(peer, "x", AddressOf(OwnAddress(), PortOf(NameOf(transport))));
    RunUntilHeard(1);
}

TEST_P(DatagramConformance, AnIPv6OneTakesIPv4OnlyIfItIsAskedTo)
{
    for (bool dual : {false, true}) {
        Hearer hearer(&trace, "a");
        options.dual_stack = dual;
        Datagrams transport = Open(hearer, "::");
        int port = PortOf(NameOf(transport));
        int six = Peer("::1");
        int four = dual ? Peer() : Peer(OwnAddress(), port); /* or nobody has that one */
        if (dual) SendTo(four, "4", AddressOf(OwnAddress(), port));
        SendTo(six, "6", AddressOf("::1", port));
        RunUntilHeard(dual ? 2 : 1);
        EXPECT_EQ(Seen("a got 4"), dual);
        if (dual) {
            hoya_address mapped = AddressOf((std::string("::ffff:") + OwnAddress()).c_str(), PortOf(NameOf(four)));
            EXPECT_EQ(Send(transport, "back", &mapped), 0);
            EXPECT_EQ(Receive(four), std::vector<std::string>{"back"});
        }
        trace.clear();
    }
}

TEST_P(DatagramConformance, OptionsAreSetOnTheSocketFromItsBeginning)
{
    Hearer four(&trace, "4"), six(&trace, "6");
    options.broadcast = options.reuse_port = options.reuse_address = options.no_multicast_loop = 1;
    options.ttl = 33;
    options.multicast_ttl = 5;
    options.multicast_interface = "lo";
    Datagrams a = Open(four), b = Open(six, "::1");
    auto get = [](const Datagrams &of, int level, int option) {
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(getsockopt(hoya_datagram_transport_fileno(of.get()), level, option, &value, &size), 0);
        return size == 1 ? value & 0xff : value;
    };
    for (const Datagrams &of : {std::cref(a), std::cref(b)}) {
        for (int option : {SO_BROADCAST, SO_REUSEPORT, SO_REUSEADDR}) EXPECT_EQ(get(of, SOL_SOCKET, option), 1);
        int fd = hoya_datagram_transport_fileno(of.get());
        EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        EXPECT_TRUE(fcntl(fd, F_GETFL) & O_NONBLOCK);
    }
    EXPECT_EQ(get(a, IPPROTO_IP, IP_TTL), 33);
    EXPECT_EQ(get(a, IPPROTO_IP, IP_MULTICAST_TTL), 5);
    EXPECT_EQ(get(a, IPPROTO_IP, IP_MULTICAST_LOOP), 0);
    EXPECT_EQ(get(a, IPPROTO_IP, IP_MULTICAST_ALL), 0);
    EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 33);
    EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_MULTICAST_HOPS), 5);
    EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_MULTICAST_LOOP), 0);
    EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_MULTICAST_ALL), 0) << "since Linux 4.20";
    EXPECT_EQ(get(b, IPPROTO_IP, IP_MULTICAST_ALL), 0) << "with dual_stack it hears those, too";
    EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_MULTICAST_IF), 1);
    EXPECT_EQ(get(b, IPPROTO_IPV6, IPV6_V6ONLY), 1);
}

TEST_P(DatagramConformance, SeveralShareAPortIfAllOfThemSayThatTheyMay)
{
    Hearer one(&trace, "a"), two(&trace, "b"), three(&trace, "c");
    options.reuse_port = 1;
    Datagrams first = Open(one);
    const std::string port = std::to_string(PortOf(NameOf(first)));
    options.local_port = port.c_str();
    Datagrams second = Open(two);
    EXPECT_EQ(PortOf(NameOf(second)), PortOf(NameOf(first)));
    options.reuse_port = 0;
    EXPECT_EQ(Result(Create(three)), HOYA_EADDRINUSE);
}

TEST_P(DatagramConformance, BadArgumentsAreTheCallsAnswerAndReleaseTheProtocol)
{
    static const hoya_datagram_protocol_ops other = {1,       nullptr, nullptr, nullptr,
                                                     nullptr, nullptr, nullptr, nullptr};
    int released = 0, before = OpenFds();
    hoya_future *future = nullptr;
    auto create = [&](const std::function<void(hoya_datagram_options *)> &change) {
        Hearer hearer(&trace, "a");
        hoya_datagram_options with = {};
        with.size = sizeof with;
        with.local_host = OwnAddress();
        change(&with);
        int rc = hoya_create_datagram_endpoint(loop, hearer.protocol(), &with, &future);
        released += hearer.released;
        EXPECT_STRNE(hoya_error_detail(), "");
        return rc;
    };
    EXPECT_EQ(create([](auto o) { o->remote_host = OwnAddress(); }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->remote_port = "7"; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->local_host = nullptr; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->local_host = ""; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->local_port = "65536"; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->family = AF_UNIX; }), HOYA_EAI_FAMILY);
    EXPECT_EQ(create([](auto o) { o->ttl = 256; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->ttl = -1; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->multicast_ttl = 256; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->multicast_interface = "nowhere0"; }), -ENODEV);
    EXPECT_EQ(create([](auto o) { o->write_low = 10, o->write_high = 5; }), HOYA_EINVAL);
    EXPECT_EQ(create([](auto o) { o->size = 3; }), HOYA_EINVAL);
    EXPECT_EQ(released, 12);
    for (const hoya_datagram_protocol_ops *ops : {static_cast<const hoya_datagram_protocol_ops *>(nullptr), &other})
        EXPECT_EQ(hoya_create_datagram_endpoint(loop, {ops, nullptr}, &options, &future), HOYA_EINVAL);
    EXPECT_EQ(future, nullptr);
    EXPECT_EQ(OpenFds(), before);
}

/* ---- sockets of the program's ---- */

TEST_P(DatagramConformance, ASocketOfTheProgramsIsTakenAsItIs)
{
    Hearer hearer(&trace, "a");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    ASSERT_EQ(send(peer, "hello", 5, 0), 5);
    RunUntilHeard(1);
    EXPECT_EQ(TextOf(hearer.from), "unix:") << "it has no name";
    EXPECT_EQ(Send(transport, "back"), 0);
    EXPECT_EQ(Receive(peer), std::vector<std::string>{"back"});
    int fd = hoya_datagram_transport_fileno(transport.get());
    EXPECT_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);

    Hearer bound(&trace, "b");
    int own = socket(AF_INET, SOCK_DGRAM, 0), other = Peer();
    hoya_address any = AddressOf(OwnAddress(), 0);
    ASSERT_EQ(bind(own, reinterpret_cast<sockaddr *>(&any.storage), any.length), 0);
    hoya_datagram_transport *raw = nullptr;
    ASSERT_EQ(hoya_create_datagram_endpoint_on_socket(loop, own, bound.protocol(), nullptr, &raw), 0);
    Datagrams second(raw);
    EXPECT_TRUE(fcntl(own, F_GETFL) & O_NONBLOCK);
    SendTo(other, "x", NameOf(own));
    RunUntil([&] { return !bound.got.empty(); });
    EXPECT_EQ(Send(second, "y"), HOYA_EDESTADDRREQ);
}

TEST_P(DatagramConformance, WhatIsNoSocketOfThatKindIsRefusedAndStaysTheCallers)
{
    auto pair = MakePair();
    auto pipe = MakePipe();
    int peer = Peer();
    AddReader(peer, [] {});
    const struct {
        int fd, code;
    } rows[] = {{pair[0], HOYA_EINVAL}, {pipe[0], HOYA_ENOTSOCK}, {-1, HOYA_EBADF}, {peer, HOYA_EBUSY}};
    for (const auto &row : rows) {
        Hearer hearer(&trace, "a");
        hoya_datagram_transport *transport = nullptr;
        EXPECT_EQ(hoya_create_datagram_endpoint_on_socket(loop, row.fd, hearer.protocol(), nullptr, &transport),
                  row.code);
        EXPECT_STRNE(hoya_error_detail(), "");
        EXPECT_EQ(transport, nullptr);
        EXPECT_EQ(hearer.released, 1);
    }
    EXPECT_GE(fcntl(peer, F_GETFD), 0);
}

/* ---- Unix ---- */

class UnixDatagrams : public DatagramConformance
{
  protected:
    void SetUp() override
    {
        DatagramConformance::SetUp();
        char name[] = "/tmp/hoya-datagrams-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = name;
    }
    void TearDown() override
    {
        DatagramConformance::TearDown();
        EXPECT_EQ(rmdir(folder.c_str()), 0) << "a path is left behind";
    }
    std::string Path(const char *name) const { return folder + "/" + name; }
    int CreateUnix(Hearer &hearer, const char *local, const char *remote, Datagrams *out)
    {
        hoya_datagram_transport *transport = nullptr;
        int rc = hoya_create_unix_datagram_endpoint(loop, local, remote, hearer.protocol(), &options, &transport);
        out->reset(transport);
        return rc;
    }
    static bool Exists(const std::string &path)
    {
        struct stat status;
        return lstat(path.c_str(), &status) == 0;
    }

    std::string folder;
};

TEST_P(UnixDatagrams, AServerAnswersAClientThatHasNoNameOfItsOwn)
{
    for (bool abstract : {false, true}) {
        const std::string name = abstract ? "@" + folder : Path("server");
        Hearer server(&trace, "s"), client(&trace, "c");
        Datagrams s, c;
        ASSERT_EQ(CreateUnix(server, name.c_str(), nullptr, &s), 0) << hoya_error_detail();
        ASSERT_EQ(CreateUnix(client, nullptr, name.c_str(), &c), 0) << hoya_error_detail();
        server.on_datagram = [](hoya_datagram_transport *t, const std::string &text, const hoya_address &from) {
            const std::string answer = "re " + text;
            return hoya_datagram_transport_sendto(t, answer.data(), answer.size(), &from);
        };
        EXPECT_EQ(trace, Trace{});
        EXPECT_EQ(Send(c, "hello"), 0) << hoya_error_detail();
        RunUntil([&] { return !client.got.empty(); });
        EXPECT_EQ(client.got[0], "re hello");
        EXPECT_EQ(TextOf(NameOf(s)), "unix:" + name);
        EXPECT_EQ(TextOf(NameOf(c)).substr(0, 6), "unix:@") << "of the system's choice";
        EXPECT_EQ(TextOf(server.from), TextOf(NameOf(c)));
        EXPECT_EQ(TextOf(client.from), "unix:" + name);
        for (auto t : {s.get(), c.get()}) hoya_datagram_transport_abort(t);
        RunUntil([&] { return server.released && client.released; });
        EXPECT_FALSE(Exists(name));
        trace.clear();
    }
}

TEST_P(UnixDatagrams, APathIsTakenOverFromTheDeadAndFromNobodyElse)
{
    const std::string path = Path("socket");
    hoya_address address;
    ASSERT_EQ(hoya_address_set_unix(&address, path.c_str()), 0);
    int dead = socket(AF_UNIX, SOCK_DGRAM, 0);
    ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
    Hearer early(&trace, "e"), hearer(&trace, "a"), second(&trace, "b");
    Datagrams a, b;
    EXPECT_EQ(CreateUnix(early, path.c_str(), nullptr, &a), HOYA_EADDRINUSE) << "somebody has it";
    EXPECT_NE(std::string(hoya_error_detail()).find(path), std::string::npos);
    close(dead);
    ASSERT_EQ(CreateUnix(hearer, path.c_str(), nullptr, &a), 0) << hoya_error_detail();
    EXPECT_EQ(CreateUnix(second, path.c_str(), nullptr, &b), HOYA_EADDRINUSE);
    EXPECT_EQ(early.released + second.released, 2);
    RunRounds(1);
    EXPECT_TRUE(hearer.got.empty()) << "it was not disturbed";
    hoya_datagram_transport_close(a.get());
    RunUntil([&] { return hearer.released; });
    EXPECT_FALSE(Exists(path));
}

TEST_P(UnixDatagrams, AFileThatIsNoSocketStays)
{
    const std::string path = Path("file");
    close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    Hearer hearer(&trace, "a");
    Datagrams a;
    EXPECT_EQ(CreateUnix(hearer, path.c_str(), nullptr, &a), HOYA_EADDRINUSE);
    EXPECT_TRUE(Exists(path));
    unlink(path.c_str());
}

TEST_P(UnixDatagrams, APathStaysIfItIsAnothersByNowOrIfItShall)
{
    const std::string path = Path("socket"), aside = Path("aside");
    Hearer kept(&trace, "k"), moved(&trace, "m");
    Datagrams a, b;
    options.keep_socket = 1;
    ASSERT_EQ(CreateUnix(kept, path.c_str(), nullptr, &a), 0);
    hoya_datagram_transport_abort(a.get());
    RunUntil([&] { return kept.released; });
    EXPECT_TRUE(Exists(path));
    options.keep_socket = 0;
    ASSERT_EQ(CreateUnix(moved, path.c_str(), nullptr, &b), 0) << hoya_error_detail();
    ASSERT_EQ(rename(path.c_str(), aside.c_str()), 0);
    close(open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    hoya_datagram_transport_abort(b.get());
    RunUntil([&] { return moved.released; });
    EXPECT_TRUE(Exists(path));
    unlink(path.c_str());
    unlink(aside.c_str());
}

TEST_P(UnixDatagrams, WhatIsWrongIsTheCallsAnswerAndLeavesNoPath)
{
    const std::string path = Path("here"), nobody = Path("nobody"), longest(200, 'x');
    const struct {
        const char *local, *remote;
        int code;
    } rows[] = {{path.c_str(), nobody.c_str(), HOYA_ENOENT},
                {"", nullptr, HOYA_EINVAL},
                {nullptr, "@", HOYA_EINVAL},
                {longest.c_str(), nullptr, HOYA_ENAMETOOLONG},
                {path.c_str(), "@nobody-is-here", HOYA_ECONNREFUSED}};
    int before = OpenFds();
    for (const auto &row : rows) {
        Hearer hearer(&trace, "a");
        Datagrams a;
        EXPECT_EQ(CreateUnix(hearer, row.local, row.remote, &a), row.code) << hoya_error_detail();
        EXPECT_STRNE(hoya_error_detail(), "");
        EXPECT_EQ(hearer.released, 1);
        EXPECT_EQ(a, nullptr);
        EXPECT_FALSE(Exists(path));
    }
    EXPECT_EQ(OpenFds(), before);
    Hearer hearer(&trace, "a");
    Datagrams a;
    ASSERT_EQ(CreateUnix(hearer, nullptr, nullptr, &a), 0);
    hoya_address gone;
    ASSERT_EQ(hoya_address_set_unix(&gone, nobody.c_str()), 0);
    RunRounds(1);
    EXPECT_EQ(Send(a, "x", &gone), HOYA_ENOENT);
    EXPECT_EQ(hoya_datagram_transport_is_closing(a.get()), 0);
}

INSTANTIATE_TEST_SUITE_P(Hosts, UnixDatagrams, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

} // namespace hoya_test
