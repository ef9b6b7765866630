/* SPDX-License-Identifier: MIT
 *
 * faults/sock_test.cc: plain sockets in tasks with each fallible call failing: the call says so, and nothing of it is left.
 */
#include "faults/sweep.h"

#include <string>

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conformance/sock.h"
#include "support/executors.h"

namespace hoya_test
{
namespace
{

class SockFaults : public VariantFaults
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, SockFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* The threads that read files; all have ended with it. Lives longer than the loop. */
class Readers
{
  public:
    Readers()
    {
        Faults::Pause pause;
        hoya_executor *executor = nullptr;
        EXPECT_EQ(hoya_thread_pool_new(nullptr, &executor), 0);
        pool_.reset(executor);
    }
    ~Readers()
    {
        Faults::Pause pause;
        EXPECT_EQ(hoya_executor_shutdown(pool_.get(), HOYA_NEVER, 0), 0);
    }
    bool Serve(Faults &faults, Loop &loop) { return faults.Ok(hoya_set_default_executor(loop, pool_.get())); }

  private:
    Executor pool_;
};

/* A server that accepts one and echoes, and a client; each goes as far as it can, and then shuts its socket down. */
struct Conversation {
    Faults &faults;
    Loop &loop;
    int listener, client, server = -1, file, one, other;
    hoya_address address;
    int ended = 0;

    Conversation(Faults &of, Loop &in) : faults(of), loop(in)
    {
        Faults::Pause pause;
        listener = BoundSocket(SOCK_STREAM);
        client = NewSocket();
        address = AddressOf(listener);
        file = FileOf(Pattern(1000));
        one = BoundSocket(SOCK_DGRAM);
        other = BoundSocket(SOCK_DGRAM);
    }
    ~Conversation()
    {
        Faults::Pause pause;
        for (int fd : {listener, client, server, file, one, other})
            if (fd >= 0) close(fd);
    }

    bool Ok(ssize_t rc) { return faults.Ok(static_cast<int>(rc < 0 ? rc : 0)); }
    void End(int fd)
    {
        shutdown(fd, SHUT_RDWR);
        ended++;
    }

    static int Serve(hoya_task *, void *arg)
    {
        auto self = static_cast<Conversation *>(arg);
        char bytes[4096];
        ssize_t n = 0;
        bool accepted = self->Ok(hoya_sock_accept(self->listener, &self->server, nullptr));
        EXPECT_EQ(accepted, self->server >= 0);
        while (accepted && self->Take(n = hoya_sock_recv(self->server, bytes, sizeof bytes)) && n)
            if (!self->Take(hoya_sock_sendall(self->server, bytes, static_cast<size_t>(n), nullptr))) break;
        self->End(accepted ? self->server : self->listener);
        return 0;
    }
    /* The other one may have gone, for a fault of his. */
    bool Take(ssize_t rc) { return faults.answered && rc < 0 ? false : Ok(rc); }

