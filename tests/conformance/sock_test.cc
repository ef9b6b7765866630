/* SPDX-License-Identifier: MIT
 *
 * conformance/sock_test.cc: plain sockets in tasks: bytes and datagrams, and what a cancel leaves. Who is refused:
 * sock_refused_test.cc; connections and files: sock_connect_test.cc, sock_sendfile_test.cc.
 */
#include "sock.h"

namespace hoya_test
{

/* ---- bytes ------------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, SockCallsThatNeedNotWaitLetNobodyElseRun)
{
    auto fds = MakePair();
    Feed(fds[1]);
    Task task = Create([&](hoya_task *) {
        CallSoon(Say("somebody else"));
        EXPECT_EQ(SockRecv(fds[0], 100).size(), 1u);
        EXPECT_EQ(SockSend(fds[0], "answer"), 0);
        Note("done");
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(trace, (Trace{"done", "somebody else"}));
    EXPECT_EQ(ReadAll(fds[1]), "answer");
}

TEST_P(TaskConformance, SockRecvWaitsForBytesAndTellsTheEnd)
{
    auto fds = MakePair();
    Task reader = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fds[0], 3), "hel");
        EXPECT_EQ(SockRecv(fds[0], 100), "lo");
        EXPECT_EQ(SockRecv(fds[0], 100), "again");
        int rc = 1;
        EXPECT_EQ(SockRecv(fds[0], 100, &rc), "");
        EXPECT_EQ(rc, 0) << "the end is no failure";
        EXPECT_EQ(Stats().watches, 0u);
        return 0;
    });
    Task writer = Create([&](hoya_task *) {
        EXPECT_EQ(Stats().watches, 1u);
        EXPECT_EQ(SockSend(fds[1], "hello"), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(SockSend(fds[1], "again"), 0);
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(shutdown(fds[1], SHUT_WR), 0);
        return 0;
    });
    RunUntilDone({Of(reader), Of(writer)});
}

TEST_P(TaskConformance, OfOneSocketOneTaskReadsAndAnotherWritesAtOnce)
{
    auto fds = MakePair();
    const std::string data = Pattern(3u << 20);
    std::string there, back;
    Task sender = Create([&](hoya_task *) {
        size_t sent = 0;
        EXPECT_EQ(SockSend(fds[0], data, &sent), 0);
        EXPECT_EQ(sent, data.size());
        return shutdown(fds[0], SHUT_WR);
    });
    Task receiver = Create([&](hoya_task *) {
        for (std::string some; !(some = SockRecv(fds[0], 65536)).empty();) back += some;
        return 0;
    });
    Task echo = Create([&](hoya_task *) {
        for (std::string some; !(some = SockRecv(fds[1], 65536)).empty();) EXPECT_EQ(SockSend(fds[1], some), 0);
        return shutdown(fds[1], SHUT_WR);
    });
    RunUntilDone({Of(sender), Of(receiver), Of(echo)});
    EXPECT_TRUE(back == data) << back.size() << " of " << data.size();
    EXPECT_EQ(Stats().watches, 0u);
}

TEST_P(TaskConformance, ASocketThatBlocksDoesNotBlockItsThread)
{
    auto fds = MakePair();
    SetBlocking(fds[0]);
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fds[0], 100), "x");
        EXPECT_EQ(SockSend(fds[0], Pattern(1u << 20)), 0);
        return 0;
    });
    Task feeder = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(SockSend(fds[1], "x"), 0);
        size_t left = 1u << 20;
        while (left) left -= SockRecv(fds[1], 65536).size();
        return 0;
    });
    RunUntilDone({Of(task), Of(feeder)});
}

TEST_P(TaskConformance, APeerThatHasGoneIsAFailureAndNoSignal)
{
    auto fds = MakePair();
    Close(fds[1]);
    Task task = Create([&](hoya_task *) {
        size_t sent = 7;
        EXPECT_EQ(SockSend(fds[0], "anybody?", &sent), HOYA_EPIPE);
        EXPECT_EQ(sent, 0u);
        EXPECT_NE(std::string(hoya_error_detail()), "");
        EXPECT_EQ(hoya_sock_sendto(fds[0], "x", 1, nullptr), HOYA_EPIPE);
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, ThePeersEndWakesATaskThatWaitsToWrite)
{
    auto fds = MakePair();
    size_t sent = 0;
    Task writer = Create([&](hoya_task *) {
        int rc = SockSend(fds[0], Pattern(4u << 20), &sent);
        EXPECT_TRUE(rc == HOYA_EPIPE || rc == HOYA_ECONNRESET) << rc;
        EXPECT_GT(sent, 0u);
        EXPECT_LT(sent, 4u << 20);
        return 0;
    });
    CallLater(HOYA_MSEC(2), [&] { Close(fds[1]); });
    RunUntilDone({Of(writer)});
}

/* A number is the next socket's as soon as the last one is closed. */
TEST_P(TaskConformance, NothingOfASocketStaysWithItsNumber)
{
    for (int i = 0; i < 3; i++) {
        int fds[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        Task reader = Create([&](hoya_task *) {
            EXPECT_EQ(SockRecv(fds[0], 10), "x");
            EXPECT_EQ(SockRecv(fds[0], 10), "");
            close(fds[0]);
            return 0;
        });
        Task writer = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_sleep(0), 0);
            EXPECT_EQ(SockSend(fds[1], "x"), 0);
            EXPECT_EQ(hoya_sleep(0), 0);
            return close(fds[1]);
        });
        RunUntilDone({Of(reader), Of(writer)});
    }
}

