/* SPDX-License-Identifier: MIT
 *
 * support/main.cc: the main of every test program. Lists tests without building anything up, checks each test for leaks,
 * and takes no tests at all (a filter that names none, a file that fell out of the build) for a failure.
 */
#include "support/leaks.h"

#include <cstdio>

#include <gtest/gtest.h>

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();

    GTEST_FLAG_SET(death_test_style, "threadsafe");
    hoya_test::run_warm_ups();
    hoya_test::install_leak_checks();
    int rc = RUN_ALL_TESTS();
    if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
        fprintf(stderr, "no test matches %s\n", GTEST_FLAG_GET(filter).c_str());
        rc = 1;
    }
    return rc;
}
