"""Has it changed since? Intervals for the change of a share, of a mean and of a daily volume, for logs not for samples.

They hold at one look; whoever makes several comparisons divides ``alpha`` by their number. To watch replays as they
come in, use the e-process of `betting` instead, which holds at every look.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

MIN_RESIDUALS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What was, what is, and an interval for the change: a difference of shares, or a ratio of means or volumes."""

    before: float
    now: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Moments:
    """The number, the mean and the variance of some amounts."""

    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, n: int, total: float, squares: float) -> Moments:
        """From the sum of the amounts and of their squares."""
        mean = total / n if n else 0.0
        return cls(n, mean, max(0.0, (squares - n * mean * mean) / (n - 1)) if n > 1 else 0.0)


@dataclass(frozen=True, slots=True)
class Days:
    """A count for each whole day of a window, with the day of the week (0 to 6)."""

    weekdays: Sequence[int]
    counts: Sequence[float]


def share_change(before: tuple[int, int], now: tuple[int, int], *, alpha: float) -> Change:
    """The difference now - before of two shares, each (hits, trials) with trials > 0.

    Exact Beta limits of each share, combined by the square-and-add rule (Newcombe 1998, Statistics in Medicine 17,
    873-890, method 10 with Clopper-Pearson in place of Wilson limits), so that zero hits need no special care.
    """
    was, is_now = before[0] / before[1], now[0] / now[1]
    (low_before, high_before), (low_now, high_now) = exact_limits(*before, alpha=alpha), exact_limits(*now, alpha=alpha)
    difference = is_now - was
    return Change(
        was,
        is_now,
        difference - math.hypot(is_now - low_now, high_before - was),
        difference + math.hypot(high_now - is_now, was - low_before),
    )


def exact_limits(hits: int, trials: int, *, alpha: float) -> tuple[float, float]:
    """Clopper-Pearson limits of a share: each is wrong with probability alpha / 2 at most."""
    low = 0.0 if hits == 0 else float(stats.beta.ppf(alpha / 2, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(stats.beta.ppf(1 - alpha / 2, hits + 1, trials - hits))
    return low, high


def mean_ratio(before: Moments, now: Moments, *, alpha: float) -> Change | None:
    """The ratio now / before of two means of positive amounts; None when one of them is zero or has fewer than two.

    A log-normal interval: the delta method gives the variance of the log of a mean as variance / (n mean^2).
    """
    if min(before.n, now.n) < 2 or before.mean <= 0 or now.mean <= 0:
        return None
    spread = math.sqrt(sum(each.variance / (each.n * each.mean**2) for each in (before, now)))
    degrees = min(before.n, now.n) - 1
    return _ratio(before.mean, now.mean, now.mean / before.mean, spread, degrees, alpha)


def dispersion(days: Days) -> tuple[float, int] | None:
    """How much wider than Poisson the daily counts scatter (1 or more), and from how many degrees of freedom.

    Around the mean of their day of the week where the window has enough weeks for that, else around the mean of all
    days, which counts the weekly rhythm as scatter. None with too few days or no calls at all.
    """
    overall = sum(days.counts) / max(1, len(days.counts))
    by_weekday = {weekday: sum(counts) / len(counts) for weekday, counts in _group(days).items()}
    models = (
        ([by_weekday[weekday] for weekday in days.weekdays], len(by_weekday)),
        ([overall] * len(days.counts), 1),
    )
    for means, parameters in models:
        degrees = len(days.counts) - parameters
        squares = [(count - mean) ** 2 / mean for count, mean in zip(days.counts, means, strict=True) if mean > 0]
        if degrees >= MIN_RESIDUALS and squares:
            return max(1.0, sum(squares) / degrees), degrees
    return None


def volume_ratio(before: Days, now: Days, *, scatter: float, degrees: int, alpha: float) -> Change | None:
    """The ratio of the calls a day now to what the same days of the week brought before; None without calls before.

    Quasi-Poisson with the ``scatter`` and ``degrees`` of `dispersion`: variance = scatter x mean, on the log scale.
    """
    by_weekday = _group(before)
    overall = sum(before.counts) / max(1, len(before.counts))
    expected, variance = 0.0, 0.0
    for weekday, counts in _group(now).items():
        known = by_weekday.get(weekday)
        mean = sum(known) / len(known) if known else overall
        seen = len(known) if known else len(before.counts)
        expected += len(counts) * mean
        variance += len(counts) ** 2 * scatter * mean / max(1, seen)
    if expected <= 0:
        return None
    observed = sum(now.counts)
    # Half a call keeps the logarithm of an empty window finite.
    ratio = max(observed, 0.5) / expected
    spread = math.sqrt(scatter / max(observed, 0.5) + variance / expected**2)
    days = len(now.counts)
    return _ratio(expected / days, observed / days, ratio, spread, degrees, alpha)


def _ratio(before: float, now: float, ratio: float, spread: float, degrees: int, alpha: float) -> Change:
    reach = float(stats.t.ppf(1 - alpha / 2, degrees)) * spread
    return Change(before, now, ratio * math.exp(-reach), ratio * math.exp(min(reach, 700.0)))


def _group(days: Days) -> dict[int, list[float]]:
    found: dict[int, list[float]] = defaultdict(list)
    for weekday, count in zip(days.weekdays, days.counts, strict=True):
        found[weekday].append(count)
    return found
