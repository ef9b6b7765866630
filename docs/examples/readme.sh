#!/bin/sh
# readme.sh: the program in the README is docs/examples/hello.c, to the letter.
set -eu
cd "$(dirname "$0")"
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' ../../README.md | diff - hello.c && echo "the README shows hello.c"
