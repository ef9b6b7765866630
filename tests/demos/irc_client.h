/* SPDX-License-Identifier: MIT
 *
 * demos/irc_client.h: the client of demos/irc, what it has told, and a server that says what a test wants, on
 * 127.0.0.1. Both are tasks of one loop. The client has less patience here than elsewhere. What it leaves behind,
 * the checks of every test see.
 */
#ifndef HOYA_TESTS_IRC_CLIENT_H
#define HOYA_TESTS_IRC_CLIENT_H

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <hoya/hoya.h>

#include "inside.h"

namespace hoya_test
{

/* The server's end of one connection after the other. */
struct FakeServer {
    hoya_server *server = nullptr;
    hoya_stream *stream = nullptr;
    hoya_event *come = nullptr, *gone = nullptr;
    char port[8];

    static int Serve(hoya_task *, hoya_stream *stream, void *arg)
    {
        auto self = static_cast<FakeServer *>(arg);
        if (self->stream) return 0;
        self->stream = stream;
        hoya_event_clear(self->gone);
        hoya_event_set(self->come);
        int rc = hoya_event_wait(self->gone);
        self->stream = nullptr;
        return rc;
    }

    void Start(hoya_loop *loop, hoya_group *group)
    {
        hoya_address address;
        EXPECT_EQ(0, hoya_event_new(loop, nullptr, &come));
        EXPECT_EQ(0, hoya_event_new(loop, nullptr, &gone));
        ASSERT_EQ(0, hoya_start_server(group, "127.0.0.1", "0", Serve, this, nullptr, nullptr, &server));
        ASSERT_EQ(0, hoya_server_get_sockname(server, 0, &address));
        snprintf(port, sizeof port, "%d", ntohs(reinterpret_cast<sockaddr_in *>(&address.storage)->sin_port));
    }

    void End()
    {
        hoya_server_unref(server);
        EXPECT_EQ(0, hoya_event_free(come));
        EXPECT_EQ(0, hoya_event_free(gone));
    }

    void Accept()
    {
        ASSERT_EQ(0, hoya_event_wait(come));
        hoya_event_clear(come);
    }

    void Send(const std::string &text) { EXPECT_EQ(0, hoya_stream_write(stream, text.data(), text.size())); }

    /* Without its end; "" when there is no more. */
    std::string Read()
    {
        const char *line;
        ssize_t n = hoya_stream_readline(stream, &line);
        return n < 2 ? "" : std::string(line, static_cast<size_t>(n) - 2);
    }

    /* The next line that is no question about lag. */
    std::string Next()
    {
        std::string line;
        do line = Read();
        while (line == "PING :hoya");
        return line;
    }

    void Drop()
    {
        hoya_stream_abort(stream);
        hoya_event_set(gone);
        hoya_sleep(0);
        hoya_sleep(0);
    }

    /* Until the client is online. */
    void Welcome(const std::string &nick)
    {
        Accept();
        EXPECT_EQ("NICK " + nick, Next());
        EXPECT_EQ("USER " + nick + " 0 * :" + nick, Next());
        Send(":fake 001 " + nick + " :welcome\r\n");
    }
};

/* What the client has told, and was not waited for. */
struct Listener : testing::Test {
    irc *client = nullptr;
    hoya_event *news = nullptr;
    std::vector<std::string> told;
    size_t looked = 0;
    bool inside = false; /* of a call of ours */

    void Tell(const std::string &text)
    {
        EXPECT_FALSE(inside) << text;
        EXPECT_EQ(nullptr, hoya_current_task()) << text;
        told.push_back(text);
        hoya_event_set(news);
    }

