"""Every log format knows its own records, counts every row and makes canonical calls; a new one needs no code here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.domain import BilledUsage, Call, ContentState, Feedback, Output, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats import FORMATS
from tieraudit.formats.base import FIELDS, Fragment, Item, Joining, Where
from tieraudit.formats.detect import detect
from tieraudit.formats.framing import Row, read_rows
from tieraudit.pipeline.call_rows import call_id

LOGS = Path(__file__).resolve().parents[1] / "fixtures" / "logs"
NAMES = FORMATS.names()
MAX = 60
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def fixtures_of(name: str) -> list[Path]:
    """``NAME.*``, and ``NAME@VARIANT.*`` for the other shapes that the export comes in."""
    found = sorted([*LOGS.glob(f"{name}.*"), *LOGS.glob(f"{name}@*.*")])
    assert found, f"a fixture tests/fixtures/logs/{name}.* is needed"
    return found


@cache
def records(name: str) -> list[dict[str, Any]]:
    rows = [row for path in fixtures_of(name) for row in read_rows(path)]
    assert all(isinstance(row, Row) for row in rows)
    return [row.record for row in rows if isinstance(row, Row)]


def items(name: str, file: str = "log") -> Iterator[Item]:
    """What the fixture's records hold; fragments are joined, and given as well."""
    found = FORMATS.get(name)
    fragments: dict[str, list[Fragment]] = {}
    for line, record in enumerate(records(name), start=1):
        try:
            for item in found.calls(record, Where(file, line, beside)):
                if isinstance(item, Fragment):
                    fragments.setdefault(item.key, []).append(item)
                yield item
        except Rejected as reason:
            yield Quarantined(file, line, reason.message)
    for parts in fragments.values():
        assert isinstance(found, Joining)
        yield from found.join(parts)


def beside(name: str) -> Any:
    """Side files of a fixture stand in tests/fixtures/logs/beside/."""
    path = LOGS / "beside" / Path(name).name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def line_of(item: Item) -> int:
    return item.where.line if isinstance(item, Fragment) else item.source_line


def calls(name: str) -> list[Call]:
    return [item for item in items(name) if isinstance(item, Call)]


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_name_and_a_title(name: str) -> None:
    found = FORMATS.get(name)
    assert found.name == name
    assert 5 < len(found.title) < 90


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_its_own_records_and_no_others(name: str) -> None:
    for other in NAMES:
        for record in records(other):
            sureness = FORMATS.get(name).matches(record)
            assert (sureness > 0.5) if other == name else (sureness < 0.5), (other, record)


@pytest.mark.parametrize("name", NAMES)
def test_its_fixture_is_detected_by_content(name: str) -> None:
    for path in fixtures_of(name):
        rows = [row.record for row in read_rows(path) if isinstance(row, Row)]
        assert detect(rows, "log").name == name, path.name


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_accounted_for(name: str) -> None:
    lines = {line_of(item) for item in items(name)}
    assert lines == set(range(1, len(records(name)) + 1))
    told = [item for item in items(name) if isinstance(item, Call | Feedback | BilledUsage)]
    assert len(told) >= 3, "the fixture shows too little"


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_is_no_call_says_why_in_words_without_values(name: str) -> None:
    for item in items(name):
        if isinstance(item, Quarantined):
            assert 5 < len(item.reason) < 80
            assert not any(character.isdigit() for character in item.reason)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_says_where_it_comes_from(name: str) -> None:
    for call in calls(name):
        assert call.source_format == name
        assert call.source_file == "log"
        assert call.operation


def fields_of(call: Call) -> set[str]:
    """The canonical fields that one call has a value for."""
    request, usage = dict(call.request or {}), call.usage
    found = {name for name in ("messages", "tools", "tool_choice", "response_format") if request.pop(name, None)}
    if request:
        found.add("parameters")
    for part in (call, usage, *([call.response] if call.response else [])):
        found |= {name for name in FIELDS if getattr(part, name, None) not in (None, (), {}, False)}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_fidelity_receipt_says_what_the_fixture_shows(name: str) -> None:
    """What a call has a value for is declared, and what is declared has a value in some call of the fixture."""
    declared = set(FORMATS.get(name).fields)
    assert declared <= set(FIELDS)
    shown = set().union(*(fields_of(call) for call in calls(name)))
    shown |= {"feedback" for item in items(name) if isinstance(item, Feedback)}
    shown |= {"billed" for item in items(name) if isinstance(item, BilledUsage)}
    assert shown <= declared, f"not declared: {sorted(shown - declared)}"
    assert declared <= shown, f"declared, and in no call of the fixture: {sorted(declared - shown)}"


