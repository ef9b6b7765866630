/* SPDX-License-Identifier: MIT
 *
 * support/sanitizers.cc: what the sanitizers look for, in every test program and however it is started. The environment
 * has the last word: ASAN_OPTIONS=detect_leaks=0 is needed under strace and gdb.
 */
#include "support/leaks.h"

#include <cstddef>

extern "C" {
const char *__asan_default_options();
const char *__ubsan_default_options();
const char *__tsan_default_options();
const char *__tsan_default_suppressions();
void __tsan_acquire(void *address) __attribute__((weak));
void __sanitizer_symbolize_pc(void *address, const char *format, char *text, size_t size) __attribute__((weak));
}

/* A suppression by function starts the symbolizer, which keeps two pipes: before the first test, not in one. */
static hoya_test::WarmUp symbolizer([] {
    char text[256];
    void *here = __builtin_return_address(0);
    if (__tsan_acquire && __sanitizer_symbolize_pc) __sanitizer_symbolize_pc(here, "%f", text, sizeof text);
});

const char *__asan_default_options()
{
    /* What a test frees fits in 16 MB and is noticed until its end; with more, each fork has more to copy. */
    return "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=16";
}

const char *__ubsan_default_options()
{
    return "print_stacktrace=1";
}

const char *__tsan_default_options()
{
    /* A forked child makes threads of its own: a pool. */
    return "halt_on_error=1:second_deadlock_stack=1:die_after_fork=0";
}

/* What GLib and Qt order by locks of their own the sanitizer does not see, since they were built without it. Their own
 * calls of the C library only: callbacks that they call are looked at. And what their threads hand over by such a lock:
 * the text of a GError, read where it becomes a code, and a QFuture's result. */
const char *__tsan_default_suppressions()
{
    return "called_from_lib:libglib-2.0.so\ncalled_from_lib:libgobject-2.0.so\ncalled_from_lib:libgio-2.0.so\n"
           "called_from_lib:libQt5Core.so\nrace:^hoya_gio_error$\nrace:^QFuture<*>::result\n";
}
