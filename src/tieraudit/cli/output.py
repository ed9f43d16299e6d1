"""The one owner of stdout: a command's result as text for people or as JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tieraudit.cli.diagnostics import printable


def print_json(result: Mapping[str, Any]) -> None:
    """``result`` as one JSON document; money is a string, times are ISO 8601."""
    sys.stdout.write(json.dumps(result, default=_plain, indent=2, ensure_ascii=False) + "\n")


def print_bytes(data: bytes) -> None:
    """Ready-made bytes, such as a rendered report."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_text(text: str) -> None:
    """One or more plain lines."""
    sys.stdout.write(printable(text) + "\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", right: Sequence[str] = ()
) -> None:
    """A table; columns named in ``right`` are right-aligned. Cells are plain text and are escaped here."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    Console(highlight=False, soft_wrap=False).print(table)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"not JSON: {type(value).__name__}")
