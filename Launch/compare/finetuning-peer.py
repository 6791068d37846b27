"""Fine-tunes an encoder in PyTorch, as users of transformers do, to compare electra with: prints one JSON line.

    python finetuning-peer.py cola|sst2|stsb FOLDER --from MODEL [--threads 1] [--steps 40]
    python finetuning-peer.py cola|sst2|stsb FOLDER --from MODEL [--threads 1] --recipe FILE --seed 1 [--draws]

FOLDER has train.tsv and dev.tsv as GLUE provides them, MODEL is the Hugging Face folder of a BERT or ELECTRA. Both
forms use transformers' ElectraForSequenceClassification in float32, pad batches to their longest sequence, and clip
gradients at norm 1.

The first form times steps with torch's fused AdamW, after two steps that are not timed.

The second form trains with the recipe of an electra fine-tuning: the same learning rates, layer-wise decay, warm-up,
epochs, batch size, dropout, and ELECTRA's Adam without bias correction. It evaluates the dev set after every epoch; the
best epoch counts. A batch passes through the model in parts of similar length, whose gradients are added; that affects
only the time. With --draws it uses the batches and dropout masks of electra's seed (draws.py). Then every step has
electra's loss, if MODEL has electra's initial weights: export a fine-tuning of that seed at --learning-rate 1e-30.
"""
import argparse
import csv
import json
import os
import resource
import sys
import time

import draws

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import electra

TASKS = ["cola", "sst2", "stsb"]
PART = 8


def read(path, task, tokenizer, both_orders=False):
    """The examples of a file: token ids, segment ids, and a label, or for STS-B a score divided by 5."""
    # Columns by name or, in a file without a header, by index.
    columns = electra.tasks()[task]["splits"][0]["layout"]["table"]
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    index = {name: name for name in range(len(rows[0]))}
    if isinstance(columns["label"], str):
        index = {name: number for number, name in enumerate(rows.pop(0))}
    texts, answers = [], []
    for row in rows:
        pair = tuple(row[index[columns[name]]] for name in ("first", "second") if name in columns)
        answer = row[index[columns["label"]]]
        for order in [pair, pair[::-1]] if both_orders else [pair]:
            texts.append(order if len(order) > 1 else order[0])
            answers.append(float(answer) / 5 if task == "stsb" else int(answer))
    encodings = tokenizer.encode_batch(texts)
    return [(encoding.ids, encoding.type_ids, answer) for encoding, answer in zip(encodings, answers)]


def make_model(torch, path, outputs, dropout):
    """The encoder in `path` with transformers' ELECTRA head, which is new unless `path` has one."""
    from safetensors.torch import load_file
    from transformers import ElectraConfig, ElectraForSequenceClassification

    with open(os.path.join(path, "config.json")) as file:
        source = json.load(file)
    kept = [
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
        "max_position_embeddings", "type_vocab_size", "layer_norm_eps"]
    config = ElectraConfig(
        **{key: source[key] for key in kept if key in source},
        embedding_size=source.get("embedding_size", source["hidden_size"]),
        hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, num_labels=outputs)
    model = ElectraForSequenceClassification(config)
    parts = ("embeddings.", "embeddings_project.", "encoder.")
    tensors = {}
    for name, tensor in load_file(os.path.join(path, "model.safetensors")).items():
        bare = name.removeprefix("electra.").removeprefix("bert.")
        if bare.startswith(parts) and not bare.endswith("position_ids"):
            tensors["electra." + bare] = tensor
        elif name.startswith("classifier."):
            tensors[name] = tensor
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.startswith("classifier.") for name in missing), (missing, unexpected)
    for name in missing:
        parameter = model.get_parameter(name)
        if name.endswith("weight"):
            torch.nn.init.trunc_normal_(parameter, std=0.02, a=-0.04, b=0.04)
        else:
            torch.nn.init.zeros_(parameter)
    return model


def pad(torch, examples):
    """A padded batch: token ids, segment ids and attention mask, each (B, T), and the answers (B)."""
    longest = max(len(ids) for ids, _, _ in examples)
    fill = lambda row: row + [0] * (longest - len(row))
    return dict(
        input_ids=torch.tensor([fill(ids) for ids, _, _ in examples]),
        token_type_ids=torch.tensor([fill(segments) for _, segments, _ in examples]),
        attention_mask=torch.tensor([fill([1] * len(ids)) for ids, _, _ in examples]),
    ), torch.tensor([answer for _, _, answer in examples])


def loss_of(torch, model, examples):
    """The mean loss: squared error of scores, cross-entropy of labels."""
    inputs, answers = pad(torch, examples)
    logits = model(**inputs).logits
    if answers.is_floating_point():
        return torch.nn.functional.mse_loss(logits[:, 0], answers)
    return torch.nn.functional.cross_entropy(logits, answers)


def scores_of(torch, model, examples, task):
    """The task's first metric in percent, computed by scikit-learn and scipy."""
    from scipy.stats import spearmanr
    from sklearn.metrics import accuracy_score, matthews_corrcoef

    model.eval()
    outputs = []
    with torch.inference_mode():
        for start in range(0, len(examples), 64):
            outputs.append(model(**pad(torch, examples[start:start + 64])[0]).logits)
    model.train()
    logits, gold = torch.cat(outputs), [answer for _, _, answer in examples]
    if task == "stsb":
        return 100 * spearmanr(gold, logits[:, 0].numpy()).statistic
    metric = matthews_corrcoef if task == "cola" else accuracy_score
    return 100 * metric(gold, logits.argmax(-1).numpy())


