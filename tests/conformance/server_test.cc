/* SPDX-License-Identifier: MIT
 *
 * conformance/server_test.cc: servers: how they serve, whom they refuse, and what is told of them; on every host.
 */
#include "server.h"
#include "support/few_descriptors.h"

#include <thread>

#include <netinet/tcp.h>
#include <sys/resource.h>

#include "elsewhere.h"

namespace hoya_test
{

class ServerConformance : public WithServers<LoopConformance>
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, ServerConformance, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- serving ------------------------------------------------------------------------------------------------- */

TEST_P(ServerConformance, AServerServesWhoConnects)
{
    Server server = Serve(house);
    EXPECT_EQ(hoya_server_is_serving(server.get()), 1);
    EXPECT_EQ(hoya_server_get_loop(server.get()), loop);
    EXPECT_EQ(hoya_server_count_sockets(server.get()), 1u);
    EXPECT_GE(hoya_server_get_socket(server.get(), 0), 0);
    EXPECT_EQ(hoya_server_get_socket(server.get(), 1), HOYA_INVALID_FD);
    int one = Dial(server), two = Dial(server);
    ExpectEcho(one);
    ExpectEcho(two);
    EXPECT_EQ(hoya_server_count_connections(server.get()), 2u);
    Close(one);
    RunUntil([&] { return house.released == 1; });
    EXPECT_EQ(hoya_server_count_connections(server.get()), 1u);
}

TEST_P(ServerConformance, AServerLivesOnWithoutAReference)
{
    hoya_address address;
    {
        Server server = Serve(house);
        address = NameOf(server);
    }
    int client = Dial(address);
    ExpectEcho(client);
    EXPECT_EQ(house.destroyed, 0);
}

TEST_P(ServerConformance, NobodyNeedsToKeepTheFuture)
{
    hoya_address places[2];
    int fds[2];
    for (int i = 0; i < 2; i++) { /* that are free, and none of the other tests' */
        auto address = reinterpret_cast<sockaddr *>(&places[i].storage);
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(hoya_address_set(&places[i], i ? PrivateAddress(2).c_str() : "127.0.0.1", "0"), 0);
        EXPECT_EQ(bind(fds[i], address, places[i].length), 0);
        getsockname(fds[i], address, &places[i].length);
    }
    for (int fd : fds) close(fd);
    auto create = [&](House &whose, const char *where, const hoya_address &place) {
        const std::string port =
            std::to_string(ntohs(reinterpret_cast<const sockaddr_in &>(place.storage).sin_port));
        EXPECT_EQ(
            hoya_create_server(loop, where, port.c_str(), House::Factory, &whose, House::Destroy, nullptr, nullptr),
            0);
        int client = -1;
        RunUntil([&] { return (client = Dial(place)) >= 0; });
        ExpectEcho(client);
    };
    create(house, "localhost", places[0]);
    create(other, PrivateAddress(2).c_str(), places[1]);
    EXPECT_EQ(house.made, 1);
    EXPECT_EQ(other.made, 1);
}

// Holds: S113
TEST_P(ServerConformance, AllWhoWaitAreLetInByOneTurn)
{
    Server server = Serve(house);
    for (int i = 0; i < 60; i++) Dial(server);
    RunUntil([&] { return house.asked > 0; });
    EXPECT_EQ(house.asked, 60);
}

// Holds: S107
TEST_P(ServerConformance, WhoHasGoneBeforeHeWasAcceptedIsKnownByItsAddress)
{
    Server server = Serve(house);
    int fd = Dial(server);
    sockaddr_in mine = {};
    socklen_t length = sizeof mine;
    getsockname(fd, reinterpret_cast<sockaddr *>(&mine), &length);
    linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    Close(fd); /* a reset */
    hoya_address seen = {};
    house.on_made = [&](hoya_transport *made) { return hoya_transport_get_peername(made, &seen); };
    RunUntil([&] { return house.released == 1; });
    EXPECT_EQ(seen.length, length) << hoya_error_detail();
    EXPECT_EQ(memcmp(&seen.storage, &mine, sizeof mine), 0);
}

TEST_P(ServerConformance, ConnectionsAreWhatTheOptionsSayFromTheBeginning)
{
    hoya_transport_options transport = {};
    transport.size = sizeof transport;
    transport.keep_alive = HOYA_MSEC(6500);
    transport.user_timeout = HOYA_SEC(3);
    transport.write_high = 1000;
    hoya_server_options options = Options();
    options.transport = &transport;
    Server server = Serve(house, &options);
    house.on_made = [](hoya_transport *made) {
        int fd = hoya_transport_fileno(made), number = 0;
        socklen_t size = sizeof number;
        getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &number, &size);
        EXPECT_NE(number, 0);
        getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &number, &size);
        EXPECT_NE(number, 0);
        getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &number, &size);
        EXPECT_EQ(number, 7);
        getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &number, &size);
        EXPECT_EQ(number, 3000);
        size_t high = 0;
        hoya_transport_get_write_buffer_limits(made, &high, nullptr, nullptr);
        EXPECT_EQ(high, 1000u);
        return 0;
    };
    Dial(server);
    RunUntil([&] { return house.made == 1; });
}

