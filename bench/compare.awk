# compare.awk: reads lines "round workload impl params metric value unit" and prints, for each workload, parameter and
# metric, what each implementation took (the median), its ratio to the first one of the row, and verdicts.
#
# Ratios are taken within a round, where the programs ran one after the other, or in turns; the figure is the median of the rounds'
# ratios, and the interval covers it with at least 95 % (order statistics: the ranks between which the binomial
# distribution puts the median). A/A is the first one against itself, in the same rounds: what no difference looks like.
#
# Verdicts, each met, MISSED or undecided; fewer than 6 rounds have no such interval and decide nothing.
# Where the floor is the first: hoya against libuv. Met, if the interval ends at 1.03 or below; missed, if it begins above
# 1.03 and beyond what A/A shows without any difference.
# Connections where the floor is the first: the processor time of hoya's server, by the same rule, with 1.05 of the floor's;
# with a task for each connection 1.15.
# System calls a request and bytes of an idle connection are counted: met or MISSED by what hoya's figures are.
# Guests against native, by the time in all. At one connection: met, if the interval ends at the bound or below; missed, if
# it begins above the bound, and beyond A/A. At more: met, if the ratio itself lies within A/A's interval or below; missed, if
# all of its interval lies above.
# Coroutines: hoya's switch against the bare one, and against Boost's; hoya's await and spawn against its own switch, lock
# and handover against the bare one, which are the first of their rows ("measure", "bare"). Met, if the interval ends at
# the bound or below; missed, if it begins above it and beyond A/A.

function sort_numbers(list, n,    i, j, v) {
    for (i = 2; i <= n; i++) {
        v = list[i]
        for (j = i - 1; j >= 1 && list[j] > v; j--) list[j + 1] = list[j]
        list[j + 1] = v
    }
}
function middle(list, n) { return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2 }
# The largest rank r for which [list[r], list[n + 1 - r]] covers the median with 95 %; 1 if so few rounds cannot.
function rank(n,    r, k, tail, term) {
    r = 1
    tail = term = 0.5 ^ n
    for (k = 1; k < n / 2; k++) {
        if (2 * tail > 0.05) break
        r = k
        term = term * (n - k + 1) / k
        tail += term
    }
    return r
}
# Fills ratio, low, high: a against b in this row.
function compare(row, a, b,    i, n, list, r) {
    n = 0
    for (i = 1; i <= rounds; i++)
        if ((row, a, i) in value && (row, b, i) in value && value[row, b, i] > 0)
            list[++n] = value[row, a, i] / value[row, b, i]
    if (!n) return 0
    sort_numbers(list, n)
    r = rank(n)
    ratio = middle(list, n); low = list[r]; high = list[n + 1 - r]
    return n
}
# What the ratio may be at one connection.
function bound_of(impl) { return impl ~ /-owner$/ ? 1.1 : impl == "hoya-glib" ? 1.2 : 1.15 }
# What a coroutine or a task may cost, in bare switches, and in hoya's.
function bound_in_switches(row)
{
    return row ~ /^switch / ? 1.3 : row ~ /^await / ? 1.5 : row ~ /^spawn / ? 12 : row ~ /^lock / ? 2 : row ~ /^handover / ? 8 : 0
}
# What one thing may be of which there is no first: system calls a request, bytes a connection. A hundredth of a call a
# request is for what comes once.
function is_counted(row) { return row ~ /^(calls|memory|stream-memory) / }
function bound_of_count(row)
{
    return row ~ / other$/ ? 0.01 : row ~ /^calls / ? 1.01 : row ~ /^memory .* heap$/ ? 270 : 0
}
function sum(what, tally) {
    if (tally["met"] + tally["undecided"] + tally["MISSED"])
        printf "%s: %d met, %d undecided, %d missed\n", what, tally["met"], tally["undecided"], tally["MISSED"]
}
function judge(n, good, bad) { return n < 6 ? "undecided" : good ? "met" : bad ? "MISSED" : "undecided" }
function judge_guest(n, row, impl) {
    if (row ~ / 1 /) return judge(n, high <= bound_of(impl), low > bound_of(impl) && low > 1 + noise)
    return judge(n, ratio <= 1 + noise, low > 1 + noise)
}
function print_counted(row,    i, impl, m, bound, verdict) {
    bound = bound_of_count(row)
    for (i = 1; i <= impl_count[row]; i++) {
        impl = impls[row, i]
        m = median(row, impl)
        verdict = ""
        if (impl ~ /^hoya/ && bound) {
            verdict = m <= bound ? "met" : "MISSED"
            counted[verdict]++
        }
        printf "%-25s %-20s %9.2f %-4s %24s%s\n", i == 1 ? row : "", impl, m, unit[row], "", verdict
    }
    print ""
}
function median(row, impl,    i, n, list) {
    n = 0
    for (i = 1; i <= rounds; i++) if ((row, impl, i) in value) list[++n] = value[row, impl, i]
    if (!n) return -1
    sort_numbers(list, n)
    return middle(list, n)
}

