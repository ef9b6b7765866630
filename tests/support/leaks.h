/* SPDX-License-Identifier: MIT
 *
 * support/leaks.h: a test leaves the process as it found it. After each test the library's live counts must be what they
 * were before it, and no more descriptors may be open. Both happens by itself; what is here is for two troubles with the
 * descriptors of other libraries, which open some when they are first used and keep them.
 */
#ifndef HOYA_TESTS_SUPPORT_LEAKS_H
#define HOYA_TESTS_SUPPORT_LEAKS_H

namespace hoya_test
{

/* From here on: what is alive now is what the running test has to come back to. */
void rebase_leaks();

/* More of the library's memory is alive than before the running test. */
bool has_more_memory();

/* Runs `warm_up` once, before the first test, so that what it opens is there from the beginning:
 *     static hoya_test::WarmUp glib([] { g_main_context_default(); }); */
struct WarmUp {
    explicit WarmUp(void (*warm_up)());
};

/* For main. */
void run_warm_ups();
void install_leak_checks();

} // namespace hoya_test

#endif
