# Sourced by ablations.sh and pretraining-pays.sh: from text and labelled data to systems that are pre-trained
# at equal compute, fine-tuned, and compared. They share these options:
#
#   LABELS              a folder with tasks as they are given out: CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE,
#                       WNLI (also in a folder glue), conll2000 and squad
#   --output DIR        where all is made, and gone on with
#   --text PATH         text to pre-train on, a file or folder; by default the Debian package of quickstart.sh
#   --vocabulary N      tokens of its vocabulary
#   --steps N           steps of ELECTRA; the others get what `electra flops` says is as costly
#   --seeds N           fine-tunings of each system on each task
#   --tasks "A B:2"     the tasks, by their names in `electra finetune`; after a colon epochs, where they are not to
#                       be the paper's
#   and options of `electra pretrain`, the same for all systems: --preset or --config, --batch, --whole-words, ...
#
# Made in DIR: SYSTEM/run and SYSTEM/TASK, study.tsv, table.md, table.csv, picture.svg; the program's own lines in
# log.txt. What is done is not done again: a run goes on at its checkpoint, and options that do not fit what is
# there are refused. TERM, INT and USR1 let the program save and end with status 75. NP=2 takes two ranks.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../environment.sh
. "$here/../environment.sh"
name=$(basename "$0")
fail() { echo "$name: $2" >&2; exit "$1"; }

# read_options ARGUMENT...: the options above; scripts set their defaults before.
output='' text='' labels='' preset=(--preset tiny)
pretrain=() costs=()
read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) sed -n '2,/^set/p' "$0" | sed 's/^# \{0,1\}//;/^set/d'; exit 0 ;;
      --whole-words | --recompute | --disallow-correct | --mask-with-replacement)
        pretrain+=("$1"); costs+=("$1"); shift; continue ;;
      --stop-when-sick) pretrain+=("$1"); shift; continue ;;
      --*) [ $# -gt 1 ] || fail 64 "$1 needs a value" ;;
    esac
    case $1 in
      --output) output=$2 ;;
      --text) text=$2 ;;
      --vocabulary) vocabulary=$2 ;;
      --steps) steps=$2 ;;
      --seeds) seeds=$2 ;;
      --tasks) tasks=$2 ;;
      --studies) [ -n "${studies:-}" ] || fail 64 "--studies belongs to ablations.sh"; studies=$2 ;;
      --preset | --config) preset=("$1" "$2") ;;
      --length) length=$2 ;;
      # What changes no cost, and `electra flops` does not know.
      --log-every | --evaluate-* | --save-* | --keep | --deadline | --grace | --hours | --threads | --init-from)
        pretrain+=("$1" "$2") ;;
      --*) pretrain+=("$1" "$2"); costs+=("$1" "$2") ;;
      *) [ -z "$labels" ] || fail 64 "there is one folder of labelled data: $labels or $1?"
         labels=$1; shift; continue ;;
    esac
    shift 2
  done
  [ -n "$labels" ] && [ -n "$output" ] || fail 64 "give the folder of labelled data and --output; --help says more"
  [ -d "$labels" ] || fail 66 "there is no folder $labels"
  [ -z "$text" ] || [ -e "$text" ] || fail 66 "there is no text $text"
  local number
  for number in "$steps" "$seeds" "$vocabulary" "$length"; do
    [[ $number =~ ^[1-9][0-9]*$ ]] || fail 64 "--steps, --seeds, --vocabulary and --length take numbers, not $number"
  done
  # The preset tiny warms up for three tenths of a run.
  [ "${preset[*]}" != "--preset tiny" ] || pretrain=(--warmup $((steps * 3 / 10)) "${pretrain[@]}")
  pretrain+=("${preset[@]}" --length "$length")
  costs+=("${preset[@]}" --length "$length")
  mkdir -p "$output" || exit 73
  log=$output/log.txt
  [ -x "$electra" ] || build || exit
}

