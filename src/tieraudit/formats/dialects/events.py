"""Content in events beside the span's attributes: span events, and log records with the span's id.

Source: GenAI conventions 1.28 to 1.36 (``gen_ai.user.message``, ``gen_ai.choice``), before them
(``gen_ai.content.prompt``) and after them (``gen_ai.client.inference.operation.details``). So write Semantic Kernel,
Azure AI and the official instrumentations in their event mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.dialects import genai
from tieraudit.formats.dialects.reading import Kind, Reading, finish, parts_in, read_answer, read_prompt
from tieraudit.formats.fields import decoded, first, listing, mapping, text

MESSAGES = {
    "gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}  # fmt: skip
CHOICE, DETAILS = "gen_ai.choice", "gen_ai.client.inference.operation.details"
OLD = {"gen_ai.content.prompt": "gen_ai.prompt", "gen_ai.content.completion": "gen_ai.completion"}
CHUNKS = (
    "llm.content.completion.chunk",
    "gen_ai.content.completion.chunk",
    "First Token Stream Event",
    "ai.stream.firstChunk",
    "mlflow.chunk.item.0",
)
EVALUATION = "gen_ai.evaluation.result"
NAMES = {*MESSAGES, CHOICE, DETAILS, *OLD, EVALUATION}


def knows(event_names: Mapping[str, Any]) -> bool:
    """True when one of the events (by name) holds content."""
    return not NAMES.isdisjoint(event_names)


def from_attribute(item: JsonObject) -> JsonObject:
    """An event out of Pydantic AI's list of them in one attribute."""
    return {"name": text(item.get("event.name")) or "", "time": None, "attributes": {}, "body": item}


def read(span: JsonObject) -> Reading:
    """The prompt and answer in the events of ``span``, in the order of their times; and when the first token came."""
    events = sorted(span.get("events") or (), key=lambda event: event.get("time") or 0)
    found = Reading()
    messages: list[JsonObject] = []
    bare = 0
    for event in events:
        name, told = event.get("name"), _told(event)
        if name in MESSAGES:
            message = _message(MESSAGES[name], told)
            bare += "content" not in message and "tool_calls" not in message
            messages.append(message)
        elif name == CHOICE:
            _choice(told, found)
        elif name == DETAILS:
            found.add(genai.read({**span, "attributes": {**told, **mapping(event.get("attributes"))}}))
        elif name in OLD:
            _old(name, told, found)
        elif name in CHUNKS and found.ttft_ms is None:
            found.ttft_ms = _since(span.get("start"), event.get("time"))
    if messages and not bare and found.prompt is None:  # without content, capturing it was off
        read_prompt(messages, found)
    if (messages or found.output is not None) and found.kind is None:
        found.kind, found.operation = Kind.CALL, "chat"
    return found


def _told(event: JsonObject) -> JsonObject:
    """What an event says: its body, its attributes, or JSON in one of them."""
    attributes = mapping(event.get("attributes"))
    body = event.get("body")
    told = {"content": body} if isinstance(body, str) else mapping(body)
    return {**attributes, **mapping(attributes.get("gen_ai.event.content")), **told}


def _message(role: str, told: JsonObject) -> JsonObject:
    inner = decoded(told.get("message"))
    if isinstance(inner, dict):
        told = {**told, **inner}
    message: JsonObject = {"role": text(told.get("role")) or role}
    if (content := parts_in(told.get("content"))) not in (None, ""):
        message["content"] = content
    if calls := listing(told.get("tool_calls")):
        message["tool_calls"] = calls
    if role == "tool" and (call_id := text(first(told, "id", "tool_call_id"))) is not None:
        message["tool_call_id"] = call_id
    if role == "tool" and (name := text(told.get("name"))) is not None:
        message["name"] = name
    return message


def _choice(told: JsonObject, found: Reading) -> None:
    """The first of the choices; several without an index are told apart by their order."""
    if str(told.get("index") or 0) != "0" or found.output is not None:
        return
    message = _message("assistant", {"message": {}, **told} if "message" in told else told)
    if isinstance(written := told.get("message"), str) and not isinstance(decoded(written), dict):
        message["content"] = parts_in(written)
    if "content" in message or "tool_calls" in message:
        read_answer([{**message, "role": "assistant"}], found)
    found.output = found.output or Output()
    found.finish = finish(told.get("finish_reason"))


def _old(name: str, told: JsonObject, found: Reading) -> None:
    value = first(told, OLD[name], "content")
    if name.endswith("prompt") and found.prompt is None:
        read_prompt(value, found)
    elif name.endswith("completion") and found.output is None:
        read_answer(value, found)


def _since(start: Any, moment: Any) -> float | None:
    if not isinstance(start, int) or not isinstance(moment, int) or moment < start:
        return None
    return (moment - start) / 1e6
