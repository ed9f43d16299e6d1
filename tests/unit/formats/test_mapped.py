"""A mapping.toml reads any log: paths, units, constants; its mistakes are named, and hostile logs do no harm."""

from __future__ import annotations

import json
import pickle
import tomllib
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.domain import Call, ContentState, Feedback, Usage
from tieraudit.errors import ConfigError, Rejected
from tieraudit.formats import FORMATS
from tieraudit.formats.base import FIELDS, Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.mapped import KNOWN, Mapped, starter
from tieraudit.formats.mapping_source import at, opened
from tieraudit.pipeline.call_rows import call_id

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
MESSAGES = [{"role": "system", "content": "Sort it."}, {"role": "user", "content": "Where is my parcel?"}]
HOME_MADE = {
    "ref": 17,
    "when": "2026-10-26T12:00:00Z",
    "took": 0.8,
    "llm": {"name": "gpt-4o-mini", "opts": {"temp": 0, "max": 5}},
    "ask": json.dumps({"chat": MESSAGES}),
    "choices": [{"message": {"content": "delivery"}, "why": "STOP"}],
    "usage.in": 20,
    "usage.out": 5,
    "fee": 0.2,
    "state": "ok",
    "who": "customer-17",
    "extra": "{'desk': 2, 'tags': ('a', None)}",
    "stars": {"helpful": True, "tone": 4, "note": "kind"},
}
HOME_MADE_MAP = """
source_id = "ref"
started_at = ["missing", "when"]
latency_ms = {path = "took", unit = "s"}
provider = {const = "openai"}
request_model = "llm.name"
messages = "ask.chat"
parameters = {temperature = "llm.opts.temp", max_tokens = "llm.opts.max"}
text = "choices.0.message.content"
finish_reason = "choices.-1.why"
input_tokens = "usage.in"
output_tokens = "usage.out"
logged_cost_usd = {path = "fee", unit = "cents"}
error_type = "state"
user_id = "who"
metadata = "extra"
feedback = {helpful = "stars.helpful", tone = "stars.tone", note = "stars.note"}
"""
ALL = "\n".join(f'{key} = ["{key}", "a.{key}", "a.0.{key}"]' for key in KNOWN)


def read(mapping: str, record: dict[str, Any]) -> Call:
    return next(item for item in Mapped.from_text(mapping).calls(record, Where("log", 3)) if isinstance(item, Call))


def minimal(record: dict[str, Any], *lines: str) -> Call:
    return read("\n".join(('started_at = "t"', *lines)), {"t": 1793016000, **record})


def test_a_home_made_log_is_read_whole() -> None:
    call, *given_ = Mapped.from_text(HOME_MADE_MAP).calls(HOME_MADE, Where("log", 3))
    assert isinstance(call, Call)
    assert (call.source_format, call.source_file, call.source_line, call.source_id) == ("mapped", "log", 3, "17")
    assert call.started_at == datetime(2026, 10, 26, 12, tzinfo=UTC)
    assert call.request == {"messages": MESSAGES, "temperature": 0, "max_tokens": 5}
    assert call.response is not None
    assert (call.response.text, call.response.finish_reason) == ("delivery", "stop")
    assert call.content_state is ContentState.FULL
    assert (call.latency_ms, call.logged_cost_usd) == (800, Decimal("0.002"))
    assert (call.usage.input_tokens, call.usage.output_tokens) == (20, 5)
    assert (call.provider, call.request_model, call.user_id) == ("openai", "gpt-4o-mini", "customer-17")
    assert not call.failed
    assert call.metadata == {"desk": 2, "tags": ["a", None]}
    told = [(item.name, item.value, item.label) for item in given_ if isinstance(item, Feedback)]
    assert told == [("helpful", 1, None), ("tone", 4, None), ("note", None, "kind")]


