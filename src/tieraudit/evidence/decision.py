"""The decision over all tasks and tiers: what is proven, what is given up, what to replay next.

A pure function of the outcomes so far. Nothing is remembered between two calls, and nothing needs to be: an e-value
does not depend on the order of draws, a task that is accepted or given up gets no more draws, the set that e-BH accepts
only grows while its members stand still, and the threshold by which tasks are given up only rises. So deciding after
every batch and deciding once from all stored outcomes end at the same verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tieraudit.domain import PlannedTask
from tieraudit.evidence import allocation, ebh
from tieraudit.evidence.draws import Floats
from tieraudit.evidence.gates import Gates, Observed
from tieraudit.evidence.guards import surely_too_many_errors, too_many_errors
from tieraudit.evidence.staged import PILOT, Rule, State

Ask = tuple[str, int, int]
"""The next draws of one gate: (gate, stage, count)."""


class Ending(StrEnum):
    """Where a planned task stands; only an OPEN one is replayed further."""

    OPEN = "open"
    WAITING = "waiting"
    PROVEN = "proven"
    NOT_NEEDED = "not needed"
    REFUTED = "refuted"
    FLOOR_UNKNOWN = "floor unknown"
    UNLIKELY = "unlikely"
    CAPPED = "capped"
    UNSTEADY = "unsteady"
    FAILING = "failing"
    UNTESTED = "untested"


GIVEN_UP = {
    State.UNSTEADY: Ending.UNSTEADY,
    State.REFUTED: Ending.REFUTED,
    State.FLOOR_UNKNOWN: Ending.FLOOR_UNKNOWN,
    State.UNLIKELY: Ending.UNLIKELY,
}
"""One gate in such a state ends the whole entry; the first in this order names why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all tasks. ``tiers`` are the candidates, cheapest first; ``staged``: the incumbent is rerun."""

    tiers: tuple[str, ...]
    alpha: float = 0.05
    min_cases: int = 30
    cap_first: int = 300
    staged: bool = False

    def rule(self, judged: bool) -> Rule:
        """The rule of a gate; a judge compares with the logged answer itself and needs no second stage."""
        return Rule(self.cap_first, 2 * self.cap_first, staged=self.staged and not judged, judged=judged)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one planned task stands: its e-value against its threshold, its draws, and the next ones if any.

    ``left`` is how many draws its most used gate may still take; ``worth`` ranks the open entries.
    """

    ending: Ending
    e_value: float
    threshold: float
    stage: int
    drawn: int
    failed: int
    p_good: float
    worth: float
    left: int
    asks: tuple[Ask, ...] = ()


def decide(
    plan: Sequence[PlannedTask], judged: Sequence[bool], observed: Observed, settings: Settings
) -> list[Standing]:
    """Where every entry of ``plan`` stands; ``judged[i]`` is True where a pairwise judge scores entry i."""
    gates = Gates(plan, [settings.rule(each) for each in judged], observed)
    book = _Book(plan, gates, settings)
    states = book.give_up()
    chosen = book.accepted()
    current = book.log_thresholds(chosen)
    asks = book.asks(states, current)
    endings = book.endings(chosen, asks)
    steps = gates.draws_to_decide(current[gates.entry])
    return [book.standing(i, endings[i], current, steps, asks[i]) for i in range(len(plan))]


def next_round(standings: Sequence[Standing]) -> list[int]:
    """The entries to replay now, the most valuable first: every pilot, and the eight best of the others."""
    asking = [i for i, standing in enumerate(standings) if standing.asks]
    asking.sort(key=lambda i: -standings[i].worth)
    pilots = [i for i in asking if standings[i].stage == 1 and standings[i].drawn < PILOT]
    others = [i for i in asking if i not in pilots]
    return pilots + others[: allocation.TASKS_A_ROUND]


