#!/usr/bin/env bash
# Starts a job again until it is done, on the hosts that are left. Options are those of mpirun.sh:
#
#   Launch/keep-going.sh -np 2 pretrain --data data --output run --preset small
#   Launch/keep-going.sh --hosts hosts.txt pretrain --data /shared/data --output /shared/run
#
# A lost rank or host costs the steps since the last checkpoint; the result is the same on any number
# of ranks. Hosts that the remote shell does not reach are left out and asked again at the next start.
# It gives up when the job is done (0) or was asked to stop (75), when starting again would not help
# (bad options or data, a folder that cannot be written, too little memory, a run that diverged), when no host
# answers, and after five starts that brought no checkpoint.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=environment.sh
. "$here/environment.sh"
say() { echo "keep-going: $*" >&2; }
read_launch "$@" || exit
[ -z "$hosts" ] || lines=$(read_hosts "$hosts") || exit
run=$(value --output "${job[@]}")
left=$(mktemp)
trap 'rm -f "$left"' EXIT

# The hosts that answer, as a host file; fails when none does.
reachable() {
  local line host slots
  while read -r line host slots; do
    if answers "$host"; then
      echo "$line $host $slots"
    else
      say "$host does not answer and is left out"
    fi
  done <<<"$lines" | host_file >"$left"
  [ -s "$left" ]
}

child=
asked=0
trap 'asked=1; [ -z "$child" ] || kill -TERM "$child"' TERM INT HUP QUIT USR1
status=
fruitless=0
silent=0
while :; do
  [ "$asked" -eq 0 ] || exit 75
  options=()
  if [ -n "$hosts" ]; then
    if ! reachable; then
      # Hosts that have never answered are not there; those that did may be starting.
      silent=$((silent + 1))
      [ -n "$status" ] && [ "$silent" -lt 120 ] || { say "no host of $hosts answers"; exit 69; }
      say "no host of $hosts answers; trying again in 30 s, for an hour at most"
      sleep 30
      continue
    fi
    silent=0
    slots=$(awk -F= '{ sum += $2 } END { print sum }' "$left")
    options+=(--hosts "$left")
    [ -z "$ranks" ] || options+=(-np $((ranks < slots ? ranks : slots)))
  elif [ -n "$ranks" ]; then
    options+=(-np "$ranks")
  fi
  before=$(newest "$run")
  # Hosts that were silent have taken their time.
  [ "$asked" -eq 0 ] || exit 75
  "$here/mpirun.sh" "${options[@]}" "${job[@]}" &
  child=$!
  [ "$asked" -eq 0 ] || kill -TERM "$child"
  await "$child"
  status=$?
  child=
  [ "$asked" -eq 0 ] || exit "$status"
  [ "$status" -ne 75 ] && ! is_final "$status" || exit "$status"
  [[ $(newest "$run") > $before ]] && fruitless=0 || fruitless=$((fruitless + 1))
  if [ "$fruitless" -ge 5 ]; then
    say "five starts in a row brought no checkpoint; the last ended with status $status"
    exit "$status"
  fi
  say "starting again after status $status"
  sleep $((1 + 10 * fruitless))
done
