"""Reads the options of electra's verbs, and checks that Options.md lists them all. Used by check.py.

A section of Options.md names verbs in its heading, as in "## `electra pretrain`, `electra flops`: recipe". Its table
has an option in the first cell of each row and its default in the second. All sections of a verb together must list all
of its options and no others. A default in backquotes must equal the program's.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterator

from pages import Page, rows


@dataclass
class Verb:
    """A verb and its arguments, as in the argument parser's dump, without hidden options.

    Options are keyed by name, dashes included.
    """

    name: str
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    positionals: list[dict[str, Any]] = field(default_factory=list)


def verbs(command: dict[str, Any], path: str = "") -> dict[str, Verb]:
    """All verbs without subcommands, keyed by full name such as `electra benchmark step`."""
    name = f"{path} {command['commandName']}".strip()
    subcommands = [sub for sub in command.get("subcommands", []) if sub["commandName"] != "help"]
    found = {}
    for subcommand in subcommands:
        found.update(verbs(subcommand, name))
    if subcommands:
        return found
    verb = Verb(name)
    for argument in command.get("arguments", []):
        if argument["kind"] == "positional":
            verb.positionals.append(argument)
            continue
        if not argument.get("shouldDisplay", True):
            continue
        for spelling in argument["names"]:
            option = ("--" if spelling["kind"] == "long" else "-") + spelling["name"]
            if option not in ("--help", "-h", "--version"):
                verb.options[option] = argument
    return {name: verb}


def problems(page: Page, all_verbs: dict[str, Verb]) -> Iterator[str]:
    """A message for each option that Options.md lacks or that no verb has, and for each wrong default."""
    listed: dict[str, set[str]] = {name: set() for name in all_verbs}
    for number, heading, cells in rows(page):
        options = re.findall(r"`(-[\w-]+)", cells[0])
        for name in re.findall(r"`(electra [\w -]+)`", heading):
            if name not in all_verbs:
                yield f"{page.location(number)}: there is no verb `{name}`"
                continue
            for option in options:
                listed[name].add(option)
                argument = all_verbs[name].options.get(option)
                if argument is None:
                    yield f"{page.location(number)}: `{name}` has no option {option}"
                    continue
                written = re.fullmatch(r"`([^`]*)`", cells[1])
                default = argument.get("defaultValue")
                if written and written[1] != default:
                    yield f"{page.location(number)}: the default of `{name}` {option} is {default}, not {written[1]}"
    for name, verb in all_verbs.items():
        for option in sorted(set(verb.options) - listed[name]):
            yield f"{page.name}: `{name}` {option} is missing"
