/* SPDX-License-Identifier: MIT
 *
 * conformance/transport_nesting_test.cc: dialogs in the functions of a protocol. Its connection waits, and what it has
 * written goes out; others go on; whatever becomes of it meanwhile it hears when its function has returned.
 */
#include "net.h"

#include <algorithm>
#include <cstring>

namespace hoya_test
{
namespace
{

class NetNesting : public NetConformance
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

/* ---- a dialog in each function ---- */

enum class In { kMade, kData, kUpdated, kEof, kPause, kResume, kLost };
constexpr In kAll[] = {In::kMade, In::kData, In::kUpdated, In::kEof, In::kPause, In::kResume, In::kLost};
/* The connection is still there after them. */
constexpr In kOpen[] = {In::kMade, In::kData, In::kUpdated, In::kEof, In::kPause, In::kResume};

const char *Name(In in)
{
    static const char *const names[] = {"connection_made", "data_received",  "buffer_updated", "eof_received",
                                        "pause_writing",   "resume_writing", "connection_lost"};
    return names[static_cast<int>(in)];
}

/* A connection, one of whose functions calls `dialog`, once. */
struct Dialog {
    Dialog(Trace *trace, In where, std::function<void(hoya_transport *)> dialog)
        : in(where), recorder(trace, "a", where == In::kUpdated), work(std::move(dialog))
    {
        recorder.notes_data = false;
        auto once = [this](hoya_transport *transport, int answer) {
            if (!entered) {
                entered = 1;
                work(transport);
                returned++;
            }
            return answer;
        };
        auto answer = [once](hoya_transport *transport) { return once(transport, 0); };
        if (in == In::kMade) recorder.on_made = answer;
        if (in == In::kData || in == In::kUpdated)
            recorder.on_data = [once](hoya_transport *transport, const std::string &) {
                return once(transport, 0);
            };
        recorder.on_eof = [this, once](hoya_transport *transport) {
            return in == In::kEof ? once(transport, 1) : 1;
        };
        if (in == In::kPause) recorder.on_pause = answer;
        if (in == In::kResume) recorder.on_resume = answer;
        recorder.on_lost = [this, once](hoya_transport *transport, int) {
            if (in == In::kLost) once(transport, 0);
            EXPECT_EQ(entered, returned) << "the end is told after the dialog";
        };
        recorder.on_released = [this] { EXPECT_EQ(entered, returned); };
    }

    /* Something happens that has the function called, if it was not yet. */
    void Provoke(hoya_transport *transport, int peer)
    {
        const std::string much(4u << 20, 'm');
        if (in == In::kData || in == In::kUpdated) EXPECT_EQ(send(peer, "d", 1, MSG_NOSIGNAL), 1);
        if (in == In::kEof) shutdown(peer, SHUT_WR);
        if (in == In::kPause || in == In::kResume) hoya_transport_write(transport, much.data(), much.size());
        if (in == In::kLost) hoya_transport_abort(transport);
    }

