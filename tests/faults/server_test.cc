/* SPDX-License-Identifier: MIT
 *
 * faults/server_test.cc: servers with each fallible call failing: of their making, all or nothing is done; a connection is
 * served, or closed and reported, and the server goes on.
 */
#include "faults/sweep.h"

#include <cstring>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support/resolvers.h"

namespace hoya_test
{
namespace
{

/* What a server has: guests that are closed when they have said something. */
struct House {
    int made = 0, lost = 0, released = 0, destroyed = 0, reports = 0;

    static int Factory(hoya_server *, hoya_protocol *protocol, void *arg)
    {
        static const hoya_protocol_ops ops = [] {
            hoya_protocol_ops o = {};
            o.size = sizeof o;
            o.connection_made = [](hoya_transport *, void *at) { return Of(at)->made++, 0; };
            o.data_received = [](hoya_transport *from, const void *, size_t, void *) {
                return hoya_transport_close(from);
            };
            o.connection_lost = [](hoya_transport *, int, void *at) { Of(at)->lost++; };
            o.released = [](void *at) { Of(at)->released++; };
            return o;
        }();
        *protocol = {&ops, arg};
        return 0;
    }
    static House *Of(void *arg) { return static_cast<House *>(arg); }
    static void Destroy(void *arg) { Of(arg)->destroyed++; }
    static int Report(hoya_loop *, const hoya_exception_context *, void *arg)
    {
        Of(arg)->reports++;
        return 0;
    }
};

class ServerSweep : public VariantFaults
{
  protected:
    void SetUp() override
    {
        VariantFaults::SetUp();
        SetSettling([this] {
            AwaitLanes();
            if (host) host->Settle();
        });
    }
    /* A Unix server with this path, from its making to its end, with a visitor between the two. */
    void LiveAt(const char *path, Faults &faults);
};

INSTANTIATE_TEST_SUITE_P(Hosts, ServerSweep, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

hoya_server *Create(Faults &faults, Loop &loop, House &house, const char *name)
{
    hoya_future *future = nullptr;
    hoya_server_options options = {};
    hoya_endpoint more[] = {{"", "0"}};
    options.size = sizeof options;
    options.more = more;
    options.more_count = 1;
    int before = house.destroyed;
    if (!faults.Ok(
            hoya_create_server(loop, name, "0", House::Factory, &house, House::Destroy, &options, &future))) {
        EXPECT_EQ(house.destroyed, before + 1);
        return nullptr;
    }
    EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(future) == 1; }));
    void *server = nullptr;
    if (!faults.Ok(hoya_future_take(future, &server, nullptr))) EXPECT_EQ(house.destroyed, before + 1);
    hoya_future_unref(future);
    return static_cast<hoya_server *>(server);
}

/* A client of ours: says something in two pieces, and hears the end. */
struct Client {
    int made = 0, lost = 0, released = 0;

    hoya_protocol protocol()
    {
        static const hoya_protocol_ops ops = [] {
            hoya_protocol_ops o = {};
            o.size = sizeof o;
            o.connection_made = [](hoya_transport *to, void *at) {
                static char x = 'x', y = 'y';
                const iovec parts[] = {{&x, 1}, {&y, 1}};
                Of(at)->made++;
                return hoya_transport_writelines(to, parts, 2);
            };
            o.connection_lost = [](hoya_transport *, int, void *at) { Of(at)->lost++; };
            o.released = [](void *at) { Of(at)->released++; };
            return o;
        }();
        return {&ops, this};
    }
    static Client *Of(void *arg) { return static_cast<Client *>(arg); }
};

/* Of the connection `future`, if there is one: until it has been served and is over, or cannot be. */
void Live(Faults &faults, Loop &loop, int rc, hoya_future *future, const Client &client, const House &house)
{
    if (!faults.Ok(rc)) {
        EXPECT_EQ(future, nullptr);
        EXPECT_EQ(client.released, 1);
        return;
    }
    EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(future) == 1; }));
    void *value = nullptr;
    if (faults.Ok(hoya_future_result(future, &value))) {
        /* The client is accepted, or reported, or nobody can accept for a second. */
        EXPECT_TRUE(loop.RunUntil([&] { return client.lost || house.lost || house.reports; }));
        hoya_transport_abort(static_cast<hoya_transport *>(value));
    }
    hoya_future_unref(future);
    EXPECT_TRUE(loop.RunUntil([&] { return client.released == 1; }));
}

