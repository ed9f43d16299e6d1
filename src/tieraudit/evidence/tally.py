"""Counted outcomes of a whole audit, turned into the streams of a decision and into the figures that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tieraudit.domain import PlannedTask
from tieraudit.evidence.bounds import lower_bound, upper_bound
from tieraudit.evidence.draws import Draws, Floats, Ints
from tieraudit.evidence.gates import Observed, gates_of


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Arrays of one length: ``count`` draws of gate number ``gate`` (see `gates_of`) came out in the same way.

    ``agreement`` lies in [0, 1]; ``self_agreement`` is NaN in stage 1. ``failed`` has shape (gates, 2): draws without
    an outcome in each stage.
    """

    gate: Ints
    stage: Ints
    outcome: Floats
    agreement: Floats
    self_agreement: Floats
    count: Floats
    failed: Floats

    def observed(self) -> Observed:
        """The streams of each gate and stage."""
        itself = self.draws(self.self_agreement, self.stage == 2)
        return Observed(
            first=self.draws(self.outcome, self.stage == 1),
            second=self.draws(self.outcome, self.stage == 2),
            failed_first=self.failed[:, 0],
            failed_second=self.failed[:, 1],
            self_agreement=itself.mean,
        )

    def draws(self, values: Floats, where: NDArray[np.bool_]) -> Draws:
        """``values`` of the rows ``where`` is true, as one stream for each gate."""
        return Draws(values[where], self.count[where], self.gate[where], len(self.failed))


@dataclass(frozen=True, slots=True)
class Tally:
    """What the replays of one planned task came to; agreement is that of the first gate, both stages together.

    ``low`` and ``high`` bound it, each with 95 %, at every look. ``agreed`` is None where scores are graded, ``judged``
    (wins, ties, losses) where no judge scores. ``by_label`` is the agreement with every label counted alike.
    """

    n: int = 0
    agreement: float | None = None
    low: float | None = None
    high: float | None = None
    agreed: int | None = None
    self_agreement: float | None = None
    by_label: float | None = None
    judged: tuple[int, int, int] | None = None


def tallies(plan: Sequence[PlannedTask], judged: Sequence[bool], outcomes: Outcomes) -> list[Tally]:
    """The tally of each entry of ``plan``."""
    agreement = outcomes.draws(outcomes.agreement, np.ones(len(outcomes.count), dtype=bool))
    n, mean = agreement.n, agreement.mean
    low, high = lower_bound(agreement), upper_bound(agreement)
    graded = agreement.total(((agreement.x > 0) & (agreement.x < 1)).astype(np.float64)) > 0
    itself = outcomes.observed().self_agreement
    signs = [outcomes.draws(outcomes.outcome, np.sign(outcomes.outcome) == sign).n for sign in (1, 0, -1)]
    found = [Tally() for _ in plan]
    rows = {key: row for row, key in enumerate(gates_of(plan))}
    for entry, planned in enumerate(plan):
        row = rows.get((entry, planned.gates[0])) if planned.gates else None
        if row is None or n[row] == 0:
            continue
        macro = rows.get((entry, "macro"))
        found[entry] = Tally(
            n=int(n[row]),
            agreement=float(mean[row]),
            low=float(low[row]),
            high=float(high[row]),
            agreed=None if graded[row] else round(n[row] * mean[row]),
            self_agreement=None if np.isnan(itself[row]) else float(itself[row]),
            by_label=float(mean[macro]) if macro is not None and n[macro] > 0 else None,
            judged=(int(signs[0][row]), int(signs[1][row]), int(signs[2][row])) if judged[entry] else None,
        )
    return found
