/* SPDX-License-Identifier: MIT
 *
 * unit/base/list_test.cc: the intrusive list.
 */
#include <gtest/gtest.h>

#include <vector>

extern "C" {
#include "base/list.h"
}

namespace
{
struct Item {
    int value;
    hoya_list node;
};

class List : public testing::Test
{
  protected:
    List()
    {
        hoya_list_init(&list);
        for (Item &item : items) hoya_list_init(&item.node);
        for (int i = 0; i < 3; i++) items[i].value = i;
    }
    std::vector<int> drain()
    {
        std::vector<int> values;
        while (hoya_list *node = hoya_list_pop(&list)) values.push_back(HOYA_CONTAINER_OF(node, Item, node)->value);
        return values;
    }
    hoya_list list;
    Item items[3];
};
} // namespace

TEST_F(List, KeepsTheOrderOfAppending)
{
    EXPECT_TRUE(hoya_list_is_empty(&list));
    for (Item &item : items) hoya_list_append(&list, &item.node);
    EXPECT_FALSE(hoya_list_is_empty(&list));
    EXPECT_EQ(drain(), (std::vector<int>{0, 1, 2}));
    EXPECT_TRUE(hoya_list_is_empty(&list));
}

TEST_F(List, RemovesFromTheMiddleAndTwiceIsOnce)
{
    for (Item &item : items) hoya_list_append(&list, &item.node);
    hoya_list_remove(&items[1].node);
    hoya_list_remove(&items[1].node);
    EXPECT_EQ(drain(), (std::vector<int>{0, 2}));
}

TEST_F(List, APoppedNodeMayGoIntoAnotherList)
{
    hoya_list other;
    hoya_list_init(&other);
    hoya_list_append(&list, &items[0].node);
    hoya_list_append(&other, hoya_list_pop(&list));
    EXPECT_TRUE(hoya_list_is_empty(&list));
    EXPECT_EQ(hoya_list_pop(&other), &items[0].node);
    EXPECT_EQ(hoya_list_pop(&other), nullptr);
}