def test_whole_bodies_bring_everything_along() -> None:
    body = {"model": "gpt-5-mini", "messages": MESSAGES, "tools": [{"type": "function", "function": {"name": "f"}}]}
    answer = {
        "id": "chatcmpl-1",
        "model": "gpt-5-mini-2025-08-07",
        "choices": [{"message": {"role": "assistant", "content": "delivery"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    }
    lines = ('request = "q"', 'response = "a"', 'parameters = {seed = "s"}')
    call = minimal({"q": json.dumps(body), "a": answer, "s": 7}, *lines)
    assert call.request == {"messages": MESSAGES, "tools": body["tools"], "seed": 7}
    assert (call.source_id, call.request_model, call.response_model) == (
        "chatcmpl-1", "gpt-5-mini", "gpt-5-mini-2025-08-07",
    )  # fmt: skip
    assert (call.usage.input_tokens, call.usage.total_tokens) == (9, 10)
    failed = minimal({"q": body, "a": {"error": {"code": "overloaded", "message": "later"}}}, *lines)
    assert (failed.error_type, failed.error_message, failed.response) == ("overloaded", "later", None)


def test_anthropic_bodies_are_understood() -> None:
    body = {"model": "claude-haiku-4-5", "max_tokens": 9, "system": "Be brief.", "messages": MESSAGES[1:]}
    answer = {"type": "message", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}
    usage = {"input_tokens": 3, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 0, "output_tokens": 1}
    lines = ('request = "q"', 'response = "a"', 'usage = "u"')
    call = minimal({"q": body, "a": answer, "u": usage}, *lines)
    assert call.request is not None and call.request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (call.usage.input_tokens, call.usage.cache_read_input_tokens) == (43, 40)


def test_a_prompt_may_be_text_and_a_system_prompt_may_stand_apart() -> None:
    call = minimal({"p": "Say hi", "s": "Be brief.", "a": "hi"}, 'messages = "p"', 'system = "s"', 'text = "a"')
    assert call.request == {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hi"}]
    }
    written = minimal({"p": '{"parcel": 7}', "a": '["x"]'}, 'messages = "p"', 'text = "a"')
    assert written.request == {"messages": [{"role": "user", "content": '{"parcel": 7}'}]}
    assert written.response is not None and written.response.text == '["x"]'
    assert written.content_state is ContentState.FULL


def test_tools_and_their_calls_are_read_in_the_words_of_others() -> None:
    record = {
        "p": "Find it",
        "tools": [{"name": "find", "input_schema": {"type": "object"}}],
        "made": [{"id": "c1", "name": "find", "args": {"number": 7}}],
    }
    call = minimal(
        record, 'messages = "p"', 'tools = "tools"', 'tool_calls = "made"', 'finish_reason = {const = "tool_use"}'
    )
    assert call.request is not None and call.request["tools"][0]["function"]["name"] == "find"
    assert call.response is not None and call.response.finish_reason == "tool_calls"
    assert call.response.tool_calls[0]["function"] == {"name": "find", "arguments": '{"number":7}'}
    hosted = minimal({**record, "tools": [{"type": "web_search"}]}, 'messages = "p"', 'tools = "tools"')
    assert hosted.content_state is ContentState.REDACTED


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(2, "s", 2000), (2, "ms", 2), (2000, "us", 2), (2_000_000, "ns", 2), (1, "min", 60_000), ("x", "s", None)],
)
def test_durations_have_units(value: Any, unit: str, expected: float | None) -> None:
    call = minimal({"d": value}, f'latency_ms = {{path = "d", unit = "{unit}"}}')
    assert call.latency_ms == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(2, "usd", "2"), (2, "cents", "0.02"), (2, "millis", "0.002"), ("2", "micros", "0.000002")],
)
def test_money_has_units(value: Any, unit: str, expected: str) -> None:
    call = minimal({"c": value}, f'logged_cost_usd = {{path = "c", unit = "{unit}"}}')
    assert call.logged_cost_usd == Decimal(expected)


@pytest.mark.parametrize(
    ("value", "unit"), [(1793016000, "s"), (1793016000e3, "ms"), (1793016000e9, "ns"), (639286128000000000, "ticks")]
)
def test_moments_have_units(value: Any, unit: str) -> None:
    call = read(f'started_at = {{path = "t", unit = "{unit}"}}', {"t": value})
    assert call.started_at == datetime(2026, 10, 26, 12, tzinfo=UTC)


def test_an_end_gives_the_latency() -> None:
    assert minimal({"e": 1793016001.5}, 'ended_at = "e"').latency_ms == 1500


def test_tokens_that_stand_outside_are_added() -> None:
    lines = (
        'input_tokens = {path = "i", unit = "tokens_without_cached"}',
        'output_tokens = {path = "o", unit = "tokens_without_reasoning"}',
        'cache_read_input_tokens = "c"',
        'reasoning_output_tokens = "r"',
    )
    assert minimal({"i": 10, "o": 5, "c": 100, "r": 50}, *lines).usage == Usage(110, 100, None, 55, 50, None)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("success", None), ("OK", None), (None, None), (False, None), (200, None), ({}, None), ("", None),
        ("timeout", "timeout"), (True, "error"), (429, "http_429"), ("503", "http_503"),
        ({"type": "overloaded", "message": "later"}, "overloaded"), ('{"code": "slow"}', "slow"), (["x"], "error"),
    ],
)  # fmt: skip
def test_an_error_is_told_in_many_ways(value: Any, error: str | None) -> None:
    call = minimal({"e": value, "p": "hi", "a": "ho"}, 'error_type = "e"', 'messages = "p"', 'text = "a"')
    assert call.error_type == error
    assert (call.response is None) == (error is not None)