// Holds: S115
TEST_P(ServerConformance, WhoGetsNoProtocolIsClosedAndThatIsReported)
{
    Collect();
    Server server = Serve(house);
    house.on_factory = [](hoya_server *) { return hoya_error_set(HOYA_EACCES, "not you"); };
    int client = Dial(server);
    ExpectToHear(client, "end");
    ASSERT_EQ(reports.codes, std::vector<int>{HOYA_EACCES});
    EXPECT_NE(reports.texts[0].find("not you"), std::string::npos) << reports.texts[0];
    EXPECT_EQ(hoya_server_count_connections(server.get()), 0u);
    house.on_factory = nullptr;
    ExpectEcho(Dial(server));
}

// Holds: S115
TEST_P(ServerConformance, AProtocolThatCannotBeServedIsReleasedAndThatIsReported)
{
    static hoya_protocol_ops ops = {};
    ops.size = sizeof ops;
    ops.released = [](void *arg) {
        static_cast<House *>(arg)->released++;
        EXPECT_EQ(hoya_loop_call_soon(nullptr, nullptr, nullptr), HOYA_EINVAL) << "with a text of its own";
    };
    ops.buffer_updated = [](hoya_transport *, size_t, void *) { return 0; };
    Collect();
    hoya_server *raw = nullptr;
    auto factory = [](hoya_server *, hoya_protocol *protocol, void *arg) {
        if (static_cast<House *>(arg)->asked++ == 0) *protocol = {&ops, arg};
        return 0; /* the second time without one */
    };
    std::string path = Path("socket");
    ASSERT_EQ(hoya_create_unix_server(loop, path.c_str(), factory, &house, House::Destroy, nullptr, &raw), 0);
    Server server(raw);
    ExpectToHear(Dial(server), "end");
    EXPECT_EQ(house.released, 1);
    ExpectToHear(Dial(server), "end");
    EXPECT_EQ(house.released, 1);
    EXPECT_EQ(reports.codes, (std::vector<int>{HOYA_EINVAL, HOYA_EINVAL}));
    EXPECT_NE(reports.texts[0].find("get_buffer"), std::string::npos) << reports.texts[0];
}

// Holds: S114
TEST_P(ServerConformance, WithoutDescriptorsAServerReportsOnceAndRestsUntilAConnectionEnds)
{
    Collect();
    Server server = Serve(house);
    int first = Dial(server);
    ExpectEcho(first);
    int second = Dial(server);
    auto few = std::make_unique<FewDescriptors>(0);
    RunUntil([&] { return !reports.codes.empty(); });
    RunFor(HOYA_MSEC(50));
    EXPECT_EQ(reports.codes, std::vector<int>{HOYA_EMFILE});
    ASSERT_FALSE(reports.texts.empty());
    EXPECT_NE(reports.texts[0].find(TextOfName(server) + ": " + hoya_strerror(HOYA_EMFILE) + "; "),
              std::string::npos)
        << reports.texts[0];
    EXPECT_EQ(hoya_server_is_serving(server.get()), 1);
    hoya_transport_abort(house.guests[0]); /* its descriptor is the one that was missing */
    RunUntil([&] { return house.made == 2; });
    few.reset();
    EXPECT_EQ(reports.codes.size(), 1u);
    ExpectEcho(second);
}

TEST_P(ServerConformance, WithoutDescriptorsAServerReportsOnceAndMayBeClosedByThat)
{
    Collect();
    Server server = Serve(house);
    reports.on_report = [&] {
        hoya_server_close(server.get());
        server.reset();
    };
    Dial(server);
    FewDescriptors none(0);
    RunUntil([&] { return house.destroyed == 1; });
    EXPECT_EQ(reports.codes, std::vector<int>{HOYA_EMFILE});
}

/* ---- arguments, threads, the dump ----------------------------------------------------------------------------------- */

