"""Takes models of transformers through `electra` and back, and compares ids, weights and logits.

    python check-models.py ELECTRA

ELECTRA is the program. For each form below a BertForMaskedLM with random weights and its tokenizer are saved by
transformers. `electra` prepares data with `--vocabulary MODEL`, begins a run with `--objective mlm --init-from
MODEL`, and exports its first checkpoint. Checked: AutoTokenizer gives the same ids for both folders, also for
texts with added tokens, and ElectraForMaskedLM the same logits as BertForMaskedLM within 1e-4 of the largest.

The run is then exported in every type and in shards. Checked: transformers loads each folder without a missing or
unexpected key, in that type, with the weights of the first export, rounded as PyTorch does.

One line a finding; exit status 1 if anything differs.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, BertTokenizer, ElectraForMaskedLM
from transformers import PreTrainedTokenizerFast

transformers.logging.set_verbosity_error()
ELECTRA = os.path.abspath(sys.argv[1])
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = SPECIAL + [p for c in "abcdefghijklmnopqrstuvwxyz" for p in (c, "##" + c)] + ["the", "cat", "é", "ﬁ", ".", "漢"]
TEXTS = ["The cat café ﬁnds 漢字.", "cafe\u0301 [MASK] [ENT] x[ENT]y [ent]", "ﬁﬁ Ⅷ ½ [CLS]", "z" * 101]
findings = []


def bert(folder):
    """BERT's own tokenizer, as transformers 5 saves it: no vocab.txt."""
    with open(f"{folder}/vocab.txt", "w") as file:
        file.writelines(piece + "\n" for piece in PIECES)
    return BertTokenizer(f"{folder}/vocab.txt")


def with_added_tokens(folder):
    tokenizer = bert(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[ENT]", "[REL]"]})
    return tokenizer


def with_normalizers(folder):
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], SPECIAL))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


# The tokenizer, what is passed to save_pretrained, the type, and the rows beyond the vocabulary.
FORMS = {
    "plain": (bert, {}, torch.float32, 0), "added": (with_added_tokens, {}, torch.float32, 0),
    "normalizers": (with_normalizers, {}, torch.float32, 0),
    "sharded": (bert, dict(max_shard_size="10KB"), torch.float32, 0), "half": (bert, {}, torch.float16, 0),
    "double": (bert, {}, torch.float64, 0), "padded": (with_added_tokens, dict(max_shard_size="10KB"), torch.bfloat16, 11),
}


def run(*arguments, status=0):
    result = subprocess.run([ELECTRA, *arguments], capture_output=True, text=True)
    if result.returncode != status:
        findings.append(f"{arguments}: status {result.returncode}: {result.stderr[-300:]}")
    return result.stderr


def save(folder, tokenizer, options, type, spare):
    torch.manual_seed(1)
    model = BertForMaskedLM(BertConfig(
        vocab_size=len(tokenizer) + spare, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64, initializer_range=0.3))
    torch.nn.init.normal_(model.cls.predictions.bias)
    model.to(type).save_pretrained(folder, **options)
    tokenizer.save_pretrained(folder)
    if os.path.exists(f"{folder}/vocab.txt") and os.path.exists(f"{folder}/tokenizer.json"):
        os.remove(f"{folder}/vocab.txt")


def check(form, parent):
    make, options, type, spare = FORMS[form]
    folder = f"{parent}/{form}"
    os.mkdir(folder)
    save(folder, make(folder), options, type, spare)
    if options and len(glob.glob(f"{folder}/model-*.safetensors")) < 2:
        findings.append(f"{form}: transformers wrote no shards")
    data, output = f"{parent}/{form}-data", f"{parent}/{form}-run"
    run("prepare", f"{parent}/text.txt", "--vocabulary", folder, "--output", data, "--length", "32")
    log = run("pretrain", "--data", data, "--output", output, "--preset", "tiny", "--objective", "mlm", "--batch", "8",
              "--steps", "5", "--hours", "0", "--save-every", "1", "--init-from", folder, status=75)
    if "new weights" in log or spare and f"{spare} rows" not in log:
        findings.append(f"{form}: the log lacks a note or has one too many: {log}")
    run("export", "--from", output, "--output", f"{folder}-model")
    before, after = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(f"{folder}-model")
    theirs = BertForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    ours = ElectraForMaskedLM.from_pretrained(f"{folder}-model").eval()
    for text in TEXTS:
        ids = before(text)["input_ids"]
        if after(text)["input_ids"] != ids:
            findings.append(f"{form}: ids of {text!r}: {after(text)['input_ids']} and not {ids}")
        batch = torch.tensor([ids[:64]])
        with torch.no_grad():
            expected, found = theirs(batch).logits[..., :len(before)], ours(batch).logits
        if found.shape != expected.shape or (found - expected).abs().max() > 1e-4 * expected.abs().max():
            findings.append(f"{form}: other logits for {text!r}")
    return output, ours


def check_exports(output, model, parent):
    weights = model.state_dict()
    for dtype in ["float32", "float16", "bfloat16"]:
        for options in [[], ["--shard-size", "8kB"]]:
            folder = f"{parent}/{dtype}-{len(options)}"
            run("export", "--from", output, "--output", folder, "--dtype", dtype, *options)
            if (len(glob.glob(f"{folder}/*.safetensors")) > 1) != bool(options):
                findings.append(f"{folder}: {os.listdir(folder)}")
            type = getattr(torch, dtype)
            loaded, report = ElectraForMaskedLM.from_pretrained(folder, dtype="auto", output_loading_info=True)
            findings.extend(f"{folder}: {kind}: {keys}" for kind, keys in report.items() if keys)
            for name, tensor in loaded.state_dict().items():
                if tensor.dtype != type and tensor.is_floating_point():
                    findings.append(f"{folder}: {name} is {tensor.dtype}")
                elif not torch.equal(tensor, weights[name].to(tensor.dtype)):
                    findings.append(f"{folder}: {name} differs")
            if options:
                index = json.load(open(f"{folder}/model.safetensors.index.json"))
                size = sum(t.numel() * t.element_size() for t in dict(loaded.named_parameters()).values())
                if index["metadata"]["total_size"] != size:
                    findings.append(f"{folder}: total_size {index['metadata']} and not {size}")


with tempfile.TemporaryDirectory() as parent:
    with open(f"{parent}/text.txt", "w") as file:
        file.writelines(f"the cat café [ENT] ﬁ 漢字 {'abc'[n % 3] * 3}.\n\n" * (n % 4 + 1) for n in range(300))
    for form in FORMS:
        output, model = check(form, parent)
    check_exports(output, model, parent)
for finding in findings:
    print(finding)
print(f"transformers {transformers.__version__}: {len(FORMS)} models, {len(findings)} findings")
sys.exit(1 if findings else 0)