    static int Ask(hoya_task *, void *arg)
    {
        auto self = static_cast<Conversation *>(arg);
        size_t sent = 0, got = 0;
        int64_t of_file = 0;
        char bytes[4096];
        const std::string data = Pattern(5000);
        bool good = self->Take(hoya_sock_connect(self->client, &self->address));
        good = good && self->Take(hoya_sock_sendall(self->client, data.data(), data.size(), &sent));
        if (good) EXPECT_EQ(sent, data.size());
        good = good && self->Take(hoya_sock_sendfile(self->client, self->file, 0, 1000, 0, &of_file));
        if (good) EXPECT_EQ(of_file, 1000);
        while (good && got < 6000) {
            ssize_t n = hoya_sock_recv(self->client, bytes, sizeof bytes);
            good = self->Take(n) && n > 0;
            if (good) got += static_cast<size_t>(n);
        }
        if (good) EXPECT_EQ(got, 6000u);
        if (self->server < 0) shutdown(self->listener, SHUT_RDWR); /* nobody will come */
        self->End(self->client);
        return 0;
    }
    static int Post(hoya_task *, void *arg)
    {
        auto self = static_cast<Conversation *>(arg);
        EXPECT_EQ(hoya_sleep(0), 0);
        const hoya_address to = AddressOf(self->other);
        if (!self->Ok(hoya_sock_sendto(self->one, "letter", 6, &to))) hoya_task_cancel(self->fetcher, nullptr);
        self->ended++;
        return 0;
    }
    static int Fetch(hoya_task *, void *arg)
    {
        auto self = static_cast<Conversation *>(arg);
        char bytes[100];
        hoya_address from;
        ssize_t n = hoya_sock_recvfrom(self->other, bytes, sizeof bytes, &from);
        if (n != HOYA_ECANCELED && self->Ok(n)) EXPECT_TRUE(Same(from, AddressOf(self->one)));
        self->ended++;
        return 0;
    }
    hoya_task *fetcher = nullptr;
};

} // namespace

TEST_P(SockFaults, AConnectionIsServedOrEveryCallSaysWhy)
{
    Sweep(Name("a connection by plain sockets").c_str(), [&](Faults &faults) {
        Readers readers;
        Loop loop(faults, GetParam(), host.get());
        if (!loop || !readers.Serve(faults, loop)) return;
        Conversation talk(faults, loop);
        int made = 0;
        made += faults.Ok(hoya_create_task(loop, Conversation::Serve, &talk, nullptr, nullptr));
        if (!made) return;
        if (faults.Ok(hoya_create_task(loop, Conversation::Ask, &talk, nullptr, nullptr))) made++;
        else shutdown(talk.listener, SHUT_RDWR);
        EXPECT_TRUE(loop.RunUntil([&] { return talk.ended == made; }));
    });
}

TEST_P(SockFaults, ADatagramGoesOrEveryCallSaysWhy)
{
    Sweep(Name("datagrams by plain sockets").c_str(), [&](Faults &faults) {
        Loop loop(faults, GetParam(), host.get());
        if (!loop) return;
        Conversation talk(faults, loop);
        if (!faults.Ok(hoya_create_task(loop, Conversation::Fetch, &talk, nullptr, &talk.fetcher))) return;
        bool posted = faults.Ok(hoya_create_task(loop, Conversation::Post, &talk, nullptr, nullptr));
        if (!posted) hoya_task_cancel(talk.fetcher, nullptr); /* which may not have begun */
        EXPECT_TRUE(loop.RunUntil(
            [&] { return hoya_future_done(hoya_task_future(talk.fetcher)) && (talk.ended == 2 || !posted); }));
        hoya_task_unref(talk.fetcher);
    });
}

namespace
{

struct Passing {
    Faults &faults;
    int pair[2], file;
    bool ended = false;

    static int Run(hoya_task *, void *arg)
    {
        auto self = static_cast<Passing *>(arg);
        char byte;
        hoya_fd fds[HOYA_FDS_MAX];
        size_t count = 0;
        ssize_t n = hoya_sock_send_fds(self->pair[0], "x", 1, &self->file, 1);
        if (self->faults.Ok(n < 0 ? static_cast<int>(n) : 0)) {
            n = hoya_sock_recv_fds(self->pair[1], &byte, 1, fds, &count);
            if (self->faults.Ok(n < 0 ? static_cast<int>(n) : 0)) EXPECT_EQ(count, 1u);
            if (count) close(fds[0]);
        }
        self->ended = true;
        return 0;
    }
};

} // namespace

TEST_P(SockFaults, ADescriptorIsPassedOrEveryCallSaysWhy)
{
    Sweep(Name("a descriptor by plain sockets").c_str(), [&](Faults &faults) {
        int pair[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        Passing passing{faults, {pair[0], pair[1]}, pair[0]};
        {
            Loop loop(faults, GetParam(), host.get());
            if (loop && faults.Ok(hoya_create_task(loop, Passing::Run, &passing, nullptr, nullptr)))
                EXPECT_TRUE(loop.RunUntil([&] { return passing.ended; }));
        }
        for (int fd : pair) close(fd);
    });
}

TEST_P(SockFaults, ALoopIsClosedWithCallsThatWait)
{
    Sweep(Name("a loop is closed with plain sockets that wait").c_str(), [&](Faults &faults) {
        Conversation *talk;
        {
            Loop loop(faults, GetParam(), host.get());
            if (!loop) return;
            talk = new Conversation(faults, loop);
            auto wait = [](hoya_task *, void *arg) {
                auto self = static_cast<Conversation *>(arg);
                char byte;
                ssize_t n = hoya_sock_recv(self->one, &byte, 1);
                if (n != HOYA_ECANCELED) self->Ok(n);
                return 0;
            };
            faults.Ok(hoya_create_task(loop, wait, talk, nullptr, nullptr));
            if (hoya_loop_run_once(loop, HOYA_NOW) < 0) faults.answered = true;
        }
        delete talk;
    });
}

} // namespace hoya_test
