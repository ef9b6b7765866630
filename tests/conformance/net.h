/* SPDX-License-Identifier: MIT
 *
 * conformance/net.h: protocols as tests like them: they note what they hear, and do beside that what the test says.
 */
#ifndef HOYA_TESTS_NET_H
#define HOYA_TESTS_NET_H

#include "notes.h"
#include "support/futures.h"

#include <hoya/net.h>

#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{

/* Notes "NAME data" and "NAME eof", too. A connection that is still there at its end goes on without it. */
class Recorder : public Notes<hoya_transport>
{
  public:
    Recorder(Trace *trace, std::string name, bool buffered = false)
        : Notes(trace, std::move(name)), buffered_(buffered)
    {
    }
    ~Recorder()
    {
        static const hoya_protocol_ops nothing = {sizeof nothing, nullptr, nullptr, nullptr, nullptr, nullptr,
                                                  nullptr,        nullptr, nullptr, nullptr, nullptr};
        if (transport) EXPECT_EQ(hoya_transport_set_protocol(transport, {&nothing, nullptr}), 0);
    }
    hoya_protocol protocol() { return {buffered_ ? &kBuffered : &kPlain, static_cast<Notes *>(this)}; }

    /* What it answers, beside the rest; each may be empty. */
    Answer on_eof;
    std::function<int(hoya_transport *, const std::string &)> on_data;
    std::function<int(hoya_transport *, void **, size_t *)> on_buffer;

    std::string data;
    std::vector<size_t> reads; /* the size of each */

  private:
    static Recorder *Of(void *arg) { return static_cast<Recorder *>(static_cast<Notes *>(arg)); }

    static int GetBuffer(hoya_transport *transport, size_t hint, void **buffer, size_t *size, void *arg)
    {
        EXPECT_GT(hint, 0u);
        *buffer = Of(arg)->memory_;
        *size = sizeof Of(arg)->memory_;
        return Of(arg)->on_buffer ? Of(arg)->on_buffer(transport, buffer, size) : 0;
    }
    static int Updated(hoya_transport *transport, size_t count, void *arg)
    {
        return Of(arg)->Take(transport, std::string(Of(arg)->memory_, count));
    }
    static int Data(hoya_transport *transport, const void *data, size_t size, void *arg)
    {
        return Of(arg)->Take(transport, std::string(static_cast<const char *>(data), size));
    }
    int Take(hoya_transport *from, const std::string &bytes)
    {
        if (notes_data) Note("data");
        data += bytes;
        reads.push_back(bytes.size());
        return on_data ? on_data(from, bytes) : 0;
    }
    static int Eof(hoya_transport *transport, void *arg)
    {
        Of(arg)->Note("eof");
        return Of(arg)->on_eof ? Of(arg)->on_eof(transport) : 0;
    }

    static constexpr hoya_protocol_ops kPlain = {
        sizeof(hoya_protocol_ops), Made, nullptr, nullptr, Data, Eof, Pause, Resume, Lost, Released, nullptr};
    static constexpr hoya_protocol_ops kBuffered = {
        sizeof(hoya_protocol_ops), Made, GetBuffer, Updated, nullptr, Eof, Pause, Resume, Lost, Released, nullptr};
    bool buffered_;
    char memory_[4096];
};

struct UnrefTransport {
    void operator()(hoya_transport *transport) const { hoya_transport_unref(transport); }
};
using Transport = std::unique_ptr<hoya_transport, UnrefTransport>;

/* Connections over socket pairs: one end is a transport of the loop's, the other a plain descriptor of the test's. */
class NetConformance : public LoopConformance
{
  protected:
    /* A transport on one end of a pair; *peer is the other one, closed after the loop. */
    Transport Connect(Recorder &recorder, int *peer, const hoya_transport_options *options = nullptr)
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        *peer = Own(fds[1]);
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, fds[0], recorder.protocol(), options, &transport), 0)
            << hoya_error_detail();
        return Transport(transport);
    }
    /* The same, with connection_made behind it. */
    Transport Connected(Recorder &recorder, int *peer, const hoya_transport_options *options = nullptr)
    {
        Transport transport = Connect(recorder, peer, options);
        RunRounds(1);
        EXPECT_NE(recorder.transport, nullptr);
        trace.clear();
        return transport;
    }
    static int Write(const Transport &transport, const std::string &data)
    {
        return hoya_transport_write(transport.get(), data.data(), data.size());
    }
    static void Send(int fd, const std::string &data)
    {
        EXPECT_EQ(send(fd, data.data(), data.size(), MSG_NOSIGNAL), static_cast<ssize_t>(data.size()));
    }
    /* What there is to read now. */
    static std::string Receive(int fd)
    {
        std::string all;
        char some[65536];
        for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) > 0;) all.append(some, static_cast<size_t>(n));
        return all;
    }
    static bool AtEnd(int fd)
    {
        char byte;
        return recv(fd, &byte, 1, MSG_PEEK) == 0;
    }
    /* Reads from the other end until the connection has ended; what came. */
    std::string ReceiveAll(int peer, const Recorder &recorder)
    {
        std::string all;
        RunUntil([&] {
            all += Receive(peer);
            return recorder.released > 0;
        });
        return all + Receive(peer);
    }
};

} // namespace hoya_test

#endif
