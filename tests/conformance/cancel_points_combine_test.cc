/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points_combine_test.cc: programs that wait for several futures, cancelled wherever they wait:
 * cancel_points.h.
 */
#include "cancel_points.h"

#include "combine.h"

namespace hoya_test
{
namespace
{

/* Children that each bring a parcel, some later than others. */
class Family : public Program
{
  public:
    using Program::Program;

    bool Whole() override { return received_ == kChildren; }
    void Check() override
    {
        EXPECT_LE(received_, kChildren);
        EXPECT_GE(delivered_, received_);
    }

  protected:
    static constexpr int kChildren = 3;

    void SpawnAll()
    {
        static const char *const names[] = {"quick", "slow", "kind"};
        for (int i = 0; i < kChildren; i++) {
            children_.push_back(Spawn(names[i], [this, i](hoya_task *task) { return Bring(task, i); }));
            parts_.push_back(hoya_task_future(children_.back().get()));
        }
    }
    int Bring(hoya_task *self, int i)
    {
        int rc = i == 1 ? hoya_sleep(kShort) : hoya_sleep(0);
        if (rc < 0 && i != 2) return rc; /* the kind one brings it all the same */
        delivered_++;
        return hoya_task_set_value(self, ledger.NewParcel(), Ledger::Destroy);
    }
    void Take(hoya_future *from)
    {
        Ledger::ReceiveFrom(Future(hoya_future_ref(from)));
        received_++;
    }
    int JoinAll(int rc)
    {
        for (const Task &child : children_) {
            int end = Join(child, rc < 0);
            if (rc == 0) rc = end;
        }
        children_.clear();
        return rc;
    }

    std::vector<Task> children_;
    Parts parts_;
    int delivered_ = 0, received_ = 0;
};

class Gathered : public Family
{
  public:
    using Family::Family;

    int Main(hoya_task *) override
    {
        SpawnAll();
        Future all = Gather(loop, parts_);
        int rc = hoya_await(all.get(), nullptr);
        EXPECT_TRUE(IsDone(all)) << "an await waits for the end";
        for (int i = 0; rc == 0 && i < kChildren; i++) Take(parts_[size_t(i)]);
        all.reset();
        int end = JoinAll(rc);
        return rc < 0 ? rc : end == HOYA_ESTATE ? 0 : end; /* their values have been taken */
    }
};

class Waited : public Family
{
  public:
    using Family::Family;

    int Main(hoya_task *) override
    {
        SpawnAll();
        int rc = hoya_wait(parts_.data(), parts_.size(), HOYA_FIRST_COMPLETED, HOYA_NEVER);
        if (rc >= 0) EXPECT_GE(rc, 1);
        if (rc >= 0) rc = hoya_wait(parts_.data(), parts_.size(), HOYA_FIRST_EXCEPTION, kLong);
        if (rc >= 0) rc = hoya_wait(parts_.data(), parts_.size(), HOYA_ALL_COMPLETED, HOYA_NEVER);
        for (hoya_future *part : parts_)
            if (hoya_future_done(part) && hoya_future_exception(part, nullptr) == 0) Take(part);
        int end = JoinAll(rc < 0 ? rc : 0);
        return rc < 0 ? rc : end == HOYA_ESTATE ? 0 : end;
    }
};

class Limited : public Family
{
  public:
    using Family::Family;

    int Main(hoya_task *) override
    {
        SpawnAll();
        int rc = 0;
        for (int i = 0; rc == 0 && i < kChildren; i++) {
            rc = hoya_wait_for(parts_[size_t(i)], kLong, nullptr);
            EXPECT_NE(rc, HOYA_ETIMEDOUT);
            if (rc == 0) Take(parts_[size_t(i)]);
        }
        if (rc == 0) {
            Future never = NewFuture();
            rc = hoya_wait_for(never.get(), kShort, nullptr);
            EXPECT_TRUE(IsCancelled(never));
            if (rc == HOYA_ETIMEDOUT) rc = 0;
        }
        int end = JoinAll(rc);
        return rc < 0 ? rc : end == HOYA_ESTATE ? 0 : end;
    }
};

class Iterated : public Family
{
  public:
    using Family::Family;

