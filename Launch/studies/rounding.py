#!/usr/bin/env python3
"""Does a model learn as well if products, or gradients between ranks, are rounded to bfloat16?

    Launch/studies/rounding.py --output DIR
    Launch/studies/rounding.py --output DIR --studies exchange --steps 20 --seeds 2

Pre-trains in float32 and in bfloat16 with several seeds, and compares the metrics on held-out text after the last step.
--studies arithmetic compares the arithmetics of products, --studies exchange the exchanges of gradients, with eight
slices that are all rounded and products in float32: as many roundings as a run of eight ranks has by default.

A seed determines initial weights, examples, masks and dropout, so differences are taken seed by seed. bfloat16 passes
if the mean of a loss is within 0.5 % of the mean in float32 and the mean AUC within 0.01. These margins were fixed
before the first run. The interval contains the true difference with a probability of 95 % (paired
t-test). If it is wider than the margin, more seeds narrow it: the same command with --seeds 10 adds five.

The two runs of a seed are trained at the same time, each with one thread on a core for itself: threads of one run would
wait for each other at every step, and this way both see the same load of the machine, which makes their
hours comparable. A study that was stopped resumes where it was, and finished runs are not repeated. Written to the
output folder: arithmetic-float32-1/run and so on, their logs, and a table of each study, arithmetic.md and exchange.md.

Cost of each study: 10 pre-trainings of the preset tiny as ELECTRA with Adam, each 4.9e13 operations in matrix products
(5000 steps of 32 x 64 tokens, 1.3 million parameters). A pair takes 13 minutes on two idle cores: 65 minutes in all.
"""
from __future__ import annotations

import json
import os
import statistics
import sys
from pathlib import Path
from typing import Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra
from study import Study, last_line
from study_options import read_options

FORMATS = ("float32", "bfloat16")
# The options of each study for runs in float32 and in bfloat16.
STUDIES: dict[str, tuple[list[str], list[str]]] = {
    "arithmetic": (["--arithmetic", "float32"], ["--arithmetic", "bfloat16"]),
    "exchange": (["--slices", "8"], ["--slices", "8", "--exchange", "bfloat16", "--exchange-level", "0"]),
}
# The greatest difference of means that passes: relative for losses, absolute for the AUC.
LOSS_MARGIN, AUC_MARGIN = 0.005, 0.01
# Keys of held-out lines in metrics.jsonl.
LOSSES = {"generator_loss": "MLM loss of the generator", "discriminator_loss": "loss of the discriminator"}
AUC = "discriminator_auc"
# Two-sided 95 % quantiles of Student's t for 1 to 9 degrees of freedom.
T_QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


