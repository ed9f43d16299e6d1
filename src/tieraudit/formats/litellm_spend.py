"""LiteLLM SpendLogs: rows of the proxy's Postgres table, from /spend/logs, a dump or the GCS PubSub callback."""

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


class LiteLLMSpendLogs:
    """JSON columns are objects or JSON in strings. Prompts are there only when the proxy stores them."""

    name = "litellm-spend"
    title = "LiteLLM SpendLogs (the proxy's database table)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`request_id`",
        "started_at": "`startTime`",
        "latency_ms": "`endTime` - `startTime`",
        "time_to_first_token_ms": "`completionStartTime`, of streams",
        "provider": "`custom_llm_provider`",
        "request_model": "`model`; the alias `model_group` in the metadata",
        "response_model": "`response.model` when stored",
        "stream": "`proxy_server_request.stream` when stored",
        "messages": "`proxy_server_request` when prompts are stored",
        "tools": "`proxy_server_request.tools`",
        "tool_choice": "`proxy_server_request.tool_choice`",
        "response_format": "`proxy_server_request.response_format`",
        "parameters": "the rest of `proxy_server_request`",
        "text": "`response` when stored",
        "tool_calls": "`response` when stored",
        "refusal": "`response` when stored",
        "finish_reason": "`response` when stored",
        "input_tokens": "`prompt_tokens`",
        "cache_read_input_tokens": "`metadata.usage_object`, `metadata.additional_usage_values`",
        "cache_creation_input_tokens": "the same",
        "output_tokens": "`completion_tokens`",
        "reasoning_output_tokens": "`metadata.usage_object`",
        "total_tokens": "`total_tokens`",
        "logged_cost_usd": "`spend`",
        "error_type": "`metadata.error_information.error_class`",
        "error_message": "`metadata.error_information.error_message`",
        "http_status": "`metadata.error_information.error_code`",
        "cache_hit": "`cache_hit`",
        "trace_id": "`session_id`",
        "conversation_id": "`session_id`",
        "user_id": "`end_user`, else `user`",
        "task_hint": "as in `litellm`",
        "tags": "`request_tags`",
        "metadata": "`spend_logs_metadata`, `requester_metadata`, `model_group`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row has a call type, a start and a spend."""
        return 1.0 if is_litellm(record) and "spend" in record and "response_cost" not in record else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The one call of ``record``; raises `Rejected` when it is not such a row or a health check."""
        if not self.matches(record):
            raise Rejected("not a LiteLLM SpendLogs row")
        metadata = mapping(record.get("metadata"))
        tagged = tags(record.get("request_tags"))
        refuse_health_check(tagged, record.get("model_group"), metadata.get("user_api_key_alias"))
        asked = mapping(record.get("proxy_server_request"))
        asked = mapping(asked.get("body")) or asked
        prompt = first(asked, "messages", "input", "prompt") or record.get("messages")
        error_type, error_message, http_status = failure(record, metadata)
        answer = None if error_type else record.get("response")
        found = content(operation(record.get("call_type")), prompt or None, asked, answer)
        start = started(record.get("startTime"))
        latency = elapsed_ms(start, time(record.get("endTime")))
        first_token = time(record.get("completionStartTime")) if asked.get("stream") else None
        body = mapping(record.get("response"))
        yield Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(first(record, "request_id", "litellm_call_id")),
            started_at=start,
            request=found.request,
            response=found.response,
            content_state=found.state,
            provider=text(record.get("custom_llm_provider")),
            request_model=text(record.get("model")),
            response_model=text(body.get("model")),
            operation=found.operation,
            stream=asked.get("stream") if isinstance(asked.get("stream"), bool) else None,
            usage=token_usage(
                record,
                mapping(body.get("usage")),
                mapping(metadata.get("usage_object")),
                mapping(metadata.get("additional_usage_values")),
            ),
            latency_ms=latency if latency is not None else milliseconds(record.get("request_duration_ms")),
            time_to_first_token_ms=elapsed_ms(start, first_token),
            logged_cost_usd=money(record.get("spend")),
            error_type=error_type,
            error_message=error_message,
            http_status=http_status,
            cache_hit=cache_hit(record.get("cache_hit")),
            trace_id=text(record.get("session_id")),
            conversation_id=text(record.get("session_id")),
            user_id=text(first(record, "end_user")) or text(first(record, "user")) or text(asked.get("user")),
            task_hint=hint(metadata),
            tags=tagged,
            metadata={**kept_metadata(record, metadata), **found.kept},
        )
