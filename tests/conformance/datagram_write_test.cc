/* SPDX-License-Identifier: MIT
 *
 * conformance/datagram_write_test.cc: datagrams that have to wait: each stays what it is, errors do not hold up the others, and
 * who sends too many is told. Unix sockets: the system's queue between two of them is short.
 */
#include "datagrams.h"

#include <fcntl.h>

namespace hoya_test
{
namespace
{

class DatagramWrite : public DatagramConformance
{
  protected:
    static size_t Waiting(const Datagrams &transport)
    {
        return hoya_datagram_transport_get_write_buffer_size(transport.get());
    }
    /* A Unix socket with an abstract name. */
    int UnixPeer(const std::string &name, hoya_address *address)
    {
        EXPECT_EQ(hoya_address_set_unix(address, name.c_str()), 0);
        int fd = Own(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr *>(&address->storage), address->length), 0);
        return fd;
    }
    std::string Name(const char *what) const { return "@hoya-write-" + std::to_string(getpid()) + "-" + what; }
    Datagrams OpenUnix(Hearer &hearer)
    {
        hoya_datagram_transport *transport = nullptr;
        EXPECT_EQ(
            hoya_create_unix_datagram_endpoint(loop, nullptr, nullptr, hearer.protocol(), &options, &transport), 0);
        RunRounds(1);
        trace.clear();
        return Datagrams(transport);
    }
};

// Holds: S117
TEST_P(DatagramWrite, ThoseThatWaitKeepTheirBoundariesAndTheirOrder)
{
    Hearer hearer(&trace, "a");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    size_t count = Fill(transport, 1);
    std::vector<std::string> sent;
    for (size_t size : {0, 1, 5000, 0, 3}) {
        sent.emplace_back(size, 'x');
        size_t before = Waiting(transport);
        EXPECT_EQ(Send(transport, sent.back()), 0);
        EXPECT_GT(Waiting(transport), before + size) << "an empty one counts too";
    }
    std::vector<std::string> all = Await(peer, count + sent.size());
    ASSERT_EQ(all.size(), count + sent.size());
    for (size_t i = 0; i < count; i++) EXPECT_EQ(all[i].substr(0, all[i].find(' ')), std::to_string(i));
    EXPECT_TRUE(std::equal(sent.begin(), sent.end(), all.begin() + static_cast<long>(count)));
    EXPECT_EQ(Waiting(transport), 0u);
    uint64_t rounds = Stats().dispatches;
    RunFor(HOYA_MSEC(5));
    EXPECT_LE(Stats().dispatches - rounds, 5u) << "and nobody waits for a way out any more";
}

/* NONBLOCK is the file's, which may be shared. */
TEST_P(DatagramWrite, WhoSharesTheSocketCannotMakeItBlock)
{
    Hearer hearer(&trace, "a");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    EXPECT_EQ(fcntl(hoya_datagram_transport_fileno(transport.get()), F_SETFL, O_RDWR), 0);
    size_t count = Fill(transport, 1);
    EXPECT_EQ(Await(peer, count).size(), count);
    ASSERT_EQ(send(peer, "answer", 6, 0), 6); /* and behind it there is none */
    RunUntil([&] { return !hearer.got.empty(); });
}

// Holds: S117
TEST_P(DatagramWrite, OneThatIsLongerThanThereIsMemoryIsAnErrorAndTheNextOneComes)
{
    Hearer hearer(&trace, "a");
    hearer.notes_data = false;
    int peer, room = 200000; /* the system doubles it */
    Datagrams transport = OnPair(hearer, &peer);
    ASSERT_EQ(setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    const std::string longest(256 * 1024, 'l');
    for (const std::string &text : {longest + "r", longest})
        ASSERT_EQ(send(peer, text.data(), text.size(), 0), static_cast<ssize_t>(text.size())) << strerror(errno);
    RunUntil([&] { return !hearer.got.empty(); });
    EXPECT_EQ(trace, Trace{"a error HOYA_EMSGSIZE"});
    EXPECT_EQ(hearer.texts[0], "a datagram of 262145 bytes came, and was lost: message too long");
    EXPECT_TRUE(hearer.got == std::vector<std::string>{longest});
}

// Holds: S117
TEST_P(DatagramWrite, CloseSendsWhatWaitsAndAbortDropsIt)
{
    for (bool aborts : {false, true}) {
        Hearer hearer(&trace, "a");
        int peer;
        Datagrams transport = OnPair(hearer, &peer);
        size_t count = Fill(transport, 20000);
        EXPECT_EQ((aborts ? hoya_datagram_transport_abort : hoya_datagram_transport_close)(transport.get()), 0);
        EXPECT_EQ(Waiting(transport) == 0, aborts);
        EXPECT_EQ(Send(transport, "late"), HOYA_ECLOSED);
        if (!aborts) {
            RunRounds(3);
            EXPECT_EQ(hearer.lost, 0);
            ASSERT_EQ(send(peer, "not heard", 9, 0), 9);
        }
        std::vector<std::string> all;
        RunUntil([&] {
            for (auto &one : Receive(peer)) all.push_back(one);
            return hearer.released == 1;
        });
        if (aborts) EXPECT_LT(all.size(), count);
        else EXPECT_EQ(all.size(), count);
        EXPECT_TRUE(hearer.got.empty());
        EXPECT_EQ(hearer.code, 0);
        trace.clear();
    }
}

// Holds: S118
TEST_P(DatagramWrite, AnErrorOfOneThatWaitedDoesNotHoldUpTheNextAndTheProtocolGoesOn)
{
    Hearer hearer(&trace, "a");
    hoya_address alive, dead;
    int peer = UnixPeer(Name("alive"), &alive), gone = UnixPeer(Name("dead"), &dead);
    Datagrams transport = OpenUnix(hearer);
    ASSERT_EQ(hoya_datagram_transport_set_write_buffer_limits(transport.get(), 5000, 1000, SIZE_MAX), 0);
    size_t count = Fill(transport, 1, 1000, &alive);
    EXPECT_EQ(Send(transport, "for nobody", &dead), 0);
    EXPECT_EQ(Send(transport, "for nobody either", &dead), 0);
    for (; Waiting(transport) <= 5000; count++) EXPECT_EQ(Send(transport, std::string(1000, 'x'), &alive), 0);
    EXPECT_EQ(trace, Trace{"a pause"});
    Close(gone);
    EXPECT_EQ(Await(peer, count).size(), count);
    RunUntil([&] { return Waiting(transport) == 0; });
    EXPECT_EQ(trace, (Trace{"a pause", "a error HOYA_ECONNREFUSED", "a error HOYA_ECONNREFUSED", "a resume"}));
    EXPECT_NE(hearer.texts[0].find("a datagram of 10 bytes to unix:" + Name("dead")), std::string::npos)
        << hearer.texts[0];
    uint64_t rounds = Stats().dispatches;
    RunFor(HOYA_MSEC(5));
    EXPECT_LE(Stats().dispatches - rounds, 5u) << "nothing spins";
    EXPECT_EQ(Send(transport, "more", &alive), 0);
    EXPECT_TRUE(Receive(peer) == std::vector<std::string>{"more"});
}

// Holds: S118
TEST_P(DatagramWrite, ErrorsOfTheLastOnesEndTheWaitingAndACloseToo)
{
    for (bool closes : {false, true}) {
        Hearer hearer(&trace, "a");
        int peer;
        Datagrams transport = OnPair(hearer, &peer);
        Fill(transport, 3000);
        if (closes) EXPECT_EQ(hoya_datagram_transport_close(transport.get()), 0);
        Close(peer);
        RunUntil([&] { return closes ? hearer.released == 1 : Waiting(transport) == 0; });
        ASSERT_FALSE(hearer.errors.empty()) << "they are told, also while it closes";
        EXPECT_EQ(hearer.errors[0], HOYA_ECONNREFUSED);
        EXPECT_EQ(hearer.lost, closes);
        if (closes) EXPECT_EQ(hearer.code, 0);
        trace.clear();
    }
}

// Holds: S98 S99
TEST_P(DatagramWrite, PauseAndResumeComeInPairsAtTheMarks)
{
    Hearer hearer(&trace, "a");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    size_t high, low, hard, count = Fill(transport, 1);
    EXPECT_EQ(hoya_datagram_transport_get_write_buffer_limits(transport.get(), &high, &low, &hard), 0);
    EXPECT_EQ(high, 64u * 1024);
    EXPECT_EQ(low, 16u * 1024);
    EXPECT_EQ(hard, SIZE_MAX);
    while (Waiting(transport) <= high) {
        EXPECT_EQ(trace, Trace{});
        EXPECT_EQ(Send(transport, std::string(1000, 'x')), 0);
        count++;
    }
    EXPECT_EQ(trace, Trace{"a pause"}) << "inside the call";
    EXPECT_EQ(Send(transport, std::string(1000, 'x')), 0);
    count++;
    hearer.on_resume = [&](hoya_datagram_transport *) {
        EXPECT_LE(Waiting(transport), low);
        EXPECT_GT(Waiting(transport), low - 2000);
        return 0;
    };
    EXPECT_EQ(Await(peer, count).size(), count);
    EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
    hearer.on_resume = nullptr;

    count = Fill(transport, 4000);
    EXPECT_EQ(hoya_datagram_transport_set_write_buffer_limits(transport.get(), 2000, HOYA_LIMIT_DEFAULT, SIZE_MAX),
              0);
    EXPECT_EQ(trace.back(), "a pause") << "at once";
    EXPECT_EQ(hoya_datagram_transport_set_write_buffer_limits(transport.get(), HOYA_LIMIT_DEFAULT, 50000, SIZE_MAX),
              0);
    EXPECT_EQ(trace.back(), "a resume");
    EXPECT_EQ(hoya_datagram_transport_set_write_buffer_limits(transport.get(), 1, 2, SIZE_MAX), HOYA_EINVAL);
    EXPECT_EQ(hoya_datagram_transport_get_write_buffer_limits(transport.get(), &high, nullptr, nullptr), 0);
    EXPECT_EQ(high, 200000u);
}

TEST_P(DatagramWrite, AProtocolThatPausesThenIsToldOfItsBeginningFirst)
{
    Hearer hearer(&trace, "a");
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    Own(fds[1]);
    hoya_datagram_transport *raw = nullptr;
    options.write_high = 1000;
    ASSERT_EQ(hoya_create_datagram_endpoint_on_socket(loop, fds[0], hearer.protocol(), &options, &raw), 0);
    Datagrams transport(raw);
    size_t count = Fill(transport, 3000);
    EXPECT_EQ(trace, Trace{});
    RunRounds(1);
    EXPECT_EQ(trace, (Trace{"a made", "a pause"}));
    EXPECT_EQ(Await(fds[1], count).size(), count);
    EXPECT_EQ(trace.back(), "a resume");
}

TEST_P(DatagramWrite, TheHardLimitRefusesWhatWouldWaitAndTakesNothingOfIt)
{
    Hearer hearer(&trace, "a");
    int peer;
    options.write_hard = 5000;
    Datagrams transport = OnPair(hearer, &peer);
    EXPECT_EQ(Send(transport, std::string(9000, 'x')), 0) << "what need not wait is not concerned";
    size_t count = 1 + Fill(transport, 1);
    for (; Waiting(transport) + 2000 < 5000; count++) EXPECT_EQ(Send(transport, std::string(1000, 'x')), 0);
    size_t before = Waiting(transport);
    EXPECT_EQ(Send(transport, std::string(5000, 'x')), HOYA_ENOBUFS);
    EXPECT_STRNE(hoya_error_detail(), "");
    EXPECT_EQ(Waiting(transport), before);
    EXPECT_EQ(Await(peer, count).size(), count);
    RunRounds(2);
    EXPECT_TRUE(Receive(peer).empty());
}

TEST_P(DatagramWrite, WhoSendsInResumeWritingIsPausedAgain)
{
    Hearer hearer(&trace, "a");
    int peer;
    options.write_high = 4000;
    Datagrams transport = OnPair(hearer, &peer);
    size_t count = Fill(transport, 4001);
    int again = 3;
    hearer.on_resume = [&](hoya_datagram_transport *) {
        if (again-- > 0) count += Fill(transport, 4001);
        return 0;
    };
    size_t got = 0;
    RunUntil([&] {
        got += Receive(peer).size();
        return got == count && Waiting(transport) == 0;
    });
    EXPECT_EQ(std::count(trace.begin(), trace.end(), "a pause"), 4);
    EXPECT_EQ(std::count(trace.begin(), trace.end(), "a resume"), 4);
}

TEST_P(DatagramWrite, AFailingPauseIsReportedAndChangesNothing)
{
    Hearer hearer(&trace, "a");
    int peer;
    options.write_high = 1000;
    Datagrams transport = OnPair(hearer, &peer);
    hearer.on_pause = hearer.on_resume = [](hoya_datagram_transport *) { return HOYA_EIO; };
    size_t count = Fill(transport, 2000);
    EXPECT_TRUE(Logged("pause_writing failed"));
    EXPECT_EQ(Await(peer, count).size(), count);
    EXPECT_TRUE(Logged("resume_writing failed"));
    EXPECT_EQ(hearer.lost, 0);
}

TEST_P(DatagramWrite, AnEndInsideAnErrorEndsTheFlush)
{
    Hearer hearer(&trace, "a");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    Fill(transport, 5000);
    hearer.on_error = [](hoya_datagram_transport *t, int) { return hoya_datagram_transport_abort(t); };
    Close(peer);
    RunUntil([&] { return hearer.released; });
    EXPECT_EQ(trace, (Trace{"a error HOYA_ECONNREFUSED", "a lost", "a released"}));
}

/* ---- to a Unix socket that is not connected nothing tells when there is room ---- */

TEST_P(DatagramWrite, AFullUnixSocketIsTriedAgainWithoutSpinning)
{
    Hearer hearer(&trace, "a");
    hoya_address to;
    int peer = UnixPeer(Name("full"), &to);
    Datagrams transport = OpenUnix(hearer);
    size_t count = Fill(transport, 3000, 1000, &to);
    uint64_t rounds = Stats().dispatches;
    RunFor(HOYA_MSEC(30));
    EXPECT_LE(Stats().dispatches - rounds, 20u);
    EXPECT_GT(Waiting(transport), 0u);
    EXPECT_EQ(Await(peer, count).size(), count);
    count = Fill(transport, 3000, 1000, &to);
    EXPECT_EQ(hoya_datagram_transport_close(transport.get()), 0);
    RunFor(HOYA_MSEC(25));
    EXPECT_EQ(hearer.lost, 0) << "it waits for room";
    EXPECT_EQ(Await(peer, count).size(), count);
    RunUntil([&] { return hearer.released; });
}

TEST_P(DatagramWrite, WhoRestsMayBeAbortedOrClosedWithItsLoop)
{
    for (bool closes_loop : {false, true}) {
        Hearer hearer(&trace, "a");
        hoya_address to;
        int peer = UnixPeer(Name(closes_loop ? "one" : "two"), &to);
        Datagrams transport = OpenUnix(hearer);
        Fill(transport, 3000, 1000, &to);
        if (closes_loop) EXPECT_EQ(hoya_loop_close(loop), 0);
        else {
            hoya_datagram_transport_abort(transport.get());
            RunUntil([&] { return hearer.released; });
            RunFor(HOYA_MSEC(15));
        }
        EXPECT_EQ(hearer.released, 1);
        Close(peer);
    }
}

INSTANTIATE_TEST_SUITE_P(Hosts, DatagramWrite, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
