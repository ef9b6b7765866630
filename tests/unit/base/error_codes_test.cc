/* SPDX-License-Identifier: MIT
 *
 * unit/base/error_codes_test.cc: codes by the system's own names, codes that nobody knows, and the detail of the
 * last failure to the byte, in each thread.
 */
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <thread>

#include "unit/base/own_memory.h"

extern "C" {
#include "base/error.h"
}

using namespace hoya_test;

namespace
{

struct Row {
    const char *name;
    int code;
    const char *text;
};

const Row rows[] = {
#define ROW(name, value, text) {#name, name, text},
    HOYA_ERRORS(ROW)
#undef ROW
};

constexpr int unknown = -100000;

} // namespace

TEST(ErrorCodes, NoTwoCodesAreTheSame)
{
    std::set<int> codes;
    std::set<std::string> texts;
    for (const Row &row : rows) {
        EXPECT_TRUE(codes.insert(row.code).second) << row.name;
        EXPECT_TRUE(texts.insert(row.text).second) << row.name;
    }
}

TEST(ErrorCodes, ACodeOfTheSystemIsItsErrnoWithAMinus)
{
    for (const Row &row : rows) {
        if (row.code < -4096 || row.code == HOYA_ENOTSUP) continue;
        const char *name = strerrorname_np(-row.code);
        ASSERT_NE(name, nullptr) << row.name;
        EXPECT_EQ(row.name, std::string("HOYA_") + name);
    }
    EXPECT_EQ(HOYA_ENOTSUP, -ENOTSUP) << "which the system knows as EOPNOTSUPP";
    EXPECT_EQ(HOYA_EBUSY, -EBUSY);
}

TEST(ErrorCodes, WhatIsNotNegativeIsSuccess)
{
    for (int code : {0, 1, EBUSY, INT32_MAX}) {
        EXPECT_STREQ(hoya_strerror(code), "success");
        EXPECT_STREQ(hoya_error_name(code), "HOYA_OK");
    }
}

TEST(ErrorCodes, ACodeThatNobodyKnowsHasAWordToo)
{
    EXPECT_STREQ(hoya_strerror(unknown), "unknown error");
    EXPECT_STREQ(hoya_error_name(unknown), "HOYA_E?");
}

TEST(ErrorCodes, SettingADetailReturnsTheCode)
{
    EXPECT_EQ(hoya_error_set(HOYA_EBUSY, "port %d is taken by %s", 80, "httpd"), HOYA_EBUSY);
    EXPECT_STREQ(hoya_error_detail(), "port 80 is taken by httpd");
    EXPECT_EQ(hoya_error_set(unknown, "%s", ""), unknown);
    EXPECT_STREQ(hoya_error_detail(), "");
}

TEST(ErrorCodes, ADetailIsCutAt255Bytes)
{
    std::string text(255, 'x');
    hoya_error_set(HOYA_EINVAL, "%s", text.c_str());
    EXPECT_EQ(hoya_error_detail(), text);
    hoya_error_set(HOYA_EINVAL, "%sy%s", text.c_str(), text.c_str());
    EXPECT_EQ(hoya_error_detail(), text);
}

TEST(ErrorCodes, TheOldDetailMayBePartOfTheNewOne)
{
    hoya_error_set(HOYA_EBADF, "descriptor %d", 7);
    hoya_error_set(HOYA_EBADF, "reader: %s, %s", hoya_error_detail(), hoya_error_detail());
    EXPECT_STREQ(hoya_error_detail(), "reader: descriptor 7, descriptor 7");
}

TEST(ErrorCodes, EachThreadHasItsOwnDetail)
{
    hoya_error_set(HOYA_EBUSY, "of the main thread");
    std::string at_first = "?", later;
    std::thread([&] {
        at_first = hoya_error_detail();
        hoya_error_set(HOYA_EINVAL, "of the other thread");
        later = hoya_error_detail();
    }).join();
    EXPECT_EQ(at_first, "");
    EXPECT_EQ(later, "of the other thread");
    EXPECT_STREQ(hoya_error_detail(), "of the main thread");
}

TEST(ErrorCodes, ACallThatSucceedsLeavesTheDetail)
{
    hoya_error_set(HOYA_EBUSY, "the last failure");
    hoya_selector *selector = nullptr;
    ASSERT_EQ(hoya_selector_new(nullptr, &selector), 0);
    hoya_selector_free(selector);
    EXPECT_STREQ(hoya_error_detail(), "the last failure");
}

TEST(ErrorCodes, AFailedSystemCallIsNamedWithItsReason)
{
    errno = EMFILE;
    EXPECT_EQ(hoya_error_errno("eventfd"), HOYA_EMFILE);
    EXPECT_EQ(std::string(hoya_error_detail()), std::string("eventfd: ") + hoya_strerror(HOYA_EMFILE));
    errno = EXDEV; /* not in our list */
    EXPECT_EQ(hoya_error_errno("connect"), -EXDEV);
    EXPECT_EQ(std::string(hoya_error_detail()), std::string("connect: ") + strerrordesc_np(EXDEV));
}

TEST(ErrorCodes, WantOfMemoryIsSaidWithoutMemory)
{
    OwnMemory memory;
    memory.granted = 0;
    hoya_error_set(HOYA_EBUSY, "before");
    EXPECT_EQ(hoya_error_nomem(), HOYA_ENOMEM);
    EXPECT_STREQ(hoya_error_detail(), "out of memory");
    EXPECT_EQ(memory.requests, 0);
}
