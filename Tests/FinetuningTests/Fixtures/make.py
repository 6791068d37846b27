"""Writes metrics.json: scores of random answers by scikit-learn, scipy and seqeval, and scores of random
texts by the rules of SQuAD's two evaluators, which are implemented again below.

    pip install scikit-learn scipy seqeval
    python make.py
"""

import collections
import json
import math
import pathlib
import random
import re
import string
import warnings

import numpy
from scipy import stats
from seqeval import metrics as seqeval
from seqeval.metrics.sequence_labeling import get_entities
from sklearn import metrics as sklearn

warnings.filterwarnings("ignore")
draw = random.Random(7)


def number(value):
    return None if math.isnan(value) else float(value)


# Labels

def labels(gold, predicted):
    case = {
        "gold": gold,
        "predicted": predicted,
        "accuracy": sklearn.accuracy_score(gold, predicted),
        "matthews": number(sklearn.matthews_corrcoef(gold, predicted)),
        "macro_f1": sklearn.f1_score(gold, predicted, average="macro", zero_division=0),
    }
    if max(gold + predicted) < 2:
        case["f1"] = sklearn.f1_score(gold, predicted, zero_division=0)
    return case


def label_cases():
    cases = [
        labels([0, 0, 0], [0, 0, 0]), labels([1, 1, 1], [1, 1, 1]), labels([1, 1], [0, 0]),
        labels([0, 1, 0, 1], [0, 0, 0, 0]), labels([0, 0, 0, 0], [0, 1, 0, 1]),
        labels([1], [1]), labels([0, 2, 2], [2, 0, 2]), labels([3, 3], [0, 1]),
    ]
    for count in (2, 2, 2, 3, 3, 5):
        for size in (2, 7, 60):
            gold = [draw.randrange(count) for _ in range(size)]
            predicted = [g if draw.random() < 0.6 else draw.randrange(count) for g in gold]
            cases.append(labels(gold, predicted))
    return cases


# Correlations

def correlations(first, second):
    return {
        "first": first,
        "second": second,
        "pearson": number(stats.pearsonr(first, second).statistic),
        "spearman": number(stats.spearmanr(first, second).statistic),
    }


