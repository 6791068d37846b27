#!/usr/bin/env python3
"""Tests fault tolerance: injects random faults into small trainings, and compares their results with a reference run.

    Launch/lab/chaos.py [ROUNDS [SEED [OPTIONS...]]]      default: 100 rounds, about ten minutes on two cores

OPTIONS are those of `electra pretrain`, such as --arithmetic bfloat16 --exchange bfloat16 --exchange-level 2.

Each round starts or resumes a training on 1 to 4 ranks with 1 or 2 worker threads each. Then it kills a rank or the
launcher (SIGKILL), stops a rank (SIGSTOP, until the watchdog ends the job), requests a stop (SIGTERM, SIGUSR1), or lets
rank zero die at a random write of a checkpoint. Between rounds it sometimes damages the newest checkpoint. When a
training is finished, the next one begins.

Expected: the last checkpoint of every finished training equals the reference byte for byte, and so do the metrics
without their time keys. The last line counts the faults. At the first difference or hang it prints the logs and exits
with status 1.
"""
from __future__ import annotations

import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NoReturn, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import electra

STEPS = 300
# kill-write: rank zero dies at a write of a checkpoint.
KINDS = ["kill-rank", "kill-rank", "kill-launcher", "stop-rank", "TERM", "USR1", "kill-write", "kill-write"]
# Seconds beside the time of the training itself: no deadline of the watchdog is longer than 20 s.
LONGEST_FAULT = 30


