/* SPDX-License-Identifier: MIT
 *
 * unit/base/ring_places_test.cc: the ready ring: a place that is held is memory that is there, indices are
 * absolute, and growing that fails changes nothing.
 */
#include <deque>
#include <random>
#include <vector>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/ring.h"
}
#include <hoya/error.h>

using namespace hoya_test;

namespace
{

void nothing(void *) {}

void *tag(uintptr_t number)
{
    return reinterpret_cast<void *>(number);
}

class RingPlaces : public testing::Test
{
  public:
    OwnMemory memory;
    hoya_ring ring{};

    void TearDown() override { hoya_ring_free(&ring); }

    void push(uintptr_t from, uintptr_t to)
    {
        for (uintptr_t i = from; i < to; i++) hoya_ring_push(&ring, nothing, tag(i));
    }
    void expect_pops(uintptr_t from, uintptr_t to)
    {
        for (uintptr_t i = from; i < to; i++) ASSERT_EQ(hoya_ring_pop(&ring).arg, tag(i));
    }
    /* As something that queues itself again and again. */
    void expect_pops_and_keep(uintptr_t from, uintptr_t to)
    {
        for (uintptr_t i = from; i < to; i++) {
            ASSERT_EQ(hoya_ring_pop(&ring).arg, tag(i));
            hoya_ring_keep(&ring);
        }
    }
};

} // namespace

TEST_F(RingPlaces, ANewRingHasNothingAndTakesNoMemory)
{
    EXPECT_EQ(hoya_ring_count(&ring), 0u);
    EXPECT_EQ(memory.requests, 0);
    hoya_ring_free(&ring);
    EXPECT_EQ(memory.blocks, 0);
}

TEST_F(RingPlaces, AnEntryThatIsTakenOutGivesItsPlaceBackAndTheOthersKeepTheirOrder)
{
    for (uint64_t out = 0; out < 5; out++) {
        ASSERT_EQ(hoya_ring_reserve(&ring, 5), 0);
        push(0, 5);
        const uint64_t end = ring.tail;
        hoya_ring_take_out(&ring, ring.head + out);
        EXPECT_EQ(ring.places, 1u);
        EXPECT_EQ(ring.tail, end) << "what is behind it keeps its number";
        hoya_ring_push(&ring, nothing, tag(out));
        expect_pops(0, out);
        expect_pops(out + 1, 5);
        expect_pops(out, out + 1);
        EXPECT_EQ(hoya_ring_count(&ring), 0u);
    }
}

TEST_F(RingPlaces, EntriesLeaveInTheOrderInWhichTheyCame)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 3), 0);
    hoya_ring_push(&ring, nothing, tag(1));
    hoya_ring_push(&ring, nullptr, tag(2));
    hoya_ring_push(&ring, nothing, nullptr);
    EXPECT_EQ(hoya_ring_count(&ring), 3u);
    for (auto [fn, arg] : {hoya_ring_entry{nothing, tag(1)}, {nullptr, tag(2)}, {nothing, nullptr}}) {
        hoya_ring_entry entry = hoya_ring_pop(&ring);
        EXPECT_EQ(entry.fn, fn);
        EXPECT_EQ(entry.arg, arg);
    }
    EXPECT_EQ(hoya_ring_count(&ring), 0u);
}

TEST_F(RingPlaces, PushingIntoReservedPlacesNeedsNoMemory)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 500), 0);
    int before = memory.requests;
    memory.granted = 0;
    push(0, 500);
    EXPECT_EQ(hoya_ring_count(&ring), 500u);
    expect_pops(0, 500);
    EXPECT_EQ(memory.requests, before);
}

TEST_F(RingPlaces, APlaceIsHeldWhetherItsOwnerIsQueuedOrNot)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 1), 0);
    uint64_t capacity = ring.capacity;
    ASSERT_EQ(hoya_ring_reserve(&ring, capacity - 1), 0);
    EXPECT_EQ(ring.capacity, capacity);
    EXPECT_FALSE(hoya_ring_has_room(&ring));
    push(0, capacity);
    EXPECT_FALSE(hoya_ring_has_room(&ring)) << "the entries have the places";
    expect_pops_and_keep(0, capacity);
    EXPECT_EQ(ring.places, capacity);
    ASSERT_EQ(hoya_ring_reserve(&ring, 1), 0);
    EXPECT_EQ(ring.capacity, 2 * capacity) << "the ring is empty, but its places are taken";
}

TEST_F(RingPlaces, AnEntryThatDoesNotKeepItsPlaceLeavesRoom)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    push(0, 64);
    EXPECT_EQ(ring.places, 0u);
    expect_pops(0, 1);
    EXPECT_TRUE(hoya_ring_has_room(&ring));
    hoya_ring_put(&ring, nothing, tag(64));
    EXPECT_FALSE(hoya_ring_has_room(&ring));
    expect_pops(1, 65);
    EXPECT_EQ(ring.capacity, 64u);
}

