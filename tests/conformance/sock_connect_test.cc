/* SPDX-License-Identifier: MIT
 *
 * conformance/sock_connect_test.cc: plain sockets in tasks: connections, accepted and made.
 */
#include "sock.h"

#include <sys/un.h>

namespace hoya_test
{
namespace
{

hoya_address UnixAddress(const std::string &name)
{
    hoya_address address = {};
    EXPECT_EQ(hoya_address_set_unix(&address, name.c_str()), 0);
    return address;
}

int UnixListener(const hoya_address &address, int backlog = 8)
{
    int fd = NewSocket(AF_UNIX);
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr *>(&address.storage), address.length), 0);
    EXPECT_EQ(listen(fd, backlog), 0);
    return fd;
}

/* A listener that answers nobody any more: its queue is full. */
struct Silent {
    int listener, filler;
    hoya_address address;

    Silent() : listener(BoundSocket(SOCK_STREAM, 0)), filler(NewSocket()), address(AddressOf(listener))
    {
        connect(filler, reinterpret_cast<sockaddr *>(&address.storage), address.length);
    }
    ~Silent()
    {
        close(listener);
        close(filler);
    }
};

} // namespace

TEST_P(TaskConformance, AConnectionIsAcceptedAndMade)
{
    int listener = Own(BoundSocket(SOCK_STREAM)), client = Own(NewSocket());
    const hoya_address address = AddressOf(listener);
    Task server = Create([&](hoya_task *) {
        hoya_fd connection = -1;
        hoya_address peer;
        EXPECT_EQ(hoya_sock_accept(listener, &connection, &peer), 0);
        EXPECT_TRUE(Same(peer, AddressOf(client)));
        EXPECT_TRUE(fcntl(connection, F_GETFL) & O_NONBLOCK);
        EXPECT_TRUE(fcntl(connection, F_GETFD) & FD_CLOEXEC);
        EXPECT_EQ(SockRecv(connection, 100), "hello");
        EXPECT_EQ(SockSend(connection, "goodbye"), 0);
        return close(connection);
    });
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sock_connect(client, &address), 0);
        EXPECT_EQ(Stats().watches, 0u + !Done(server)) << "the listener's, perhaps";
        EXPECT_EQ(SockSend(client, "hello"), 0);
        EXPECT_EQ(SockRecv(client, 100), "goodbye");
        EXPECT_EQ(SockRecv(client, 100), "");
        return 0;
    });
    RunUntilDone({Of(server), Of(task)});
    EXPECT_EQ(Stats().watches, 0u);
}

TEST_P(TaskConformance, AUnixConnectionIsMadeAtOnceOrNotAtAll)
{
    const hoya_address address = UnixAddress("@hoya-sock-" + std::to_string(getpid()));
    int listener = Own(UnixListener(address, 0));
    Task task = Create([&](hoya_task *self) {
        int first = Own(NewSocket(AF_UNIX)), second = Own(NewSocket(AF_UNIX));
        EXPECT_EQ(hoya_task_cancel(self, nullptr), 1);
        EXPECT_EQ(hoya_sock_connect(first, &address), 0) << "it does not wait";
        EXPECT_EQ(hoya_sock_connect(second, &address), HOYA_EAGAIN) << "there is no more room";
        hoya_fd connection = -1;
        hoya_address peer;
        EXPECT_EQ(hoya_sock_accept(listener, &connection, &peer), 0) << "nor does this";
        Own(connection);
        EXPECT_EQ(hoya_sock_connect(second, &address), 0);
        EXPECT_EQ(hoya_task_uncancel(self), 0);
        int third = Own(NewSocket(AF_UNIX));
        const hoya_address nobody = UnixAddress("@hoya-sock-nobody-" + std::to_string(getpid()));
        EXPECT_EQ(hoya_sock_connect(third, &nobody), HOYA_ECONNREFUSED);
        EXPECT_NE(std::string(hoya_error_detail()).find("connect to unix:@hoya-sock-nobody"), std::string::npos)
            << hoya_error_detail();
        return 0;
    });
    RunUntilDone({Of(task)});
}

