#!/bin/sh
# gdb.sh PROGRAM: a backtrace in a coroutine ends where its stack does: in the function that the switch begins with, without
# guesses of gdb's about who called that. So does one in a call on the thread's stack, which goes on in the caller's.
set -eu
skip() { echo "skipped: $1"; exit 0; }
command -v gdb >/dev/null || skip "there is no gdb"

look() # PLACE FUNCTION...: stops there; which functions are in the backtrace, in this order, and the last one at its end?
{
    place=$1
    shift
    out=$(gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'set startup-with-shell off' -ex "break $place" -ex run \
        -ex bt "$program" 2>&1) || :
    case $out in
    *"Cannot insert breakpoint"* | *ptrace* | *"Operation not permitted"*) skip "gdb may not run programs here" ;;
    esac
    frames=$(echo "$out" | sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\{0,1\}\([^ ]*\) .*/\2/p')
    seen=$(for name in $frames; do for wanted in "$@"; do [ "$name" != "$wanted" ] || printf '%s ' "$name"; done; done)
    [ "$seen" = "$* " ] && [ "$(echo "$frames" | tail -n 1)" = hoya_context_start ] &&
        ! echo "$out" | grep -i 'corrupt\|?? ()\|Backtrace stopped' || { echo "$out"; echo "wanted: $*"; exit 1; }
}

program=$1
look stop_here stop_here count hoya_context_start
look stop_there stop_there visit hoya_call_on_thread_stack visitor hoya_context_start
