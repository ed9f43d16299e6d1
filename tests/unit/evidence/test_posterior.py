"""What steers: the Beta posterior, the forecast of acceptance, and giving up, which costs power and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.stats import beta, betabinom

from tieraudit.evidence.betting import log_wealths, mix
from tieraudit.evidence.draws import Draws, Floats
from tieraudit.evidence.posterior import accept_probability, posterior
from tieraudit.evidence.staged import FORECAST_FROM, HOPELESS, PILOT, UNLIKELY

BAR, CAP = 0.92, 600
LOOK = 5
NEEDED = float(np.log(20))


def counted(k: ArrayLike, n: ArrayLike) -> Draws:
    """Streams with ``k`` ones in ``n`` draws."""
    k, n = np.asarray(k, dtype=np.float64), np.asarray(n, dtype=np.float64)
    streams = len(k)
    return Draws(
        np.tile([1.0, 0.0], streams), np.stack([k, n - k], 1).ravel(), np.repeat(np.arange(streams), 2), streams
    )


def test_for_zeros_and_ones_it_is_the_uniform_priors_beta() -> None:
    k, n = np.array([0.0, 7, 20, 19]), np.array([0.0, 20, 20, 20])
    known = posterior(counted(k, n))
    np.testing.assert_allclose(known.a, 1 + k)
    np.testing.assert_allclose(known.b, 1 + n - k)
    np.testing.assert_allclose(known.above(0.95), beta.sf(0.95, 1 + k, 1 + n - k))


def test_differences_that_hardly_vary_are_known_more_exactly() -> None:
    rng = np.random.default_rng(1)
    quiet = np.where(rng.random(200) < 0.05, -0.5, 0.0)
    loud = np.where(rng.random(200) < 0.5, -1.0, 0.95)
    known = posterior(Draws.of([quiet, loud]), -1.0)
    assert known.above(-0.05)[0] > 0.95
    assert 0.05 < known.above(-0.05)[1] < 0.95


def test_the_forecast_is_close_to_the_exact_one_for_zeros_and_ones() -> None:
    k = np.array([20.0, 58, 60, 97, 150, 190, 280])
    n = np.array([20.0, 60, 62, 100, 160, 200, 300])
    draws = counted(k, n)
    found = accept_probability(draws, posterior(draws), BAR, NEEDED, CAP - n)
    at_cap = mix(log_wealths(counted(np.arange(CAP + 1.0), np.full(CAP + 1, float(CAP))), BAR))
    enough = int(np.argmax(at_cap >= NEEDED))
    exact = betabinom.sf(enough - k - 1, CAP - n, 1 + k, 1 + n - k)
    exact = np.where(mix(log_wealths(draws, BAR)) >= NEEDED, 1.0, exact)
    np.testing.assert_allclose(found, exact, atol=0.03)


def test_the_forecast_knows_what_is_reached_and_what_cannot_be() -> None:
    draws = Draws.of([[1.0] * 100, [1.0] * 20, [0.0] * 20, []])
    found = accept_probability(draws, posterior(draws), BAR, NEEDED, [0, 0, 10, 600])
    assert found[0] == 1.0
    assert found[1] == 0.0
    assert found[2] == 0.0
    assert 0.0 < found[3] < 0.2


@pytest.mark.parametrize(
    ("agreement", "accepts", "mean_draws"),
    [(0.99, 1.00, 72), (0.97, 0.97, 152), (0.95, 0.55, 224), (0.92, 0.031, 110), (0.90, 0.006, 74), (0.85, 0.0, 43)],
)
def test_giving_up_early_costs_little_power_and_saves_most_draws(
    agreement: float, accepts: float, mean_draws: float
) -> None:
    """METHOD 2.3, column e-process + futility: bar .92, cap 600; 1,000 seeded runs, a look at every fifth draw."""
    accepted, stopped = _stopping_grid()
    x = np.random.default_rng(5).random((1_000, CAP)) < agreement
    k, n = np.cumsum(x, axis=1), np.arange(1, CAP + 1)[None, :]
    won, lost = accepted[n, k], stopped[n, k]
    ended = won | lost
    ended[:, -1] = True
    at = ended.argmax(axis=1)
    assert won[np.arange(1_000), at].mean() == pytest.approx(accepts, abs=0.05)
    assert (at + 1).mean() == pytest.approx(mean_draws, rel=0.10, abs=4)


_CACHE: list[tuple[Floats, Floats]] = []


def _stopping_grid() -> tuple[Floats, Floats]:
    """Acceptance and giving up for every (n, k), computed once by the code under test."""
    if not _CACHE:
        n, k = (part.ravel() for part in np.tril_indices(CAP + 1))
        n, k = n[n % LOOK == 0], k[n % LOOK == 0]
        draws = counted(k.astype(float), n.astype(float))
        known = posterior(draws)
        hopeless = (known.above(BAR) < HOPELESS) & (n >= PILOT)
        unlikely = (accept_probability(draws, known, BAR, NEEDED, CAP - n) < UNLIKELY) & (n >= FORECAST_FROM)
        accepted, stopped = np.zeros((CAP + 1, CAP + 1), bool), np.zeros((CAP + 1, CAP + 1), bool)
        accepted[n, k] = mix(log_wealths(draws, BAR)) >= NEEDED
        stopped[n, k] = hopeless | unlikely
        _CACHE.append((accepted, stopped))
    return _CACHE[0]
