# compare.awk: reads lines "round workload impl params metric value unit" and prints, for each workload, parameter and
# metric, what each implementation took (the median), its ratio to the floor, and a verdict on hoya against libuv.
#
# Ratios are taken within a round, where the programs ran one after the other; the figure is the median of the rounds'
# ratios, and the interval covers it with at least 95 % (order statistics: the ranks between which the binomial
# distribution puts the median). A/A is the floor against itself, in the same rounds: what no difference looks like.
#
# The verdict: met, if the interval of hoya/libuv ends at 1.03 or below; missed, if it begins above 1.03 and beyond what
# A/A shows without any difference; else undecided. Fewer than 6 rounds have no such interval and decide nothing.

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
function median(row, impl,    i, n, list) {
    n = 0
    for (i = 1; i <= rounds; i++) if ((row, impl, i) in value) list[++n] = value[row, impl, i]
    if (!n) return -1
    sort_numbers(list, n)
    return middle(list, n)
}

{
    row = $2 " " $4 " " $5
    if (!(row in seen)) { seen[row] = 1; order[++count] = row; unit[row] = $7 }
    if (!($3 in known)) { known[$3] = 1; impls[++impl_count] = $3 }
    value[row, $3, $1] = $6
    if ($1 > rounds) rounds = $1
}

END {
    printf "%-22s %-10s %12s %8s  %-16s\n", "workload", "who", "median", "/floor", "95 %"
    for (c = 1; c <= count; c++) {
        row = order[c]
        noise = 0.03
        for (i = 1; i <= impl_count; i++) {
            m = median(row, impls[i])
            if (m < 0 || !compare(row, impls[i], "floor")) continue
            who = impls[i] == "floor-again" ? "A/A" : impls[i]
            if (who == "A/A") {
                if (high - 1 > noise) noise = high - 1
                if (1 - low > noise) noise = 1 - low
            }
            printf "%-22s %-10s %9.1f %s %8.2f  %.2f - %.2f\n", who == "floor" ? row : "", who, m, unit[row], ratio, low, high
        }
        for (i = 1; i <= impl_count; i++)
            if (impls[i] ~ /^hoya-/ && compare(row, impls[i], "hoya"))
                printf "%-22s %-10s %12s %8.2f  %.2f - %.2f\n", "", impls[i], "/native", ratio, low, high
        rounds_of = compare(row, "hoya", "libuv")
        if (rounds_of) {
            verdict = rounds_of < 6 ? "undecided" : high <= 1.03 ? "met" : low > 1 + noise ? "MISSED" : "undecided"
            tally[verdict]++
            printf "%-22s %-10s %12s %8.2f  %.2f - %.2f  %s\n\n", "", "hoya/libuv", "", ratio, low, high, verdict
        }
    }
    printf "hoya against libuv: %d met, %d undecided, %d missed\n", tally["met"], tally["undecided"], tally["MISSED"]
    exit tally["MISSED"] > 0
}
