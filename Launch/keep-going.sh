#!/usr/bin/env bash
# Restarts a job until it is done, on the hosts that still answer. Takes the options of mpirun.sh,
# and finds the hosts of a PBS or LSF job as it does:
#
#   Launch/keep-going.sh -np 2 pretrain --data data --output run --preset small
#   Launch/keep-going.sh --hosts hosts.txt pretrain --data /shared/data --output /shared/run
#
# A lost rank or host costs the steps since the last checkpoint; the result is the same on any
# number of ranks. Hosts that the remote shell does not reach are left out of a start and tried
# again at the next one. The script ends
#   - when the job is done (status 0) or was requested to stop (75),
#   - when a restart would not help: bad options or data, an unwritable folder, too little memory, a
#     diverged run,
#   - when no host answers at the first start, or for an hour later,
#   - after five starts in a row without a new checkpoint.
set -uo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"
# shellcheck source=environment.sh
. "$here/environment.sh"
# shellcheck source=hosts.sh
. "$here/hosts.sh"
report() { echo "keep-going: $*" >&2; }
read_launch "$@" || exit
find_hosts || exit
run=$(option_value --output "${job[@]}")
host_file=$(mktemp) || exit 73
# mpirun.sh makes this file if the job is done but its output could not be written (status 74).
export ELECTRA_DONE_FILE=$host_file.done
trap 'rm -f "$host_file" "$ELECTRA_DONE_FILE"' EXIT

# try_hosts: writes the hosts that answer to $host_file; fails if none does.
try_hosts() {
  local line host slots
  # All hosts are tried at the same time: each may take ten seconds to fail.
  {
    while read -r line host slots; do
      if is_reachable "$host"; then
        echo "$line $host $slots"
      else
        report "$host does not answer and is left out"
      fi &
    done <<<"$lines"
    wait
  } | sort -n | format_host_file >"$host_file"
  [ -s "$host_file" ]
}

# choose_options: sets the options of mpirun.sh for the hosts in $host_file. A smaller cluster runs
# fewer ranks than -np.
choose_options() {
  local slots
  options=("${mpirun_options[@]}")
  if [ -n "$hosts" ]; then
    slots=$(awk -F= '{ sum += $2 } END { print sum }' "$host_file")
    options+=(--hosts "$host_file")
    [ -z "$ranks" ] || options+=(-np $((ranks < slots ? ranks : slots)))
  elif [ -n "$ranks" ]; then
    options+=(-np "$ranks")
  fi
}

# pause SECONDS: sleeps, but ends at once when a stop is requested; a trap would wait for `sleep` alone.
pause() {
  local sleeper
  sleep "$1" &
  sleeper=$!
  wait "$sleeper"
  kill "$sleeper" 2>/dev/null
}

child=
stop_requested=0
# request_stop [HUP]: passes a request to stop on. SIGHUP counts once: a closing terminal often sends it
# several times, and the second signal would end mpirun.sh without a checkpoint.
# shellcheck disable=SC2329 # the trap calls it
request_stop() {
  [ "${1:-}" != HUP ] || [ "$stop_requested" -eq 0 ] || return 0
  stop_requested=1
  [ -z "$child" ] || kill -TERM "$child"
}
trap request_stop TERM INT QUIT USR1
trap 'request_stop HUP' HUP
status=
fruitless=0   # starts in a row without a new checkpoint
unreachable=0 # attempts in a row at which no host answered
while :; do
  [ "$stop_requested" -eq 0 ] || exit 75
  if [ -n "$hosts" ]; then
    if ! try_hosts; then
      # Before the first start the host file is probably wrong; later the hosts may be rebooting.
      unreachable=$((unreachable + 1))
      [ -n "$status" ] && [ "$unreachable" -lt 120 ] || { report "no host of $hosts answers"; exit 69; }
      report "no host of $hosts answers; trying again every 30 s, for up to an hour"
      pause 30
      continue
    fi
    unreachable=0
  fi
  choose_options
  before=$(progress "$run")
  # A stop may have been requested while the hosts were tried, which can take long.
  [ "$stop_requested" -eq 0 ] || exit 75
  # In a new session, so that signals to the group of this script reach it alone: with the one passed on
  # mpirun.sh would receive two.
  setsid "$here/mpirun.sh" "${options[@]}" "${job[@]}" &
  child=$!
  end_with_launcher "$child"
  # The signal may have come before $child was set.
  [ "$stop_requested" -eq 0 ] || kill -TERM "$child"
  wait_for_job "$child"
  status=$?
  child=
  [ "$stop_requested" -eq 0 ] || exit "$status"
  [ "$status" -ne 75 ] && ! is_final "$status" && [ ! -e "$ELECTRA_DONE_FILE" ] || exit "$status"
  [[ $(progress "$run") > $before ]] && fruitless=0 || fruitless=$((fruitless + 1))
  if [ "$fruitless" -ge 5 ]; then
    report "five starts in a row wrote no checkpoint; the last one ended with status $status"
    exit "$status"
  fi
  report "restarting after status $status"
  pause $((1 + 10 * fruitless))
done
