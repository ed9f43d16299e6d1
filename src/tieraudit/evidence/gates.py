"""The gates of a plan side by side: each one's draws turned into evidence, forecast and next batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tieraudit.domain import PlannedTask
from tieraudit.evidence import allocation, staged
from tieraudit.evidence.betting import log_wealths, mix
from tieraudit.evidence.draws import Draws, Floats, Ints
from tieraudit.evidence.posterior import accept_probability, posterior
from tieraudit.evidence.staged import LOWEST_SELF_AGREEMENT, Reading, Rule, State


@dataclass(frozen=True, slots=True)
class Observed:
    """All outcomes so far: one stream for each gate of each entry (see `gates_of`), in each stage.

    ``failed_first`` and ``failed_second`` count draws without an outcome; ``self_agreement`` is NaN without reruns.
    """

    first: Draws
    second: Draws
    failed_first: Floats
    failed_second: Floats
    self_agreement: Floats


def gates_of(plan: Sequence[PlannedTask]) -> list[tuple[int, str]]:
    """The streams of a plan: (index of the entry, gate), in the order in which `Observed` has them."""
    return [(entry, gate) for entry, planned in enumerate(plan) for gate in planned.gates]


class Gates:
    """Every gate of a plan with its reading and its rule; all arrays have one row for each gate."""

    def __init__(self, plan: Sequence[PlannedTask], rules: Sequence[Rule], observed: Observed) -> None:
        """``rules`` has one rule for each entry of ``plan``."""
        self.keys = gates_of(plan)
        self.entry = np.array([entry for entry, _ in self.keys], dtype=np.int64)
        self.rules = [rules[entry] for entry in self.entry]
        self._seen = observed
        margin = np.array([plan[entry].margin for entry in self.entry], dtype=np.float64)
        judged = np.array([rule.judged for rule in self.rules], dtype=bool)
        self._bar = (np.where(judged, -margin, 1.0 - margin), -margin)
        self._lo = (np.where(judged, -1.0, 0.0), np.full(len(margin), -1.0))
        self._draws = (observed.first, observed.second)
        self._purses = tuple(log_wealths(self._draws[s], self._bar[s], self._lo[s]) for s in (0, 1))
        self._known = tuple(posterior(self._draws[s], self._lo[s]) for s in (0, 1))
        self.readings = self._read(margin)
        self.stage = np.array([staged.stage_of(*pair) for pair in self._pairs()], dtype=np.int64)
        self.drawn = np.array([staged.drawn_of(*pair) for pair in self._pairs()], dtype=np.int64)
        self.log_e = np.array([staged.log_e_of(*pair) for pair in self._pairs()], dtype=np.float64)
        self.p_good = np.array([staged.p_good_of(*pair) for pair in self._pairs()], dtype=np.float64)
        caps = [(rule.cap(1), rule.cap(2)) for rule in self.rules]
        self._caps = np.array(caps, dtype=np.int64).reshape(-1, 2)
        self.left = np.where(self.stage == 2, self._caps[:, 1], self._caps[:, 0]) - self.drawn

    def states(self, log_thresholds: Floats) -> list[State]:
        """The state of each gate when its e-value must reach ``log_thresholds`` (one for each gate)."""
        needed = self._needed(log_thresholds)
        forecasts = [
            accept_probability(self._draws[s], self._known[s], self._bar[s], needed, self.left) for s in (0, 1)
        ]
        forecast = np.where(self.stage == 2, forecasts[1], forecasts[0])
        return [staged.state_of(*pair, float(p)) for pair, p in zip(self._pairs(), forecast, strict=True)]

    def perfect_draws(self, log_thresholds: Floats) -> Ints:
        """How many flawless draws of its current stage each gate still needs."""
        needed = self._needed(log_thresholds)
        counts = [allocation.perfect_draws(self._purses[s], self._bar[s], self._lo[s], needed) for s in (0, 1)]
        return np.where(self.stage == 2, counts[1], counts[0])

    def draws_to_decide(self, log_thresholds: Floats) -> Floats:
        """How many draws each gate still takes if it goes on as it has begun."""
        needed = self._needed(log_thresholds)
        steps = [
            allocation.draws_to_decide(
                needed, mix(self._purses[s]), allocation.growth(self._known[s], self._draws[s], self._bar[s])
            )
            for s in (0, 1)
        ]
        return np.where(self.stage == 2, steps[1], steps[0])

    def _needed(self, log_thresholds: Floats) -> Floats:
        pairs = zip(self._pairs(), log_thresholds, strict=True)
        return np.array([staged.needed_of(*pair, float(threshold)) for pair, threshold in pairs], dtype=np.float64)

    def _pairs(self) -> list[tuple[Reading, Rule]]:
        return list(zip(self.readings, self.rules, strict=True))

    def _read(self, margin: Floats) -> list[Reading]:
        seen = self._seen
        n = [draws.n for draws in self._draws]
        log_e = [mix(purses) for purses in self._purses]
        good = [known.above(bar) for known, bar in zip(self._known, self._bar, strict=True)]
        floor = self._known[0].above(LOWEST_SELF_AGREEMENT - margin)
        return [
            Reading(
                n_first=int(n[0][g]),
                drawn_first=int(n[0][g] + seen.failed_first[g]),
                log_e_first=float(log_e[0][g]),
                p_good_first=float(good[0][g]),
                p_floor=float(floor[g]),
                n_second=int(n[1][g]),
                drawn_second=int(n[1][g] + seen.failed_second[g]),
                log_e_second=float(log_e[1][g]),
                p_good_second=float(good[1][g]),
                self_agreement=None if np.isnan(seen.self_agreement[g]) else float(seen.self_agreement[g]),
            )
            for g in range(len(margin))
        ]