    int Main(hoya_task *) override
    {
        SpawnAll();
        hoya_as_completed *iterator = nullptr;
        EXPECT_EQ(hoya_as_completed_new(loop, parts_.data(), parts_.size(), &iterator), 0);
        hoya_future *future = nullptr;
        int rc, failed = 0;
        while ((rc = hoya_as_completed_next(iterator, &future)) == 1) {
            if (hoya_future_exception(future, nullptr) == 0) Take(future);
            else failed = HOYA_ECANCELED;
        }
        hoya_as_completed_free(iterator);
        int end = JoinAll(rc);
        return rc < 0 ? rc : failed ? failed : end == HOYA_ESTATE ? 0 : end;
    }
};

/* The child goes on whatever happens to who waits for it. */
class Shielded : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        Task child = Spawn("child", [this](hoya_task *self) {
            int rc = hoya_sleep(kShort);
            return rc < 0 ? rc : hoya_task_set_value(self, ledger.NewParcel(), Ledger::Destroy);
        });
        Future inner(hoya_future_ref(hoya_task_future(child.get())));
        Future outer = Shield(inner.get());
        int rc = hoya_await(outer.get(), nullptr);
        if (rc < 0) EXPECT_EQ(hoya_task_cancelling(child.get()), hoya_future_cancelled(inner.get()));
        outer.reset();
        int end = Join(child, false);
        if (end == 0) Ledger::ReceiveFrom(inner);
        whole_ = rc == 0 && end == 0;
        return rc;
    }
    bool Whole() override { return whole_; }
    void Check() override {}

  private:
    bool whole_ = false;
};

class Staggered : public Program
{
  public:
    using Program::Program;

    int Main(hoya_task *) override
    {
        hoya_attempt attempts[] = {{Fail, this, Count, "fails", nullptr},
                                   {Sleep, this, Count, "sleeps", nullptr},
                                   {Win, this, Count, "wins", nullptr},
                                   {Win, this, Count, "unborn", nullptr}};
        size_t winner = 9;
        int rc = hoya_staggered_race(attempts, 4, HOYA_MSEC(1), &winner);
        for (const hoya_attempt &attempt : attempts)
            if (attempt.task) EXPECT_TRUE(hoya_future_done(hoya_task_future(attempt.task)));
        EXPECT_EQ(destroyed_, 4) << "all have ended, or never begin";
        EXPECT_EQ(rc == 0, winner != 9);
        if (rc == 0) {
            Ledger::ReceiveFrom(Future(hoya_future_ref(hoya_task_future(attempts[winner].task))));
            received_++;
        }
        for (const hoya_attempt &attempt : attempts) hoya_task_unref(attempt.task);
        return rc;
    }
    bool Whole() override { return received_ == 1; }
    void Check() override
    {
        EXPECT_LE(received_, 1);
        if (begun_) EXPECT_EQ(destroyed_, 4);
    }

  private:
    static int Fail(hoya_task *, void *arg)
    {
        static_cast<Staggered *>(arg)->begun_ = true;
        int rc = hoya_sleep(0);
        return rc < 0 ? rc : HOYA_EIO;
    }
    static int Sleep(hoya_task *, void *) { return hoya_sleep(kLong); }
    static int Win(hoya_task *self, void *arg)
    {
        int rc = hoya_sleep(kShort);
        if (rc < 0) return rc;
        return hoya_task_set_value(self, static_cast<Staggered *>(arg)->ledger.NewParcel(), Ledger::Destroy);
    }
    static void Count(void *arg) { static_cast<Staggered *>(arg)->destroyed_++; }

    bool begun_ = false;
    int destroyed_ = 0, received_ = 0;
};

} // namespace

// Holds: S61
TEST_P(CancelPoints, OfAGather)
{
    Sweep<Gathered>();
}

// Holds: S57
TEST_P(CancelPoints, OfWaitsForSeveralFutures)
{
    Sweep<Waited>();
}

// Holds: S73
TEST_P(CancelPoints, OfWaitsForALimitedTime)
{
    Sweep<Limited>();
}

TEST_P(CancelPoints, OfAnIterationAsFuturesAreDone)
{
    Sweep<Iterated>();
}

// Holds: S63
TEST_P(CancelPoints, OfAShieldedFuture)
{
    Sweep<Shielded>();
}

// Holds: S74
TEST_P(CancelPoints, OfAStaggeredRace)
{
    Sweep<Staggered>();
}

} // namespace hoya_test
