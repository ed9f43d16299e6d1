"""Where the next replay is worth most: dollars times P(good) over the replays that a decision still takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tieraudit.evidence.betting import mix, stakes
from tieraudit.evidence.draws import Draws, Floats, Ints
from tieraudit.evidence.posterior import Posterior

BATCH = 5
TASKS_A_ROUND = 8
MOST = 4096


def growth(known: Posterior, draws: Draws, m: ArrayLike) -> Floats:
    """ln E gained by a draw, to be expected of a good bettor: KL(posterior mean || bar); 1e-4 where it is below."""
    mean = known.a / (known.a + known.b)
    bar = known.share(m)
    divergence = mean * np.log(mean / bar) + (1.0 - mean) * np.log((1.0 - mean) / (1.0 - bar))
    weight_of_a_draw = (known.a + known.b) / (draws.n + 2.0)
    return np.where(mean > bar, np.maximum(divergence * weight_of_a_draw, 1e-4), 1e-4)


def draws_to_decide(needed: Floats, log_e: Floats, rate: Floats) -> Floats:
    """Draws until ln E goes from ``log_e`` to ``needed`` at ``rate`` a draw, at least 0."""
    return np.maximum(needed - log_e, 0.0) / rate


def index(weight_usd: float, p_good: float, draws: float) -> float:
    """What a batch on this task is worth: the larger the sooner. ``draws`` as `draws_to_decide` gives them."""
    return weight_usd * p_good / (draws + BATCH)


def perfect_draws(log_wealths: Floats, m: ArrayLike, lo: ArrayLike, needed: Floats) -> Ints:
    """How many flawless draws in a row would lift ln E to ``needed``: agreement of 1, or a difference of 0.

    Shape (streams,), at most 4096; fewer can never do where flawless is the best that a draw can be.
    """
    low = np.broadcast_to(np.asarray(lo, dtype=np.float64), (len(log_wealths),))
    bars = np.broadcast_to(np.asarray(m, dtype=np.float64), (len(log_wealths),))
    flawless = np.where(low < 0, 0.0, 1.0)
    gain = np.log1p(stakes(bars, low) * (flawless - bars)[:, None])
    below = np.full(len(log_wealths), -1, dtype=np.int64)
    above = np.full(len(log_wealths), MOST, dtype=np.int64)
    while np.any(above - below > 1):
        middle = (below + above) // 2
        enough = mix(log_wealths + middle[:, None] * gain) >= needed
        below, above = np.where(enough, below, middle), np.where(enough, middle, above)
    return above


def batch(perfect: int, left: int, missing: int) -> int:
    """The next batch: half of the flawless draws still needed, at least 5 and ``missing``, at most ``left``."""
    return min(max(-(-perfect // 2), BATCH, missing), left)
