/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_sync_test.cc: programs of tasks that wait for each other at locks, conditions, semaphores,
 * barriers and queues, cancelled wherever they wait: cancel_points.h. Afterwards no lock is held, no permit is missing, and
 * each item was got by one, or is its putter's.
 */
#include "cancel_points.h"
#include "sync.h"

namespace hoya_test
{
namespace
{

/* Tasks by name, which end with main. */
class Crew : public Program
{
  public:
    using Program::Program;

  protected:
    /* The end of all of them; they are cancelled if main was. */
    int JoinAll(std::vector<Task> &tasks, int rc)
    {
        bool cancel = rc < 0;
        for (const Task &task : tasks) {
            int end = Join(task, cancel);
            if (rc == 0) rc = end;
        }
        tasks.clear();
        return rc;
    }
};

/* ---- a lock, held over waits --------------------------------------------------------------------------------- */

class Locked : public Crew
{
  public:
    using Crew::Crew;

    int Main(hoya_task *) override
    {
        lock_ = NewLock(loop);
        std::vector<Task> tasks;
        for (const char *name : {"one", "two", "three"})
            tasks.push_back(Spawn(name, [this](hoya_task *) { return Work(); }));
        int rc = JoinAll(tasks, Work());
        EXPECT_EQ(hoya_lock_locked(lock_.get()), 0) << "somebody has kept it";
        lock_.reset();
        return rc;
    }
    bool Whole() override { return done_ == 4 * kTurns; }
    void Check() override
    {
        EXPECT_EQ(inside_, 0);
        EXPECT_LE(done_, 4 * kTurns);
    }

  private:
    static constexpr int kTurns = 2;

    int Work()
    {
        for (int i = 0; i < kTurns; i++) {
            int rc = hoya_lock_acquire(lock_.get());
            if (rc < 0) return rc;
            EXPECT_EQ(inside_++, 0) << "two have it";
            rc = hoya_sleep(0);
            inside_--;
            if (rc == 0) done_++;
            EXPECT_EQ(hoya_lock_release(lock_.get()), 0);
            if (rc < 0) return rc;
        }
        return 0;
    }

    Lock lock_;
    int inside_ = 0, done_ = 0;
};

/* ---- a store under a lock, with two conditions ----------------------------------------------------------------- */

class Store : public Crew
{
  public:
    using Crew::Crew;

    int Main(hoya_task *) override
    {
        lock_ = NewLock(loop);
        filled_ = NewCondition(lock_);
        emptied_ = NewCondition(lock_);
        std::vector<Task> takers;
        for (const char *name : {"taker", "another taker"})
            takers.push_back(Spawn(name, [this](hoya_task *) { return Take(); }));
        int rc = JoinAll(takers, Bring());
        EXPECT_EQ(hoya_lock_locked(lock_.get()), 0);
        filled_.reset();
        emptied_.reset();
        lock_.reset();
        return rc;
    }
    bool Whole() override { return taken_ == kGoods; }
    void Check() override { EXPECT_EQ(brought_, taken_ + inside_); }

  private:
    static constexpr int kGoods = 4;

    static int HasSome(void *arg)
    {
        auto self = static_cast<Store *>(arg);
        return self->inside_ > 0 || self->closed_;
    }
    static int IsEmpty(void *arg) { return static_cast<Store *>(arg)->inside_ == 0; }

    /* One at a time, so that each notification counts. With the lock whatever comes of the wait. */
    int Bring()
    {
        int rc = hoya_lock_acquire(lock_.get());
        if (rc < 0) return rc;
        while (rc == 0 && brought_ < kGoods) {
            inside_++, brought_++;
            EXPECT_GE(hoya_condition_notify(filled_.get(), 1), 0);
            rc = hoya_condition_wait_for(emptied_.get(), IsEmpty, this);
        }
        closed_ = true;
        EXPECT_GE(hoya_condition_notify_all(filled_.get()), 0);
        EXPECT_EQ(hoya_lock_release(lock_.get()), 0) << "a wait that failed has it, too";
        return rc;
    }
    int Take()
    {
        int rc = hoya_lock_acquire(lock_.get());
        if (rc < 0) return rc;
        while ((rc = hoya_condition_wait_for(filled_.get(), HasSome, this)) == 0 && inside_) {
            inside_--, taken_++;
            EXPECT_GE(hoya_condition_notify(emptied_.get(), 1), 0);
        }
        EXPECT_EQ(hoya_lock_release(lock_.get()), 0);
        return rc;
    }

    Lock lock_;
    Condition filled_, emptied_;
    bool closed_ = false;
    int inside_ = 0, brought_ = 0, taken_ = 0;
};

/* ---- permits, a barrier and an event ---------------------------------------------------------------------------- */

class Start : public Crew
{
  public:
    using Crew::Crew;

