/* SPDX-License-Identifier: MIT
 *
 * faults/datagram_test.cc: datagram endpoints with each fallible call failing, and with a system that takes none now, gives less
 * room than a datagram needs, or has heard of earlier ones.
 */
#include "faults/sweep.h"

#include <algorithm>
#include <string>
#include <vector>

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

/* Sends back what comes, and counts what it hears. */
struct Echo {
    int made = 0, lost = 0, released = 0, paused = 0, resumed = 0;
    std::vector<std::string> got;
    std::vector<int> errors;
    bool silent = false; /* sends nothing back */

    hoya_datagram_protocol protocol() { return {&kOps, this}; }

  private:
    static Echo *of(void *arg) { return static_cast<Echo *>(arg); }
    static int Made(hoya_datagram_transport *, void *arg) { return of(arg)->made++, 0; }
    static int Received(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                        void *arg)
    {
        of(arg)->got.emplace_back(static_cast<const char *>(data), size);
        return of(arg)->silent ? 0 : hoya_datagram_transport_sendto(transport, data, size, from);
    }
    static int Error(hoya_datagram_transport *, int code, void *arg)
    {
        EXPECT_STRNE(hoya_error_detail(), "");
        return of(arg)->errors.push_back(code), 0;
    }
    static int Pause(hoya_datagram_transport *, void *arg) { return of(arg)->paused++, 0; }
    static int Resume(hoya_datagram_transport *, void *arg) { return of(arg)->resumed++, 0; }
    static void Lost(hoya_datagram_transport *, int, void *arg) { of(arg)->lost++; }
    static void Released(void *arg) { of(arg)->released++; }

    static constexpr hoya_datagram_protocol_ops kOps = {
        sizeof(hoya_datagram_protocol_ops), Made, Received, Error, Pause, Resume, Lost, Released};
};

/* A plain socket of the test's on the loopback. */
struct Peer {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in name = {};

    Peer()
    {
        socklen_t length = sizeof name;
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&name), length), 0);
        getsockname(fd, reinterpret_cast<sockaddr *>(&name), &length);
    }
    Peer(const Peer &) = delete;
    ~Peer() { close(fd); }
    std::string port() const { return std::to_string(ntohs(name.sin_port)); }
    void SendTo(hoya_datagram_transport *transport, const std::string &text)
    {
        hoya_address to = {};
        EXPECT_EQ(hoya_datagram_transport_get_sockname(transport, &to), 0);
        EXPECT_EQ(sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr *>(&to.storage), to.length),
                  static_cast<ssize_t>(text.size()));
    }
    std::vector<std::string> Receive() const
    {
        std::vector<std::string> all;
        static char some[100000];
        for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) >= 0;) all.emplace_back(some, static_cast<size_t>(n));
        return all;
    }
};

class DatagramFaults : public VariantFaults
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, DatagramFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

hoya_datagram_options Options()
{
    hoya_datagram_options options = {};
    options.size = sizeof options;
    return options;
}

void Finish(Loop &loop, Echo &echo, hoya_datagram_transport *transport)
{
    EXPECT_EQ(hoya_datagram_transport_close(transport), 0);
    EXPECT_TRUE(loop.RunUntil([&] { return echo.released == 1; })) << "it ends, whatever fails";
    EXPECT_EQ(echo.lost, 1);
}

} // namespace

