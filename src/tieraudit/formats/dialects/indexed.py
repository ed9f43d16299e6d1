"""OpenLLMetry before the messages became one attribute: ``gen_ai.prompt.0.content``, ``llm.request.functions.0.name``.

Source: traceloop/openllmetry, packages/opentelemetry-semantic-conventions-ai and its MIGRATION.md. The indexed
attributes come in any order, and an SDK drops those above its limit (128 by default).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.dialects.reading import (
    PROMPT,
    STEP,
    WORKFLOW,
    Kind,
    Reading,
    finish,
    flag,
    gaps,
    nested,
    parameter,
    parts_in,
    read_answer,
    read_prompt,
    schema_format,
    under,
)
from tieraudit.formats.fields import first, labels, listing, task_hint, text
from tieraudit.formats.tools import openai_tools

PROMPTS = ("gen_ai.prompt", "llm.prompts")
ANSWERS = ("gen_ai.completion", "llm.completions")
TYPES = {"chat": "chat", "completion": "text_completion", "embedding": "embeddings", "rerank": "rerank"}
SETTINGS = {
    "llm.frequency_penalty": "frequency_penalty", "llm.presence_penalty": "presence_penalty", "llm.top_k": "top_k",
    "llm.temperature": "temperature", "llm.top_p": "top_p", "llm.chat.stop_sequences": "stop", "llm.seed": "seed",
    "llm.request.max_tokens": "max_tokens", "llm.request.reasoning_effort": "reasoning_effort",
}  # fmt: skip
ASSOCIATION = "traceloop.association.properties."
PEOPLE = ("session_id", "sessionId", "conversation_id", "chat_id", "thread_id", "user_id", "userId", "tags")


def knows(attributes: Mapping[str, Any]) -> bool:
    """True for indexed prompts and answers, and for Traceloop's own attributes."""
    return any(
        key.startswith(("gen_ai.prompt.", "gen_ai.completion.", "llm.request.", "llm.prompts.", "traceloop."))
        or key in ("llm.usage.total_tokens", "llm.is_streaming")
        for key in attributes
    )


def read(span: JsonObject) -> Reading:
    """What the indexed attributes say, with the names of Traceloop's workflows and the caller's own properties."""
    attributes = span["attributes"]
    found = Reading()
    _kind(attributes, found)
    for prefix in PROMPTS:
        if found.prompt is None and (messages := [_message(item) for item in listing(nested(attributes, prefix))]):
            read_prompt(messages, found)
            found.complete = found.complete and not gaps(attributes, prefix)
    for prefix in ANSWERS:
        answers = [_message(item) for item in listing(nested(attributes, prefix))]
        if answers and found.output is None:
            texts = sum(bool(item.get("content")) and "tool_calls" not in item for item in answers)
            spelled = any(str(item.get("content"))[:3] == '[{"' for item in answers)
            read_answer(answers, found, choices=1 if spelled else max(texts, 1))
            found.finish = finish(next(first(item, "finish_reason") for item in answers))
    found.tools = openai_tools(listing(nested(attributes, "llm.request.functions")))
    found.complete = found.complete and not gaps(attributes, "llm.request.functions")
    for key, name in SETTINGS.items():
        if (value := parameter(attributes.get(key))) is not None:
            found.parameters[name] = value
    if (form := schema_format(attributes.get("llm.request.structured_output_schema"))) is not None:
        found.parameters["response_format"] = form
    found.stream = flag(attributes.get("llm.is_streaming"))
    _caller(attributes, found)
    return found


def _kind(attributes: Mapping[str, Any], found: Reading) -> None:
    kind = text(attributes.get("llm.request.type"))
    if kind in TYPES:
        found.kind, found.operation = Kind.CALL, TYPES[kind]
    elif (role := text(attributes.get("traceloop.span.kind"))) is not None:
        found.kind = Kind.AGENT if role == "agent" else Kind.OTHER


def _message(item: Any) -> JsonObject:
    """A message of the current conventions or of OpenAI; only what says something is kept."""
    if not isinstance(item, dict):
        return {"role": "user", "content": item}
    message = {key: value for key, value in item.items() if value is not None and value != []}
    if "content" in message:
        message["content"] = parts_in(message["content"])
    return message


def _caller(attributes: Mapping[str, Any], found: Reading) -> None:
    told = under(attributes, ASSOCIATION)
    found.conversation_id = text(first(told, *PEOPLE[:5]))
    found.user_id = text(first(told, *PEOPLE[5:7]))
    found.tags = labels(told.get("tags"))
    found.metadata = {key: value for key, value in told.items() if key not in PEOPLE}
    found.hint(PROMPT, attributes.get("traceloop.prompt.key"))
    found.hint(PROMPT, task_hint(told))
    path = text(attributes.get("traceloop.entity.path"))
    found.hint(STEP, path.rpartition(".")[2] if path else attributes.get("traceloop.entity.name"))
    found.hint(WORKFLOW, attributes.get("traceloop.workflow.name"))
    if version := text(attributes.get("traceloop.prompt.version")):
        found.metadata["prompt_version"] = version
