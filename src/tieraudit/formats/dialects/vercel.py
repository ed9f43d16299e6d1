"""Vercel's AI SDK, versions 3 to 6: ``ai.prompt.messages``, ``ai.response.text``, ``ai.settings.maxOutputTokens``.

Source: vercel/ai, packages/ai/src/telemetry and docs/ai-sdk-core/telemetry. ``ai.generateText`` is the whole run, which
may make several calls; ``ai.generateText.doGenerate`` is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.dialects.reading import (
    FEATURE,
    Kind,
    Reading,
    finish,
    parameter,
    provider,
    read_prompt,
    schema_format,
    under,
)
from tieraudit.formats.fields import (
    count,
    decoded,
    encoded,
    first,
    labels,
    listing,
    mapping,
    milliseconds,
    task_hint,
    text,
)
from tieraudit.formats.messages import one_call
from tieraudit.formats.tools import openai_tools

SETTINGS = {
    "maxTokens": "max_tokens", "maxOutputTokens": "max_tokens", "temperature": "temperature", "topP": "top_p",
    "topK": "top_k", "frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty", "seed": "seed",
    "stopSequences": "stop",
}  # fmt: skip
USAGE = {
    "input": ("inputTokens", "promptTokens", "tokens"),
    "output": ("outputTokens", "completionTokens"),
    "total": ("totalTokens",),
    "cached_tokens": ("cachedInputTokens", "inputTokenDetails.cacheReadTokens"),
    "input_cache_write": ("inputTokenDetails.cacheWriteTokens",),
    "reasoning_tokens": ("reasoningTokens", "outputTokenDetails.reasoningTokens"),
}
PEOPLE = ("sessionId", "session_id", "conversationId", "threadId", "chatId", "userId", "user_id", "tags")


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for any attribute of the SDK's namespace."""
    return any(
        key.startswith(("ai.operationId", "ai.model.", "ai.usage.", "ai.prompt", "ai.response.")) for key in attributes
    )


def read(span: JsonObject) -> Reading:
    """A run or one of its calls."""
    attributes = span["attributes"]
    found = Reading()
    _kind(attributes, found)
    found.provider = provider(attributes.get("ai.model.provider"))
    found.request_model = text(attributes.get("ai.model.id"))
    found.response_model = text(attributes.get("ai.response.model"))
    found.response_id = text(attributes.get("ai.response.id"))
    read_prompt(decoded(first(attributes, "ai.prompt.messages", "ai.prompt")), found)
    _answer(attributes, found)
    _settings(attributes, found)
    _usage(attributes, found)
    found.ttft_ms = milliseconds(first(attributes, "ai.response.msToFirstChunk", "ai.stream.msToFirstChunk"))
    _caller(attributes, found)
    return found


def _kind(attributes: Mapping[str, Any], found: Reading) -> None:
    operation = text(attributes.get("ai.operationId")) or ""
    if not operation.startswith("ai.") or operation == "ai.toolCall":
        found.kind = Kind.OTHER if operation else None
        return
    found.kind = Kind.CALL if ".do" in operation else Kind.OUTER
    found.operation = "embeddings" if "embed" in operation else "chat"
    if found.operation == "chat":
        found.stream = "stream" in operation.lower()


def _answer(attributes: Mapping[str, Any], found: Reading) -> None:
    calls = [mapping(item) for item in listing(first(attributes, "ai.response.toolCalls", "ai.result.toolCalls"))]
    written = first(attributes, "ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object")
    if written is not None and not isinstance(written, str):
        written = encoded(written)
    if written or calls:
        found.output = Output(text=written or None, tool_calls=tuple(one_call(call, n) for n, call in enumerate(calls)))
    found.finish = finish(first(attributes, "ai.response.finishReason", "ai.finishReason"))


def _settings(attributes: Mapping[str, Any], found: Reading) -> None:
    for key, value in under(attributes, "ai.settings.").items():
        if key in SETTINGS and value is not None:
            found.parameters[SETTINGS[key]] = parameter(value)
    definitions = [decoded(item) for item in listing(attributes.get("ai.prompt.tools"))]
    found.tools = openai_tools(definitions)
    found.complete = found.complete and len(found.tools) == len(definitions)
    choice = mapping(attributes.get("ai.prompt.toolChoice"))
    if choice.get("type") == "tool":
        found.parameters["tool_choice"] = {"type": "function", "function": {"name": choice.get("toolName")}}
    elif found.tools and choice.get("type") in ("none", "required"):
        found.parameters["tool_choice"] = choice["type"]
    name, about = attributes.get("ai.schema.name"), attributes.get("ai.schema.description")
    if (form := schema_format(attributes.get("ai.schema"), name, about)) is not None:
        found.parameters["response_format"] = form


def _usage(attributes: Mapping[str, Any], found: Reading) -> None:
    told = under(attributes, "ai.usage.")
    for name, keys in USAGE.items():
        if (value := count(first(told, *keys))) is not None:
            found.usage[name] = value
    made = mapping(mapping(attributes.get("ai.response.providerMetadata")).get("anthropic"))
    written = count(first(mapping(made.get("usage")), "cache_creation_input_tokens"))
    if (written := written or count(made.get("cacheCreationInputTokens"))) is not None:
        found.usage.setdefault("input_cache_write", written)


def _caller(attributes: Mapping[str, Any], found: Reading) -> None:
    told = under(attributes, "ai.telemetry.metadata.")
    found.conversation_id = text(first(told, *PEOPLE[:5]))
    found.user_id = text(first(told, *PEOPLE[5:7]))
    found.tags = labels(told.get("tags"))
    found.metadata = {key: value for key, value in told.items() if key not in PEOPLE}
    found.hint(FEATURE, first(attributes, "ai.telemetry.functionId", "resource.name"))
    found.hint(FEATURE, task_hint(told))
