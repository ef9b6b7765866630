#!/bin/sh
# aarch64.sh: builds the coroutines and their test for aarch64 with whatever cross compiler there is, gcc or clang, and runs
# it in qemu's user emulation.
set -eu
cd "$(dirname "$0")/../.."

skip() { echo "skipped: $1"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for qemu in qemu-aarch64-static qemu-aarch64 ''; do command -v "$qemu" >/dev/null && break; done
[ -n "$qemu" ] || skip "there is no qemu-aarch64"
cc=
try() # COMPILER OPTION...: does it make programs for aarch64?
{
    [ -z "$cc" ] && command -v "$1" >/dev/null || return 0
    echo '#include <stdio.h>
int main(void) { return puts("") < 0; }' | "$@" -static -x c - -o "$work/try" 2>/dev/null && cc="$*" || :
}
try aarch64-linux-gnu-gcc
try aarch64-linux-gnu-gcc-12
try clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include
[ -n "$cc" ] || skip "there is no compiler for aarch64"

# HOYA_LIBC names the twin for any C library; the others are what CMake would choose.
for options in -O0 "-O2 -mbranch-protection=standard"; do
    $cc $options -static -std=c11 -Wall -Wextra -Werror -D_GNU_SOURCE -Icore -Icore/include \
        '-DHOYA_CONTEXT="task/context_asm.h"' '-DHOYA_ANNOTATE="task/annotate_none.h"' \
        '-DHOYA_VALGRIND="task/valgrind_none.h"' '-DHOYA_SYS_CALLS="base/sys_direct.h"' '-DHOYA_LIBC="base/libc_gnu.h"' \
        -DHOYA_THREAD_SELF=pthread_self -DHOYA_CHECKS=1 -o "$work/switch" \
        tests/switch/switch.c tests/switch/registers_aarch64.S core/task/context_aarch64.S core/task/stack.c \
        core/task/fiber.c core/task/coroutine.c core/base/alloc.c core/base/error.c core/base/fd.c core/base/fork.c core/base/log.c \
        -pthread -lm
    echo "$cc $options"
    "$qemu" "$work/switch"
done