/* ---- datagrams --------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, DatagramsComeWholeAndWithTheirSender)
{
    int one = Own(BoundSocket(SOCK_DGRAM)), two = Own(BoundSocket(SOCK_DGRAM));
    const hoya_address to_one = AddressOf(one), to_two = AddressOf(two);
    Task receiver = Create([&](hoya_task *) {
        char buffer[16];
        hoya_address from;
        EXPECT_EQ(hoya_sock_recvfrom(two, buffer, sizeof buffer, &from), 5);
        EXPECT_TRUE(Same(from, to_one));
        EXPECT_EQ(hoya_sock_recvfrom(two, buffer, 2, nullptr), 2) << "the rest of it is lost";
        EXPECT_EQ(hoya_sock_recvfrom(two, buffer, sizeof buffer, &from), 0) << "an empty one";
        EXPECT_TRUE(Same(from, to_one));
        EXPECT_EQ(hoya_sock_recv(two, buffer, sizeof buffer), 4);
        return static_cast<int>(hoya_sock_sendto(two, "answer", 6, &from));
    });
    Task sender = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(1)), 0);
        EXPECT_EQ(hoya_sock_sendto(one, "hello", 5, &to_two), 5);
        EXPECT_EQ(hoya_sock_sendto(one, "again", 5, &to_two), 5);
        EXPECT_EQ(hoya_sock_sendto(one, nullptr, 0, &to_two), 0);
        EXPECT_EQ(hoya_sock_sendto(one, "last", 4, &to_two), 4);
        EXPECT_EQ(SockRecv(one, 100), "answer");
        std::string much(70000, 'x');
        EXPECT_EQ(hoya_sock_sendto(one, much.data(), much.size(), &to_two), HOYA_EMSGSIZE);
        EXPECT_EQ(hoya_sock_sendto(one, "x", 1, nullptr), HOYA_EDESTADDRREQ);
        return 0;
    });
    RunUntilDone({Of(receiver), Of(sender)});
}

TEST_P(TaskConformance, ADatagramThatNobodyTookIsAFailureOfALaterCall)
{
    int fd = Own(NewSocket(AF_INET, SOCK_DGRAM)), gone = BoundSocket(SOCK_DGRAM);
    const hoya_address nobody = AddressOf(gone);
    close(gone);
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sock_connect(fd, &nobody), 0) << "of datagrams that asks nobody";
        EXPECT_EQ(hoya_sock_sendto(fd, "x", 1, nullptr), 1);
        char byte;
        EXPECT_EQ(hoya_sock_recv(fd, &byte, 1), HOYA_ECONNREFUSED);
        return 0;
    });
    RunUntilDone({Of(task)});
}

TEST_P(TaskConformance, ADatagramWaitsForRoom)
{
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    Own(fds[0]), Own(fds[1]);
    int sent = 0;
    Task sender = Create([&](hoya_task *) {
        for (; sent < 1000; sent++) EXPECT_EQ(hoya_sock_sendto(fds[0], "0123456789", 10, nullptr), 10);
        return 0;
    });
    Task receiver = Create([&](hoya_task *) {
        EXPECT_LT(sent, 1000);
        for (int i = 0; i < 1000; i++) EXPECT_EQ(SockRecv(fds[1], 100).size(), 10u);
        return 0;
    });
    RunUntilDone({Of(sender), Of(receiver)});
}

/* ---- sockets with something left that no call here takes --------------------------------------------------- */

