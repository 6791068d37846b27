#!/usr/bin/env bash
# Starts a job again until it is done, on the hosts that are left. Options are those of mpirun.sh:
#
#   Launch/keep-going.sh -np 2 pretrain --data data --output run --preset small
#   Launch/keep-going.sh --hosts hosts.txt pretrain --data /shared/data --output /shared/run
#
# A lost rank or host costs the steps since the last checkpoint; the result is the same on any number
# of ranks. Hosts that the remote shell does not reach are left out and asked again at the next start.
# It gives up when the job is done (0) or was asked to stop (75), when starting again would not help
# (bad options or data, a folder that cannot be written, a run that diverged), and after five starts
# that brought no checkpoint.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=environment.sh
. "$here/environment.sh"
ranks=
hosts=
while [ $# -gt 0 ]; do
  case $1 in
    -np) ranks=$2; shift 2 ;;
    --hosts) hosts=$2; shift 2 ;;
    *) break ;;
  esac
done
say() { echo "keep-going: $*" >&2; }
[ -z "$hosts" ] || [ -r "$hosts" ] || { say "there is no host file $hosts"; exit 66; }
[ -z "$hosts" ] || [ -n "$(hosts "$hosts")" ] || { say "$hosts names no host"; exit 65; }
twice=$([ -z "$hosts" ] || hosts "$hosts" | awk 'seen[$2]++ { print $2 " again in line " $1; exit }')
[ -z "$twice" ] || { say "$hosts names $twice; give it one line with slots=2"; exit 65; }
run=$(value --output "$@")
left=$(mktemp)
trap 'rm -f "$left"' EXIT

# The lines of the host file whose hosts answer; fails when none does.
reachable() {
  local host slots
  : >"$left"
  while read -r _ host slots; do
    if answers "$host"; then
      echo "$host slots=$slots" >>"$left"
    else
      say "$host does not answer and is left out"
    fi
  done < <(hosts "$hosts")
  [ -s "$left" ]
}

child=
asked=0
trap 'asked=1; [ -z "$child" ] || kill -TERM "$child"' TERM INT HUP QUIT USR1
fruitless=0
while :; do
  [ "$asked" -eq 0 ] || exit 75
  options=()
  if [ -n "$hosts" ]; then
    reachable || { say "no host of $hosts answers; trying again in 30 s"; sleep 30; continue; }
    slots=$(hosts "$left" | awk '{ sum += $3 } END { print sum }')
    options+=(--hosts "$left")
    [ -z "$ranks" ] || options+=(-np $((ranks < slots ? ranks : slots)))
  elif [ -n "$ranks" ]; then
    options+=(-np "$ranks")
  fi
  before=$(newest "$run")
  # Hosts that were silent have taken their time.
  [ "$asked" -eq 0 ] || exit 75
  "$here/mpirun.sh" "${options[@]}" "$@" &
  child=$!
  [ "$asked" -eq 0 ] || kill -TERM "$child"
  await "$child"
  status=$?
  child=
  [ "$asked" -eq 0 ] || exit "$status"
  case $status in 0 | 64 | 65 | 66 | 70 | 73 | 75 | 77 | 78) exit "$status" ;; esac
  [ "$(newest "$run")" = "$before" ] && fruitless=$((fruitless + 1)) || fruitless=0
  if [ "$fruitless" -ge 5 ]; then
    say "five starts in a row brought no checkpoint; the last ended with status $status"
    exit "$status"
  fi
  say "starting again after status $status"
  sleep $((1 + 10 * fruitless))
done
