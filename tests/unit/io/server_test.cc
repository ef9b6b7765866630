/* SPDX-License-Identifier: MIT
 *
 * unit/io/server_test.cc: servers on a clock that the test turns, with system calls that fail and without memory.
 */
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit/failing_allocator.h"

extern "C" {
#include "base/sys.h"
}

namespace hoya_test
{
namespace
{

/* A server whose connections do nothing, on a loop whose time stands still. */
class ServerUnit : public testing::Test
{
  protected:
    void SetUp() override
    {
        hoya_clock clock = {[](void *arg) { return *static_cast<int64_t *>(arg); }, &now};
        hoya_loop_options options = {};
        options.size = sizeof options;
        options.clock = &clock;
        ASSERT_EQ(hoya_loop_new(&options, &loop), 0);
        auto handler = [](hoya_loop *, const hoya_exception_context *context, void *arg) {
            static_cast<ServerUnit *>(arg)->reports.push_back(context->code);
            return 0;
        };
        EXPECT_EQ(hoya_loop_set_exception_handler(loop, handler, this), 0);
    }
    void TearDown() override
    {
        allocator.fail = false;
#ifdef HOYA_FAULTS
        hoya_sys = hoya_sys_real;
#endif
        hoya_server_unref(server);
        EXPECT_EQ(hoya_loop_close(loop), 0);
        hoya_loop_unref(loop);
        for (int fd : clients) close(fd);
        EXPECT_EQ(destroyed, created);
    }

    static int Factory(hoya_server *, hoya_protocol *protocol, void *arg)
    {
        static const hoya_protocol_ops ops = [] {
            hoya_protocol_ops o = {};
            o.size = sizeof o;
            o.connection_made = [](hoya_transport *, void *at) { return static_cast<ServerUnit *>(at)->made++, 0; };
            o.released = [](void *at) { static_cast<ServerUnit *>(at)->released++; };
            return o;
        }();
        *protocol = {&ops, arg};
        return 0;
    }
    static void Destroy(void *arg)
    {
        static_cast<ServerUnit *>(arg)->destroyed++;
    }

    /* What became of it; the server is taken if there is one. */
    int Create(const char *host = "127.0.0.1", const char *port = "0")
    {
        hoya_future *future = nullptr;
        created++;
        int rc = hoya_create_server(loop, host, port, Factory, this, Destroy, nullptr, &future);
        if (rc < 0) return rc;
        void *value = nullptr;
        rc = hoya_future_take(future, &value, nullptr);
        text = rc < 0 ? hoya_error_detail() : "";
        hoya_server_unref(server);
        server = static_cast<hoya_server *>(value);
        hoya_future_unref(future);
        return rc;
    }
    void Dial()
    {
        hoya_address address;
        ASSERT_EQ(hoya_server_get_sockname(server, 0, &address), 0);
        int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        clients.push_back(fd);
    }
    bool Dumped(const std::string &wanted)
    {
        std::string dump;
        auto add = [](const char *line, void *arg) { *static_cast<std::string *>(arg) += line; };
        EXPECT_EQ(hoya_loop_dump(loop, add, &dump), 0);
        return dump.find(wanted) != std::string::npos;
    }
    void RunRounds(int n)
    {
        for (int i = 0; i < n; i++) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }
    int PortOf(size_t index)
    {
        hoya_address address = {};
        EXPECT_EQ(hoya_server_get_sockname(server, index, &address), 0);
        return ntohs(reinterpret_cast<sockaddr_in *>(&address.storage)->sin_port); /* at the same place in both */
    }