/* With IP_RECVERR an error is told once, and stays in a queue of its own: the socket is never quiet again. */
TEST_P(TaskConformance, AnErrorThatNobodyTakesOutOfItsQueueKeepsNoWaitingTaskBusy)
{
    int nobody = BoundSocket(SOCK_DGRAM), fd = NewSocket(AF_INET, SOCK_DGRAM), on = 1;
    hoya_address gone = AddressOf(nobody);
    EXPECT_EQ(close(nobody), 0);
    EXPECT_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sock_sendto(fd, "x", 1, &gone), 1);
        int rc = 0;
        SockRecv(fd, 10, &rc);
        EXPECT_EQ(rc, HOYA_ECONNREFUSED);
        uint64_t before = Stats().rounds;
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(100), &scope), 0);
        SockRecv(fd, 10, &rc);
        EXPECT_EQ(rc, HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        EXPECT_LT(Stats().rounds - before, 300u) << "in 100 ms, where a loop that spins has thousands";
        EXPECT_EQ(Stats().watches, 0u);
        return 0;
    });
    RunUntilDone({Of(task)});
    hoya_address here = AddressOf(fd);
    Task reader = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fd, 10), "news") << "what comes is still received";
        return 0;
    });
    Task writer = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_sleep(HOYA_MSEC(20)), 0);
        EXPECT_EQ(hoya_address_set(&gone, "127.0.0.1", nullptr), 0);
        reinterpret_cast<sockaddr_in *>(&gone.storage)->sin_port =
            reinterpret_cast<sockaddr_in *>(&here.storage)->sin_port;
        int other = NewSocket(AF_INET, SOCK_DGRAM);
        EXPECT_EQ(hoya_sock_sendto(other, "news", 4, &gone), 4);
        return close(other);
    });
    RunUntilDone({Of(reader), Of(writer)});
    EXPECT_EQ(close(fd), 0);
}

TEST_P(TaskConformance, ADatagramSocketThatWasShutDownKeepsNoWaitingTaskBusy)
{
    int fd = BoundSocket(SOCK_DGRAM);
    hoya_address here = AddressOf(fd);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr *>(&here.storage), here.length), 0);
    EXPECT_EQ(shutdown(fd, SHUT_RDWR), 0);
    Task task = Create([&](hoya_task *) {
        uint64_t before = Stats().rounds;
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(100), &scope), 0);
        int rc = 0;
        SockRecv(fd, 10, &rc);
        hoya_timeout_leave(scope);
        EXPECT_LT(Stats().rounds - before, 300u) << "in 100 ms, where a loop that spins has thousands";
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(close(fd), 0);
}

/* ---- cancels --------------------------------------------------------------------------------------------------- */

