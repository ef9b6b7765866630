/* SPDX-License-Identifier: MIT
 *
 * conformance/cancel_points.cc: see cancel_points.h.
 */
#include "cancel_points.h"

#include <algorithm>
#include <tuple>

namespace hoya_test
{
namespace
{

constexpr int kMany = 500; /* points: a program with more of them does not end */

struct Alive {
    hoya_live_counts counts = {};
    hoya_loop_statistics stats = {};
    int fds = OpenFds();

    explicit Alive(hoya_loop *loop)
    {
        counts.size = sizeof counts;
        stats.size = sizeof stats;
        EXPECT_EQ(hoya_get_live_counts(&counts), 0);
        EXPECT_EQ(hoya_loop_stats(loop, &stats), 0);
    }
    auto all() const
    {
        return std::make_tuple(counts.futures, counts.handles, counts.fds, stats.queued, stats.timers,
                               stats.watches, fds);
    }
};

} // namespace

/* ---- what programs are made of ----------------------------------------------------------------------------- */

void *Ledger::NewParcel()
{
    std::lock_guard<std::mutex> guard(mutex_);
    parcels_.push_back(std::make_unique<Parcel>());
    parcels_.back()->memory = std::make_unique<int>(42);
    return parcels_.back().get();
}

void Ledger::Destroy(void *arg)
{
    auto parcel = static_cast<Parcel *>(arg);
    parcel->destroyed++;
    parcel->memory.reset();
}

void Ledger::Receive(void *arg, hoya_destroy destroy)
{
    auto parcel = static_cast<Parcel *>(arg);
    ASSERT_NE(parcel, nullptr);
    ASSERT_EQ(parcel->destroyed, 0);
    EXPECT_EQ(*parcel->memory, 42);
    ASSERT_EQ(destroy, &Ledger::Destroy);
    destroy(parcel);
}

void Ledger::ReceiveFrom(const Future &future)
{
    void *value = nullptr;
    hoya_destroy destroy = nullptr;
    ASSERT_EQ(hoya_future_take(future.get(), &value, &destroy), 0) << hoya_error_detail();
    Receive(value, destroy);
}

void Ledger::ExpectAllDestroyedOnce() const
{
    for (const auto &parcel : parcels_) EXPECT_EQ(parcel->destroyed, 1) << "of " << parcels_.size() << " parcels";
}

Task Program::Spawn(const char *name, TaskWork work)
{
    hoya_task_options options = {};
    options.size = sizeof options;
    options.name = name;
    options.destroy = [](void *arg) { delete static_cast<TaskWork *>(arg); };
    auto run = [](hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); };
    hoya_task *task = nullptr;
    EXPECT_EQ(hoya_create_task(loop, run, new TaskWork(std::move(work)), &options, &task), 0)
        << hoya_error_detail();
    return Task(task);
}

int Program::Join(const Task &child, bool cancel, void **value)
{
    if (cancel) EXPECT_GE(hoya_task_cancel(child.get(), "its parent was interrupted"), 0);
    EXPECT_EQ(hoya_shield_enter(), 0);
    int rc = hoya_await(hoya_task_future(child.get()), value);
    EXPECT_EQ(hoya_shield_leave(), 0);
    return rc;
}

int Program::WaitReadable(int fd)
{
    Future ready = NewFuture();
    auto on_ready = [](hoya_fd ready_fd, uint32_t, void *arg) {
        auto future = static_cast<hoya_future *>(arg);
        EXPECT_EQ(hoya_loop_remove_reader(hoya_future_get_loop(future), ready_fd), 1);
        EXPECT_EQ(hoya_future_set_result(future, nullptr, nullptr), 0);
    };
    EXPECT_EQ(hoya_loop_add_reader(loop, fd, on_ready, ready.get(), nullptr), 0) << hoya_error_detail();
    int rc = hoya_wait_done(ready.get());
    EXPECT_EQ(hoya_loop_remove_reader(loop, fd), rc < 0) << "a wait that ended well is one that was told";
    return rc;
}

