/* SPDX-License-Identifier: MIT
 *
 * conformance/stream_server_test.cc: streams that connect, and servers with a task for each client, in a group and
 * without one: all of them end when the group does, and nobody comes in after that.
 */
#include "server.h"
#include "streams.h"

namespace hoya_test
{
namespace
{

using ClientWork = std::function<int(hoya_task *, hoya_stream *)>;

/* What a server has for its clients. */
struct Hall {
    ClientWork serve;
    int come = 0, gone = 0, destroyed = 0;

    static int Serve(hoya_task *self, hoya_stream *stream, void *arg)
    {
        auto hall = static_cast<Hall *>(arg);
        EXPECT_EQ(hall->destroyed, 0);
        hall->come++;
        int rc = hall->serve(self, stream);
        hall->gone++;
        EXPECT_EQ(hall->destroyed, 0);
        return rc;
    }
    static void Destroy(void *arg) { static_cast<Hall *>(arg)->destroyed++; }
};

int Echo(hoya_task *, hoya_stream *stream)
{
    char memory[4096];
    for (;;) {
        ssize_t n = hoya_stream_read(stream, memory, sizeof memory);
        if (n <= 0) return static_cast<int>(n);
        int rc = hoya_stream_write(stream, memory, static_cast<size_t>(n));
        if (rc < 0) return rc;
    }
}

class StreamServers : public WithServers<StreamConformance>
{
  protected:
    using StreamConformance::Create;

    StreamServers() { hall.serve = Echo; }

    /* In a task: a server on 127.0.0.1. */
    Server Start(hoya_group *group, int expected = 0)
    {
        hoya_server *server = nullptr;
        EXPECT_EQ(hoya_start_server(group, "127.0.0.1", "0", Hall::Serve, &hall, Hall::Destroy, nullptr, &server),
                  expected)
            << hoya_error_detail();
        return Server(server);
    }
    Stream Connect(const Server &server)
    {
        hoya_stream *stream = nullptr;
        std::string port = std::to_string(PortOf(NameOf(server)));
        EXPECT_EQ(hoya_open_connection("127.0.0.1", port.c_str(), nullptr, &stream), 0) << hoya_error_detail();
        return Stream(stream);
    }
    static void ExpectEchoOf(const Stream &stream)
    {
        EXPECT_EQ(Write(stream, "hello"), 0);
        EXPECT_EQ(Read(stream), "hello");
    }
    static hoya_group *Enter(unsigned limit = 0)
    {
        hoya_group_options options = {};
        options.size = sizeof options;
        options.limit = limit;
        hoya_group *group = nullptr;
        EXPECT_EQ(hoya_group_enter(&options, &group), 0) << hoya_error_detail();
        return group;
    }

