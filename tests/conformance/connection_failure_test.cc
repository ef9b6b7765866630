/* SPDX-License-Identifier: MIT
 *
 * conformance/connection_failure_test.cc: connections that come to nothing: in time, by a cancel, by what is refused.
 */
#include "connections.h"
#include "support/few_descriptors.h"

namespace hoya_test
{

/* ---- the time, and cancels ---- */

TEST_P(Connection, ATimeoutEndsAllOfIt)
{
    Recorder recorder(&trace, "a");
    std::vector<int> fds;
    Silent silent(&fds);
    hoya_connection_options options = Options();
    options.timeout = HOYA_MSEC(20);
    size_t before = OpenFds();
    Future future = Create("127.0.0.1", silent.port, recorder, &options);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_ETIMEDOUT);
    EXPECT_EQ(Text(future), "the time was up; 127.0.0.1:" + silent.port + ": no answer yet");
    EXPECT_EQ(trace, Trace{"a released"});
    EXPECT_EQ(OpenFds(), before);
    for (int fd : fds) Own(fd);
}

TEST_P(Connection, ACancelLeavesNothing)
{
    Recorder recorder(&trace, "a");
    std::vector<int> fds;
    Silent silent(&fds);
    size_t before = OpenFds();
    Future future = Create("127.0.0.1", silent.port, recorder);
    RunRounds(2);
    EXPECT_EQ(OpenFds(), before + 1);
    EXPECT_EQ(hoya_future_cancel(future.get(), "enough"), 1);
    EXPECT_EQ(Result(future), HOYA_ECANCELED);
    EXPECT_EQ(OpenFds(), before) << "at once";
    EXPECT_EQ(trace, Trace{"a released"});
    for (int fd : fds) Own(fd);
}

TEST_P(Connection, ACancelOfOneThatIsBeingMadeAbortsIt)
{
    Recorder recorder(&trace, "a");
    std::string port;
    int server = Listen(AF_INET, &port);
    hoya_future *future = nullptr;
    recorder.on_made = [&](hoya_transport *) {
        EXPECT_EQ(hoya_future_cancel(future, nullptr), 1);
        return 0;
    };
    ASSERT_EQ(hoya_create_connection(loop, "127.0.0.1", port.c_str(), recorder.protocol(), nullptr, &future), 0);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(trace, (Trace{"a made", "a lost", "a released"}));
    EXPECT_TRUE(hoya_future_cancelled(future));
    hoya_future_unref(future);
    int fd = Own(accept4(server, nullptr, nullptr, SOCK_NONBLOCK));
    RunRounds(1);
    EXPECT_TRUE(AtEnd(fd));
}

TEST_P(Connection, AFailureWithoutATextHasNoneOfAnothers)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    recorder.on_made = [](hoya_transport *) {
        hoya_error_set(HOYA_EBADF, "of something else");
        return HOYA_EINVAL;
    };
    Future future = Create("127.0.0.1", port, recorder);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_EINVAL);
    EXPECT_EQ(Text(future), "");
    EXPECT_FALSE(Logged("of something else"));
}

TEST_P(Connection, AConnectionMadeThatFailsFailsTheFuture)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    recorder.on_made = [](hoya_transport *) { return hoya_error_set(HOYA_EINVAL, "not my kind"); };
    Future future = Create("127.0.0.1", port, recorder);
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_EINVAL);
    RunUntil([&] { return recorder.released; });
    EXPECT_EQ(trace, (Trace{"a made", "a lost HOYA_EINVAL", "a released"}));
}

TEST_P(Connection, AClosedLoopForgetsWhatWasBegun)
{
    Recorder recorder(&trace, "a"), looking(&trace, "b");
    std::vector<int> fds;
    Silent silent(&fds);
    size_t before = OpenFds();
    Future future = Create("127.0.0.1", silent.port, recorder);
    RunRounds(2);
    Future other = Create("localhost", "80", looking);
    ASSERT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(trace, (Trace{"a released", "b released"}));
    EXPECT_FALSE(hoya_future_done(future.get()));
    EXPECT_LE(OpenFds(), before);
    for (int fd : fds) Own(fd);
}

TEST_P(Connection, AFailureThatNobodySeesIsReported)
{
    Recorder recorder(&trace, "a");
    Create(refusing, RefusingPort(), recorder).reset();
    RunUntil([&] { return recorder.released; });
    EXPECT_TRUE(Logged("a connection that was being made"));
    EXPECT_TRUE(Logged("HOYA_ECONNREFUSED"));
}

/* ---- what is refused ---- */