def adam(torch, groups):
    """ELECTRA's Adam: epsilon outside the root, no bias correction.

    At step 1e9 the factors of the bias correction are 1.
    """
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.999), eps=1e-6, fused=True)
    for group in groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = dict(
                step=torch.tensor(1e9), exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter))
    return optimizer


def layer_groups(model, decay):
    """Parameter groups with their share of the learning rate.

    The head's share is 1, the last layer's decay ** 2 and the embeddings' the smallest. As in the reference no
    group has the share decay ** 1.
    """
    top = model.config.num_hidden_layers + 2
    groups = {}
    for name, parameter in model.named_parameters():
        depth = int(name.split(".layer.")[1].split(".")[0]) + 1 if ".layer." in name else 0
        if name.startswith("classifier."):
            depth = top
        groups.setdefault(depth, []).append(parameter)
    return [dict(params=parameters, share=decay ** (top - depth)) for depth, parameters in groups.items()]


def random_batches(torch, lengths, batch):
    """For each step the indices of its examples, sorted by length."""
    order = []
    while True:
        while len(order) < batch:
            order += torch.randperm(len(lengths)).tolist()
        yield sorted(order[:batch], key=lambda index: lengths[index])
        order = order[batch:]


def train(torch, args, model, train_set, dev_set, recipe):
    """Trains with the recipe; returns the loss of every step and the dev scores after every epoch."""
    assert recipe["weight_decay_rate"] == 0 and recipe["clip_norm"] == 1
    batch, count = recipe["train_batch_size"], len(train_set)
    steps = max(1, int(count * recipe["num_train_epochs"] / batch))
    warmup = int(recipe["warmup_proportion"] * steps)
    # Steps after which an epoch is complete.
    ends = {round(count * (i + 1) / batch) for i in range(int(recipe["num_train_epochs"]))}
    ends = {end for end in ends if 0 < end < steps} | {steps}
    optimizer = adam(torch, layer_groups(model, recipe["layerwise_lr_decay"]))
    lengths, losses, scores = [len(ids) for ids, _, _ in train_set], [], []
    if args.draws:
        batches = draws.batches(lengths, batch, recipe["slices"], args.seed)
        model.set_attn_implementation("eager")
        dropout = draws.Dropout(torch, model.config.num_hidden_layers, recipe["dropout"], args.seed)
    else:
        batches = random_batches(torch, lengths, batch)
    for step, indices in zip(range(steps), batches):
        losses.append(0.0)
        for start in range(0, batch, PART):
            part = [train_set[index] for index in indices[start:start + PART]]
            if args.draws:
                dropout.begin(step, start, [len(ids) for ids, _, _ in part])
            loss = loss_of(torch, model, part) * (len(part) / batch)
            loss.backward()
            losses[-1] += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        learning_rate = recipe["learning_rate"] * (1 - step / steps) * (min(1, step / warmup) if warmup else 1)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * group["share"]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step + 1 in ends:
            scores.append(scores_of(torch, model, dev_set, args.task))
    return dict(seed=args.seed, steps=steps, examples=count, losses=losses, by_epoch=scores, score=max(scores))


def measure(torch, args, model, train_set):
    """Times steps on the examples in random order."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    order, tokens, start = torch.randperm(len(train_set)).tolist(), 0, 0.0
    for step in range(2 + args.steps):
        if step == 2:
            tokens, start = 0, time.perf_counter()
        examples = [train_set[order[index % len(order)]] for index in range(32 * step, 32 * (step + 1))]
        tokens += sum(len(ids) for ids, _, _ in examples)
        loss = loss_of(torch, model, examples)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
    seconds = time.perf_counter() - start
    return dict(
        examples_per_second=32 * args.steps / seconds, tokens_per_second=tokens / seconds, seconds=seconds / args.steps,
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("folder")
    parser.add_argument("--from", dest="model", required=True)
    parser.add_argument("--recipe")
    parser.add_argument("--draws", action="store_true")
    for name, default in dict(threads=1, steps=40, seed=1).items():
        parser.add_argument("--" + name, type=int, default=default)
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    import tokenizers
    import torch

    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    tokenizer = tokenizers.BertWordPieceTokenizer(os.path.join(args.model, "vocab.txt"), lowercase=True)
    recipe = json.load(open(args.recipe))["recipe"] if args.recipe else None
    tokenizer.enable_truncation(recipe["max_seq_length"] if recipe else 128)
    examples = lambda split, both: read(os.path.join(args.folder, split + ".tsv"), args.task, tokenizer, both)
    train_set = examples("train", args.task == "stsb")
    model = make_model(torch, args.model, 1 if args.task == "stsb" else 2, recipe["dropout"] if recipe else 0.1).train()
    if recipe:
        answer = train(torch, args, model, train_set, examples("dev", False), recipe)
    else:
        answer = measure(torch, args, model, train_set)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
