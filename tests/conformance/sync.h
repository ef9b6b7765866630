/* SPDX-License-Identifier: MIT
 *
 * conformance/sync.h: what tasks wait for, as tests like it: owned.
 */
#ifndef HOYA_TESTS_SYNC_H
#define HOYA_TESTS_SYNC_H

#include <memory>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace hoya_test
{

struct FreeSync {
    void operator()(hoya_lock *lock) const { EXPECT_EQ(hoya_lock_free(lock), 0) << hoya_error_detail(); }
    void operator()(hoya_event *event) const { EXPECT_EQ(hoya_event_free(event), 0) << hoya_error_detail(); }
    void operator()(hoya_condition *of) const { EXPECT_EQ(hoya_condition_free(of), 0) << hoya_error_detail(); }
    void operator()(hoya_semaphore *of) const { EXPECT_EQ(hoya_semaphore_free(of), 0) << hoya_error_detail(); }
    void operator()(hoya_barrier *barrier) const
    {
        EXPECT_EQ(hoya_barrier_free(barrier), 0) << hoya_error_detail();
    }
    void operator()(hoya_queue *queue) const { EXPECT_EQ(hoya_queue_free(queue), 0) << hoya_error_detail(); }
};
using Lock = std::unique_ptr<hoya_lock, FreeSync>;
using Event = std::unique_ptr<hoya_event, FreeSync>;
using Condition = std::unique_ptr<hoya_condition, FreeSync>;
using Semaphore = std::unique_ptr<hoya_semaphore, FreeSync>;
using Barrier = std::unique_ptr<hoya_barrier, FreeSync>;
using Queue = std::unique_ptr<hoya_queue, FreeSync>;

inline Lock NewLock(hoya_loop *loop, const char *name = nullptr)
{
    hoya_lock *lock = nullptr;
    EXPECT_EQ(hoya_lock_new(loop, name, &lock), 0) << hoya_error_detail();
    return Lock(lock);
}

inline Event NewEvent(hoya_loop *loop, const char *name = nullptr)
{
    hoya_event *event = nullptr;
    EXPECT_EQ(hoya_event_new(loop, name, &event), 0) << hoya_error_detail();
    return Event(event);
}

inline Condition NewCondition(const Lock &lock, const char *name = nullptr)
{
    hoya_condition *condition = nullptr;
    EXPECT_EQ(hoya_condition_new(lock.get(), name, &condition), 0) << hoya_error_detail();
    return Condition(condition);
}

inline Semaphore NewSemaphore(hoya_loop *loop, uint32_t value, uint32_t bound = 0, const char *name = nullptr)
{
    hoya_semaphore *semaphore = nullptr;
    EXPECT_EQ(hoya_semaphore_new(loop, name, value, bound, &semaphore), 0) << hoya_error_detail();
    return Semaphore(semaphore);
}

inline Barrier NewBarrier(hoya_loop *loop, uint32_t parties, const char *name = nullptr)
{
    hoya_barrier *barrier = nullptr;
    EXPECT_EQ(hoya_barrier_new(loop, name, parties, &barrier), 0) << hoya_error_detail();
    return Barrier(barrier);
}

inline Queue NewQueue(hoya_loop *loop, size_t capacity, hoya_queue_kind kind = HOYA_QUEUE_FIFO,
                      const char *name = nullptr, hoya_destroy destroy = nullptr)
{
    hoya_queue_options options = {};
    options.size = sizeof options;
    options.name = name;
    options.kind = kind;
    options.capacity = capacity;
    options.destroy = destroy;
    hoya_queue *queue = nullptr;
    EXPECT_EQ(hoya_queue_new(loop, &options, &queue), 0) << hoya_error_detail();
    return Queue(queue);
}

} // namespace hoya_test

#endif
