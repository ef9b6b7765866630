#!/bin/sh
# compare.sh SCENARIO WITH WITHOUT REPORT [TOOL...]: the program that tells its tool everything is fine under it; the one
# that leaves out a piece ends with a report that names REPORT. So the piece is needed, and does what it is for.
set -eu
scenario=$1 with=$2 without=$3 report=$4
shift 4
if [ $# -gt 0 ]; then
    command -v "$1" >/dev/null || { echo "skipped: there is no $1"; exit 0; }
fi
# Marks are of real stacks; where a tool has stacks of its own there are none.
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0 TSAN_OPTIONS=halt_on_error=1

out=$("$@" "$with" "$scenario" 2>&1) || { echo "$out"; echo "With everything told it failed."; exit 1; }
[ "$out" = "$scenario: fine" ] || { echo "$out"; echo "With everything told there is something to say."; exit 1; }
status=0
out=$("$@" "$without" "$scenario" 2>&1) || status=$?
[ $status != 0 ] || { echo "$out"; echo "It works without: nothing is tested here."; exit 1; }
case $out in
*$report*) echo "without it, status $status: $report" ;;
*) echo "$out"; echo "status $status, but nothing of \"$report\""; exit 1 ;;
esac
