/* SPDX-License-Identifier: MIT
 *
 * faults/transport_test.cc: connections with each fallible call failing, and with a system that takes and gives as little at
 * a time as it may.
 */
#include "faults/fds.h"
#include "faults/sweep.h"

#include <algorithm>
#include <string>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/futures.h"

#ifdef HOYA_FAULTS
extern "C" {
#include "base/sys.h"
}
#endif

namespace hoya_test
{
namespace
{

/* A protocol that sends back what comes, and counts what it hears. */
struct Echo {
    int made = 0, eof = 0, lost = 0, released = 0, code = 1;
    std::string data;
    hoya_transport *transport = nullptr; /* while it is there */
    bool pairs = false;                  /* answers by writelines, in two pieces */
    char memory[4096];

    hoya_protocol protocol(bool buffered = false) { return {buffered ? &kBuffered : &kPlain, this}; }

  private:
    static Echo *of(void *arg) { return static_cast<Echo *>(arg); }
    static int Made(hoya_transport *transport, void *arg)
    {
        of(arg)->transport = transport;
        return of(arg)->made++, 0;
    }
    static int Buffer(hoya_transport *, size_t, void **buffer, size_t *size, void *arg)
    {
        *buffer = of(arg)->memory;
        *size = sizeof of(arg)->memory;
        return 0;
    }
    static int Updated(hoya_transport *transport, size_t count, void *arg)
    {
        return Data(transport, of(arg)->memory, count, arg);
    }
    static int Data(hoya_transport *transport, const void *data, size_t size, void *arg)
    {
        auto bytes = static_cast<char *>(const_cast<void *>(data));
        of(arg)->data.append(bytes, size);
        iovec parts[2] = {{bytes, size / 2}, {bytes + size / 2, size - size / 2}};
        return of(arg)->pairs ? hoya_transport_writelines(transport, parts, 2)
                              : hoya_transport_write(transport, data, size);
    }
    static int Eof(hoya_transport *, void *arg) { return of(arg)->eof++, 0; }
    static void Lost(hoya_transport *, int why, void *arg)
    {
        of(arg)->transport = nullptr;
        of(arg)->lost++;
        of(arg)->code = why;
    }
    static void Released(void *arg)
    {
        of(arg)->transport = nullptr;
        of(arg)->released++;
    }
    static constexpr hoya_protocol_ops kPlain = {
        sizeof(hoya_protocol_ops), Made, nullptr, nullptr, Data, Eof, nullptr, nullptr, Lost, Released, nullptr};
    static constexpr hoya_protocol_ops kBuffered = {
        sizeof(hoya_protocol_ops), Made, Buffer, Updated, nullptr, Eof, nullptr, nullptr, Lost, Released, nullptr};
};

std::string Receive(int fd)
{
    std::string all;
    char some[65536];
    for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) > 0;) all.append(some, static_cast<size_t>(n));
    return all;
}

class TransportFaults : public VariantFaults
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, TransportFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* From the first byte to the end; faults may end it sooner. */
void Live(Faults &faults, Loop &loop, Echo &echo, hoya_transport *transport, int peer)
{
    const std::string much(300000, 'm');
    EXPECT_TRUE(loop.RunUntil([&] { return echo.made; }));
    EXPECT_EQ(send(peer, "ping", 4, MSG_NOSIGNAL), 4);
    EXPECT_TRUE(loop.RunUntil([&] { return echo.data == "ping" || echo.lost; }));
    std::string back;
    if (!echo.lost) {
        faults.Ok(hoya_transport_set_write_buffer_limits(transport, 1000, 10, SIZE_MAX));
        faults.Ok(hoya_transport_pause_reading(transport));
        faults.Ok(hoya_transport_resume_reading(transport));
    }
    bool wrote = faults.Ok(hoya_transport_write(transport, much.data(), much.size()));
    if (echo.eof == 0 && !hoya_transport_is_closing(transport)) faults.Ok(hoya_transport_write_eof(transport));
    EXPECT_EQ(hoya_transport_close(transport), 0);
    EXPECT_TRUE(loop.RunUntil([&] {
        back += Receive(peer);
        return echo.lost == 1;
    }));
    back += Receive(peer);
    EXPECT_EQ(echo.released, 1);
    if (faults.Ok(echo.code) && wrote && echo.data == "ping") EXPECT_TRUE(back == "ping" + much);
}

} // namespace

