"""MLflow's spans: every attribute is JSON, ``mlflow.spanInputs`` is what the traced function was given.

Source: mlflow/mlflow, mlflow/tracing/constant.py and mlflow/entities/span.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects.reading import (
    FEATURE,
    PROMPT,
    Kind,
    Reading,
    dollars,
    finish,
    provider,
    read_answer,
    read_bodies,
    read_prompt,
)
from tieraudit.formats.fields import count, decoded, first, listing, mapping, text
from tieraudit.formats.tools import openai_tools

KINDS = {
    "CHAT_MODEL": (Kind.CALL, "chat"), "LLM": (Kind.CALL, "chat"), "EMBEDDING": (Kind.CALL, "embeddings"),
    "RERANKER": (Kind.CALL, "rerank"), "AGENT": (Kind.AGENT, None),
}  # fmt: skip
USAGE = {
    "input": "input_tokens", "output": "output_tokens", "total": "total_tokens",
    "cached_tokens": "cache_read_input_tokens", "input_cache_write": "cache_creation_input_tokens",
}  # fmt: skip


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for any attribute of MLflow."""
    return any(key.startswith("mlflow.") for key in attributes)


def read(span: JsonObject) -> Reading:
    """A call of a model, or a step of another kind."""
    attributes = {key: decoded(value) for key, value in span["attributes"].items() if key.startswith("mlflow.")}
    found = Reading()
    named = text(attributes.get("mlflow.spanType"))
    if named is not None:
        found.kind, found.operation = KINDS.get(named, (Kind.OTHER, None))
    found.conversation_id = text(first(attributes, "mlflow.trace.session", "mlflow.session"))
    found.user_id = text(first(attributes, "mlflow.trace.user", "mlflow.user"))
    prompts = listing(attributes.get("mlflow.linkedPrompts"))
    if len(prompts) == 1:
        found.hint(PROMPT, mapping(prompts[0]).get("name"))
    if found.kind is not Kind.CALL:
        return found
    asked, answered = attributes.get("mlflow.spanInputs"), attributes.get("mlflow.spanOutputs")
    body, reply = mapping(asked), mapping(answered)
    if not (_is_request(body) and read_bodies(body, answered, found)):
        read_prompt(_unwrapped(asked), found)
    if found.output is None:
        read_answer(answered, found)
    found.request_model = found.request_model or text(attributes.get("mlflow.llm.model"))
    found.response_model = text(reply.get("model"))
    found.response_id = text(reply.get("id"))
    found.provider = provider(attributes.get("mlflow.llm.provider"))
    found.tools = openai_tools(attributes.get("mlflow.chat.tools"))
    found.finish = finish([mapping(item).get("finish_reason") for item in listing(reply.get("choices"))])
    told = mapping(attributes.get("mlflow.chat.tokenUsage"))
    if not found.usage:
        found.usage = {name: value for name, key in USAGE.items() if (value := count(told.get(key))) is not None}
    found.cost = dollars(first(mapping(attributes.get("mlflow.llm.cost")), "total_cost", "total"))
    if not str(attributes.get("mlflow.spanFunctionName")).startswith(("create", "Completions", "None")):
        found.hint(FEATURE, attributes.get("mlflow.spanFunctionName"))
    return found


def _is_request(body: JsonObject) -> bool:
    told = listing(first(body, "messages", "contents", "input"))
    return bool(told) and "model" in body and all(isinstance(item, dict) for item in told)


def _unwrapped(asked: Any) -> Any:
    """What a function was given: of a single list of messages under whatever name, the list."""
    if isinstance(asked, dict) and len(asked) == 1:
        ((name, value),) = asked.items()
        return asked if name in ("messages", "prompt", "input", "contents") else value
    return asked
