"""The bodies that a gateway hands on, told by what is in them: OpenAI's, Anthropic's or Gemini's language.

A body that says nothing (left out, cut off, a placeholder) gives an exchange without request or answer.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tieraudit.domain import JsonObject, Usage
from tieraudit.formats.anthropic_body import anthropic_exchange
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.fields import decoded, mapping
from tieraudit.formats.gemini_body import gemini_exchange
from tieraudit.formats.openai_body import openai_exchange, openai_operation
from tieraudit.formats.sse import events, fold_stream, is_stream


def gateway_exchange(asked: Any, answered: Any, *, url: str = "") -> Exchange:
    """The call of two bodies, either of which may be absent, JSON in a string, or raw server-sent events."""
    request, answered = mapping(asked), decoded(answered)
    chunks = list(events(answered)) if isinstance(answered, list) or is_stream(answered) else []
    response = fold_stream(answered) if is_stream(answered) else mapping(answered)
    path = path_of(url)
    if "contents" in request or "candidates" in response or any("candidates" in chunk for chunk in chunks):
        return gemini_exchange(request, chunks or response)
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
