"""The typed decoder gives the very call that the adapter gives, or leaves the record to it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.domain import Call
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.litellm_payload import LiteLLMPayload

ROOT = Path(__file__).resolve().parents[3]
FORMAT = LiteLLMPayload()
PLAIN: dict[str, Any] = {
    "id": "chatcmpl-1", "litellm_call_id": "c-1", "trace_id": "t-1", "session_id": "", "call_type": "acompletion",
    "cache_hit": None, "stream": None, "status": "success", "custom_llm_provider": "openai",
    "startTime": 1793254128.269, "endTime": 1793254129.02, "completionStartTime": 1793254128.9, "model": "gpt-5.1",
    "model_group": "clever", "response_cost": 0.0005625, "prompt_tokens": 130, "completion_tokens": 40,
    "total_tokens": 170, "request_tags": ["shop", "User-Agent: x", "shop"], "end_user": "customer-17",
    "metadata": {
        "spend_logs_metadata": {"task": "sort mail"}, "requester_metadata": {},
        "usage_object": {"prompt_tokens_details": {"cached_tokens": 7}, "completion_tokens_details": None},
    },
    "messages": [{"role": "system", "content": "Sort."}, {"role": "user", "content": "My bill «ä»\n\"x\""}],
    "response": {
        "id": "chatcmpl-x", "model": "gpt-5.1-2025-11-13",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "billing"}}],
        "usage": {"completion_tokens_details": {"reasoning_tokens": 12}, "cache_creation_input_tokens": 3},
    },
    "model_parameters": {"temperature": 0, "stream": False, "tools": [], "user": "u-1", "seed": None, "litellm_x": 1},
    "hidden_params": {"litellm_model_name": "gpt-5.1"},
}  # fmt: skip
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**62), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=6), st.just([]), st.just({}), st.just(""), st.just("None"), st.just([{"role": "user"}]),
    st.sampled_from(["redacted-by-litellm", "litellm-internal-health-check", "failure", "aresponses", "tool", " x "]),
)  # fmt: skip


def slow(record: dict[str, Any]) -> Call | None:
    try:
        (call,) = FORMAT.calls(record, Where("log", 1))
    except Rejected:
        return None
    return call


def quick(record: dict[str, Any]) -> Call | None:
    return FORMAT.quick(msgspec.json.encode(record), Where("log", 1))


def test_a_plain_record_takes_the_short_way() -> None:
    call = quick(PLAIN)
    assert call is not None
    assert call == slow(PLAIN)
    assert (call.usage.cache_read_input_tokens, call.usage.cache_creation_input_tokens) == (7, 3)
    assert (call.usage.reasoning_output_tokens, call.tags, call.task_hint) == (12, ("shop",), "sort mail")
    assert call.request == {"messages": PLAIN["messages"], "temperature": 0}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "failure"},
        {"call_type": "aembedding"},
        {"messages": "redacted-by-litellm"},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        {"messages": [{"role": "tool", "tool_call_id": "x", "content": "1"}]},
        {"messages": []},
        {"model_group": "litellm-internal-health-check"},
        {"response": {"choices": [{"message": {"content": None, "tool_calls": [{"id": "a"}]}}]}},
        {"startTime": "2026-11-01T08:00:00Z"},
        {"model_parameters": {"functions": [{"name": "f"}]}},
    ],
    ids=lambda change: next(iter(change)) if isinstance(change, dict) else str(change),
)
def test_what_is_not_plain_is_left_to_the_adapter(change: dict[str, Any]) -> None:
    assert quick({**PLAIN, **change}) is None


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def changed(record: dict[str, Any], path: tuple[Any, ...], value: Any, *, drop: bool) -> None:
    """``record`` with another value at ``path``, or without one; as it was where the path no longer leads."""
    at: Any = record
    try:
        for key in path[:-1]:
            at = at[key]
        if drop and isinstance(at, dict):
            at.pop(path[-1], None)
        else:
            at[path[-1]] = json.loads(json.dumps(value))
    except (KeyError, IndexError, TypeError):
        return


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(places(PLAIN)[1:]), ODD, st.booleans()), min_size=1, max_size=3))
def test_whatever_stands_anywhere_the_two_agree(changes: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    record = json.loads(json.dumps(PLAIN))
    for path, value, drop in changes:
        changed(record, path, value, drop=drop)
    call = quick(record)
    if call is not None:
        assert call == slow(record)


def test_the_sample_logs_agree_and_nearly_all_are_plain() -> None:
    lines = gzip.decompress((ROOT / "sample_logs" / "litellm-gateway.jsonl.gz").read_bytes()).splitlines()
    taken = 0
    for line in lines:
        call = FORMAT.quick(line, Where("log", 1))
        taken += call is not None
        assert call is None or call == slow(json.loads(line))
    assert taken > 0.95 * len(lines)


def test_the_fixture_agrees() -> None:
    for path in sorted((ROOT / "tests" / "fixtures" / "logs").glob("litellm*.jsonl")):
        for line in path.read_bytes().splitlines():
            call = FORMAT.quick(line, Where("log", 1))
            assert call is None or call == slow(json.loads(line))
