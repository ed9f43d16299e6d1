"""The bodies that a gateway hands on, told by what is in them: OpenAI's, Anthropic's or Gemini's language.

A body that says nothing (left out, cut off, a placeholder) gives an exchange without request or answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from tieraudit.domain import JsonObject, Usage
from tieraudit.formats.answers import answer
from tieraudit.formats.anthropic_body import anthropic_exchange
from tieraudit.formats.bodies import Exchange, total
from tieraudit.formats.chat import chat_request, error_of
from tieraudit.formats.fields import count, decoded, first, mapping, text
from tieraudit.formats.openai_body import openai_exchange, openai_operation
from tieraudit.formats.prompts import conversation
from tieraudit.formats.sse import fold_stream, is_stream

GEMINI_USAGE = (
    ("input_tokens", ("promptTokenCount", "prompt_token_count")),
    ("output_tokens", ("candidatesTokenCount", "candidates_token_count")),
    ("reasoning_output_tokens", ("thoughtsTokenCount", "thoughts_token_count")),
    ("cache_read_input_tokens", ("cachedContentTokenCount", "cached_content_token_count")),
    ("total_tokens", ("totalTokenCount", "total_token_count")),
)


def gateway_exchange(asked: Any, answered: Any, *, url: str = "") -> Exchange:
    """The call of two bodies, either of which may be absent, JSON in a string, or raw server-sent events."""
    request, streamed = mapping(asked), is_stream(decoded(answered))
    response = fold_stream(decoded(answered)) if streamed else mapping(answered)
    path = path_of(url)
    if "contents" in request or "candidates" in response:
        return _gemini(request, response)
    if _is_anthropic(path, request, response):
        return anthropic_exchange(request, response)
    kind = openai_operation(path, request, response)
    if kind is None and ("choices" in response or "error" in response):
        kind = "chat"
    return openai_exchange(kind, request, response) if kind else Exchange(None, None)


def path_of(url: Any) -> str:
    """The path of an address, or of a bare path; empty when there is none."""
    try:
        path = urlsplit(url).path.strip("/") if isinstance(url, str) else ""
    except ValueError:
        return ""
    return f"/{path}" if path else ""


def failure(found: Exchange, status: int | None, *, failed: bool = False) -> tuple[str | None, str | None]:
    """(type, message) of the error: as the body tells it, else by the HTTP status, else as the log says ``failed``."""
    if found.error is not None:
        return found.error
    if status is not None and status >= 400:
        return f"http_{status}", None
    return ("error", None) if failed else (None, None)


def better_usage(body: Usage, columns: Usage) -> Usage:
    """The body's own report, which tells cached and reasoning tokens apart, else the gateway's columns."""
    if body.input_tokens is None and body.output_tokens is None:
        return columns
    return Usage(
        input_tokens=_known(body.input_tokens, columns.input_tokens),
        cache_read_input_tokens=_known(body.cache_read_input_tokens, columns.cache_read_input_tokens),
        cache_creation_input_tokens=_known(body.cache_creation_input_tokens, columns.cache_creation_input_tokens),
        output_tokens=_known(body.output_tokens, columns.output_tokens),
        reasoning_output_tokens=_known(body.reasoning_output_tokens, columns.reasoning_output_tokens),
        total_tokens=_known(body.total_tokens, columns.total_tokens),
    )


def stream_of(asked: Any) -> bool | None:
    """What the request says of streaming."""
    value = mapping(asked).get("stream")
    return value if isinstance(value, bool) else None


def _known(value: int | None, other: int | None) -> int | None:
    return other if value is None else value


def _is_anthropic(path: str, request: JsonObject, response: JsonObject) -> bool:
    if "choices" in response or response.get("object") in ("response", "chat.completion"):
        return False
    if path.endswith("/messages") or response.get("type") == "message" or "anthropic_version" in request:
        return True
    return response.get("type") == "error" or ("system" in request and "messages" in request)


def _gemini(request: JsonObject, response: JsonObject) -> Exchange:
    asked = conversation(request) if "contents" in request else None
    body: JsonObject | None = None
    if asked is not None:
        body = chat_request(asked.parameters, list(asked.messages))
        if asked.tools:
            body["tools"] = asked.tools
    return Exchange(
        request=body,
        response=answer(response) if "candidates" in response else None,
        usage=_gemini_usage(mapping(first(response, "usageMetadata", "usage_metadata"))),
        complete=asked is None or asked.complete,
        response_model=text(first(response, "modelVersion", "model_version")),
        response_id=text(first(response, "responseId", "response_id")),
        error=error_of(response),
    )


def _gemini_usage(reported: Mapping[str, Any]) -> Usage:
    """Tokens; Gemini counts thoughts beside the answer."""
    found = {name: count(first(reported, *keys)) for name, keys in GEMINI_USAGE}
    if found["output_tokens"] is not None or found["reasoning_output_tokens"] is not None:
        found["output_tokens"] = total(found["output_tokens"], found["reasoning_output_tokens"])
    return Usage(**found)
