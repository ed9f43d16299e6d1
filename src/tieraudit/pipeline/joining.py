"""Calls that stand in several rows: made from all parts of a key that are known, whichever file brought them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from tieraudit.domain import Call
from tieraudit.formats import FORMATS
from tieraudit.formats.base import Fragment, Joining, Where
from tieraudit.pipeline.call_rows import Keep, call_id
from tieraudit.pipeline.conversion import Converted, Job, add_calls
from tieraudit.redaction import Redactor
from tieraudit.store import Store

KEYS_AT_ONCE = 500
MADE = pa.schema([("key", pa.string()), ("call_id", pa.string())])


class Wanted(Protocol):
    """What of the ingest's options the joined calls must follow."""

    @property
    def since(self) -> datetime | None: ...  # noqa: D102
    @property
    def until(self) -> datetime | None: ...  # noqa: D102
    @property
    def redact(self) -> bool: ...  # noqa: D102
    @property
    def keep(self) -> Keep: ...  # noqa: D102
    @property
    def key(self) -> bytes: ...  # noqa: D102


@dataclass(slots=True)
class Joined:
    """The calls of some keys of one format; ``made``: which call (or none) each key means now."""

    source_format: str
    batch: Converted
    made: pa.Table


def joined(store: Store, wanted: Wanted) -> Iterator[Joined]:
    """A batch for every few hundred keys that got a new part since their calls were made."""
    keys: list[list[Fragment]] = []
    current = ""
    for source_format, fragments in _groups(store):
        if keys and (source_format != current or len(keys) >= KEYS_AT_ONCE):
            yield _converted(current, keys, wanted)
            keys = []
        current = source_format
        keys.append(fragments)
    if keys:
        yield _converted(current, keys, wanted)


def _converted(source_format: str, keys: list[list[Fragment]], wanted: Wanted) -> Joined:
    found: Any = FORMATS.get(source_format)
    result = Converted()
    calls: list[Call] = []
    made: list[tuple[str, str | None]] = []
    for fragments in keys:
        made.append((fragments[0].key, None))
        if not isinstance(found, Joining):
            continue
        for item in found.join(fragments):
            result.rows += 1
            if isinstance(item, Call):
                calls.append(item)
                made.append((fragments[0].key, _id(item)))
            else:
                result.quarantined.append(item)
    redactor = Redactor(personal=wanted.redact, key=wanted.key)
    job = Job(source_format, "", None, None, wanted.since, wanted.until, wanted.redact, wanted.keep)
    add_calls(result, job, calls, redactor)
    result.found = redactor.found
    names, ids = zip(*made, strict=True)
    return Joined(source_format, result, pa.table({"key": names, "call_id": ids}, MADE))


def _id(call: Call) -> str | None:
    try:
        return call_id(call)
    except RecursionError:
        return None


def _groups(store: Store) -> Iterator[tuple[str, list[Fragment]]]:
    rows = (row for batch in store.batches("ingest_unjoined", size=4_000) for row in batch.to_pylist())
    for (source_format, _), group in groupby(rows, key=lambda row: (row["source_format"], row["key"])):
        yield source_format, [_fragment(row) for row in group]


def _fragment(row: dict[str, Any]) -> Fragment:
    record = msgspec.json.decode(row["record"])
    return Fragment(row["key"], row["part"], record, Where(row["source_file"], row["source_line"]))
