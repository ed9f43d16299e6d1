"""The receipt of an ingest: what became of every row, what it cost, and what is missing with the way to get it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieraudit.errors import InputError
from tieraudit.pipeline.call_rows import Keep
from tieraudit.pipeline.content_cures import CURES
from tieraudit.pipeline.file_counts import FileCounts
from tieraudit.store import Store

ENOUGH_CONTENT = 0.9
GAPS = 3
MODEL_KEYS = ("provider", "model", "calls", "logged_cost_usd", "computed_cost_usd")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows are in quarantine: how many, and where the first of them stands."""

    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class ModelLine:
    """The new calls of one model; a cost is None when it is known for none of them."""

    provider: str | None
    model: str | None
    calls: int
    logged_cost_usd: Decimal | None
    computed_cost_usd: Decimal | None
    compared_logged_usd: Decimal | None = None
    compared_computed_usd: Decimal | None = None

    @property
    def difference(self) -> float | None:
        """The logged cost over the computed one, less 1, on the calls that have both; None when there are none."""
        if not self.compared_computed_usd or self.compared_logged_usd is None:
            return None
        return float(self.compared_logged_usd / self.compared_computed_usd) - 1


@dataclass(frozen=True, slots=True)
class Gap:
    """Whole hours without a call between the first and the last one."""

    gap_from: datetime
    gap_to: datetime
    hours: int


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider's own report says, beside what the log says of the same time."""

    provider: str
    source_format: str
    billed_usd: Decimal | None
    logged_usd: Decimal | None
    billed_calls: int | None
    logged_calls: int
    billed_input_tokens: int | None
    logged_input_tokens: int | None
    billed_output_tokens: int | None
    logged_output_tokens: int | None
    billed_from: datetime
    billed_to: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """Calls that cannot be replayed as they are: how many, why, and what to change."""

    calls: int
    cause: str
    cure: str


@dataclass(frozen=True, slots=True)
class Unpriced:
    """New calls of one model without a cost; ``without_tokens`` of them because the log has no token counts."""

    provider: str | None
    model: str | None
    calls: int
    without_tokens: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one ingest did. Models, content and prices are those of the calls that are new."""

    files: tuple[str, ...]
    rows_read: int
    rows_kept: int
    rows_duplicate: int
    rows_quarantined: int
    rows_parts: int
    rows_outside: int
    filled: int
    feedback: int
    billed: int
    retried: int
    quarantine: tuple[Reason, ...]
    by_format: Mapping[str, int]
    by_model: tuple[ModelLine, ...]
    content_share: float | None
    missing: tuple[Missing, ...]
    unpriced_calls: int
    unpriced: tuple[Unpriced, ...]
    cost_usd: Decimal | None
    first_call: datetime | None
    last_call: datetime | None
    hours_without_calls: int
    gaps: tuple[Gap, ...]
    bills: tuple[Bill, ...]
    invoice_usd: Decimal | None
    found: Mapping[str, int]
    skipped: tuple[str, ...]
    failed: tuple[InputError, ...]

    @property
    def nothing_new(self) -> bool:
        """True when every call was known before."""
        brought = self.rows_kept + self.filled + self.rows_parts + self.feedback + self.billed
        return brought == 0 and self.rows_duplicate > 0

    def to_json(self) -> dict[str, Any]:
        """The result of ``--json``; the keys of the command line's contract first."""
        return {
            "files": len(self.files),
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_duplicate": self.rows_duplicate,
            "rows_quarantined": self.rows_quarantined,
            "quarantine": [_fields(item, ("reason", "count", "example")) for item in self.quarantine],
            "by_format": dict(self.by_format),
            "by_model": [_fields(item, (*MODEL_KEYS, "difference")) for item in self.by_model],
            "content_share": self.content_share,
            "unpriced_calls": self.unpriced_calls,
            "first_call": self.first_call,
            "last_call": self.last_call,
            "cost_usd": self.cost_usd,
            "content_missing": [_fields(item, Missing.__slots__) for item in self.missing],
            "unpriced": [_fields(item, Unpriced.__slots__) for item in self.unpriced],
            "rows_outside": self.rows_outside,
            "rows_parts": self.rows_parts,
            "content_filled": self.filled,
            "feedback": self.feedback,
            "retried": self.retried,
            "billed_rows": self.billed,
            "hours_without_calls": self.hours_without_calls,
            "gaps": [_fields(item, Gap.__slots__) for item in self.gaps],
            "bills": [_fields(item, Bill.__slots__) for item in self.bills],
            "invoice_usd": self.invoice_usd,
            "redacted": dict(self.found),
            "skipped": list(self.skipped),
            "failed": [{"message": error.message, "hint": error.hint} for error in self.failed],
        }


