"""Langfuse trace download: ``{trace, observations}``, one document a trace.

Source of the field map: langfuse.com/docs/observability/data-model and the trace download of the web interface. Only
the innermost GENERATION and EMBEDDING observations are calls; frameworks record the same call again around them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from tieraudit.domain import Call, JsonObject, Output, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.answers import answer
from tieraudit.formats.base import Where
from tieraudit.formats.chat import chat_request, content_state
from tieraudit.formats.fields import (
    decoded,
    elapsed_ms,
    first,
    labels,
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
IDENTIFIER = re.compile(r"[\s._:/-]*\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|[\s._:/-]*\b[0-9a-f]{16,}\b")


@dataclass(frozen=True, slots=True)
class Content:
    """The prompt, answer and parameters of one observation."""

    prompt: Conversation | None
    request: JsonObject | None
    response: Output | None
    model: str | None
    streamed: bool | None


class LangfuseTrace:
    """Token counts are made to include cached and reasoning tokens by comparing their sum with the logged total."""

    name = "langfuse-trace"
    title = "Langfuse trace download ({trace, observations})"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "the observation's `id`",
        "started_at": "`startTime`",
        "latency_ms": "`endTime` - `startTime`, else `latency`",
        "time_to_first_token_ms": "`completionStartTime`",
        "provider": "`gen_ai.provider.name`, `ls_provider` ... in the metadata",
        "request_model": "`gen_ai.request.model`, else `model`",
        "response_model": "`gen_ai.response.model`, else `model`",
        "stream": "`modelParameters.stream`",
        "messages": "`input`",
        "tools": "`input.tools`, the metadata",
        "tool_choice": "`input`, `modelParameters`",
        "response_format": "`input`, `modelParameters`",
        "parameters": "`modelParameters`",
        "text": "`output`",
        "tool_calls": "`output`",
        "refusal": "`output`",
        "finish_reason": "`output`, the metadata",
        "input_tokens": "`usageDetails`",
        "cache_read_input_tokens": "`usageDetails`",
        "cache_creation_input_tokens": "`usageDetails`",
        "output_tokens": "`usageDetails`",
        "reasoning_output_tokens": "`usageDetails`",
        "total_tokens": "`usageDetails.total`",
        "logged_cost_usd": "`totalCost`",
        "error_type": "`level: ERROR`",
        "error_message": "`statusMessage`",
        "trace_id": "the trace's `id`",
        "conversation_id": "the trace's `sessionId`, else its `id`",
        "user_id": "the trace's `userId`",
        "task_hint": "`promptName`, else the generation's name",
        "tags": "the trace's `tags`",
        "metadata": "`metadata`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a trace and a list of observations stand side by side."""
        trace, observations = record.get("trace"), record.get("observations")
        return 1.0 if isinstance(trace, dict) and isinstance(observations, list) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Quarantined]:
        """Every observation as a call or as `Quarantined`; raises `Rejected` when ``record`` is not a trace."""
        if not self.matches(record):
            raise Rejected("not a Langfuse trace download")
        trace = record["trace"]
        observations = [item for item in record["observations"] if isinstance(item, dict)]
        by_id = {text(item.get("id")): item for item in observations}
        inner = Counter(
            text(item.get("parentObservationId"))
            for item in observations
            if _is_call(item) and _is_call(by_id.get(text(item.get("parentObservationId")), {}))
        )
        if not record["observations"]:
            yield Quarantined(
                where.file, where.line, "not an LLM call: a trace without observations", str(trace.get("id"))
            )
        for _ in range(len(record["observations"]) - len(observations)):
            yield Quarantined(where.file, where.line, "an observation that is not a JSON object")
        for item in observations:
            excerpt = f"{item.get('id')} {item.get('name')}"
            if not _is_call(item):
                yield Quarantined(where.file, where.line, f"not an LLM call: {_kind(item)}", excerpt)
            elif inner[text(item.get("id"))]:
                reason = f"not an LLM call of its own: {_kind(item)} around another"
                yield Quarantined(where.file, where.line, reason, excerpt)
            else:
                parent = text(item.get("parentObservationId"))
                outer = by_id.get(parent, {}) if inner[parent] == 1 else {}
                try:
                    yield self._call(item, outer, trace, where)
                except Rejected as reason:
                    yield Quarantined(where.file, where.line, reason.message, excerpt)

    def _call(self, item: JsonObject, outer: JsonObject, trace: JsonObject, where: Where) -> Call:
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
            source_format=self.name,
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
            time_to_first_token_ms=elapsed_ms(start, time(item.get("completionStartTime"))),
            logged_cost_usd=money(first(item, "totalCost", "calculatedTotalCost")),
            error_type="error" if failed else None,
            error_message=text(item.get("statusMessage")) if failed else None,
            trace_id=text(first(item, "traceId")) or text(trace.get("id")),
            conversation_id=text(trace.get("sessionId")) or text(trace.get("id")),
            user_id=text(trace.get("userId")),
            task_hint=_hint(item, trace),
            tags=labels(trace.get("tags")),
            metadata=_metadata(item, trace, metadata),
        )


def _is_call(item: JsonObject) -> bool:
    return item.get("type") in CALL_TYPES


def _kind(item: JsonObject) -> str:
    """The observation's type, for a reason: one of Langfuse's words, and nothing else that a log may hold."""
    kind = item.get("type")
    return kind if isinstance(kind, str) and kind.isalpha() and kind.isupper() and len(kind) < 20 else "no known type"


def _content(item: JsonObject, outer: JsonObject, metadata: JsonObject, attributes: JsonObject) -> Content:
    """Prompt and answer; what the innermost observation lacks is taken from the one around it."""
    prompt = conversation(item.get("input")) or conversation(outer.get("input"))
    response = answer(item.get("output"))
    if response is None or response.text == "None":  # as Python prints an answer that is only tool calls
        response = answer(outer.get("output")) or response
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
        prompt.complete = prompt.complete and not (called and not tools)
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
        item.get("toolDefinitions"),
        metadata.get("tools"),
        first(attributes, *TOOL_KEYS),
        [*(asked.get("function_tools") or ()), *(asked.get("output_tools") or ())],
        mapping(item.get("modelParameters")).get("tools"),
    ):
        if tools := openai_tools(told):
            return tools
    return []


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
    logged = milliseconds(item.get("latency"))
    return logged if logged is None or logged >= 1000 else logged * 1000


def _metadata(item: JsonObject, trace: JsonObject, metadata: JsonObject) -> JsonObject:
    kept = {key: value for key, value in metadata.items() if key not in NOT_METADATA and value is not None}
    told = {
        "trace_name": trace.get("name"),
        "generation_name": item.get("name"),
        "prompt_version": item.get("promptVersion"),
        "environment": item.get("environment"),
        "release": trace.get("release"),
    }
    return {**kept, **{key: value for key, value in told.items() if value is not None}}
