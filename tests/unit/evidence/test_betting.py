"""The e-process: fair under the null, the same whatever the order, and rarely large when it should not be.

Each size test is one seeded run of 1,000 audits with 600 looks. At a true rate of exactly 5 % it would fail by chance
with probability 0.1 % (5 % + 3 standard errors = 7.1 %).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.evidence.betting import BETS, Evidence, log_path, log_wealths, mix, stakes
from tieraudit.evidence.draws import Draws, Floats

RUNS, LOOKS = 1_000, 600
LIMIT = 0.05 + 3 * np.sqrt(0.05 * 0.95 / RUNS)


def boundary_outcomes(kind: str) -> tuple[Floats, float, float]:
    """(outcomes of shape (runs, looks) whose mean is exactly the bar, the bar, the smallest outcome)."""
    rng = np.random.default_rng(7)
    shape = (RUNS, LOOKS)
    if kind == "binary":
        return (rng.random(shape) < 0.95).astype(float), 0.95, 0.0
    if kind == "graded":
        return np.where(rng.random(shape) < 0.8, 1.0, rng.choice([0.5, 0.75, 1.0], shape)), 0.95, 0.0
    if kind == "paired":
        candidate = rng.binomial(6, 0.90, shape) / 6
        return candidate - (rng.random(shape) < 0.95), -0.05, -1.0
    return rng.choice([-1.0, 0.0, 1.0], shape, p=[0.20, 0.70, 0.10]), -0.10, -1.0


@pytest.mark.parametrize("kind", ["binary", "graded", "paired", "judged"])
def test_peeking_after_every_draw_accepts_a_model_at_the_bar_in_at_most_five_percent(kind: str) -> None:
    outcomes, bar, lo = boundary_outcomes(kind)
    accepted = (log_path(outcomes, bar, lo) >= np.log(20)).any(axis=1)
    assert accepted.mean() <= LIMIT


@pytest.mark.parametrize(
    ("agreement", "accepts", "mean_draws"), [(0.99, 1.00, 73), (0.97, 1.00, 162), (0.95, 0.66, 380), (0.92, 0.034, 493)]
)
def test_power_is_that_of_the_method(agreement: float, accepts: float, mean_draws: float) -> None:
    """METHOD 2.3, column e-process: bar .92, cap 600; the mean number of draws where nearly all are accepted."""
    rng = np.random.default_rng(11)
    path = log_path((rng.random((RUNS, LOOKS)) < agreement).astype(float), 0.92)
    reached = path >= np.log(20)
    accepted = reached.any(axis=1)
    draws = np.where(accepted, reached.argmax(axis=1) + 1, LOOKS)
    assert accepted.mean() == pytest.approx(accepts, abs=0.045)
    if accepts > 0.9:
        assert draws.mean() == pytest.approx(mean_draws, rel=0.08)


@given(
    m=st.floats(0.05, 0.99),
    lo=st.sampled_from([0.0, -1.0]),
    support=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5),
    shift=st.floats(0.0, 1.0),
)
def test_every_bet_is_fair_or_worse_under_the_null(m: float, lo: float, support: list[float], shift: float) -> None:
    values = lo + np.array(support) * (1.0 - lo)
    mean = values.mean()
    bar = max(m, mean) + shift * (1.0 - max(m, mean))
    factors = 1 + stakes(bar, lo)[:, None] * (values - bar)[None, :]
    assert (factors > 0).all()
    assert (factors.mean(axis=1) <= 1 + 1e-9).all()


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_draws_changes_nothing(outcomes: list[float], random: object) -> None:
    shuffled = list(outcomes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = Evidence(0.95), Evidence(0.95)
    one.add(outcomes)
    for x in shuffled:
        other.add(x)
    assert one.e == pytest.approx(other.e)
    path = log_path(np.array(outcomes), 0.95)
    if outcomes:
        assert np.exp(path[-1]) == pytest.approx(one.e)


def test_counted_outcomes_weigh_as_often_as_they_were_seen() -> None:
    single = Draws.of([[1.0] * 40 + [0.0] * 2, [], [0.5] * 3])
    counted = Draws(np.array([1.0, 0.0, 0.5]), np.array([40.0, 2.0, 3.0]), np.array([0, 0, 2]), 3)
    bars = np.array([0.9, 0.9, 0.3])
    np.testing.assert_allclose(log_wealths(counted, bars), log_wealths(single, bars))
    np.testing.assert_allclose(np.exp(mix(log_wealths(counted, bars)))[1], 1.0)
    np.testing.assert_array_equal(counted.n, [42, 0, 3])


def test_for_zeros_and_ones_it_is_a_mixture_of_likelihood_ratios() -> None:
    """METHOD 2.2: bet g is the likelihood ratio of p1 = m + g (1 - m) against m."""
    m, k, n = 0.9, 57, 60
    p1 = m + BETS * (1 - m)
    expected = np.mean((p1 / m) ** k * ((1 - p1) / (1 - m)) ** (n - k))
    evidence = Evidence(m)
    evidence.add([1.0] * k + [0.0] * (n - k))
    assert evidence.e == pytest.approx(expected)


def test_a_flawless_candidate_needs_86_draws_at_a_margin_of_five_points() -> None:
    """METHOD 2.3: n is about 3/d, +45 % for not knowing the truth: 86 at .05."""
    path = log_path(np.ones(200), 0.95)
    assert int(np.argmax(path >= np.log(20))) + 1 == 86


def test_agreement_of_nothing_stays_finite() -> None:
    evidence = Evidence(0.95)
    evidence.add(np.zeros(5_000))
    assert 0.0 <= evidence.e < 1e-12


def test_an_impossible_bar_or_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="must lie above"):
        Evidence(0.0)
    with pytest.raises(ValueError, match="below"):
        Evidence(0.95).add(-0.1)
    with pytest.raises(ValueError, match="below"):
        Evidence(0.95).add(float("nan"))
