"""Kong AI Gateway: any log line of Kong that has an ``ai`` part, as the log plugins write it.

Source of the field map: https://developer.konghq.com/ai-gateway/ai-audit-log-reference/ and the base log format of
Kong's log plugins. Each AI plugin has a block of its own, and each block with token counts is a call to a model; since
version 3.10 the client's own call stands under ``proxy``. Bodies are there only with ``log_payloads``. Older versions
spell the counts ``prompt_token`` and ``completion_token``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from tieraudit.domain import Call, JsonObject, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.fields import count, first, mapping, milliseconds, money, started, text
from tieraudit.formats.gateway_bodies import better_usage, failure, gateway_exchange, stream_of

STARTS = ("started_at", "timestamp", "@timestamp")
HIT = ("hit", "semantic hit")


class KongGateway:
    """A line with several blocks is several calls: a plugin that rewrites requests by a model pays for that too."""

    name = "kong"
    title = "Kong AI Gateway log lines (the `ai` part)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`request.id`, with the plugin's name for calls beside the client's own",
        "started_at": "`started_at`",
        "latency_ms": "`meta.llm_latency`, else `latencies.proxy`",
        "time_to_first_token_ms": "`usage.time_to_first_token`",
        "provider": "`meta.provider_name`",
        "request_model": "`meta.request_model`",
        "response_model": "`meta.response_model`",
        "stream": "`payload.request.stream`, else `meta.request_mode`",
        "messages": "`ai.payload.request`, `payload.request`",
        "tools": "the same",
        "tool_choice": "the same",
        "response_format": "the same",
        "parameters": "the rest of it",
        "text": "`payload.response`",
        "tool_calls": "`payload.response`",
        "refusal": "`payload.response`",
        "finish_reason": "`payload.response`",
        "input_tokens": "`usage.prompt_tokens`, `usage.prompt_token`",
        "cache_read_input_tokens": "the usage in `payload.response`",
        "output_tokens": "`usage.completion_tokens`, `usage.completion_token`",
        "reasoning_output_tokens": "the usage in `payload.response`",
        "total_tokens": "`usage.total_tokens`",
        "logged_cost_usd": "`usage.cost`, by the prices set in the plugin",
        "error_type": "the error in `payload.response`, else `response.status`",
        "error_message": "the error in `payload.response`",
        "http_status": "`response.status`",
        "cache_hit": "`cache.cache_status`: Hit",
        "trace_id": "`trace_id`, of the plugin for tracing",
        "user_id": "`consumer.username`, `consumer.custom_id`, `authenticated_entity.id`",
        "metadata": "the plugin, `service.name`, `route.name`, `cache.cache_status`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the ``ai`` part has a block of a plugin."""
        return 1.0 if next(_blocks(record), None) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The calls of one log line; raises `Rejected` when no model was called in it."""
        blocks = list(_blocks(record))
        if not blocks:
            raise Rejected("no call to a model in this log line")
        names = [name for name, _ in blocks]
        own = next((name for name in names if name == "proxy" or name.startswith("ai-proxy")), names[0])
        start = started(*(record.get(key) for key in STARTS))
        for name, block in blocks:
            yield _call(record, name, block, where, start=start, own=name == own)


def _blocks(record: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """The blocks of plugins that called a model, by name."""
    told = record.get("ai")
    for name, value in told.items() if isinstance(told, dict) else ():
        block = mapping(value) if name != "payload" else {}
        meta = mapping(block.get("meta"))
        if ("request_model" in meta or "provider_name" in meta) and ("usage" in block or "plugin_id" in meta):
            yield str(name), block


def _call(record: JsonObject, name: str, block: JsonObject, where: Where, *, start: Any, own: bool) -> Call:
    meta, cache, payload = (mapping(block.get(key)) for key in ("meta", "cache", "payload"))
    asked = payload.get("request")
    if asked is None and own:
        asked = mapping(mapping(record["ai"]).get("payload")).get("request")
    found = gateway_exchange(asked, payload.get("response"))
    status = count(mapping(record.get("response")).get("status")) if own else None
    error = failure(found, status)
    called, usage = text(mapping(record.get("request")).get("id")), mapping(block.get("usage"))
    latency, mode = milliseconds(meta.get("llm_latency")), text(meta.get("request_mode"))
    streamed = stream_of(asked)
    return Call(
        source_format="kong",
        source_file=where.file,
        source_line=where.line,
        source_id=called if own or called is None else f"{called}:{name}",
        started_at=start,
        request=found.request,
        response=None if error[0] or found.request is None else found.response,
        content_state=found.state(failed=error[0] is not None),
        provider=text(meta.get("provider_name")),
        request_model=text(meta.get("request_model")),
        response_model=text(meta.get("response_model")) or found.response_model,
        operation=found.operation,
        stream=mode == "stream" if streamed is None and mode else streamed,
        usage=better_usage(found.usage, _columns(usage)),
        latency_ms=milliseconds(mapping(record.get("latencies")).get("proxy")) if latency is None and own else latency,
        time_to_first_token_ms=milliseconds(usage.get("time_to_first_token")),
        logged_cost_usd=money(usage.get("cost")),
        error_type=error[0],
        error_message=error[1],
        http_status=status,
        cache_hit=(text(cache.get("cache_status")) or "").lower() in HIT,
        trace_id=_trace(record.get("trace_id")),
        user_id=_user(record) or found.user_id,
        metadata={**_kept(record, name, cache), **found.kept},
    )


def _columns(usage: JsonObject) -> Usage:
    given = count(first(usage, "prompt_tokens", "prompt_token"))
    out = count(first(usage, "completion_tokens", "completion_token"))
    everything = count(first(usage, "total_tokens", "total_token"))
    return (
        Usage(input_tokens=given, output_tokens=out, total_tokens=everything) if given or out or everything else Usage()
    )


def _trace(value: Any) -> str | None:
    """Kong writes one id for each kind of header that it propagates: {"w3c": "..."}."""
    return text(next(iter(value.values()), None)) if isinstance(value, dict) else text(value)


def _user(record: JsonObject) -> str | None:
    consumer = mapping(record.get("consumer"))
    known = first(consumer, "username", "custom_id", "id")
    return text(known) or text(mapping(record.get("authenticated_entity")).get("id"))


def _kept(record: JsonObject, name: str, cache: JsonObject) -> JsonObject:
    told = {
        "plugin": name,
        "service": text(mapping(record.get("service")).get("name")),
        "route": text(mapping(record.get("route")).get("name")),
        "cache_status": text(cache.get("cache_status")),
    }
    return {key: value for key, value in told.items() if value}
