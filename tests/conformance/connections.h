/* SPDX-License-Identifier: MIT
 *
 * conformance/connections.h: connections that are made, to plain sockets that listen, refuse, or never answer.
 */
#ifndef HOYA_TESTS_CONNECTIONS_H
#define HOYA_TESTS_CONNECTIONS_H

#include "net.h"
#include "support/resolvers.h"

#include <arpa/inet.h>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>

namespace hoya_test
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

} // namespace hoya_test

#endif