def test_a_failure_may_be_a_status_or_a_message_alone() -> None:
    assert minimal({"s": 500}, 'http_status = "s"').error_type == "http_500"
    told = minimal({"m": "it broke"}, 'error_message = "m"')
    assert (told.error_type, told.error_message) == ("error", "it broke")


def test_a_path_steps_through_lists_strings_and_keys_with_dots() -> None:
    record = {"a": '[{"b.c": {"d": "{\\"e\\": 1}"}}]'}
    assert at(record, ("a", "0", "b", "c", "d", "e")) == 1
    assert at(record, ("a", "-1", "b", "c", "d")) == '{"e": 1}'
    assert at(record, ("a", "1")) is None and at(record, ("a", "x")) is None
    assert at({"a": {"b": None}, "a.b": 2}, ("a", "b")) == 2
    assert opened("{'a': {1, }, 'b': (None, b'x')}") == {"a": [1], "b": [None, "b'x'"]}
    assert opened("{'a': open}") == "{'a': open}"
    assert opened("[" * 100_000) == "[" * 100_000


def test_a_call_without_time_is_rejected() -> None:
    with pytest.raises(Rejected, match="no start time"):
        read('started_at = "t"', {"t": "soon"})
    assert Mapped.from_text('started_at = "t"').matches({"t": "soon"}) == 0
    assert Mapped.from_text('started_at = "t"').matches({"t": 1793016000}) == 1


@pytest.mark.parametrize(
    ("written", "told", "hint"),
    [
        ('started_at = "t"\nmesages = "m"', "unknown field 'mesages'", "messages"),
        ('started_at = "t"\nbilled = "m"', "unknown field 'billed'", ""),
        ('text = "t"', "started_at is missing", "timestamp"),
        ("started_at = 5", "started_at: neither", "path"),
        ('started_at = ""', "started_at: a path", "first.place"),
        ("started_at = []", "started_at: a path", ""),
        ("started_at = [5]", "started_at: a path", ""),
        ('started_at = {path = "t", unit = "weeks"}', "started_at: unknown unit 'weeks'", "ticks"),
        ('started_at = "t"\nuser_id = {path = "u", unit = "s"}', "user_id: unknown unit", "no unit"),
        ('started_at = "t"\nlatency_ms = {path = "u", const = 1}', "latency_ms: needs one of", "unit"),
        ('started_at = "t"\nlatency_ms = {unit = "s"}', "latency_ms: needs one of", ""),
        ('started_at = "t"\nlatency_ms = {path = "u", scale = 3}', "latency_ms: unknown option 'scale'", "unit"),
        ('started_at = "t"\ntext = {sql = 5}', "text: sql is an expression", "record"),
        ('started_at = "t"\nparameters = {seed = {sql = ""}}', "parameters.seed: sql is an expression", "record"),
        ('started_at = "t"\nparameters = {seed = 5}', "parameters.seed: neither", "const"),
        (f'started_at = "{"a." * 80}b"', "started_at: a path of more than", "shorten"),
        ("started_at", "mapping.toml", "a line is"),
    ],
)
def test_a_mistake_in_the_mapping_is_named_with_the_way_out(written: str, told: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        Mapped.from_text(written)
    assert error.value.message.startswith("mapping.toml: ")
    assert told in error.value.message
    assert hint in error.value.hint and error.value.hint


def test_a_mapping_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HOME_MADE_MAP, encoding="utf-8")
    found = Mapped.from_toml(path)
    assert found.title == "a log as mine.toml describes it"
    assert found.fields["latency_ms"] == "`took` (s)"
    assert found.fields["started_at"] == "`missing`, else `when`"
    assert found.fields["provider"] == "always openai"
    assert set(found.fields) <= set(FIELDS)
    assert pickle.loads(pickle.dumps(found)) == found
    path.write_bytes(b"\xff")
    for broken in (path, tmp_path / "none.toml"):
        with pytest.raises(ConfigError):
            Mapped.from_toml(broken)


