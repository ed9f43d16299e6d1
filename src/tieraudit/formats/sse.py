"""Server-sent events folded into the body that the call would have had without streaming.

Chunks of Chat Completions are joined per https://platform.openai.com/docs/api-reference/chat-streaming; of the
Responses API the last event carries the whole answer. Events of Anthropic messages are folded in `anthropic_stream`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from tieraudit.domain import JsonObject
from tieraudit.formats.anthropic_stream import FIRST, fold_message
from tieraudit.formats.fields import count, listing, mapping


def is_stream(body: Any) -> bool:
    """True for a raw event stream: text with ``data:`` lines, or a list of chunks or events."""
    if isinstance(body, str):
        return body.lstrip().startswith(("data:", "event:"))
    if not isinstance(body, list) or not body or not isinstance(body[0], dict):
        return False
    kind = str(body[0].get("type"))
    return "delta" in mapping(next(iter(listing(body[0].get("choices"))), None)) or (
        kind.startswith("response.") or kind == FIRST
    )


def fold_stream(body: str | list[Any]) -> JsonObject:
    """The body that ``body`` streams; empty when no event in it can be read."""
    folded: JsonObject = {}
    found = list(events(body))
    if any(event.get("type") == FIRST for event in found):
        return fold_message(found)
    for event in found:
        kind = event.get("type")
        if isinstance(kind, str) and kind.startswith("response."):
            _fold_response(folded, event)
        elif "error" in event and "choices" not in event:
            folded["error"] = event["error"]
        else:
            _fold_chunk(folded, event)
    if "choices" in folded:
        folded["choices"] = [_closed(choice) for choice in folded["choices"]]
    return folded


def events(body: str | list[Any]) -> Iterator[JsonObject]:
    """The events of ``body`` that are JSON objects."""
    if isinstance(body, list):
        yield from (event for item in body if (event := mapping(item)))
        return
    for line in body.splitlines():
        if not line.startswith("data:"):
            continue
        try:
            event = msgspec.json.decode(line[5:].strip())
        except (msgspec.DecodeError, UnicodeError):
            continue
        if isinstance(event, dict):
            yield event


def _fold_chunk(folded: JsonObject, chunk: JsonObject) -> None:
    for key in ("id", "created", "model", "system_fingerprint", "service_tier", "usage"):
        if chunk.get(key):
            folded[key] = chunk[key]
    choices: list[JsonObject] = folded.setdefault("choices", [])
    for part in listing(chunk.get("choices")):
        if not isinstance(part, dict):
            continue
        index = count(part.get("index")) or 0
        choice = next((item for item in choices if item["index"] == index), None)
        if choice is None:
            choice = {"index": index, "text": [], "refusal": [], "calls": {}, "finish_reason": None}
            choices.append(choice)
        delta = mapping(part.get("delta")) or mapping(part.get("message"))
        _append(choice["text"], delta.get("content") if delta else part.get("text"))
        _append(choice["refusal"], delta.get("refusal"))
        for position, call in enumerate(_delta_calls(delta)):
            _fold_call(choice["calls"], call, position)
        choice["finish_reason"] = part.get("finish_reason") or choice["finish_reason"]


def _delta_calls(delta: JsonObject) -> list[JsonObject]:
    calls = [call for call in listing(delta.get("tool_calls")) if isinstance(call, dict)]
    legacy = mapping(delta.get("function_call"))
    return calls or ([{"index": 0, "function": legacy}] if legacy else [])


def _fold_call(calls: dict[int, JsonObject], part: JsonObject, position: int) -> None:
    index = count(part.get("index"))
    index = position if index is None else index
    call = calls.setdefault(index, {"id": None, "name": "", "arguments": []})
    function = mapping(part.get("function"))
    call["id"] = call["id"] or part.get("id")
    call["name"] = call["name"] or function.get("name") or ""
    _append(call["arguments"], function.get("arguments"))


def _closed(choice: JsonObject) -> JsonObject:
    calls = [
        {
            "id": call["id"] or f"call_{position}",
            "type": "function",
            "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
        }
        for position, call in enumerate(choice["calls"].values())
    ]
    message = {
        "role": "assistant",
        "content": "".join(choice["text"]) or None,
        "refusal": "".join(choice["refusal"]) or None,
        "tool_calls": calls or None,
    }
    return {"index": choice["index"], "message": message, "finish_reason": choice["finish_reason"]}


def _fold_response(folded: JsonObject, event: JsonObject) -> None:
    if response := mapping(event.get("response")):
        output = folded.get("output")
        folded.update(response)
        if not folded.get("output") and output:
            folded["output"] = output
    elif event["type"] == "response.output_item.done" and isinstance(event.get("item"), dict):
        folded.setdefault("output", []).append(event["item"])


def _append(parts: list[str], value: Any) -> None:
    if isinstance(value, str):
        parts.append(value)
