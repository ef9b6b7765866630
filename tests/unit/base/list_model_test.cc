/* SPDX-License-Identifier: MIT
 *
 * unit/base/list_model_test.cc: the intrusive list in both directions: removal from every place, nodes that are
 * in no list, and a model.
 */
#include <list>
#include <random>
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "base/list.h"
}

namespace
{

struct Item {
    int number = 0;
    hoya_list link{};
};

class ListModel : public testing::Test
{
  public:
    hoya_list list{};
    std::vector<Item> items{8};

    void SetUp() override
    {
        hoya_list_init(&list);
        for (size_t i = 0; i < items.size(); i++) {
            items[i].number = static_cast<int>(i);
            hoya_list_init(&items[i].link);
        }
    }

    void append(std::initializer_list<size_t> numbers)
    {
        for (size_t i : numbers) hoya_list_append(&list, &items[i].link);
    }

    /* The numbers from first to last; the way back has to be the same way. */
    std::vector<int> numbers()
    {
        std::vector<int> there, back;
        for (hoya_list *n = list.next; n != &list; n = n->next)
            there.push_back(HOYA_CONTAINER_OF(n, Item, link)->number);
        for (hoya_list *n = list.prev; n != &list; n = n->prev)
            back.insert(back.begin(), HOYA_CONTAINER_OF(n, Item, link)->number);
        EXPECT_EQ(there, back);
        return there;
    }
};

using Numbers = std::vector<int>;

} // namespace

TEST_F(ListModel, ANewListIsEmpty)
{
    EXPECT_TRUE(hoya_list_is_empty(&list));
    EXPECT_EQ(hoya_list_pop(&list), nullptr);
    EXPECT_TRUE(hoya_list_is_empty(&list));
}

TEST_F(ListModel, ANodeCanBeTakenOutOfEveryPlace)
{
    append({0, 1, 2, 3, 4});
    hoya_list_remove(&items[2].link);
    EXPECT_EQ(numbers(), (Numbers{0, 1, 3, 4}));
    hoya_list_remove(&items[0].link);
    EXPECT_EQ(numbers(), (Numbers{1, 3, 4}));
    hoya_list_remove(&items[4].link);
    EXPECT_EQ(numbers(), (Numbers{1, 3}));
}

TEST_F(ListModel, RemovingTheOnlyNodeLeavesAnEmptyList)
{
    append({5});
    hoya_list_remove(&items[5].link);
    EXPECT_TRUE(hoya_list_is_empty(&list));
    EXPECT_EQ(numbers(), Numbers{});
}

TEST_F(ListModel, RemovingAPoppedNodeIsHarmless)
{
    append({0, 1, 2});
    hoya_list_remove(hoya_list_pop(&list));
    EXPECT_EQ(numbers(), (Numbers{1, 2}));
}

TEST_F(ListModel, RemovingANodeThatWasNeverInAListIsHarmless)
{
    append({0, 1});
    hoya_list_remove(&items[7].link);
    EXPECT_EQ(numbers(), (Numbers{0, 1}));
}

TEST_F(ListModel, AnUnlinkedNodePointsAtItself)
{
    append({0, 1});
    hoya_list_remove(&items[0].link);
    hoya_list_pop(&list);
    for (int i : {0, 1}) {
        EXPECT_EQ(items[i].link.next, &items[i].link);
        EXPECT_EQ(items[i].link.prev, &items[i].link);
    }
}

TEST_F(ListModel, ANodeThatLeftMayComeAgainAtTheEnd)
{
    append({0, 1, 2});
    append({static_cast<size_t>(HOYA_CONTAINER_OF(hoya_list_pop(&list), Item, link)->number)});
    EXPECT_EQ(numbers(), (Numbers{1, 2, 0}));
}

TEST_F(ListModel, APoppingLoopSeesWhatItAppendsAndNotWhatItRemoves)
{
    append({0, 1, 2});
    Numbers seen;
    while (hoya_list *node = hoya_list_pop(&list)) {
        seen.push_back(HOYA_CONTAINER_OF(node, Item, link)->number);
        if (node != &items[0].link) continue;
        hoya_list_remove(&items[1].link);
        append({6});
    }
    EXPECT_EQ(seen, (Numbers{0, 2, 6}));
}

TEST_F(ListModel, RandomChangesGiveWhatStdListGives)
{
    std::list<int> model;
    std::mt19937 random(1);
    for (int step = 0; step < 3000; step++) {
        size_t i = random() % items.size();
        int number = static_cast<int>(i);
        bool in_list = items[i].link.next != &items[i].link;
        if (in_list) {
            hoya_list_remove(&items[i].link);
            model.remove(number);
        } else {
            append({i});
            model.push_back(number);
        }
        ASSERT_EQ(numbers(), Numbers(model.begin(), model.end())) << "after step " << step;
    }
}
