"""Braintrust logs: one span a row, from the export of the web interface (JSON, CSV), the API or Parquet.

Source of the field map: the types of braintrust 0.48 and www.braintrust.dev/docs. The wrapped client keeps the prompt
as ``input``, the choices as ``output`` and every parameter in ``metadata``, together with what its users add there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.chat import content_state
from tieraudit.formats.fields import (
    count,
    decoded,
    elapsed_ms,
    encoded,
    first,
    labels,
    listing,
    mapping,
    milliseconds,
    money,
    real,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.inclusive import inclusive
from tieraudit.formats.python_errors import python_error
from tieraudit.formats.traced import PARAMETERS, leaf_calls, traced_exchange

MARKS = ("root_span_id", "span_id", "_xact_id", "span_parents", "is_root")
# What a wrapped client calls its span, whatever the task.
GENERIC = ("Chat Completion", "Completion", "openai", "anthropic", "Response", "litellm", "google")
NOT_METADATA = PARAMETERS | {"model", "provider", "stream", "stream_options", "user", "user_id", "prompt"}
# What an uploaded image or file is replaced by; the file itself is in no export.
UPLOADED = re.compile(r'"type":"(?:braintrust|external)_attachment"')
SESSIONS = ("session_id", "thread_id", "conversation_id")


class Braintrust:
    """Times are epoch seconds, tokens include cached and reasoning ones, scores lie between 0 and 1."""

    name = "braintrust"
    title = "Braintrust logs (spans from the web interface, API or Parquet)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`",
        "started_at": "`metrics.start`, else `created`",
        "latency_ms": "`metrics.end` - `metrics.start`",
        "time_to_first_token_ms": "`metrics.time_to_first_token`",
        "provider": "`metadata.provider`",
        "request_model": "`metadata.model`",
        "response_model": "`output.model` where the whole body is kept",
        "stream": "`metadata.stream`",
        "messages": "`input`, `metadata.instructions`",
        "tools": "`metadata.tools`",
        "tool_choice": "`metadata.tool_choice`",
        "response_format": "`metadata.response_format`",
        "parameters": "`metadata`",
        "text": "`output`",
        "tool_calls": "`output`",
        "refusal": "`output`",
        "finish_reason": "`output`",
        "input_tokens": "`metrics.prompt_tokens`",
        "cache_read_input_tokens": "`metrics.prompt_cached_tokens`",
        "cache_creation_input_tokens": "`metrics.prompt_cache_creation_tokens`",
        "output_tokens": "`metrics.completion_tokens`",
        "reasoning_output_tokens": "`metrics.completion_reasoning_tokens`",
        "total_tokens": "`metrics.tokens`",
        "logged_cost_usd": "`metrics.estimated_cost`",
        "error_type": "the class that `error` names",
        "error_message": "`error`",
        "http_status": "the code in `error`",
        "trace_id": "`root_span_id`",
        "conversation_id": "`metadata`: `session_id`, `thread_id`, `conversation_id`",
        "user_id": "`metadata.user_id`, `metadata.user`",
        "task_hint": "a task-like key of `metadata`, the prompt's name, else `span_attributes.name`",
        "tags": "`tags`",
        "metadata": "the rest of `metadata`",
        "feedback": "`scores`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row is a span with its attributes and its place in a trace."""
        if not _kind(record) or ("metrics" not in record and "created" not in record):
            return 0.0
        return 1.0 if any(mark in record for mark in MARKS) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Item]:
        """The span as a fragment of its trace, with its scores; raises `Rejected` when it is none."""
        if not self.matches(record):
            raise Rejected("not a Braintrust span")
        yield from self._feedback(record, where)
        if _kind(record) == "llm":
            key = text(record.get("root_span_id")) or text(first(record, "span_id", "id")) or ""
            yield Fragment(key, "span", record, where)
        else:
            excerpt = f"{record.get('id')} {mapping(record.get('span_attributes')).get('name')}"
            yield Quarantined(where.file, where.line, f"not an LLM call: {_kind(record)}", excerpt)

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """The innermost model spans of one trace as calls."""
        return leaf_calls(fragments, _parents, self._call, own="span_id")

    def _feedback(self, row: JsonObject, where: Where) -> Iterator[Feedback]:
        """Scores by name; those of the outermost span are of its whole trace."""
        whole = _kind(row) != "llm" and not listing(row.get("span_parents"))
        source_id = None if whole else text(row.get("id"))
        for name, score in mapping(row.get("scores")).items():
            if (value := real(score)) is not None:
                yield Feedback(self.name, where.file, where.line, source_id, text(row.get("root_span_id")), name, value)

    def _call(self, row: JsonObject, where: Where) -> Call:
        metadata, metrics = mapping(row.get("metadata")), mapping(row.get("metrics"))
        parameters = {key: value for key, value in metadata.items() if key in PARAMETERS and value is not None}
        parameters.update(mapping(parameters.pop("extra_body", None)))
        found = traced_exchange(row.get("input"), row.get("output"), parameters)
        whole = found.whole and not UPLOADED.search(encoded(found.request))
        start = started(metrics.get("start"), row.get("created"))
        error = _error(row)
        response = None if error[0] or found.request is None else found.response
        streamed = metadata.get("stream")
        token = milliseconds(metrics.get("time_to_first_token"))
        return Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(row.get("id")),
            started_at=start,
            request=found.request,
            response=response,
            content_state=content_state(found.request, response, complete=whole),
            provider=text(metadata.get("provider")),
            request_model=text(metadata.get("model")),
            response_model=found.response_model,
            operation=found.operation,
            stream=streamed if isinstance(streamed, bool) else None,
            usage=_usage(metrics),
            latency_ms=elapsed_ms(time(metrics.get("start")), time(metrics.get("end"))),
            time_to_first_token_ms=None if token is None else token * 1000,
            logged_cost_usd=money(metrics.get("estimated_cost")),
            error_type=error[0],
            error_message=error[1],
            http_status=error[2],
            trace_id=text(row.get("root_span_id")),
            conversation_id=text(first(metadata, *SESSIONS)),
            user_id=text(first(metadata, "user_id", "user")),
            task_hint=_hint(row, metadata),
            tags=labels(row.get("tags")),
            metadata={**{key: value for key, value in metadata.items() if key not in NOT_METADATA}, **found.kept},
        )


