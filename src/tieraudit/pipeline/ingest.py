"""Ingest: log files -> calls, priced and without secrets; the same file twice changes nothing.

One file is one transaction: what is interrupted leaves no trace, and the same command again finishes the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from tieraudit.domain import Call, Quarantined
from tieraudit.errors import InputError
from tieraudit.pipeline.call_rows import RICHNESS, call_id, call_row, call_table, price_table, quarantine_table
from tieraudit.pipeline.reading import Log, find_files, open_log
from tieraudit.pipeline.receipt import FileCounts, Receipt, build_receipt
from tieraudit.pricing import RELEASE, price_rows
from tieraudit.progress import Progress, Silent
from tieraudit.redaction import Redactor
from tieraudit.store import Store

BATCH = 4_000


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to read: the format's name or ``auto``; calls with ``since <= start < until``; ``redact`` personal data."""

    format: str = "auto"
    since: datetime | None = None
    until: datetime | None = None
    redact: bool = False


@dataclass(slots=True)
class _Batch:
    """One batch on its way in: distinct calls, the richest of each, and rows for quarantine."""

    calls: dict[str, Call] = field(default_factory=dict)
    duplicates: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)


DEFAULTS = IngestOptions()
SILENT = Silent()


def ingest(
    store: Store, paths: Sequence[Path], options: IngestOptions = DEFAULTS, *, progress: Progress = SILENT
) -> Receipt:
    """Read ``paths`` (files, and directories of files) into ``store``; returns what became of every row.

    A file that is no log does not stop the others: it is in the receipt's ``failed``, which the caller must raise
    after showing the receipt. Raises `InputError` when no file could be read, `UsageError` for an unknown format.
    """
    found = find_files(paths)
    redactor = Redactor(personal=options.redact)
    store.execute("ingest_forget_prices", release=f"{RELEASE}:")
    first_id = int(store.one("ingest_next_id")["ingest_id"])
    counts: list[FileCounts] = []
    failed = list(found.failed)
    for path in found.files:
        progress.start(f"reading {path.name}")
        try:
            counted = _ingest_file(store, open_log(path, options.format), options, redactor, progress)
        except InputError as error:
            failed.append(error)
            continue
        counts.append(counted)
        if counted.unreadable == counted.rows_read and counted.rows_read > 0:
            reason, example = counted.worst()
            failed.append(
                InputError(
                    f"{example}: {reason}; so are all {counted.rows_read} rows of the file",
                    hint=f"it was read as {counted.format}; another one: --format NAME",
                )
            )
    if not counts and failed:
        more = f" (and {len(failed) - 1} more like it)" if len(failed) > 1 else ""
        raise InputError(f"{failed[0].message}{more}", hint=failed[0].hint)
    return build_receipt(store, first_id, counts, found.skipped, failed, redactor.found)


def _ingest_file(store: Store, log: Log, options: IngestOptions, redactor: Redactor, progress: Progress) -> FileCounts:
    counts = FileCounts(str(log.path), log.format.name)
    with store.transaction():
        ingest_id = int(store.one("ingest_next_id")["ingest_id"])
        priced = {(row["provider"], row["model"]) for row in store.rows("ingest_known_prices")}
        started = datetime.now(UTC)
        while rows := list(islice(log.rows, BATCH)):
            _ingest_batch(store, _batched(rows, options, counts), ingest_id, priced, redactor, counts)
            progress.advance(len(rows))
        store.execute(
            "ingest_record",
            ingest_id=ingest_id,
            started_at=started,
            source_file=counts.file,
            source_format=counts.format,
            rows_read=counts.rows_read,
            rows_kept=counts.rows_kept,
            rows_duplicate=counts.rows_duplicate,
            rows_quarantined=counts.rows_quarantined,
        )
    return counts


def _batched(rows: Iterable[Call | Quarantined], options: IngestOptions, counts: FileCounts) -> _Batch:
    batch = _Batch()
    for row in rows:
        if isinstance(row, Quarantined):
            batch.quarantined.append(row)
        elif not _inside(row, options):
            counts.rows_outside += 1
        else:
            try:
                key = call_id(row)
            except RecursionError:
                batch.quarantined.append(_too_deep(row))
                continue
            known = batch.calls.get(key)
            batch.duplicates += known is not None
            if known is None or RICHNESS[row.content_state] > RICHNESS[known.content_state]:
                batch.calls[key] = row
    return batch


def _ingest_batch(
    store: Store,
    batch: _Batch,
    ingest_id: int,
    priced: set[tuple[str, str]],
    redactor: Redactor,
    counts: FileCounts,
) -> None:
    rows: list[dict[str, Any]] = []
    for key, call in batch.calls.items():
        try:
            rows.append(call_row(call, key, redactor))
        except RecursionError:
            batch.quarantined.append(_too_deep(call))
    if rows:
        _add_prices(store, batch.calls.values(), priced)
        kept, filled = _add_calls(store, call_table(rows), ingest_id)
        counts.add_calls(kept=kept, duplicate=len(rows) - kept + batch.duplicates, filled=filled)
    if batch.quarantined:
        counts.add_quarantined(batch.quarantined)
        store.execute_with(
            "ingest_insert_quarantine", quarantine_table(batch.quarantined, redactor), ingest_id=ingest_id
        )


def _add_calls(store: Store, table: pa.Table, ingest_id: int) -> tuple[int, int]:
    """(new calls, known calls that got their content)"""
    filled = store.execute_with("ingest_fill_content", table)
    kept = store.execute_with("ingest_insert_calls", table, ingest_id=ingest_id)
    return int(kept[0][0]), int(filled[0][0])


def _add_prices(store: Store, calls: Iterable[Call], priced: set[tuple[str, str]]) -> None:
    asked = {
        (call.provider or "", model)
        for call in calls
        for model in (call.request_model, call.response_model)
        if model is not None
    }
    new = sorted(asked - priced)
    rows = [row for provider, model in new for row in price_rows(provider or None, model)]
    if rows:
        store.insert("price_table", price_table(rows))
    priced.update(new)


def _inside(call: Call, options: IngestOptions) -> bool:
    if options.since is not None and call.started_at < options.since:
        return False
    return options.until is None or call.started_at < options.until


def _too_deep(call: Call) -> Quarantined:
    return Quarantined(call.source_file, call.source_line, "nested too deeply")
