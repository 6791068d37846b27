#!/usr/bin/env bash
# Runs electra on several ranks under mpirun, on this machine, on the hosts of a host file, or on
# those of a PBS or LSF job in which it is called:
#
#   Launch/mpirun.sh -np 2 pretrain --data data --output run --preset small
#   Launch/mpirun.sh -np 8 --hosts hosts.txt pretrain --data /shared/data --output /shared/run
#   Launch/mpirun.sh -np 2 --bind-to core -x OPENBLAS_CORETYPE=Haswell pretrain --data data --output run
#
# Other options before the verb are passed to mpirun.
#
# hosts.txt has one line per host, `name` for one rank or `name slots=2` (`name:2` for MPICH); the
# files of PBS and LSF have a line per rank. ssh (in PBS pbs_tmrsh, in LSF blaunch, if they exist)
# must reach each host without a password, and the program, the data and the run's folder must have
# the same path on all of them. One rank per NUMA domain is best: its worker threads use the
# domain's cores. Rejected before anything starts: a host file with an invalid line or a duplicate
# host, a host that does not answer, and fewer slots than -np. If the hosts share several networks,
# name the one to use:
#   OMPI_MCA_btl_tcp_if_include=10.0.0.0/24 OMPI_MCA_oob_tcp_if_include=10.0.0.0/24
#
# TERM, INT, HUP, QUIT and USR1 make the run write a checkpoint and exit with status 75; the same
# command resumes it. A second signal ends it at once. If a rank is lost, the last line names the
# rank, its host and step, and the checkpoint from which the same command resumes. If this script is
# killed, its ranks end within seconds.
set -uo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"
# shellcheck source=environment.sh
. "$here/environment.sh"
# shellcheck source=hosts.sh
. "$here/hosts.sh"
report() { echo "mpirun.sh: $*" >&2; }
read_launch "$@" || exit
user_hosts=$hosts
find_hosts || exit
launcher=(mpirun ${ranks:+-np "$ranks"} "${mpirun_options[@]}")
work=$(mktemp -d) || exit 73
host_file=$work/hosts mpirun_messages=$work/messages
# Heartbeats newer than this file belong to this start of the job.
start=$work/start
touch "$start" "$mpirun_messages"
relay_out='' relay_err=''
# end_relays: kills the relays of output. A process that outlives mpirun, such as its daemon on a
# host that lost its network, keeps their pipes open, and a reader of this script's output would
# wait for them.
# shellcheck disable=SC2329 # the trap calls it
end_relays() {
  local relay
  for relay in $relay_out $relay_err; do
    pkill -KILL -P "$relay"
    kill -KILL "$relay"
  done 2>/dev/null
}
trap 'end_relays; rm -rf "$work"' EXIT

# check_hosts LINES: fails unless the hosts have slots for all ranks and every host answers; reports
# the rank that does not fit, or a host and the first rank that would run there.
check_hosts() {
  local line host slots first=0 unreachable
  while read -r line host slots; do first=$((first + slots)); done <<<"$1"
  if [ "${ranks:-0}" -gt "$first" ]; then
    report "-np asks for $ranks ranks but $hosts has only $first slots: rank $first does not fit; add hosts or slots"
    return 64
  fi
  first=0
  # All hosts are tried at the same time: each may take ten seconds to fail.
  unreachable=$(while read -r line host slots; do
    is_reachable "$host" || echo "$host (line $line of $hosts) does not answer; rank $first would run there: check that '${OMPI_MCA_plm_rsh_agent:-ssh} $host true' works without a password${user_hosts:+, or remove the host}" &
    first=$((first + slots))
  done <<<"$1"; wait)
  [ -z "$unreachable" ] || { report "${unreachable%%$'\n'*}"; return 69; }
}
if [ -n "$hosts" ]; then
  check_hosts "$lines" || exit
  format_host_file <<<"$lines" >"$host_file"
  launcher+=(--hostfile "$host_file")
elif [ "${ranks:-0}" -gt "${SLURM_NTASKS:-${ranks:-0}}" ]; then
  report "-np asks for $ranks ranks but job $SLURM_JOB_ID has only $SLURM_NTASKS tasks on $SLURM_JOB_NODELIST: rank $SLURM_NTASKS does not fit; allocate more with --ntasks"
  exit 64
fi
# TCP keepalive: mpirun notices a cut cable in ten seconds instead of eight minutes.
export OMPI_MCA_oob_tcp_keepalive_time=4 OMPI_MCA_oob_tcp_keepalive_intvl=2 OMPI_MCA_oob_tcp_keepalive_probes=3

# relay: copies its input to its output and returns the status of the copy. After a failed write it
# keeps reading: mpirun would end the job when its pipe closes, but training must survive an
# unwritable log. It ignores the signals that are for the job.
relay() {
  local status
  trap '' TERM INT HUP QUIT USR1
  cat 2>/dev/null
  status=$?
  [ "$status" -eq 0 ] || cat >/dev/null
  return "$status"
}
# relay_errors FILE: copies the ranks' standard error as it arrives. mpirun's messages, which are
# between lines of dashes, go to FILE instead: they repeat what a rank reported, and matter only if
# none did.
relay_errors() {
  local line from_mpirun=
  trap '' TERM INT HUP QUIT USR1 PIPE
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      ------------------------------*) from_mpirun=$([ -n "$from_mpirun" ] || echo yes); continue ;;
      "mpirun: Forwarding signal "*) continue ;;
      "electra: "*) from_mpirun= ;;
    esac
    if [ -n "$from_mpirun" ]; then echo "$line" >>"$1"; else echo "$line" >&2; fi
  done
}
# If standard input, output or error is closed, open it, so that no pipe of this script gets its
# number.
[ -e /dev/fd/0 ] || exec </dev/null
[ -e /dev/fd/1 ] || exec >/dev/null
[ -e /dev/fd/2 ] || exec 2>/dev/null
# Of the verbs that run on several ranks only predict and evaluate --text - read standard input; for
# the others mpirun would consume it.
[ "${job[0]}" = predict ] || [ "$(option_value --text "${job[@]}")" = - ] || exec </dev/null

