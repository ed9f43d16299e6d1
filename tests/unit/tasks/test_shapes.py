"""The shape of answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.tasks.shapes import Answer, labels_of, normalise, parse_json, read_answer, same_labels, shape_of


def answers(texts: list[str]) -> list[Answer]:
    return [answer for text in texts if (answer := read_answer({"text": text})) is not None]


LONG = "The customer asks for a refund because the kettle came late and was broken when the box was opened at home."


@pytest.mark.parametrize(
    ("texts", "shape"),
    [
        (["Positive", "negative.", '"neutral"', "POSITIVE"] * 10, "label"),
        ([f"class {number}" for number in range(77)] * 30, "label"),
        ([f"ORD-{number}" for number in range(40)], "short"),
        ([str(10_000 + 7 * number) for number in range(40)], "short"),
        ([f"{number / 7:.2f} EUR" for number in range(40)], "number"),
        ([f'{{"x": {number}}}' for number in range(40)], "json"),
        (['{"label": "a"}', '{"label": "b"}'] * 20, "json"),
        ([f"```json\n[{number}]\n```" for number in range(40)], "json"),
        ([f"```python\nx = {number}\n```" for number in range(40)], "code"),
        ([f"{LONG} {number}" for number in range(40)], "text"),
        ([], "text"),
    ],
)
def test_shapes(texts: list[str], shape: str) -> None:
    assert shape_of(answers(texts)) == shape


def test_tool_calls_are_a_shape_even_when_some_answers_are_text() -> None:
    calls = [Answer("", 0, is_tool_call=True)] * 6
    assert shape_of([*calls, *answers([LONG] * 4)]) == "tool_calls"


def test_few_answers_that_all_differ_are_no_labels() -> None:
    assert labels_of(answers(["a", "b", "c", "d", "e", "f", "g", "h"])) == []
    assert labels_of(answers(["a", "b", "a", "a", "b", "a", "b", "a"])) == ["a", "b"]


def test_an_empty_answer_and_a_refusal_have_no_shape() -> None:
    assert read_answer({"text": "  "}) is None
    assert read_answer({"text": None, "refusal": "no"}) is None


def test_label_sets_are_the_same_when_the_smaller_one_is_half_shared() -> None:
    assert same_labels(["yes", "no"], ["yes", "no", "maybe"])
    assert not same_labels(["spam", "ham"], ["now", "later"])
    assert same_labels([], ["now"])


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.dictionaries(st.sampled_from(["text", "tool_calls", "refusal"]), st.none() | st.text() | st.lists(st.none())))
def test_no_response_raises(response: dict[str, Any]) -> None:
    read_answer(response)


def test_json_that_nests_too_deep_is_not_json() -> None:
    assert parse_json("[" * 200_000) is None
