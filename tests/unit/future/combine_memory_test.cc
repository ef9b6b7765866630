/* SPDX-License-Identifier: MIT
 *
 * unit/future/combine_memory_test.cc: making a combinator needs memory; what happens to it afterwards needs none.
 */
#include <functional>
#include <vector>

#include "support/futures.h"
#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

class CombineMemory : public testing::Test
{
  public:
    FailingAllocator memory; /* before the loop is made, and until it is freed */
    hoya_loop *loop = nullptr;
    Future a, b;

    void SetUp() override
    {
        ASSERT_EQ(hoya_loop_new(nullptr, &loop), 0);
        Renew();
    }
    void TearDown() override
    {
        memory.fail = false;
        a.reset();
        b.reset();
        hoya_loop_close(loop);
        hoya_loop_unref(loop);
    }
    void Renew()
    {
        a = NewFuture(loop);
        b = NewFuture(loop);
    }
    void Turn(int rounds)
    {
        while (rounds--) EXPECT_GE(hoya_loop_run_once(loop, HOYA_NOW), 0);
    }

    static int Nothing(hoya_future *, hoya_future *, void *) { return 0; }
    static void Count(void *arg) { ++*static_cast<int *>(arg); }

    using Make = std::function<int(hoya_future **)>;
    std::vector<Make> all()
    {
        return {[this](hoya_future **out) { return hoya_gather(loop, parts(), 2, 0, out); },
                [this](hoya_future **out) { return hoya_gather(loop, parts(), 2, HOYA_GATHER_RETURN_ERRORS, out); },
                [this](hoya_future **out) { return hoya_race(loop, parts(), 2, out); },
                [this](hoya_future **out) { return hoya_shield(a.get(), out); },
                [this](hoya_future **out) { return hoya_with_timeout(a.get(), HOYA_SEC(60), out); },
                [this](hoya_future **out) {
                    return hoya_wait_futures(loop, parts(), 2, HOYA_FIRST_COMPLETED, HOYA_SEC(60), out);
                },
                [this](hoya_future **out) {
                    return hoya_future_then(a.get(), Nothing, nullptr, nullptr, nullptr, out);
                }};
    }
    hoya_future *const *parts()
    {
        parts_[0] = a.get();
        parts_[1] = b.get();
        return parts_;
    }

  private:
    hoya_future *parts_[2] = {};
};

} // namespace

TEST_F(CombineMemory, WithoutItNoneIsMadeAndNothingIsLeft)
{
    for (const Make &make : all()) {
        hoya_live_counts before = {}, after = {};
        before.size = after.size = sizeof before;
        hoya_future *out = nullptr;
        int allowed = 0;
        for (;; allowed++) {
            Renew();
            EXPECT_EQ(hoya_get_live_counts(&before), 0);
            memory.fail_after = allowed;
            int rc = make(&out);
            memory.fail_after = -1;
            if (rc == 0) break;
            EXPECT_EQ(rc, HOYA_ENOMEM);
            EXPECT_EQ(out, nullptr);
            EXPECT_EQ(hoya_get_live_counts(&after), 0);
            EXPECT_EQ(before.futures, after.futures);
            EXPECT_EQ(before.handles, after.handles);
            EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0) << "it can be used";
        }
        EXPECT_GE(allowed, 1);
        hoya_future_unref(out);
    }
}

TEST_F(CombineMemory, ThenTheArgumentIsDestroyedWhereThereIsNone)
{
    int destroyed = 0;
    hoya_future *out = nullptr;
    for (int after = 0; after < 2; after++) {
        for (hoya_future **next : {&out, static_cast<hoya_future **>(nullptr)}) {
            memory.fail_after = after;
            EXPECT_EQ(hoya_future_then(a.get(), Nothing, nullptr, &destroyed, Count, next), HOYA_ENOMEM);
            memory.fail_after = -1;
        }
        EXPECT_EQ(destroyed, 2 * (after + 1));
    }
}

