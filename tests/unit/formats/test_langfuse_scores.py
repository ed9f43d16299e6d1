"""Langfuse scores: of a call or of a trace, as a number or as a word."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieraudit.domain import Feedback
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.langfuse_scores import LangfuseScores

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"


def read(name: str) -> list[Feedback]:
    rows = [row.record for row in read_rows(LOGS / name) if isinstance(row, Row)]
    return [item for record in rows[:4] for item in LangfuseScores().calls(record, Where("log", 1))]


def test_a_score_is_a_number_or_a_word_and_never_the_place_of_a_word_in_a_list() -> None:
    told = [(item.name, item.source_id, item.value, item.label) for item in read("langfuse-scores.jsonl")]
    assert told == [
        ("correct", "blob-1", 1.0, "True"),
        ("helpful", None, 0.75, None),
        ("tone", "blob-1", None, "kind"),
        ("note", "blob-1", None, "Could be shorter"),
    ]


def test_a_table_of_the_web_interface_says_the_same_under_other_names() -> None:
    first, second = read("langfuse-scores@table.csv")
    assert (first.source_id, first.trace_id, first.value, first.comment) == ("csv-1", "csv-trace-1", 0.5, "Half right")
    assert first.given_at == datetime(2026, 10, 27, 8, tzinfo=UTC)
    assert (second.source_id, second.trace_id, second.value, second.label) == (None, "csv-trace-1", None, "kind")


def test_a_score_of_a_session_is_refused_with_that_reason() -> None:
    record = {"source": "API", "data_type": "NUMERIC", "name": "solved", "value": 1, "session_id": "s"}
    with pytest.raises(Rejected, match="of a session"):
        list(LangfuseScores().calls(record, Where("log", 1)))