void End(Loop &loop, hoya_server *server, const House &house)
{
    EXPECT_EQ(hoya_server_close(server), 0);
    EXPECT_EQ(hoya_server_abort_clients(server), 0);
    EXPECT_TRUE(loop.RunUntil([&] { return house.destroyed == 1; }));
    hoya_server_unref(server);
}

/* Where a socket may be, in a directory that is empty again in the end. */
struct Place {
    std::string directory = "/tmp/hoya-faults-XXXXXX", path;

    Place()
    {
        EXPECT_NE(mkdtemp(directory.data()), nullptr);
        path = directory + "/socket";
    }
    Place(const Place &) = delete;
    ~Place() { EXPECT_EQ(rmdir(directory.c_str()), 0); }
};

/* A client comes, says something, and hears the end: served, or refused with a report, or not accepted for a second. */
void Visit(Loop &loop, hoya_server *server, House &house)
{
    int client;
    {
        Faults::Pause pause;
        hoya_address address;
        EXPECT_EQ(hoya_server_get_sockname(server, 0, &address), 0);
        client = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(connect(client, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        EXPECT_EQ(send(client, "x", 1, MSG_NOSIGNAL), 1);
    }
    const int lost = house.lost, reports = house.reports;
    EXPECT_TRUE(loop.RunUntil([&] { return house.lost > lost || house.reports > reports; }));
    close(client);
}

} // namespace

TEST_P(ServerSweep, AServerIsMadeAndServesOrNothingIsLeft)
{
    for (const char *name : {"127.0.0.1", "localhost"})
        Sweep(Name(name).c_str(), [&](Faults &faults) {
            House house;
            {
                Loop loop(faults, variant(), host.get());
                if (!loop) return;
                faults.Ok(hoya_loop_set_exception_handler(loop, House::Report, &house));
                hoya_server *server = Create(faults, loop, house, name);
                if (server) {
                    Visit(loop, server, house);
                    hoya_future *closed = nullptr;
                    bool waits = faults.Ok(hoya_server_wait_closed(server, &closed));
                    EXPECT_EQ(hoya_server_close(server), 0);
                    EXPECT_EQ(hoya_server_abort_clients(server), 0);
                    if (waits) EXPECT_TRUE(loop.RunUntil([&] { return hoya_future_done(closed) == 1; }));
                    hoya_future_unref(closed);
                    hoya_server_unref(server);
                }
                if (house.reports) faults.answered = true;
            }
            EXPECT_EQ(house.destroyed, 1);
        });
}

void ServerSweep::LiveAt(const char *path, Faults &faults)
{
    House house;
    Loop loop(faults, variant(), host.get());
    if (!loop) return;
    faults.Ok(hoya_loop_set_exception_handler(loop, House::Report, &house));
    hoya_server *server = nullptr;
    if (faults.Ok(hoya_create_unix_server(loop, path, House::Factory, &house, House::Destroy, nullptr, &server))) {
        Visit(loop, server, house);
        End(loop, server, house);
    }
    if (house.reports) faults.answered = true;
    EXPECT_EQ(house.destroyed, 1);
}

TEST_P(ServerSweep, AUnixServerLeavesNoPath)
{
    Place place;
    Sweep(Name("a Unix server").c_str(), [&](Faults &faults) {
        LiveAt(place.path.c_str(), faults);
        unlink(place.path.c_str()); /* where nobody could see whose it was */
    });
}

TEST_P(ServerSweep, AUnixServerTakesThePathOfADeadOne)
{
    Place place;
    hoya_address address;
    ASSERT_EQ(hoya_address_set_unix(&address, place.path.c_str()), 0);
    Sweep(Name("a Unix server where one has died").c_str(), [&](Faults &faults) {
        unlink(place.path.c_str());
        int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        close(dead);
        LiveAt(place.path.c_str(), faults);
    });
    unlink(place.path.c_str());
}

/* Answers with two addresses, of which the first one refuses. Without memory of its own. */
struct TwoAddresses {
    sockaddr_in refusing = {}, serving = {};
    addrinfo nodes[2] = {};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    explicit TwoAddresses(const hoya_address &server)
    {
        socklen_t length = sizeof refusing;
        memcpy(&serving, &server.storage, sizeof serving);
        refusing.sin_family = AF_INET;
        refusing.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&refusing), length), 0); /* and nobody listens */
        EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr *>(&refusing), &length), 0);
        for (addrinfo &node : nodes) {
            node.ai_family = AF_INET;
            node.ai_socktype = SOCK_STREAM;
            node.ai_addrlen = length;
        }
        nodes[0].ai_addr = reinterpret_cast<sockaddr *>(&refusing);
        nodes[0].ai_next = &nodes[1];
        nodes[1].ai_addr = reinterpret_cast<sockaddr *>(&serving);
    }
    TwoAddresses(const TwoAddresses &) = delete;
    ~TwoAddresses() { close(fd); }
    static int Get(hoya_loop *loop, const char *, const char *, const addrinfo *, void *arg, hoya_future **future)
    {
        int rc = hoya_future_new(loop, future);
        return rc < 0 ? rc : hoya_future_set_result(*future, static_cast<TwoAddresses *>(arg)->nodes, nullptr);
    }
};

