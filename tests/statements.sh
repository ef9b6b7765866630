#!/bin/sh
# statements.sh [TESTS]: which tests hold which statement? A test names what it holds in the line above it:
#     // Holds: S1 F4
#     TEST_P(LoopConformance, ...)
# Prints a table of all items of statements.txt, and fails for a required item without a test, for a name that is not in
# the list, and for such a line that stands above something else than a test.
set -eu
cd "${1:-$(dirname "$0")}"

awk '
    function wrong(why) { problems = problems FILENAME ":" FNR ": " why "\n"; bad = 1 }
    function holds(test,    i) {
        for (i = 1; i <= count; i++) if (!((item[i], test) in seen)) {
            seen[item[i], test] = 1
            tests[item[i]] = tests[item[i]] (tests[item[i]] == "" ? "" : ", ") test
        }
        count = 0
    }

    FILENAME == "statements.txt" {
        if ($1 == "later") { later[$2] = 1; sub(/^later /, "") }
        if ($1 ~ /^[SF][0-9]+$/) { order[++items] = $1; text[$1] = $0 }
        else if (NF && $1 !~ /^#/) wrong("neither an item nor a comment")
        next
    }
    FNR == 1 && count { wrong("the file before ends with a Holds line"); count = 0 }
    macro != "" { macro = macro $0 }                       # a macro that goes on
    macro == "" && /^[ \t]*\/\/ Holds:/ {
        sub(/^[ \t]*\/\/ Holds:/, ""); gsub(/,/, " ")
        for (i = split($0, word, " "); i > 0; i--)
            if (word[i] in text) item[++count] = word[i]; else wrong(word[i] " is not in statements.txt")
        next
    }
    macro == "" && /^[ \t]*(TYPED_)?TEST(_F|_P)?\(/ { macro = $0 }
    macro != "" {
        if (macro !~ /\)/) next
        sub(/^[^(]*\([ \t]*/, "", macro); sub(/[ \t]*\).*/, "", macro); sub(/[ \t]*,[ \t]*/, ".", macro)
        if (macro !~ /DISABLED_/) holds(macro)
        count = 0; macro = ""
        next
    }
    count { wrong("a Holds line that is not followed by a test"); count = 0 }

    END {
        if (count) wrong("a Holds line that is not followed by a test")
        for (i = 1; i <= items; i++) {
            id = order[i]
            print text[id] " | " tests[id]
            if (tests[id] == "" && !later[id]) { problems = problems id ": no test holds it\n"; gaps++; bad = 1 }
        }
        printf "\n%d statements and faults, %d without a test\n%s", items, gaps, problems
        exit bad
    }' statements.txt $(find . -name '*.cc' | sort)
