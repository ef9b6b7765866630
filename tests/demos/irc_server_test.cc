/* SPDX-License-Identifier: MIT
 *
 * demos/irc_server_test.cc: the server of demos/irc, in its own thread, by hand.
 */
#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <hoya/hoya.h>
#include <sys/socket.h>

#include "server.h"

namespace
{

TEST(IrcServer, ListensWhenItHasStartedAndLeavesNothing)
{
    irc_server *server = nullptr;
    char port[8];
    ASSERT_EQ(0, irc_server_start("127.0.0.1", "0", &server, port));
    EXPECT_GT(atoi(port), 0);
    irc_server *second = nullptr;
    char other[8];
    EXPECT_EQ(HOYA_EADDRINUSE, irc_server_start("127.0.0.1", port, &second, other));
    irc_server_stop(server);
    irc_server_stop(nullptr);
}

/* A task that talks to it by hand. */
struct ByHand {
    char port[8];
    std::function<void(ByHand &)> body;

    static int Main(hoya_task *, void *arg)
    {
        auto self = static_cast<ByHand *>(arg);
        self->body(*self);
        return 0;
    }

    void Run(std::function<void(ByHand &)> what)
    {
        irc_server *server = nullptr;
        body = std::move(what);
        ASSERT_EQ(0, irc_server_start("127.0.0.1", "0", &server, port));
        EXPECT_EQ(0, hoya_run(Main, this, nullptr));
        irc_server_stop(server);
    }

    hoya_stream *Open(const std::string &nick)
    {
        hoya_stream *stream = nullptr;
        EXPECT_EQ(0, hoya_open_connection("127.0.0.1", port, nullptr, &stream));
        Send(stream, "NICK " + nick + "\r\nUSER x 0 * :x\r\n");
        return stream;
    }

    static void Send(hoya_stream *stream, const std::string &text)
    {
        EXPECT_EQ(0, hoya_stream_write(stream, text.data(), text.size()));
    }

    /* Reads up to a line with this text; false: there is none. */
    static bool Find(hoya_stream *stream, const std::string &text)
    {
        const char *line;
        ssize_t n;
        while ((n = hoya_stream_readline(stream, &line)) > 0)
            if (std::string(line, static_cast<size_t>(n)).find(text) != std::string::npos) return true;
        return false;
    }
};

TEST(IrcServer, ServesSeveralAtOnce)
{
    ByHand().Run([](ByHand &by) {
        hoya_stream *ann = by.Open("ann"), *bob = by.Open("bob");
        EXPECT_TRUE(by.Find(ann, " 001 ann"));
        EXPECT_TRUE(by.Find(bob, " 001 bob"));
        by.Send(ann, "JOIN #a,#b\r\n");
        EXPECT_TRUE(by.Find(ann, "366 ann #b"));
        by.Send(bob, "NICK ann\r\nJOIN #a\r\nPRIVMSG #a :hi\r\nPRIVMSG nobody :x\r\nPRIVMSG #b :x\r\n");
        EXPECT_TRUE(by.Find(bob, " 433 bob ann"));
        EXPECT_TRUE(by.Find(bob, " 353 bob = #a :bob ann"));
        EXPECT_TRUE(by.Find(bob, " 401 bob nobody"));
        EXPECT_TRUE(by.Find(bob, " 404 bob #b"));
        EXPECT_TRUE(by.Find(ann, ":bob!user@hoya PRIVMSG #a :hi"));
        by.Send(bob, std::string(3000, 'x') + "\r\n\r\nNONSENSE\r\n");
        EXPECT_TRUE(by.Find(bob, " 417 "));
        EXPECT_TRUE(by.Find(bob, " 421 bob NONSENSE"));
        by.Send(bob, "QUIT :so long\r\n");
        EXPECT_TRUE(by.Find(bob, "ERROR"));
        EXPECT_TRUE(by.Find(ann, ":bob!user@hoya QUIT :so long"));
        hoya_stream_unref(ann);
        hoya_stream_unref(bob);
    });
}

TEST(IrcServer, DropsWhoDoesNotReadAndGoesOn)
{
    ByHand().Run([](ByHand &by) {
        hoya_stream *ann = by.Open("ann"), *deaf = by.Open("deaf");
        int size = 4096;
        setsockopt(hoya_transport_fileno(hoya_stream_get_transport(deaf)), SOL_SOCKET, SO_RCVBUF, &size,
                   sizeof size);
        by.Send(deaf, "JOIN #a\r\n");
        EXPECT_TRUE(by.Find(deaf, "366 deaf #a"));
        by.Send(ann, "JOIN #a\r\n");
        EXPECT_TRUE(by.Find(ann, "366 ann #a"));
        const std::string line = "PRIVMSG #a :" + std::string(400, 'x') + "\r\n";
        for (int i = 0; i < 40000; i++) by.Send(ann, line);
        EXPECT_TRUE(by.Find(ann, ":deaf!user@hoya QUIT :does not read"));
        hoya_stream_abort(deaf);
        hoya_stream_unref(ann);
        hoya_stream_unref(deaf);
    });
}

} // namespace
