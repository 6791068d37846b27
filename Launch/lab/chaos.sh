#!/usr/bin/env bash
# Shows that nothing is lost: disturbs small trainings at random moments, and compares their last
# checkpoints with that of a training that nobody disturbed. They must be the same, byte for byte.
#
#   Launch/lab/chaos.sh [ROUNDS] [SEED]        default: 100 rounds, about ten minutes on two cores
#
# A round starts the training, or goes on with it, on 1 to 4 ranks with 1 or 2 lanes each, and then
# kills a rank or the launcher (SIGKILL), stops a rank (SIGSTOP, until the watchdog ends the job), asks
# to stop (SIGTERM, SIGUSR1), or lets rank zero die at a random write of a checkpoint. In between it
# damages the newest checkpoint at times. A finished training is compared and the next one begins.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../environment.sh
. "$here/../environment.sh"
rounds=${1:-100}
RANDOM=${2:-$$}
work=$(mktemp -d)
export TMPDIR=$work
# Shared memory of killed ranks goes with the folder.
export OMPI_MCA_btl_vader_backing_directory=$work
trap 'pkill -KILL -f "pretrain --data $work" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "chaos: $*" >&2; tail -n 5 "$work"/log.round "$work"/log.whole >&2; exit 1; }

# Text of its own making: a lexicon in which a word mostly decides the next.
awk 'BEGIN { srand(7); split("ba ko li mu ne ra si to vu ze", part, " ")
  for (i = 0; i < 200; i++) { word[i] = ""; for (j = 0; j < 1 + int(rand() * 4); j++) word[i] = word[i] part[1 + int(rand() * 10)] }
  for (d = 0; d < 400; d++) { for (s = 0; s < 8; s++) { w = int(rand() * 200); line = ""
    for (n = 0; n < 9; n++) { w = rand() < 0.8 ? (w * 7 + 3) % 200 : int(rand() * 200); line = line word[w] " " }
    print line "." } print "" } }' >"$work/text.txt"
"$electra" vocabulary "$work/text.txt" --size 300 --output "$work/vocab.txt" 2>/dev/null || fail "no vocabulary"
"$electra" prepare "$work/text.txt" --vocabulary "$work/vocab.txt" --length 32 --output "$work/data" \
  >/dev/null 2>&1 || fail "no shards"
steps=300
train=(pretrain --data "$work/data" --preset tiny --length 32 --batch 48 --slices 16 --steps "$steps" --warmup 20
  --log-every 20 --save-every 10 --evaluate-every 100 --evaluate-examples 50)
for section in connection=10 start=20 step=3 checkpoint=10 evaluation=10 end=10; do train+=(--deadline "$section"); done
last=checkpoints/step-$(printf %08d "$steps")
"$electra" "${train[@]}" --output "$work/whole" 2>"$work/log.whole" || fail "the undisturbed run failed"

# same RUN: compares what decides the result, and the metrics but for times.
same() {
  local file
  for file in model.safetensors optimizer.safetensors; do
    cmp "$work/whole/$last/$file" "$1/$last/$file" || return 1
  done
  local times='s/"(seconds|time|tokens_per_second|(communication|input|evaluation|checkpoint)_fraction)": [^,}]*//g'
  diff <(sed -E "$times" "$work/whole/metrics.jsonl") <(sed -E "$times" "$1/metrics.jsonl")
}

# One flipped bit in a random file of the newest checkpoint, or its end cut off; there must be one before it.
damage() {
  local newest files file size
  newest=$(find "$1/checkpoints" -maxdepth 1 -name 'step-????????' 2>/dev/null | sort | tail -n +2 | tail -n 1)
  [ -n "$newest" ] || return 0
  count[damage]=$((${count[damage]:-0} + 1))
  files=("$newest"/*)
  file=${files[RANDOM % ${#files[@]}]}
  size=$(stat -c %s "$file")
  if ((RANDOM % 2)); then
    truncate -s $((size * (RANDOM % 100) / 100)) "$file"
  else
    local place=$(((RANDOM * 32768 + RANDOM) % size)) byte
    byte=$(od -An -tu1 -j "$place" -N 1 "$file")
    printf "\\x$(printf %02x $((byte ^ (1 << RANDOM % 8))))" | dd of="$file" bs=1 seek="$place" conv=notrunc status=none
  fi
}

declare -A count=()
finished=0
number=0
for round in $(seq "$rounds"); do
  run=$work/run-$number
  kinds=(kill-rank kill-rank kill-launcher stop-rank TERM USR1 kill-write kill-write)
  kind=${kinds[RANDOM % ${#kinds[@]}]}
  ranks=$((1 + RANDOM % 4))
  lanes=$((1 + RANDOM % 2))
  # A rank that is stopped is noticed by the others.
  [ "$kind" != stop-rank ] || ranks=$((2 + RANDOM % 3))
  [ "$kind" = kill-write ] && export ELECTRA_KILL_AT=$((1 + RANDOM % 400)) || unset ELECTRA_KILL_AT
  "$here/../mpirun.sh" -np "$ranks" "${train[@]}" --output "$run" --threads "$lanes" >"$work/log.round" 2>&1 &
  job=$!
  sleep "$((RANDOM % 3)).$((RANDOM % 10))"
  # Where the training has not begun or is over, nothing is disturbed, and nothing counted.
  launcher=$(pgrep -P "$job" -x mpirun)
  victims=()
  [ -z "$launcher" ] || mapfile -t victims < <(pgrep -P "$launcher")
  victim=
  [ ${#victims[@]} -eq 0 ] || victim=${victims[RANDOM % ${#victims[@]}]}
  case $kind in
    kill-rank) [ -n "$victim" ] && kill -KILL "$victim" 2>/dev/null ;;
    stop-rank) [ -n "$victim" ] && kill -STOP "$victim" 2>/dev/null ;;
    kill-launcher) [ -n "$launcher" ] && kill -KILL "$launcher" 2>/dev/null ;;
    TERM | USR1) [ -n "$launcher" ] && kill "-$kind" "$launcher" 2>/dev/null ;;
    kill-write) true ;;
  esac
  hit=$?
  # A job that does not end is a failure: its deadlines are 20 s at most.
  for _ in $(seq 300); do kill -0 "$job" 2>/dev/null || break; sleep 0.1; done
  ! kill -0 "$job" 2>/dev/null || fail "round $round ($kind, $ranks ranks) hangs"
  wait "$job"
  status=$?
  [ "$kind" != kill-write ] || hit=$((status == 0))
  [ "$hit" -ne 0 ] || count[$kind]=$((${count[$kind]:-0} + 1))
  # Ranks that lost their launcher end by themselves; until then they hold the lock.
  for _ in $(seq 100); do pgrep -f "pretrain --data $work" >/dev/null || break; sleep 0.1; done
  if [ "$status" -eq 0 ]; then
    same "$run" || fail "training $number, after round $round ($kind): its bytes differ"
    finished=$((finished + 1))
    number=$((number + 1))
  elif ((RANDOM % 4 == 0)); then
    damage "$run"
  fi
done

# What is left is brought to its end in peace.
unset ELECTRA_KILL_AT
run=$work/run-$number
"$here/../mpirun.sh" -np 2 "${train[@]}" --output "$run" >"$work/log.round" 2>&1 || fail "the last training does not end"
same "$run" || fail "the last training's bytes differ"
finished=$((finished + 1))
echo "chaos: $rounds rounds ($(for kind in "${!count[@]}"; do echo -n "$kind ${count[$kind]}, "; done | sed 's/, $//')); $finished trainings of $steps steps finished, all with the bytes and metrics of the undisturbed one"