// Holds: S83
TEST_P(TaskConformance, ACancelledRecvLeavesTheSocketUsableAndUnwatched)
{
    auto fds = MakePair();
    Task task = Create([&](hoya_task *) {
        int rc = 0;
        SockRecv(fds[0], 10, &rc);
        EXPECT_EQ(rc, HOYA_ECANCELED);
        EXPECT_EQ(Stats().watches, 0u);
        SockRecv(fds[0], 10, &rc);
        EXPECT_EQ(rc, HOYA_ECANCELED) << "it stays cancelled";
        Feed(fds[1]);
        EXPECT_EQ(SockRecv(fds[0], 10), "x") << "what is there is given all the same";
        EXPECT_EQ(SockSend(fds[0], "goodbye"), 0);
        return 0;
    });
    Task other = Create([&](hoya_task *) {
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
        EXPECT_EQ(hoya_await(Of(task), nullptr), 0);
        EXPECT_EQ(SockSend(fds[1], "again"), 0);
        EXPECT_EQ(SockRecv(fds[0], 10), "again");
        return 0;
    });
    RunUntilDone({Of(task), Of(other)});
    EXPECT_EQ(ReadAll(fds[1]), "goodbye");
}

// Holds: S83
TEST_P(TaskConformance, WhatCameBeforeTheCancelIsNotLost)
{
    auto fds = MakePair();
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        int rc = 0;
        SockRecv(fds[0], 10, &rc);
        return rc;
    });
    CallSoon([&] {
        Feed(fds[1]);
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
    });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
}

TEST_P(TaskConformance, ACancelThatIsTakenBackDisturbsNoWaitOnASocket)
{
    auto fds = MakePair();
    Task task = Create([&](hoya_task *) {
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        return 0;
    });
    Task other = Create([&](hoya_task *) {
        for (int i = 0; i < 3; i++) {
            EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
            EXPECT_EQ(hoya_task_uncancel(task.get()), 0);
            EXPECT_EQ(hoya_sleep(0), 0);
            EXPECT_FALSE(Done(task));
        }
        Feed(fds[1]);
        return 0;
    });
    RunUntilDone({Of(task), Of(other)});
}

// Holds: S83
TEST_P(TaskConformance, SendallThatIsCancelledTellsHowMuchWent)
{
    auto fds = MakePair();
    size_t sent = 0;
    Task task = Create([&](hoya_task *) { return SockSend(fds[0], Pattern(4u << 20), &sent); });
    CallLater(HOYA_MSEC(2), [&] { hoya_task_cancel(task.get(), nullptr); });
    RunUntilDone({Of(task)});
    EXPECT_EQ(Result(task), HOYA_ECANCELED);
    EXPECT_GT(sent, 0u);
    EXPECT_EQ(ReadAll(fds[1]).size(), sent);
    EXPECT_EQ(Stats().watches, 0u);
}

TEST_P(TaskConformance, ATimeoutEndsAWaitOnASocket)
{
    auto fds = MakePair();
    Task task = Create([&](hoya_task *) {
        hoya_timeout *scope = nullptr;
        EXPECT_EQ(hoya_timeout_enter(HOYA_MSEC(2), &scope), 0);
        int rc = 0;
        SockRecv(fds[0], 10, &rc);
        EXPECT_EQ(rc, HOYA_EDEADLINE);
        EXPECT_EQ(hoya_timeout_leave(scope), 1);
        Feed(fds[1]);
        EXPECT_EQ(SockRecv(fds[0], 10), "x");
        return 0;
    });
    RunUntilDone({Of(task)});
}

/* ---- fairness -------------------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, ATaskThatAlwaysFindsBytesLetsOthersRun)
{
    auto fds = MakePair();
    bool ran = false;
    int turns = 0;
    Task task = Create([&](hoya_task *) {
        CallSoon([&] { ran = true; });
        for (; !ran && turns < 100000; turns++) {
            EXPECT_EQ(SockSend(fds[0], "x"), 0);
            EXPECT_EQ(SockRecv(fds[1], 1), "x");
        }
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_GT(turns, 10) << "not each call waits for a round";
    EXPECT_LT(turns, 1000);
}

TEST_P(TaskConformance, BytesCountAgainstATurnToo)
{
    auto fds = MakePair();
    bool ran = false;
    int turns = 0;
    const std::string some = Pattern(128u << 10);
    Task task = Create([&](hoya_task *) {
        CallSoon([&] { ran = true; });
        for (; !ran && turns < 1000; turns++) {
            EXPECT_EQ(SockSend(fds[0], some), 0);
            size_t got = 0;
            while (got < some.size()) got += SockRecv(fds[1], some.size()).size();
        }
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_GT(turns, 5);
    EXPECT_LT(turns, 200) << "by calls alone it would be 256";
}

TEST_P(TaskConformance, WhatIsSentAtOnceCountsByItsBytesToo)
{
    auto fds = MakePair();
    bool ran = false;
    int turns = 0;
    const std::string some = Pattern(48u << 10);
    std::string room(some.size(), ' ');
    Task task = Create([&](hoya_task *) {
        CallSoon([&] { ran = true; });
        for (; !ran && turns < 1000; turns++) {
            EXPECT_EQ(SockSend(fds[0], some), 0);
            size_t got = 0;
            for (ssize_t n; (n = recv(fds[1], &room[0], room.size(), MSG_DONTWAIT)) > 0;)
                got += static_cast<size_t>(n);
            EXPECT_EQ(got, some.size());
        }
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_GT(turns, 5);
    EXPECT_LT(turns, 300) << "by calls alone it would be 513";
}

/* ---- what can be seen of it --------------------------------------------------------------------------------------- */

