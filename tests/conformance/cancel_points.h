/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points.h: a program of tasks, cancelled at every point at which one of them is suspended.
 *
 * A program is a class: Main is its main task, and Check says what must hold when all has ended. Sweep<Program>() runs it
 * once undisturbed, to learn which tasks it has; then once for each of its tasks and each point at which that one is
 * alive, with a blow there (enum Blow). Points are found in two ways, by nothing but what every program can call: between
 * two rounds of the loop, which the driver turns one by one; and by a callback that is in the ready queue all the time,
 * so that it comes between what wakes a task and the task, and inside the main loops that a task runs.
 *
 * After each run: no task, timer, watch, callback, future, handle or descriptor more than before it, and no report of a
 * failure; every parcel (a value with memory of its own) was destroyed once; and Check. A program that is not struck, or
 * whose cancel was taken back at once, must have done all of its work.
 */
#ifndef HOYA_TESTS_CANCEL_POINTS_H
#define HOYA_TESTS_CANCEL_POINTS_H

#include <atomic>
#include <mutex>

#include "tasks.h"

namespace hoya_test
{

/* Values that own memory, and the account of them. Any thread. */
class Ledger
{
  public:
    /* One more, for a destroy function to end. */
    void *NewParcel();
    static void Destroy(void *parcel);

    /* A parcel that came: whole, and ended here. */
    static void Receive(void *parcel, hoya_destroy destroy);
    static void ReceiveFrom(const Future &future);

    void ExpectAllDestroyedOnce() const;

  private:
    struct Parcel {
        std::unique_ptr<int> memory;
        std::atomic<int> destroyed{0};
    };
    std::mutex mutex_;
    std::vector<std::unique_ptr<Parcel>> parcels_; /* so that a second end is counted, too */
};

/* Why a wait ended early, or 0. */
inline bool IsInterruption(int rc)
{
    return rc == HOYA_ECANCELED || rc == HOYA_EDEADLINE;
}

struct Place {
    hoya_loop *loop;
    HostLoop *host; /* NULL natively */
};

class Program
{
  public:
    explicit Program(const Place &place) : loop(place.loop), host(place.host) {}
    virtual ~Program() = default;

    virtual int Main(hoya_task *self) = 0;
    virtual void Settle() {}  /* other threads: waits for what they still do. Outside of the loop */
    virtual bool Whole() = 0; /* has it done all of its work? */
    virtual void Check() = 0; /* what holds however far it came */

    Ledger ledger;

  protected:
    static constexpr int64_t kShort = HOYA_USEC(20), kLong = HOYA_SEC(60);

    /* A child; its name is how the sweep knows it. */
    Task Spawn(const char *name, TaskWork work);
    /* The child's end, which nothing disturbs: its result. */
    static int Join(const Task &child, bool cancel, void **value = nullptr);
    /* Waits until the descriptor is ready. */
    int WaitReadable(int fd);
    int WaitWritable(int fd);
    Future NewFuture() { return hoya_test::NewFuture(loop); }

    hoya_loop *const loop;
    HostLoop *const host;
};

class CancelPoints : public TaskConformance
{
  protected:
    using Maker = std::function<std::unique_ptr<Program>()>;

    template <class P> void Sweep()
    {
        SweepOver([this] { return std::make_unique<P>(Place{loop, host.get()}); });
    }

  private:
    enum class Way { kRounds, kQueue };
    enum class Blow {
        kNone,
        kCancel,
        kTwoCancels, /* and one taken back */
        kTakenBack,  /* one, at once: as if nothing had been */
        kTimeout     /* the time of a scope around the main task is up */
    };
    struct Run {
        std::unique_ptr<Program> program;
        Way way;
        Blow blow;
        std::string target;
        int left;     /* points before the blow */
        bool begun;   /* the main task is */
        bool expired; /* its scope */
        bool struck;
        int64_t deadline;
        hoya_future *main;
        std::vector<uint64_t> seen; /* the loop's counters at the last point */
        uint64_t turns;             /* of the callback in the queue */
    };

    void SweepOver(const Maker &make);
    void SweepTarget(const Maker &make, Way way, Blow blow, const std::string &target);
    bool RunOnce(const Maker &make, Way way, Blow blow, const std::string &target, int point);
    int RunMain(Run &run, hoya_task *self);
    void Drive(Run &run);
    void Turn(Run &run);
    void AtPoint(Run &run);
    void Strike(Run &run, hoya_task *task);
    hoya_task *Find(const std::string &name);
    void CheckEnd(Run &run, int status);

    std::vector<std::string> names_; /* of all tasks that were seen */
    int64_t duration_ = 0;           /* of an undisturbed run */
    bool late_ = false; /* the last run's time was up before its point had come: the machine was busy */
};

/* On hosts whose main loop may be run again inside a task. */
class NestingCancelPoints : public CancelPoints
{
};

} // namespace hoya_test

#endif
