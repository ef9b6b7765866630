/* SPDX-License-Identifier: MIT
 *
 * support/sanitizers.cc: what the sanitizers look for, in every test program and however it is started. The environment
 * has the last word: ASAN_OPTIONS=detect_leaks=0 is needed under strace and gdb.
 */
extern "C" {
const char *__asan_default_options();
const char *__ubsan_default_options();
const char *__tsan_default_options();
}

const char *__asan_default_options()
{
    return "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1";
}

const char *__ubsan_default_options()
{
    return "print_stacktrace=1";
}

const char *__tsan_default_options()
{
    return "halt_on_error=1:second_deadlock_stack=1";
}
