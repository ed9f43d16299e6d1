"""OpenTelemetry spans and log records out of the many encodings in which they are written to files.

Sources: opentelemetry-proto (trace.proto, logs.proto, its JSON mapping), the collector's file and ClickHouse exporters,
the console exporter of the Python SDK, the JSON of Jaeger and Tempo, and objects of protobuf-js. Each becomes one plain
mapping: ids in hex, times in nanoseconds, attributes as Python values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import decoded, first, listing, mapping, text
from tieraudit.formats.mapping_source import opened
from tieraudit.formats.otlp_values import attributes_of, identity, integer, nanoseconds, plain_value

BATCHES = ("resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "batches")
SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "scopeLogs", "scope_logs")
SHAPES = (
    ({"SpanAttributes"}, "clickhouse span"),
    ({"LogAttributes"}, "clickhouse log"),
    ({"traceID", "operationName"}, "jaeger"),
)


def holds_telemetry(record: JsonObject) -> bool:
    """True when ``record`` is an envelope of spans or log records, or one of them."""
    return _envelope(record) is not None or _shape(record) is not None


def entries(record: JsonObject) -> Iterator[JsonObject]:
    """The spans and log records in ``record``, in plain form; ``what`` says which. Empty when there is none."""
    envelope = _envelope(record)
    if envelope is None:
        if (plain := entry(record, {})) is not None:
            yield plain
        return
    for batch in envelope:
        yield from _batch(mapping(batch))


def _envelope(record: JsonObject) -> list[Any] | None:
    """The batches in ``record``; None when it is not an envelope."""
    inner = decoded(first(record, "payload", "trace"))
    if isinstance(inner, dict | list) and "observations" not in record:
        items = inner if isinstance(inner, list) else [inner]
        if items and all(isinstance(item, dict) and _envelope(item) is not None for item in items):
            return [batch for item in items for batch in _envelope(item) or ()]
    for key in BATCHES:
        if isinstance(batches := decoded(record.get(key)), list):
            return batches
    if any(isinstance(record.get(key), list) for key in SCOPES):
        return [record]
    data = record.get("data")
    if isinstance(data, list) and data and all(isinstance(item, dict) and _is_jaeger(item) for item in data):
        return data
    return [record] if _is_jaeger(record) else None


def _is_jaeger(trace: JsonObject) -> bool:
    return "traceID" in trace and isinstance(trace.get("spans"), list)


def _batch(batch: JsonObject) -> Iterator[JsonObject]:
    if _is_jaeger(batch):
        processes = mapping(batch.get("processes"))
        for item in _mappings(batch["spans"]):
            process = mapping(processes.get(str(item.get("processID"))))
            service = {"service.name": process.get("serviceName"), **attributes_of(process.get("tags"))}
            yield entry(item, service) or {"what": "unreadable"}
        return
    resource = attributes_of(mapping(batch.get("resource")).get("attributes"))
    for key in SCOPES:
        for group in _mappings(batch.get(key)):
            scope = mapping(first(group, "scope", "instrumentationLibrary"))
            for kind in ("spans", "logRecords", "log_records"):
                for item in listing(group.get(kind)):
                    plain = entry(mapping(item), resource, text(scope.get("name")) or "")
                    yield plain or {"what": "unreadable"}


def _mappings(value: Any) -> Iterable[JsonObject]:
    return (item for item in listing(value) if isinstance(item, dict))


def _shape(item: JsonObject) -> str | None:
    """How one span or log record is written; None when it is neither."""
    for keys, shape in SHAPES:
        if item.keys() >= keys:
            return shape
    context = item.get("context")
    if isinstance(context, dict) and "span_id" in context and "attributes" in item:
        return "console"
    names = item.keys()
    named = names & {"spanId", "span_id"}
    if named and names & {"startTimeUnixNano", "start_time_unix_nano"}:
        return "span"
    if names & {"timeUnixNano", "time_unix_nano", "observedTimeUnixNano", "observed_time_unix_nano"}:
        return "log"
    return "span" if named and isinstance(item.get("attributes"), list) else None


def entry(item: JsonObject, resource: JsonObject, scope: str = "") -> JsonObject | None:
    """One span or log record in plain form; None when it is neither."""
    shape = _shape(item)
    if shape is None:
        return None
    read = {
        "clickhouse span": _clickhouse_span,
        "clickhouse log": _clickhouse_log,
        "jaeger": _jaeger,
        "console": _console,
        "span": _span,
        "log": _log,
    }[shape]
    plain = read(item)
    plain["scope"] = plain.get("scope") or scope
    plain["resource"] = {**resource, **plain.get("resource", {})}
    return plain


def _span(item: JsonObject) -> JsonObject:
    status = mapping(item.get("status"))
    return {
        "what": "span",
        "trace": identity(first(item, "traceId", "trace_id")),
        "span": identity(first(item, "spanId", "span_id")),
        "parent": identity(first(item, "parentSpanId", "parent_span_id")),
        "name": text(item.get("name")) or "",
        "start": nanoseconds(first(item, "startTimeUnixNano", "start_time_unix_nano")),
        "end": nanoseconds(first(item, "endTimeUnixNano", "end_time_unix_nano")),
        "attributes": attributes_of(item.get("attributes")),
        "events": [_event(event) for event in _mappings(item.get("events"))],
        "failed": _failed(status.get("code")),
        "status": text(status.get("message")),
        "cut": bool(integer(first(item, "droppedAttributesCount", "dropped_attributes_count"))),
    }


def _event(item: JsonObject) -> JsonObject:
    return {
        "name": text(first(item, "name", "Name")) or "",
        "time": nanoseconds(first(item, "timeUnixNano", "time_unix_nano", "timestamp", "Timestamp")),
        "attributes": attributes_of(first(item, "attributes", "Attributes")),
        "body": None,
    }


def _log(item: JsonObject) -> JsonObject:
    attributes = attributes_of(item.get("attributes"))
    moment = first(
        item, "timeUnixNano", "time_unix_nano", "observedTimeUnixNano", "observed_time_unix_nano", "Timestamp"
    )
    name = text(first(item, "eventName", "event_name", "EventName")) or text(attributes.get("event.name"))
    return {
        "what": "log",
        "trace": identity(first(item, "traceId", "trace_id", "TraceId")),
        "span": identity(first(item, "spanId", "span_id", "SpanId")),
        "event": {
            "name": name or "",
            "time": nanoseconds(moment),
            "attributes": attributes,
            "body": decoded(plain_value(first(item, "body", "Body"))),
        },
    }


def _clickhouse_log(item: JsonObject) -> JsonObject:
    return _log({**item, "attributes": item["LogAttributes"]})


def _clickhouse_span(item: JsonObject) -> JsonObject:
    """A row of ``otel_traces``: events as a list, or as three columns of the same length."""
    events = listing(opened(item.get("Events"))) or [
        {"Timestamp": moment, "Name": name, "Attributes": given}
        for moment, name, given in zip(
            listing(opened(item.get("Events.Timestamp"))),
            listing(opened(item.get("Events.Name"))),
            listing(opened(item.get("Events.Attributes"))),
            strict=False,
        )
    ]
    start, lasted = nanoseconds(item.get("Timestamp")), integer(item.get("Duration"))
    return {
        "what": "span",
        "trace": identity(item.get("TraceId")),
        "span": identity(item.get("SpanId")),
        "parent": identity(item.get("ParentSpanId")),
        "name": text(item.get("SpanName")) or "",
        "scope": text(item.get("ScopeName")) or "",
        "start": start,
        "end": None if start is None or lasted is None else start + lasted,
        "attributes": attributes_of(item.get("SpanAttributes")),
        "events": [_event(event) for event in _mappings(events)],
        "failed": _failed(item.get("StatusCode")),
        "status": text(item.get("StatusMessage")),
        "cut": False,
        "resource": attributes_of(item.get("ResourceAttributes")),
    }


def _console(item: JsonObject) -> JsonObject:
    """A span as the console exporter of the Python SDK prints it, and as MLflow kept it before version 3."""
    context, status = mapping(item.get("context")), mapping(item.get("status")) or item
    return {
        "what": "span",
        "trace": identity(context.get("trace_id")),
        "span": identity(context.get("span_id")),
        "parent": identity(item.get("parent_id")),
        "name": text(item.get("name")) or "",
        "start": nanoseconds(item.get("start_time")),
        "end": nanoseconds(item.get("end_time")),
        "attributes": attributes_of(item.get("attributes")),
        "events": [_event(event) for event in _mappings(item.get("events"))],
        "failed": _failed(status.get("status_code")),
        "status": text(first(status, "description", "status_message")),
        "cut": False,
        "resource": attributes_of(mapping(item.get("resource")).get("attributes")),
    }


def _jaeger(item: JsonObject) -> JsonObject:
    """A span of Jaeger's query API: microseconds, tags, and logs whose field ``event`` is the name."""
    attributes = attributes_of(item.get("tags"))
    parents = [
        ref.get("spanID") for ref in _mappings(item.get("references")) if ref.get("refType", "CHILD_OF") == "CHILD_OF"
    ]
    events = []
    for entry in _mappings(item.get("logs")):
        fields = attributes_of(entry.get("fields"))
        events.append(
            {"name": text(fields.pop("event", None)) or "", "timestamp": entry.get("timestamp"), "attributes": fields}
        )
    start, lasted = nanoseconds(item.get("startTime")), integer(item.get("duration"))
    return {
        "what": "span",
        "trace": identity(item.get("traceID")),
        "span": identity(item.get("spanID")),
        "parent": identity(parents[0]) if parents else None,
        "name": text(item.get("operationName")) or "",
        "start": start,
        "end": None if start is None or lasted is None else start + lasted * 1000,
        "scope": text(attributes.get("otel.scope.name")) or "",
        "attributes": attributes,
        "events": [_event(event) for event in events],
        "failed": attributes.get("error") is True or _failed(attributes.get("otel.status_code")),
        "status": text(attributes.get("otel.status_description")),
        "cut": False,
    }


def _failed(code: Any) -> bool:
    """Status 2, or its name in the enum's, ClickHouse's or the SDK's spelling."""
    return integer(code) == 2 or (isinstance(code, str) and code.upper().endswith("ERROR"))
