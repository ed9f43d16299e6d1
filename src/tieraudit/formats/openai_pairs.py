"""OpenAI request and response side by side, as proxies, gateways and home-made loggers write them, one JSON a line.

Envelopes: ``{request: {method, url, body}, response: {status, headers, body}}``; ``{request, response}`` or
``{input, output}`` holding the bodies themselves; ``{body, response}``; the request's own fields with ``response`` or
``completion`` beside them. Bodies may be JSON in a string; a streamed answer may be raw server-sent events.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from tieraudit.domain import Call, JsonObject, Output
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.chat import announced, chat_output, chat_request, content_state, error_of, token_usage
from tieraudit.formats.fields import (
    count,
    decoded,
    elapsed_ms,
    first,
    labels,
    listing,
    mapping,
    milliseconds,
    money,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.responses import responses_output, responses_request
from tieraudit.formats.sse import fold_stream, is_stream
from tieraudit.pricing import provider_of_url

PATHS = {
    "/chat/completions": "chat", "/responses": "responses", "/embeddings": "embeddings", "/moderations": "moderation",
    "/completions": "text_completion", "/images/generations": "image_generation",
    "/audio/transcriptions": "transcription", "/audio/speech": "speech",
}  # fmt: skip
OBJECTS = {
    "chat.completion": "chat", "chat.completion.chunk": "chat", "response": "responses",
    "text_completion": "text_completion", "list": "embeddings",
}  # fmt: skip
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
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """What an envelope holds: bodies, transport facts and the mapping that they stood in."""

    url: str
    request: JsonObject
    response: JsonObject
    answer: Any
    headers: JsonObject
    status: int | None
    streamed: bool


class OpenAIPairs:
    """Chat Completions, Responses and legacy completions are read in full; other operations are kept and counted."""

    name = "openai-pairs"
    title = "OpenAI request and response pairs (JSON lines)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`, `request_id` ..., else the response's `id`",
        "started_at": "`timestamp`, `started_at` ..., else `created`, else the `date` header",
        "latency_ms": "`latency_ms`, `duration_ms` ..., or an end time",
        "time_to_first_token_ms": "`ttft_ms`, `time_to_first_token_ms`",
        "provider": "`provider`, else the host of the address",
        "request_model": "`request.model`",
        "response_model": "`response.model`",
        "stream": "`request.stream`",
        "messages": "`request.messages`, `request.input` with `instructions`",
        "tools": "`request.tools`",
        "tool_choice": "`request.tool_choice`",
        "response_format": "`request.response_format`, `request.text.format`",
        "parameters": "the rest of the request",
        "text": "the response; raw events are folded",
        "tool_calls": "the response",
        "refusal": "the response",
        "finish_reason": "the response",
        "input_tokens": "`usage`",
        "cache_read_input_tokens": "`usage`",
        "cache_creation_input_tokens": "`usage`",
        "output_tokens": "`usage`",
        "reasoning_output_tokens": "`usage`",
        "total_tokens": "`usage`",
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

    def matches(self, record: JsonObject) -> float:
        """Likely when both halves are there and neither speaks another provider's language."""
        pair = _open(record)
        if pair is None or _foreign(pair):
            return 0.0
        kind = _operation(pair)
        if kind is None:
            return 0.0
        known = "choices" in pair.response or "output" in pair.response or error_of(pair.response) or pair.streamed
        return 0.9 if known else 0.6

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a pair or has no time."""
        pair = _open(record)
        if pair is None:
            raise Rejected("not a request with its response")
        if _foreign(pair):
            raise Rejected("not in OpenAI's format")
        kind = _operation(pair)
        if kind is None:
            raise Rejected("neither messages nor input nor prompt in the request")
        yield _call(record, pair, kind, where)


def _call(record: JsonObject, pair: Pair, kind: str, where: Where) -> Call:
    metadata = {**mapping(pair.request.get("metadata")), **mapping(record.get("metadata"))}
    operation, request, complete, kept = _request(kind, pair.request)
    error = _error(record, pair)
    response = None if error[0] else _response(kind, pair)
    start = started(
        *(record.get(key) for key in STARTS),
        first(pair.response, "created", "created_at") or None,
        first(pair.headers, "date", "Date"),
    )
    request = request if kind in ("chat", "responses", "text_completion") else None
    complete = complete and (request is None or announced(request["messages"]))
    streamed = pair.request.get("stream")
    usage = token_usage(mapping(pair.response.get("usage")), mapping(record.get("usage")))
    if kind == "embeddings" and usage.output_tokens is None:
        usage = replace(usage, output_tokens=0)
    return Call(
        source_format="openai-pairs",
        source_file=where.file,
        source_line=where.line,
        source_id=text(first(record, "id", "request_id", "call_id", "uuid")) or text(pair.response.get("id")),
        started_at=start,
        request=request,
        response=response if request is not None else None,
        content_state=content_state(request, response, complete=complete),
        provider=text(record.get("provider")) or (provider_of_url(pair.url) if pair.url else None),
        request_model=text(pair.request.get("model")) or text(record.get("model")),
        response_model=text(pair.response.get("model")),
        operation=operation,
        stream=streamed if isinstance(streamed, bool) else pair.streamed,
        usage=usage,
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
        user_id=text(first(record, "user_id", "user")) or text(first(pair.request, "user", "safety_identifier")),
        task_hint=task_hint(record, metadata),
        tags=labels(first(record, "tags")) or labels(metadata.get("tags")),
        metadata={**{key: value for key, value in metadata.items() if key != "tags"}, **kept},
    )


def _open(record: JsonObject) -> Pair | None:
    """The two bodies, wherever the envelope keeps them; None when one half is missing."""
    asked = mapping(first(record, "request", "input", "body"))
    answered = decoded(first(record, "response", "output", "completion"))
    if not asked and "model" in record and ("messages" in record or "prompt" in record):
        asked = {key: value for key, value in record.items() if key in BESIDE}
        asked.update(mapping(first(record, "parameters", "params", "model_parameters")))
    if not asked or ("call_type" in record and "startTime" in record):
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
    if isinstance(answered, list) and answered and not streamed:
        answered = answered[-1]
    response = fold_stream(answered) if streamed else mapping(answered)
    if not response and "error" in record:
        response = {"error": record["error"]}
    return Pair(url, request, response, answered, headers, status, streamed)


def _foreign(pair: Pair) -> bool:
    """True for Anthropic, Gemini and Bedrock bodies, which have formats of their own."""
    path = urlsplit(pair.url).path
    known = any(path.endswith(end) for end in PATHS)
    if path and not known and ("messages" in path.rsplit("/", 1)[-1] or ":" in path or "/model/" in path):
        return True
    if pair.response.get("type") in ("message", "error") or "candidates" in pair.response:
        return True
    if "anthropic_version" in pair.request or "contents" in pair.request:
        return True
    return not known and "messages" in pair.request and ("system" in pair.request or "stop_reason" in pair.response)


def _operation(pair: Pair) -> str | None:
    """What was asked for: by the path, else by the kind of answer, else by the fields of the request."""
    path = urlsplit(pair.url).path
    for end, kind in PATHS.items():
        if path.endswith(end):
            return kind
    if "messages" in pair.request:
        return "chat"
    named = OBJECTS.get(str(pair.response.get("object")))
    if "input" in pair.request:
        return named or ("responses" if "output" in pair.response or "instructions" in pair.request else "embeddings")
    return "text_completion" if "prompt" in pair.request else None


def _request(kind: str, body: JsonObject) -> tuple[str, JsonObject | None, bool, JsonObject]:
    """(operation, canonical request, whether it is complete, what goes to the metadata)."""
    if kind == "responses":
        mapped = responses_request(body)
        return "chat" if mapped.lossless else kind, mapped.request, mapped.complete, mapped.kept
    if kind == "chat":
        return kind, chat_request(body, listing(body.get("messages"))), True, {}
    if kind == "text_completion":
        prompt = body.get("prompt")
        asked = {key: value for key, value in body.items() if key != "prompt"}
        return kind, chat_request(asked, prompt if isinstance(prompt, list) else [prompt]), True, {}
    return kind, None, True, {}


def _response(kind: str, pair: Pair) -> Output | None:
    if isinstance(pair.answer, str) and not pair.streamed:
        return Output(text=pair.answer)
    if kind == "responses" or ("output" in pair.response and "choices" not in pair.response):
        return responses_output(pair.response)
    if "role" in pair.response and "choices" not in pair.response:
        return chat_output({"choices": [{"message": pair.response}]})
    return chat_output(pair.response)


def _error(record: JsonObject, pair: Pair) -> tuple[str | None, str | None]:
    told = error_of(pair.response) or error_of(record)
    if told:
        return told
    if pair.status is not None and pair.status >= 400:
        return f"http_{pair.status}", text(pair.answer)
    if pair.response.get("status") == "failed":
        return "failed", None
    return None, None


def _duration(record: JsonObject, names: tuple[tuple[str, int], ...]) -> float | None:
    for name, scale in names:
        if (value := milliseconds(record.get(name))) is not None:
            return value * scale
    return None