TEST_P(TransportFaults, ASocketThatIsTakenOverLivesAndEndsOrStaysTheCallers)
{
    for (bool buffered : {false, true}) {
        Sweep(Name(buffered ? "a buffered connection" : "a connection").c_str(), [&](Faults &faults) {
            Fds fds;
            Echo echo;
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            int ends[2];
            ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
            for (int fd : ends) fds.Own(fd);
            hoya_transport *transport = nullptr;
            int rc = hoya_connect_accepted_socket(loop, ends[0], echo.protocol(buffered), nullptr, &transport);
            if (!faults.Ok(rc)) {
                EXPECT_EQ(transport, nullptr);
                EXPECT_EQ(echo.released, 1);
                return;
            }
            fds.Forget(ends[0]);
            Live(faults, loop, echo, transport, ends[1]);
            hoya_transport_unref(transport);
        });
    }
}

TEST_P(TransportFaults, AConnectionIsMadeOrItsFutureSaysWhyNot)
{
    Sweep(Name("create_connection").c_str(), [&](Faults &faults) {
        Fds fds;
        Echo echo;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        int server = fds.Own(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        ASSERT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
        ASSERT_EQ(listen(server, 1), 0);
        getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
        const std::string port = std::to_string(ntohs(address.sin_port));
        hoya_transport_options link = {};
        link.size = sizeof link;
        link.keep_alive = link.user_timeout = HOYA_SEC(60);
        hoya_connection_options options = {};
        options.size = sizeof options;
        options.transport = &link;
        options.local_host = "127.0.0.2";
        options.timeout = HOYA_SEC(60);
        hoya_future *raw = nullptr;
        int rc = hoya_create_connection(loop, "127.0.0.1", port.c_str(), echo.protocol(), &options, &raw);
        if (!faults.Ok(rc)) {
            EXPECT_EQ(raw, nullptr);
            EXPECT_EQ(echo.released, 1);
            return;
        }
        Future future(raw);
        EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(raw) == 1; }));
        void *value;
        if (!faults.Ok(hoya_future_result(raw, &value))) {
            EXPECT_TRUE(loop.RunUntil([&] { return echo.released == 1; }));
            return;
        }
        int fd = fds.Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        Live(faults, loop, echo, static_cast<hoya_transport *>(value), fd);
    });
}

TEST_P(TransportFaults, ALoopThatIsClosedClosesWhatItHas)
{
    Sweep(Name("connections at a loop's close").c_str(), [&](Faults &faults) {
        Fds fds;
        Echo made, begun, trying;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            for (Echo *echo : {&made, &begun}) {
                int ends[2];
                ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
                fds.Own(ends[1]);
                int rc = hoya_connect_accepted_socket(loop, ends[0], echo->protocol(), nullptr, nullptr);
                if (!faults.Ok(rc)) close(ends[0]);
                if (echo == &made) loop.RunUntil([&] { return made.made || made.released; });
            }
            faults.Ok(hoya_create_connection(loop, "127.0.0.1", "9", trying.protocol(), nullptr, nullptr));
        }
        EXPECT_EQ(made.released, 1);
        EXPECT_EQ(begun.released, 1);
        EXPECT_EQ(trying.released, 1);
    });
}

#ifdef HOYA_FAULTS

namespace
{

/* How the system is: each call of a kind gives one of these in turn. */
struct System {
    size_t most_in = SIZE_MAX, most_out = SIZE_MAX;
    std::vector<int> codes; /* 0: it works */
    size_t turn = 0, calls = 0;

