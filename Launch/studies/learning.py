#!/usr/bin/env python3
"""Which recipe learns most for the same core-hours? Masked language modelling, ELECTRA, both at once; Adam and Muon.

    Launch/studies/learning.py pilots LABELS --output DIR --text CORPUS
    Launch/studies/learning.py main LABELS --output DIR --text CORPUS
    Launch/studies/learning.py crossing LABELS --output DIR --text CORPUS

This text says how the runs are judged; learning_plan.py has the systems. It was written before the first run and
amended on 30 November 2026, after four pilots of MLM and before any other system was run in this study. These had the
compute of 5 million tokens: with the rates 0.75, 1.5, 3 and 6e-3 the held-out losses were 6.004, 5.955, 5.987 and
6.006, and chunking F1 of the first two 56.5 and 56.9 (without pre-training 57.6, on other sentences). So MLM was still
at its plateau, and a choice by chunking would have been noise. Since then pilots have twice the compute, and each
system three runs instead of five; results/pilots.json begins anew. Also new then: the rules for diverged runs, the
second condition for MLM-RTD with Muon, that MLM with Muon may stay for it, and the new seeds of the runs with 80 % of
the compute. Amended once more on the same day, after the three pilots of MLM (held-out losses 5.545 with the rate
1.5e-3, 5.775 with 3e-3; with 25 % masked better than both long before the end) and one of MLM-RTD: a run with 25 %
masked for every system in place of other weights and rates, and simpler rules for equal scores and for Muon.
After the three pilots of ELECTRA with a weakened generator, on 30 November 2026, its options (--generator-rate,
--temperature-start, --temperature-decay, --clip-networks) were removed from the program, because the rules drop the
system: its best chunking F1 is 51.0, ELECTRA's 55.3. Commit 29ae92e can repeat the three runs.

Common to all runs: the preset tiny, a vocabulary of 4,096 tokens, length 64, batch 32, a warm-up of three tenths of the
steps, the text of CORPUS (Wikipedia and Gutenberg). All systems of a comparison have equal compute: matrix products as
`electra flops` counts them, those of the optimizer included. The compute is given as steps or tokens of MLM.

Pilots tune: seed 1, the compute of 10 million tokens of MLM, three runs of each of the six systems, MLM included. Each
is fine-tuned on chunking only, on the first four fifths of the training set, and scored on the last fifth, so that the
dev data of the main study chooses no settings. Seeds 1 to 3 are for tuning and are not used afterwards. Of each system,
the run with the best chunking F1 (to 0.1; of equal ones the first in learning_plan.py) gives the settings. ELECTRA's
entry is so the best of six runs and MLM's of three, in favour of ELECTRA. Dropped are:
  - of ELECTRA and ELECTRA with a weakened generator, the one with the lower best chunking F1;
  - MLM-RTD with either optimizer, if no run has an AUC of 0.65 or more on fixed unigram fakes, or if its best chunking
    is one point or more below MLM's best;
  - a system with Muon, if its best chunking is one point or more below that of the same objective with Adam; but MLM
    with Muon stays if MLM-RTD with Muon does, because it is needed for the comparison.

The main study pre-trains MLM and the remaining systems, at most four, with the settings of the pilots and the compute
of 13 million tokens of MLM, with the five new seeds 11 to 15. Each run is fine-tuned once, with its own seed, on
chunking and SQuAD 1.1 (three quarters of the articles of the dev set for training, the others for the score), which
decide, and on SST-2 (1 epoch), STS-B (5 epochs) and CoLA, which are reported, because at this scale they are not above
a model without pre-training. Also reported: BLiMP, to be compared within one kind of score only, and the AUC on fixed
fakes, the same for all systems: samples of token frequencies, and of one generator that is trained first (ELECTRA,
seed 99, 5 million tokens, in bfloat16, which gives the same bytes on every processor).

Analysis. The score of a run is the mean of chunking F1 and SQuAD F1. For each system the difference of means from MLM,
with an interval of 95 % by Welch's t-test over pre-training seeds.
  1. Success: a system of the ELECTRA family (ELECTRA, MLM-RTD) at least 0.7 above MLM, with the interval above 0. For
     MLM-RTD with Muon the interval of its difference from MLM with Muon must be above 0 too, because otherwise the gain
     of Muon alone could be taken for a success.
  2. With --eighty, after the main study: its best recipe (the system with the best mean score, MLM and ELECTRA aside)
     with 80 % of the compute and the new seeds 16 to 20. It reaches MLM if its mean is at least MLM's; the interval of
     the difference is reported.
  3. Muon against Adam for each objective, and MLM-RTD against MLM, both with Muon: whether the interval is above or
     below 0, without a success.
With a deviation of 0.6 over seeds, five against five seeds show a success with a probability of 0.6 if the true
difference is 1.0, and of 0.32 if it is 0.7. If no system differs from MLM, the probability of a success of any of the
three systems that can have one is at most 0.05. (Both were simulated with normal scores.)
A run diverges if a loss or gradient is not finite. It is recorded without scores. A pilot that diverged is not chosen;
a system of the main study with a diverged run is reported as such and can neither succeed nor be the best recipe. Runs
that fail for another reason are tried again. No run, seed or epoch is left out otherwise. A negative result is a
result.

The crossing compares ELECTRA, MLM and the best recipe at the compute of 5, 10, 25, 50 and 100 million tokens of MLM:
separate runs, each with its own decay, seeds 21 and 22 (at 100 only 21), scored by chunking and SQuAD as above and by
the AUC on fixed fakes. The best recipe was chosen by the scores of the main study on the same dev data, though with
other seeds, which favours it a little. Since 30 November 2026, before its first run, the crossing pre-trains in
bfloat16: on processors with AVX512-BF16 that takes two thirds of the time, and the longest runs fit two hours.

Results are in results/PART.json (--results names another folder), written after each run. Finished runs are not
repeated, so a study can be continued later and on other machines. Stopped runs resume from their folders in DIR. Every
run has one thread on a core for itself: threads of one run would wait for each other. `--jobs N` runs at a time, by
default one on each core. Core-seconds are the processor time of the pre-training, for a run marked as resumed only that
of its last start. electra must not be built again during a study: runs that end with another program fail.

Cost on two cores of a Zen 4, at 16,600 tokens/s on a core: 18 pilots of 14 core-minutes with fine-tuning, two hours; 25
runs of the main study of 20 core-minutes, four hours; 27 runs of the crossing, 840 million tokens in all, about 5
hours.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra
import learning_plan as plan
import study_results
from learning_run import LearningStudy, Planned
from study_options import Parser, count

TASKS = {"pilots": "chunking", "main": "chunking squad1 sst2:1 stsb:5 cola", "crossing": "chunking squad1"}
STEPS = {"pilots": plan.PILOT_STEPS, "main": plan.MAIN_STEPS, "crossing": plan.CROSSING_STEPS}


def pilots(study: LearningStudy) -> list[Planned]:
    """The tuning runs."""
    return [
        Planned(plan.pilot_key(system, arm), system, arm, options, seed, study.options.steps)
        for system, arms in plan.PILOTS.items() if system not in plan.REMOVED for arm, options in arms.items()
        for seed in plan.PILOT_SEEDS]


def settings_of_pilots(study: LearningStudy) -> dict[str, str]:
    """The systems of the main study with their options; exits if tuning runs are missing or have other settings."""
    path = study.options.results / "pilots.json"
    contents = study_results.read(path)
    runs, settings = contents["runs"], contents.get("settings", {})
    for key in ("vocabulary", "length", "batch", *(["arithmetic"] if study.part == "main" else [])):
        if settings.get(key) != getattr(study.options, key):
            electra.fail(
                electra.USAGE, f"{path} has the {key} {settings.get(key)}, not {getattr(study.options, key)}")
    missing = plan.missing(runs)
    if missing:
        electra.fail(electra.USAGE, f"{path} lacks {len(missing)} runs, the first is {missing[0]}")
    print("\n".join(plan.decisions(runs)), flush=True)
    return plan.chosen(runs)


def main_study(study: LearningStudy) -> list[Planned]:
    """The runs of the main study, all systems of a seed before the next seed."""
    systems, question = settings_of_pilots(study), "Learning at equal compute"
    steps = study.options.steps
    planned = [
        Planned(system, question, system, options, seed, steps)
        for seed in plan.MAIN_SEEDS for system, options in systems.items()]
    if study.options.eighty:
        best = best_recipe(study)
        planned += [
            Planned(f"{best}, 80 %", question, f"{best}, 80 % of the compute", systems[best], seed, steps * 4 // 5)
            for seed in plan.EIGHTY_SEEDS]
    return planned


def best_recipe(study: LearningStudy) -> str:
    """The best recipe of the main study; exits if the study is not finished."""
    path = study.options.results / "main.json"
    contents = study_results.read(path)
    runs, systems = contents["runs"], [entry["key"] for entry in contents["systems"] if entry["key"] in plan.PILOTS]
    if any(sum(run["system"] == system for run in runs) < len(plan.MAIN_SEEDS) for system in systems):
        electra.fail(electra.USAGE, f"{path} lacks runs; finish the main study first")
    return plan.best_recipe(runs, contents["decisive"])


def crossing(study: LearningStudy) -> list[Planned]:
    """The runs of the crossing, the longest first."""
    options, best = settings_of_pilots(study), best_recipe(study)
    systems = [system for system in dict.fromkeys((*plan.ELECTRAS, plan.MLM, best)) if system in options]
    return [
        Planned(
            f"{system}, {millions} M", f"{millions} million tokens", system, options[system], seed,
            round(study.options.steps * millions / 5), millions * 1e6)
        for millions, seeds in reversed(plan.CROSSING.items()) for seed in seeds for system in systems]


PARTS = {"pilots": pilots, "main": main_study, "crossing": crossing}


def read_options() -> argparse.Namespace:
    """Reads the command line; exits with one line if it is invalid or a file is missing."""
    parser = Parser(description=__doc__, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS, help="the part of the study")
    parser.add_argument("labels", type=Path, help="a folder with tasks as downloaded: conll2000, squad, glue, blimp")
    parser.add_argument("--output", metavar="DIR", type=Path, required=True, help="the folder of data and runs")
    parser.add_argument("--text", metavar="PATH", required=True, help="a file or folder to pre-train on")
    parser.add_argument(
        "--results", metavar="DIR", type=Path, default=Path(__file__).resolve().parent / "results",
        help="the folder of the results, by default Launch/studies/results")
    parser.add_argument("--jobs", metavar="N", type=count, help="runs at a time, by default one on each core")
    parser.add_argument("--eighty", action="store_true", help="of main: the best recipe with 80 %% of the compute too")
    parser.add_argument("--systems", help="run only these systems now, separated by /")
    parser.add_argument("--steps", metavar="N", type=count, help="steps of MLM; of crossing, for 5 million tokens")
    parser.add_argument("--tasks", help="such as 'cola stsb:5': names of `electra tasks`, with epochs")
    parser.add_argument(
        "--arithmetic", choices=("float32", "bfloat16"),
        help="of matrix products, by default float32, of crossing bfloat16")
    for name, value in (("vocabulary", 4096), ("length", 64), ("batch", 32)):
        parser.add_argument(f"--{name}", metavar="N", type=count, default=value)
    options = parser.parse_args()
    options.systems = options.systems.split("/") if options.systems else []
    for system in options.systems:
        if system not in plan.PILOTS:
            parser.error(f"--systems knows {', '.join(plan.PILOTS)}, not {system}")
    for path in (options.labels, Path(options.text)):
        if not path.exists():
            electra.fail(electra.MISSING_FILE, f"there is no {path}")
    options.arithmetic = options.arithmetic or ("bfloat16" if options.part == "crossing" else "float32")
    options.steps = options.steps or STEPS[options.part]
    options.tasks = options.tasks or TASKS[options.part]
    return options


if __name__ == "__main__":
    study = LearningStudy(read_options())
    study.run_all(PARTS[study.options.part](study))
