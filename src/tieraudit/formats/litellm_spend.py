"""LiteLLM SpendLogs: rows of the proxy's Postgres table, from /spend/logs, a dump or the GCS PubSub callback."""

from __future__ import annotations

from collections.abc import Iterable

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
