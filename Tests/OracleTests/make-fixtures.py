#!/usr/bin/env python3
"""Makes the fixtures of the Oracle suite with Hugging Face's ELECTRA in float64.

    pip install torch transformers safetensors numpy
    python Tests/OracleTests/make-fixtures.py [--check FILE | --case NAME]

Each fixture holds a small generator and discriminator with shared embeddings, a new batch a step,
all activations and gradients of the first step, and the weights after the last: everything that an
independent implementation needs to be compared with. `--check` runs a fixture's weights and inputs
again and compares losses, instead of writing.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

from bfloat16_products import Rounding, round_products

CASES = {
    # Odd widths, both projections, a generator of other width and depth, unequal lengths.
    "projected": dict(vocab=37, emb=12, hidden=20, layers=2, heads=2, ffn=27, g_hidden=14,
                      g_layers=1, g_heads=1, g_ffn=9, max_pos=11, batch=3, seq=11,
                      lengths=[11, 5, 8], steps=3, seed=1),
    # No projection anywhere, as in base and large; a generator with more layers.
    "unprojected": dict(vocab=29, emb=18, hidden=18, layers=1, heads=3, ffn=31, g_hidden=18,
                        g_layers=2, g_heads=2, g_ffn=17, max_pos=16, batch=2, seq=9,
                        lengths=[9, 4], steps=2, seed=2),
    # One layer, one sequence, widths below a vector.
    "narrow": dict(vocab=17, emb=4, hidden=6, layers=1, heads=1, ffn=5, g_hidden=4, g_layers=1,
                   g_heads=1, g_ffn=7, max_pos=8, batch=1, seq=8, lengths=[8], steps=2, seed=3),
    # Factors of products rounded to bfloat16. It is small, and rounding-controls.py chose the seed,
    # so that no value is so close to the middle of two bfloat16 numbers that the rounding error of
    # a float32 sum moves it across. One step, because the second one rounds other weights.
    "bfloat16": dict(vocab=17, emb=6, hidden=8, layers=2, heads=2, ffn=11, g_hidden=10, g_layers=1,
                     g_heads=1, g_ffn=5, max_pos=9, batch=2, seq=7, lengths=[7, 4], steps=1,
                     seed=3101, arithmetic="bfloat16"),
}
PAD, UNK, CLS, SEP, MASK = 0, 1, 2, 3, 4
RATE, WEIGHT, EPSILON = 2e-3, 50.0, 1e-12
SHARED = "electra.embeddings."


def build(c, type=torch.float64, rounding=None):
    """Generator and discriminator with one set of embeddings; dropout off.

    `type` is the type of parameters and sums; `rounding` rounds factors in bfloat16 cases.
    """
    def config(hidden, layers, heads, ffn):
        return ElectraConfig(
            vocab_size=c["vocab"], embedding_size=c["emb"], hidden_size=hidden,
            num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=ffn,
            max_position_embeddings=c["max_pos"], hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0, layer_norm_eps=EPSILON, pad_token_id=PAD,
            attn_implementation="eager")
    generator = ElectraForMaskedLM(config(c["g_hidden"], c["g_layers"], c["g_heads"], c["g_ffn"]))
    discriminator = ElectraForPreTraining(config(c["hidden"], c["layers"], c["heads"], c["ffn"]))
    discriminator.electra.embeddings = generator.electra.embeddings
    generator.generator_lm_head.weight = generator.electra.embeddings.word_embeddings.weight
    if c.get("arithmetic") == "bfloat16":
        round_products((generator, discriminator), rounding or Rounding())
    return generator.to(type).eval(), discriminator.to(type).eval()


def parameters(generator, discriminator):
    """Every parameter once, under its name in the fixtures."""
    result = {}
    for prefix, model in (("generator.", generator), ("discriminator.", discriminator)):
        for name, value in model.named_parameters(remove_duplicate=False):
            if name == "generator_lm_head.weight":
                continue
            if name.startswith(SHARED):
                name = name.removeprefix("electra.")
            elif name.startswith("electra."):
                name = prefix + name.removeprefix("electra.")
            result[name] = value
    return result


def draw(c, numbers):
    """One step's inputs."""
    b, s = c["batch"], c["seq"]
    ids, types = np.full((b, s), PAD), np.zeros((b, s), int)
    mask = np.zeros((b, s), int)
    sequences, positions = [], []
    for row, length in enumerate(c["lengths"]):
        ids[row, :length] = numbers.integers(5, c["vocab"], length)
        ids[row, 0], ids[row, length - 1] = CLS, SEP
        mask[row, :length] = 1
        types[row, length // 2:length] = 1
        count = max(1, round(0.25 * length))
        drawn = np.sort(numbers.choice(np.arange(1, length - 1), count, replace=False))
        sequences += [row] * count
        positions += drawn.tolist()
    visible = ids.copy()
    for row, position in zip(sequences, positions):
        if numbers.random() < 0.85:
            visible[row, position] = MASK
    uniform = numbers.random((len(positions), c["vocab"])).astype(np.float32)
    return dict(input_ids=ids, attention_mask=mask, token_type_ids=types,
                generator_input_ids=visible, masked_sequence=np.array(sequences),
                masked_position=np.array(positions), uniform=uniform)


def forward(generator, discriminator, inputs, keep=None):
    """Both losses; adds samples, the discriminator's input and labels to `inputs`."""
    t = {k: torch.tensor(v) for k, v in inputs.items()}
    masked = (t["masked_sequence"], t["masked_position"])

    def encode(name, model, ids):
        hidden = model.electra(
            ids, attention_mask=t["attention_mask"], token_type_ids=t["token_type_ids"],
            output_hidden_states=True)
        if keep is not None:
            keep[name + "_encoder_input"] = hidden.hidden_states[0]
            keep[name + "_layer0"] = hidden.hidden_states[1]
            keep[name + "_encoder"] = hidden.last_hidden_state
        return hidden.last_hidden_state

    hidden = encode("generator", generator, t["generator_input_ids"])
    logits = generator.generator_lm_head(generator.generator_predictions(hidden[masked]))
    targets = t["input_ids"][masked]
    mlm = torch.nn.functional.cross_entropy(logits, targets)
    with torch.no_grad():
        u = t["uniform"].double()
        sampled = (logits - torch.log(-torch.log(u + 1e-9) + 1e-9)).argmax(-1)
        corrupted = t["input_ids"].clone()
        corrupted[masked] = sampled
        labels = (corrupted != t["input_ids"]).to(logits.dtype)
    hidden = encode("discriminator", discriminator, corrupted)
    scores = discriminator.discriminator_predictions(hidden)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels, reduction="none")
    real = t["attention_mask"].to(scores.dtype)
    rtd = (losses * real).sum() / real.sum()
    if keep is not None:
        keep["mlm_logits"], keep["rtd_logits"] = logits, scores
    inputs.update(sampled_ids=sampled.numpy(), discriminator_input_ids=corrupted.numpy(),
                  rtd_labels=labels.numpy())
    return mlm, rtd