run=$(option_value --output "${job[@]}")
heartbeats=$run/heartbeats
exec {output}> >(relay)
relay_out=$!
exec {errors}> >(relay_errors "$mpirun_messages")
relay_err=$!
# mpirun forwards SIGUSR1 to all ranks and kills none; after SIGTERM it would leave them one second.
signals=0 mpirun_pid=
# end_job [HUP]: requests a stop, and at the second signal ends the job. SIGHUP counts once: a closing
# terminal often sends it several times.
# shellcheck disable=SC2329 # the trap calls it
end_job() {
  [ "${1:-}" != HUP ] || [ "$signals" -eq 0 ] || return 0
  signals=$((signals + 1))
  [ -z "$mpirun_pid" ] || kill "-$([ "$signals" -eq 1 ] && echo USR1 || echo TERM)" "$mpirun_pid"
}
trap end_job TERM INT QUIT USR1
trap 'end_job HUP' HUP
# In a new session, so that Ctrl-C reaches this script alone.
[ "$signals" -eq 0 ] || exit 75
setsid "${launcher[@]}" "$electra" "${job[@]}" <&0 >&"$output" 2>&"$errors" {output}>&- {errors}>&- &
mpirun_pid=$!
exec {output}>&- {errors}>&-
end_with_launcher "$mpirun_pid"
# A signal may have come before $mpirun_pid was set.
[ "$signals" -eq 0 ] || kill -TERM "$mpirun_pid"

# has_late_rank: whether a rank of this start missed a deadline of its watchdog.
has_late_rank() {
  [ -d "$heartbeats" ] \
    && [ -n "$(find "$heartbeats" -name 'rank-*' -newer "$start" -exec grep -ls state=late {} +)" ]
}
# has_heartbeat: whether a rank of this start wrote a heartbeat.
has_heartbeat() {
  [ -d "$heartbeats" ] && find "$heartbeats" -newer "$start" -print -quit | grep -q .
}

# If a host is unreachable, mpirun hangs after its ranks have ended: the watcher kills it.
(
  while kill -0 "$mpirun_pid" 2>/dev/null; do
    sleep 0.5
    has_late_rank && sleep 1.5 && kill -KILL "$mpirun_pid" 2>/dev/null
  done
) 2>/dev/null &
watcher=$!
wait_for_job "$mpirun_pid"
status=$?
trap - TERM INT HUP QUIT USR1
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
! has_late_rank || status=76
# Give the relays two seconds to copy the last lines. They end with mpirun, unless a process that
# outlived it holds their pipes.
for _ in {1..40}; do
  kill -0 "$relay_out" 2>/dev/null || kill -0 "$relay_err" 2>/dev/null || break
  sleep 0.05
done
if ! kill -0 "$relay_out" 2>/dev/null; then
  wait "$relay_out"
  copied=$?
  # 141 is SIGPIPE: the reader has ended and wants no more output, as `head` does.
  # 127: bash 4.4 knows only the last process substitution.
  if [ "$status" -eq 0 ] && [ "$copied" -ne 0 ] && [ "$copied" -ne 141 ] && [ "$copied" -ne 127 ]; then
    report "cannot write to standard output"
    [ -z "${ELECTRA_DONE_FILE:-}" ] || touch "$ELECTRA_DONE_FILE"
    exit 74
  fi
fi

# lost_hosts: prints the hosts with which mpirun itself lost the connection. It then ends all ranks
# before a deadline of theirs can pass, so that none of them knows.
lost_hosts() {
  sed -nE 's/^ *Remote daemon: .* on node (\S+).*/host \1/p' "$mpirun_messages" | sort -uV \
    | paste -sd , | sed 's/,/, /g'
}

[ "$status" -ne 0 ] || exit 0
# Neither an exit status of electra nor a heartbeat: no rank has reported anything, so mpirun's
# messages are the only explanation.
if ! { [ "$status" -ge 64 ] && [ "$status" -le 78 ]; } && ! has_heartbeat; then
  # A signal to mpirun before it handles signals kills it.
  [ "$signals" -eq 0 ] || { report "stopped as requested"; exit 75; }
  cat "$mpirun_messages" >&2
  report "mpirun ended with status $status before electra started"
  exit "$status"
fi
[ -n "$run" ] && [ -d "$heartbeats" ] || exit "$status"
newest=$(basename "$(newest_checkpoint "$run")")
resume="the same command resumes from ${newest:-the beginning}"
case $status in
  75) report "stopped as requested; $resume" ;;
  *) if ! is_final "$status"; then
       lost=$(lost_hosts)
       report "the job ended with status $status; lost: ${lost:-$(lost_ranks "$run" "$start")}; $resume"
     fi ;;
esac
exit "$status"
