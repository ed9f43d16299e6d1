"""Numbers, units and dates by value; identifiers are neither."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.scorers.quantities import numbers_equal, parse_date, parse_number, parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"), ("42", "42"), ("-7", "-7"), ("−7", "-7"), ("+3", "3"), ("3.50", "3.5"), (".5", "0.5"),
        ("1,250", "1250"), ("1,250.75", "1250.75"), ("1,234,567", "1234567"), ("1 234 567,5", "1234567.5"),
        ("1.250,75", "1250.75"), ("1.234.567", "1234567"), ("3,14", "3.14"), ("0,5", "0.5"), ("1'000", "1000"),
    ],
)  # fmt: skip
def test_a_number_is_read_in_english_and_european_dress(text: str, number: str) -> None:
    assert parse_number(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    ["", "007", "00123", "1.2.3", "12,34,56", "1,25,0", "12a", "a12", "1-2", "--1", "1e5", "0x1F", "٣a", "1..2", "."],
)
def test_an_identifier_is_no_number(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$1,250.00", "1250 USD"), ("USD 1,250", "1250 dollars"), ("€3,50", "3.5 EUR"), ("12%", "12 percent"),
        ("5 km", "5 kilometres"), ("-3 °C", "−3°C"), ("7 days", "7 day"), ("2.5 h", "2.50 hours"), ("1.5e3", "1500"),
    ],
)  # fmt: skip
def test_quantities_are_equal_by_number_and_unit(one: str, other: str) -> None:
    assert parse_quantity(one) == parse_quantity(other) is not None


@pytest.mark.parametrize(("one", "other"), [("5 km", "5 miles"), ("12", "12%"), ("$5", "€5"), ("5 m", "5 mm")])
def test_another_unit_is_another_quantity(one: str, other: str) -> None:
    assert parse_quantity(one) != parse_quantity(other)


@pytest.mark.parametrize("text", ["order 12345", "AB-123", "12 of 20 items", "$5 USD", "3 to 4", "me@x.org", ""])
def test_a_phrase_with_a_number_is_no_quantity(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (3.14159, 3.1416, True),
        (100.0, 100, True),
        (19.99, 20.99, False),
        (10023847, 10023848, False),
        (10023847.0, 10023848.0, False),
        (Decimal("10023847"), 10023847, True),
        (0.0, 1e-9, False),
        (10**400, 1.5, False),
        (float("nan"), float("nan"), False),
        (float("inf"), 1e308, False),
        (True, 1, True),
    ],
)
def test_only_fractions_have_a_tolerance(one: float, other: float, equal: bool) -> None:
    assert numbers_equal(one, other) is equal
    assert numbers_equal(other, one) is equal


@pytest.mark.parametrize(
    "text",
    ["2024-03-05", "5 March 2024", "March 5, 2024", "Mar 5 2024", "5th March 2024", "2024/03/05", "05.03.2024",
     "Tuesday, 5 March 2024", "5-Mar-2024"],
)  # fmt: skip
def test_a_day_is_a_day_however_written(text: str) -> None:
    assert parse_date(text) == datetime(2024, 3, 5)


@pytest.mark.parametrize("text", ["03/05/2024", "2024", "March 2024", "soon", "31 February 2024", "", "5 March"])
def test_what_could_be_two_days_is_none(text: str) -> None:
    assert parse_date(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_not_but_never_raises(text: str) -> None:
    parse_number(text)
    parse_quantity(text)
    parse_date(text)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9))
def test_what_is_written_with_thousands_is_read_back(number: Decimal) -> None:
    assert parse_number(f"{number:,.2f}") in (number, None if f"{number:,.2f}".startswith(("-0", "0")) else number)
