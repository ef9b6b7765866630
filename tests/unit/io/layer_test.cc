/* SPDX-License-Identifier: MIT
 *
 * unit/io/layer_test.cc: what a layer between the program and its connection may do, and the program may not.
 */
#include <string>

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "unit/loop/fake_host.h"

/* io/transport.h, which is C alone. */
extern "C" int hoya_transport_write_of_layer(hoya_transport *transport, const iovec *parts, size_t count);

namespace hoya_test
{
namespace
{

class Layer : public FakeHosted
{
  public:
    hoya_transport *transport = nullptr;
    int peer = -1, lost = 0;

    void SetUp() override
    {
        FakeHosted::SetUp();
        make();
        int pair[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        peer = pair[1];
        static const hoya_protocol_ops ops = [] {
            hoya_protocol_ops o = {};
            o.size = sizeof o;
            o.connection_lost = [](hoya_transport *, int, void *arg) { ++*static_cast<int *>(arg); };
            return o;
        }();
        hoya_protocol protocol = {};
        protocol.ops = &ops;
        protocol.arg = &lost;
        ASSERT_EQ(hoya_connect_accepted_socket(loop, pair[0], protocol, nullptr, &transport), 0);
        host->turn();
    }
    void TearDown() override
    {
        close(peer);
        hoya_transport_unref(transport);
        FakeHosted::TearDown();
    }
    int Add(std::string text)
    {
        iovec part = {&text[0], text.size()};
        return hoya_transport_write_of_layer(transport, &part, 1);
    }
    /* Until the end; what came. */
    std::string Receive()
    {
        std::string all;
        char some[65536];
        for (ssize_t n; (n = recv(peer, some, sizeof some, 0)) != 0; host->turn())
            if (n > 0) all.append(some, static_cast<size_t>(n));
        return all;
    }
};

} // namespace

// Holds: S95
TEST_F(Layer, SaysItsLastBehindTheProgramsCloseWhileThatIsFlushed)
{
    const std::string much(1000000, 'm');
    EXPECT_EQ(hoya_transport_write(transport, much.data(), much.size()), 0);
    EXPECT_EQ(hoya_transport_close(transport), 0);
    EXPECT_EQ(hoya_transport_write(transport, "x", 1), HOYA_ECLOSED);
    EXPECT_EQ(Add("bye"), 0);
    EXPECT_TRUE(Receive() == much + "bye");
    EXPECT_EQ(lost, 1);
}

TEST_F(Layer, IsRefusedBehindTheEnd)
{
    EXPECT_EQ(Add("first"), 0);
    EXPECT_EQ(hoya_transport_write_eof(transport), 0);
    EXPECT_EQ(Add("x"), HOYA_ESTATE);
    EXPECT_EQ(hoya_transport_abort(transport), 0);
    EXPECT_EQ(Add("x"), HOYA_ECLOSED);
    EXPECT_EQ(Receive(), "first");
}

} // namespace hoya_test
