#!/usr/bin/env bash
# Strong scaling: the batch stays the same while the number of ranks grows, so each rank computes
# less and sends as much. Writes steps.jsonl, scaling.csv and scaling.svg; takes the options of
# scaling.sh:
#
#   Launch/scaling/strong-scaling.sh                           1, 2, 4 and 8 ranks on this machine
#   Launch/scaling/strong-scaling.sh --cluster 1gbit           on emulated hosts with slow links
#   Launch/scaling/strong-scaling.sh --hosts hosts.txt --threads 8 --batch 2048
# shellcheck source=../usage.sh
. "$(dirname "$0")/../usage.sh"
exec "$(dirname "$0")/scaling.sh" strong "$@"
