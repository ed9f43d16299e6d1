"""Intervals of monthly money: whole days drawn again within their weekday, with the sampling error of each ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 4000
MIN_DAYS = 3
WEEKDAY_DAYS = 14
CENT_OF_CENT = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The 2.5 % and 97.5 % quantiles of an amount."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Move:
    """A task that changes tier: its daily cost in the log that would move, and its ratio with standard error and df.

    ``daily_usd`` has one number a day of the window. ``standard_error`` 0 where the ratio is exact.
    """

    daily_usd: Sequence[float]
    ratio: float
    standard_error: float
    degrees: int


@dataclass(frozen=True, slots=True)
class Resampled:
    """Draws of the window's totals: the bill ``now``, and the ``savings`` of each move, in dollars of the window."""

    now: Floats
    savings: Floats

    @property
    def total_savings(self) -> Floats:
        """Savings over all moves, one number a draw."""
        return np.asarray(self.savings.sum(axis=0), dtype=np.float64)

    @property
    def then(self) -> Floats:
        """The bill after, one number a draw."""
        return self.now - self.total_savings


def day_weights(days: int, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """How often each day counts in each draw, shape (draws, days); the weights of a draw sum to ``days``.

    From 14 days on, days are drawn within their weekday, so that a draw keeps the rhythm of the week; below, all
    days are one stratum. Strata are small (two Mondays in two weeks), and drawing m of m would understate the spread by
    (m - 1) / m: counts are stretched around 1 by sqrt(m / (m - 1)) (Rao and Wu, JASA 1988, section 2.1).
    """
    stratum = np.arange(days) % 7 if days >= WEEKDAY_DAYS else np.zeros(days, dtype=np.int64)
    weights = np.ones((draws, days))
    for label in np.unique(stratum):
        members = np.flatnonzero(stratum == label)
        size = len(members)
        if size == 1:
            continue
        counts = rng.multinomial(size, np.full(size, 1 / size), size=draws)
        weights[:, members] = 1 + np.sqrt(size / (size - 1)) * (counts - 1)
    return weights


def resample(daily_now: Sequence[float], moves: Sequence[Move], *, seed: int, by_day: bool = True) -> Resampled:
    """Draw the window again and again; same seed, same draws.

    ``daily_now`` is the whole bill by day. Every move uses the same days within a draw, because a busy day is busy for
    all tasks; its ratio is drawn from its own t distribution. ``by_day`` False keeps the days as they were (for a
    log too short to say how days differ) and leaves only the sampling error.
    """
    rng = np.random.default_rng(seed)
    days = len(daily_now)
    weights = day_weights(days, rng) if by_day else np.ones((DRAWS, days))
    now = np.einsum("rd,d->r", weights, np.asarray(daily_now, dtype=np.float64))
    savings = np.zeros((len(moves), DRAWS))
    for row, move in enumerate(moves):
        noise = rng.standard_t(max(1, move.degrees), size=DRAWS) * move.standard_error
        moved = np.einsum("rd,d->r", weights, np.asarray(move.daily_usd, dtype=np.float64))
        savings[row] = moved * (1 - (move.ratio + noise))
    return Resampled(now, savings)


def bounds(draws: Floats, scale: Decimal) -> Bounds:
    """The 95 % bounds of ``draws`` x ``scale``, rounded so that the last bits of an addition do not show."""
    low, high = (Decimal(repr(float(quantile))) for quantile in np.quantile(draws, [0.025, 0.975]))
    return Bounds((low * scale).quantize(CENT_OF_CENT), (high * scale).quantize(CENT_OF_CENT))