    In in;
    Recorder recorder;
    std::function<void(hoya_transport *)> work;
    int entered = 0, returned = 0;
};

// Holds: F1 S160
TEST_P(NetNesting, OthersGoOnInADialogOfAnyFunction)
{
    for (In in : kAll) {
        SCOPED_TRACE(Name(in));
        Recorder other(&trace, "b");
        other.on_data = [](hoya_transport *t, const std::string &data) {
            return hoya_transport_write(t, data.data(), data.size());
        };
        int peer, peer_of_other;
        Transport b = Connected(other, &peer_of_other);
        std::string back;
        Dialog dialog(&trace, in, [&](hoya_transport *) {
            for (int i = 1; i <= 3; i++) { /* each waits for the one before */
                Send(peer_of_other, "ping");
                Nest([&] {
                    back += Receive(peer_of_other);
                    return back.size() == static_cast<size_t>(i) * 4;
                });
            }
        });
        Transport a = Connect(dialog.recorder, &peer);
        if (in != In::kMade) RunRounds(1);
        dialog.Provoke(a.get(), peer);
        RunHostUntil([&] {
            Receive(peer);
            return dialog.returned == 1;
        });
        EXPECT_EQ(back, "pingpingping");
        hoya_transport_abort(a.get());
        hoya_transport_abort(b.get());
        RunHostUntil([&] { return dialog.recorder.released && other.released; });
        EXPECT_EQ(dialog.recorder.lost, 1);
    }
}

// Holds: F1 S160
TEST_P(NetNesting, WhatItHasWrittenGoesOutWhileItWaits)
{
    const std::string data = Much();
    for (In in : {In::kMade, In::kData, In::kUpdated, In::kEof}) {
        SCOPED_TRACE(Name(in));
        int peer;
        std::string all;
        Dialog dialog(&trace, in, [&](hoya_transport *t) {
            EXPECT_EQ(hoya_transport_write(t, data.data(), data.size()), 0);
            EXPECT_GT(hoya_transport_get_write_buffer_size(t), 0u);
            Nest([&] {
                all += Receive(peer);
                return all.size() == data.size();
            });
            EXPECT_EQ(hoya_transport_get_write_buffer_size(t), 0u);
        });
        Transport a = Connect(dialog.recorder, &peer);
        if (in != In::kMade) RunRounds(1);
        dialog.Provoke(a.get(), peer);
        RunHostUntil([&] { return dialog.returned == 1; });
        EXPECT_TRUE(all == data);
        hoya_transport_abort(a.get());
        RunHostUntil([&] { return dialog.recorder.released; });
    }
}

// Holds: F1 F4 S160
TEST_P(NetNesting, WhatComesInWaitsForTheFunctionOnTheStack)
{
    for (In in : {In::kMade, In::kData, In::kUpdated}) {
        SCOPED_TRACE(Name(in));
        int peer;
        std::string before;
        Dialog dialog(&trace, in, [&](hoya_transport *) {
            before = dialog.recorder.data;
            Send(peer, "second");
            shutdown(peer, SHUT_WR);
            uint64_t dispatches = Stats().dispatches;
            NestFor(HOYA_MSEC(20));
            EXPECT_LE(Stats().dispatches - dispatches, 10u) << "and the loop does not spin on it";
            EXPECT_EQ(dialog.recorder.data, before);
        });
        Transport a = Connect(dialog.recorder, &peer);
        if (in != In::kMade) RunRounds(1);
        dialog.Provoke(a.get(), peer);
        trace.clear();
        RunHostUntil([&] { return Seen("a eof"); });
        EXPECT_EQ(dialog.recorder.data, before + "second");
        hoya_transport_abort(a.get());
        RunHostUntil([&] { return dialog.recorder.released; });
    }
}

// Holds: F1
TEST_P(NetNesting, PausingAndResumingInADialogHoldsAfterIt)
{
    for (bool resumes : {false, true}) {
        int peer;
        Dialog dialog(&trace, In::kData, [&](hoya_transport *t) {
            Send(peer, "second");
            NestFor(HOYA_MSEC(2)); /* found again: blocked */
            CallSoon([&, t] {
                EXPECT_EQ(hoya_transport_pause_reading(t), 0);
                if (resumes) EXPECT_EQ(hoya_transport_resume_reading(t), 0);
                Note("told");
            });
            trace.clear();
            Nest([&] { return Seen("told"); });
            NestFor(HOYA_MSEC(2));
            EXPECT_EQ(dialog.recorder.data, "d");
        });
        Transport a = Connected(dialog.recorder, &peer);
        dialog.Provoke(a.get(), peer);
        RunHostUntil([&] { return dialog.returned == 1; });
        RunRounds(3);
        EXPECT_EQ(dialog.recorder.data, resumes ? "dsecond" : "d");
        hoya_transport_abort(a.get());
        RunHostUntil([&] { return dialog.recorder.released; });
    }
}

/* ---- the end in a dialog ---- */

enum class End { kAbort, kClose, kReset, kPeerCloses };

// Holds: S89 F1 S160
TEST_P(NetNesting, TheEndIsToldOnceAndAfterTheDialogAndNobodyNeedsAReference)
{
    for (In in : kOpen) {
        for (End end : {End::kAbort, End::kClose, End::kReset, End::kPeerCloses}) {
            SCOPED_TRACE(std::string(Name(in)) + ", end " + std::to_string(static_cast<int>(end)));
            int peer;
            Transport a;
            Dialog dialog(&trace, in, [&](hoya_transport *) {
                host->CallOnce([&] {
                    if (end == End::kAbort) hoya_transport_abort(a.get());
                    if (end == End::kClose) hoya_transport_close(a.get());
                    if (end == End::kReset) { /* what it has not read is lost */
                        hoya_transport_write(a.get(), "unread", 6);
                        Close(peer);
                    }
                    if (end == End::kPeerCloses) Close(peer);
                    a.reset();
                    Note("told");
                });
                Nest([&] { return Seen("told"); });
                NestFor(HOYA_MSEC(2));
                EXPECT_EQ(dialog.recorder.released, 0);
            });
            dialog.recorder.on_eof = nullptr; /* closes */
            if (in == In::kEof) {
                dialog.recorder.on_eof = [&](hoya_transport *t) {
                    dialog.entered++;
                    dialog.work(t);
                    dialog.returned++;
                    return 0;
                };
            }
            a = Connect(dialog.recorder, &peer);
            hoya_transport *raw = a.get();
            if (in != In::kMade) RunRounds(1);
            trace.clear();
            dialog.Provoke(raw, peer);
            bool peer_is_open = end == End::kAbort || end == End::kClose;
            RunHostUntil([&] {
                if (peer_is_open || !dialog.entered) Receive(peer);
                return dialog.recorder.released == 1;
            });
            EXPECT_EQ(dialog.returned, 1);
            EXPECT_EQ(dialog.recorder.lost, 1);
            if (peer_is_open) EXPECT_EQ(dialog.recorder.code, 0);
            if (peer_is_open) Close(peer);
        }
    }
}

// Holds: F1 S160
TEST_P(NetNesting, ALoopWhoseConnectionsAreInDialogsIsBusyAndClosesAfterThem)
{
    for (In in : kAll) {
        SCOPED_TRACE(Name(in));
        hoya_loop *sibling = NewSibling();
        std::swap(loop, sibling);
        int peer;
        Dialog dialog(&trace, in, [&](hoya_transport *t) {
            bool told = false;
            hoya_transport_abort(t);
            host->CallOnce([&] {
                /* A write from outside of the loop may be under way; then its loop may be closed. */
                if (in != In::kPause) EXPECT_EQ(hoya_loop_close(loop), HOYA_EBUSY);
                told = true;
            });
            Nest([&] { return told; });
        });
        Transport a = Connect(dialog.recorder, &peer);
        if (in != In::kMade) RunRounds(1);
        dialog.Provoke(a.get(), peer);
        RunHostUntil([&] {
            Receive(peer);
            return dialog.returned == 1;
        });
        EXPECT_EQ(hoya_loop_close(loop), 0);
        EXPECT_EQ(dialog.recorder.released, 1);
        a.reset();
        std::swap(loop, sibling);
        Release(sibling);
    }
}

// Holds: F1
TEST_P(NetNesting, AWriteFromOutsideMayPauseWithADialogInWhichTheLoopIsClosed)
{
    for (bool fails : {false, true}) {
        hoya_loop *sibling = NewSibling();
        std::swap(loop, sibling);
        int peer;
        Recorder recorder(&trace, "a");
        Transport a = Connected(recorder, &peer);
        recorder.on_pause = [&](hoya_transport *t) {
            hoya_transport_abort(t);
            NestFor(HOYA_MSEC(5)); /* its end comes, and waits */
            EXPECT_EQ(recorder.lost, 0);
            EXPECT_EQ(hoya_loop_close(loop), 0);
            EXPECT_EQ(recorder.released, 1) << "that waits for nobody";
            a.reset();
            return fails ? HOYA_EINVAL : 0;
        };
        const std::string data = Much();
        hoya_transport *raw = a.get();
        if (fails) EXPECT_EQ(hoya_transport_write(raw, data.data(), data.size()), 0);
        else {
            EXPECT_EQ(hoya_transport_set_write_buffer_limits(raw, SIZE_MAX / 2, 0, SIZE_MAX), 0);
            EXPECT_EQ(hoya_transport_write(raw, data.data(), data.size()), 0);
            EXPECT_EQ(hoya_transport_set_write_buffer_limits(raw, 10, 10, SIZE_MAX), 0);
        }
        EXPECT_EQ(a, nullptr);
        std::swap(loop, sibling);
        hoya_loop_unref(sibling);
    }
}

/* ---- the memory that connections share ---- */

struct Watcher {
    std::function<void(const char *, size_t)> work;

