"""LiteLLM StandardLoggingPayload: what its S3, GCS, Azure, file and generic API callbacks write, one object a call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Call, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.chat import token_usage
from tieraudit.formats.fields import elapsed_ms, first, mapping, milliseconds, money, started, text, time
from tieraudit.formats.litellm_common import (
    cache_hit,
    content,
    failure,
    hint,
    is_litellm,
    kept_metadata,
    operation,
    refuse_health_check,
    tags,
)
from tieraudit.formats.litellm_plain import plain_call

MARKS = ("response_cost", "model_parameters", "standard_built_in_tools_params", "hidden_params")


class LiteLLMPayload:
    """Times are epoch seconds, tokens include cached ones and reasoning, cost 0 also stands for an unknown model."""

    name = "litellm"
    title = "LiteLLM StandardLoggingPayload (S3, GCS, Azure, file and API callbacks)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`",
        "started_at": "`startTime`",
        "latency_ms": "`endTime` - `startTime`, else `response_time`",
        "time_to_first_token_ms": "`completionStartTime`, of streams",
        "provider": "`custom_llm_provider`",
        "request_model": "`model`; the alias `model_group` in the metadata",
        "response_model": "`response.model`",
        "stream": "`stream`, `model_parameters.stream`",
        "messages": "`messages`",
        "tools": "`model_parameters.tools`",
        "tool_choice": "`model_parameters.tool_choice`",
        "response_format": "`model_parameters.response_format`",
        "parameters": "the rest of `model_parameters`",
        "text": "`response`",
        "tool_calls": "`response.choices[0].message`",
        "refusal": "`response.choices[0].message`",
        "finish_reason": "`response.choices[0]`",
        "input_tokens": "`prompt_tokens`, `response.usage`",
        "cache_read_input_tokens": "`response.usage`, `metadata.usage_object`",
        "cache_creation_input_tokens": "the same",
        "output_tokens": "`completion_tokens`",
        "reasoning_output_tokens": "`response.usage`, `metadata.usage_object`",
        "total_tokens": "`total_tokens`",
        "logged_cost_usd": "`response_cost`",
        "error_type": "`error_information.error_class`",
        "error_message": "`error_information.error_message`, `error_str`",
        "http_status": "`error_information.error_code`",
        "cache_hit": "`cache_hit`",
        "trace_id": "`trace_id`",
        "conversation_id": "`session_id`, else `trace_id`",
        "user_id": "`end_user`, else `user` of the parameters",
        "task_hint": "the managed prompt's id, else a task-like key of `spend_logs_metadata`, `requester_metadata`",
        "tags": "`request_tags`",
        "metadata": "`spend_logs_metadata`, `requester_metadata`, `model_group`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row has a call type, a start and the fields that SpendLogs lacks."""
        return 1.0 if is_litellm(record) and any(mark in record for mark in MARKS) else 0.0

    def quick(self, line: bytes, where: Where) -> Call | None:
        """The call of a plain record, as `calls` would give it; None when it is not plain."""
        return plain_call(line, where, self.name)

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a payload or a health check."""
        if not self.matches(record):
            raise Rejected("not a LiteLLM StandardLoggingPayload")
        metadata, parameters = mapping(record.get("metadata")), mapping(record.get("model_parameters"))
        tagged = tags(record.get("request_tags"))
        refuse_health_check(tagged, record.get("model_group"), metadata.get("user_api_key_alias"))
        body = mapping(record.get("response"))
        found = content(operation(record.get("call_type")), record.get("messages"), parameters, record.get("response"))
        start, end = started(record.get("startTime")), time(record.get("endTime"))
        error_type, error_message, http_status = failure(record, metadata)
        streamed = record.get("stream") if record.get("stream") is not None else parameters.get("stream")
        first_token = time(record.get("completionStartTime")) if streamed else None
        latency = elapsed_ms(start, end)
        if latency is None and (seconds := milliseconds(record.get("response_time"))) is not None:
            latency = seconds * 1000
        yield Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(first(record, "id", "litellm_call_id")),
            started_at=start,
            request=found.request,
            response=found.response,
            content_state=found.state,
            provider=text(record.get("custom_llm_provider")),
            request_model=text(record.get("model")),
            response_model=text(body.get("model")),
            operation=found.operation,
            stream=bool(streamed),
            usage=token_usage(record, mapping(body.get("usage")), mapping(metadata.get("usage_object"))),
            latency_ms=latency,
            time_to_first_token_ms=elapsed_ms(start, first_token),
            logged_cost_usd=money(record.get("response_cost")),
            error_type=error_type,
            error_message=error_message,
            http_status=http_status,
            cache_hit=cache_hit(record.get("cache_hit")),
            trace_id=text(record.get("trace_id")),
            conversation_id=text(first(record, "session_id", "trace_id")),
            user_id=text(first(record, "end_user")) or text(parameters.get("user")),
            task_hint=hint(metadata),
            tags=tagged,
            metadata={**kept_metadata(record, metadata), **found.kept},
        )
