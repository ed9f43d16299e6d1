"""What the request and response bodies of one call say, whichever provider's language they speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tieraudit.domain import ContentState, JsonObject, Output, Usage
from tieraudit.formats.chat import announced, content_state
from tieraudit.formats.fields import count, text

# How makers say why the model stopped -> how OpenAI says it, case folded; other words stay as they are.
STOPS = {
    "end_turn": "stop", "stop_sequence": "stop", "stop": "stop", "finish": "stop", "complete": "stop",
    "finished": "stop", "endoftext": "stop", "finish_reason_unspecified": "stop", "eos_token": "stop",
    "max_tokens": "length", "length": "length", "model_context_window_exceeded": "length", "tool_use": "tool_calls",
    "tool_calls": "tool_calls", "function_call": "tool_calls", "refusal": "content_filter", "safety": "content_filter",
    "recitation": "content_filter", "blocklist": "content_filter", "prohibited_content": "content_filter",
    "spii": "content_filter", "image_safety": "content_filter", "content_filtered": "content_filter",
    "content_filter": "content_filter", "guardrail_intervened": "content_filter", "error_toxic": "content_filter",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exchange:
    """Request and answer in canonical form; ``complete`` False when a part of the prompt could not be carried over.

    ``kept`` is what has no place in a Chat Completions body and goes to the metadata of the call.
    """

    request: JsonObject | None
    response: Output | None
    usage: Usage = field(default_factory=Usage)
    operation: str = "chat"
    complete: bool = True
    kept: JsonObject = field(default_factory=dict)
    response_model: str | None = None
    response_id: str | None = None
    user_id: str | None = None
    error: tuple[str, str | None] | None = None

    @property
    def whole(self) -> bool:
        """True when the prompt can be sent again: nothing missing, and every tool result has its call."""
        return self.complete and (self.request is None or announced(self.request["messages"]))

    def state(self, *, failed: bool = False) -> ContentState:
        """How much of the call there is."""
        return content_state(self.request, None if failed else self.response, complete=self.whole)


def finish(reason: Any, *, called: bool = False) -> str | None:
    """Why the model stopped in OpenAI's words; ``called`` says that it stopped to have tools run."""
    word = text(reason)
    word = STOPS.get(word.lower(), word) if word else None
    return "tool_calls" if called and word in (None, "stop") else word


def joined(parts: list[JsonObject]) -> Any:
    """Content parts as the content of a message: the string when there is one text, None when there is nothing."""
    if len(parts) == 1 and parts[0].get("type") == "text":
        return parts[0]["text"]
    return parts or None


def text_part(value: Any) -> JsonObject:
    """A text part; empty for what is no string."""
    return {"type": "text", "text": value if isinstance(value, str) else ""}


def image_part(url: str) -> JsonObject:
    """An image by its address, which may hold the data itself."""
    return {"type": "image_url", "image_url": {"url": url}}


def file_part(*, data: str | None = None, reference: str | None = None, name: Any = None) -> JsonObject:
    """A file as data URL, or as a reference that only its own provider understands."""
    told = {"filename": text(name), "file_data": data, "file_id": reference}
    return {"type": "file", "file": {key: value for key, value in told.items() if value}}


def schema_format(schema: Mapping[str, Any], name: str | None = None, *, strict: bool | None = None) -> JsonObject:
    """A JSON schema as ``response_format``."""
    told: JsonObject = {"name": name or "answer", "schema": dict(schema)}
    if strict is not None:
        told["strict"] = strict
    return {"type": "json_schema", "json_schema": told}


def effort(budget: Any) -> str | None:
    """A budget of thinking tokens as ``reasoning_effort``, with the steps that LiteLLM uses for the same purpose."""
    tokens = count(budget)
    if tokens is None:
        return None
    return "none" if tokens == 0 else "low" if tokens < 2048 else "medium" if tokens < 4096 else "high"


def total(*counts: int | None) -> int | None:
    """The sum of what is known; None when nothing is."""
    known = [value for value in counts if value is not None]
    return sum(known) if known else None
