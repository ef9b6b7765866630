#!/bin/sh
# readme.sh: the programs in the READMEs are those of docs/examples, to the letter.
set -eu
cd "$(dirname "$0")"

shows() # README LANGUAGE PROGRAM
{
    awk -v begin="\`\`\`$2" '$0 == begin { on = 1; next } /^```$/ { on = 0 } on' "../../$1" | diff - "$3"
    echo "$1 shows $3"
}

shows README.md c hello.c
shows adapters/qt/README.md cpp qt_hello.cc
