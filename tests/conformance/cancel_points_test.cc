/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_test.cc: composed programs, cancelled wherever they wait: cancel_points.h.
 *
 * All of them keep one rule, which is the one for programs of tasks: who made something ends it, in a shield if that
 * takes a wait. Then nothing is lost, whatever is struck.
 */
#include "cancel_points.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace hoya_test
{
namespace
{

void MakeSockets(int *here, int *there)
{
    int pair[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0) << strerror(errno);
    *here = pair[0];
    *there = pair[1];
}

/* Moves a value out of one future and into another; the second one may have been cancelled. */
void HandOn(const Future &from, const Future &to)
{
    void *value = nullptr;
    hoya_destroy destroy = nullptr;
    EXPECT_EQ(hoya_future_take(from.get(), &value, &destroy), 0);
    hoya_future_set_result(to.get(), value, destroy);
}

/* ---- a future between a reader, a task and another task ------------------------------------------------------ */

class Fetch : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        for (Future &future : bought_) future = NewFuture();
        Task consumer = Spawn("consumer", [this](hoya_task *) { return Consume(); });
        MakeSockets(&here_, &there_);
        int rc = 0;
        for (int i = 0; rc == 0 && i < kItems; i++) rc = FetchOne(bought_[i]);
        close(here_);
        close(there_);
        int end = Join(consumer, rc < 0);
        for (Future &future : bought_) future.reset();
        return rc < 0 ? rc : end;
    }
    bool Whole() override { return fetched_ == kItems && consumed_ == kItems; }
    void Check() override
    {
        EXPECT_EQ(fetched_, arrived_) << "what came before a cancel is delivered in spite of it";
        EXPECT_LE(consumed_, fetched_);
    }

  private:
    static constexpr int kItems = 2;

    int FetchOne(const Future &buyer)
    {
        Future reply = NewFuture();
        reply_ = reply.get();
        EXPECT_EQ(hoya_loop_add_reader(loop, here_, OnReply, this, nullptr), 0);
        EXPECT_EQ(send(there_, "x", 1, MSG_NOSIGNAL), 1);
        int rc = hoya_await(reply.get(), nullptr);
        hoya_loop_remove_reader(loop, here_);
        if (rc < 0) return rc;
        fetched_++;
        HandOn(reply, buyer);
        return hoya_sleep(0);
    }

    static void OnReply(hoya_fd fd, uint32_t, void *arg)
    {
        auto self = static_cast<Fetch *>(arg);
        char byte;
        EXPECT_EQ(read(fd, &byte, 1), 1);
        EXPECT_EQ(hoya_loop_remove_reader(self->loop, fd), 1);
        int rc = hoya_future_set_result(self->reply_, self->ledger.NewParcel(), Ledger::Destroy);
        if (rc == 0) self->arrived_++;
    }

    int Consume()
    {
        for (const Future &future : bought_) {
            int rc = hoya_await(future.get(), nullptr);
            if (rc < 0) return rc;
            Ledger::ReceiveFrom(future);
            consumed_++;
        }
        return 0;
    }

    Future bought_[kItems];
    hoya_future *reply_ = nullptr;
    int here_ = -1, there_ = -1, arrived_ = 0, fetched_ = 0, consumed_ = 0;
};

/* ---- tasks in tasks, which clean up in shields ---------------------------------------------------------------- */

class Nested : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *self) override { return Level(self, 0); }
    bool Whole() override { return begun_ == kLevels && delivered_; }
    void Check() override
    {
        EXPECT_EQ(opened_, 0) << "descriptors are left";
        EXPECT_EQ(cleaned_, begun_) << "each level has cleaned up";
        EXPECT_EQ(taken_, made_) << "who refuses a cancel is believed";
    }

  private:
    static constexpr int kLevels = 3;

    /* Opens a descriptor, waits for the level below and for a time, and cleans up: the deepest first. */
    int Level(hoya_task *self, int level)
    {
        static const char *const names[] = {"main", "child", "grandchild"};
        int fd = dup(STDERR_FILENO);
        EXPECT_EQ(opened_++, level);
        begun_++;
        int rc = 0;
        if (level + 1 < kLevels) {
            Task child = Spawn(names[level + 1], [this, level](hoya_task *task) { return Level(task, level + 1); });
            Future end(hoya_future_ref(hoya_task_future(child.get())));
            rc = hoya_await(end.get(), nullptr);
            EXPECT_TRUE(hoya_future_done(end.get())) << "an await waits for the end, however it ends";
            if (rc == 0) rc = PassUp(self, end, level);
        } else {
            rc = hoya_sleep(0);
            if (rc == 0) rc = Finish(self);
        }
        if (rc == 0 && level + 1 < kLevels) rc = hoya_sleep(kShort);
        CleanUp(fd, level);
        return rc;
    }

    /* From here on the deepest one does not let itself be disturbed. */
    int Finish(hoya_task *self)
    {
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(kShort), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        made_++;
        return hoya_task_set_value(self, ledger.NewParcel(), Ledger::Destroy);
    }

    int PassUp(hoya_task *self, const Future &end, int level)
    {
        void *value = nullptr;
        hoya_destroy destroy = nullptr;
        EXPECT_EQ(hoya_future_take(end.get(), &value, &destroy), 0);
        if (level + 2 == kLevels) taken_++;
        if (level) return hoya_task_set_value(self, value, destroy);
        Ledger::Receive(value, destroy);
        delivered_ = true;
        return 0;
    }

    void CleanUp(int fd, int level)
    {
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(0), 0) << "nothing disturbs a shield";
        EXPECT_EQ(hoya_sleep(kShort), 0);
        EXPECT_EQ(close(fd), 0);
        EXPECT_EQ(--opened_, level);
        cleaned_++;
        EXPECT_EQ(hoya_shield_leave(), 0);
    }

    int opened_ = 0, begun_ = 0, cleaned_ = 0, made_ = 0, taken_ = 0;
    bool delivered_ = false;
};

