"""OpenInference (Arize Phoenix): ``llm.input_messages.0.message.role``, bodies as ``input.value``, settings as JSON.

Source: Arize-ai/openinference, spec/semantic_conventions.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.chat import chat_output
from tieraudit.formats.dialects.adk import read_form
from tieraudit.formats.dialects.reading import (
    AGENT,
    PROMPT,
    REDACTED,
    Kind,
    Reading,
    dollars,
    finish,
    flag,
    gaps,
    nested,
    parameter,
    provider,
    read_answer,
    read_bodies,
    read_prompt,
)
from tieraudit.formats.fields import count, decoded, first, labels, listing, mapping, task_hint, text
from tieraudit.formats.mapping_source import opened
from tieraudit.formats.messages import plain_text
from tieraudit.formats.prompts import GEMINI_PARAMETERS
from tieraudit.formats.tools import openai_tools

# Of the settings, what is the request's other parts, or how it is transported.
NOT_PARAMETERS = {
    "model", "model_name", "stream", "messages", "tools", "system", "system_instruction", "http_options", "labels",
    "automatic_function_calling", "response_schema", "response_json_schema", "response_mime_type", "contents",
}  # fmt: skip
KINDS = {"LLM": (Kind.CALL, "chat"), "EMBEDDING": (Kind.CALL, "embeddings"), "RERANKER": (Kind.CALL, "rerank")}
USAGE = {
    "input": "prompt", "output": "completion", "total": "total", "cached_tokens": "prompt_details.cache_read",
    "input_cache_write": "prompt_details.cache_write", "reasoning_tokens": "completion_details.reasoning",
}  # fmt: skip


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for the kind of a span, and for its messages and token counts on spans without one."""
    return "openinference.span.kind" in attributes or any(
        key.startswith(("llm.input_messages.", "llm.output_messages.", "llm.token_count.")) or key == "llm.model_name"
        for key in attributes
    )


def read(span: JsonObject) -> Reading:
    """The request's own body when it is recorded, else its messages, tools and settings one by one."""
    attributes = span["attributes"]
    found = Reading()
    if (named := text(attributes.get("openinference.span.kind"))) is not None:
        found.kind, found.operation = KINDS.get(named.upper(), (Kind.OTHER, None))
        if named.upper() == "AGENT":
            found.kind = Kind.AGENT
    _who(attributes, found)
    if found.kind is None or found.kind is Kind.CALL:
        _prompt(attributes, found)
        _answer(attributes, found)
        _settings(attributes, found)
    found.usage = {
        name: value
        for name, key in USAGE.items()
        if (value := count(attributes.get(f"llm.token_count.{key}"))) is not None
    }
    found.cost = dollars(attributes.get("llm.cost.total"))
    return found


def _who(attributes: Mapping[str, Any], found: Reading) -> None:
    asked = mapping(attributes.get("llm.invocation_parameters"))
    named = text(first(attributes, "llm.model_name", "embedding.model_name", "reranker.model_name"))
    found.provider = provider(first(attributes, "llm.provider", "llm.system"))
    found.request_model = text(first(attributes, "llm.request.model_name")) or text(first(asked, "model", "model_name"))
    found.request_model = found.request_model or named
    found.response_model = text(first(attributes, "llm.response.model_name")) or named
    found.conversation_id = text(attributes.get("session.id"))
    found.user_id = text(attributes.get("user.id"))
    found.tags = labels(attributes.get("tag.tags"))
    found.metadata = mapping(opened(attributes.get("metadata")))  # at times as Python prints it
    found.hint(PROMPT, first(attributes, "prompt.id", "llm.prompt_template.name"))
    found.hint(PROMPT, task_hint(found.metadata))
    found.hint(AGENT, attributes.get("agent.name"))
    if version := text(attributes.get("llm.prompt_template.version")):
        found.metadata = {**found.metadata, "prompt_version": version}


