/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_threads_test.cc: programs whose work is done on other threads, cancelled wherever they wait:
 * cancel_points.h. How far the other threads have come by then is left to them.
 */
#include "cancel_points.h"

#include "elsewhere.h"
#include "support/executors.h"

namespace hoya_test
{
namespace
{

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

/* A job that gives its argument back as its value, when it is let go or cancelled. */
struct Errand {
    Ledger *ledger;
    std::atomic<bool> *go;
    std::atomic<int> *ended;

    static int Run(hoya_job *self, void *arg)
    {
        auto errand = static_cast<Errand *>(arg);
        while (!*errand->go && !hoya_job_cancelled(self)) std::this_thread::yield();
        if (hoya_job_cancelled(self)) Burn(HOYA_USEC(50)); /* it has to clean up, say */
        hoya_job_set_value(self, errand->ledger->NewParcel(), Ledger::Destroy);
        return 0;
    }
    static void End(void *arg)
    {
        ++*static_cast<Errand *>(arg)->ended;
        delete static_cast<Errand *>(arg);
    }
};

class Jobs : public Program
{
  public:
    explicit Jobs(const Place &place) : Program(place), pool_(NewPool(1))
    {
        EXPECT_EQ(hoya_set_default_executor(loop, pool_.get()), 0);
    }
    ~Jobs() override { EXPECT_EQ(hoya_set_default_executor(loop, nullptr), 0); }

    int Main(hoya_task *) override
    {
        hoya_handle *raw = nullptr;
        auto open = [](void *go) { *static_cast<std::atomic<bool> *>(go) = true; };
        EXPECT_EQ(hoya_loop_call_later(loop, HOYA_USEC(200), open, &go_, nullptr, &raw), 0);
        Handle timer(raw);
        Task caller = Spawn("caller", [this](hoya_task *) { return Call(); });
        int rc = hoya_sleep(0);
        if (rc == 0) rc = WaitForAll();
        int end = Join(caller, rc < 0);
        hoya_handle_cancel(timer.get());
        return rc < 0 ? rc : end;
    }
    void Settle() override
    {
        go_ = true;
        EXPECT_EQ(hoya_executor_shutdown(pool_.get(), HOYA_NEVER, 0), 0);
    }
    bool Whole() override { return received_ == 1 + kJobs; }
    void Check() override { EXPECT_EQ(ended_ + call_ended_, made_) << "arguments on the heap"; }

  private:
    static constexpr int kJobs = 2;

    Errand *NewErrand(std::atomic<int> *ended)
    {
        made_++;
        return new Errand{&ledger, &go_, ended};
    }

    int Call()
    {
        void *value = nullptr;
        hoya_destroy destroy = nullptr;
        int rc = hoya_to_thread(Errand::Run, NewErrand(&call_ended_), Errand::End, &value, &destroy);
        EXPECT_EQ(call_ended_, 1) << "the job, and its argument, have ended when this returns";
        if (rc < 0) return rc;
        received_++;
        Ledger::Receive(value, destroy);
        return hoya_sleep(0);
    }

    int WaitForAll()
    {
        Future jobs[kJobs];
        for (Future &job : jobs) {
            hoya_future *raw = nullptr;
            EXPECT_EQ(hoya_run_in_executor(loop, nullptr, Errand::Run, NewErrand(&ended_), Errand::End, &raw), 0);
            job.reset(raw);
        }
        int rc = 0;
        for (Future &job : jobs) {
            if (rc == 0) rc = hoya_wait_done(job.get());
            if (rc < 0) hoya_future_cancel(job.get(), nullptr); /* a wait_done leaves that to its caller */
            if (hoya_future_cancelled(job.get()) || !hoya_future_done(job.get())) continue;
            received_++;
            Ledger::ReceiveFrom(job);
        }
        return rc;
    }

    Executor pool_;
    std::atomic<bool> go_{false};
    std::atomic<int> ended_{0}, call_ended_{0};
    int made_ = 0, received_ = 0;
};

/* ---- two loops on two threads -------------------------------------------------------------------------------------- */

class Threads : public Program
{
  public:
    explicit Threads(const Place &place) : Program(place)
    {
        /* Who has cancelled a task from afar does not wait for its end: the loop there does. */
        there_.at_end = [this] {
            while (hoya_all_tasks(there_.loop, nullptr, nullptr) > 0 || source_) {
                EXPECT_GE(hoya_loop_run_once(there_.loop, HOYA_SEC(10)), 0);
            }
        };
    }

