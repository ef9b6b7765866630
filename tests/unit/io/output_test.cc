/* SPDX-License-Identifier: MIT
 *
 * unit/io/output_test.cc: bytes that wait: the blocks they lie in, at all sizes around a block's, and without memory.
 */
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

extern "C" {
#include "io/output.h"
}

#include "unit/failing_allocator.h"

namespace hoya_test
{
namespace
{

constexpr size_t kBlock = 16384; /* with its head */

std::string Bytes(size_t size, size_t from = 0)
{
    std::string bytes(size, ' ');
    for (size_t i = 0; i < size; i++) bytes[i] = static_cast<char>('!' + (from + i) % 89);
    return bytes;
}

class Output : public testing::Test
{
  protected:
    void TearDown() override
    {
        hoya_output_clear(&output);
        EXPECT_EQ(Blocks(), 0u) << "empty it owns nothing";
    }
    int Append(const std::vector<std::string> &pieces, size_t skip = 0)
    {
        std::vector<iovec> parts;
        for (const std::string &piece : pieces) parts.push_back({const_cast<char *>(piece.data()), piece.size()});
        return hoya_output_append(&output, parts.data(), parts.size(), skip);
    }
    /* The bytes that it would have sent, by calls of at most `max` parts. */
    std::string Shown(int max, int *count = nullptr) const
    {
        std::vector<iovec> parts(static_cast<size_t>(max));
        int n = hoya_output_parts(&output, parts.data(), max);
        EXPECT_LE(n, max);
        std::string all;
        for (int i = 0; i < n; i++) {
            EXPECT_GT(parts[static_cast<size_t>(i)].iov_len, 0u);
            all.append(static_cast<char *>(parts[static_cast<size_t>(i)].iov_base),
                       parts[static_cast<size_t>(i)].iov_len);
        }
        if (count) *count = n;
        return all;
    }
    size_t Blocks() const
    {
        hoya_live_counts counts = {};
        counts.size = sizeof counts;
        hoya_get_live_counts(&counts);
        return counts.blocks;
    }

