"""Asks Hugging Face's `tokenizers` for the ids that the tests of Tokenization expect.

    python3 -m venv venv && venv/bin/pip install tokenizers==0.23.3
    venv/bin/python Tests/TokenizationTests/Fixtures/make.py

writes beside itself
  torture.txt   lines of hostile text
  torture.json  {"uncased" | "cased" | "keep_accents" | "strip_only": [the ids of each line]}
  codepoints.json  for the same normalisations: for each 4096 code points the first 16 digits of the
                SHA-256 of the ids of their lines; the line of code point c is "a" c "b" c, its ids
                are little-endian 32-bit integers, -1 ends a line; surrogates and U+000A are left out
  normalizers.txt   lines of characters that compose, decompose and combine
  normalizers.json  {a sequence of normalizers: [such a digest for each 4096 code points, then one for each
                100 lines of normalizers.txt]}

The vocabulary is made by rule, here and in the tests: the special tokens, then for each code point
below U+2FA20 that is not TAB, LF, CR, a space, a surrogate, Hangul syllable or private: the
character, then the character with "##" before it.
"""
import hashlib
import json
import os
import random
import struct
import sys
import tempfile
import unicodedata

from tokenizers import BertWordPieceTokenizer, Tokenizer, models, normalizers, pre_tokenizers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MODES = {
    "uncased": dict(lowercase=True),
    "cased": dict(lowercase=False),
    "keep_accents": dict(lowercase=True, strip_accents=False),
    "strip_only": dict(lowercase=False, strip_accents=True),
}
SEQUENCES = ["NFC", "NFD", "NFKC", "NFKD", "NFKC Lowercase", "NFD StripAccents Lowercase", "Lowercase NFC"]
HERE = os.path.dirname(os.path.abspath(__file__))


def vocabulary():
    yield from SPECIAL
    for c in range(0x2FA20):
        if c in (9, 10, 13, 32) or 0xAC00 <= c < 0xF900:
            continue
        yield chr(c)
        yield "##" + chr(c)


def torture():
    """Lines of text, none with a line feed."""
    every = [c for c in range(0x110000) if c != 10 and not 0xD800 <= c < 0xE000]
    marks = [c for c in every if unicodedata.category(chr(c)) in ("Mn", "Mc")]
    groups = [
        marks, marks, every, range(0x20, 0x250), range(0x20, 0x7F), range(0xAC00, 0xD7A4),
        range(0x3040, 0x3100), range(0x4E00, 0xA000), range(0x1F300, 0x1F650),
        [c for c in every if unicodedata.category(chr(c))[0] == "C" and c < 0x30000],
        [0, 9, 13, 0x85, 0xA0, 0xAD, 0x200B, 0x200D, 0x2028, 0x3000, 0xFEFF, 0xFFFD, 0xFE0F],
        # Marks with a combining class that are not dropped; decompositions; changed categories.
        [0x302E, 0x302F, 0x1D165, 0x1D16D, 0x1DFA, 0x8D4, 0x11C3F, 0x1E944, 0x1D15E, 0x1D1BB,
         0xF71, 0xF73, 0x344, 0x16FF0, 0x130, 0x1E9E, 0x37E, 0x2260, 0x1FEF, 0xF900, 0x2B820,
         0x1734, 0x1885, 0x166D, 0x111C9, 0x1171E, 0xA9BD],
    ]
    draw = random.Random(7)
    for text in ("", " ", "a[MASK]b [mask] [CLS][SEP]x[UNK][PAD] [MASK [[MASK]]", "[MA\0SK]",
                 "\u0301[MASK]\u0301", "ΑΣ ΣΑΣ İI ıi ẞß ﬁ", "が か\u3099 ハ\u309a パ", "각 각",
                 "e\u0301\u0323 é\u0323 ṩ q\u0307\u0323", "👩‍👩‍👧‍👦 ❤️ 🇩🇪", "don't U.S.A. $3.50 a_b #x ##y"):
        yield text
    for length in (99, 100, 101, 199, 200, 201, 403, 404, 405, 600):
        for part in ("a", "É", "e\u0301", "가", "\U00010400", "b\0", "a\u302e"):
            yield part * length + " x" + part * length
    for _ in range(400):
        text = ""
        for _ in range(draw.randint(1, 12)):
            text += chr(draw.choice(draw.choice(groups)))
            if draw.random() < 0.03:
                text += draw.choice(SPECIAL)
        yield text


def combining():
    """Lines of characters that normalization forms change."""
    every = [c for c in range(0x110000) if c != 10 and not 0xD800 <= c < 0xE000]
    marks = [c for c in every if unicodedata.category(chr(c))[0] == "M"]
    changed = [c for c in every if unicodedata.decomposition(chr(c))]
    draw = random.Random(3)
    groups = [marks] * 4 + [changed] * 3 + [range(0x1100, 0x1200), range(0xAC00, 0xD7A4), range(97, 123)]
    for _ in range(600):
        text = ""
        for _ in range(draw.randint(1, 10)):
            text += chr(draw.choice(draw.choice(groups)))
            if draw.random() < 0.02:
                text += draw.choice(["[MASK]", "［MASK］"])
        yield text


def digest(tokenizer, lines):
    result = hashlib.sha256()
    for e in tokenizer.encode_batch(lines, add_special_tokens=False) if lines else []:
        result.update(struct.pack(f"<{len(e.ids) + 1}i", *e.ids, -1))
    return result.hexdigest()[:16]


def digests(tokenizer):
    """One digest for each 4096 code points."""
    for start in range(0, 0x110000, 4096):
        yield digest(tokenizer, ["a" + chr(c) + "b" + chr(c) for c in range(start, start + 4096)
                                 if c != 10 and not 0xD800 <= c < 0xE000])


def sequence(names, ids):
    """A tokenizer with these normalizers and no other."""
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.Sequence([getattr(normalizers, name)() for name in names.split()])
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def save(name, values):
    with open(os.path.join(HERE, name), "w") as f:
        f.write("{\n" + ",\n".join(
            f'"{k}": [\n' + ",\n".join(json.dumps(v, separators=(",", ":")) for v in vs) + "]"
            for k, vs in values.items()) + "\n}\n")


def main():
    with tempfile.NamedTemporaryFile("w", newline="", suffix=".txt") as f:
        f.write("".join(t + "\n" for t in vocabulary()))
        f.flush()
        tokenizers = {k: BertWordPieceTokenizer(f.name, **v) for k, v in MODES.items()}
    lines = list(torture())
    with open(os.path.join(HERE, "torture.txt"), "w", newline="") as f:
        f.write("".join(line + "\n" for line in lines))
    save("torture.json", {
        k: [e.ids for e in t.encode_batch(lines, add_special_tokens=False)]
        for k, t in tokenizers.items()})
    lines = list(combining())
    with open(os.path.join(HERE, "normalizers.txt"), "w", newline="") as f:
        f.write("".join(line + "\n" for line in lines))
    ids = {token: index for index, token in enumerate(vocabulary())}
    made = {names: sequence(names, ids) for names in SEQUENCES}
    save("normalizers.json", {
        names: list(digests(t)) + [digest(t, lines[i:i + 100]) for i in range(0, len(lines), 100)]
        for names, t in made.items()})
    save("codepoints.json", {k: list(digests(t)) for k, t in tokenizers.items()})


if __name__ == "__main__":
    sys.exit(main())
