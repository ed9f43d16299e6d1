"""Amounts, shares and sentences: the same in every renderer, and never rounder than the truth."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.report import example_report

from tieraudit.domain import Recogniser
from tieraudit.render import words
from tieraudit.render.report import Interval
from tieraudit.render.words import Usd


@pytest.mark.parametrize(
    ("digits", "amount", "text"),
    [
        (0, "9447.15", "$9,447"),
        (0, "0.4", "<$1"),
        (0, "0", "$0"),
        (0, "-177.5", "-$178"),
        (0, "-0.2", ">-$1"),
        (2, "1234.5", "$1,234.50"),
        (4, "0.00004", "<$0.0001"),
    ],
)
def test_dollars(digits: int, amount: str, text: str) -> None:
    assert Usd(digits)(Decimal(amount)) == text


def test_an_unknown_amount_is_a_dash() -> None:
    assert Usd(0)(None) == "–"
    assert Usd(0).interval(Interval(Decimal(5))) == ""


@pytest.mark.parametrize(("bill", "digits"), [("20518", 0), ("999", 2), ("0.4", 4), ("0.0004", 6)])
def test_one_number_of_decimals_fits_the_bill(bill: str, digits: int) -> None:
    report = example_report()
    totals = dataclasses.replace(report.totals, cost_now=Interval(Decimal(bill)))
    assert words.usd_of(dataclasses.replace(report, totals=totals)) == Usd(digits)


@pytest.mark.parametrize(
    ("share", "text"),
    [(1.0, "100%"), (0.0, "0%"), (0.9999, "99.9%"), (0.0001, "<0.1%"), (0.2, "20.0%"), (0.9876, "98.8%"), (None, "–")],
)
def test_shares_are_never_rounded_to_all_or_nothing(share: float | None, text: str) -> None:
    assert words.percent(share) == text


@given(st.floats(0, 1))
def test_a_share_that_is_not_whole_is_not_shown_as_whole(share: float) -> None:
    assert (words.percent(share) == "100%") == (share == 1)
    assert (words.percent(share) == "0%") == (share == 0)


@pytest.mark.parametrize(
    ("wealth", "text"),
    [
        (0.001, "less than $0.01"),
        (0.027, "$0.03"),
        (31.4, "$31"),
        (1234.0, "$1,234"),
        (2.5e6, "$2.5 million"),
        (1e300, "more than $1 billion"),
    ],
)
def test_what_a_dollar_became(wealth: float, text: str) -> None:
    assert words.bet(wealth) == text


def test_small_words() -> None:
    assert words.points(0.05) == "5 points"
    assert words.points(0.01) == "1 point"
    assert words.rate(0.025) == "2.5%"
    assert words.plural(1, "reply", "replies") == "1 reply"
    assert words.plural(1200, "task") == "1,200 tasks"
    assert words.day(datetime(2026, 3, 9, tzinfo=UTC)) == "9 Mar 2026"
    assert [words.milliseconds(ms) for ms in (0.4, 210.0, 2310.0, None)] == ["0.4 ms", "210 ms", "2.3 s", "–"]
    assert words.audit_usd(Decimal("11.4823")) == "$11.48"
    assert words.audit_usd(Decimal("0.0213")) == "$0.0213"


def test_the_bet_is_told_with_its_price() -> None:
    found = example_report().tasks[0].evidence[0]
    told = words.bet_words(found)
    assert told == (
        "We bet $1 against the claim that small is worse than allowed, by 5 points or more. "
        "After 231 replays the dollar had become $155; $31 is proof."
    )
    assert words.bet_words(dataclasses.replace(found, n=0)) == "No replay could be scored."


def test_failed_replays_are_told_apart_from_disagreement() -> None:
    found = example_report().tasks[0].evidence[0]
    assert words.failed_words(found) == ""
    assert words.failed_words(dataclasses.replace(found, errors=1)).startswith("1 replay gave nothing to compare")
    assert words.failed_words(dataclasses.replace(found, errors=7)).endswith("and count for neither side.")


@pytest.mark.parametrize(
    ("recogniser", "text"),
    [
        (None, "Nothing in a request tells"),
        (Recogniser("none"), "Nothing in a request tells"),
        (Recogniser("tag", "orders", 1.0, 0.94), "By the tag orders (precision 100%, recall 94.0% on the log)"),
        (Recogniser("tools", ["find", "status"], 1.0, 1.0), "By the set of tools find, status (precision"),
        (Recogniser("new_kind", "x"), "By new_kind x"),
        (
            Recogniser("system_sha256", ["1d7783573e78ceff", "ab"]),
            "By the system prompt, by its fingerprint 1d7783573e78…, ab",
        ),
    ],
)
def test_how_a_router_knows_a_task(recogniser: Recogniser | None, text: str) -> None:
    assert words.recogniser_words(recogniser).startswith(text)
