/* SPDX-License-Identifier: MIT
 *
 * conformance/sendfiles.h: files that go out of connections, as tests like them.
 */
#ifndef HOYA_TESTS_SENDFILES_H
#define HOYA_TESTS_SENDFILES_H

#include "net.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>

#include "support/executors.h"

namespace hoya_test
{

const uint32_t kWays[] = {HOYA_SENDFILE_NATIVE, HOYA_SENDFILE_READ, 0};

class SendFile : public NetConformance
{
  protected:
    void SetUp() override
    {
        NetConformance::SetUp();
        threads = NewPool(2);
        EXPECT_EQ(hoya_set_default_executor(loop, threads.get()), 0);
    }
    /* What was given up may still be read. */
    void TearDown() override
    {
        NetConformance::TearDown();
        EXPECT_EQ(hoya_executor_shutdown(threads.get(), HOYA_SEC(10), 0), 0);
        threads.reset();
    }
    int MakeFile(const std::string &content)
    {
        int fd = Own(memfd_create("file", MFD_CLOEXEC));
        EXPECT_EQ(write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        return fd;
    }
    static Future Start(const Transport &transport, int file, int64_t offset = 0, int64_t count = HOYA_SENDFILE_ALL,
                        uint32_t flags = 0)
    {
        hoya_future *future = nullptr;
        EXPECT_EQ(hoya_sendfile(transport.get(), file, offset, count, flags, &future), 0) << hoya_error_detail();
        return Future(future);
    }
    static bool Done(const Future &future) { return hoya_future_done(future.get()); }
    static int64_t Sent(const Future &future) { return hoya_sendfile_sent(future.get()); }
    static int Result(const Future &future) { return hoya_future_result(future.get(), nullptr); }
    /* Until it is done, and so much has come: over TCP the last of it may still be on its way then. What came. */
    std::string Finish(const Future &future, int peer, size_t least = 0)
    {
        std::string all;
        RunUntil([&] {
            all += Receive(peer);
            return Done(future) && all.size() >= least;
        });
        return all + Receive(peer);
    }
    void RunUntilStuck(const Future &future)
    {
        int64_t before = -1;
        RunUntil([&] {
            int64_t last = before;
            RunRounds(2);
            before = Sent(future);
            return before > 0 && before == last;
        });
        EXPECT_FALSE(Done(future));
    }
    /* A connection over TCP. */
    Transport ConnectedByTcp(Recorder &recorder, int *peer)
    {
        int listener = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr *>(&address), length), 0);
        EXPECT_EQ(listen(listener, 1), 0);
        getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length);
        *peer = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(connect(*peer, reinterpret_cast<sockaddr *>(&address), length), 0);
        fcntl(*peer, F_SETFL, O_NONBLOCK);
        int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        hoya_transport *transport = nullptr;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, fd, recorder.protocol(), nullptr, &transport), 0);
        RunRounds(1);
        trace.clear();
        return Transport(transport);
    }

    Executor threads;
};

} // namespace hoya_test

#endif
