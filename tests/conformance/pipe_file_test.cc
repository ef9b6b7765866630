/* SPDX-License-Identifier: MIT
 *
 * conformance/pipe_file_test.cc: standard input and output that were redirected to files, or to /dev/null: as pipes, by jobs.
 */
#include "pipes.h"

#include "support/executors.h"

namespace hoya_test
{
namespace
{

/* An executor whose jobs run when the test says so. */
struct HeldExecutor {
    bool held = true;

    static int Wake(hoya_executor *executor, void *arg)
    {
        if (!static_cast<HeldExecutor *>(arg)->held) hoya_executor_run(executor);
        return 0;
    }
    static void Free(void *) {}
    Executor New()
    {
        static const hoya_executor_ops ops = {sizeof ops, "held", Wake, Free};
        hoya_executor *executor = nullptr;
        EXPECT_EQ(hoya_executor_new(&ops, this, &executor), 0) << hoya_error_detail();
        return Executor(executor);
    }
};

class FilePipe : public PipeConformance
{
  protected:
    /* From now on the loop's jobs run when the test says so. */
    Executor Hold(HeldExecutor &held)
    {
        Executor executor = held.New();
        EXPECT_EQ(hoya_set_default_executor(loop, executor.get()), 0);
        return executor;
    }
};

INSTANTIATE_TEST_SUITE_P(Hosts, FilePipe, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });

} // namespace

/* ---- reading ---- */

// Holds: S121
TEST_P(FilePipe, AFileIsReadInOrderToItsEnd)
{
    for (bool buffered : {false, true}) {
        Recorder recorder(&trace, "a", buffered);
        const std::string data = Much(300000);
        recorder.notes_data = false;
        trace.clear();
        Transport transport = Open(Way::kRead, NewFile(data), recorder);
        EXPECT_EQ(trace, Trace{});
        RunUntilReleased(recorder);
        EXPECT_EQ(trace, (Trace{"a made", "a eof", "a lost", "a released"}));
        EXPECT_TRUE(recorder.data == data);
        EXPECT_EQ(recorder.reads[0], buffered ? 4096u : 65536u);
    }
    EXPECT_EQ(LogLines(), 0u);
}

TEST_P(FilePipe, AnEmptyFileIsAtItsEnd)
{
    Recorder recorder(&trace, "a");
    Transport transport = Open(Way::kRead, NewFile(""), recorder);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a made", "a eof", "a lost", "a released"}));
}

TEST_P(FilePipe, AFileIsReadFromWhereItStandsAndItsFlagsStay)
{
    Recorder recorder(&trace, "a");
    int fd = NewFile("skipped, read");
    EXPECT_EQ(lseek(fd, 9, SEEK_SET), 9);
    int shared = Own(dup(fd));
    Transport transport = Open(Way::kRead, fd, recorder);
    EXPECT_FALSE(IsNonblocking(shared));
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.data, "read");
    EXPECT_EQ(lseek(shared, 0, SEEK_CUR), 13) << "the next one who has this file goes on there";
}

TEST_P(FilePipe, APauseHoldsWhatAJobHasRead)
{
    HeldExecutor held;
    Executor executor = Hold(held);
    Recorder recorder(&trace, "a");
    Transport transport = Opened(Way::kRead, NewFile("content"), recorder);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    EXPECT_EQ(hoya_transport_pause_reading(transport.get()), 0);
    EXPECT_EQ(hoya_executor_run(executor.get()), 1);
    RunRounds(3);
    EXPECT_EQ(recorder.data, "");
    EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    EXPECT_EQ(recorder.data, "") << "never inside the call";
    held.held = false;
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.data, "content");
}

TEST_P(FilePipe, APauseInDataReceivedIsHonoured)
{
    Recorder recorder(&trace, "a");
    const std::string data = Much(200000);
    recorder.on_data = [](hoya_transport *t, const std::string &) { return hoya_transport_pause_reading(t); };
    Transport transport = Opened(Way::kRead, NewFile(data), recorder);
    for (size_t i = 1; i <= 4; i++) {
        RunUntil([&] { return recorder.reads.size() == i; });
        RunRounds(5);
        EXPECT_EQ(recorder.reads.size(), i);
        EXPECT_EQ(hoya_transport_resume_reading(transport.get()), 0);
    }
    RunUntilReleased(recorder);
    EXPECT_TRUE(recorder.data == data);
}

