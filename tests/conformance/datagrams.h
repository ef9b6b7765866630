/* SPDX-License-Identifier: MIT
 *
 * conformance/datagrams.h: datagram protocols as tests like them: they note what they hear, and do beside that what the test
 * says.
 */
#ifndef HOYA_TESTS_DATAGRAMS_H
#define HOYA_TESTS_DATAGRAMS_H

#include "notes.h"
#include "support/futures.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{

/* Notes "NAME got TEXT" and "NAME error CODE", too. An endpoint that is still there at its end goes on without it. */
class Hearer : public Notes<hoya_datagram_transport>
{
  public:
    Hearer(Trace *trace, std::string name) : Notes(trace, std::move(name)) {}
    ~Hearer()
    {
        static const hoya_datagram_protocol_ops nothing = {sizeof nothing, nullptr, nullptr, nullptr,
                                                           nullptr,        nullptr, nullptr, nullptr};
        if (transport) EXPECT_EQ(hoya_datagram_transport_set_protocol(transport, {&nothing, nullptr}), 0);
    }
    hoya_datagram_protocol protocol() { return {&kOps, static_cast<Notes *>(this)}; }

    /* What it answers, beside the rest; each may be empty. */
    std::function<int(hoya_datagram_transport *, const std::string &, const hoya_address &)> on_datagram;
    std::function<int(hoya_datagram_transport *, int)> on_error;

    std::vector<std::string> got;
    std::vector<int> errors;
    std::vector<std::string> texts; /* the detail of each error */
    hoya_address from = {};         /* of the last one */

  private:
    static Hearer *Of(void *arg) { return static_cast<Hearer *>(static_cast<Notes *>(arg)); }

    static int Received(hoya_datagram_transport *transport, const void *data, size_t size, const hoya_address *from,
                        void *arg)
    {
        const std::string text(static_cast<const char *>(data), size);
        Of(arg)->got.push_back(text);
        Of(arg)->from = *from;
        if (Of(arg)->notes_data) Of(arg)->Note("got " + text);
        return Of(arg)->on_datagram ? Of(arg)->on_datagram(transport, text, *from) : 0;
    }
    static int Error(hoya_datagram_transport *transport, int code, void *arg)
    {
        Of(arg)->errors.push_back(code);
        Of(arg)->texts.push_back(hoya_error_detail());
        Of(arg)->Note(std::string("error ") + hoya_error_name(code));
        return Of(arg)->on_error ? Of(arg)->on_error(transport, code) : 0;
    }

    static constexpr hoya_datagram_protocol_ops kOps = {
        sizeof(hoya_datagram_protocol_ops), Made, Received, Error, Pause, Resume, Lost, Released};
};

struct UnrefDatagrams {
    void operator()(hoya_datagram_transport *transport) const { hoya_datagram_transport_unref(transport); }
};
using Datagrams = std::unique_ptr<hoya_datagram_transport, UnrefDatagrams>;

inline hoya_address AddressOf(const char *host, int port)
{
    hoya_address address = {};
    EXPECT_EQ(hoya_address_set(&address, host, std::to_string(port).c_str()), 0) << hoya_error_detail();
    return address;
}

inline std::string TextOf(const hoya_address &address)
{
    char text[HOYA_ADDRESS_TEXT_SIZE] = "?";
    hoya_address_format(reinterpret_cast<const sockaddr *>(&address.storage), address.length, text, sizeof text);
    return text;
}

inline int PortOf(const hoya_address &address)
{
    return ntohs(address.storage.ss_family == AF_INET6
                     ? reinterpret_cast<const sockaddr_in6 *>(&address.storage)->sin6_port
                     : reinterpret_cast<const sockaddr_in *>(&address.storage)->sin_port);
}

