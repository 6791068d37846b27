#!/usr/bin/env bash
# Weak scaling: every rank has as much to compute, however many there are, and the batch grows with
# them. Writes steps.jsonl, scaling.csv and scaling.svg; options are those of scaling.sh:
#
#   Launch/scaling/weak-scaling.sh                             1, 2, 4 and 8 ranks on this machine
#   Launch/scaling/weak-scaling.sh --cluster 1gbit             on emulated hosts with slow links
#   Launch/scaling/weak-scaling.sh --hosts hosts.txt --threads 8 --batch 128
#   salloc -N 16 -n 16 -c 32 Launch/scaling/weak-scaling.sh --threads 32 --batch 512
#
# The arithmetic: a rank has 16 sequences of 128 tokens (four micro-batches of 512). The small model is
# 14.2 million floats, 57 MB, of which p ranks send 2 (p - 1) / p each in a step: 57 MB for two ranks,
# 114 MB for very many, so tokens a second should grow nearly with the ranks, and efficiency falls to a
# floor that --batch raises.
exec "$(dirname "$0")/scaling.sh" weak "$@"
