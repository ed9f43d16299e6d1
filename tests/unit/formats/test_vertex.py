"""Vertex rows and Gemini bodies: both spellings, thoughts beside the answer, references that only Google can follow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Usage
from tieraudit.formats.base import Where
from tieraudit.formats.fields import started
from tieraudit.formats.gemini_body import fold_gemini, gemini_exchange, gemini_request, gemini_usage, json_schema
from tieraudit.formats.gemini_pairs import GeminiPairs
from tieraudit.formats.vertex import VertexLog

LOG = Path(__file__).resolve().parents[2] / "fixtures" / "logs" / "vertex.jsonl"


def record(line: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(LOG.read_text(encoding="utf-8").splitlines()[line - 1])
    return found


def call_of(line: int, **changes: Any) -> Call:
    (call,) = VertexLog().calls({**record(line), **changes}, Where("log", line))
    return call


def test_every_setting_is_carried_over() -> None:
    call = call_of(1)
    assert call.request == {
        "messages": [
            {"role": "system", "content": "Sort the letter."},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                    {"type": "text", "text": "Which shelf?"},
                ],
            },
        ],
        "temperature": 0, "top_p": 0.9, "top_k": 20, "max_tokens": 99, "stop": ["END"], "seed": 4,
        "reasoning_effort": "medium",
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "schema": {"type": "object", "properties": {"shelf": {"type": "integer"}}},
            },
        },
    }  # fmt: skip
    assert call.response is not None and call.response.text == '{"shelf": 3}'
    assert call.usage == Usage(300, 200, None, 46, 40, 346)
    assert (call.task_hint, call.metadata["desk"]) == ("sort mail", "2")
    assert "safetySettings" in call.metadata
    assert (call.request_model, call.response_model, call.latency_ms) == (
        "gemini-2.5-flash", "gemini-2.5-flash-001", 800.5,
    )  # fmt: skip


def test_function_calls_are_paired_though_they_have_no_ids() -> None:
    call = call_of(2)
    assert call.content_state is ContentState.FULL and call.request is not None
    _, made, result, _ = call.request["messages"]
    assert made["tool_calls"][0]["id"] == result["tool_call_id"]
    assert result["content"] == '{"at":"depot"}'
    assert call.request["tool_choice"] == {"type": "function", "function": {"name": "find_order"}}
    assert call.request["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"type": {"type": ["string", "null"]}},
        "required": ["type"],
    }
    assert call.response is not None and call.response.finish_reason == "tool_calls"


def test_a_stream_is_folded_and_dated_by_the_log() -> None:
    call = call_of(3)
    assert call.stream is True and call.response is not None
    assert (call.response.text, call.response.finish_reason) == ("Good day", "length")
    assert call.started_at == started("2026-10-30T05:02:01.199500Z")


def test_failures_have_their_status() -> None:
    call = call_of(4)
    assert (call.error_type, call.error_message, call.http_status) == ("RESOURCE_EXHAUSTED", "Quota is used up.", 429)
    blocked = call_of(6)
    assert (blocked.error_type, blocked.usage.input_tokens, blocked.response) == ("PROHIBITED_CONTENT", 7, None)


def test_partner_models_keep_their_makers_bodies() -> None:
    call = call_of(5)
    assert (call.usage.input_tokens, call.request_model) == (10, "claude-haiku-4-5")
    assert call.content_state is ContentState.FULL


def test_search_and_files_of_the_provider_are_told() -> None:
    call = call_of(7)
    assert (call.operation, call.content_state) == ("generate_content", ContentState.REDACTED)
    assert call.request is not None
    assert call.request["messages"][0]["content"][0] == {"type": "file", "file": {"file_id": "gs://letters/a.pdf"}}


def test_the_older_columns_hold_text_in_pieces() -> None:
    row = record(1)
    asked, answered = json.dumps(row.pop("full_request")), json.dumps(row.pop("full_response"))
    old = {**row, "request_payload": [asked[:50], asked[50:]], "response_payload": [answered]}
    (call,) = VertexLog().calls(old, Where("log", 1))
    assert call == call_of(1)


def test_both_spellings_say_the_same() -> None:
    snake = {"contents": [], "generation_config": {"max_output_tokens": 3}, "system_instruction": "Be brief."}
    told = {"parts": {"text": "Be brief."}}
    camel = {"contents": [], "generationConfig": {"maxOutputTokens": 3}, "systemInstruction": told}
    assert gemini_request(snake).request == gemini_request(camel).request
    assert gemini_request(snake).request["messages"] == [{"role": "system", "content": "Be brief."}]


def test_a_stored_beginning_is_told() -> None:
    assert not gemini_request({"contents": "hi", "cachedContent": "cachedContents/1"}).complete


def test_a_total_above_the_sum_is_kept_apart() -> None:
    usage = gemini_usage({"promptTokenCount": 5, "candidatesTokenCount": 845, "totalTokenCount": 2023})
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (5, 845, 2023)


def test_chunks_without_candidates_fold_to_their_usage() -> None:
    folded = fold_gemini([{"usageMetadata": {"promptTokenCount": 1}}, "[DONE]"])
    assert gemini_exchange({}, folded).response is None


def test_properties_that_are_called_type_are_no_types() -> None:
    schema = {"type": "OBJECT", "properties": {"type": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["A"]}}}}
    assert json_schema(schema)["properties"]["type"] == {"type": "array", "items": {"type": "string", "enum": ["A"]}}


@pytest.mark.shared_data
def test_the_published_row_is_read(shared: Path) -> None:
    source = shared / "samples" / "vertex" / "request_response_row.json"
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    (call,) = VertexLog().calls(json.loads(source.read_text(encoding="utf-8")), Where("log", 1))
    assert call.content_state is ContentState.FULL
    assert call.usage == Usage(3, None, None, 930, 901, 933)
    assert (call.latency_ms, call.source_id) == (11225.994, "5374205265901353984")
    assert call.started_at == started("2025-09-08T21:04:11.034753Z")
    assert call.request == {
        "messages": [{"role": "user", "content": "Hello world!"}],
        "max_tokens": 8192,
        "temperature": 0,
    }
    assert call.response is not None and str(call.response.text).startswith("Hello there! The classic programmer's")
    assert (call.response.finish_reason, call.request_model, call.response_model) == (
        "stop", "gemini-2.5-pro", "gemini-2.5-pro",
    )  # fmt: skip


def pair(line: int) -> Call:
    rows = (LOG.parent / "gemini-pairs.jsonl").read_text(encoding="utf-8").splitlines()
    (call,) = GeminiPairs().calls(json.loads(rows[line - 1]), Where("log", line))
    return call


def test_pairs_name_their_model_in_the_body_or_the_address() -> None:
    assert [pair(line).request_model for line in (1, 2, 3, 4)] == ["gemini-2.5-flash"] * 3 + [None]
    assert pair(1).usage == Usage(10, 4, None, 23, 20, 33)


def test_a_streamed_pair_is_folded() -> None:
    call = pair(3)
    assert call.stream is True and call.response is not None
    assert (call.response.text, call.response.finish_reason, call.provider) == ("Good day", "length", "google")


def test_a_batch_prediction_has_the_time_of_its_processing() -> None:
    call = pair(4)
    assert (call.started_at, call.task_hint) == (started("2026-11-04T09:00:00Z"), "drinks")
    assert call.tags == ("batch",) and call.metadata["batch"] is True
    assert (pair(5).error_type, pair(5).http_status) == ("UNAVAILABLE", 503)
