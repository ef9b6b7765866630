/* SPDX-License-Identifier: MIT
 *
 * conformance/server_creation_test.cc: how servers are made: of hosts, of paths, of sockets; on every host.
 */
#include "server.h"
#include "support/few_descriptors.h"

namespace hoya_test
{

class ServerCreation : public WithServers<LoopConformance>
{
};

INSTANTIATE_TEST_SUITE_P(Hosts, ServerCreation, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- creating --------------------------------------------------------------------------------------------------- */

// Holds: S116
TEST_P(ServerCreation, APausedServerRefusesUntilItStarts)
{
    hoya_server_options options = Options();
    options.paused = 1;
    Server server = Serve(house, &options);
    hoya_address address = NameOf(server);
    EXPECT_EQ(hoya_server_is_serving(server.get()), 0);
    EXPECT_EQ(Dial(address), -ECONNREFUSED);
    EXPECT_EQ(hoya_server_start_serving(server.get()), 0);
    EXPECT_EQ(hoya_server_start_serving(server.get()), 0);
    EXPECT_EQ(hoya_server_is_serving(server.get()), 1);
    ExpectEcho(Dial(server));
}

// Holds: S116
TEST_P(ServerCreation, SeveralHostsAreBoundAllOrNone)
{
    const std::string second = PrivateAddress(2), third = PrivateAddress(3);
    Server squatter = Serve(other);
    std::string taken = std::to_string(PortOf(NameOf(squatter)));
    hoya_endpoint more[] = {{third.c_str(), "0"}, {"127.0.0.1", taken.c_str()}};
    hoya_server_options options = With(more);
    std::string port;
    {
        Server probe = Take(Create(other, second.c_str(), "0"));
        port = std::to_string(PortOf(NameOf(probe)));
        hoya_server_close(probe.get());
    }
    Future failed = Create(house, second.c_str(), port.c_str(), &options);
    EXPECT_EQ(hoya_future_exception(failed.get(), nullptr), HOYA_EADDRINUSE);
    EXPECT_NE(TextOf(failed).find("127.0.0.1:" + taken), std::string::npos) << TextOf(failed);
    EXPECT_EQ(house.destroyed, 1);
    hoya_address free = {};
    EXPECT_EQ(hoya_address_set(&free, second.c_str(), port.c_str()), 0);
    EXPECT_EQ(Dial(free), -ECONNREFUSED) << "none is left";

    options.more_count = 1;
    Server both = Take(Create(house, second.c_str(), port.c_str(), &options));
    ASSERT_EQ(hoya_server_count_sockets(both.get()), 2u);
    EXPECT_EQ(TextOfName(both, 0), second + ":" + port);
    ExpectEcho(Dial(both, 0));
    ExpectEcho(Dial(both, 1));
    hoya_server_close(both.get());
    EXPECT_EQ(hoya_server_count_sockets(both.get()), 0u);
    hoya_server_abort_clients(both.get());
    RunUntil([&] { return house.destroyed == 2; });
}

// Holds: S116
TEST_P(ServerCreation, EveryAddressIsServedByBothFamiliesAtOnePort)
{
    for (const char *anybody : {static_cast<const char *>(nullptr), ""}) {
        Server server = Take(Create(house, anybody, "0"));
        ASSERT_EQ(hoya_server_count_sockets(server.get()), 2u);
        hoya_address one = NameOf(server, 0), two = NameOf(server, 1);
        EXPECT_NE(one.storage.ss_family, two.storage.ss_family);
        EXPECT_EQ(PortOf(one), PortOf(two));
        std::string port = std::to_string(PortOf(one));
        hoya_address local = {};
        EXPECT_EQ(hoya_address_set(&local, "127.0.0.1", port.c_str()), 0);
        ExpectEcho(Dial(local));
        EXPECT_EQ(hoya_address_set(&local, "::1", port.c_str()), 0);
        ExpectEcho(Dial(local));
        hoya_server_close(server.get());
        hoya_server_abort_clients(server.get());
        int before = house.destroyed;
        RunUntil([&] { return house.destroyed == before + 1; });
    }
}

// Holds: S116
TEST_P(ServerCreation, AnAddressThatSeveralHostsHaveIsBoundOnce)
{
    const std::string first = PrivateAddress(1), second = PrivateAddress(2);
    Server probe = Take(Create(other, first.c_str(), "0"));
    std::string port = std::to_string(PortOf(NameOf(probe)));
    hoya_server_close(probe.get());
    hoya_endpoint more[] = {{first.c_str(), port.c_str()}, {second.c_str(), port.c_str()}};
    hoya_server_options options = With(more);
    Server server = Take(Create(house, first.c_str(), port.c_str(), &options));
    EXPECT_EQ(hoya_server_count_sockets(server.get()), 2u);
}

TEST_P(ServerCreation, AnAddressOfAnotherMachineIsRefusedByName)
{
    Future failed = Create(house, "192.0.2.1", "0");
    EXPECT_EQ(hoya_future_exception(failed.get(), nullptr), HOYA_EADDRNOTAVAIL);
    EXPECT_NE(TextOf(failed).find("192.0.2.1:0"), std::string::npos) << TextOf(failed);
    EXPECT_EQ(house.destroyed, 1);
}

TEST_P(ServerCreation, ServersShareAPortIfTheySaySo)
{
    hoya_server_options options = Options();
    options.reuse_port = 1;
    Server one = Serve(house, &options);
    std::string port = std::to_string(PortOf(NameOf(one)));
    Server two = Take(Create(other, "127.0.0.1", port.c_str(), &options));
    for (int i = 0; i < 64; i++) Dial(one);
    RunUntil([&] { return house.made + other.made == 64; });
    EXPECT_GT(house.made, 0);
    EXPECT_GT(other.made, 0);
    Future refused = Create(other, "127.0.0.1", port.c_str());
    EXPECT_EQ(hoya_future_exception(refused.get(), nullptr), HOYA_EADDRINUSE);
}

TEST_P(ServerCreation, APortIsThereAgainAtOnceUnlessItIsNotToBeReused)
{
    Server server = Take(Create(house, OwnAddress(), "0"));
    std::string port = std::to_string(PortOf(NameOf(server)));
    int client = Dial(server);
    ExpectEcho(client);
    hoya_server_close(server.get());
    hoya_server_close_clients(server.get()); /* our side ends first: it has the time to wait */
    ExpectToHear(client, "end");
    Close(client);
    RunUntil([&] { return house.released == 1; });
    hoya_server_options options = Options();
    options.no_reuse_address = 1;
    Future refused = Create(other, OwnAddress(), port.c_str(), &options);
    EXPECT_EQ(hoya_future_exception(refused.get(), nullptr), HOYA_EADDRINUSE);
    Server again = Take(Create(house, OwnAddress(), port.c_str()));
    ExpectEcho(Dial(again));
}

TEST_P(ServerCreation, HostsAreLookedUpAllAtOnceAndBoundInTheirOrder)
{
    Oracle oracle(loop);
    hoya_endpoint more[] = {{"b.test", "0"}, {"127.0.0.3", "0"}};
    hoya_server_options options = With(more);
    Future future = Create(house, "a.test", "0", &options);
    ASSERT_EQ(oracle.asked.size(), 2u);
    more[0].host = nullptr; /* borrowed for the call */
    oracle.Answer(1, "127.0.0.2");
    RunRounds(2);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    oracle.Answer(0, "127.0.0.1");
    RunUntil([&] { return hoya_future_done(future.get()) == 1; });
    Server server = Take(future);
    ASSERT_EQ(hoya_server_count_sockets(server.get()), 3u);
    EXPECT_EQ(TextOfName(server, 0).find("127.0.0.1:"), 0u);
    EXPECT_EQ(TextOfName(server, 1).find("127.0.0.2:"), 0u);
    EXPECT_EQ(TextOfName(server, 2).find("127.0.0.3:"), 0u);
    ExpectEcho(Dial(server, 1));
}

TEST_P(ServerCreation, AHostThatIsNotFoundFailsTheServerAndNobodyElseIsAsked)
{
    Oracle oracle(loop);
    hoya_endpoint more[] = {{"b.test", "0"}};
    hoya_server_options options = With(more);
    Future future = Create(house, "a.test", "0", &options);
    EXPECT_EQ(hoya_future_set_exception(oracle.asked[1].get(), HOYA_EAI_NONAME, "b.test: who?"), 0);
    RunUntil([&] { return hoya_future_done(future.get()) == 1; });
    EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_EAI_NONAME);
    EXPECT_EQ(TextOf(future), "b.test: who?");
    EXPECT_EQ(hoya_future_cancelled(oracle.asked[0].get()), 1);
    EXPECT_EQ(house.destroyed, 1);
}

TEST_P(ServerCreation, ACancelledCreationLeavesNothing)
{
    Oracle oracle(loop);
    hoya_endpoint more[] = {{"127.0.0.1", "0"}};
    hoya_server_options options = With(more);
    Future future = Create(house, "a.test", "0", &options), late = Create(other, "a.test", "0", &options);
    EXPECT_EQ(hoya_future_cancel(future.get(), "enough"), 1);
    EXPECT_EQ(hoya_future_cancelled(future.get()), 1);
    EXPECT_EQ(TextOf(future), "enough");
    EXPECT_EQ(hoya_future_cancelled(oracle.asked[0].get()), 1);
    EXPECT_EQ(house.destroyed, 1);
    oracle.Answer(1, "127.0.0.1"); /* has answered, and is cancelled before anybody has heard of it */
    EXPECT_EQ(hoya_future_cancel(late.get(), nullptr), 1);
    EXPECT_EQ(other.destroyed, 1);
    RunRounds(3);
}

TEST_P(ServerCreation, NobodyIsAskedBeforeAllArgumentsAreLookedAt)
{
    Oracle oracle(loop);
    hoya_server_options options = Options();
    options.more_count = 1;
    for (hoya_endpoint bad : {hoya_endpoint{"b.test", nullptr}, {"b.test", ""}, {"b test", "0"}, {"", "65536"}}) {
        options.more = &bad;
        Create(house, "a.test", "0", &options, HOYA_EINVAL);
    }
    EXPECT_EQ(oracle.asked.size(), 0u);
    EXPECT_EQ(house.destroyed, 4);
}

TEST_P(ServerCreation, AResolversEmptyAnswerIsANameThatIsNotFound)
{
    Oracle oracle(loop);
    Future future = Create(house, "a.test", "0");
    EXPECT_EQ(hoya_future_set_result(oracle.asked[0].get(), nullptr, nullptr), 0);
    RunUntil([&] { return hoya_future_done(future.get()) == 1; });
    EXPECT_EQ(hoya_future_exception(future.get(), nullptr), HOYA_EAI_NONAME);
    EXPECT_EQ(TextOf(future), "the resolver's answer is empty");
    EXPECT_EQ(house.destroyed, 1);
}

TEST_P(ServerCreation, AResolversAnswerThatIsNoAddressFailsIt)
{
    Oracle oracle(loop);
    Future creation = Create(house, "a.test", "0");
    addrinfo node = {};
    node.ai_family = AF_UNIX;
    EXPECT_EQ(hoya_future_set_result(oracle.asked[0].get(), &node, nullptr), 0);
    oracle.asked.clear();
    RunUntil([&] { return hoya_future_done(creation.get()) == 1; });
    EXPECT_EQ(hoya_future_exception(creation.get(), nullptr), HOYA_EAI_FAMILY);
    EXPECT_EQ(house.destroyed, 1);
}

/* What destroys the list of a resolver is its own, and the creation lets go of it at its end. */
TEST_P(ServerCreation, ACreationThatEndsMayBeCancelledByWhatItLetsGoOf)
{
    struct List : addrinfo {
        sockaddr_in address = {};
        Future creation;
        int cancels = 0, answer = 0;
        List() : addrinfo()
        {
            ai_family = address.sin_family = AF_INET;
            ai_addrlen = sizeof address;
            ai_addr = reinterpret_cast<sockaddr *>(&address);
        }
        static void Destroy(void *at)
        {
            auto self = static_cast<List *>(static_cast<addrinfo *>(at));
            self->cancels++;
            self->answer = hoya_future_cancel(self->creation.get(), nullptr);
        }
    } list;
    Oracle oracle(loop);
    hoya_endpoint more[] = {{"b.test", "0"}};
    hoya_server_options options = With(more);
    list.creation = Create(house, "a.test", "0", &options);
    addrinfo *const node = &list;
    EXPECT_EQ(hoya_future_set_result(oracle.asked[0].get(), node, List::Destroy), 0);
    EXPECT_EQ(hoya_future_set_exception(oracle.asked[1].get(), HOYA_EAI_NONAME, "b.test: who?"), 0);
    oracle.asked.clear();
    RunUntil([&] { return hoya_future_done(list.creation.get()) == 1; });
    EXPECT_EQ(list.cancels, 1);
    EXPECT_EQ(list.answer, 0) << "too late";
    EXPECT_EQ(hoya_future_exception(list.creation.get(), nullptr), HOYA_EAI_NONAME);
    EXPECT_EQ(house.destroyed, 1);

    list.creation = Create(house, "a.test", "0", &options);
    EXPECT_EQ(hoya_future_set_result(oracle.asked[0].get(), node, List::Destroy), 0);
    oracle.asked.clear();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(list.cancels, 2);
    EXPECT_EQ(house.destroyed, 2);
}

TEST_P(ServerCreation, ALoopThatClosesWhileHostsAreLookedUpLeavesNothing)
{
    Oracle oracle(loop);
    Future future = Create(house, "a.test", "0"), answered = Create(other, "b.test", "0");
    oracle.Answer(1, "127.0.0.1");
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(house.destroyed, 1);
    EXPECT_EQ(other.destroyed, 1);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    EXPECT_EQ(hoya_future_cancel(future.get(), "late"), 1);
    EXPECT_EQ(TextOf(future), "late");
}

/* A resolver that runs the loop while it is asked, or closes it. */
TEST_P(ServerCreation, AHostThatIsFoundWhileTheNextIsAskedForIsServed)
{
    Oracle oracle(loop);
    hoya_endpoint more[] = {{"b.test", "0"}};
    hoya_server_options options = With(more);
    oracle.on_ask = [&] {
        if (oracle.asked.size() != 2) return;
        oracle.Answer(0, "127.0.0.1");
        RunRounds(3);
    };
    Future future = Create(house, "a.test", "0", &options);
    EXPECT_EQ(hoya_future_done(future.get()), 0);
    oracle.Answer(1, "127.0.0.2");
    RunUntil([&] { return hoya_future_done(future.get()) == 1; });
    Server server = Take(future);
    EXPECT_EQ(hoya_server_count_sockets(server.get()), 2u);
    hoya_server_close(server.get());
    EXPECT_EQ(house.destroyed, 1);
}

TEST_P(ServerCreation, ACreationThatIsOverWhileAHostIsAskedForAsksForNoOther)
{
    Oracle oracle(loop);
    hoya_endpoint more[] = {{"b.test", "0"}, {"c.test", "0"}};
    hoya_server_options options = With(more);
    oracle.on_ask = [&] {
        if (oracle.asked.size() != 2) return;
        EXPECT_EQ(hoya_future_set_exception(oracle.asked[0].get(), HOYA_EAI_NONAME, "a.test: who?"), 0);
        RunRounds(3);
    };
    Future failed = Create(house, "a.test", "0", &options);
    EXPECT_EQ(hoya_future_exception(failed.get(), nullptr), HOYA_EAI_NONAME);
    EXPECT_EQ(TextOf(failed), "a.test: who?");
    EXPECT_EQ(oracle.asked.size(), 2u);
    EXPECT_EQ(hoya_future_cancelled(oracle.asked[1].get()), 1);
    EXPECT_EQ(house.destroyed, 1);

    oracle.on_ask = [&] { EXPECT_EQ(hoya_loop_close(loop), 0); };
    Future closed = Create(other, "a.test", "0", &options);
    EXPECT_EQ(hoya_future_done(closed.get()), 0);
    EXPECT_EQ(oracle.asked.size(), 3u);
    EXPECT_EQ(other.destroyed, 1);
}

/* ---- Unix -------------------------------------------------------------------------------------------------------- */

// Holds: S123
TEST_P(ServerCreation, AUnixServerTakesAPathThatNobodyListensOnAndRemovesItInTheEnd)
{
    std::string path = Path("socket");
    LeaveSocket(path);
    Server server = ServeUnix(house, path);
    ExpectEcho(Dial(server));
    EXPECT_EQ(TextOfName(server), "unix:" + path);
    hoya_server_close(server.get());
    EXPECT_FALSE(Exists(path));
}

// Holds: S123
TEST_P(ServerCreation, AUnixServerTakesNoPathFromAnybody)
{
    std::string path = Path("socket"), file = Path("file");
    Server server = ServeUnix(house, path);
    ServeUnix(other, path, HOYA_EADDRINUSE);
    EXPECT_EQ(other.destroyed, 1);
    ExpectEcho(Dial(server));
    fclose(fopen(file.c_str(), "w"));
    ServeUnix(other, file, HOYA_EADDRINUSE);
    EXPECT_TRUE(Exists(file));
    ServeUnix(other, path + "/no/directory", -ENOTDIR);
    EXPECT_NE(std::string(hoya_error_detail()).find("unix:" + path), std::string::npos) << hoya_error_detail();
    ServeUnix(other, "/tmp/" + std::string(200, 'x'), HOYA_ENAMETOOLONG);
    EXPECT_EQ(other.destroyed, 4);
}

TEST_P(ServerCreation, WhereNobodyCanTellWhetherAPathIsSomebodysTheReasonIsTold)
{
    std::string path = Path("socket");
    LeaveSocket(path);
    RunRounds(1);
    FewDescriptors one(1); /* for the server's own */
    hoya_server *server = nullptr;
    int rc = hoya_create_unix_server(loop, path.c_str(), House::Factory, &house, House::Destroy, nullptr, &server);
    const std::string text = hoya_error_detail();
    EXPECT_EQ(rc, HOYA_EMFILE);
    EXPECT_EQ(text.find("bind to unix:" + path + ": "), 0u) << text;
    EXPECT_EQ(server, nullptr);
    EXPECT_TRUE(Exists(path));
}

// Holds: S123
TEST_P(ServerCreation, AUnixServerLeavesAPathThatHasBecomeAnothers)
{
    std::string path = Path("socket");
    Server server = ServeUnix(house, path);
    EXPECT_EQ(unlink(path.c_str()), 0);
    LeaveSocket(path);
    hoya_server_close(server.get());
    EXPECT_TRUE(Exists(path));
}

// Holds: S123
TEST_P(ServerCreation, AUnixServerKeepsItsPathIfItIsAsked)
{
    std::string path = Path("socket");
    hoya_server_options options = Options();
    options.keep_socket = 1;
    Server server = ServeUnix(house, path, 0, &options);
    hoya_server_close(server.get());
    EXPECT_TRUE(Exists(path));
}

// Holds: S123
TEST_P(ServerCreation, APausedUnixServerThatHasLostItsPathDoesNotServe)
{
    std::string path = Path("socket");
    hoya_server_options options = Options();
    options.paused = 1;
    for (int keep : {0, 1}) {
        options.keep_socket = keep;
        int before = house.destroyed;
        Server paused = ServeUnix(house, path, 0, &options);
        Server taker = ServeUnix(other, path); /* nobody listens there */
        EXPECT_EQ(hoya_server_start_serving(paused.get()), HOYA_EADDRINUSE);
        EXPECT_NE(std::string(hoya_error_detail()).find("listen on unix:" + path), std::string::npos)
            << hoya_error_detail();
        EXPECT_EQ(hoya_server_is_serving(paused.get()), 0);
        hoya_server_close(taker.get());
        EXPECT_FALSE(Exists(path));
        EXPECT_EQ(hoya_server_start_serving(paused.get()), HOYA_EADDRINUSE) << "it leads nowhere";
        hoya_server_close(paused.get());
        EXPECT_EQ(house.destroyed, before + 1);

        Server found = ServeUnix(house, path, 0, &options);
        EXPECT_EQ(hoya_server_start_serving(found.get()), 0);
        ExpectEcho(Dial(found));
        hoya_server_close(found.get());
        hoya_server_abort_clients(found.get());
        RunUntil([&] { return house.destroyed == before + 2; });
        EXPECT_EQ(Exists(path), keep == 1);
    }
}

// Holds: S116
TEST_P(ServerCreation, AServerThatCouldNotStartMayBeStartedAgain)
{
    Server probe = Take(Create(other, OwnAddress(), "0"));
    std::string port = std::to_string(PortOf(NameOf(probe)));
    hoya_server_close(probe.get());
    hoya_endpoint more[] = {{OwnAddress(), port.c_str()}};
    hoya_server_options options = Options();
    options.paused = 1;
    options.more = more;
    options.more_count = 1;
    Server both = Serve(house, &options);
    Server taker = Take(Create(other, OwnAddress(), port.c_str()));
    EXPECT_EQ(hoya_server_start_serving(both.get()), HOYA_EADDRINUSE);
    EXPECT_EQ(hoya_server_is_serving(both.get()), 0);
    int early = Dial(both, 0);
    RunRounds(2);
    EXPECT_EQ(house.made, 0) << "it waits";
    hoya_server_close(taker.get());
    EXPECT_EQ(hoya_server_start_serving(both.get()), 0);
    ExpectEcho(early);
    ExpectEcho(Dial(both, 1));
}

// Holds: S123
TEST_P(ServerCreation, AnAbstractNameHasNoPath)
{
    std::string name = "@hoya-server-" + std::to_string(getpid());
    Server server = ServeUnix(house, name);
    EXPECT_EQ(TextOfName(server), "unix:" + name);
    ExpectEcho(Dial(server));
    EXPECT_FALSE(Exists(name.substr(1)));
    ServeUnix(other, name, HOYA_EADDRINUSE);
}

// Holds: S123 F27
TEST_P(ServerCreation, AForkedChildRemovesNoPathAndClosesNoServerOfItsParents)
{
    std::string path = Path("socket");
    Server server = ServeUnix(house, path);
    int client = Dial(server);
    ExpectEcho(client);
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(hoya_server_close(server.get()), HOYA_ECHILD);
                  EXPECT_EQ(hoya_server_start_serving(server.get()), HOYA_ECHILD);
                  EXPECT_EQ(hoya_loop_close(loop), 0);
                  EXPECT_EQ(house.destroyed, 1);
              }),
              0);
    EXPECT_TRUE(Exists(path));
    ExpectEcho(client);
    ExpectEcho(Dial(server));
}

