#!/bin/sh
# bench/test.sh: made figures get the verdicts that they deserve, and a wrong command line is an error.
set -eu
cd "$(dirname "$0")/.."
bad=0

# try VERDICT ROUNDS HOYA AGAIN [SLOW]: rounds in which libuv and the floor take 100 to 104, hoya HOYA times that (in
# every third one SLOW times as long), and the floor again, in every second round, AGAIN times that.
try()
{
    got=$(awk -v rounds="$2" -v hoya="$3" -v again="$4" -v slow="${5:-1}" 'BEGIN {
        for (i = 1; i <= rounds; i++) {
            v = 100 + i % 5
            print i, "w floor - m", v, "ns"
            print i, "w floor-again - m", i % 2 ? v : v * again, "ns"
            print i, "w hoya - m", v * hoya * (i % 3 ? 1 : slow), "ns"
            print i, "w libuv - m", v, "ns"
        }
    }' | awk -f bench/compare.awk | sed -n 's/.*hoya\/libuv.* //p')
    [ "$got" = "$1" ] || { echo "rounds $2, hoya $3, A/A $4: expected $1, got $got"; bad=1; }
}
try met 21 0.90 1
try met 9 1.02 1
try met 6 1.00 1
try undecided 9 1.00 1 1.20
try undecided 5 0.50 1 # no interval of 5 figures holds the median with 95 %
try MISSED 9 1.05 1
try undecided 9 1.05 1.10 # the floor differs more from itself
try MISSED 9 1.20 1.10

refused() # ARGUMENT...: status 2, and a sentence that says what was wrong
{
    status=0
    said=$(bench/run.sh --no-install "$@" 2>&1) || status=$?
    case $status,$said in "2,bench/run.sh: "*) ;; *) echo "run.sh $*: status $status: $said"; bad=1 ;; esac
}
refused nonsense
refused --nonsense
refused --rounds
refused --rounds many
exit $bad
