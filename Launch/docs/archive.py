"""Writes README.md and the guide into the folder of a release. Called by release.sh:

    python3 Launch/docs/archive.py ROOT FOLDER

The articles become FOLDER/guide. Links lead to articles and to files that FOLDER has (Launch); other links become
plain text. Needs Python 3.9 and no packages.
"""
from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from links import translate_links
from pages import CATALOG, Page


def new_path(path: Path, root: Path) -> Path:
    """Where a file of the repository is in a release, relative to its folder."""
    path = path.relative_to(root)
    return Path("guide", path.name) if path.parent == Path(CATALOG) else path


def for_archive(page: Page, root: Path, folder: Path) -> str:
    """The page's text with links that are valid in `folder`."""
    start = new_path(page.path, root).parent

    def translate(match: re.Match[str]) -> str:
        image, text, target = match.groups()
        name, hash_mark, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not name:
            return match[0]
        path = new_path((page.path.parent / name).resolve(), root)
        if path.parts[0] != "guide" and not (folder / path).exists():
            return text
        return f"{image}[{text}]({os.path.relpath(path, start)}{hash_mark}{anchor})"

    return translate_links(page, translate)


def main() -> None:
    root, folder = (Path(argument).resolve() for argument in sys.argv[1:])
    catalog = root / CATALOG
    (folder / "guide").mkdir()
    for path in [root / "README.md", *sorted(catalog.glob("*.md"))]:
        text = for_archive(Page(path, root), root, folder)
        (folder / new_path(path, root)).write_text(text, encoding="utf-8")
    for path in catalog.glob("*.svg"):
        shutil.copy(path, folder / "guide")


if __name__ == "__main__":
    main()
