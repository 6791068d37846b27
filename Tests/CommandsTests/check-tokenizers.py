"""Compares `electra tokenize --from FOLDER` with transformers' AutoTokenizer on generated folders.

    python check-tokenizers.py ELECTRA [--folders N] [--seed S]

ELECTRA is the program. N folders are made with `tokenizers`, every part of each drawn at random from the seed:
with `vocab.txt`, `tokenizer.json` or both, of BERT's classes or of none, cased or not, with every flag of the
normaliser and others before it, limits on the length of words, missing parts, added tokens of all kinds and in all files, other
names of special tokens, keys that change nothing. Both sides tokenize the same awkward texts, without [CLS]
and [SEP].

A folder counts as equal when all ids are; as refused when `electra` gives status 65 or 66 and one sentence;
as unread when transformers cannot read it and `electra` refuses it; anything else is a finding, printed with
the folder's parts. Exit status 1 if there are findings or fewer than a third of the folders are equal.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

import transformers
from transformers import AutoTokenizer

transformers.logging.set_verbosity_error()

NAMES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
KEYS = dict(zip(["pad_token", "unk_token", "cls_token", "sep_token", "mask_token"], NAMES))
WORDS = """the cat The Cat sat on a mat café cafe Café naïve naive über uber Straße STRASSE unit un ##it ##s ##ing
play ##ed ##er run ! . , ' - ( ) 漢 字 漢字 ##字 한국 ##어 한 ##국 ᄒ ##ᅡ ##ᆫ й и ##й é ##é e ##e ##́ t ##h d ##o
[unused0] [unused1] covid ##19 \u200b ##\u200b a\x01b ##\x01 \ufffd ##\ufffd x y z A B ##a ##b ##c # @ $ ﬁ ##ﬁ
İ i ##̇ ß ss ##ß 。 ㍿ 豈 ##豈 ½ Ⅷ ⅷ""".split()
OTHERS = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents"]
TEXTS = [
    "", " ", "the cat sat on a mat.", "The Cat SAT on a Mat!", "café Café CAFÉ cafe\u0301 naïve über Straße İstanbul",
    "漢字と漢 字漢字cat豈a㍿", "한국어 한국 \u1112\u1161\u11ab", "covid19 covids COVID covid", "[MASK] [mask] [CLS]the[SEP] [PAD]",
    "a[unused0]b [unused0] [UNUSED0][unused1] [unused", "a\x01b \x00 \x01 a\u200bb \ufffd x\ufffdy \u00ad \u2028z\x0by\x85x",
    "tabs\tand\r\nlines".replace("\n", " "), "e\u0301\u0327e\u0327\u0301 q\u0307\u0323", "unitsing playeders running",
    "y" * 99 + " " + "y" * 100 + " " + "y" * 101, "catcat mats cats matmat", "don't (a-b) $a@b#c a##b ## ##s",
    "<ent> x<ent>y  <ent>  <ENT> < ent >", "ﬁ ½ Ⅷ ß 。，！？ «a» …", "[foo][bar] [foo]bar]x new word new wordy",
    "\u00a0a\u3000b\u2009c\u200ad\ufeffe", "👩\u200d👩\u200d👧 e\u200d\u0301 \U0001F600 \U00020000a\U0002B820b",
]


