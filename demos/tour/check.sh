#!/bin/sh
# check.sh PROGRAM EXPECTED: the program ends well, within a minute, and prints that.
set -eu
out=$(mktemp)
trap 'rm -f "$out"' EXIT
timeout 60 "$1" >"$out" || { rc=$?; cat "$out"; echo "$(basename "$1") ended with $rc"; exit 1; }
diff -u "$2" "$out"
