#!/bin/sh
# statements.sh [TESTS]: which tests hold which statement? A test names what it holds in the line above it:
#     // Holds: S1 F4
#     TEST_P(LoopConformance, ...)
# Prints a table of all items of statements.txt, and fails for a required item without a test, for a name that is not in
# the list, and for such a line that stands above something else than a test.
#
# A fault (F) has to be tried on every host. On which one a test runs, its fixture tells; for a host that is missing
# statements.txt gives the reason in the lines below the fault: "    except native libuv: their loops do not nest".
set -eu
cd "${1:-$(dirname "$0")}"

awk '
    function wrong(why) { problems = problems FILENAME ":" FNR ": " why "\n"; bad = 1 }
    function hosts_of(test) {
        if (test ~ /^(Loop|Task|Run|Executor)Conformance[.]/) return all_hosts
        if (test ~ /^GuestConformance[.]/) return "poll_host glib qt qt_noglib libuv"
        if (test ~ /^Nesting(Task)?Conformance[.]/) return "poll_host glib qt qt_noglib"
        if (test ~ /^(Glib|Gio|GObject)Conformance[.]/) return "glib"
        if (test ~ /^Qt(5|(Await)?Conformance)[.]/) return "qt qt_noglib"
        if (test ~ /^UvConformance[.]/) return "libuv"
        return ""                                          # looks inside, or plays the host itself
    }
    function runs_on(id, test,    i, host) {
        for (i = split(hosts_of(test), host, " "); i > 0; i--) tried[id, host[i]] = 1
    }
    function holds(test,    i) {
        for (i = 1; i <= count; i++) if (!((item[i], test) in seen)) {
            seen[item[i], test] = 1
            tests[item[i]] = tests[item[i]] (tests[item[i]] == "" ? "" : ", ") test
            runs_on(item[i], test)
        }
        count = 0
    }

    # "except HOST...: REASON" below a fault.
    function except(id,    i, host, words) {
        words = $0
        sub(/:.*/, "", words)
        reasons[id] = reasons[id] "; not" substr($0, index($0, "except") + 6)
        if (id !~ /^F/ || $0 !~ /: ./) wrong("only a fault has exceptions, each with its reason")
        for (i = split(words, host, " "); i > 1; i--) {
            if (!index(" " all_hosts " ", " " host[i] " ")) wrong("there is no host \"" host[i] "\"")
            excepted[id, host[i]] = 1
        }
    }
    # The hosts on which the fault was tried, then why not on the others.
    function where(id,    i, host, list) {
        split(all_hosts, host, " ")
        for (i = 1; i in host; i++) {
            if ((id, host[i]) in tried) list = list " " host[i]
            if (!later[id] && ((id, host[i]) in tried) == ((id, host[i]) in excepted))
                gap(id ": " host[i] ((id, host[i]) in tried ? " is excepted, and tried" : ": no test runs there"))
        }
        return substr(list reasons[id], list == "" ? 3 : 2)
    }
    function gap(text) { problems = problems text "\n"; gaps++; bad = 1 }

    BEGIN { all_hosts = "native poll_host glib qt qt_noglib libuv" }
    FILENAME == "statements.txt" && $1 == "except" { except(order[items]); next }
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
            print text[id] (id ~ /^F/ ? " | " where(id) : "") " | " tests[id]
            if (tests[id] == "" && !later[id]) gap(id ": no test holds it")
        }
        printf "\n%d statements and faults, %d gaps\n%s", items, gaps, problems
        exit bad
    }' statements.txt $(find . -name '*.cc' | sort)
