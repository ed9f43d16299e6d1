"""Langfuse rows: four exports give the same calls, a row finds its trace, scores in columns are feedback."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined, Usage
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.langfuse_observations import LangfuseObservations

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
READER = LangfuseObservations()


def read(*records: dict[str, Any]) -> list[Item]:
    """What the rows hold, joined; a fragment stands for itself no more."""
    items: list[Item] = []
    fragments: dict[str, list[Fragment]] = {}
    for line, record in enumerate(records, start=1):
        for item in READER.calls(record, Where("log", line)):
            if isinstance(item, Fragment):
                fragments.setdefault(item.key, []).append(item)
            else:
                items.append(item)
    for parts in fragments.values():
        items += READER.join(parts)
    return items


def records(variant: str) -> list[dict[str, Any]]:
    (path,) = LOGS.glob(f"langfuse-observations{variant}")
    return [row.record for row in read_rows(path) if isinstance(row, Row)]


def calls(variant: str) -> dict[str | None, Call]:
    return {item.source_id: item for item in read(*records(variant)) if isinstance(item, Call)}


def row(**fields: Any) -> dict[str, Any]:
    plain = {
        "id": "g",
        "trace_id": "t",
        "type": "GENERATION",
        "start_time": "2026-10-26 15:00:00.000000",
        "provided_model_name": "gpt-4o-mini",
        "usage_details": {},
        "input": "hi",
        "output": "hello",
    }
    return {**plain, **fields}


def call_of(**fields: Any) -> Call:
    (call,) = read(row(**fields))
    assert isinstance(call, Call)
    return call


def test_a_row_of_the_web_interface_is_a_whole_call() -> None:
    call = calls(".jsonl")["ui-1"]
    assert call.request is not None
    assert [message["role"] for message in call.request["messages"]] == ["system", "user"]
    assert {key: call.request[key] for key in ("temperature", "max_tokens", "tool_choice")} == {
        "temperature": 0,
        "max_tokens": 3,
        "tool_choice": "none",
    }
    assert (call.request_model, call.response_model) == ("gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    assert call.latency_ms == 750
    assert (call.task_hint, call.user_id, call.tags) == ("sort-mail", "customer-17", ("shop", "mail"))
    assert call.metadata["trace_name"] == "mail-desk" and call.metadata["prompt_version"] == 4


def test_a_table_says_the_same_as_json() -> None:
    lines, table = calls(".jsonl"), calls("@table.csv")
    for told, again in (("ui-1", "csv-1"), ("ui-4", "csv-4")):
        assert table[again].request == lines[told].request
        assert table[again].response == lines[told].response
        assert table[again].usage == lines[told].usage
        assert table[again].started_at == lines[told].started_at
        assert table[again].tags == lines[told].tags


def test_cached_and_reasoning_tokens_are_counted_in() -> None:
    assert calls(".jsonl")["ui-2"].usage == Usage(2104, 1024, 900, 40, 32, 2144)


def test_only_the_innermost_generation_counts_and_keeps_what_the_outer_one_knows() -> None:
    items = read(*records(".jsonl"))
    assert calls(".jsonl")["ui-4"].request is not None
    assert "ui-3" not in calls(".jsonl")
    reasons = [item.reason for item in items if isinstance(item, Quarantined)]
    assert sorted(reasons) == [
        "not an LLM call of its own: GENERATION around another",
        "not an LLM call: SPAN",
        "not an LLM call: TOOL",
    ]
    inner = calls(".jsonl")["ui-4"]
    assert inner.request is not None and inner.request["tools"][0]["function"]["name"] == "find_order"
    assert inner.content_state is ContentState.FULL


def test_the_outer_generation_may_come_after_the_inner_one() -> None:
    items = read(row(id="inner", parent_observation_id="outer"), row(id="outer"))
    assert [type(item).__name__ for item in items] == ["Call", "Quarantined"]


def test_scores_and_comments_are_feedback_of_their_call() -> None:
    given = [item for item in read(*records(".jsonl")) if isinstance(item, Feedback)]
    assert [(item.source_id, item.name, item.value, item.label, item.comment) for item in given] == [
        ("ui-1", "correct", 1.0, None, None),
        ("ui-1", "tone", None, "kind", None),
        ("ui-1", "comment", None, None, "Right desk"),
        ("ui-2", "correct", 0.5, None, None),
    ]
    assert given[2].given_at == datetime(2026, 10, 27, 8, tzinfo=UTC)
    tabled = [item for item in read(*records("@table.csv")) if isinstance(item, Feedback)]
    assert [(item.name, item.value, item.label) for item in tabled] == [
        ("correct", 1.0, None),
        ("tone", None, "kind"),
        ("comment", None, None),
    ]


def test_the_events_table_has_milliseconds_and_other_names() -> None:
    found = calls("@events.json")
    assert found["ev-1"].request_model == "gpt-4o"
    assert found["ev-1"].latency_ms == 900
    assert found["ev-1"].conversation_id == "session-4"
    assert found["ev-1"].request is not None and found["ev-1"].request["max_completion_tokens"] == 200
    assert found["ev-2"].latency_ms == 900 and found["ev-2"].time_to_first_token_ms == 210


def test_an_image_by_address_stays_and_an_uploaded_one_makes_the_prompt_incomplete() -> None:
    found = calls("@events.json")
    assert found["ev-1"].content_state is ContentState.FULL
    assert found["ev-1"].request is not None
    assert found["ev-1"].request["messages"][1]["content"][1]["image_url"]["url"] == "https://shop.example/parcel.png"
    assert found["ev-2"].content_state is ContentState.REDACTED


def test_blob_rows_read_the_columns_of_tools() -> None:
    call = calls("@blob.jsonl")["blob-2"]
    assert call.request is not None and call.response is not None
    assert call.request["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "find_order",
                "description": "Look an order up",
                "parameters": {
                    "type": "object",
                    "properties": {"number": {"type": "string"}},
                    "required": ["number"],
                },
            },
        }
    ]
    (made,) = call.response.tool_calls
    assert made["id"] == "call_7" and made["function"]["name"] == "find_order"
    assert json.loads(made["function"]["arguments"]) == {"number": "4711"}
    assert call.content_state is ContentState.FULL


def test_an_answer_that_is_json_twice_is_read_to_the_end() -> None:
    call = calls("@blob.jsonl")["blob-1"]
    assert call.response is not None and call.response.text == "delivery"
    assert call.time_to_first_token_ms == 200


def test_parquet_says_the_same_as_json_lines() -> None:
    lines, parquet = calls("@blob.jsonl")["blob-1"], calls("@parquet.parquet")["blob-7"]
    assert parquet.request == lines.request
    assert parquet.response == lines.response
    assert parquet.usage == lines.usage
    assert (parquet.latency_ms, parquet.time_to_first_token_ms) == (600, 200)
    assert parquet.started_at == datetime(2026, 10, 26, 15, 0, 7, tzinfo=UTC)
    assert parquet.logged_cost_usd == lines.logged_cost_usd
    assert calls("@parquet.parquet")["blob-8"].error_message == "timeout"


def test_the_older_export_takes_user_session_and_tags_from_the_row_of_its_trace() -> None:
    found = calls("@legacy.jsonl")
    call = found["blob-5"]
    assert (call.user_id, call.conversation_id, call.tags) == ("customer-2", "session-8", ("orders",))
    assert call.metadata["branch"] == "Ulm" and call.metadata["trace_name"] == "order-desk"
    assert (found["blob-6"].user_id, found["blob-6"].conversation_id) == (None, "old-trace-2")


@pytest.mark.parametrize(
    ("fields", "latency_ms", "first_ms"),
    [
        ({"latency": 0.6, "time_to_first_token": 0.2}, 600, 200),
        ({"latency": 1600, "time_to_first_token": 200}, 1600, 200),
        ({"end_time": "2026-10-26 15:00:00.600000", "latency": 600, "time_to_first_token": 200}, 600, 200),
        ({"end_time": "2026-10-26 15:00:00.600000", "latency": 0.6, "time_to_first_token": 0.2}, 600, 200),
        ({"end_time": "2026-10-26 15:00:02.000000", "latency": 1}, 2000, None),
        ({"completion_start_time": "2026-10-26 15:00:00.300000", "time_to_first_token": 9}, None, 300),
        ({"latencyMs": 700, "timeToFirstTokenMs": 90}, 700, 90),
    ],
)
def test_seconds_and_milliseconds_are_told_apart_by_start_and_end(
    fields: dict[str, Any], latency_ms: float | None, first_ms: float | None
) -> None:
    call = call_of(**fields)
    assert (call.latency_ms, call.time_to_first_token_ms) == (latency_ms, first_ms)


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"total_cost": 0, "cost_details": {}}, None),
        ({"total_cost": 0, "cost_details": {"total": 0}}, "0E-9"),
        ({"total_cost": "0.25"}, "0.250000000"),
        ({"cost_details": {"total": 0.25}}, "0.250000000"),
    ],
)
def test_a_cost_of_zero_without_a_breakdown_is_unknown(fields: dict[str, Any], cost: str | None) -> None:
    found = call_of(**fields).logged_cost_usd
    assert (None if found is None else str(found)) == cost


def test_the_same_row_in_two_exports_is_the_same_call() -> None:
    first, again = read(row(id="x", parent_observation_id="o"), row(id="x", parent_observation_id="o"))
    assert isinstance(first, Call) and isinstance(again, Call)
    assert first.source_id == again.source_id


def test_a_page_of_the_api_holds_many_rows() -> None:
    items = read(*records("@page.json"))
    assert [item.source_id for item in items if isinstance(item, Call)] == ["api-3", "api-4"]
    assert [item.reason for item in items if isinstance(item, Quarantined)] == ["not an LLM call: EVENT"]