    int Main(hoya_task *) override
    {
        Task chained = Spawn("chained", [this](hoya_task *) { return Chained(); });
        int rc = Remote();
        int end = Join(chained, rc < 0);
        return rc < 0 ? rc : end;
    }
    void Settle() override { there_.Join(); }
    bool Whole() override { return received_ == 2; }
    void Check() override
    {
        EXPECT_EQ(began_, ended_);
        EXPECT_EQ(arguments_made_, arguments_ended_);
    }

  private:
    struct Order {
        Threads *program;
        ~Order() { program->arguments_ended_++; }
    };

    /* A task of the other loop, wrapped. */
    int Remote()
    {
        hoya_task_options options = {};
        options.size = sizeof options;
        options.destroy = [](void *arg) { delete static_cast<Order *>(arg); };
        auto run = [](hoya_task *self, void *arg) { return static_cast<Order *>(arg)->program->There(self); };
        hoya_thread_future *raw = nullptr;
        arguments_made_++;
        EXPECT_EQ(hoya_create_task_threadsafe(there_.loop, run, new Order{this}, &options, &raw), 0);
        ThreadFuture outcome(raw);
        Future wrap = Wrap(loop, outcome);
        hoya_handle *timer = nullptr;
        EXPECT_EQ(hoya_loop_call_later(loop, HOYA_USEC(200), SendWord, this, nullptr, &timer), 0);
        Handle word(timer);
        int rc = hoya_await(wrap.get(), nullptr);
        hoya_handle_cancel(timer);
        if (rc < 0) return rc;
        received_++;
        Ledger::ReceiveFrom(wrap);
        return hoya_sleep(0);
    }

    static void SendWord(void *arg)
    {
        auto self = static_cast<Threads *>(arg);
        auto take = [](void *program) {
            auto there = static_cast<Threads *>(program);
            there->said_ = true;
            if (there->word_) hoya_future_set_result(there->word_.get(), nullptr, nullptr);
        };
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(self->there_.loop, take, self, nullptr, nullptr), 0);
    }

    /* Waits for a word of the other thread; only a cancel from there can end it sooner. */
    int There(hoya_task *self)
    {
        began_++;
        int rc = hoya_task_set_value(self, ledger.NewParcel(), Ledger::Destroy);
        word_ = hoya_test::NewFuture(there_.loop);
        if (rc == 0 && !said_) rc = hoya_await(word_.get(), nullptr);
        word_.reset();
        EXPECT_EQ(hoya_shield_enter(), 0);
        EXPECT_EQ(hoya_sleep(0), 0);
        EXPECT_EQ(hoya_shield_leave(), 0);
        ended_++;
        return rc;
    }

    /* A future of the other loop, chained to two of this one, one after the other. */
    int Chained()
    {
        there_.Do([this] { source_ = hoya_test::NewFuture(there_.loop); });
        Future middle = NewFuture(), end = NewFuture();
        EXPECT_EQ(hoya_future_chain(source_.get(), middle.get()), 0);
        EXPECT_EQ(hoya_future_chain(middle.get(), end.get()), 0);
        /* In line behind the chain's own post. */
        auto complete = [](void *arg) {
            auto self = static_cast<Threads *>(arg);
            hoya_future_set_result(self->source_.get(), self->ledger.NewParcel(), Ledger::Destroy);
            auto let_go = [](void *program) { static_cast<Threads *>(program)->source_.reset(); };
            hoya_loop_call_later(self->there_.loop, kShort, let_go, self, nullptr, nullptr);
        };
        EXPECT_EQ(hoya_loop_call_soon_threadsafe(there_.loop, complete, this, nullptr, nullptr), 0);
        int rc = hoya_await(end.get(), nullptr);
        if (rc < 0) return rc;
        received_++;
        Ledger::ReceiveFrom(end);
        return 0;
    }

    Future source_, word_; /* these three are the other thread's */
    bool said_ = false;
    std::atomic<int> began_{0}, ended_{0}, arguments_ended_{0};
    int arguments_made_ = 0, received_ = 0;
    Elsewhere there_; /* last: ends first */
};

} // namespace

// Holds: S15 S44
TEST_P(CancelPoints, JobsGiveTheirValuesAndEndTheirArguments)
{
    Sweep<Jobs>();
}

// Holds: S38
TEST_P(CancelPoints, FuturesCrossTwoLoopsOfTwoThreads)
{
    Sweep<Threads>();
}

} // namespace hoya_test
