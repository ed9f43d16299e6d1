"""JSON answers: field agreement over the union of leaf paths, zero where the answer breaks format or schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.domain import Output, Score
from tieraudit.scorers.base import Context
from tieraudit.scorers.json_fields import JsonFieldsScorer, fields_equal, valid

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["name", "people"],
    "additionalProperties": False,
}
REQUEST = {"response_format": {"type": "json_schema", "json_schema": {"name": "booking", "schema": SCHEMA}}}


def scored(one: str, other: str, request: dict[str, Any] | None = None) -> Score:
    return JsonFieldsScorer().score(Context(request or {}, Output(one), Output(other)))


@pytest.mark.parametrize(
    ("one", "other", "equal", "fields"),
    [
        ({"a": 1, "b": "X"}, {"b": " x ", "a": 1.0}, 2, 2),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, 1, 2),
        ({"a": 1}, {"a": 1, "b": 2}, 1, 2),
        ({"a": 1}, {"b": 1}, 0, 2),
        ({"a": {"b": 1, "c": [1, 2]}}, {"a": {"b": 1, "c": [2, 1]}}, 3, 3),
        ([1, 2, 3], [3, 1], 2, 3),
        ([1, 1], [1], 1, 2),
        (
            [{"sku": "A", "n": 1}, {"sku": "B", "n": 2}],
            [{"sku": "B", "n": 2}, {"sku": "A", "n": 3}],
            3,
            4,
        ),
        ({"total": 19.99}, {"total": 19.9901}, 1, 1),
        ({"id": 10023847}, {"id": 10023848}, 0, 1),
        ({"a": "42"}, {"a": 42}, 0, 1),
        ({"a": True}, {"a": 1}, 0, 1),
        ({"a": None}, {"a": None}, 1, 1),
        ({"a": None}, {}, 0, 1),
        ({"a": []}, {"a": []}, 1, 1),
        ({"a": []}, {"a": {}}, 0, 1),
        ({"a": [1, 2]}, {"a": 1}, 0, 2),
        ({}, {}, 1, 1),
        ("Ａ b", "a  B", 1, 1),
    ],
)
def test_fields_are_counted_over_both_answers(one: Any, other: Any, equal: int, fields: int) -> None:
    assert fields_equal(one, other) == (equal, fields)
    assert fields_equal(other, one) == (equal, fields)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["a", "B", "b "]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(json_values, json_values)
def test_agreement_is_symmetric_within_bounds_and_complete_with_itself(one: Any, other: Any) -> None:
    equal, fields = fields_equal(one, other)
    assert 0 <= equal <= fields
    assert fields >= 1
    assert fields_equal(other, one) == (equal, fields)
    mine, all_mine = fields_equal(one, one)
    assert mine == all_mine


def test_the_strict_rate_is_in_the_detail() -> None:
    assert scored('{"a": 1, "b": 2}', '{"a": 1, "b": 3}').detail == "1 of 2 fields equal; strict=0"
    assert scored('{"a": 1, "b": 2}', '{"b": 2, "a": 1}').detail == "2 of 2 fields equal; strict=1"


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", " {} \n"])
def test_a_code_fence_is_no_difference(fence: str) -> None:
    assert scored('{"a": 1}', fence.replace("{}", '{"a": 1}')).value == 1.0


@pytest.mark.parametrize("answer", ['Here you are: {"a": 1}', '{"a": 1', "{'a': 1}", "NaN", '{"a": NaN}', "[" * 5_000])
def test_an_answer_that_is_no_json_scores_nothing(answer: str) -> None:
    assert scored('{"a": 1}', answer).value == 0.0


def test_an_answer_that_newly_breaks_the_schema_scores_nothing() -> None:
    good = '{"name": "Lee", "people": 4}'
    assert scored(good, '{"people": 4, "name": "lee"}', REQUEST).value == 1.0
    assert scored(good, '{"name": "Lee", "people": "4"}', REQUEST).value == 0.0
    assert scored(good, '{"name": "Lee", "people": 4, "note": "x"}', REQUEST).value == 0.0
    assert scored('{"name": "Lee"}', '{"name": "lee"}', REQUEST).value == 1.0


def test_a_log_answer_that_is_no_json_agrees_only_with_its_like() -> None:
    assert scored("I could not find any.", "I could  not find any.").value == 1.0
    assert scored("I could not find any.", '{"a": 1}').value == 0.0


def test_a_schema_that_is_none_or_points_elsewhere_is_not_used() -> None:
    assert valid({"type": "nonsense"}, 1)
    assert valid({"$ref": "http://127.0.0.1:9/schema.json"}, 1)
    assert valid({"$ref": "file:///etc/passwd"}, 1)
    assert not valid({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, "x")


def test_long_arrays_are_compared_in_time() -> None:
    rows = [{"id": i, "name": f"n{i}"} for i in range(3_000)]
    other = [{"id": i, "name": f"n{i}"} for i in reversed(range(3_000))]
    other[0]["name"] = "other"
    assert scored(json.dumps(rows), json.dumps(other)).value == pytest.approx(1 - 1 / 6_000)


def test_no_text_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no text"):
        JsonFieldsScorer().score(Context({}, Output(None, refusal="no"), Output('{"a": 1}')))