def build_receipt(
    store: Store,
    first_id: int,
    counts: Sequence[FileCounts],
    *,
    skipped: Sequence[Path],
    failed: Sequence[InputError],
    found: Counter[str],
    invoice_usd: Decimal | None = None,
    keep: Keep = "all",
) -> Receipt:
    """The receipt of the ingests from ``first_id`` on."""
    summary = store.one("ingest_summary", first_ingest_id=first_id)
    reasons: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for item in counts:
        reasons.update(item.reasons)
        examples = {**item.examples, **examples}
    conversations = summary["conversations"]
    share = summary["with_content"] / conversations if conversations else None
    gaps = tuple(Gap(**row) for row in _rows(store, "ingest_hours", first_id))
    read, parts = _read_and_parts(counts)
    return Receipt(
        files=tuple(item.file for item in counts if not item.joined),
        rows_read=read,
        rows_kept=sum(item.rows_kept for item in counts),
        rows_duplicate=sum(item.rows_duplicate for item in counts),
        rows_quarantined=sum(item.rows_quarantined for item in counts),
        rows_parts=parts,
        rows_outside=sum(item.rows_outside for item in counts),
        filled=sum(item.filled for item in counts),
        feedback=sum(item.feedback for item in counts),
        billed=sum(item.billed for item in counts),
        retried=store.one("ingest_retries", first_ingest_id=first_id)["retried"],
        quarantine=tuple(Reason(reason, n, examples[reason]) for reason, n in reasons.most_common()),
        by_format={row["source_format"]: row["calls"] for row in _rows(store, "ingest_by_format", first_id)},
        by_model=tuple(ModelLine(**row) for row in _rows(store, "ingest_by_model", first_id)),
        content_share=share,
        missing=_missing(store, first_id, keep) if share is not None and share < ENOUGH_CONTENT else (),
        unpriced_calls=summary["unpriced_calls"],
        unpriced=tuple(Unpriced(**row) for row in _rows(store, "ingest_unpriced", first_id)),
        cost_usd=summary["cost_usd"],
        first_call=summary["first_call"],
        last_call=summary["last_call"],
        hours_without_calls=sum(gap.hours for gap in gaps),
        gaps=gaps[:GAPS],
        bills=tuple(Bill(**row) for row in store.rows("ingest_billed_by_model")),
        invoice_usd=invoice_usd,
        found=dict(sorted(found.items())),
        skipped=tuple(str(path) for path in skipped),
        failed=tuple(failed),
    )


def _read_and_parts(counts: Sequence[FileCounts]) -> tuple[int, int]:
    """(rows read, rows that are parts and no calls): a call that was joined takes the place of one of its parts."""
    read = sum(item.rows_read for item in counts if not item.joined)
    parts = sum(item.rows_parts for item in counts)
    calls = sum(item.rows_read for item in counts if item.joined)
    # Calls made of parts that an earlier run read count as read again.
    return read + max(0, calls - parts), max(0, parts - calls)


def _rows(store: Store, query: str, first_id: int) -> list[dict[str, Any]]:
    return store.rows(query, first_ingest_id=first_id)


def _missing(store: Store, first_id: int, keep: Keep) -> tuple[Missing, ...]:
    lines: dict[tuple[str, str], int] = {}
    if keep != "all":
        calls = sum(row["calls"] for row in _rows(store, "ingest_content_states", first_id))
        return (Missing(calls, f"--keep-content {keep} left it out", "ingest the log again without the option"),)
    for row in _rows(store, "ingest_content_states", first_id):
        key = (row["source_format"], row["content_state"])
        if row["failed"]:
            told = ("these calls failed, so there is no answer to compare with", "nothing to do; they are counted")
        elif row["content_state"] == "no_response":
            told = ("the log holds the prompt and no answer", "log the answers too")
        else:
            told = CURES.get(key, (f"the {key[0]} log does not hold the whole prompt", "log whole requests"))
        lines[told] = lines.get(told, 0) + row["calls"]
    return tuple(Missing(calls, cause, cure) for (cause, cure), calls in lines.items())


def _fields(item: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}
