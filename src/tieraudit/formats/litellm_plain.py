"""The plain StandardLoggingPayload, read by a typed decoder in a fifth of the time; anything else is left to `calls`.

Plain is a chat completion that succeeded, of text messages and a text answer, with nothing masked, cut or streamed
without its fields: most of most logs. A test holds that the call is the same one that `calls` makes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from tieraudit.domain import Call, ContentState, JsonObject, Output, Usage
from tieraudit.formats.base import Where
from tieraudit.formats.chat import NOT_THE_QUESTION
from tieraudit.formats.fields import MOST_TOKENS, count, elapsed_ms, money, text, time
from tieraudit.formats.litellm_common import CUT, HEALTH_CHECK, MASK, hint, kept_metadata, tags

# What the slow reader looks for in a record; where one of them stands, it reads the record.
SIGNS = (CUT, HEALTH_CHECK.encode(), MASK.encode())
UNUSUAL = frozenset({"functions", "function_call"})
PLAIN_KEYS = frozenset({"role", "content"})
SPEAKERS = frozenset({"system", "developer", "user", "assistant"})


Tokens = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]


class _Message(msgspec.Struct):
    content: str
    role: str | None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    provider_specific_fields: None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Details(msgspec.Struct):
    """The counts that the slow reader knows, in the order in which it believes them."""

    cached_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    prompt_cache_hit_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(_Details):
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    input_tokens_details: None = None
    output_tokens_details: None = None


class _Response(msgspec.Struct):
    choices: list[_Choice]
    model: str | None = None
    usage: _Usage | None = None
    output: None = None


class _Metadata(msgspec.Struct):
    usage_object: _Usage | None = None
    spend_logs_metadata: dict[str, Any] | None = None
    requester_metadata: dict[str, Any] | None = None
    prompt_management_metadata: None = None
    model_group: None = None
    litellm_call_id: None = None

    @property
    def silent(self) -> bool:
        """Whether the caller said nothing of the call."""
        return not (self.spend_logs_metadata or self.requester_metadata)

    def spoken(self) -> JsonObject:
        """What the caller said of the call, as the slow reader wants it."""
        return {"spend_logs_metadata": self.spend_logs_metadata, "requester_metadata": self.requester_metadata}


class _Payload(msgspec.Struct):
    call_type: Literal["completion", "acompletion"]
    status: Literal["success"]
    id: str
    startTime: float  # noqa: N815
    endTime: float  # noqa: N815
    messages: list[dict[str, str]]
    response: _Response
    metadata: _Metadata
    model_parameters: dict[str, Any]
    prompt_tokens: Tokens
    completion_tokens: Tokens
    total_tokens: Tokens
    response_cost: float | int | None = None
    model: str | None = None
    custom_llm_provider: str | None = None
    completionStartTime: float | None = None  # noqa: N815
    request_tags: list[str] | None = None
    cache_hit: bool | None = None
    stream: bool | None = None
    trace_id: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    model_group: str | None = None
    litellm_call_id: str | None = None


_DECODER = msgspec.json.Decoder(_Payload)


def plain_call(line: bytes, where: Where, source_format: str) -> Call | None:
    """The call of one line of JSON, or None when the record is not plain."""
    if any(sign in line for sign in SIGNS):
        return None
    try:
        record = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    start, end = time(record.startTime), time(record.endTime)
    first = record.response.choices[0] if record.response.choices else None
    if start is None or first is None or not first.message.content or not _plain(record.messages):
        return None
    if not text(record.id) or not UNUSUAL.isdisjoint(record.model_parameters):
        return None
    metadata, parameters = record.metadata, record.model_parameters
    streamed = record.stream if record.stream is not None else parameters.get("stream")
    reason = text(first.finish_reason)
    return Call(
        source_format=source_format,
        source_file=where.file,
        source_line=where.line,
        source_id=text(record.id),
        started_at=start,
        request=_request(record.messages, parameters),
        response=Output(
            text=first.message.content, finish_reason="tool_calls" if reason == "function_call" else reason
        ),
        content_state=ContentState.FULL,
        provider=text(record.custom_llm_provider),
        request_model=text(record.model),
        response_model=text(record.response.model),
        stream=bool(streamed),
        usage=_usage(record),
        latency_ms=elapsed_ms(start, end),
        time_to_first_token_ms=elapsed_ms(start, time(record.completionStartTime)) if streamed else None,
        logged_cost_usd=money(record.response_cost),
        cache_hit=record.cache_hit is True,
        trace_id=text(record.trace_id),
        conversation_id=text(record.session_id or record.trace_id),
        user_id=text(record.end_user) or text(parameters.get("user")),
        task_hint=None if metadata.silent else hint(metadata.spoken()),
        tags=tags(record.request_tags) if record.request_tags else (),
        metadata=_kept(record),
    )


def _plain(messages: list[dict[str, str]]) -> bool:
    for message in messages:
        if message.keys() != PLAIN_KEYS or message["role"] not in SPEAKERS:
            return False
    return bool(messages)


def _request(messages: list[dict[str, str]], parameters: JsonObject) -> JsonObject:
    request: JsonObject = {"messages": messages}
    for key, value in parameters.items():
        if value is not None and key not in NOT_THE_QUESTION and not key.startswith("litellm"):
            request[key] = value
    if request.get("tools") == []:
        del request["tools"]
    return request


def _kept(record: _Payload) -> JsonObject:
    names = {"model_group": record.model_group, "litellm_call_id": record.litellm_call_id}
    if not record.metadata.silent:
        return kept_metadata(names, record.metadata.spoken())
    return {key: value for key, name in names.items() if (value := text(name))}


def _usage(record: _Payload) -> Usage:
    """As `token_usage` over the record, its response's usage and LiteLLM's usage object."""
    if not (record.prompt_tokens or record.completion_tokens or record.total_tokens):
        return Usage()
    read = written = reasoned = None
    for usage in (record.response.usage, record.metadata.usage_object):
        if usage is None:
            continue
        inside, outside = usage.prompt_tokens_details, usage.completion_tokens_details
        for part in (inside, outside, usage):
            if part is None:
                continue
            if read is None:
                read = _first(part.cached_tokens, part.cache_read_input_tokens, part.prompt_cache_hit_tokens)
            if written is None:
                written = _first(part.cache_creation_input_tokens, part.cache_creation_tokens, part.cache_write_tokens)
            if reasoned is None and part is not inside:
                reasoned = count(part.reasoning_tokens)
    return Usage(record.prompt_tokens, read, written, record.completion_tokens, reasoned, record.total_tokens)


def _first(*values: int | None) -> int | None:
    for value in values:
        if value is not None:
            return count(value)
    return None
