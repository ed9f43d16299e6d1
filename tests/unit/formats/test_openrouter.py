"""OpenRouter's activity: what a row costs with a key of one's own, which model was meant, and why it ended."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState
from tieraudit.formats.base import Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.openrouter import OpenRouterActivity

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "openrouter"
READER = OpenRouterActivity()


def records(path: Path) -> list[dict[str, Any]]:
    return [row.record for row in read_rows(path) if isinstance(row, Row)]


def call_of(record: dict[str, Any], **changes: Any) -> Call:
    (call,) = READER.calls({**record, **changes}, Where("log", 1))
    assert isinstance(call, Call)
    return call


def row(line: int) -> dict[str, Any]:
    return records(LOGS / "openrouter.csv")[line - 1]


def test_a_row_has_everything_but_content() -> None:
    call = call_of(row(1))
    assert (call.content_state, call.request) == (ContentState.ABSENT, None)
    assert call.started_at.isoformat() == "2026-10-26T12:00:00.125000+00:00"
    assert (call.usage.input_tokens, call.usage.cache_read_input_tokens, call.usage.output_tokens) == (900, 512, 60)
    assert (call.latency_ms, call.time_to_first_token_ms, call.stream) == (812, 240, True)
    assert call.metadata["provider_name"] == "OpenAI" and call.provider == "openrouter"


def test_a_free_variant_is_a_model_of_its_own() -> None:
    assert call_of(row(2)).request_model == "openai/gpt-oss-120b:free"
    assert call_of(row(2), variant="nitro").request_model == "openai/gpt-oss-120b"


def test_with_a_key_of_ones_own_the_cost_is_fee_and_inference() -> None:
    assert call_of(row(3)).logged_cost_usd == Decimal("0.00105")
    own, routed = (mapping["data"] for mapping in reversed(records(LOGS / "openrouter@generation.jsonl")))
    assert call_of(own).logged_cost_usd == Decimal("0.0021")
    assert call_of(routed).logged_cost_usd == Decimal("0.002")


def test_the_router_is_what_was_asked_for() -> None:
    call = call_of(records(LOGS / "openrouter@generation.jsonl")[0])
    assert (call.request_model, call.response_model) == ("openrouter/auto", "openai/gpt-5-mini")
    assert call.usage.input_tokens == 100
    assert call.response is not None and call.response.finish_reason == "length"


def test_an_error_is_a_failure_and_a_client_that_left_is_not() -> None:
    assert (call_of(row(4)).error_type, call_of(row(4)).error_message) == ("error", "upstream overloaded")
    assert not call_of(row(5)).failed and call_of(row(5)).metadata["cancelled"] is True


def test_a_row_without_a_date_has_the_epoch_of_its_id() -> None:
    record = row(1)
    del record["created_at"]
    assert call_of(record).started_at.isoformat() == "2026-10-26T12:00:00+00:00"


@pytest.mark.shared_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs ../shared/samples beside the checkout")
def test_the_samples_are_read_whole() -> None:
    (partial,) = [call_of(record) for record in records(SAMPLES / "activity_export_partial_columns.csv")]
    assert partial.source_id == "gen-1782618417-billableAAA"
    assert (partial.usage.input_tokens, partial.usage.output_tokens) == (10389, 137)
    assert partial.request_model == "openai/gpt-oss-120b:free"
    assert partial.logged_cost_usd == Decimal("0.0123")
    assert partial.started_at.isoformat() == "2026-06-28T03:46:57.713000+00:00"
    (generation,) = [call_of(record) for record in records(SAMPLES / "generation_endpoint_doc_example.json")]
    assert (generation.request_model, generation.response_model) == ("openrouter/auto", "sao10k/l3-stheno-8b")
    assert (generation.usage.input_tokens, generation.usage.output_tokens) == (10, 25)
    assert (generation.usage.cache_read_input_tokens, generation.usage.reasoning_output_tokens) == (3, 5)
    assert generation.response is not None and generation.response.finish_reason == "stop"
    assert (generation.logged_cost_usd, generation.latency_ms) == (Decimal("0.0015"), 1250)
    assert (generation.user_id, generation.metadata["upstream_id"][:8]) == ("user-123", "chatcmpl")


@pytest.mark.shared_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs ../shared/samples beside the checkout")
def test_every_column_of_the_real_header_is_read() -> None:
    header = (SAMPLES / "activity_export_header.csv").read_text(encoding="utf-8").strip().split(",")
    assert header == (LOGS / "openrouter.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