TEST_F(CombineMemory, ThenAFollowThatHasNoneIsRefusedAndMayBeTriedAgain)
{
    struct State {
        FailingAllocator *memory;
        hoya_future *other;
    } state = {&memory, b.get()};
    auto follow = [](hoya_future *, hoya_future *next, void *arg) {
        auto s = static_cast<State *>(arg);
        s->memory->fail = true;
        EXPECT_EQ(hoya_future_follow(next, s->other), HOYA_ENOMEM);
        s->memory->fail = false;
        return hoya_future_follow(next, s->other);
    };
    hoya_future *next = nullptr;
    EXPECT_EQ(hoya_future_then(a.get(), follow, nullptr, &state, nullptr, &next), 0);
    EXPECT_EQ(hoya_future_then(a.get(), follow, nullptr, &state, nullptr, nullptr), 0);
    EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0);
    Turn(1);
    EXPECT_FALSE(hoya_future_done(next));
    EXPECT_EQ(hoya_future_set_result(b.get(), &state, nullptr), 0);
    Turn(1);
    EXPECT_EQ(hoya_future_result(next, nullptr), 0);
    hoya_future_unref(next);
}

TEST_F(CombineMemory, TheirEndNeedsNoneWhateverItIs)
{
    std::function<void(hoya_future *)> ends[] = {
        [this](hoya_future *) { hoya_future_set_result(a.get(), this, nullptr); },
        [this](hoya_future *) { hoya_future_set_exception(a.get(), HOYA_EPIPE, "no room for this"); },
        [this](hoya_future *) { hoya_future_cancel(a.get(), "nor for this"); },
        [](hoya_future *future) { hoya_future_cancel(future, "nor for this"); },
        [](hoya_future *) {},
    };
    for (const Make &make : all()) {
        for (const auto &end : ends) {
            Renew();
            hoya_future *future = nullptr;
            ASSERT_EQ(make(&future), 0);
            memory.fail = true;
            end(future);
            Turn(1);
            hoya_future_exception(future, nullptr);
            hoya_future_unref(future);
            memory.fail = false;
            hoya_future_exception(a.get(), nullptr);
        }
    }
}

TEST_F(CombineMemory, AGatherWithoutAnyForATextHasTheCode)
{
    hoya_future *future = nullptr;
    ASSERT_EQ(hoya_gather(loop, parts(), 2, 0, &future), 0);
    EXPECT_EQ(hoya_future_set_exception(a.get(), HOYA_EPIPE, "a text"), 0);
    EXPECT_EQ(TextOf(Future(future)), "a text");
    Renew();
    ASSERT_EQ(hoya_gather(loop, parts(), 2, 0, &future), 0);
    memory.fail = true;
    EXPECT_EQ(hoya_future_set_exception(a.get(), HOYA_EPIPE, "a text"), 0);
    EXPECT_EQ(hoya_future_result(future, nullptr), HOYA_EPIPE);
    EXPECT_STREQ(hoya_error_detail(), "broken pipe");
    Turn(1);
    memory.fail = false;
    EXPECT_TRUE(hoya_future_cancelled(b.get()));
    hoya_future_unref(future);
}

TEST_F(CombineMemory, WhatComesThenMayBeLetGoBeforeItFollowsWithoutAny)
{
    struct Step {
        hoya_future *next, *other;
        FailingAllocator *memory;
        int rc;
    } step = {nullptr, b.get(), &memory, 0};
    auto follow = [](hoya_future *, hoya_future *to, void *arg) {
        auto *of = static_cast<Step *>(arg);
        hoya_future_unref(of->next);
        of->memory->fail = true;
        of->rc = hoya_future_follow(to, of->other);
        of->memory->fail = false;
        return hoya_future_set_result(to, nullptr, nullptr);
    };
    ASSERT_EQ(hoya_future_then(a.get(), follow, nullptr, &step, nullptr, &step.next), 0);
    EXPECT_EQ(hoya_future_set_result(a.get(), nullptr, nullptr), 0);
    Turn(1);
    EXPECT_EQ(step.rc, HOYA_ENOMEM);
}

} // namespace hoya_test
