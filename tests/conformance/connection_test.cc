/* SPDX-License-Identifier: MIT
 *
 * conformance/connection_test.cc: connections that are made: to a host, by one of its addresses, in time.
 */
#include "net.h"
#include "support/resolvers.h"

#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

namespace hoya_test
{
namespace
{

class Connection : public NetConformance
{
  protected:
    void TearDown() override
    {
        NetConformance::TearDown();
        AwaitLanesAtEnd();
    }
    /* A plain socket that listens; its port as text. */
    int Listen(int family, std::string *port, const std::string &at = "127.0.0.1")
    {
        int fd = Own(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_storage address = {};
        address.ss_family = static_cast<sa_family_t>(family);
        socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        if (family == AF_INET) reinterpret_cast<sockaddr_in *>(&address)->sin_addr.s_addr = inet_addr(at.c_str());
        else reinterpret_cast<sockaddr_in6 *>(&address)->sin6_addr = in6addr_loopback;
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(listen(fd, 16), 0);
        *port = PortOf(fd);
        return fd;
    }
    static std::string PortOf(int fd)
    {
        sockaddr_storage address;
        socklen_t length = sizeof address;
        getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length);
        return std::to_string(ntohs(reinterpret_cast<sockaddr_in *>(&address)->sin_port));
    }
    const std::string refusing = PrivateAddress(1);
    /* A port of it at which nobody listens any more. */
    std::string RefusingPort(int family = AF_INET)
    {
        std::string port;
        int fd = Listen(family, &port, refusing);
        Close(fd);
        return port;
    }
    Future Create(const std::string &to, const std::string &port, Recorder &recorder,
                  const hoya_connection_options *options = nullptr)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_connection(loop, to.c_str(), port.c_str(), recorder.protocol(), options, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }
    Future CreateUnix(const std::string &path, Recorder &recorder, const hoya_connection_options *options = nullptr)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_unix_connection(loop, path.c_str(), recorder.protocol(), options, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }
    void RunUntilDone(const Future &future)
    {
        RunUntil([&] { return hoya_future_done(future.get()); });
    }
    static int Result(const Future &future) { return hoya_future_result(future.get(), nullptr); }
    static std::string Text(const Future &future)
    {
        const char *text = "";
        hoya_future_exception(future.get(), &text);
        return text;
    }
    static hoya_connection_options Options()
    {
        hoya_connection_options options = {};
        options.size = sizeof options;
        return options;
    }
    static size_t OpenFds()
    {
        size_t n = 0;
        for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
        return n;
    }
    static std::string AbstractName()
    {
        static int count;
        return "@hoya-test-" + std::to_string(getpid()) + "-" + std::to_string(count++);
    }
    int ListenUnix(const std::string &name, int backlog = 16)
    {
        hoya_address address;
        EXPECT_EQ(hoya_address_set_unix(&address, name.c_str()), 0);
        int fd = Own(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        EXPECT_EQ(listen(fd, backlog), 0);
        return fd;
    }
};

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

/* An address that never answers: a server whose queue is full drops what comes. */
class Silent
{
  public:
    explicit Silent(std::vector<int> *fds)
    {
        int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        fds->push_back(server);
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(listen(server, 0), 0);
        getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
        port = std::to_string(ntohs(address.sin_port));
        for (int i = 0; i < 3; i++) {
            int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            fds->push_back(fd);
            connect(fd, reinterpret_cast<sockaddr *>(&address), length);
        }
    }
    std::string port;
};

TEST_P(Connection, TheNextAddressIsTriedWhenOneIsSilent)
{
    Recorder recorder(&trace, "a");
    std::string port;
    std::vector<int> fds;
    Silent silent(&fds);
    Listen(AF_INET, &port);
    Addresses addresses{{{"127.0.0.1", silent.port}, {"127.0.0.1", port}}};
    addresses.Install(loop);
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
    for (int fd : fds) Own(fd);
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

/* ---- the time, and cancels ---- */

TEST_P(Connection, ATimeoutEndsAllOfIt)
{
    Recorder recorder(&trace, "a");
    std::vector<int> fds;
    Silent silent(&fds);
    hoya_connection_options options = Options();
    options.timeout = HOYA_MSEC(20);
    size_t before = OpenFds();
    Future future = Create("127.0.0.1", silent.port, recorder, &options);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_ETIMEDOUT);
    EXPECT_EQ(Text(future), "the time was up; 127.0.0.1:" + silent.port + ": no answer yet");
    EXPECT_EQ(trace, Trace{"a released"});
    EXPECT_EQ(OpenFds(), before);
    for (int fd : fds) Own(fd);
}

TEST_P(Connection, ACancelLeavesNothing)
{
    Recorder recorder(&trace, "a");
    std::vector<int> fds;
    Silent silent(&fds);
    size_t before = OpenFds();
    Future future = Create("127.0.0.1", silent.port, recorder);
    RunRounds(2);
    EXPECT_EQ(OpenFds(), before + 1);
    EXPECT_EQ(hoya_future_cancel(future.get(), "enough"), 1);
    EXPECT_EQ(Result(future), HOYA_ECANCELED);
    EXPECT_EQ(OpenFds(), before) << "at once";
    EXPECT_EQ(trace, Trace{"a released"});
    for (int fd : fds) Own(fd);
}

TEST_P(Connection, ACancelOfOneThatIsBeingMadeAbortsIt)
{
    Recorder recorder(&trace, "a");
    std::string port;
    int server = Listen(AF_INET, &port);
    hoya_future *future = nullptr;
    recorder.on_made = [&](hoya_transport *) {
        EXPECT_EQ(hoya_future_cancel(future, nullptr), 1);
        return 0;
    };
    ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", port.c_str(), recorder.protocol(), nullptr, &future), 0);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(trace, (Trace{"a made", "a lost", "a released"}));
    EXPECT_TRUE(hoya_future_cancelled(future));
    hoya_future_unref(future);
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    RunRounds(1);
    EXPECT_TRUE(AtEnd(fd));
}

TEST_P(Connection, AFailureWithoutATextHasNoneOfAnothers)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    recorder.on_made = [](hoya_transport *) {
        hoya_error_set(HOYA_EBADF, "of something else");
        return HOYA_EINVAL;
    };
    Future future = Create("127.0.0.1", port, recorder);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_EINVAL);
    EXPECT_EQ(Text(future), "");
    EXPECT_FALSE(Logged("of something else"));
}

TEST_P(Connection, AConnectionMadeThatFailsFailsTheFuture)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    recorder.on_made = [](hoya_transport *) { return hoya_error_set(HOYA_EINVAL, "not my kind"); };
    Future future = Create("127.0.0.1", port, recorder);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_EINVAL);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(trace, (Trace{"a made", "a lost HOYA_EINVAL", "a released"}));
}

