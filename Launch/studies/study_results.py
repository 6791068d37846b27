"""The results of a study in one JSON file, from which `electra compare` makes tables and pictures.

The keys of the file: `study`, its title; `seeds`, what the seeds of a system differ in; `settings`; `scores`, their
names in order; `decisive`, those whose mean decides; `comparisons`, pairs of a `system` and the one it is compared
`against`, with the `margin` that is a success, if one is defined, and optionally another system that it must be
`also_above`; `systems`, each with `key`, `question`, `name` and optionally `paper`, `rank` and `budget`; and `runs`, a
line each. A run that diverged has no scores and the reason as `failed`.
"""
from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra

Run = dict[str, Any]
# Keys of held-out lines that are no results.
NOT_MEASURED = {"step", "split", "examples", "time"}


def write(path: Path, head: dict[str, Any], runs: list[Run]) -> None:
    """Writes a file of results atomically: the keys of `head`, then one line for each run."""
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)},\n" for key, value in head.items()]
    body = ",\n".join("    " + json.dumps(run, ensure_ascii=False) for run in runs)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "w", encoding="utf-8") as file:
        file.write("{\n" + "".join(lines) + f'  "runs": [\n{body}\n  ]\n}}\n')
        file.flush()
        os.fsync(file.fileno())  # otherwise a crash of the machine may leave an empty file
    partial.rename(path)


def read(path: Path) -> dict[str, Any]:
    """The contents of a file of results; exits with one line if it is missing or not such a file."""
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
        if all("system" in run and "seed" in run and "scores" in run for run in contents["runs"]):
            return contents
    except FileNotFoundError:
        electra.fail(electra.MISSING_FILE, f"there is no file {path}")
    except (ValueError, KeyError, TypeError):
        pass
    electra.fail(electra.BAD_DATA, f"{path} is not a file of results")


class Results:
    """The state of a study: finished runs by system and seed."""

    def __init__(self, path: Path, head: dict[str, Any]) -> None:
        """Makes the folder of the file at `path`, and reads the file if it exists.

        Exits if the folder cannot be made or the file has other settings than `head`.
        """
        self.path, self.head = path, head
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            electra.fail(electra.CANNOT_CREATE, f"cannot make the folder {path.parent}: {error.strerror}")
        settings = read(path).get("settings", {}) if path.exists() else head["settings"]
        for key in [*head["settings"], *settings]:
            if settings.get(key) != head["settings"].get(key):
                electra.fail(
                    electra.USAGE,
                    f"{path} has the {key} {settings.get(key)}, not {head['settings'].get(key)}; "
                    "choose another --results")

    @property
    def runs(self) -> list[Run]:
        """All finished runs. The file is read again, because runs of other machines may have been added."""
        return read(self.path)["runs"] if self.path.exists() else []

    def find(self, system: str, seed: int) -> Optional[Run]:
        """The run of a system with a seed; None if it is not finished."""
        return next((run for run in self.runs if run["system"] == system and run["seed"] == seed), None)

    def add(self, run: Run) -> None:
        """Adds a finished run. Runs are in the order of the systems, then of the seeds.

        Systems and comparisons of the file that the head does not have, such as those of an option, are kept. A lock
        on the folder makes other programs that add to the file wait.
        """
        lock = os.open(self.path.parent, os.O_RDONLY)  # the file itself is replaced
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._add(run)
        finally:
            os.close(lock)

    def _add(self, run: Run) -> None:
        for key in ("systems", "comparisons"):
            old = read(self.path)[key] if self.path.exists() else []
            self.head[key] = self.head[key] + [entry for entry in old if entry not in self.head[key]]
        keys = [system["key"] for system in self.head["systems"]]
        runs = [other for other in self.runs if (other["system"], other["seed"]) != (run["system"], run["seed"])]
        runs.append(run)
        runs.sort(key=lambda run: (keys.index(run["system"]) if run["system"] in keys else len(keys), run["seed"]))
        write(self.path, self.head, runs)


def score_name(task: str, metric: str) -> str:
    """The name of a score: the task's title and the metric, such as SQuAD 1.1 F1."""
    words = "F1" if metric in ("entity_f1", "answer_f1", "f1") else metric.replace("_", " ")
    return f"{electra.tasks()[task]['title']} {words}"


def task_scores(folder: Path) -> tuple[str, dict[int, float]]:
    """The name of a fine-tuning's score and its values times 100 by seed, from results.json on the first dev set.

    The score is the task's first metric, F1 for questions about a passage. A correlation of constant predictions is
    undefined and counts as 0.
    """
    results = json.loads((folder / "results.json").read_text())
    metrics = [measure["metric"] for measure in results["measures"]]
    index = metrics.index("answer_f1") if "answer_f1" in metrics else 0
    values = {seed["seed"]: round(100 * (seed["values"][index] or 0), 3) for seed in results["seeds"]}
    return score_name(results["task"], metrics[index]), values


def last_metrics(run: Path) -> tuple[float, dict[str, float]]:
    """Seconds of training of all starts, and the last held-out metrics, from the metrics of a pre-training."""
    path, seconds, held_out = run / "metrics.jsonl", 0.0, {}
    for text in path.read_text().splitlines() if path.exists() else []:
        line = json.loads(text)
        split = line.get("split", "training")
        if split == "training":
            seconds = line["seconds"]
        elif split == "held_out":
            # A metric that is undefined, such as an AUC without fakes, is null.
            held_out = {
                key: round(value, 5) for key, value in line.items()
                if key not in NOT_MEASURED and isinstance(value, (int, float))}
    return seconds, held_out
