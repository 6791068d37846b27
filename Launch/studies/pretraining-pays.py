#!/usr/bin/env python3
"""Measures whether pre-training improves scores, and whether ELECTRA's improves them more than BERT's.

    Launch/studies/pretraining-pays.py LABELS --output DIR
    Launch/studies/pretraining-pays.py LABELS --output DIR --text corpus --preset small --steps 62500     a sixteenth

Pre-trains one model as ELECTRA and one as a masked language model (BERT: 80/10/10) with equal compute. Fine-tunes both,
and a model with new weights, on CoLA, SST-2, STS-B, chunking and SQuAD, or on the tasks of --tasks. Prints scores with
standard deviations and draws them. Expected is the paper's order: ELECTRA, BERT, new weights.

If SQuAD's training set is missing, its dev set is split by article. Scores are those of the best epoch on dev data.
`electra report DIR --output page.html` shows the curves of the pre-trainings.

Cost by default: the preset tiny with Adam and 15 % masked tokens, 5000 steps of 32 x 64 tokens of ELECTRA and 5565 of
MLM. Each is 4.9e13 operations in matrix products, six and a half minutes on two idle cores at 27,000 tokens/s. A seed
of all five tasks is 7.6 million tokens at 3.5e6 operations per token, three and a half minutes: half an hour for 3
seeds of 3 systems.
"""
from study import Study, System
from study_options import read_options

# The paper's scores are those of its small models (Table 1).
QUESTION = "Does pre-training pay? (Table 1)"
SYSTEMS = [
    System(QUESTION, "ELECTRA", "79.9", 1, "electra"),
    System(QUESTION, "MLM (BERT)", "75.1", 2, "mlm", ["--objective", "mlm"]),
    System(QUESTION, "from scratch", "-", 3, "scratch", None),
]

if __name__ == "__main__":
    study = Study(read_options(__doc__, tasks="cola sst2:1 stsb:5 chunking squad1"))
    study.systems = SYSTEMS
    study.run()
