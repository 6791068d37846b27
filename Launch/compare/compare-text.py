"""Runs our text tools and our scoring beside Python's on this machine, in turns, and prints the ratios.

    python Launch/compare/compare-text.py TEXT... --vocabulary vocab.txt [--cores 1|2] [--rounds 3] [--only prepare,detect]

TEXT are plain UTF-8 files, a paragraph a line and a blank line between documents. Needs torch, transformers and
tokenizers in this Python, and `swift build -c release`. The peers are what one writes in Python:

vocabulary  `tokenizers` trains a WordPiece vocabulary of 30,522 tokens, uncased
prepare     `tokenizers` encodes all lines in batches; the reference's rule packs them into examples of 128 tokens
tokenize    `tokenizers` encodes the lines of the first file, which are in memory
detect      transformers' ElectraForPreTraining of size small on 2,000 sentences, padded batches of 32
evaluate    its ElectraForMaskedLM and ElectraForPreTraining on 2,000 sentences, padded batches of 32

For vocabulary and prepare both sides are whole processes. For detect ours is a whole process, with reading the
model and printing, and the peer only tokenizes and computes. For tokenize and evaluate start-up counts on neither side.
"""
import argparse
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

SENTENCES, PADDED = 2000, 32


def lines_of(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            yield from file


def sentences_of(paths):
    """The first sentences of the text, a line each."""
    found = []
    for line in lines_of(paths):
        found += [part.strip() for part in re.split(r"(?<=[.!?]) +", line) if part.strip()]
        if len(found) >= SENTENCES:
            return found[:SENTENCES]
    return found


def word_pieces(a):
    from tokenizers import BertWordPieceTokenizer

    return BertWordPieceTokenizer(a.vocabulary, lowercase=True)


def peer_vocabulary(a):
    from tokenizers import BertWordPieceTokenizer

    start = time.perf_counter()
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train(a.text, vocab_size=30522, min_frequency=2, show_progress=False)
    tokenizer.save_model(a.folder)
    return time.perf_counter() - start


def peer_prepare(a):
    """The reference's examples (build_pretraining_dataset.py), from lines that are encoded in batches."""
    import numpy

    start = time.perf_counter()
    tokenizer, dice, length = word_pieces(a), random.Random(1), 128
    first, separator = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    out, pending, size, target = [], [], 0, length

    def emit():
        nonlocal pending, size, target
        goal = 100_000 if dice.random() < 0.1 else (target - 3) // 2
        one, two = [], []
        for sentence in pending:
            fits = not one or len(one) + len(sentence) < goal
            if fits or (not two and len(one) < goal and dice.random() < 0.5):
                one += sentence
            else:
                two += sentence
        one, two = one[:length - 2], two[:max(0, length - len(one) - 3)]
        out.append([first, *one, separator, *two, *([separator] if two else [])])
        pending, size = [], 0
        target = dice.randint(5, length) if dice.random() < 0.05 else length

    def feed(batch):
        nonlocal size
        for line, encoding in zip(batch, tokenizer._tokenizer.encode_batch_fast(batch, add_special_tokens=False)):
            if not line and size:
                emit()
            elif line:
                pending.append(encoding.ids)
                size += len(encoding.ids)
                if size >= target:
                    emit()

    batch = []
    for line in lines_of(a.text):
        batch.append(line.strip())
        if len(batch) == 4096:
            feed(batch)
            batch = []
    feed(batch)
    if size:
        emit()
    numpy.save(os.path.join(a.folder, "tokens.npy"), numpy.concatenate([numpy.array(e, "uint16") for e in out]))
    numpy.save(os.path.join(a.folder, "lengths.npy"), numpy.array([len(e) for e in out], "uint16"))
    return time.perf_counter() - start


def peer_tokenize(a):
    tokenizer, lines = word_pieces(a), [line.strip() for line in lines_of(a.text[:1]) if line.strip()]
    start = time.perf_counter()
    tokenizer._tokenizer.encode_batch_fast(lines, add_special_tokens=False)
    return time.perf_counter() - start


def models(a, kinds):
    import torch
    import transformers

    torch.set_num_threads(a.cores)
    tokenizer = transformers.BertTokenizerFast(a.vocabulary, do_lower_case=True)
    return torch, tokenizer, [getattr(transformers, kind).from_pretrained(os.path.join(a.folder, kind)).eval() for kind in kinds]


def padded(tokenizer, sentences):
    for start in range(0, len(sentences), PADDED):
        yield tokenizer(sentences[start:start + PADDED], padding=True, truncation=True, max_length=128, return_tensors="pt")


def peer_detect(a):
    torch, tokenizer, [judge] = models(a, ["ElectraForPreTraining"])
    sentences = sentences_of(a.text)
    start = time.perf_counter()
    with torch.inference_mode():
        for batch in padded(tokenizer, sentences):
            torch.sigmoid(judge(**batch).logits)
    return time.perf_counter() - start


def peer_evaluate(a):
    torch, tokenizer, [writer, judge] = models(a, ["ElectraForMaskedLM", "ElectraForPreTraining"])
    sentences = sentences_of(a.text)
    start = time.perf_counter()
    with torch.inference_mode():
        for batch in padded(tokenizer, sentences):
            ids, real = batch["input_ids"], batch["attention_mask"].bool()
            drawn = (torch.rand(ids.shape) < 0.15) & real
            shown = ids.masked_fill(drawn, tokenizer.mask_token_id)
            logits = writer(input_ids=shown, attention_mask=batch["attention_mask"]).logits[drawn]
            noise = -torch.log(-torch.log(torch.rand_like(logits) + 1e-9) + 1e-9)
            corrupted = ids.clone()
            corrupted[drawn] = (logits + noise).argmax(-1)
            verdict = judge(input_ids=corrupted, attention_mask=batch["attention_mask"]).logits[real]
            torch.nn.functional.binary_cross_entropy_with_logits(verdict, (corrupted != ids)[real].float()).item()
            torch.nn.functional.cross_entropy(logits, ids[drawn]).item()
    return time.perf_counter() - start


PEERS = dict(
    vocabulary=peer_vocabulary, prepare=peer_prepare, tokenize=peer_tokenize, detect=peer_detect, evaluate=peer_evaluate)


def run_electra(a, *arguments):
    """Runs our program on the given number of cores; its seconds as a whole process, and what it printed."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:a.cores]))
    start = time.perf_counter()
    answer = subprocess.run(["taskset", "-c", cores, electra.program(), *arguments], capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(f"electra {' '.join(arguments)} failed:\n{answer.stderr}")
    return time.perf_counter() - start, answer.stdout


def ours(a, what, number):
    new = os.path.join(a.folder, f"{what}-{number}")
    vocabulary = ["--vocabulary", a.vocabulary]
    if what == "vocabulary":
        return run_electra(a, "vocabulary", *a.text, "--output", new)[0]
    if what == "prepare":
        return run_electra(a, "prepare", *a.text, *vocabulary, "--output", new)[0]
    if what == "tokenize":
        answer = run_electra(a, "benchmark", "tokenizer", a.text[0], *vocabulary, "--threads", str(a.cores), "--json")
        return json.loads(answer[1])["seconds"]
    if what == "detect":
        return run_electra(a, "detect", "--from", os.path.join(a.folder, "run"), os.path.join(a.folder, "sentences.txt"), "--json")[0]
    options = ["evaluate", os.path.join(a.folder, "run"), "--data", os.path.join(a.folder, "data"), "--evaluate-examples"]
    few, many = (run_electra(a, *options, str(count))[0] for count in (16, SENTENCES + 16))
    return many - few


def make_models(a):
    """A small model that has seen two steps, in our form and in transformers', and the sentences."""
    path = lambda name: os.path.join(a.folder, name)
    with open(path("sentences.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(sentences_of(a.text)) + "\n")
    with open(path("documents.txt"), "w", encoding="utf-8") as file:
        file.write("\n\n".join(sentences_of(a.text) * 2) + "\n")
    run_electra(a, "prepare", path("documents.txt"), "--vocabulary", a.vocabulary, "--output", path("data"), "--held-out", "0.6")
    run_electra(a, "pretrain", "--data", path("data"), "--output", path("run"), "--preset", "small", "--batch", "2", "--steps", "2", "--evaluate-examples", "1")
    for kind, part in (("ElectraForPreTraining", "discriminator"), ("ElectraForMaskedLM", "generator")):
        run_electra(a, "export", "--from", path("run"), "--output", path(kind), "--part", part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="+")
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PEERS))
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.peer:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:a.cores])
        return print(PEERS[a.peer](a))
    with tempfile.TemporaryDirectory() as a.folder:
        wanted = a.only.split(",")
        if {"detect", "evaluate"} & set(wanted):
            make_models(a)
        print(f"{a.cores} cores, medians of {a.rounds} rounds\n| task | electra | Python | electra is faster by |\n|---|---|---|---|")
        for what in wanted:
            pairs = []
            for number in range(a.rounds):
                own = ours(a, what, number)
                command = [sys.executable, __file__, *a.text, "--vocabulary", a.vocabulary, "--cores", str(a.cores)]
                environment = {**os.environ, "RAYON_NUM_THREADS": str(a.cores), "OMP_NUM_THREADS": str(a.cores), "TOKENIZERS_PARALLELISM": "true"}
                answer = subprocess.run(
                    [*command, "--peer", what, "--folder", a.folder], capture_output=True, text=True, env=environment)
                if answer.returncode != 0:
                    sys.exit(f"the peer of {what} failed:\n{answer.stderr}")
                pairs.append((own, float(answer.stdout.split()[-1])))
            median = lambda values: statistics.median(list(values))
            print(f"| {what} | {median(o for o, _ in pairs):.2f} s | {median(p for _, p in pairs):.2f} s | {median(p / o for o, p in pairs):.2f} |", flush=True)


if __name__ == "__main__":
    main()
