"""OpenAI Responses bodies as Chat Completions, where nothing is lost on the way.

Source of the field map: https://platform.openai.com/docs/guides/migrate-to-responses. Reasoning items are left out:
they are the model's own notes. Hosted tools (web search, code interpreter ...), stored prompts and references to items
that are not in the log have no counterpart; such a call is kept as operation ``responses`` and is not replayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.chat import chat_request, content_text, tool_call
from tieraudit.formats.fields import encoded, first, listing, mapping, text
from tieraudit.formats.tools import openai_tools

# Responses-only settings: how it is stored and returned, or mapped below under another name.
HANDLED = frozenset(
    {
        "input", "instructions", "previous_response_id", "conversation", "tools", "tool_choice", "text", "reasoning",
        "max_output_tokens", "include", "truncation", "background", "prompt", "max_tool_calls", "store",
    }
)  # fmt: skip
PARTS = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "text"}


@dataclass(slots=True)
class Mapped:
    """A request as Chat Completions: ``lossless`` False when it asks for what that cannot say, ``complete`` False when
    an earlier turn is not in the log; ``kept`` is what goes to the call's metadata."""

    request: JsonObject
    lossless: bool = True
    complete: bool = True
    kept: JsonObject = field(default_factory=dict)


def responses_request(body: Mapping[str, Any]) -> Mapped:
    """The canonical request of a Responses body."""
    mapped = Mapped({})
    messages: list[JsonObject] = []
    if isinstance(body.get("instructions"), str) and body["instructions"]:
        messages.append({"role": "system", "content": body["instructions"]})
    given = body.get("input")
    if isinstance(given, str):
        messages.append({"role": "user", "content": given})
    for item in listing(given):
        _add_item(mapping(item), messages, mapped)
    rest = {key: value for key, value in body.items() if key not in HANDLED}
    mapped.request = chat_request(rest, list(messages))
    _add_settings(body, mapped)
    for key in ("previous_response_id", "conversation", "prompt"):
        if body.get(key):
            mapped.kept[key] = body[key]
            mapped.complete = False
    return mapped


def responses_output(body: Mapping[str, Any]) -> Output | None:
    """The answer in a Responses body: the text of its messages joined, and its function calls."""
    items = [mapping(item) for item in listing(body.get("output"))]
    if not items and "output" not in body:
        return None
    written: list[str] = []
    refusals: list[str] = []
    calls: list[JsonObject] = []
    for item in items:
        if item.get("type") == "function_call":
            calls.append(tool_call(text(first(item, "call_id", "id")) or f"call_{len(calls)}", item))
        elif item.get("type", "message") == "message":
            written.append(content_text(item.get("content")) or "")
            refusals += [
                part["refusal"]
                for part in listing(item.get("content"))
                if isinstance(part, dict) and isinstance(part.get("refusal"), str)
            ]
    return Output(
        text="".join(written) or None,
        tool_calls=tuple(calls),
        refusal="".join(refusals) or None,
        finish_reason=_finish(body, calls),
    )


def _finish(body: Mapping[str, Any], calls: list[JsonObject]) -> str | None:
    if body.get("status") == "incomplete":
        reason = mapping(body.get("incomplete_details")).get("reason")
        return "length" if reason == "max_output_tokens" else text(reason) or "length"
    return "tool_calls" if calls else "stop"


def _add_item(item: JsonObject, messages: list[JsonObject], mapped: Mapped) -> None:
    kind = item.get("type") or ("message" if "role" in item else None)
    if kind == "message":
        messages.append({"role": item.get("role", "user"), "content": _content(item.get("content"), mapped)})
    elif kind == "function_call":
        call = tool_call(text(first(item, "call_id", "id")) or f"call_{len(messages)}", item)
        if messages and messages[-1]["role"] == "assistant" and "tool_calls" in messages[-1]:
            messages[-1]["tool_calls"].append(call)
        else:
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
    elif kind == "function_call_output":
        output = item.get("output")
        content = output if isinstance(output, str) else content_text(output) or encoded(output)
        messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": content})
    elif kind != "reasoning":
        mapped.lossless = False


def _content(content: Any, mapped: Mapped) -> Any:
    if not isinstance(content, list):
        return content
    parts: list[JsonObject] = []
    for item in content:
        part = mapping(item)
        kind = text(part.get("type"))
        if kind in PARTS:
            parts.append({"type": "text", "text": part.get("text") or part.get("refusal") or ""})
        elif kind == "input_image" and isinstance(part.get("image_url"), str):
            image = {"url": part["image_url"], **({"detail": part["detail"]} if part.get("detail") else {})}
            parts.append({"type": "image_url", "image_url": image})
        else:
            mapped.lossless = False
    if len(parts) == 1 and parts[0]["type"] == "text":
        return parts[0]["text"]
    return parts


def _add_settings(body: Mapping[str, Any], mapped: Mapped) -> None:
    request = mapped.request
    tools = listing(body.get("tools"))
    if tools:
        request["tools"] = openai_tools(tools)
        mapped.lossless = mapped.lossless and len(request["tools"]) == len(tools)
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        if choice.get("type") == "function":
            request["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
        else:
            mapped.lossless = False
    elif choice:
        request["tool_choice"] = choice
    if body.get("max_output_tokens") is not None:
        request["max_completion_tokens"] = body["max_output_tokens"]
    if effort := mapping(body.get("reasoning")).get("effort"):
        request["reasoning_effort"] = effort
    written = mapping(body.get("text"))
    if written.get("verbosity"):
        request["verbosity"] = written["verbosity"]
    form = mapping(written.get("format"))
    if form.get("type") == "json_schema":
        schema = {key: form[key] for key in ("name", "description", "schema", "strict") if form.get(key) is not None}
        request["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif form.get("type") not in (None, "text"):
        request["response_format"] = {"type": form["type"]}
