/* SPDX-License-Identifier: MIT
 *
 * conformance/sock_refused_test.cc: plain sockets in tasks: who is refused, because another one is there, because this is no
 * task's turn, or because of the arguments.
 */
#include "sock.h"

#include <thread>

namespace hoya_test
{

/* ---- one task a side ----------------------------------------------------------------------------------------- */

// Holds: S82
TEST_P(TaskConformance, ASecondTaskOnOneSideIsRefusedAndTheFirstGoesOn)
{
    auto fds = MakePair();
    Task first = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        return 0;
    });
    Task second = Create([&](hoya_task *) {
        int rc = 0;
        EXPECT_EQ(SockRecv(fds[0], 10, &rc), "");
        EXPECT_EQ(rc, HOYA_EBUSY);
        EXPECT_NE(std::string(hoya_error_detail()).find("another task reads descriptor"), std::string::npos);
        Feed(fds[1]);
        EXPECT_EQ(SockRecv(fds[0], 10, &rc), "") << "not even what is there: the first one has not come to it yet";
        EXPECT_EQ(rc, HOYA_EBUSY);
        EXPECT_EQ(SockSend(fds[0], "the other side is free"), 0);
        return 0;
    });
    RunUntilDone({Of(first), Of(second)});
    EXPECT_EQ(ReadAll(fds[1]), "the other side is free");
}

// Holds: S82
TEST_P(TaskConformance, ASecondTaskThatWritesIsRefused)
{
    auto fds = MakePair();
    const std::string data = Pattern(2u << 20);
    Task first = Create([&](hoya_task *) { return SockSend(fds[0], data); });
    Task second = Create([&](hoya_task *) {
        size_t sent = 3;
        EXPECT_EQ(SockSend(fds[0], "between", &sent), HOYA_EBUSY);
        EXPECT_EQ(sent, 0u);
        EXPECT_EQ(hoya_sock_sendto(fds[0], "x", 1, nullptr), HOYA_EBUSY);
        int file = Own(FileOf("x"));
        EXPECT_EQ(hoya_sock_sendfile(fds[0], file, 0, 1, 0, nullptr), HOYA_EBUSY);
        const hoya_address address = AddressOf(fds[1]);
        EXPECT_EQ(hoya_sock_connect(fds[0], &address), HOYA_EBUSY);
        std::string got;
        while (got.size() < data.size()) got += SockRecv(fds[1], 65536);
        EXPECT_TRUE(got == data);
        return 0;
    });
    RunUntilDone({Of(first), Of(second)});
}

// Holds: S82
TEST_P(TaskConformance, ATaskAndAReaderDoNotShareASide)
{
    auto fds = MakePair();
    Probe probe;
    Task first = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        return 0;
    });
    Task second = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_loop_add_reader(loop, fds[0], Probe::RunFd, &probe, Probe::Destroy), HOYA_EBUSY);
        EXPECT_EQ(hoya_loop_replace_reader(loop, fds[0], Probe::RunFd, &probe, Probe::Destroy), HOYA_EBUSY);
        EXPECT_EQ(probe.destroyed, 2);
        EXPECT_EQ(hoya_loop_remove_reader(loop, fds[0]), 0) << "there is none";
        EXPECT_EQ(hoya_loop_add_writer(loop, fds[0], Probe::RunFd, &probe, nullptr), 0) << "the other side";
        for (int i = 0; i < 1000 && !probe.runs; i++) EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_loop_remove_writer(loop, fds[0]), 1);
        EXPECT_GT(probe.runs, 0);
        Feed(fds[1]);
        return 0;
    });
    RunUntilDone({Of(first), Of(second)});
    Task third = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_loop_add_reader(loop, fds[0], Probe::RunFd, &probe, nullptr), 0);
        Feed(fds[1]);
        int rc = 0;
        EXPECT_EQ(SockRecv(fds[0], 10, &rc), "");
        EXPECT_EQ(rc, HOYA_EBUSY);
        EXPECT_EQ(SockSend(fds[0], "x"), 0);
        EXPECT_EQ(hoya_loop_remove_reader(loop, fds[0]), 1);
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        return 0;
    });
    RunUntilDone({Of(third)});
}

