"""The current GenAI conventions of OpenTelemetry: ``gen_ai.input.messages``, ``gen_ai.usage.input_tokens`` and so on.

Source: open-telemetry/semantic-conventions-genai (docs/gen-ai). Its keys without an index are also those of OpenLIT,
OpenLLMetry from 0.5x, Google ADK, Pydantic AI, Microsoft's Agent Framework and the Vercel AI SDK from version 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects.reading import (
    AGENT,
    PROMPT,
    WORKFLOW,
    Kind,
    Reading,
    dollars,
    finish,
    flag,
    parameter,
    provider,
    read_answer,
    read_prompt,
    schema_format,
)
from tieraudit.formats.fields import count, decoded, encoded, first, listing, milliseconds, text
from tieraudit.formats.messages import plain_text
from tieraudit.formats.tools import openai_tools

OPERATIONS = {
    "chat": "chat", "generate_content": "chat", "text_completion": "text_completion", "embeddings": "embeddings",
    "completion": "text_completion", "embedding": "embeddings", "chat.completions": "chat", "rerank": "rerank",
    "text.completions": "text_completion", "image": "image_generation", "image_generation": "image_generation",
    "audio": "speech", "responses": "chat", "message": "chat", "messages": "chat", "streaming_chat": "chat",
}  # fmt: skip
# What is in the names that frameworks make up for the same operations.
WORDS = (("embed", "embeddings"), ("chat", "chat"), ("text_gen", "chat"), ("complet", "text_completion"))
# Of gen_ai.request.*, what has a field of its own, or is no setting of the model.
NOT_PARAMETERS = {
    "model", "stream", "is_stream", "structured_output_schema", "choice.count", "type", "encoding_formats", "user",
    "id", "stop_sequences", "streaming",
}  # fmt: skip
USAGE = {
    "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "total": ("gen_ai.usage.total_tokens", "llm.usage.total_tokens"),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens", "gen_ai.usage.details.cached_tokens",
        "gen_ai.usage.input_tokens.cached", "gen_ai.usage.prompt_tokens_details.cached_tokens",
        "gen_ai.usage.details.cache_read_input_tokens",
    ),
    "input_cache_write": (
        "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens", "gen_ai.usage.details.cache_creation_input_tokens",
        "gen_ai.usage.prompt_tokens_details.cache_write_tokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "gen_ai.usage.reasoning_output_tokens",
        "gen_ai.usage.details.reasoning_tokens", "gen_ai.usage.output_tokens.reasoning",
        "gen_ai.usage.completion_tokens_details.reasoning_tokens", "gen_ai.usage.details.thoughts_tokens",
    ),
}  # fmt: skip


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for any attribute of the namespace."""
    return any(key.startswith("gen_ai.") for key in attributes)


def read(span: JsonObject) -> Reading:
    """What the attributes without an index say."""
    attributes = span["attributes"]
    found = Reading()
    _kind(attributes, found)
    _who(attributes, found)
    _content(attributes, found)
    _settings(attributes, found)
    found.usage = usage(attributes)
    found.cost = dollars(
        first(attributes, "gen_ai.usage.cost", "gen_ai.usage.total_cost", "gen_ai.cost.total_cost", "gen_ai.cost.total")
    )
    seconds = milliseconds(
        first(
            attributes, "gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token", "gen_ai.server.ttft"
        )
    )
    found.ttft_ms = None if seconds is None else seconds * 1000
    return found


def usage(attributes: Mapping[str, Any]) -> JsonObject:
    """Token counts, each once however many spellings of it are there."""
    found: JsonObject = {}
    for name, keys in USAGE.items():
        if (value := count(first(attributes, *keys))) is not None:
            found[name] = value
    return found


def _kind(attributes: Mapping[str, Any], found: Reading) -> None:
    named = (text(attributes.get("gen_ai.operation.name")) or "").lower()
    known = OPERATIONS.get(named) or next((kind for word, kind in WORDS if word in named), None)
    if "agent" in named:
        found.kind = Kind.AGENT if named == "invoke_agent" else Kind.OTHER
    elif known is not None:
        found.kind, found.operation = Kind.CALL, known
    elif named or first(attributes, "gen_ai.tool.name", "gen_ai.tool.call.id") is not None:
        found.kind = Kind.OTHER


