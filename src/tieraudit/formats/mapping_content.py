"""Prompt and answer of a record that a mapping.toml describes: whole bodies, then the parts named apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tieraudit.domain import JsonObject, Output
from tieraudit.formats.answers import FINISHES, answer
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.chat import chat_request, error_of, tool_calls
from tieraudit.formats.fields import count, decoded, listing, mapping, text
from tieraudit.formats.gateway_bodies import failure, gateway_exchange
from tieraudit.formats.mapping_source import Values, opened
from tieraudit.formats.prompts import conversation
from tieraudit.formats.tools import openai_tools

# What a status says of a call that went well.
FINE = {"ok", "success", "succeeded", "successful", "completed", "complete", "done", "finished", "false", "no", "none"}
OPENAI_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
OPENAI_PARTS = ("text", "image_url", "input_audio", "file", "refusal")


def mapped_exchange(values: Values) -> Exchange:
    """What the record's bodies say, and what the mapping names on its own."""
    asked, answered = values.opened("request"), values.opened("response")
    found = gateway_exchange(asked, answered)
    prompt = values.get("messages")
    if prompt is None and found.request is None and isinstance(asked, str | list):
        prompt = asked
    body, complete = _request(values, found, prompt)
    response = found.response
    if response is None and found.error is None:
        response = answer(answered)
    return replace(found, request=body, complete=complete, response=_response(values, response))


def mapped_error(values: Values, found: Exchange, status: int | None) -> tuple[str | None, str | None]:
    """(type, message) of the error. What is mapped may also be a status word of success, or the HTTP status."""
    value, message = decoded(values.get("error_type")), values.text("error_message")
    kind, said = _told_error(value)
    if kind is None:
        kind, said = failure(found, status, failed=value is None and message is not None)
    return kind, (message or said) if kind else None


def _told_error(value: Any) -> tuple[str | None, str | None]:
    if isinstance(value, dict | list):
        return error_of({"error": value}) or (("error", None) if value else (None, None))
    number, word = count(value), text(value)
    if value is True:
        return "error", None
    if number is not None:
        return (f"http_{number}" if number >= 400 else None), None
    return (None if word is None or word.lower() in FINE else word), None


def _request(values: Values, found: Exchange, prompt: Any) -> tuple[JsonObject | None, bool]:
    """(canonical request, whether it is complete)"""
    body, complete = found.request, found.complete
    parameters = dict(mapping(values.opened("parameters")))
    for key in ("tool_choice", "response_format"):
        if (value := values.opened(key)) is not None:
            parameters[key] = value
    if prompt is not None:
        body, complete = _prompt(prompt, parameters)
    elif body is not None and parameters:
        body = {**body, **chat_request(parameters, []), "messages": body["messages"]}
    if body is None:
        return None, complete
    if system := values.text("system"):
        body = {**body, "messages": [{"role": "system", "content": system}, *body["messages"]]}
    offered = values.opened("tools")
    tools = openai_tools(offered)
    return ({**body, "tools": tools} if tools else body), complete and len(tools) >= len(listing(offered))


def _prompt(prompt: Any, parameters: JsonObject) -> tuple[JsonObject | None, bool]:
    """The same of a prompt alone: messages of OpenAI's as they are, others translated."""
    read = opened(prompt)
    if isinstance(prompt, str) and not isinstance(read, str) and not _is_conversation(read):
        return chat_request(parameters, [prompt]), True  # a person's text that happens to be JSON
    messages = listing(read)
    if messages and all(isinstance(item, dict) and _is_openai(item) for item in messages):
        return chat_request(parameters, messages), True
    asked = conversation(read)
    if asked is None:
        return None, True
    body = chat_request({**asked.parameters, **parameters}, list(asked.messages))
    return ({**body, "tools": asked.tools} if asked.tools else body), asked.complete


def _is_conversation(value: Any) -> bool:
    """True for messages, and for a body that holds them."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict | list) for item in value)
    return isinstance(value, dict) and any(key in value for key in ("messages", "contents", "role", "parts", "prompt"))


def _is_openai(message: JsonObject) -> bool:
    content = message.get("content")
    parts = [mapping(part).get("type") for part in content] if isinstance(content, list) else []
    known = all(kind in OPENAI_PARTS for kind in parts) and (content is None or isinstance(content, str | list))
    return message.get("role") in OPENAI_ROLES and known


def _response(values: Values, known: Output | None) -> Output | None:
    spoken, called = values.get("text"), values.opened("tool_calls")
    refusal, reason = values.text("refusal"), values.text("finish_reason")
    output = known or Output()
    if isinstance(spoken, str):
        output = replace(output, text=spoken or None)
    elif spoken is not None and (structured := answer(spoken)) is not None:
        output = structured
    if called is not None:
        output = replace(output, tool_calls=tuple(tool_calls({"tool_calls": called})))
    if refusal:
        output = replace(output, refusal=refusal)
    if reason:
        output = replace(output, finish_reason=FINISHES.get(reason, reason))
    return output if known is not None or not output.empty or output.finish_reason else None