TEST_F(RingPlaces, APlaceThatWasGivenBackIsGivenOutAgain)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    int before = memory.requests;
    for (int i = 0; i < 1000; i++) {
        hoya_ring_unreserve(&ring, 3);
        ASSERT_EQ(hoya_ring_reserve(&ring, 3), 0);
    }
    EXPECT_EQ(ring.places, 64u);
    EXPECT_EQ(memory.requests, before);
}

TEST_F(RingPlaces, TheCapacityIsAPowerOfTwoThatHoldsAllPlaces)
{
    for (uint64_t n : {1, 63, 1, 500, 10000}) {
        ASSERT_EQ(hoya_ring_reserve(&ring, n), 0);
        EXPECT_GE(ring.capacity, ring.places);
        EXPECT_EQ(ring.capacity & (ring.capacity - 1), 0u) << ring.capacity;
    }
    EXPECT_EQ(ring.places, 10565u);
    EXPECT_EQ(memory.blocks, 1);
}

TEST_F(RingPlaces, IndicesOnlyGrowAndTheRingWrapsUnderThem)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    uint64_t capacity = ring.capacity;
    for (uintptr_t i = 0; i < 1000; i += 40) {
        push(i, i + 40);
        EXPECT_EQ(ring.head, i);
        EXPECT_EQ(ring.tail, i + 40);
        expect_pops_and_keep(i, i + 40);
    }
    EXPECT_EQ(ring.head, 1000u);
    EXPECT_EQ(ring.capacity, capacity);
}

TEST_F(RingPlaces, IndicesPassTwoToTheThirtySecond)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    ring.head = ring.tail = UINT64_C(0x100000000) - 5;
    push(0, 10);
    EXPECT_EQ(ring.tail, UINT64_C(0x100000005));
    EXPECT_EQ(hoya_ring_count(&ring), 10u);
    expect_pops(0, 10);
}

TEST_F(RingPlaces, AGrowthThatFailsLeavesAllAsItWas)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    push(0, 64);
    expect_pops_and_keep(0, 40);
    hoya_ring before = ring;
    memory.granted = 0;
    EXPECT_EQ(hoya_ring_reserve(&ring, before.capacity), HOYA_ENOMEM);
    EXPECT_EQ(ring.entries, before.entries);
    EXPECT_EQ(ring.capacity, before.capacity);
    EXPECT_EQ(ring.places, before.places);
    EXPECT_EQ(ring.head, before.head);
    EXPECT_EQ(ring.tail, before.tail);
    push(64, 104); /* the places that were there are still good */
    expect_pops(40, 104);
}

TEST_F(RingPlaces, ASizeThatNoMemoryHasIsRefusedWithoutAsking)
{
    EXPECT_EQ(hoya_ring_reserve(&ring, UINT64_C(1) << 62), HOYA_ENOMEM);
    EXPECT_EQ(memory.requests, 0);
    EXPECT_EQ(ring.places, 0u);
}

TEST_F(RingPlaces, FreeingGivesTheMemoryBackAndTheRingMayBeUsedAgain)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 64), 0);
    push(0, 5);
    hoya_ring_free(&ring);
    EXPECT_EQ(memory.blocks, 0);
    EXPECT_EQ(hoya_ring_count(&ring), 0u);
    ASSERT_EQ(hoya_ring_reserve(&ring, 1), 0);
    push(9, 10);
    expect_pops(9, 10);
}

TEST_F(RingPlaces, RandomUseGivesWhatStdDequeGives)
{
    std::deque<uintptr_t> model;
    std::mt19937 random(2);
    for (uintptr_t i = 0; i < 20000; i++) {
        if (random() % 3 && (ring.places || hoya_ring_reserve(&ring, 1 + random() % 5) == 0)) {
            push(i, i + 1);
            model.push_back(i);
        } else if (!model.empty()) {
            ASSERT_EQ(hoya_ring_pop(&ring).arg, tag(model.front())) << "at step " << i;
            if (random() % 2) hoya_ring_keep(&ring);
            model.pop_front();
        }
        ASSERT_EQ(hoya_ring_count(&ring), model.size());
    }
}

#ifdef HOYA_CHECKS
TEST_F(RingPlaces, GivingAPlaceBackTwiceEndsWithASentence)
{
    ASSERT_EQ(hoya_ring_reserve(&ring, 1), 0);
    hoya_ring_unreserve(&ring, 1);
    EXPECT_DEATH(hoya_ring_unreserve(&ring, 1), "given back twice");
}
#endif
