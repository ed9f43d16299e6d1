"""Envelopes that hold a request and its response, as proxies, gateways and home-made loggers write them.

``{request: {method, url, body}, response: {status, headers, body}}``; ``{request, response}`` or ``{input, output}``
holding the bodies themselves; ``{body, response}``; the request's own fields with ``response`` or ``completion``
beside them. Bodies may be JSON in a string; a streamed answer may be raw server-sent events. Whose language the bodies
speak is the business of each format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tieraudit.domain import Call, JsonObject
from tieraudit.formats.base import Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.chat import error_of
from tieraudit.formats.fields import (
    count,
    decoded,
    elapsed_ms,
    first,
    labels,
    mapping,
    milliseconds,
    money,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.sse import fold_stream, is_stream
from tieraudit.pricing import provider_of_url

STARTS = (
    "started_at", "start_time", "startTime", "request_time", "requested_at", "timestamp", "time", "created_at", "ts",
    "date",
)  # fmt: skip
ENDS = ("ended_at", "end_time", "endTime", "finished_at", "completed_at", "response_time")
DURATIONS = (("latency_ms", 1), ("duration_ms", 1), ("elapsed_ms", 1), ("latency_s", 1000), ("duration_s", 1000))
FIRST_TOKENS = (("time_to_first_token_ms", 1), ("ttft_ms", 1), ("time_to_first_token", 1000), ("ttft", 1000))
# The request's fields where they stand beside the answer.
BESIDE = (
    "model", "messages", "prompt", "tools", "tool_choice", "response_format", "temperature", "top_p", "max_tokens",
    "max_completion_tokens", "seed", "stop", "n", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs",
    "top_logprobs", "reasoning_effort", "parallel_tool_calls", "functions", "function_call", "stream", "user",
    "system", "stop_sequences", "top_k", "thinking", "output_format", "output_config",
)  # fmt: skip
# Logs with a request and a response that have a format of their own: LiteLLM, Portkey, Cloudflare, Kong, Langfuse,
# LangSmith, Braintrust, Weave, Databricks.
ELSEWHERE = (
    {"call_type", "startTime"}, {"ai_org", "ai_model"}, {"duration", "cached", "provider"}, {"ai", "latencies"},
    {"traceId", "usageDetails"}, {"traceId", "parentObservationId"}, {"run_type", "start_time"},
    {"span_attributes", "metrics"}, {"op_name", "started_at"}, {"databricks_request_id"},
    {"invocation_id", "event_time"},
)  # fmt: skip
FIELDS_OF_PAIRS = {
    "source_id": "`id`, `request_id` ..., else the response's `id`",
    "started_at": "`timestamp`, `started_at` ..., else `created`, else the `date` header",
    "latency_ms": "`latency_ms`, `duration_ms` ..., or an end time",
    "time_to_first_token_ms": "`ttft_ms`, `time_to_first_token_ms`",
    "provider": "`provider`, else the host of the address",
    "request_model": "`request.model`",
    "response_model": "`response.model`",
    "stream": "`request.stream`",
    "logged_cost_usd": "`cost_usd`, `cost`",
    "error_type": "`error`, else the HTTP status",
    "error_message": "`error`",
    "http_status": "`response.status`",
    "cache_hit": "`cache_hit`, `cached`",
    "trace_id": "`trace_id`",
    "conversation_id": "`conversation_id`, `session_id` ...",
    "user_id": "`user_id`, `user`",
    "task_hint": "`task`, `feature`, `use_case` ... beside or in the metadata",
    "tags": "`tags`",
    "metadata": "`metadata`",
}
"""What the envelope itself says, for the receipts of the formats that are read from it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What an envelope holds: bodies and transport facts.

    ``response`` is the body, folded when it was streamed, the last of several; ``answer`` and ``events`` are as logged.
    """

    url: str
    request: JsonObject
    response: JsonObject
    answer: Any
    headers: JsonObject
    status: int | None
    streamed: bool
    events: list[Any]

    @property
    def path(self) -> str:
        """The path of the address; empty when there is none."""
        try:
            return urlsplit(self.url).path
        except ValueError:
            return ""


def open_pair(record: JsonObject) -> Pair | None:
    """The two bodies, wherever the envelope keeps them; None when one half is missing."""
    asked = mapping(first(record, "request", "input", "body"))
    answered = decoded(first(record, "response", "output", "completion"))
    if not asked and "model" in record and ("messages" in record or "prompt" in record):
        asked = {key: value for key, value in record.items() if key in BESIDE}
        asked.update(mapping(first(record, "parameters", "params", "model_parameters")))
    if not asked or any(marks <= record.keys() for marks in ELSEWHERE):
        return None
    url = str(first(asked, "url", "uri", "path") or first(record, "url", "uri", "path") or "")
    request = mapping(asked.get("body")) or asked
    headers: JsonObject = {}
    status = count(first(record, "status", "status_code", "http_status"))
    if isinstance(answered, dict) and ("body" in answered or "headers" in answered):
        headers = mapping(answered.get("headers"))
        status = count(first(answered, "status", "status_code")) or status
        answered = decoded(answered.get("body"))
    if answered is None and "error" not in record:
        return None
    streamed = is_stream(answered)
    events = answered if isinstance(answered, list) else []
    if isinstance(answered, list) and answered and not streamed:
        answered = answered[-1]
    response = fold_stream(answered) if streamed else mapping(answered)
    if not response and "error" in record:
        response = {"error": record["error"]}
    return Pair(url, request, response, answered, headers, status, streamed, events)


def pair_call(name: str, record: JsonObject, pair: Pair, found: Exchange, where: Where) -> Call:
    """The call of ``pair``, whose bodies say ``found``; raises `Rejected` when it has no time."""
    metadata = {**mapping(pair.request.get("metadata")), **mapping(record.get("metadata"))}
    error = _error(record, pair, found)
    start = started(
        *(record.get(key) for key in STARTS),
        first(pair.response, "created", "created_at") or None,
        first(pair.headers, "date", "Date"),
    )
    streamed = pair.request.get("stream")
    return Call(
        source_format=name,
        source_file=where.file,
        source_line=where.line,
        source_id=text(first(record, "id", "request_id", "call_id", "uuid")) or found.response_id,
        started_at=start,
        request=found.request,
        response=found.response if found.request is not None and not error[0] else None,
        content_state=found.state(failed=bool(error[0])),
        provider=text(record.get("provider")) or (provider_of_url(pair.url) if pair.url else None),
        request_model=text(pair.request.get("model")) or text(record.get("model")),
        response_model=found.response_model,
        operation=found.operation,
        stream=streamed if isinstance(streamed, bool) else pair.streamed,
        usage=found.usage,
        latency_ms=_duration(record, DURATIONS) or elapsed_ms(start, time(first(record, *ENDS))),
        time_to_first_token_ms=_duration(record, FIRST_TOKENS),
        logged_cost_usd=money(first(record, "cost_usd", "cost", "response_cost", "total_cost")),
        error_type=error[0],
        error_message=error[1],
        http_status=pair.status,
        cache_hit=record.get("cache_hit") is True or record.get("cached") is True,
        trace_id=text(first(record, "trace_id", "traceId")),
        conversation_id=text(first(record, "conversation_id", "session_id", "sessionId", "thread_id"))
        or text(first(metadata, "conversation_id", "session_id", "thread_id")),
        user_id=text(first(record, "user_id", "user")) or found.user_id,
        task_hint=task_hint(record, metadata),
        tags=labels(first(record, "tags")) or labels(metadata.get("tags")),
        metadata={**{key: value for key, value in metadata.items() if key != "tags"}, **found.kept},
    )


def _error(record: JsonObject, pair: Pair, found: Exchange) -> tuple[str | None, str | None]:
    told = found.error or error_of(record)
    if told:
        return told
    if pair.status is not None and pair.status >= 400:
        return f"http_{pair.status}", text(pair.answer)
    return None, None


def _duration(record: JsonObject, names: tuple[tuple[str, int], ...]) -> float | None:
    for name, scale in names:
        if (value := milliseconds(record.get(name))) is not None:
            return value * scale
    return None
