"""Compares the speed of electra's pre-training step with PyTorch's on this machine, in turns.

    python compare-pytorch.py [--config small base] [--cores 1 2] [--batch N] [--length 128]
                              [--arithmetic float32 bfloat16] [--rounds 3] [--steps 3]
                              [--only electra,transformers,tuned]

Needs the packages of requirements.txt in this Python, and builds electra if there is no program.
Without options it measures `small` with 32 x 128 tokens and `base` with 16 x 128, each on one core
and on two. peers.py describes the peers.

The speed of a machine drifts by tens of percent. Every round therefore runs each program once,
every other round in reverse order, and ratios are taken within a round; the tables show medians and
ranges. On several cores PyTorch runs as one process with all threads and as processes with one
thread each, and the last lines of a table, one for each arithmetic, compare electra's workers with
the faster of the two, by the median. electra also runs with one rank per core, under mpirun.

--arithmetic bfloat16 and bfloat16-amx compare electra's bfloat16 with torch.autocast. Without
AVX512-BF16 or AMX both are emulated: the results are labelled so, and say nothing about speed. With
several arithmetics their programs take turns in one table.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import electra
import machine

BATCHES = {"tiny": 32, "small": 32, "base": 16}


def programs(args, config, cores):
    """The commands of a round, by their names in the table; electra's workers come first."""
    return {
        f"{name}, {machine.arithmetic(arithmetic)}": command
        for arithmetic in args.arithmetic
        for name, command in programs_in(arithmetic, args, config, cores).items()}


def programs_in(arithmetic, args, config, cores):
    """The commands of a round in one arithmetic, by their names."""
    shape = ["--batch", str(args.batch or BATCHES[config]), "--length", str(args.length)]
    ours = [
        "benchmark", "step", "--preset", config, "--objective", "electra", *shape, "--rounds", str(args.steps),
        "--json"]
    peer = [sys.executable, os.path.join(HERE, "peers.py")]
    theirs = ["--config", config, *shape, "--steps", str(args.steps)]
    if arithmetic != "float32":
        ours += ["--arithmetic", arithmetic]
        theirs += ["--bfloat16"]
    threads = ["--threads", str(cores)]
    count = "1 thread" if cores == 1 else f"{cores} threads"
    result = {f"electra, {count.replace('thread', 'worker')}": [electra.program(), *ours, *threads]}
    if cores > 1:
        result[f"electra, {cores} ranks"] = [
            "mpirun", "-q", "-np", str(cores), electra.program(), *ours, "--threads", "1"]
    result[f"transformers, {count}"] = [*peer, "hf", *theirs, *threads]
    result[f"tuned PyTorch, {count}"] = [*peer, "tuned", *theirs, *threads]
    if cores > 1:
        result[f"tuned PyTorch, {cores} processes"] = [
            *peer, "tuned", *theirs, "--threads", "1", "--processes", str(cores)]
    wanted = tuple(args.only.split(","))
    return {name: command for name, command in result.items() if name.startswith(wanted)}


def measure(name, command):
    """Runs a program and returns the JSON object that it prints; exits if it fails twice.

    Processes of PyTorch that are connected by gloo sometimes abort when they end.
    """
    environment = electra.environment() if name.startswith("electra") else None
    for _ in range(2):
        answer = subprocess.run(command, capture_output=True, text=True, env=environment)
        if answer.returncode == 0:
            break
        print(f"{name} failed: {' '.join(command)}\n{answer.stderr}", file=sys.stderr)
    else:
        sys.exit(f"{name} failed twice")
    result = json.loads(answer.stdout.strip().splitlines()[-1])
    print(f"{name}: {result['tokens_per_second']:.0f} tokens/s", file=sys.stderr)
    return result


def measure_all(args, cells):
    """Results of all rounds: for each cell (model, cores) a list of {name: result}."""
    results = {cell: [] for cell in cells}
    for number in range(args.rounds):
        for (config, cores), rounds in results.items():
            print(f"round {number + 1}, {config}, cores: {cores}", file=sys.stderr)
            commands = list(programs(args, config, cores).items())
            ordered = commands[::-1] if number % 2 else commands
            found = {name: measure(name, command) for name, command in ordered}
            rounds.append({name: found[name] for name, _ in commands})
    return results


def speed(rounds, name):
    """The median speed of a program, in tokens per second."""
    return statistics.median(results[name]["tokens_per_second"] for results in rounds)


def advantage(rounds, first, name):
    """How many times as fast program `first` is as `name`: median and range over the rounds."""
    ratios = [
        results[first]["tokens_per_second"] / results[name]["tokens_per_second"]
        for results in rounds]
    return f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f}"


def print_table(title, rounds):
    """Prints the results of a cell, and electra beside the faster tuned PyTorch."""
    first, *others = rounds[0]
    print(f"\n{title}\n")
    print("| program | tokens/s | the first is faster by | range | share of peak | peak memory |")
    print("|---|---|---|---|---|---|")
    for name in (first, *others):
        median = lambda key: statistics.median(results[name].get(key, 0) for results in rounds)
        share = f"{100 * median('share_of_peak'):.0f} %" if median("share_of_peak") else ""
        ratio = " | " if name == first else advantage(rounds, first, name)
        memory = median("peak_memory_bytes") / 1e9
        print(f"| {name} | {speed(rounds, name):.0f} | {ratio} | {share} | {memory:.2f} GB |")
    print()
    for arithmetic in dict.fromkeys(name.split(", ")[-1] for name in rounds[0]):
        print_best(rounds, [name for name in rounds[0] if name.endswith(", " + arithmetic)])


def print_best(rounds, names):
    """Prints electra's advantage over the faster tuned PyTorch among the programs `names`."""
    first, *others = names
    tuned = [name for name in others if name.startswith("tuned")]
    if tuned:
        best = max(tuned, key=lambda name: speed(rounds, name))
        ratio, span = advantage(rounds, first, best).split(" | ")
        print(f"{first}, beside {best}: faster by {ratio} ({span})")


def parse_arguments():
    """The options; exits with status 2 if they contradict each other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", nargs="+", default=["small", "base"], choices=BATCHES)
    parser.add_argument("--cores", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--batch", type=int, help="by default 32, for base 16")
    for name, default in dict(length=128, rounds=3, steps=3).items():
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--arithmetic", nargs="+", default=["float32"],
                        choices=["float32", "bfloat16", "bfloat16-amx"])
    parser.add_argument("--only", default="electra,transformers,tuned",
                        help="beginnings of the names of the programs to run, electra among them")
    args = parser.parse_args()
    if "electra" not in args.only.split(","):
        parser.error("--only must name electra, with which the others are compared")
    available = len(machine.cores())
    if not 0 < min(args.cores) <= max(args.cores) <= available:
        parser.error(f"--cores must be from 1 to {available}, the cores of this machine")
    return args


def main():
    args = parse_arguments()
    electra.build_if_missing()
    cells = [(config, cores) for config in args.config for cores in args.cores]
    results = measure_all(args, cells)
    print(f"{machine.description()}; {datetime.date.today()}; rounds: {args.rounds}")
    settings = sorted({
        f"PyTorch {result['torch']}, {name.split(',')[0]} with {result['allocator']}"
        for rounds in results.values() for name, result in rounds[0].items() if "torch" in result})
    print("; ".join(settings))
    for (config, cores), rounds in results.items():
        batch = args.batch or BATCHES[config]
        print_table(f"{config}, {batch} x {args.length}, cores: {cores}", rounds)


if __name__ == "__main__":
    main()