// Holds: S2 S89
TEST_P(FilePipe, TheEndComesBehindWhatWasQueuedBeforeIt)
{
    HeldExecutor held;
    Executor executor = Hold(held);
    Recorder recorder(&trace, "a");
    Transport transport = Opened(Way::kRead, NewFile("content"), recorder);
    CallSoon([&] {
        CallSoon([&] { trace.push_back("before"); });
        hoya_transport_abort(transport.get());
    });
    EXPECT_EQ(hoya_executor_run(executor.get()), 1); /* and its outcome is queued behind that */
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"before", "a lost", "a released"}));
}

TEST_P(FilePipe, WhoClosesWhileAJobReadsHearsOfTheEndAtOnce)
{
    HeldExecutor held;
    Executor executor = Hold(held);
    Recorder recorder(&trace, "a");
    int fd = NewFile("content");
    Transport transport = Opened(Way::kRead, fd, recorder);
    EXPECT_EQ(hoya_transport_close(transport.get()), 0);
    RunUntilReleased(recorder);
    EXPECT_EQ(trace, (Trace{"a lost", "a released"}));
    EXPECT_FALSE(IsOpen(fd));
    EXPECT_EQ(hoya_executor_run(executor.get()), 0) << "it had not begun, and never will";
}

TEST_P(FilePipe, ALoopThatIsClosedLeavesAJobThatRunsToItself)
{
    /* A FIFO cannot be a job's; but a thread that has not come to its read yet can be held at the door before. */
    Door door;
    Executor pool = NewPool(1);
    ThreadFuture first = Submit(pool, [&](hoya_job *) {
        door.Pass();
        return 0;
    });
    door.Await(1);
    EXPECT_EQ(hoya_set_default_executor(loop, pool.get()), 0);
    Recorder recorder(&trace, "a");
    Transport transport = Opened(Way::kRead, NewFile("content"), recorder);
    EXPECT_EQ(hoya_loop_close(loop), 0);
    EXPECT_EQ(recorder.released, 1);
    EXPECT_EQ(recorder.lost, 0);
    door.Open();
    EXPECT_EQ(ResultOf(first), 0);
    EXPECT_EQ(hoya_executor_shutdown(pool.get(), HOYA_SEC(20), 0), 0);
}

TEST_P(FilePipe, AJobThatIsDroppedIsTheCodeOfTheEnd)
{
    HeldExecutor held;
    Executor executor = Hold(held);
    Recorder recorder(&trace, "a");
    Transport transport = Opened(Way::kRead, NewFile("content"), recorder);
    EXPECT_EQ(hoya_executor_shutdown(executor.get(), HOYA_NOW, 1), 0);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.code, HOYA_ECANCELED);
    Recorder second(&trace, "b");
    Transport refused = Open(Way::kRead, NewFile("content"), second);
    RunUntilReleased(second);
    EXPECT_EQ(second.code, HOYA_ECLOSED) << "nobody is there to read it";
}

/* ---- writing ---- */

// Holds: S121
TEST_P(FilePipe, AFileIsWrittenInOrder)
{
    Recorder recorder(&trace, "a");
    int fd = NewFile(""), shared = Own(dup(fd));
    Transport transport = Opened(Way::kWrite, fd, recorder);
    const std::string data = Much(300000);
    EXPECT_EQ(Write(transport, "first "), 0);
    EXPECT_EQ(Write(transport, data), 0);
    EXPECT_EQ(trace, Trace{"a pause"});
    RunUntil([&] { return hoya_transport_get_write_buffer_size(transport.get()) == 0; });
    EXPECT_EQ(trace, (Trace{"a pause", "a resume"}));
    EXPECT_EQ(Write(transport, " last"), 0);
    EXPECT_EQ(hoya_transport_write_eof(transport.get()), 0);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.code, 0);
    EXPECT_TRUE(ContentOf(shared) == "first " + data + " last");
}

