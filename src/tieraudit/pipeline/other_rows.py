"""Rows beside the calls as Arrow: parts of calls, feedback and billed sums, cleaned of secrets."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import pyarrow as pa

from tieraudit.domain import BilledUsage, Feedback
from tieraudit.formats.base import Fragment
from tieraudit.pipeline.call_rows import MOMENT, MONEY
from tieraudit.redaction import Redactor, may_hold_secret

TEXT = pa.string()
FRAGMENTS = pa.schema(
    [
        *((name, TEXT) for name in ("source_format", "key", "part", "source_file")),
        ("source_line", pa.int64()),
        ("record", TEXT),
        ("digest", TEXT),
    ]
)
FEEDBACK = pa.schema(
    [
        *((name, TEXT) for name in ("source_format", "source_file")),
        ("source_line", pa.int64()),
        *((name, TEXT) for name in ("source_id", "trace_id", "name")),
        ("value", pa.float64()),
        *((name, TEXT) for name in ("label", "comment")),
        ("given_at", MOMENT),
    ]
)
COUNTS = (
    "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens",
    "reasoning_output_tokens",
)  # fmt: skip
BILLED = pa.schema(
    [
        *((name, TEXT) for name in ("source_format", "source_file")),
        ("source_line", pa.int64()),
        *((name, MOMENT) for name in ("started_at", "ended_at")),
        *((name, TEXT) for name in ("provider", "model")),
        *((name, pa.int64()) for name in ("calls", *COUNTS)),
        ("cost_usd", MONEY),
        *((name, TEXT) for name in ("account", "kind")),
    ]
)
LABEL = 200
COMMENT = 2_000


def fragment_table(fragments: Sequence[Fragment], source_format: str, redactor: Redactor) -> pa.Table:
    """Parts of calls; the digest knows the same part when it comes again."""
    rows = []
    for item in fragments:
        try:
            text = msgspec.json.encode(item.record).decode()
            if redactor.personal or may_hold_secret(text):
                text = msgspec.json.encode(redactor.clean(item.record)).decode()
        except RecursionError:
            text = "{}"
        digest = blake2b(f"{item.part}\0{text}".encode(), digest_size=16).hexdigest()
        rows.append((source_format, item.key, item.part, item.where.file, item.where.line, text, digest))
    return _table(rows, FRAGMENTS)


def feedback_table(items: Sequence[Feedback], redactor: Redactor) -> pa.Table:
    """What was said of calls."""
    rows = [
        (
            item.source_format, item.source_file, item.source_line, item.source_id, item.trace_id,
            redactor.text(item.name)[:LABEL], item.value, item.label and redactor.text(item.label)[:LABEL],
            item.comment and redactor.text(item.comment)[:COMMENT], item.given_at,
        )
        for item in items
    ]  # fmt: skip
    return _table(rows, FEEDBACK)


def billed_table(items: Sequence[BilledUsage]) -> pa.Table:
    """Lines of a provider's bill."""
    rows = [
        (
            item.source_format, item.source_file, item.source_line, item.started_at, item.ended_at, item.provider,
            item.model, item.calls, *(getattr(item.usage, name) for name in COUNTS), item.cost_usd, item.account,
            item.kind,
        )
        for item in items
    ]  # fmt: skip
    return _table(rows, BILLED)


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.Table.from_pydict(dict(zip(schema.names, map(list, columns), strict=True)), schema=schema)
