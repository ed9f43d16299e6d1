"""The log's window in whole days, and the one rule that turns its cost into a cost per month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

DAYS_PER_MONTH = Decimal("30.4375")
DAYS_PER_YEAR = Decimal(365)
DAY = timedelta(days=1)
NANO = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Window:
    """From the first to the last call of the log, both UTC and aware."""

    first_call: datetime
    last_call: datetime

    @property
    def days(self) -> int:
        """Whole 24-hour days from the first call to the last, rounded up, at least one."""
        return max(1, -((self.first_call - self.last_call) // DAY))

    @property
    def monthly(self) -> bool:
        """False when the log spans under 24 hours: one night or one rush hour says nothing of a month."""
        return self.last_call - self.first_call >= DAY

    def per_month(self, window_usd: Decimal) -> Decimal:
        """``window_usd`` x 30.4375 / days, in nano-dollars. Ask `monthly` before showing it to anyone."""
        return (window_usd * DAYS_PER_MONTH / self.days).quantize(NANO)


def per_year(month_usd: Decimal) -> Decimal:
    """A month of 30.4375 days scaled to a year of 365."""
    return (month_usd * DAYS_PER_YEAR / DAYS_PER_MONTH).quantize(NANO)