/* Endpoints of the loop's, and plain sockets of the test's on the other side. */
class DatagramConformance : public LoopConformance
{
  protected:
    void SetUp() override
    {
        LoopConformance::SetUp();
        options.size = sizeof options;
    }
    /* So much is in the trace. */
    void RunUntilHeard(size_t words)
    {
        RunUntil([&] { return trace.size() >= words; });
        EXPECT_EQ(trace.size(), words);
    }
    Future Create(Hearer &hearer)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_datagram_endpoint(loop, hearer.protocol(), &options, &future), 0)
            << hoya_error_detail();
        return Future(future);
    }
    /* What becomes of it. */
    int Result(const Future &future)
    {
        RunUntil([&] { return hoya_future_done(future.get()); });
        return hoya_future_result(future.get(), nullptr);
    }
    Datagrams Take(Future future)
    {
        EXPECT_EQ(Result(future), 0) << hoya_error_detail();
        void *value = nullptr;
        EXPECT_EQ(hoya_future_take(future.get(), &value, nullptr), 0);
        trace.clear();
        return Datagrams(static_cast<hoya_datagram_transport *>(value));
    }
    /* On this host, a port of the system's choice; not connected. */
    Datagrams Open(Hearer &hearer, const char *at = OwnAddress())
    {
        options.local_host = at;
        return Take(Create(hearer));
    }
    /* Connected with a socket of the test's. */
    Datagrams Connect(Hearer &hearer, int peer)
    {
        std::string port = std::to_string(PortOf(NameOf(peer)));
        options.remote_host = OwnAddress();
        options.remote_port = port.c_str();
        Datagrams transport = Take(Create(hearer));
        options.remote_host = options.remote_port = nullptr;
        return transport;
    }
    /* One end of a pair of Unix sockets is an endpoint: connected, and the kernel's queue between them is short. */
    Datagrams OnPair(Hearer &hearer, int *peer, int type = SOCK_DGRAM)
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        *peer = Own(fds[1]);
        hoya_datagram_transport *transport = nullptr;
        EXPECT_EQ(hoya_create_datagram_endpoint_on_socket(loop, fds[0], hearer.protocol(), &options, &transport), 0)
            << hoya_error_detail();
        RunRounds(1);
        trace.clear();
        return Datagrams(transport);
    }
    /* A plain socket of the test's. */
    int Peer(const char *at = OwnAddress(), int port = 0)
    {
        hoya_address address = AddressOf(at, port);
        int fd = Own(socket(address.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0) << strerror(errno);
        return fd;
    }
    static hoya_address NameOf(int fd)
    {
        hoya_address address = {};
        address.length = sizeof address.storage;
        EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr *>(&address.storage), &address.length), 0);
        return address;
    }
    static hoya_address NameOf(const Datagrams &transport)
    {
        hoya_address address = {};
        EXPECT_EQ(hoya_datagram_transport_get_sockname(transport.get(), &address), 0);
        return address;
    }
    static void SendTo(int fd, const std::string &text, const hoya_address &to)
    {
        EXPECT_EQ(
            sendto(fd, text.data(), text.size(), 0, reinterpret_cast<const sockaddr *>(&to.storage), to.length),
            static_cast<ssize_t>(text.size()))
            << strerror(errno);
    }
    static int Send(const Datagrams &transport, const std::string &text, const hoya_address *to = nullptr)
    {
        return hoya_datagram_transport_sendto(transport.get(), text.data(), text.size(), to);
    }
    /* What there is now, each. */
    static std::vector<std::string> Receive(int fd)
    {
        std::vector<std::string> all;
        static char some[300000];
        for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) >= 0;) all.emplace_back(some, static_cast<size_t>(n));
        return all;
    }
    /* So many are received, in any number of rounds. */
    std::vector<std::string> Await(int fd, size_t count)
    {
        std::vector<std::string> all;
        RunUntil([&] {
            for (auto &one : Receive(fd)) all.push_back(std::move(one));
            return all.size() >= count;
        });
        return all;
    }
    /* Sends until so many wait; how many that were in all. */
    static size_t Fill(const Datagrams &transport, size_t waiting, size_t size = 1000,
                       const hoya_address *to = nullptr)
    {
        size_t count = 0;
        while (hoya_datagram_transport_get_write_buffer_size(transport.get()) < waiting &&
               !hoya_datagram_transport_is_closing(transport.get())) {
            std::string text = std::to_string(count) + " ";
            text.resize(std::max(text.size(), size), '.');
            EXPECT_EQ(Send(transport, text, to), 0) << hoya_error_detail();
            count++;
        }
        return count;
    }

    hoya_datagram_options options = {};
};

} // namespace hoya_test

#endif
