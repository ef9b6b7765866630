#!/bin/sh
# valgrind.sh PROGRAM FILTER: tests of a program of googletest's under valgrind, which finds no error and no leak in them.
set -eu
command -v valgrind >/dev/null || { echo "skipped: there is no valgrind"; exit 0; }
# What googletest and the C++ library keep until the end can be reached then.
exec valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,possible \
    --show-leak-kinds=definite,possible "$1" "--gtest_filter=$2"
