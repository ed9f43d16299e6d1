"""Writes what the docs take from the code: docs/cli.md from the help texts. A test compares."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

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


def main() -> None:
    """Write every made page."""
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    sys.stdout.write("docs/cli.md\n")


if __name__ == "__main__":
    main()