// Holds: S83
TEST_P(TaskConformance, AConnectThatFailsSaysWhyAndWhere)
{
    int gone = BoundSocket(SOCK_STREAM), client = Own(NewSocket());
    const hoya_address nobody = AddressOf(gone);
    close(gone);
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sock_connect(client, &nobody), HOYA_ECONNREFUSED);
        char text[HOYA_ADDRESS_TEXT_SIZE];
        hoya_address_format(reinterpret_cast<const sockaddr *>(&nobody.storage), nobody.length, text, sizeof text);
        EXPECT_EQ(hoya_error_detail(), std::string("connect to ") + text + ": connection refused");
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Stats().watches, 0u);
}

// Holds: S83
TEST_P(TaskConformance, ACancelledAcceptLeavesTheListenerUsable)
{
    int listener = Own(BoundSocket(SOCK_STREAM)), client = Own(NewSocket());
    const hoya_address address = AddressOf(listener);
    hoya_fd connection = -1;
    Task first = Create([&](hoya_task *) { return hoya_sock_accept(listener, &connection, nullptr); });
    Task second = Create([&](hoya_task *) {
        hoya_fd other = -1;
        EXPECT_EQ(hoya_sock_accept(listener, &other, nullptr), HOYA_EBUSY);
        EXPECT_EQ(hoya_task_cancel(first.get(), nullptr), 1);
        EXPECT_EQ(hoya_wait_done(Of(first)), 0);
        EXPECT_EQ(Stats().watches, 0u);
        Task connector = Create([&](hoya_task *) { return hoya_sock_connect(client, &address); });
        EXPECT_EQ(hoya_sock_accept(listener, &other, nullptr), 0);
        Own(other);
        EXPECT_EQ(hoya_await(Of(connector), nullptr), 0);
        EXPECT_EQ(SockSend(other, "x"), 0);
        EXPECT_EQ(SockRecv(client, 10), "x");
        return 0;
    });
    RunUntilDone({Of(first), Of(second)});
    EXPECT_EQ(Result(first), HOYA_ECANCELED);
    EXPECT_EQ(connection, -1) << "outputs are untouched on failure";
}

