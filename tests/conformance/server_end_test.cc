/* SPDX-License-Identifier: MIT
 *
 * conformance/server_end_test.cc: how servers end, and what callbacks do to them that end them meanwhile; on every host.
 */
#include "server.h"

#include <sys/mman.h>

namespace hoya_test
{

/* Three clients, to each of which a file is on its way that does not go at once, and nobody waits for it. */
template <typename Base> class WithFiles : public WithServers<Base>
{
  protected:
    Server ServeFiles()
    {
        this->Collect();
        Server server = this->Serve(this->house);
        for (int i = 0; i < 3; i++) this->ExpectEcho(this->Dial(server));
        int file = this->Own(memfd_create("file", MFD_CLOEXEC));
        EXPECT_EQ(ftruncate(file, 32 << 20), 0);
        for (hoya_transport *guest : this->house.guests)
            EXPECT_EQ(hoya_sendfile(guest, file, 0, HOYA_SENDFILE_ALL, 0, nullptr), 0) << hoya_error_detail();
        return server;
    }
};

class ServerEnd : public WithFiles<LoopConformance>
{
  protected:
    /* Two clients, to each of which more is written than goes at once, and one of another server. */
    struct Crowd {
        Server server, neighbour;
        int one, two, three;
        size_t written; /* to one, and to two */
    };
    Crowd Gather()
    {
        Crowd crowd = {Serve(house), Serve(other), -1, -1, -1, 3 << 20};
        crowd.one = Dial(crowd.server), crowd.two = Dial(crowd.server), crowd.three = Dial(crowd.neighbour);
        for (int fd : {crowd.one, crowd.two, crowd.three}) ExpectEcho(fd);
        const std::string much(crowd.written, 'x');
        for (hoya_transport *guest : house.guests)
            EXPECT_EQ(hoya_transport_write(guest, much.data(), much.size()), 0);
        return crowd;
    }
};
class NestingServerEnd : public WithFiles<NestingConformance>
{
};

static std::string NameOfVariant(const testing::TestParamInfo<Variant> &of)
{
    return of.param.name;
}
INSTANTIATE_TEST_SUITE_P(Hosts, ServerEnd, ::testing::ValuesIn(variants()), NameOfVariant);
INSTANTIATE_TEST_SUITE_P(Hosts, NestingServerEnd, ::testing::ValuesIn(nesting_variants()), NameOfVariant);

/* ---- the end --------------------------------------------------------------------------------------------------- */

// Holds: S109
TEST_P(ServerEnd, AClosedServerRefusesAndItsConnectionsGoOn)
{
    Server server = Serve(house);
    hoya_address address = NameOf(server);
    int client = Dial(server);
    ExpectEcho(client);
    EXPECT_EQ(hoya_server_close(server.get()), 0);
    EXPECT_EQ(hoya_server_close(server.get()), 0);
    EXPECT_EQ(hoya_server_count_sockets(server.get()), 0u);
    EXPECT_EQ(hoya_server_get_sockname(server.get(), 0, &address), HOYA_EINVAL);
    EXPECT_EQ(hoya_server_is_serving(server.get()), 0);
    EXPECT_EQ(hoya_server_start_serving(server.get()), HOYA_ECLOSED);
    EXPECT_EQ(Dial(address), -ECONNREFUSED);
    ExpectEcho(client);
    EXPECT_EQ(house.destroyed, 0);
    Close(client);
    RunUntil([&] { return house.released == 1; });
    EXPECT_EQ(house.destroyed, 1);
}

// Holds: S110
TEST_P(ServerEnd, WaitClosedEndsWithTheLastConnectionOfAClosedServer)
{
    Server server = Serve(house);
    int client = Dial(server);
    ExpectEcho(client);
    Future before = WaitClosed(server), given_up = WaitClosed(server);
    EXPECT_EQ(hoya_future_cancel(given_up.get(), "enough"), 1);
    EXPECT_EQ(hoya_future_cancelled(given_up.get()), 1);
    EXPECT_EQ(hoya_server_is_serving(server.get()), 1) << "only the waiting ends";
    hoya_server_close(server.get());
    Future after = WaitClosed(server);
    RunRounds(2);
    EXPECT_EQ(hoya_future_done(before.get()), 0);
    EXPECT_EQ(hoya_future_done(after.get()), 0);
    Close(client);
    RunUntil([&] { return hoya_future_done(before.get()) == 1; });
    EXPECT_EQ(hoya_future_result(before.get(), nullptr), 0);
    EXPECT_EQ(hoya_future_result(after.get(), nullptr), 0);
    EXPECT_EQ(house.released, 1);
    EXPECT_EQ(hoya_future_result(WaitClosed(server).get(), nullptr), 0);
}

// Holds: S110
TEST_P(ServerEnd, WaitClosedEndsWithTheCloseOfAServerWithoutConnections)
{
    Server server = Serve(house);
    int client = Dial(server);
    ExpectEcho(client);
    Close(client);
    RunUntil([&] { return house.released == 1; });
    Future closed = WaitClosed(server);
    EXPECT_EQ(hoya_future_done(closed.get()), 0) << "it still listens";
    hoya_server_close(server.get());
    EXPECT_EQ(hoya_future_result(closed.get(), nullptr), 0);
    EXPECT_EQ(house.destroyed, 1);
}

// Holds: S111
TEST_P(ServerEnd, CloseClientsLetsThemHaveWhatWasWritten)
{
    Crowd crowd = Gather();
    EXPECT_EQ(hoya_server_close_clients(crowd.server.get()), 0);
    EXPECT_EQ(house.lost, 0) << "never inside the call";
    for (int fd : {crowd.one, crowd.two}) {
        size_t heard = 0;
        RunUntil([&] {
            std::vector<char> some(1 << 16);
            for (ssize_t n; (n = recv(fd, some.data(), some.size(), MSG_DONTWAIT)) >= 0;) {
                heard += static_cast<size_t>(n);
                if (n == 0) return true;
            }
            return false;
        });
        EXPECT_EQ(heard, crowd.written);
    }
    ExpectEcho(crowd.three);
    EXPECT_EQ(hoya_server_is_serving(crowd.server.get()), 1);
}

// Holds: S111
TEST_P(ServerEnd, AbortClientsDropsWhatWasWritten)
{
    Crowd crowd = Gather();
    EXPECT_EQ(hoya_server_abort_clients(crowd.server.get()), 0);
    EXPECT_EQ(house.lost, 0) << "never inside the call";
    RunUntil([&] { return house.released == 2; });
    EXPECT_EQ(hoya_server_count_connections(crowd.server.get()), 0u);
    ExpectEcho(crowd.three);
}

TEST_P(ServerEnd, AHandlerThatHearsOfAClientsFileMayCloseTheLoopMeanwhile)
{
    Server server = ServeFiles();
    reports.on_report = [&] { EXPECT_EQ(hoya_loop_close(loop), 0) << hoya_error_detail(); };
    EXPECT_EQ(hoya_server_abort_clients(server.get()), 0);
    EXPECT_EQ(reports.codes, std::vector<int>{HOYA_ECLOSED}) << "the others ended with the loop";
    EXPECT_EQ(house.released, 3);
    EXPECT_EQ(house.destroyed, 1);
}

TEST_P(NestingServerEnd, AHandlerThatHearsOfAClientsFileMayTurnTheMainLoopMeanwhile)
{
    Server server = ServeFiles();
    int told = 0;
    reports.on_report = [&] {
        int lost = ++told;
        Nest([&] { return house.lost == lost; }); /* so the one that it is about is gone */
        EXPECT_EQ(house.lost, lost);
    };
    CallSoon([&] {
        EXPECT_EQ(hoya_server_abort_clients(server.get()), 0);
        Note("aborted");
    });
    RunHostUntil([&] { return Seen("aborted") && house.released == 3; });
    EXPECT_EQ(reports.codes, std::vector<int>(3, HOYA_ECLOSED));
    EXPECT_EQ(hoya_server_count_connections(server.get()), 0u);
}

// Holds: S112
TEST_P(ServerEnd, ServeForeverThatIsCancelledClosesAndEndsWithTheLastConnection)
{
    hoya_server_options options = Options();
    options.paused = 1;
    Server server = Serve(house, &options);
    Future forever = ServeForever(server);
    ServeForever(server, HOYA_EBUSY);
    int client = Dial(server);
    ExpectEcho(client);
    EXPECT_EQ(hoya_future_cancel(forever.get(), "enough"), 1);
    EXPECT_EQ(hoya_server_is_serving(server.get()), 0);
    RunRounds(2);
    EXPECT_EQ(hoya_future_done(forever.get()), 0);
    Close(client);
    RunUntil([&] { return hoya_future_done(forever.get()) == 1; });
    EXPECT_EQ(hoya_future_cancelled(forever.get()), 1);
    EXPECT_EQ(TextOf(forever), "enough");
    EXPECT_EQ(house.released, 1);
    ServeForever(server, HOYA_ECLOSED);
}

// Holds: S112
TEST_P(ServerEnd, ServeForeverThatIsCancelledAgainWaitsNoLongerForConnections)
{
    Server server = Serve(house);
    int client = Dial(server);
    ExpectEcho(client);
    Future forever = ServeForever(server), closed = WaitClosed(server);
    EXPECT_EQ(hoya_future_cancel(forever.get(), "enough"), 1);
    EXPECT_EQ(hoya_future_done(forever.get()), 0);
    EXPECT_EQ(hoya_future_cancel(forever.get(), "again"), 1);
    EXPECT_EQ(hoya_future_cancelled(forever.get()), 1);
    EXPECT_EQ(TextOf(forever), "enough");
    EXPECT_EQ(hoya_future_cancel(forever.get(), "and again"), 0);
    EXPECT_EQ(hoya_server_start_serving(server.get()), HOYA_ECLOSED);
    ExpectEcho(client);
    Close(client);
    RunUntil([&] { return hoya_future_done(closed.get()) == 1; });
    EXPECT_EQ(house.destroyed, 1);
}

// Holds: S112
TEST_P(ServerEnd, ServeForeverEndsAtOnceWhenOthersCloseTheServer)
{
    Server server = Serve(house);
    int client = Dial(server);
    ExpectEcho(client);
    Future forever = ServeForever(server);
    hoya_server_close(server.get());
    EXPECT_EQ(hoya_future_exception(forever.get(), nullptr), HOYA_ECLOSED);
    Future idle = ServeForever(Serve(other));
    EXPECT_EQ(hoya_future_cancel(idle.get(), nullptr), 1);
    EXPECT_EQ(hoya_future_cancelled(idle.get()), 1) << "it has no connection to wait for";
}

TEST_P(ServerEnd, AClosedLoopEndsItsServers)
{
    Server server = Serve(house);
    hoya_address address = NameOf(server);
    int client = Dial(server);
    ExpectEcho(client);
    Future closed = WaitClosed(server), forever = ServeForever(server);
    house.on_released = [&] {
        EXPECT_EQ(house.destroyed, 0) << "its connections end first";
        EXPECT_EQ(hoya_server_abort_clients(server.get()), 0);
    };
    house.on_destroyed = [&] {
        EXPECT_EQ(hoya_create_server(loop, "::1", "0", House::Factory, &other, House::Destroy, nullptr, nullptr),
                  HOYA_ECLOSED);
    };
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(house.released, 1);
    EXPECT_EQ(house.destroyed, 1);
    EXPECT_EQ(other.destroyed, 1);
    EXPECT_EQ(hoya_future_result(closed.get(), nullptr), 0);
    EXPECT_EQ(hoya_future_exception(forever.get(), nullptr), HOYA_ECLOSED);
    EXPECT_EQ(Dial(address), -ECONNREFUSED);
    EXPECT_EQ(hoya_server_close(server.get()), 0);
    EXPECT_EQ(hoya_server_close_clients(server.get()), 0);
    EXPECT_EQ(hoya_server_count_sockets(server.get()), 0u);
    EXPECT_EQ(hoya_server_start_serving(server.get()), HOYA_ECLOSED);
}

/* ---- ends in callbacks ------------------------------------------------------------------------------------------ */

TEST_P(ServerEnd, AFactoryMayCloseItsServer)
{
    Server server = Serve(house);
    house.on_factory = [&](hoya_server *self) {
        EXPECT_EQ(hoya_server_close(self), 0);
        EXPECT_EQ(house.destroyed, 0) << "it is in use";
        return 0;
    };
    int client = Dial(server);
    Dial(server); /* waits, and is refused with the socket */
    ExpectEcho(client);
    EXPECT_EQ(house.asked, 1);
    Close(client);
    RunUntil([&] { return house.destroyed == 1; });
}

// Holds: S111
TEST_P(ServerEnd, AConnectionWhoseFactoryRunsEndsWithTheOthers)
{
    for (bool abort : {false, true}) {
        Server server = Serve(house);
        Future closed = WaitClosed(server);
        int before = house.destroyed, lost = house.lost;
        house.on_factory = [&](hoya_server *self) {
            hoya_server_close(self);
            EXPECT_EQ(abort ? hoya_server_abort_clients(self) : hoya_server_close_clients(self), 0);
            return 0;
        };
        ExpectToHear(Dial(server), "end");
        RunUntil([&] { return hoya_future_done(closed.get()) == 1; });
        EXPECT_EQ(house.destroyed, before + 1);
        EXPECT_EQ(house.lost, lost + 1);
    }
}

// Holds: S111
TEST_P(ServerEnd, AFactoryThatEndsAllOthersEndsTheNextOneNot)
{
    Server server = Serve(house);
    house.on_factory = [](hoya_server *self) { return hoya_server_abort_clients(self); };
    int first = Dial(server);
    ExpectToHear(first, "end");
    house.on_factory = nullptr;
    ExpectEcho(Dial(server));
}

// Holds: S115
TEST_P(ServerEnd, AFactoryThatFailsMayHaveFilledInTheProtocol)
{
    Collect();
    hoya_server *raw = nullptr;
    auto factory = [](hoya_server *, hoya_protocol *protocol, void *arg) {
        *protocol = static_cast<House *>(arg)->protocol();
        return hoya_error_set(HOYA_EACCES, "not you");
    };
    std::string path = Path("socket");
    ASSERT_EQ(hoya_create_unix_server(loop, path.c_str(), factory, &house, House::Destroy, nullptr, &raw), 0);
    Server server(raw);
    ExpectToHear(Dial(server), "end");
    EXPECT_EQ(house.released, 1);
    EXPECT_EQ(house.made, 0);
    EXPECT_EQ(reports.codes, std::vector<int>{HOYA_EACCES});
}

TEST_P(ServerEnd, AFactoryThatClosesItsServerMayFail)
{
    Collect();
    Server server = Serve(house);
    Future closed = WaitClosed(server);
    house.on_factory = [&](hoya_server *self) {
        hoya_server_close(self);
        EXPECT_EQ(hoya_future_done(closed.get()), 0);
        server.reset();
        return HOYA_EACCES;
    };
    int client = Dial(server);
    ExpectToHear(client, "end");
    EXPECT_EQ(house.destroyed, 1);
    EXPECT_EQ(hoya_future_result(closed.get(), nullptr), 0);
    EXPECT_EQ(reports.codes, std::vector<int>{HOYA_EACCES});
}

TEST_P(ServerEnd, ConnectionMadeMayCloseTheServerAndReleasedMayLetGoOfIt)
{
    Server server = Serve(house);
    house.on_made = [&](hoya_transport *transport) {
        hoya_server_close(server.get());
        return hoya_transport_abort(transport);
    };
    house.on_released = [&] { server.reset(); };
    house.on_destroyed = [&] { EXPECT_EQ(server, nullptr); };
    Dial(server);
    RunUntil([&] { return house.destroyed == 1; });
}

TEST_P(ServerEnd, TheReportOfAFactoryThatFailsMayCloseTheServer)
{
    Collect();
    Server server = Serve(house);
    reports.on_report = [&] {
        hoya_server_close(server.get());
        server.reset();
    };
    house.on_factory = [](hoya_server *) { return HOYA_EACCES; };
    int client = Dial(server);
    ExpectToHear(client, "end");
    EXPECT_EQ(house.destroyed, 1);
}

// Holds: F1
TEST_P(NestingServerEnd, ADialogInAFactoryHoldsUpItsOwnSocketAlone)
{
    Server server = Serve(house), neighbour = Serve(other);
    int first = Dial(server), second = -1;
    house.on_factory = [&](hoya_server *) {
        if (house.asked > 1) return 0;
        second = Dial(server);
        int third = Dial(neighbour);
        EXPECT_EQ(send(third, "x", 1, 0), 1);
        std::string heard;
        Nest([&] { return (heard = Hear(third)) == "x"; });
        EXPECT_EQ(heard, "x");
        EXPECT_EQ(house.asked, 1) << "not entered again";
        return 0;
    };
    RunHostUntil([&] { return house.made == 2; });
    ExpectEcho(first);
    ExpectEcho(second);
}

// Holds: F1
TEST_P(NestingServerEnd, AServerMayBeClosedByADialogOfItsFactory)
{
    Server server = Serve(house);
    int first = Dial(server);
    house.on_factory = [&](hoya_server *) {
        CallSoon([&] {
            hoya_server_close(server.get());
            server.reset();
            Note("closed");
        });
        NestUntilSeen("closed");
        EXPECT_EQ(house.destroyed, 0);
        return 0;
    };
    RunHostUntil([&] { return house.made == 1; });
    ExpectEcho(first);
}

// Holds: F1
TEST_P(NestingServerEnd, ADialogInConnectionMadeLetsOthersIn)
{
    Server server = Serve(house);
    Dial(server);
    house.on_made = [&](hoya_transport *) {
        if (house.made > 1) return 0;
        int second = Dial(server);
        EXPECT_EQ(send(second, "x", 1, 0), 1);
        std::string heard;
        Nest([&] { return (heard = Hear(second)) == "x"; });
        EXPECT_EQ(heard, "x");
        return 0;
    };
    RunHostUntil([&] { return house.made == 2; });
}

} // namespace hoya_test
