# shellcheck shell=bash
# Settings for mpirun on one machine and functions that the scripts share. Sourced, not executed.
# A setting that the user has made is kept.
#
# A function that finds an error prints one sentence with `report SENTENCE`, which the sourcing
# script defines, and returns the exit status: 64 usage, 65 bad data, 66 missing file, 69
# unavailable.

# Open MPI refuses root by default, but in a container root is often the only user.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# Allow more ranks than cores; waiting ranks yield the core instead of spinning.
export OMPI_MCA_rmaps_base_oversubscribe=${OMPI_MCA_rmaps_base_oversubscribe:-1}
export OMPI_MCA_mpi_yield_when_idle=${OMPI_MCA_mpi_yield_when_idle:-1}
# electra pins its worker threads itself.
export OMPI_MCA_hwloc_base_binding_policy=${OMPI_MCA_hwloc_base_binding_policy:-none}
# Containers without ptrace cannot copy memory between processes: do not try it, and do not warn.
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
# electra's workers call OpenBLAS, each on one thread.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

# The folder of the repository.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The program; ELECTRA_PROGRAM names another one, for example one that build.sh made.
electra=${ELECTRA_PROGRAM:-$root/.build/release/electra}

# read_launch ARGUMENTS...: reads -np into $ranks and --hosts into $hosts, both empty when absent,
# and the verb of electra with its options into the array $job.
# shellcheck disable=SC2034 # the sourcing script uses hosts and job
read_launch() {
  local option
  ranks='' hosts=''
  while [ $# -gt 0 ]; do
    option=$1
    case $option in
      -np | -n | --np | --hosts)
        [ -n "${2:-}" ] || { report "$option needs a value"; return 64; }
        if [ "$option" = --hosts ]; then hosts=$2; else ranks=$2; fi
        shift 2 ;;
      --help | -h | --version) break ;;
      -*) report "unknown option $option: -np N and --hosts FILE come before the verb, electra's options after it"; return 64 ;;
      *) break ;;
    esac
    if [ -n "$ranks" ] && ! [[ $ranks =~ ^0*[1-9][0-9]{0,5}$ ]]; then
      report "-np needs a number of ranks above 0, not $ranks"
      return 64
    fi
  done
  [ $# -gt 0 ] || { report "a verb of electra is missing, as in: -np 2 pretrain --data data --output run"; return 64; }
  ranks=${ranks:+$((10#$ranks))}
  job=("$@")
  require_program
}

# require_program: fails unless $electra is an executable file.
require_program() {
  [ -f "$electra" ] && [ -x "$electra" ] && return
  report "there is no program $electra; build it with 'swift build -c release', or name it with ELECTRA_PROGRAM"
  return 66
}

# parse_host_file FILE: prints each host as `line host slots`. At the first invalid line it prints
# the line's number and the reason, and fails.
parse_host_file() {
  LC_ALL=C awk '
    function refuse(why) { print NR ": " why; exit 65 }
    function is_number(text) { return text ~ /^[0-9]+$/ && length(text) < 7 }
    # A byte order mark, CR line ends, comments, and spaces around "=" are allowed.
    NR == 1 { sub(/^\357\273\277/, "") }
    { sub(/\r$/, ""); sub(/#.*/, ""); gsub(/[ \t]*=[ \t]*/, "=") }
    !NF { next }
    {
      host = $1; slots = 1; most = ""
      if (host ~ /^[^:]*:[^:]*$/) {
        slots = host; sub(/.*:/, "", slots); sub(/:.*/, "", host)
        if (!is_number(slots)) refuse($1 ": " slots " is not a number of ranks")
      }
      if (host !~ /^[[A-Za-z0-9_][][A-Za-z0-9_.:%@-]*$/) refuse(host " is not a host name")
      for (i = 2; i <= NF; i++) {
        key = tolower($i); value = $i
        sub(/=.*/, "", key); sub(/^[^=]*=?/, "", value); gsub(/-/, "_", key)
        if (key !~ /^(slots?|cpus?|count|max_slots|slots_max)$/)
          refuse("unknown setting " $i "; a host has slots=N and optionally max_slots=N")
        if (!is_number(value)) refuse($i " is not a number of ranks")
        if (key ~ /max/) most = value; else slots = value
      }
      if (slots + 0 < 1) refuse(host " has no slots; remove the line")
      if (most != "" && most + 0 < slots + 0) refuse("max_slots=" most " is less than slots=" slots)
      print NR, host, slots + 0
    }' "$1"
}

# canonical_host HOST: prints this machine's host name if HOST is a name or address of this machine,
# else HOST unchanged.
canonical_host() {
  local this address addresses
  this=$(hostname)
  addresses=" $(hostname -I 2>/dev/null) "
  case $1 in localhost | "$this") echo "$this"; return ;; esac
  for address in $(timeout 5 getent ahosts "$1" | awk '{ print $1 }' | sort -u); do
    case $address in 127.* | ::1) echo "$this"; return ;; esac
    [[ $addresses != *" $address "* ]] || { echo "$this"; return; }
  done
  echo "$1"
}

# read_hosts FILE: prints the hosts of a host file as lines `line host slots`. A line of the file is
# `name`, `name slots=2`, optionally with max_slots, or `name:2` as for MPICH. All names of this
# machine are printed as its host name: mpirun then needs no remote shell for it, and duplicates are
# detected.
read_hosts() {
  local lines line name host slots
  [ -f "$1" ] && [ -r "$1" ] || { report "there is no host file $1"; return 66; }
  lines=$(parse_host_file "$1") || { report "$1, line ${lines##*$'\n'}"; return 65; }
  [ -n "$lines" ] || { report "$1 names no host"; return 65; }
  local -A first_line=()
  while read -r line name slots; do
    host=$(canonical_host "$name")
    if [ -n "${first_line[$host]:-}" ]; then
      report "$1 names $host in line ${first_line[$host]} and again in line $line$([ "$host" = "$name" ] || echo ", as $name"); give it one line with slots=2"
      return 65
    fi
    first_line[$host]=$line
    echo "$line $host $slots"
  done <<<"$lines"
}

# format_host_file: turns the output of read_hosts into a host file for mpirun. The slots are
# explicit because mpirun gives a host without them as many ranks as it has cores.
format_host_file() { awk '{ print $2 " slots=" $3 }'; }

# is_reachable HOST: whether mpirun's remote shell reaches the host; this machine needs no remote
# shell.
is_reachable() {
  local shell
  read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=5}"
  [ "$1" = "$(hostname)" ] || timeout 10 "${shell[@]}" "$1" true </dev/null 2>/dev/null
}

# is_final STATUS: whether a restart of the job would not help: the job is done, electra has
# reported an error in options, data, folder, memory or the run itself, or the program cannot be
# executed.
is_final() { case $1 in 0 | 64 | 65 | 66 | 70 | 71 | 73 | 77 | 78 | 126 | 127) ;; *) return 1 ;; esac; }

# option_value OPTION ARGUMENTS...: prints the value of an option in electra's arguments, the last
# one if it is given twice, nothing if it is absent.
option_value() {
  local option=$1 previous='' result='' argument
  shift
  for argument in "$@"; do
    case $argument in "$option="*) result=${argument#*=} ;; esac
    [ "$previous" != "$option" ] || result=$argument
    previous=$argument
  done
  echo "$result"
}

# wait_for_job PID: waits for a background job of this shell and returns its status. A trapped
# signal interrupts `wait`, so it waits until the process is gone.
wait_for_job() {
  local status again
  while :; do
    wait "$1"
    status=$?
    kill -0 "$1" 2>/dev/null || break
  done
  # If the job ended while a signal was handled, $status is the signal's; one more `wait` then
  # returns the job's status, and 127 if the first one did already.
  wait "$1" 2>/dev/null
  again=$?
  [ "$again" -eq 127 ] || status=$again
  return "$status"
}

# newest_checkpoint RUN: prints the folder of the run's newest checkpoint, nothing if there is none.
newest_checkpoint() { find "$1/checkpoints" -maxdepth 1 -name 'step-*[0-9]' 2>/dev/null | sort | tail -n 1; }

# heartbeat_value KEY FILE: prints a value of a rank's heartbeat file.
heartbeat_value() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" "$2" 2>/dev/null; }

# lost_ranks RUN FILE: prints the ranks whose last heartbeat is newer than FILE and has the state
# `running`, with host, section and step. Ranks that end by themselves write another state.
lost_ranks() {
  local file list=
  for file in "$1"/heartbeats/rank-*; do
    if [ "$file" -nt "$2" ] && [ "$(heartbeat_value state "$file")" = running ]; then
      list+="${list:+, }rank $(heartbeat_value rank "$file") on $(heartbeat_value host "$file") in $(heartbeat_value section "$file") of step $(heartbeat_value step "$file")"
    fi
  done
  echo "${list:-no rank}"
}

# build: builds the release program; shows the compiler's output only when the build fails.
build() {
  echo "building (one to two minutes the first time)"
  local log
  log=$(mktemp)
  if ! (cd "$root" && swift build -c release --product electra) >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "the build failed; its output is above" >&2
    return 1
  fi
  rm -f "$log"
}
