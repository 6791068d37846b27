"""The command line of a study: its options, and those that it passes to `electra pretrain`."""
from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any, NoReturn, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra

EPILOG = """\
All other options are those of `electra pretrain` and apply to all systems: --batch, --whole-words, ...
TERM, INT, HUP, QUIT and USR1 make electra write a checkpoint and exit with status 75.
"""


def count(text: str) -> int:
    """A number of steps, seeds or tokens."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


# Options of a study; all others are options of `electra pretrain`.
OPTIONS: dict[str, dict[str, Any]] = {
    "--output": dict(metavar="DIR", type=Path, help="the folder of the study"),
    "--text": dict(metavar="PATH", help="a file or folder to pre-train on; by default the text of quickstart.sh"),
    "--vocabulary": dict(metavar="N", type=count, default=4096, help="tokens of the vocabulary"),
    "--length": dict(metavar="N", type=count, default=64, help="tokens of an example"),
    "--steps": dict(metavar="N", type=count, default=5000, help="steps of ELECTRA; other systems get the same compute"),
    "--seeds": dict(metavar="N", type=count, default=3, help="fine-tunings of each system on each task"),
    "--tasks": dict(help="such as 'cola stsb:5': names of `electra tasks`, with epochs if not the paper's"),
    "--preset": dict(metavar="NAME", help="the size of the model, by default tiny with the paper's recipe"),
    "--config": dict(metavar="FILE", help="the sizes, instead of a preset"),
}
# Options of `electra pretrain` that take no value.
FLAGS = {
    "--whole-words", "--recompute", "--disallow-correct", "--mask-with-replacement", "--verbose",
    "--stop-when-unhealthy"}
# Options that do not change the cost of a run; `electra flops` does not have them.
COST_FREE = (
    "--stop-when-unhealthy", "--log-every", "--evaluate-", "--save-", "--keep", "--deadline", "--grace", "--hours",
    "--threads", "--init-from", "--verbose")


class Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage in one line, with electra's exit status."""

    def error(self, message: str) -> NoReturn:
        electra.fail(electra.USAGE, message)


def split_options(arguments: Sequence[str], study_options: set[str]) -> tuple[list[str], list[list[str]]]:
    """Separates the study's arguments from the options of `electra pretrain`, each with its value."""
    study, others = [], []
    words = iter(arguments)
    for word in words:
        option = word.split("=", 1)[0]
        if not option.startswith("--") or option in study_options | {"--help"}:
            study.append(word)
            # The next word is the option's value, even if it begins with a dash.
            if option in study_options and "=" not in word:
                study += itertools.islice(words, 1)
        elif option in FLAGS or "=" in word:
            others.append([word])
        else:
            value = next(words, None)
            if value is None:
                electra.fail(electra.USAGE, f"{word} needs a value")
            others.append([word, value])
    return study, others


def read_options(description: Optional[str], tasks: str = "", questions: Sequence[str] = ()) -> argparse.Namespace:
    """Reads the command line of a study.

    `tasks` are the default of --tasks; without any, the study fine-tunes nothing and takes no labelled data.
    `questions` are the values that --studies accepts, which exists only if there are any. The result has the
    arguments of `electra pretrain` in `pretrain`, and those that `electra flops` takes too in `costs`. Exits with one
    line if the arguments are invalid or a file is missing.
    """
    parser = Parser(
        description=description, epilog=EPILOG + ("NP=2 runs two ranks.\n" if tasks else ""), allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    study_options = dict(OPTIONS)
    if tasks:
        parser.add_argument("labels", type=Path, nargs="?", help="a folder with tasks as downloaded: CoLA, SST-2, ...")
    else:
        del study_options["--tasks"]
        study_options["--seeds"] = dict(metavar="N", type=count, default=5, help="pre-trainings of each system")
    if questions:
        study_options["--studies"] = dict(default=" ".join(questions), help="the questions to study, by default all")
    for option, settings in study_options.items():
        parser.add_argument(option, **settings)
    known, others = split_options(sys.argv[1:], set(study_options))
    options = parser.parse_args(known)
    options.pretrain = [word for option in others for word in option]
    options.costs = [word for option in others if not option[0].startswith(COST_FREE) for word in option]
    if not options.output or tasks and not options.labels:
        parser.error(f"give {'the folder of labelled data and ' if tasks else ''}--output; --help lists the options")
    for question in options.studies.split() if questions else []:
        if question not in questions:
            parser.error(f"--studies knows {', '.join(questions)}, not {question}")
    if options.preset and options.config:
        parser.error("give --preset or --config, not both")
    if tasks:
        options.tasks = options.tasks or tasks
        if not options.labels.is_dir():
            electra.fail(electra.MISSING_FILE, f"there is no folder {options.labels}")
    if options.text and not Path(options.text).exists():
        electra.fail(electra.MISSING_FILE, f"there is no text {options.text}")
    return options