def _kind(row: JsonObject) -> str:
    """What a span is: one of Braintrust's words; empty when it does not say so."""
    attributes = mapping(row.get("span_attributes"))
    kind = attributes.get("type")
    if not attributes:
        return ""
    return kind if isinstance(kind, str) and kind.isalpha() and kind.islower() and len(kind) < 20 else "no known type"


def _parents(row: JsonObject) -> list[str]:
    return [parent for item in listing(row.get("span_parents")) if (parent := text(item))]


def _usage(metrics: JsonObject) -> Usage:
    return inclusive(
        count(metrics.get("prompt_tokens")),
        count(first(metrics, "prompt_cached_tokens", "prompt_cache_read_tokens")),
        count(metrics.get("prompt_cache_creation_tokens")),
        count(metrics.get("completion_tokens")),
        count(metrics.get("completion_reasoning_tokens")),
        count(first(metrics, "tokens", "total_tokens")),
    )


def _error(row: JsonObject) -> tuple[str | None, str | None, int | None]:
    """Errors are text, or whatever a program raised as JSON."""
    told = decoded(row.get("error"))
    if not told:
        return None, None, None
    if isinstance(told, dict):
        message = text(first(told, "message", "error")) or encoded(told)
        return text(first(told, "name", "type", "code")) or "error", message, count(first(told, "status", "statusCode"))
    return python_error(told if isinstance(told, str) else encoded(told))


def _hint(row: JsonObject, metadata: JsonObject) -> str | None:
    name = text(mapping(row.get("span_attributes")).get("name"))
    prompt = mapping(metadata.get("prompt"))
    own = name if name and not name.startswith(GENERIC) else None
    return task_hint(metadata) or text(first(prompt, "name", "slug")) or own
