/* SPDX-License-Identifier: MIT
 *
 * conformance/connection_test.cc: connections that are made: to a host, by one of its addresses.
 */
#include "connections.h"

#include <netinet/tcp.h>
#include <poll.h>

namespace hoya_test
{

/* A name with two addresses: one that is silent, and one that answers, at `port`. */
class SilentFirst : public Connection
{
  protected:
    void SetUp() override
    {
        Connection::SetUp();
        std::vector<int> fds;
        Silent silent(&fds);
        for (int fd : fds) Own(fd);
        Listen(AF_INET, &port);
        addresses.list = {{"127.0.0.1", silent.port}, {"127.0.0.1", port}};
        addresses.Install(loop);
    }

    std::string port;
    Addresses addresses;
};

INSTANTIATE_TEST_SUITE_P(Hosts, Connection, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });
INSTANTIATE_TEST_SUITE_P(Hosts, SilentFirst, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- success ---- */

// Holds: S84
TEST_P(Connection, TheFutureIsDoneAfterConnectionMade)
{
    Recorder recorder(&trace, "a");
    std::string port;
    int server = Listen(AF_INET, &port);
    bool done_in_made = true;
    Future future;
    recorder.on_made = [&](hoya_transport *) {
        done_in_made = hoya_future_done(future.get());
        return 0;
    };
    future = Create("127.0.0.1", port, recorder);
    EXPECT_FALSE(hoya_future_done(future.get()));
    RunUntilDone(future);
    EXPECT_FALSE(done_in_made);
    void *value = nullptr;
    ASSERT_EQ(hoya_future_result(future.get(), &value), 0) << Text(future);
    EXPECT_EQ(value, recorder.transport);
    EXPECT_TRUE(hoya_transport_is_reading(recorder.transport));
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    Send(fd, "hello");
    RunUntil([&] { return !recorder.data.empty(); });
    EXPECT_EQ(recorder.data, "hello");
}

TEST_P(Connection, TheConnectionLivesWithoutTheFuture)
{
    Recorder recorder(&trace, "a");
    std::string port;
    int server = Listen(AF_INET, &port);
    Create("127.0.0.1", port, recorder).reset();
    RunUntil([&] { return recorder.transport != nullptr; });
    RunRounds(2);
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    Send(fd, "hello");
    RunUntil([&] { return !recorder.data.empty(); });
}

TEST_P(Connection, AddressesOfBothSidesAreKnown)
{
    Recorder recorder(&trace, "a");
    std::string port;
    int server = Listen(AF_INET6, &port);
    Future future = Create("::1", port, recorder);
    RunUntilDone(future);
    ASSERT_EQ(Result(future), 0) << Text(future);
    hoya_address peer, name;
    char text[HOYA_ADDRESS_TEXT_SIZE];
    ASSERT_EQ(hoya_transport_get_peername(recorder.transport, &peer), 0);
    hoya_address_format(reinterpret_cast<sockaddr *>(&peer.storage), peer.length, text, sizeof text);
    EXPECT_EQ(text, "[::1]:" + port);
    ASSERT_EQ(hoya_transport_get_sockname(recorder.transport, &name), 0);
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    ASSERT_GE(fd, 0);
    sockaddr_in6 seen;
    socklen_t length = sizeof seen;
    getpeername(fd, reinterpret_cast<sockaddr *>(&seen), &length);
    EXPECT_EQ(memcmp(&seen, &name.storage, sizeof seen), 0);
    hoya_credentials credentials;
    EXPECT_EQ(hoya_transport_get_peer_credentials(recorder.transport, &credentials), HOYA_ENOTSUP);
}

// Holds: S94 S102 S103 S107
TEST_P(Connection, AResetEndsItAndTheTextSaysWhoThatWas)
{
    Recorder recorder(&trace, "a");
    std::string port, text;
    int server = Listen(AF_INET, &port);
    Future future = Create("127.0.0.1", port, recorder);
    RunUntilDone(future);
    void *value = nullptr;
    ASSERT_EQ(hoya_future_result(future.get(), &value), 0) << Text(future);
    Transport transport(hoya_transport_ref(static_cast<hoya_transport *>(value)));
    recorder.on_lost = [&](hoya_transport *, int) { text = hoya_error_detail(); };
    pollfd came = {server, POLLIN, 0};
    ASSERT_EQ(poll(&came, 1, 10000), 1);
    int fd = accept4(server, nullptr, nullptr, SOCK_CLOEXEC);
    ASSERT_GE(fd, 0);
    linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    RunUntil([&] { return recorder.released == 1; });
    EXPECT_EQ(recorder.code, HOYA_ECONNRESET);
    EXPECT_EQ(text, "the connection to 127.0.0.1:" + port + ": " + hoya_strerror(HOYA_ECONNRESET));
    hoya_address peer;
    ASSERT_EQ(hoya_transport_get_peername(transport.get(), &peer), 0) << "known after its end";
    EXPECT_EQ(std::to_string(ntohs(reinterpret_cast<sockaddr_in *>(&peer.storage)->sin_port)), port);
    EXPECT_EQ(hoya_transport_write(transport.get(), "x", 1), HOYA_ECONNRESET);
}

TEST_P(Connection, ThePeerIsWhereTheSystemHasConnectedTo)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    Future future = Create("0.0.0.0", port, recorder);
    RunUntilDone(future);
    ASSERT_EQ(Result(future), 0) << Text(future);
    hoya_address peer;
    char text[HOYA_ADDRESS_TEXT_SIZE];
    ASSERT_EQ(hoya_transport_get_peername(recorder.transport, &peer), 0);
    hoya_address_format(reinterpret_cast<sockaddr *>(&peer.storage), peer.length, text, sizeof text);
    EXPECT_EQ(text, "127.0.0.1:" + port);
}

