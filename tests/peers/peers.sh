#!/usr/bin/env bash
# peers.sh BUILD HOST: connections and servers of ours beside programs that hoya did not write, over one host:
#   nginx     a server: a file of some megabytes comes whole, over one connection and over fifty at once
#   socat, nc clients of an echo, by a protocol through a port forwarder, by plain sockets, and by streams; a file comes back
#             the same
#   redis     a server of hiredis', a client library on the loop: 10,000 commands at once, each answer compared
#   10,000    connections at once, of a client in another process, each byte compared (native only, where so many files may be open)
# Each part says a line.
set -euo pipefail
build=$1 host=$2
here=$build/demos
tmp=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; wait 2>/dev/null || :; rm -rf "$tmp"' EXIT

fail() { echo "peers.sh: $*" >&2; exit 1; }

# All of them, or the test is skipped: what is left out of it would be noticed by nobody. But for hiredis, without which the
# demo is not built.
need() { PATH=$PATH:/usr/sbin command -v "$1" >/dev/null || { echo "skipped: $2 is missing"; exit 0; }; }
[[ $host != native ]] || need nginx nginx
need socat socat
need nc netcat-openbsd
[[ ! -x $here/demo-redis ]] || need redis-server redis-server
[[ $(nc -h 2>&1) == *-N* ]] || { echo "skipped: netcat-openbsd is missing"; exit 0; }

# start FILE COMMAND...: in the background; sets port to the one that it says it listens on
start() {
    local out=$1 i
    shift
    : >"$out"
    "$@" >"$out" 2>&1 &
    pids+=($!)
    for ((i = 0; i < 400; i++)); do
        port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$out")
        [[ -z $port ]] || return 0
        sleep 0.02
    done
    cat "$out" >&2
    fail "$1 does not start"
}

head -c 3000037 /dev/urandom >"$tmp/file"

if [[ $host == native ]]; then
    mkdir -p "$tmp/www" "$tmp/nginx"
    cp "$tmp/file" "$tmp/www/file"
    chmod -R a+rX "$tmp"
    cat >"$tmp/nginx.conf" <<END
daemon off; pid $tmp/nginx/pid; error_log $tmp/nginx/errors; worker_processes 1;
events { worker_connections 256; }
http {
    access_log off; client_body_temp_path $tmp/nginx/a; proxy_temp_path $tmp/nginx/b; fastcgi_temp_path $tmp/nginx/c;
    uwsgi_temp_path $tmp/nginx/d; scgi_temp_path $tmp/nginx/e;
    server { listen unix:$tmp/socket; listen 127.0.0.1:PORT; root $tmp/www; }
}
END
    for ((try = 0; try < 20; try++)); do # a port that nobody has; connections take theirs from 32768 on
        at=$((20000 + (RANDOM % 12000)))
        rm -f "$tmp/socket" # nginx leaves it where it gets only one of the two
        sed -i "s/127.0.0.1:[0-9PORT]*;/127.0.0.1:$at;/" "$tmp/nginx.conf"
        PATH=$PATH:/usr/sbin nginx -e "$tmp/nginx/errors" -c "$tmp/nginx.conf" 2>>"$tmp/nginx/errors" &
        server=$!
        for ((i = 0; i < 250; i++)); do
            [[ ! -s $tmp/nginx/pid ]] || break 2
            kill -0 $server 2>/dev/null || break
            sleep 0.02
        done
    done
    [[ -s $tmp/nginx/pid ]] || { cat "$tmp/nginx/errors" >&2; fail "nginx does not start"; }
    pids+=("$server")
    for times in 1 50; do
        timeout 60 "$build/tests/hoya-fetch" 127.0.0.1 "$at" /file $times >"$tmp/got" || fail "fetch failed"
        cmp "$tmp/file" "$tmp/got" || fail "nginx sent something else"
    done
    echo "nginx: 1 and 50 connections, 3000037 bytes each, the same"
fi

start "$tmp/echo" "$here/demo-echo-protocol" --host "$host" --listen 127.0.0.1:0
echo_port=$port
start "$tmp/forward" "$here/demo-forward" --host "$host" --listen 127.0.0.1:0 --to "127.0.0.1:$echo_port"
timeout 60 socat -t 60 - "TCP:127.0.0.1:$port" <"$tmp/file" >"$tmp/back" || fail "socat failed"
cmp "$tmp/file" "$tmp/back" || fail "socat got other bytes back"
echo "socat: 3000037 bytes through the forwarder and the echo, the same"
timeout 60 nc -N 127.0.0.1 "$port" <"$tmp/file" >"$tmp/back" || fail "nc failed"
cmp "$tmp/file" "$tmp/back" || fail "nc got other bytes back"
echo "nc: 3000037 bytes through the forwarder and the echo, the same"
for way in sock stream; do
    start "$tmp/$way" "$here/demo-echo-$way" --host "$host" --listen 127.0.0.1:0
    timeout 60 socat -t 60 - "TCP:127.0.0.1:$port" <"$tmp/file" >"$tmp/back" || fail "socat failed at echo-$way"
    cmp "$tmp/file" "$tmp/back" || fail "socat got other bytes back from echo-$way"
    timeout 60 nc -N 127.0.0.1 "$port" <"$tmp/file" >"$tmp/back" || fail "nc failed at echo-$way"
    cmp "$tmp/file" "$tmp/back" || fail "nc got other bytes back from echo-$way"
    kill -TERM "${pids[-1]}"
    wait "${pids[-1]}" || fail "echo-$way ended with $?"
    unset 'pids[-1]'
    echo "socat, nc: 3000037 bytes through echo-$way, the same"