def test_a_receipt_says_what_bodies_bring() -> None:
    fields = Mapped.from_text('started_at = "t"\nrequest = "q.body"\nresponse = "a"').fields
    assert fields["messages"] == "`q.body`" and fields["input_tokens"] == "`a`"
    assert "metadata" not in fields


def test_the_starter_of_a_home_made_log_reads_it() -> None:
    record = {
        "request_id": "r-1",
        "ts": 1793016000.25,
        "model": "gpt-4o-mini",
        "prompt": "Say hi",
        "completion": "hi",
        "temperature": 0.5,
        "options": {"max_tokens": 5},
        "promptTokens": 3,
        "completionTokens": 1,
        "elapsed": 0.4,
        "cost_cents": 0.3,
        "session_id": "s-1",
        "note": "secret words",
    }
    written = starter([record])
    call = read(written, record)
    assert call.request == {"messages": [{"role": "user", "content": "Say hi"}], "temperature": 0.5, "max_tokens": 5}
    assert call.response is not None and call.response.text == "hi"
    assert (call.source_id, call.latency_ms, call.logged_cost_usd) == ("r-1", 400, Decimal("0.003"))
    assert (call.usage.input_tokens, call.usage.output_tokens) == (3, 1)
    assert call.conversation_id == "s-1"
    assert "is the unit right?" in written and "# trace_id" in written and "#   note" in written
    assert "secret words" not in written and "Say hi" not in written


@pytest.mark.parametrize(("name", "least"), [("litellm", 4), ("portkey", 5), ("helicone", 4), ("kong", 2)])
def test_the_starter_of_a_known_log_finds_its_content(name: str, least: int) -> None:
    path = next(LOGS.glob(f"{name}.*"))
    records = [row.record for row in read_rows(path) if isinstance(row, Row)]
    mapped, full = Mapped.from_text(starter(records)), 0
    for record in records:
        try:
            full += any(
                isinstance(item, Call) and item.content_state is ContentState.FULL
                for item in mapped.calls(record, Where("log", 1))
            )
        except Rejected:
            continue
    assert full >= least


@pytest.mark.parametrize("name", FORMATS.names())
def test_a_starter_is_always_a_mapping(name: str) -> None:
    for path in LOGS.glob(f"{name}[.@]*"):
        written = starter([row.record for row in read_rows(path) if isinstance(row, Row)])
        assert set(tomllib.loads(written)) <= set(KNOWN)
        if "started_at" in tomllib.loads(written):
            Mapped.from_text(written)


def test_the_starter_of_nothing_is_all_comments() -> None:
    assert tomllib.loads(starter([])) == tomllib.loads(starter([{}])) == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12)
    | st.sampled_from(["{'a': (1,)}", '{"messages": [1]}', '[{"role": "tool"}]', "data: {}", "1793016000", "[" * 9000]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=6) | st.sampled_from(["role", "content", "type", "choices", "messages", "t"]),
                      inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TABLES = 'parameters = {seed = "seed"}\nmetadata = {a = "a"}\nfeedback = {a = "a"}\n'
MAPPINGS = [Mapped.from_text(ALL), Mapped.from_text(HOME_MADE_MAP), Mapped.from_text('started_at = "t"\n' + TABLES)]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), mapped=st.sampled_from(MAPPINGS))
def test_hostile_records_are_read_or_rejected(data: st.DataObject, mapped: Mapped) -> None:
    record = {
        "started_at": 1793016000,
        "when": 1793016000,
        "t": 1793016000,
        "messages": "hi",
        "ask": {"chat": MESSAGES},
    }
    keys = st.sampled_from([*KNOWN, "a", "seed", "ask", "choices", "llm", "extra", "stars"])
    record |= data.draw(st.dictionaries(keys, JSON, max_size=6))
    mapped.matches(record)
    try:
        for item in mapped.calls(record, Where("log", 1)):
            if isinstance(item, Call):
                call_id(item)
                msgspec.json.encode([item.request, item.metadata])
                assert item.response is None or item.request is not None
    except Rejected as reason:
        assert reason.message


@settings(max_examples=80, deadline=None)
@given(
    records=st.lists(st.dictionaries(st.text(max_size=6) | st.sampled_from(list(KNOWN)), JSON, max_size=6), max_size=3)
)
def test_a_starter_of_hostile_records_is_toml(records: list[dict[str, Any]]) -> None:
    written = starter(records)
    assert set(tomllib.loads(written)) <= set(KNOWN)
    written.encode()
    if "started_at" in tomllib.loads(written):
        Mapped.from_text(written)
