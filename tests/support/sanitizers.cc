/* SPDX-License-Identifier: MIT
 *
 * support/sanitizers.cc: what the sanitizers look for, in every test program and however it is started. The environment
 * has the last word: ASAN_OPTIONS=detect_leaks=0 is needed under strace and gdb.
 */
extern "C" {
const char *__asan_default_options();
const char *__ubsan_default_options();
const char *__tsan_default_options();
const char *__tsan_default_suppressions();
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

/* What these two order by locks of their own the sanitizer does not see, since they were built without it. Their own calls
 * of the C library only: callbacks that they call are looked at. */
const char *__tsan_default_suppressions()
{
    return "called_from_lib:libglib-2.0.so\ncalled_from_lib:libQt5Core.so\n";
}
