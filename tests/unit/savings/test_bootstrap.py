"""Intervals from days drawn again: repeatable, as wide as the days differ, aware of the week."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tieraudit.savings.bootstrap import DRAWS, Move, bounds, day_weights, resample

WEEK = [10.0, 11.0, 10.0, 12.0, 11.0, 3.0, 2.0]


def exact(daily: list[float], ratio: float = 0.1) -> Move:
    """A move whose ratio is known without error."""
    return Move(daily, ratio, 0.0, 1)


def width(daily: list[float], *, seed: int = 1) -> float:
    """The width of the interval of a bill."""
    found = bounds(resample(daily, [], seed=seed).now, Decimal(1))
    return float(found.high - found.low)


def test_the_same_seed_gives_the_same_draws() -> None:
    first = resample(WEEK * 4, [exact(WEEK * 4)], seed=5)
    again = resample(WEEK * 4, [exact(WEEK * 4)], seed=5)
    assert np.array_equal(first.savings, again.savings)
    assert not np.array_equal(first.now, resample(WEEK * 4, [], seed=6).now)


@pytest.mark.parametrize("days", [3, 13, 14, 28, 31])
def test_every_draw_is_a_window_as_long_as_the_log(days: int) -> None:
    weights = day_weights(days, np.random.default_rng(1))
    assert weights.shape == (DRAWS, days)
    assert weights.sum(axis=1) == pytest.approx(np.full(DRAWS, days))


def test_a_steady_week_has_no_width_from_two_weeks_on() -> None:
    assert width(WEEK * 4) == pytest.approx(0.0, abs=1e-6)
    assert width(WEEK) > 10, "under two weeks a Sunday cannot be told from a bad day"


def test_a_restless_log_has_a_wider_interval() -> None:
    chance = np.random.default_rng(2)
    daily = [day * chance.uniform(0.7, 1.3) for day in WEEK * 4]
    assert width(daily) > 5


def test_two_weeks_do_not_understate_the_spread() -> None:
    """The mean width over many two-week logs is near that of the known spread: 2 x 1.96 x sqrt(14) x 1."""
    chance = np.random.default_rng(3)
    widths = [width([10 + chance.normal() for _ in range(14)], seed=log) for log in range(60)]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.sqrt(14), rel=0.15)


def test_savings_are_what_moves_times_what_is_left_over() -> None:
    drawn = resample(WEEK * 2, [exact(WEEK * 2, ratio=0.25)], seed=1)
    assert drawn.total_savings == pytest.approx(drawn.now * 0.75)
    assert drawn.then == pytest.approx(drawn.now * 0.25)


def test_an_unsure_ratio_widens_the_savings() -> None:
    sure = resample(WEEK * 2, [exact(WEEK * 2)], seed=1)
    unsure = resample(WEEK * 2, [Move(WEEK * 2, 0.1, 0.05, 20)], seed=1)
    assert unsure.total_savings.std() > sure.total_savings.std() + 1


def test_a_busy_day_is_busy_for_all_tasks() -> None:
    """Two tasks with the same rhythm do not average each other out."""
    daily = [1.0, 9.0] * 5
    one = resample(daily, [exact(daily)], seed=1).total_savings.std()
    two = resample(daily, [exact(daily), exact(daily)], seed=1).total_savings.std()
    assert two == pytest.approx(2 * one)


def test_a_log_too_short_for_days_keeps_them_as_they_were() -> None:
    drawn = resample([7.0], [Move([5.0], 0.2, 0.01, 30)], seed=1, by_day=False)
    assert set(drawn.now) == {7.0}
    assert drawn.total_savings.std() == pytest.approx(0.05, rel=0.1)


def test_bounds_are_scaled_and_rounded() -> None:
    found = bounds(np.linspace(0, 1, 1001), Decimal(10))
    assert (found.low, found.high) == (Decimal("0.250000"), Decimal("9.750000"))
