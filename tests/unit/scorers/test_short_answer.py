"""Short answers: by value, by day, exactly where there are identifiers, nearly elsewhere."""

from __future__ import annotations

import pytest

from tieraudit.domain import Output
from tieraudit.scorers.base import Context
from tieraudit.scorers.short_answer import ShortAnswerScorer


def value(one: str, other: str) -> float:
    found = ShortAnswerScorer().score(Context({}, Output(one), Output(other)))
    assert ShortAnswerScorer().score(Context({}, Output(other), Output(one))).value == found.value
    return found.value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42", "42."), ("1,250", "1250"), ("$1,250.00", "1250 USD"), ("Answer: 42", "**42**"), ("3.14159", "3.1416"),
        ("2024-03-05", "March 5, 2024"), ("Paris", "paris"), ("Acme Corporation Ltd", "Acme Corporation Ltd."),
        ("10023847", '{"order_number": "10023847"}'), ("A-4711", "`A-4711`"), ("Anna@Example.org", "Anna@Example.org."),
    ],
)  # fmt: skip
def test_the_same_answer_in_other_words_agrees(one: str, other: str) -> None:
    assert value(one, other) == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10023847", "10023848"), ("00123", "123"), ("A-4711", "A-4712"), ("A-4711", "a-4711"), ("42", "43"),
        ("12%", "12"), ("5 km", "5 miles"), ("2024-03-05", "2024-05-03"), ("03/05/2024", "05/03/2024"),
        ("anna.lee@example.org", "anna.lea@example.org"), 
        ("The order number is 10023847 as asked", "The order number is 10023841 as asked"),
        ("eligible for refund under policy", "ineligible for refund under policy"), ("Paris", "Rome"),
        ("1.0.12", "1.0.13"), ("yes", "no"), ("v2", "v3"), ("42", ""), ("12.5", "12.51"),
    ],
)  # fmt: skip
def test_another_answer_does_not(one: str, other: str) -> None:
    found = ShortAnswerScorer()
    assert found.score(Context({}, Output(one), Output(other))).value == 0.0


def test_an_answer_of_tool_calls_alone_cannot_be_compared() -> None:
    call = ({"function": {"name": "f", "arguments": "{}"}},)
    other = ({"function": {"name": "g", "arguments": "{}"}},)
    with pytest.raises(ValueError, match="text"):
        ShortAnswerScorer().score(Context({}, Output(None, call), Output(None, other)))
