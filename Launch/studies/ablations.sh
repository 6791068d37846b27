#!/usr/bin/env bash
# The paper's own comparisons, small: which part of ELECTRA gains what (its Table 5), how large the generator
# should be and how the two are trained (Figure 3), what they share (section 3.2), and how much the
# discriminator's loss weighs. Every system is pre-trained at equal compute on the same text and fine-tuned with
# several seeds; one table and one picture with the paper's numbers beside ours.
#
#   Launch/studies/ablations.sh LABELS --output DIR [options of study.sh]
#   Launch/studies/ablations.sh LABELS --output DIR --studies "parts generator training sharing weight"
#
# What is measured is the mean of the dev scores: losses of different objectives do not compare. The deviation is
# that of fine-tuning seeds; a pre-training is done once, so a difference below some points proves little here.
#
# The arithmetic, by default: 17 pre-trainings of the preset tiny, each 4.9e13 operations in matrix products (5000
# steps of 32 x 64 tokens of ELECTRA with 1.3 million parameters), six and a half minutes on two idle cores at
# 27,000 tokens/s: 1.8 hours. Each is fine-tuned with 3 seeds on chunking and STS-B, 2.8 million tokens at 3.5e6
# operations, a minute and a quarter a seed at the same rate: 1.1 hours. The paper took 500,000 steps of a base model.
set -uo pipefail
# shellcheck source=study.sh
. "$(dirname "$0")/study.sh"
steps=5000 seeds=3 vocabulary=4096 length=64 tasks="chunking stsb:5" pretrain=()
studies="parts generator training sharing weight"
read_options "$@"

# usual FRACTION: whether this is the generator's width in ELECTRA as the preset has it.
usual() {
  local own plain
  own=$(figure parameters --generator-width "$1") && plain=$(figure parameters) || fail 64 "no cost can be told; see above"
  [ "$own" = "$plain" ]
}

# Places are the paper's order; equal ones it does not tell apart.
for question in $studies; do
  case $question in
    parts) # Table 5
      title="Parts of ELECTRA (Table 5)"
      system "$title" ELECTRA 85.0 1 electra
      system "$title" "All-Tokens MLM" 84.3 2 all-tokens-mlm --objective all-tokens-mlm
      system "$title" "Replace MLM" 82.4 3 replace-mlm --objective replace-mlm
      system "$title" "ELECTRA 15 %" 82.4 3 electra-15 --objective electra-15
      system "$title" "BERT (MLM)" 82.2 5 mlm --objective mlm
      ;;
    generator) # Figure 3, left
      title="Width of the generator (Figure 3, left)"
      for entry in "0.25|1/4|best|1" "0.5|1/2|best|1" "1|1|below|3"; do
        IFS='|' read -r width words paper place <<<"$entry"
        if usual "$width"; then
          system "$title" "$words" "$paper" "$place" electra
        else
          system "$title" "$words" "$paper" "$place" "width-$width" --generator-width "$width"
        fi
      done
      system "$title" unigram lowest 4 unigram --generator unigram
      ;;
    training) # Figure 3, right
      title="Training of the two (Figure 3, right)"
      system "$title" joint best 1 electra
      system "$title" adversarial below 2 adversarial --training adversarial
      system "$title" two-stage below 2 two-stage --training two-stage
      system "$title" "two-stage, new weights" "may fail" 4 two-stage-fresh --training two-stage-fresh
      ;;
    sharing) # section 3.2: the generator is as large as the discriminator
      title="Shared weights, generator of full size (section 3.2)"
      full=(--generator-width 1 --generator-depth 1)
      system "$title" none 83.6 3 sharing-none "${full[@]}" --weight-sharing none
      system "$title" embeddings 84.3 2 sharing-embeddings "${full[@]}" --weight-sharing embeddings
      system "$title" all 84.4 1 sharing-all "${full[@]}" --weight-sharing all
      ;;
    weight) # appendix: 50 was chosen among these
      title="Weight of the discriminator's loss (appendix)"
      system "$title" 1 "" 2 weight-1 --discriminator-weight 1
      system "$title" 20 "" 2 weight-20 --discriminator-weight 20
      system "$title" 50 chosen 1 electra
      system "$title" 100 "" 2 weight-100 --discriminator-weight 100
      ;;
    *) fail 64 "--studies knows parts, generator, training, sharing and weight, not $question" ;;
  esac
done
study