int Program::WaitWritable(int fd)
{
    Future ready = NewFuture();
    auto on_ready = [](hoya_fd ready_fd, uint32_t, void *arg) {
        auto future = static_cast<hoya_future *>(arg);
        EXPECT_EQ(hoya_loop_remove_writer(hoya_future_get_loop(future), ready_fd), 1);
        EXPECT_EQ(hoya_future_set_result(future, nullptr, nullptr), 0);
    };
    EXPECT_EQ(hoya_loop_add_writer(loop, fd, on_ready, ready.get(), nullptr), 0) << hoya_error_detail();
    int rc = hoya_wait_done(ready.get());
    EXPECT_EQ(hoya_loop_remove_writer(loop, fd), rc < 0);
    return rc;
}

INSTANTIATE_TEST_SUITE_P(Hosts, CancelPoints, ::testing::ValuesIn(variants()),
                         [](const auto &of) { return std::string(of.param.name); });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(NestingCancelPoints);
INSTANTIATE_TEST_SUITE_P(Hosts, NestingCancelPoints, ::testing::ValuesIn(nesting_variants()),
                         [](const auto &of) { return std::string(of.param.name); });

/* ---- the sweep --------------------------------------------------------------------------------------------- */

void CancelPoints::SweepOver(const Maker &make)
{
    for (Way way : {Way::kRounds, Way::kQueue}) {
        int64_t begin = Now();
        RunOnce(make, way, Blow::kNone, "main", 0);
        duration_ = Now() - begin;
        if (HasFailure()) return;
        for (size_t i = 0; i < names_.size(); i++)
            if (names_[i] != "unborn")
                SweepTarget(make, way, Blow::kCancel, names_[i]); /* alive on a slow machine alone */
        for (Blow blow : {Blow::kTwoCancels, Blow::kTakenBack, Blow::kTimeout})
            SweepTarget(make, way, blow, "main");
    }
}

/* A blow at each point at which the target is alive: until it has ended before it. */
void CancelPoints::SweepTarget(const Maker &make, Way way, Blow blow, const std::string &target)
{
    int point = 0, late = 0;
    while (!HasFailure() && (RunOnce(make, way, blow, target, point) ? ++point : late_ && ++late < kMany))
        ASSERT_LT(point, kMany);
    if (!HasFailure()) EXPECT_GT(point, 0) << target << " was never alive";
}

/* False if the target was not alive at so many points. */
bool CancelPoints::RunOnce(const Maker &make, Way way, Blow blow, const std::string &target, int point)
{
    static const char *const ways[] = {"between rounds", "in the queue"};
    static const char *const blows[] = {"nothing", "a cancel", "two cancels, one taken back",
                                        "a cancel that is taken back", "a timeout"};
    SCOPED_TRACE(std::string(blows[static_cast<int>(blow)]) + " of " + target + ", " + ways[static_cast<int>(way)] +
                 ", point " + std::to_string(point));
    const Alive before(loop);
    Run run = {make(), way, blow, target, point, false, false, false, HOYA_NEVER, nullptr, {}, 0};
    Task main = Create([&](hoya_task *self) { return RunMain(run, self); }, "main");
    run.main = Of(main);
    Drive(run);
    EXPECT_EQ(hoya_all_tasks(loop, nullptr, nullptr), 0) << "main has outlived nobody";
    RunRounds(3); /* a cancel of another thread's work is on its way */
    run.program->Settle();
    RunRounds(3);
    CheckEnd(run, Result(main));
    main.reset();
    run.program.reset();
    late_ = run.expired && !run.struck;
    const Alive after(loop);
    EXPECT_EQ(before.all(), after.all()) << "futures, handles, library's fds, queued, timers, watches, fds";
    EXPECT_EQ(LogLines(), 0u) << "somebody had to report a failure";
    return run.struck;
}

int CancelPoints::RunMain(Run &run, hoya_task *self)
{
    run.begun = true;
    if (run.blow != Blow::kTimeout) return run.program->Main(self);
    hoya_timeout *scope = nullptr;
    run.deadline = Now() + std::max(HOYA_MSEC(1), 2 * duration_);
    EXPECT_EQ(hoya_timeout_enter_at(run.deadline, &scope), 0);
    int rc = run.program->Main(self);
    run.expired = hoya_timeout_leave(scope) == 1;
    return rc;
}

