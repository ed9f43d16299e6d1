"""Databricks inference tables of all three generations: model serving, AI Gateway on it, Unity AI Gateway.

Source of the field map: docs.databricks.com/machine-learning/model-serving/inference-tables and
/ai-gateway/inference-tables. Bodies are JSON in strings; one that is too long is null, with a code that says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Call, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.chat import content_state
from tieraudit.formats.fields import count, decoded, first, labels, mapping, milliseconds, started, task_hint, text
from tieraudit.formats.gateway_bodies import failure, gateway_exchange, stream_of
from tieraudit.formats.sse import is_stream

IDS = ("databricks_request_id", "invocation_id")
STARTS = ("timestamp_ms", "request_time", "event_time")
DURATIONS = ("execution_time_ms", "execution_duration_ms", "latency_ms")
# Requests to models that are no language models, in the shapes of MLflow's scoring protocol.
SCORING = ("dataframe_records", "dataframe_split", "instances", "inputs")
# What an agent puts beside its answer; the calls that it made are rows of other tables.
AGENT = ("databricks_output", "custom_outputs")
KEPT = (
    "client_request_id", "sampling_fraction", "served_entity_id", "endpoint_name", "model_name", "model_version",
    "destination_model",
)  # fmt: skip


class Databricks:
    """The requested model is the name of the endpoint where the request itself has none."""

    name = "databricks"
    title = "Databricks inference tables (model serving, AI Gateway)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`databricks_request_id`, `invocation_id`",
        "started_at": "`timestamp_ms`, `request_time`, `event_time`",
        "latency_ms": "`execution_time_ms`, `execution_duration_ms`, `latency_ms`",
        "provider": "always databricks",
        "request_model": "`request.model`, else `endpoint_name`, `model_name` of the row or `request_metadata`",
        "response_model": "`response.model`",
        "stream": "`request.stream`, else the kind of `response`",
        "messages": "`request`",
        "tools": "`request.tools`",
        "tool_choice": "`request.tool_choice`",
        "response_format": "`request.response_format`",
        "parameters": "the rest of `request`",
        "text": "`response`; raw events are folded",
        "tool_calls": "`response`",
        "refusal": "`response`",
        "finish_reason": "`response`",
        "input_tokens": "`response.usage`",
        "cache_read_input_tokens": "`response.usage`",
        "cache_creation_input_tokens": "`response.usage`",
        "output_tokens": "`response.usage`",
        "reasoning_output_tokens": "`response.usage`",
        "total_tokens": "`response.usage`",
        "error_type": "`response.error`, else `status_code`",
        "error_message": "`response.error`",
        "http_status": "`status_code`",
        "user_id": "`requester`, else `request.user`",
        "task_hint": "a task-like key of `request.metadata`",
        "metadata": "`client_request_id`, `sampling_fraction`, `served_entity_id`, `logging_error_codes` ...",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row has one of the two ids beside a time and a status or body."""
        known = "databricks_request_id" in record or ("invocation_id" in record and "event_time" in record)
        rest = any(key in record for key in ("status_code", "request", "response", "logging_error_codes"))
        return 1.0 if known and rest and any(key in record for key in STARTS) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is none, or went to something else than a model."""
        if not self.matches(record):
            raise Rejected("not a row of a Databricks inference table")
        asked, answered = mapping(record.get("request")), decoded(record.get("response"))
        _refuse_others(asked, mapping(answered))
        streamed = is_stream(answered)
        found = gateway_exchange(asked, answered)
        status = count(record.get("status_code"))
        error = failure(found, status)
        response = None if error[0] or found.request is None else found.response
        described = {**mapping(record.get("request_metadata")), **record}
        told = mapping(asked.get("metadata"))
        lost = labels(record.get("logging_error_codes"))
        stream = stream_of(asked)
        yield Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(first(record, *IDS)),
            started_at=started(*(record.get(key) for key in STARTS)),
            request=found.request,
            response=response,
            content_state=content_state(found.request, response, complete=found.whole),
            provider="databricks",
            request_model=text(asked.get("model")) or text(first(described, "endpoint_name", "model_name")),
            response_model=found.response_model,
            operation=found.operation,
            stream=True if streamed else stream,
            usage=found.usage,
            latency_ms=milliseconds(first(record, *DURATIONS)),
            error_type=error[0],
            error_message=error[1],
            http_status=status,
            user_id=text(record.get("requester")) or found.user_id,
            task_hint=task_hint(told),
            metadata={
                **told,
                **{key: described[key] for key in KEPT if described.get(key) is not None},
                **({"logging_error_codes": list(lost)} if lost else {}),
                **found.kept,
            },
        )


def _refuse_others(asked: JsonObject, answered: JsonObject) -> None:
    if "predictions" in answered or (any(key in asked for key in SCORING) and "messages" not in asked):
        raise Rejected("not an LLM call: a request to a model of another kind")
    if any(key in answered for key in AGENT):
        raise Rejected("not an LLM call: a request to an agent")