/* ---- on a socket -------------------------------------------------------------------------------------------------- */

TEST_P(ServerCreation, AServerOnASocketTakesIt)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in any = {};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&any), sizeof any), 0);
    hoya_server *raw = nullptr;
    ASSERT_EQ(hoya_create_server_on_socket(loop, fd, House::Factory, &house, House::Destroy, nullptr, &raw), 0)
        << hoya_error_detail();
    Server server(raw);
    EXPECT_EQ(hoya_server_get_socket(raw, 0), fd);
    ExpectEcho(Dial(server));
    EXPECT_EQ(hoya_create_server_on_socket(loop, fd, House::Factory, &other, House::Destroy, nullptr, nullptr),
              HOYA_EBUSY);
    ExpectEcho(Dial(server));
    hoya_server_close(raw);
    EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_P(ServerCreation, ADescriptorThatCannotBeAServersStaysTheCallers)
{
    auto pair = MakePair();
    auto pipe = MakePipe();
    int packets = Own(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    int unbound = Own(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int unbound6 = Own(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int nameless = Own(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const struct {
        int fd, code;
    } cases[] = {{pair[0], HOYA_EINVAL},  {pipe[0], HOYA_ENOTSOCK}, {packets, HOYA_EINVAL}, {unbound, HOYA_EINVAL},
                 {unbound6, HOYA_EINVAL}, {nameless, HOYA_EINVAL},  {-1, HOYA_EBADF}};
    for (const auto &of : cases) {
        int before = house.destroyed;
        EXPECT_EQ(
            hoya_create_server_on_socket(loop, of.fd, House::Factory, &house, House::Destroy, nullptr, nullptr),
            of.code)
            << hoya_error_detail();
        EXPECT_EQ(house.destroyed, before + 1);
        if (of.fd >= 0) EXPECT_GE(fcntl(of.fd, F_GETFD), 0);
    }
    AddReader(pair[0], Say("readable"));
    Feed(pair[1]);
    RunUntilNoted(1);
}

} // namespace hoya_test
