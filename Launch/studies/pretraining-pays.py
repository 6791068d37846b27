#!/usr/bin/env python3
"""Does pre-training pay, and ELECTRA more than BERT?

    Launch/studies/pretraining-pays.py LABELS --output DIR
    Launch/studies/pretraining-pays.py LABELS --output DIR --text corpus --preset small --steps 62500     a sixteenth

Pre-trains a model as ELECTRA and one as a masked language model (BERT: 80/10/10) at equal compute, all else equal.
Fine-tunes both, and a model with new weights, on CoLA, SST-2, STS-B, chunking and SQuAD or the tasks of --tasks.
Prints scores with standard deviations and draws them. The paper's order is ELECTRA, BERT, none.

SQuAD's dev set is cut by article where there is no training set. Scores are those of the best epoch on dev data.
`electra report DIR --output page.html` shows the curves of the pre-trainings.

The cost by default: the preset tiny, 5000 steps of 32 x 64 tokens of ELECTRA and 5565 of MLM, 4.9e13 operations in
matrix products each, six and a half minutes on two idle cores at 27,000 tokens/s. A seed of all five tasks is 7.6
million tokens at 3.5e6 operations, three and a half minutes at the same rate: half an hour for 3 seeds of 3 systems.
"""
from study import Study, System
from study_options import read_options

# The paper's numbers are those of its small models (Table 1).
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
