#!/usr/bin/env bash
# Weak scaling: the work per rank stays the same, and the batch grows with the number of ranks.
# Writes steps.jsonl, scaling.csv and scaling.svg; takes the options of scaling.sh:
#
#   Launch/scaling/weak-scaling.sh                             1, 2, 4 and 8 ranks on this machine
#   Launch/scaling/weak-scaling.sh --cluster 1gbit             on emulated hosts with slow links
#   Launch/scaling/weak-scaling.sh --hosts hosts.txt --threads 8 --batch 128
#   salloc -N 16 -n 16 -c 32 Launch/scaling/weak-scaling.sh --threads 32 --batch 512
#
# Cost: a rank has 16 sequences of 128 tokens (four micro-batches of 512 tokens). The small model
# has 14.2 million floats, 57 MB. In each step every one of p ranks sends 2 (p - 1) / p times as
# much: 57 MB for two ranks, nearly 114 MB for many. Expected: tokens per second grow almost in
# proportion to the ranks, and efficiency falls to a floor that a larger --batch raises.
# shellcheck source=../usage.sh
. "$(dirname "$0")/../usage.sh"
exec "$(dirname "$0")/scaling.sh" weak "$@"
