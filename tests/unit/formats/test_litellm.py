"""LiteLLM's two exports: the same call under the same id, and what each says of content, cost and failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState
from tieraudit.errors import Rejected
from tieraudit.formats.base import Format, Where
from tieraudit.formats.litellm_payload import LiteLLMPayload
from tieraudit.formats.litellm_spend import LiteLLMSpendLogs
from tieraudit.pipeline.call_rows import call_id

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
READERS: dict[str, Format] = {"litellm": LiteLLMPayload(), "litellm-spend": LiteLLMSpendLogs()}


def record(name: str, line: int, **changes: Any) -> dict[str, Any]:
    found = json.loads((LOGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[line - 1])
    return {**found, **changes}


def call_of(name: str, line: int, **changes: Any) -> Call:
    (call,) = READERS[name].calls(record(name, line, **changes), Where("log", line))
    assert isinstance(call, Call)
    return call


def test_a_call_has_one_id_in_both_exports() -> None:
    assert call_id(call_of("litellm", 1)) == call_id(call_of("litellm-spend", 1))


def test_the_request_carries_every_parameter_and_nothing_of_the_gateway() -> None:
    call = call_of("litellm", 1)
    assert call.request is not None
    assert set(call.request) == {"messages", "temperature", "max_tokens", "seed"}
    assert call.user_id == "customer-17"
    assert call.tags == ("shop",)
    assert call.task_hint == "sort mail"
    assert call.metadata == {
        "task": "sort mail",
        "team": "service",
        "model_group": "quick",
        "litellm_call_id": "call-a1",
    }


def test_a_stream_has_a_time_to_its_first_token() -> None:
    call = call_of("litellm", 4)
    assert call.stream is True
    assert call.latency_ms == pytest.approx(1500)
    assert call.time_to_first_token_ms == pytest.approx(200)
    assert call_of("litellm", 1).time_to_first_token_ms is None


def test_zero_tokens_with_an_answer_mean_unknown() -> None:
    assert call_of("litellm", 4).usage.input_tokens is None


def test_cached_tokens_are_read_from_the_answers_usage() -> None:
    usage = call_of("litellm", 3).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens) == (3000, 2048)


def test_a_failure_keeps_its_class_message_and_status() -> None:
    for name, line, told in (("litellm", 5, ("RateLimitError", "slow down", 429)),
                             ("litellm-spend", 4, ("BadRequestError", "no such thing", 400))):  # fmt: skip
        call = call_of(name, line)
        assert (call.error_type, call.error_message, call.http_status) == told
        assert call.response is None


def test_masked_content_is_redacted_and_not_stored() -> None:
    call = call_of("litellm", 8)
    assert call.content_state is ContentState.REDACTED
    assert call.request is None and call.response is None
    listed = call_of("litellm", 1, messages=[{"role": "user", "content": "redacted-by-litellm"}])
    assert listed.content_state is ContentState.REDACTED


def test_a_prompt_that_the_database_cut_is_not_replayed() -> None:
    assert call_of("litellm-spend", 3).content_state is ContentState.REDACTED


def test_spend_logs_without_stored_prompts_have_no_content() -> None:
    call = call_of("litellm-spend", 1)
    assert (call.content_state, call.request) == (ContentState.ABSENT, None)


def test_spend_logs_with_stored_prompts_are_full() -> None:
    call = call_of("litellm-spend", 2)
    assert call.content_state is ContentState.FULL
    assert call.request is not None
    assert set(call.request) == {"messages", "temperature", "max_tokens"}
    assert call.response is not None and call.response.text == "billing"
    assert call.time_to_first_token_ms == pytest.approx(400)


@pytest.mark.parametrize(
    ("written", "hit"), [(True, True), ("True", True), ("None", False), ("", False), (None, False)]
)
def test_a_cache_hit_is_written_in_five_ways(written: Any, hit: bool) -> None:
    assert call_of("litellm", 1, cache_hit=written).cache_hit is hit


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("completion", "chat"),
        ("acompletion", "chat"),
        ("aembedding", "embeddings"),
        ("atext_completion", "text_completion"),
        ("arerank", "rerank"),
        ("pass_through_endpoint", "pass_through_endpoint"),
        ("anthropic_messages", "anthropic_messages"),
    ],
)
def test_every_kind_of_call_keeps_its_name(kind: str, operation: str) -> None:
    call = call_of("litellm", 1, call_type=kind)
    assert call.operation == operation
    assert (call.request is None) == (operation not in ("chat", "text_completion"))


def test_a_responses_call_through_litellm_becomes_a_chat() -> None:
    call = call_of(
        "litellm",
        1,
        call_type="aresponses",
        messages=[{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        model_parameters={"instructions": "Be brief.", "max_output_tokens": 9},
        response={
            "object": "response",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "ok"}]}],
        },
    )
    assert call.operation == "chat"
    assert call.request == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "max_completion_tokens": 9,
    }
    assert call.response is not None and call.response.text == "ok"


def test_the_proxys_health_checks_are_no_calls() -> None:
    with pytest.raises(Rejected, match="health check"):
        call_of("litellm", 7)