    Hall hall; /* lives longer than the loop */
};

INSTANTIATE_TEST_SUITE_P(Hosts, StreamServers, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

/* ---- served ---- */

TEST_P(StreamServers, EachClientHasATask)
{
    InTask([&](hoya_task *) {
        Server server = Start(nullptr);
        std::vector<Stream> clients;
        for (int i = 0; i < 3; i++) clients.push_back(Connect(server));
        for (const Stream &client : clients) ExpectEchoOf(client);
        EXPECT_EQ(hall.come, 3);
        clients.clear();
        Until([&] { return hall.gone == 3; });
        EXPECT_EQ(hoya_server_close(server.get()), 0);
        Until([&] { return hall.destroyed == 1; });
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamServers, MuchGoesThereAndBack)
{
    InTask([&](hoya_task *) {
        Server server = Start(nullptr);
        Stream client = Connect(server);
        const std::string much = Much(2u << 20);
        Task writer = Create([&](hoya_task *) {
            for (size_t at = 0; at < much.size(); at += 100000)
                EXPECT_EQ(Write(client, much.substr(at, 100000)), 0);
            return hoya_stream_write_eof(client.get());
        });
        EXPECT_TRUE(ReadExactly(client, much.size()) == much);
        EXPECT_EQ(Read(client), "") << "the server's task has ended, and with it the connection";
        EXPECT_EQ(Join(writer), 0);
        return hoya_server_close(server.get());
    });
}

TEST_P(StreamServers, UnixSocketsAndSocketsOfTheProgramDoTheSame)
{
    InTask([&](hoya_task *) {
        hoya_server *server = nullptr;
        hoya_stream *stream = nullptr;
        std::string path = Path("echo");
        EXPECT_EQ(
            hoya_start_unix_server(nullptr, path.c_str(), Hall::Serve, &hall, Hall::Destroy, nullptr, &server), 0);
        EXPECT_EQ(hoya_open_unix_connection(path.c_str(), nullptr, &stream), 0) << hoya_error_detail();
        ExpectEchoOf(Stream(stream));
        EXPECT_EQ(hoya_server_close(server), 0);
        hoya_server_unref(server);
        EXPECT_FALSE(Exists(path));
        Until([&] { return hall.destroyed == 1; });
        hall.destroyed = 0;

        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        hoya_address address = UnixAddress(path);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        hoya_group *group = Enter();
        EXPECT_EQ(hoya_start_server_on_socket(group, fd, Hall::Serve, &hall, Hall::Destroy, nullptr, &server), 0);
        EXPECT_EQ(hoya_open_unix_connection(path.c_str(), nullptr, &stream), 0) << hoya_error_detail();
        ExpectEchoOf(Stream(stream));
        EXPECT_EQ(hoya_server_close(server), 0);
        hoya_server_unref(server);
        EXPECT_EQ(hoya_group_leave(group), 0);
        EXPECT_EQ(hall.destroyed, 1);
        return 0;
    });
}

TEST_P(StreamServers, WhatATaskHasWrittenGoesOutAfterItHasEnded)
{
    const std::string much = Much(1 << 20);
    hall.serve = [&](hoya_task *, hoya_stream *stream) {
        return hoya_stream_write(stream, much.data(), much.size());
    };
    InTask([&](hoya_task *) {
        Server server = Start(nullptr);
        Stream client = Connect(server);
        Until([&] { return hall.gone == 1; });
        EXPECT_TRUE(ReadExactly(client, much.size()) == much);
        EXPECT_EQ(Read(client), "");
        return hoya_server_close(server.get());
    });
}

TEST_P(StreamServers, AStreamThatOthersKeepIsClosedWithItsTask)
{
    Stream kept;
    hall.serve = [&](hoya_task *, hoya_stream *stream) {
        kept.reset(hoya_stream_ref(stream));
        return 0;
    };
    InTask([&](hoya_task *) {
        Server server = Start(nullptr);
        Stream client = Connect(server);
        EXPECT_EQ(Read(client), "");
        EXPECT_EQ(Write(kept, "x"), HOYA_ECLOSED);
        return hoya_server_close(server.get());
    });
    kept.reset();
}

/* ---- clients that go wrong ---- */

// Holds: S148
TEST_P(StreamServers, AFailingClientIsReportedAndItsConnectionClosed)
{
    hall.serve = [&](hoya_task *, hoya_stream *stream) {
        EXPECT_EQ(hoya_stream_write(stream, "last words", 10), 0);
        return hoya_error_set(HOYA_EPROTO, "what he said makes no sense");
    };
    Collect();
    InTask([&](hoya_task *) {
        hoya_group *group = Enter();
        Server server = Start(group);
        Stream client = Connect(server);
        EXPECT_EQ(ReadExactly(client, 10), "last words");
        EXPECT_EQ(Read(client), "");
        Stream next = Connect(server);
        EXPECT_EQ(ReadExactly(next, 10), "last words") << "the server goes on";
        EXPECT_EQ(hoya_server_close(server.get()), 0);
        EXPECT_EQ(hoya_group_leave(group), 0) << "the group has not failed";
        return 0;
    });
    EXPECT_EQ(reports.codes, (std::vector<int>{HOYA_EPROTO, HOYA_EPROTO}));
    EXPECT_NE(reports.texts[0].find("makes no sense"), std::string::npos) << reports.texts[0];
}

TEST_P(StreamServers, AClientThatFailedHasNotWonARace)
{
    int come = 0;
    hall.serve = [&](hoya_task *self, hoya_stream *stream) {
        if (come++) return Echo(self, stream);
        return hoya_error_set(HOYA_EPROTO, "what he said makes no sense");
    };
    Collect();
    InTask([&](hoya_task *) {
        hoya_group_options options = {};
        options.size = sizeof options;
        options.policy = HOYA_GROUP_RACE;
        hoya_group *group = nullptr;
        EXPECT_EQ(hoya_group_enter(&options, &group), 0);
        Server server = Start(group);
        EXPECT_EQ(Read(Connect(server)), "");
        Rounds(3);
        EXPECT_EQ(hoya_group_winner(group), nullptr);
        ExpectEchoOf(Connect(server));
        Until([&] { return hoya_group_winner(group) != nullptr; });
        EXPECT_STREQ(hoya_task_get_name(hoya_group_winner(group)), "stream-client");
        return hoya_group_leave(group);
    });
    EXPECT_EQ(reports.codes, (std::vector<int>{HOYA_EPROTO}));
}

// Holds: S148
TEST_P(StreamServers, ACancelledClientIsClosedAndNotReported)
{
    hoya_task *guest = nullptr;
    hall.serve = [&](hoya_task *self, hoya_stream *stream) {
        guest = self;
        return Echo(self, stream);
    };
    InTask([&](hoya_task *) {
        hoya_group *group = Enter();
        Server server = Start(group);
        Stream client = Connect(server);
        ExpectEchoOf(client);
        EXPECT_EQ(hoya_task_cancel(guest, nullptr), 1);
        EXPECT_EQ(Read(client), "");
        EXPECT_EQ(hoya_server_close(server.get()), 0);
        return hoya_group_leave(group);
    });
    EXPECT_EQ(LogLines(), 0u);
}

// Holds: S148
TEST_P(StreamServers, WhatTheNetworkDoesToAClientIsNotReported)
{
    int code = 0;
    hall.serve = [&](hoya_task *self, hoya_stream *stream) { return code = Echo(self, stream); };
    InTask([&](hoya_task *) {
        Server server = Start(nullptr);
        for (bool reset : {true, false}) {
            Stream client = Connect(server);
            ExpectEchoOf(client);
            linger now = {1, 0};
            int fd = hoya_transport_fileno(hoya_stream_get_transport(client.get()));
            if (reset) {
                EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
                client.reset();
            } else {
                EXPECT_EQ(hoya_server_close_clients(server.get()), 0);
            }
            int gone = reset ? 1 : 2;
            Until([&] { return hall.gone == gone; });
            EXPECT_EQ(code, reset ? HOYA_ECONNRESET : HOYA_ECLOSED);
        }
        return hoya_server_close(server.get());
    });
    EXPECT_EQ(LogLines(), 0u);
}

/* ---- the group ---- */

TEST_P(StreamServers, LeavingAGroupWaitsForItsServer)
{
    InTask([&](hoya_task *) {
        hoya_group *group = Enter();
        Server server = Start(group);
        Stream client = Connect(server);
        ExpectEchoOf(client);
        CallLater(HOYA_MSEC(2), [&] {
            Note("close");
            EXPECT_EQ(hoya_server_close(server.get()), 0);
        });
        CallLater(HOYA_MSEC(4), [&] {
            Note("end");
            client.reset();
        });
        EXPECT_EQ(hoya_group_leave(group), 0);
        Note("left");
        EXPECT_EQ(hall.gone, 1);
        EXPECT_EQ(hall.destroyed, 1);
        return 0;
    });
    EXPECT_EQ(trace, (Trace{"close", "end", "left"}));
}

TEST_P(StreamServers, CancellingAGroupEndsServerAndClients)
{
    InTask([&](hoya_task *) {
        hoya_group *group = Enter();
        Server server = Start(group);
        Stream client = Connect(server);
        ExpectEchoOf(client);
        EXPECT_EQ(hoya_group_cancel(group, "enough"), 1);
        EXPECT_EQ(hoya_group_leave(group), 0);
        EXPECT_EQ(hall.gone, 1);
        EXPECT_EQ(hoya_server_is_serving(server.get()), 0);
        EXPECT_EQ(Read(client), "");
        Until([&] { return hall.destroyed == 1; });
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamServers, WhoHasComeInWhenTheGroupIsCancelledIsTurnedAway)
{
    /* In the system's queue; accepted in the round of the cancel; with connection_made behind him. */
    for (int rounds = 0; rounds < 6; rounds++) {
        SCOPED_TRACE(rounds);
        hall = {};
        hall.serve = Echo;
        int client = -1;
        InTask([&](hoya_task *) {
            hoya_group *group = Enter();
            Server server = Start(group);
            client = Dial(server);
            Rounds(rounds);
            EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
            EXPECT_EQ(hoya_group_leave(group), 0);
            EXPECT_EQ(hall.come, hall.gone);
            Rounds(5);
            Until([&] { return Hear(client) == "end"; });
            EXPECT_EQ(hall.come, hall.gone) << "nobody has come after the group";
            return 0;
        });
        EXPECT_EQ(hall.destroyed, 1);
    }
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamServers, WhoHasComeInWhenTheServerIsClosedIsServed)
{
    for (int rounds = 0; rounds < 6; rounds++) {
        SCOPED_TRACE(rounds);
        hall = {};
        hall.serve = Echo;
        InTask([&](hoya_task *) {
            hoya_group *group = Enter();
            Server server = Start(group);
            int client = Dial(server);
            Rounds(rounds);
            bool accepted = hoya_server_count_connections(server.get()) == 1;
            EXPECT_EQ(hoya_server_close(server.get()), 0);
            std::string heard;
            if (accepted) {
                EXPECT_EQ(send(client, "hello", 5, MSG_NOSIGNAL), 5);
                Until([&] { return (heard = Hear(client)) != ""; });
                EXPECT_EQ(heard, "hello");
            }
            shutdown(client, SHUT_RDWR);
            EXPECT_EQ(hoya_group_leave(group), 0);
            EXPECT_EQ(hall.come, accepted ? 1 : 0);
            return 0;
        });
        EXPECT_EQ(hall.destroyed, 1);
    }
}

TEST_P(StreamServers, WhoWaitsForHisTurnInAGroupThatIsCancelledIsNeverServed)
{
    InTask([&](hoya_task *) {
        hoya_group *group = Enter(2); /* the server, and one client */
        Server server = Start(group);
        Stream one = Connect(server), two = Connect(server);
        ExpectEchoOf(one);
        EXPECT_EQ(Write(two, "hello"), 0);
        Rounds(5);
        EXPECT_EQ(hall.come, 1);
        EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
        EXPECT_EQ(hoya_group_leave(group), 0);
        EXPECT_EQ(hall.come, 1);
        EXPECT_EQ(Read(one), "");
        std::string end = Read(two); /* what he said was not read: a reset, maybe */
        EXPECT_TRUE(end == "" || end == "HOYA_ECONNRESET") << end;
        return 0;
    });
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamServers, ATaskThatEndsTakesTheServersOfItsGroupsAlong)
{
    InTask([&](hoya_task *) {
        Server server;
        Task owner = Create([&](hoya_task *) {
            server = Start(Enter());
            return 0; /* and does not leave it */
        });
        EXPECT_EQ(Join(owner), 0);
        EXPECT_EQ(hoya_server_is_serving(server.get()), 0);
        Until([&] { return hall.destroyed == 1; });
        return 0;
    });
}

TEST_P(StreamServers, ALoopThatIsClosedEndsAll)
{
    Server server;
    int client = -1;
    Task owner = Create([&](hoya_task *) {
        server = Start(Enter());
        client = Dial(server);
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        return 0;
    });
    RunUntil([&] { return hall.come == 1; });
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(hall.gone, 1);
    EXPECT_EQ(hall.destroyed, 1);
    EXPECT_EQ(Hear(client), "end");
}

/* ---- refused, and cancelled ---- */

TEST_P(StreamServers, WhatCannotBeMadeTakesItsArgument)
{
    InTask([&](hoya_task *) {
        Server taken = Start(nullptr);
        std::string port = std::to_string(PortOf(NameOf(taken)));
        EXPECT_EQ(hall.destroyed, 0);
        int expected = 0;
        hoya_group *group = Enter();
        for (hoya_group *in : {static_cast<hoya_group *>(nullptr), group}) {
            hoya_server *none = nullptr;
            EXPECT_EQ(
                hoya_start_server(in, "127.0.0.1", port.c_str(), Hall::Serve, &hall, Hall::Destroy, nullptr, &none),
                HOYA_EADDRINUSE);
            EXPECT_NE(std::string(hoya_error_detail()).find(port), std::string::npos) << hoya_error_detail();
            EXPECT_EQ(hall.destroyed, ++expected);
            EXPECT_EQ(
                hoya_start_server(in, "127.0.0.1", nullptr, Hall::Serve, &hall, Hall::Destroy, nullptr, &none),
                HOYA_EINVAL);
            EXPECT_EQ(hall.destroyed, ++expected);
            EXPECT_EQ(hoya_start_server(in, "127.0.0.1", "0", nullptr, &hall, Hall::Destroy, nullptr, &none),
                      HOYA_EINVAL);
            EXPECT_EQ(hall.destroyed, ++expected);
            EXPECT_EQ(hoya_start_unix_server(in, nullptr, Hall::Serve, &hall, Hall::Destroy, nullptr, &none),
                      HOYA_EINVAL);
            EXPECT_EQ(hall.destroyed, ++expected);
            EXPECT_EQ(
                hoya_start_server_on_socket(in, HOYA_INVALID_FD, Hall::Serve, &hall, Hall::Destroy, nullptr, &none),
                HOYA_EBADF);
            EXPECT_EQ(hall.destroyed, ++expected);
            hoya_stream_options options = StreamOptions(SIZE_MAX);
            EXPECT_EQ(hoya_start_server(in, "127.0.0.1", "0", Hall::Serve, &hall, Hall::Destroy, &options, &none),
                      HOYA_EINVAL);
            EXPECT_EQ(hall.destroyed, ++expected);
            EXPECT_EQ(none, nullptr);
        }
        EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
        EXPECT_EQ(hoya_group_leave(group), 0) << "none of these counts for the group";
        return hoya_server_close(taken.get());
    });
}

TEST_P(StreamServers, AGroupThatEndsTakesNoServer)
{
    InTask([&](hoya_task *) {
        hoya_group *group = Enter();
        Task late = Create([&](hoya_task *) {
            EXPECT_EQ(hoya_group_cancel(group, nullptr), 1);
            Start(group, HOYA_ESTATE);
            return 0;
        });
        EXPECT_EQ(hoya_sleep(HOYA_SEC(60)), HOYA_ECANCELED);
        EXPECT_EQ(hoya_group_leave(group), 0);
        EXPECT_EQ(hall.destroyed, 1);
        return Join(late);
    });
}

TEST_P(StreamServers, ABeginningThatIsCancelledLeavesNothing)
{
    Oracle oracle(loop);
    for (int in_group = 0; in_group < 2; in_group++) {
        InTask([&](hoya_task *) {
            hoya_group *group = Enter();
            Task starter = Create([&](hoya_task *) {
                hoya_server *server = nullptr;
                int rc = hoya_start_server(in_group ? group : nullptr, "name", "0", Hall::Serve, &hall,
                                           Hall::Destroy, nullptr, &server);
                EXPECT_EQ(server, nullptr);
                return rc;
            });
            Task connecting = Create([&](hoya_task *) {
                hoya_stream *stream = nullptr;
                return hoya_open_connection("name", "1", nullptr, &stream);
            });
            Rounds(3);
            EXPECT_EQ(hoya_task_cancel(starter.get(), nullptr), 1);
            EXPECT_EQ(hoya_task_cancel(connecting.get(), nullptr), 1);
            EXPECT_EQ(Join(starter), HOYA_ECANCELED);
            EXPECT_EQ(Join(connecting), HOYA_ECANCELED);
            EXPECT_EQ(hall.destroyed, in_group + 1);
            return hoya_group_leave(group);
        });
    }
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(StreamServers, WhoCannotConnectHearsWhy)
{
    InTask([&](hoya_task *) {
        hoya_stream *none = nullptr;
        EXPECT_EQ(hoya_open_connection(OwnAddress(), "1", nullptr, &none), HOYA_ECONNREFUSED);
        EXPECT_NE(std::string(hoya_error_detail()).find(OwnAddress()), std::string::npos) << hoya_error_detail();
        EXPECT_EQ(hoya_open_unix_connection(Path("none").c_str(), nullptr, &none), HOYA_ENOENT);
        EXPECT_EQ(hoya_open_unix_connection("", nullptr, &none), HOYA_EINVAL);
        EXPECT_EQ(none, nullptr);
        return 0;
    });
}

TEST_P(StreamServers, OptionsOfConnectionsAndServersCount)
{
    InTask([&](hoya_task *) {
        hoya_transport_options transport = {};
        transport.size = sizeof transport;
        transport.write_high = 1234;
        hoya_connection_options connection = {};
        connection.size = sizeof connection;
        connection.transport = &transport;
        hoya_server_options serving = Options();
        serving.paused = 1;
        hoya_stream_options options = StreamOptions(77);
        options.connection = &connection;
        options.server = &serving;
        hoya_server *started = nullptr;
        EXPECT_EQ(
            hoya_start_server(nullptr, "127.0.0.1", "0", Hall::Serve, &hall, Hall::Destroy, &options, &started), 0);
        Server server(started);
        EXPECT_EQ(hoya_server_is_serving(server.get()), 0);
        EXPECT_EQ(hoya_server_start_serving(server.get()), 0);
        hoya_stream *stream = nullptr;
        std::string port = std::to_string(PortOf(NameOf(server)));
        EXPECT_EQ(hoya_open_connection("127.0.0.1", port.c_str(), &options, &stream), 0);
        Stream client(stream);
        size_t high = 0;
        EXPECT_EQ(
            hoya_transport_get_write_buffer_limits(hoya_stream_get_transport(stream), &high, nullptr, nullptr), 0);
        EXPECT_EQ(high, 1234u);
        EXPECT_EQ(Peek(client, 78), "HOYA_ELIMIT");
        return hoya_server_close(server.get());
    });
}

} // namespace hoya_test
