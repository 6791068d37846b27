#!/usr/bin/env bash
# Strong scaling: one batch shared by more and more ranks, so that each has less to compute and as much
# to send. Writes steps.jsonl, scaling.csv and scaling.svg; options are those of scaling.sh:
#
#   Launch/scaling/strong-scaling.sh                           1, 2, 4 and 8 ranks on this machine
#   Launch/scaling/strong-scaling.sh --cluster 1gbit           on emulated hosts with slow links
#   Launch/scaling/strong-scaling.sh --hosts hosts.txt --threads 8 --batch 2048
exec "$(dirname "$0")/scaling.sh" strong "$@"
