"""Compares exported models with transformers.

    python check-export.py FOLDER

FOLDER holds `discriminator`, `generator` and `predictor` (the encoder of a run with `--objective mlm`), as
`electra export` made them, and `expected.json`, which the test beside this file writes: lines of text with
their ids and logits as `electra detect --json` gives them, and for the two that name tokens sequences of ids
with a target a position and the log-probability of each.

Checked: all load without a missing, unexpected or mismatched key and without a warning, the fast tokenizer
gives the same ids, and logits and log-probabilities agree within 1e-4 of the largest. One line a finding;
exit status 1 if anything differs.
"""
import json
import logging
import sys

import torch
from transformers import AutoTokenizer, ElectraForMaskedLM, ElectraForPreTraining

TOLERANCE = 1e-4
folder = sys.argv[1]
expected = json.load(open(f"{folder}/expected.json"))
failures = []
warnings = []


class Recorder(logging.Handler):
    def emit(self, record):
        if record.levelno >= logging.WARNING:
            warnings.append(record.getMessage())


logging.getLogger("transformers").addHandler(Recorder())


def load(architecture, part):
    model, report = architecture.from_pretrained(f"{folder}/{part}", output_loading_info=True)
    for kind, keys in report.items():
        if keys:
            failures.append(f"{part}: {kind}: {keys}")
    return model.eval()


def compare(name, ours, theirs):
    ours, theirs = torch.tensor(ours), theirs.float()
    error = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    if not error < TOLERANCE:
        failures.append(f"{name}: relative error {error:.2g}")
    return error


tokenizer = AutoTokenizer.from_pretrained(f"{folder}/discriminator")
if not tokenizer.is_fast:
    failures.append("the tokenizer is not the fast one")
discriminator = load(ElectraForPreTraining, "discriminator")
languageModels = {part: load(ElectraForMaskedLM, part) for part in ("generator", "predictor")}
worst = 0.0
with torch.no_grad():
    for line in expected["lines"]:
        encoded = tokenizer(line["text"], return_tensors="pt")
        ids = encoded["input_ids"][0].tolist()
        if ids != line["ids"]:
            failures.append(f"ids of {line['text']!r}: {ids} and not {line['ids']}")
        else:
            logits = discriminator(**encoded).logits[0]
            worst = max(worst, compare("discriminator", line["logits"], logits))
    for sequence in expected["sequences"]:
        part = sequence["part"]
        logits = languageModels[part](input_ids=torch.tensor([sequence["ids"]])).logits[0]
        scores = logits.log_softmax(-1).gather(1, torch.tensor(sequence["targets"])[:, None])[:, 0]
        worst = max(worst, compare(part, sequence["logProbabilities"], scores))
failures += [f"warning: {warning}" for warning in warnings]
for failure in failures:
    print(failure)
print(f"largest relative error {worst:.2g}, {len(failures)} findings")
sys.exit(1 if failures else 0)
