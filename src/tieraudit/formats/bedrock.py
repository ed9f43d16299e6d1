"""AWS Bedrock model invocation logs: from S3 one JSON object a line, or CloudWatch log events around the same objects.

Source of the field map: "Monitor model invocation using CloudWatch Logs and Amazon S3" in the Amazon Bedrock user
guide, and the aws_bedrock package of elastic/integrations. Bodies above 100 KB and binary ones stand in files of their
own. With the delivery of text switched off there are no bodies at all, only counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from tieraudit.domain import Call, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.bedrock_body import bedrock_exchange, model_name, timing
from tieraudit.formats.bedrock_pairs import BEDROCK_FIELDS
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.converse_body import converse_usage
from tieraudit.formats.fields import count, decoded, first, labels, listing, mapping, started, task_hint, text

SCHEMA = "ModelInvocationLog"


class BedrockInvocations:
    """Converse and InvokeModel in every maker's language; what a guardrail said stands in the metadata."""

    name = "bedrock"
    title = "AWS Bedrock model invocation logs (S3, CloudWatch)"
    fields: ClassVar[dict[str, str]] = {
        **BEDROCK_FIELDS,
        "source_id": "`requestId`",
        "started_at": "`timestamp`",
        "latency_ms": "`metrics.latencyMs`, `amazon-bedrock-invocationMetrics.invocationLatency`",
        "time_to_first_token_ms": "`amazon-bedrock-invocationMetrics.firstByteLatency`",
        "provider": "always aws",
        "request_model": "`modelId`; of an ARN its last part",
        "response_model": "the `model` of an Anthropic answer",
        "stream": "`operation`",
        "input_tokens": "the body's usage, else `input.inputTokenCount`, plus the cached ones",
        "cache_read_input_tokens": "the body's usage, else `input.cacheReadInputTokenCount`",
        "cache_creation_input_tokens": "the body's usage, else `input.cacheWriteInputTokenCount`",
        "output_tokens": "the body's usage, else `output.outputTokenCount`",
        "error_type": "`errorCode`",
        "error_message": "`errorMessage`",
        "conversation_id": "`requestMetadata.conversation_id`, `session_id` ...",
        "user_id": "`identity.arn`",
        "task_hint": "`requestMetadata.task`, `feature`, `use_case` ...",
        "tags": "`requestMetadata.tags`",
        "metadata": "`requestMetadata`, `accountId`, `region`, `inferenceRegion`, the ARN, a guardrail's action",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the schema says so, or stands in the message of a log event."""
        return 1.0 if any(row.get("schemaType") == SCHEMA for row in _rows(record)) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Quarantined]:
        """The call of ``record``, or those of its log events; raises `Rejected` when it has neither."""
        rows = _rows(record)
        if not any(row.get("schemaType") == SCHEMA for row in rows):
            raise Rejected("not a Bedrock invocation log")
        if len(rows) == 1:
            yield _call(rows[0], where)
            return
        for row in rows:
            try:
                if row.get("schemaType") != SCHEMA:
                    raise Rejected("not an LLM call: another kind of log event")
                yield _call(row, where)
            except Rejected as reason:
                yield Quarantined(where.file, where.line, reason.message, str(row.get("requestId")))


def _rows(record: JsonObject) -> list[JsonObject]:
    """The log entries in ``record``: itself, the message of a log event, or of a list of events."""
    if "schemaType" in record:
        return [record]
    events = listing(first(record, "events", "logEvents"))
    rows = [mapping(first(mapping(event), "message", "@message")) for event in events]
    return rows or [mapping(first(record, "message", "@message"))]


def _call(row: JsonObject, where: Where) -> Call:
    asked, answered = mapping(row.get("input")), mapping(row.get("output"))
    model, arn = model_name(text(row.get("modelId")) or "")
    request, missing = _body(asked, "inputBody", where)
    answer, _ = _body(answered, "outputBody", where)
    found = bedrock_exchange(mapping(request), answer, model)
    told = mapping(row.get("requestMetadata"))
    error = found.error or (None, None)
    code = text(row.get("errorCode")) or error[0]
    failed = code is not None
    latency, first_token = timing(answer)
    return Call(
        source_format=BedrockInvocations.name,
        source_file=where.file,
        source_line=where.line,
        source_id=text(row.get("requestId")),
        started_at=started(row.get("timestamp")),
        request=found.request,
        response=found.response if found.request is not None and not failed else None,
        content_state=found.state(failed=failed),
        provider="aws",
        request_model=model or None,
        response_model=found.response_model,
        operation=found.operation,
        stream="Stream" in str(row.get("operation")),
        usage=_usage(found, asked, answered),
        latency_ms=latency,
        time_to_first_token_ms=first_token,
        error_type=code,
        error_message=text(row.get("errorMessage")) or error[1],
        conversation_id=text(first(told, "conversation_id", "session_id", "conversationId", "sessionId")),
        user_id=text(mapping(row.get("identity")).get("arn")),
        task_hint=task_hint(told),
        tags=labels(told.get("tags")),
        metadata={**_metadata(row, told, arn), **found.kept, **missing},
    )


def _body(half: JsonObject, name: str, where: Where) -> tuple[Any, JsonObject]:
    """(the body, which may stand in a file of its own; where it should stand when it is not there)."""
    body = decoded(first(half, f"{name}Json", f"{name}Text"))
    path = text(half.get(f"{name}S3Path"))
    if body is not None or path is None:
        return body, {}
    held = decoded(where.beside(path))
    return held, {} if held is not None else {f"{name}S3Path": path}


def _usage(found: Exchange, asked: JsonObject, answered: JsonObject) -> Usage:
    """The body's own counts, else those of the log; a call that a guardrail stopped before the model cost nothing."""
    if found.usage.input_tokens is not None:
        return found.usage
    usage = converse_usage({**asked, **answered})
    fresh, out = count(asked.get("inputTokenCount")), count(answered.get("outputTokenCount"))
    if found.operation in ("embeddings", "rerank") and usage.input_tokens is not None:
        return Usage(input_tokens=usage.input_tokens, output_tokens=out or 0)
    if "guardrail_action" in found.kept and fresh == out == 0:
        return Usage(input_tokens=0, output_tokens=0)
    return usage


def _metadata(row: JsonObject, told: JsonObject, arn: str | None) -> JsonObject:
    kept = {
        "account_id": text(row.get("accountId")),
        "region": text(row.get("region")),
        "inference_region": text(row.get("inferenceRegion")),
        "model_arn": arn,
    }
    return {
        **{key: value for key, value in told.items() if value is not None and key != "tags"},
        **{key: value for key, value in kept.items() if value is not None},
    }
