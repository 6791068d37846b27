"""Compares the speed of electra's text tools and inference with Python's on this machine, in turns.

    python Launch/compare/compare-text.py TEXT... --vocabulary vocab.txt [--cores 1|2] [--rounds 3]
                                           [--only prepare,detect]

TEXT are plain UTF-8 files, one paragraph per line and a blank line between documents. Needs torch, transformers and
tokenizers in this Python, and builds electra if there is no program. Prints medians over rounds, and their ratios. The
peers are:

vocabulary  `tokenizers` trains a WordPiece vocabulary of 30,522 tokens, uncased
prepare     `tokenizers` encodes all lines in batches, which the reference's rule packs into examples of 128 tokens
tokenize    `tokenizers` encodes the lines of the first file from memory
detect      transformers' ElectraForPreTraining of size small on 2,000 sentences, padded batches of 32
evaluate    transformers' ElectraForMaskedLM and ElectraForPreTraining on 2,000 sentences, padded batches of 32

For vocabulary and prepare both times are those of whole processes. For detect, electra's time is that of the whole
process, which reads the model and prints, and the peer's excludes start-up. For tokenize and evaluate both exclude it.
"""
import argparse
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import electra

SENTENCES, BATCH = 2000, 32


def lines_of(paths):
    """The lines of all files, one after the other."""
    for path in paths:
        with open(path, encoding="utf-8") as file:
            yield from file


def sentences_of(paths):
    """The first sentences of the text."""
    found = []
    for line in lines_of(paths):
        found += [part.strip() for part in re.split(r"(?<=[.!?]) +", line) if part.strip()]
        if len(found) >= SENTENCES:
            return found[:SENTENCES]
    return found


def word_pieces(args):
    """The tokenizer of --vocabulary."""
    from tokenizers import BertWordPieceTokenizer

    return BertWordPieceTokenizer(args.vocabulary, lowercase=True)


def peer_vocabulary(args):
    from tokenizers import BertWordPieceTokenizer

    start = time.perf_counter()
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train(args.text, vocab_size=30522, min_frequency=2, show_progress=False)
    tokenizer.save_model(args.folder)
    return time.perf_counter() - start


class Packer:
    """The reference's packing of lines into examples (build_pretraining_dataset.py)."""

    def __init__(self, tokenizer, length):
        self.random, self.length = random.Random(1), length
        self.first, self.separator = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
        self.examples, self.lines, self.size, self.target = [], [], 0, length

    def add(self, line, ids):
        """Adds a line and its tokens; an empty line ends the document."""
        if line:
            self.lines.append(ids)
            self.size += len(ids)
        if self.size >= self.target or not line and self.size:
            self.emit()

    def emit(self):
        """Makes an example of one or two segments from the lines so far."""
        first_size = 100_000 if self.random.random() < 0.1 else (self.target - 3) // 2
        one, two = [], []
        for line in self.lines:
            fits = not one or len(one) + len(line) < first_size
            if fits or (not two and len(one) < first_size and self.random.random() < 0.5):
                one += line
            else:
                two += line
        one, two = one[:self.length - 2], two[:max(0, self.length - len(one) - 3)]
        self.examples.append([self.first, *one, self.separator, *two, *([self.separator] if two else [])])
        self.lines, self.size = [], 0
        self.target = self.random.randint(5, self.length) if self.random.random() < 0.05 else self.length


def peer_prepare(args):
    """The reference's examples, from lines that are encoded in batches of 4096."""
    import numpy

    start = time.perf_counter()
    tokenizer = word_pieces(args)
    packer = Packer(tokenizer, 128)
    lines = (line.strip() for line in lines_of(args.text))
    while batch := list(itertools.islice(lines, 4096)):
        for line, encoding in zip(batch, tokenizer._tokenizer.encode_batch_fast(batch, add_special_tokens=False)):
            packer.add(line, encoding.ids)
    if packer.size:
        packer.emit()
    examples = packer.examples
    numpy.save(os.path.join(args.folder, "tokens.npy"), numpy.concatenate([numpy.array(e, "uint16") for e in examples]))
    numpy.save(os.path.join(args.folder, "lengths.npy"), numpy.array([len(e) for e in examples], "uint16"))
    return time.perf_counter() - start


def peer_tokenize(args):
    tokenizer, lines = word_pieces(args), [line.strip() for line in lines_of(args.text[:1]) if line.strip()]
    start = time.perf_counter()
    tokenizer._tokenizer.encode_batch_fast(lines, add_special_tokens=False)
    return time.perf_counter() - start


def models(args, kinds):
    """The torch module, the tokenizer, and the exported model of each transformers class in `kinds`."""
    import torch
    import transformers

    torch.set_num_threads(args.cores)
    tokenizer = transformers.BertTokenizerFast(args.vocabulary, do_lower_case=True)
    load = lambda kind: getattr(transformers, kind).from_pretrained(os.path.join(args.folder, kind)).eval()
    return torch, tokenizer, [load(kind) for kind in kinds]


def padded(tokenizer, sentences):
    """Tokenized batches, each padded to its longest sentence."""
    for start in range(0, len(sentences), BATCH):
        yield tokenizer(
            sentences[start:start + BATCH], padding=True, truncation=True, max_length=128, return_tensors="pt")


