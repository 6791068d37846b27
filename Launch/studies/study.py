"""Shared by the studies: from text and labelled data to a comparison of systems.

The systems are pre-trained with equal compute and fine-tuned on the same tasks. A study that was stopped resumes where
it was: a run continues from its checkpoint, and finished parts are not repeated. Options that do not fit existing
results are rejected. Written to the output folder: SYSTEM/run, SYSTEM/TASK, study.json, table.md, table.csv,
picture.svg, and log.txt with the output of electra.
"""
from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra
import study_results

# The paper's settings, where the preset tiny has others. Options of a system come later and win.
PAPER = ["--objective", "electra", "--optimizer", "adam", "--mask-fraction", "0.15"]


@dataclass(frozen=True)
class System:
    """A system of a study, and how its pre-training differs from ELECTRA's.

    `paper` is the paper's score or remark, and `order` its rank there: 1 for the best, equal if the paper does not
    distinguish. Systems of several questions may share a folder and are then trained once. `options` are additional
    options of `electra pretrain`, None for a system without pre-training.
    """

    question: str
    name: str
    paper: str
    order: int
    folder: str
    options: Optional[Sequence[str]] = ()


def last_line(log: Path) -> str:
    """The last line of a log: the reason if electra failed."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1] if lines else "no message"


class Study:
    """Pre-trains, fine-tunes and compares systems; `run` does all of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Makes the output folder, and builds electra if there is no program."""
        self.options = options
        self.output: Path = options.output
        self.log = self.output / "log.txt"
        self.vocabulary: int = options.vocabulary
        self.systems: list[System] = []
        size = ["--config", options.config] if options.config else ["--preset", options.preset or "tiny"]
        size += ["--length", str(options.length)]
        paper = PAPER if size[:2] == ["--preset", "tiny"] else []
        self.cost_options = [*paper, *options.costs, *size]
        # The preset tiny warms up for three tenths of a run; a --warmup of the user comes later and wins.
        warmup = ["--warmup", str(options.steps * 3 // 10)] if paper else []
        self.pretrain_options = [*paper, *warmup, *options.pretrain, *size]
        try:
            self.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            electra.fail(electra.CANNOT_CREATE, f"cannot make the folder {self.output}: {error.strerror}")
        electra.build_if_missing()
        self.jobs = electra.Jobs()

    def cost(self, key: str, options: Sequence[str] = ()) -> Optional[float]:
        """A value of `electra flops` for a run with these additional options; None if it has no such value."""
        try:
            costs = electra.output(
                "flops", *self.cost_options, "--steps", self.options.steps, "--vocabulary-size", self.vocabulary,
                *options, "--tokens-per-second", 1, "--json")
        except subprocess.CalledProcessError:
            electra.fail(electra.USAGE, "electra flops cannot compute a cost; its message is above")
        value: Optional[float] = json.loads(costs).get(key)
        return value

    def run(self) -> None:
        """Runs the whole study. The table is written after each system, so that it can be read early.

        Systems and tasks that fail do not stop the others; at the end it names them and exits with status 70.
        """
        tasks = self._find_tasks()
        self.prepare()
        failures: list[str] = []
        for folder, options in self._folders().items():
            if self._pretrain(folder, options):
                failures += self._finetune(folder, options, tasks)
            else:
                failures.append(f"{folder}: {last_line(self.log)}")
            self._compare()
        print((self.output / "table.md").read_text(encoding="utf-8"), end="", flush=True)
        if failures:
            electra.fail(electra.FAILED, f"failed: {'; '.join(failures)}; see {self.log}")

    def _folders(self) -> dict[str, Optional[Sequence[str]]]:
        """The options of each folder, in the order of the systems."""
        return {system.folder: system.options for system in self.systems}

    def _electra(self, *arguments: electra.Argument) -> bool:
        """Runs electra on NP ranks with its output in the log; returns whether it succeeded."""
        return self.jobs.run([*electra.launcher(), *arguments], self.log) == 0

    def prepare(self) -> None:
        """Makes text, vocabulary and shards unless they exist; settings.txt records their settings."""
        text, length = self.options.text, self.options.length
        settings = f"text {text or 'of Debian'}, vocabulary {self.vocabulary}, length {length}"
        path = self.output / "settings.txt"
        if not path.exists() or not path.read_text().strip():
            path.write_text(settings + "\n")
        if path.read_text().strip() != settings:
            electra.fail(
                electra.USAGE,
                f"{self.output} has {path.read_text().strip()}, not {settings}; choose another --output")
        vocabulary, data = self.output / "vocab.txt", self.output / "data"
        if not text:
            text = self.output / "text.txt"
            status = self.jobs.run([electra.LAUNCH / "fetch-text.sh", text])
            if status != 0:
                sys.exit(status)
        if not vocabulary.exists():
            print("training a vocabulary", flush=True)
            self._run_once("vocabulary", text, "--size", self.vocabulary, "--output", vocabulary)
        self.vocabulary = vocabulary.read_bytes().count(b"\n")
        if not (data / "data.json").exists():
            print("preparing shards", flush=True)
            self._run_once(
                "prepare", text, "--vocabulary", vocabulary, "--length", length, "--output", data)

    def _run_once(self, *arguments: electra.Argument) -> None:
        """Runs electra on one rank; if it fails, exits with its status and last line."""
        status = self.jobs.run([electra.program(), *arguments], self.log)
        if status != 0:
            electra.fail(status, last_line(self.log))

    def _find_tasks(self) -> list[tuple[str, Optional[str], Path]]:
        """The name, epochs and folder of each task of --tasks that has a training set; exits if none has one."""
        found, missing = [], []
        labels: Path = self.options.labels
        for entry in self.options.tasks.split():
            name, _, epochs = entry.partition(":")
            if name not in electra.tasks():
                electra.fail(electra.USAGE, f"there is no task {name}; `electra tasks` lists them")
            folder = electra.training_folder(electra.tasks()[name], [labels, labels / "glue"])
            if folder is None and name == "squad1":
                folder = self._split_squad()
            if folder is None:
                missing.append(name)
            else:
                found.append((name, epochs or None, folder))
        if not found:
            electra.fail(
                electra.MISSING_FILE, f"{labels} has a training set for none of: {self.options.tasks}")
        if missing:
            print(f"left out, because there is no training set: {' '.join(missing)}", flush=True)
        return found

    def _split_squad(self) -> Optional[Path]:
        """Splits SQuAD's dev set: three quarters of the articles for training. None without a dev set."""
        sources = sorted((self.options.labels / "squad").glob("dev-v1.1.json*"))
        folder = self.output / "squad"
        if not sources:
            return None
        if not (folder / "train-v1.1.json").exists():
            folder.mkdir(exist_ok=True)
            with (gzip.open if sources[0].suffix == ".gz" else open)(sources[0], "rt", encoding="utf-8") as file:
                whole = json.load(file)
            articles = whole["data"]
            cut = len(articles) * 3 // 4
            for name, part in (("dev", articles[cut:]), ("train", articles[:cut])):
                partial = folder / f"{name}.partial"
                partial.write_text(json.dumps({"version": whole["version"], "data": part}))
                partial.rename(folder / f"{name}-v1.1.json")
        return folder

    def _pretrain(self, folder: str, options: Optional[Sequence[str]]) -> bool:
        """Pre-trains a system at the cost of --steps of ELECTRA; returns whether it succeeded."""
        if options is None:
            return True
        steps = self._steps(options)
        print(f"{folder}: {steps} steps", flush=True)
        return self._electra(
            "pretrain", "--data", self.output / "data", "--output", self.output / folder / "run",
            *self.pretrain_options, "--steps", steps, *options)

    def _steps(self, options: Sequence[str]) -> int:
        """The steps of a system at the cost of --steps of ELECTRA, which itself has no such value."""
        return int(self.cost("steps_of_equal_products", options) or self.options.steps)

    def _finetune(
        self, folder: str, options: Optional[Sequence[str]], tasks: Sequence[tuple[str, Optional[str], Path]]
    ) -> list[str]:
        """Fine-tunes a system on all tasks; returns a message for each that failed."""
        failures = []
        # A system with new weights has the sizes of the first system.
        source = self.output / (self.systems[0].folder if options is None else folder) / "run"
        for task, epochs, data in tasks:
            print(f"{folder}: {task}", flush=True)
            succeeded = self._electra(
                "finetune", task, "--data", data, "--output", self.output / folder / task, "--seeds",
                self.options.seeds, *(["--epochs", epochs] if epochs else []), "--from", source,
                *(["--scratch"] if options is None else []))
            if not succeeded:
                failures.append(f"{folder} {task}: {last_line(self.log)}")
        return failures

    def _compare(self) -> None:
        """Writes the results so far as study.json, and the tables and the picture of these."""
        scores, runs = self._results()
        head = {
            "study": "Fine-tuned after pre-training at equal compute", "seeds": "fine-tuning", "scores": scores,
            "systems": [
                {"key": s.folder, "question": s.question, "name": s.name, "paper": s.paper, "rank": s.order}
                for s in self.systems]}
        study = self.output / "study.json"
        study_results.write(study, head, runs)
        try:
            table = electra.output(
                "compare", study, "--csv", self.output / "table.csv", "--picture", self.output / "picture.svg")
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)
        partial = self.output / "table.md.partial"
        partial.write_text(table, encoding="utf-8")
        partial.rename(self.output / "table.md")

    def _results(self) -> tuple[list[str], list[study_results.Run]]:
        """The names of scores, and a run for each fine-tuning seed of each system; one without scores if none."""
        names: list[str] = []
        runs: list[study_results.Run] = []
        for folder, options in self._folders().items():
            run: study_results.Run = {"system": folder}
            if (self.output / folder / "run/config.json").exists():
                run["steps"] = self._steps(options or ())
                run["operations"] = self.cost("product_operations", [*(options or ()), "--steps", str(run["steps"])])
                run["seconds"] = study_results.last_metrics(self.output / folder / "run")[0]
            scores: dict[int, dict[str, float]] = {}
            for task in electra.tasks():
                if (self.output / folder / task / "results.json").exists():
                    name, values = study_results.task_scores(self.output / folder / task)
                    names += [name] if name not in names else []
                    for seed, value in values.items():
                        scores.setdefault(seed, {})[name] = value
            runs += [{**run, "seed": seed, "scores": values} for seed, values in (scores or {1: {}}).items()]
        return names, runs
