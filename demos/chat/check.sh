#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# check.sh PROGRAM HOST: socat and netcat talk to each other through the chat server under one host; what each of them has seen
# is compared, line by line. Then one does not read, and is dropped, while another writes some megabytes.
#
# Everybody waits for what he wants to see before anybody goes on, so nothing depends on how fast the machine is.
set -euo pipefail

program=$1 host=$2
command -v socat >/dev/null || { echo "skipped: socat is missing"; exit 0; }
[[ $(nc -h 2>&1) == *-N* ]] || { echo "skipped: netcat-openbsd is missing"; exit 0; }
tmp=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; wait 2>/dev/null || :; rm -rf "$tmp"' EXIT

die() {
    echo "chat: $*" >&2
    tail -n 20 "$tmp"/*.seen >&2 || :
    exit 1
}

waits_for() { # waits_for NAME TEXT: until he sees that line
    for _ in {1..600}; do
        ! grep -qxF -- "$2" "$tmp/$1.seen" 2>/dev/null || return 0
        sleep 0.05
    done
    die "$1 waited in vain for \"$2\""
}

comes() { # comes NAME PROGRAM OPTION...: a client, who says what is written to $tmp/NAME
    local name=$1
    shift
    mkfifo "$tmp/$name"
    "$@" <"$tmp/$name" >"$tmp/$name.seen" &
    pids+=($!)
    exec {fd}>"$tmp/$name"
    declare -g "of_$name=$fd"
}

says() { # says NAME LINE
    local fd=of_$1
    printf '%s\n' "$2" >&"${!fd}"
}

stops() { # stops NAME: his input ends
    local fd=of_$1
    eval "exec ${!fd}>&-"
}

has_seen() { # has_seen NAME <<what he should have seen
    diff -u - "$tmp/$1.seen" || die "$1 should have seen something else"
}

: >"$tmp/server.seen" # it may not have been opened yet when we look
"$program" --host "$host" --listen 127.0.0.1:0 >"$tmp/server.seen" 2>"$tmp/server.errors" &
server=$!
pids+=($server)
for _ in {1..400}; do
    port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$tmp/server.seen")
    [[ -z $port ]] || break
    sleep 0.05
done
[[ -n $port ]] || { cat "$tmp/server.errors" >&2; die "the server does not start under $host"; }

# ---- a talk --------------------------------------------------------------------------------------------------

comes alice socat -t 60 - "TCP:127.0.0.1:$port"
says alice alice
waits_for alice "* welcome, alice; there are /who, /nick NAME, and /quit"
comes bob nc -N 127.0.0.1 "$port"
says bob 'bob the builder'
says bob alice
says bob bob
waits_for alice "* bob is here"
waits_for bob "* welcome, bob; there are /who, /nick NAME, and /quit"
comes carol socat -t 60 - "TCP:127.0.0.1:$port"
says carol carol
waits_for bob "* carol is here"
waits_for carol "* welcome, carol; there are /who, /nick NAME, and /quit"

says alice "hello, all"
waits_for bob "<alice> hello, all"
says bob $'hello\e[31m\r'
waits_for carol "<bob> hello?[31m"
says bob "/nick alice"
says bob "/nick robert"
waits_for carol "* bob is now robert"
says carol "$(printf '%2000s' '')"
says carol "/what"
says carol "/who"
says carol "that was long"
waits_for bob "<carol> that was long"
says bob /quit
waits_for alice "* robert has gone"
waits_for carol "* robert has gone"
stops carol
waits_for alice "* carol has gone"

has_seen bob <<'END'
* who are you?
* a nick is made of at most 16 letters and digits, - and _
* alice is here already
* welcome, bob; there are /who, /nick NAME, and /quit
* carol is here
<alice> hello, all
<bob> hello?[31m
* alice is here already
* bob is now robert
<carol> that was long
END
has_seen carol <<'END'
* who are you?
* welcome, carol; there are /who, /nick NAME, and /quit
<alice> hello, all
<bob> hello?[31m
* bob is now robert
* a line has at most 1024 bytes
* there are /who, /nick NAME, and /quit
* here: alice
* here: robert
* here: carol
<carol> that was long
* robert has gone
END

# ---- one who does not read -----------------------------------------------------------------------------------

exec {silent}<>"/dev/tcp/127.0.0.1/$port"
echo dave >&"$silent"
waits_for alice "* dave is here"
yes "$(printf '%900s' '' | tr ' ' x)" | head -n 20000 >"$tmp/much" || :
cat "$tmp/much" >"$tmp/alice"
says alice "that was much"
waits_for alice "<alice> that was much"
waits_for alice "* dave has gone: too slow"
[[ $(grep -c '^<alice> x*$' "$tmp/alice.seen") == 20000 ]] || die "alice should have seen all of hers"
sed -i '/^<alice> x*$/d' "$tmp/alice.seen"
has_seen alice <<'END'
* who are you?
* welcome, alice; there are /who, /nick NAME, and /quit
* bob is here
* carol is here
<alice> hello, all
<bob> hello?[31m
* bob is now robert
<carol> that was long
* robert has gone
* carol has gone
* dave is here
* dave has gone: too slow
<alice> that was much
END

kill -TERM "$server"
wait "$server" || die "the server ended with $?"
[[ ! -s $tmp/server.errors ]] || die "the server complained: $(cat "$tmp/server.errors")"
grep -q '^served 4 guests, 20004 lines, dropped 1; ' "$tmp/server.seen" || die "$(tail -n 1 "$tmp/server.seen")"
echo "$host: socat and netcat have seen what they should; $(tail -n 1 "$tmp/server.seen")"
