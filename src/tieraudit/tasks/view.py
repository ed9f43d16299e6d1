"""What a router sees of a request: the system text, the user's turns, tools, schema, images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IMAGE_PARTS = frozenset({"image_url", "input_image", "image"})
TEXT_PARTS = frozenset({"text", "input_text", "output_text"})


@dataclass(frozen=True, slots=True)
class PromptView:
    """The parts of one request that tell tasks apart.

    ``system`` is the text of all system and developer messages joined with one space and stripped, ``user`` the text
    of the last user message: the exported routers compute both in the same way. ``opening`` is the first user message.
    ``shots`` are the turns before the last user message, one ``role: text`` a line, empty unless a user turn and an
    assistant turn stand there: few-shot examples, or the past of a conversation.
    """

    system: str = ""
    opening: str = ""
    user: str = ""
    shots: str = ""
    tools: tuple[str, ...] = ()
    schema: str | None = None
    has_image: bool = False


def view(request: Mapping[str, Any]) -> PromptView:
    """Read a Chat Completions body; never raises, what has an unknown shape counts as absent."""
    messages = [item for item in _list(request.get("messages")) if isinstance(item, Mapping)]
    prompt = request.get("prompt")
    if not messages and isinstance(prompt, str):
        return PromptView(opening=prompt, user=prompt)
    system = " ".join(text(item.get("content")) for item in messages if item.get("role") in ("system", "developer"))
    users = [place for place, item in enumerate(messages) if item.get("role") == "user"]
    return PromptView(
        system=system.strip(),
        opening=text(messages[users[0]].get("content")) if users else "",
        user=text(messages[users[-1]].get("content")) if users else "",
        shots=_shots(messages[: users[-1]]) if users else "",
        tools=tool_names(request),
        schema=_schema(request.get("response_format")),
        has_image=any(_has_image(item.get("content")) for item in messages),
    )


def text(content: object) -> str:
    """The text of a message's content: a string, or its text parts joined with one space."""
    if isinstance(content, str):
        return content
    parts = [part for part in _list(content) if isinstance(part, Mapping)]
    return " ".join(str(part.get("text") or "") for part in parts if part.get("type") in TEXT_PARTS)


def tool_names(request: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the request's tools, sorted; built-in tools go by their type."""
    names = set()
    for tool in [*_list(request.get("tools")), *_list(request.get("functions"))]:
        if not isinstance(tool, Mapping):
            continue
        function = tool.get("function")
        name = function.get("name") if isinstance(function, Mapping) else tool.get("name") or tool.get("type")
        if isinstance(name, str):
            names.add(name)
    return tuple(sorted(names))


def _schema(form: object) -> str | None:
    """``json_object``, or the schema's name with its top-level keys."""
    if not isinstance(form, Mapping) or form.get("type") in (None, "text"):
        return None
    wrapped = form.get("json_schema")
    if not isinstance(wrapped, Mapping):
        return str(form.get("type"))
    schema = wrapped.get("schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    keys = ",".join(sorted(map(str, properties))) if isinstance(properties, Mapping) else ""
    return f"{wrapped.get('name')}({keys})"


def _shots(before: Sequence[Mapping[str, Any]]) -> str:
    turns = [(str(item.get("role")), text(item.get("content"))) for item in before]
    roles = {role for role, _ in turns}
    if not {"user", "assistant"} <= roles:
        return ""
    return "\n".join(f"{role}: {said}" for role, said in turns if role in ("user", "assistant"))


def _has_image(content: object) -> bool:
    return any(isinstance(part, Mapping) and part.get("type") in IMAGE_PARTS for part in _list(content))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