/* ---- timeouts in timeouts ---------------------------------------------------------------------------------------- */

class Timeouts : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        int rc = Within(kLong, kShort, [] { return hoya_sleep(kLong); });          /* the inner one is up */
        if (rc == 0) rc = Within(kShort, kLong, [] { return hoya_sleep(kLong); }); /* the outer one */
        if (rc == 0) rc = Within(kLong, kShort, [this] { return WaitForChild(); });
        if (rc == 0) rc = Within(kLong, kLong, [] { return hoya_sleep(kShort); }); /* neither */
        return rc;
    }
    bool Whole() override { return up_ == 3 && parts_ == 4 && left_children_ == begun_children_; }
    void Check() override { EXPECT_EQ(entered_, left_); }

  private:
    /* 0 if it was these scopes, or nobody, that ended it. */
    int Within(int64_t outer_delay, int64_t inner_delay, const std::function<int()> &work)
    {
        hoya_timeout *outer = nullptr, *inner = nullptr;
        EXPECT_EQ(hoya_timeout_enter(outer_delay, &outer), 0);
        EXPECT_EQ(hoya_timeout_enter(inner_delay, &inner), 0);
        entered_ += 2;
        int rc = work();
        int inner_up = hoya_timeout_leave(inner), outer_up = hoya_timeout_leave(outer);
        left_ += 2;
        EXPECT_LE(inner_up, inner_delay == kShort);
        EXPECT_LE(outer_up, outer_delay == kShort);
        if (rc == HOYA_EDEADLINE && (inner_up || outer_up)) {
            up_++;
            rc = 0;
        }
        if (rc == 0) parts_++;
        return rc;
    }

    int WaitForChild()
    {
        Task child = Spawn("child", [this](hoya_task *) {
            begun_children_++; /* it may come too late for that */
            hoya_timeout *scope = nullptr;
            EXPECT_EQ(hoya_timeout_enter(kLong, &scope), 0);
            int rc = hoya_sleep(kLong);
            EXPECT_EQ(rc, HOYA_ECANCELED);
            EXPECT_EQ(hoya_timeout_leave(scope), 0) << "its parent's scope is not its own";
            left_children_++;
            return rc;
        });
        int rc = hoya_await(hoya_task_future(child.get()), nullptr);
        EXPECT_TRUE(hoya_future_cancelled(hoya_task_future(child.get())));
        return rc;
    }

    int entered_ = 0, left_ = 0, up_ = 0, parts_ = 0, begun_children_ = 0, left_children_ = 0;
};

/* ---- a pipe between two tasks --------------------------------------------------------------------------------------- */

