"""Ingest: log files -> calls, priced and without secrets; the same file twice changes nothing.

One file is one transaction: what is interrupted leaves no trace, and the same command again finishes the rest. Calls
whose parts stand in several rows or files are made at the end, from all parts that are known by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from os import urandom
from pathlib import Path

import pyarrow as pa

from tieraudit.errors import InputError, UnknownFormat
from tieraudit.pipeline.call_rows import Keep, price_table, quarantine_table
from tieraudit.pipeline.conversion import Converted, Job
from tieraudit.pipeline.file_counts import FileCounts
from tieraudit.pipeline.joining import joined
from tieraudit.pipeline.opening import Log, open_log
from tieraudit.pipeline.receipt import Receipt, build_receipt
from tieraudit.pipeline.sources import find_sources
from tieraudit.pipeline.workers import Converter
from tieraudit.pricing import RELEASE, price_rows
from tieraudit.progress import Progress, Silent
from tieraudit.redaction import Redactor
from tieraudit.store import Store

JOINED = "(joined parts)"


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How to read: the format's name or ``auto``, or a ``mapping`` file; calls with ``since <= start < until``.

    ``redact`` replaces personal data; ``keep`` says of which calls prompt and answer are stored; ``invoice_usd`` is
    what the provider billed for the same time; ``processes`` None takes one a core. ``key`` is the store's own.
    """

    format: str = "auto"
    since: datetime | None = None
    until: datetime | None = None
    redact: bool = False
    mapping: Path | None = None
    keep: Keep = "all"
    invoice_usd: Decimal | None = None
    processes: int | None = None
    key: bytes = b""


DEFAULTS = IngestOptions()
SILENT = Silent()


def ingest(
    store: Store, paths: Sequence[Path | str], options: IngestOptions = DEFAULTS, *, progress: Progress = SILENT
) -> Receipt:
    """Read ``paths`` (files, folders, patterns, ``-``, addresses) into ``store``; returns what became of every row.

    A file that is no log does not stop the others: it is in the receipt's ``failed``, which the caller must raise
    after showing the receipt. Raises `InputError` when no file could be read, `UsageError` for an unknown format.
    """
    found = find_sources(paths)
    if options.redact:
        options = replace(options, key=_placeholder_key(store))
    store.execute("ingest_forget_prices", release=f"{RELEASE}:")
    first_id = int(store.one("ingest_next_id")["ingest_id"])
    counts: list[FileCounts] = []
    failed = list(found.failed)
    taken: Counter[str] = Counter()
    with Converter(options.processes) as converter:
        for source in found.sources:
            progress.start(f"reading {Path(source.name).name}")
            try:
                counted = _ingest_log(
                    store, open_log(source, options.format, options.mapping), options, converter, taken, progress
                )
            except InputError as error:
                if isinstance(error, UnknownFormat) and source.only_by_name:
                    found.skipped.append(Path(source.name))
                else:
                    failed.append(error)
                continue
            counts.append(counted)
            if counted.unreadable == counted.rows_read and counted.rows_read > 0:
                failed.append(_unreadable(counted))
    if not counts and failed:
        more = f" (and {len(failed) - 1} more like it)" if len(failed) > 1 else ""
        raise type(failed[0])(f"{failed[0].message}{more}", hint=failed[0].hint)
    counts += _join(store, options, taken, progress)
    return build_receipt(
        store,
        first_id,
        counts,
        skipped=found.skipped,
        failed=failed,
        found=taken,
        invoice_usd=options.invoice_usd,
        keep=options.keep,
    )


def _placeholder_key(store: Store) -> bytes:
    """The store's own key for placeholders, made when it is first needed."""
    rows = store.rows("redaction_key")
    if not rows:
        store.execute("redaction_key_set", key=urandom(16))
        rows = store.rows("redaction_key")
    return bytes(rows[0]["key"])