def arguments_of(process: int) -> list[bytes]:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def children(parent: int) -> list[int]:
    """The living child processes of `parent`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # State and parent follow the name, which is in parentheses.
            state, process = entry.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(process) == parent and state != "Z":
            found.append(int(entry.parent.name))
    return found


def make_text(generator: random.Random) -> str:
    """Text over a small lexicon in which each word mostly determines the next."""
    syllables = ["ba", "ko", "li", "mu", "ne", "ra", "si", "to", "vu", "ze"]
    lexicon = ["".join(generator.choices(syllables, k=generator.randint(1, 4))) for _ in range(200)]

    def sentence() -> str:
        word, words = generator.randrange(200), []
        for _ in range(9):
            word = (word * 7 + 3) % 200 if generator.random() < 0.8 else generator.randrange(200)
            words.append(lexicon[word])
        return " ".join(words) + ".\n"

    return "\n".join("".join(sentence() for _ in range(8)) for _ in range(400))


def damage(run: Path, generator: random.Random) -> bool:
    """Flips a bit in a random file of the newest checkpoint, or truncates the file.

    Does nothing and returns False if there are fewer than two checkpoints: the training must be able to fall back on
    the one before.
    """
    checkpoints = sorted((run / "checkpoints").glob("step-????????"))
    if len(checkpoints) < 2:
        return False
    path = generator.choice(sorted(checkpoints[-1].iterdir()))
    contents = bytearray(path.read_bytes())
    if generator.random() < 0.5:
        os.truncate(path, len(contents) * generator.randrange(100) // 100)
    elif contents:
        contents[generator.randrange(len(contents))] ^= 1 << generator.randrange(8)
        path.write_bytes(contents)
    return True


class Chaos:
    """Small trainings in a temporary folder, and counts of the faults."""

    def __init__(self, work: Path, seed: int, options: Sequence[str]) -> None:
        self.work = work
        self.generator = random.Random(seed)
        self.counts: collections.Counter[str] = collections.Counter()
        self.finished = 0
        # Seconds after which a job hangs; `prepare` adds the time of a training on this host.
        self.longest_job: float = LONGEST_FAULT
        # Shared memory of killed ranks is removed with the folder.
        self.environment = {
            **electra.environment(), "TMPDIR": str(work), "OMPI_MCA_btl_vader_backing_directory": str(work)}
        self.train: list[str] = (
            f"pretrain --data {work}/data --preset tiny --length 32 --batch 16 --slices 16 --steps {STEPS} --warmup 20"
            " --log-every 20 --save-every 10 --evaluate-every 100 --evaluate-examples 50 --deadline connection=10"
            " --deadline start=20 --deadline step=3 --deadline checkpoint=10 --deadline evaluation=10 --deadline end=10"
        ).split() + list(options)

    def fail(self, message: str) -> NoReturn:
        """Exits with status 1 after the last lines of the logs."""
        for path in (self.work / "log.round", self.work / "log.reference"):
            if path.exists():
                print(*path.read_text(errors="replace").splitlines()[-5:], sep="\n", file=sys.stderr)
        electra.fail(1, message)

    def prepare(self) -> None:
        """Makes the data and the reference run, without faults."""
        text, vocabulary = self.work / "text.txt", self.work / "vocab.txt"
        text.write_text(make_text(random.Random(7)))
        commands: list[list[electra.Argument]] = [
            ["vocabulary", text, "--size", 300, "--output", vocabulary],
            ["prepare", text, "--vocabulary", vocabulary, "--length", 32, "--output", self.work / "data"],
            [*self.train, "--output", self.work / "reference"],
        ]
        with open(self.work / "log.reference", "wb") as log:
            for command in commands:
                began = time.monotonic()
                status = subprocess.run(
                    [electra.program(), *map(str, command)], stdout=log, stderr=log, env=self.environment).returncode
                if status != 0:
                    self.fail(f"electra {command[0]} failed without a fault")
        # Four ranks with two workers each share the cores that the reference run has for itself.
        self.longest_job = LONGEST_FAULT + 4 * (time.monotonic() - began)

    def start(self, run: Path, ranks: int, workers: Optional[int] = None, kill_at: Optional[int] = None
              ) -> subprocess.Popen[bytes]:
        """Starts or resumes the training in the folder `run`; `kill_at` is the write at which rank zero dies."""
        threads = ["--threads", str(workers)] if workers else []
        with open(self.work / "log.round", "wb") as log:
            return subprocess.Popen(
                [str(electra.LAUNCH / "mpirun.sh"), "-np", str(ranks), *self.train, "--output", str(run), *threads],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**self.environment, **({"ELECTRA_KILL_AT": str(kill_at)} if kill_at else {})})

    def processes(self) -> list[int]:
        """The living processes of the trainings, launchers included. Their command lines contain the data folder."""
        data = os.fsencode(self.work / "data")
        entries = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
        return [process for process in entries if data in arguments_of(process)]

    def end_all(self) -> None:
        """Kills every process of the trainings."""
        for process in self.processes():
            send(process, signal.SIGKILL)

    def inject(self, job: subprocess.Popen[bytes], kind: str) -> bool:
        """Sends the signal of `kind`; returns whether a process received it."""
        # Before the training begins and after its end there is no launcher.
        launcher = next((child for child in children(job.pid) if arguments_of(child)[:1] == [b"mpirun"]), None)
        ranks = children(launcher) if launcher else []
        if kind == "kill-write" or launcher is None:
            return False
        if kind in ("kill-rank", "stop-rank"):
            number = signal.SIGKILL if kind == "kill-rank" else signal.SIGSTOP
            return bool(ranks) and send(self.generator.choice(ranks), number)
        return send(launcher, signal.SIGKILL if kind == "kill-launcher" else signal.Signals["SIG" + kind])

    def expect_same(self, run: Path, message: str) -> None:
        """Compares weights, optimizer state and metrics with the reference run; exits if they differ."""
        last = Path("checkpoints") / f"step-{STEPS:08}"
        reference = self.work / "reference"
        for name in ("model.safetensors", "optimizer.safetensors"):
            if (run / last / name).read_bytes() != (reference / last / name).read_bytes():
                self.fail(f"{message}: {name} differs")
        if electra.comparable_metrics(run / "metrics.jsonl") != electra.comparable_metrics(reference / "metrics.jsonl"):
            self.fail(f"{message}: metrics.jsonl differs")
        self.finished += 1

    def round(self, number: int) -> None:
        """Starts the current training, injects a fault, waits for its end, and compares it if it is finished."""
        generator, run = self.generator, self.work / f"run-{self.finished}"
        kind = generator.choice(KINDS)
        # Only another rank can detect a stopped one.
        ranks = generator.randint(2 if kind == "stop-rank" else 1, 4)
        kill_at = generator.randint(1, 400) if kind == "kill-write" else None
        job = self.start(run, ranks, generator.randint(1, 2), kill_at)
        time.sleep(generator.uniform(0, 3))
        is_hit = self.inject(job, kind)
        try:
            status = job.wait(timeout=self.longest_job)
        except subprocess.TimeoutExpired:
            self.fail(f"round {number} ({kind}, {ranks} ranks) hangs")
        if is_hit or kind == "kill-write" and status != 0:
            self.counts[kind] += 1
        # Ranks that lost their launcher end by themselves; until then they hold the run's lock.
        deadline = time.monotonic() + 10
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.1)
        if status == 0:
            self.expect_same(run, f"training {self.finished}, after round {number} ({kind})")
        elif generator.random() < 0.25 and damage(run, generator):
            self.counts["damage"] += 1


def send(process: int, number: int) -> bool:
    """Sends a signal; returns whether the process existed."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


def main(arguments: Sequence[str]) -> None:
    if not all(word.isdigit() for word in arguments[:2]):
        print(__doc__.strip())
        sys.exit(0 if arguments[0] in ("-h", "--help") else electra.USAGE)
    rounds = int(arguments[0]) if arguments else 100
    seed = int(arguments[1]) if len(arguments) > 1 else os.getpid()
    # SIGTERM must run the `finally` below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    electra.build_if_missing()
    chaos = Chaos(Path(tempfile.mkdtemp()), seed, arguments[2:])
    try:
        chaos.prepare()
        for number in range(1, rounds + 1):
            chaos.round(number)
        # Finish the last training without faults.
        run = chaos.work / f"run-{chaos.finished}"
        if chaos.start(run, ranks=2).wait() != 0:
            chaos.fail("the last training does not end")
        chaos.expect_same(run, "the last training")
    finally:
        chaos.end_all()
        shutil.rmtree(chaos.work, ignore_errors=True)
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(chaos.counts.items()))
    print(
        f"chaos: {rounds} rounds with seed {seed} ({kinds}); {chaos.finished} trainings of {STEPS} steps finished, all"
        " with the bytes and metrics of the reference run")


if __name__ == "__main__":
    main(sys.argv[1:])