def correlation_cases():
    cases = [
        correlations([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), correlations([1.0, 2.0], [2.0, 2.0]),
        correlations([0.0, 1.0], [5.0, -5.0]), correlations([1e-300, 2e-300, 4e-300], [1.0, 3.0, 2.0]),
        correlations([1e200, -1e200, 3e200], [1.0, 2.0, 3.0]),
        correlations([0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]),
        correlations([1e9 + 0.5, 1e9 + 1.0, 1e9 + 1.25], [0.0, 1.0, 1.0]),
    ]
    for size in (3, 10, 80):
        for steps in (3, 25, 1000):
            first = [draw.randrange(steps) / steps * 5 for _ in range(size)]
            second = [round(0.5 * x + draw.gauss(0, 1), 1) for x in first]
            cases.append(correlations(first, second))
    return cases


# Entities

def entities(gold, predicted):
    return {
        "gold": gold,
        "predicted": predicted,
        "entities": [[[k, a, b] for k, a, b in get_entities(tags)] for tags in predicted],
        "precision": float(seqeval.precision_score(gold, predicted, zero_division=0)),
        "recall": float(seqeval.recall_score(gold, predicted, zero_division=0)),
        "f1": float(seqeval.f1_score(gold, predicted, zero_division=0)),
        "accuracy": float(seqeval.accuracy_score(gold, predicted)),
    }


def entity_cases():
    cases = [
        entities([["O", "O"]], [["O", "O"]]), entities([["B-X", "I-X"]], [["O", "O"]]),
        entities([["O", "O"]], [["B-X", "I-X"]]), entities([["B-X", "I-X"]], [["B-X", "I-X"]]),
        entities([["I-X", "I-X", "B-X"]], [["B-X", "I-X", "I-X"]]),
        entities([["S-X", "B-Y", "E-Y"]], [["S-X", "B-Y", "I-Y"]]),
        entities([["B-a-b", "I-a-b"]], [["B-a-b", "I-a-c"]]),
        entities([["B", "I", "O"]], [["I", "I", "O"]]),
    ]
    for borders in ("BI", "BIES", "BIESBI"):
        for kinds in (["X"], ["X", "Y", "Z-W"]):
            for sentences in (1, 6):
                tags = ["O"] + [b + "-" + k for b in borders for k in kinds]
                gold = [[draw.choice(tags) for _ in range(draw.randrange(1, 12))] for _ in range(sentences)]
                predicted = [[t if draw.random() < 0.7 else draw.choice(tags) for t in s] for s in gold]
                cases.append(entities(gold, predicted))
    return cases


# SQuAD, by the rules of evaluate-v1.1.py and evaluate-v2.0.py

def normalize(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(predicted, gold, version):
    p, g = normalize(predicted).split(), normalize(gold).split()
    if version == 2 and (not p or not g):
        return float(p == g)
    same = sum((collections.Counter(p) & collections.Counter(g)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(p), same / len(g)
    return 2 * precision * recall / (precision + recall)


def judge(text, golds, version):
    if version == 2:
        golds = [g for g in golds if normalize(g)] or [""]
    return (
        max(float(normalize(text) == normalize(g)) for g in golds),
        max(f1(text, g, version) for g in golds),
    )


def best_threshold(texts, scores, odds, has_answer):
    current = sum(1 for has in has_answer if not has)
    best, threshold = current, 0.0
    for i in sorted(range(len(texts)), key=lambda i: odds[i]):
        current += scores[i] if has_answer[i] else (-1 if texts[i] else 0)
        if current > best:
            best, threshold = current, odds[i]
    return best / len(scores), threshold


WORDS = (
    "the a an The AN Theory cat dog's U.S. 1,000 $5 ½ II Ⅳ café cafe\u0301 ΣΑΣ Σ İstanbul naïve the–cat a\u0301b "
    "東京 __x__ a_b x\u00a0y x\u2003y «the» \u200bzero 'tis (an) --- ... \x1cfs ß ẞ ǅ"
).split(" ")


def text():
    return " ".join(draw.choice(WORDS) for _ in range(draw.randrange(0, 5)))


def answer_case(version, size, threshold=0.0):
    questions = []
    for number in range(size):
        golds = [text() for _ in range(draw.randrange(1, 4))]
        if version == 2 and draw.random() < 0.4:
            golds = []
        best = draw.choice(golds) if golds and draw.random() < 0.4 else text()
        odds = round(draw.gauss(0, 3), 2)
        given = "" if version == 2 and odds > threshold else best
        questions.append({"golds": golds, "best": best, "given": given, "odds": odds})
    given = [judge(q["given"], q["golds"], version) for q in questions]
    best = [judge(q["best"], q["golds"], version) for q in questions]
    has = [bool(q["golds"]) for q in questions]

    def mean(scores, index, wanted=(True, False)):
        chosen = [s[index] for s, h in zip(scores, has) if h in wanted]
        return sum(chosen) / len(chosen) if chosen else 0.0

    texts, odds = [q["best"] for q in questions], [q["odds"] for q in questions]
    exact, _ = best_threshold(texts, [b[0] for b in best], odds, has)
    overlap, limit = best_threshold(texts, [b[1] for b in best], odds, has)
    return {
        "version": version,
        "questions": questions,
        "exact_match": mean(given, 0), "answer_f1": mean(given, 1),
        "has_answer_exact_match": mean(given, 0, [True]), "has_answer_f1": mean(given, 1, [True]),
        "no_answer_accuracy": mean(given, 0, [False]),
        "best_exact_match": exact, "best_answer_f1": overlap, "best_null_threshold": limit,
    }


def main():
    texts = sorted({text() for _ in range(150)} | set(WORDS))
    fixture = {
        "labels": label_cases(),
        "correlations": correlation_cases(),
        "entities": entity_cases(),
        "words": [{"text": t, "words": normalize(t).split()} for t in texts],
        "answers": [answer_case(v, n) for v in (1, 2) for n in (1, 2, 40, 40)],
    }
    path = pathlib.Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps(fixture, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n")


main()
