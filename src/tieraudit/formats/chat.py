"""Chat Completions bodies, the shape that most logs share: request, answer, usage and error.

Source of the field map: the OpenAI API reference, https://platform.openai.com/docs/api-reference/chat. The legacy
``functions``/``function_call`` fields become ``tools``/``tool_choice``, which is what a replay target understands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tieraudit.domain import ContentState, JsonObject, Output, Usage
from tieraudit.formats.fields import count, decoded, encoded, first, listing, mapping, text

# Not part of what is asked: which model, how it is transported, who asks, and what a gateway is told.
NOT_THE_QUESTION = frozenset(
    {
        "model", "stream", "stream_options", "metadata", "user", "safety_identifier", "store", "messages", "functions",
        "function_call", "api_key", "api_base", "base_url", "api_version", "timeout", "request_timeout", "max_retries",
        "num_retries", "fallbacks", "context_window_fallbacks", "cache", "caching", "tags", "mock_response", "headers",
        "extra_headers", "guardrails", "secret_fields", "proxy_server_request", "custom_llm_provider", "no-log",
        "drop_params", "additional_drop_params", "allowed_openai_params", "prompt_id", "prompt_variables", "client",
    }
)  # fmt: skip
# Field of Usage, the first place to look (0: input details, 1: output details, 2: the report itself), names there.
USAGE = (
    ("input_tokens", 2, ("prompt_tokens", "input_tokens")),
    ("cache_read_input_tokens", 0, ("cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens")),
    (
        "cache_creation_input_tokens",
        0,
        ("cache_creation_input_tokens", "cache_creation_tokens", "cache_write_tokens"),
    ),
    ("output_tokens", 2, ("completion_tokens", "output_tokens")),
    ("reasoning_output_tokens", 1, ("reasoning_tokens",)),
    ("total_tokens", 2, ("total_tokens",)),
)
TEXT_PARTS = ("text", "input_text", "output_text")


def chat_request(body: Mapping[str, Any], messages: list[Any]) -> JsonObject:
    """The canonical request: ``messages`` and every parameter of ``body`` that shapes the answer."""
    request: JsonObject = {"messages": modern_messages(messages)}
    for key, value in body.items():
        if value is not None and key not in NOT_THE_QUESTION and not key.startswith("litellm"):
            request[key] = value
    if functions := listing(body.get("functions")):
        request.setdefault("tools", [{"type": "function", "function": item} for item in functions])
        choice = body.get("function_call")
        if isinstance(choice, dict):
            request.setdefault("tool_choice", {"type": "function", "function": choice})
        elif choice:
            request.setdefault("tool_choice", choice)
    if request.get("tools") == []:
        del request["tools"]
    return request


def modern_messages(messages: list[Any]) -> list[JsonObject]:
    """``messages`` without nulls, with legacy function calls as tool calls; a bare string is a user's message."""
    result: list[JsonObject] = []
    for item in messages:
        if isinstance(item, str):
            result.append({"role": "user", "content": item})
        elif isinstance(item, dict):
            message = {key: value for key, value in item.items() if value is not None}
            if "function_call" in message:
                calls = tool_calls(message)
                del message["function_call"]
                if calls:
                    message["tool_calls"] = [{**calls[0], "id": f"call_{len(result)}"}]
            elif message.get("role") == "function":
                message["role"] = "tool"
                message.setdefault("tool_call_id", f"call_{len(result) - 1}")
            result.append(message)
    return result


def chat_output(body: Mapping[str, Any]) -> Output | None:
    """The answer in a chat completion or a legacy completion: its first choice; None when there is none."""
    for choice in listing(body.get("choices")):
        if not isinstance(choice, dict):
            continue
        message = mapping(first(choice, "message", "delta"))
        answer = message_output(message) if message else Output(text=_string(choice.get("text")))
        reason = text(choice.get("finish_reason"))
        return Output(
            text=answer.text,
            tool_calls=answer.tool_calls,
            refusal=answer.refusal,
            finish_reason="tool_calls" if reason == "function_call" else reason,
        )
    return None


