"""Dollar-weighted e-BH: of the spend that is said to move, at most alpha (in expectation) moves wrongly.

Source: Wang and Ramdas, "False discovery rate control with e-values", JRSS-B 2022 (arXiv 2009.02824), with spend as
the weight and each task's unit of weight shared over its tiers. With E[E] <= 1 under the null, the expected wrong share
is at most the sum over false hypotheses of w u alpha E[E] / W <= alpha, whatever the dependence, the stopping and the
allocation of replays, as long as every e-value is the one at the stop and not its running maximum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tieraudit.evidence.draws import Floats, Ints

TIER_SHARES = {1: (1.0,), 2: (0.7, 0.3), 3: (0.6, 0.25, 0.15)}
"""How a task's unit of weight is shared over its candidate tiers, cheapest first; each row sums to 1."""

TINY = 1e-300
"""Stands for no spend at all, so that nothing divides by zero."""


def tier_shares(tiers: int) -> tuple[float, ...]:
    """The row of `TIER_SHARES` for that many candidate tiers; raises ValueError for none or more than three."""
    if tiers not in TIER_SHARES:
        raise ValueError(f"{tiers} candidate tiers; one to three can be tested")
    return TIER_SHARES[tiers]


def accept(log_e: Floats, weights: Floats, shares: Floats, alpha: float) -> Ints:
    """The tier to which each task may move, -1 for none: the cheapest of the largest set that e-BH accepts.

    ``log_e`` is ln E, shape (tasks, tiers) with the cheapest tier first and -inf where nothing may be accepted;
    ``weights`` the spend of each task; ``shares`` the tiers' parts of its weight, which sum to at most 1.
    """
    score = log_e + np.log(shares)
    best = score.max(axis=1, initial=-np.inf)
    order = np.argsort(-best, kind="stable")
    beside = np.maximum(np.cumsum(weights[order]), TINY)
    needed = np.log(np.maximum(weights.sum(), TINY)) - np.log(alpha) - np.log(beside)
    passing = np.flatnonzero(best[order] >= needed)
    if len(passing) == 0:
        return np.full(len(weights), -1, dtype=np.int64)
    enough = score >= needed[passing[-1]]
    return np.where(enough.any(axis=1), enough.argmax(axis=1), -1)


def log_thresholds(members: NDArray[np.bool_], weights: Floats, shares: Floats, alpha: float) -> Floats:
    """ln of the e-value that each task and tier needs to be accepted beside the tasks in ``members``.

    Shape (tasks, tiers): W / (alpha u_t (w of the members, the task itself among them)).
    """
    beside = weights[members].sum() + np.where(members, 0.0, weights)
    by_task = np.log(np.maximum(weights.sum(), TINY)) - np.log(alpha) - np.log(np.maximum(beside, TINY))
    return np.asarray(by_task[:, None] - np.log(shares)[None, :])
