#!/usr/bin/env python3
"""Prints minimal pairs of English sentences for `electra evaluate --minimal-pairs`: 500 pairs, 50 for each of ten
phenomena, made from the templates below. The output is Launch/pairs/english.tsv:

    Launch/pairs/make-pairs.py > Launch/pairs/english.tsv

Templates come in twos, in which the same form is right once and wrong once ("the boy sleeps, *sleep"; "the boys sleep,
*sleeps"). So among the sentences of a phenomenon, each word occurs as often in good ones as in bad ones: the
frequencies of words answer half of the pairs correctly. The two sentences of a pair have equally many words. The words
are common, so that vocabularies of little text contain them. The script checks all of this, and that no sentence
repeats. Nothing is random.
"""
from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from typing import Callable, Iterator, Sequence

Pair = tuple[str, str]  # good, bad

PEOPLE = ("boy girl king teacher doctor farmer soldier brother sister friend student mother father writer sailor "
          "servant baker painter driver visitor hunter lawyer singer prince neighbor").split()
THINGS = ("book letter horse chair stone ship key table bottle garden window picture coat hat ring basket box knife "
          "plate bell cup lamp boat wheel door").split()
ADJECTIVES = "old small heavy strange beautiful white broken little large new".split()
INTRANSITIVE = "sleep walk sing work play laugh wait speak travel run".split()
MEN = "king boy man father brother uncle son husband prince lord".split()
WOMEN = "queen girl woman mother sister aunt daughter wife princess actress".split()
ACTIONS = "hurt saw washed helped taught blamed praised hid defended admired".split()
TRANSITIVE = "found bought caught carried needed liked owned made lifted brought".split()
# Verbs that need exactly one object.
ONE_OBJECT = "carried needed liked owned lifted touched destroyed repaired admired described".split()
UNACCUSATIVE = "arrived slept laughed smiled fell cried came vanished coughed died".split()
WHEN = ["in the evening", "after dinner", "at night", "last week", "before the war"]
OFTEN = ["every day", "at night", "in the morning", "on Sundays", "after dinner"]
LEARNED = "knew saw heard remembered learned understood noticed discovered".split()
MASS = "water bread milk sand gold snow butter money rain wood sugar smoke silver grass meat".split()
PRONOUNS = [("he", "him"), ("she", "her"), ("they", "them"), ("we", "us"), ("I", "me")]
VERB_FORMS = {  # past and participle, with an object
    "ate eaten": "the bread", "wrote written": "the letter", "broke broken": "the window", "took taken": "the money",
    "saw seen": "the river", "gave given": "the order", "chose chosen": "the picture", "drove driven": "the horses",
    "stole stolen": "the gold", "did done": "the work", "drew drawn": "the map", "knew known": "the answer",
    "threw thrown": "the stone", "blew blown": "the horn", "began begun": "the work", "spoke spoken": "the truth",
    "flew flown": "the flag", "rode ridden": "the horse", "wore worn": "the coat", "tore torn": "the paper",
    "undertook undertaken": "the journey", "grew grown": "the corn", "shook shaken": "the tree",
    "froze frozen": "the meat", "swore sworn": "the oath"}


