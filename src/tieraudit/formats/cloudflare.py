"""Cloudflare AI Gateway logs, from the API's list of logs or single logs with their bodies.

Source of the field map: the types of cloudflare 5.9 (``ai_gateway/log_list_response.py``, ``log_get_response.py``) and
https://developers.cloudflare.com/ai-gateway/observability/logging/. ``request_head`` and ``response_head`` are the
beginnings of the bodies; a head that is not complete cannot be read. What Logpush delivers is encrypted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from tieraudit.domain import Call, ContentState, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.chat import content_state
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
from tieraudit.formats.gateway_bodies import failure, gateway_exchange, stream_of

MARKS = ("tokens_in", "tokens_out", "request_head", "response_head", "custom_cost", "request_type", "status_code")
# Providers as Cloudflare spells them in its addresses -> as others do.
PROVIDERS = {"azure-openai": "azure", "aws-bedrock": "aws", "google-ai-studio": "google", "google-vertex-ai": "google",
             "workers-ai": "cloudflare", "grok": "x-ai"}  # fmt: skip
ENCRYPTED = ("encryptedData", "ciphertext", "data", "iv")
KEPT = ("model_type", "step", "custom_cost", "request_type", "event_id")


class CloudflareGateway:
    """A prompt that is there in part is ``redacted``; a log whose payload was not collected is ``absent``."""

    name = "cloudflare"
    title = "Cloudflare AI Gateway logs (API, JSON)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`",
        "started_at": "`created_at`",
        "latency_ms": "`duration`",
        "provider": "`provider`",
        "request_model": "the request's `model`, else `model`",
        "response_model": "`model`",
        "stream": "the request's `stream`",
        "messages": "`request`, `request_head` when complete",
        "tools": "the same",
        "tool_choice": "the same",
        "response_format": "the same",
        "parameters": "the same",
        "text": "`response`, `response_head` when complete",
        "tool_calls": "the same",
        "refusal": "the same",
        "finish_reason": "the same",
        "input_tokens": "the usage in the response, else `tokens_in`",
        "cache_read_input_tokens": "the usage in the response",
        "cache_creation_input_tokens": "the usage in the response",
        "output_tokens": "the usage in the response, else `tokens_out`",
        "reasoning_output_tokens": "the usage in the response",
        "total_tokens": "the usage in the response",
        "logged_cost_usd": "`cost`",
        "error_type": "the error in the response, else `status_code`, else `success`",
        "error_message": "the error in the response",
        "http_status": "`status_code`",
        "cache_hit": "`cached`",
        "trace_id": "`event_id`",
        "conversation_id": "`session_id`, `conversation_id` ... of `metadata`",
        "user_id": "`user_id`, `user` ... of `metadata`, else the request's `user`",
        "task_hint": "a task-like key of `metadata`",
        "metadata": "`metadata`, `step`, `model_type`, `custom_cost` ...",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a log has its gateway's columns; a page of the list is told by its first log."""
        rows = _rows(record)
        return 1.0 if rows and _is_log(mapping(rows[0])) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Quarantined]:
        """The calls of a log or of a page of logs; raises `Rejected` when it is neither."""
        if not self.matches(record):
            raise Rejected("not a Cloudflare AI Gateway log")
        for item in _rows(record):
            row = mapping(item)
            if not _is_log(row):
                yield Quarantined(where.file, where.line, "not a Cloudflare AI Gateway log")
                continue
            try:
                yield _call(row, where)
            except Rejected as reason:
                yield Quarantined(where.file, where.line, reason.message)


def _rows(record: JsonObject) -> list[Any]:
    if "success" in record and "result" in record:
        return listing(record["result"]) or [record["result"]]
    return [record]


def _is_log(row: JsonObject) -> bool:
    return {"created_at", "provider", "duration", "cached"} <= row.keys() and any(mark in row for mark in MARKS)


def _call(row: JsonObject, where: Where) -> Call:
    asked, asked_state = _body(row, "request")
    answered, answered_state = _body(row, "response")
    found = gateway_exchange(asked, answered, url=text(row.get("path")) or "")
    status = count(row.get("status_code"))
    error = failure(found, status, failed=row.get("success") is False)
    metadata = mapping(row.get("metadata"))
    response = None if error[0] or found.request is None else found.response
    usage = found.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        usage = Usage(input_tokens=count(row.get("tokens_in")), output_tokens=count(row.get("tokens_out")))
    provider = text(row.get("provider"))
    return Call(
        source_format="cloudflare",
        source_file=where.file,
        source_line=where.line,
        source_id=text(row.get("id")),
        started_at=started(row["created_at"]),
        request=found.request,
        response=response,
        content_state=_state(found, response, asked_state, answered_state),
        provider=PROVIDERS.get(provider, provider) if provider else None,
        request_model=text(mapping(asked).get("model")) or text(row.get("model")),
        response_model=text(row.get("model")) or found.response_model,
        operation=found.operation,
        stream=stream_of(asked),
        usage=usage if usage.input_tokens or usage.output_tokens else Usage(),
        latency_ms=milliseconds(row.get("duration")),
        logged_cost_usd=money(row.get("cost")),
        error_type=error[0],
        error_message=error[1],
        http_status=status,
        cache_hit=row.get("cached") is True,
        trace_id=text(row.get("event_id")),
        conversation_id=text(first(metadata, "session_id", "conversation_id", "thread_id", "sessionId")),
        user_id=text(first(metadata, "user_id", "user", "userId")) or found.user_id,
        task_hint=task_hint(metadata),
        metadata={**metadata, **_kept(row), **found.kept},
    )


def _body(row: JsonObject, side: str) -> tuple[Any, ContentState]:
    """A body and how much of it is there: whole, cut off or encrypted, or not collected."""
    held = decoded(first(row, side, f"{side}_body", f"{side}_head"))
    if held is None:
        return None, ContentState.ABSENT
    encrypted = isinstance(held, dict) and any(key in held for key in ENCRYPTED) and "messages" not in held
    whole = first(row, side, f"{side}_body") is not None or row.get(f"{side}_head_complete") is not False
    if encrypted and not isinstance(held.get("data"), list):
        return None, ContentState.REDACTED
    if isinstance(held, str) and not whole:
        return None, ContentState.REDACTED
    return held, ContentState.FULL if whole else ContentState.REDACTED


def _state(found: Exchange, response: Any, asked: ContentState, answered: ContentState) -> ContentState:
    if found.request is None:
        return ContentState.REDACTED if asked is ContentState.REDACTED else ContentState.ABSENT
    cut = ContentState.REDACTED in (asked, answered)
    return content_state(found.request, response, complete=found.whole and not cut)


def _kept(row: JsonObject) -> JsonObject:
    return {key: row[key] for key in KEPT if row.get(key) not in (None, "", 0, False)}
