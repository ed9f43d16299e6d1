"""Azure's logs: ticks and negative durations, bodies cut or streamed, prompts in pieces over rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.azure_apim import AzureApim
from tieraudit.formats.azure_diagnostics import AzureDiagnostics
from tieraudit.formats.azure_rows import flat, ticks
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.fields import started

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"


def rows(name: str) -> list[dict[str, Any]]:
    text = (LOGS / name).read_text(encoding="utf-8")
    found: list[dict[str, Any]] = (
        json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    )
    return found


def diagnosed(line: int, **changes: Any) -> Call:
    (call, *_) = AzureDiagnostics().calls({**rows("azure-diagnostics.jsonl")[line - 1], **changes}, Where("log", line))
    assert isinstance(call, Call)
    return call


def joined(key: str, name: str = "azure-apim.jsonl", *, without: str = "") -> Call:
    parts: list[Fragment] = []
    for n, row in enumerate(rows(name), 1):
        try:
            parts += [item for item in AzureApim().calls(row, Where("log", n)) if isinstance(item, Fragment)]
        except Rejected:
            continue
    (call,) = AzureApim().join([part for part in parts if part.key == key and part.part != without])
    assert isinstance(call, Call)
    return call


def test_ticks_are_tenths_of_microseconds_since_the_year_one() -> None:
    assert ticks(638481757794854611) == started("2024-04-08T12:22:59.485461Z")
    assert ticks("0") is None and ticks("x") is None and ticks(True) is None


def test_properties_may_be_text_and_the_duration_negative() -> None:
    call = diagnosed(2)
    assert (call.latency_ms, call.stream, call.user_id) == (1000, True, "person-3")
    assert call.started_at == started("2026-11-02T10:01:00Z")
    assert (call.request_model, call.response_model) == ("desk-mini", "gpt-4o-mini")
    assert (call.content_state, call.usage) == (ContentState.ABSENT, Usage())


def test_a_throttled_call_failed() -> None:
    call = diagnosed(4)
    assert (call.error_type, call.error_message, call.http_status) == ("http_429", "Too many requests", 429)


def test_other_operations_are_no_calls() -> None:
    with pytest.raises(Rejected, match="not an LLM call"):
        diagnosed(5)
    assert len(list(AzureDiagnostics().calls(rows("azure-diagnostics.jsonl")[5], Where("log", 6)))) == 2


def test_columns_of_log_analytics_have_suffixes() -> None:
    found = flat({"modelName_s": "m", "DurationMs": 3, "properties": '{"objectId": "o"}', "streamType_s": ""})
    assert found["modelname"] == "m" and found["objectid"] == "o" and "streamtype" not in found


def test_a_gateway_row_with_bodies_is_a_full_call() -> None:
    call = joined("g-0")
    assert call.content_state is ContentState.FULL and call.cache_hit
    assert call.request is not None and call.request["response_format"] == {"type": "json_object"}
    assert call.usage == Usage(1200, 1024, None, 3, 1, 1203)
    assert (call.request_model, call.response_model) == ("desk-mini", "gpt-4o-mini-2024-07-18")
    assert (call.provider, call.user_id, call.metadata["api"]) == ("azure", "customer-3", "openai")


def test_a_streamed_body_is_folded_unless_it_was_cut() -> None:
    call = joined("g-2")
    assert call.stream is True and call.response is not None and call.response.text == "Good day"
    row = rows("azure-apim.jsonl")[2]
    for name in ("responseBody", "backendResponseBody"):
        row["properties"][name] = row["properties"][name][:-20]
    (part,) = AzureApim().calls(row, Where("log", 1))
    assert isinstance(part, Fragment)
    (cut,) = AzureApim().join([part])
    assert isinstance(cut, Call) and cut.metadata["cut"] == ["response"]
    assert (cut.response, cut.content_state) == (None, ContentState.NO_RESPONSE)


def test_a_prompt_that_was_cut_is_taken_from_the_log_of_models() -> None:
    call = joined("g-4")
    assert call.content_state is ContentState.FULL and call.request is not None
    assert call.request["messages"] == [{"role": "user", "content": "A very long letter. " * 20}]
    alone = joined("g-4", without="llm")
    assert (alone.content_state, alone.request) == (ContentState.REDACTED, None)
    assert alone.metadata["cut"] == ["request"]


def test_the_log_of_models_is_joined_by_its_numbers() -> None:
    call = joined("g-7")
    assert call.request == {"messages": [{"role": "user", "content": "When to sow peas?"}]}
    assert call.response is not None and call.response.text == "In spring."
    assert call.usage == Usage(input_tokens=8, output_tokens=3, total_tokens=11)
    assert (call.request_model, call.stream) == ("desk-mini", True)


def test_a_call_in_both_logs_is_one_call() -> None:
    call = joined("t-1", "azure-apim@columns.json")
    assert call.content_state is ContentState.FULL and call.latency_ms == 300
    assert call.usage.input_tokens == 12


def test_failures_and_other_apis() -> None:
    filtered, broken = joined("g-3"), joined("g-6")
    assert (filtered.error_type, filtered.http_status) == ("content_filter", 400)
    assert (broken.error_type, broken.error_message) == ("http_500", "The backend closed the connection.")
    with pytest.raises(Rejected, match="another API"):
        list(AzureApim().calls(rows("azure-apim.jsonl")[5], Where("log", 6)))


def sample(shared: Path, name: str) -> list[dict[str, Any]]:
    source = shared / "samples" / "azure-openai" / name
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    return [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]


@pytest.mark.shared_data
def test_the_published_diagnostics_are_read(shared: Path) -> None:
    thread, chat, picture = sample(shared, "request_response_diagnostic.log")
    with pytest.raises(Rejected, match="another operation"):
        list(AzureDiagnostics().calls(thread, Where("log", 1)))
    for row, model in ((chat, "gpt-35-turbo"), (picture, "dall-e-3")):
        (call,) = AzureDiagnostics().calls(row, Where("log", 1))
        assert isinstance(call, Call)
        assert call.started_at == started("2024-05-17T07:04:41.539415Z")
        assert call.latency_ms == pytest.approx(1021.237)
        assert (call.response_model, call.http_status, call.stream) == (model, 200, False)


@pytest.mark.shared_data
def test_the_published_gateway_rows_are_read(shared: Path) -> None:
    found = []
    for row in sample(shared, "apim_gateway.log"):
        (part,) = AzureApim().calls(row, Where("log", 1))
        assert isinstance(part, Fragment)
        found += [item for item in AzureApim().join([part]) if isinstance(item, Call)]
    answered, filtered = found
    assert answered.content_state is ContentState.FULL
    assert answered.usage == Usage(input_tokens=14, output_tokens=8, total_tokens=22)
    assert answered.request == {"messages": [{"role": "user", "content": "capital of tamilnadu?"}]}
    assert answered.response is not None and answered.response.text == "The capital of Tamil Nadu is Chennai."
    assert (answered.request_model, answered.response_model, answered.latency_ms) == (
        "gpt-chat-pilot", "gpt-35-turbo", 176,
    )  # fmt: skip
    assert (filtered.error_type, filtered.http_status, filtered.response) == ("content_filter", 400, None)