done

if [[ -x $here/demo-redis ]]; then
    mkdir "$tmp/redis"
    redis-server --port 0 --unixsocket "$tmp/redis/socket" --dir "$tmp/redis" --save '' --appendonly no >"$tmp/redis/log" 2>&1 &
    pids+=($!)
    for ((i = 0; i < 250; i++)); do
        [[ $(redis-cli -s "$tmp/redis/socket" ping 2>&1) != PONG ]] || break # the path is there before somebody listens
        sleep 0.02
    done
    timeout 60 "$here/demo-redis" --host "$host" --socket "$tmp/redis/socket" >"$tmp/out" || { cat "$tmp/out" >&2; fail "hiredis did not get its answers"; }
    echo "redis: $(grep -o '[0-9]* answers.*differences' "$tmp/out")"
    kill -TERM "${pids[-1]}"
    wait "${pids[-1]}" || fail "redis-server ended with $?"
    unset 'pids[-1]'
fi

# Datagrams: our echo for their clients, and theirs for our ping. 50 lines, each a datagram.
start "$tmp/udp" "$here/demo-udp-ping" --host "$host" --listen 127.0.0.1:0
udp_port=$port
seq 1 50 >"$tmp/lines"
while read -r line; do
    back=$(echo "$line" | timeout 20 socat -t 2 - "UDP4:127.0.0.1:$udp_port,shut-none") || fail "socat failed"
    [[ $back == "$line" ]] || fail "socat got \"$back\" back for \"$line\""
done < <(head -2 "$tmp/lines")
socat "UDP4-RECVFROM:0,bind=127.0.0.1,fork" EXEC:cat 2>"$tmp/socat" &
pids+=($!)
their_port=
for ((i = 0; i < 200; i++)); do # which one it has, the kernel says
    inode=$(readlink /proc/$!/fd/* 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p' | tail -1) || :
    [[ -z $inode ]] || their_port=$(awk -v inode="$inode" '$10 == inode { split($2, at, ":"); print at[2] }' /proc/net/udp)
    [[ -z $their_port ]] || break
    sleep 0.02
done
[[ -n $their_port ]] || { cat "$tmp/socat" >&2; fail "socat does not serve datagrams"; }
timeout 30 "$here/demo-udp-ping" --host "$host" --to "127.0.0.1:$((16#$their_port))" --count 20 >"$tmp/ping" ||
    { cat "$tmp/ping" >&2; fail "socat sent nothing back"; }
grep -q '^20 sent, 20 came back' "$tmp/ping" || { cat "$tmp/ping" >&2; fail "datagrams were lost on the loopback"; }
echo "socat, datagrams: 2 there and back by our echo, 20 by its own"
timeout 20 nc -u -w 2 127.0.0.1 "$udp_port" <"$tmp/lines" >"$tmp/back" || fail "nc -u failed"
cmp "$tmp/lines" "$tmp/back" || fail "nc -u got something else back"
echo "nc -u: 50 lines there and back"

[[ $host == native ]] || exit 0
ulimit -Sn "$(ulimit -Hn)"
files=$(ulimit -n)
if [[ $files != unlimited ]] && ((files < 10100)); then
    echo "skipped: 10000 connections: only $files files may be open"
    exit 0
fi
start "$tmp/many" "$here/demo-echo-protocol" --listen 127.0.0.1:0
timeout 120 "$here/demo-echo-client" --connect "127.0.0.1:$port" --connections 10000 --messages 3 --size 64 --timeout 100 \
    >"$tmp/client" || { cat "$tmp/client" >&2; fail "the client failed"; }
grep -q ' 0 differences' "$tmp/client" || { cat "$tmp/client" >&2; fail "bytes came back different"; }
kill -TERM "${pids[-1]}"
wait "${pids[-1]}" || fail "the server ended with $?"
grep -q 'served 10000 connections.*peak 10000 open' "$tmp/many" || { cat "$tmp/many" >&2; fail "not all were open at once"; }
echo "10000 connections at once, of another process: $(grep -o '[0-9]* bytes compared.*' "$tmp/client" || tail -1 "$tmp/client")"