    FailingAllocator allocator;
    hoya_output output = {};
};

} // namespace

TEST_F(Output, SmallPiecesShareABlock)
{
    std::string all;
    for (size_t i = 0; i < 1000; i++) {
        ASSERT_EQ(Append({Bytes(10, i)}), 0);
        all += Bytes(10, i);
    }
    EXPECT_EQ(output.size, 10000u);
    EXPECT_EQ(Blocks(), 1u);
    int count = 0;
    EXPECT_EQ(Shown(8, &count), all);
    EXPECT_EQ(count, 1);
}

TEST_F(Output, NothingAppendedIsNoBlock)
{
    EXPECT_EQ(Append({}), 0);
    EXPECT_EQ(Append({"", "", ""}), 0);
    EXPECT_EQ(Append({"abc", "def"}, 6), 0);
    EXPECT_EQ(output.size, 0u);
    EXPECT_EQ(Blocks(), 0u);
    EXPECT_EQ(Shown(4), "");
}

TEST_F(Output, ALargePieceIsOneBlockOfItsOwnSize)
{
    allocator.largest = 0;
    ASSERT_EQ(Append({Bytes(1000000)}), 0);
    EXPECT_EQ(Blocks(), 1u);
    EXPECT_LT(allocator.largest, 1000000u + 100);
    EXPECT_EQ(Shown(1), Bytes(1000000));
}

TEST_F(Output, WhatDoesNotFitFillsTheLastBlockFirst)
{
    ASSERT_EQ(Append({Bytes(10)}), 0);
    ASSERT_EQ(Append({Bytes(kBlock, 10)}), 0);
    EXPECT_EQ(Blocks(), 2u);
    std::vector<iovec> parts(2);
    ASSERT_EQ(hoya_output_parts(&output, parts.data(), 2), 2);
    EXPECT_GT(parts[0].iov_len, kBlock - 100);
    EXPECT_EQ(Shown(2), Bytes(kBlock + 10));
    EXPECT_EQ(Shown(1), Bytes(parts[0].iov_len)) << "as many parts as were asked for";
}

TEST_F(Output, ItIsWholeAtEachSizeAroundABlocks)
{
    for (size_t first = kBlock - 40; first < kBlock + 3; first++) {
        for (size_t second : {size_t{1}, kBlock - 24, kBlock - 23, kBlock}) {
            SCOPED_TRACE(std::to_string(first) + " and " + std::to_string(second));
            const std::string all = Bytes(first + second);
            ASSERT_EQ(Append({all.substr(0, first / 2), "", all.substr(first / 2, first - first / 2)}), 0);
            ASSERT_EQ(Append({all.substr(first)}), 0);
            ASSERT_EQ(output.size, all.size());
            EXPECT_LE(Blocks(), 3u);
            ASSERT_TRUE(Shown(8) == all);
            hoya_output_take(&output, all.size());
            EXPECT_EQ(Blocks(), 0u);
        }
    }
}

TEST_F(Output, WhatHasBeenSentOfAWriteIsSkippedWhereverItEnds)
{
    const std::vector<std::string> pieces = {"abc", "", "defg", "h", "ijklm"};
    for (size_t skip = 0; skip <= 13; skip++) {
        ASSERT_EQ(Append({"<"}), 0);
        ASSERT_EQ(Append(pieces, skip), 0);
        EXPECT_EQ(Shown(4), "<" + std::string("abcdefghijklm").substr(skip));
        hoya_output_clear(&output);
    }
}

TEST_F(Output, TakenInStepsOfAnySizeItLosesNothing)
{
    const std::string all = Bytes(5 * kBlock + 123);
    for (size_t step : {size_t{1000}, kBlock - 24, kBlock, 2 * kBlock + 1, all.size()}) {
        for (size_t at = 0; at < all.size(); at += 3000) ASSERT_EQ(Append({all.substr(at, 3000)}), 0);
        std::string gone;
        while (output.size) {
            size_t n = std::min(step, output.size);
            gone += Shown(64).substr(0, n);
            hoya_output_take(&output, n);
            /* A block that is empty is freed at once. */
            EXPECT_LE(Blocks(), output.size / (kBlock - 100) + 2);
        }
        EXPECT_TRUE(gone == all);
        EXPECT_EQ(Blocks(), 0u);
    }
}

TEST_F(Output, AppendedWhileItIsTakenItStaysInOrder)
{
    std::string in, out;
    uint64_t seed = 7;
    for (int i = 0; i < 2000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t n = (seed >> 33) % 5000;
        ASSERT_EQ(Append({Bytes(n, in.size())}), 0);
        in += Bytes(n, in.size());
        size_t take = std::min<size_t>(output.size, (seed >> 40) % 5100);
        out += Shown(64).substr(0, take);
        hoya_output_take(&output, take);
        ASSERT_EQ(output.size, in.size() - out.size());
    }
    out += Shown(64);
    EXPECT_TRUE(out == in);
}

TEST_F(Output, WithoutMemoryNothingIsAppendedAndWhatIsThereStays)
{
    ASSERT_EQ(Append({Bytes(kBlock - 100)}), 0);
    allocator.fail = true;
    EXPECT_EQ(Append({Bytes(2 * kBlock)}), HOYA_ENOMEM) << "not even what would have fitted";
    EXPECT_EQ(output.size, kBlock - 100);
    EXPECT_EQ(Shown(4), Bytes(kBlock - 100));
    EXPECT_EQ(Append({"fits"}), 0) << "and what fits needs none";
    EXPECT_EQ(Shown(4), Bytes(kBlock - 100) + "fits");
    hoya_output_take(&output, kBlock - 100);
    EXPECT_EQ(Shown(4), "fits");
    hoya_output_clear(&output);
    EXPECT_EQ(Append({"x"}), HOYA_ENOMEM);
    EXPECT_EQ(output.size, 0u);
    allocator.fail = false;
}

TEST_F(Output, ASizeBeyondAllMemoryIsRefused)
{
    char byte = 'x';
    iovec part = {&byte, SIZE_MAX - 3};
    allocator.fail = true; /* nobody has so much, and a sanitizer would say so */
    allocator.largest = 0;
    EXPECT_EQ(hoya_output_append(&output, &part, 1, 0), HOYA_ENOMEM);
    EXPECT_GE(allocator.largest, SIZE_MAX - 3) << "and it did not wrap";
    allocator.fail = false;
}

} // namespace hoya_test
