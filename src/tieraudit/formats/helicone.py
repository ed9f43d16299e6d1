"""Helicone: rows of its request log as JSON lines, a JSON array, or the export tool's CSV of twelve columns.

Source of the field map: the export tool in the repository Helicone/helicone (examples/export/typescript) and the
schema of POST /v1/request/query-clickhouse. Bodies are the provider's own and are there only when they were exported
with them. The CSV has no answer, and its column ``latency`` is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.bodies import Exchange, total
from tieraudit.formats.chat import content_state
from tieraudit.formats.fields import (
    count,
    decoded,
    elapsed_ms,
    encoded,
    first,
    mapping,
    milliseconds,
    money,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.gateway_bodies import better_usage, failure, gateway_exchange, stream_of
from tieraudit.pricing import provider_of_url

MARKS = (
    "delay_ms", "signed_body_url", "request_path", "request_properties", "request_user_id", "response_status",
    "helicone_user", "target_url",
)  # fmt: skip
# Helicone's own statuses, of calls that have no HTTP status.
UNFINISHED = {-1: "timeout", -2: "pending", -3: "cancelled", -4: "timeout"}
NO_CACHE = "00000000-0000-0000-0000-000000000000"
ASSET = "<helicone-asset-id"
SESSION = "Helicone-Session-"
KEPT = ("prompt_version", "country_code", "cache_reference_id", "model_override", "request_referrer")


class Helicone:
    """An image that Helicone moved to its own store is a reference that only it understands: such a call is partial."""

    name = "helicone"
    title = "Helicone request log (JSON lines, JSON, CSV)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`request_id`, else `response_id`",
        "started_at": "`request_created_at`",
        "latency_ms": "`delay_ms`, else `response_created_at` - `request_created_at`",
        "time_to_first_token_ms": "`time_to_first_token`",
        "provider": "`provider`, else the host of `target_url`",
        "request_model": "`request_model`, `model`, else `request_body.model`",
        "response_model": "`response_model`, else `response_body.model`",
        "stream": "`request_body.stream`",
        "messages": "`request_body`",
        "tools": "`request_body`",
        "tool_choice": "`request_body`",
        "response_format": "`request_body`",
        "parameters": "the rest of `request_body`",
        "text": "`response_body`",
        "tool_calls": "`response_body`",
        "refusal": "`response_body`",
        "finish_reason": "`response_body`",
        "input_tokens": "the usage in `response_body`, else `prompt_tokens`",
        "cache_read_input_tokens": "the same, else `prompt_cache_read_tokens`",
        "cache_creation_input_tokens": "the same, else `prompt_cache_write_tokens`",
        "output_tokens": "the same, else `completion_tokens`",
        "reasoning_output_tokens": "the same, else `reasoning_tokens`",
        "total_tokens": "`total_tokens`",
        "logged_cost_usd": "`cost`, `costUSD`",
        "error_type": "`response_body.error`, else `response_status`",
        "error_message": "`response_body.error`",
        "http_status": "`response_status`",
        "cache_hit": "`cache_reference_id` other than zeros",
        "trace_id": "`Helicone-Session-Id` of the properties",
        "conversation_id": "`Helicone-Session-Id` of the properties",
        "user_id": "`request_user_id`, `helicone_user`",
        "task_hint": "`prompt_id`, a task-like property, else `Helicone-Session-Name`",
        "metadata": "`request_properties`, `properties`, `country_code` ...",
        "feedback": "`feedback_rating`, `scores`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a row has the start of its request in Helicone's word and one more of its columns."""
        return 1.0 if "request_created_at" in record and any(mark in record for mark in MARKS) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Feedback]:
        """The one call of ``record`` and what was said of it; raises `Rejected` when it is no such row."""
        if not self.matches(record):
            raise Rejected("not a Helicone request")
        call = _call(record, where)
        yield call
        yield from _feedback(record, call)


@dataclass(frozen=True, slots=True)
class _Told:
    error: tuple[str | None, str | None]
    status: int | None


