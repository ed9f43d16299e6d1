"""The events of a streamed Anthropic message folded into the message.

Source of the field map: https://docs.claude.com/en/docs/build-with-claude/streaming. Bedrock puts its own measurements
into the last event and hands on the events of the older completion bodies in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import count, decoded, mapping

FIRST = "message_start"


def fold_message(events: Iterable[JsonObject]) -> JsonObject:
    """The message that ``events`` stream, with its usage as last reported."""
    folded: JsonObject = {"type": "message"}
    blocks: dict[int, JsonObject] = {}
    usage: JsonObject = {}
    for event in events:
        folded.update({key: value for key, value in event.items() if str(key).startswith("amazon-bedrock-")})
        kind = event.get("type")
        if kind == FIRST:
            message = mapping(event.get("message"))
            folded.update(message)
            _report(usage, message)
        elif kind == "content_block_start":
            blocks[_index(event)] = dict(mapping(event.get("content_block")))
        elif kind == "content_block_delta":
            _append(blocks.setdefault(_index(event), {"type": "text"}), mapping(event.get("delta")))
        elif kind == "message_delta":
            folded.update(mapping(event.get("delta")))
            _report(usage, event)
        elif kind == "error":
            folded.update({"type": "error", "error": event.get("error")})
    folded["usage"] = usage
    folded["content"] = [_closed(blocks[index]) for index in sorted(blocks)]
    return folded


def _report(usage: JsonObject, source: JsonObject) -> None:
    usage.update({key: value for key, value in mapping(source.get("usage")).items() if value is not None})


def _index(event: JsonObject) -> int:
    return count(event.get("index")) or 0


def _append(block: JsonObject, delta: JsonObject) -> None:
    for source, target in (("text", "text"), ("partial_json", "json"), ("thinking", "thinking")):
        if isinstance(delta.get(source), str):
            before = block.get(target)
            block[target] = (before if isinstance(before, str) else "") + delta[source]


def _closed(block: JsonObject) -> JsonObject:
    written: Any = block.pop("json", None)
    return {**block, "input": decoded(written)} if written else block
