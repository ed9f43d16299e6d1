"""The staged rule of one gate, as a pure state machine: candidate replays first, incumbent reruns where needed.

Stage 1 bets on the candidate's agreement with the logged answer against the bar 1 - d; the incumbent cannot agree
with itself more than always, so this needs no rerun of it. Stage 2 bets, on fresh calls, on the candidate's agreement
minus the incumbent's with itself, against -d. The evidence is the mean of both e-values throughout, stage 2's being 1
before it starts; a mean of two e-processes for one hypothesis is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

PILOT = 20
LEAVE_BELOW = 0.30
HOPELESS = 0.02
UNLIKELY = 0.05
FORECAST_FROM = 60
LOWEST_SELF_AGREEMENT = 0.70


class State(StrEnum):
    """What more replays could do for a gate."""

    OPEN = "open"
    CAPPED = "capped"
    REFUTED = "refuted"
    FLOOR_UNKNOWN = "floor unknown"
    UNLIKELY = "unlikely"
    UNSTEADY = "unsteady"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a gate is tested: its caps, whether a second stage exists, and whether the score is a judge's."""

    cap_first: int = 300
    cap_second: int = 600
    staged: bool = False
    judged: bool = False

    def cap(self, stage: int) -> int:
        """The most draws of a stage."""
        return self.cap_second if stage == 2 else self.cap_first


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a gate: scored draws, all draws (with failed ones), ln E and P(good) of each stage.

    ``p_floor`` is P(agreement > .70 - d): below that the candidate fails whatever the incumbent's self-agreement.
    """

    n_first: int = 0
    drawn_first: int = 0
    log_e_first: float = 0.0
    p_good_first: float = 0.0
    p_floor: float = 1.0
    n_second: int = 0
    drawn_second: int = 0
    log_e_second: float = 0.0
    p_good_second: float = 0.0
    self_agreement: float | None = None

    @property
    def n(self) -> int:
        """Scored draws of both stages."""
        return self.n_first + self.n_second


def stage_of(reading: Reading, rule: Rule) -> int:
    """1 or 2: stage 1 is left when it is unlikely to suffice (P(good) < .30 after the pilot) or at its cap."""
    if not rule.staged:
        return 1
    doubtful = reading.n_first >= PILOT and reading.p_good_first < LEAVE_BELOW
    left = reading.drawn_second > 0 or doubtful or reading.drawn_first >= rule.cap_first
    return 2 if left else 1


def drawn_of(reading: Reading, rule: Rule) -> int:
    """Draws of the current stage, failed ones included."""
    return reading.drawn_second if stage_of(reading, rule) == 2 else reading.drawn_first


def log_e_of(reading: Reading, rule: Rule) -> float:
    """ln of the gate's e-value: stage 1's alone when that is all there is, else the mean of both."""
    if not rule.staged:
        return reading.log_e_first
    return float(np.logaddexp(reading.log_e_first, reading.log_e_second) - np.log(2.0))


def p_good_of(reading: Reading, rule: Rule) -> float:
    """P(the candidate is within the margin | draws), from the current stage."""
    return reading.p_good_second if stage_of(reading, rule) == 2 else reading.p_good_first


def needed_of(reading: Reading, rule: Rule, log_threshold: float) -> float:
    """ln E that the current stage alone must reach for the gate to reach ``log_threshold``."""
    if not rule.staged:
        return log_threshold
    other = reading.log_e_first if stage_of(reading, rule) == 2 else reading.log_e_second
    rest = 2.0 - float(np.exp(min(other - log_threshold, 1.0)))
    return log_threshold + float(np.log(rest)) if rest > 0 else -np.inf


def state_of(reading: Reading, rule: Rule, p_accept: float) -> State:
    """The gate's state; ``p_accept`` is the forecast that it reaches its threshold by the cap of its stage."""
    stage = stage_of(reading, rule)
    n = reading.n_second if stage == 2 else reading.n_first
    if stage == 2 and n >= PILOT and (reading.self_agreement or 0.0) < LOWEST_SELF_AGREEMENT:
        return State.UNSTEADY
    if _refuted(reading, rule, stage):
        return State.REFUTED
    if stage == 1 and not rule.staged and n >= PILOT and reading.p_good_first < HOPELESS:
        return State.FLOOR_UNKNOWN
    if (stage == 2 or not rule.staged) and n >= FORECAST_FROM and p_accept < UNLIKELY:
        return State.UNLIKELY
    return State.CAPPED if drawn_of(reading, rule) >= rule.cap(stage) else State.OPEN


def _refuted(reading: Reading, rule: Rule, stage: int) -> bool:
    if reading.n_first >= PILOT and (reading.p_good_first if rule.judged else reading.p_floor) < HOPELESS:
        return True
    return stage == 2 and reading.n_second >= PILOT and reading.p_good_second < HOPELESS
