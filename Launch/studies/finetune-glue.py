#!/usr/bin/env python3
"""Fine-tunes a pre-trained model on all tasks of a GLUE folder, and prints the scores below published ones.

    Launch/studies/finetune-glue.py GLUE --from RUN --output FOLDER [options of electra finetune, such as --seeds 5]

GLUE is the folder as downloaded (CoLA/train.tsv and so on; .gz files too). FOLDER gets a folder for each task, with the
files to submit to the GLUE site. Finished seeds are not repeated. A task that fails is reported at the end, and the
others continue. TERM, INT, HUP, QUIT and USR1 make electra write a checkpoint and exit with status 75; the same command
resumes. NP=2 runs two ranks.

Cost of all of GLUE: 2.97 million sequences (3 epochs of the train sets, 10 of RTE and STS-B; MRPC and STS-B in both
orders) of about 38 tokens are 113 million tokens per seed. ELECTRA-Small needs 5.7e7 operations per token, forward and
backward: 6.4e15 operations, three quarters of them for MNLI and QQP. At 100 Gflop/s that is 18 hours, without these
two tasks 3.5 hours. Expected: near the row "ELECTRA-Small-OWT (released)", 80.4 on average, for ELECTRA-Small after 1
million steps on OpenWebText.
"""
from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra

USAGE = "finetune-glue.py GLUE --from RUN --output FOLDER [options of electra finetune]"
# Scores of the eight tasks in the paper's average, of WNLI, and the average of the eight.
PUBLISHED = [
    ("majority class", "0.0 50.9 68.4 - 63.2 35.4 50.5 52.7 56.3 -"),
    ("GPT (the paper's table 1)", "- - - - - - - - - 78.8"),
    ("BERT-Small (table 1)", "- - - - - - - - - 75.1"),
    ("ELECTRA-Small (table 1)", "- - - - - - - - - 79.9"),
    ("ELECTRA-Small, a sixteenth (table 1)", "- - - - - - - - - 74.1"),
    ("ELECTRA-Small-OWT (released)", "56.8 88.3 87.4 86.8 88.3 78.9 87.9 68.5 - 80.36"),
    ("ELECTRA-Small++ (released)", "57.0 91.2 88.0 87.5 89.0 81.3 88.4 66.7 - 81.14"),
    ("BERT-Base (table 1)", "- - - - - - - - - 82.2"),
    ("ELECTRA-Base (released)", "67.7 95.1 89.5 91.2 91.5 88.8 93.2 82.7 - 87.46"),
]


def read_arguments(arguments: Sequence[str]) -> tuple[Path, Path, list[str]]:
    """The GLUE folder, the output folder, and the options of `electra finetune`."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip() if arguments else f"usage: {USAGE}", file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else electra.USAGE)
    glue, output, options = Path(arguments[0]), "", []
    words = iter(arguments[1:])
    for word in words:
        if word == "--output":
            output = next(words, "")
        elif word.startswith("--output="):
            output = word.partition("=")[2]
        else:
            options.append(word)
    if not output:
        electra.fail(electra.USAGE, f"--output is missing; usage: {USAGE}")
    if not glue.is_dir():
        electra.fail(electra.MISSING_FILE, f"there is no folder {glue}")
    return glue, Path(output), options


def finetune(tasks: Sequence[dict[str, Any]], glue: Path, output: Path, options: Sequence[str]) -> list[str]:
    """Fine-tunes on every task that has a folder; returns the titles of those that failed."""
    jobs = electra.Jobs()
    failed = []
    for task in tasks:
        title = task["title"]
        if not (glue / title).is_dir():
            continue
        folder = electra.training_folder(task, [glue])
        if folder is None:
            print(f"{title}: no training file, left out", flush=True)
            continue
        print(title, flush=True)
        command = ["finetune", task["name"], "--data", folder, "--output", output / task["name"], *options]
        if jobs.run([*electra.launcher(), *command]) != 0:
            failed.append(title)
    return failed


def median(results: Path) -> Optional[float]:
    """The median over the seeds of a task's first metric, times 100; None without a result."""
    if not results.exists():
        return None
    seeds = json.loads(results.read_text(encoding="utf-8"))["seeds"]
    values = [seed["values"][0] for seed in seeds if seed["values"][0] is not None]
    return 100 * statistics.median(values) if values else None


def row(name: str, cells: Sequence[str]) -> str:
    """A line of the table: nine tasks and the mean of the first eight."""
    return f"{name:36}" + "".join(f"{cell:>6}" for cell in cells[:9]) + f"{cells[9]:>7}"


def print_table(tasks: Sequence[dict[str, Any]], output: Path) -> None:
    """Prints the published scores on the dev sets, then those of this model."""
    scores = [median(output / task["name"] / "results.json") for task in tasks]
    averaged = [score for score in scores[:8] if score is not None]
    mean = f"{statistics.mean(averaged):.2f}" if len(averaged) == 8 else "-"
    print("\nGLUE dev sets: Matthews (CoLA), Spearman (STS-B), accuracy (all others), times 100; median over seeds")
    print(row("", [task["title"] for task in tasks] + ["mean"]))
    for name, cells in PUBLISHED:
        print(row(name, cells.split()))
    print(row("this model", ["-" if score is None else f"{score:.1f}" for score in scores] + [mean]), flush=True)


def main() -> None:
    glue, output, options = read_arguments(sys.argv[1:])
    electra.build_if_missing()
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        electra.fail(electra.CANNOT_CREATE, f"cannot make the folder {output}: {error.strerror}")
    # GLUE's tasks in the order of its table: those with a training set and a file to submit.
    tasks = [
        task for task in electra.tasks().values()
        if {split["role"] for split in task["splits"]} >= {"training", "test"}
        and any(split.get("submission") for split in task["splits"])]
    failed = finetune(tasks, glue, output, options)
    print_table(tasks, output)
    if failed:
        electra.fail(electra.FAILED, f"failed: {', '.join(failed)}; their messages are above")


if __name__ == "__main__":
    main()
