/* SPDX-License-Identifier: MIT
 *
 * unit/io/connection_test.cc: a connection that is made while the system does what it seldom does.
 */
#include <cerrno>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hoya/hoya.h>

#include "base/sys.h"

#ifdef HOYA_FAULTS

namespace hoya_test
{

/* A reset may come between the end of the connect and the question who has answered. */
// Holds: S107
TEST(ConnectionThatHasEndedAtOnce, HasThePeerThatWasCalled)
{
    hoya_loop *loop = nullptr;
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    hoya_address place;
    ASSERT_EQ(hoya_address_set(&place, "127.0.0.1", "0"), 0);
    auto address = reinterpret_cast<sockaddr *>(&place.storage);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(bind(server, address, place.length), 0);
    ASSERT_EQ(getsockname(server, address, &place.length), 0);
    ASSERT_EQ(listen(server, 1), 0);
    char text[HOYA_ADDRESS_TEXT_SIZE];
    ASSERT_GE(hoya_address_format(address, place.length, text, sizeof text), 0);
    const std::string called = text;

    hoya_sys.getpeername = [](int, sockaddr *, socklen_t *) {
        errno = ENOTCONN;
        return -1;
    };
    hoya_protocol_ops deaf = {};
    deaf.size = sizeof deaf;
    hoya_protocol protocol = {};
    protocol.ops = &deaf;
    hoya_future *future = nullptr;
    const std::string port = called.substr(called.rfind(':') + 1);
    ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", port.c_str(), protocol, nullptr, &future), 0);
    void *transport = nullptr;
    int rc = hoya_run_until_complete(loop, future, &transport);
    hoya_sys = hoya_sys_real;
    ASSERT_EQ(rc, 0) << hoya_error_detail();

    hoya_address peer;
    ASSERT_EQ(hoya_transport_get_peername(static_cast<hoya_transport *>(transport), &peer), 0)
        << hoya_error_detail();
    ASSERT_GE(hoya_address_format(reinterpret_cast<sockaddr *>(&peer.storage), peer.length, text, sizeof text), 0);
    EXPECT_EQ(text, called);
    hoya_future_unref(future);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    hoya_loop_unref(loop);
    close(server);
}

} // namespace hoya_test

#endif