// Holds: S82
TEST_P(TaskConformance, WhatATransportHasIsNoTasks)
{
    auto fds = MakePair();
    static const hoya_protocol_ops nothing = [] {
        hoya_protocol_ops ops = {};
        ops.size = sizeof ops;
        return ops;
    }();
    Task task = Create([&](hoya_task *) {
        int rc = 0;
        SockRecv(fds[0], 10, &rc);
        return rc;
    });
    Task other = Create([&](hoya_task *) {
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, fds[0], {&nothing, nullptr}, nullptr, &transport), HOYA_EBUSY);
        int taken = dup(fds[1]), rc = 0; /* which is the transport's then */
        EXPECT_EQ(hoya_connect_accepted_socket(loop, taken, {&nothing, nullptr}, nullptr, &transport), 0);
        SockRecv(taken, 10, &rc);
        EXPECT_EQ(rc, HOYA_EBUSY);
        EXPECT_EQ(SockSend(taken, "x"), HOYA_EBUSY);
        EXPECT_EQ(hoya_transport_abort(transport), 0);
        hoya_transport_unref(transport);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        hoya_task_cancel(task.get(), nullptr);
        return 0;
    });
    RunUntilDone({Of(task), Of(other)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

/* ---- where it is no task's turn -------------------------------------------------------------------------------- */

TEST_P(TaskConformance, OutsideOfATaskASockCallIsRefused)
{
    auto fds = MakePair();
    char byte;
    hoya_address address = AddressOf(fds[0]);
    hoya_fd connection = 77;
    size_t sent = 1;
    Feed(fds[1]);
    auto refused = [&](int code) {
        EXPECT_EQ(hoya_sock_recv(fds[0], &byte, 1), code);
        EXPECT_EQ(hoya_sock_recvfrom(fds[0], &byte, 1, &address), code);
        EXPECT_EQ(hoya_sock_sendall(fds[0], "x", 1, &sent), code);
        EXPECT_EQ(hoya_sock_sendto(fds[0], "x", 1, nullptr), code);
        EXPECT_EQ(hoya_sock_sendfile(fds[0], fds[1], 0, 1, 0, nullptr), code);
        EXPECT_EQ(hoya_sock_accept(fds[0], &connection, nullptr), code);
        EXPECT_EQ(hoya_sock_connect(fds[0], &address), code);
    };
    refused(HOYA_ESTATE);
    CallSoon([&] { refused(HOYA_ESTATE); });
    RunRounds(1);
    std::thread([&] { refused(HOYA_ESTATE); }).join();
    EXPECT_EQ(connection, 77);
    EXPECT_EQ(sent, 0u);
    EXPECT_EQ(ReadAll(fds[0]), "x");
}

TEST_P(TaskConformance, InAForkedChildASockCallIsToldSo)
{
    auto fds = MakePair();
    Task task = Create([&](hoya_task *) {
        Feed(fds[1]);
        EXPECT_EQ(InChild([&] {
                      char byte;
                      EXPECT_EQ(hoya_sock_recv(fds[0], &byte, 1), HOYA_ECHILD);
                  }),
                  0);
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, ALoopIsClosedWithTasksThatWaitForSockets)
{
    auto fds = MakePair();
    int codes[2] = {0, 0};
    size_t sent = 0;
    Task reader = Create([&](hoya_task *) {
        char byte;
        codes[0] = static_cast<int>(hoya_sock_recv(fds[0], &byte, 1));
        EXPECT_EQ(hoya_sock_recv(fds[0], &byte, 1), HOYA_ECANCELED);
        Feed(fds[1]);
        EXPECT_EQ(hoya_sock_recv(fds[0], &byte, 1), 1) << "what is there is given";
        return 0;
    });
    Task writer = Create([&](hoya_task *) { return codes[1] = SockSend(fds[0], Pattern(4u << 20), &sent); });
    RunRounds(2);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(codes[0], HOYA_ECANCELED);
    EXPECT_EQ(codes[1], HOYA_ECANCELED);
    EXPECT_EQ(ReadAll(fds[1]).size(), sent);
    ClearLog();
}

/* ---- what is wrong with the arguments --------------------------------------------------------------------------- */

TEST_P(TaskConformance, ASockCallSaysWhatIsWrongWithItsArguments)
{
    auto fds = MakePair();
    auto pipe = MakePipe();
    int closed = dup(fds[0]);
    close(closed);
    Task task = Create([&](hoya_task *) {
        char byte;
        size_t sent = 9;
        auto says = [](const char *text) {
            EXPECT_NE(std::string(hoya_error_detail()).find(text), std::string::npos) << hoya_error_detail();
        };
        EXPECT_EQ(hoya_sock_recv(fds[0], nullptr, 1), HOYA_EINVAL);
        says("no memory to receive into");
        EXPECT_EQ(hoya_sock_recv(fds[0], &byte, 0), HOYA_EINVAL) << "which would look like the end";
        EXPECT_EQ(hoya_sock_recv(-1, &byte, 1), HOYA_EBADF);
        says("descriptor -1 is negative");
        EXPECT_EQ(hoya_sock_recv(closed, &byte, 1), HOYA_EBADF);
        EXPECT_EQ(hoya_sock_recv(pipe[0], &byte, 1), HOYA_ENOTSOCK);
        EXPECT_EQ(hoya_sock_sendall(fds[0], nullptr, 1, &sent), HOYA_EINVAL);
        says("no data to send");
        EXPECT_EQ(sent, 0u);
        EXPECT_EQ(hoya_sock_sendall(fds[0], nullptr, 0, &sent), 0);
        EXPECT_EQ(hoya_sock_sendall(closed, "x", 1, nullptr), HOYA_EBADF);
        EXPECT_EQ(hoya_sock_sendto(fds[0], nullptr, 1, nullptr), HOYA_EINVAL);
        hoya_address wrong = {};
        wrong.length = sizeof wrong.storage + 1;
        EXPECT_EQ(hoya_sock_sendto(fds[0], "x", 1, &wrong), HOYA_EINVAL);
        says("an address that is too long");
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(ReadAll(fds[1]), "");
}

} // namespace hoya_test
