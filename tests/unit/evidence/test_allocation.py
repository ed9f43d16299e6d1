"""Where to replay next: how many draws are still needed, and whose turn it is."""

from __future__ import annotations

import numpy as np
import pytest

from tieraudit.evidence.allocation import batch, draws_to_decide, growth, index, perfect_draws
from tieraudit.evidence.betting import Evidence, log_wealths
from tieraudit.evidence.draws import Draws
from tieraudit.evidence.posterior import posterior


@pytest.mark.parametrize(
    ("seen", "bar", "lo", "flawless"),
    [([], 0.95, 0.0, 1.0), ([1.0] * 30 + [0.0], 0.95, 0.0, 1.0), ([0.0, -0.5, 0.25], -0.05, -1.0, 0.0)],
)
def test_flawless_draws_are_counted_as_by_adding_them_one_by_one(
    seen: list[float], bar: float, lo: float, flawless: float
) -> None:
    evidence = Evidence(bar, lo)
    evidence.add(seen)
    count = 0
    while evidence.e < 20:
        evidence.add(flawless)
        count += 1
    purses = log_wealths(Draws.of([seen]), bar, lo)
    assert perfect_draws(purses, bar, lo, np.log([20.0]))[0] == count


def test_nothing_more_is_needed_once_it_is_reached() -> None:
    purses = log_wealths(Draws.of([[1.0] * 200]), 0.95)
    assert perfect_draws(purses, 0.95, 0.0, np.log([20.0]))[0] == 0


def test_growth_is_the_divergence_of_the_posterior_mean_from_the_bar() -> None:
    draws = Draws.of([[1.0] * 98 + [0.0] * 2, [1.0] * 80 + [0.0] * 20])
    found = growth(posterior(draws), draws, 0.95)
    p = 99 / 102
    assert found[0] == pytest.approx(p * np.log(p / 0.95) + (1 - p) * np.log((1 - p) / 0.05))
    assert found[1] == pytest.approx(1e-4)


def test_dollars_a_likely_end_and_a_near_one_come_first() -> None:
    base = index(100.0, 0.9, 50.0)
    assert index(200.0, 0.9, 50.0) == pytest.approx(2 * base)
    assert index(100.0, 0.45, 50.0) == pytest.approx(base / 2)
    assert index(100.0, 0.9, 10.0) > base
    assert draws_to_decide(np.log([20.0]), np.array([9.9]), np.array([0.1]))[0] == 0.0


@pytest.mark.parametrize(
    ("perfect", "left", "missing", "asked"),
    [
        (80, 200, 10, 40),
        (81, 200, 10, 41),
        (3, 200, 0, 5),
        (0, 200, 0, 5),
        (0, 200, 10, 10),
        (80, 7, 10, 7),
        (9, 0, 5, 0),
    ],
)
def test_a_batch_is_half_of_what_is_still_needed(perfect: int, left: int, missing: int, asked: int) -> None:
    assert batch(perfect, left, missing) == asked
