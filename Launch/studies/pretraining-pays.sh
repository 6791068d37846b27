#!/usr/bin/env bash
# Does pre-training pay, and ELECTRA more than BERT? Pre-trains a model as ELECTRA and one as masked language
# model (BERT: 80/10/10) at equal compute, all else equal, and fine-tunes both, and a model with new weights, on
# CoLA, SST-2, STS-B, chunking and SQuAD or the tasks of --tasks; scores with deviations, and a picture. The paper's
# order is ELECTRA, BERT, none.
#
#   Launch/studies/pretraining-pays.sh LABELS --output DIR [options of study.sh]
#   Launch/studies/pretraining-pays.sh LABELS --output DIR --text corpus --preset small --steps 62500     a sixteenth
#
# SQuAD's dev set is cut by article where there is no training set. Scores are those of the best epoch on dev data.
# `electra report DIR --output page.html` shows the curves of the pre-trainings.
#
# The arithmetic, by default: the preset tiny, 5000 steps of 32 x 64 tokens of ELECTRA and 5565 of MLM, 4.9e13
# operations in matrix products each, six and a half minutes on two idle cores at 27,000 tokens/s. A seed of all
# five tasks is 7.6 million tokens at 3.5e6 operations, three and a half minutes at the same rate: half an hour for
# 3 seeds of 3 systems.
set -uo pipefail
# shellcheck source=study.sh
. "$(dirname "$0")/study.sh"
steps=5000 seeds=3 vocabulary=4096 length=64 tasks="cola sst2:1 stsb:5 chunking squad1" pretrain=()
read_options "$@"

# The paper's numbers are those of its small models (Table 1).
title="Does pre-training pay? (Table 1)"
system "$title" ELECTRA 79.9 1 electra
system "$title" "MLM (BERT)" 75.1 2 mlm --objective mlm
system "$title" "from scratch" - 3 scratch scratch
study
