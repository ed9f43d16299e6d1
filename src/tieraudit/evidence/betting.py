"""The e-process: capital won by betting against "the mean is at most m"; 1/alpha of it rejects at level alpha.

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 2024
(arXiv 2010.09686), with a fixed grid of bets; Ville's inequality makes every look at it valid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tieraudit.evidence.draws import Draws, Floats

BETS: Floats = np.r_[0.05, np.arange(0.1, 0.95, 0.1), 0.97]
"""The shares of the largest safe stake that are bet, each on a purse of its own; the evidence is their mean."""


def stakes(m: ArrayLike, lo: ArrayLike = 0.0) -> Floats:
    """lambda_k = g_k / (m - lo), shape (..., 11): below 1/(m - lo), so that no outcome can ruin a purse."""
    distance = np.asarray(m, dtype=np.float64) - np.asarray(lo, dtype=np.float64)
    return np.asarray(BETS / distance[..., None], dtype=np.float64)


def mix(purses: Floats) -> Floats:
    """ln E from the ln of the purses on the last axis: E is their mean."""
    richest = purses.max(axis=-1)
    return np.asarray(richest + np.log(np.exp(purses - richest[..., None]).mean(axis=-1)))


def log_wealths(draws: Draws, m: ArrayLike, lo: ArrayLike = 0.0) -> Floats:
    """ln of each purse of each stream, shape (streams, 11), against H0: mean of x <= ``m``; no x lies below ``lo``."""
    bars = draws.spread(m)
    excess = draws.x - bars[draws.stream]
    each = stakes(bars, lo)
    columns = [draws.total(np.log1p(each[draws.stream, k] * excess)) for k in range(len(BETS))]
    return np.stack(columns, axis=1)


def log_path(x: ArrayLike, m: float, lo: float = 0.0) -> Floats:
    """ln E after each draw, shape of ``x`` (draws on the last axis): the wealth curve of a report."""
    values = np.asarray(x, dtype=np.float64)
    total = np.empty((*values.shape, len(BETS)))
    for k, stake in enumerate(stakes(m, lo)):
        np.cumsum(np.log1p(stake * (values - m)), axis=-1, out=total[..., k])
    return mix(total)


class Evidence:
    """One e-process against H0: the mean of outcomes that are at least ``lo`` is at most ``m``.

    Agreement against a bar: ``Evidence(1 - d)``. Paired difference or a judge's win/tie/loss: ``Evidence(-d, lo=-1)``.
    For many streams at once use `log_wealths`; for a curve `log_path`.
    """

    def __init__(self, m: float, lo: float = 0.0) -> None:
        """Raises ValueError unless ``lo < m``: the stakes are scaled by the distance."""
        if not lo < m:
            raise ValueError(f"the bar {m} must lie above the smallest outcome {lo}")
        self.m = m
        self.lo = lo
        self._stakes = stakes(m, lo)
        self._log_wealths: Floats = np.zeros(len(BETS))

    def add(self, x: ArrayLike) -> None:
        """Bet on one outcome, or on several in turn; raises ValueError for an outcome below ``lo``."""
        values = np.atleast_1d(np.asarray(x, dtype=np.float64))
        if not np.all(values >= self.lo):
            raise ValueError(f"an outcome lies below {self.lo}")
        self._log_wealths += np.log1p(self._stakes * (values[:, None] - self.m)).sum(axis=0)

    @property
    def e(self) -> float:
        """The capital that one dollar has become."""
        return float(np.exp(mix(self._log_wealths)))
