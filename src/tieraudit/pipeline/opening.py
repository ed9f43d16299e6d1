"""A log opened: its format found out from its first records, and its rows handed on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tieraudit.domain import JsonObject
from tieraudit.errors import InputError
from tieraudit.formats import FORMATS
from tieraudit.formats.base import Format
from tieraudit.formats.detect import detect
from tieraudit.formats.framing import Block, Broken, Raw, Row, parsed
from tieraudit.formats.rows import taken_apart
from tieraudit.pipeline.computed import computed
from tieraudit.pipeline.sources import Source

SAMPLE = 20
SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class Log:
    """One opened log: its format, and its rows in order, each read only when asked for."""

    name: str
    format: Format
    rows: Iterator[Raw]
    root: Path | None = None


def open_log(source: Source, format_name: str = "auto", mapping: Path | None = None) -> Log:
    """Open ``source`` and find out its format; raises `InputError` when it is no log, `UsageError` for a wrong name."""
    rows = source.rows()
    head, sample = _head(rows)
    if not sample and not any(isinstance(raw, Broken) or (isinstance(raw, Block) and raw.data.strip()) for raw in head):
        raise InputError(f"{source.name}: no records in it", hint="check the export; it holds an empty list")
    if mapping is not None:
        from tieraudit.formats.mapped import Mapped

        log_format: Format = Mapped.from_toml(mapping)
        # Wrong SQL is an error of the mapping, told before the first row is read.
        list(computed(log_format, mapping, head[:1]))
    elif format_name != "auto":
        log_format = FORMATS.get(format_name)
    else:
        log_format = detect(sample, source.name)
    return Log(source.name, log_format, chain(head, rows), source.root)


def first_records(source: Source) -> list[JsonObject]:
    """A few records of ``source``, for a starter mapping; raises `InputError` when it is no log."""
    return _head(source.rows())[1]


def _head(rows: Iterator[Raw]) -> tuple[list[Raw], list[JsonObject]]:
    head: list[Raw] = []
    sample: list[JsonObject] = []
    seen = 0
    for raw in rows:
        head.append(raw)
        for one in taken_apart((raw,)):
            seen += 1
            row = parsed(one)
            if isinstance(row, Row):
                sample.append(row.record)
            if len(sample) == SAMPLE or seen == SAMPLE_ROWS:
                return head, sample
    return head, sample
