"""The systems of learning.py and the rules by which they are chosen; its docstring has the design."""
from __future__ import annotations

import math
import statistics
from typing import Any, Optional

Run = dict[str, Any]

# Steps of MLM that set the compute, at 32 x 64 tokens each: 10, 13, 5 and 5 million tokens. The crossing multiplies its
# steps.
PILOT_STEPS, MAIN_STEPS, CROSSING_STEPS, GENERATOR_STEPS = 4880, 6350, 2440, 2440
# The crossing's budgets in millions of tokens of MLM, with the seeds of each.
CROSSING = {5: (21, 22), 10: (21, 22), 25: (21, 22), 50: (21, 22), 100: (21,)}
PILOT_SEEDS, MAIN_SEEDS, EIGHTY_SEEDS, GENERATOR_SEED = (1,), (11, 12, 13, 14, 15), (16, 17, 18, 19, 20), 99

MLM, ELECTRA, MLM_RTD, MLM_MUON, MLM_RTD_MUON = "MLM", "ELECTRA", "MLM-RTD", "MLM, Muon", "MLM-RTD, Muon"
# ELECTRA whose generator learns slowly, samples at a higher temperature or has embeddings of its own.
ELECTRA_WEAKENED = "ELECTRA, weakened generator"
# Systems whose options were removed from the program: compared if the results have their runs, but not run again.
REMOVED = (ELECTRA_WEAKENED,)
# Only one of them is in the main study.
ELECTRAS = (ELECTRA, ELECTRA_WEAKENED)
# The same objective with another optimizer: each Muon system and the Adam system beside it.
ADAM = {MLM_MUON: MLM, MLM_RTD_MUON: MLM_RTD}

RTD = "--objective mlm-rtd --generator unigram"
RAMP = "--discriminator-weight 10 --discriminator-ramp 0.1:0.4"
QUARTER = "--generator-width 0.25 --discriminator-weight"
MORE_MASKED = "--mask-fraction 0.25"
MUON = {
    "factor 1": "--learning-rate 1.5e-3 --optimizer muon --muon-rate 1",
    "factor 2": "--learning-rate 1.5e-3 --optimizer muon --muon-rate 2",
    "factor 2, 25 % masked": f"--learning-rate 1.5e-3 --optimizer muon --muon-rate 2 {MORE_MASKED}",
}
# The tuning runs of each system: a name, and the options of `electra pretrain` beside those of all systems. Every
# system has the same number of runs.
PILOTS: dict[str, dict[str, str]] = {
    MLM: {
        "rate 1.5e-3": "--objective mlm --learning-rate 1.5e-3",
        "rate 3e-3": "--objective mlm --learning-rate 3e-3",
        "rate 1.5e-3, 25 % masked": "--objective mlm --learning-rate 1.5e-3 --mask-fraction 0.25",
    },
    ELECTRA: {
        "quarter generator": f"{QUARTER} 50 --learning-rate 1.5e-3",
        "quarter generator, 25 % masked": f"{QUARTER} 50 --learning-rate 1.5e-3 {MORE_MASKED}",
        "unigram": "--generator unigram --discriminator-weight 50 --learning-rate 1.5e-3",
    },
    ELECTRA_WEAKENED: {
        name: f"{QUARTER} 50 --learning-rate 1.5e-3 {options}"
        for name, options in {
            "its rate 0.3": "--generator-rate 0.3",
            "disentangled, its rate 0.3": "--weight-sharing disentangled --generator-rate 0.3",
            "its rate 0.3, temperature 2 to 1, clipped apart, 25 % masked":
                f"--generator-rate 0.3 --temperature-start 2 --temperature-decay 0.3 --clip-networks {MORE_MASKED}",
        }.items()
    },
    MLM_RTD: {
        "weight 10, ramp": f"{RTD} {RAMP} --learning-rate 1.5e-3",
        "weight 5, ramp": f"{RTD} --discriminator-weight 5 --discriminator-ramp 0.1:0.4 --learning-rate 1.5e-3",
        "weight 10, ramp, 25 % masked": f"{RTD} {RAMP} --learning-rate 1.5e-3 {MORE_MASKED}",
    },
    MLM_MUON: {name: f"--objective mlm {options}" for name, options in MUON.items()},
    MLM_RTD_MUON: {name: f"{RTD} {RAMP} {options}" for name, options in MUON.items()},
}
# The generator of the fixed fakes, in the arithmetic that gives the same bytes on every processor.
GENERATOR_OPTIONS = f"{QUARTER} 50 --learning-rate 1.5e-3 --arithmetic bfloat16"
# The least AUC on unigram fakes of a system that has learnt to detect.
LEAST_AUC = 0.65
# The least difference of the decisive mean from MLM's that is a success of a system of the ELECTRA family.
MARGIN = 0.7
# Such a system must also be above another one: otherwise the gain of Muon alone could be taken for a success.
ALSO_ABOVE = {MLM_RTD_MUON: MLM_MUON}
UNIGRAM_AUC, GENERATOR_AUC, MLM_LOSS = "AUC, unigram fakes", "AUC, generator's fakes", "MLM loss"


def detects(options: str) -> bool:
    """Whether a system with these options has a discriminator."""
    return "--objective mlm " not in options + " "


def pilot_key(system: str, arm: str) -> str:
    """The key of a tuning run in the results."""
    return f"{system}: {arm}"


def missing(runs: list[Run]) -> list[str]:
    """The tuning runs of the compared systems that are not in the results."""
    found = {run["system"] for run in runs}
    keys = [pilot_key(system, arm) for system in compared(runs) for arm in PILOTS[system]]
    return [key for key in keys if key not in found]


