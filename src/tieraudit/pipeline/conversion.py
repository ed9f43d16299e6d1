"""Rows of one log -> rows of the store: calls without secrets, parts, feedback, billed sums, quarantine.

Nothing here touches the store, so that it can run in several processes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import pyarrow as pa

from tieraudit.domain import BilledUsage, Call, Feedback, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats import FORMATS
from tieraudit.formats.base import Format, Fragment, Item, Quick, Where
from tieraudit.formats.framing import Block, Broken, Line, Raw, parsed
from tieraudit.formats.rows import taken_apart
from tieraudit.pipeline.call_rows import RICHNESS, Keep, call_id, call_row, call_table
from tieraudit.pipeline.computed import computed
from tieraudit.pipeline.other_rows import billed_table, feedback_table, fragment_table
from tieraudit.pipeline.side_files import side_file
from tieraudit.redaction import Redactor

KEYS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Job:
    """How the rows of one file are to be read; small, because it goes to every process with every batch."""

    format: str
    file: str
    root: Path | None = None
    mapping: Path | None = None
    since: datetime | None = None
    until: datetime | None = None
    redact: bool = False
    keep: Keep = "all"
    key: bytes = b""


@dataclass(slots=True)
class Converted:
    """What a batch of rows became; tables are None when empty."""

    rows: int = 0
    calls: pa.Table | None = None
    models: set[tuple[str, str]] = field(default_factory=set)
    duplicates: int = 0
    outside: int = 0
    fragments: pa.Table | None = None
    feedback: pa.Table | None = None
    billed: pa.Table | None = None
    beside: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)


def convert(job: Job, rows: Sequence[Raw]) -> Converted:
    """The batch ``rows`` of one file; never raises for what stands in a row."""
    redactor = Redactor(personal=job.redact, key=job.key)
    result = Converted(rows=sum(item.data.count(b"\n") if isinstance(item, Block) else 1 for item in rows))
    gathered = _Gathered()
    for item in items(job, rows):
        gathered.add(item)
    result.beside = gathered.beside_only(len(gathered.feedback) + len(gathered.billed))
    result.quarantined = gathered.quarantined
    if job.redact:
        result.quarantined = [replace(row, excerpt=redactor.text(row.excerpt)) for row in gathered.quarantined]
    add_calls(result, job, gathered.calls, redactor)
    result.fragments = fragment_table(gathered.fragments, job.format, redactor) if gathered.fragments else None
    result.feedback = feedback_table(gathered.feedback, redactor) if gathered.feedback else None
    result.billed = billed_table(gathered.billed) if gathered.billed else None
    result.found = redactor.found
    return result


def items(job: Job, rows: Iterable[Raw]) -> Iterator[Item]:
    """What the format makes of every row; a row that it refuses comes as `Quarantined`."""
    log_format = format_of(job)
    beside = partial(side_file, job.root)
    if job.mapping is not None:
        rows = computed(log_format, job.mapping, rows)
    quick = log_format.quick if isinstance(log_format, Quick) else None
    for raw in taken_apart(rows):
        if quick is not None and isinstance(raw, Line) and (call := quick(raw.data, Where(job.file, raw.line))):
            yield call
            continue
        row = parsed(raw)
        if isinstance(row, Broken):
            yield Quarantined(job.file, row.line, row.reason, row.excerpt)
            continue
        try:
            yield from log_format.calls(row.record, Where(job.file, row.line, beside))
        except Rejected as reason:
            yield Quarantined(job.file, row.line, reason.message, _beginning(row.record))
        except RecursionError:
            yield Quarantined(job.file, row.line, "nested too deeply", _beginning(row.record))


def format_of(job: Job) -> Format:
    """The format by its name, or the user's own mapping."""
    return _mapped(job.mapping) if job.mapping is not None else FORMATS.get(job.format)


def add_calls(result: Converted, job: Job, calls: Iterable[Call], redactor: Redactor) -> None:
    """Distinct ``calls`` of the wanted time as a table, the richest of each; the rest is counted."""
    distinct: dict[str, Call] = {}
    for call in calls:
        if (job.since is not None and call.started_at < job.since) or (
            job.until is not None and call.started_at >= job.until
        ):
            result.outside += 1
            continue
        try:
            key = call_id(call)
        except RecursionError:
            result.quarantined.append(_too_deep(call))
            continue
        known = distinct.get(key)
        result.duplicates += known is not None
        if known is None or RICHNESS[call.content_state] > RICHNESS[known.content_state]:
            distinct[key] = call
    rows = []
    for key, call in distinct.items():
        try:
            rows.append(call_row(call, key, redactor, keep=job.keep))
        except RecursionError:
            result.quarantined.append(_too_deep(call))
            continue
        result.models.update(
            (call.provider or "", model) for model in (call.request_model, call.response_model) if model
        )
    result.calls = call_table(rows) if rows else None


@dataclass(slots=True)
class _Gathered:
    calls: list[Call] = field(default_factory=list)
    fragments: list[Fragment] = field(default_factory=list)
    feedback: list[Feedback] = field(default_factory=list)
    billed: list[BilledUsage] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    lines: set[tuple[str, int]] = field(default_factory=set)

    def add(self, item: Item) -> None:
        if isinstance(item, Call):
            self.calls.append(item)
            self.lines.add((item.source_file, item.source_line))
        elif isinstance(item, Fragment):
            self.fragments.append(item)
            self.lines.add((item.where.file, item.where.line))
        elif isinstance(item, Quarantined):
            self.quarantined.append(item)
            self.lines.add((item.source_file, item.source_line))
        elif isinstance(item, Feedback):
            self.feedback.append(item)
        else:
            self.billed.append(item)

    def beside_only(self, some: int) -> int:
        """Rows that hold nothing but feedback or billed sums: those beside a call are counted with the call."""
        if not some:
            return 0
        alone = {(item.source_file, item.source_line) for item in self.feedback}
        alone |= {(item.source_file, item.source_line) for item in self.billed}
        return len(alone - self.lines)


@cache
def _mapped(path: Path) -> Format:
    from tieraudit.formats.mapped import Mapped

    return Mapped.from_toml(path)


def _too_deep(call: Call) -> Quarantined:
    return Quarantined(call.source_file, call.source_line, "nested too deeply")


def _beginning(record: JsonObject) -> str:
    return "keys: " + ", ".join(str(key)[:40] for key in list(record)[:KEYS_SHOWN])
