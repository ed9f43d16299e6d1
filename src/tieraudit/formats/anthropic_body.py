"""Anthropic Messages bodies as Chat Completions.

Source of the field map: the Anthropic API reference, https://docs.claude.com/en/api/messages, and the types of its
Python SDK. Thinking blocks are left out: they are the model's own notes. Tools that run at the provider (web search,
code execution, MCP) have no counterpart; such a call is kept as operation ``anthropic_messages``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieraudit.domain import JsonObject, Output, Usage
from tieraudit.formats.bodies import (
    Exchange,
    effort,
    file_part,
    finish,
    image_part,
    joined,
    schema_format,
    text_part,
    total,
)
from tieraudit.formats.chat import chat_request, error_of, tool_call
from tieraudit.formats.fields import count, encoded, first, listing, mapping, text
from tieraudit.formats.responses import Mapped
from tieraudit.formats.tools import openai_tools

OPERATION = "anthropic_messages"
PARAMETERS = {
    "max_tokens": "max_tokens", "max_tokens_to_sample": "max_tokens", "temperature": "temperature", "top_p": "top_p",
    "top_k": "top_k", "stop_sequences": "stop",
}  # fmt: skip
CHOICES = {"auto": "auto", "any": "required", "none": "none"}
EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
# Read below, or said of the call elsewhere.
HANDLED = {
    *PARAMETERS, "model", "messages", "system", "stream", "tools", "tool_choice", "output_format", "output_config",
    "metadata", "anthropic_version", "prompt",
}  # fmt: skip
# What the usage report says of the price, and the words that mean the list price.
BILLED_OTHERWISE = {"service_tier": ("standard",), "speed": ("standard",), "inference_geo": ("global", "not_available")}
AT_THE_PROVIDER = ("mcp_servers", "container", "context_management")
NOTES = ("thinking", "redacted_thinking")


def anthropic_exchange(asked: Mapping[str, Any], answered: Mapping[str, Any]) -> Exchange:
    """The call of a request body and a response body, either of which may be empty."""
    mapped = anthropic_request(asked)
    request = mapped.request if mapped.request.get("messages") else None
    reported = mapping(answered.get("usage"))
    kept = dict(mapped.kept)
    for name, value in mapping(reported.get("server_tool_use")).items():
        if value:  # billed apart from tokens
            kept[name] = value
    for name, usual in BILLED_OTHERWISE.items():
        if (value := text(reported.get(name))) not in (None, *usual):
            kept[f"served_{name}"] = value
    if longer := count(mapping(reported.get("cache_creation")).get("ephemeral_1h_input_tokens")):
        kept["cache_creation_1h_input_tokens"] = longer  # dearer than those that live for five minutes
    chat = "messages" in asked or "prompt" not in asked
    return Exchange(
        request=request,
        response=anthropic_output(answered),
        usage=anthropic_usage(reported),
        operation=("chat" if mapped.lossless else OPERATION) if chat else "text_completion",
        complete=mapped.complete,
        kept=kept,
        response_model=text(answered.get("model")),
        response_id=text(answered.get("id")),
        user_id=text(mapping(asked.get("metadata")).get("user_id")),
        error=error_of(answered),
    )


def anthropic_request(body: Mapping[str, Any]) -> Mapped:
    """The canonical request of a Messages body, or of the older body with ``prompt``."""
    mapped = Mapped({})
    messages: list[JsonObject] = []
    if system := joined(_parts(body.get("system"), [], [], mapped)):
        messages.append({"role": "system", "content": system})
    for item in listing(body.get("messages")):
        _add_message(mapping(item), messages, mapped)
    if not messages and isinstance(body.get("prompt"), str) and body["prompt"]:
        messages.append({"role": "user", "content": body["prompt"]})
    request = {new: body[old] for old, new in PARAMETERS.items() if body.get(old) is not None}
    mapped.request = chat_request(request, list(messages))
    _add_tools(body, mapped)
    _add_thinking_and_form(body, mapped)
    for key, value in body.items():
        if key not in HANDLED and value not in (None, [], {}):
            mapped.kept[key] = value
            mapped.lossless = mapped.lossless and key not in AT_THE_PROVIDER
    return mapped


def anthropic_output(message: Mapping[str, Any]) -> Output | None:
    """The answer in a message, or in the older body with ``completion``; None when there is none."""
    if isinstance(message.get("completion"), str):
        return Output(text=message["completion"] or None, finish_reason=finish(message.get("stop_reason")))
    if not isinstance(message.get("content"), list | str) or message.get("type") == "error":
        return None
    calls: list[JsonObject] = []
    parts = _parts(message["content"], calls, [], Mapped({}))
    written = "".join(part["text"] for part in parts if part["type"] == "text")
    return Output(
        text=written or None,
        tool_calls=tuple(calls),
        finish_reason=finish(message.get("stop_reason"), called=bool(calls)),
    )


def anthropic_usage(reported: Mapping[str, Any]) -> Usage:
    """Tokens; the report's ``input_tokens`` leave cached ones out, so they are added."""
    read = count(reported.get("cache_read_input_tokens"))
    written = count(reported.get("cache_creation_input_tokens"))
    if written is None:
        written = total(*(count(value) for value in mapping(reported.get("cache_creation")).values()))
    fresh, out = count(reported.get("input_tokens")), count(reported.get("output_tokens"))
    details = mapping(reported.get("output_tokens_details"))
    if not any((fresh, read, written, out)):
        return Usage()
    return Usage(
        input_tokens=total(fresh, read, written),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=out,
        reasoning_output_tokens=count(first(details, "thinking_tokens", "reasoning_tokens")),
        total_tokens=count(reported.get("total_tokens")),
    )


