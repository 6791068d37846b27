#!/usr/bin/env bash
# From a bare machine to a trained model: installs missing packages, builds (in a clone), fetches
# English text from a Debian package, trains a vocabulary, prepares shards, pre-trains with two
# ranks, and shows the result. When run again, it resumes where it was and repeats nothing.
#
#   Launch/quickstart.sh [FOLDER [OPTIONS]]        default: ./quickstart
#
# OPTIONS are those of `electra pretrain`, such as --steps 1000. An existing FOLDER/corpus.txt is
# used instead of the fetched text.
#
# Cost: the text is a dictionary with literary quotations (dict-gcide, GPL-2+): 28 MB, 4.7 million
# words, 9.3 million tokens of a 4096-token vocabulary. The model (preset tiny) has 1.2 million
# parameters. 3500 steps of 32 sequences of 64 tokens are 7 million tokens, three quarters of the
# text. At 6 million operations per token that is 4e13 operations: 8 minutes on two cores with the
# build, 0.2 GB of memory.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=usage.sh
. "$here/usage.sh"
[[ ${1:-} != -* ]] || { echo "quickstart.sh: the first argument is a folder, not the option $1" >&2; exit 64; }
"$here/setup.sh"
# shellcheck source=environment.sh
. "$here/environment.sh"
build
work=${1:-quickstart}
options=("${@:2}")
mkdir -p "$work"
cd "$work"

"$here/fetch-text.sh" corpus.txt

if [ ! -s vocab.txt ]; then
  echo "training a vocabulary"
  "$electra" vocabulary corpus.txt --size 4096 --output vocab.txt
fi

if [ ! -d data ]; then
  echo "preparing shards"
  "$electra" prepare corpus.txt --vocabulary vocab.txt --length 64 --output data
fi

echo "pre-training on two ranks"
"$here/mpirun.sh" -np 2 pretrain --data data --output run --preset tiny --log-every 250 "${options[@]}"

echo "held-out metrics of the trained model"
"$electra" evaluate run --data data

echo "how often it prefers the grammatical sentence of a pair"
"$electra" evaluate run --minimal-pairs "$here/pairs/english.tsv"

# Ten sentences in the style of the text with one planted error each. They were written by hand
# before any training and never selected by a model's result.
echo "which words are wrong? (each suspected word is followed by its probability)"
"$electra" detect --from run --planted "$here/pairs/planted.txt"
