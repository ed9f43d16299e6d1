"""What a scorer is: one method with one context argument, a name and a version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tieraudit.domain import Output, Score

Ask = Callable[[str, str], str]
"""A judge's model: system prompt and user prompt in, text out; raises on failure."""


@dataclass(frozen=True, slots=True)
class Context:
    """Two answers to the same request: ``reference`` is the incumbent's, ``answer`` the one under test.

    ``seed`` makes every choice of a scorer (which answer a judge sees first) repeatable.
    """

    request: dict[str, Any]
    reference: Output
    answer: Output
    labels: frozenset[str] = field(default_factory=frozenset)
    ask: Ask | None = None
    seed: int = 0


class Scorer(Protocol):
    """Compares two answers. ``version`` is bumped when old scores stop being comparable.

    ``lowest`` is the smallest value a score can have: 0 for agreement, -1 for a pairwise judge.
    """

    name: str
    version: int
    lowest: float

    def score(self, context: Context) -> Score:
        """How far they agree; raises ValueError when this scorer cannot compare the two (then the case is excluded)."""