    std::string Names(const char *channel)
    {
        const char *const *names;
        std::string all = channel;
        size_t count = irc_names(client, channel, &names);
        for (size_t i = 0; i < count; i++) all += std::string(" ") + names[i];
        return all;
    }
};

inline Listener &Of(void *arg)
{
    return *static_cast<Listener *>(arg);
}

inline std::string Or(const char *text)
{
    return text ? text : "-";
}

inline const irc_face face = {
    [](irc *, irc_state state, const char *text, void *arg) {
        static const char *const names[] = {"offline", "connecting", "registering", "online", "waiting"};
        Of(arg).Tell(std::string(names[state]) + ": " + text);
    },
    [](irc *, const char *target, const char *from, const char *text, irc_kind kind, void *arg) {
        static const char *const names[] = {"message", "action", "notice", "own", "info"};
        Of(arg).Tell(std::string(names[kind]) + " " + Or(target) + " " + Or(from) + ": " + text);
    },
    [](irc *, const char *channel, void *arg) { Of(arg).Tell(std::string("joined ") + channel); },
    [](irc *, const char *channel, void *arg) { Of(arg).Tell(std::string("left ") + channel); },
    [](irc *, const char *channel, void *arg) { Of(arg).Tell("names " + Of(arg).Names(channel)); },
    [](irc *, int code, const char *text, void *arg) {
        Of(arg).Tell("trouble " + std::to_string(code) + ": " + text);
    },
    [](irc *, int64_t lag, void *arg) {
        Of(arg).Tell(lag == HOYA_NEVER ? "lag: never" : lag >= 0 ? "lag: a time" : "lag: negative");
    }};

struct IrcClient : Listener {
    hoya_loop *loop = nullptr;
    FakeServer server;
    irc_patience before = irc_patience_now;
    std::function<void()> body;

    void SetUp() override
    {
        irc_patience_now = {};
        irc_patience_now.connect = HOYA_SEC(5);
        irc_patience_now.ping = HOYA_SEC(30);
        irc_patience_now.silence = HOYA_SEC(60);
        irc_patience_now.quit = HOYA_MSEC(300);
        irc_patience_now.first = HOYA_MSEC(10);
        irc_patience_now.most = HOYA_MSEC(40);
        irc_patience_now.burst = 5;
        irc_patience_now.each = HOYA_MSEC(20);
    }
    void TearDown() override { irc_patience_now = before; }

    /* Waits until the client has told this, after what was waited for before. A test that waits in vain says for
     * what. */
    void Heard(const std::string &text)
    {
        hoya_timeout *scope;
        ASSERT_EQ(0, hoya_timeout_enter(HOYA_SEC(20), &scope));
        int rc = 0;
        bool found = false;
        while (!found && rc >= 0) {
            while (!found && looked < told.size()) found = told[looked++].find(text) != std::string::npos;
            if (found) break;
            hoya_event_clear(news);
            rc = hoya_event_wait(news);
        }
        hoya_timeout_leave(scope);
        std::string all;
        for (auto &line : told) all += line + "\n";
        EXPECT_TRUE(found) << "not told: " << text << "\n" << all;
    }

    bool Told(const std::string &text)
    {
        return std::any_of(told.begin(), told.end(),
                           [&](auto &line) { return line.find(text) != std::string::npos; });
    }

    int Connect(const char *join = nullptr, const char *nick = "ann")
    {
        const irc_settings settings = {"127.0.0.1", server.port, nick, join};
        inside = true;
        int rc = irc_connect(client, &settings);
        inside = false;
        return rc;
    }

    void Type(const char *target, const std::string &line)
    {
        inside = true;
        EXPECT_EQ(0, irc_input(client, target, line.c_str()));
        inside = false;
    }

    void Online(const char *join = nullptr)
    {
        ASSERT_EQ(0, Connect(join));
        server.Welcome("ann");
        Heard("online: ");
    }

    /* Closes the client, and reads what it still says, so that its goodbye is heard. */
    void Close()
    {
        hoya_future *done;
        ASSERT_EQ(0, irc_close(client, &done));
        if (server.stream) {
            for (std::string line = "?"; !line.empty() && line.find("QUIT") != 0;) line = server.Read();
            hoya_event_set(server.gone);
        }
        EXPECT_EQ(0, hoya_await(done, nullptr));
        hoya_future_unref(done);
    }

    static int Main(hoya_task *self, void *arg)
    {
        auto &test = *static_cast<IrcClient *>(arg);
        hoya_group *group;
        test.loop = hoya_task_get_loop(self);
        EXPECT_EQ(0, hoya_event_new(test.loop, nullptr, &test.news));
        EXPECT_EQ(0, hoya_group_enter(nullptr, &group));
        test.server.Start(test.loop, group);
        EXPECT_EQ(0, irc_new(test.loop, &face, static_cast<Listener *>(&test), &test.client));
        test.body();
        hoya_group_cancel(group, nullptr);
        hoya_group_leave(group);
        test.server.End();
        hoya_sleep(0);
        EXPECT_EQ(0, hoya_event_free(test.news));
        return 0;
    }

    void Run(std::function<void()> what)
    {
        body = std::move(what);
        hoya_run_options options{};
        options.size = sizeof options;
        EXPECT_EQ(0, hoya_run(Main, this, &options)) << hoya_error_detail();
    }
};

} // namespace hoya_test

#endif
