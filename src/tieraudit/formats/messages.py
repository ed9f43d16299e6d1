"""One recorded message as Chat Completions messages, from the shapes of many frameworks.

Known: OpenAI, LangChain (``human``/``ai``, serialised classes, ``additional_kwargs``), OpenTelemetry GenAI ``parts``,
Gemini parts, Vercel AI SDK parts, Anthropic blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.chat import tool_call, tool_calls
from tieraudit.formats.fields import decoded, encoded, first, listing, mapping, text
from tieraudit.formats.tools import openai_tools

ROLES = {
    "human": "user", "user": "user", "ai": "assistant", "assistant": "assistant", "model": "assistant",
    "system": "system", "developer": "developer", "tool": "tool", "function": "function", "HumanMessage": "user",
    "AIMessage": "assistant", "AIMessageChunk": "assistant", "SystemMessage": "system", "ToolMessage": "tool",
}  # fmt: skip
THOUGHTS = {"reasoning", "thinking", "redacted_thinking", "thought"}
CALLS = {"tool_call", "tool-call", "tool_use", "function_call"}
# Parts that Chat Completions has under the same name.
SPOKEN = {"image_url", "input_audio", "file"}
RESULTS = {"tool_call_response", "tool-result", "tool_result", "function_response"}


@dataclass(slots=True)
class Conversation:
    """A prompt on its way to canonical form; ``complete`` False when a part of it could not be carried over."""

    messages: list[JsonObject] = field(default_factory=list)
    tools: list[JsonObject] = field(default_factory=list)
    parameters: JsonObject = field(default_factory=dict)
    complete: bool = True


def role_of(message: JsonObject) -> str | None:
    """The role of a recorded message in OpenAI's words; None when it has none that is known."""
    for key in ("role", "type"):
        if isinstance(message.get(key), str) and message[key] in ROLES:
            return ROLES[message[key]]
    return None


def add_message(message: JsonObject, found: Conversation) -> None:
    """Add one message; tool results inside it become messages of their own, and a tool definition becomes a tool."""
    if "kwargs" in message and isinstance(message.get("id"), list):
        message = {"type": str(message["id"][-1]), **mapping(message["kwargs"])}
    role = role_of(message)
    if role is None and isinstance(inner := message.get("message"), dict):
        add_message(inner, found)
        return
    if definition := _definition(role, message):
        found.tools += definition
        return
    calls = (
        tool_calls(message) or tool_calls(mapping(message.get("additional_kwargs"))) or _spelled_calls(role, message)
    )
    content, results = message.get("content"), list[JsonObject]()
    if calls and role != "user" and decoded(content) != content:
        role, content = "assistant", None
    parts = listing(message.get("parts")) or (content if isinstance(content, list) else None)
    if parts is not None:
        content = _parts(parts, calls, results, found)
    elif not isinstance(content, str):
        content = None if content is None else encoded(content)
    result: JsonObject = {"role": role or "user"}
    if role == "tool" and not results:
        result.update({key: message[key] for key in ("tool_call_id", "name") if text(message.get(key))})
    if calls:
        result["tool_calls"] = calls
    found.messages += results
    if content or calls or (role == "tool" and not results):
        found.messages.append({**result, "content": content})


def pair_tools(messages: list[JsonObject]) -> None:
    """Give every tool call an id of its own, and every result without one the id of the call it must answer."""
    pending: list[JsonObject] = []
    used: set[str] = set()
    for position, message in enumerate(messages):
        for call in message.get("tool_calls", ()):
            if call["id"] in used:
                call["id"] = f"call_{position}_{len(pending)}"
            used.add(call["id"])
            pending.append(call)
        if message.get("role") != "tool" or not pending:
            continue
        name = message.get("name")
        named = [call for call in pending if call["function"]["name"] == name]
        if "tool_call_id" not in message:
            message["tool_call_id"] = (named or pending)[0]["id"]
        pending = [call for call in pending if call["id"] != message["tool_call_id"]]


