#!/bin/sh
# gdb.sh PROGRAM: a backtrace in a coroutine ends where its stack does: in the function that the switch begins with, without
# guesses of gdb's about who called that.
set -eu
skip() { echo "skipped: $1"; exit 0; }
command -v gdb >/dev/null || skip "there is no gdb"

out=$(gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'set startup-with-shell off' -ex 'break stop_here' -ex run \
    -ex bt "$1" 2>&1) || :
case $out in
*"Cannot insert breakpoint"* | *ptrace* | *"Operation not permitted"*) skip "gdb may not run programs here" ;;
esac
last=$(echo "$out" | grep '^#' | tail -n 1)
case $last in
*"hoya_context_start"*) ;;
*) echo "$out"; echo "The backtrace does not end in hoya_context_start."; exit 1 ;;
esac
echo "$out" | grep '^#' | grep -q ' count ' || { echo "$out"; echo "The coroutine's function is not in it."; exit 1; }
! echo "$out" | grep -i 'corrupt\|?? ()\|Backtrace stopped' || exit 1
