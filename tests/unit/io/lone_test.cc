/* SPDX-License-Identifier: MIT
 *
 * unit/io/lone_test.cc: a connection that is all that its loop watches needs no look: that the host has seen the selector's
 * descriptor says enough (decision 007).
 */
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/loop/fake_host.h"
#include "unit/loop/held_write.h"

#ifdef HOYA_FAULTS

namespace hoya_test
{
namespace
{

int looks, reads;

/* Both ends of a connection; one is a transport's. */
struct Connection {
    std::string got;
    std::function<void()> on_data;
    bool lost = false;
    hoya_transport *transport = nullptr;
    int peer = -1;

    explicit Connection(hoya_loop *loop)
    {
        int pair[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        peer = pair[1];
        static const hoya_protocol_ops ops = [] {
            hoya_protocol_ops o = {};
            o.size = sizeof o;
            o.data_received = [](hoya_transport *, const void *data, size_t size, void *self) -> int {
                auto connection = static_cast<Connection *>(self);
                connection->got.append(static_cast<const char *>(data), size);
                if (connection->on_data) connection->on_data();
                return 0;
            };
            o.connection_lost = [](hoya_transport *, int, void *self) {
                static_cast<Connection *>(self)->lost = true;
            };
            return o;
        }();
        hoya_protocol protocol = {};
        protocol.ops = &ops;
        protocol.arg = this;
        EXPECT_EQ(hoya_connect_accepted_socket(loop, pair[0], protocol, nullptr, &transport), 0)
            << hoya_error_detail();
    }
    ~Connection()
    {
        close(peer);
        hoya_transport_unref(transport);
    }
    void Send(const std::string &text)
    {
        EXPECT_EQ(send(peer, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
};

class Lone : public FakeHosted
{
  public:
    void SetUp() override
    {
        FakeHosted::SetUp();
        make();
        looks = reads = 0;
        hoya_sys.epoll_wait = [](int fd, epoll_event *events, int max, int ms) {
            looks++;
            return hoya_sys_real.epoll_wait(fd, events, max, ms);
        };
        hoya_sys.recv = [](int fd, void *memory, size_t size, int flags) {
            reads++;
            EXPECT_TRUE(flags & MSG_DONTWAIT) << "a file may be shared, and block";
            return hoya_sys_real.recv(fd, memory, size, flags);
        };
    }
    void TearDown() override
    {
        FakeHosted::TearDown();
        hoya_sys = hoya_sys_real;
    }
    /* What a host does: it waits for the loop's descriptor, says that it has seen it, and gives the loop a turn. */
    bool IsReady() const
    {
        pollfd fd = {host->record->fd, POLLIN, 0};
        return poll(&fd, 1, 0) == 1;
    }
    void Seen()
    {
        hoya_guest_ready(host->guest, host->record, HOYA_IN);
        EXPECT_GE(host->turn(), 0);
    }
    uint64_t Events() const
    {
        hoya_loop_statistics statistics = {};
        statistics.size = sizeof statistics;
        EXPECT_EQ(hoya_loop_stats(loop, &statistics), 0);
        return statistics.events;
    }
    void Serve()
    {
        while (IsReady() || hoya_guest_deadline(host->guest) == HOYA_NOW) {
            if (IsReady()) Seen();
            else host->turn();
        }
    }
    void Say(Connection &connection, const std::string &text)
    {
        connection.Send(text);
        Serve();
        EXPECT_EQ(std::exchange(connection.got, ""), text);
    }
    /* Its first message has been served, with a look. */
    void Meet(Connection &connection)
    {
        Serve();
        Say(connection, "hello");
        EXPECT_GT(std::exchange(looks, 0), 0);
        reads = 0;
    }
};

} // namespace

TEST_F(Lone, IsServedWithoutALook)
{
    Connection connection(loop);
    Meet(connection);
    for (int i = 0; i < 100; i++) Say(connection, "again" + std::to_string(i));
    EXPECT_EQ(reads, 100);
    EXPECT_EQ(looks, 0);
}

TEST_F(Lone, HearsOfTheEndWithoutALook)
{
    Connection connection(loop);
    Meet(connection);
    EXPECT_EQ(shutdown(connection.peer, SHUT_WR), 0);
    Seen();
    EXPECT_EQ(looks, 0);
    Serve();
    EXPECT_TRUE(connection.lost);
}

TEST_F(Lone, IsLookedForWhereTheHostHasSeenNothing)
{
    Connection connection(loop);
    Meet(connection);
    host->turn();
    EXPECT_EQ(std::exchange(looks, 0), 1);
    EXPECT_EQ(reads, 0);
    connection.Send("data");
    Seen();
    EXPECT_EQ(looks, 0);
    host->turn();
    EXPECT_EQ(looks, 1) << "what it has seen is for one round";
}

/* Nor is it for another host. */
TEST_F(Lone, IsLookedForByTheLoopItselfThatHasLeftItsHost)
{
    Connection connection(loop);
    Meet(connection);
    hoya_guest_ready(host->guest, host->record, HOYA_IN);
    EXPECT_EQ(hoya_loop_detach(loop), 0); /* frees the host */
    host = nullptr;
    soon(note("something"));
    EXPECT_EQ(hoya_loop_run_once(loop, HOYA_NEVER), 1);
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(reads, 0);
}

// Holds: F13
TEST_F(Lone, ThatWasNotReadyIsLookedForTheNextTime)
{
    Connection connection(loop);
    Meet(connection);
    Seen();
    EXPECT_EQ(looks, 0);
    EXPECT_EQ(reads, 1) << "in vain";
    Seen();
    EXPECT_EQ(std::exchange(looks, 0), 1);
    EXPECT_EQ(reads, 1);
    Meet(connection);
    Say(connection, "trusted again");
    EXPECT_EQ(looks, 0);
}

TEST_F(Lone, ThatWasNotReadyIsNoCallback)
{
    Connection connection(loop);
    Meet(connection);
    uint64_t events = Events();
    hoya_guest_ready(host->guest, host->record, HOYA_IN);
    EXPECT_EQ(host->turn(), 0);
    EXPECT_EQ(reads, 1);
    EXPECT_EQ(Events(), events) << "nor has anything been found";
    connection.Send("data");
    hoya_guest_ready(host->guest, host->record, HOYA_IN);
    EXPECT_EQ(host->turn(), 1);
    EXPECT_EQ(Events(), events + 1);
    EXPECT_EQ(std::exchange(looks, 0), 1);
    connection.Send("data");
    Seen();
    EXPECT_EQ(looks, 0);
    EXPECT_EQ(Events(), events + 2);
}

/* The flag of a post is up before its descriptor is written, and may be down by then. */
TEST_F(Lone, IsTriedOnceForAPostThatWritesLate)
{
    Connection connection(loop);
    Meet(connection);
    HeldWrite held;
    Work posted = note("posted");
    std::thread other([&] { EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, call, &posted, nullptr, nullptr), 0); });
    held.came.get_future().wait();
    host->turn();
    EXPECT_EQ(trace, std::vector<std::string>{"posted"});
    held.may_go_on.set_value();
    other.join();
    looks = 0;
    ASSERT_TRUE(IsReady());
    Seen();
    EXPECT_EQ(looks, 0);
    EXPECT_EQ(reads, 1);
    Seen();
    EXPECT_EQ(looks, 1);
    EXPECT_FALSE(IsReady()) << "the host would be awake for ever";
    EXPECT_EQ(reads, 1);
}

/* A dialog that its callback has opened would be awake for ever. */
TEST_F(Lone, IsLookedForWhileItsCallbackIsOnTheStack)
{
    Connection connection(loop);
    Meet(connection);
    connection.on_data = [&] {
        EXPECT_EQ(std::exchange(reads, 0), 1);
        for (int i = 0; i < 3; i++) Seen();
    };
    connection.Send("data");
    Seen();
    EXPECT_EQ(looks, 3);
    EXPECT_EQ(reads, 0);
}

/* It may have room for no more than what its peer may send now. */
TEST_F(Lone, WhoseProtocolGivesMemoryIsAskedForItOnlyWhenSomethingHasCome)
{
    static char memory[10];
    static int asked;
    asked = 0;
    static const hoya_protocol_ops ops = [] {
        hoya_protocol_ops o = {};
        o.size = sizeof o;
        o.get_buffer = [](hoya_transport *, size_t, void **buffer, size_t *size, void *) -> int {
            asked++;
            *buffer = memory;
            *size = sizeof memory;
            return 0;
        };
        o.buffer_updated = [](hoya_transport *, size_t, void *) -> int { return 0; };
        return o;
    }();
    Connection connection(loop);
    Meet(connection);
    hoya_protocol protocol = {};
    protocol.ops = &ops;
    EXPECT_EQ(hoya_transport_set_protocol(connection.transport, protocol), 0);
    connection.Send("data");
    Seen();
    EXPECT_EQ(asked, 1);
    for (int i = 0; i < 3; i++) Seen();
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(looks, 4);
}

/* Nobody's code hears of what has not come: also where the protocol is another one behind the hint. */
TEST_F(Lone, WhoseProtocolGivesMemoryWhenItsTurnComesIsLookedFor)
{
    static int asked;
    asked = 0;
    static const hoya_protocol_ops ops = [] {
        hoya_protocol_ops o = {};
        o.size = sizeof o;
        o.get_buffer = [](hoya_transport *, size_t, void **, size_t *, void *) -> int { return asked++, 0; };
        o.buffer_updated = [](hoya_transport *, size_t, void *) -> int { return 0; };
        return o;
    }();
    Connection connection(loop);
    Meet(connection);
    soon([&] {
        hoya_protocol protocol = {};
        protocol.ops = &ops;
        EXPECT_EQ(hoya_transport_set_protocol(connection.transport, protocol), 0);
    });
    hoya_guest_ready(host->guest, host->record, HOYA_IN);
    EXPECT_EQ(host->turn(), 1) << "what changed the protocol";
    EXPECT_EQ(looks, 0);
    EXPECT_EQ(asked + reads, 0);
    connection.Send("data");
    Seen();
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(asked, 1);
}

/* A run's last round: what was left of it goes, and with it the round. */
// Holds: S6
TEST_F(Lone, ThatLeavesARoundThatWasCutShortEndsIt)
{
    Connection connection(loop);
    Serve();
    connection.Send("data");
    host->make_runnable([&] {
        host->turn(0);
        EXPECT_FALSE(host->quit);
        EXPECT_EQ(hoya_transport_abort(connection.transport), 0);
        EXPECT_TRUE(host->quit) << "the round is over";
        return 0;
    });
    soon([&] {
        hoya_loop_stop(loop);
        soon(note("of the next run"));
    });
    EXPECT_EQ(hoya_loop_run_forever(loop), 0);
    EXPECT_TRUE(trace.empty());
    EXPECT_FALSE(connection.lost);
    Serve();
    EXPECT_EQ(trace, std::vector<std::string>{"of the next run"});
    EXPECT_TRUE(connection.lost);
}

TEST_F(Lone, PipeIsLookedFor)
{
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    static const hoya_protocol_ops ops = [] {
        hoya_protocol_ops o = {};
        o.size = sizeof o;
        o.data_received = [](hoya_transport *, const void *, size_t, void *) -> int { return 0; };
        return o;
    }();
    hoya_protocol protocol = {};
    protocol.ops = &ops;
    hoya_transport *transport = nullptr;
    ASSERT_EQ(hoya_connect_read_pipe(loop, ends[0], protocol, nullptr, &transport), 0) << hoya_error_detail();
    Serve();
    looks = 0;
    for (int i = 0; i < 3; i++) {
        EXPECT_EQ(write(ends[1], "x", 1), 1);
        Seen();
    }
    EXPECT_EQ(looks, 3);
    EXPECT_EQ(hoya_transport_abort(transport), 0);
    hoya_transport_unref(transport);
    Serve();
    close(ends[1]);
}

TEST_F(Lone, IsNoMoreBesideAnother)
{
    Connection connection(loop);
    Meet(connection);
    {
        Connection another(loop);
        Serve();
        looks = reads = 0;
        Say(another, "me, too");
        Say(connection, "and I");
        EXPECT_EQ(looks, 2);
        EXPECT_EQ(reads, 2) << "nobody is asked in vain";
        EXPECT_EQ(hoya_transport_abort(another.transport), 0);
        Serve();
    }
    looks = 0;
    Say(connection, "alone again");
    EXPECT_EQ(looks, 0);
}

TEST_F(Lone, ThatEndsIsForgotten)
{
    {
        Connection connection(loop);
        Meet(connection);
        EXPECT_EQ(hoya_transport_abort(connection.transport), 0);
        Serve();
    }
    Connection next(loop);
    Serve();
    looks = 0;
    Say(next, "the next one");
    EXPECT_GE(looks, 1);
}

TEST_F(Lone, DoesNotHideAPost)
{
    Connection connection(loop);
    Meet(connection);
    Work posted = note("posted");
    std::thread([&] {
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(loop, call, &posted, nullptr, nullptr), 0);
    }).join();
    connection.Send("data");
    Seen();
    EXPECT_EQ(trace, std::vector<std::string>{"posted"});
    EXPECT_EQ(connection.got, "data");
    EXPECT_EQ(looks, 1);
    EXPECT_FALSE(IsReady());
}

TEST_F(Lone, DoesNotHideATimer)
{
    Connection connection(loop);
    Meet(connection);
    later(HOYA_SEC(60), note("never"));
    connection.Send("before");
    Seen();
    EXPECT_EQ(looks, 0) << "it is not due";
    later(HOYA_MSEC(1), note("due"));
    pollfd fd = {host->record->fd, POLLIN, 0};
    ASSERT_EQ(poll(&fd, 1, 10000), 1);
    Seen();
    EXPECT_EQ(trace, std::vector<std::string>{"due"});
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(reads, 1);
    EXPECT_FALSE(IsReady()) << "the timer's descriptor would keep the host awake";
}

TEST_F(Lone, ThatWritesIsLookedFor)
{
    Connection connection(loop);
    Meet(connection);
    std::string much(1000000, 'w');
    EXPECT_EQ(hoya_transport_write(connection.transport, much.data(), much.size()), 0);
    ASSERT_GT(hoya_transport_get_write_buffer_size(connection.transport), 0u);
    connection.Send("meanwhile");
    Seen();
    EXPECT_EQ(connection.got, "meanwhile");
    EXPECT_EQ(looks, 1);
}

TEST_F(Lone, ThatIsPausedIsNotRead)
{
    Connection connection(loop);
    Meet(connection);
    EXPECT_EQ(hoya_transport_pause_reading(connection.transport), 0);
    connection.Send("later");
    Seen();
    EXPECT_EQ(reads, 0);
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(hoya_transport_resume_reading(connection.transport), 0);
    Serve();
    EXPECT_EQ(connection.got, "later");
}

/* An application's reader is told all that was seen, and need not read. */
TEST_F(Lone, ReaderOfTheApplicationsIsLookedFor)
{
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    auto reader = [](hoya_fd, uint32_t events, void *seen) { *static_cast<uint32_t *>(seen) |= events; };
    uint32_t seen = 0;
    ASSERT_EQ(hoya_loop_replace_reader(loop, pair[0], reader, &seen, nullptr), 0);
    EXPECT_EQ(send(pair[1], "x", 1, 0), 1);
    for (int i = 0; i < 3; i++) Seen();
    EXPECT_EQ(seen, static_cast<uint32_t>(HOYA_IN));
    EXPECT_EQ(close(pair[1]), 0);
    Seen();
    EXPECT_EQ(seen, static_cast<uint32_t>(HOYA_IN | HOYA_HUP));
    EXPECT_EQ(looks, 4);
    EXPECT_EQ(hoya_loop_remove_reader(loop, pair[0]), 1);
    close(pair[0]);
}

/* Debug mode measures looks. */
TEST_F(Lone, IsLookedForInDebugMode)
{
    Connection connection(loop);
    Meet(connection);
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    connection.Send("data");
    Seen();
    EXPECT_EQ(connection.got, "data");
    EXPECT_EQ(looks, 1);
}

} // namespace hoya_test

#endif