def _add_message(message: JsonObject, messages: list[JsonObject], mapped: Mapped) -> None:
    """One message; tool results become messages of their own before it."""
    calls: list[JsonObject] = []
    results: list[JsonObject] = []
    content = joined(_parts(message.get("content"), calls, results, mapped))
    role = message.get("role")
    messages += results
    found: JsonObject = {"role": role if role in ("assistant", "system") else "user", "content": content}
    if calls:
        found["tool_calls"] = calls
    if content or calls:
        messages.append(found)


def _parts(content: Any, calls: list[JsonObject], results: list[JsonObject], mapped: Mapped) -> list[JsonObject]:
    """Content blocks as parts; tool calls and results among them go to ``calls`` and ``results``."""
    if isinstance(content, str):
        return [text_part(content)] if content else []
    parts: list[JsonObject] = []
    for item in listing(content):
        block = text_part(item) if isinstance(item, str) else mapping(item)
        kind = text(block.get("type")) or ("text" if "text" in block else "")
        if "cache_control" in block:
            mapped.kept["cache_control"] = True
        if kind == "text":
            if block.get("text"):
                parts.append(text_part(block.get("text")))
        elif kind == "tool_use":
            calls.append(tool_call(text(block.get("id")) or f"call_{len(calls)}", block))
        elif kind == "tool_result":
            results.append(_result(block, mapped))
        elif kind in ("image", "document"):
            parts += _media(kind, block, mapped)
        elif kind == "search_result":
            parts.append(text_part("\n".join(str(block.get(key) or "") for key in ("title", "source")).strip()))
            parts += _parts(block.get("content"), calls, results, mapped)
        elif kind not in NOTES:
            mapped.lossless = False
            mapped.complete = mapped.complete and kind not in ("", "container_upload")
    return parts


def _result(block: JsonObject, mapped: Mapped) -> JsonObject:
    parts = _parts(block.get("content"), [], [], mapped)
    if any(part["type"] != "text" for part in parts):  # a tool's message may hold nothing but text
        mapped.complete = False
    if block.get("is_error") is True:
        mapped.kept["tool_error"] = True
    return {"role": "tool", "tool_call_id": text(block.get("tool_use_id")) or "", "content": joined(parts) or ""}


def _media(kind: str, block: JsonObject, mapped: Mapped) -> list[JsonObject]:
    """An image or a document by its data, its address or its reference."""
    source = mapping(block.get("source"))
    form, data, url = text(source.get("type")), source.get("data"), text(source.get("url"))
    if form == "text" and isinstance(data, str):
        return [text_part(part) for part in (block.get("title"), block.get("context"), data) if part]
    if form == "content":
        return _parts(source.get("content"), [], [], mapped)
    if isinstance(data, str) and data:
        address = f"data:{text(source.get('media_type')) or 'application/octet-stream'};base64,{data}"
        return [image_part(address) if kind == "image" else file_part(data=address, name=block.get("title"))]
    if kind == "image" and url:
        return [image_part(url)]
    mapped.complete = False
    return [file_part(reference=url or text(source.get("file_id")), name=block.get("title"))]


def _add_tools(body: Mapping[str, Any], mapped: Mapped) -> None:
    offered = listing(body.get("tools"))
    if tools := openai_tools(offered):
        mapped.request["tools"] = tools
    mapped.lossless = mapped.lossless and len(tools) == len(offered)
    choice = mapping(body.get("tool_choice"))
    kind = text(choice.get("type"))
    if kind == "tool":
        mapped.request["tool_choice"] = {"type": "function", "function": {"name": text(choice.get("name")) or ""}}
    elif kind in CHOICES:
        mapped.request["tool_choice"] = CHOICES[kind]
    if isinstance(alone := choice.get("disable_parallel_tool_use"), bool):
        mapped.request["parallel_tool_calls"] = not alone


def _add_thinking_and_form(body: Mapping[str, Any], mapped: Mapped) -> None:
    thinking, settings = mapping(body.get("thinking")), mapping(body.get("output_config"))
    told = EFFORTS.get(text(settings.get("effort")) or "")
    if told is None and text(thinking.get("type")) == "enabled":
        told = effort(thinking.get("budget_tokens"))
    if told:
        mapped.request["reasoning_effort"] = told
    form = mapping(body.get("output_format")) or mapping(settings.get("format"))
    if schema := mapping(form.get("schema")):
        mapped.request["response_format"] = schema_format(schema, text(form.get("name")), strict=True)
    elif form:
        mapped.kept["output_format"] = encoded(form)
