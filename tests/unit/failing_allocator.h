/* SPDX-License-Identifier: MIT
 *
 * unit/failing_allocator.h: an allocator that counts, and fails when it is told to. It can be set only while the library
 * holds no memory: declare it before what it is for.
 */
#ifndef HOYA_TESTS_UNIT_FAILING_ALLOCATOR_H
#define HOYA_TESTS_UNIT_FAILING_ALLOCATOR_H

#include <cstdlib>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace hoya_test
{

struct FailingAllocator {
    bool fail = false;
    int fail_after = -1; /* so many more succeed; -1: all */
    int calls = 0;
    size_t largest = 0; /* that was asked for */

    FailingAllocator()
    {
        hoya_allocator hook{sizeof hook, get, change, put, this};
        EXPECT_EQ(hoya_set_allocator(&hook), 0) << hoya_error_detail();
    }
    ~FailingAllocator() { EXPECT_EQ(hoya_set_allocator(nullptr), 0) << hoya_error_detail(); }
    FailingAllocator(const FailingAllocator &) = delete;
    FailingAllocator &operator=(const FailingAllocator &) = delete;

  private:
    bool fails(size_t size)
    {
        if (size > largest) largest = size;
        return fail || (fail_after >= 0 && fail_after-- == 0);
    }
    static FailingAllocator *self(void *arg) { return static_cast<FailingAllocator *>(arg); }
    static void *get(size_t size, void *arg)
    {
        self(arg)->calls++;
        return self(arg)->fails(size) ? nullptr : malloc(size);
    }
    static void *change(void *block, size_t size, void *arg)
    {
        self(arg)->calls++;
        return self(arg)->fails(size) ? nullptr : realloc(block, size);
    }
    static void put(void *block, void *) { free(block); }
};

} // namespace hoya_test

#endif