TEST_P(Connection, SocketsHaveNoDelayAndWhatTheOptionsSay)
{
    Recorder plain(&trace, "a"), set(&trace, "b");
    std::string port;
    Listen(AF_INET, &port);
    hoya_transport_options link = {};
    link.size = sizeof link;
    link.keep_alive = HOYA_SEC(30) - 1;
    link.user_timeout = HOYA_MSEC(1500) - 1;
    link.delay = 1;
    hoya_connection_options options = Options();
    options.transport = &link;
    Future a = Create("127.0.0.1", port, plain), b = Create("127.0.0.1", port, set, &options);
    RunUntilDone(a);
    RunUntilDone(b);
    auto get = [](const Recorder &of, int level, int option) {
        int value = -1;
        socklen_t size = sizeof value;
        EXPECT_EQ(getsockopt(hoya_transport_fileno(of.transport), level, option, &value, &size), 0);
        return value;
    };
    EXPECT_NE(get(plain, IPPROTO_TCP, TCP_NODELAY), 0);
    EXPECT_EQ(get(plain, SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQ(get(set, IPPROTO_TCP, TCP_NODELAY), 0);
    EXPECT_NE(get(set, SOL_SOCKET, SO_KEEPALIVE), 0);
    EXPECT_EQ(get(set, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    EXPECT_EQ(get(set, IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
    EXPECT_TRUE(fcntl(hoya_transport_fileno(set.transport), F_GETFD) & FD_CLOEXEC);
}

TEST_P(Connection, ANameIsLookedUp)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    hoya_connection_options options = Options();
    options.family = AF_INET;
    Future future = Create("localhost", port, recorder, &options);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), 0) << Text(future);
}

TEST_P(Connection, ItComesFromTheLocalAddressThatWasAskedFor)
{
    Recorder recorder(&trace, "a");
    std::string port;
    int server = Listen(AF_INET, &port);
    hoya_connection_options options = Options();
    options.local_host = "127.0.0.9";
    Future future = Create("127.0.0.1", port, recorder, &options);
    RunUntilDone(future);
    ASSERT_EQ(Result(future), 0) << Text(future);
    sockaddr_in seen;
    socklen_t length = sizeof seen;
    Own(accept4(server, reinterpret_cast<sockaddr *>(&seen), &length, SOCK_NONBLOCK));
    EXPECT_EQ(ntohl(seen.sin_addr.s_addr), 0x7f000009u);
}

TEST_P(Connection, OverAUnixSocketToo)
{
    Recorder recorder(&trace, "a");
    std::string name = AbstractName();
    int server = ListenUnix(name);
    Future future = CreateUnix(name, recorder);
    RunUntilDone(future);
    ASSERT_EQ(Result(future), 0) << Text(future);
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    EXPECT_EQ(hoya_transport_write(recorder.transport, "hello", 5), 0);
    EXPECT_EQ(Receive(fd), "hello");
    hoya_credentials credentials;
    EXPECT_EQ(hoya_transport_get_peer_credentials(recorder.transport, &credentials), 0);
    EXPECT_EQ(credentials.pid, getpid());
}

TEST_P(Connection, AUnixServerWhoseQueueIsFullIsAskedAgain)
{
    Recorder recorder(&trace, "a");
    std::string name = AbstractName();
    int server = ListenUnix(name, 0);
    hoya_address address;
    hoya_address_set_unix(&address, name.c_str());
    for (int i = 0; i < 10; i++) { /* until it is full */
        int fd = Own(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (connect(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length) < 0) break;
    }
    hoya_connection_options options = Options();
    options.timeout = HOYA_MSEC(15);
    Future impatient = CreateUnix(name, recorder, &options);
    RunUntilDone(impatient);
    EXPECT_EQ(Result(impatient), HOYA_ETIMEDOUT);
    EXPECT_EQ(Text(impatient), "the time was up; unix:" + name + ": no answer yet");
    Future future = CreateUnix(name, recorder);
    RunRounds(3);
    EXPECT_FALSE(hoya_future_done(future.get()));
    for (int fd; (fd = accept4(server, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) Own(fd);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), 0) << Text(future);
}

/* ---- several addresses ---- */

TEST_P(Connection, TheNextAddressIsTriedWhenOneFails)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    Addresses addresses{{{refusing, RefusingPort()}, {"127.0.0.1", port}}};
    addresses.Install(loop);
    hoya_connection_options options = Options();
    options.happy_eyeballs_delay = HOYA_NEVER;
    Future future = Create("two.example", "80", recorder, &options);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), 0) << Text(future);
    EXPECT_EQ(trace, Trace{"a made"});
}

TEST_P(Connection, IfAllFailTheTextTellsOfEach)
{
    Recorder recorder(&trace, "a");
    std::string one = RefusingPort();
    Addresses addresses{{{refusing, one}, {PrivateAddress(2), one}}};
    addresses.Install(loop);
    Future future = Create("two.example", "80", recorder);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_ECONNREFUSED);
    EXPECT_NE(Text(future).find(refusing + ":" + one + ": "), std::string::npos) << Text(future);
    EXPECT_NE(Text(future).find(PrivateAddress(2) + ":" + one + ": "), std::string::npos) << Text(future);
    EXPECT_EQ(trace, Trace{"a released"}) << "the protocol has had no connection";
}

