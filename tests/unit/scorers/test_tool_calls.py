"""Tool calls: BFCL's rule, on OpenAI's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tieraudit.domain import Output, Score
from tieraudit.scorers.base import Context
from tieraudit.scorers.tool_calls import ToolCallsScorer

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "days": {"type": "integer", "default": 1},
                    "units": {"type": "string", "enum": ["metric", "imperial"], "default": "metric"},
                    "spots": {"type": "array", "items": {"type": "number"}},
                    "where": {"type": "object", "properties": {"zip": {"type": "string", "default": "0"}}},
                },
                "required": ["city"],
            },
        },
    },
    {"function": {"name": "mail", "parameters": {"type": "dict", "properties": {"amount": {"type": "float"}}}}},
]


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"id": "x", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def scored(one: list[dict[str, Any]], other: list[dict[str, Any]], tools: Any = TOOLS) -> Score:
    request = {"tools": tools} if tools is not None else {}
    return ToolCallsScorer().score(Context(request, Output(None, tuple(one)), Output(None, tuple(other))))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([call("weather", city="Paris")], [call("weather", city="paris ")]),
        ([call("weather", city="San Francisco, CA")], [call("weather", city="San Francisco,CA")]),
        ([call("weather", city="Paris")], [call("weather", city="Paris", days=1, units="metric")]),
        ([call("weather", city="Paris", days=2)], [call("weather", days=2.0, city="Paris")]),
        ([call("weather", city="Paris", where={})], [call("weather", city="Paris", where={"zip": "0"})]),
        ([call("mail", amount=3.14159)], [call("mail", amount=3.1416)]),
        ([call("weather", city="A"), call("mail")], [call("mail"), call("weather", city="A")]),
    ],
)
def test_the_same_action_agrees(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert scored(one, other).value == 1.0
    assert scored(other, one).value == 1.0


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([call("mail")], "instead of"),
        ([call("weather")], "missing"),
        ([call("weather", city="Paris", mood="x")], "invented argument 'mood'"),
        ([call("weather", city=75)], "wrong type"),
        ([call("weather", city="Paris", days="2")], "wrong type"),
        ([call("weather", city="Paris", units="kelvin")], "wrong type"),
        ([call("weather", city="Rome")], "0 of 1"),
        ([call("weather", city="Paris", days=2)], "0 of 1"),
        ([call("weather", city="Paris"), call("weather", city="Paris")], "instead of"),
        ([{"type": "function", "function": {"name": "weather", "arguments": "{city: Paris}"}}], "no JSON object"),
        ([{"type": "function", "function": {"name": "weather", "arguments": "[1]"}}], "no JSON object"),
        ([{}], "instead of"),
    ],
)
def test_another_action_does_not(answer: list[dict[str, Any]], why: str) -> None:
    found = scored([call("weather", city="Paris")], answer)
    assert found.value == 0.0
    assert why in found.detail


@pytest.mark.parametrize(("one", "other"), [("ORD-12", "ORD12"), ("1.5", "15"), ("10:30", "1030"), ("A1", "A2")])
def test_punctuation_between_digits_counts(one: str, other: str) -> None:
    assert scored([call("weather", city=one)], [call("weather", city=other)]).value == 0.0


def test_lists_are_ordered_and_parallel_calls_are_not() -> None:
    one = [call("weather", city="P", spots=[1, 2])]
    assert scored(one, [call("weather", city="P", spots=[1.0, 2.0])]).value == 1.0
    assert scored(one, [call("weather", city="P", spots=[2, 1])]).value == 0.0


def test_every_parallel_call_needs_a_partner_of_its_own() -> None:
    one = [call("weather", city="A"), call("weather", city="A"), call("weather", city="B")]
    assert scored(one, [call("weather", city="B"), call("weather", city="A"), call("weather", city="A")]).value == 1.0
    assert scored(one, [call("weather", city="A"), call("weather", city="B"), call("weather", city="B")]).value == 0.0


def test_without_calls_it_is_the_decision_not_to_call_that_agrees() -> None:
    scorer = ToolCallsScorer()
    text, other = Output("It is sunny."), Output("Sunny today!")
    assert scorer.score(Context({}, text, other)).value == 1.0
    assert scorer.score(Context({}, text, Output(None, (call("weather", city="P"),)))).value == 0.0
    assert scorer.score(Context({}, Output(None, (call("weather", city="P"),)), text)).value == 0.0


def test_what_the_incumbent_breaks_too_is_not_held_against_the_answer() -> None:
    broken = [call("weather", town="Paris")]
    assert scored(broken, [call("weather", town="paris")]).value == 1.0


UNUSABLE = [{"function": {"name": "weather", "parameters": {"type": 7}}}]


@pytest.mark.parametrize("tools", [None, [], "x", [1], [{"function": {"name": "weather"}}], UNUSABLE])
def test_without_usable_definitions_the_calls_are_still_compared(tools: Any) -> None:
    assert scored([call("weather", city="Paris")], [call("weather", city="paris")], tools).value == 1.0
    assert scored([call("weather", city="Paris")], [call("weather", city="Rome")], tools).value == 0.0
