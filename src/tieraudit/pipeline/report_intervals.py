"""The 95 % intervals of a report's amounts: the log's days drawn again, with the sampling error of every move."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tieraudit.pipeline.money import Money
from tieraudit.render.report import Interval
from tieraudit.savings.bootstrap import MIN_DAYS, Bounds, Floats, Move, bounds, resample
from tieraudit.savings.window import DAYS_PER_MONTH, per_year


class Intervals:
    """Bounds for the bill and the savings of the ``moved`` (task, tier) pairs; the same seed gives the same bounds.

    A month that one or two days stand for has none. A log under 24 hours has no month: its amounts are the window's,
    and only the sampling error of the moves is left.
    """

    def __init__(self, money: Money, moved: Sequence[tuple[str, str]], *, seed: int) -> None:
        self._monthly = money.window.monthly
        self._scale = DAYS_PER_MONTH / money.window.days if self._monthly else Decimal(1)
        self._known = not self._monthly or money.window.days >= MIN_DAYS
        self._row = {task_id: place for place, (task_id, _) in enumerate(moved)}
        moves = [_move(money, *pair) for pair in moved]
        self._drawn = resample(_daily(money), moves, seed=seed, by_day=self._monthly)

    def task(self, task_id: str) -> Bounds | None:
        """The savings of a task that moves; None for one that stays."""
        if not self._known or task_id not in self._row:
            return None
        return bounds(self._drawn.savings[self._row[task_id]], self._scale)

    def now(self, value: Decimal) -> Interval:
        """The bill today: what a window cost is known and needs no interval."""
        return self._around(value, self._drawn.now) if self._monthly else Interval(value)

    def then(self, value: Decimal) -> Interval:
        """The bill after."""
        return self._around(value, self._drawn.then)

    def savings(self, value: Decimal) -> Interval:
        """The savings."""
        return self._around(value, self._drawn.total_savings)

    def savings_year(self, value: Decimal) -> Interval | None:
        """The savings of a year; None where there is no month."""
        if not self._monthly:
            return None
        month = self.savings(value)
        low, high = (None if bound is None else per_year(bound) for bound in (month.low, month.high))
        return Interval(per_year(value), low, high)

    def _around(self, value: Decimal, draws: Floats) -> Interval:
        if not self._known:
            return Interval(value)
        found = bounds(draws, self._scale)
        return Interval(value, found.low, found.high)


def _move(money: Money, task_id: str, tier: str) -> Move:
    """A move without a known price saves nothing for sure."""
    price = money.prices.get((task_id, tier))
    if price is None:
        return Move(money.cost(task_id).daily_answered, ratio=1.0, standard_error=0.0, degrees=1)
    return Move(
        daily_usd=money.cost(task_id).daily_answered,
        ratio=float(price.ratio.value),
        standard_error=price.ratio.standard_error or 0.0,
        degrees=max(1, price.ratio.n - 1),
    )


def _daily(money: Money) -> list[float]:
    """The whole bill by day of the window."""
    costs = [*money.tasks.values(), money.outside]
    return [
        sum(cost.daily_answered[day] + cost.daily_failed[day] for cost in costs) for day in range(money.window.days)
    ]
