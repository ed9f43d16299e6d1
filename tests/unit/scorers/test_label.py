"""Labels: dressed answers mean the same label, and no two labels become one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.domain import Output
from tieraudit.scorers.base import Context
from tieraudit.scorers.label import LabelScorer, normalise


@pytest.mark.parametrize(
    "text",
    [
        "billing",
        " Billing ",
        "BILLING.",
        '"billing"',
        "`billing`",
        "**Billing**",
        "“billing”",
        "- billing",
        "## Billing",
        "Category: billing",
        "**Category:** Billing",
        "The category is billing.",
        "Final answer: billing",
        "label = billing",
        '{"category": "billing"}',
        '```json\n{"label": "Billing"}\n```',
        "```\nbilling\n```",
        "ｂｉｌｌｉｎｇ",
        "(billing)",
        "Answer:\n\nbilling\n",
    ],
)
def test_a_dressed_label_is_the_label(text: str) -> None:
    assert normalise(text) == "billing"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-1", "1"),
        ("+", "-"),
        ("C", "C++"),
        ("C", "C#"),
        ("NET", ".NET"),
        ("billing", "not billing"),
        ("billing", "billing, shipping"),
        ("billing", "The category might be billing"),
        ("yes", "no"),
        ('{"label": "a"}', '{"label": "b"}'),
        ('{"label": "a", "reason": "b"}', "a"),
        ("order 12", "order 21"),
        ("0", "0.5"),
        ("", "billing"),
        ("true", "false"),
    ],
)
def test_different_labels_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize(("one", "other"), [("card_arrival", "Card arrival"), ("card-arrival", "card_arrival")])
def test_separators_between_letters_are_spaces(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("text", "label"),
    [('{"positive": true}', "true"), ('{"score": 3}', "3"), ('{"v": 1.50}', "1.50"), ("?", "?"), ("", "")],
)
def test_values_and_bare_punctuation_keep_their_form(text: str, label: str) -> None:
    assert normalise(text) == label


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.sampled_from(['{"a":', "Answer: ", "**", "```\n", '"', "- ", "["]), st.integers(1, 20_000))
@settings(deadline=2_000)
def test_any_depth_of_dress_ends(layer: str, times: int) -> None:
    normalise(layer * times + "x")


def test_an_answer_outside_the_tasks_labels_says_so() -> None:
    context = Context({}, Output("billing"), Output("sports"), labels=frozenset({"billing", "shipping"}))
    score = LabelScorer().score(context)
    assert score.value == 0.0
    assert "no label of this task" in score.detail
