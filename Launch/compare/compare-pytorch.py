"""Compares the speed of electra's pre-training step with PyTorch's on this machine, in turns.

    python Launch/compare/compare-pytorch.py [--config small|base] [--batch 32] [--length 128] [--cores 1|2]
                                              [--rounds 3] [--only electra,tuned]

Needs torch and transformers in this Python (pip install torch transformers), and `swift build -c release`. peers.py
describes the peers. The speed of a machine drifts by tens of percent, so every round runs each program once and ratios
are taken within the round; the table shows medians. With --cores above 1 electra also runs with one rank per core,
under mpirun.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import electra


def programs(args):
    """The commands of a round, by their names in the table."""
    ours = [
        "benchmark", "step", "--preset", args.config, "--batch", str(args.batch), "--length", str(args.length),
        "--rounds", str(args.steps), "--json"]
    shape = ["--config", args.config, "--batch", str(args.batch), "--length", str(args.length),
             "--steps", str(args.steps)]
    peer = [sys.executable, os.path.join(HERE, "peers.py")]
    threads = ["--threads", str(args.cores)]
    result = {f"electra, {args.cores} threads": [electra.program(), *ours, *threads]}
    if args.cores > 1:
        result[f"electra, {args.cores} ranks"] = [
            "mpirun", "-q", "-np", str(args.cores), electra.program(), *ours, "--threads", "1"]
    result["transformers"] = [*peer, "hf", *shape, *threads]
    result["tuned PyTorch"] = [*peer, "tuned", *shape, *threads]
    if args.cores > 1:
        result[f"tuned PyTorch, {args.cores} processes"] = [
            *peer, "tuned", *shape, "--threads", "1", "--processes", str(args.cores)]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="small", choices=["small", "base"])
    for name, default in dict(batch=32, length=128, cores=1, rounds=3, steps=3).items():
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--only", default="electra,transformers,tuned",
                        help="beginnings of the names of the programs to run")
    args = parser.parse_args()
    wanted = tuple(args.only.split(","))
    commands = {name: command for name, command in programs(args).items() if name.startswith(wanted)}
    rounds = []
    for number in range(args.rounds):
        results = {}
        for name, command in commands.items():
            is_ours = name.startswith("electra")
            answer = subprocess.run(
                command, capture_output=True, text=True, env=electra.environment() if is_ours else None)
            if answer.returncode != 0:
                sys.exit(f"{name} failed:\n{answer.stderr}")
            results[name] = json.loads(answer.stdout.strip().splitlines()[-1])
            print(f"round {number + 1}: {name}: {results[name]['tokens_per_second']:.0f} tokens/s", file=sys.stderr)
        rounds.append(results)
    first = next(iter(commands))
    print(f"{args.config}, {args.batch} x {args.length}, {args.cores} cores, medians of {args.rounds} rounds")
    print("| program | tokens/s | electra is faster by | share of peak | peak memory |")
    print("|---|---|---|---|---|")
    for name in commands:
        median = lambda value: statistics.median(value(results) for results in rounds)
        speed = median(lambda f: f[name]["tokens_per_second"])
        ratio = median(lambda f: f[first]["tokens_per_second"] / f[name]["tokens_per_second"])
        memory = median(lambda f: f[name]["peak_memory_bytes"]) / 1e6
        share = median(lambda f: f[name].get("share_of_peak", 0))
        shown = f"{100 * share:.0f} %" if share else ""
        print(f"| {name} | {speed:.0f} | {ratio:.2f} | {shown} | {memory:.0f} MB |")


if __name__ == "__main__":
    main()