class _Book:
    """The entries of a plan as a table of tasks by tiers, with the steps of one decision."""

    def __init__(self, plan: Sequence[PlannedTask], gates: Gates, settings: Settings) -> None:
        self.plan, self.gates, self.settings = plan, gates, settings
        self.rows: list[list[int]] = [[] for _ in plan]
        for row, entry in enumerate(gates.entry):
            self.rows[entry].append(row)
        tasks = {task_id: place for place, task_id in enumerate(dict.fromkeys(p.task_id for p in plan))}
        self.task = np.array([tasks[p.task_id] for p in plan], dtype=np.int64)
        self.tier = np.array([settings.tiers.index(p.tier) for p in plan], dtype=np.int64)
        self.shares = np.array(ebh.tier_shares(len(settings.tiers)))
        self.tested = np.array([bool(rows) for rows in self.rows], dtype=bool)
        self.weights = self._weights(len(tasks))
        self.drawn = [sum(self._drawn(g) for g in rows) for rows in self.rows]
        self.failed = [self.drawn[i] - sum(gates.readings[g].n for g in rows) for i, rows in enumerate(self.rows)]
        self.log_e = np.array([min((float(gates.log_e[g]) for g in rows), default=0.0) for rows in self.rows])
        self.closed: list[Ending | None] = [None] * len(plan)
        self.outlook: Floats = np.zeros(len(plan))

    def give_up(self) -> list[State]:
        """Close the hopeless entries; returns the state of each gate.

        A gate is given up against the lowest threshold that it can ever meet: the one that holds when every hopeful
        task is accepted. Giving up raises that threshold for the others, so this goes on until nothing changes.
        """
        hopeful = self.tested
        while True:
            self.outlook = self._log_thresholds(self._tasks_of(hopeful))
            states = self.gates.states(self.outlook[self.gates.entry])
            self.closed = [self._closed(entry, states) for entry in range(len(self.plan))]
            still = hopeful & np.array([ending is None for ending in self.closed], dtype=bool)
            if np.array_equal(still, hopeful):
                return states
            hopeful = still

    def accepted(self) -> NDArray[np.bool_]:
        """The entries that e-BH accepts, at most one for each task."""
        table = np.full((len(self.weights), len(self.shares)), -np.inf)
        for entry in np.flatnonzero([self._acceptable(entry) for entry in range(len(self.plan))]):
            table[self.task[entry], self.tier[entry]] = self.log_e[entry]
        chosen = ebh.accept(table, self.weights, self.shares, self.settings.alpha)
        return np.asarray(chosen[self.task] == self.tier)

    def log_thresholds(self, chosen: NDArray[np.bool_]) -> Floats:
        """ln of the e-value that each entry needs beside those accepted so far."""
        return self._log_thresholds(self._tasks_of(chosen))

    def asks(self, states: list[State], current: Floats) -> list[tuple[Ask, ...]]:
        """The next draws of every entry that was not given up, whether or not it is due now."""
        perfect = self.gates.perfect_draws(self.outlook[self.gates.entry])
        return [
            tuple(
                (self.gates.keys[g][1], int(self.gates.stage[g]), count)
                for g in self.rows[entry]
                if self.closed[entry] is None
                and states[g] is State.OPEN
                and (count := self._count(g, int(perfect[g]), float(current[entry]), self._failing(entry)))
            )
            for entry in range(len(self.plan))
        ]

    def endings(self, chosen: NDArray[np.bool_], asks: list[tuple[Ask, ...]]) -> list[Ending]:
        """A dearer tier waits for the cheaper ones, and is not needed where one of them is proven."""
        endings = [self._alone(entry, bool(asks[entry])) for entry in range(len(self.plan))]
        settled: dict[int, Ending] = {}
        for entry in np.lexsort((self.tier, self.task)):
            task = int(self.task[entry])
            if chosen[entry]:
                endings[entry] = Ending.PROVEN
                settled[task] = Ending.NOT_NEEDED
            elif endings[entry] in (Ending.OPEN, Ending.CAPPED):
                endings[entry] = settled.get(task, endings[entry])
                if endings[entry] is Ending.OPEN:
                    settled[task] = Ending.WAITING
        return endings

    def standing(self, entry: int, ending: Ending, current: Floats, steps: Floats, asks: tuple[Ask, ...]) -> Standing:
        """Entry number ``entry``, with its next draws only while it is open; ``steps`` are the gates' draws to go."""
        rows = self.rows[entry]
        p_good = min((float(self.gates.p_good[g]) for g in rows), default=0.0)
        found = Standing(
            ending=ending,
            e_value=_exp(self.log_e[entry]),
            threshold=_exp(current[entry]),
            stage=max((int(self.gates.stage[g]) for g in rows), default=1),
            drawn=self.drawn[entry],
            failed=self.failed[entry],
            p_good=p_good,
            worth=0.0,
            left=min((int(self.gates.left[g]) for g in rows), default=0),
        )
        if ending is not Ending.OPEN:
            return found
        still = float(sum(steps[g] for g in rows))
        worth = allocation.index(float(self.weights[self.task[entry]]), p_good, still)
        return replace(found, worth=worth, asks=asks)

    def _weights(self, tasks: int) -> Floats:
        """The spend under test of each task. What costs nothing in the log still counts, by next to nothing."""
        weights = np.zeros(tasks)
        spend = np.array([float(p.weight_usd) for p in self.plan])
        np.maximum.at(weights, self.task[self.tested], spend[self.tested])
        total = weights.sum()
        floor = 1e-9 * total if total > 0 else 1.0
        tested = np.isin(np.arange(tasks), self.task[self.tested])
        return np.where(tested, np.maximum(weights, floor), 0.0)

    def _tasks_of(self, entries: NDArray[np.bool_]) -> NDArray[np.bool_]:
        members = np.zeros(len(self.weights), dtype=bool)
        members[self.task[entries]] = True
        return members

    def _log_thresholds(self, members: NDArray[np.bool_]) -> Floats:
        table = ebh.log_thresholds(members, self.weights, self.shares, self.settings.alpha)
        return np.asarray(table[self.task, self.tier])

    def _drawn(self, gate: int) -> int:
        reading = self.gates.readings[gate]
        return reading.drawn_first + reading.drawn_second

    def _failing(self, entry: int) -> bool:
        return too_many_errors(self.failed[entry], self.drawn[entry])

    def _closed(self, entry: int, states: list[State]) -> Ending | None:
        if surely_too_many_errors(self.failed[entry], self.drawn[entry]):
            return Ending.FAILING
        found = {states[g] for g in self.rows[entry]}
        return next((ending for state, ending in GIVEN_UP.items() if state in found), None)

    def _acceptable(self, entry: int) -> bool:
        enough = all(self.gates.readings[g].n >= self.settings.min_cases for g in self.rows[entry])
        steady = self.closed[entry] is not Ending.UNSTEADY
        return bool(self.tested[entry]) and enough and steady and not self._failing(entry)

    def _count(self, gate: int, perfect: int, current: float, failing: bool) -> int:
        drawn, left = int(self.gates.drawn[gate]), int(self.gates.left[gate])
        missing = self.settings.min_cases - self.gates.readings[gate].n
        if drawn < PILOT:
            return min(PILOT - drawn, left)
        if self.gates.log_e[gate] >= current and missing <= 0 and not failing:
            return 0
        return allocation.batch(perfect, left, missing)

    def _alone(self, entry: int, asking: bool) -> Ending:
        if not self.tested[entry]:
            return Ending.UNTESTED
        return self.closed[entry] or (Ending.OPEN if asking else Ending.CAPPED)


def _exp(log_value: float) -> float:
    """exp without overflow: evidence of 1e300 is as good as any."""
    return float(np.exp(min(float(log_value), 690.0)))
