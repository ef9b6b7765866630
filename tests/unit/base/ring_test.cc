/* SPDX-License-Identifier: MIT
 *
 * unit/base/ring_test.cc: the ready queue and its reserved places.
 */
#include <gtest/gtest.h>

#include "unit/failing_allocator.h"

extern "C" {
#include "base/ring.h"
}

namespace
{
void *number(uint64_t n)
{
    return reinterpret_cast<void *>(n);
}

class Ring : public testing::Test
{
  protected:
    ~Ring() override { hoya_ring_free(&ring); }
    void push(uint64_t from, uint64_t to)
    {
        for (uint64_t i = from; i < to; i++) hoya_ring_push(&ring, nullptr, number(i));
    }
    void expect_pops(uint64_t from, uint64_t to)
    {
        for (uint64_t i = from; i < to; i++) {
            ASSERT_EQ(hoya_ring_pop(&ring).arg, number(i));
            hoya_ring_keep(&ring);
        }
    }
    hoya_test::FailingAllocator memory;
    hoya_ring ring{};
};
} // namespace

TEST_F(Ring, IsFirstInFirstOut)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 10), 0);
    push(0, 10);
    EXPECT_EQ(hoya_ring_count(&ring), 10u);
    expect_pops(0, 10);
    EXPECT_EQ(hoya_ring_count(&ring), 0u);
}

TEST_F(Ring, GrowingKeepsTheEntriesAndTheirNumbers)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    push(0, 50);
    expect_pops(0, 50);
    push(50, 110); /* wraps around the end of the 64 */
    ASSERT_EQ(hoya_ring_reserve(&ring, 1000), 0);
    EXPECT_EQ(ring.head, 50u);
    EXPECT_EQ(ring.tail, 110u);
    push(110, 1000);
    expect_pops(50, 1000);
}

TEST_F(Ring, APlaceIsHeldUntilItIsGivenBack)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 3), 0);
    push(0, 3);
    expect_pops(0, 3);
    EXPECT_EQ(ring.places, 3u);
    push(3, 6);
    expect_pops(3, 6);
    hoya_ring_unreserve(&ring, 3);
    EXPECT_EQ(ring.places, 0u);
}

TEST_F(Ring, AFailureToGrowLeavesEverythingAsItWas)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    push(0, 64);
    memory.fail = true;
    EXPECT_EQ(hoya_ring_reserve(&ring, 1), HOYA_ENOMEM);
    EXPECT_EQ(ring.places, 0u);
    expect_pops(0, 64);
    EXPECT_EQ(ring.places, 64u);
}

#ifdef HOYA_CHECKS
using RingDeathTest = Ring;

TEST_F(RingDeathTest, PushingWithoutAPlaceEndsWithASentence)
{
    EXPECT_DEATH(hoya_ring_push(&ring, nullptr, nullptr), "pushed without a place");
}
#endif