TEST_P(SilentFirst, TheNextAddressIsTriedWhenOneIsSilent)
{
    Recorder recorder(&trace, "a");
    hoya_connection_options options = Options();
    options.happy_eyeballs_delay = HOYA_MSEC(20);
    int64_t begin = hoya_loop_time(loop);
    size_t before = OpenFds();
    Future future = Create("two.example", "80", recorder, &options);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), 0) << Text(future);
    EXPECT_GE(hoya_loop_time(loop) - begin, HOYA_MSEC(20));
    hoya_address peer;
    ASSERT_EQ(hoya_transport_get_peername(recorder.transport, &peer), 0);
    EXPECT_EQ(std::to_string(ntohs(reinterpret_cast<sockaddr_in *>(&peer.storage)->sin_port)), port);
    EXPECT_EQ(OpenFds(), before + 1) << "the silent one is given up";
}

TEST_P(SilentFirst, SeveralTriesMayComeFromOnePort)
{
    Recorder recorder(&trace, "a");
    const std::string mine = RefusingPort();
    hoya_connection_options options = Options();
    options.happy_eyeballs_delay = HOYA_MSEC(20);
    options.local_host = refusing.c_str();
    options.local_port = mine.c_str();
    Future future = Create("two.example", "80", recorder, &options);
    RunUntilDone(future);
    ASSERT_EQ(Result(future), 0) << Text(future);
    hoya_address name;
    ASSERT_EQ(hoya_transport_get_sockname(recorder.transport, &name), 0);
    EXPECT_EQ(std::to_string(ntohs(reinterpret_cast<sockaddr_in *>(&name.storage)->sin_port)), mine);
}

TEST_P(SilentFirst, UnlessToldOtherwiseItHasAQuarterOfASecondToItself)
{
    Recorder recorder(&trace, "a");
    int64_t begin = hoya_loop_time(loop);
    Future future = Create("two.example", "80", recorder);
    RunUntilDone(future); /* so in some seconds */
    EXPECT_EQ(Result(future), 0) << Text(future);
    EXPECT_GE(hoya_loop_time(loop) - begin, HOYA_MSEC(250));
}

