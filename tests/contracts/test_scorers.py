"""What every scorer keeps, whichever it is: a new one needs a row in `EXAMPLES` and no new test code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tieraudit.domain import JsonObject, Output, Score
from tieraudit.scorers import SCORERS, Scorer
from tieraudit.scorers.base import Ask, Context


def call(name: str, **arguments: Any) -> JsonObject:
    return {"id": "c", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}


def said(text: str) -> Output:
    return Output(text, finish_reason="stop")


def did(*calls: JsonObject) -> Output:
    return Output(None, calls, finish_reason="tool_calls")


def shorter_wins(system: str, prompt: str) -> str:
    """A judge that is consistent in both orders: it prefers the answer with fewer words, SAME for as many."""
    one, two = (len(prompt.split(f"<<<ANSWER {n} ")[1].split("<<<END", maxsplit=1)[0].split()) for n in ("ONE", "TWO"))
    return "VERDICT: " + ("SAME" if one == two else "ONE" if one < two else "TWO")


@dataclass(frozen=True)
class Example:
    """Pairs of answers to ``request``: those that mean the same and those that do not (reference, answer)."""

    agree: tuple[tuple[Output, Output], ...]
    differ: tuple[tuple[Output, Output], ...]
    request: JsonObject | None = None
    ask: Ask | None = None


EXAMPLES = {
    "label": Example(
        agree=((said("billing"), said("**Billing.**")), (said("card_arrival"), said('{"label": "Card arrival"}'))),
        differ=((said("billing"), said("shipping")), (said("1"), said("-1"))),
    ),
    "short-answer": Example(
        agree=((said("$1,250.00"), said("1250 USD")), (said("2024-03-05"), said("March 5, 2024"))),
        differ=((said("10023847"), said("10023848")), (said("ann@example.org"), said("anne@example.org"))),
    ),
    "json-fields": Example(
        agree=((said('{"a": [1, 2], "b": "X"}'), said('```json\n{"b": "x", "a": [2, 1]}\n```')),),
        differ=((said('{"a": 1}'), said('{"a": 2}')), (said('{"a": 1}'), said("a is 1"))),
    ),
    "tool-calls": Example(
        agree=((did(call("f", x=1), call("g")), did(call("g"), call("f", x=1.0))),),
        differ=((did(call("f", x=1)), did(call("f", x=2))), (did(call("f", x=1)), said("It is 1."))),
    ),
    "judge": Example(
        agree=((said("Light scatters in the air."), said("In the air light scatters.")),),
        differ=((said("Light scatters in the air."), said("It is the sea that is seen in the sky, they say.")),),
        ask=shorter_wins,
    ),
}

each_scorer = pytest.mark.parametrize("scorer", list(SCORERS), ids=lambda scorer: str(scorer.name))


def scored(scorer: Scorer, reference: Output, answer: Output, *, seed: int = 0) -> Score:
    example = EXAMPLES[scorer.name]
    return scorer.score(Context(example.request or {}, reference, answer, ask=example.ask, seed=seed))


def best(scorer: Scorer) -> float:
    """Identical answers: full agreement, or a judge's tie."""
    return 0.0 if scorer.lowest < 0 else 1.0


@each_scorer
def test_it_is_registered_under_its_name_with_examples(scorer: Scorer) -> None:
    assert SCORERS.get(scorer.name) is scorer
    assert scorer.name in EXAMPLES
    assert scorer.version >= 1
    assert scorer.lowest in (0.0, -1.0)


@each_scorer
def test_identical_answers_agree(scorer: Scorer) -> None:
    example = EXAMPLES[scorer.name]
    for output in {id(o): o for pair in example.agree + example.differ for o in pair}.values():
        assert scored(scorer, output, output).value == best(scorer)


@each_scorer
def test_answers_that_mean_the_same_agree_both_ways(scorer: Scorer) -> None:
    for one, other in EXAMPLES[scorer.name].agree:
        assert scored(scorer, one, other).value == best(scorer)
        assert scored(scorer, other, one).value == best(scorer)


@each_scorer
def test_answers_that_differ_score_the_lowest(scorer: Scorer) -> None:
    for reference, answer in EXAMPLES[scorer.name].differ:
        assert scored(scorer, reference, answer).value == scorer.lowest
        if scorer.lowest == 0:
            assert scored(scorer, answer, reference).value == 0.0


@each_scorer
def test_the_same_seed_gives_the_same_score(scorer: Scorer) -> None:
    for one, other in EXAMPLES[scorer.name].agree + EXAMPLES[scorer.name].differ:
        assert scored(scorer, one, other, seed=4) == scored(scorer, one, other, seed=4)


@each_scorer
@pytest.mark.parametrize(
    "answer",
    [
        Output(None),
        Output("  "),
        Output("I'm sorry, but I can't help with that."),
        Output(None, refusal="no"),
        Output("Lig", finish_reason="length"),
    ],
    ids=["nothing", "blank", "refused", "refusal", "cut off"],
)
def test_a_new_failure_scores_the_lowest_whatever_the_scorer(scorer: Scorer, answer: Output) -> None:
    reference = EXAMPLES[scorer.name].agree[0][0]
    assert scored(scorer, reference, answer).value == scorer.lowest


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
hopeless = st.sampled_from(["[" * 3_000, "9" * 6_000, "\x00"])
texts = st.none() | st.text(max_size=30) | json_values.map(json.dumps) | hopeless
arguments = json_values.map(json.dumps) | st.text(max_size=10) | json_values
names = st.sampled_from(["f", "g", ""]) | json_values
functions = st.fixed_dictionaries({}, optional={"name": names, "arguments": arguments})
calls = st.fixed_dictionaries({}, optional={"function": functions | json_values, "type": st.just("function")})
outputs = st.builds(
    Output,
    text=texts,
    tool_calls=st.lists(calls, max_size=3).map(tuple),
    refusal=st.none() | st.text(max_size=5),
    finish_reason=st.none() | st.sampled_from(["stop", "length", "tool_calls", "\n"]),
)
keywords = st.sampled_from(["type", "properties", "required", "items", "enum", "$ref", "default"])
schemas = st.dictionaries(keywords, json_values, max_size=4)
definitions = st.fixed_dictionaries({"name": st.just("f"), "parameters": schemas | json_values})
tools = st.lists(st.fixed_dictionaries({"function": definitions}), max_size=2)
messages = st.lists(st.fixed_dictionaries({"role": json_values, "content": json_values}), max_size=2)
formats = st.fixed_dictionaries({"json_schema": st.fixed_dictionaries({"schema": schemas})})
requests = st.fixed_dictionaries(
    {},
    optional={
        "tools": json_values | tools,
        "messages": json_values | messages,
        "response_format": json_values | formats,
    },
)


@each_scorer
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(request=requests, reference=outputs, answer=outputs)
def test_garbage_is_scored_within_range_or_refused(
    scorer: Scorer, request: JsonObject, reference: Output, answer: Output
) -> None:
    try:
        found = scorer.score(Context(request, reference, answer, ask=shorter_wins))
    except ValueError:
        return
    assert scorer.lowest <= found.value <= 1.0
    assert (found.scorer, found.version) == (scorer.name, scorer.version)
    if scorer.lowest < 0:
        assert found.value in (-1.0, 0.0, 1.0)
