/* SPDX-License-Identifier: MIT
 *
 * unit/base/heap_model_test.cc: the deadlines against a model, the ends of time among the keys, with the heap's
 * own invariant after each step; gaps, nodes that are in no heap, and want of memory.
 */
#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/heap.h"
}
#include <hoya/error.h>

using namespace hoya_test;

namespace
{

struct Item {
    hoya_heap_node node{HOYA_HEAP_NONE}; /* first: a node is its item */
    int64_t key = 0;
};

class HeapModel : public testing::Test
{
  public:
    OwnMemory memory;
    hoya_heap heap{};
    std::deque<Item> items; /* at fixed addresses */

    void TearDown() override { hoya_heap_free(&heap); }

    Item *insert(int64_t key)
    {
        Item *item = &items.emplace_back();
        item->key = key;
        EXPECT_EQ(hoya_heap_insert(&heap, key, &item->node), 0);
        return item;
    }
    Item *pop() { return reinterpret_cast<Item *>(hoya_heap_pop(&heap)); }

    std::vector<int64_t> pop_keys()
    {
        std::vector<int64_t> keys;
        while (Item *item = pop()) keys.push_back(item->key);
        return keys;
    }

    /* No entry is before its parent, and every node knows where it is. */
    testing::AssertionResult sound() const
    {
        for (size_t i = 0; i < heap.count; i++) {
            const hoya_heap_entry &entry = heap.entries[i], &parent = heap.entries[i ? (i - 1) / 4 : 0];
            if (entry.node->index != i)
                return testing::AssertionFailure() << "node " << i << " says " << entry.node->index;
            if (entry.key < parent.key || (entry.key == parent.key && entry.sequence < parent.sequence))
                return testing::AssertionFailure() << "entry " << i << " is before its parent";
        }
        return testing::AssertionSuccess();
    }
};

using Keys = std::vector<int64_t>;

} // namespace

TEST_F(HeapModel, ANewHeapIsEmptyAndTakesNoMemory)
{
    EXPECT_EQ(hoya_heap_pop(&heap), nullptr);
    EXPECT_EQ(hoya_heap_first(&heap), HOYA_NEVER);
    hoya_heap_free(&heap);
    EXPECT_EQ(memory.requests, 0);
}

TEST_F(HeapModel, FirstIsTheSmallestKey)
{
    insert(7);
    EXPECT_EQ(hoya_heap_first(&heap), 7);
    insert(3);
    insert(5);
    EXPECT_EQ(hoya_heap_first(&heap), 3);
    pop();
    EXPECT_EQ(hoya_heap_first(&heap), 5);
}

// Holds: S22
TEST_F(HeapModel, AKeyThatLeavesAndComesAgainStandsBehindItsEquals)
{
    Item *a = insert(1), *b = insert(1);
    hoya_heap_remove(&heap, &a->node);
    ASSERT_EQ(hoya_heap_insert(&heap, 1, &a->node), 0);
    EXPECT_EQ(pop(), b);
    EXPECT_EQ(pop(), a);
}

TEST_F(HeapModel, NowIsBeforeAndNeverIsBehindEverythingElse)
{
    Item *never = insert(HOYA_NEVER), *last = insert(HOYA_NEVER - 1);
    Item *now = insert(HOYA_NOW), *first = insert(HOYA_NOW + 1);
    EXPECT_EQ(hoya_heap_first(&heap), HOYA_NOW);
    for (Item *item : {now, first, last, never}) EXPECT_EQ(pop(), item);
}

TEST_F(HeapModel, TheEntryThatFillsAGapMayBelongAboveIt)
{
    /* Under the first child of the root stand great keys, under the second small ones; the last entry is a small one. */
    std::vector<Item *> put;
    for (int64_t key : {0, 100, 10, 200, 300, 101, 102, 103, 104, 11}) put.push_back(insert(key));
    hoya_heap_remove(&heap, &put[5]->node);
    EXPECT_TRUE(sound());
    EXPECT_EQ(pop_keys(), (Keys{0, 10, 11, 100, 102, 103, 104, 200, 300}));
}

