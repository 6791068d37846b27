"""Reads the Markdown pages of README and guide: prose, headings, code blocks, tables. Used by check.py."""
from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

CATALOG = "Sources/Commands/Documentation.docc"


class Page:
    """A Markdown file."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(root))
        self.text = path.read_text(encoding="utf-8")

    def location(self, line: int) -> str:
        """File and line, for a message."""
        return f"{self.name}:{line}"

    def lines(self) -> Iterator[tuple[int, str, str | None]]:
        """Number and text of each line, and the language of its code block; None outside of code blocks."""
        language = None
        for number, line in enumerate(self.text.splitlines(), 1):
            if line.startswith("```"):
                language = None if language is not None else line[3:].strip()
            else:
                yield number, line, language

    def prose(self) -> Iterator[tuple[int, str]]:
        """Number and text of each line outside of code blocks."""
        return ((number, line) for number, line, language in self.lines() if language is None)

    def headings(self) -> Iterator[tuple[int, int, str]]:
        """Line, level and text of each heading."""
        for number, line in self.prose():
            match = re.match(r"(#+) (.+)", line)
            if match:
                yield number, len(match[1]), match[2]

    def anchors(self) -> dict[str, str]:
        """The heading of each anchor, as forges make them: lower case, hyphens for spaces, no punctuation."""
        return {
            re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"): heading for _, _, heading in self.headings()}

    def commands(self) -> Iterator[tuple[int, str]]:
        """Line and text of each command in `sh` code blocks; continued lines are joined."""
        command, start = "", 0
        for number, line, language in self.lines():
            if language != "sh":
                continue
            start = start if command else number
            command += line.rstrip("\\") if line.endswith("\\") else line
            if not line.endswith("\\"):
                if command.strip() and not command.lstrip().startswith("#"):
                    yield start, command.strip()
                command = ""


def rows(page: Page) -> Iterator[tuple[int, str, list[str]]]:
    """Line, last heading and cells of each row of a table, without the row of hyphens."""
    heading = ""
    for number, line in page.prose():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif line.startswith("|") and not re.fullmatch(r"[|\-: ]+", line):
            # An escaped bar is part of the text.
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            yield number, heading, [cell.strip() for cell in cells]