TEST_P(FilePipe, CloseWritesWhatWaitsAndAbortDropsIt)
{
    for (bool abort : {false, true}) {
        HeldExecutor held;
        Executor executor = Hold(held);
        Recorder recorder(&trace, "a");
        int fd = NewFile(""), shared = Own(dup(fd));
        Transport transport = Opened(Way::kWrite, fd, recorder);
        EXPECT_EQ(Write(transport, "one "), 0);
        EXPECT_EQ(Write(transport, "two"), 0);
        EXPECT_EQ(abort ? hoya_transport_abort(transport.get()) : hoya_transport_close(transport.get()), 0);
        RunRounds(3);
        EXPECT_EQ(recorder.released, abort ? 1 : 0);
        held.held = false;
        hoya_executor_run(executor.get());
        RunUntilReleased(recorder);
        EXPECT_EQ(ContentOf(shared), abort ? "" : "one two");
        EXPECT_EQ(recorder.code, 0);
    }
}

TEST_P(FilePipe, AFullDeviceIsTheCodeOfTheEnd)
{
    Recorder recorder(&trace, "a");
    Transport transport = Opened(Way::kWrite, open("/dev/full", O_WRONLY | O_CLOEXEC), recorder);
    int rc = Write(transport, "x"); /* some hosts watch it, and then it is known at once */
    EXPECT_TRUE(rc == 0 || rc == -ENOSPC) << hoya_error_name(rc);
    RunUntilReleased(recorder);
    EXPECT_EQ(recorder.code, -ENOSPC);
    EXPECT_EQ(LogLines(), 0u);
}

/* ---- devices that are always ready ---- */

// Holds: S121
TEST_P(FilePipe, NothingComesOutOfDevNullAndEverythingGoesIn)
{
    Recorder in(&trace, "in"), out(&trace, "out");
    Transport reads = Open(Way::kRead, open("/dev/null", O_RDONLY | O_CLOEXEC), in);
    Transport writes = Open(Way::kWrite, open("/dev/null", O_WRONLY | O_CLOEXEC), out);
    EXPECT_EQ(Write(writes, Much()), 0);
    EXPECT_EQ(hoya_transport_write_eof(writes.get()), 0);
    RunUntilReleased(in);
    RunUntilReleased(out);
    EXPECT_EQ(in.data, "");
    EXPECT_EQ(in.code, 0);
    EXPECT_EQ(out.code, 0);
}

/* ---- standard descriptors of a program ---- */

TEST_P(FilePipe, AProgramWhoseInputAndOutputWereRedirectedNeedsToKnowNothingOfIt)
{
    const std::string data = Much(150000);
    int in = Own(NewFile(data)), out = Own(NewFile(""));
    EXPECT_EQ(InChild([&] {
                  dup2(in, 0);
                  dup2(out, 1);
                  hoya_loop *own;
                  ASSERT_EQ(hoya_loop_new(nullptr, &own), 0);
                  Recorder reads(&trace, "in"), writes(&trace, "out");
                  hoya_transport *to = nullptr;
                  ASSERT_EQ(TryOpen(own, Way::kWrite, 1, writes, &to), 0);
                  reads.on_data = [&](hoya_transport *, const std::string &bytes) {
                      return hoya_transport_write(to, bytes.data(), bytes.size());
                  };
                  reads.on_lost = [&](hoya_transport *, int) { hoya_transport_write_eof(to); };
                  ASSERT_EQ(TryOpen(own, Way::kRead, 0, reads), 0);
                  while (!writes.released) EXPECT_GE(hoya_loop_run_once(own, HOYA_SEC(1)), 0);
                  EXPECT_EQ(writes.code, 0);
                  hoya_transport_unref(to);
                  hoya_loop_close(own);
                  hoya_loop_unref(own);
              }),
              0);
    EXPECT_TRUE(ContentOf(out) == data);
}

} // namespace hoya_test
