#!/usr/bin/env bash
# Measures steps on 1 to N ranks, one number after the other, then makes the fit, the table and the
# picture with `electra benchmark scaling`. weak-scaling.sh and strong-scaling.sh call it.
#
#   Launch/scaling/scaling.sh weak|strong [where] [what]
#
# where (by default the allocation of Slurm, PBS or LSF, outside of one this machine):
#   --cluster 1gbit     hosts emulated on this machine, one per rank, with links of this rate (needs root)
#   --hosts FILE        the hosts of a host file, as for mpirun.sh
# what:
#   --ranks "1 2 4 8"   numbers of ranks; by default powers of two up to 8, the slots or the tasks
#   --output DIR        a new folder for steps.jsonl, scaling.csv and scaling.svg
#   --batch N           sequences per rank (weak), or of all ranks together (strong)
#   and options of `electra benchmark step`: --preset, --length, --threads, --rounds, ...
#
# The largest number of ranks and those that are not powers of two are held out of the fit, to check
# it. If several hosts are one machine, they share its cores: the program detects that, divides the
# computing time by the number of threads that share a core, and prints a note.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=../usage.sh
. "$here/../usage.sh"
# shellcheck source=../environment.sh
. "$here/../environment.sh"
# shellcheck source=../hosts.sh
. "$here/../hosts.sh"
report() { echo "scaling: $*" >&2; }
# fail STATUS SENTENCE
fail() { report "$2"; exit "$1"; }

kind=${1:-}
case $kind in weak | strong) shift ;; *) print_usage >&2; exit 64 ;; esac
rate='' hosts='' ranks='' batch='' threads=1 folder=$kind-scaling
options=()
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || fail 64 "$1 needs a value"
  case $1 in
    --cluster) rate=$2 ;;
    --hosts) hosts=$2 ;;
    --ranks) ranks=$2 ;;
    --batch) batch=$2 ;;
    --threads) threads=$2 ;;
    --output) folder=$2 ;;
    --*) options+=("$1" "$2") ;;
    *) fail 64 "unknown option $1" ;;
  esac
  shift 2
done
lines=''
if [ -n "$hosts" ]; then
  lines=$(read_hosts "$hosts") || exit
elif [ -z "$rate" ]; then
  # The hosts of a job of PBS or LSF, which mpirun.sh finds too.
  lines=$(mpirun_options=() && find_hosts && echo "$lines") || exit
fi
[ ! -e "$folder" ] || fail 73 "$folder exists; choose another --output"
[ -z "$rate" ] || [ "$(id -u)" -eq 0 ] || fail 64 "emulated hosts need root"
# A separate cluster: another one may be up.
export ELECTRA_CLUSTER=electra-scaling

# The largest number of ranks.
most=8
if [ -n "$lines" ]; then
  most=$(awk '{ slots += $3 } END { print slots }' <<<"$lines")
elif [ -z "$rate" ] && [ -n "${SLURM_JOB_ID:-}" ]; then
  most=${SLURM_NTASKS:-1}
fi
if [ -z "$ranks" ]; then
  for ((n = 1; n <= most; n *= 2)); do ranks+="$n "; done
fi
largest=0
for n in $ranks; do
  [[ $n =~ ^[1-9][0-9]*$ ]] || fail 64 "--ranks needs numbers above 0, not $n"
  [ "$n" -le "$most" ] || [ -z "$lines${SLURM_JOB_ID:-}" ] || fail 64 "$n ranks do not fit: there are $most slots or tasks"
  [ "$n" -le "$largest" ] || largest=$n
done
if [ "$kind" = weak ]; then
  batch=${batch:-16}
else
  batch=${batch:-64}
  [ "$batch" -ge $((largest * threads)) ] || fail 64 "--batch $batch is less than one sequence for each of $largest ranks x $threads threads"
  # Use the same slices on every number of ranks, so that all compute the same step bit for bit.
  slices=1
  while [ "$slices" -lt $((largest * threads)) ]; do slices=$((2 * slices)); done
  options+=(--slices "$slices")
  # By default the level of an exchange in bfloat16 follows from the ranks.
  if [[ " ${options[*]} " = *" --exchange bfloat16 "* && " ${options[*]} " != *" --exchange-level "* ]]; then
    level=0
    while [ $((largest << (level + 1))) -le "$slices" ]; do level=$((level + 1)); done
    options+=(--exchange-level "$level")
  fi
fi

# launch N VERB...: runs electra on N ranks.
launch() {
  local n=$1
  shift
  if [ -n "$rate" ]; then
    "$here/../lab/cluster.sh" up "$n" --rate "$rate"
    is_up=yes
    "$here/../lab/cluster.sh" run "$n" "$electra" "$@"
    "$here/../lab/cluster.sh" down
    is_up=
  elif [ -z "$hosts" ] && [ -n "${SLURM_JOB_ID:-}" ]; then
    srun --mpi="${ELECTRA_PMI:-pmix}" -K1 --distribution=block:block -n "$n" --cpus-per-task="$threads" "$electra" "$@"
  else
    "$here/../mpirun.sh" -np "$n" ${hosts:+--hosts "$hosts"} "$@"
  fi
}

build_if_missing || exit
mkdir -p "$folder"
# A cluster that was up before is that of another measurement.
is_up=
trap '[ -z "$is_up" ] || "$here/../lab/cluster.sh" down' EXIT
for n in $ranks; do
  [ "$kind" = weak ] && sequences=$((batch * n)) || sequences=$batch
  echo "$n ranks, $sequences sequences" >&2
  launch "$n" benchmark step --without-peak --json --threads "$threads" --batch "$sequences" "${options[@]}" \
    >>"$folder/steps.jsonl"
done
"$electra" benchmark scaling "$folder/steps.jsonl" --csv "$folder/scaling.csv" --picture "$folder/scaling.svg"
