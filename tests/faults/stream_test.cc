/* SPDX-License-Identifier: MIT
 *
 * faults/stream_test.cc: streams with each fallible call failing: what a read or a write answers is what has happened, and
 * whatever that is, no connection is left, and the argument of a server is destroyed once.
 */
#include "faults/sweep.h"

#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

class StreamFaults : public VariantFaults
{
};
INSTANTIATE_TEST_SUITE_P(Hosts, StreamFaults, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* A server and a client in one loop, which speak once in each way. */
struct Story {
    Faults *faults = nullptr;
    bool grouped = false;
    int ended = 0, destroyed = 0, reports = 0;
    hoya_stream *stream = nullptr; /* the client's */

    static Story *Of(void *arg) { return static_cast<Story *>(arg); }
    static void Destroy(void *arg) { Of(arg)->destroyed++; }
    static int Report(hoya_loop *, const hoya_exception_context *, void *arg)
    {
        Of(arg)->reports++;
        Of(arg)->faults->answered = true;
        /* A server that could not accept rests for a second: nobody waits for that. */
        if (Of(arg)->stream) hoya_stream_abort(Of(arg)->stream);
        return 0;
    }

    /* Lines back as they came; then much. */
    static int Serve(hoya_task *, hoya_stream *stream, void *arg)
    {
        auto self = Of(arg);
        const char *line = nullptr;
        ssize_t n = hoya_stream_readline(stream, &line);
        if (!self->faults->Ok(n < 0 ? static_cast<int>(n) : 0)) return 0;
        if (n == 0) return 0;
        EXPECT_EQ(std::string(line, static_cast<size_t>(n)), "hello\n");
        if (!self->faults->Ok(hoya_stream_write(stream, line, static_cast<size_t>(n)))) return 0;
        const std::string much(200000, 'm');
        self->faults->Ok(hoya_stream_write(stream, much.data(), much.size()));
        return 0;
    }
    void Visit()
    {
        if (!faults->Ok(hoya_stream_write(stream, "hello\n", 6))) return;
        std::string back(200006, '?');
        size_t count = 0;
        const void *data = nullptr;
        ssize_t n = hoya_stream_peek(stream, 3, &data);
        if (!faults->Ok(n < 0 ? static_cast<int>(n) : 0)) return;
        if (n > 0) EXPECT_EQ(memcmp(data, "hel", static_cast<size_t>(n < 3 ? n : 3)), 0);
        int rc = hoya_stream_readexactly(stream, &back[0], back.size(), &count);
        if (faults->Ok(rc)) EXPECT_TRUE(back == "hello\n" + std::string(200000, 'm'));
        else EXPECT_LT(count, back.size());
        faults->Ok(hoya_stream_close(stream, HOYA_SEC(10)));
    }
    static int Main(hoya_task *, void *arg)
    {
        auto self = Of(arg);
        hoya_group *group = nullptr;
        if (self->faults->Ok(hoya_group_enter(nullptr, &group))) {
            self->ServeAndVisit(self->grouped ? group : nullptr);
            hoya_group_leave(group);
        }
        self->ended++;
        return 0;
    }
    void ServeAndVisit(hoya_group *group)
    {
        hoya_server *server = nullptr;
        int before = destroyed;
        if (!faults->Ok(hoya_start_server(group, "127.0.0.1", "0", Serve, this, Destroy, nullptr, &server))) {
            EXPECT_EQ(destroyed, before + 1);
            return;
        }
        char text[HOYA_ADDRESS_TEXT_SIZE] = ":";
        {
            Faults::Pause pause;
            hoya_address address;
            EXPECT_EQ(hoya_server_get_sockname(server, 0, &address), 0);
            hoya_address_format(reinterpret_cast<sockaddr *>(&address.storage), address.length, text, sizeof text);
        }
        if (faults->Ok(hoya_open_connection("127.0.0.1", strrchr(text, ':') + 1, nullptr, &stream))) Visit();
        hoya_stream *last = stream;
        stream = nullptr;
        hoya_stream_unref(last);
        EXPECT_EQ(hoya_server_close(server), 0);
        EXPECT_EQ(hoya_server_abort_clients(server), 0);
        hoya_server_unref(server);
    }
};

} // namespace

TEST_P(StreamFaults, AServerAndAClientLiveOrNothingIsLeft)
{
    for (bool grouped : {false, true})
        Sweep(Name(grouped ? "streams in a group" : "streams").c_str(), [&](Faults &faults) {
            Story story;
            story.faults = &faults;
            story.grouped = grouped;
            bool made = false;
            {
                Loop loop(faults, variant(), host.get());
                if (!loop) return;
                faults.Ok(hoya_loop_set_exception_handler(loop, Story::Report, &story));
                made = faults.Ok(hoya_create_task(loop, Story::Main, &story, nullptr, nullptr));
                if (made) EXPECT_TRUE(loop.RunUntil([&] { return story.ended == 1; }));
                if (story.reports) faults.answered = true;
            }
            EXPECT_LE(story.destroyed, made ? 1 : 0);
        });
}

/* Reads that come in small pieces, into each kind of memory, and writes that go out in such. */
TEST_P(StreamFaults, ShortReadsAndWritesLoseNothing)
{
    Sweep(Name("a stream that grows").c_str(), [&](Faults &faults) {
        int fds[2];
        {
            Faults::Pause pause;
            ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        }
        struct Both {
            Faults *faults;
            int *fds;
            bool taken = false, ended = false;
        } both{&faults, fds};
        {
            Loop loop(faults, variant(), host.get());
            auto main = [](hoya_task *, void *arg) {
                auto self = static_cast<Both *>(arg);
                hoya_stream *stream = nullptr;
                self->taken = self->faults->Ok(hoya_open_connection_on_socket(self->fds[0], nullptr, &stream));
                if (self->taken) {
                    std::string data(20000, 'd');
                    EXPECT_EQ(send(self->fds[1], data.data(), data.size(), MSG_NOSIGNAL), 20000);
                    for (int i = 0; i < 4; i++) EXPECT_EQ(hoya_sleep(0), 0);
                    std::string got(20000, '?');
                    size_t at = 0;
                    ssize_t n = 1;
                    while (at < got.size() && n > 0) {
                        n = hoya_stream_read(stream, &got[at], at % 3000 + 1);
                        if (n > 0) at += static_cast<size_t>(n);
                    }
                    if (self->faults->Ok(n < 0 ? static_cast<int>(n) : 0)) EXPECT_TRUE(got == data);
                    hoya_stream_unref(stream);
                }
                self->ended = true;
                return 0;
            };
            hoya_loop *of = loop ? static_cast<hoya_loop *>(loop) : nullptr;
            if (of && faults.Ok(hoya_create_task(loop, main, &both, nullptr, nullptr)))
                EXPECT_TRUE(loop.RunUntil([&] { return both.ended; }));
        }
        if (!both.taken) close(fds[0]);
        close(fds[1]);
    });
}

} // namespace hoya_test