def _ingest_log(
    store: Store, log: Log, options: IngestOptions, converter: Converter, taken: Counter[str], progress: Progress
) -> FileCounts:
    job = Job(
        log.format.name, log.name, log.root, options.mapping, options.since, options.until, options.redact,
        options.keep, options.key,
    )  # fmt: skip
    counts = FileCounts(log.name, log.format.name)
    with store.transaction():
        record = _Record(store, counts)
        for batch in converter.convert(job, log.rows):
            record.add(batch)
            taken.update(batch.found)
            progress.advance(batch.rows)
        record.write()
    return counts


def _join(store: Store, options: IngestOptions, taken: Counter[str], progress: Progress) -> list[FileCounts]:
    """The calls whose parts are known now, a transaction for all: a run that is cut off here joins them next time."""
    counts: dict[str, FileCounts] = {}
    progress.start("joining calls")
    with store.transaction():
        for item in joined(store, options):
            name, batch = item.source_format, item.batch
            store.execute_with("ingest_forget_joined", item.made, source_format=name)
            store.execute_with("ingest_remember_joined", item.made, source_format=name)
            counted = counts.setdefault(name, FileCounts(JOINED, name, joined=True))
            _Record(store, counted).add(batch)
            taken.update(batch.found)
            progress.advance(batch.rows)
        for counted in counts.values():
            _Record(store, counted).write()
        store.execute("ingest_joined", forget=options.keep != "all")
    return list(counts.values())


class _Record:
    """Writes the batches of one log under one ingest id."""

    def __init__(self, store: Store, counts: FileCounts) -> None:
        self._store = store
        self._counts = counts
        self._id = int(store.one("ingest_next_id")["ingest_id"])
        self._priced = {(row["provider"], row["model"]) for row in store.rows("ingest_known_prices")}
        self._started = datetime.now(UTC)

    def add(self, batch: Converted) -> None:
        counts, store = self._counts, self._store
        counts.rows_outside += batch.outside
        counts.rows_parts += batch.beside
        counts.rows_duplicate += batch.duplicates
        if batch.calls is not None:
            self._add_prices(batch.models)
            kept, filled = _add_calls(store, batch.calls, self._id)
            counts.add_calls(kept=kept, duplicate=batch.calls.num_rows - kept, filled=filled)
        if batch.fragments is not None:
            new = store.execute_with("ingest_insert_fragments", batch.fragments, ingest_id=self._id)[0][0]
            counts.rows_parts += int(new)
            counts.rows_duplicate += batch.fragments.num_rows - int(new)
        if batch.feedback is not None:
            counts.feedback += int(
                store.execute_with("ingest_insert_feedback", batch.feedback, ingest_id=self._id)[0][0]
            )
        if batch.billed is not None:
            counts.billed += int(store.execute_with("ingest_insert_billed", batch.billed, ingest_id=self._id)[0][0])
        if batch.quarantined:
            counts.add_quarantined(batch.quarantined)
            table = quarantine_table(batch.quarantined, Redactor())
            store.execute_with("ingest_insert_quarantine", table, ingest_id=self._id)

    def write(self) -> None:
        counts = self._counts
        self._store.execute(
            "ingest_record",
            ingest_id=self._id,
            started_at=self._started,
            source_file=counts.file,
            source_format=counts.format,
            rows_read=counts.rows_read,
            rows_kept=counts.rows_kept,
            rows_duplicate=counts.rows_duplicate,
            rows_quarantined=counts.rows_quarantined,
            rows_parts=counts.rows_parts,
        )

    def _add_prices(self, models: Iterable[tuple[str, str]]) -> None:
        new = sorted(set(models) - self._priced)
        rows = [row for provider, model in new for row in price_rows(provider or None, model)]
        if rows:
            self._store.insert("price_table", price_table(rows))
        self._priced.update(new)


def _add_calls(store: Store, table: pa.Table, ingest_id: int) -> tuple[int, int]:
    """(new calls, known calls that got their content)"""
    filled = store.execute_with("ingest_fill_content", table)
    kept = store.execute_with("ingest_insert_calls", table, ingest_id=ingest_id)
    return int(kept[0][0]), int(filled[0][0])


def _unreadable(counted: FileCounts) -> InputError:
    reason, example = counted.worst()
    return InputError(
        f"{example}: {reason}; so are all {counted.rows_read} rows of the file",
        hint=f"it was read as {counted.format}; another one: --format NAME",
    )