    static int Data(hoya_transport *, const void *data, size_t size, void *arg)
    {
        static_cast<Watcher *>(arg)->work(static_cast<const char *>(data), size);
        return 0;
    }
    hoya_protocol protocol()
    {
        static const hoya_protocol_ops ops = {sizeof ops, nullptr, nullptr, nullptr, Data,   nullptr,
                                              nullptr,    nullptr, nullptr, nullptr, nullptr};
        return {&ops, this};
    }
};

// Holds: F1 S87
TEST_P(NetNesting, WhatADialogReadsLeavesTheBytesOnTheStackAlone)
{
    constexpr int kLevels = 4;
    constexpr size_t kSize = 40000; /* more than a nested level reads at once, less than the first one does */
    int ours[kLevels], theirs[kLevels];
    Watcher watchers[kLevels];
    size_t total[kLevels] = {}, reads[kLevels] = {};
    int deepest = 0;
    for (int i = 0; i < kLevels; i++) {
        int fds[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        ours[i] = fds[0];
        theirs[i] = Own(fds[1]);
        watchers[i].work = [&, i](const char *data, size_t size) {
            const std::string before(data, size);
            EXPECT_EQ(before, std::string(size, static_cast<char>('a' + i)));
            bool first = total[i] == 0;
            total[i] += size;
            reads[i]++;
            if (first && i + 1 < kLevels) {
                deepest = i + 1;
                Send(theirs[i + 1], std::string(kSize, static_cast<char>('a' + i + 1)));
                Nest([&, i] { return total[i + 1] == kSize; });
            }
            EXPECT_EQ(memcmp(before.data(), data, size), 0) << "level " << i;
        };
        ASSERT_EQ(hoya_connect_accepted_socket(loop, ours[i], watchers[i].protocol(), nullptr, nullptr), 0);
    }
    RunRounds(1);
    for (int again = 0; again < 2; again++) {
        std::fill(std::begin(total), std::end(total), 0);
        std::fill(std::begin(reads), std::end(reads), 0);
        Send(theirs[0], std::string(kSize, 'a'));
        RunHostUntil([&] { return total[0] == kSize; });
        EXPECT_EQ(deepest, kLevels - 1);
        EXPECT_EQ(total[kLevels - 1], kSize);
        EXPECT_EQ(reads[0], 1u) << "all of the shared memory is free again";
        EXPECT_GT(reads[kLevels - 1], 1u);
    }
}

// Holds: F1 F7 S160
TEST_P(NetNesting, DialogsOfSeveralConnectionsReturnLastInFirstOut)
{
    constexpr int kLevels = 8;
    std::vector<std::unique_ptr<Recorder>> recorders;
    std::vector<Transport> transports;
    std::vector<int> peers(kLevels), left;
    for (int i = 0; i < kLevels; i++) {
        recorders.push_back(std::make_unique<Recorder>(&trace, "a", i % 2 == 1));
        recorders[static_cast<size_t>(i)]->on_data = [&, i](hoya_transport *t, const std::string &) {
            if (i + 1 < kLevels) {
                Send(peers[static_cast<size_t>(i) + 1], "x");
                Nest([&, i] { return !left.empty() && left.back() == i + 1; });
            }
            left.push_back(i);
            return hoya_transport_close(t);
        };
        transports.push_back(Connected(*recorders.back(), &peers[static_cast<size_t>(i)]));
    }
    Send(peers[0], "x");
    RunHostUntil([&] { return recorders[0]->released; });
    ASSERT_EQ(left.size(), static_cast<size_t>(kLevels));
    EXPECT_TRUE(std::is_sorted(left.rbegin(), left.rend()));
    for (const auto &recorder : recorders) EXPECT_EQ(recorder->lost, 1);
}

INSTANTIATE_TEST_SUITE_P(Hosts, NetNesting, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace
} // namespace hoya_test
