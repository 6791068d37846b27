"""Checks that commands in code blocks of README and guide are valid and are run by a test or script. Used by check.py.

The argument parser must know the verb, options and values of a command of electra. Contributing.md has a table
"Commands of this guide": the beginning of a command, and links to the tests or scripts that run it, or a reason why
none does. Every command must begin with an entry of that table, and one of the linked files must contain the verb or
script.
"""
from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Iterator, Optional

from options import Verb
from pages import Page, rows

TABLE = "Commands of this guide"
# Scripts that take options of mpirun and then a verb of electra.
LAUNCHERS = ("Launch/mpirun.sh", "Launch/keep-going.sh")
WRAPPERS = ("mpirun", "srun", "nohup", "apptainer", "cat", "exec")


def split(command: str) -> Iterator[list[str]]:
    """The simple commands of a line, as words, without variable assignments, redirections and comments."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    skip = False
    for word in lexer:
        if skip:
            skip = False
        elif set(word) <= set("<>"):
            skip = True
        elif set(word) <= set("|&;()"):
            yield words
            words = []
        elif words or not re.match(r"[A-Z_]+=", word):
            words.append(word)
    yield words


def electra_arguments(words: list[str], verbs: dict[str, Verb]) -> Optional[list[str]]:
    """The verb and its arguments if the command starts electra, alone or through a script; else None."""
    if words[0] in LAUNCHERS:
        first_words = {name.split()[1] for name in verbs if " " in name}
        return words[next((index for index, word in enumerate(words) if word in first_words), len(words)):]
    if "Launch/electra.sbatch" in words:
        arguments = words[words.index("Launch/electra.sbatch") + 1:]
        return ["pretrain", *arguments] if arguments[0].startswith("-") else arguments
    if words[0] == "electra":
        return words[1:]
    return words[words.index("electra") + 1:] if words[0] in WRAPPERS and "electra" in words else None


def find_verb(arguments: list[str], verbs: dict[str, Verb]) -> tuple[Optional[Verb], list[str]]:
    """The verb at the beginning of the arguments, None if there is none, and the other arguments."""
    for length in (2, 1):
        verb = verbs.get(" ".join(["electra", *arguments[:length]]))
        if verb:
            return verb, arguments[length:]
    return None, arguments


def invalid(verb: Verb, arguments: list[str]) -> Optional[str]:
    """The reason why the argument parser would reject the arguments; None if it would accept them."""
    given: set[str] = set()
    positionals = 0
    takes_several = False  # the last option takes all words up to the next option
    words = iter(arguments)
    for word in words:
        if not re.match(r"--?[a-z]", word):
            positionals += not takes_several
            continue
        option, _, value = word.partition("=")
        argument = verb.options.get(option)
        if argument is None:
            return f"`{verb.name}` has no option {option}"
        given.add(option)
        takes_several = argument.get("parsingStrategy") == "upToNextOption"
        if argument["kind"] != "option":
            continue
        value = value or next(words, "")
        allowed = argument.get("allValues") or argument.get("allValueStrings")
        if not value or allowed and value not in allowed:
            return f"{option} cannot be '{value}'"
    missing = [name for name, argument in verb.options.items() if not argument["isOptional"] and name not in given
               and not argument.get("defaultValue") and argument["kind"] == "option"]
    if missing:
        return f"{missing[0]} is missing"
    needed = sum(not argument["isOptional"] for argument in verb.positionals)
    most = 10**6 if any(argument["isRepeating"] for argument in verb.positionals) else len(verb.positionals)
    return None if needed <= positionals <= most else f"`{verb.name}` does not take {positionals} positional arguments"


def begins(command: str, entry: str) -> bool:
    """Whether a command begins with the words of an entry; an entry that ends with a slash is a folder of scripts."""
    return command.startswith(entry if entry.endswith("/") else entry + " ") or command == entry


def unsupported_entries(page: Page) -> Iterator[str]:
    """A message for each entry of the table whose linked files do not contain its verb or script."""
    for number, heading, cells in rows(page):
        targets = re.findall(r"\]\(([^)]+)\)", cells[-1])
        if heading != TABLE or not targets or "by hand:" in cells[-1]:
            continue
        word = re.split(r"[ /]", cells[0].strip("`"))[-1]
        paths = [page.path.parent / target for target in targets]
        if not any(path.exists() and word in path.read_text(encoding="utf-8") for path in paths):
            yield f"{page.location(number)}: no linked file contains {word}"


def problems(pages: list[Page], contributing: Page, verbs: dict[str, Verb], root: Path) -> Iterator[str]:
    """A message for each command that is invalid, not in the table, or a script that does not exist."""
    entries = [cells[0].strip("`") for _, heading, cells in rows(contributing) if heading == TABLE]
    used: set[str] = set()
    yield from unsupported_entries(contributing)
    for page in pages:
        for number, line in page.commands():
            for words in split(line):
                if not words or words[0] == "export":
                    continue
                for script in re.findall(r"\bLaunch/[\w./-]+", " ".join(words)):
                    if not (root / script).exists():
                        yield f"{page.location(number)}: there is no {script}"
                arguments = electra_arguments(words, verbs)
                beginnings = [" ".join(words)]
                if arguments is not None and arguments[:1] != ["--version"]:
                    verb, rest = find_verb(arguments, verbs)
                    reason = invalid(verb, rest) if verb else f"there is no verb {' '.join(arguments[:1])}"
                    if reason:
                        yield f"{page.location(number)}: {reason}"
                    if verb and words[0] == "electra":
                        beginnings = [verb.name]
                found = [entry for entry in entries if any(begins(text, entry) for text in beginnings)]
                used.update(found)
                if not found:
                    yield f"{page.location(number)}: not in the table of {contributing.name}: {beginnings[0]}"
    for entry in entries[1:]:
        if entry not in used:
            yield f"{contributing.name}: {entry} is in the table of commands but in no code block"