# job COMMAND...: runs a part of the study, and ends with it when it was asked to stop.
child='' asked=0
stop() {
  asked=1
  # mpirun.sh hands on TERM; the program itself is asked as a batch system asks it.
  [ -z "$child" ] || kill "-$([ -n "${NP:-}" ] && echo TERM || echo USR1)" "$child" 2>/dev/null
}
trap stop TERM INT HUP USR1
job() {
  local status
  [ "$asked" -eq 0 ] || exit 75
  # In a session of its own, so that Ctrl-C reaches this script alone.
  setsid "$@" >>"$log" 2>&1 </dev/null &
  child=$!
  while :; do
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  # The signal ended the waiting, and then the job ended by itself.
  wait "$child" 2>/dev/null
  local again=$?
  [ "$again" -eq 127 ] || status=$again
  child=
  if [ "$asked" -ne 0 ] || [ "$status" -eq 75 ]; then
    echo "$name: stopped as asked; the same command goes on"
    exit 75
  fi
  return "$status"
}
# on_ranks VERB...: electra, on as many ranks as NP says.
on_ranks() {
  if [ -n "${NP:-}" ]; then job "$here/../mpirun.sh" -np "$NP" "$@"; else job "$electra" "$@"; fi
}
# The last sentence of the log.
why() { tail -n 1 "$log"; }

# Text, vocabulary and shards, the same ones at every start.
prepare() {
  local settings="text ${text:-of Debian}, vocabulary $vocabulary, length $length"
  [ -s "$output/settings.txt" ] || echo "$settings" >"$output/settings.txt"
  [ "$(cat "$output/settings.txt")" = "$settings" ] \
    || fail 64 "$output has $(cat "$output/settings.txt"), and not $settings; choose another --output"
  if [ -z "$text" ]; then
    text=$output/text.txt
    "$here/../fetch-text.sh" "$text" || exit
  fi
  if [ ! -s "$output/vocab.txt" ]; then
    echo "training a vocabulary"
    job "$electra" vocabulary "$text" --size "$vocabulary" --output "$output/vocab.txt" || fail $? "$(why)"
  fi
  vocabulary=$(wc -l <"$output/vocab.txt")
  if [ ! -s "$output/data/data.json" ]; then
    echo "preparing shards"
    job "$electra" prepare "$text" --vocabulary "$output/vocab.txt" --length "$length" --output "$output/data" \
      || fail $? "$(why)"
  fi
}

# folder_of TASK: where its files are, or nothing. SQuAD without a training set is cut in two by article.
folder_of() {
  local names parent folder
  case $1 in
    cola) names=CoLA ;; sst2) names=SST-2 ;; mrpc) names=MRPC ;; stsb) names=STS-B ;; qqp) names=QQP ;;
    mnli) names=MNLI ;; qnli) names=QNLI ;; rte) names=RTE ;; wnli) names=WNLI ;; squad1) names=squad ;;
    chunking) names="conll2000 chunking" ;; *) names=$1 ;;
  esac
  for folder in $names; do
    for parent in "$labels" "$labels/glue"; do
      if compgen -G "$parent/$folder/*train*" >/dev/null; then
        echo "$parent/$folder"
        return
      fi
    done
  done
  [ "$1" != squad1 ] || cut_questions
}

# The first three quarters of the articles of SQuAD's dev set to train on, the others to measure with.
cut_questions() {
  local from=("$labels"/squad/dev-v1.1.json*)
  [ -e "${from[0]}" ] && command -v python3 >/dev/null || return 0
  if [ ! -s "$output/squad/train-v1.1.json" ]; then
    mkdir -p "$output/squad"
    python3 - "${from[0]}" "$output/squad" <<'PY' || return 0
import gzip, json, sys
with (gzip.open if sys.argv[1].endswith("gz") else open)(sys.argv[1]) as file:
    whole = json.load(file)
articles = whole["data"]
cut = len(articles) * 3 // 4
for name, part in [("dev", articles[cut:]), ("train", articles[:cut])]:
    with open(f"{sys.argv[2]}/{name}-v1.1.json", "w") as file:
        json.dump({"version": whole["version"], "data": part}, file)
PY
  fi
  echo "$output/squad"
}

