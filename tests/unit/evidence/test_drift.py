"""Drift: intervals that hold what they say on simulated logs, and see a change that is there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.evidence.drift import (
    Days,
    Moments,
    dispersion,
    exact_limits,
    mean_ratio,
    share_change,
    volume_ratio,
)

RUNS = 600
ALPHA = 0.1


def moments(amounts: np.ndarray) -> Moments:
    return Moments.of(len(amounts), float(amounts.sum()), float((amounts**2).sum()))


def days(counts: list[float], first: int = 0) -> Days:
    return Days([(first + place) % 7 for place in range(len(counts))], counts)


def test_exact_limits_are_those_of_the_textbook() -> None:
    assert exact_limits(0, 10, alpha=0.05) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert exact_limits(5, 10, alpha=0.05) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert exact_limits(10, 10, alpha=0.05) == pytest.approx((0.6915, 1.0), abs=1e-4)


@pytest.mark.parametrize(("p", "before", "now"), [(0.01, 400, 150), (0.05, 2000, 60), (0.3, 100, 100)])
def test_an_unchanged_share_is_inside_the_interval_as_often_as_it_says(p: float, before: int, now: int) -> None:
    draw = np.random.default_rng(7)
    hits = zip(draw.binomial(before, p, RUNS), draw.binomial(now, p, RUNS), strict=True)
    changes = [share_change((int(a), before), (int(b), now), alpha=ALPHA) for a, b in hits]
    assert np.mean([each.low <= 0 <= each.high for each in changes]) >= 1 - ALPHA


def test_a_share_that_doubled_is_seen() -> None:
    assert share_change((40, 2000), (60, 1000), alpha=0.01).low > 0


@given(
    st.tuples(st.integers(0, 50), st.integers(1, 500)).filter(lambda t: t[0] <= t[1]),
    st.tuples(st.integers(0, 50), st.integers(1, 500)).filter(lambda t: t[0] <= t[1]),
)
def test_the_interval_of_a_share_holds_the_difference_and_turns_with_it(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    change, back = share_change(one, other, alpha=0.01), share_change(other, one, alpha=0.01)
    assert -1e-9 + change.low <= change.now - change.before <= change.high + 1e-9
    assert change.low == pytest.approx(-back.high, abs=1e-12)


def test_an_unchanged_mean_cost_is_inside_the_interval_as_often_as_it_says() -> None:
    draw = np.random.default_rng(11)
    inside = []
    for _ in range(RUNS):
        change = mean_ratio(moments(draw.lognormal(-5, 0.8, 300)), moments(draw.lognormal(-5, 0.8, 120)), alpha=ALPHA)
        assert change is not None
        inside.append(change.low <= 1 <= change.high)
    assert np.mean(inside) >= 1 - ALPHA - 0.03, "the delta method is approximate; three points are its allowance"


def test_a_mean_cost_that_grew_by_half_is_seen() -> None:
    draw = np.random.default_rng(3)
    change = mean_ratio(moments(draw.gamma(4, 0.001, 500)), moments(draw.gamma(4, 0.0015, 300)), alpha=0.001)
    assert change is not None
    assert change.low > 1


@pytest.mark.parametrize("empty", [Moments(0, 0, 0), Moments(1, 2, 0), Moments(9, 0, 0)])
def test_a_mean_of_nothing_has_no_ratio(empty: Moments) -> None:
    full = Moments(50, 1.0, 0.1)
    assert mean_ratio(empty, full, alpha=0.01) is None
    assert mean_ratio(full, empty, alpha=0.01) is None


def test_moments_are_those_of_numpy() -> None:
    amounts = np.random.default_rng(1).gamma(2, 3, 40)
    found = moments(amounts)
    assert (found.mean, found.variance) == pytest.approx((amounts.mean(), amounts.var(ddof=1)))


@pytest.mark.parametrize("scatter", [1.0, 4.0])
def test_an_unchanged_volume_is_inside_the_interval_as_often_as_it_says(scatter: float) -> None:
    draw = np.random.default_rng(5)
    rhythm = np.array([100, 110, 105, 100, 90, 30, 20.0])
    inside = []
    for _ in range(RUNS):
        two_weeks, week = (
            days([float(draw.negative_binomial(m / max(scatter - 1, 1e-6), 1 / scatter)) for m in list(rhythm) * n])
            if scatter > 1
            else days([float(draw.poisson(m)) for m in list(rhythm) * n])
            for n in (2, 1)
        )
        found = dispersion(two_weeks)
        assert found is not None
        change = volume_ratio(two_weeks, week, scatter=found[0], degrees=found[1], alpha=ALPHA)
        assert change is not None
        inside.append(change.low <= 1 <= change.high)
    assert np.mean(inside) >= 1 - ALPHA - 0.03


def test_a_weekend_is_compared_with_weekends() -> None:
    before = days([100, 100, 100, 100, 100, 10, 10] * 2)
    change = volume_ratio(before, days([10.0, 10.0], first=5), scatter=1.0, degrees=7, alpha=0.01)
    assert change is not None
    assert (change.before, change.now) == (10, 10)
    assert change.low < 1 < change.high


def test_a_volume_that_doubled_is_seen_and_an_empty_week_too() -> None:
    before = days([50.0, 52, 48, 51, 49, 50, 50] * 2)
    more = volume_ratio(before, days([100.0] * 5), scatter=1.2, degrees=7, alpha=0.001)
    none = volume_ratio(before, days([0.0] * 5), scatter=1.2, degrees=7, alpha=0.05)
    assert more is not None
    assert more.low > 1.25
    assert none is not None
    assert (none.now, none.high < 0.8) == (0, True)


def test_scatter_is_measured_around_the_days_of_the_week_when_there_are_weeks_enough() -> None:
    rhythm = [100.0, 100, 100, 100, 100, 10, 10]
    assert dispersion(days(rhythm * 2)) == (1.0, 7)
    one_week = dispersion(days(rhythm))
    assert one_week is not None
    assert one_week[0] > 20, "one week alone cannot tell rhythm from scatter"


@pytest.mark.parametrize("counts", [[], [5.0], [5.0, 5.0, 5.0], [0.0] * 9])
def test_too_few_days_or_no_calls_have_no_scatter(counts: list[float]) -> None:
    assert dispersion(days(counts)) is None


def test_nothing_before_has_no_ratio() -> None:
    assert volume_ratio(days([0.0] * 5), days([3.0]), scatter=1.0, degrees=4, alpha=0.01) is None


def test_an_interval_stays_finite() -> None:
    change = volume_ratio(days([1.0] * 5), days([0.0]), scatter=50.0, degrees=3, alpha=1e-6)
    assert change is not None
    assert math.isfinite(change.high)