class Pipe : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        int in;
        MakeSockets(&in, &out_);
        int small = 1; /* the least there is */
        EXPECT_EQ(setsockopt(out_, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
        Task writer = Spawn("writer", [this](hoya_task *) { return Write(out_); });
        Task reader = Spawn("reader", [this, in](hoya_task *) { return Read(in); });
        /* Of one that was cancelled before it began, too. */
        Handle of_writer = WhenEnded(writer, [this] { shutdown(out_, SHUT_WR); });
        Handle of_reader = WhenEnded(reader, [&writer] { hoya_task_cancel(writer.get(), "nobody reads"); });
        int rc = hoya_await(hoya_task_future(reader.get()), nullptr);
        int end = Join(writer, rc < 0);
        hoya_handle_cancel(of_writer.get());
        hoya_handle_cancel(of_reader.get());
        Drain(in);
        close(in);
        close(out_);
        return rc < 0 ? rc : end;
    }
    bool Whole() override { return received_ == kBytes && partial_; }
    void Check() override
    {
        EXPECT_EQ(received_ + left_, sent_) << "each byte that was sent came, or lies there";
        EXPECT_TRUE(in_order_);
    }

  private:
    static constexpr size_t kBytes = 12000;

    static Handle WhenEnded(const Task &task, Work work)
    {
        auto arg = new OnDone{std::move(work)};
        hoya_future *end = hoya_task_future(task.get());
        hoya_handle *handle = nullptr;
        EXPECT_EQ(hoya_future_add_done_callback(end, OnDone::Run, arg, OnDone::Destroy, &handle), 0);
        return Handle(handle);
    }

    static unsigned char At(size_t place) { return static_cast<unsigned char>(place % 251); }

    int Write(int fd)
    {
        unsigned char data[kBytes];
        for (size_t i = 0; i < kBytes; i++) data[i] = At(i);
        int rc = 0;
        while (rc == 0 && sent_ < kBytes) {
            ssize_t n = send(fd, data + sent_, std::min<size_t>(kBytes - sent_, 3000), MSG_NOSIGNAL);
            if (n > 0) sent_ += static_cast<size_t>(n);
            partial_ = partial_ || n < 0;
            if (n < 0) rc = errno == EAGAIN ? WaitWritable(fd) : -errno;
        }
        return rc;
    }

    int Read(int fd)
    {
        for (;;) {
            ssize_t n = Take(fd);
            if (n == 0) return 0;
            received_ += n > 0 ? static_cast<size_t>(n) : 0;
            int rc = n > 0 ? 0 : WaitReadable(fd);
            if (rc < 0) return rc;
        }
    }

    /* Some bytes, which are those that are due. */
    ssize_t Take(int fd)
    {
        unsigned char data[2000];
        ssize_t n = read(fd, data, sizeof data);
        for (ssize_t i = 0; i < n; i++)
            in_order_ = in_order_ && data[i] == At(received_ + left_ + static_cast<size_t>(i));
        return n;
    }

    void Drain(int fd)
    {
        ssize_t n;
        while ((n = Take(fd)) > 0) left_ += static_cast<size_t>(n);
    }

    size_t sent_ = 0, received_ = 0, left_ = 0;
    bool in_order_ = true, partial_ = false;
    int out_ = -1;
};

/* ---- a dialog in a task -------------------------------------------------------------------------------------------- */

class Dialog : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *self) override
    {
        Task worker = Spawn("worker", [this](hoya_task *) { return Work(); });
        int rc = hoya_sleep(0);
        if (rc == 0) Show(self, hoya_task_future(worker.get()));
        if (rc == 0)
            rc = hoya_sleep(0); /* the stack is this task's again; a cancel that came inside is noticed now */
        int end = Join(worker, rc < 0);
        return rc < 0 ? rc : end;
    }
    bool Whole() override { return closed_ && steps_ == kSteps; }
    void Check() override { EXPECT_EQ(shown_, hidden_); }

  private:
    static constexpr int kSteps = 3;

    /* A modal dialog: it ends when it is answered, when the program is asked to end, or when what it shows has failed. */
    void Show(hoya_task *self, hoya_future *work)
    {
        shown_++;
        EXPECT_TRUE(
            host->RunNestedUntil([&] { return closed_ || hoya_future_done(work) || hoya_task_cancelling(self); }));
        EXPECT_EQ(hoya_current_task(), self);
        hidden_++;
    }

    /* Goes on while the dialog is open, and closes it. */
    int Work()
    {
        int rc = 0;
        for (; rc == 0 && steps_ < kSteps; steps_ += rc == 0) rc = hoya_sleep(steps_ ? kShort : 0);
        closed_ = rc == 0;
        return rc;
    }

    bool closed_ = false;
    int steps_ = 0, shown_ = 0, hidden_ = 0;
};

} // namespace

// Holds: S41 S43 S44
TEST_P(CancelPoints, AValueGoesFromAReaderToATaskAndToAnother)
{
    Sweep<Fetch>();
}

// Holds: S41 S42 S44 S49
TEST_P(CancelPoints, TasksInTasksCleanUpInShieldsTheDeepestFirst)
{
    Sweep<Nested>();
}

// Holds: S69 S70
TEST_P(CancelPoints, TimeoutsInTimeoutsAreAllLeft)
{
    Sweep<Timeouts>();
}

// Holds: S43
TEST_P(CancelPoints, EachByteOfAPipeIsReadOrLiesThere)
{
    Sweep<Pipe>();
}

// Holds: F1 S54
TEST_P(NestingCancelPoints, ADialogInATaskEndsWithTheTask)
{
    Sweep<Dialog>();
}

} // namespace hoya_test