TEST_P(Connection, AClosedLoopForgetsWhatWasBegun)
{
    Recorder recorder(&trace, "a"), looking(&trace, "b");
    std::vector<int> fds;
    Silent silent(&fds);
    size_t before = OpenFds();
    Future future = Create("127.0.0.1", silent.port, recorder);
    RunRounds(2);
    Future other = Create("localhost", "80", looking);
    ASSERT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"a released", "b released"}));
    EXPECT_FALSE(hoya_future_done(future.get()));
    EXPECT_LE(OpenFds(), before);
    for (int fd : fds) Own(fd);
}

TEST_P(Connection, AFailureThatNobodySeesIsReported)
{
    Recorder recorder(&trace, "a");
    Create(refusing, RefusingPort(), recorder).reset();
    RunUntil([&] { return recorder.released; });
    EXPECT_TRUE(Logged("a connection that was being made"));
    EXPECT_TRUE(Logged("HOYA_ECONNREFUSED"));
}

/* ---- what is refused ---- */

TEST_P(Connection, BadArgumentsAreRefusedBeforeAnythingIsOpened)
{
    size_t before = OpenFds();
    auto refused = [&](const char *to, const char *port, const hoya_connection_options *options, int code) {
        Recorder recorder(&trace, "a");
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_connection(loop, to, port, recorder.protocol(), options, &future), code)
            << hoya_error_detail();
        EXPECT_EQ(future, nullptr);
        EXPECT_EQ(recorder.released, 1);
        EXPECT_NE(std::string(hoya_error_detail()), "");
    };
    refused(nullptr, "80", nullptr, HOYA_EINVAL);
    refused("", "80", nullptr, HOYA_EINVAL);
    refused("127.0.0.1", nullptr, nullptr, HOYA_EINVAL);
    refused("127.0.0.1", "", nullptr, HOYA_EINVAL);
    refused("127.0.0.1", "65536", nullptr, HOYA_EINVAL);
    refused("[::1]", "80", nullptr, HOYA_EINVAL);
    hoya_connection_options options = Options();
    options.family = 77;
    refused("127.0.0.1", "80", &options, HOYA_EAI_FAMILY);
    options = Options();
    options.timeout = -1;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    options = Options();
    options.happy_eyeballs_delay = -1;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    hoya_transport_options link = {};
    link.size = sizeof link;
    link.keep_alive = HOYA_SEC(32767) + 1;
    options = Options();
    options.transport = &link;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    link.keep_alive = 0;
    link.write_low = 10;
    link.write_high = 5;
    options = Options();
    options.transport = &link;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    EXPECT_EQ(hoya_create_connection(loop, "127.0.0.1", "80", {nullptr, nullptr}, nullptr, nullptr), HOYA_EINVAL);
    Recorder recorder(&trace, "a");
    EXPECT_EQ(hoya_create_unix_connection(loop, "", recorder.protocol(), nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(
        hoya_create_unix_connection(loop, std::string(200, 'x').c_str(), recorder.protocol(), nullptr, nullptr),
        HOYA_ENAMETOOLONG);
    EXPECT_EQ(recorder.released, 2);
    EXPECT_EQ(OpenFds(), before);
}

TEST_P(Connection, WhatTheNetworkRefusesHasItsCodeAndItsAddress)
{
    Recorder recorder(&trace, "a");
    std::string port = RefusingPort();
    Future refused = Create(refusing, port, recorder);
    RunUntilDone(refused);
    EXPECT_EQ(Result(refused), HOYA_ECONNREFUSED);
    EXPECT_EQ(Text(refused), refusing + ":" + port + ": " + hoya_strerror(HOYA_ECONNREFUSED));

    std::string path = "/nonexistent/hoya";
    Future nowhere = CreateUnix(path, recorder);
    EXPECT_EQ(Result(nowhere), HOYA_ENOENT) << "known at once";
    EXPECT_NE(Text(nowhere).find("unix:" + path), std::string::npos) << Text(nowhere);

    hoya_connection_options options = Options();
    options.local_host = "192.0.2.1"; /* of nobody's */
    Future stranger = Create(refusing, port, recorder, &options);
    RunUntilDone(stranger);
    EXPECT_EQ(Result(stranger), HOYA_EADDRNOTAVAIL);
    EXPECT_NE(Text(stranger).find("192.0.2.1"), std::string::npos) << Text(stranger);

    options.local_host = "::1";
    options.family = 0;
    Future mixed = Create(refusing, port, recorder, &options);
    RunUntilDone(mixed);
    EXPECT_EQ(Result(mixed), HOYA_EADDRNOTAVAIL);
    EXPECT_NE(Text(mixed).find("another family"), std::string::npos) << Text(mixed);
    EXPECT_EQ(recorder.released, 4);
}

TEST_P(Connection, WithoutDescriptorsItFailsAndSaysSo)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    RunRounds(1);
    std::vector<int> all;
    for (int fd; (fd = dup(0)) >= 0;) all.push_back(fd);
    hoya_future *future = nullptr;
    int rc = hoya_create_connection(loop, "127.0.0.1", port.c_str(), recorder.protocol(), nullptr, &future);
    for (int fd : all) close(fd);
    ASSERT_EQ(rc, 0) << hoya_error_detail();
    RunUntil([&] { return hoya_future_done(future); });
    EXPECT_EQ(hoya_future_result(future, nullptr), HOYA_EMFILE);
    hoya_future_unref(future);
    EXPECT_EQ(recorder.released, 1);
}

INSTANTIATE_TEST_SUITE_P(Hosts, Connection, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
