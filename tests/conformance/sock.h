/* SPDX-License-Identifier: MIT
 *
 * conformance/sock.h: plain sockets as tests like them: non-blocking, close-on-exec, and closed after the loop.
 */
#ifndef HOYA_TESTS_SOCK_H
#define HOYA_TESTS_SOCK_H

#include "tasks.h"

#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace hoya_test
{

inline std::string SockRecv(int fd, size_t size, int *rc = nullptr)
{
    std::string bytes(size, '\0');
    ssize_t n = hoya_sock_recv(fd, &bytes[0], size);
    if (rc) *rc = n < 0 ? static_cast<int>(n) : 0;
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
}

inline int SockSend(int fd, const std::string &bytes, size_t *sent = nullptr)
{
    return hoya_sock_sendall(fd, bytes.data(), bytes.size(), sent);
}

/* What there is now. */
inline std::string ReadAll(int fd)
{
    std::string all;
    char some[65536];
    for (ssize_t n; (n = recv(fd, some, sizeof some, MSG_DONTWAIT)) > 0;) all.append(some, static_cast<size_t>(n));
    return all;
}

inline std::string Pattern(size_t size)
{
    std::string data(size, ' ');
    for (size_t i = 0; i < size; i++) data[i] = static_cast<char>('a' + i % 23 + i / 4096 % 3);
    return data;
}

inline hoya_address AddressOf(int fd)
{
    hoya_address address = {};
    address.length = sizeof address.storage;
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr *>(&address.storage), &address.length), 0);
    return address;
}

inline bool Same(const hoya_address &one, const hoya_address &other)
{
    return one.length == other.length && memcmp(&one.storage, &other.storage, one.length) == 0;
}

/* A socket bound to a port of the system's on the loopback; a stream one listens. */
inline int BoundSocket(int type, int backlog = 8)
{
    hoya_address address;
    EXPECT_EQ(hoya_address_set(&address, OwnAddress(), nullptr), 0);
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
    if (type == SOCK_STREAM) EXPECT_EQ(listen(fd, backlog), 0);
    return fd;
}

inline int NewSocket(int family = AF_INET, int type = SOCK_STREAM)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    EXPECT_GE(fd, 0);
    return fd;
}

/* A file with these bytes, and no name. */
inline int FileOf(const std::string &bytes)
{
    char name[] = "/tmp/hoya-sock-XXXXXX";
    int fd = mkostemp(name, O_CLOEXEC);
    EXPECT_GE(fd, 0);
    EXPECT_EQ(unlink(name), 0);
    EXPECT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    return fd;
}

/* In a task, at its end: the threads of the default executor have ended, too. */
inline void EndJobs(hoya_loop *loop)
{
    hoya_future *future = nullptr;
    EXPECT_EQ(hoya_shutdown_default_executor(loop, HOYA_NEVER, &future), 0);
    EXPECT_EQ(hoya_await(future, nullptr), 0);
    hoya_future_unref(future);
}

inline void SetBlocking(int fd)
{
    EXPECT_EQ(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK), 0);
}

} // namespace hoya_test

#endif
