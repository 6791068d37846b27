"""Checks the links of README and guide, and translates them for docc. Used by check.py."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Iterator

from pages import Page

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
# A file of the repository in backquotes; files of a target may omit `Sources/`.
FILE = re.compile(r"`((?:Sources/|Tests/|Launch/|[A-Z]\w+/)[\w+./-]+\.(?:swift|sh|py|h|sbatch|def))")


def problems(page: Page, root: Path) -> Iterator[str]:
    """A message for each link to a file or heading that does not exist, and for each such file in backquotes.

    Links to web sites are not followed. A link must be on one line, because this function reads line by line.
    """
    for number, line in page.prose():
        for name in FILE.findall(line):
            if not any((folder / name).exists() for folder in (root, root / "Sources")):
                yield f"{page.location(number)}: there is no file {name}"
        for _, _, target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (page.path.parent / name).resolve() if name else page.path
            if not path.exists() or root.resolve() not in [path, *path.parents]:
                yield f"{page.location(number)}: there is no file {target}"
            elif anchor and anchor not in Page(path, root.resolve() if name else root).anchors():
                yield f"{page.location(number)}: {path.name} has no heading for #{anchor}"
        if re.search(r"\[[^\]]*$", line) or re.search(r"\]\([^)]*$", line):
            yield f"{page.location(number)}: the line ends inside a link or bracket"


def translate_links(page: Page, translate: Callable[[re.Match[str]], str]) -> str:
    """The page's text with each link (mark of an image, text, target) outside of code blocks replaced."""
    in_code, lines = False, []
    for line in page.text.splitlines():
        in_code ^= line.startswith("```")
        lines.append(line if in_code else LINK.sub(translate, line))
    return "\n".join(lines) + "\n"


def for_docc(page: Page, catalog: Path) -> str:
    """The page's text with `doc:` links to articles. Links to other files of the repository become plain text."""

    def translate(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            return match[0]
        path = (page.path.parent / name).resolve() if name else page.path
        if image:
            return f"![{text}]({path.name})"
        if path.parent != catalog.resolve() or path.suffix != ".md":
            return text
        heading = Page(path, catalog.resolve()).anchors()[anchor].replace(" ", "-") if anchor else ""
        return f"[{text}](doc:{path.stem}{'#' + heading if heading else ''})"

    return translate_links(page, translate)
