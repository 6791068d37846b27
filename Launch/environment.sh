# shellcheck shell=bash
# Settings for mpirun on one machine and functions that the scripts share. Sourced, not executed.
# A setting of Open MPI that the user has made is kept. Functions for hosts are in hosts.sh.
#
# A function that finds an error prints one sentence with `report SENTENCE`, which the sourcing
# script defines, and returns the exit status: 64 usage, 65 bad data, 66 missing file, 69
# unavailable.

# With CDPATH, `cd` can lead to another folder, and prints the folder that it finds.
unset CDPATH
# Open MPI refuses root by default, but in a container root is often the only user.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# Allow more ranks than cores; waiting ranks yield the core instead of spinning.
export OMPI_MCA_rmaps_base_oversubscribe=${OMPI_MCA_rmaps_base_oversubscribe:-1}
export OMPI_MCA_mpi_yield_when_idle=${OMPI_MCA_mpi_yield_when_idle:-1}
# Fill host after host, so that the slices of a host are contiguous. --map-by overrides it.
export OMPI_MCA_rmaps_base_mapping_policy=${OMPI_MCA_rmaps_base_mapping_policy:-slot}
# electra pins its worker threads itself. --bind-to overrides it.
export OMPI_MCA_hwloc_base_binding_policy=${OMPI_MCA_hwloc_base_binding_policy:-none}
# Containers without ptrace cannot copy memory between processes: do not try it, and do not warn.
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
# electra's workers call OpenBLAS, each on one thread.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

# The folder of the repository, or of an unpacked release.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The program of the release, or of `swift build -c release`; ELECTRA_PROGRAM names another one, for
# example one that build.sh made.
electra=$root/bin/electra
[ -e "$electra" ] || electra=$root/.build/release/electra
electra=${ELECTRA_PROGRAM:-$electra}
# Scripts leave the current folder.
case $electra in /*) ;; *) electra=$PWD/$electra ;; esac
# The verbs of electra. The first one among the arguments of a launcher ends the options of mpirun.
verbs="pretrain evaluate runs finetune predict detect export vocabulary prepare tokenize tasks flops report compare benchmark help"

# read_launch ARGUMENTS...: reads the number of ranks into $ranks and the host file into $hosts, both
# empty when absent, all other options of mpirun into the array $mpirun_options, and the verb of
# electra with its options into the array $job.
# shellcheck disable=SC2034 # the sourcing script uses hosts and job
read_launch() {
  ranks='' hosts='' mpirun_options=()
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h | --version) break ;;
      -np | --np | -n | --n | --hosts | --hostfile | -hostfile | --machinefile | -machinefile)
        [ -n "${2:-}" ] || { report "$1 needs a value"; return 64; }
        case $1 in
          -n* | --n*)
            [[ $2 =~ ^0*[1-9][0-9]{0,5}$ ]] || { report "-np needs a number of ranks above 0, not $2"; return 64; }
            ranks=$((10#$2)) ;;
          *) hosts=$2 ;;
        esac
        shift ;;
      -*) mpirun_options+=("$1") ;;
      *)
        [[ " $verbs " != *" $1 "* ]] || break
        # An option of mpirun has up to two values.
        [[ ${mpirun_options[*]: -2} = -* || ${mpirun_options[*]: -1} = -* ]] \
          || { report "$1 is neither a verb of electra nor the value of an option of mpirun"; return 64; }
        mpirun_options+=("$1") ;;
    esac
    shift
  done
  [ $# -gt 0 ] || { report "a verb of electra is missing, as in: -np 2 pretrain --data data --output run"; return 64; }
  job=("$@")
  require_program
}

# require_program: fails unless $electra is an executable file.
require_program() {
  [ -f "$electra" ] && [ -x "$electra" ] && return
  report "there is no program $electra; build it with 'swift build -c release', or name it with ELECTRA_PROGRAM"
  return 66
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
    wait "$1" 2>/dev/null
    status=$?
    kill -0 "$1" 2>/dev/null || break
  done
  # If the job ended while a signal was handled, $status is the signal's; one more `wait` then
  # returns the job's status, and 127 (in bash 5.2 also -1) if bash does not know it any more.
  wait "$1" 2>/dev/null
  again=$?
  [ "$again" -eq 127 ] || [ "$again" -lt 0 ] || status=$again
  return "$status"
}

# end_with_launcher PID: ends the process with SIGTERM when this script has ended before it, which
# only SIGKILL can cause; with a second SIGTERM if it still exists after five seconds. The watching
# process has a session and a name of its own, so that whatever kills the script does not kill it.
end_with_launcher() {
  # shellcheck disable=SC2016 # the inner shell expands them
  setsid bash -c 'while kill -0 "$1"; do
      if kill -0 "$2"; then sleep 0.5; else kill -TERM "$1"; sleep 5; fi
    done' watch "$1" "$$" </dev/null >/dev/null 2>&1 &
}

# newest_checkpoint RUN: prints the folder of the newest checkpoint of a run, or of a fine-tuning's
# current seed or fold, nothing if there is none.
newest_checkpoint() {
  [ -z "$1" ] || find "$1/checkpoints" "$1"/{seed,fold}-*/checkpoints -maxdepth 1 -name 'step-*[0-9]' 2>/dev/null | sort -V | tail -n 1
}

# progress RUN: prints a text that increases in order with each checkpoint: the number of completed
# seeds or folds of a fine-tuning, and the step of the newest checkpoint. Zeros before the step give
# all steps the same number of digits.
progress() {
  local newest step zeros=00000000000000000000
  newest=$(newest_checkpoint "$1")
  step=${newest##*/step-}
  printf '%06d %s\n' "$(find "$1"/{seed,fold}-*/result.json 2>/dev/null | wc -l)" "${step:+${zeros:${#step}}$step}"
}

# lost_ranks RUN FILE: prints the ranks whose last heartbeat is newer than FILE and has the state
# `running`, with host, section and step. Ranks that end by themselves write another state.
lost_ranks() {
  local list line='s/^rank=(\S+) host=(\S+) .*step=(\S+) section=(\S+) state=running\b.*/rank \1 on \2 in \4 of step \3/p'
  list=$(find "$1/heartbeats" -name 'rank-*' -newer "$2" -exec sed -nE "$line" {} + 2>/dev/null \
    | sort -V | paste -sd , | sed 's/,/, /g')
  echo "${list:-no rank}"
}

# build: builds the release program; shows the compiler's output only when the build fails. Does
# nothing if the user names a program, or in an unpacked release, which has a program and no manifest.
build() {
  [ -z "${ELECTRA_PROGRAM:-}" ] && [ -e "$root/Package.swift" ] || return 0
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

# build_if_missing: builds the program unless there is one; fails if there is none afterwards.
build_if_missing() {
  [ -x "$electra" ] || build || return
  require_program
}
