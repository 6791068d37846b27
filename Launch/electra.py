"""Shared by the Python programs of Launch: the electra program, its tasks, jobs, metrics files.

Needs Python 3.9 and no packages.
"""
from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Generator, NamedTuple, NoReturn, Optional, Sequence, Union

LAUNCH = Path(__file__).resolve().parent

# Exit statuses of electra.
USAGE, BAD_DATA, MISSING_FILE, FAILED, CANNOT_CREATE, STOPPED = 64, 65, 66, 70, 73, 75

# Keys of metrics.jsonl that depend on the clock.
TIME_KEYS = {
    "seconds", "time", "tokens_per_second", "communication_fraction", "input_fraction",
    "evaluation_fraction", "checkpoint_fraction", "rank_seconds_fastest", "rank_seconds_median",
    "rank_seconds_slowest", "slowest_rank",
}

Argument = Union[str, Path, int, float]


class Ended(NamedTuple):
    """The exit status of a command, 128 plus the number of a signal that ended it, and its processor time."""

    status: int
    core_seconds: float


# Yields commands, each with its log, and receives how they ended.
Chain = Generator[tuple[Sequence[Argument], Path], Ended, None]


def name() -> str:
    """The name of the running script, for messages."""
    return Path(sys.argv[0]).name


def fail(status: int, message: str) -> NoReturn:
    """Exits with `status` and a one-line message on standard error."""
    print(f"{name()}: {message}", file=sys.stderr)
    sys.exit(status)


@functools.lru_cache(maxsize=None)
def environment() -> dict[str, str]:
    """This process's environment with the settings of environment.sh; ELECTRA_PROGRAM is the program's path."""
    command = ["bash", "-c", '. "$0"; export ELECTRA_PROGRAM=$electra; exec env -0', f"{LAUNCH}/environment.sh"]
    variables = os.fsdecode(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return dict(entry.split("=", 1) for entry in variables.split("\0") if entry)


def program() -> str:
    """The path of electra: ELECTRA_PROGRAM if it is set, else the release build."""
    return environment()["ELECTRA_PROGRAM"]


def build_if_missing() -> None:
    """Builds electra if there is no program; exits with a message if there is none afterwards."""
    command = 'script=$1; report() { echo "$script: $*" >&2; }; . "$0"; build_if_missing'
    status = subprocess.run(["bash", "-c", command, LAUNCH / "environment.sh", name()]).returncode
    if status != 0:
        sys.exit(status)


def launcher() -> list[str]:
    """The beginning of a command line of electra: the program, or mpirun.sh with NP ranks if NP is set."""
    ranks = os.environ.get("NP")
    return [str(LAUNCH / "mpirun.sh"), "-np", ranks] if ranks else [program()]


def output(*arguments: Argument) -> str:
    """The standard output of an electra command. Raises CalledProcessError if it fails."""
    command = [program(), *map(str, arguments)]
    # In a new session, so that Ctrl-C reaches this process alone.
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8", check=True, env=environment(),
        start_new_session=True)
    return result.stdout


@functools.lru_cache(maxsize=None)
def tasks() -> dict[str, dict[str, Any]]:
    """The tasks of `electra finetune`, by name, in the format of `electra tasks --json`."""
    return {task["name"]: task for task in json.loads(output("tasks", "--json"))}


def training_folder(task: dict[str, Any], parents: Sequence[Path]) -> Optional[Path]:
    """The first folder of `task` in one of `parents` that has a training file, compressed or not; None without one."""
    files = [file for split in task["splits"] if split["role"] == "training" for file in split["files"]]
    names = [file + suffix for file in files for suffix in ("", ".gz", ".xz")]
    folders = [parent / folder for folder in task["folders"] for parent in parents]
    return next((folder for folder in folders if any((folder / name).exists() for name in names)), None)