TEST_P(ServerConformance, BadArgumentsAreRefusedBeforeAnythingIsOpened)
{
    const int open = OpenFds();
    hoya_server_options options = Options();
    EXPECT_EQ(hoya_create_server(loop, "127.0.0.1", "0", nullptr, &house, House::Destroy, nullptr, nullptr),
              HOYA_EINVAL);
    EXPECT_EQ(
        hoya_create_server(nullptr, "127.0.0.1", "0", House::Factory, &house, House::Destroy, nullptr, nullptr),
        HOYA_EINVAL);
    Create(house, "127.0.0.1", nullptr, nullptr, HOYA_EINVAL);
    Create(house, "127.0.0.1", "", nullptr, HOYA_EINVAL);
    Create(house, "127.0.0.1", "65536", nullptr, HOYA_EINVAL);
    Create(house, "no host", "0", nullptr, HOYA_EINVAL);
    options.backlog = -1;
    Create(house, "127.0.0.1", "0", &options, HOYA_EINVAL);
    options = Options();
    options.more_count = 1;
    Create(house, "127.0.0.1", "0", &options, HOYA_EINVAL);
    hoya_endpoint more[] = {{"::1", nullptr}};
    options.more = more;
    Create(house, "127.0.0.1", "0", &options, HOYA_EINVAL);
    ServeUnix(house, Path("socket"), HOYA_EINVAL, &options);
    options = Options();
    options.family = AF_UNIX;
    Create(house, "127.0.0.1", "0", &options, HOYA_EAI_FAMILY);
    options = Options();
    options.size = 1;
    Create(house, "127.0.0.1", "0", &options, HOYA_EINVAL);
    hoya_transport_options transport = {};
    transport.size = sizeof transport;
    transport.keep_alive = -1;
    options = Options();
    options.transport = &transport;
    Create(house, "127.0.0.1", "0", &options, HOYA_EINVAL);
    ServeUnix(house, "", HOYA_EINVAL);
    EXPECT_EQ(house.destroyed, 14);
    EXPECT_EQ(OpenFds(), open);
    Server server = Serve(other);
    EXPECT_EQ(hoya_server_wait_closed(server.get(), nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_server_serve_forever(server.get(), nullptr), HOYA_EINVAL);
    EXPECT_EQ(hoya_server_get_sockname(server.get(), 1, nullptr), HOYA_EINVAL);
}

// Holds: F15
TEST_P(ServerConformance, AServerBelongsToTheThreadOfItsLoop)
{
    Server server = Serve(house);
    std::thread([&] {
        hoya_future *future = nullptr;
        hoya_address address;
        EXPECT_EQ(hoya_server_close(server.get()), HOYA_ETHREAD);
        EXPECT_EQ(hoya_server_start_serving(server.get()), HOYA_ETHREAD);
        EXPECT_EQ(hoya_server_close_clients(server.get()), HOYA_ETHREAD);
        EXPECT_EQ(hoya_server_abort_clients(server.get()), HOYA_ETHREAD);
        EXPECT_EQ(hoya_server_wait_closed(server.get(), &future), HOYA_ETHREAD);
        EXPECT_EQ(hoya_server_serve_forever(server.get(), &future), HOYA_ETHREAD);
        EXPECT_EQ(hoya_server_get_sockname(server.get(), 0, &address), HOYA_ETHREAD);
        Create(other, "127.0.0.1", "0", nullptr, HOYA_ETHREAD);
        ServeUnix(other, Path("socket"), HOYA_ETHREAD);
    }).join();
    EXPECT_EQ(other.destroyed, 2);
    ExpectEcho(Dial(server));
}

TEST_P(ServerConformance, SeveralThreadsServeOnePort)
{
    hoya_server_options options = Options();
    options.reuse_port = 1;
    Server here = Serve(house, &options);
    std::string port = std::to_string(PortOf(NameOf(here)));
    Elsewhere elsewhere;
    struct Setup {
        const char *port;
        House *house;
        hoya_server_options options;
        std::atomic<int> done{0};
    } setup{port.c_str(), &other, options, {}};
    auto serve = [](void *arg) {
        auto self = static_cast<Setup *>(arg);
        EXPECT_EQ(hoya_create_server(hoya_get_running_loop(), "127.0.0.1", self->port, House::Factory, self->house,
                                     House::Destroy, &self->options, nullptr),
                  0);
        self->done = 1;
    };
    EXPECT_EQ(hoya_loop_call_soon_threadsafe(elsewhere.loop, serve, &setup, nullptr, nullptr), 0);
    while (!setup.done) std::this_thread::yield();
    std::vector<int> clients;
    for (int i = 0; i < 64; i++) clients.push_back(Dial(here));
    for (int client : clients) ExpectEcho(client);
    elsewhere.Join();
    EXPECT_GT(house.made, 0);
    EXPECT_GT(other.made, 0);
    EXPECT_EQ(house.made + other.made, 64);
}

TEST_P(ServerConformance, TheDumpTellsOfEachServer)
{
    Oracle oracle(loop);
    Server server = Serve(house);
    ExpectEcho(Dial(server));
    hoya_server_options options = Options();
    options.paused = 1;
    const std::string name = "@hoya-dump-" + std::to_string(getpid());
    Server paused = ServeUnix(other, name, 0, &options);
    House third;
    Future future = Create(third, "a.test", "0");
    std::string dump;
    auto add = [](const char *line, void *arg) { *static_cast<std::string *>(arg) += std::string(line) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, add, &dump), 0);
    EXPECT_NE(dump.find("  servers: 3\n    " + TextOfName(server) + ", connections: 1\n"), std::string::npos)
        << dump;
    EXPECT_NE(dump.find("    unix:" + name + ", connections: 0, not serving yet\n"), std::string::npos) << dump;
    EXPECT_NE(dump.find("    on no socket, connections: 0, looking its hosts up\n"), std::string::npos) << dump;
    hoya_future_cancel(future.get(), nullptr);
}

} // namespace hoya_test