def _call(record: JsonObject, where: Where) -> Call:
    asked, url = _body(record.get("request_body")), first(record, "target_url", "request_path")
    found = gateway_exchange(asked, _body(record.get("response_body")), url=text(url) or "")
    told = _told(record, found)
    start = started(record["request_created_at"])
    latency = milliseconds(first(record, "delay_ms", "latency"))
    properties = {**mapping(record.get("properties")), **mapping(record.get("request_properties"))}
    session = text(properties.get(SESSION + "Id"))
    response = None if told.error[0] or found.request is None else found.response
    kept = {key: record[key] for key in KEPT if record.get(key) not in (None, "", NO_CACHE)}
    return Call(
        source_format="helicone",
        source_file=where.file,
        source_line=where.line,
        source_id=text(first(record, "request_id", "response_id")),
        started_at=start,
        request=found.request,
        response=response,
        content_state=content_state(found.request, response, complete=found.whole and ASSET not in encoded(asked)),
        provider=_provider(record),
        request_model=text(first(record, "request_model", "model")) or text(mapping(asked).get("model")),
        response_model=text(record.get("response_model")) or found.response_model,
        operation=found.operation,
        stream=stream_of(asked),
        usage=better_usage(found.usage, _columns(record)),
        latency_ms=elapsed_ms(start, time(record.get("response_created_at"))) if latency is None else latency,
        time_to_first_token_ms=milliseconds(record.get("time_to_first_token")),
        logged_cost_usd=money(first(record, "cost", "costUSD")),
        error_type=told.error[0],
        error_message=told.error[1],
        http_status=told.status,
        cache_hit=(text(record.get("cache_reference_id")) or NO_CACHE) != NO_CACHE,
        trace_id=session,
        conversation_id=session,
        user_id=text(first(record, "request_user_id", "helicone_user")) or found.user_id,
        task_hint=text(record.get("prompt_id")) or task_hint(properties) or text(properties.get(SESSION + "Name")),
        metadata={**properties, **kept, **found.kept},
    )


def _body(value: Any) -> Any:
    """A body; versions of the tool wrote the quotes of JSON in a CSV twice."""
    if isinstance(value, str) and value.startswith('{""') and isinstance(decoded(value), str):
        return decoded(value.replace('""', '"'))
    return decoded(value)


def _told(record: JsonObject, found: Exchange) -> _Told:
    written = text(record.get("response_status")) or ""
    if written.startswith("-") and written[1:].isdigit():
        return _Told((UNFINISHED.get(int(written[:4]), "unfinished"), None), None)
    status = count(written)
    return _Told(failure(found, status), status)


def _provider(record: JsonObject) -> str | None:
    provider, url = text(record.get("provider")), text(record.get("target_url"))
    if provider and provider.upper() != "CUSTOM":
        return provider.lower()
    return provider_of_url(url) if url else None


def _columns(record: JsonObject) -> Usage:
    """Tokens as in the columns. Anthropic's leave cached ones out, and then the columns do too: they are added."""
    given = count(record.get("prompt_tokens"))
    read, written = count(record.get("prompt_cache_read_tokens")), count(record.get("prompt_cache_write_tokens"))
    out, everything = count(record.get("completion_tokens")), count(record.get("total_tokens"))
    apart = total(read, written) or 0
    if not (given or out or apart):
        return Usage()
    outside = _provider(record) == "anthropic" or (given or 0) < apart
    if apart and (outside or everything == total(given, out, apart)):
        given = total(given, apart)
    return Usage(given, read, written, out, count(record.get("reasoning_tokens")), everything)


def _feedback(record: JsonObject, call: Call) -> Iterator[Feedback]:
    told: list[tuple[str, Any]] = [("feedback_rating", decoded(record.get("feedback_rating")))]
    told += mapping(record.get("scores")).items()
    for name, value in told:
        rating = (
            {True: 1.0, False: 0.0, "true": 1.0, "false": 0.0}.get(value) if isinstance(value, bool | str) else None
        )
        number = milliseconds(value) if rating is None else rating
        if number is not None:
            yield Feedback(
                source_format="helicone",
                source_file=call.source_file,
                source_line=call.source_line,
                source_id=call.source_id,
                trace_id=call.trace_id,
                name=name,
                value=number,
                given_at=time(record.get("feedback_created_at")),
            )