    int Main(hoya_task *) override
    {
        permits_ = NewSemaphore(loop, 2, 2);
        line_ = NewBarrier(loop, kRunners);
        shot_ = NewEvent(loop);
        std::vector<Task> tasks;
        for (const char *name : {"red", "green", "blue"})
            tasks.push_back(Spawn(name, [this](hoya_task *) { return Run(); }));
        int rc = hoya_sleep(0);
        if (begun_ < kRunners) EXPECT_EQ(hoya_barrier_abort(line_.get()), 0) << "one will never come";
        EXPECT_EQ(hoya_event_set(shot_.get()), 0);
        EXPECT_EQ(hoya_event_clear(shot_.get()), 0) << "all who wait go on";
        if (rc == 0) rc = hoya_sleep(0);
        EXPECT_EQ(hoya_event_set(shot_.get()), 0);
        rc = JoinAll(tasks, rc);
        EXPECT_EQ(hoya_semaphore_value(permits_.get()), 2u) << "a permit is missing, or one too many";
        EXPECT_EQ(hoya_barrier_waiting(line_.get()), 0u);
        permits_.reset();
        line_.reset();
        shot_.reset();
        return rc;
    }
    bool Whole() override { return numbers_ == 0 + 1 + 2 && arrived_ == kRunners; }
    void Check() override { EXPECT_LE(arrived_, kRunners); }

  private:
    static constexpr int kRunners = 3;

    int Run()
    {
        begun_++;
        int rc = hoya_event_wait(shot_.get());
        int number = rc < 0 ? rc : hoya_barrier_wait(line_.get());
        if (number < 0) { /* the others would wait in vain */
            EXPECT_EQ(hoya_barrier_abort(line_.get()), 0);
            return IsInterruption(number) ? number : 0;
        }
        numbers_ += number;
        rc = hoya_semaphore_acquire(permits_.get());
        if (rc < 0) return rc;
        EXPECT_LE(++inside_, 2);
        rc = hoya_sleep(0);
        inside_--;
        arrived_ += rc == 0;
        EXPECT_EQ(hoya_semaphore_release(permits_.get()), 0);
        return rc;
    }

    Semaphore permits_;
    Barrier line_;
    Event shot_;
    int begun_ = 0, numbers_ = 0, inside_ = 0, arrived_ = 0;
};

/* ---- queues ------------------------------------------------------------------------------------------------------ */

template <size_t kRoom, hoya_queue_kind kKind> class Post : public Crew
{
  public:
    using Crew::Crew;

    int Main(hoya_task *) override
    {
        queue_ = NewQueue(loop, kRoom, kKind, nullptr, Ledger::Destroy);
        std::vector<Task> readers, writers;
        for (const char *name : {"reader", "another reader"})
            readers.push_back(Spawn(name, [this](hoya_task *) { return Read(); }));
        for (const char *name : {"writer", "another writer"})
            writers.push_back(Spawn(name, [this](hoya_task *) { return Write(); }));
        int rc = JoinAll(writers, Write());
        if (rc == 0) rc = hoya_queue_join(queue_.get());
        EXPECT_EQ(hoya_queue_shutdown(queue_.get(), rc < 0), 0);
        rc = JoinAll(readers, rc);
        queue_.reset();
        return rc;
    }
    bool Whole() override { return read_ == 3 * kItems; }
    void Check() override { EXPECT_LE(read_, written_) << "what was read was written"; }

  private:
    static constexpr int kItems = 2;

    int Write()
    {
        int rc = 0;
        for (int i = 0; rc == 0 && i < kItems; i++) {
            void *parcel = ledger.NewParcel();
            rc = kKind == HOYA_QUEUE_PRIORITY ? hoya_queue_put_priority(queue_.get(), parcel, i)
                                              : hoya_queue_put(queue_.get(), parcel);
            if (rc < 0) Ledger::Destroy(parcel); /* it is still ours */
            written_ += rc == 0;
        }
        return rc;
    }
    int Read()
    {
        int rc = 0;
        for (void *item = nullptr; (rc = hoya_queue_get(queue_.get(), &item)) == 0;) {
            Ledger::Receive(item, Ledger::Destroy);
            read_++;
            EXPECT_EQ(hoya_queue_task_done(queue_.get()), 0);
        }
        if (rc != HOYA_ECLOSED) hoya_queue_shutdown(queue_.get(), 1); /* so that nobody waits in vain */
        return rc == HOYA_ECLOSED ? 0 : rc;
    }

    Queue queue_;
    int written_ = 0, read_ = 0;
};

} // namespace

// Holds: S135 S136
TEST_P(CancelPoints, ALockIsHeldByOneAndIsFreeAtTheEnd)
{
    Sweep<Locked>();
}

// Holds: S138
TEST_P(CancelPoints, AConditionHasItsLockAndLosesNoNotification)
{
    Sweep<Store>();
}

// Holds: S136 S137 S139 S140
TEST_P(CancelPoints, PermitsAreAllBackAndABarrierIsLeft)
{
    Sweep<Start>();
}

// Holds: S141 S142
TEST_P(CancelPoints, EachItemOfAQueueIsGotOnceOrIsItsPutters)
{
    Sweep<Post<1, HOYA_QUEUE_FIFO>>();
    Sweep<Post<2, HOYA_QUEUE_PRIORITY>>();
}

// Holds: S141 S142
TEST_P(CancelPoints, AnItemThatIsHandedOverIsGotOnceOrIsItsPutters)
{
    Sweep<Post<0, HOYA_QUEUE_FIFO>>();
}

} // namespace hoya_test
