"""What the draws make plausible: steers where to replay and when to give up, never what is proven.

A Beta posterior under a uniform prior. Outcomes are rescaled to [0, 1] and, where they vary less than zeros and ones
would (graded scores, paired differences, ties), counted for correspondingly more; for zeros and ones it is exactly
Beta(1 + agreements, 1 + disagreements).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincc

from tieraudit.evidence.betting import log_wealths, mix, stakes
from tieraudit.evidence.draws import Draws, Floats

TOP = 1.0
"""The largest outcome of every stream; the smallest is 0 for agreement and -1 for differences."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """A Beta(a, b) for the mean of each stream, on the scale from ``lo`` to 1; arrays of shape (streams,)."""

    a: Floats
    b: Floats
    lo: Floats

    def above(self, bar: ArrayLike) -> Floats:
        """P(mean > bar | draws)."""
        probability: Floats = betaincc(self.a, self.b, self.share(bar))
        return probability

    def share(self, value: ArrayLike) -> Floats:
        """``value`` on the scale from 0 to 1."""
        return np.clip((np.asarray(value, dtype=np.float64) - self.lo) / (TOP - self.lo), 0.0, 1.0)


def posterior(draws: Draws, lo: ArrayLike = 0.0) -> Posterior:
    """The posterior of every stream's mean. The prior counts as one draw at each end of the scale."""
    low = draws.spread(lo)
    y = (draws.x - low[draws.stream]) / (TOP - low[draws.stream])
    n = draws.n + 2.0
    mean = (draws.total(y) + 1.0) / n
    variance = np.maximum((draws.total(y * y) + 1.0) / n - mean * mean, 1e-12)
    effective = n * mean * (1.0 - mean) / variance
    return Posterior(mean * effective, (1.0 - mean) * effective, low)


def accept_probability(draws: Draws, known: Posterior, m: ArrayLike, needed: ArrayLike, left: ArrayLike) -> Floats:
    """P(ln E >= ``needed`` after ``left`` more draws | draws), for each stream; 1 where it is reached already.

    The mean of the draws to come follows the Beta-binomial that the posterior implies, taken as a Beta of the same
    mean and variance; draws of a given mean are taken to look like those seen, mixed with the end of the scale.
    """
    bars, target = draws.spread(m), draws.spread(needed)
    more = np.maximum(draws.spread(left), 0.0)
    now = log_wealths(draws, bars, known.lo)
    critical = _critical_share(draws, now, known, bars, target, more)
    total = known.a + known.b
    to_come = np.maximum(more, 1.0) * total / (draws.n + 2.0)
    count = np.maximum(to_come * (total + 1.0) / (total + to_come) - 1.0, 1e-3)
    share = known.a / total
    tail = betaincc(share * count, (1.0 - share) * count, np.minimum(critical, 1.0))
    return np.where(mix(now) >= target, 1.0, np.where((more > 0) & (critical <= 1.0), tail, 0.0))


def _critical_share(draws: Draws, now: Floats, known: Posterior, bars: Floats, target: Floats, more: Floats) -> Floats:
    """The smallest mean (0 to 1 on the scale) of the draws to come that reaches the target; 2 where none does."""
    each = stakes(bars, known.lo)
    best = np.log1p(each * (TOP - bars)[:, None])
    worst = np.log1p(each * (known.lo - bars)[:, None])
    some = draws.n > 0
    seen = np.where(some, known.share(np.nan_to_num(draws.mean)), 0.0)
    typical = np.where(some[:, None], now / np.maximum(draws.n, 1.0)[:, None], worst)

    def reaches(share: Floats) -> Floats:
        up = np.clip((share - seen) / np.maximum(1.0 - seen, 1e-9), 0.0, 1.0)[:, None]
        down = np.clip((seen - share) / np.maximum(seen, 1e-9), 0.0, 1.0)[:, None]
        step = (1.0 - up - down) * typical + up * best + down * worst
        return np.asarray(mix(now + more[:, None] * step) >= target)

    low, high = np.zeros(draws.streams), np.ones(draws.streams)
    possible = reaches(high)
    for _ in range(20):
        middle = (low + high) / 2
        enough = reaches(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(possible, high, 2.0)