# find_tasks: which of $tasks are there, as "task epochs folder" in $found.
find_tasks() {
  local entry folder missing=()
  found=()
  for entry in $tasks; do
    folder=$(folder_of "${entry%%:*}")
    [ -n "$folder" ] || { missing+=("${entry%%:*}"); continue; }
    [[ $entry == *:* ]] && found+=("${entry%%:*} ${entry#*:} $folder") || found+=("$entry - $folder")
  done
  [ ${#found[@]} -gt 0 ] || fail 66 "$labels has a training set for none of: $tasks"
  [ ${#missing[@]} -eq 0 ] || echo "no training set, and left out: ${missing[*]}"
}

# figure NAME OPTION...: a number of `electra flops` about a run with these options, nothing where it has none.
figure() {
  local key=$1 figures
  shift
  figures=$("$electra" flops "${costs[@]}" --steps "$steps" --vocabulary-size "$vocabulary" "$@" \
    --tokens-per-second 1 --json) || return
  grep -o "\"$key\":[0-9.e+]*" <<<"$figures" | cut -d: -f2
  return 0
}

# system QUESTION NAME PAPER PLACE FOLDER [OPTION...]: a system as `electra compare` lists it, its folder in DIR,
# and how its pre-training differs from ELECTRA's; "scratch" for none at all. A folder that several questions share
# is made once.
systems=()
declare -A different=()
system() {
  systems+=("$1"$'\t'"$2"$'\t'"$3"$'\t'"$4"$'\t'"$output/$5")
  [ -n "${different[$5]+known}" ] || folders+=("$5")
  different[$5]=${*:6}
}
folders=()

# train FOLDER: pre-trains a system, to the cost of $steps steps of ELECTRA.
train() {
  local options own
  read -ra options <<<"${different[$1]}"
  [ "${options[*]}" != scratch ] || return 0
  own=$(figure steps_of_equal_products "${options[@]}") || fail 64 "the cost of $1 cannot be told; see above"
  echo "$1: ${own:-$steps} steps"
  on_ranks pretrain --data "$output/data" --output "$output/$1/run" "${pretrain[@]}" --steps "${own:-$steps}" \
    "${options[@]}"
}

# tune FOLDER: fine-tunes a system on all tasks.
tune() {
  local entry task epochs folder arguments
  for entry in "${found[@]}"; do
    read -r task epochs folder <<<"$entry"
    echo "$1: $task"
    arguments=(finetune "$task" --data "$folder" --output "$output/$1/$task" --seeds "$seeds")
    [ "$epochs" = - ] || arguments+=(--epochs "$epochs")
    if [ "${different[$1]}" = scratch ]; then
      # New weights in the sizes of the first system.
      arguments+=(--from "$output/${folders[0]}/run" --scratch)
    else
      arguments+=(--from "$output/$1/run")
    fi
    on_ranks "${arguments[@]}" || failed+=("$1 $task: $(why)")
  done
}

# compare: the table on the screen and in table.md, as CSV and as picture, of what is done.
compare() {
  printf '%s\n' "${systems[@]}" >"$output/study.tsv"
  "$electra" compare "$output/study.tsv" --csv "$output/table.csv" --picture "$output/picture.svg" \
    >"$output/table.md.partial" && mv "$output/table.md.partial" "$output/table.md"
}

# study: does all of it. The table is written anew after each system, so that one can look.
failed=()
study() {
  local folder
  prepare
  find_tasks
  for folder in "${folders[@]}"; do
    if train "$folder"; then
      tune "$folder"
    else
      failed+=("$folder: $(why)")
    fi
    compare || exit
  done
  cat "$output/table.md"
  [ ${#failed[@]} -eq 0 ] || fail 70 "failed: $(printf '%s; ' "${failed[@]}")see $log"
}
