"""Bounds: they agree with the evidence, lie around the mean, and hold at every look at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.evidence.betting import log_wealths, mix
from tieraudit.evidence.bounds import GRID, lower_bound, upper_bound
from tieraudit.evidence.draws import Draws


def interval(outcomes: list[float], lo: float = 0.0) -> tuple[float, float]:
    draws = Draws.of([outcomes])
    return float(lower_bound(draws, lo=lo)[0]), float(upper_bound(draws, lo=lo)[0])


def log_e(draws: Draws, m: float, lo: float = 0.0) -> float:
    return float(mix(log_wealths(draws, m, lo))[0])


@given(st.lists(st.floats(-1, 1, allow_subnormal=False), min_size=1, max_size=200), st.sampled_from([0.01, 0.05, 0.25]))
def test_the_lower_bound_is_the_last_grid_value_that_is_rejected(outcomes: list[float], alpha: float) -> None:
    draws = Draws.of([outcomes])
    found = float(lower_bound(draws, lo=-1.0, alpha=alpha)[0])
    cell = 2 / GRID
    if found > -1.0:
        assert log_e(draws, found, -1.0) >= np.log(1 / alpha) - 1e-9
    if found + cell < 1.0:
        assert log_e(draws, found + cell, -1.0) < np.log(1 / alpha)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=100))
def test_the_interval_holds_the_mean_and_the_upper_bound_mirrors_the_lower(outcomes: list[float]) -> None:
    low, high = interval(outcomes)
    assert 0.0 <= low <= np.mean(outcomes) + 1e-9
    assert np.mean(outcomes) - 1e-9 <= high <= 1.0
    mirrored = interval([1 - x for x in outcomes])
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1.1 / GRID)


def test_nothing_seen_bounds_nothing() -> None:
    assert interval([]) == (0.0, 1.0)
    assert interval([], lo=-1.0) == (-1.0, 1.0)


def test_ninety_seven_of_ninety_seven_lie_above_95_percent() -> None:
    low, high = interval([1.0] * 97)
    assert 0.95 < low < 0.96
    assert high == 1.0


def test_both_bounds_hold_at_every_look_at_once() -> None:
    """400 seeded runs, 300 looks each: a bound is violated at some look in at most 5 % + 3 standard errors (8.3 %)."""
    rng = np.random.default_rng(3)
    runs, looks, mean = 400, 300, 0.9
    x = (rng.random((runs, looks)) < mean).astype(float)
    violated_low, violated_high = np.zeros(runs, bool), np.zeros(runs, bool)
    for n in range(5, looks + 1, 5):
        k = x[:, :n].sum(axis=1)
        draws = Draws(np.tile([1.0, 0.0], runs), np.stack([k, n - k], 1).ravel(), np.repeat(np.arange(runs), 2), runs)
        violated_low |= lower_bound(draws) > mean
        violated_high |= upper_bound(draws) < mean
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert violated_low.mean() <= limit
    assert violated_high.mean() <= limit
    assert violated_low.any() or violated_high.any()
