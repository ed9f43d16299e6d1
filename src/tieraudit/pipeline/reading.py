"""Log files as calls: which files a path means, the format of each, and every row as a call or in quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tieraudit.domain import Call, JsonObject, Quarantined
from tieraudit.errors import InputError, Rejected
from tieraudit.formats import FORMATS
from tieraudit.formats.base import Format, Where
from tieraudit.formats.detect import detect
from tieraudit.formats.framing import Broken, Row, read_rows

SUFFIXES = (".json", ".jsonl", ".ndjson", ".gz")
SAMPLE = 20
SAMPLE_ROWS = 200


@dataclass(slots=True)
class Found:
    """The files that a command line means, those in a directory that are no logs by name, and paths that are wrong."""

    files: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[InputError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Log:
    """One opened file: its format, and its rows in order, each read only when asked for."""

    path: Path
    format: Format
    rows: Iterator[Call | Quarantined]


def find_files(paths: Sequence[Path]) -> Found:
    """Files as given, directories walked in order of name for ``.json .jsonl .ndjson .gz``; each file once."""
    found = Found()
    known: set[Path] = set()
    for path in paths:
        if not path.exists():
            found.failed.append(InputError(f"{path}: there is no such file or directory", hint="check the path"))
            continue
        inside = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        chosen = [item for item in inside if item == path or item.name.lower().endswith(SUFFIXES)]
        found.skipped += [item for item in inside if item not in set(chosen)]
        if not chosen:
            hint = (
                f"files in a directory are read when they end in {' '.join(SUFFIXES)}; others can be named one by one"
            )
            found.failed.append(InputError(f"{path}: no log files in this directory", hint=hint))
        for item in chosen:
            if item.resolve() not in known:
                known.add(item.resolve())
                found.files.append(item)
    return found


def open_log(path: Path, format_name: str = "auto") -> Log:
    """Open ``path`` and find out its format; raises `InputError` when it is no log, `UsageError` for a wrong name."""
    rows = read_rows(path)
    head: list[Row | Broken] = []
    sample: list[JsonObject] = []
    for row in rows:
        head.append(row)
        if isinstance(row, Row):
            sample.append(row.record)
        if len(sample) == SAMPLE or len(head) == SAMPLE_ROWS:
            break
    if not head:
        raise InputError(f"{path}: no records in it", hint="check the export; it holds an empty list")
    log_format = detect(sample, str(path)) if format_name == "auto" else FORMATS.get(format_name)
    return Log(path, log_format, _calls(path, log_format, chain(head, rows)))


def _calls(path: Path, log_format: Format, rows: Iterator[Row | Broken]) -> Iterator[Call | Quarantined]:
    file = str(path)
    for row in rows:
        if isinstance(row, Broken):
            yield Quarantined(file, row.line, row.reason, row.excerpt)
            continue
        try:
            yield from log_format.calls(row.record, Where(file, row.line))
        except Rejected as reason:
            yield Quarantined(file, row.line, reason.message, _beginning(row.record))
        except RecursionError:
            yield Quarantined(file, row.line, "nested too deeply", _beginning(row.record))


def _beginning(record: JsonObject) -> str:
    return "keys: " + ", ".join(str(key)[:40] for key in list(record)[:12])
