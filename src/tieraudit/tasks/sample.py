"""One call of the learning sample: its prompt, its answer, and what a recogniser is tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tieraudit.tasks.shapes import Answer
from tieraudit.tasks.traits import Traits

MIN_SUPPORT = 12
SUPPORT_SHARE = 0.0008
OVERLAP = 0.2


@dataclass(slots=True)
class Sampled:
    """A call of the uniform sample on which tasks are learned. ``at`` is in seconds since 1970, ``spend`` in US dollars
    (1 for every call when nothing is priced).
    """

    call_id: str
    at: float
    spend: float
    traits: Traits
    answer: Answer | None
    tags: tuple[str, ...]


def minimum_support(calls: int) -> int:
    """How many calls must share a template before it is one: METHOD 4.1, max(12, .0008 n)."""
    return max(MIN_SUPPORT, round(SUPPORT_SHARE * calls))


@dataclass(frozen=True, slots=True)
class Span:
    """When a prompt is in use: from its 5 % to its 95 % quantile, so that stragglers do not count."""

    first: float
    last: float

    @classmethod
    def of(cls, times: Sequence[float]) -> Span:
        """The span of the times of its calls, in seconds."""
        low, high = np.quantile(np.asarray(times), [0.05, 0.95])
        return cls(float(low), float(high))

    def beside(self, other: Span) -> bool:
        """Whether the two run side by side: more than a fifth of the shorter one lies inside the other."""
        overlap = min(self.last, other.last) - max(self.first, other.first)
        shorter = min(self.last - self.first, other.last - other.first)
        return overlap >= 0 if shorter <= 0 else overlap > OVERLAP * shorter
