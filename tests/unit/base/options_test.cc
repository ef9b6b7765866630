/* SPDX-License-Identifier: MIT
 *
 * unit/base/options_test.cc: option structs of older and of newer programs.
 */
#include <cstdint>

#include <gtest/gtest.h>

extern "C" {
#include "base/options.h"
}

namespace
{

struct Options { /* as this version knows them */
    size_t size;
    uint64_t first, second;
};

struct Newer {
    Options known;
    unsigned char tail[5]; /* not known to this version */
};

/* What was in `known` before must not shine through. */
class OptionsRead : public testing::Test
{
  public:
    Options known{77, 77, 77};
    bool read(const void *given) { return hoya_options_read(&known, sizeof known, given); }
};

} // namespace

TEST_F(OptionsRead, NoStructMeansDefaults)
{
    EXPECT_TRUE(read(nullptr));
    EXPECT_EQ(known.size, 0u);
    EXPECT_EQ(known.first, 0u);
    EXPECT_EQ(known.second, 0u);
}

TEST_F(OptionsRead, AStructOfThisVersionIsTakenWhole)
{
    Options given{sizeof given, 1, 2};
    EXPECT_TRUE(read(&given));
    EXPECT_EQ(known.size, sizeof given);
    EXPECT_EQ(known.first, 1u);
    EXPECT_EQ(known.second, 2u);
}

TEST_F(OptionsRead, WhatAnOlderProgramDoesNotKnowIsZero)
{
    Options given{offsetof(Options, second), 1, 2};
    EXPECT_TRUE(read(&given));
    EXPECT_EQ(known.first, 1u);
    EXPECT_EQ(known.second, 0u);
}

TEST_F(OptionsRead, ASizeAndNothingElseMeansDefaults)
{
    size_t given = sizeof given;
    EXPECT_TRUE(read(&given));
    EXPECT_EQ(known.first, 0u);
    EXPECT_EQ(known.second, 0u);
}

TEST_F(OptionsRead, ANewerProgramThatAsksForNothingNewIsServed)
{
    Newer given{{offsetof(Newer, tail) + 5, 1, 2}, {}};
    EXPECT_TRUE(read(&given));
    EXPECT_EQ(known.first, 1u);
    EXPECT_EQ(known.second, 2u);
}

TEST_F(OptionsRead, ANewerProgramThatAsksForMoreIsRefused)
{
    for (int i = 0; i < 5; i++) {
        Newer given{{offsetof(Newer, tail) + 5, 1, 2}, {}};
        given.tail[i] = 1;
        EXPECT_FALSE(read(&given)) << "byte " << i;
    }
}

TEST_F(OptionsRead, BytesBehindTheSizeAreNotLookedAt)
{
    Newer given{{offsetof(Newer, tail) + 3, 1, 2}, {0, 0, 0, 1, 1}};
    EXPECT_TRUE(read(&given));
}

TEST_F(OptionsRead, ASizeThatWasNotSetIsRefused)
{
    for (size_t size = 0; size < sizeof(size_t); size++) {
        Options given{size, 1, 2};
        EXPECT_FALSE(read(&given)) << size;
    }
}
