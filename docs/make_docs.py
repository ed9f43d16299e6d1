"""Writes what the docs take from the code: docs/cli.md from the help texts, and the tables of docs/formats.md.

Tests compare. In docs/formats.md only what stands between a line ``<!-- NAME: made by make_docs.py -->`` and the line
``<!-- /NAME -->`` is made; the rest is written by hand.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tieraudit.formats import Format

DOCS = Path(__file__).resolve().parent
HEAD = """\
# The command line

Made from the code by `uv run python docs/make_docs.py`; a test compares.

stdout is data, stderr is talk. Exit codes: 0 done, 1 alarm or failed check, 2 usage or config, 3 input, 4 backend,
5 budget reached before a decision, 130 interrupted.
"""


def help_of(*words: str) -> str:
    """What ``tieraudit WORDS --help`` prints at 100 columns."""
    from tieraudit.cli.main import run

    os.environ["COLUMNS"] = "100"
    os.environ["TERMINAL_WIDTH"] = "100"
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        run([*words, "--help"])
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines()).strip()


def cli_page() -> str:
    """The text of docs/cli.md."""
    from tieraudit.cli.main import COMMANDS

    parts = [HEAD, f"```\n{help_of()}\n```\n"]
    for command in COMMANDS:
        parts.append(f"## tieraudit {command}\n\n```\n{help_of(command)}\n```\n")
    return "\n".join(parts)


def formats_page() -> str:
    """The text of docs/formats.md with its tables made anew."""
    from tieraudit.formats import FORMATS

    formats = [FORMATS.get(name) for name in FORMATS.names()]
    page = (DOCS / "formats.md").read_text(encoding="utf-8")
    page = _replaced(page, "overview", _overview(formats))
    return _replaced(page, "receipts", "\n\n".join(map(_receipt, formats)))


def _replaced(page: str, name: str, text: str) -> str:
    between = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.S)
    made, count = between.subn(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
    if count != 1:
        raise ValueError(f"docs/formats.md: no place for {name}")
    return made


def _overview(formats: Iterable[Format]) -> str:
    lines = ["| name | what it is | holds | prompts and answers |", "|---|---|---|---|"]
    for item in formats:
        content = "yes" if "messages" in item.fields else "no"
        lines.append(f"| [`{item.name}`](#{item.name}) | {item.title} | {_kinds(item)} | {content} |")
    return "\n".join(lines)


def _kinds(item: Format) -> str:
    signs = (("started_at", "calls"), ("feedback", "feedback"), ("billed", "billed sums"))
    return ", ".join(kind for field, kind in signs if field in item.fields)


def _receipt(item: Format) -> str:
    """One format: where each field comes from, which fields it cannot carry, and how its content gets into the log."""
    from tieraudit.formats.base import FIELDS, Joining
    from tieraudit.pipeline.content_cures import CURES

    rows: list[tuple[list[str], str]] = []
    for field in FIELDS:
        source = item.fields.get(field)
        # Fields in a row that stand in the same place are one line of the table.
        if source is not None and rows and source in ("the same", rows[-1][1]):
            rows[-1][0].append(field)
        elif source is not None:
            rows.append(([field], source))
    parts = [f"### {item.name}", f"{item.title}."]
    if isinstance(item, Joining):
        parts[1] += " A call may stand in several rows, and in several files."
    table = ["| field | where it comes from |", "|---|---|"]
    table += [f"| {_names(fields)} | {source.replace('|', chr(92) + '|')} |" for fields, source in rows]
    parts.append("\n".join(table))
    # A bill is no field of a call, so its lack says nothing of a format that has calls.
    missing = [field for field in FIELDS if field not in item.fields and field != "billed"]
    if "started_at" not in item.fields:
        parts.append("Nothing else: it holds no calls.")
    elif missing:
        parts.append(f"Not in this format: {_names(missing)}.")
    cures = [(state, told) for (name, state), told in CURES.items() if name == item.name]
    if cures:
        parts.append(
            "\n".join(f"- Calls are `{state}`: {cause}. The way out: {cure}." for state, (cause, cure) in cures)
        )
    return "\n\n".join(parts)


def _names(fields: Iterable[str]) -> str:
    return ", ".join(f"`{field}`" for field in fields)


def main() -> None:
    """Write every made page."""
    for name, page in (("cli.md", cli_page), ("formats.md", formats_page)):
        (DOCS / name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
