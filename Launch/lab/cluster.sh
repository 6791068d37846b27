#!/usr/bin/env bash
# Emulates a cluster on one Linux machine, for tests and for experiments with slow links: hosts are
# network namespaces on a bridge, with their own names and addresses, and ranks use real TCP between
# them. Needs root and iproute2; `down` removes everything.
#
#   Launch/lab/cluster.sh up 4 [--rate 1gbit]      makes hosts n1 ... n4, each link limited to this rate
#   Launch/lab/cluster.sh run 4 COMMAND...         mpirun with 4 ranks, spread over the hosts, from n1
#   Launch/lab/cluster.sh cut n2                   takes the link of n2 down
#   Launch/lab/cluster.sh join n2                  brings it up again
#   Launch/lab/cluster.sh host n2 COMMAND...       runs a command on n2
#   Launch/lab/cluster.sh down                     kills the hosts' processes and removes the hosts
#
# ELECTRA_CLUSTER=NAME makes a second cluster that can be up at the same time. Hosts share the
# machine's cores, files and processes. Latency is that of the machine, because few kernels can add
# any. 1 Gbit/s is the fastest link that two cores can saturate.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=../usage.sh
. "$here/../usage.sh"
# Avoids collisions with other network namespaces of the machine.
prefix=${ELECTRA_CLUSTER:-electra}-
switch=${prefix}switch

fail() { echo "cluster: $*" >&2; exit 1; }

# hosts: prints the names of the cluster's hosts.
hosts() { ip netns list | sed -nE "s/^$prefix(n[0-9]+)( .*)?\$/\1/p" | sort -V; }

# down: kills all processes of the hosts and removes them.
down() {
  local host pid
  for host in $(hosts) switch; do
    for pid in $(ip netns pids "$prefix$host" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$prefix$host" 2>/dev/null || true
  done
}

# up COUNT [RATE]: makes the hosts; removes them again if that fails.
up() {
  local count=$1 rate=${2:-} i
  [[ $count =~ ^[1-9][0-9]?$ ]] || fail "up takes a number of hosts from 1 to 99, not $count"
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

# on HOST COMMAND...: replaces this process with the command, in the host's network and with its
# name. The environment lets mpirun reach the other hosts.
on() {
  local host=$1
  shift
  # shellcheck source=../environment.sh
  . "$here/../environment.sh"
  export OMPI_MCA_plm_rsh_agent="$here/cluster.sh shell"
  export OMPI_MCA_btl_tcp_if_include=10.77.0.0/24 OMPI_MCA_oob_tcp_if_include=10.77.0.0/24
  ip netns pids "$prefix$host" >/dev/null 2>&1 || fail "there is no host $host"
  # shellcheck disable=SC2016 # the inner shell expands them
  exec ip netns exec "$prefix$host" unshare -u sh -c 'hostname "$0"; exec "$@"' "$host" "$@"
}

# run RANKS COMMAND...: spreads ranks evenly. The ranks of a host are consecutive, so its slices are
# contiguous.
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

[ $# -gt 0 ] || { print_usage >&2; exit 64; }
[ "$(id -u)" -eq 0 ] || fail "network namespaces need root"
command -v ip >/dev/null || fail "the command ip is missing; install iproute2"
verb=$1
shift
case $verb in
  up)
    case $# in
      1) up "$1" ;;
      3) [ "$2" = --rate ] || fail "up takes a number of hosts and --rate RATE, not $2"
         up "$1" "$3" ;;
      *) fail "up takes a number of hosts and optionally --rate RATE" ;;
    esac ;;
  run) run "$@" ;;
  cut) ip -n "$switch" link set "$1" down ;;
  join) ip -n "$switch" link set "$1" up ;;
  host) on "$@" ;;
  # mpirun's replacement for ssh: options, a host, and the words of a shell command.
  shell)
    while [ "${1#-}" != "$1" ]; do shift; done
    host=$1
    shift
    ip -n "$switch" link show "$host" 2>/dev/null | grep -q "state UP" || fail "no route to host $host"
    on "$host" sh -c "$*" ;;
  down) down ;;
  *) fail "there is no verb $verb" ;;
esac
