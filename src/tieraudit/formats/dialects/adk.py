"""Google's Agent Development Kit: Gemini's bodies as ``gcp.vertex.agent.llm_request`` and ``llm_response``.

Source: google/adk-python, src/google/adk/telemetry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects.reading import Kind, Reading, finish, read_answer, read_prompt, schema_format
from tieraudit.formats.fields import count, first, mapping, text

REQUEST, RESPONSE = "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"
# Gemini counts thoughts beside the answer; the shared convention has them inside.
USAGE = {
    "input": ("prompt_token_count", "promptTokenCount"),
    "output": ("candidates_token_count", "candidatesTokenCount"),
    "total": ("total_token_count", "totalTokenCount"),
    "cached_tokens": ("cached_content_token_count", "cachedContentTokenCount"),
    "reasoning_tokens": ("thoughts_token_count", "thoughtsTokenCount"),
}
CONFIG = {"top_k": "top_k", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty"}


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for any attribute of the kit."""
    return any(key.startswith("gcp.vertex.agent.") for key in attributes)


def read(span: JsonObject) -> Reading:
    """The call, when both bodies are on the span; tools and agents have them empty."""
    attributes = span["attributes"]
    found = Reading()
    found.conversation_id = text(attributes.get("gcp.vertex.agent.session_id"))
    asked, answered = mapping(attributes.get(REQUEST)), mapping(attributes.get(RESPONSE))
    if not first(asked, "contents", "model"):
        return found
    found.kind, found.operation, found.whole = Kind.CALL, "chat", True
    found.request_model = text(asked.get("model"))
    if asked.get("contents"):
        read_prompt(asked, found)
    config = mapping(asked.get("config"))
    found.parameters = {name: config[key] for key, name in CONFIG.items() if config.get(key) is not None}
    read_form(config, found)
    if answered.get("content"):
        read_answer(answered, found)
    found.finish = finish(first(answered, "finish_reason", "finishReason"))
    told = mapping(first(answered, "usage_metadata", "usageMetadata"))
    found.usage = {name: value for name, keys in USAGE.items() if (value := count(first(told, *keys))) is not None}
    if "output" in found.usage and not found.usage.get("total"):
        found.usage["output"] += found.usage.get("reasoning_tokens", 0)
    return found


def read_form(config: JsonObject, found: Reading) -> None:
    """The form of the answer in Gemini's words, if any."""
    if (shape := schema_format(first(config, "response_schema", "response_json_schema"))) is not None:
        found.parameters["response_format"] = shape
    elif config.get("response_mime_type") == "application/json":
        found.parameters["response_format"] = {"type": "json_object"}
