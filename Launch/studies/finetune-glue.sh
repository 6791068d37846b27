#!/usr/bin/env bash
# Fine-tunes a pre-trained model on every task found in a GLUE folder, as it is downloaded (CoLA/train.tsv
# and so on; gz files too), and prints the paper's table with the scores on the dev sets beside it:
#
#   Launch/studies/finetune-glue.sh GLUE --from RUN --output FOLDER [options of electra finetune, as --seeds 5]
#
# Each task has its folder in FOLDER, with the files that the GLUE site wants. Seeds that are done are not
# done again; a task that fails is told at the end, and the others go on. TERM, INT and HUP let the program save
# and end with status 75; the same command goes on. NP=2 runs two ranks.
#
# The arithmetic for all of GLUE: 2.97 million sequences (the train sets times 3 epochs, RTE and STS-B times
# 10, MRPC and STS-B in both orders) of some 38 tokens are 113 million tokens a seed. ELECTRA-Small takes
# 5.7e7 operations a token, forward and backward: 6.4e15, of which MNLI and QQP are three quarters; at 100
# Gflop/s 18 hours, without these two 3.5 hours.
# Published, with ELECTRA-Small on OpenWebText (1 M steps): 80.4 on average, the row to aim at.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../environment.sh
. "$here/../environment.sh"
usage="finetune-glue.sh GLUE --from RUN --output FOLDER [options]"
glue=${1:?$usage}
shift
output=
options=()
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=${2:?$usage}; shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
: "${output:?$usage}"
[ -d "$glue" ] || { echo "finetune-glue.sh: there is no folder $glue" >&2; exit 66; }
[ -x "$electra" ] || build || exit
mkdir -p "$output" || exit 73
launcher=("$electra")
[ -z "${NP:-}" ] || launcher=("$here/../mpirun.sh" -np "$NP")
child=
trap '[ -z "$child" ] || kill -TERM "$child"' TERM INT HUP QUIT

tasks=(cola:CoLA sst2:SST-2 mrpc:MRPC stsb:STS-B qqp:QQP mnli:MNLI qnli:QNLI rte:RTE wnli:WNLI)
failed=
for entry in "${tasks[@]}"; do
  task=${entry%:*} folder=$glue/${entry#*:}
  [ -d "$folder" ] || continue
  compgen -G "$folder/*train*" >/dev/null || { echo "${entry#*:}: no training file, left out"; continue; }
  echo "${entry#*:}"
  # In a session of its own, so that Ctrl-C reaches this script alone.
  setsid "${launcher[@]}" finetune "$task" --data "$folder" --output "$output/$task" "${options[@]}" &
  child=$!
  await "$child"
  status=$?
  child=
  # 75: stopped as asked.
  [ "$status" -ne 75 ] || exit 75
  [ "$status" -eq 0 ] || failed+="${failed:+, }${entry#*:}"
done

# median TASK: of the task's first metric over the seeds, times 100; nothing where there is none.
median() {
  local results=$output/$1/results.json
  [ -s "$results" ] || return 0
  tr -d ' \n' <"$results" | grep -o '"values":\[[^],]*' | cut -d'[' -f2 | grep -v null | sort -g | awk '
    { value[NR] = $1 }
    END { if (NR) printf "%.1f", 50 * (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) }'
}

# row NAME VALUE...: the eight tasks of the paper's average, WNLI, the average of the eight.
row() { printf '%-36s%6s%6s%6s%6s%6s%6s%6s%6s%6s%7s\n' "$@"; }
ours=()
for entry in "${tasks[@]}"; do
  value=$(median "${entry%:*}")
  ours+=("${value:--}")
done
average=$(printf '%s\n' "${ours[@]:0:8}" | awk '$1 != "-" { sum += $1; count++ } END { if (count == 8) printf "%.2f", sum / 8 }')
echo
echo "GLUE dev sets: Matthews (CoLA), Spearman (STS-B), accuracy (all others), times 100; median over seeds"
row "" CoLA SST MRPC STS QQP MNLI QNLI RTE WNLI mean
row "majority class" 0.0 50.9 68.4 "-" 63.2 35.4 50.5 52.7 56.3 "-"
row "GPT (the paper's table 1)" - - - - - - - - - 78.8
row "BERT-Small (table 1)" - - - - - - - - - 75.1
row "ELECTRA-Small (table 1)" - - - - - - - - - 79.9
row "ELECTRA-Small, a sixteenth (table 1)" - - - - - - - - - 74.1
row "ELECTRA-Small-OWT (released)" 56.8 88.3 87.4 86.8 88.3 78.9 87.9 68.5 - 80.36
row "ELECTRA-Small++ (released)" 57.0 91.2 88.0 87.5 89.0 81.3 88.4 66.7 - 81.14
row "BERT-Base (table 1)" - - - - - - - - - 82.2
row "ELECTRA-Base (released)" 67.7 95.1 89.5 91.2 91.5 88.8 93.2 82.7 - 87.46
row "this model" "${ours[@]}" "${average:--}"
[ -z "$failed" ] || { echo "finetune-glue.sh: failed: $failed; their messages stand above" >&2; exit 70; }
