"""Langfuse observations as calls, for every export of them: which are calls, and what each says.

Source of the field map: langfuse.com/docs/observability/data-model. Only the innermost GENERATION and EMBEDDING
observations are calls; frameworks record the same call again around them. An observation has the names of the trace
download here, whatever its export calls them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tieraudit.domain import Call, JsonObject, Output, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.answers import answer
from tieraudit.formats.base import Where
from tieraudit.formats.chat import chat_request, content_state, tool_call
from tieraudit.formats.fields import (
    IDENTIFIER,
    decoded,
    elapsed_ms,
    encoded,
    first,
    labels,
    listing,
    mapping,
    milliseconds,
    money,
    started,
    text,
    time,
)
from tieraudit.formats.langfuse_usage import langfuse_usage
from tieraudit.formats.messages import Conversation
from tieraudit.formats.prompts import conversation
from tieraudit.formats.tools import openai_tools

CALL_TYPES = ("GENERATION", "EMBEDDING")
# OpenTelemetry plumbing, and copies of what has a column.
NOT_METADATA = ("attributes", "resourceAttributes", "scope", "tools")
PROVIDER_KEYS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "ai.model.provider")
TOOL_KEYS = ("gen_ai.tool.definitions", "llm.tools", "ai.prompt.tools")
# modelParameters that are not parameters of the request.
NOT_PARAMETERS = {"system", "maxRetries", "finishReason", "is_stream", "choice.count", "http_options", "tools"}
PARAMETER_NAMES = {
    "stop_sequences": "stop",
    "maxTokens": "max_tokens",
    "topP": "top_p",
    "toolChoice": "tool_choice",
    "system_instruction": "system",
}


# What an uploaded image or file is replaced by; the file itself is not in any export.
MEDIA = "@@@langfuseMedia:"


@dataclass(frozen=True, slots=True)
class Content:
    """The prompt, answer and parameters of one observation."""

    prompt: Conversation | None
    request: JsonObject | None
    response: Output | None
    model: str | None
    streamed: bool | None


def is_call(item: JsonObject) -> bool:
    """True for the types of observation that can be a call to a model."""
    return item.get("type") in CALL_TYPES


def kind_of(item: JsonObject) -> str:
    """The observation's type, for a reason: one of Langfuse's words, and nothing else that a log may hold."""
    kind = item.get("type")
    return kind if isinstance(kind, str) and kind.isalpha() and kind.isupper() and len(kind) < 20 else "no known type"


def trace_items(
    name: str, observations: Sequence[tuple[JsonObject, Where]], trace: JsonObject
) -> Iterator[Call | Quarantined]:
    """Every observation of one ``trace`` as a call of the format ``name`` or as `Quarantined`."""
    by_id = {text(item.get("id")): item for item, _ in observations}
    inner: dict[str | None, set[str | None]] = defaultdict(set)
    for item, _ in observations:
        parent = text(item.get("parentObservationId"))
        if is_call(item) and is_call(by_id.get(parent, {})):
            inner[parent].add(text(item.get("id")))
    for item, where in observations:
        excerpt = f"{item.get('id')} {item.get('name')}"
        if not is_call(item):
            yield Quarantined(where.file, where.line, f"not an LLM call: {kind_of(item)}", excerpt)
        elif inner[text(item.get("id"))]:
            reason = f"not an LLM call of its own: {kind_of(item)} around another"
            yield Quarantined(where.file, where.line, reason, excerpt)
        else:
            parent = text(item.get("parentObservationId"))
            outer = by_id.get(parent, {}) if len(inner[parent]) == 1 else {}
            try:
                yield _call(name, item, outer, trace, where)
            except Rejected as reason:
                yield Quarantined(where.file, where.line, reason.message, excerpt)


def _call(name: str, item: JsonObject, outer: JsonObject, trace: JsonObject, where: Where) -> Call:
    metadata = mapping(item.get("metadata"))
    attributes = mapping(metadata.get("attributes"))
    found = _content(item, outer, metadata, attributes)
    start, end = started(item.get("startTime")), time(item.get("endTime"))
    failed = item.get("level") == "ERROR"
    model = text(item.get("model"))
    asked = text(attributes.get("gen_ai.request.model")) or found.model or model
    embedding = item.get("type") == "EMBEDDING"
    request = None if embedding else found.request
    response = None if failed or embedding else found.response
    complete = found.prompt is None or found.prompt.complete
    return Call(
        source_format=name,
        source_file=where.file,
        source_line=where.line,
        source_id=text(item.get("id")),
        started_at=start,
        request=request,
        response=response,
        content_state=content_state(request, response, complete=complete),
        provider=_provider(metadata, attributes),
        request_model=asked,
        response_model=text(attributes.get("gen_ai.response.model")) or model,
        operation="embeddings" if embedding else "chat",
        stream=found.streamed,
        usage=langfuse_usage(item, embedding=embedding),
        latency_ms=_latency(item, elapsed_ms(start, end)),
        time_to_first_token_ms=_first_token(item, start, elapsed_ms(start, end)),
        logged_cost_usd=_cost(item),
        error_type="error" if failed else None,
        error_message=text(item.get("statusMessage")) if failed else None,
        trace_id=text(first(item, "traceId")) or text(trace.get("id")),
        conversation_id=text(trace.get("sessionId")) or text(trace.get("id")),
        user_id=text(trace.get("userId")),
        task_hint=_hint(item, trace),
        tags=labels(trace.get("tags")),
        metadata=_metadata(item, trace, metadata),
    )


def _content(item: JsonObject, outer: JsonObject, metadata: JsonObject, attributes: JsonObject) -> Content:
    """Prompt and answer; what the innermost observation lacks is taken from the one around it."""
    prompt = conversation(item.get("input")) or conversation(outer.get("input"))
    response = answer(item.get("output"))
    if response is None or response.text == "None":  # as Python prints an answer that is only tool calls
        response = answer(outer.get("output")) or response
    if (response is None or response.empty) and (made := _made(item)):
        response = Output(tool_calls=tuple(made), finish_reason="tool_calls")
    given = mapping(item.get("modelParameters")) or mapping(outer.get("modelParameters"))
    parameters = {} if prompt is None else dict(prompt.parameters)
    for key, told in given.items():
        value = _parameter(key, decoded(told))
        if value is not None and key not in NOT_PARAMETERS:
            parameters.setdefault(PARAMETER_NAMES.get(key, key), value)
    model, streamed = text(parameters.get("model")), parameters.get("stream")
    request = None
    if prompt is not None:
        system = parameters.pop("system", None)
        if isinstance(system, str) and prompt.messages[0].get("role") not in ("system", "developer"):
            prompt.messages.insert(0, {"role": "system", "content": system})
        tools = prompt.tools or _tools(item, metadata, attributes) or _outer_tools(outer)
        asked = mapping(attributes.get("model_request_parameters"))
        if asked.get("output_tools") and asked.get("allow_text_output") is False:
            parameters.setdefault("tool_choice", "required")
        request = chat_request({**parameters, "tools": tools or None}, list(prompt.messages))
        called = any("tool_calls" in message for message in request["messages"]) or (response and response.tool_calls)
        prompt.complete = (
            prompt.complete and not (called and not request.get("tools")) and MEDIA not in encoded(request["messages"])
        )
    return Content(prompt, request, response, model, streamed if isinstance(streamed, bool) else None)


def _parameter(key: str, value: Any) -> Any:
    """Parameters come as text from some instrumentations, with ``null`` and defaults such as -1 spelled out."""
    if isinstance(value, str):
        word = text(value)
        if word in ("true", "false"):
            return word == "true"
        if word is not None and key not in ("model", "system", "system_instruction"):
            number = decoded(f"[{word}]")
            return number[0] if isinstance(number, list) and isinstance(number[0], int | float) else word
        return word
    if key == "toolChoice" and isinstance(value, dict):
        return value.get("type") if value.get("type") != "tool" else None
    if value == {"arrayValue": {}} or (key == "max_tokens" and value == -1):
        return None
    return value


def _tools(item: JsonObject, metadata: JsonObject, attributes: JsonObject) -> list[JsonObject]:
    asked = mapping(first(attributes, "model_request_parameters"))
    for told in (
        _defined(item.get("toolDefinitions")),
        metadata.get("tools"),
        first(attributes, *TOOL_KEYS),
        [*(asked.get("function_tools") or ()), *(asked.get("output_tools") or ())],
        mapping(item.get("modelParameters")).get("tools"),
    ):
        if tools := openai_tools(told):
            return tools
    return []


def _defined(told: Any) -> Any:
    """The column of tool definitions: name -> description and schema, each as JSON in a string."""
    told = decoded(told)
    if not isinstance(told, dict):
        return told
    return [
        {"name": name, **{key: decoded(value) for key, value in mapping(tool).items() if value not in (None, "")}}
        for name, tool in told.items()
    ]


def _made(item: JsonObject) -> list[JsonObject]:
    """The columns of tool calls: names, and beside them what was called as JSON in strings without the names."""
    names = listing(item.get("toolCallNames"))
    calls = [mapping(call) for call in listing(item.get("toolCalls"))]
    if len(names) != len(calls):
        return []
    return [
        tool_call(text(call.get("id")) or f"call_{position}", {"name": name, **call})
        for position, (name, call) in enumerate(zip(names, calls, strict=True))
    ]


def _outer_tools(outer: JsonObject) -> list[JsonObject]:
    around = conversation(outer.get("input"))
    return around.tools if around else []


def _provider(metadata: JsonObject, attributes: JsonObject) -> str | None:
    named = text(first(attributes, *PROVIDER_KEYS)) or text(metadata.get("ls_provider"))
    return named.removesuffix(".responses").removesuffix(".chat") if named else None


def _hint(item: JsonObject, trace: JsonObject) -> str | None:
    """The prompt's name, else the generation's, else the trace's when the generation is only called after its model."""
    name, model = text(item.get("name")), text(item.get("model")) or ""
    generic = name is None or name in ("chat", "completion") or name.removeprefix("chat ") in model
    hint = text(item.get("promptName")) or (text(trace.get("name")) if generic else None) or name
    return text(IDENTIFIER.sub("", hint)) if hint else None