TEST_F(HeapModel, ANodeThatIsInNoHeapSaysSoAndIsRemovedWithoutHarm)
{
    Item *removed = insert(1), *popped = insert(0), *stays = insert(2);
    hoya_heap_remove(&heap, &removed->node);
    EXPECT_EQ(pop(), popped);
    for (Item *item : {removed, popped}) {
        EXPECT_EQ(item->node.index, HOYA_HEAP_NONE);
        hoya_heap_remove(&heap, &item->node);
    }
    EXPECT_EQ(heap.count, 1u);
    EXPECT_EQ(pop(), stays);
}

TEST_F(HeapModel, RemovingNeedsNoMemory)
{
    for (int64_t key = 0; key < 200; key++) insert(key);
    memory.granted = 0;
    int before = memory.requests;
    for (size_t i = 0; i < items.size(); i += 2) hoya_heap_remove(&heap, &items[i].node);
    EXPECT_EQ(pop_keys().size(), 100u);
    EXPECT_EQ(memory.requests, before);
}

TEST_F(HeapModel, AGrowthThatFailsLeavesAllAsItWas)
{
    insert(1000);
    while (heap.count < heap.capacity) insert(1000 - static_cast<int64_t>(heap.count));
    size_t count = heap.count;
    Item extra;
    memory.granted = 0;
    EXPECT_EQ(hoya_heap_insert(&heap, 0, &extra.node), HOYA_ENOMEM);
    EXPECT_EQ(extra.node.index, HOYA_HEAP_NONE);
    EXPECT_EQ(heap.count, count);
    EXPECT_TRUE(sound());
    memory.granted = -1;
    EXPECT_EQ(hoya_heap_insert(&heap, 0, &extra.node), 0);
    EXPECT_EQ(pop(), &extra);
    EXPECT_EQ(pop_keys().size(), count);
}

TEST_F(HeapModel, FreeingGivesTheMemoryBackAndTheHeapMayBeUsedAgain)
{
    insert(1);
    hoya_heap_free(&heap);
    EXPECT_EQ(memory.blocks, 0);
    EXPECT_EQ(hoya_heap_first(&heap), HOYA_NEVER);
    insert(2);
    EXPECT_EQ(pop_keys(), Keys{2});
}

TEST_F(HeapModel, RandomUseGivesWhatStdMultimapGives)
{
    std::multimap<int64_t, Item *> model; /* equal keys in the order of insertion, too */
    std::vector<Item *> in;               /* for picking one to remove */
    std::mt19937 random(3);
    auto forget = [&](Item *item) {
        in.erase(std::find(in.begin(), in.end(), item));
        for (auto i = model.lower_bound(item->key);; ++i)
            if (i->second == item) return model.erase(i);
    };
    const int64_t ends[] = {HOYA_NOW, HOYA_NEVER};
    for (int step = 0; step < 6000; step++) {
        unsigned what = random() % 16;
        if (what < 9) { /* equal keys are frequent, the ends of the range not rare */
            in.push_back(insert(random() % 20 ? static_cast<int64_t>(random() % 60) : ends[random() % 2]));
            model.emplace(in.back()->key, in.back());
        } else if (!in.empty()) {
            Item *item = what < 12 ? model.begin()->second : in[random() % in.size()];
            if (what < 12) ASSERT_EQ(pop(), item);
            else hoya_heap_remove(&heap, &item->node);
            ASSERT_EQ(item->node.index, HOYA_HEAP_NONE);
            forget(item);
        }
        ASSERT_TRUE(sound()) << "after step " << step;
        ASSERT_EQ(heap.count, model.size());
        ASSERT_EQ(hoya_heap_first(&heap), model.empty() ? HOYA_NEVER : model.begin()->first);
    }
    while (Item *item = pop()) {
        ASSERT_EQ(item, model.begin()->second);
        model.erase(model.begin());
    }
    EXPECT_TRUE(model.empty());
}
