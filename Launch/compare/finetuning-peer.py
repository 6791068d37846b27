"""Fine-tunes an encoder in PyTorch, as users of transformers do, to compare ours with: prints one JSON line.

    python finetuning-peer.py cola|sst2|stsb FOLDER --from MODEL [--threads 1] [--steps 40]
    python finetuning-peer.py cola|sst2|stsb FOLDER --from MODEL [--threads 1] --recipe FILE --seed 1 [--draws]

FOLDER holds train.tsv and dev.tsv as GLUE gives them, MODEL is the Hugging Face folder of a BERT or ELECTRA. Either
way the model is transformers' ElectraForSequenceClassification in float32, batches are padded to their longest row,
and gradients are clipped at norm 1.

The first form times steps with torch's fused AdamW behind two that are not timed. The second trains by the recipe of a
fine-tuning of ours (same rates, decay from layer to layer, warm-up, passes, batches, dropout, and ELECTRA's Adam,
which has no bias correction) and measures the dev set after every pass; the best pass counts. There a batch goes
through the model in parts of like length, whose gradients are added: that changes the time alone. With --draws its
batches and what it drops are those of our seed, and so is every step's loss if MODEL has our first weights: those of a
fine-tuning of that seed at --learning-rate 1e-30, exported.
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
    """Examples: ids, segments, and a label, or a score divided by 5."""
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
    """The encoder in `path` under transformers' ELECTRA head, which is new unless it is there too."""
    from safetensors.torch import load_file
    from transformers import ElectraConfig, ElectraForSequenceClassification

    with open(os.path.join(path, "config.json")) as file:
        own = json.load(file)
    kept = [
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act",
        "max_position_embeddings", "type_vocab_size", "layer_norm_eps"]
    config = ElectraConfig(
        **{key: own[key] for key in kept if key in own}, embedding_size=own.get("embedding_size", own["hidden_size"]),
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
    """A batch: ids, segments and mask, each (B, T), and the answers."""
    longest = max(len(ids) for ids, _, _ in examples)
    fill = lambda row: row + [0] * (longest - len(row))
    return dict(
        input_ids=torch.tensor([fill(ids) for ids, _, _ in examples]),
        token_type_ids=torch.tensor([fill(types) for _, types, _ in examples]),
        attention_mask=torch.tensor([fill([1] * len(ids)) for ids, _, _ in examples]),
    ), torch.tensor([answer for _, _, answer in examples])


def loss_of(torch, model, examples):
    inputs, answers = pad(torch, examples)
    logits = model(**inputs).logits
    if answers.is_floating_point():
        return torch.nn.functional.mse_loss(logits[:, 0], answers)
    return torch.nn.functional.cross_entropy(logits, answers)


def scores_of(torch, model, examples, task):
    """The task's first metric in percent, as scikit-learn and scipy give it."""
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
    """ELECTRA's Adam: epsilon outside the root and no bias correction, of which nothing is left at so late a step."""
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.999), eps=1e-6, fused=True)
    for group in groups:
        for parameter in group["params"]:
            optimizer.state[parameter] = dict(
                step=torch.tensor(1e9), exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter))
    return optimizer


def layer_groups(model, decay):
    """The parameters with their share of the rate: the head's is 1, and no layer stands just below it."""
    top = model.config.num_hidden_layers + 2
    groups = {}
    for name, parameter in model.named_parameters():
        depth = int(name.split(".layer.")[1].split(".")[0]) + 1 if ".layer." in name else 0
        if name.startswith("classifier."):
            depth = top
        groups.setdefault(depth, []).append(parameter)
    return [dict(params=parameters, share=decay ** (top - depth)) for depth, parameters in groups.items()]


def random_batches(torch, lengths, batch):
    """For each step the places of its examples, by length."""
    order = []
    while True:
        while len(order) < batch:
            order += torch.randperm(len(lengths)).tolist()
        yield sorted(order[:batch], key=lambda place: lengths[place])
        order = order[batch:]


def train(torch, a, model, train_set, dev_set, recipe):
    assert recipe["weight_decay_rate"] == 0 and recipe["clip_norm"] == 1
    batch, count = recipe["train_batch_size"], len(train_set)
    steps = max(1, int(count * recipe["num_train_epochs"] / batch))
    warmup = int(recipe["warmup_proportion"] * steps)
    ends = {round(count * (i + 1) / batch) for i in range(int(recipe["num_train_epochs"]))}
    ends = {end for end in ends if 0 < end < steps} | {steps}
    optimizer = adam(torch, layer_groups(model, recipe["layerwise_lr_decay"]))
    lengths, losses, best = [len(ids) for ids, _, _ in train_set], [], []
    if a.draws:
        batches = draws.batches(lengths, batch, recipe["slices"], a.seed)
        model.set_attn_implementation("eager")
        dropout = draws.Dropout(torch, model.config.num_hidden_layers, recipe["dropout"], a.seed)
    else:
        batches = random_batches(torch, lengths, batch)
    for step, places in zip(range(steps), batches):
        losses.append(0.0)
        for start in range(0, batch, PART):
            part = [train_set[place] for place in places[start:start + PART]]
            if a.draws:
                dropout.begin(step, start, [len(ids) for ids, _, _ in part])
            loss = loss_of(torch, model, part) * (len(part) / batch)
            loss.backward()
            losses[-1] += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        rate = recipe["learning_rate"] * (1 - step / steps) * (min(1, step / warmup) if warmup else 1)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step + 1 in ends:
            best.append(scores_of(torch, model, dev_set, a.task))
    return dict(seed=a.seed, steps=steps, examples=count, losses=losses, by_epoch=best, score=max(best))


def measure(torch, a, model, train_set):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    order, tokens, start = torch.randperm(len(train_set)).tolist(), 0, 0.0
    for step in range(2 + a.steps):
        if step == 2:
            tokens, start = 0, time.perf_counter()
        examples = [train_set[order[place % len(order)]] for place in range(32 * step, 32 * (step + 1))]
        tokens += sum(len(ids) for ids, _, _ in examples)
        loss = loss_of(torch, model, examples)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
    seconds = time.perf_counter() - start
    return dict(
        examples_per_second=32 * a.steps / seconds, tokens_per_second=tokens / seconds, seconds=seconds / a.steps,
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
    a = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(a.threads)
    import tokenizers
    import torch

    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(a.seed)
    tokenizer = tokenizers.BertWordPieceTokenizer(os.path.join(a.model, "vocab.txt"), lowercase=True)
    recipe = json.load(open(a.recipe))["recipe"] if a.recipe else None
    tokenizer.enable_truncation(recipe["max_seq_length"] if recipe else 128)
    examples = lambda split, both: read(os.path.join(a.folder, split + ".tsv"), a.task, tokenizer, both)
    train_set = examples("train", a.task == "stsb")
    model = make_model(torch, a.model, 1 if a.task == "stsb" else 2, recipe["dropout"] if recipe else 0.1).train()
    if recipe:
        answer = train(torch, a, model, train_set, examples("dev", False), recipe)
    else:
        answer = measure(torch, a, model, train_set)
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
