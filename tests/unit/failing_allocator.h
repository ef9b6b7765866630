/* SPDX-License-Identifier: MIT
 *
 * unit/failing_allocator.h: an allocator that counts, and fails when it is told to. It can be set only while the library
 * holds no memory: declare it before what it is for.
 */
#ifndef HOYA_TESTS_UNIT_FAILING_ALLOCATOR_H
#define HOYA_TESTS_UNIT_FAILING_ALLOCATOR_H

#include <atomic>
#include <cstdlib>

#include <malloc.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <hoya/hoya.h>

namespace hoya_test
{

struct FailingAllocator {
    /* Of any thread, as a hook is. */
    std::atomic<bool> fail{false};
    std::atomic<int> fail_after{-1}; /* so many more succeed; -1: all */
    std::atomic<int> calls{0};
    std::atomic<size_t> largest{0}; /* that was asked for */
    std::atomic<size_t> alive{0};   /* bytes, with those in which malloc remembers the size */

    FailingAllocator()
    {
        hoya_allocator hook{sizeof hook, get, change, put, this};
        EXPECT_EQ(hoya_set_allocator(&hook), 0) << hoya_error_detail();
    }
    ~FailingAllocator()
    {
        int rc = hoya_set_allocator(nullptr);
        /* A thread that has done its work may be about to let go of it. */
        for (int i = 0; rc == HOYA_EBUSY && i < 5000; i++, rc = hoya_set_allocator(nullptr)) usleep(1000);
        EXPECT_EQ(rc, 0) << hoya_error_detail();
    }
    FailingAllocator(const FailingAllocator &) = delete;
    FailingAllocator &operator=(const FailingAllocator &) = delete;

  private:
    bool fails(size_t size)
    {
        for (size_t most = largest; size > most && !largest.compare_exchange_weak(most, size);) continue;
        return fail || (fail_after >= 0 && fail_after-- == 0);
    }
    void *count(void *block, int sign)
    {
        if (block) alive += size_t(sign) * (malloc_usable_size(block) + sizeof(size_t));
        return block;
    }
    static FailingAllocator *self(void *arg) { return static_cast<FailingAllocator *>(arg); }
    static void *get(size_t size, void *arg)
    {
        self(arg)->calls++;
        return self(arg)->fails(size) ? nullptr : self(arg)->count(malloc(size), 1);
    }
    static void *change(void *block, size_t size, void *arg)
    {
        self(arg)->calls++;
        if (self(arg)->fails(size)) return nullptr;
        self(arg)->count(block, -1);
        return self(arg)->count(realloc(block, size), 1);
    }
    static void put(void *block, void *arg) { free(self(arg)->count(block, -1)); }
};

} // namespace hoya_test

#endif