TEST_P(TaskConformance, ADumpTellsForWhichDescriptorATaskWaits)
{
    auto fds = MakePair();
    Task reader = Create([&](hoya_task *) {
        int rc = 0;
        SockRecv(fds[0], 10, &rc);
        return rc;
    });
    RunRounds(1);
    std::string text;
    auto add = [](const char *line, void *arg) { *static_cast<std::string *>(arg) += std::string(line) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, add, &text), 0);
    EXPECT_NE(text.find("waits until descriptor " + std::to_string(fds[0]) + " is readable"), std::string::npos)
        << text;
    CallSoon([&] { hoya_task_cancel(reader.get(), nullptr); });
    RunUntilDone({Of(reader)});
}

// Holds: S81
TEST_P(TaskConformance, DebugModeTellsOfASocketThatIsClosedWhileATaskWaitsForIt)
{
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    Own(fds[1]);
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    Task reader = Create([&](hoya_task *) {
        int rc = 0;
        SockRecv(fds[0], 10, &rc);
        return rc;
    });
    RunRounds(2);
    close(fds[0]);
    RunRounds(3);
    EXPECT_TRUE(Logged("descriptor " + std::to_string(fds[0]) + " was closed while it was watched"));
    CallSoon([&] { hoya_task_cancel(reader.get(), nullptr); });
    RunUntilDone({Of(reader)});
    EXPECT_EQ(Result(reader), HOYA_ECANCELED);
    EXPECT_EQ(Stats().watches, 0u) << "the record goes without harm";
    ClearLog();
}

/* ---- dialogs -------------------------------------------------------------------------------------------------------- */

TEST_P(NestingTaskConformance, ATaskThatWaitsForASocketGoesOnInsideAnothersDialog)
{
    auto fds = MakePair();
    bool got = false;
    Task reader = Create([&](hoya_task *) {
        for (int i = 0; i < 3; i++) EXPECT_EQ(SockRecv(fds[0], 1), "x");
        got = true;
        return 0;
    });
    Task dialog = Create([&](hoya_task *) {
        for (int i = 0; i < 3; i++) CallLater(HOYA_MSEC(i), [&] { Feed(fds[1]); });
        host->RunNestedUntil([&] { return got; }, HOYA_SEC(10));
        EXPECT_TRUE(got);
        return 0;
    });
    RunUntilDone({Of(reader), Of(dialog)});
}

TEST_P(NestingTaskConformance, InACallbackOfATasksDialogASockCallIsRefused)
{
    auto fds = MakePair();
    int rc = 0;
    Task task = Create([&](hoya_task *) {
        CallSoon([&] {
            char byte;
            rc = static_cast<int>(hoya_sock_recv(fds[0], &byte, 1));
        });
        host->RunNestedUntil([&] { return rc != 0; }, HOYA_SEC(10));
        return 0;
    });
    RunUntilDone({Of(task)});
    EXPECT_TRUE(rc == HOYA_EDEADLK || rc == HOYA_ESTATE) << rc;
}

} // namespace hoya_test
