/* SPDX-License-Identifier: MIT
 *
 * conformance/datagram_nesting_test.cc: dialogs in the functions of a datagram protocol; and who it is not for: other threads,
 * and the child of a fork.
 */
#include "datagrams.h"

#include <thread>

namespace hoya_test
{
namespace
{

class DatagramNesting : public DatagramConformance
{
  protected:
    void Nest(Predicate done)
    {
        EXPECT_TRUE(host->RunNestedUntil(std::move(done))) << "the nested loop waited in vain";
    }
    void NestFor(int64_t duration)
    {
        host->RunNestedUntil([] { return false; }, duration);
    }
    void RunHostUntil(Predicate done)
    {
        EXPECT_TRUE(host->RunUntil(std::move(done))) << "the application's loop waited in vain";
    }
};

enum class In { kMade, kDatagram, kError, kPause, kResume, kLost };
constexpr In kAll[] = {In::kMade, In::kDatagram, In::kError, In::kPause, In::kResume, In::kLost};

/* An endpoint, one of whose functions calls `dialog`, once. */
struct Dialog {
    Dialog(Trace *trace, In where, std::function<void(hoya_datagram_transport *)> dialog)
        : in(where), hearer(trace, "a"), work(std::move(dialog))
    {
        hearer.notes_data = false;
        auto once = [this](hoya_datagram_transport *transport) {
            if (!entered) {
                entered = 1;
                work(transport);
                returned++;
            }
            return 0;
        };
        if (in == In::kMade) hearer.on_made = once;
        if (in == In::kDatagram)
            hearer.on_datagram = [once](hoya_datagram_transport *t, const std::string &, const hoya_address &) {
                return once(t);
            };
        if (in == In::kError) hearer.on_error = [once](hoya_datagram_transport *t, int) { return once(t); };
        if (in == In::kPause) hearer.on_pause = once;
        if (in == In::kResume) hearer.on_resume = once;
        hearer.on_lost = [this, once](hoya_datagram_transport *t, int) {
            if (in == In::kLost) once(t);
            EXPECT_EQ(entered, returned) << "the end is told after the dialog";
        };
        hearer.on_released = [this] { EXPECT_EQ(entered, returned); };
    }