def compared(runs: list[Run]) -> list[str]:
    """The systems among which the rules choose: a removed one only if the results have runs of it."""
    found = {run["system"] for run in runs}
    return [
        system for system, arms in PILOTS.items()
        if system not in REMOVED or any(pilot_key(system, arm) in found for arm in arms)]


def score(run: Run) -> float:
    """The mean of the scores of a run; minus infinity if it diverged."""
    return -math.inf if "failed" in run else statistics.mean(run["scores"].values())


def best_pilot(system: str, runs: list[Run]) -> Run:
    """The tuning run of a system with the best score, rounded to 0.1; of equal ones the first in the plan."""
    by_key = {run["system"]: run for run in runs}
    arms = [by_key[pilot_key(system, arm)] for arm in PILOTS[system]]
    return max(arms, key=lambda run: round(score(run), 1))


def reason_to_drop(system: str, runs: list[Run]) -> str:
    """Why a system is not in the main study; empty if it is."""
    best = best_pilot(system, runs)
    if "failed" in best:
        return "all its runs diverged"
    if system in ELECTRAS:
        other = next(other for other in ELECTRAS if other != system)
        if other in compared(runs) and (
                (score(best), system == ELECTRA) < (score(best_pilot(other, runs)), other == ELECTRA)):
            return f"chunking is not above that of {other}"
    if system in (MLM_RTD, MLM_RTD_MUON):
        keys = [pilot_key(system, arm) for arm in PILOTS[system]]
        auc = max(run["measures"].get(UNIGRAM_AUC, 0) for run in runs if run["system"] in keys)
        if auc < LEAST_AUC:
            return f"the best AUC on unigram fakes is {auc:.3f}, below {LEAST_AUC}"
        behind = score(best_pilot(MLM, runs)) - score(best)
        if behind >= 1:
            return f"chunking is {behind:.1f} points below MLM's best"
    if system == MLM_MUON and not reason_to_drop(MLM_RTD_MUON, runs):
        return ""
    if system in ADAM:
        behind = score(best_pilot(ADAM[system], runs)) - score(best)
        if behind >= 1:
            return f"chunking is {behind:.1f} points below the best with Adam"
    return ""


def chosen(runs: list[Run]) -> dict[str, str]:
    """The options of each system of the main study, by the rules, from the results of all tuning runs."""
    systems = {}
    for system in compared(runs):
        if not reason_to_drop(system, runs):
            key = best_pilot(system, runs)["system"]
            systems[system] = next(
                options for arm, options in PILOTS[system].items() if pilot_key(system, arm) == key)
    return systems


def decisions(runs: list[Run]) -> list[str]:
    """A sentence on each system of the pilots."""
    lines = []
    for system in compared(runs):
        best, reason = best_pilot(system, runs), reason_to_drop(system, runs)
        lines.append(f"{system}: dropped, {reason}" if reason else f"{best['system']} (chunking F1 {score(best):.1f})")
    return lines


def comparisons(others: list[str]) -> list[dict[str, Any]]:
    """The comparisons of the main study in the format of the results; `others` are compared with MLM without a margin.

    Only systems of the ELECTRA family have a margin, against MLM.
    """
    pairs: list[dict[str, Any]] = []
    for system in PILOTS:
        if system != MLM:
            pair: dict[str, Any] = {"system": system, "against": MLM}
            if system != MLM_MUON:
                pair["margin"] = MARGIN
            if system in ALSO_ABOVE:
                pair["also_above"] = ALSO_ABOVE[system]
            pairs.append(pair)
    pairs += [
        {"system": MLM_RTD_MUON, "against": MLM_RTD}, *(
            {"system": system, "against": other} for system, other in ALSO_ABOVE.items())]
    return pairs + [{"system": system, "against": MLM} for system in others]


def mean_of_seeds(system: str, runs: list[Run], decisive: list[str], seeds: int) -> Optional[float]:
    """The mean decisive score of a system; None if a run diverged or fewer than `seeds` runs are finished."""
    found = [run for run in runs if run["system"] == system]
    if len(found) < seeds or any("failed" in run for run in found):
        return None
    return statistics.mean(run["scores"][name] for run in found for name in decisive)


def eighty_sentence(system: str, runs: list[Run], decisive: list[str]) -> str:
    """Whether a system with 80 % of the compute reaches MLM; empty if runs are missing."""
    if sum(run["system"] == system for run in runs) < len(EIGHTY_SEEDS):
        return ""
    mean = mean_of_seeds(system, runs, decisive, len(EIGHTY_SEEDS))
    reference = mean_of_seeds(MLM, runs, decisive, len(MAIN_SEEDS))
    if mean is None or reference is None:
        return f"{system} of the compute: not compared, a run diverged"
    return (
        f"{system} of the compute: {'reaches' if mean >= reference else 'does not reach'} MLM, "
        f"difference {mean - reference:+.2f}; its interval is in the table")


def best_recipe(runs: list[Run], decisive: list[str]) -> str:
    """The system of the main study with the best mean score, MLM and ELECTRA aside.

    Systems with a diverged run do not count. If there is no other system, it is the one of ELECTRA that has runs.
    """
    means = {
        system: mean for system in PILOTS if system not in (MLM, *ELECTRAS)
        if (mean := mean_of_seeds(system, runs, decisive, 1)) is not None}
    if means:
        return max(means, key=lambda system: means[system])
    return next((system for system in ELECTRAS if any(run["system"] == system for run in runs)), ELECTRA)