def token(rng, content, **other):
    """A token as tokenizer.json has it, without its id."""
    fields = dict(content=content, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    if rng.random() < 0.3:
        fields[rng.choice(["lstrip", "rstrip"])] = True
    return {**fields, **other}


def added_tokens(rng, size):
    """Added tokens with ids: some in the vocabulary, some behind it, now and then of a kind that is refused."""
    tokens, following = {}, size
    for content in rng.sample(["[unused0]", "covid", "<ent>", "[foo]", "new word", "é", "한국", "[foo]bar]"], rng.randrange(5)):
        kind = rng.random()
        other = dict(normalized=True) if kind < 0.08 else dict(single_word=True) if kind < 0.12 else {}
        if rng.random() < 0.3:
            other["special"] = False
        tokens[content] = (None, token(rng, content, **other))
    return list(tokens.values()), following


def make(folder, rng):
    """Makes a folder; returns what it is made of, for a finding."""
    words = [word for word in dict.fromkeys(WORDS) if rng.random() < 0.9 or len(word) == 1]
    vocabulary = NAMES + words
    if rng.random() < 0.3:
        rng.shuffle(vocabulary)
    ids = {word: index for index, word in enumerate(vocabulary)}
    flag = lambda often=0.7: rng.random() < often
    lower, chinese, clean = flag(), flag(0.8), flag(0.85)
    strip = rng.choice([None, None, True, False])
    listed, following = added_tokens(rng, len(vocabulary)) if flag(0.6) else ([], len(vocabulary))
    tokens = []
    for _, fields in listed:
        if fields["content"] not in ids:
            tokens.append((following, fields))
            following += 1
        else:
            tokens.append((ids[fields["content"]], fields))
    if tokens and flag(0.05):
        tokens[-1] = (tokens[-1][0] + 7, tokens[-1][1])
    kind = rng.choice(["list", "json", "json", "both", "both"])
    name = rng.choice(
        [None, None, "BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast", "DistilBertTokenizer"]
        + ["PreTrainedTokenizerFast"] * 4 * (kind != "list")
        + ["PreTrainedTokenizerFast", "BertJapaneseTokenizer", "RobertaTokenizerFast"] * (rng.random() < 0.1))
    parts = dict(kind=kind, name=name, lower=lower, strip=strip, chinese=chinese, clean=clean, tokens=tokens)
    config = {"model_type": rng.choice(["electra", "electra", "bert"]), "vocab_size": following, "hidden_size": 32}
    fields = {"model_max_length": 512, "name_or_path": "/somewhere", "padding_side": "left", "never_split": ["cat"]}
    if name:
        (config if flag(0.1) and name.startswith("Bert") else fields)["tokenizer_class"] = name
    if flag(0.8) or not lower:
        fields["do_lower_case"] = lower
    if flag(0.5):
        fields["strip_accents"] = strip
    if flag(0.5) or not chinese:
        fields["tokenize_chinese_chars"] = chinese
    if flag(0.5):
        fields.update(KEYS)
        if flag(0.1):
            fields["mask_token"] = rng.choice(["<mask>", None])
        if flag(0.1):
            fields["bos_token"] = rng.choice(["[CLS]", "[unused0]"])
    if flag(0.05):
        fields["split_special_tokens"] = True
    legacy = {}
    if tokens and flag(0.6):
        fields["added_tokens_decoder"] = {str(index): f for index, f in tokens}
    elif tokens and kind == "list":
        legacy = {f["content"]: index for index, f in tokens}
        if flag(0.7):
            fields["additional_special_tokens"] = list(legacy)
    specials = [dict(token(rng, n), id=ids[n]) for n in NAMES] if flag(0.85) else []
    both = fields["added_tokens_decoder"] if "added_tokens_decoder" in fields and flag(0.8) else {}
    file_tokens = tokens if both or "added_tokens_decoder" not in fields or flag(0.5) else []
    limit = 100 if flag(0.8) else rng.choice([3, 8, 99, 200])
    normalizer = dict(
        type="BertNormalizer", clean_text=clean, handle_chinese_chars=chinese, strip_accents=strip, lowercase=lower)
    if flag(0.25):
        others = [{"type": rng.choice(OTHERS)} for _ in range(rng.randrange(4))]
        normalizer = rng.choice([None, others[0] if others else None] + 3 * [
            {"type": "Sequence", "normalizers": others + rng.choice([[], [normalizer]])}])
    special = lambda n, t: {"SpecialToken": {"id": n, "type_id": t}}
    sequence = lambda n, t: {"Sequence": {"id": n, "type_id": t}}
    single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)]
    post = {
        "type": "TemplateProcessing", "single": single, "pair": single + [sequence("B", 1), special("[SEP]", 1)],
        "special_tokens": {n: {"id": n, "ids": [ids[n]], "tokens": [n]} for n in ("[CLS]", "[SEP]")}}
    if flag(0.1):
        post = {"type": "BertProcessing", "sep": ["[SEP]", ids["[SEP]"]], "cls": ["[CLS]", ids["[CLS]"]]}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": sorted(specials + [dict(f, id=i) for i, f in file_tokens], key=lambda t: t["id"]),
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"} if flag(0.96) else rng.choice([None, {"type": "WhitespaceSplit"}]),
        "post_processor": post if flag(0.97) else None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": limit, "vocab": ids}}
    parts.update(fields=fields, limit=limit, normalizer=normalizer, specials=len(specials), legacy=legacy)

    def write(name, value):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=rng.random() < 0.5)

    write("config.json", config)
    if flag(0.95) or "added_tokens_decoder" in fields:
        write("tokenizer_config.json", fields)
    if legacy:
        write("added_tokens.json", legacy)
    if flag(0.3):
        write("special_tokens_map.json", KEYS)
    if kind != "list":
        write("tokenizer.json", tokenizer)
    if kind != "json":
        with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as file:
            file.writelines(word + "\n" for word in vocabulary)
    return parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("electra")
    parser.add_argument("--folders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    counts, reasons, findings = collections.Counter(), collections.Counter(), []
    with tempfile.TemporaryDirectory() as parent:
        with open(os.path.join(parent, "text"), "w", encoding="utf-8", newline="") as file:
            file.writelines(text + "\n" for text in TEXTS)
        for index in range(options.folders):
            folder = os.path.join(parent, f"model{index}")
            os.mkdir(folder)
            parts = make(folder, rng)
            try:
                reader = AutoTokenizer.from_pretrained(folder)
                theirs = [reader(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
            except Exception as error:
                theirs, problem = None, f"{type(error).__name__}: {error}"
            ours = subprocess.run(
                [options.electra, "tokenize", "--from", folder, os.path.join(parent, "text")], capture_output=True)
            sentence = ours.stderr.decode().strip()
            if ours.returncode in (65, 66) and len(sentence.split("\n")) == 1:
                counts["refused" if theirs is not None else "unread"] += 1
                reasons[sentence.split(folder)[-1].lstrip("/")] += 1
                continue
            if ours.returncode or theirs is None:
                findings.append((parts, sentence or f"read, but not by transformers: {problem}"))
                continue
            ids = [[int(id) for id in line.split()] for line in ours.stdout.decode().split("\n")[:-1]]
            wrong = [(t, o, e) for t, o, e in zip(TEXTS, ids, theirs) if o != e]
            if len(ids) != len(TEXTS) or wrong:
                findings.append((parts, f"ids differ: {wrong[:2]}"))
            else:
                counts["equal"] += 1
    for parts, reason in findings:
        print(f"{reason}\n  {parts}")
    for reason, count in reasons.most_common():
        print(f"{count:4} x {reason}")
    print(
        f"transformers {transformers.__version__}, {options.folders} folders: {counts['equal']} equal, "
        f"{counts['refused']} refused, {counts['unread']} read by neither, {len(findings)} findings")
    sys.exit(1 if findings or 3 * counts["equal"] < options.folders else 0)


main()
