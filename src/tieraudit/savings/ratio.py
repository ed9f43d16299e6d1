"""The ratio estimator: what a task would cost on another tier, from the replays of a sample of its calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from scipy.stats import t as student

MIN_FOR_INTERVAL = 2


@dataclass(frozen=True, slots=True)
class Sampled:
    """One replayed call: its cost in the log, its cost on the candidate's tier, and how many calls it stands for."""

    now_usd: Decimal
    then_usd: Decimal
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Ratio:
    """Candidate dollars per incumbent dollar, with its standard error (None below two replays) from ``n`` calls."""

    value: Decimal
    standard_error: float | None
    n: int

    def then(self, now_usd: Decimal) -> Decimal:
        """What ``now_usd`` of incumbent spend becomes."""
        return now_usd * self.value

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Student's t interval of the ratio, n - 1 degrees of freedom; None below two replays."""
        if self.standard_error is None:
            return None
        reach = float(student.ppf((1 + level) / 2, self.n - 1)) * self.standard_error
        return float(self.value) - reach, float(self.value) + reach


def cost_ratio(sample: Sequence[Sampled], population: int) -> Ratio | None:
    """r = sum(w then) / sum(w now) over distinct sampled calls of a task with ``population`` priced calls.

    Var(r) = (1 - n/N) s^2 / n / mean(w now)^2, s^2 the variance of the residuals w (then - r now) (Cochran, Sampling
    Techniques, 3rd ed., 6.4). Distinct calls of draws with replacement are a simple random sample without
    replacement of their own size, so the finite-population factor holds. None when the sample cost nothing now.
    """
    spent = sum((call.weight * call.now_usd for call in sample), Decimal(0))
    if not spent:
        return None
    n = len(sample)
    value = sum((call.weight * call.then_usd for call in sample), Decimal(0)) / spent
    if n < MIN_FOR_INTERVAL:
        return Ratio(value, None, n)
    residuals = (float(call.weight * (call.then_usd - value * call.now_usd)) for call in sample)
    variance = sum(residual * residual for residual in residuals) / (n - 1)
    left = max(0.0, 1 - n / max(population, n))
    return Ratio(value, sqrt(left * variance / n) / float(spent / n), n)
