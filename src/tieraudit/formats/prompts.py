"""Prompts in the many shapes that tracing tools record: messages, request bodies, Gemini contents, transcripts, text.

Each also as JSON inside a string. What cannot be said in Chat Completions marks the conversation incomplete.
"""

from __future__ import annotations

import re
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.chat import announced, modern_messages
from tieraudit.formats.fields import decoded, encoded, first, listing, mapping, text
from tieraudit.formats.messages import Conversation, add_message, pair_tools, plain_text, role_of
from tieraudit.formats.responses import responses_request
from tieraudit.formats.tools import openai_tools

TURN = re.compile(r"^(system|developer|user|assistant|tool): ", re.M)
GEMINI_PARAMETERS = {
    "temperature": "temperature", "top_p": "top_p", "topP": "top_p", "max_output_tokens": "max_tokens",
    "maxOutputTokens": "max_tokens", "stop_sequences": "stop", "stopSequences": "stop", "seed": "seed",
}  # fmt: skip


def conversation(value: Any) -> Conversation | None:
    """The prompt in ``value``; None when there is none. Tool results are paired with the calls that they answer."""
    found = Conversation()
    _read(decoded(value), found)
    if not found.messages:
        return None
    found.messages = modern_messages(found.messages)
    pair_tools(found.messages)
    found.complete = found.complete and announced(found.messages)
    return found


def _read(value: Any, found: Conversation) -> None:
    if isinstance(value, str):
        _read_text(value, found)
    elif isinstance(value, list):
        while len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        if value and all(isinstance(item, dict) and _is_part(item) for item in value):
            add_message({"role": "user", "content": value}, found)
        else:
            for item in value:
                _read_item(decoded(item), found)
    elif isinstance(value, dict):
        _read_body(value, found)


def _read_text(value: str, found: Conversation) -> None:
    """A prompt, or a transcript of roles before colons: of that, tool results have lost what they answer."""
    marks = list(TURN.finditer(value))
    if len(marks) < 2 or marks[0].start() != 0:
        if text(value):
            found.messages.append({"role": "user", "content": value})
        return
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        content = value[mark.end() : following.start() if following else None].removesuffix("\n")
        found.messages.append({"role": mark[1], "content": content})
    found.complete = found.complete and not any(mark[1] == "tool" for mark in marks)


def _read_item(item: Any, found: Conversation) -> None:
    if isinstance(item, str):
        _read_text(item, found)
    elif isinstance(item, dict):
        add_message(item, found)
    else:
        found.complete = False


def _read_body(body: JsonObject, found: Conversation) -> None:
    contents = listing(body.get("contents"))
    if "messages" in body:
        _settings(body, found)
        _read(decoded(body["messages"]), found)
    elif contents:
        _read_gemini(body, contents, found)
    elif role_of(body):
        add_message(body, found)
    elif "kwargs" in body or "args" in body:
        _read(mapping(body.get("kwargs")) or listing(body.get("args")), found)
    elif isinstance(body.get("input"), list) or "instructions" in body:
        mapped = responses_request(body)
        found.messages += mapped.request.pop("messages")
        found.tools += mapped.request.pop("tools", [])
        found.parameters.update(mapped.request)
        found.complete = found.complete and mapped.lossless and mapped.complete
    elif "prompt" in body or "prompts" in body:
        if text(body.get("system")):
            found.messages.append({"role": "system", "content": body["system"]})
        _read(decoded(first(body, "prompt", "prompts")), found)
    elif body:
        found.messages.append({"role": "user", "content": encoded(body)})
        found.complete = False


def _settings(body: JsonObject, found: Conversation) -> None:
    for key, value in body.items():
        if key == "tools":
            found.tools += openai_tools(value)
        elif key == "system" and isinstance(value, str):
            found.messages.append({"role": "system", "content": value})
        elif key != "messages":
            found.parameters[key] = value


def _read_gemini(body: JsonObject, contents: list[Any], found: Conversation) -> None:
    config = mapping(first(body, "config", "generationConfig", "generation_config"))
    told = first({**config, **body}, "system_instruction", "systemInstruction")
    system = told if isinstance(told, str) else plain_text(mapping(told).get("parts"))
    if system:
        found.messages.append({"role": "system", "content": system})
    found.tools += openai_tools(first({**config, **body}, "tools"))
    found.parameters.update({new: config[old] for old, new in GEMINI_PARAMETERS.items() if config.get(old) is not None})
    for item in contents:
        _read_item(item, found)


def _is_part(item: JsonObject) -> bool:
    return "role" not in item and item.get("type") in ("text", "input_text", "image_url")