def _who(attributes: Mapping[str, Any], found: Reading) -> None:
    found.provider = provider(first(attributes, "gen_ai.provider.name", "gen_ai.system"))
    found.request_model = text(attributes.get("gen_ai.request.model"))
    found.response_model = text(attributes.get("gen_ai.response.model"))
    found.response_id = text(attributes.get("gen_ai.response.id"))
    found.conversation_id = text(first(attributes, "gen_ai.conversation.id", "session.id", "gen_ai.session.id"))
    found.user_id = text(first(attributes, "user.id", "enduser.id", "gen_ai.user", "gen_ai.request.user"))
    found.hint(PROMPT, attributes.get("gen_ai.prompt.name"))
    found.hint(AGENT, first(attributes, "gen_ai.agent.name", "agent.name", "agent_name"))
    found.hint(WORKFLOW, first(attributes, "gen_ai.workflow.name", "workflow.name"))
    if version := text(attributes.get("gen_ai.prompt.version")):
        found.metadata["prompt_version"] = version
    if tier := text(first(attributes, "openai.response.service_tier", "gen_ai.openai.response.service_tier")):
        found.metadata["service_tier"] = tier


def _content(attributes: Mapping[str, Any], found: Reading) -> None:
    read_prompt(attributes.get("gen_ai.input.messages"), found)
    told = decoded(attributes.get("gen_ai.system_instructions"))
    found.system = told if isinstance(told, str) else _instructions(told)
    reasons = decoded(attributes.get("gen_ai.response.finish_reasons"))
    choices = max(count(attributes.get("gen_ai.request.choice.count")) or 1, len(reasons) if _is_list(reasons) else 1)
    answered = decoded(attributes.get("gen_ai.output.messages"))
    if isinstance(answered, str) and answered[:1] in ("[", "{"):  # cut off in the middle
        found.complete = False
    else:
        read_answer(answered, found, choices=choices)
    found.finish = finish(reasons) or finish(attributes.get("gen_ai.response.finish_reason"))
    found.tools = openai_tools(attributes.get("gen_ai.tool.definitions"))
    if "gen_ai.tool.definitions" in attributes:
        found.complete = found.complete and len(found.tools) >= len(listing(attributes["gen_ai.tool.definitions"]))


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _instructions(parts: Any) -> str | None:
    written = [part.get("content", part.get("text")) for part in listing(parts) if isinstance(part, dict)]
    return "\n".join(part for part in written if isinstance(part, str)) or plain_text(parts) or None


def _settings(attributes: Mapping[str, Any], found: Reading) -> None:
    told = found.parameters
    for key, value in attributes.items():
        name = key.removeprefix("gen_ai.request.")
        if name != key and name not in NOT_PARAMETERS and (read := parameter(value)) is not None:
            told[name] = read
    stops = decoded(attributes.get("gen_ai.request.stop_sequences"))
    if stops:
        told["stop"] = stops
    if (count(attributes.get("gen_ai.request.choice.count")) or 1) > 1:
        told["n"] = count(attributes["gen_ai.request.choice.count"])
    if tier := text(first(attributes, "openai.request.service_tier", "gen_ai.openai.request.service_tier")):
        told["service_tier"] = tier
    if choice := decoded(first(attributes, "gen_ai.request.tool_choice", "gen_ai.tool_choice")):
        told["tool_choice"] = choice
    found.stream = flag(
        first(
            attributes, "gen_ai.request.stream", "gen_ai.request.is_stream", "gen_ai.is_streaming", "llm.is_streaming"
        )
    )
    _shape(attributes, found)


def _shape(attributes: Mapping[str, Any], found: Reading) -> None:
    """The form of the answer. ``json`` without a schema is JSON mode when the prompt asks for JSON, as that mode
    demands; else there was a schema that the log does not have."""
    form = schema_format(attributes.get("gen_ai.request.structured_output_schema"))
    named = text(first(attributes, "gen_ai.output.type", "gen_ai.openai.request.response_format"))
    if form is not None:
        found.parameters["response_format"] = form
    elif named in ("json", "json_object", "json_schema"):
        found.parameters["response_format"] = {"type": "json_object"}
        asked = encoded([found.prompt.messages if found.prompt else [], found.system]).lower()
        found.complete = found.complete and named != "json_schema" and "json" in asked