def gradients(loss, values):
    found = torch.autograd.grad(loss, list(values.values()), retain_graph=True, allow_unused=True)
    return {n: torch.zeros_like(v) if g is None else g
            for (n, v), g in zip(values.items(), found)}


def run(c, type=torch.float64, rounding=None):
    """A whole fixture: tensors, and the facts that go with them; other arguments as for `build`."""
    torch.manual_seed(c["seed"])
    numbers = np.random.default_rng(c["seed"])
    generator, discriminator = build(c, type, rounding)
    values = parameters(generator, discriminator)
    with torch.no_grad():  # larger than at the start of training, so that gradients are too
        for name, value in values.items():
            value.copy_((0.3 * torch.randn_like(value, dtype=torch.float64)).float())
            if name.endswith("LayerNorm.weight"):
                value.add_(1).copy_(value.float())
    tensors = {"param." + n: v.detach().clone() for n, v in values.items()}
    first = {n: torch.zeros_like(v) for n, v in values.items()}
    second = {n: torch.zeros_like(v) for n, v in values.items()}
    steps, rates = [], [RATE * (s + 1) for s in range(c["steps"])]
    for step in range(c["steps"]):
        inputs, kept = draw(c, numbers), {}
        mlm, rtd = forward(generator, discriminator, inputs, kept)
        loss = mlm + WEIGHT * rtd
        grads = gradients(loss, values)
        norm = torch.sqrt(sum((g ** 2).sum() for g in grads.values()))
        tensors.update({f"step{step}.{k}": v for k, v in inputs.items()})
        if step == 0:
            tensors.update({"step0.act." + k: v.detach() for k, v in kept.items()})
            tensors.update({"step0.grad." + n: g for n, g in grads.items()})
            for part, own in (("mlm", mlm), ("rtd", rtd)):
                shared = gradients(own, {n: v for n, v in values.items() if n.startswith("emb")})
                tensors.update({f"step0.grad_{part}.{n}": g for n, g in shared.items()})
        steps.append(dict(mlm_loss=mlm.item(), rtd_loss=rtd.item(), loss=loss.item(),
                          grad_norm=norm.item()))
        scale = min(1.0, 1.0 / norm.item())
        with torch.no_grad():
            for name, value in values.items():
                g = grads[name] * scale
                first[name] = 0.9 * first[name] + 0.1 * g
                second[name] = 0.999 * second[name] + 0.001 * g * g
                update = first[name] / (second[name].sqrt() + 1e-6)
                if "LayerNorm" not in name and "bias" not in name:
                    update = update + 0.01 * value
                value.sub_(rates[step] * update)
    tensors.update({f"step{c['steps'] - 1}.after.{n}": v.detach() for n, v in values.items()})
    info = dict(config=c, layer_norm_eps=EPSILON, disc_weight=WEIGHT, steps=steps,
                optimizer=dict(beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.01,
                               clip_global_norm=1.0, lr=rates))
    return tensors, info


