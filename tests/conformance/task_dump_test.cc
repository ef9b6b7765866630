/* SPDX-License-Identifier: MIT
 *
 * conformance/task_dump_test.cc: what a loop tells of its tasks: when it is asked, when it ends, and when one has failed.
 */
#include "tasks.h"

#include <cerrno>

namespace hoya_test
{
namespace
{

std::string Dump(hoya_loop *loop)
{
    std::string text;
    auto line = [](const char *words, void *arg) { *static_cast<std::string *>(arg) += std::string(words) + "\n"; };
    EXPECT_EQ(hoya_loop_dump(loop, line, &text), 0) << hoya_error_detail();
    return text;
}

/* How places of this program begin: it is a part of more than one. */
const std::string kHere = std::string(program_invocation_short_name) + "(";

bool Has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

// Holds: S51
TEST_P(TaskConformance, ADumpNamesEachTaskItsStateAndWhatItWaitsFor)
{
    EXPECT_FALSE(Has(Dump(loop), "tasks: ")) << "none were made";
    Future future = NewFuture();
    Task fetcher = Create([&](hoya_task *) { return hoya_await(future.get(), nullptr); }, "fetcher");
    Task reader = Create([&](hoya_task *) { return hoya_wait_done(Of(fetcher)); }, "reader");
    Task sleeper = Create([&](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); }, "sleeper");
    Task yielder = Create(
        [&](hoya_task *) {
            int rc = hoya_sleep(0);
            while (rc == 0) rc = hoya_sleep(0);
            return rc;
        },
        "yielder");
    std::string before = Dump(loop);
    EXPECT_TRUE(Has(before, "  tasks: 4\n    fetcher: ready, has not begun\n      " + kHere)) << before;
    RunRounds(2);
    Task looker = Create(
        [&](hoya_task *) {
            std::string text = Dump(loop);
            EXPECT_TRUE(Has(text, "    fetcher: waits for a future from " + kHere)) << text;
            EXPECT_TRUE(Has(text, "    reader: waits for fetcher\n")) << text;
            EXPECT_TRUE(Has(text, "    sleeper: sleeps, wakes in 59.")) << text;
            EXPECT_TRUE(Has(text, "    yielder: ready\n")) << text;
            EXPECT_TRUE(Has(text, "    looker: running\n")) << text;
            EXPECT_TRUE(Has(text, ", from " + kHere));
            return 0;
        },
        "looker");
    RunUntilDone({Of(looker)});
    for (const Task &task : {std::cref(reader), std::cref(fetcher), std::cref(sleeper), std::cref(yielder)})
        EXPECT_EQ(hoya_task_cancel(task.get(), nullptr), 1);
    RunUntilDone({Of(reader), Of(fetcher), Of(sleeper), Of(yielder)});
    EXPECT_TRUE(Has(Dump(loop), "  tasks: 0\n"));
}

TEST_P(TaskConformance, ADumpNamesCancelsShieldsAndTimeouts)
{
    Task task = Create(
        [&](hoya_task *) {
            hoya_timeout *outer = nullptr, *inner = nullptr;
            EXPECT_EQ(hoya_timeout_enter(HOYA_SEC(60), &outer), 0);
            EXPECT_EQ(hoya_timeout_enter(HOYA_NOW, &inner), 0);
            EXPECT_EQ(hoya_sleep(0), HOYA_EDEADLINE);
            EXPECT_EQ(hoya_shield_enter(), 0);
            return hoya_sleep(HOYA_MSEC(5));
        },
        "careful");
    RunRounds(2);
    EXPECT_EQ(hoya_task_cancel(task.get(), "no time"), 1);
    std::string text = Dump(loop);
    EXPECT_TRUE(Has(text, "      cancelled 1 times: no time\n      in 1 shields\n      a timeout, up\n")) << text;
    EXPECT_TRUE(Has(text, "      a timeout, in 59.")) << text;
    RunUntilDone({Of(task)});
}

// Holds: S55
TEST_P(TaskConformance, InDebugModeTheTasksOfALoopThatIsClosedAreNamedWithTheirPlaces)
{
    EXPECT_EQ(hoya_loop_set_debug(loop, 1), 0);
    Task task = Create([](hoya_task *) { return hoya_sleep(HOYA_SEC(60)); }, "left alone");
    Task ready = Create([](hoya_task *) { return 0; }, "ready");
    EXPECT_EQ(hoya_loop_close(loop), 0);
    std::string words = "left in a loop that is closed: the task ";
    EXPECT_TRUE(Logged(words + "left alone, " + kHere));
    EXPECT_TRUE(Logged(words + "ready, " + kHere));
    EXPECT_TRUE(Logged(", from " + kHere));
    EXPECT_FALSE(Logged("left in a loop that is closed: task ")) << "once each";
}

// Holds: S36
TEST_P(TaskConformance, AFailureIsReportedWithItsTaskWhenItEndsUnlessSomebodyMayStillLook)
{
    Create([](hoya_task *) { return hoya_error_set(HOYA_EPIPE, "the pipe"); }, "nobody's");
    Task kept = Create([](hoya_task *) { return HOYA_EPIPE; }, "kept");
    Task looked_at = Create([](hoya_task *) { return HOYA_EPIPE; }, "looked at");
    Task dropped = Create(
        [](hoya_task *) {
            EXPECT_EQ(hoya_sleep(0), 0);
            return HOYA_EPIPE;
        },
        "dropped on the way");
    RunRounds(1);
    dropped.reset(); /* nobody is left but the loop */
    RunRounds(3);
    EXPECT_TRUE(Logged("nobody looked at the error of nobody's: HOYA_EPIPE: the pipe"));
    EXPECT_TRUE(Logged("nobody looked at the error of dropped on the way"));
    EXPECT_EQ(LogLines(), 2u);
    EXPECT_EQ(Result(looked_at), HOYA_EPIPE);
    looked_at.reset();
    EXPECT_EQ(LogLines(), 2u);
    kept.reset();
    EXPECT_TRUE(Logged("nobody looked at the error of kept"));
    EXPECT_EQ(LogLines(), 3u);
}

} // namespace hoya_test