{
    row = $2 " " $4 " " $5
    if (!(row in seen)) { seen[row] = 1; order[++count] = row; unit[row] = $7; first[row] = $3 }
    if (!((row, $3) in known)) { known[row, $3] = 1; impls[row, ++impl_count[row]] = $3 }
    value[row, $3, $1] = $6
    if ($1 > rounds) rounds = $1
}

END {
    printf "%-25s %-20s %12s %8s  %-16s\n", "workload", "who", "median", "/first", "95 %"
    for (c = 1; c <= count; c++) {
        row = order[c]
        if (is_counted(row)) {
            print_counted(row)
            continue
        }
        noise = 0
        if (compare(row, first[row] "-again", first[row])) noise = high - 1 > 1 - low ? high - 1 : 1 - low
        for (i = 1; i <= impl_count[row]; i++) {
            impl = impls[row, i]
            m = median(row, impl)
            if (m < 0 || !(n = compare(row, impl, first[row]))) continue
            verdict = ""
            if (row ~ /^(guests|guest-connections) .* request$/ && impl ~ /^hoya-/ && impl !~ /-again$/) {
                verdict = "  " judge_guest(n, row, impl)
                guests[substr(verdict, 3)]++
            }
            if (row ~ /^(connections|streams) .* server-cpu$/ && impl ~ /^hoya/) {
                bound = row ~ /^streams/ ? 1.15 : 1.05
                verdict = "  " judge(n, high <= bound, low > bound && low > 1 + noise)
                connections[substr(verdict, 3)]++
            }
            if (impl == "hoya" && (bound = bound_in_switches(row))) {
                verdict = "  " judge(n, high <= bound, low > bound && low > 1 + noise)
                coroutines[substr(verdict, 3)]++
            }
            printf "%-25s %-20s %9.1f %s %8.2f  %.2f - %.2f%s\n", impl == first[row] ? row : "",
                impl ~ /-again$/ ? "A/A" : impl, m, unit[row], ratio, low, high, verdict
        }
        # A guest against its host alone.
        for (i = 1; i <= impl_count[row]; i++) {
            impl = impls[row, i]
            alone = substr(impl, 6)
            if (impl ~ /^hoya-/ && compare(row, impl, alone))
                printf "%-25s %-20s %12s %8.2f  %.2f - %.2f\n", "", impl "/" alone, "", ratio, low, high
        }
        n = first[row] == "floor" ? compare(row, "hoya", "libuv") : 0
        if (n) {
            verdict = judge(n, high <= 1.03, low > 1.03 && low > 1 + noise)
            peers[verdict]++
            printf "%-25s %-20s %12s %8.2f  %.2f - %.2f  %s\n", "", "hoya/libuv", "", ratio, low, high, verdict
        }
        if (bound_in_switches(row) && (n = compare(row, "hoya", "boost")) && row ~ /^switch /) {
            verdict = judge(n, high < 1, low > 1 && low > 1 + noise)
            coroutines[verdict]++
            printf "%-25s %-20s %12s %8.2f  %.2f - %.2f  %s\n", "", "hoya/boost", "", ratio, low, high, verdict
        }
        print ""
    }
    sum("hoya against libuv", peers)
    sum("guests against native", guests)
    sum("connections against the floor", connections)
    sum("calls and memory", counted)
    sum("coroutines and tasks", coroutines)
    exit peers["MISSED"] + guests["MISSED"] + connections["MISSED"] + counted["MISSED"] + coroutines["MISSED"] > 0
}