    In in;
    Hearer hearer;
    std::function<void(hoya_datagram_transport *)> work;
    int entered = 0, returned = 0;
};

class DatagramDialogs : public DatagramNesting
{
  protected:
    /* On one end of a pair; something happens that has the function called. */
    Datagrams Provoke(Dialog &dialog, int *peer)
    {
        int fds[2];
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        *peer = Own(fds[1]);
        options.write_high = 4000;
        hoya_datagram_transport *raw = nullptr;
        EXPECT_EQ(hoya_create_datagram_endpoint_on_socket(loop, fds[0], dialog.hearer.protocol(), &options, &raw),
                  0);
        Datagrams transport(raw);
        if (dialog.in != In::kMade) RunRounds(1);
        if (dialog.in == In::kDatagram) EXPECT_EQ(send(*peer, "d", 1, 0), 1);
        if (dialog.in == In::kPause || dialog.in == In::kResume) Fill(transport, 4001);
        if (dialog.in == In::kError) {
            Fill(transport, 1500);
            Close(*peer);
            *peer = -1;
        }
        if (dialog.in == In::kLost) hoya_datagram_transport_abort(raw);
        return transport;
    }
};

// Holds: F1 S160
TEST_P(DatagramDialogs, OthersGoOnInADialogOfAnyFunction)
{
    for (In in : kAll) {
        SCOPED_TRACE(static_cast<int>(in));
        Hearer other(&trace, "b");
        other.notes_data = false;
        other.on_datagram = [](hoya_datagram_transport *t, const std::string &text, const hoya_address &from) {
            return hoya_datagram_transport_sendto(t, text.data(), text.size(), &from);
        };
        Datagrams b = Open(other);
        options.local_host = nullptr;
        int client = Peer(), peer;
        size_t back = 0;
        Dialog dialog(&trace, in, [&](hoya_datagram_transport *) {
            for (size_t i = 1; i <= 3; i++) { /* each waits for the one before */
                SendTo(client, "ping", NameOf(b));
                Nest([&] {
                    back += Receive(client).size();
                    return back == i;
                });
            }
        });
        Datagrams a = Provoke(dialog, &peer);
        RunHostUntil([&] {
            if (peer >= 0) Receive(peer);
            return dialog.returned == 1;
        });
        EXPECT_EQ(back, 3u);
        hoya_datagram_transport_abort(a.get());
        hoya_datagram_transport_abort(b.get());
        RunHostUntil([&] { return dialog.hearer.released && other.released; });
        EXPECT_EQ(dialog.hearer.lost, 1);
    }
}

// Holds: F1 F4
TEST_P(DatagramDialogs, WhatComesWaitsForTheFunctionOnTheStackAndWhatWaitsGoesOut)
{
    for (In in : {In::kMade, In::kDatagram}) {
        SCOPED_TRACE(static_cast<int>(in));
        int peer;
        Dialog dialog(&trace, in, [&](hoya_datagram_transport *t) {
            size_t before = dialog.hearer.got.size();
            ASSERT_EQ(send(peer, "second", 6, 0), 6);
            uint64_t dispatches = Stats().dispatches;
            NestFor(HOYA_MSEC(20));
            EXPECT_LE(Stats().dispatches - dispatches, 10u) << "and the loop does not spin on it";
            EXPECT_EQ(dialog.hearer.got.size(), before);
            for (int i = 0; i < 100000 && !hoya_datagram_transport_get_write_buffer_size(t); i++)
                ASSERT_EQ(hoya_datagram_transport_sendto(t, "out", 3, nullptr), 0);
            Nest([&] {
                Receive(peer);
                return hoya_datagram_transport_get_write_buffer_size(t) == 0;
            });
        });
        Datagrams a = Provoke(dialog, &peer);
        RunHostUntil([&] { return !dialog.hearer.got.empty() && dialog.hearer.got.back() == "second"; });
        EXPECT_EQ(dialog.returned, 1);
        hoya_datagram_transport_abort(a.get());
        RunHostUntil([&] { return dialog.hearer.released; });
    }
}

// Holds: F1 S118
TEST_P(DatagramDialogs, AnErrorInADialogIsToldAfterIt)
{
    int peer;
    Dialog dialog(&trace, In::kDatagram, [&](hoya_datagram_transport *t) {
        for (int i = 0; i < 100000 && hoya_datagram_transport_get_write_buffer_size(t) < 1000; i++)
            ASSERT_EQ(hoya_datagram_transport_sendto(t, "out", 3, nullptr), 0);
        Close(peer);
        Nest([&] { return hoya_datagram_transport_get_write_buffer_size(t) == 0; });
        NestFor(HOYA_MSEC(2));
        EXPECT_TRUE(dialog.hearer.errors.empty());
    });
    Datagrams a = Provoke(dialog, &peer);
    RunHostUntil([&] { return !dialog.hearer.errors.empty(); });
    EXPECT_EQ(dialog.returned, 1);
    EXPECT_EQ(dialog.hearer.errors[0], HOYA_ECONNREFUSED);
    hoya_datagram_transport_abort(a.get());
    RunHostUntil([&] { return dialog.hearer.released; });
}

// Holds: S89 F1 S160
TEST_P(DatagramDialogs, TheEndIsToldOnceAndAfterTheDialogAndNobodyNeedsAReference)
{
    for (In in : {In::kMade, In::kDatagram, In::kError, In::kPause, In::kResume}) {
        for (bool aborts : {false, true}) {
            SCOPED_TRACE(static_cast<int>(in));
            int peer;
            Datagrams a;
            hoya_datagram_transport *raw = nullptr;
            Dialog dialog(&trace, in, [&](hoya_datagram_transport *t) {
                raw = t;
                host->CallOnce([&] {
                    EXPECT_EQ((aborts ? hoya_datagram_transport_abort : hoya_datagram_transport_close)(raw), 0);
                    a.reset();
                    Note("told");
                });
                Nest([&] { return Seen("told"); });
                NestFor(HOYA_MSEC(2));
                EXPECT_EQ(dialog.hearer.released, 0);
            });
            trace.clear();
            a = Provoke(dialog, &peer);
            RunHostUntil([&] {
                if (peer >= 0) Receive(peer);
                return dialog.hearer.released == 1;
            });
            EXPECT_EQ(dialog.returned, 1);
            EXPECT_EQ(dialog.hearer.lost, 1);
            EXPECT_EQ(dialog.hearer.code, 0);
            if (peer >= 0) Close(peer);
        }
    }
}

// Holds: F1 S87
TEST_P(DatagramDialogs, WhatADialogReadsLeavesTheDatagramOnTheStackAloneAndIsWhole)
{
    constexpr size_t kLevels = 4, kSize = 60000; /* more than the engine's own memory */
    struct Level {
        std::string got;
        std::function<void(const char *, size_t)> work;
        int peer = -1;
        Datagrams transport;

        static int Received(hoya_datagram_transport *, const void *data, size_t size, const hoya_address *,
                            void *arg)
        {
            static_cast<Level *>(arg)->work(static_cast<const char *>(data), size);
            return 0;
        }
    } levels[kLevels];
    static const hoya_datagram_protocol_ops ops = {sizeof ops, nullptr, Level::Received, nullptr,
                                                   nullptr,    nullptr, nullptr,         nullptr};
    for (size_t i = 0; i < kLevels; i++) {
        int fds[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        levels[i].peer = Own(fds[1]);
        levels[i].work = [&, i](const char *data, size_t size) {
            levels[i].got.assign(data, size);
            if (i + 1 < kLevels) {
                const std::string next(kSize, static_cast<char>('b' + i));
                ASSERT_EQ(send(levels[i + 1].peer, next.data(), next.size(), 0), static_cast<ssize_t>(kSize));
                Nest([&, i] { return !levels[i + 1].got.empty(); });
            }
            EXPECT_EQ(memcmp(levels[i].got.data(), data, size), 0) << "level " << i;
        };
        hoya_datagram_transport *raw = nullptr;
        ASSERT_EQ(hoya_create_datagram_endpoint_on_socket(loop, fds[0], {&ops, &levels[i]}, nullptr, &raw), 0);
        levels[i].transport.reset(raw);
    }
    RunRounds(1);
    const std::string first(kSize, 'a');
    ASSERT_EQ(send(levels[0].peer, first.data(), first.size(), 0), static_cast<ssize_t>(kSize));
    RunHostUntil([&] { return !levels[kLevels - 1].got.empty(); });
    for (size_t i = 0; i < kLevels; i++)
        EXPECT_TRUE(levels[i].got == std::string(kSize, static_cast<char>('a' + i))) << i;
}

INSTANTIATE_TEST_SUITE_P(Hosts, DatagramDialogs, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- other threads, and the child of a fork ---- */

class DatagramElsewhere : public DatagramConformance
{
  protected:
    /* What each function answered that did not answer `code`. */
    Trace OtherAnswers(const Datagrams &transport, Hearer &other, int code)
    {
        hoya_datagram_transport *t = transport.get();
        Trace answers;
        auto expect = [&](const char *name, int answer) {
            if (answer != code) answers.push_back(std::string(name) + " answered " + hoya_error_name(answer));
        };
        hoya_address address = AddressOf("224.0.0.251", 1);
        size_t limit;
        expect("sendto", hoya_datagram_transport_sendto(t, "x", 1, nullptr));
        expect("close", hoya_datagram_transport_close(t));
        expect("abort", hoya_datagram_transport_abort(t));
        expect("pause_reading", hoya_datagram_transport_pause_reading(t));
        expect("resume_reading", hoya_datagram_transport_resume_reading(t));
        expect("set_protocol", hoya_datagram_transport_set_protocol(t, other.protocol()));
        expect("set_limits", hoya_datagram_transport_set_write_buffer_limits(t, 10, 1, 20));
        expect("get_limits", hoya_datagram_transport_get_write_buffer_limits(t, &limit, &limit, &limit));
        expect("join_group", hoya_datagram_transport_join_group(t, &address, "lo"));
        expect("leave_group", hoya_datagram_transport_leave_group(t, &address, "lo"));
        expect("get_sockname", hoya_datagram_transport_get_sockname(t, &address));
        expect("get_peername", hoya_datagram_transport_get_peername(t, &address));
        int released = other.released;
        hoya_future *future = nullptr;
        hoya_datagram_transport *made = nullptr;
        options.local_host = OwnAddress();
        expect("create", hoya_create_datagram_endpoint(loop, other.protocol(), &options, &future));
        expect("unix",
               hoya_create_unix_datagram_endpoint(loop, nullptr, nullptr, other.protocol(), nullptr, &made));
        auto pair = MakePair();
        expect("on_socket",
               hoya_create_datagram_endpoint_on_socket(loop, pair[0], other.protocol(), nullptr, &made));
        EXPECT_EQ(future, nullptr);
        EXPECT_EQ(made, nullptr);
        EXPECT_EQ(other.released, released + 3) << "given away, always";
        return answers;
    }
};

// Holds: F15
TEST_P(DatagramElsewhere, AnotherThreadIsRefusedEverything)
{
    Hearer hearer(&trace, "a"), other(&trace, "b");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    std::thread([&] { EXPECT_EQ(OtherAnswers(transport, other, HOYA_ETHREAD), Trace{}); }).join();
    EXPECT_EQ(Send(transport, "x"), 0);
    EXPECT_EQ(Receive(peer), std::vector<std::string>{"x"});
    EXPECT_EQ(hearer.lost, 0);
}

// Holds: S56
TEST_P(DatagramElsewhere, AForkedChildIsRefusedEverythingAndItsCloseLeavesTheParentsAlone)
{
    Hearer hearer(&trace, "a"), other(&trace, "b"), bound(&trace, "c");
    int peer;
    Datagrams transport = OnPair(hearer, &peer);
    const std::string path = "/tmp/hoya-datagram-fork-" + std::to_string(getpid());
    hoya_datagram_transport *raw = nullptr;
    ASSERT_EQ(hoya_create_unix_datagram_endpoint(loop, path.c_str(), nullptr, bound.protocol(), nullptr, &raw), 0);
    Datagrams server(raw);
    RunRounds(1);
    size_t count = Fill(transport, 3000);
    EXPECT_EQ(InChild([&] {
                  EXPECT_EQ(OtherAnswers(transport, other, HOYA_ECHILD), Trace{});
                  EXPECT_EQ(hoya_loop_close(loop), 0);
                  EXPECT_EQ(hearer.released, 1);
                  EXPECT_EQ(hearer.lost, 0) << "no callback runs";
                  EXPECT_EQ(hoya_datagram_transport_fileno(transport.get()), HOYA_INVALID_FD);
                  transport.reset();
                  server.reset();
                  hoya_loop_unref(loop);
              }),
              0);
    EXPECT_EQ(access(path.c_str(), F_OK), 0) << "the path is the parent's";
    EXPECT_EQ(Await(peer, count).size(), count) << "what waits is the parent's to send, once";
    RunRounds(2);
    EXPECT_TRUE(Receive(peer).empty());
    hoya_datagram_transport_abort(raw);
    RunUntil([&] { return bound.released; });
    EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_P(DatagramElsewhere, ADumpHasALineForEachAndItsState)
{
    Hearer one(&trace, "one"), two(&trace, "two"), three(&trace, "three");
    int peer;
    Datagrams a = Open(one), b = OnPair(two, &peer), c = OnPair(three, &peer);
    hoya_datagram_transport_pause_reading(b.get());
    Fill(c, 1000);
    hoya_datagram_transport_close(c.get());
    std::string text;
    auto dump = [&] {
        text.clear();
        EXPECT_EQ(
            hoya_loop_dump(
                loop,
                [](const char *line, void *arg) { *static_cast<std::string *>(arg) += std::string(line) + "\n"; },
                &text),
            0);
        return text;
    };
    auto line = [](const Datagrams &of, const std::string &rest) {
        return "    " + std::to_string(hoya_datagram_transport_fileno(of.get())) + ": " + rest + "\n";
    };
    const std::string waiting =
        std::to_string(hoya_datagram_transport_get_write_buffer_size(c.get())) + " bytes wait";
    EXPECT_NE(dump().find("  datagram endpoints: 3\n"), std::string::npos) << text;
    EXPECT_NE(text.find(line(a, TextOf(NameOf(a)) + " to anybody, 0 bytes wait")), std::string::npos) << text;
    EXPECT_NE(text.find(line(b, "unix: to unix:, not reading, 0 bytes wait")), std::string::npos) << text;
    EXPECT_NE(text.find(line(c, "unix: to unix:, closing, not reading, " + waiting)), std::string::npos) << text;
    hoya_datagram_transport_abort(c.get());
    EXPECT_NE(dump().find(", ending, not reading, 0 bytes wait"), std::string::npos) << text;
    RunRounds(2);
    EXPECT_NE(dump().find("  datagram endpoints: 2\n"), std::string::npos);
}

TEST_P(DatagramElsewhere, EndpointsThatAreLeftInALoopAreNamedInDebugMode)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    Hearer hearer(&trace, "a"), paused(&trace, "b");
    int peer;
    Datagrams a = OnPair(hearer, &peer), b = OnPair(paused, &peer);
    hoya_datagram_transport_pause_reading(b.get());
    ClearLog();
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_TRUE(Logged("left in a loop that is closed: datagram transport"));
    EXPECT_TRUE(Logged("2 things were left in the loop"));
}

INSTANTIATE_TEST_SUITE_P(Hosts, DatagramElsewhere, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