TEST_P(ServerSweep, AConnectionByNameIsMadeOrItsFutureSaysWhyNot)
{
    Sweep(Name("a connection by name").c_str(), [&](Faults &faults) {
        House house;
        Client client;
        {
            Loop loop(faults, variant(), host.get());
            if (!loop) return;
            faults.Ok(hoya_loop_set_exception_handler(loop, House::Report, &house));
            hoya_server *server = Create(faults, loop, house, "127.0.0.1");
            if (server) {
                static const hoya_resolver_ops two = {sizeof two, "two", TwoAddresses::Get, nullptr, nullptr};
                hoya_address name;
                EXPECT_EQ(hoya_server_get_sockname(server, 0, &name), 0);
                TwoAddresses addresses(name);
                if (faults.Ok(hoya_set_resolver(loop, &two, &addresses))) {
                    hoya_future *future = nullptr;
                    int rc = hoya_create_connection(loop, "two.test", "80", client.protocol(), nullptr, &future);
                    Live(faults, loop, rc, future, client, house);
                }
                End(loop, server, house);
            }
            if (house.reports) faults.answered = true;
        }
        EXPECT_EQ(house.destroyed, 1);
    });
}

TEST_P(ServerSweep, AServerOnASocketAndAUnixConnection)
{
    Place place;
    Sweep(Name("a server on a socket, and a Unix connection").c_str(), [&](Faults &faults) {
        House house;
        Client client;
        Loop loop(faults, variant(), host.get());
        if (!loop) return;
        faults.Ok(hoya_loop_set_exception_handler(loop, House::Report, &house));
        hoya_address address;
        int fd;
        {
            Faults::Pause pause;
            EXPECT_EQ(hoya_address_set_unix(&address, place.path.c_str()), 0);
            fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
            EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address.storage), address.length), 0);
        }
        hoya_server *server = nullptr;
        if (faults.Ok(
                hoya_create_server_on_socket(loop, fd, House::Factory, &house, House::Destroy, nullptr, &server))) {
            hoya_future *future = nullptr;
            int rc = hoya_create_unix_connection(loop, place.path.c_str(), client.protocol(), nullptr, &future);
            Live(faults, loop, rc, future, client, house);
            End(loop, server, house);
        } else {
            EXPECT_EQ(server, nullptr);
            EXPECT_EQ(close(fd), 0) << "it stays the caller's";
        }
        if (house.reports) faults.answered = true;
        EXPECT_EQ(house.destroyed, 1);
        unlink(place.path.c_str());
    });
}

} // namespace hoya_test
