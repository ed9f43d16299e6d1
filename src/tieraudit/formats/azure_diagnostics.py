"""Azure OpenAI resource logs of the category RequestResponse: that a call was made, how long it took, how it ended.

Source of the field map: "Azure OpenAI monitoring data reference" and the azure_openai package of elastic/integrations.
There is neither text nor a count of tokens in them: they show volume, models, latency and failures.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Call, ContentState, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.azure_rows import azure_rows, flat, ticks
from tieraudit.formats.base import Where
from tieraudit.formats.fields import count, elapsed_ms, first, milliseconds, started, text

CATEGORY = "RequestResponse"
# The first letters of an operation's name -> the kind of call.
OPERATIONS = (
    ("chatcompletions", "chat"), ("completions", "text_completion"), ("embeddings", "embeddings"),
    ("responses", "responses"), ("createresponse", "responses"), ("imagegenerations", "image_generation"),
    ("images", "image_generation"), ("audio_transcriptions", "transcription"), ("transcriptions", "transcription"),
    ("audio_speech", "speech"), ("speech", "speech"), ("extensionschatcompletions", "chat"),
)  # fmt: skip


class AzureDiagnostics:
    """The deployment is what was asked for, the model's name what answered."""

    name = "azure-diagnostics"
    title = "Azure OpenAI diagnostic logs (RequestResponse; no content, no tokens)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`correlationId`",
        "started_at": "`properties.requestTime` (.NET ticks), else `time`",
        "latency_ms": "`properties.responseTime` - `requestTime`, else `durationMs` (which may be negative)",
        "provider": "always azure",
        "request_model": "`properties.modelDeploymentName`",
        "response_model": "`properties.modelName`",
        "stream": "`properties.streamType`",
        "error_type": "`resultSignature`, the HTTP status",
        "error_message": "`resultDescription`",
        "http_status": "`resultSignature`",
        "user_id": "`properties.objectId`",
        "metadata": "`apiName`, `modelVersion`, `requestLength`, `responseLength` (bytes), `resourceId`, `location`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the category says so and the fields of that category are there."""
        return 1.0 if all(_is_row(flat(row)) for row in azure_rows(record)) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Quarantined]:
        """The calls of ``record``; raises `Rejected` when its only row is none."""
        rows = azure_rows(record)
        if len(rows) == 1:
            yield _call(flat(rows[0]), where)
            return
        for row in rows:
            try:
                yield _call(flat(row), where)
            except Rejected as reason:
                yield Quarantined(where.file, where.line, reason.message, str(row.get("operationName")))


def _is_row(row: JsonObject) -> bool:
    return row.get("category") == CATEGORY and "operationname" in row and ("durationms" in row or "requesttime" in row)


def _call(row: JsonObject, where: Where) -> Call:
    if not _is_row(row):
        raise Rejected("not a RequestResponse row of Azure OpenAI")
    name = str(row["operationname"]).lower()
    operation = next((kind for begin, kind in OPERATIONS if name.startswith(begin)), None)
    if operation is None:
        raise Rejected("not an LLM call: another operation of the service")
    asked, answered = ticks(row.get("requesttime")), ticks(row.get("responsetime"))
    status = count(first(row, "resultsignature", "responsecode"))
    failed = status is not None and status >= 400
    streamed = text(row.get("streamtype"))
    told = {
        "api": text(row.get("apiname")),
        "model_version": text(row.get("modelversion")),
        "request_bytes": count(row.get("requestlength")),
        "response_bytes": count(row.get("responselength")),
        "resource": text(first(row, "resourceid", "_resourceid")),
        "location": text(row.get("location")),
    }
    return Call(
        source_format=AzureDiagnostics.name,
        source_file=where.file,
        source_line=where.line,
        source_id=text(row.get("correlationid")),
        started_at=asked or started(first(row, "time", "timegenerated")),
        request=None,
        response=None,
        content_state=ContentState.ABSENT,
        provider="azure",
        request_model=text(first(row, "modeldeploymentname", "modelname")),
        response_model=text(row.get("modelname")),
        operation=operation,
        stream=None if streamed is None else not streamed.lower().startswith("non"),
        latency_ms=elapsed_ms(asked, answered) or milliseconds(row.get("durationms")),
        error_type=f"http_{status}" if failed else None,
        error_message=text(row.get("resultdescription")) if failed else None,
        http_status=status,
        user_id=text(row.get("objectid")),
        metadata={key: value for key, value in told.items() if value is not None},
    )