/* Until the main task has ended. */
void CancelPoints::Drive(Run &run)
{
    AtPoint(run); /* nothing has begun */
    if (run.way == Way::kRounds) {
        while (!hoya_future_done(run.main)) {
            EXPECT_GE(hoya_loop_run_once(loop, HOYA_SEC(10)), 0) << hoya_error_detail();
            AtPoint(run);
        }
        return;
    }
    auto stop = [](hoya_future *, void *arg) { hoya_loop_stop(static_cast<hoya_loop *>(arg)); };
    EXPECT_EQ(hoya_future_add_done_callback(run.main, stop, loop, nullptr, nullptr), 0);
    CallSoon([&] { Turn(run); });
    TaskConformance::Run();
}

/* In the queue, always: a round in which nothing happens is no point. */
void CancelPoints::Turn(Run &run)
{
    run.turns++;
    hoya_loop_statistics now = Stats();
    std::vector<uint64_t> seen{now.callbacks - run.turns, now.events, now.queued, now.timers, now.watches};
    if (seen != run.seen) AtPoint(run);
    run.seen = std::move(seen);
    if (!hoya_future_done(run.main)) CallSoon([&] { Turn(run); });
}

void CancelPoints::AtPoint(Run &run)
{
    if (run.blow == Blow::kNone) {
        auto note = [](hoya_task *task, void *arg) {
            auto names = static_cast<std::vector<std::string> *>(arg);
            std::string name = hoya_task_get_name(task);
            if (std::find(names->begin(), names->end(), name) == names->end()) names->push_back(name);
        };
        EXPECT_GE(hoya_all_tasks(loop, note, &names_), 0);
        return;
    }
    bool wants_begun = run.blow == Blow::kTakenBack || run.blow == Blow::kTimeout;
    hoya_task *task = run.struck || (wants_begun && !run.begun) ? nullptr : Find(run.target);
    if (!task || run.left--) return;
    run.struck = true;
    Strike(run, task);
}

void CancelPoints::Strike(Run &run, hoya_task *task)
{
    if (run.blow == Blow::kTimeout) {
        while (Now() <= run.deadline) continue;
        return;
    }
    EXPECT_EQ(hoya_task_cancel(task, "struck"), 1);
    if (run.blow == Blow::kTwoCancels && run.begun) EXPECT_EQ(hoya_task_cancel(task, "twice"), 1);
    if (run.blow != Blow::kCancel && run.begun)
        EXPECT_EQ(hoya_task_uncancel(task), run.blow == Blow::kTwoCancels ? 1 : 0);
}

hoya_task *CancelPoints::Find(const std::string &name)
{
    std::pair<const std::string &, hoya_task *> search{name, nullptr};
    auto look = [](hoya_task *task, void *arg) {
        auto found = static_cast<std::pair<const std::string &, hoya_task *> *>(arg);
        if (found->first == hoya_task_get_name(task)) found->second = task;
    };
    EXPECT_GE(hoya_all_tasks(loop, look, &search), 0);
    return search.second;
}

void CancelPoints::CheckEnd(Run &run, int status)
{
    if (!run.struck || run.blow == Blow::kTakenBack) {
        if (!run.expired) EXPECT_EQ(status, 0);
        if (!run.expired) EXPECT_TRUE(run.program->Whole()) << "nothing disturbed it";
    } else if (run.target == "main" && status != 0) {
        EXPECT_EQ(status, run.blow == Blow::kTimeout ? HOYA_EDEADLINE : HOYA_ECANCELED);
        EXPECT_EQ(run.expired, run.blow == Blow::kTimeout);
    } else if (status == 0 && run.target == "main") {
        EXPECT_TRUE(run.program->Whole()) << "it has ended as if nothing had disturbed it";
    }
    run.program->Check();
    run.program->ledger.ExpectAllDestroyedOnce();
}

} // namespace hoya_test
