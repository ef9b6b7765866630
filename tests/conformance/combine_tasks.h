/* SPDX-License-Identifier: MIT
 *
 * conformance/combine_tasks.h: what a task waits for several futures with, as tests like it: owned, from lists in
 * braces, with lambdas for functions.
 */
#ifndef HOYA_TESTS_COMBINE_TASKS_H
#define HOYA_TESTS_COMBINE_TASKS_H

#include "combine.h"

namespace hoya_test
{

inline int Wait(const Parts &parts, hoya_when when, int64_t timeout = HOYA_NEVER)
{
    return hoya_wait(parts.data(), parts.size(), when, timeout);
}

struct FreeIterator {
    void operator()(hoya_as_completed *iterator) const { hoya_as_completed_free(iterator); }
};
using AsCompleted = std::unique_ptr<hoya_as_completed, FreeIterator>;

inline AsCompleted Iterate(hoya_loop *loop, const Parts &parts)
{
    hoya_as_completed *iterator = nullptr;
    EXPECT_EQ(hoya_as_completed_new(loop, parts.data(), parts.size(), &iterator), 0) << hoya_error_detail();
    return AsCompleted(iterator);
}

/* The attempts of a race, from lambdas; their tasks are let go at the end. */
class Attempts
{
  public:
    explicit Attempts(std::vector<TaskWork> works)
    {
        for (TaskWork &work : works) {
            auto run = [](hoya_task *self, void *arg) { return (*static_cast<TaskWork *>(arg))(self); };
            auto destroy = [](void *arg) { delete static_cast<TaskWork *>(arg); };
            all_.push_back({run, new TaskWork(std::move(work)), destroy, nullptr, nullptr});
        }
    }
    Attempts(const Attempts &) = delete;
    Attempts &operator=(const Attempts &) = delete;
    ~Attempts()
    {
        for (hoya_attempt &attempt : all_) hoya_task_unref(attempt.task);
    }
    int Race(int64_t delay, size_t *winner) { return hoya_staggered_race(all_.data(), all_.size(), delay, winner); }
    bool Begun(size_t i) const { return all_[i].task; }
    int Result(size_t i, void **value = nullptr) const
    {
        return hoya_future_result(hoya_task_future(all_[i].task), value);
    }

  private:
    std::vector<hoya_attempt> all_;
};

inline int SleepLong(hoya_task *)
{
    return hoya_sleep(HOYA_SEC(60));
}

} // namespace hoya_test

#endif
