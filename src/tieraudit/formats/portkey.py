"""Portkey log exports, JSON lines; costs are US cents, and the metadata is two arrays side by side.

Source of the field map: https://portkey.ai/docs/product/observability/logs-export (since 2026 also Prisma AIRS AI
Gateway). Newer exports let the user choose the columns, so that only the provider's columns are sure to be there.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from tieraudit.domain import Call, JsonObject, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.fields import (
    count,
    decoded,
    first,
    listing,
    mapping,
    milliseconds,
    money,
    started,
    task_hint,
    text,
)
from tieraudit.formats.gateway_bodies import better_usage, failure, gateway_exchange, stream_of

CENTS = Decimal(100)
MARKS = ("req_units", "res_units", "is_success", "request_url", "cost_currency", "response_time", "total_units")
NO, YES = (0, "0", False, "false"), (True, "TRUE", "true", "True", 1, "1")
KEPT = (
    "mode", "virtual_key", "runtime", "sdk_version", "config", "prompt_version_id", "cache_status", "cache_type",
    "retry_success_count", "cost_currency", "request_method",
)  # fmt: skip


class Portkey:
    """A call that succeeded after retries is one row; how many there were is in the metadata."""

    name = "portkey"
    title = "Portkey log export (JSON lines)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`, else the response's `id`",
        "started_at": "`created_at`",
        "latency_ms": "`response_time`",
        "provider": "`ai_org`",
        "request_model": "`request.body.model`, else `ai_model`",
        "response_model": "`response.body.model`, else `ai_model`",
        "stream": "`request.body.stream`, else `stream_mode`",
        "messages": "`request.body`",
        "tools": "`request.body`",
        "tool_choice": "`request.body`",
        "response_format": "`request.body`",
        "parameters": "the rest of `request.body`",
        "text": "`response.body`",
        "tool_calls": "`response.body`",
        "refusal": "`response.body`",
        "finish_reason": "`response.body`",
        "input_tokens": "the usage in `response.body`, else `req_units`",
        "cache_read_input_tokens": "the usage in `response.body`",
        "cache_creation_input_tokens": "the usage in `response.body`",
        "output_tokens": "the usage in `response.body`, else `res_units`",
        "reasoning_output_tokens": "the usage in `response.body`",
        "total_tokens": "the usage in `response.body`, else `total_units`",
        "logged_cost_usd": "`cost`, cents",
        "error_type": "`response.body.error`, else `response_status_code`, else `is_success`",
        "error_message": "`response.body.error`",
        "http_status": "`response_status_code`",
        "cache_hit": "`cache_status`: HIT, SEMANTIC HIT",
        "trace_id": "`trace_id`",
        "conversation_id": "`session_id`, `conversation_id` ... of the metadata",
        "user_id": "`_user` of the metadata, else `request.body.user`",
        "task_hint": "`prompt_slug`, else a task-like key of the metadata",
        "metadata": "`metadata.key` with `metadata.value`; `mode`, `config`, `cache_status`, `retry_success_count` ...",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a row names the provider and model in Portkey's words and has one more of its columns."""
        return 1.0 if "ai_org" in record and any(mark in record for mark in MARKS) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is no such row."""
        if not self.matches(record):
            raise Rejected("not a Portkey log")
        asked, url = _body(record, "request"), text(record.get("request_url")) or ""
        found = gateway_exchange(asked, _body(record, "response"), url=url)
        status = count(record.get("response_status_code"))
        error = failure(found, status, failed=record.get("is_success") in NO)
        metadata, streamed = _metadata(record), record.get("stream_mode")
        asked_stream = stream_of(asked)
        if asked_stream is None and streamed is not None:
            asked_stream = streamed in YES
        cents = money(record.get("cost")) if str(record.get("cost_currency") or "USD").upper() == "USD" else None
        columns = Usage(
            input_tokens=count(record.get("req_units")),
            output_tokens=count(record.get("res_units")),
            total_tokens=count(record.get("total_units")),
        )
        yield Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(record.get("id")) or found.response_id,
            started_at=started(record.get("created_at")),
            request=found.request,
            response=None if error[0] or found.request is None else found.response,
            content_state=found.state(failed=error[0] is not None),
            provider=text(record.get("ai_org")),
            request_model=text(mapping(asked).get("model")) or text(record.get("ai_model")),
            response_model=found.response_model or text(record.get("ai_model")),
            operation=found.operation,
            stream=asked_stream,
            usage=better_usage(found.usage, columns if columns.input_tokens or columns.output_tokens else Usage()),
            latency_ms=milliseconds(record.get("response_time")),
            logged_cost_usd=None if cents is None else money(str(cents / CENTS)),
            error_type=error[0],
            error_message=error[1],
            http_status=status,
            cache_hit=str(record.get("cache_status")).upper().endswith("HIT"),
            trace_id=text(record.get("trace_id")),
            conversation_id=text(first(metadata, "session_id", "conversation_id", "thread_id", "_session")),
            user_id=text(metadata.get("_user")) or found.user_id,
            task_hint=text(record.get("prompt_slug")) or task_hint(metadata) or text(metadata.get("_prompt")),
            metadata={**metadata, **_kept(record), **found.kept},
        )


def _body(record: JsonObject, side: str) -> Any:
    """The body under ``request`` or ``response``, in a column ``request.body``, or standing there itself."""
    held = decoded(first(record, f"{side}.body", side))
    inner = held.get("body") if isinstance(held, dict) else None
    return held if inner is None else decoded(inner)


def _metadata(record: JsonObject) -> JsonObject:
    """``metadata`` as a mapping: it is a mapping, or one of two arrays side by side, or two columns of arrays."""
    held = mapping(record.get("metadata"))
    keys, values = (listing(first(record, f"metadata.{name}") or held.get(name)) for name in ("key", "value"))
    if len(keys) == len(values) and (keys or held.keys() == {"key", "value"}):
        return {str(key): value for key, value in zip(keys, values, strict=True)}
    return held


def _kept(record: JsonObject) -> JsonObject:
    return {key: record[key] for key in KEPT if record.get(key) not in (None, "", 0, "USD", "DISABLED", "POST")}
