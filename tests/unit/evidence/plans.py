"""Plans and outcomes for tests of the decision, without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike

from tieraudit.domain import PlannedTask
from tieraudit.evidence.draws import Draws
from tieraudit.evidence.gates import Observed, gates_of

Key = tuple[str, str, str, int]
"""(task, tier, gate, stage)."""


def planned(
    task: str = "a",
    tier: str = "small",
    *,
    usd: str = "1",
    margin: float = 0.05,
    gates: tuple[str, ...] = ("agreement",),
    scorer: str = "label",
) -> PlannedTask:
    """One task at one tier."""
    return PlannedTask(task, f"task {task}", tier, f"{tier}-model", Decimal(usd), margin, scorer, gates)


def observed(
    plan: Sequence[PlannedTask],
    outcomes: Mapping[Key, ArrayLike],
    *,
    failed: Mapping[Key, int] | None = None,
    self_agreement: Mapping[str, float] | None = None,
) -> Observed:
    """The outcomes by task, tier, gate and stage; what is not named was not drawn."""
    rows = [(plan[entry].task_id, plan[entry].tier, gate) for entry, gate in gates_of(plan)]
    missing = failed or {}
    return Observed(
        first=Draws.of([outcomes.get((*row, 1), []) for row in rows]),
        second=Draws.of([outcomes.get((*row, 2), []) for row in rows]),
        failed_first=np.array([missing.get((*row, 1), 0) for row in rows], dtype=float),
        failed_second=np.array([missing.get((*row, 2), 0) for row in rows], dtype=float),
        self_agreement=np.array([(self_agreement or {}).get(row[0], np.nan) for row in rows], dtype=float),
    )


def agreed(yes: int, no: int = 0) -> list[float]:
    """``yes`` draws that agreed and ``no`` that did not."""
    return [1.0] * yes + [0.0] * no