def array(value):
    value = np.asarray(value)
    return np.ascontiguousarray(
        value.astype(np.int32 if value.dtype.kind == "i" else np.float32))


def check(path):
    """Compares the first step's losses of a fixture with this script's."""
    with safe_open(path, "np") as file:
        info = json.loads(file.metadata()["info"])
        generator, discriminator = build(info["config"])
        with torch.no_grad():
            for name, value in parameters(generator, discriminator).items():
                value.copy_(torch.tensor(file.get_tensor("param." + name)).double())
        names = ("input_ids", "attention_mask", "token_type_ids", "generator_input_ids",
                 "masked_sequence", "masked_position", "uniform")
        inputs = {n: file.get_tensor("step0." + n) for n in names}
        inputs = {n: v.astype(np.int64) if v.dtype.kind == "i" else v for n, v in inputs.items()}
        mlm, rtd = forward(generator, discriminator, inputs)
    print("mlm", mlm.item(), info["steps"][0]["mlm_loss"])
    print("rtd", rtd.item(), info["steps"][0]["rtd_loss"])


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--check", metavar="FILE", help="compare a fixture's losses")
    options.add_argument("--case", choices=list(CASES), help="write one fixture instead of all")
    given = options.parse_args()
    if given.check:
        check(given.check)
    else:
        folder = pathlib.Path(__file__).parent / "Fixtures"
        folder.mkdir(exist_ok=True)
        for name in [given.case] if given.case else CASES:
            tensors, info = run(CASES[name])
            save_file({k: array(v) for k, v in tensors.items()},
                      folder / f"{name}.safetensors", metadata={"info": json.dumps(info)})
            print(name, info["steps"])