def pick(words: Sequence[str], index: int, step: int = 1) -> str:
    """The word with this index in a list that repeats with a shift, so that short lists combine in many ways."""
    return words[(index * step + index // len(words)) % len(words)]


def both(template: str, *forms: tuple[str, str]) -> Pair:
    """A pair that differs in one word: `forms` replace {} in the good and in the bad sentence."""
    return template.format(*[form[0] for form in forms]), template.format(*[form[1] for form in forms])


def subject_verb_agreement(i: int) -> list[Pair]:
    noun, other, verb = pick(PEOPLE, i), pick(PEOPLE, i + 7), pick(INTRANSITIVE, i, 3)
    one, many = (f" near the {other}s", f" near the {other}") if i % 2 else ("", "")
    return [both(f"The {noun}{one} {{}} {pick(OFTEN, i)}.", (f"{verb}s", verb)),
            both(f"The {noun}s{many} {{}} {pick(OFTEN, i)}.", (verb, f"{verb}s"))]


def determiner_noun_agreement(i: int) -> list[Pair]:
    one, many = ("this", "these") if i % 2 else ("that", "those")
    start = f"The {pick(PEOPLE, i)} {pick(TRANSITIVE, i, 3)} {{}} {pick(ADJECTIVES, i, 7)} "
    noun = pick([thing for thing in THINGS if thing not in ("knife", "box")], i)
    return [both(f"{start}{noun}.", (one, many)), both(f"{start}{noun}s.", (many, one))]


def anaphor_agreement(i: int) -> list[Pair]:
    man, woman, action = MEN[i % 10], WOMEN[(i + 3) % 10], pick(ACTIONS, i, 3)
    if i % 2:
        noun = pick(["boy", "father", "brother", "uncle", "son", "husband", "lord"], i // 2)
        return [both(f"The {noun} {action} {{}} {pick(WHEN, i)}.", ("himself", "themselves")),
                both(f"The {noun}s {action} {{}} {pick(WHEN, i)}.", ("themselves", "himself"))]
    return [both(f"The {man} {action} {{}} {pick(WHEN, i)}.", ("himself", "herself")),
            both(f"The {woman} {action} {{}} {pick(WHEN, i)}.", ("herself", "himself"))]


def binding(i: int) -> list[Pair]:
    man, woman, action = MEN[i % 10], pick(WOMEN, i, 3), pick(ACTIONS, i, 7)
    if i % 2:  # the head of the subject is the antecedent
        return [both(f"The {man} of the {woman} {action} {{}}.", ("himself", "herself")),
                both(f"The {woman} of the {man} {action} {{}}.", ("herself", "himself"))]
    return [both(f"The {man} thinks that the {woman} {action} {{}}.", ("herself", "himself")),
            both(f"The {woman} thinks that the {man} {action} {{}}.", ("himself", "herself"))]


def irregular_forms(i: int) -> list[Pair]:
    forms, thing = list(VERB_FORMS.items())[i]
    past, participle = forms.split()
    return [both(f"The {pick(PEOPLE, i)} had {{}} {thing}.", (participle, past)),
            both(f"The {pick(PEOPLE, i)} {{}} {thing}.", (past, participle))]


def argument_structure(i: int) -> list[Pair]:
    noun, verb, intransitive = pick(PEOPLE, i), pick(TRANSITIVE, i, 3), pick(UNACCUSATIVE, i, 7)
    return [both(f"The {noun} {{}} the {pick(THINGS, i)}.", (verb, intransitive)),
            both(f"The {noun} {{}} {pick(WHEN, i)}.", (intransitive, verb))]


def negative_polarity(i: int) -> list[Pair]:
    noun, other, verb = pick(PEOPLE, i), pick(PEOPLE, i + 9), pick(INTRANSITIVE, i, 3)
    if i % 2:
        return [both(f"The {noun} did not want {{}} {pick(MASS, i)}.", ("any", "no")),
                both(f"The {noun} wanted {{}} {pick(MASS, i)}.", ("no", "any"))]
    return [both(f"The {noun} does not {verb}, and the {other} does not {{}}.", ("either", "too")),
            both(f"The {noun} {verb}s, and the {other} does {{}}.", ("too", "either"))]


def filler_gap(i: int) -> list[Pair]:
    start = f"The {pick(PEOPLE, i)} {pick(LEARNED, i)} {{}} the {pick(PEOPLE, i + 11)} {pick(ONE_OBJECT, i, 3)}"
    return [both(f"{start} {pick(WHEN, i)}.", ("what", "that")),
            both(f"{start} the {pick(THINGS, i)} {pick(WHEN, i)}.", ("that", "what"))]


def quantifiers(i: int) -> list[Pair]:
    start = pick(["The {0} does not have {{}}", "The {0} bought too {{}}", "The {0} needed so {{}}",
                  "We know how {{}}", "The {0} never had {{}}"], i).format(pick(PEOPLE, i))
    end = f" the {pick(PEOPLE, i)} wanted" if "how" in start else ""
    return [both(f"{start} {pick([t + 's' for t in THINGS if t not in ('knife', 'box')], i)}{end}.", ("many", "much")),
            both(f"{start} {pick(MASS, i)}{end}.", ("much", "many"))]


def pronoun_case(i: int) -> list[Pair]:
    subject, object_ = PRONOUNS[i % 5]
    noun, verb = pick(PEOPLE, i), pick("helped followed found called met visited answered knew heard".split(), i)
    return [both(f"{{}} {verb} the {noun} {pick(WHEN, i, 2)}.", (subject, object_)),
            both(f"The {noun} {verb} {{}} {pick(WHEN, i, 2)}.", (object_, subject))]


PHENOMENA: list[Callable[[int], list[Pair]]] = [
    subject_verb_agreement, determiner_noun_agreement, anaphor_agreement, binding, irregular_forms, argument_structure,
    negative_polarity, filler_gap, quantifiers, pronoun_case]


def words(sentences: Iterator[str]) -> Counter[str]:
    """How often each word occurs, in lower case."""
    return Counter(word for sentence in sentences for word in re.findall(r"[a-z]+", sentence.lower()))


def check(pairs: list[Pair]) -> None:
    """Checks the pairs of a phenomenon: their number, equal lengths, no repetition, balanced words."""
    assert len(pairs) == 50
    assert len({sentence for pair in pairs for sentence in pair}) == 100, "a sentence occurs twice"
    assert all(len(good.split()) == len(bad.split()) for good, bad in pairs)
    assert words(good for good, _ in pairs) == words(bad for _, bad in pairs), "words give the answer away"


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    lines = ["phenomenon\tgood\tbad"]
    for make in PHENOMENA:
        pairs = [(good[0].upper() + good[1:], bad[0].upper() + bad[1:]) for i in range(25) for good, bad in make(i)]
        check(pairs)
        lines += [f"{make.__name__}\t{good}\t{bad}" for good, bad in pairs]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
