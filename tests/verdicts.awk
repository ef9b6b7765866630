# verdicts.awk: reads ctest's JUnit file and prints one line a test: "pass NAME", "fail NAME" or "skip NAME". A test is a
# googletest test, or an entry of ctest that is no googletest program. "again ENTRY" follows when a googletest program
# failed. What a failed test wrote goes to stderr.

function attribute(name)
{
    match($0, " " name "=\"[^\"]*\"")
    return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
}
function show(text)
{
    gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&quot;/, "\"", text); gsub(/&apos;/, "'", text)
    gsub(/&amp;/, "\\&", text)
    printf "%s", text >"/dev/stderr"
}
function finish(verdict)
{
    print verdict, running
    if (verdict == "fail") { show(written); failed = 1 }
    running = written = ""
}

/^\t<testcase / {
    entry = attribute("name"); status = attribute("status")
    programs = failed = meant = 0
    running = written = ""
    next
}
/<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/ { meant = 1; next }
/^\t<\/testcase>/ {
    if (running != "") finish("fail")
    if (status == "run") { if (!programs) print "pass", entry }
    else if (meant) print "skip", entry
    else if (!failed) { print "fail", entry; show("[  FAILED  ] " entry "\n" written) }
    if (status == "fail" && programs) print "again", entry
    next
}
{
    sub(/^\t\t<system-out>/, ""); sub(/<\/system-out>$/, "")
    written = written $0 "\n"
}
/\[==========\] Running / { programs = 1; written = "" }
/\[ RUN      \] / { running = $0; sub(/.*\[ RUN      \] /, "", running); written = $0 "\n" }
running != "" && /\[       OK \] / { finish("pass") }
running != "" && /\[  SKIPPED \] .*\([0-9]+ ms\)$/ { finish("skip") }
running != "" && /\[  FAILED  \] .*\([0-9]+ ms\)$/ { finish("fail") }
