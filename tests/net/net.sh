#!/bin/sh
# tests/net/net.sh PROGRAM: runs it in a network of its own: nothing of this machine's is seen or changed.
unshare -rn true 2>/dev/null || { echo "skipped: no network namespaces here"; exit 0; }
command -v ip >/dev/null || { echo "skipped: there is no ip (Debian: iproute2)"; exit 0; }
exec unshare -rn sh -ec '
    ip link set lo up mtu 1500
    ip link add hole type veth peer name bottom # whoever is asked for there, nobody hears it
    ip addr add 10.9.1.1/24 dev hole
    ip link set hole up
    ip addr add fe80::1/64 dev hole nodad
    ip link set bottom up
    ip neigh add 10.9.1.2 lladdr 02:00:00:00:00:02 dev hole nud permanent
    ip route add unreachable 10.8.0.0/16
    ip route add prohibit 10.7.0.0/16
    HOYA_TEST_NETWORK=1 exec "$@"
' sh "$@"
