"""The window in whole days and what a month is made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.savings.window import Window, per_year

START = datetime(2025, 3, 3, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "days"),
    [
        (timedelta(0), 1),
        (timedelta(hours=3), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, microseconds=1), 2),
        (timedelta(days=27, hours=14), 28),
        (timedelta(days=28), 28),
    ],
)
def test_days_are_whole_and_rounded_up(span: timedelta, days: int) -> None:
    assert Window(START, START + span).days == days


def test_a_log_under_24_hours_gives_no_month() -> None:
    assert not Window(START, START + timedelta(hours=23, minutes=59)).monthly
    assert Window(START, START + timedelta(hours=24)).monthly


def test_a_month_is_the_window_scaled_to_30_4375_days() -> None:
    assert Window(START, START + timedelta(days=28)).per_month(Decimal("28")) == Decimal("30.4375")


def test_a_year_is_365_days() -> None:
    assert per_year(Decimal("30.4375")) == Decimal(365)


@given(st.decimals(0, 10**8, places=9), st.integers(1, 400))
def test_a_month_never_loses_more_than_a_nano_dollar(amount: Decimal, days: int) -> None:
    month = Window(START, START + timedelta(days=days)).per_month(amount)
    assert abs(month * days / Decimal("30.4375") - amount) <= Decimal("1e-9") * days
