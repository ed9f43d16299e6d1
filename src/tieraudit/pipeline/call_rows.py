"""Calls as rows of the store: their ids, cleaned of secrets, as Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal

import msgspec
import pyarrow as pa

from tieraudit.domain import Call, ContentState, Quarantined
from tieraudit.pricing import PriceRow
from tieraudit.redaction import Redactor, may_hold_secret

MONEY = pa.decimal128(18, 9)
MOMENT = pa.timestamp("us", tz="UTC")
CALLS = pa.schema(
    [
        *((name, pa.string()) for name in ("call_id", "source_format", "source_file")),
        ("source_line", pa.int64()),
        ("source_id", pa.string()),
        ("started_at", MOMENT),
        ("latency_ms", pa.float64()),
        ("time_to_first_token_ms", pa.float64()),
        *((name, pa.string()) for name in ("provider", "request_model", "response_model", "operation")),
        ("stream", pa.bool_()),
        *((name, pa.string()) for name in ("request", "response", "content_state")),
        ("input_tokens", pa.int64()),
        ("cache_read_input_tokens", pa.int64()),
        ("cache_creation_input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("reasoning_output_tokens", pa.int64()),
        ("total_tokens", pa.int64()),
        ("logged_cost_usd", MONEY),
        ("error_type", pa.string()),
        ("error_message", pa.string()),
        ("http_status", pa.int32()),
        ("cache_hit", pa.bool_()),
        *((name, pa.string()) for name in ("trace_id", "conversation_id", "user_id", "task_hint")),
        ("tags", pa.list_(pa.string())),
        ("metadata", pa.string()),
    ]
)
QUARANTINE = pa.schema(
    [("source_file", pa.string()), ("source_line", pa.int64()), ("reason", pa.string()), ("excerpt", pa.string())]
)
PRICES = pa.schema(
    [
        ("provider", pa.string()),
        ("model", pa.string()),
        ("valid_from", MOMENT),
        ("valid_to", MOMENT),
        ("input_above", pa.int64()),
        ("input_up_to", pa.int64()),
        ("input_usd_per_mtok", MONEY),
        ("cache_read_usd_per_mtok", MONEY),
        ("cache_creation_usd_per_mtok", MONEY),
        ("output_usd_per_mtok", MONEY),
        ("reasoning_usd_per_mtok", MONEY),
        ("source", pa.string()),
    ]
)
# The more of a call a row carries, the better; of two rows of one call the better one is kept.
RICHNESS = {
    ContentState.ABSENT: 0,
    ContentState.REDACTED: 1,
    ContentState.NO_RESPONSE: 2,
    ContentState.FULL: 3,
}
EXCERPT = 200
SAMPLED = 10
Keep = Literal["all", "sample", "none"]
MESSAGE = 1000


def call_id(call: Call) -> str:
    """32 hex digits that are the same for the same call in every export of it.

    A hash of the log's own id, the start to the millisecond and the model asked for; without an id, of the content.
    """
    if call.source_id:
        parts: Any = [call.source_id, _millisecond(call.started_at), call.request_model]
    else:
        answer = call.response.to_json() if call.response else None
        parts = [_millisecond(call.started_at), call.request_model, call.request, answer, call.error_message]
        parts += [call.user_id, call.trace_id, call.latency_ms, call.usage.input_tokens, call.usage.output_tokens]
    return blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def call_row(call: Call, key: str, redactor: Redactor, *, keep: Keep = "all") -> dict[str, Any]:
    """``call`` as a row of the table ``calls``, without secrets; raises RecursionError when nested too deeply.

    ``keep``: whether prompt and answer are stored, of all calls, of one in `SAMPLED` (told by its id), or of none.
    """
    kept = keep == "all" or (keep == "sample" and int(key[:8], 16) % SAMPLED == 0)
    answer = call.response.to_json() if call.response and kept else None
    parts: list[Any] = [call.request if kept else None, answer, call.metadata or None]
    texts = [None if part is None else msgspec.json.encode(part).decode() for part in parts]
    labels = [call.task_hint, call.error_message, call.error_type, call.request_model, call.response_model]
    labels += [call.conversation_id, call.trace_id, call.source_id, call.provider, *call.tags]
    if redactor.personal or may_hold_secret(" ".join(filter(None, (*texts, *labels)))):
        parts = [redactor.clean(part) for part in parts]
        texts = [None if part is None else msgspec.json.encode(part).decode() for part in parts]
        labels = [redactor.clean(label) for label in labels]
    hint, message, error_type, request_model, response_model, conversation, trace, source_id, provider = labels[:9]
    usage = call.usage
    return {
        "call_id": key,
        "source_format": call.source_format,
        "source_file": call.source_file,
        "source_line": call.source_line,
        "source_id": source_id,
        "started_at": call.started_at,
        "latency_ms": call.latency_ms,
        "time_to_first_token_ms": call.time_to_first_token_ms,
        "provider": provider,
        "request_model": request_model,
        "response_model": response_model,
        "operation": call.operation,
        "stream": call.stream,
        "request": texts[0],
        "response": texts[1],
        "content_state": call.content_state.value if kept else ContentState.ABSENT.value,
        "input_tokens": usage.input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_output_tokens": usage.reasoning_output_tokens,
        "total_tokens": usage.total_tokens,
        "logged_cost_usd": call.logged_cost_usd,
        "error_type": error_type,
        "error_message": message[:MESSAGE] if message else None,
        "http_status": call.http_status if call.http_status and 100 <= call.http_status < 600 else None,
        "cache_hit": call.cache_hit,
        "trace_id": trace,
        "conversation_id": conversation,
        "user_id": redactor.person(call.user_id) if call.user_id else None,
        "task_hint": hint,
        "tags": labels[9:],
        "metadata": texts[2],
    }


def call_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Rows of `call_row` as Arrow."""
    return pa.Table.from_pydict({name: [row[name] for row in rows] for name in CALLS.names}, schema=CALLS)


def quarantine_table(rows: Iterable[Quarantined], redactor: Redactor) -> pa.Table:
    """Rows for the table ``quarantine``, their excerpts cut and without secrets."""
    values = [(row.source_file, row.source_line, row.reason, redactor.text(row.excerpt)[:EXCERPT]) for row in rows]
    columns = list(zip(*values, strict=True)) if values else [()] * len(QUARANTINE)
    return pa.Table.from_pydict(dict(zip(QUARANTINE.names, columns, strict=True)), schema=QUARANTINE)


def price_table(rows: Sequence[PriceRow]) -> pa.Table:
    """Rows for the table ``price_table``."""
    return pa.Table.from_pydict({name: [getattr(row, name) for row in rows] for name in PRICES.names}, schema=PRICES)


def _millisecond(moment: datetime) -> int:
    """Whole milliseconds since 1970, cut and not rounded, as LiteLLM's database does."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
