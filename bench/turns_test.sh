#!/bin/sh
# bench/turns_test.sh BENCH-TURNS: programs take turns, all of what they print comes, and who fails is told.
set -eu
turns=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0

check() # WHAT EXPECTED GOT
{
    [ "$2" = "$3" ] || { echo "$1: expected \"$2\", got \"$3\""; bad=1; }
}
ends_with() # STATUS ARGUMENT...
{
    wanted=$1 status=0
    shift
    "$turns" "$@" >"$folder/out" 2>"$folder/errors" || status=$?
    check "status of $*" "$wanted" "$status"
}

ends_with 0 5 one sh -c 'sleep 0.05; echo 1 2; echo 3' -- two echo 4
check "what they print" "one 1 2,one 3,two 4" "$(paste -s -d , "$folder/out")"

# Each writes a line when it is ready, one again and again, for which one slice is too short, and one when all are done.
# shellcheck disable=SC2016 # for the shell that is started
lines='exec >>"$1"; echo ready; kill -STOP $$; i=0; while [ $i -lt 5000 ]; do echo $0; i=$((i + 1)); done; kill -STOP $$; echo done'
ends_with 0 1 a sh -c "$lines" a "$folder/lines" -- b sh -c "$lines" b "$folder/lines"
check "lines" 10004 "$(wc -l <"$folder/lines")"
check "ready" "ready ready" "$(head -n 2 "$folder/lines" | paste -s -d ' ')"
check "done" "done done" "$(tail -n 2 "$folder/lines" | paste -s -d ' ')"
[ "$(uniq "$folder/lines" | wc -l)" -gt 4 ] || { echo "they did not take turns"; bad=1; }

ends_with 1 5 one true -- two false
grep -q two "$folder/errors" || { echo "nobody says who failed: $(cat "$folder/errors")"; bad=1; }
ends_with 1 5 one "$folder/nothing"
# shellcheck disable=SC2016 # for the shell that is started
ends_with 1 5 one sh -c 'echo $$ >"$0"; kill -STOP $$; sleep 60' "$folder/pid" -- two sh -c 'sleep 0.3; exit 3'
kill -0 "$(cat "$folder/pid")" 2>/dev/null && { echo "the others stay"; bad=1; }
ends_with 2
ends_with 2 0 one true
ends_with 2 5 one
exit $bad