def _prompt(attributes: Mapping[str, Any], found: Reading) -> None:
    body = mapping(attributes.get("input.value"))
    if _is_request(body) and read_bodies(body, attributes.get("output.value"), found):
        return
    messages = [_message(item) for item in listing(nested(attributes, "llm.input_messages"))]
    if not messages:
        messages = [
            {
                "role": "user",
                "content": text(mapping(item).get("prompt.text")) or mapping(mapping(item).get("prompt")).get("text"),
            }
            for item in listing(nested(attributes, "llm.prompts"))
        ]
    if messages:
        read_prompt(messages, found)
        found.complete = found.complete and not gaps(attributes, "llm.input_messages")
    elif attributes.get("input.value") != REDACTED:
        read_prompt(attributes.get("input.value"), found)


def _is_request(body: JsonObject) -> bool:
    """True for a body that an endpoint was sent: some frameworks print their own objects into the same place."""
    told = first(body, "messages", "contents", "input")
    if isinstance(told, str):
        return "model" in body
    items = [item for item in listing(told) if isinstance(item, dict)]
    if len(items) != len(listing(told)) or not items:
        return False
    return "contents" in body or ("model" in body and all("role" in item or "type" in item for item in items))


def _message(item: Any) -> JsonObject:
    told = mapping(mapping(item).get("message"))
    message: JsonObject = {
        key: told[key] for key in ("role", "content", "name", "tool_call_id") if told.get(key) is not None
    }
    parts = [_part(mapping(part)) for part in listing(told.get("contents"))]
    if parts:
        message["content"] = [part for part in parts if part]
    calls = [mapping(mapping(call).get("tool_call")) for call in listing(told.get("tool_calls"))]
    if calls:
        message["tool_calls"] = calls
    elif name := text(told.get("function_call_name")):
        arguments = told.get("function_call_arguments_json")
        message["tool_calls"] = [{"id": "call_0", "function": {"name": name, "arguments": arguments}}]
    return message


def _part(part: JsonObject) -> JsonObject:
    told = mapping(part.get("message_content"))
    image = mapping(told.get("image"))
    url = first(mapping(image.get("image")), "url") or first(image, "url")
    if isinstance(url, str):
        return {"type": "image_url", "image_url": {"url": url}}
    return {
        "type": told.get("type", "text"),
        **{key: told[key] for key in ("text", "id", "name", "input") if key in told},
    }


def _answer(attributes: Mapping[str, Any], found: Reading) -> None:
    body = mapping(attributes.get("output.value"))
    if found.output is None and isinstance(body.get("choices"), list):
        found.output = chat_output(body)
    told = [_message(item) for item in listing(nested(attributes, "llm.output_messages"))]
    if found.output is None or found.output.empty:
        settings = mapping(attributes.get("llm.invocation_parameters"))
        if told:
            read_answer([{"role": "assistant", **item} for item in told], found, choices=count(settings.get("n")) or 1)
        elif not body.get("choices") and attributes.get("output.value") != REDACTED:
            read_answer(attributes.get("output.value"), found)
    found.response_id = found.response_id or text(first(body, "id"))
    reasons = [first(mapping(item), "finish_reason") for item in listing(body.get("choices"))]
    found.finish = finish(first(attributes, "llm.finish_reason", "llm.stop_reason")) or finish(reasons)
    found.finish = found.finish or finish(first(body, "stop_reason"))
    found.response_model = text(body.get("model")) or found.response_model


def _settings(attributes: Mapping[str, Any], found: Reading) -> None:
    definitions = [
        decoded(first(mapping(item), "json_schema")) or mapping(mapping(item).get("tool")).get("json_schema")
        for item in listing(nested(attributes, "llm.tools"))
    ]
    found.tools = openai_tools(definitions)
    found.complete = found.complete and len(found.tools) == len(definitions) and not gaps(attributes, "llm.tools")
    settings = mapping(attributes.get("llm.invocation_parameters"))
    found.stream = flag(settings.get("stream")) if found.stream is None else found.stream
    if found.whole:
        return
    found.tools = found.tools or openai_tools(settings.get("tools"))
    told = first(settings, "system", "system_instruction")
    found.system = told if isinstance(told, str) else plain_text(told) or None
    for key, value in settings.items():
        if value is not None and key not in NOT_PARAMETERS:
            found.parameters[GEMINI_PARAMETERS.get(key, key)] = parameter(value)
    read_form(settings, found)
