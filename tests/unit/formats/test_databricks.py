"""Databricks inference tables: three generations, streams, bodies that were too long, rows that are no model call."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.databricks import Databricks
from tieraudit.formats.framing import Row, read_rows

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"


def rows(name: str) -> list[dict[str, Any]]:
    return [row.record for row in read_rows(LOGS / name) if isinstance(row, Row)]


def call_of(record: dict[str, Any]) -> Call:
    (call,) = Databricks().calls(record, Where("log", 1))
    return call


def test_a_row_of_model_serving_is_a_whole_call() -> None:
    call = call_of(rows("databricks.jsonl")[0])
    assert call.request is not None and call.response is not None
    assert set(call.request) == {"messages", "temperature", "max_tokens"}
    assert call.response.text == "delivery"
    assert (call.request_model, call.response_model) == ("mail-desk", "meta-llama-3.3-70b-instruct-121024")
    assert call.usage == Usage(2400, 1024, 900, 40, 32, 2440)
    assert (call.latency_ms, call.task_hint, call.user_id) == (640, "sort mail", "customer-9")
    assert call.started_at == datetime(2026, 10, 26, 19, 0, 1, tzinfo=UTC)
    assert call.metadata["client_request_id"] == "client-1" and call.metadata["sampling_fraction"] == 1.0


def test_a_stream_is_folded() -> None:
    call = call_of(rows("databricks@gateway.parquet")[0])
    assert call.response is not None and call.response.text == "1, 2"
    assert call.response.finish_reason == "stop"
    assert (call.stream, call.usage.total_tokens) == (True, 15)
    assert (call.latency_ms, call.user_id) == (870, "desk@shop.example")
    assert call.started_at == datetime(2026, 10, 26, 19, 30, 1, tzinfo=UTC)
    assert call.metadata["served_entity_id"] == "entity-7"


def test_a_body_that_was_too_long_is_absent_and_the_code_is_kept() -> None:
    call = call_of(rows("databricks@gateway.parquet")[2])
    assert (call.content_state, call.request) == (ContentState.ABSENT, None)
    assert call.metadata["logging_error_codes"] == ["MAX_REQUEST_SIZE_EXCEEDED"]


def test_the_unity_gateway_hands_on_other_makers_bodies() -> None:
    call, failed = (call_of(record) for record in rows("databricks@unity.csv"))
    assert (call.source_id, call.latency_ms) == ("inv-1", 930)
    assert call.request is not None and call.request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert call.response is not None and (call.response.text, call.response.finish_reason) == ("Hi!", "stop")
    assert (failed.error_type, failed.http_status, failed.response) == ("http_500", 500, None)


@pytest.mark.parametrize(("line", "reason"), [(2, "a model of another kind"), (3, "to an agent")])
def test_rows_of_other_models_and_of_agents_are_no_calls(line: int, reason: str) -> None:
    with pytest.raises(Rejected, match=reason):
        call_of(rows("databricks.jsonl")[line])


def test_an_error_body_is_read() -> None:
    call = call_of(rows("databricks.jsonl")[4])
    assert (call.error_type, call.error_message, call.http_status) == ("rate_limit_error", "slow down", 429)
