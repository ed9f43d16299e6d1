"""Langfuse's SDKs that send OpenTelemetry spans: ``langfuse.observation.input``, ``langfuse.trace.name``.

Source: langfuse/langfuse-python, langfuse/_client/attributes.py; langfuse/langfuse, OtelIngestionProcessor.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects.reading import (
    FEATURE,
    PROMPT,
    WORKFLOW,
    Kind,
    Reading,
    parameter,
    read_answer,
    read_prompt,
    under,
)
from tieraudit.formats.fields import count, decoded, first, labels, mapping, money, task_hint, text, time

OBSERVATION, TRACE = "langfuse.observation.", "langfuse.trace."
KINDS = {"generation": (Kind.CALL, "chat"), "embedding": (Kind.CALL, "embeddings"), "agent": (Kind.AGENT, None)}
NOT_PARAMETERS = {"model", "stream", "is_stream", "maxRetries"}
USAGE = {
    "input": ("input", "input_tokens", "prompt_tokens", "promptTokens"),
    "output": ("output", "output_tokens", "completion_tokens", "completionTokens"),
    "total": ("total", "total_tokens", "totalTokens"),
    "cached_tokens": (
        "input_cached_tokens",
        "cache_read_input_tokens",
        "input_cache_read",
        "prompt_tokens_details.cached_tokens",
    ),
    "input_cache_write": ("input_cache_creation", "cache_creation_input_tokens"),
    "reasoning_tokens": ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens"),
}


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for any attribute of Langfuse."""
    return any(key.startswith("langfuse.") for key in attributes)


def read(span: JsonObject) -> Reading:
    """A generation, an embedding, or an observation of another kind."""
    attributes = span["attributes"]
    found = Reading()
    if (named := text(attributes.get(OBSERVATION + "type"))) is not None:
        found.kind, found.operation = KINDS.get(named.lower(), (Kind.OTHER, None))
    _trace(attributes, found)
    if found.kind is not Kind.CALL:
        return found
    read_prompt(attributes.get(OBSERVATION + "input"), found)
    read_answer(attributes.get(OBSERVATION + "output"), found)
    found.request_model = text(first(attributes, OBSERVATION + "model.name", OBSERVATION + "model"))
    told = first(attributes, OBSERVATION + "model.parameters", OBSERVATION + "model_parameters")
    for key, value in mapping(told).items():
        if key not in NOT_PARAMETERS and (read_value := parameter(value)) is not None:
            found.parameters[key] = read_value
    _counts(attributes, found)
    began = time(decoded(attributes.get(OBSERVATION + "completion_start_time")))
    if began is not None and isinstance(span.get("start"), int):
        waited = began.timestamp() * 1000 - span["start"] / 1e6
        found.ttft_ms = waited if waited >= 0 else None
    if attributes.get(OBSERVATION + "level") == "ERROR":
        found.error_type = "error"
        found.error_message = text(attributes.get(OBSERVATION + "status_message"))
    found.hint(PROMPT, attributes.get(OBSERVATION + "prompt.name"))
    found.hint(FEATURE, span.get("name"))
    if (version := text(attributes.get(OBSERVATION + "prompt.version"))) is not None:
        found.metadata["prompt_version"] = version
    return found


def _counts(attributes: Mapping[str, Any], found: Reading) -> None:
    """Tokens, and dollars: the total, or the sum of the kinds of tokens that were priced."""
    told = mapping(attributes.get(OBSERVATION + "usage_details"))
    found.usage = {name: value for name, keys in USAGE.items() if (value := count(first(told, *keys))) is not None}
    costs = mapping(attributes.get(OBSERVATION + "cost_details"))
    total = money(costs.get("total"))
    if total is None and costs:
        total = sum((money(value) or Decimal(0) for value in costs.values()), Decimal(0))
    found.cost = total or None


def _trace(attributes: Mapping[str, Any], found: Reading) -> None:
    found.conversation_id = text(first(attributes, "langfuse.session.id", "session.id"))
    found.user_id = text(first(attributes, "langfuse.user.id", "user.id"))
    found.tags = labels(attributes.get(TRACE + "tags"))
    found.metadata = {**under(attributes, TRACE + "metadata."), **under(attributes, OBSERVATION + "metadata.")}
    found.hint(PROMPT, task_hint(found.metadata))
    found.hint(WORKFLOW, attributes.get(TRACE + "name"))
