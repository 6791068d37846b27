"""Compares exported fine-tuned models with transformers.

    python check-finetuned.py FOLDER

FOLDER holds `classification`, `multilabel`, `regression`, `tagging` and `span`, as `electra export` made them, and
`expected.json`, which the test beside this file writes: for each of these names sequences of ids with their
segments, and the numbers that our model gives for each.

Checked: each loads with the class that its config.json names, without a missing, unexpected or mismatched key,
has the problem_type by which transformers chooses the loss, and its logits agree within 1e-4 of the largest. One line a finding; exit status 1 if anything differs.
"""
import json
import sys

import torch
import transformers

TOLERANCE = 1e-4
PROBLEM_TYPES = {
    "classification": "single_label_classification", "multilabel": "multi_label_classification",
    "regression": "regression"}
folder = sys.argv[1]
failures = []
worst = 0.0
for name, sequences in json.load(open(f"{folder}/expected.json")).items():
    architecture = json.load(open(f"{folder}/{name}/config.json"))["architectures"][0]
    model, report = getattr(transformers, architecture).from_pretrained(
        f"{folder}/{name}", output_loading_info=True)
    failures += [f"{name}: {kind}: {keys}" for kind, keys in report.items() if keys]
    if model.config.problem_type != PROBLEM_TYPES.get(name):
        failures.append(f"{name}: problem_type {model.config.problem_type}")
    transformers.AutoTokenizer.from_pretrained(f"{folder}/{name}")
    for sequence in sequences:
        with torch.no_grad():
            output = model.eval()(
                input_ids=torch.tensor([sequence["ids"]]), token_type_ids=torch.tensor([sequence["types"]]))
        if name == "span":
            theirs = torch.stack([output.start_logits[0], output.end_logits[0]], -1).flatten()
        else:
            theirs = output.logits.flatten()
        ours = torch.tensor(sequence["numbers"])
        error = ((ours - theirs).abs().max() / theirs.abs().max()).item()
        worst = max(worst, error)
        if not error < TOLERANCE:
            failures.append(f"{name}: relative error {error:.2g}")
for failure in failures:
    print(failure)
print(f"fine-tuned models: largest relative error {worst:.2g}, {len(failures)} findings")
sys.exit(1 if failures else 0)
