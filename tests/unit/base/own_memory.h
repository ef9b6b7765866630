/* SPDX-License-Identifier: MIT
 *
 * unit/base/own_memory.h: the allocator hook in a test's hands. It counts, it says no on demand, and what it
 * gives out is full of rubbish. The hook can be replaced only while the library holds no block: OwnMemory is
 * the first thing that a test makes and the last one that goes.
 */
#ifndef HOYA_TESTS_UNIT_BASE_OWN_MEMORY_H
#define HOYA_TESTS_UNIT_BASE_OWN_MEMORY_H

#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace hoya_test
{

struct OwnMemory {
    int granted = -1;   /* so many more requests succeed; -1: all of them */
    int requests = 0;   /* mallocs and reallocs, granted or not */
    int64_t blocks = 0; /* given out and not given back */
    size_t largest = 0;

    OwnMemory()
    {
        hoya_allocator hook{sizeof hook, Malloc, Realloc, Free, this};
        EXPECT_EQ(hoya_set_allocator(&hook), 0) << hoya_error_detail();
    }
    ~OwnMemory() { EXPECT_EQ(hoya_set_allocator(nullptr), 0) << hoya_error_detail(); }
    OwnMemory(const OwnMemory &) = delete;

  private:
    bool Grants(size_t size)
    {
        EXPECT_NE(size, 0u);
        requests++;
        largest = size > largest ? size : largest;
        if (granted == 0) return false;
        if (granted > 0) granted--;
        return true;
    }
    static void *Malloc(size_t size, void *arg)
    {
        auto self = static_cast<OwnMemory *>(arg);
        if (!self->Grants(size)) return nullptr;
        self->blocks++;
        return memset(malloc(size), 0xA5, size);
    }
    static void *Realloc(void *block, size_t size, void *arg)
    {
        return static_cast<OwnMemory *>(arg)->Grants(size) ? realloc(block, size) : nullptr;
    }
    static void Free(void *block, void *arg)
    {
        static_cast<OwnMemory *>(arg)->blocks--;
        free(block);
    }
};

/* What is alive in the whole process. */
inline hoya_live_counts Live()
{
    hoya_live_counts counts{};
    counts.size = sizeof counts;
    EXPECT_EQ(hoya_get_live_counts(&counts), 0);
    return counts;
}

} // namespace hoya_test

#endif
