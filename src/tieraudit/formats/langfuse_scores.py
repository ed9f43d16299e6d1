"""Langfuse scores as rows: ``scores/`` of the blob storage and the scores export of the web interface.

Source of the field map: langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields. A score belongs to
one observation, or to a whole trace; the number of a category is its place in a list and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Feedback, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.fields import first, real, text, time

SOURCES = frozenset({"API", "ANNOTATION", "EVAL"})
NUMBERS = frozenset({"NUMERIC", "BOOLEAN"})
TYPES = NUMBERS | {"CATEGORICAL", "TEXT", "CORRECTION"}


class LangfuseScores:
    """What people, tests and judges said of calls; no row is a call."""

    name = "langfuse-scores"
    title = "Langfuse scores (blob storage, export of the web interface)"
    fields: ClassVar[dict[str, str]] = {
        "feedback": "`name`, `value`, `string_value`, `comment` of `observation_id` or `trace_id`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row names its source and its type in Langfuse's words."""
        return 1.0 if record.get("source") in list(SOURCES) and _kind(record) in list(TYPES) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Feedback]:
        """The one score; raises `Rejected` when the row is none, or one of a session or an experiment."""
        if not self.matches(record):
            raise Rejected("not a Langfuse score")
        if (given := langfuse_score(self.name, record, where)) is None:
            raise Rejected("a score of a session or an experiment, not of a call or a trace")
        yield given


def langfuse_score(name: str, record: JsonObject, where: Where) -> Feedback | None:
    """The score in ``record`` as feedback of the format ``name``; None when it is of no call and of no trace."""
    source_id = text(first(record, "observation_id", "observationId"))
    trace_id = text(first(record, "trace_id", "traceId"))
    if source_id is None and trace_id is None:
        return None
    return Feedback(
        source_format=name,
        source_file=where.file,
        source_line=where.line,
        source_id=source_id,
        trace_id=trace_id,
        name=text(record.get("name")) or "score",
        value=real(record.get("value")) if _kind(record) in NUMBERS else None,
        label=text(first(record, "string_value", "stringValue")),
        comment=text(record.get("comment")),
        given_at=time(first(record, "timestamp", "created_at")),
    )


def _kind(record: JsonObject) -> str | None:
    return text(first(record, "data_type", "dataType"))