def comparable_metrics(path: Path) -> str:
    """The lines of a metrics.jsonl, without the keys that depend on the clock and with sorted keys."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        values = {key: value for key, value in json.loads(line).items() if key not in TIME_KEYS}
        lines.append(json.dumps(values, sort_keys=True))
    return "\n".join(lines)


class Jobs:
    """Runs commands and waits for them, and stops them cleanly when this process is requested to stop.

    TERM, INT, HUP, QUIT and USR1 make every running electra write a checkpoint and end; then this process exits with
    status 75. A second signal ends them at once, except HUP, which a closing terminal often sends several times. A
    signal that is ignored at the start, such as HUP under nohup, stays ignored. Every command runs in a new session, so
    that Ctrl-C reaches this process alone.
    """

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.is_stopping = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._stop)

    def _stop(self, number: Optional[int] = None, _: object = None) -> None:
        if number == signal.SIGHUP and self.is_stopping:
            return
        self.is_stopping = True
        for process in self.processes:
            # electra and mpirun.sh both take USR1 as the request to save and end.
            process.send_signal(signal.SIGUSR1)

    def run(self, command: Sequence[Argument], log: Optional[Path] = None) -> int:
        """Runs `command` and returns its exit status; 128 plus the number if a signal ended it.

        Appends its output to the file `log`, if given. Exits with status 75 if a stop was requested.
        """
        return self.run_together([(command, log)])[0]

    def run_together(self, commands: Sequence[tuple[Sequence[Argument], Optional[Path]]]) -> list[int]:
        """Runs commands at the same time, each with its log, as `run` does; returns when all have ended."""
        if self.is_stopping:
            self._exit()
        for command, log in commands:
            self._start(command, log)
        statuses = [process.wait() for process in self.processes]
        self.processes = []
        if self.is_stopping or STOPPED in statuses:
            self._exit()
        return [status if status >= 0 else 128 - status for status in statuses]

    def run_chains(self, chains: Sequence[Chain], jobs: int) -> None:
        """Runs the commands of each chain one after the other, and `jobs` chains at a time, in their order.

        Every chain has a core for itself, as far as there are cores. Exits with status 75 if a stop was requested;
        then the chains do not learn how the stopped commands ended.
        """
        cores = sorted(os.sched_getaffinity(0))
        waiting, free = list(chains), list(range(jobs))
        running: dict[subprocess.Popen[bytes], tuple[Chain, int]] = {}

        def advance(chain: Chain, slot: int, ended: Optional[Ended]) -> None:
            try:
                command, log = next(chain) if ended is None else chain.send(ended)
            except StopIteration:
                free.append(slot)
                return
            running[self._start(["taskset", "--cpu-list", cores[slot % len(cores)], *command], log)] = (chain, slot)

        try:
            while running or waiting and not self.is_stopping:
                while waiting and free and not self.is_stopping:
                    advance(waiting.pop(0), free.pop(0), None)
                for process in list(running):
                    ended = self._poll(process)
                    if ended is None:
                        continue
                    chain, slot = running.pop(process)
                    self.processes.remove(process)
                    if ended.status == STOPPED and not self.is_stopping:
                        self._stop()
                    if not self.is_stopping:
                        advance(chain, slot, ended)
                time.sleep(0.05)
        except BaseException:  # an error in a chain must not leave the others running
            self._stop()
            for process in self.processes:
                process.wait()
            raise
        if self.is_stopping:
            self._exit()

    def _poll(self, process: subprocess.Popen[bytes]) -> Optional[Ended]:
        """How a process ended; None while it runs."""
        seconds = 0.0
        # The handler of a stop may have waited for the process before: then its time is lost, and not needed.
        with contextlib.suppress(ChildProcessError):
            number, status, usage = os.wait4(process.pid, os.WNOHANG)
            if number == 0:
                return None
            process.returncode, seconds = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        status = process.returncode
        return Ended(status if status >= 0 else 128 - status, seconds)

    def _start(self, command: Sequence[Argument], log: Optional[Path]) -> subprocess.Popen[bytes]:
        with open(log, "ab") if log else contextlib.nullcontext() as file:
            process = subprocess.Popen(
                [str(argument) for argument in command], stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT if file else None, env=environment(), start_new_session=True)
        self.processes.append(process)
        if self.is_stopping:  # the signal may have come before the process was in the list
            process.send_signal(signal.SIGUSR1)  # only to this one: a second signal ends a run at once
        return process

    def _exit(self) -> NoReturn:
        print(f"{name()}: stopped as requested; the same command resumes", flush=True)
        sys.exit(STOPPED)