@pytest.mark.parametrize("name", NAMES)
def test_times_are_utc(name: str) -> None:
    assert all(call.started_at.utcoffset() == timedelta(0) for call in calls(name))


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_stable_and_do_not_depend_on_the_file(name: str) -> None:
    first = [call_id(call) for call in calls(name)]
    again = [call_id(item) for item in items(name, "elsewhere.gz") if isinstance(item, Call)]
    assert first == again
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("name", NAMES)
def test_a_request_is_a_body_without_model_and_transport(name: str) -> None:
    for call in calls(name):
        if call.request is None:
            continue
        assert not {"model", "stream", "stream_options", "metadata", "user", "functions"} & set(call.request)
        assert None not in call.request.values()
        assert call.request["messages"]
        for message in call.request["messages"]:
            assert message["role"] in ("system", "developer", "user", "assistant", "tool")
            assert None not in message.values()
        for tool in call.request.get("tools", []):
            assert tool["type"] == "function"
            assert tool["function"]["name"]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_call_can_be_sent_again(name: str) -> None:
    full = [call for call in calls(name) if call.content_state is ContentState.FULL]
    assert bool(full) == ("messages" in FORMATS.get(name).fields)
    for call in full:
        assert call.request is not None
        assert call.response is not None and not call.response.empty
        announced: set[str] = set()
        for message in call.request["messages"]:
            if message["role"] == "tool":
                assert message["tool_call_id"] in announced
            announced |= {made["id"] for made in message.get("tool_calls", [])}


@pytest.mark.parametrize("name", NAMES)
def test_content_survives_json(name: str) -> None:
    for call in calls(name):
        assert msgspec.json.decode(msgspec.json.encode(call.request)) == call.request
        assert msgspec.json.decode(msgspec.json.encode(call.metadata)) == call.metadata
        if call.response is not None:
            assert Output.from_json(json.loads(json.dumps(call.response.to_json()))) == call.response
            for made in call.response.tool_calls:
                assert isinstance(json.loads(made["function"]["arguments"]), dict)


@pytest.mark.parametrize("name", NAMES)
def test_tokens_include_cached_and_reasoning_ones(name: str) -> None:
    for call in calls(name):
        usage = call.usage
        apart = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        assert apart <= (usage.input_tokens or 0)
        assert (usage.reasoning_output_tokens or 0) <= (usage.output_tokens or 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_failed_call_has_no_answer(name: str) -> None:
    failed = [call for call in calls(name) if call.failed]
    assert bool(failed) == ("error_type" in FORMATS.get(name).fields)
    assert all(call.response is None and call.content_state is not ContentState.FULL for call in failed)


@pytest.mark.parametrize("name", NAMES)
def test_another_formats_record_is_rejected(name: str) -> None:
    with pytest.raises(Rejected):
        list(FORMATS.get(name).calls({"hello": "world"}, Where("log", 1)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=MAX, deadline=None)
@given(data=st.data())
def test_hostile_values_anywhere_are_read_or_rejected(name: str, data: st.DataObject) -> None:
    record = json.loads(json.dumps(data.draw(st.sampled_from(records(name)))))
    for _ in range(data.draw(st.integers(1, 3))):
        at: Any = record
        for _ in range(data.draw(st.integers(0, 5))):
            inner = list(at) if isinstance(at, dict) else list(range(len(at)))
            step = data.draw(st.sampled_from(inner)) if inner else None
            if step is None or not isinstance(at[step], dict | list) or not at[step]:
                break
            at = at[step]
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if keys:
            at[data.draw(st.sampled_from(keys))] = data.draw(JSON)
    found = FORMATS.get(name)
    found.matches(record)
    try:
        read = list(found.calls(record, Where("log", 1)))
        parts = [item for item in read if isinstance(item, Fragment)]
        if parts and isinstance(found, Joining):
            read += found.join(parts)
        for item in read:
            if isinstance(item, Call):
                call_id(item)
                assert item.started_at.tzinfo is not None
                msgspec.json.encode([item.request, item.metadata])
    except Rejected as reason:
        assert reason.message