    FailingAllocator allocator;
    int64_t now = HOYA_SEC(100);
    hoya_loop *loop = nullptr;
    hoya_server *server = nullptr;
    std::vector<int> reports, clients;
    std::string text;
    int created = 0, made = 0, released = 0, destroyed = 0;
};

} // namespace

TEST_F(ServerUnit, TheEndNeedsNoMemory)
{
    ASSERT_EQ(Create(), 0);
    Dial();
    Dial();
    RunRounds(3);
    ASSERT_EQ(made, 2);
    hoya_future *closed = nullptr, *forever = nullptr;
    ASSERT_EQ(hoya_server_wait_closed(server, &closed), 0);
    ASSERT_EQ(hoya_server_serve_forever(server, &forever), 0);
    allocator.fail = true;
    EXPECT_EQ(hoya_future_cancel(forever, "a text that is dropped"), 1);
    EXPECT_EQ(hoya_server_close_clients(server), 0);
    EXPECT_EQ(hoya_server_abort_clients(server), 0);
    RunRounds(2);
    EXPECT_EQ(released, 2);
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(hoya_future_result(closed, nullptr), 0);
    EXPECT_EQ(hoya_future_cancelled(forever), 1);
    hoya_future_unref(closed);
    hoya_future_unref(forever);
}

TEST_F(ServerUnit, WithoutMemoryNothingIsBegun)
{
    for (int n = 0;; n++) {
        allocator.fail_after = n;
        int rc = Create("", "0");
        if (rc >= 0) break;
        EXPECT_EQ(rc, HOYA_ENOMEM) << n;
        EXPECT_EQ(destroyed, created) << n;
        ASSERT_LT(n, 100);
    }
    allocator.fail_after = -1;
    hoya_future *future = nullptr;
    allocator.fail = true;
    EXPECT_EQ(hoya_server_wait_closed(server, &future), HOYA_ENOMEM);
    EXPECT_EQ(hoya_server_serve_forever(server, &future), HOYA_ENOMEM);
    EXPECT_EQ(hoya_server_is_serving(server), 1);
}

// Holds: S115
TEST_F(ServerUnit, AConnectionForWhichThereIsNoMemoryIsClosedAndReported)
{
    ASSERT_EQ(Create(), 0);
    Dial();
    allocator.fail = true;
    RunRounds(2);
    EXPECT_EQ(reports, std::vector<int>{HOYA_ENOMEM});
    EXPECT_EQ(released, 1);
    char byte;
    EXPECT_EQ(recv(clients[0], &byte, 1, MSG_DONTWAIT), 0);
    allocator.fail = false;
    Dial();
    RunRounds(3);
    EXPECT_EQ(made, 1);
}

#ifdef HOYA_FAULTS

namespace
{
/* What replaces system calls has no argument. */
std::function<int()> accept_fault, bind_fault; /* 0: none */
int accepts;

int Accept(int fd, sockaddr *address, socklen_t *length, int flags)
{
    accepts++;
    int code = accept_fault ? accept_fault() : 0;
    if (!code) return hoya_sys_real.accept4(fd, address, length, flags);
    errno = code;
    return -1;
}

int Bind(int fd, const sockaddr *address, socklen_t length)
{
    int code = bind_fault ? bind_fault() : 0;
    if (!code) return hoya_sys_real.bind(fd, address, length);
    errno = code;
    return -1;
}

class ServerFaults : public ServerUnit
{
  protected:
    void SetUp() override
    {
        ServerUnit::SetUp();
        accept_fault = bind_fault = nullptr;
        accepts = 0;
        hoya_sys.accept4 = Accept;
        hoya_sys.bind = Bind;
    }
};
} // namespace

// Holds: S114
TEST_F(ServerFaults, WithoutDescriptorsAServerReportsOnceAndTriesAgainAfterASecond)
{
    for (int code : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        reports.clear();
        accept_fault = nullptr;
        ASSERT_EQ(Create("", "0"), 0);
        accept_fault = [code] { return code; };
        accepts = made = 0;
        Dial();
        RunRounds(100);
        EXPECT_EQ(reports, std::vector<int>{-code});
        EXPECT_EQ(accepts, 1);
        EXPECT_EQ(hoya_server_is_serving(server), 1);
        EXPECT_TRUE(Dumped("connections: 0, resting: it could not accept"));
        now += HOYA_SEC(1) - 1;
        RunRounds(3);
        EXPECT_EQ(accepts, 1);
        now += 1;
        RunRounds(3);
        EXPECT_EQ(accepts, 2);
        EXPECT_EQ(reports.size(), 2u) << "another second, another report";
        accept_fault = nullptr;
        RunRounds(3);
        EXPECT_EQ(accepts, 2);
        now += HOYA_SEC(1);
        RunRounds(4);
        EXPECT_EQ(made, 1);
        EXPECT_EQ(reports.size(), 2u);
        EXPECT_EQ(hoya_server_close(server), 0);
        now += HOYA_SEC(10);
    }
}

// Holds: S114
TEST_F(ServerFaults, AConnectionsEndIsTriedAtOnceAndNotReportedAgain)
{
    ASSERT_EQ(Create(), 0);
    for (int i = 0; i < 3; i++) Dial();
    RunRounds(3);
    ASSERT_EQ(made, 3);
    accept_fault = [] { return EMFILE; };
    Dial();
    RunRounds(3);
    accepts = 0;
    for (int i = 0; i < 3; i++) {
        close(clients[static_cast<size_t>(i)]);
        RunRounds(4);
        EXPECT_EQ(released, i + 1);
        EXPECT_EQ(accepts, i + 1);
    }
    EXPECT_EQ(reports, std::vector<int>{HOYA_EMFILE});
    clients.erase(clients.begin(), clients.begin() + 3);
}

// Holds: S114
TEST_F(ServerFaults, AServerThatRestsMayBeClosed)
{
    ASSERT_EQ(Create("", "0"), 0);
    accept_fault = [] { return EMFILE; };
    Dial();
    RunRounds(2);
    ASSERT_EQ(reports.size(), 1u);
    now += HOYA_SEC(1);
    EXPECT_EQ(hoya_server_close(server), 0);
    RunRounds(3);
    EXPECT_EQ(accepts, 1);
    ASSERT_EQ(Create(), 0);
    Dial();
    RunRounds(2);
    ASSERT_EQ(accepts, 2);
    /* and its loop */
}

// Holds: S114
TEST_F(ServerFaults, WithoutMemoryForTheAlarmTheNextRoundTries)
{
    ASSERT_EQ(Create(), 0);
    accept_fault = [] { return EMFILE; };
    Dial();
    allocator.fail = true; /* the heap of timers is empty, and has no room */
    RunRounds(4);
    EXPECT_GE(accepts, 2);
    EXPECT_EQ(reports.size(), 1u);
    allocator.fail = false;
    accept_fault = nullptr;
    RunRounds(4);
    EXPECT_EQ(made, 1);
}

// Holds: S114
TEST_F(ServerFaults, WhoCannotBeWatchedAgainIsTriedAgain)
{
    ASSERT_EQ(Create("", "0"), 0);
    accept_fault = [] { return EMFILE; };
    Dial();
    RunRounds(2);
    accept_fault = nullptr;
    hoya_sys.epoll_ctl = [](int set, int op, int fd, epoll_event *event) {
        return op == EPOLL_CTL_ADD ? (errno = ENOSPC, -1) : hoya_sys_real.epoll_ctl(set, op, fd, event);
    };
    now += HOYA_SEC(1);
    RunRounds(3);
    EXPECT_EQ(reports, (std::vector<int>{HOYA_EMFILE, HOYA_ENOSPC}));
    hoya_sys.epoll_ctl = hoya_sys_real.epoll_ctl;
    now += HOYA_SEC(1);
    RunRounds(4);
    EXPECT_EQ(made, 1);
}

// Holds: S113
TEST_F(ServerFaults, AConnectionThatEndedBeforeItWasAcceptedIsPassedOver)
{
    ASSERT_EQ(Create(), 0);
    std::vector<int> codes = {ECONNABORTED, EPROTO, EINTR, EHOSTUNREACH, ENETDOWN, ENONET, EOPNOTSUPP};
    accept_fault = [&] {
        if (codes.empty()) return 0;
        int code = codes.back();
        codes.pop_back();
        return code;
    };
    Dial();
    RunRounds(3);
    EXPECT_EQ(made, 1);
    EXPECT_EQ(reports.size(), 0u);
}

// Holds: S116
TEST_F(ServerFaults, APortThatIsTakenOnTheOtherFamilyIsChosenAgain)
{
    int binds = 0;
    bind_fault = [&] { return ++binds == 2 || binds == 4 ? EADDRINUSE : 0; };
    ASSERT_EQ(Create("", "0"), 0);
    EXPECT_EQ(binds, 6);
    ASSERT_EQ(hoya_server_count_sockets(server), 2u);
    EXPECT_EQ(PortOf(0), PortOf(1));
}

// Holds: S116
TEST_F(ServerFaults, WhereNoPortIsFreeOnBothFamiliesEachHasItsOwn)
{
    int binds = 0;
    hoya_sys.bind = Bind;
    bind_fault = [&] { return ++binds % 2 == 0 && binds < 32 ? EADDRINUSE : 0; };
    ASSERT_EQ(Create("", "0"), 0);
    EXPECT_EQ(binds, 32);
    ASSERT_EQ(hoya_server_count_sockets(server), 2u);
    EXPECT_NE(PortOf(0), PortOf(1));
}

// Holds: S116
TEST_F(ServerFaults, AFamilyThatIsMissingIsLeftOut)
{
    int binds = 0;
    bind_fault = [&] { return ++binds == 1 ? EADDRNOTAVAIL : 0; };
    ASSERT_EQ(Create("", "0"), 0);
    EXPECT_EQ(hoya_server_count_sockets(server), 1u);
    bind_fault = nullptr;
    hoya_sys.socket = [](int family, int type, int protocol) {
        return family == AF_INET6 ? (errno = EAFNOSUPPORT, -1) : hoya_sys_real.socket(family, type, protocol);
    };
    ASSERT_EQ(Create("", "0"), 0);
    EXPECT_EQ(hoya_server_count_sockets(server), 1u);
    EXPECT_EQ(Create("::1", "0"), HOYA_EAFNOSUPPORT);
    EXPECT_NE(text.find("[::1]:0"), std::string::npos) << text;
    bind_fault = [] { return EADDRNOTAVAIL; };
    EXPECT_EQ(Create("", "0"), HOYA_EADDRNOTAVAIL);
}

// Holds: S116
TEST_F(ServerFaults, WhatCannotBeBoundLeavesNothing)
{
    int binds = 0, open = dup(0);
    close(open);
    bind_fault = [&] { return ++binds == 2 ? EACCES : 0; };
    EXPECT_EQ(Create("", "0"), HOYA_EACCES);
    EXPECT_EQ(destroyed, 1);
    hoya_sys.listen = [](int, int) { return errno = EADDRINUSE, -1; };
    EXPECT_EQ(Create("", "0"), HOYA_EADDRINUSE);
    EXPECT_EQ(text.find("listen on "), 0u) << text;
    EXPECT_EQ(destroyed, 2);
    int now_open = dup(0);
    close(now_open);
    EXPECT_EQ(now_open, open);
}

// Holds: S123
TEST_F(ServerFaults, AUnixServerThatFailsTakesItsPathWithIt)
{
    char directory[] = "/tmp/hoya-server-XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    std::string path = std::string(directory) + "/socket";
    hoya_server_options options = {};
    options.size = sizeof options;
    options.keep_socket = 1;
    hoya_sys.listen = [](int, int) { return errno = EADDRINUSE, -1; };
    created++;
    EXPECT_EQ(hoya_create_unix_server(loop, path.c_str(), Factory, this, Destroy, &options, nullptr),
              HOYA_EADDRINUSE);
    EXPECT_NE(access(path.c_str(), F_OK), 0);
    hoya_sys.listen = hoya_sys_real.listen;
    for (int n = 0;; n++) {
        allocator.fail_after = n;
        created++;
        int rc = hoya_create_unix_server(loop, path.c_str(), Factory, this, Destroy, nullptr, &server);
        if (rc >= 0) break;
        EXPECT_EQ(rc, HOYA_ENOMEM);
        EXPECT_NE(access(path.c_str(), F_OK), 0);
        ASSERT_LT(n, 100);
    }
    allocator.fail_after = -1;
    EXPECT_EQ(hoya_server_close(server), 0);
    EXPECT_EQ(rmdir(directory), 0);
}

/* Somebody else's path has the same name, and the number of a file that is gone: while ours is open it has that number. */
// Holds: S123
TEST_F(ServerFaults, AUnixServerRemovesItsPathBeforeItClosesItsSocket)
{
    static std::string order;
    char directory[] = "/tmp/hoya-server-XXXXXX";
    ASSERT_NE(mkdtemp(directory), nullptr);
    std::string path = std::string(directory) + "/socket";
    created++;
    ASSERT_EQ(hoya_create_unix_server(loop, path.c_str(), Factory, this, Destroy, nullptr, &server), 0);
    hoya_sys.unlink = [](const char *of) { return order += "unlink ", hoya_sys_real.unlink(of); };
    hoya_sys.close = [](int fd) { return order += "close ", hoya_sys_real.close(fd); };
    hoya_sys.epoll_ctl = [](int set, int op, int fd, epoll_event *event) {
        return order += "unwatch ", hoya_sys_real.epoll_ctl(set, op, fd, event);
    };
    order = "";
    EXPECT_EQ(hoya_server_close(server), 0);
    EXPECT_EQ(order, "unwatch unlink close ");
    hoya_sys = hoya_sys_real;
    EXPECT_EQ(rmdir(directory), 0);
}

#endif

} // namespace hoya_test