TEST_P(Connection, BadArgumentsAreRefusedBeforeAnythingIsOpened)
{
    size_t before = OpenFds();
    auto refused = [&](const char *to, const char *port, const hoya_connection_options *options, int code) {
        Recorder recorder(&trace, "a");
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_create_connection(loop, to, port, recorder.protocol(), options, &future), code)
            << hoya_error_detail();
        EXPECT_EQ(future, nullptr);
        EXPECT_EQ(recorder.released, 1);
        EXPECT_NE(std::string(hoya_error_detail()), "");
    };
    refused(nullptr, "80", nullptr, HOYA_EINVAL);
    refused("", "80", nullptr, HOYA_EINVAL);
    refused("127.0.0.1", nullptr, nullptr, HOYA_EINVAL);
    refused("127.0.0.1", "", nullptr, HOYA_EINVAL);
    refused("127.0.0.1", "65536", nullptr, HOYA_EINVAL);
    refused("[::1]", "80", nullptr, HOYA_EINVAL);
    hoya_connection_options options = Options();
    options.family = 77;
    refused("127.0.0.1", "80", &options, HOYA_EAI_FAMILY);
    options = Options();
    options.timeout = -1;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    options = Options();
    options.happy_eyeballs_delay = -1;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    hoya_transport_options link = {};
    link.size = sizeof link;
    link.keep_alive = HOYA_SEC(32767) + 1;
    options = Options();
    options.transport = &link;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    link.keep_alive = 0;
    link.write_low = 10;
    link.write_high = 5;
    options = Options();
    options.transport = &link;
    refused("127.0.0.1", "80", &options, HOYA_EINVAL);
    EXPECT_EQ(hoya_create_connection(loop, "127.0.0.1", "80", {nullptr, nullptr}, nullptr, nullptr), HOYA_EINVAL);
    Recorder recorder(&trace, "a");
    EXPECT_EQ(hoya_create_unix_connection(loop, "", recorder.protocol(), nullptr, nullptr), HOYA_EINVAL);
    EXPECT_EQ(
        hoya_create_unix_connection(loop, std::string(200, 'x').c_str(), recorder.protocol(), nullptr, nullptr),
        HOYA_ENAMETOOLONG);
    EXPECT_EQ(recorder.released, 2);
    EXPECT_EQ(OpenFds(), before);
}

TEST_P(Connection, WhatTheNetworkRefusesHasItsCodeAndItsAddress)
{
    Recorder recorder(&trace, "a");
    std::string port = RefusingPort();
    Future refused = Create(refusing, port, recorder);
    RunUntilDone(refused);
    EXPECT_EQ(Result(refused), HOYA_ECONNREFUSED);
    EXPECT_EQ(Text(refused), refusing + ":" + port + ": " + hoya_strerror(HOYA_ECONNREFUSED));

    std::string path = "/nonexistent/hoya";
    Future nowhere = CreateUnix(path, recorder);
    EXPECT_EQ(Result(nowhere), HOYA_ENOENT) << "known at once";
    EXPECT_NE(Text(nowhere).find("unix:" + path), std::string::npos) << Text(nowhere);

    hoya_connection_options options = Options();
    options.local_host = "192.0.2.1"; /* of nobody's */
    Future stranger = Create(refusing, port, recorder, &options);
    RunUntilDone(stranger);
    EXPECT_EQ(Result(stranger), HOYA_EADDRNOTAVAIL);
    EXPECT_NE(Text(stranger).find("192.0.2.1"), std::string::npos) << Text(stranger);

    options.local_host = "::1";
    options.family = 0;
    Future mixed = Create(refusing, port, recorder, &options);
    RunUntilDone(mixed);
    EXPECT_EQ(Result(mixed), HOYA_EADDRNOTAVAIL);
    EXPECT_NE(Text(mixed).find("another family"), std::string::npos) << Text(mixed);
    EXPECT_EQ(recorder.released, 4);
}

TEST_P(Connection, WithoutDescriptorsItFailsAndSaysSo)
{
    Recorder recorder(&trace, "a");
    std::string port;
    Listen(AF_INET, &port);
    RunRounds(1);
    Future future;
    {
        FewDescriptors none(0);
        future = Create("127.0.0.1", port, recorder);
    }
    RunUntilDone(future);
    EXPECT_EQ(Result(future), HOYA_EMFILE);
    EXPECT_NE(Text(future).find("127.0.0.1:" + port + ": "), std::string::npos) << Text(future);
    EXPECT_EQ(recorder.released, 1);
}

} // namespace hoya_test
