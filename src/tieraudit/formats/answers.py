"""Answers in the many shapes that tracing tools record: bodies, messages, parts, tool calls, text."""

from __future__ import annotations

from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.chat import chat_output
from tieraudit.formats.fields import decoded, encoded, first, listing, mapping, text
from tieraudit.formats.messages import Conversation, add_message, one_call, role_of
from tieraudit.formats.responses import responses_output

# How makers say why the model stopped -> how OpenAI says it.
FINISHES = {
    "STOP": "stop", "end_turn": "stop", "MAX_TOKENS": "length", "max_tokens": "length", "tool_call": "tool_calls",
    "tool-calls": "tool_calls", "tool_use": "tool_calls", "function_call": "tool_calls", "SAFETY": "content_filter",
}  # fmt: skip


def answer(value: Any) -> Output | None:
    """The answer in ``value``; None when there is none. A mapping of unknown shape is a structured answer: its JSON."""
    value = decoded(value)
    if isinstance(value, str):
        return Output(text=value) if value.strip() else None
    if isinstance(value, dict):
        return _answer_of(value)
    return _answer_in(value) if isinstance(value, list) and value else None


def _answer_in(items: list[Any]) -> Output | None:
    while len(items) == 1 and isinstance(items[0], list):
        items = items[0]
    if items and all(isinstance(item, dict) and "toolName" in item for item in items):
        return Output(tool_calls=tuple(one_call(item, position) for position, item in enumerate(items)))
    if items and all(isinstance(item, dict) and role_of(item) == "assistant" for item in items):
        return _joined(items)
    return answer(items[0]) if len(items) == 1 else Output(text=encoded(items))


def _answer_of(value: JsonObject) -> Output | None:
    if "choices" in value:
        return chat_output(value)
    if value.get("object") == "response" or isinstance(value.get("output"), list):
        return responses_output(value)
    for inner in ("message", "generations", "candidates"):
        if isinstance(value.get(inner), dict | list):
            return answer(value[inner])
    content = value.get("content")
    if role_of(value) == "assistant" or (isinstance(content, dict) and "parts" in content):
        return _joined([value])
    if "toolCalls" in value or ("text" in value and not set(value) - {"text", "type", "object", "finishReason"}):
        calls = [one_call(mapping(item), n) for n, item in enumerate(listing(value.get("toolCalls")))]
        return Output(text=text(value.get("text")), tool_calls=tuple(calls))
    return Output(text=encoded(value)) if value else None


def _joined(messages: list[JsonObject]) -> Output:
    """One answer of several assistant messages, such as one message a tool call."""
    found = Conversation()
    for message in messages:
        add_message(message if role_of(message) else {"role": "assistant", **mapping(message.get("content"))}, found)
    written = [m["content"] for m in found.messages if isinstance(m.get("content"), str)]
    reasons = [reason for m in messages if (reason := text(first(m, "finish_reason", "finishReason")))]
    calls = [call for m in found.messages for call in m.get("tool_calls", ())]
    return Output(
        text="\n".join(part for part in written if part) or None,
        tool_calls=tuple(calls),
        finish_reason=FINISHES.get(reasons[0], reasons[0]) if reasons else None,
    )
