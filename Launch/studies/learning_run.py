"""Runs the pre-trainings and fine-tunings of learning.py, one on each core, and records their results."""
from __future__ import annotations

import argparse
import datetime
import functools
import gzip
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra
import learning_plan as plan
from provenance import commit, digest, machine
from study import PAPER, Study, last_line
from study_results import Results, Run, last_metrics, score_name, task_scores

DECISIVE = ("chunking", "squad1")


@dataclass(frozen=True)
class Planned:
    """A run: its system's key in the results, question and name in the tables, options, seed and compute.

    `steps` are those of MLM with the same compute; `budget` is its tokens, if the study compares several.
    """

    key: str
    question: str
    name: str
    options: str
    seed: int
    steps: int
    budget: Optional[float] = None

    @property
    def folder(self) -> str:
        """The name of the run's folder."""
        return f"{file_name(self.key)}-seed-{self.seed}"


def file_name(text: str) -> str:
    """A name as that of a file: letters, digits and points, the rest as dashes."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


# What electra says if a loss or gradient is not finite: Sources/Training/Divergence.swift. A gradient that is finite
# when computed again is a fault of the machine and does not count.
DIVERGED = re.compile(r"is not finite in step \d+, slice|has non-finite values before step \d+")


class LearningStudy(Study):
    """Pre-trains and fine-tunes the runs of a part of the study; `run_all` does all of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        options.config, options.preset = None, "tiny"
        options.pretrain = ["--batch", str(options.batch), "--arithmetic", options.arithmetic]
        options.costs = list(options.pretrain)
        super().__init__(options)
        self.part: str = options.part
        self.failures: list[str] = []
        self.commit, self.program, self.machine = commit(), digest(Path(electra.program())), machine()
        blimp = sorted((options.labels / "blimp").glob("blimp.tsv*"))
        self.pairs = blimp[0] if blimp and self.part == "main" else None

    def run_all(self, planned: Sequence[Planned]) -> None:
        """Runs what is not finished. Runs that fail do not stop the others; then it exits with status 70."""
        self.prepare()
        self.tasks = self._task_data()
        self.results = Results(self.options.results / f"{self.part}.json", self._head(planned))
        self.products_per_step = self._products(self.options.steps, "--objective mlm") / self.options.steps
        jobs = self.options.jobs or len(os.sched_getaffinity(0))
        # Options that the program does not know end the study here, before the first run.
        self.steps = {run.key: self._steps(run) for run in planned}
        waiting = [run for run in planned if not self._is_finished(run)]
        print(f"{self.part}: {len(planned) - len(waiting)} of {len(planned)} runs are finished", flush=True)
        if self.options.systems:
            waiting = [run for run in waiting if {run.question, run.name} & set(self.options.systems)]
        self.fakes = {plan.UNIGRAM_AUC: "unigram"}
        if self.part != "pilots" and any(plan.detects(run.options) for run in waiting):
            self.fakes[plan.GENERATOR_AUC] = str(self._generator())
        self.jobs.run_chains([self._chain(run) for run in waiting], jobs)
        self._print_results()
        if self.failures:
            electra.fail(electra.FAILED, f"failed: {'; '.join(self.failures)}")

    def _is_finished(self, run: Planned) -> bool:
        """Whether a run is in the results; exits if it has other options or steps there."""
        found = self.results.find(run.key, run.seed)
        if found and (found["options"], found["steps"]) != (run.options, self.steps[run.key]):
            electra.fail(
                electra.USAGE,
                f"{self.results.path} has {run.key} with other options or steps than the study now; "
                "choose another --results")
        return found is not None

    def _head(self, planned: Sequence[Planned]) -> dict[str, Any]:
        """The keys of the results beside the runs."""
        text = Path(self.options.text)
        files = sorted(path for path in text.rglob("*") if path.is_file()) if text.is_dir() else [text]
        tasks = [name for name, _, _ in self.tasks]
        settings = {
            "preset": "tiny", "vocabulary": self.options.vocabulary, "length": self.options.length,
            "batch": self.options.batch, "steps of MLM": self.options.steps, "arithmetic": self.options.arithmetic,
            "tasks": " ".join(name + (f":{epochs}" if epochs else "") for name, epochs, _ in self.tasks),
            "text": {path.name: digest(path) for path in files},
            "data": digest(self.output / "data/data.json")}
        eighty = [run.name for run in planned if run.seed in plan.EIGHTY_SEEDS][:1]
        systems = {}
        for run in sorted(planned, key=lambda run: run.budget or 0):
            systems[run.key] = {"key": run.key, "question": run.question, "name": run.name} | (
                {"budget": run.budget} if run.budget else {})
        return {
            "study": f"Learning for the same core-hours, {self.part}", "seeds": "pre-training", "settings": settings,
            "scores": [score_title(task) for task in tasks],
            "decisive": [score_title(task) for task in tasks if task in DECISIVE] or [score_title(tasks[0])],
            "comparisons": [] if self.part == "pilots" else plan.comparisons(eighty),
            "systems": list(systems.values())}

    @functools.lru_cache(maxsize=None)
    def _products(self, steps: int, options: str) -> float:
        """Operations in products of a run."""
        value = self.cost("product_operations", ["--steps", str(steps), *options.split()])
        assert value is not None
        return value

    def _steps(self, run: Planned) -> int:
        """The steps of a run with the products of `run.steps` steps of MLM."""
        per_step = self._products(run.steps, run.options) / run.steps
        return max(1, round(run.steps * self.products_per_step / per_step))

    def _task_data(self) -> list[tuple[str, Optional[str], Path]]:
        """The name, epochs and folder of each task; for the pilots with dev data of their own."""
        tasks = self._find_tasks()
        if self.part == "pilots":
            tasks = [(*task[:2], self._split(task[2]) if task[0] == "chunking" else task[2]) for task in tasks]
        return tasks

    def _split(self, data: Path) -> Path:
        """Splits the training set of chunking: four fifths of the sentences for training, the others for the score."""
        folder, source = self.output / "pilots-chunking", next(data.glob("train.txt*"))
        folder.mkdir(exist_ok=True)
        with (gzip.open if source.suffix == ".gz" else open)(source, "rt", encoding="utf-8") as file:
            sentences = [sentence for sentence in file.read().split("\n\n") if sentence.strip()]
        cut = len(sentences) * 4 // 5
        for name, part in (("train", sentences[:cut]), ("dev", sentences[cut:])):
            # Another start of the study may be reading the file.
            partial = folder / f"{name}.partial.{os.getpid()}"
            partial.write_text("\n\n".join(part) + "\n\n", encoding="utf-8")
            partial.rename(folder / f"{name}.txt")
        return folder

    def _generator(self) -> Path:
        """Trains the run whose generator makes fixed fakes, unless it exists, and returns its folder."""
        steps = min(plan.GENERATOR_STEPS, self.options.steps)
        run = Planned("generator", "", "", plan.GENERATOR_OPTIONS, plan.GENERATOR_SEED, steps)
        folder = self.output / "generator"
        folder.mkdir(exist_ok=True)
        statuses: list[int] = []

        def chain() -> electra.Chain:
            statuses.append((yield self._pretraining(run, self._steps(run), folder), folder / "log.txt").status)

        self.jobs.run_chains([chain()], 1)
        if statuses != [0]:
            electra.fail(electra.FAILED, f"the generator failed: {last_line(folder / 'log.txt')}")
        return folder / "run"

    def _pretraining(self, run: Planned, steps: int, folder: Path) -> list[electra.Argument]:
        return [
            electra.program(), "pretrain", "--data", self.output / "data", "--output", folder / "run",
            "--preset", "tiny", *PAPER, "--length", self.options.length, *self.options.pretrain, "--steps", steps,
            "--warmup", steps * 3 // 10, "--seed", run.seed, "--threads", 1, "--keep", 1, *run.options.split()]

    def _chain(self, run: Planned) -> electra.Chain:
        """Pre-trains a run, fine-tunes and evaluates it, and records the results."""
        folder = self.output / self.part / run.folder
        folder.mkdir(parents=True, exist_ok=True)
        log, trained = folder / "log.txt", folder / "run"
        print(f"{run.key}, seed {run.seed}", flush=True)
        commands = [(self._pretraining(run, self.steps[run.key], folder), log)]
        for task, epochs, data in self.tasks:
            commands.append((
                [electra.program(), "finetune", task, "--data", data, "--output", folder / task, "--from", trained,
                 "--seed", run.seed, "--threads", 1, *(["--epochs", epochs] if epochs else [])], log))
        evaluate = [electra.program(), "evaluate", trained, "--json", "--threads", 1]
        if self.pairs:
            commands.append(([*evaluate, "--minimal-pairs", self.pairs], folder / "blimp.json"))
        if plan.detects(run.options):
            for measure, samples in self.fakes.items():
                arguments = [*evaluate, "--data", self.output / "data", "--samples", samples]
                commands.append((arguments, folder / f"{file_name(measure)}.json"))
        cost: Run = {"resumed": True} if any(trained.glob("checkpoints/step-*")) else {}
        for command, output in commands:
            if output != log:
                output.unlink(missing_ok=True)
            ended = yield command, output
            cost.setdefault("core_seconds", round(ended.core_seconds, 1))  # of the first command
            if ended.status != 0:
                self._fail(run, last_line(output))
                return
        try:
            record = self._record(run, folder) | cost
        except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
            self._fail(run, f"the results are incomplete: {error!r}")
            return
        self.results.add(record)

    def _fail(self, run: Planned, reason: str) -> None:
        """Records a run that diverged; other failures are only named, and the run is tried again at the next start."""
        if DIVERGED.search(reason):
            print(f"{run.key}, seed {run.seed}: diverged", flush=True)
            self.results.add({
                "system": run.key, "seed": run.seed, "options": run.options, "steps": self.steps[run.key],
                "scores": {}, "measures": {}, "failed": reason})
        else:
            self.failures.append(f"{run.key}, seed {run.seed}: {reason}")

    def _record(self, run: Planned, folder: Path) -> Run:
        """The results of a finished run; raises ValueError if the program is not that of the study's start."""
        if digest(Path(electra.program())) != self.program:
            raise ValueError("electra was built again since the start of the study")
        _, held_out = last_metrics(folder / "run")
        steps = self.steps[run.key]
        scores = {}
        for task, _, _ in self.tasks:
            name, values = task_scores(folder / task)
            scores[name] = values[run.seed]
        measures = {plan.MLM_LOSS: held_out["mlm_loss"]} if "mlm_loss" in held_out else {}
        checksums = {}
        for measure in self.fakes if plan.detects(run.options) else ():
            detection = read_json(folder / f"{file_name(measure)}.json")
            measures[measure] = round(detection["discriminator_auc"], 5)
            checksums[measure] = detection["samples_crc32c"]
        if self.pairs:
            pairs = read_json(folder / "blimp.json")
            measures[f"BLiMP, {pairs['score']}"] = round(100 * pairs["accuracy"], 3)
        record = {
            "system": run.key, "seed": run.seed, "options": run.options, "steps": steps,
            "tokens": steps * self.options.batch * self.options.length,
            "operations": round(self._products(steps, run.options)),
            "machine": self.machine, "arithmetic": self.options.arithmetic, "commit": self.commit,
            "program": self.program, "date": datetime.date.today().isoformat(), "held_out": held_out,
            "scores": scores, "measures": measures, **({"samples_crc32c": checksums} if checksums else {})}
        if plan.GENERATOR_AUC in measures:
            weights = max((self.output / "generator/run/checkpoints").glob("step-*/model.safetensors"))
            record["generator"] = digest(weights)
        return record

    def _print_results(self) -> None:
        """Prints the comparison of the systems, and after the last pilot the choice of settings.

        After the runs with 80 % of the compute it says whether they reach MLM.
        """
        if not self.results.runs:
            return
        try:
            table = electra.output(
                "compare", self.results.path, "--csv", self.output / f"{self.part}.csv", "--picture",
                self.output / f"{self.part}.svg")
            print(table, end="", flush=True)
        except subprocess.CalledProcessError:
            self.failures.append("electra compare; its message is above")
        eighty = next((run["system"] for run in self.results.runs if run["seed"] in plan.EIGHTY_SEEDS), None)
        if sentence := plan.eighty_sentence(eighty, self.results.runs, self.results.head["decisive"]) if eighty else "":
            print(f"\n{sentence}", flush=True)
        if self.part == "pilots" and not plan.missing(self.results.runs):
            print("\n".join(["", "Settings of the main study:", *plan.decisions(self.results.runs)]), flush=True)


def score_title(task: str) -> str:
    """The name of a task's score in the results."""
    metrics = electra.tasks()[task]["metrics"]
    return score_name(task, "answer_f1" if "answer_f1" in metrics else metrics[0])


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in the last line of a file that begins with a brace."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("{")]
    value: dict[str, Any] = json.loads(lines[-1])
    return value
