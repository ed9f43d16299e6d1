"""Anytime-valid bounds on a mean: the values that the e-process has not rejected, on a grid.

Source: inversion of the betting e-process (arXiv 2010.09686, section 4). Each bound alone holds with probability
1 - alpha at every look, however often and whenever one looks.
"""

from __future__ import annotations

import numpy as np

from tieraudit.evidence.betting import log_wealths, mix
from tieraudit.evidence.draws import Draws, Floats, Ints

GRID = 1024
"""Cells of the grid over the range of outcomes; a bound is rounded outwards to the cell's edge."""


def lower_bound(draws: Draws, *, lo: float = 0.0, hi: float = 1.0, alpha: float = 0.05) -> Floats:
    """The largest grid value m with E(m) >= 1/alpha for each stream, ``lo`` where there is none; shape (streams,).

    It lies at or above a bar exactly when the evidence against "mean <= bar" has reached 1/alpha, up to the grid.
    """
    return lo + (hi - lo) * _rejected(draws, lo, hi, alpha) / GRID


def upper_bound(draws: Draws, *, lo: float = 0.0, hi: float = 1.0, alpha: float = 0.05) -> Floats:
    """The mirror image of `lower_bound`: the smallest value not yet exceeded by the mean, ``hi`` without evidence."""
    mirrored = Draws(lo + hi - draws.x, draws.count, draws.stream, draws.streams)
    return hi - (hi - lo) * _rejected(mirrored, lo, hi, alpha) / GRID


def _rejected(draws: Draws, lo: float, hi: float, alpha: float) -> Ints:
    """How many cells from ``lo`` on are rejected; by bisection, since E(m) falls as m rises."""
    needed = np.log(1 / alpha)
    below = np.zeros(draws.streams, dtype=np.int64)
    above = np.full(draws.streams, GRID, dtype=np.int64)
    while np.any(above - below > 1):
        middle = np.maximum((below + above) // 2, 1)
        rejects = mix(log_wealths(draws, lo + (hi - lo) * middle / GRID, lo)) >= needed
        below = np.where(rejects, middle, below)
        above = np.where(rejects, above, middle)
    return below
