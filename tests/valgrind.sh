#!/bin/sh
# valgrind.sh PROGRAM FILTER [OPTION]...: tests of a program of googletest's under valgrind, which finds no error and no
# leak in them.
set -eu
command -v valgrind >/dev/null || { echo "skipped: there is no valgrind"; exit 0; }
program=$1 filter=$2
shift 2
# What googletest and the C++ library keep until the end can be reached then.
exec valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,possible \
    --show-leak-kinds=definite,possible "$program" "--gtest_filter=$filter" "$@"