def one_call(part: JsonObject, position: int) -> JsonObject:
    """A tool call in OpenAI's shape from a part that names it as one of the frameworks does."""
    name = first(part, "name", "toolName") or ""
    return tool_call(text(first(part, "id", "toolCallId")) or f"call_{position}", {**part, "name": name})


def plain_text(value: Any) -> str:
    """The text of a list of parts; empty when there is none."""
    parts = [part.get("text") if isinstance(part, dict) else part for part in listing(value)]
    return "\n".join(part for part in parts if isinstance(part, str))


def _definition(role: str | None, message: JsonObject) -> list[JsonObject]:
    """LangGraph records the offered tools as messages of the role ``tool``."""
    if role not in ("tool", "function"):
        return []
    content = decoded(message.get("content")) if "content" in message else message
    return openai_tools([content]) if isinstance(content, dict) and isinstance(content.get("function"), dict) else []


def _spelled_calls(role: str | None, message: JsonObject) -> list[JsonObject]:
    """Koog records tool calls as JSON in the content."""
    content = decoded(message.get("content")) if role in ("assistant", "tool") else None
    if isinstance(content, list) and content and all(isinstance(item, dict) and "function" in item for item in content):
        return tool_calls({"tool_calls": content})
    return []


def _parts(parts: list[Any], calls: list[JsonObject], results: list[JsonObject], found: Conversation) -> Any:
    """The content of a message in parts; tool calls and results among them are moved to ``calls`` and ``results``."""
    kept: list[JsonObject] = []
    for item in parts:
        part = {"type": "text", "text": item} if isinstance(item, str) else mapping(item)
        kind = _kind(part)
        if kind == "text":
            kept.append({"type": "text", "text": str(first(part, "text", "content") or "")})
        elif kind in CALLS:
            call = one_call(mapping(part.get("function_call")) or mapping(part.get("functionCall")) or part, len(calls))
            if call["id"] not in [known["id"] for known in calls]:
                calls.append(call)
        elif kind in RESULTS:
            results.append(_result(mapping(first(part, "function_response", "functionResponse")) or part))
        elif kind in SPOKEN:
            kept.append(part)
        elif (image := _image(kind, part)) is not None:
            kept.append(image)
        elif kind not in THOUGHTS:
            found.complete = False
    if all(part["type"] == "text" for part in kept):
        return "\n".join(part["text"] for part in kept) if kept else None
    return kept


def _kind(part: JsonObject) -> str:
    kind = part.get("type")
    if isinstance(kind, str):
        return "text" if kind in ("input_text", "output_text") else kind
    for key, named in (("function_call", "function_call"), ("functionCall", "function_call")):
        if key in part:
            return named
    if "function_response" in part or "functionResponse" in part:
        return "function_response"
    return "text" if "text" in part else "unknown"


def _image(kind: str, part: JsonObject) -> JsonObject | None:
    """An image as its maker has it: an address, or data with its type; None for anything else."""
    source = mapping(part.get("source")) or mapping(first(part, "inline_data", "inlineData")) or part
    media = text(first(source, "mime_type", "mimeType", "media_type", "mediaType"))
    if kind not in ("image", "input_image") and not (source is not part and media and media.startswith("image/")):
        return None
    address = text(first(source, "url", "image_url")) or text(part.get("image"))
    data = text(first(source, "data", "base64"))
    if address is None and data is not None:
        address = f"data:{media or 'image/png'};base64,{data}"
    return None if address is None else {"type": "image_url", "image_url": {"url": address}}


def _result(part: JsonObject) -> JsonObject:
    value = first(part, "response", "result", "output", "content")
    if isinstance(value, dict) and value.get("type") in ("text", "json") and "value" in value:
        value = value["value"]
    content = value if isinstance(value, str) else plain_text(value) or encoded(value)
    message: JsonObject = {"role": "tool", "content": content}
    if call_id := text(first(part, "id", "toolCallId", "tool_use_id", "call_id")):
        message["tool_call_id"] = call_id
    if name := text(first(part, "name", "toolName")):
        message["name"] = name
    return message
