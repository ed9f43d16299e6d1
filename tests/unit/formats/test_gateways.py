"""What the logs of gateways say beside the bodies: their units, their own statuses, and bodies that are not there."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback
from tieraudit.errors import Rejected
from tieraudit.formats import FORMATS
from tieraudit.formats.base import Item, Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.gateway_bodies import gateway_exchange, path_of

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"


def record(name: str, line: int, **changes: Any) -> dict[str, Any]:
    path = next(LOGS.glob(f"{name}.*"))
    rows = [row.record for row in read_rows(path) if isinstance(row, Row)]
    return {**rows[line - 1], **changes}


def items(name: str, read: dict[str, Any]) -> list[Item]:
    return list(FORMATS.get(name.partition("@")[0]).calls(read, Where("log", 1)))


def calls(name: str, read: dict[str, Any]) -> list[Call]:
    return [item for item in items(name, read) if isinstance(item, Call)]


def call_of(name: str, line: int, **changes: Any) -> Call:
    (call,) = calls(name, record(name, line, **changes))
    return call


def test_portkeys_costs_are_cents() -> None:
    assert call_of("portkey", 2).logged_cost_usd == Decimal("0.0004")
    assert call_of("portkey", 2, cost_currency="EUR").logged_cost_usd is None


def test_portkeys_metadata_is_two_arrays_in_three_places() -> None:
    told = {"_user": "customer-17", "task": "sort mail", "session_id": "s-1"}
    call = call_of("portkey", 1)
    assert told.items() <= call.metadata.items()
    assert (call.user_id, call.task_hint, call.conversation_id) == ("customer-17", "sort mail", "s-1")
    assert call.metadata["retry_success_count"] == 2
    columns = {"metadata.key": json.dumps(list(told)), "metadata.value": list(told.values()), "metadata": None}
    assert told.items() <= call_of("portkey", 1, **columns).metadata.items()
    assert told.items() <= call_of("portkey", 1, metadata=told).metadata.items()
    assert "key" not in call_of("portkey", 2).metadata


def test_a_call_that_portkey_says_failed_has_failed_even_without_a_status() -> None:
    call = call_of("portkey", 1, is_success="0", response_status_code=None, response={})
    assert (call.error_type, call.response) == ("error", None)


@pytest.mark.parametrize(
    ("status", "error"), [(-2, "pending"), (-3, "cancelled"), (-4, "timeout"), ("500", "http_500")]
)
def test_helicones_own_statuses_are_failures_without_a_http_status(status: Any, error: str) -> None:
    call = call_of("helicone", 1, response_status=status)
    assert (call.error_type, call.response) == (error, None)
    assert call.http_status == (500 if error == "http_500" else None)


def test_helicones_placeholder_of_a_body_is_no_prompt() -> None:
    call = call_of("helicone", 7)
    assert (call.content_state, call.request, call.operation) == (ContentState.ABSENT, None, "chat")
    assert call.usage.input_tokens == 2310


def test_helicones_columns_are_read_by_what_adds_up() -> None:
    told = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_read_tokens": 60, "response_body": None}
    assert call_of("helicone", 1, **told, total_tokens=105).usage.input_tokens == 100
    assert call_of("helicone", 1, **told, total_tokens=165).usage.input_tokens == 160


def test_an_image_in_helicones_own_store_cannot_be_sent_again() -> None:
    body = json.loads(json.dumps(record("helicone", 2)["request_body"]))
    body["messages"][0]["content"][1]["image_url"]["url"] = '<helicone-asset-id key="a-1"/>'
    call = call_of("helicone", 2, request_body=body)
    assert call.content_state is ContentState.REDACTED
    assert call.request is not None and "a-1" in call.request["messages"][0]["content"][1]["image_url"]["url"]


def test_helicones_ratings_and_scores_are_feedback() -> None:
    given = [item for item in items("helicone", record("helicone", 1)) if isinstance(item, Feedback)]
    assert [(item.name, item.value, item.source_id) for item in given] == [
        ("feedback_rating", 1, "req-1"),
        ("correct", 1, "req-1"),
        ("tone", 80, "req-1"),
    ]
    down = items("helicone", record("helicone", 1, feedback_rating=False, scores=None))
    assert [item.value for item in down if isinstance(item, Feedback)] == [0]


def test_the_quotes_that_helicones_csv_wrote_twice_are_read() -> None:
    rows = [row.record for row in read_rows(LOGS / "helicone@export.csv") if isinstance(row, Row)]
    first, second = (calls("helicone", row)[0] for row in rows[:2])
    assert first.request == second.request and first.request is not None
    assert first.content_state is ContentState.NO_RESPONSE
    assert (first.latency_ms, first.metadata) == (1000, {"desk": "2"})


def test_a_cut_head_of_cloudflare_is_no_body() -> None:
    asked, answered = call_of("cloudflare", 2), call_of("cloudflare", 3)
    assert (asked.content_state, asked.request) == (ContentState.REDACTED, None)
    assert answered.content_state is ContentState.REDACTED
    assert answered.request is not None and answered.response is None
    assert call_of("cloudflare", 4).content_state is ContentState.ABSENT


def test_an_encrypted_body_of_cloudflare_is_redacted() -> None:
    call = call_of("cloudflare", 4, request={"encryptedData": "AAAA", "iv": "BBBB"})
    assert (call.content_state, call.request) == (ContentState.REDACTED, None)


def test_a_page_of_cloudflares_list_is_its_logs() -> None:
    (page,) = [row.record for row in read_rows(LOGS / "cloudflare@page.jsonl") if isinstance(row, Row)]
    assert [call.source_id for call in calls("cloudflare", page)] == ["01CF1", "01CF2", "01CF3", "01CF4"]


def test_each_of_kongs_plugins_that_called_a_model_is_a_call() -> None:
    own, rewriting = calls("kong", record("kong", 2))
    assert (own.source_id, rewriting.source_id) == ("kong-2", "kong-2:ai-request-transformer")
    assert own.request is not None and rewriting.request is None
    assert own.started_at.isoformat() == "2026-10-26T12:02:00+00:00"
    assert call_of("kong", 6).time_to_first_token_ms == 180


def test_a_line_of_kong_without_a_model_is_no_call() -> None:
    with pytest.raises(Rejected, match="no call to a model"):
        calls("kong", record("kong", 1, ai={"mcp": {"session_id": "m-1"}}))


def test_bodies_are_told_by_what_is_in_them() -> None:
    assert gateway_exchange(None, None).request is None
    assert gateway_exchange("{cut", "data: nothing").response is None
    responses = gateway_exchange(
        {"model": "gpt-5-mini", "instructions": "Be brief.", "input": "hi"},
        {"object": "response", "output": [{"type": "message", "content": [{"type": "output_text", "text": "ok"}]}]},
    )
    assert responses.request == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    }
    assert responses.response is not None and responses.response.text == "ok"
    assert gateway_exchange({"model": "e", "input": "hi"}, None, url="/v1/embeddings").operation == "embeddings"
    assert path_of("chat/completions") == path_of("https://x.example/chat/completions/") == "/chat/completions"


@pytest.mark.shared_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs ../shared/samples beside the checkout")
def test_the_fixtures_have_the_fields_of_helicones_schema() -> None:
    header = (SAMPLES / "helicone" / "csv_header.csv").read_text(encoding="utf-8").strip()
    assert header == (LOGS / "helicone@export.csv").read_text(encoding="utf-8").splitlines()[0]
    described = (SAMPLES / "helicone" / "request_fields.txt").read_text(encoding="utf-8")
    known = {field.split()[0] for field in described.split("|")}
    assert set(record("helicone", 1)) <= known


@pytest.mark.shared_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs ../shared/samples beside the checkout")
def test_the_sample_of_kong_is_read_whole() -> None:
    fragment = json.loads((SAMPLES / "kong" / "ai_log_fragment.json").read_text(encoding="utf-8"))
    with pytest.raises(Rejected, match="no start time"):  # the sample is the part of a line that has no time
        calls("kong", fragment)
    first, second = calls("kong", {**fragment, "started_at": 1793016000000})
    assert (first.usage.input_tokens, first.usage.output_tokens, first.usage.total_tokens) == (28, 20, 48)
    assert (first.provider, first.request_model, first.latency_ms) == ("cohere", "command", 2670)
    assert (first.cache_hit, first.logged_cost_usd) == (True, Decimal("0.0038"))
    assert (second.usage.input_tokens, second.usage.output_tokens, second.latency_ms) == (89, 56, 4927)
    assert (second.request_model, second.cache_hit) == ("gpt-35-turbo", False)
    assert first.content_state is second.content_state is ContentState.ABSENT


def test_geminis_chunks_are_folded_as_events_and_as_a_list() -> None:
    asked = {"contents": [{"role": "user", "parts": [{"text": "Tea?"}]}], "generationConfig": {"topK": 3}}
    chunks = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}}], "modelVersion": "gemini-2.5-flash"}
        for word in ("Yes", "!")
    ]
    for answered in (chunks, json.dumps(chunks), "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)):
        found = gateway_exchange(json.dumps(asked), answered)
        assert found.request == {"messages": [{"role": "user", "content": "Tea?"}], "top_k": 3}
        assert found.response is not None and found.response.text == "Yes!"
        assert found.response_model == "gemini-2.5-flash"
