/* SPDX-License-Identifier: MIT
 *
 * conformance/swap_test.cc: the same program, in the same order, on every host. demos/swap is the longer one.
 *
 * The program runs in a native loop first, then in the loop of the variant. It leaves out what may differ: several
 * descriptors that are ready in one look.
 */
#include "conformance.h"

#include <memory>
#include <thread>

namespace hoya_test
{

// Holds: S161
TEST_P(LoopConformance, TheSameProgramMakesTheSameTraceAsNatively)
{
    auto program = [this] {
        auto [ours, theirs] = MakePair();
        int balls = 0, links = 0;

        /* the queue, a timer, both sides of one descriptor, and a post, in one round */
        CallLater(0, Say("timer"));
        CallSoon([this] {
            Note("parent");
            CallSoon(Say("child"));
            CallLater(0, [this] {
                Note("timer's turn");
                Stop();
            });
        });
        Handle cancelled = CallSoonHandle(Say("cancelled"));
        CallSoon([&] { Note("cancel " + std::to_string(hoya_handle_cancel(cancelled.get()))); });
        Feed(theirs);
        AddWriter(ours, [&, fd = ours] {
            Note("writer");
            hoya_loop_remove_writer(loop, fd);
        });
        AddReader(ours, [&, fd = ours] {
            Note("reader");
            Drain(fd);
        });
        std::thread([this] {
            CallSoonThreadsafe(Say("post 1"));
            CallSoonThreadsafe(Say("post 2"));
        }).join();
        Run();
        hoya_loop_remove_reader(loop, ours);
        Note("ran");

        /* timers by their deadlines, ties in order */
        int64_t t = hoya_loop_time(loop) + HOYA_MSEC(2);
        CallAt(t + HOYA_MSEC(1), [this] {
            Note("last");
            Stop();
        });
        for (const char *tie : {"tie 1", "tie 2", "tie 3"}) CallAt(t, Say(tie));
        CallAt(t - HOYA_MSEC(1), Say("first"));
        Run();
        Note("ran");

        /* a ball goes to and fro */
        AddReader(ours, [&, fd = ours] {
            Drain(fd);
            Note("ours");
            Feed(fd);
            if (++balls == 3) hoya_loop_remove_reader(loop, fd);
        });
        AddReader(theirs, [&, fd = theirs] {
            Drain(fd);
            Note("theirs");
            if (balls < 3) Feed(fd);
            else Stop();
        });
        Feed(theirs);
        Run();
        hoya_loop_remove_reader(loop, theirs);
        Note("ran");

        /* a chain that never pauses lets in what becomes ready and due */
        AddReader(ours, [&, fd = ours] {
            Drain(fd);
            Note("fed");
            CallSoon(Say("queued by the reader"));
        });
        Work chain = [&, fd = theirs] {
            Note("link");
            if (++links == 2) {
                Feed(fd);
                CallLater(0, Say("timer"));
            }
            if (links < 5) CallSoon(chain);
            else Stop();
        };
        CallSoon(chain);
        Run();
        hoya_loop_remove_reader(loop, ours);
        Note("ran");

        /* stop lets the round finish, abort does not; the rest waits for the next run */
        CallSoon([this] {
            Note("stop");
            Stop();
            CallSoon(Say("waits"));
        });
        CallSoon(Say("in the round that stops"));
        Run();
        CallSoon([this] {
            Note("abort");
            EXPECT_EQ(hoya_loop_abort(loop, HOYA_ECANCELED), 0);
        });
        CallSoon([this] {
            Note("after the abort");
            Stop();
        });
        Run(HOYA_ECANCELED);
        Note("ran");
        Run();

        /* close drops what is pending */
        auto drop = [this](const char *word) {
            return std::shared_ptr<void>(nullptr, [this, word](void *) { Note(word); });
        };
        CallSoon([dropped = drop("callback dropped")] {});
        CallAt(t + HOYA_SEC(3600), [dropped = drop("timer dropped")] {});
        AddReader(ours, [dropped = drop("reader dropped")] {});
        EXPECT_EQ(hoya_loop_close(loop), 0);
        Note(hoya_error_name(hoya_loop_run_forever(loop)));
    };

    hoya_loop *guest = std::exchange(loop, nullptr);
    ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
    program();
    Release(std::exchange(loop, guest));
    Trace native = std::exchange(trace, {});
    ASSERT_EQ(native.back(), "HOYA_ECLOSED");

    program();
    EXPECT_EQ(trace, native);
}

} // namespace hoya_test
