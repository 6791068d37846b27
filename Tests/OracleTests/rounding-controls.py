#!/usr/bin/env python3
"""Shows that the bfloat16 fixture is exact enough for tolerances of float32, and sharp enough.

    python Tests/OracleTests/rounding-controls.py [--seeds FIRST LAST]

Rounding is discontinuous: if a value is within a float32 error of the middle of two bfloat16
numbers, two correct programs may round it to different ones, which are 2^-8 apart. So the fixture
is small and its seed is chosen: `--seeds` lists seeds by their margin, the least distance of a
rounded value from such a middle, as a multiple of the largest difference between float32 and
float64 in the same tensor. Values that lie on a middle exactly, in both, are left out, and those
so small that a wrong rounding changes them by less than 1e-6 of the tensor's largest.

Without `--seeds` it lists the largest error of OracleTests as a multiple of its tolerance, for the
same step with float32 sums and for steps with a deliberate error in rounding. Its output:

    float32 sums                                       0.01  losses
    no rounding                                     2688.76  grad
    bias gradients summed after rounding              31.93  grad
    unrounded probabilities in the backward pass    2600.89  grad
    word look-ups                                   2284.57  grad
    embeddings_project, input                       2319.71  grad
    embeddings_project, weight                      1933.09  grad
    attention.self.query, input                     2618.46  grad
    attention.self.query, weight                    4112.22  grad
    attention.self.key, input                       3338.98  grad
    attention.self.key, weight                      9103.11  grad
    attention.self.value, input                     1043.43  grad
    attention.self.value, weight                    1133.50  grad
    queries, keys, values                           3128.10  grad
    probabilities                                   2653.61  grad
    attention.output.dense, input                   2284.57  grad
    attention.output.dense, weight                  3637.73  grad
    intermediate.dense, input                        905.04  grad
    intermediate.dense, weight                      1528.90  grad
    output.dense, input                              597.50  grad
    output.dense, weight                            1335.59  grad
    generator_predictions.dense, input              1783.72  grad
    generator_predictions.dense, weight              992.91  grad
    generator_lm_head, input                         136.19  grad
    generator_lm_head, weight                       1827.65  grad
    discriminator_predictions.dense, input           281.18  grad
    discriminator_predictions.dense, weight          825.96  grad
    discriminator_predictions.dense, gradient        861.11  grad
    output.dense, gradient                           439.34  grad
    intermediate.dense, gradient                     720.52  grad
    attention.output.dense, gradient                 412.98  grad
    context, gradient                                448.13  grad
    gradients of q, k, v                             359.47  grad
    scores, gradient                                 579.93  grad
    attention.self.value, gradient                     0.00  losses
    attention.self.key, gradient                       0.00  losses
    attention.self.query, gradient                     0.00  losses
    embeddings_project, gradient                      44.88  grad_rtd
    generator_lm_head, gradient                     1757.36  grad
    generator_predictions.dense, gradient           1520.11  grad

Queries, keys and values have their gradients rounded already, so that their linear layers round
nothing a second time.
"""
import argparse
import importlib.util
import pathlib

import torch

from bfloat16_products import BIAS_AFTER, EXACT_BACKWARD, Rounding

spec = importlib.util.spec_from_file_location(
    "fixtures", pathlib.Path(__file__).parent / "make-fixtures.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)
CASE = fixtures.CASES["bfloat16"]


def errors(actual, expected):
    """The errors that OracleTests compares, each divided by its tolerance there, by kind.

    Both arguments are results of `run`, tensors and information.
    """
    (values, info), (references, reference_info) = actual, expected
    step, reference = info["steps"][0], reference_info["steps"][0]
    norm, real = reference["grad_norm"], references["step0.attention_mask"] == 1
    result = {"losses": max(abs(step[key] / reference[key] - 1) / 1e-5
                            for key in ("mlm_loss", "rtd_loss", "loss"))}
    if (values["step0.sampled_ids"] != references["step0.sampled_ids"]).any():
        result["losses"] = float("inf")
    floors = {"act": 0, "grad": 1e-4 * norm, "grad_mlm": 2e-6 * norm, "grad_rtd": 2e-6 * norm,
              "after": 0.01}
    for name, y in references.items():
        kind = name.split(".")[1]
        if kind not in floors or name == "step0.act.mlm_logits":
            continue
        x, y = (values[name][real], y[real]) if kind == "act" else (values[name], y)
        error = (x - y).abs().max() / max(floors[kind], y.abs().max())
        result[kind] = max(result.get(kind, 0), error.item() / 1e-4)
    return result


def margin(rounded, rounded_float32, real):
    """The margin of a case, and the name of the rounding that has it; `real` is (batch, length)."""
    margins = []
    for (name, x), (_, y) in zip(rounded, rounded_float32):
        if x.dim() == 4:  # (batch, heads, length, width)
            x, y = x.transpose(1, 2), y.transpose(1, 2)
        if x.shape[:2] == real.shape:
            x, y = x[real], y[real]
        error = (x - y).abs().max().item()
        unit = torch.exp2(torch.floor(torch.log2(x.abs().clamp(min=1e-300))) - 7)
        distance = ((x.abs() / unit) % 1 - 0.5).abs() * unit
        matters = (x != 0) & (unit > 1e-6 * x.abs().max()) & ((distance > 0) | (x != y))
        if error > 0 and matters.any():  # weights have no error
            margins.append((distance[matters].min().item() / error, name))
    return min(margins)


def list_seeds(first, last):
    found = []
    for seed in range(first, last + 1):
        exact, single = Rounding(), Rounding()
        tensors, _ = fixtures.run(CASE | {"seed": seed}, rounding=exact)
        fixtures.run(CASE | {"seed": seed}, torch.float32, single)
        real = torch.tensor(tensors["step0.attention_mask"]) == 1
        found.append((*margin(exact.rounded, single.rounded, real), seed))
    for value, name, seed in sorted(found, reverse=True):
        print(f"seed {seed}: margin {value:.2f}, {name}")


def list_controls():
    rounding = Rounding()
    expected = fixtures.run(CASE, rounding=rounding)
    without = {key: value for key, value in CASE.items() if key != "arithmetic"}
    runs = {"float32 sums": fixtures.run(CASE, torch.float32), "no rounding": fixtures.run(without)}
    names = dict.fromkeys(name for name, _ in rounding.rounded)
    for defect in [BIAS_AFTER, EXACT_BACKWARD, *names]:
        runs[defect] = fixtures.run(CASE, rounding=Rounding(defect))
    for name, actual in runs.items():
        kind, error = max(errors(actual, expected).items(), key=lambda item: item[1])
        print(f"    {name:46} {error:8.2f}  {kind}")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seeds", nargs=2, type=int, metavar=("FIRST", "LAST"))
    seeds = options.parse_args().seeds
    list_seeds(*seeds) if seeds else list_controls()