class RoundingStudy(Study):
    """Pre-trains in float32 and in bfloat16 and compares them; `run` does all of it."""

    def run(self) -> None:
        """Runs the whole study. A table is written after each seed, so that it can be read early.

        Runs that fail do not stop the others; at the end it names them and exits with status 70.
        """
        self.prepare()
        failures = [failure for study in self.options.studies.split() for failure in self._compare(study)]
        if failures:
            electra.fail(electra.FAILED, f"failed: {'; '.join(failures)}")

    def _compare(self, study: str) -> list[str]:
        """Runs one of the studies; returns a message for each run that failed."""
        finished: list[int] = []
        failures: list[str] = []
        table = self.output / f"{study}.md"
        for seed in range(1, self.options.seeds + 1):
            print(f"{study}, seed {seed}", flush=True)
            failed = self._pretrain_pair(study, seed)
            failures += failed
            if not failed:
                finished.append(seed)
                partial = self.output / f"{study}.md.partial"
                partial.write_text(self._table(study, finished), encoding="utf-8")
                partial.rename(table)
        if finished:
            print(table.read_text(encoding="utf-8"), end="", flush=True)
        return failures

    def _pretrain_pair(self, study: str, seed: int) -> list[str]:
        """Trains the two runs of a seed, each on one core; returns a message for each that failed."""
        cores = sorted(os.sched_getaffinity(0))
        commands: list[list[electra.Argument]] = []
        logs: list[Path] = []
        for index, options in enumerate(STUDIES[study]):
            folder = self._folder(study, FORMATS[index], seed)
            folder.mkdir(exist_ok=True)
            logs.append(folder / "log.txt")
            commands.append([
                "taskset", "--cpu-list", cores[index % len(cores)], electra.program(), "pretrain", "--data",
                self.output / "data", "--output", folder / "run", *self.pretrain_options, "--steps", self.options.steps,
                "--threads", 1, "--seed", seed, *options])
        statuses = self.jobs.run_together(list(zip(commands, logs)))
        return [f"{log.parent.name}: {last_line(log)}; see {log}" for status, log in zip(statuses, logs) if status != 0]

    def _folder(self, study: str, name: str, seed: int) -> Path:
        return self.output / f"{study}-{name}-{seed}"

    def _values(self, study: str, key: str, name: str, seeds: Sequence[int]) -> list[float]:
        """A metric of the runs in the format `name` on held-out text after the last step."""
        return [self._line(study, name, seed, "held_out")[key] for seed in seeds]

    def _line(self, study: str, name: str, seed: int, split: str) -> dict[str, float]:
        """The last line of `split` in the metrics of a run; exits if there is none for the last step."""
        path = self._folder(study, name, seed) / "run/metrics.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found = [line for line in lines if line.get("split", "training") == split]
        if not found or found[-1]["step"] != self.options.steps:
            electra.fail(electra.FAILED, f"{path} has no {split} line of step {self.options.steps}")
        return found[-1]

    def _table(self, study: str, seeds: Sequence[int]) -> str:
        """The comparison of a study and the values of each seed, as Markdown."""
        lines = [
            f"Held-out text after {self.options.steps} steps: mean ± standard deviation of {len(seeds)} seeds.", "",
            "| | float32 | bfloat16 | difference | 95 % interval | margin | result |", "|---|---|---|---|---|---|---|"]
        for key, title in [*LOSSES.items(), (AUC, "AUC of the discriminator")]:
            float32, bfloat16 = (self._values(study, key, name, seeds) for name in FORMATS)
            lines.append(row(title, float32, bfloat16, is_loss=key in LOSSES))
        hours = [
            sum(self._line(study, name, seed, "training")["seconds"] for seed in seeds) / 3600 for name in FORMATS]
        lines += [f"| core-hours of all seeds | {hours[0]:.2f} | {hours[1]:.2f} | | | | |", ""]
        lines += ["| seed | " + " | ".join(f"{key}, {name}" for key in [*LOSSES, AUC] for name in FORMATS) + " |"]
        lines += ["|---" * (1 + len(FORMATS) * (len(LOSSES) + 1)) + "|"]
        for seed in seeds:
            values = [self._values(study, key, name, [seed])[0] for key in [*LOSSES, AUC] for name in FORMATS]
            lines.append(f"| {seed} | " + " | ".join(f"{value:.4f}" for value in values) + " |")
        return "\n".join(lines) + "\n"


def row(name: str, float32: Sequence[float], bfloat16: Sequence[float], is_loss: bool) -> str:
    """A metric's row of the table; values are in the order of the seeds.

    Differences of losses are in percent of the mean in float32.
    """
    scale = 100 / statistics.mean(float32) if is_loss else 1
    margin, unit = (100 * LOSS_MARGIN, " %") if is_loss else (AUC_MARGIN, "")
    differences = [scale * (b - a) for a, b in zip(float32, bfloat16)]
    mean, interval = statistics.mean(differences), ""
    if len(differences) > 1:
        half = T_QUANTILES[len(differences) - 2] * statistics.stdev(differences) / len(differences) ** 0.5
        interval = f"{mean - half:+.3f} to {mean + half:+.3f}{unit}"
    cells = [
        name, mean_and_deviation(float32), mean_and_deviation(bfloat16), f"{mean:+.3f}{unit}", interval,
        f"{margin}{unit}", "pass" if abs(mean) <= margin else "fail"]
    return "| " + " | ".join(cells) + " |"


def mean_and_deviation(values: Sequence[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}"


if __name__ == "__main__":
    options = read_options(__doc__, questions=tuple(STUDIES))
    if options.seeds > len(T_QUANTILES) + 1:
        electra.fail(electra.USAGE, f"--seeds is at most {len(T_QUANTILES) + 1}")
    RoundingStudy(options).run()