def _latency(item: JsonObject, elapsed: float | None) -> float | None:
    """Milliseconds; a logged ``latency`` is in seconds or milliseconds and is only used when there is no end time."""
    if elapsed is not None:
        return elapsed
    if (logged := milliseconds(item.get("latencyMs"))) is not None:
        return logged
    logged = milliseconds(item.get("latency"))
    return logged if logged is None or logged >= 1000 else logged * 1000


def _first_token(item: JsonObject, start: datetime, elapsed: float | None) -> float | None:
    """Milliseconds; the duration beside the time is in the unit of ``latency``, which start and end tell."""
    if (told := elapsed_ms(start, time(item.get("completionStartTime")))) is not None:
        return told
    if (logged := milliseconds(item.get("timeToFirstTokenMs"))) is not None:
        return logged
    logged, latency = milliseconds(item.get("timeToFirstToken")), milliseconds(item.get("latency"))
    if logged is None:
        return None
    in_ms = latency is not None and (abs(latency - elapsed) <= 1 if elapsed is not None else latency >= 1000)
    return logged if in_ms else logged * 1000


def _cost(item: JsonObject) -> Decimal | None:
    """Dollars; 0 without a breakdown stands for a model whose price Langfuse does not know."""
    details = mapping(item.get("costDetails"))
    cost = money(first(item, "totalCost", "calculatedTotalCost")) or money(details.get("total"))
    return cost if cost or details else None


def _metadata(item: JsonObject, trace: JsonObject, metadata: JsonObject) -> JsonObject:
    around = mapping(trace.get("metadata"))
    kept = {
        key: value for key, value in {**around, **metadata}.items() if key not in NOT_METADATA and value is not None
    }
    told = {
        "trace_name": trace.get("name"),
        "generation_name": item.get("name"),
        "prompt_version": item.get("promptVersion"),
        "environment": item.get("environment"),
        "release": trace.get("release"),
    }
    return {**kept, **{key: value for key, value in told.items() if value is not None}}
