#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# test.sh PROGRAM [SCENE...]: clients for the terminal talk to each other, each in a process of its own, by scripts: through the
# server that comes with the program, through Debian's ngircd, and to a server that says nonsense.
#
#   demos/irc/test.sh build/dev/demos/demo-irc-term [embedded ngircd restart flood nonsense first-run screen]
#
# Scripts wait for what they want to see, so nothing here depends on how fast the machine is.
set -euo pipefail

program=$1
shift
scenes=("$@")
(($#)) || scenes=(embedded ngircd restart flood nonsense first-run screen)
demo=irc
. "$(dirname "$0")/../scenes.sh"

# client NAME OPTION... <<script: in the background; its output is $tmp/NAME.out
client() {
    local name=$1
    shift
    cat >"$tmp/$name.script"
    timeout 100 "$program" --nick "$name" --script "$tmp/$name.script" "$@" >"$tmp/$name.out" 2>"$tmp/$name.err" &
    pids+=($!)
    declare -g "pid_$name=$!"
}

# Its script has come to its end, it has said nothing on stderr, and the last line tells of a clean end.
ends() {
    local name rc
    for name; do
        local pid=pid_$name
        rc=0
        wait "${!pid}" || rc=$?
        ((rc == 0)) || die "$name ended with $rc"
        [[ ! -s $tmp/$name.err ]] || die "$name complained"
        [[ $(tail -n 1 "$tmp/$name.out") == "[server] -- not connected" ]] || die "$name did not say goodbye"
    done
}

says() { grep -qF -- "$2" "$tmp/$1.out" || die "$1 should have said: $2"; } # says NAME TEXT

# ---- servers ---------------------------------------------------------------------------------------------

start_embedded() { start_server "$program" --serve "127.0.0.1:$1"; } # start_embedded PORT; sets port

start_ngircd() { # sets port; false: there is none here
    local ngircd
    ngircd=$(PATH=$PATH:/usr/sbin command -v ngircd) || return 1
    for _ in {1..20}; do
        port=$((20000 + RANDOM % 20000))
        cat >"$tmp/ngircd.conf" <<END
[Global]
Name = irc.test
Info = for a test
Ports = $port
Listen = 127.0.0.1
MotdPhrase = hello
PidFile = $tmp/ngircd.pid
ServerUID = $(id -u)
ServerGID = $(id -g)
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 9
[Options]
DNS = no
Ident = no
PAM = no
END
        "$ngircd" -n -f "$tmp/ngircd.conf" >"$tmp/ngircd.log" 2>&1 &
        server_pid=$!
        pids+=($!)
        for _ in {1..100}; do
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
            kill -0 "$server_pid" 2>/dev/null || break
            sleep 0.05
        done
    done
    cat "$tmp/ngircd.log"
    die "ngircd does not start"
}

# ---- scenes ----------------------------------------------------------------------------------------------

# Through the server at $port: a nick in use, both ways, names, an action, private words, a change of nick, goodbye.
chat() {
    client ann --server "127.0.0.1:$port" --join '#test' <<'END'
/wait ann_ has quit
/wait bob has joined
hello bob, said in grün
/me waves
/wait <bob> hello ann
/names
/wait 2 here: ann bob
that makes two
/wait bob is now rob
/wait [rob] <rob> psst
/msg rob psst back
/wait rob has quit
END
    until_there "you have joined" "$tmp/ann.out"
    client third --server "127.0.0.1:$port" --nick ann --join '#test' <<'END'
/wait as ann_
/wait you have joined
END
    ends third
    until_there "ann_ has quit" "$tmp/ann.out"
    client bob --server "127.0.0.1:$port" --join '#test' <<'END'
/wait <ann> hello bob, said in grün
/wait * ann waves
hello ann
/wait <ann> that makes two
/nick rob
/wait bob is now rob
/msg ann psst
/wait [ann] <ann> psst back
/quit so long
END
    ends bob ann
    says bob "[#test] <ann> hello bob, said in grün"
    says ann "[#test] <bob> hello ann"
    grep -q 'rob has quit (.*so long' "$tmp/ann.out" || die "bob's last words were lost"
}

scene_embedded() {
    start_embedded 0
    chat
    stop_server
}

scene_ngircd() {
    start_ngircd || { echo "skipped: there is no ngircd"; exit 0; }
    chat
    kill -TERM "$server_pid"
}

# The server is killed, and started again: who was there comes back by himself, to his channel.
scene_restart() {
    start_embedded 0
    client ann --server "127.0.0.1:$port" --join '#test' <<'END'
/wait you have joined
/wait The connection is lost
/wait trying again in 1 s
/wait No connection to
/wait trying again in 2 s
/wait you have joined
here again
/wait bob has joined
welcome, bob
/wait <bob> thanks
END
    until_there "you have joined" "$tmp/ann.out"
    kill -KILL "$server_pid"
    wait "$server_pid" 2>/dev/null || true
    until_there "trying again in 2 s" "$tmp/ann.out"
    start_embedded "$port"
    until_there "here again" "$tmp/ann.out"
    client bob --server "127.0.0.1:$port" --join '#test' <<'END'
/wait <ann> welcome, bob
thanks
/wait ann has quit
END
    ends ann bob
    stop_server
}

# 20 lines at once: slowed down as servers like it (5, then one each 2 s), and all there, in their order.
scene_flood() {
    start_embedded 0
    client bob --server "127.0.0.1:$port" --join '#test' <<'END'
/wait <ann> line 20.
got it
/wait ann has quit
END
    until_there "you have joined" "$tmp/bob.out"
    {
        for i in {1..20}; do echo "line $i."; done
        echo "/wait <bob> got it"
    } >"$tmp/lines"
    local begin=$SECONDS
    client ann --server "127.0.0.1:$port" --join '#test' <"$tmp/lines"
    ends ann bob
    ((SECONDS - begin >= 28)) || die "the flood took $((SECONDS - begin)) s only"
    diff <(sed -n 's/^\[#test\] <ann> line \([0-9]*\)\.$/\1/p' "$tmp/bob.out") <(seq 20) || die "lines were lost, or changed places"
    stop_server
}

# A server that sends 64 KiB of anything, a line without an end among them.
scene_nonsense() {
    cat >"$tmp/nonsense" <<'END'
printf ':x 001 ann :hi\r\n\r\n:\r\n: \r\n'
head -c 65536 /dev/urandom
printf '\r\n'
head -c 50000 /dev/zero
printf 'x%.0s' {1..20000}
printf '\r\n:bob!u@h PRIVMSG ann :caf\351, still here\r\n:bob!u@h PRIVMSG'
cat >/dev/null
END
    socat -d -d TCP-LISTEN:0,bind=127.0.0.1 "EXEC:bash $tmp/nonsense" 2>"$tmp/socat" &
    pids+=($!)
    until_there "listening on" "$tmp/socat"
    port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$tmp/socat")
    client ann --server "127.0.0.1:$port" <<'END'
/wait [bob] <bob> café, still here
END
    ends ann
}

# Without a server, and by a pipe.
scene_first-run() {
    printf 'hello\n/names\n/wait 1 here: ann\n' | timeout 60 "$program" --nick ann >"$tmp/ann.out" 2>"$tmp/ann.err" ||
        die "the first run failed"
    says ann "[#hoya] <ann> hello"
    [[ ! -s $tmp/ann.err ]] || die "it complained"
}

# The face of curses, on a terminal of its own.
scene_screen() {
    open_screen 80 "$program --nick ann"
    until_there "you have joined" "$tmp/screen.out"
    printf 'gr\303\274n tea\r' >&9
    until_there "<ann> grün tea" "$tmp/screen.out"
    printf '/win 1\r' >&9
    until_there "Join #hoya" "$tmp/screen.out"
    printf '\0332/nick eve\r' >&9 # Alt-2, and a command
    until_there "ann is now eve" "$tmp/screen.out"
    printf '/quit\r' >&9
    screen_ends
}

play "${scenes[@]}"
