"""Checks README.md and the guide, and converts them to a catalog for docc. Called by docs.sh:

    python3 Launch/docs/check.py ROOT HELP.json OUTPUT.docc

HELP.json is the output of `electra --experimental-dump-help`. The guide is plain Markdown with relative links, which
work on any forge. docc needs `doc:` links, so the copy in OUTPUT.docc has those. README.md becomes the first page.

Checks links (links.py), Options.md (options.py) and commands in code blocks (commands.py). Prints each problem as one
line on standard error; the exit status is 65 if there is any. Needs Python 3.9 and no packages.
"""
from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import commands
import links
import options
from pages import CATALOG, Page

ROOT_METADATA = "@Metadata {\n  @TechnologyRoot\n}\n"


def write_catalog(pages: list[Page], catalog: Path, output: Path) -> None:
    """Copies the guide to `output` with links for docc.

    README.md becomes the root page. Its topics are all articles, in the order in which it links to them.
    """
    shutil.copytree(catalog, output)
    topics = [page for page in pages if page.path.parent == catalog]
    for page in pages:
        text = links.for_docc(page, catalog)
        if page.path.name == "README.md":
            title, rest = text.split("\n", 1)
            linked = re.findall(r"\(doc:([\w-]+)\)", text)
            order = sorted(topics, key=lambda topic: linked.index(topic.path.stem) if topic.path.stem in linked else 99)
            entries = "".join(f"- <doc:{topic.path.stem}>\n" for topic in order)
            text = f"{title}\n\n{ROOT_METADATA}{rest}\n## Topics\n\n### Articles\n\n{entries}"
            (output / "electra.md").write_text(text, encoding="utf-8")
        else:
            (output / page.path.name).write_text(text, encoding="utf-8")


def main() -> None:
    root, help_file, output = (Path(argument) for argument in sys.argv[1:])
    catalog = root / CATALOG
    pages = [Page(path, root) for path in [root / "README.md", *sorted(catalog.glob("*.md"))]]
    with open(help_file, encoding="utf-8") as file:
        verbs = options.verbs(json.load(file)["command"])
    by_name = {page.path.name: page for page in pages}
    problems = [problem for page in pages for problem in links.problems(page, root)]
    problems += options.problems(by_name["Options.md"], verbs)
    problems += commands.problems(pages, by_name["Contributing.md"], verbs, root)
    unlisted = [page.path.name for page in pages[1:] if f"/{page.path.name})" not in by_name["README.md"].text]
    problems += [f"README.md: no link to {name}" for name in unlisted]
    if problems:
        print("\n".join(problems), file=sys.stderr)
        sys.exit(65)
    write_catalog(pages, catalog, output)


if __name__ == "__main__":
    main()
