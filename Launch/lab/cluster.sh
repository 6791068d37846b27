#!/usr/bin/env bash
# An emulated cluster on one Linux machine: hosts with names and addresses of their own (network
# namespaces on a bridge), between which ranks really talk TCP. For tests and for experiments with slow
# links; needs root and iproute2, and leaves nothing behind.
#
#   Launch/lab/cluster.sh up 4 [--rate 1gbit]      hosts n1 ... n4, each link shaped to this rate
#   Launch/lab/cluster.sh run 4 COMMAND...         mpirun of 4 ranks, spread over the hosts, from n1
#   Launch/lab/cluster.sh cut n2                   pulls the cable of n2
#   Launch/lab/cluster.sh join n2                  puts it back
#   Launch/lab/cluster.sh host n2 COMMAND...       a command on n2
#   Launch/lab/cluster.sh down
#
# ELECTRA_CLUSTER=NAME makes it another cluster, which can be up beside the first. Hosts share the
# machine's cores, files and processes; latency is the machine's own, because few kernels can add any. A
# link of 1 Gbit/s is the fastest that two cores can fill honestly.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# Names that other namespaces of the machine will not have.
prefix=${ELECTRA_CLUSTER:-electra}-
switch=${prefix}switch

fail() { echo "cluster: $*" >&2; exit 1; }

hosts() { ip netns list | sed -nE "s/^$prefix(n[0-9]+)( .*)?\$/\1/p" | sort -V; }

down() {
  local host pid
  for host in $(hosts) switch; do
    for pid in $(ip netns pids "$prefix$host" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$prefix$host" 2>/dev/null || true
  done
}

up() {
  local count=$1 rate=${2:-} i
  [ -z "$(hosts)" ] || fail "a cluster is up; take it down first: $0 down"
  trap down ERR
  ip netns add "$switch"
  ip -n "$switch" link add bridge type bridge
  ip -n "$switch" link set bridge up
  for i in $(seq "$count"); do
    ip netns add "${prefix}n$i"
    ip link add e0 netns "${prefix}n$i" type veth peer name "n$i" netns "$switch"
    ip -n "$switch" link set "n$i" master bridge up
    ip -n "${prefix}n$i" addr add "10.77.0.$i/24" dev e0
    ip -n "${prefix}n$i" link set e0 up
    ip -n "${prefix}n$i" link set lo up
    if [ -n "$rate" ]; then
      ip netns exec "${prefix}n$i" tc qdisc add dev e0 root tbf rate "$rate" burst 256kb latency 50ms
    fi
  done
  trap - ERR
}

# on HOST COMMAND...: with the host's network and name, and what mpirun needs to reach the others.
on() {
  local host=$1
  shift
  # shellcheck source=../environment.sh
  . "$here/../environment.sh"
  export OMPI_MCA_plm_rsh_agent="$here/cluster.sh shell"
  export OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
  ip netns pids "$prefix$host" >/dev/null 2>&1 || fail "there is no host $host"
  exec ip netns exec "$prefix$host" unshare -u sh -c 'hostname "$0"; exec "$@"' "$host" "$@"
}

# Ranks are spread evenly; a host's ranks follow each other, so its slices are contiguous.
run() {
  local ranks=$1 all count list="" i=0 slots host
  shift
  all=$(hosts)
  [ -n "$all" ] || fail "no cluster is up; make one first: $0 up 2"
  count=$(wc -w <<<"$all")
  for host in $all; do
    slots=$((ranks * (i + 1) / count - ranks * i / count))
    i=$((i + 1))
    [ "$slots" -eq 0 ] || list+=${list:+,}$host:$slots
  done
  on "${list%%:*}" mpirun --map-by slot --host "$list" -np "$ranks" "$@"
}

[ $# -gt 0 ] || { sed -n '2,/^set/p' "$0" | sed 's/^# \{0,1\}//;/^set/d' >&2; exit 64; }
[ "$(id -u)" -eq 0 ] || fail "network namespaces need root"
command -v ip >/dev/null || fail "the command ip is missing; install iproute2"
verb=$1
shift
case $verb in
  up)
    case $# in
      1) up "$1" ;;
      3) [ "$2" = --rate ] || fail "up takes a number of hosts and --rate, not $2"
         up "$1" "$3" ;;
      *) fail "up takes a number of hosts and perhaps --rate" ;;
    esac ;;
  run) run "$@" ;;
  cut) ip -n "$switch" link set "$1" down ;;
  join) ip -n "$switch" link set "$1" up ;;
  host) on "$@" ;;
  # What mpirun takes for ssh: options, a host, and words for its shell.
  shell)
    while [ "${1#-}" != "$1" ]; do shift; done
    host=$1
    shift
    ip -n "$switch" link show "$host" 2>/dev/null | grep -q "state UP" || fail "no route to host $host"
    on "$host" sh -c "$*" ;;
  down) down ;;
  *) fail "there is no verb $verb" ;;
esac
