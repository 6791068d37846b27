#!/usr/bin/env python3
"""Repeats the paper's ablations at a small scale.

    Launch/studies/ablations.py LABELS --output DIR
    Launch/studies/ablations.py LABELS --output DIR --studies "parts generator training sharing weight"

The questions: the contribution of each part of ELECTRA (parts, the paper's Table 5), the size of the generator
(generator) and the training scheme (training, both Figure 3), the shared weights (sharing, section 3.2), and the weight
of the discriminator's loss (weight, appendix). All systems are pre-trained with equal compute on the same text and
fine-tuned with several seeds. A table and a picture compare the results with the paper's.

The scores are means on dev sets, because losses of different objectives are not comparable. The standard deviation is
over fine-tuning seeds. Each system is pre-trained once, so a difference of a few points proves little.

Cost by default: 17 pre-trainings of the preset tiny with Adam and 15 % masked tokens, each 4.9e13 operations in matrix
products (5000 steps of 32 x 64 tokens of ELECTRA with 1.3 million parameters). Each takes six and a half minutes on two
idle cores at 27,000 tokens/s: 1.8 hours. Each is fine-tuned with 3 seeds on chunking and STS-B: 2.8 million tokens at
3.5e6 operations per token, 75 seconds per seed: 1.1 hours. The paper uses 500,000 steps of a base model.
"""
from __future__ import annotations

from study import Study, System
from study_options import read_options

FULL_SIZE = ("--generator-width", "1", "--generator-depth", "1")


# Each function returns the systems of a question. Systems that the paper does not distinguish have equal orders.
def parts(_: Study) -> list[System]:
    question = "Parts of ELECTRA (Table 5)"
    rows = [
        ("ELECTRA", "85.0", 1, "electra"), ("All-Tokens MLM", "84.3", 2, "all-tokens-mlm"),
        ("Replace MLM", "82.4", 3, "replace-mlm"), ("ELECTRA 15 %", "82.4", 3, "electra-15"),
        ("BERT (MLM)", "82.2", 5, "mlm"),
    ]
    return [
        System(question, name, paper, order, objective, () if objective == "electra" else ("--objective", objective))
        for name, paper, order, objective in rows]


def generator(study: Study) -> list[System]:
    question = "Width of the generator (Figure 3, left)"
    parameters = study.cost("parameters")
    systems = []
    for width, name, paper, order in (("0.25", "1/4", "best", 1), ("0.5", "1/2", "best", 1), ("1", "1", "below", 3)):
        options = ("--generator-width", width)
        # With the preset's width the system is ELECTRA itself, which is trained once for all questions.
        is_default = study.cost("parameters", options) == parameters
        systems.append(
            System(question, name, paper, order, "electra") if is_default
            else System(question, name, paper, order, f"width-{width}", options))
    return systems + [System(question, "unigram", "lowest", 4, "unigram", ("--generator", "unigram"))]


def training(_: Study) -> list[System]:
    question = "Training of the two (Figure 3, right)"
    rows = [
        ("adversarial", "below", 2, "adversarial"), ("two-stage", "below", 2, "two-stage"),
        ("two-stage, new weights", "may fail", 4, "two-stage-fresh"),
    ]
    return [System(question, "joint", "best", 1, "electra")] + [
        System(question, name, paper, order, scheme, ("--training", scheme)) for name, paper, order, scheme in rows]


def sharing(_: Study) -> list[System]:
    question = "Shared weights, generator of full size (section 3.2)"
    return [
        System(question, shared, paper, order, f"sharing-{shared}", FULL_SIZE + ("--weight-sharing", shared))
        for shared, paper, order in (("none", "83.6", 3), ("embeddings", "84.3", 2), ("all", "84.4", 1))]


def weight(_: Study) -> list[System]:
    """The weight of the discriminator's loss; 50 was chosen among these."""
    question = "Weight of the discriminator's loss (appendix)"

    def other(value: int) -> System:
        return System(question, str(value), "", 2, f"weight-{value}", ("--discriminator-weight", str(value)))

    return [other(1), other(20), System(question, "50", "chosen", 1, "electra"), other(100)]


QUESTIONS = {
    "parts": parts, "generator": generator, "training": training, "sharing": sharing, "weight": weight}


if __name__ == "__main__":
    options = read_options(__doc__, tasks="chunking stsb:5", questions=list(QUESTIONS))
    study = Study(options)
    for question in options.studies.split():
        study.systems += QUESTIONS[question](study)
    study.run()
