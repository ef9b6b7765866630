/* SPDX-License-Identifier: MIT
 *
 * support/poll_host_loop.cc: the host that docs/hosts.md teaches, and its application: timers and idle work, all done
 * in the application's share of a turn.
 */
#include "support/poll_host_loop.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "poll_host.h"

namespace hoya_test
{
namespace
{

int64_t Now()
{
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class PollHostLoop final : public HostLoop
{
  public:
    PollHostLoop()
    {
        main_.work = [](void *self) { return static_cast<PollHostLoop *>(self)->Share(); };
        main_.arg = this;
    }
    ~PollHostLoop() override { poll_loop_end(&main_); }

    hoya_host *NewAdapter() override { return poll_host_new(&main_); }

    bool RunUntil(Predicate done, int64_t timeout) override
    {
        bool held = false, over = false;
        Id limit = AddTimer(timeout, [&over] { over = true; });
        while (!(held = done()) && !over) Iterate();
        Remove(limit);
        return held;
    }

    void Iterate() override { poll_loop_turn(&main_); }

    Id AddTimer(int64_t interval, Work work) override { return Add({std::move(work), Now() + interval, interval}); }
    Id AddIdle(Rank, Work work) override { return Add({std::move(work), HOYA_NOW, 0}); }
    void CallOnce(Work work) override { Add({std::move(work), HOYA_NOW, kOnce}); }
    void Remove(Id id) override { jobs_.erase(id); }

    void Prod() override
    {
        CallOnce([this] { LookInPassing(); }); /* a turn before the wait of another */
        LookInPassing();
        LookInPassing();
    }

    bool Forks() const override { return true; }
    void Die() override { poll_loop_end(&main_); }
    bool DiesInCallbacks() const override { return true; }
    int WatchedFds() override
    {
        nfds_t count = 0;
        for (const poll_host *guest = main_.hosts; guest; guest = guest->next) count += guest->count;
        return static_cast<int>(count);
    }
    uint64_t PollReturns() const override { return turns_; }

  private:
    static constexpr int64_t kOnce = -1;

    struct Job {
        Work work;
        int64_t when, interval;
    };

    Id Add(Job job)
    {
        jobs_[++last_id_] = std::move(job);
        return last_id_;
    }

    /* A turn that does not wait. */
    void LookInPassing()
    {
        CallOnce([] {});
        Iterate();
    }

    int64_t Share()
    {
        turns_++;
        if (RunDue()) return HOYA_NOW; /* it may be what somebody waits for */
        int64_t next = HOYA_NEVER;
        for (auto &[id, job] : jobs_) next = std::min(next, job.when);
        return next;
    }

    /* Those that are there now; each may add and remove any, or run the main loop. */
    bool RunDue()
    {
        int64_t now = Now();
        std::vector<Id> due;
        for (auto &[id, job] : jobs_)
            if (job.when <= now) due.push_back(id);
        for (Id id : due) {
            auto job = jobs_.find(id);
            if (job == jobs_.end() || job->second.when > now) continue;
            Work work = job->second.work;
            if (job->second.interval == kOnce) jobs_.erase(job);
            else if (job->second.interval) job->second.when = now + job->second.interval;
            work();
        }
        return !due.empty();
    }

    poll_loop main_ = {};
    std::map<Id, Job> jobs_;
    Id last_id_ = 0;
    uint64_t turns_ = 0;
};

} // namespace

std::unique_ptr<HostLoop> MakePoll()
{
    return std::make_unique<PollHostLoop>();
}

} // namespace hoya_test