TEST_P(Connection, AnEmptyAnswerOfAResolverIsNoAddress)
{
    Recorder recorder(&trace, "a");
    static const hoya_resolver_ops nobody = {
        sizeof nobody, "nobody",
        [](hoya_loop *of, const char *, const char *, const addrinfo *, void *, hoya_future **future) {
            int rc = hoya_future_new(of, future);
            return rc < 0 ? rc : hoya_future_set_result(*future, nullptr, nullptr);
        },
        nullptr, nullptr};
    ASSERT_EQ(hoya_set_resolver(loop, &nobody, nullptr), 0);
    Future future = Create("none.example", "80", recorder);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_EAI_NONAME);
    EXPECT_EQ(trace, Trace{"a released"});
}

/* Answers with one node, which the test gives. */
struct Odd {
    addrinfo node = {};
    static int Get(hoya_loop *loop, const char *, const char *, const addrinfo *, void *arg, hoya_future **future)
    {
        int rc = hoya_future_new(loop, future);
        return rc < 0 ? rc : hoya_future_set_result(*future, &static_cast<Odd *>(arg)->node, nullptr);
    }
};

TEST_P(Connection, AnAnswerOfAResolverThatIsNoAddressIsRefusedBeforeItIsRead)
{
    alignas(sockaddr_storage) char memory[300] = {};
    static const hoya_resolver_ops ops = {sizeof ops, "odd", Odd::Get, nullptr, nullptr};
    Odd odd;
    ASSERT_EQ(hoya_set_resolver(loop, &ops, &odd), 0);
    struct Case {
        int family, inside;
        socklen_t length;
        const char *text;
    };
    for (const Case &one :
         {Case{AF_UNIX, AF_UNIX, 20, "family 1, 20 bytes"}, Case{AF_INET, AF_INET, 4, "family 2, 4 bytes"},
          Case{AF_INET, AF_INET6, sizeof(sockaddr_in), "family 2, 16 bytes"},
          Case{AF_INET6, AF_INET6, sizeof memory, "family 10, 300 bytes"},
          Case{AF_INET, AF_INET, sizeof(sockaddr_storage), "family 2, 128 bytes"},
          Case{AF_INET, -1, sizeof(sockaddr_in), "family 2, 16 bytes"}}) {
        auto address = reinterpret_cast<sockaddr *>(memory);
        address->sa_family = static_cast<sa_family_t>(one.inside);
        odd.node.ai_family = one.family;
        odd.node.ai_addrlen = one.length;
        odd.node.ai_addr = one.inside < 0 ? nullptr : address;
        Recorder recorder(&trace, "a");
        Future connection = Create("odd.example", "80", recorder);
        RunUntilDone(connection);
        EXPECT_EQ(Result(connection), HOYA_EAI_FAMILY);
        EXPECT_EQ(Text(connection),
                  std::string("the resolver's answer is no address of IPv4 or IPv6: ") + one.text);
        EXPECT_EQ(trace, Trace{"a released"});
        trace.clear();
    }
}

TEST_P(Connection, OfManyAddressesThatFailThoseWithoutRoomAreCounted)
{
    Recorder recorder(&trace, "a");
    std::string port = RefusingPort();
    Addresses addresses;
    for (int i = 0; i < 40; i++) addresses.list.push_back({refusing, port});
    addresses.Install(loop);
    Future future = Create("many.example", "80", recorder);
    RunUntilDone(future);
    const std::string text = Text(future), one = refusing + ":" + port + ": " + hoya_strerror(HOYA_ECONNREFUSED);
    size_t told = 0;
    for (size_t at = 0; (at = text.find(one, at)) != std::string::npos; at++) told++;
    EXPECT_GT(told, 5u);
    EXPECT_EQ(text.substr(text.rfind("; ")), "; and " + std::to_string(40 - told) + " more") << text;
}

TEST_P(Connection, FamiliesAlternate)
{
    Recorder recorder(&trace, "a");
    std::string refused = RefusingPort(), refused6 = RefusingPort(AF_INET6);
    Addresses addresses{{{"::1", refused6}, {"::1", refused6}, {refusing, refused}, {PrivateAddress(2), refused}}};
    addresses.Install(loop);
    for (int first = 0; first < 3; first++) {
        hoya_connection_options options = Options();
        options.happy_eyeballs_delay = HOYA_NEVER;
        options.first_address_family_count = first;
        Future future = Create("four.example", "80", recorder, &options);
        RunUntilDone(future);
        EXPECT_EQ(Result(future), HOYA_ECONNREFUSED);
        std::string text = Text(future), order;
        for (size_t at = 0; at < text.size();
             at = text.find("; ", at) == std::string::npos ? text.size() : text.find("; ", at) + 2)
            order += text[at] == '[' ? '6' : '4';
        EXPECT_EQ(order, first == 2 ? "6644" : "6464") << text;
    }
}

} // namespace hoya_test