def message_output(message: Mapping[str, Any]) -> Output:
    """The answer in one assistant message."""
    refusal = first(message, "refusal") or mapping(message.get("provider_specific_fields")).get("refusal")
    return Output(
        text=content_text(message.get("content")), tool_calls=tuple(tool_calls(message)), refusal=_string(refusal)
    )


def content_text(content: Any) -> str | None:
    """The text of a message's content: a string, or the text parts of a list joined; None when there is none."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [
            part if isinstance(part, str) else part.get("text")
            for part in content
            if isinstance(part, str) or (isinstance(part, dict) and part.get("type", "text") in TEXT_PARTS)
        ]
        written = [part for part in parts if isinstance(part, str)]
        return "".join(written) if written else None
    return None


def tool_calls(message: Mapping[str, Any]) -> list[JsonObject]:
    """The tool calls of an assistant message in OpenAI's shape, ``arguments`` as a JSON string."""
    found = []
    for position, item in enumerate(listing(message.get("tool_calls"))):
        if isinstance(item, dict):
            function = mapping(item.get("function")) or item
            found.append(tool_call(text(item.get("id")) or f"call_{position}", function))
    legacy = mapping(message.get("function_call"))
    if legacy and not found:
        found.append(tool_call("call_0", legacy))
    return found


def tool_call(call_id: str, function: Mapping[str, Any]) -> JsonObject:
    """One tool call in OpenAI's shape from a mapping with ``name`` and ``arguments`` (or ``args``, ``input``)."""
    arguments = first(function, "arguments", "args", "input")
    if not isinstance(arguments, str):
        arguments = encoded({} if arguments is None else arguments)
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": str(function.get("name", "")), "arguments": arguments},
    }


def token_usage(*reports: Mapping[str, Any]) -> Usage:
    """Tokens from the first reports that have them: Chat Completions or Responses names, both including cached ones.

    Cache writes are read from the names that LiteLLM and Anthropic use beside OpenAI's. All zeros mean that the log
    does not know: a stream that ended without a usage report.
    """
    found: dict[str, int] = {}
    for report in filter(None, reports):
        read = mapping(first(report, "prompt_tokens_details", "input_tokens_details"))
        written = mapping(first(report, "completion_tokens_details", "output_tokens_details"))
        sources = (read, written, report)
        for name, level, keys in USAGE:
            if name not in found and (value := _first_count(sources[level:], keys)) is not None:
                found[name] = value
    if not (found.get("input_tokens") or found.get("output_tokens") or found.get("total_tokens")):
        return Usage()
    return Usage(**found)


def _first_count(sources: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> int | None:
    for source in sources:
        for key in keys if source else ():
            value = source.get(key)
            if value is not None and value != "":
                if (number := count(value)) is not None:
                    return number
                break
    return None


def error_of(body: Any) -> tuple[str, str | None] | None:
    """(type, message) of an error body; None when ``body`` is not one."""
    error = decoded(body.get("error")) if isinstance(body, dict) else None
    if isinstance(error, str) and error:
        return "error", error
    if not isinstance(error, dict) or not error:
        return None
    return text(first(error, "code", "type")) or "error", text(error.get("message"))


def content_state(request: JsonObject | None, response: Output | None, *, complete: bool = True) -> ContentState:
    """How much a call carries; ``complete`` False says that a part of its prompt is not in the log."""
    if request is None:
        return ContentState.ABSENT
    if not complete:
        return ContentState.REDACTED
    if response is None or response.empty:
        return ContentState.NO_RESPONSE
    return ContentState.FULL


def announced(messages: list[JsonObject]) -> bool:
    """True when every tool result answers a call of an earlier assistant message, as every endpoint demands."""
    known: set[Any] = set()
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in known:
                return False
        elif calls := message.get("tool_calls"):
            known.update(call.get("id") for call in calls if isinstance(call, dict))
    return True


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
