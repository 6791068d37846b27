#!/usr/bin/env bash
# Runs electra on many ranks under mpirun, on this machine or on those of a host file:
#
#   Launch/mpirun.sh -np 2 pretrain --data data --output run --preset small
#   Launch/mpirun.sh -np 8 --hosts hosts.txt pretrain --data /shared/data --output /shared/run
#
# hosts.txt has a line a host, `name` for one rank or `name slots=2` (`name:2` for MPICH), which ssh reaches
# without a password; the program, the data and the run's folder have the same path on all of them. One rank a
# NUMA domain is best: its lanes use the cores. A host file with a line that cannot be read, that names a host
# twice, one that does not answer, or fewer slots than -np is refused before anything starts. Between hosts with
# several networks name the right one:
#   OMPI_MCA_btl_tcp_if_include=10.0.0.0/24 OMPI_MCA_oob_tcp_if_include=10.0.0.0/24
#
# TERM, INT, HUP and USR1 let the run write a checkpoint and end with status 75; the same command goes on. A second
# one ends it at once. When a rank is lost, the last line says which, where it was, and how to go on.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=environment.sh
. "$here/environment.sh"
say() { echo "mpirun.sh: $*" >&2; }
read_launch "$@" || exit
launcher=(mpirun ${ranks:+-np "$ranks"})
places=$(mktemp)
start=$(mktemp)
kept=$(mktemp)
relay_out= relay_err=
# end_relays: what has outlived mpirun, such as its daemon on a host that was cut off, holds the relays' pipes;
# whoever reads the output of this script would wait for it.
end_relays() {
  local relay
  for relay in $relay_out $relay_err; do
    pkill -KILL -P "$relay"
    kill -KILL "$relay"
  done 2>/dev/null
}
trap 'end_relays; rm -f "$places" "$start" "$kept"' EXIT

# check_places LINES: that there is room for the ranks, and that all hosts answer; names the host and the ranks
# that would be there.
check_places() {
  local line host slots first=0 silent
  while read -r line host slots; do first=$((first + slots)); done <<<"$1"
  if [ "${ranks:-0}" -gt "$first" ]; then
    say "-np asks for $ranks ranks and $hosts has slots for $first: rank $first has no place after $host; add hosts or slots"
    return 64
  fi
  first=0
  silent=$(while read -r line host slots; do
    answers "$host" || echo "$host in line $line of $hosts does not answer, and rank $first would be there; see that 'ssh $host true' works without a password, or take the host out" &
    first=$((first + slots))
  done <<<"$1"; wait)
  [ -z "$silent" ] || { say "${silent%%$'\n'*}"; return 69; }
}
if [ -n "$hosts" ]; then
  lines=$(read_hosts "$hosts") || exit
  check_places "$lines" || exit
  host_file <<<"$lines" >"$places"
  launcher+=(--hostfile "$places" --map-by slot)
elif [ "${ranks:-0}" -gt "${SLURM_NTASKS:-${ranks:-0}}" ]; then
  say "-np asks for $ranks ranks and job $SLURM_JOB_ID has $SLURM_NTASKS tasks on $SLURM_JOB_NODELIST: rank $SLURM_NTASKS has no place; allocate more with --ntasks"
  exit 64
fi
# A cut cable is noticed in ten seconds, not in eight minutes.
export OMPI_MCA_oob_tcp_keepalive_time=4 OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=3

# relay: copies its input to its output, and still reads it where that fails: mpirun would end the job, but no
# training ends because its log cannot be written. Signals are for the job. Returns the status of the copy.
relay() {
  local status
  trap '' TERM INT HUP QUIT USR1
  cat 2>/dev/null
  status=$?
  [ "$status" -eq 0 ] || cat >/dev/null
  return "$status"
}
# keep_back FILE: standard error as it comes, but what mpirun says itself, between lines of dashes, goes to FILE: it
# repeats what a rank has said, and is needed where none has.
keep_back() {
  local line isKept=
  trap '' TERM INT HUP QUIT USR1 PIPE
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      ------------------------------*) isKept=$([ -n "$isKept" ] || echo yes); continue ;;
      "mpirun: Forwarding signal "*) continue ;;
      "electra: "*) isKept= ;;
    esac
    if [ -n "$isKept" ]; then echo "$line" >>"$1"; else echo "$line" >&2; fi
  done
}
# Where standard input, output or error is closed, no pipe of this script gets its number.
[ -e /dev/fd/0 ] || exec </dev/null
[ -e /dev/fd/1 ] || exec >/dev/null
[ -e /dev/fd/2 ] || exec 2>/dev/null
# The text to answer; no other verb reads on ranks, and what it left would be lost.
[ "${job[0]}" = predict ] || exec </dev/null

run=$(value --output "${job[@]}")
exec {output}> >(relay)
relay_out=$!
exec {errors}> >(keep_back "$kept")
relay_err=$!
# In a session of its own, so that Ctrl-C reaches this script alone.
setsid "${launcher[@]}" "$electra" "${job[@]}" <&0 >&"$output" 2>&"$errors" {output}>&- {errors}>&- &
job=$!
exec {output}>&- {errors}>&-
# mpirun hands SIGUSR1 on to all ranks and kills nobody; after SIGTERM it would leave them one second.
asked=0
trap 'asked=$((asked + 1)); [ "$asked" -eq 1 ] && kill -USR1 "$job" || kill -TERM "$job"' TERM INT HUP QUIT USR1

# What the ranks say of themselves, in this start.
beats=$run/heartbeats
late() { [ -d "$beats" ] && find "$beats" -name 'rank-*' -newer "$start" -exec grep -q state=late {} \; -print -quit | grep -q .; }
# Where a host cannot be reached, mpirun itself hangs after its ranks have ended.
(
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.5
    late && sleep 1.5 && kill -KILL "$job" 2>/dev/null
  done
) 2>/dev/null &
watcher=$!
await "$job"
status=$?
trap - TERM INT HUP QUIT USR1
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
! late || status=76
# The relays end after mpirun, unless a process of its own that has outlived it holds their pipes.
for _ in {1..40}; do
  kill -0 "$relay_out" 2>/dev/null || kill -0 "$relay_err" 2>/dev/null || break
  sleep 0.05
done
if ! kill -0 "$relay_out" 2>/dev/null; then
  wait "$relay_out"
  copied=$?
  # 141 is SIGPIPE: the reader has ended, and wants no more.
  if [ "$status" -eq 0 ] && [ "$copied" -ne 0 ] && [ "$copied" -ne 141 ]; then
    say "cannot write to standard output"
    exit 74
  fi
fi

[ "$status" -ne 0 ] || exit 0
beaten() { [ -d "$beats" ] && find "$beats" -newer "$start" | grep -q .; }
# No rank has said a word: neither what is wrong, nor that it is at work.
if ! { [ "$status" -ge 64 ] && [ "$status" -le 78 ]; } && ! beaten; then
  cat "$kept" >&2
  say "mpirun ended with status $status before electra began"
  exit "$status"
fi
[ -n "$run" ] && [ -d "$beats" ] || exit "$status"
newest=$(basename "$(newest "$run")")
case $status in
  75) say "stopped as asked; the same command goes on from ${newest:-the beginning}" ;;
  *) is_final "$status" || say "the job ended with status $status; lost: $(lost "$run" "$start"); the same command goes on from ${newest:-the beginning}" ;;
esac
exit "$status"
