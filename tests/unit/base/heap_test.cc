/* SPDX-License-Identifier: MIT
 *
 * unit/base/heap_test.cc: the timer heap, against a model.
 */
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "unit/failing_allocator.h"

extern "C" {
#include "base/heap.h"
}

namespace
{
class Heap : public testing::Test
{
  protected:
    ~Heap() override { hoya_heap_free(&heap); }
    /* Parents before children, and each item knows where it is. */
    bool is_sound() const
    {
        for (size_t i = 0; i < heap.count; i++) {
            if (heap.entries[i].node->index != i) return false;
            const hoya_heap_entry &parent = heap.entries[i ? (i - 1) / 4 : 0], &child = heap.entries[i];
            if (child.key < parent.key || (child.key == parent.key && child.sequence < parent.sequence))
                return false;
        }
        return true;
    }
    hoya_test::FailingAllocator memory;
    hoya_heap heap{};
};
} // namespace

// Holds: S22
TEST_F(Heap, EqualKeysLeaveInTheOrderOfInsertion)
{
    std::vector<hoya_heap_node> nodes(1000);
    for (hoya_heap_node &node : nodes) ASSERT_EQ(hoya_heap_insert(&heap, 7, &node), 0);
    for (hoya_heap_node &node : nodes) ASSERT_EQ(hoya_heap_pop(&heap), &node);
    EXPECT_EQ(hoya_heap_pop(&heap), nullptr);
}

TEST_F(Heap, BothEndsOfTimeAreKeys)
{
    hoya_heap_node never{}, now{}, zero{};
    ASSERT_EQ(hoya_heap_insert(&heap, HOYA_NEVER, &never), 0);
    ASSERT_EQ(hoya_heap_insert(&heap, 0, &zero), 0);
    ASSERT_EQ(hoya_heap_insert(&heap, HOYA_NOW, &now), 0);
    EXPECT_EQ(hoya_heap_first(&heap), HOYA_NOW);
    EXPECT_EQ(hoya_heap_pop(&heap), &now);
    EXPECT_EQ(hoya_heap_pop(&heap), &zero);
    EXPECT_EQ(hoya_heap_pop(&heap), &never);
    EXPECT_EQ(hoya_heap_first(&heap), HOYA_NEVER);
}

// Holds: S26
TEST_F(Heap, RemovingFromTheMiddleIsImmediateAndTwiceIsOnce)
{
    std::vector<hoya_heap_node> nodes(100);
    for (size_t i = 0; i < nodes.size(); i++) ASSERT_EQ(hoya_heap_insert(&heap, int64_t(i), &nodes[i]), 0);
    for (size_t i = 0; i < nodes.size(); i += 2) {
        hoya_heap_remove(&heap, &nodes[i]);
        hoya_heap_remove(&heap, &nodes[i]);
        ASSERT_TRUE(is_sound());
    }
    EXPECT_EQ(heap.count, 50u);
    for (size_t i = 1; i < nodes.size(); i += 2) ASSERT_EQ(hoya_heap_pop(&heap), &nodes[i]);
}

TEST_F(Heap, TenThousandRandomOperationsAgreeWithAModel)
{
    struct Item {
        hoya_heap_node node; /* first */
        std::multimap<int64_t, Item *>::iterator place;
    };
    std::mt19937 random(1);
    std::multimap<int64_t, Item *> model; /* equal keys keep the order of insertion here, too */
    std::vector<std::unique_ptr<Item>> items;
    for (int step = 0; step < 10000; step++) {
        unsigned what = random() % 5;
        if (what < 3 || model.empty()) {
            items.push_back(std::make_unique<Item>());
            int64_t key = random() % 50;
            ASSERT_EQ(hoya_heap_insert(&heap, key, &items.back()->node), 0);
            items.back()->place = model.emplace(key, items.back().get());
        } else if (what == 3) {
            ASSERT_EQ(reinterpret_cast<Item *>(hoya_heap_pop(&heap)), model.begin()->second);
            model.erase(model.begin());
        } else {
            auto victim = std::next(model.begin(), random() % std::min<size_t>(model.size(), 40));
            hoya_heap_remove(&heap, &victim->second->node);
            model.erase(victim);
        }
        ASSERT_EQ(heap.count, model.size());
        if (step % 16 == 0) {
            ASSERT_TRUE(is_sound()) << "step " << step;
        }
    }
}

TEST_F(Heap, AFailureToGrowLeavesEverythingAsItWas)
{
    std::vector<hoya_heap_node> nodes(33);
    for (int i = 0; i < 32; i++) ASSERT_EQ(hoya_heap_insert(&heap, i, &nodes[i]), 0);
    memory.fail = true;
    EXPECT_EQ(hoya_heap_insert(&heap, 0, &nodes[32]), HOYA_ENOMEM);
    EXPECT_EQ(heap.count, 32u);
    EXPECT_TRUE(is_sound());
    hoya_heap_remove(&heap, &nodes[5]);
    EXPECT_EQ(heap.count, 31u) << "taking away needs no memory";
}