def peer_detect(args):
    torch, tokenizer, [discriminator] = models(args, ["ElectraForPreTraining"])
    sentences = sentences_of(args.text)
    start = time.perf_counter()
    with torch.inference_mode():
        for batch in padded(tokenizer, sentences):
            torch.sigmoid(discriminator(**batch).logits)
    return time.perf_counter() - start


def peer_evaluate(args):
    torch, tokenizer, [generator, discriminator] = models(args, ["ElectraForMaskedLM", "ElectraForPreTraining"])
    sentences = sentences_of(args.text)
    start = time.perf_counter()
    with torch.inference_mode():
        for batch in padded(tokenizer, sentences):
            ids, real = batch["input_ids"], batch["attention_mask"].bool()
            masked = (torch.rand(ids.shape) < 0.15) & real
            masked_ids = ids.masked_fill(masked, tokenizer.mask_token_id)
            logits = generator(input_ids=masked_ids, attention_mask=batch["attention_mask"]).logits[masked]
            noise = -torch.log(-torch.log(torch.rand_like(logits) + 1e-9) + 1e-9)
            corrupted = ids.clone()
            corrupted[masked] = (logits + noise).argmax(-1)
            detected = discriminator(input_ids=corrupted, attention_mask=batch["attention_mask"]).logits[real]
            torch.nn.functional.binary_cross_entropy_with_logits(detected, (corrupted != ids)[real].float()).item()
            torch.nn.functional.cross_entropy(logits, ids[masked]).item()
    return time.perf_counter() - start


# Functions that run a peer and return its time in seconds.
PEERS = dict(
    vocabulary=peer_vocabulary, prepare=peer_prepare, tokenize=peer_tokenize, detect=peer_detect,
    evaluate=peer_evaluate)


def run_electra(args, *arguments):
    """Runs electra on --cores cores; its wall time in seconds, start-up included, and its output."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:args.cores]))
    start = time.perf_counter()
    result = subprocess.run(["taskset", "-c", cores, electra.program(), *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"electra {' '.join(arguments)} failed:\n{result.stderr}")
    return time.perf_counter() - start, result.stdout


def electra_seconds(args, tool, number):
    """Electra's time for a tool in round `number`, in seconds."""
    path = lambda name: os.path.join(args.folder, name)
    new = path(f"{tool}-{number}")
    vocabulary = ["--vocabulary", args.vocabulary]
    if tool == "vocabulary":
        return run_electra(args, "vocabulary", *args.text, "--output", new)[0]
    if tool == "prepare":
        return run_electra(args, "prepare", *args.text, *vocabulary, "--output", new)[0]
    if tool == "tokenize":
        _, answer = run_electra(args, "benchmark", "tokenizer", args.text[0], *vocabulary, "--threads", str(args.cores),
                                "--json")
        return json.loads(answer)["seconds"]
    if tool == "detect":
        return run_electra(args, "detect", "--from", path("run"), path("sentences.txt"), "--json")[0]
    options = ["evaluate", path("run"), "--data", path("data"), "--evaluate-examples"]
    # The difference of two runs excludes start-up.
    few, many = (run_electra(args, *options, str(count))[0] for count in (16, SENTENCES + 16))
    return many - few


def peer_seconds(args, tool):
    """The peer's time for a tool, in seconds, measured in a new process."""
    cores = str(args.cores)
    command = [
        sys.executable, __file__, *args.text, "--vocabulary", args.vocabulary, "--cores", cores, "--peer", tool,
        "--folder", args.folder]
    environment = {
        **os.environ, "RAYON_NUM_THREADS": cores, "OMP_NUM_THREADS": cores, "TOKENIZERS_PARALLELISM": "true"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        sys.exit(f"the peer of {tool} failed:\n{result.stderr}")
    return float(result.stdout.split()[-1])


def make_models(args):
    """Makes a small model after two steps, as a run and in transformers' format, and the sentences."""
    path = lambda name: os.path.join(args.folder, name)
    with open(path("sentences.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(sentences_of(args.text)) + "\n")
    with open(path("documents.txt"), "w", encoding="utf-8") as file:
        file.write("\n\n".join(sentences_of(args.text) * 2) + "\n")
    run_electra(
        args, "prepare", path("documents.txt"), "--vocabulary", args.vocabulary, "--output", path("data"),
        "--held-out", "0.6")
    run_electra(
        args, "pretrain", "--data", path("data"), "--output", path("run"), "--preset", "small", "--batch", "2",
        "--steps", "2", "--evaluate-examples", "1")
    for kind, part in (("ElectraForPreTraining", "discriminator"), ("ElectraForMaskedLM", "generator")):
        run_electra(args, "export", "--from", path("run"), "--output", path(kind), "--part", part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="+")
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PEERS))
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:args.cores])
        return print(PEERS[args.peer](args))
    electra.build_if_missing()
    with tempfile.TemporaryDirectory() as args.folder:
        wanted = args.only.split(",")
        if {"detect", "evaluate"} & set(wanted):
            make_models(args)
        print(f"{args.cores} cores, medians of {args.rounds} rounds")
        print("| task | electra | Python | electra is faster by |\n|---|---|---|---|")
        for tool in wanted:
            pairs = [(electra_seconds(args, tool, number), peer_seconds(args, tool)) for number in range(args.rounds)]
            ours, peer, ratio = (
                statistics.median(values) for values in zip(*((ours, peer, peer / ours) for ours, peer in pairs)))
            print(f"| {tool} | {ours:.2f} s | {peer:.2f} s | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
