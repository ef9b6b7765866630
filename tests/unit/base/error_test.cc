/* SPDX-License-Identifier: MIT
 *
 * unit/base/error_test.cc: codes, names, texts, and the detail of the last failure.
 */
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>
#include <thread>

#include <hoya/error.h>

namespace
{
struct Row {
    int code;
    const char *name, *text;
};
const Row rows[] = {
#define ROW(name, value, text) {name, #name, text},
    HOYA_ERRORS(ROW)
#undef ROW
};
} // namespace

TEST(Error, EachCodeHasANameAndATextOfItsOwn)
{
    std::set<int> codes;
    for (const Row &row : rows) {
        EXPECT_LT(row.code, 0);
        EXPECT_TRUE(codes.insert(row.code).second) << row.name << " stands for the same number as another";
        EXPECT_STREQ(hoya_error_name(row.code), row.name);
        EXPECT_STREQ(hoya_strerror(row.code), row.text);
    }
}

TEST(Error, TheSystemsCodesAreTheSystemsAndOursLieBelow4096)
{
    EXPECT_EQ(HOYA_EBUSY, -EBUSY);
    EXPECT_EQ(HOYA_ECANCELED, -ECANCELED);
    EXPECT_EQ(HOYA_ENOMEM, -ENOMEM);
    for (int code : {HOYA_EDEADLINE, HOYA_EEOF, HOYA_ESTATE, HOYA_ECLOSED, HOYA_ETHREAD, HOYA_ENOHOST, HOYA_ELIMIT,
                     HOYA_EAI_AGAIN, HOYA_EAI_BADFLAGS, HOYA_EAI_FAIL, HOYA_EAI_FAMILY, HOYA_EAI_IDN,
                     HOYA_EAI_NONAME, HOYA_EAI_OVERFLOW, HOYA_EAI_SERVICE, HOYA_EAI_SOCKTYPE})
        EXPECT_LT(code, -4096);
}

TEST(Error, ACodeOfTheSystemThatIsNotListedHasTheSystemsText)
{
    EXPECT_STREQ(hoya_strerror(-EXDEV), "Invalid cross-device link");
    EXPECT_STREQ(hoya_error_name(-EXDEV), "HOYA_E?");
    EXPECT_STREQ(hoya_strerror(-100000), "unknown error");
    EXPECT_STREQ(hoya_strerror(0), "success");
    EXPECT_STREQ(hoya_error_name(7), "HOYA_OK");
}

TEST(Error, TheDetailIsTheThreadsOwn)
{
    hoya_error_set(HOYA_EBUSY, "port %d is taken", 80);
    std::string other = "?";
    std::thread([&] { other = hoya_error_detail(); }).join();
    EXPECT_EQ(other, "");
    EXPECT_STREQ(hoya_error_detail(), "port 80 is taken");
}

TEST(Error, ALongDetailIsCutAndTheOldOneMayBePartOfTheNewOne)
{
    EXPECT_EQ(hoya_error_set(HOYA_EINVAL, "%s", std::string(400, 'x').c_str()), HOYA_EINVAL);
    EXPECT_EQ(hoya_error_detail(), std::string(255, 'x'));
    hoya_error_set(HOYA_EINVAL, "inner");
    hoya_error_set(HOYA_EINVAL, "outer: %s", hoya_error_detail());
    EXPECT_STREQ(hoya_error_detail(), "outer: inner");
}
