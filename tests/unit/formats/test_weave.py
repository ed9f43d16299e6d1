"""Weave calls: the innermost client call, references that lead nowhere, tables with dots, feedback of three kinds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined, Usage
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.weave import Weave

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
READER = Weave()


def read(records: list[dict[str, Any]]) -> list[Item]:
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


def rows(name: str) -> list[dict[str, Any]]:
    return [row.record for row in read_rows(LOGS / name) if isinstance(row, Row)]


def calls(name: str = "weave.jsonl") -> dict[str, Call]:
    return {str(item.source_id)[-1:]: item for item in read(rows(name)) if isinstance(item, Call)}


def test_a_call_of_a_client_is_whole_and_leaves_the_client_out() -> None:
    call = calls()["2"]
    assert call.request is not None and call.response is not None
    assert set(call.request) == {"messages", "temperature", "tools", "tool_choice"}
    assert call.response.finish_reason == "tool_calls"
    assert call.usage == Usage(1200, 1024, None, 40, 32, 1240)
    assert (call.provider, call.request_model, call.response_model) == (
        "openai",
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
    )
    assert (call.logged_cost_usd, call.latency_ms) == (Decimal("0.0002"), 900)
    assert (call.user_id, call.conversation_id, call.task_hint) == ("customer-17", "thread-7", "order answer")
    assert call.metadata == {"user_id": "customer-17", "branch": "Ulm"}
    assert call.content_state is ContentState.FULL


def test_a_function_around_a_call_has_its_tokens_and_is_none() -> None:
    items = read(rows("weave.jsonl"))
    assert sorted(item.reason for item in items if isinstance(item, Quarantined)) == [
        "not an LLM call of its own: a traced function around another",
        "not an LLM call: a traced function without tokens",
    ]


def test_cached_tokens_of_anthropic_are_added() -> None:
    assert calls()["3"].usage == Usage(2000, 500, 1400, 30, None, None)


def test_content_behind_a_reference_is_not_there() -> None:
    call = calls()["4"]
    assert (call.content_state, call.request, call.response) == (ContentState.ABSENT, None, None)
    assert call.usage.input_tokens == 9
    record = rows("weave.jsonl")[6]
    record["inputs"]["messages"].append({"role": "user", "content": "weave:///shop/desk/object/mail:1"})
    (inside,) = [item for item in read([record]) if isinstance(item, Call)]
    assert inside.content_state is ContentState.REDACTED


def test_a_failure_is_read_from_the_end_of_its_traceback() -> None:
    call = calls()["5"]
    assert (call.error_type, call.error_message, call.http_status) == ("RateLimitError", "slow down", 429)
    assert call.latency_ms is None


def test_an_embedding_is_counted_and_not_replayed() -> None:
    call = calls()["6"]
    assert (call.operation, call.request, call.usage.input_tokens) == ("embeddings", None, 3)


def test_a_table_is_put_together_again() -> None:
    (call,) = calls("weave@table.csv").values()
    assert call.request is not None and call.response is not None
    assert call.request["messages"] == calls()["2"].request["messages"]  # type: ignore[index]
    assert call.request["temperature"] == 0.2
    assert call.response.text == "On its way."
    assert (call.usage.input_tokens, call.usage.output_tokens) == (20, 5)
    assert call.logged_cost_usd == Decimal("0.000002")
    assert call.metadata == {"user_id": "customer-17"}


def test_reactions_notes_and_annotations_are_feedback() -> None:
    given = [item for item in read(rows("weave.jsonl")) if isinstance(item, Feedback)]
    assert [(item.source_id, item.name, item.value, item.label, item.comment) for item in given] == [
        ("wv-2", "reaction", None, ":thumbs_up:", None),
        ("wv-2", "note", None, None, "Right desk"),
        ("wv-2", "annotation.correct", 1.0, None, None),
    ]


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        ("weave:///e/p/op/openai.chat.completions.create:x", True),
        ("weave:///e/p/op/openai.responses.create:x", True),
        ("weave:///e/p/op/anthropic.AsyncMessages.create:x", True),
        ("weave:///e/p/op/litellm.completion:x", True),
        ("weave:///e/p/op/google.genai.models.Models.generate_content:x", True),
        ("weave:///e/p/op/langchain.Llm.ChatOpenAI:x", True),
        ("weave-trace-internal:///p/op/mistralai.chat.complete:x", True),
        ("weave:///e/p/op/create_ticket:x", False),
        ("weave:///e/p/op/Evaluation.evaluate:x", False),
    ],
)
def test_the_functions_of_model_clients_are_known_by_name(operation: str, known: bool) -> None:
    record = {"id": "w", "op_name": operation, "trace_id": "t", "started_at": "2026-10-26T18:00:00Z"}
    (item,) = READER.calls(record, Where("log", 1))
    assert isinstance(item, Fragment) is known
