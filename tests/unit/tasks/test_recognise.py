"""Rules by which a router knows a task."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.domain import Recogniser
from tieraudit.tasks.recognise import Known, escape, recognisers
from tieraudit.tasks.sample import Sampled
from tieraudit.tasks.traits import Reader

READER = Reader()


def sampled(
    number: int, system: str | None = None, user: str = "x", tools: tuple[str, ...] = (), tags: tuple[str, ...] = ()
) -> Sampled:
    messages = [{"role": "system", "content": system}] if system else []
    body = {
        "messages": [*messages, {"role": "user", "content": user}],
        "tools": [{"type": "function", "function": {"name": name}} for name in tools],
    }
    return Sampled(str(number), 0.0, 1.0, READER.read(body, None), None, tags)


def known(calls: list[Sampled], literals: tuple[str, ...] = (), openings: tuple[tuple[str, ...], ...] = ()) -> Known:
    return Known(calls, literals, openings, ())


def rule(found: tuple[Recogniser, ...], kind: str) -> Recogniser:
    return next(one for one in found if one.kind == kind)


def test_a_pattern_needs_only_what_tells_the_task_from_the_others() -> None:
    tasks = [
        known(
            [sampled(n, f"You work at Acme. It is {n}. Sort the {what} mail.") for n in range(30)],
            ("You work at Acme.", f"Sort the {what} mail."),
        )
        for what in ("red", "blue")
    ]
    for found, what in zip(recognisers(tasks), ("red", "blue"), strict=True):
        pattern = rule(found, "system_regex")
        assert pattern.value == rf"Sort the {what} mail\."
        assert (pattern.precision, pattern.recall) == (1, 1)


def test_two_literals_are_joined_by_a_gap_with_a_bound_when_one_does_not_do() -> None:
    def calls(first: str, second: str) -> list[Sampled]:
        return [sampled(n, f"First do {first}. Number {n}. Then do {second}.") for n in range(30)]

    pairs = [("this", "more"), ("this", "less"), ("that", "more")]
    tasks = [known(calls(*pair), (f"First do {pair[0]}.", f"Then do {pair[1]}.")) for pair in pairs]
    pattern = rule(recognisers(tasks)[0], "system_regex")
    assert re.fullmatch(r"\^First do this\\\.\[\\s\\S\]\{0,\d+\}Then do more\\\.", pattern.value)
    assert (pattern.precision, pattern.recall) == (1, 1)


def test_a_prompt_inside_a_longer_one_is_known_by_its_hash_alone() -> None:
    short, long = "Sort the red mail.", "Sort the red mail. Then burn it."
    found = recognisers(
        [known([sampled(n, short) for n in range(20)], (short,)), known([sampled(n, long) for n in range(20)], (long,))]
    )
    assert [one.kind for one in found[0]] == ["system_sha256"]
    assert {one.kind for one in found[1]} == {"system_sha256", "system_regex"}


def test_many_different_prompts_have_no_list_of_hashes() -> None:
    calls = [sampled(n, f"Sort the red mail of {n}.") for n in range(40)]
    assert [one.kind for one in recognisers([known(calls, ("Sort the red mail of",))])[0]] == ["system_regex"]


def test_the_opening_of_the_users_turn_is_a_rule_where_there_is_no_system_prompt() -> None:
    calls = [sampled(n, user=f"Translate into French: word {n}") for n in range(30)]
    others = [sampled(n, user=f"tell me about {n}") for n in range(30)]
    opening = ("translate", "into", "french", ":")
    pattern = rule(recognisers([known(calls, openings=(opening,)), known(others)])[0], "user_regex")
    assert pattern.value == r"^\s*Translate into French:"
    assert (pattern.precision, pattern.recall) == (1, 1)


def test_a_rule_that_is_often_wrong_is_left_out() -> None:
    same = [[sampled(n, "Be helpful.", tools=("find",)) for n in range(20)] for _ in range(2)]
    found = recognisers([known(calls, ("Be helpful.",)) for calls in same])
    assert [[one.kind for one in rules] for rules in found] == [["none"], ["none"]]


def test_precision_and_recall_are_counted_on_all_calls() -> None:
    mine = [sampled(n, tags=("mail",) if n < 15 else ()) for n in range(20)]
    theirs = [sampled(n, tags=("mail",) if n < 1 else ()) for n in range(20)]
    tag = rule(recognisers([known(mine), known(theirs)])[0], "tag")
    assert (tag.precision, tag.recall) == (round(15 / 16, 4), 0.75)


@given(st.text(max_size=40), st.text(max_size=10))
def test_an_escaped_literal_matches_itself(literal: str, around: str) -> None:
    assert re.search(escape(literal), around + literal + around)


@pytest.mark.parametrize("text", ["a b", "a-b", "a\nb", "(a|b)*"])
def test_blanks_and_dashes_stay_readable(text: str) -> None:
    assert "\\ " not in escape(text)
    assert "\\-" not in escape(text)
    assert re.fullmatch(escape(text), text)
