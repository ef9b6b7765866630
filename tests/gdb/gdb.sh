#!/bin/sh
# gdb.sh PROGRAM: core/gdb/hoya.py lists the tasks of tests/gdb/tasks.c, in the running program and in its core file, and shows
# where each one waits. Afterwards gdb sees the thread as before.
set -eu
skip() { echo "skipped: $1"; exit 0; }
fail() { printf '%s\n' "$out"; echo "wanted: $1"; exit 1; }
command -v gdb >/dev/null || skip "there is no gdb"
program=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
printf 'set startup-with-shell off\nbreak stop_here\nrun\n' >"$dir/run"

in_gdb() { gdb -nx -batch -iex 'set debuginfod enabled off' -ex 'source core/gdb/hoya.py' "$@" 2>&1; }

wanted() # TEXT: a line of the output, as a basic regular expression
{
    printf '%s\n' "$out" | grep -q -- "$1" || fail "$1"
}

frames() # TASK: the functions of its backtrace that are the test's, or a stack's end
{
    printf '%s\n' "$out" | awk -v from="$1," 'index($0, from) == 1 { on = 1; next } on && !/^#/ { on = 0 } on' |
        sed -n 's/^#[0-9]* *\(0x[0-9a-f]* in \)\{0,1\}\([^ ]*\) .*/\2/p' |
        grep -x 'hoya_sleep\|hoya_wait_done\|sleep_long\|wait_for_it\|descend\|sleeper\|waiter\|hoya_context_start' | tr '\n' ' '
}

check()
{
    case $out in
    *"Cannot insert breakpoint"* | *ptrace* | *"Operation not permitted"*) skip "gdb may not run programs here" ;;
    *"Scripting in the \"Python\" language is not supported"*) skip "this gdb has no Python" ;;
    esac
    wanted '^loop 0x[0-9a-f]*: 4 tasks$'
    wanted '^  sleeping, sleeper: waits (sleep, 0x[0-9a-f]*)  (hoya_task \*) 0x'
    wanted '^  waiting, waiter: waits for sleeping  (hoya_task'
    wanted '^  looking, looker: runs  '
    wanted '^  late, sleeper: has not begun  '
    all=$(frames sleeping)
    [ "$all" = "hoya_sleep sleep_long descend descend descend descend sleeper hoya_context_start " ] ||
        fail "the frames of sleeping, not: $all"
    all=$(frames waiting)
    [ "$all" = "hoya_wait_done wait_for_it descend descend waiter hoya_context_start " ] ||
        fail "the frames of waiting, not: $all"
    wanted '^#4 .* in sleep_long (future='
    wanted ' end = [0-9]'
    wanted '^#0 .*stop_here'
    wanted 'hoya: late has not begun: there is no stack to look at'
    wanted 'hoya: looking runs: it is in the backtrace of its thread'
    wanted 'hoya: no task of the loops that run is called "nobody"'
    printf '%s\n' "$out" | grep -i 'corrupt\|?? ()\|Traceback\|Python Exception' && fail "no such line" || :
}

look() # GDB'S ARGUMENTS
{
    out=$(in_gdb "$@" -ex 'hoya tasks' -ex 'hoya bt' -ex 'hoya apply sleeping bt -full 7' -ex bt \
        -ex 'hoya bt late' -ex 'hoya bt looking' -ex 'hoya bt nobody') || :
    check
}

look "$program" -x "$dir/run"

# The kernel's core file, if it writes one here. (gdb's own, by generate-core-file, end at the guard of a stack.)
(cd "$dir" && ulimit -c unlimited && gdb -nx -batch -x run -ex 'signal SIGABRT' "$program" >gdb.log 2>&1) || :
core=$(find "$dir" -name 'core*')
if [ -s "$core" ]; then look "$program" "$core"; else echo "No core file was written here: that part was left out"; fi