    int Next()
    {
        calls++;
        return codes.empty() ? 0 : codes[turn++ % codes.size()];
    }
} * systems;

template <typename Call> ssize_t Do(Call call)
{
    int code = systems->Next();
    if (!code) return call();
    errno = code;
    return -1;
}

class StingySystem : public VariantFaults
{
  protected:
    void SetUp() override
    {
        VariantFaults::SetUp();
        systems = &system;
        hoya_sys.recv = [](int fd, void *buffer, size_t size, int flags) {
            return Do([&] { return hoya_sys_real.recv(fd, buffer, std::min(size, systems->most_in), flags); });
        };
        hoya_sys.send = [](int fd, const void *buffer, size_t size, int flags) {
            return Do([&] { return hoya_sys_real.send(fd, buffer, std::min(size, systems->most_out), flags); });
        };
        hoya_sys.sendmsg = [](int fd, const msghdr *message, int flags) {
            return Do([&] {
                std::string all;
                for (size_t i = 0; i < message->msg_iovlen; i++)
                    all.append(static_cast<char *>(message->msg_iov[i].iov_base), message->msg_iov[i].iov_len);
                return hoya_sys_real.send(fd, all.data(), std::min(all.size(), systems->most_out), flags);
            });
        };
        hoya_sys.connect = [](int fd, const sockaddr *address, socklen_t length) {
            int code = systems->Next(), rc = hoya_sys_real.connect(fd, address, length);
            if (code != EINTR || rc == 0) return rc;
            errno = EINTR;
            return -1;
        };
        ASSERT_EQ(NewLoop(variant(), host.get(), &loop), 0) << hoya_error_detail();
    }
    void TearDown() override
    {
        if (loop) {
            EXPECT_EQ(hoya_loop_close(loop), 0);
            hoya_loop_unref(loop);
        }
        if (host) host->Settle();
        hoya_sys = hoya_sys_real;
        VariantFaults::TearDown();
    }
    void RunUntil(const Predicate &done)
    {
        int64_t end = hoya_loop_time(loop) + HOYA_SEC(20);
        while (!done() && hoya_loop_time(loop) < end) EXPECT_GE(hoya_loop_run_once(loop, HOYA_MSEC(10)), 0);
        EXPECT_TRUE(done());
    }
    /* A connection of the loop's, and its other side, which is the test's. */
    hoya_transport *Connect(Fds &fds, Echo &echo, int *peer, bool buffered = false)
    {
        int ends[2];
        hoya_transport *transport = nullptr;
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        *peer = fds.Own(ends[1]);
        EXPECT_EQ(hoya_connect_accepted_socket(loop, ends[0], echo.protocol(buffered), nullptr, &transport), 0);
        return transport;
    }
    /* Some KiB there and back, by plain calls on the other side; the last of it is at the connection's end. */
    void ExpectAnEcho(bool buffered, bool pairs)
    {
        SCOPED_TRACE(std::string(buffered ? "buffered" : "plain") + (pairs ? ", in pieces" : ""));
        std::string data(6000, ' '), back;
        for (size_t i = 0; i < data.size(); i++) data[i] = static_cast<char>('!' + i % 89);
        Fds fds;
        Echo echo;
        echo.pairs = pairs;
        int peer;
        hoya_transport_unref(Connect(fds, echo, &peer, buffered));
        EXPECT_EQ(send(peer, data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
        EXPECT_EQ(shutdown(peer, SHUT_WR), 0);
        RunUntil([&] {
            back += Receive(peer);
            return echo.released == 1;
        });
        back += Receive(peer);
        EXPECT_EQ(echo.code, 0) << hoya_error_name(echo.code);
        EXPECT_EQ(echo.eof, 1);
        EXPECT_TRUE(echo.data == data);
        EXPECT_TRUE(back == data);
        EXPECT_GT(system.calls, 2u);
    }
    void ExpectEchoes()
    {
        for (bool buffered : {false, true})
            for (bool pairs : {false, true}) ExpectAnEcho(buffered, pairs);
    }

    System system;
    hoya_loop *loop = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Hosts, StingySystem, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

TEST_P(StingySystem, AByteAtATimeComesIn)
{
    system.most_in = 1;
    ExpectEchoes();
    EXPECT_GE(system.calls, 4 * 6000u);
}

TEST_P(StingySystem, AByteAtATimeGoesOut)
{
    system.most_out = 1;
    ExpectEchoes();
    EXPECT_GE(system.calls, 4 * 6000u);
}

TEST_P(StingySystem, PiecesAreCutAnywhere)
{
    system.most_in = 17;
    system.most_out = 7;
    ExpectEchoes();
}

// Holds: S103
TEST_P(StingySystem, InterruptedAndNotReadyAreNoFailures)
{
    system.most_in = 100;
    system.most_out = 70;
    for (const std::vector<int> &codes :
         {std::vector<int>{EINTR, 0}, {EAGAIN, 0}, {EAGAIN, EINTR, EAGAIN, 0, EINTR}}) {
        system.codes = codes;
        ExpectEchoes();
    }
}

TEST_P(StingySystem, AWriteOfManyPiecesGoesOnWhereverItWasCut)
{
    system.most_out = 11;
    system.codes = {0, 0, EINTR, 0, EAGAIN};
    Fds fds;
    Echo echo;
    int peer;
    hoya_transport *transport = Connect(fds, echo, &peer);
    std::vector<std::string> pieces;
    std::vector<iovec> parts;
    std::string all, back;
    for (size_t i = 0; i < 2500; i++) pieces.push_back(std::string(i % 7, static_cast<char>('a' + i % 26)));
    for (std::string &piece : pieces) {
        parts.push_back({piece.data(), piece.size()});
        all += piece;
    }
    EXPECT_EQ(hoya_transport_writelines(transport, parts.data(), parts.size()), 0);
    EXPECT_EQ(hoya_transport_writelines(transport, parts.data(), parts.size()), 0);
    EXPECT_EQ(hoya_transport_close(transport), 0);
    RunUntil([&] {
        back += Receive(peer);
        return echo.released == 1;
    });
    EXPECT_TRUE(back + Receive(peer) == all + all);
    hoya_transport_unref(transport);
}

// Holds: S106
TEST_P(StingySystem, LinesGoByAsFewCallsAsTheSystemAllows)
{
    Fds fds;
    Echo echo;
    int peer;
    hoya_transport *transport = Connect(fds, echo, &peer);
    RunUntil([&] { return echo.made == 1; });
    char letter = 'x';
    std::vector<iovec> parts(2500, iovec{&letter, 1});
    const size_t before = system.calls;
    EXPECT_EQ(hoya_transport_writelines(transport, parts.data(), parts.size()), 0);
    EXPECT_EQ(system.calls - before, 3u) << "1024 parts a call";
    EXPECT_EQ(Receive(peer), std::string(2500, 'x'));
    hoya_transport_abort(transport);
    RunUntil([&] { return echo.released == 1; });
    hoya_transport_unref(transport);
}

TEST_P(StingySystem, AConnectThatIsInterruptedGoesOn)
{
    system.codes = {EINTR};
    Fds fds;
    Echo echo;
    int server = fds.Own(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(server, reinterpret_cast<sockaddr *>(&address), length), 0);
    ASSERT_EQ(listen(server, 1), 0);
    getsockname(server, reinterpret_cast<sockaddr *>(&address), &length);
    hoya_future *raw = nullptr;
    ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", std::to_string(ntohs(address.sin_port)).c_str(),
                                     echo.protocol(), nullptr, &raw),
              0);
    Future future(raw);
    RunUntil([&] { return hoya_future_done(raw) == 1; });
    EXPECT_EQ(hoya_future_result(raw, nullptr), 0) << hoya_error_detail();
    EXPECT_EQ(system.calls, 1u) << "and it is not called again";
    EXPECT_EQ(echo.made, 1);
    hoya_transport_abort(echo.transport);
    RunUntil([&] { return echo.released == 1; });
}

TEST_P(StingySystem, AnAddressThatHasNoTextHidesNotWhyItFailed)
{
    hoya_sys.getnameinfo = [](const sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t, int) {
        return EAI_FAIL;
    };
    Fds fds;
    int silent = fds.Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); /* it does not listen */
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr *>(&address), length), 0);
    getsockname(silent, reinterpret_cast<sockaddr *>(&address), &length);
    hoya_connection_options options = {};
    options.size = sizeof options;
    for (const char *local : {static_cast<const char *>(nullptr), "192.0.2.1"}) {
        options.local_host = local;
        Echo echo;
        hoya_future *raw = nullptr;
        ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", std::to_string(ntohs(address.sin_port)).c_str(),
                                         echo.protocol(), &options, &raw),
                  0);
        Future future(raw);
        RunUntil([&] { return hoya_future_done(raw) == 1 && echo.released == 1; });
        EXPECT_EQ(hoya_future_result(raw, nullptr), local ? HOYA_EADDRNOTAVAIL : HOYA_ECONNREFUSED);
        EXPECT_EQ(std::string(hoya_error_detail()),
                  local ? std::string("an address: bind to an address: ") + hoya_strerror(HOYA_EADDRNOTAVAIL)
                        : std::string("an address: ") + hoya_strerror(HOYA_ECONNREFUSED));
    }
}

#endif

} // namespace hoya_test
