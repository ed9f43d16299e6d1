"""What LiteLLM's two exports share: kinds of call, content, errors, people, tags.

Source of the field map: litellm 1.109 (StandardLoggingPayload in ``litellm/types/utils.py``, LiteLLM_SpendLogs in
``litellm/proxy/schema.prisma``) and docs.litellm.ai/docs/proxy/logging_spec.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from tieraudit.domain import ContentState, JsonObject, Output
from tieraudit.errors import Rejected
from tieraudit.formats.chat import announced, chat_output, chat_request, content_state
from tieraudit.formats.fields import decoded, first, labels, listing, mapping, task_hint, text
from tieraudit.formats.responses import responses_output, responses_request

MASK = "redacted-by-litellm"
CUT = b"(litellm_truncated skipped "
HEALTH_CHECK = "litellm-internal-health-check"
OPERATIONS = {
    "completion": "chat",
    "text_completion": "text_completion",
    "responses": "responses",
    "embedding": "embeddings",
    "image_generation": "image_generation",
    "moderation": "moderation",
    "transcription": "transcription",
    "speech": "speech",
    "rerank": "rerank",
}
# Of LiteLLM's own metadata only what describes the caller's task; keys, addresses and price maps stay out.
KEPT_METADATA = ("spend_logs_metadata", "requester_metadata", "prompt_management_metadata")


@dataclass(frozen=True, slots=True)
class Content:
    """The prompt and answer of one call, with what kind of call it is."""

    operation: str
    request: JsonObject | None
    response: Output | None
    state: ContentState
    kept: JsonObject


def is_litellm(record: JsonObject) -> bool:
    """True for a row of either LiteLLM export."""
    return "call_type" in record and "startTime" in record


def operation(call_type: Any) -> str:
    """The kind of call; ``acompletion`` and ``completion`` are the same kind."""
    name = text(call_type) or "completion"
    if name.startswith("a") and name[1:] in OPERATIONS:
        name = name[1:]
    return OPERATIONS.get(name, name)


def refuse_health_check(tags: Iterable[str], *names: Any) -> None:
    """Raises `Rejected` for the proxy's own probe of a deployment."""
    if HEALTH_CHECK in tags or HEALTH_CHECK in names:
        raise Rejected("a health check of the proxy, not a call")


def content(kind: str, prompt: Any, parameters: JsonObject, answer: Any) -> Content:
    """The canonical content from ``prompt`` (messages, items or text), ``parameters`` and the logged ``answer``."""
    prompt, answer = decoded(prompt), decoded(answer)
    if _masked(prompt):
        return Content(kind, None, None, ContentState.REDACTED, {})
    response = _answer(kind, answer)
    if not prompt or kind not in ("chat", "text_completion", "responses"):
        return Content(kind, None, response if prompt else None, ContentState.ABSENT, {})
    complete, kept = True, {}
    if kind == "responses":
        mapped = responses_request({**parameters, "input": prompt})
        request, complete, kept = mapped.request, mapped.complete, mapped.kept
        kind = "chat" if mapped.lossless else kind
    else:
        messages = [prompt] if isinstance(prompt, str | dict) else listing(prompt)
        request = chat_request(parameters, messages)
    complete = complete and announced(request["messages"]) and not _cut(prompt) and not _cut(answer)
    if _masked(answer):
        response, complete = None, False
    return Content(kind, request, response, content_state(request, response, complete=complete), kept)


def failure(record: JsonObject, metadata: JsonObject) -> tuple[str | None, str | None, int | None]:
    """(error type, message, HTTP status) of a failed call; three times None for one that succeeded."""
    told = mapping(first(record, "error_information")) or mapping(metadata.get("error_information"))
    status = text(record.get("status")) or text(metadata.get("status"))
    if status != "failure":
        return None, None, None
    code = text(told.get("error_code"))
    return (
        text(told.get("error_class")) or "failure",
        text(told.get("error_message")) or text(record.get("error_str")),
        int(code) if code and code.isdigit() and len(code) == 3 else None,
    )


def tags(value: Any) -> tuple[str, ...]:
    """The caller's tags, without those that the proxy adds from the user agent."""
    return tuple(tag for tag in labels(value) if not tag.startswith("User-Agent:"))


def kept_metadata(record: JsonObject, metadata: JsonObject) -> JsonObject:
    """What the caller said of the call, flat, with the alias that was asked for and LiteLLM's own call id."""
    kept: JsonObject = {}
    for key in KEPT_METADATA:
        kept.update({name: value for name, value in mapping(metadata.get(key)).items() if value is not None})
    for key in ("model_group", "litellm_call_id"):
        if value := text(first(record, key)) or text(metadata.get(key)):
            kept[key] = value
    return kept


def hint(metadata: JsonObject) -> str | None:
    """The task's name as the caller gave it: the managed prompt, else a task-like key of its metadata."""
    managed = mapping(metadata.get("prompt_management_metadata"))
    return text(managed.get("prompt_id")) or task_hint(
        mapping(metadata.get("spend_logs_metadata")), mapping(metadata.get("requester_metadata"))
    )


def cache_hit(value: Any) -> bool:
    """LiteLLM writes a boolean, null, or the words True, False, None."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _answer(kind: str, answer: Any) -> Output | None:
    if isinstance(answer, str):
        return Output(text=answer) if answer else None
    if not isinstance(answer, dict) or not answer:
        return None
    return responses_output(answer) if kind == "responses" or "output" in answer else chat_output(answer)


def _masked(value: Any) -> bool:
    if isinstance(value, str):
        return value == MASK
    if isinstance(value, list):
        return any(isinstance(item, dict) and _masked(item.get("content")) for item in value)
    if isinstance(value, dict):
        return _masked(first(value, "text", "content")) or any(
            _masked(mapping(choice.get("message")).get("content"))
            for choice in listing(value.get("choices"))
            if isinstance(choice, dict)
        )
    return False


def _cut(value: Any) -> bool:
    return CUT in msgspec.json.encode(value)