// Holds: S83
TEST_P(TaskConformance, ACancelledConnectLeavesTheSocketUnwatched)
{
    Silent silent;
    int client = Own(NewSocket());
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sock_connect(client, &silent.address), HOYA_ECANCELED);
        EXPECT_EQ(Stats().watches, 0u);
        EXPECT_EQ(hoya_sock_connect(client, &silent.address), HOYA_ECANCELED) << "nor is it waited for";
        int fresh = Own(NewSocket());
        EXPECT_EQ(hoya_sock_connect(fresh, &silent.address), HOYA_ECANCELED);
        hoya_address peer;
        EXPECT_EQ(AddressOf(fresh).length, sizeof(sockaddr_in));
        EXPECT_EQ(ntohs(reinterpret_cast<sockaddr_in *>(&(peer = AddressOf(fresh)).storage)->sin_port), 0)
            << "it was not even begun";
        return 0;
    });
    CallLater(HOYA_MSEC(3), [&] { hoya_task_cancel(task.get(), nullptr); });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, AConnectIsNotTakenForMadeWhenSomethingElseWakesTheTask)
{
    Silent silent;
    int client = Own(NewSocket());
    Task task = Create([&](hoya_task *) { return hoya_sock_connect(client, &silent.address); });
    Task other = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        EXPECT_EQ(hoya_task_uncancel(task.get()), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_FALSE(Done(task));
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        return 0;
    });
    RunUntilDone({Of(task), Of(other)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

TEST_P(TaskConformance, WhatWouldBlockIsRefused)
{
    int listener = Own(BoundSocket(SOCK_STREAM)), client = Own(NewSocket());
    const hoya_address address = AddressOf(listener);
    SetBlocking(listener);
    SetBlocking(client);
    int closed = dup(client);
    close(closed);
    Task task = Create([&](hoya_task *) {
        hoya_fd connection = -1;
        EXPECT_EQ(hoya_sock_accept(listener, &connection, nullptr), HOYA_EINVAL);
        EXPECT_NE(std::string(hoya_error_detail()).find("needs O_NONBLOCK"), std::string::npos);
        EXPECT_EQ(hoya_sock_connect(client, &address), HOYA_EINVAL);
        EXPECT_NE(std::string(hoya_error_detail()).find("needs O_NONBLOCK"), std::string::npos);
        EXPECT_EQ(hoya_sock_accept(closed, &connection, nullptr), HOYA_EBADF);
        EXPECT_EQ(hoya_sock_connect(closed, &address), HOYA_EBADF);
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, AcceptAndConnectSayWhatIsWrongWithTheirArguments)
{
    int listener = Own(BoundSocket(SOCK_STREAM)), client = Own(NewSocket());
    Task task = Create([&](hoya_task *) {
        hoya_fd connection = -1;
        hoya_address wrong = {};
        EXPECT_EQ(hoya_sock_accept(listener, nullptr, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_accept(-1, &connection, nullptr), HOYA_EBADF);
        EXPECT_EQ(hoya_sock_accept(client, &connection, nullptr), HOYA_EINVAL) << "it does not listen";
        EXPECT_EQ(hoya_sock_connect(client, nullptr), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_connect(client, &wrong), HOYA_EINVAL);
        wrong.length = sizeof wrong.storage + 1;
        EXPECT_EQ(hoya_sock_connect(client, &wrong), HOYA_EINVAL);
        EXPECT_EQ(hoya_sock_connect(-1, &wrong), HOYA_EINVAL);
        const hoya_address other = UnixAddress("@hoya-sock-family");
        EXPECT_EQ(hoya_sock_connect(client, &other), HOYA_EAFNOSUPPORT);
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, ManyWhoComeAtOnceAreAcceptedOneByOne)
{
    constexpr int kMany = 50;
    int listener = Own(BoundSocket(SOCK_STREAM, kMany));
    const hoya_address address = AddressOf(listener);
    std::vector<Task> clients;
    std::vector<hoya_future *> all;
    int served = 0;
    for (int i = 0; i < kMany; i++) {
        clients.push_back(Create([&](hoya_task *) {
            int fd = Own(NewSocket());
            EXPECT_EQ(hoya_sock_connect(fd, &address), 0);
            EXPECT_EQ(SockSend(fd, "x"), 0);
            EXPECT_EQ(SockRecv(fd, 10), "x");
            return 0;
        }));
        all.push_back(Of(clients.back()));
    }
    Task server = Create([&](hoya_task *self) {
        for (; served < kMany; served++) {
            hoya_fd fd = -1;
            EXPECT_EQ(hoya_sock_accept(listener, &fd, nullptr), 0);
            Own(fd);
            hoya_task *made =
                CreateChild(self, [fd](hoya_task *) { return SockSend(fd, SockRecv(fd, 10)); }).release();
            hoya_task_unref(made);
        }
        return hoya_sleep(HOYA_MSEC(1));
    });
    all.push_back(Of(server));
    RunUntilDone(all);
    EXPECT_EQ(served, kMany);
}

TEST_P(TaskConformance, AResolverOfTheProgramsRunsInlineAndCannotWait)
{
    std::vector<int> said;
    Task task = Create([&](hoya_task *) {
        hoya_resolver_ops ops = {};
        ops.size = sizeof ops;
        ops.name = "waits";
        ops.getaddrinfo = [](hoya_loop *, const char *, const char *, const addrinfo *, void *list,
                             hoya_future **) -> int {
            static_cast<std::vector<int> *>(list)->push_back(hoya_sleep(0));
            return HOYA_EAI_AGAIN;
        };
        ops.getnameinfo = [](hoya_loop *, const sockaddr *, socklen_t, int, void *list, hoya_future **) -> int {
            static_cast<std::vector<int> *>(list)->push_back(hoya_sleep(0));
            return HOYA_EAI_AGAIN;
        };
        EXPECT_EQ(hoya_set_resolver(loop, &ops, &said), 0);
        hoya_future *lookup = nullptr;
        EXPECT_EQ(hoya_getaddrinfo(loop, "somebody.example", "80", nullptr, &lookup), HOYA_EAI_AGAIN);
        hoya_address address;
        EXPECT_EQ(hoya_address_set(&address, "127.0.0.1", "80"), 0);
        EXPECT_EQ(
            hoya_getnameinfo(loop, reinterpret_cast<sockaddr *>(&address.storage), address.length, 0, &lookup),
            HOYA_EAI_AGAIN);
        EXPECT_EQ(hoya_set_resolver(loop, nullptr, nullptr), 0);
        return hoya_sleep(0);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), 0);
    EXPECT_EQ(said, std::vector<int>(2, HOYA_EPERM));
}

} // namespace hoya_test
