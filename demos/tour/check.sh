#!/bin/sh
# check.sh EXPECTED COMMAND...: the command ends well, in time, and prints that; or that it was skipped.
set -eu
expected=$1
shift
out=$(mktemp)
trap 'rm -f "$out"' EXIT
timeout 80 "$@" >"$out" || { rc=$?; cat "$out"; echo "$* ended with $rc"; exit 1; }
! grep '^skipped: ' "$out" || exit 0
diff -u "$expected" "$out"
