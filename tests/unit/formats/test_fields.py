"""Fields as the tools write them: times in six notations, counts, money, JSON inside strings."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.errors import Rejected
from tieraudit.formats import fields

NOON = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        1795262400.25,
        1795262400250,
        "1795262400250",
        1795262400250000,
        "1795262400250000000",
        "2026-11-21T12:00:00.250Z",
        "2026-11-21T12:00:00.250000+00:00",
        "2026-11-21T13:00:00.25+01:00",
        "2026-11-21 12:00:00.250000",
        "2026-11-21 12:00:00.25+00",
    ],
)
def test_one_moment_in_many_notations(written: Any) -> None:
    assert fields.time(written) == NOON


def test_an_http_date() -> None:
    assert fields.time("Sat, 21 Nov 2026 12:00:00 GMT") == NOON.replace(microsecond=0)


@pytest.mark.parametrize("written", [None, "", "soon", True, -1, 0, 12, "9" * 400, float("inf"), [], "0001-01-01", {}])
def test_what_is_no_moment(written: Any) -> None:
    assert fields.time(written) is None


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2))
def test_no_value_breaks_a_field(value: Any) -> None:
    moment = fields.time(value)
    assert moment is None or moment.utcoffset() is not None
    assert fields.count(value) is None or fields.count(value) >= 0  # type: ignore[operator]
    amount = fields.money(value)
    assert amount is None or amount >= 0
    fields.text(value)
    fields.labels(value)
    fields.mapping(value)


def test_a_call_without_any_time_is_rejected() -> None:
    with pytest.raises(Rejected, match="no start time"):
        fields.started(None, "", 0)


@pytest.mark.parametrize(
    ("value", "tokens"), [(5, 5), ("5", 5), (5.0, 5), (0, 0), (5.5, None), (-1, None), (True, None)]
)
def test_counts_are_whole_and_not_negative(value: Any, tokens: int | None) -> None:
    assert fields.count(value) == tokens


@pytest.mark.parametrize(
    ("value", "usd"),
    [
        (2.8e-06, "0.000002800"),
        ("0.1", "0.100000000"),
        (0, "0E-9"),
        (7, "7.000000000"),
        (-1, None),
        ("free", None),
        (1e12, None),
        (None, None),
        ("NaN", None),
    ],
)
def test_money_is_decimal_to_nine_places(value: Any, usd: str | None) -> None:
    assert fields.money(value) == (None if usd is None else Decimal(usd))


def test_json_in_a_string_in_a_string_is_found() -> None:
    assert fields.decoded('"{\\"a\\": [1]}"') == {"a": [1]}
    assert fields.decoded("{not json}") == "{not json}"
    assert fields.decoded("plain") == "plain"


def test_tags_come_as_lists_json_or_words() -> None:
    assert fields.labels(["a", "a", None, 3]) == ("a", "3")
    assert fields.labels('["x", "y"]') == ("x", "y")
    assert fields.labels("x, y") == ("x", "y")
    assert fields.labels({"a": 1}) == ()


def test_the_callers_name_for_a_task_wins_in_the_order_of_the_keys() -> None:
    assert fields.task_hint({"route": "b"}, {"task": "a"}) == "b"
    assert fields.task_hint({"feature": "triage", "task": "sort"}) == "sort"
    assert fields.task_hint({"team": "x"}) is None
