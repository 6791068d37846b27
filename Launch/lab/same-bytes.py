#!/usr/bin/env python3
"""Compares the results of two electra programs byte by byte: 20 steps of every objective, and a fine-tuning.

    Launch/lab/same-bytes.py OLD NEW [--text FILE...]

Both programs train a vocabulary, prepare data and run every case below on one rank, with two worker threads and the
same OpenBLAS kernels (OPENBLAS_CORETYPE, Haswell by default). The comparison covers vocabulary, shards, weights,
optimizer state, configuration, and the metrics without their time keys. Use it after a change that must not change
results, such as a move of files. Prints every file that differs, and then exits with status 1.

The text is the source and documents of the repository unless --text gives other files. Takes about two minutes.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Launch"))
import electra

# The options of all cases. They contain the paper's settings, because tiny may have others in one of the programs.
COMMON = [
    "--preset", "tiny", "--objective", "electra", "--optimizer", "adam", "--mask-fraction", 0.15, "--steps", 20,
    "--warmup", 10, "--batch", 16, "--length", 64, "--slices", 4, "--threads", 2, "--log-every", 5,
    "--evaluate-every", 10]
# The additional options of each case.
CASES = {
    "electra": [],
    "electra-15": ["--objective", "electra-15"],
    "replace-mlm": ["--objective", "replace-mlm"],
    "all-tokens-mlm": ["--objective", "all-tokens-mlm"],
    "mlm": ["--objective", "mlm"],
    "mlm-rtd": ["--objective", "mlm-rtd", "--discriminator-ramp", "0.1:0.4"],
    "unigram": ["--generator", "unigram"],
    "adversarial": ["--training", "adversarial"],
    "two-stage": ["--training", "two-stage"],
    "shared": ["--weight-sharing", "all", "--generator-width", "1"],
    "whole-words": ["--whole-words", "--recompute"],
    "muon": ["--optimizer", "muon"],
}

# Files that record the program or the clock. The rest of their contents is compared in other files.
PROGRAM_FILES = {"state.json"}


def run(program, *arguments):
    """Runs one electra command; exits with its error if it fails."""
    result = subprocess.run(
        [program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"OPENBLAS_CORETYPE": "Haswell"} | os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    if result.returncode != 0:
        sys.exit(f"{program} {' '.join(map(str, arguments))} failed:\n{result.stderr}")


def digests(folder):
    """The SHA-256 digest of every file in `folder` that must not depend on the program, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or path.name in PROGRAM_FILES or path.name.startswith("."):
            continue
        if path.name == "metrics.jsonl":
            contents = electra.comparable_metrics(path).encode()
        elif path.suffix == ".json":  # the order of keys may differ
            contents = json.dumps(json.loads(path.read_text()), sort_keys=True).encode()
        elif path.suffix in (".safetensors", ".tokens") or path.name == "vocab.txt":
            contents = path.read_bytes()
        else:
            continue
        found[name] = hashlib.sha256(contents).hexdigest()
    return found


def corpus(texts, folder):
    """Makes a file with the lines of `texts`, and a table of labelled lines for fine-tuning."""
    lines = [line.strip() for text in texts for line in text.read_text().splitlines()]
    lines = [line for line in lines if len(line) > 8]
    documents = [lines[start:start + 40] for start in range(0, len(lines), 40)]
    text = folder / "text.txt"
    text.write_text("\n\n".join("\n".join(document) for document in documents) + "\n")
    table = folder / "table.tsv"
    rows = [line.replace("\t", " ").replace('"', "") for line in lines[:400]]
    table.write_text("text\tlabel\n" + "".join(f"{row}\t{len(row) % 3}\n" for row in rows))
    return text, table


def results(program, folder, text, table):
    """Runs every case with `program` in `folder`; returns the digests of its files."""
    folder.mkdir()
    run(program, "vocabulary", text, "--size", 2000, "--output", folder / "vocab.txt")
    run(program, "prepare", text, "--vocabulary", folder / "vocab.txt", "--output", folder / "data",
        "--length", 64, "--held-out", 0.05)
    for name, options in CASES.items():
        run(program, "pretrain", "--data", folder / "data", "--output", folder / name, *COMMON, *options)
        print(f"  {name}", flush=True)
    run(program, "finetune", "own", "--train", table, "--dev", table, "--from", folder / "electra",
        "--output", folder / "finetuned", "--epochs", 1, "--threads", 2)
    return digests(folder)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", help="the program before the change")
    parser.add_argument("new", help="the program after it")
    parser.add_argument("--text", nargs="+", type=Path, help="text files to train on")
    options = parser.parse_args()
    texts = options.text or sorted(
        [ROOT / "LICENSE", ROOT / "README.md", *ROOT.glob("Launch/*.*"), *ROOT.glob("Sources/**/*.swift")])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text, table = corpus(texts, folder)
        found = {}
        for side in ("old", "new"):
            print(f"{side}: {getattr(options, side)}", flush=True)
            found[side] = results(getattr(options, side), folder / side, text, table)
    names = sorted(found["old"].keys() | found["new"].keys())
    different = [name for name in names if found["old"].get(name) != found["new"].get(name)]
    for name in different:
        print(f"differs: {name}")
    print(f"{len(names) - len(different)} of {len(names)} files are equal")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