TEST_P(DatagramFaults, AnEndpointIsMadeOrItsFutureSaysWhyNotAndErrorsAreNoEnd)
{
    for (int family : {AF_INET, AF_INET6}) {
        Sweep(Name(family == AF_INET ? "create_datagram_endpoint" : "the same, of IPv6").c_str(),
              [&](Faults &faults) {
                  Peer peer;
                  Echo echo;
                  Loop loop(faults, variant(), host.get());
                  if (!loop) return;
                  const std::string port = peer.port();
                  hoya_datagram_options options = Options();
                  options.local_host = family == AF_INET ? "127.0.0.1" : "::1";
                  if (family == AF_INET) options.remote_host = "127.0.0.1", options.remote_port = port.c_str();
                  options.reuse_port = options.reuse_address = options.broadcast = options.no_multicast_loop = 1;
                  options.broadcast = family == AF_INET6;
                  options.ttl = options.multicast_ttl = 3;
                  options.multicast_interface = "lo";
                  hoya_future *raw = nullptr;
                  if (!faults.Ok(hoya_create_datagram_endpoint(loop, echo.protocol(), &options, &raw))) {
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
                  auto transport = static_cast<hoya_datagram_transport *>(value);
                  EXPECT_EQ(echo.made, 1);
                  if (family == AF_INET) {
                      /* One may be lost by a fault; the endpoint is none the worse for it. */
                      size_t back = 0;
                      for (int i = 0; i < 3; i++) {
                          peer.SendTo(transport, "ping");
                          EXPECT_TRUE(loop.RunUntil([&] {
                              back += peer.Receive().size();
                              return back > 0 || echo.got.size() > static_cast<size_t>(i) || !echo.errors.empty() ||
                                     echo.released;
                          }));
                      }
                      hoya_address group = {};
                      {
                          Faults::Pause pause;
                          EXPECT_EQ(hoya_address_set(&group, "239.1.2.3", "0"), 0);
                      }
                      if (faults.Ok(hoya_datagram_transport_join_group(transport, &group, "lo")))
                          faults.Ok(hoya_datagram_transport_leave_group(transport, &group, "lo"));
                  }
                  Finish(loop, echo, transport);
              });
    }
}

TEST_P(DatagramFaults, UnixEndpointsAreMadeOrRefusedAndLeaveNoPath)
{
    const std::string path = "/tmp/hoya-faults-datagram-" + std::to_string(getpid());
    Sweep(Name("create_unix_datagram_endpoint").c_str(), [&](Faults &faults) {
        Echo server, client;
        client.silent = true;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        hoya_datagram_transport *s = nullptr, *c = nullptr;
        if (faults.Ok(
                hoya_create_unix_datagram_endpoint(loop, path.c_str(), nullptr, server.protocol(), nullptr, &s))) {
            if (faults.Ok(hoya_create_unix_datagram_endpoint(loop, nullptr, path.c_str(), client.protocol(),
                                                             nullptr, &c))) {
                if (faults.Ok(hoya_datagram_transport_sendto(c, "ping", 4, nullptr)))
                    EXPECT_TRUE(loop.RunUntil(
                        [&] { return !server.got.empty() || !server.errors.empty() || server.released; }));
                Finish(loop, client, c);
            } else {
                EXPECT_EQ(client.released, 1);
            }
            Finish(loop, server, s);
        } else {
            EXPECT_EQ(server.released, 1);
            EXPECT_EQ(s, nullptr);
        }
        hoya_datagram_transport_unref(s);
        hoya_datagram_transport_unref(c);
        Faults::Pause pause;
        unlink(path.c_str()); /* where lstat or getsockname failed it may be there still */
    });
}

TEST_P(DatagramFaults, WhatWaitsGoesOrIsToldOf)
{
    Sweep(Name("datagrams that wait").c_str(), [&](Faults &faults) {
        Echo echo;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        int ends[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        hoya_datagram_options options = Options();
        options.write_high = 3000;
        hoya_datagram_transport *transport = nullptr;
        int rc = hoya_create_datagram_endpoint_on_socket(loop, ends[0], echo.protocol(), &options, &transport);
        if (!faults.Ok(rc)) {
            EXPECT_EQ(transport, nullptr);
            EXPECT_EQ(echo.released, 1);
            close(ends[0]);
            close(ends[1]);
            return;
        }
        EXPECT_TRUE(loop.RunUntil([&] { return echo.made; }));
        const std::string text(1000, 'x');
        size_t taken = 0, refused = 0, got = 0;
        while (hoya_datagram_transport_get_write_buffer_size(transport) <= 3000 && refused < 5 &&
               !hoya_datagram_transport_is_closing(transport)) {
            if (faults.Ok(hoya_datagram_transport_sendto(transport, text.data(), text.size(), nullptr))) taken++;
            else refused++;
        }
        EXPECT_EQ(hoya_datagram_transport_close(transport), 0);
        static char some[2000];
        EXPECT_TRUE(loop.RunUntil([&] {
            while (recv(ends[1], some, sizeof some, 0) == 1000) got++;
            return echo.released == 1;
        }));
        while (recv(ends[1], some, sizeof some, 0) == 1000) got++;
        EXPECT_EQ(got + echo.errors.size(), taken) << "each of them went, or was told of";
        EXPECT_EQ(echo.lost, 1);
        hoya_datagram_transport_unref(transport);
        close(ends[1]);
    });
}

TEST_P(DatagramFaults, ALoopThatIsClosedClosesWhatItHas)
{
    Sweep(Name("endpoints at a loop's close").c_str(), [&](Faults &faults) {
        Echo made, begun, trying;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            hoya_datagram_options options = Options();
            options.local_host = "127.0.0.1";
            for (Echo *echo : {&made, &begun}) {
                faults.Ok(hoya_create_datagram_endpoint(loop, echo->protocol(), &options, nullptr));
                if (echo == &made) loop.RunUntil([&] { return made.made || made.released; });
            }
            hoya_future *future = nullptr;
            if (faults.Ok(hoya_create_datagram_endpoint(loop, trying.protocol(), &options, &future)))
                EXPECT_GE(hoya_future_cancel(future, nullptr), 0) << "needs no memory";
            hoya_future_unref(future);
        }
        EXPECT_EQ(made.released, 1);
        EXPECT_EQ(begun.released, 1);
        EXPECT_EQ(trying.released, 1);
    });
}

#ifdef HOYA_FAULTS

namespace
{

/* What the system's next calls answer, in turn; 0: as it is. */
struct Script {
    std::vector<int> in, out;
    ssize_t most = 1 << 20; /* what is longer is longer than any memory */
    size_t ins = 0, outs = 0;

    static int Next(const std::vector<int> &codes, size_t *turn)
    {
        size_t at = (*turn)++;
        return at < codes.size() ? codes[at] : 0;
    }
} * script;

class ScriptedSystem : public VariantFaults
{
  protected:
    void SetUp() override
    {
        VariantFaults::SetUp();
        script = &says;
        hoya_sys.recvfrom = [](int fd, void *buffer, size_t size, int flags, sockaddr *from, socklen_t *length) {
            int code = Script::Next(script->in, &script->ins);
            if (!code) {
                ssize_t n = hoya_sys_real.recvfrom(fd, buffer, size, flags, from, length);
                return n > script->most ? static_cast<ssize_t>(size) + 1 : n;
            }
            errno = code;
            return static_cast<ssize_t>(-1);
        };
        hoya_sys.sendto = [](int fd, const void *data, size_t size, int flags, const sockaddr *to,
                             socklen_t length) {
            int code = Script::Next(script->out, &script->outs);
            if (!code) return hoya_sys_real.sendto(fd, data, size, flags, to, length);
            errno = code;
            return static_cast<ssize_t>(-1);
        };
        ASSERT_EQ(NewLoop(variant(), host.get(), &loop), 0) << hoya_error_detail();
    }
    void TearDown() override
    {
        hoya_datagram_transport_unref(transport);
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
    void Connect(const hoya_datagram_options *given = nullptr)
    {
        const std::string port = peer.port();
        hoya_datagram_options options = given ? *given : Options();
        options.remote_host = "127.0.0.1";
        options.remote_port = port.c_str();
        hoya_future *raw = nullptr;
        ASSERT_EQ(hoya_create_datagram_endpoint(loop, echo.protocol(), &options, &raw), 0);
        Future future(raw);
        RunUntil([&] { return hoya_future_done(raw) == 1; });
        void *value = nullptr;
        ASSERT_EQ(hoya_future_take(raw, &value, nullptr), 0) << hoya_error_detail();
        transport = static_cast<hoya_datagram_transport *>(value);
    }
    int Send(const std::string &text)
    {
        return hoya_datagram_transport_sendto(transport, text.data(), text.size(), nullptr);
    }

    Script says;
    Echo echo;
    Peer peer;
    hoya_loop *loop = nullptr;
    hoya_datagram_transport *transport = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Hosts, ScriptedSystem, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

// Holds: S117
TEST_P(ScriptedSystem, ADatagramThatIsLongerThanItsMemoryIsAnErrorAndTheNextComes)
{
    Connect();
    says.most = 100;
    peer.SendTo(transport, std::string(101, 'x'));
    peer.SendTo(transport, std::string(100, 'y'));
    RunUntil([&] { return !echo.got.empty(); });
    EXPECT_EQ(echo.got, std::vector<std::string>{std::string(100, 'y')}) << "never cut";
    EXPECT_EQ(echo.errors, std::vector<int>{HOYA_EMSGSIZE});
}

// Holds: S117
TEST_P(ScriptedSystem, InterruptionsAndNotNowAreNoErrors)
{
    Connect();
    says.in = {EINTR, EAGAIN, EINTR, EAGAIN};
    says.out = {EINTR, EAGAIN, EINTR, EAGAIN};
    says.ins = says.outs = 0;
    peer.SendTo(transport, "one");
    peer.SendTo(transport, "two");
    std::vector<std::string> back;
    RunUntil([&] {
        for (auto &text : peer.Receive()) back.push_back(text);
        return back.size() == 2;
    });
    EXPECT_EQ(back, (std::vector<std::string>{"one", "two"}));
    EXPECT_TRUE(echo.errors.empty());
    EXPECT_EQ(hoya_datagram_transport_get_write_buffer_size(transport), 0u);
}

// Holds: S118
TEST_P(ScriptedSystem, AnErrorInTheFlushGoesOnWithTheNextAndResumesAndAClosingOneEnds)
{
    for (bool closes : {false, true}) {
        hoya_datagram_options options = Options();
        options.write_high = 40; /* two wait at most, or three, with what is kept of each */
        echo = Echo();
        Connect(&options);
        says.out = {EAGAIN, ENOBUFS, 0, ENOBUFS};
        says.outs = 0;
        for (const char *text : {"first", "second", "third"}) EXPECT_EQ(Send(text), 0);
        EXPECT_EQ(echo.paused, 1);
        if (closes) EXPECT_EQ(hoya_datagram_transport_close(transport), 0);
        RunUntil([&] { return closes ? echo.released == 1 : echo.resumed == 1; });
        EXPECT_EQ(peer.Receive(), std::vector<std::string>{"second"});
        EXPECT_EQ(echo.errors, (std::vector<int>{HOYA_ENOBUFS, HOYA_ENOBUFS}));
        EXPECT_EQ(echo.resumed, 1);
        EXPECT_EQ(says.outs, 4u) << "one attempt each, after the first";
        EXPECT_EQ(hoya_datagram_transport_get_write_buffer_size(transport), 0u);
        if (!closes) EXPECT_EQ(hoya_datagram_transport_abort(transport), 0);
        RunUntil([&] { return echo.released == 1; });
        hoya_datagram_transport_unref(transport);
        transport = nullptr;
    }
}

// Holds: S117 S118
TEST_P(ScriptedSystem, WhatAnEarlierOneLeftBehindCostsTheNextNothingAlsoWhereThatWaited)
{
    Connect();
    says.out = {EAGAIN, ECONNREFUSED, 0, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EAGAIN};
    says.outs = 0;
    for (const char *text : {"first", "second", "third"}) EXPECT_EQ(Send(text), 0);
    std::vector<std::string> all;
    RunUntil([&] {
        for (auto &text : peer.Receive()) all.push_back(text);
        return all.size() == 2 && echo.errors.size() >= 2;
    });
    EXPECT_EQ(all, (std::vector<std::string>{"first", "third"}));
    /* The second one's own, said twice, is told once; the others are told as the system does it: the first of a round. */
    EXPECT_EQ(std::count(echo.errors.begin(), echo.errors.end(), HOYA_EHOSTUNREACH), 1);
    EXPECT_GE(std::count(echo.errors.begin(), echo.errors.end(), HOYA_ECONNREFUSED), 1);
    says.out = {ECONNREFUSED, ENOBUFS};
    says.outs = 0;
    EXPECT_EQ(Send("refused"), HOYA_ENOBUFS) << "the second answer is this one's";
    says.outs = 0;
    says.out = {EHOSTUNREACH, EHOSTUNREACH};
    EXPECT_EQ(Send("refused"), HOYA_EHOSTUNREACH) << "said twice: it is this one's";
}

// Holds: S117
TEST_P(ScriptedSystem, ATooLongOneIsRefusedAlsoWhereItWouldWait)
{
    Connect();
    says.out = {EAGAIN};
    says.outs = 0;
    EXPECT_EQ(Send("waits"), 0);
    size_t waiting = hoya_datagram_transport_get_write_buffer_size(transport);
    EXPECT_EQ(Send(std::string(65508, 'x')), HOYA_EMSGSIZE);
    EXPECT_EQ(hoya_datagram_transport_get_write_buffer_size(transport), waiting);
    size_t got = 0;
    RunUntil([&] { return (got += peer.Receive().size()) == 1; });
    EXPECT_TRUE(echo.errors.empty());
}

TEST_P(ScriptedSystem, WhoIsNotToldOfRoomAsksLessAndLessOftenUntilOneHasLeft)
{
    hoya_address to;
    ASSERT_EQ(hoya_address_set_unix(&to, ("@hoya-rests-" + std::to_string(getpid())).c_str()), 0);
    int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr *>(&to.storage), to.length), 0);
    ASSERT_EQ(hoya_create_unix_datagram_endpoint(loop, nullptr, nullptr, echo.protocol(), nullptr, &transport), 0);
    size_t sent = 0, came = 0;
    char byte;
    auto send = [&] {
        sent++;
        EXPECT_EQ(hoya_datagram_transport_sendto(transport, "x", 1, &to), 0);
    };
    auto has_come = [&] {
        came += recv(receiver, &byte, 1, 0) == 1;
        return came == sent;
    };

    says.out = std::vector<int>(1000, EAGAIN);
    says.outs = 0;
    send();
    int64_t begin = hoya_loop_time(loop);
    RunUntil([&] { return says.outs == 7; });
    EXPECT_GE(hoya_loop_time(loop) - begin, HOYA_MSEC(10 + 20 + 40 + 80 + 100 + 100 - 10));
    says.out = {};
    RunUntil(has_come);

    int64_t shortest = INT64_MAX; /* of some: the machine may be busy */
    for (int i = 0; i < 10 && shortest >= HOYA_MSEC(50); i++) {
        says.out = {EAGAIN};
        says.outs = 0;
        begin = hoya_loop_time(loop);
        send();
        RunUntil(has_come);
        shortest = std::min(shortest, hoya_loop_time(loop) - begin);
    }
    EXPECT_LT(shortest, HOYA_MSEC(50)) << "from the beginning again";
    close(receiver);
}

// Holds: F19
TEST_P(ScriptedSystem, ADescriptorThatIsGoneEndsIt)
{
    Connect();
    says.in = {EBADF};
    says.ins = 0;
    peer.SendTo(transport, "x");
    RunUntil([&] { return echo.released == 1; });
    EXPECT_TRUE(echo.errors.empty() && echo.got.empty());
}

#endif

} // namespace hoya_test
