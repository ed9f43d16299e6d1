"""The hard budget: the worst case of a request is set aside before it leaves and returned when its reply is priced."""

from __future__ import annotations

import asyncio
from decimal import Decimal

ZERO = Decimal(0)


class BudgetEnded(Exception):
    """The next request does not fit, and no request in flight can give anything back."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Budget:
    """Dollars and calls of one audit; requests in flight together can never pass it.

    ``limit_usd`` and ``max_calls`` are of the audit in all, what earlier runs of it spent included; None means no
    limit. What it cannot see: attempts that a provider bills although it failed them before our own retry.
    """

    def __init__(self, limit_usd: Decimal | None, max_calls: int | None, *, spent_usd: Decimal, calls: int) -> None:
        self._limit = limit_usd
        self._max_calls = max_calls
        self.spent_usd = spent_usd
        self.calls = calls
        self._reserved = ZERO
        self._in_flight = 0
        self._changed = asyncio.Condition()

    @property
    def limited(self) -> bool:
        """True when there is a limit in dollars: then every request needs a price."""
        return self._limit is not None

    async def reserve(self, worst_usd: Decimal) -> None:
        """Set ``worst_usd`` aside, waiting for requests in flight when that can help; raises `BudgetEnded`."""
        async with self._changed:
            while not self._fits(worst_usd):
                if not self._in_flight:
                    raise BudgetEnded(self._ended(worst_usd))
                await self._changed.wait()
            self._reserved += worst_usd
            self._in_flight += 1
            self.calls += 1

    async def settle(self, worst_usd: Decimal, cost_usd: Decimal) -> None:
        """The reply came and cost ``cost_usd``: the rest of what was set aside is free again."""
        async with self._changed:
            self._reserved -= worst_usd
            self._in_flight -= 1
            self.spent_usd += cost_usd
            self._changed.notify_all()

    def _fits(self, worst_usd: Decimal) -> bool:
        if self._max_calls is not None and self.calls >= self._max_calls:
            return False
        return self._limit is None or self.spent_usd + self._reserved + worst_usd <= self._limit

    def _ended(self, worst_usd: Decimal) -> str:
        if self._max_calls is not None and self.calls >= self._max_calls:
            return f"the limit of {self._max_calls:,} calls is reached"
        return f"the budget of ${self._limit} does not cover the next request, which could cost ${worst_usd:.4f}"
