"""Reasons: sentences that name their numbers and the way out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.evidence.plans import planned

from tieraudit.domain import PlannedTask
from tieraudit.evidence.decision import Ending, Standing
from tieraudit.evidence.tally import Tally
from tieraudit.evidence.wording import reason

STANDING = Standing(Ending.OPEN, 8.14, 28.4, 1, 97, 0, 0.9, 1.0, 203)
TALLY = Tally(n=97, agreement=1.0, low=0.95, high=1.0, agreed=97)
GRADED = replace(TALLY, agreement=0.9871, agreed=None)
TASK = planned()
JUDGED = planned(scorer="judge", gates=())


@pytest.mark.parametrize(
    ("task", "standing", "tally", "sentence"),
    [
        (
            TASK,
            replace(STANDING, ending=Ending.PROVEN, e_value=131.9),
            TALLY,
            "97 of 97 replays agreed; if the small model were worse than allowed, evidence this strong would appear "
            "less than once in 131 audits",
        ),
        (
            TASK,
            replace(STANDING, ending=Ending.PROVEN, e_value=4e12),
            replace(GRADED, by_label=0.95),
            "97 replays agreed to 98.7% on average, 95.0% with every label counted alike; if the small model were "
            "worse than allowed, evidence this strong would appear less than once in a million audits",
        ),
        (
            TASK,
            STANDING,
            TALLY,
            "97 of 97 replays agreed so far; the evidence is 8.1 of the 28 needed, more replays decide",
        ),
        (
            TASK,
            replace(STANDING, ending=Ending.CAPPED, threshold=1234.0, left=0),
            TALLY,
            "97 of 97 replays agreed; the evidence is 8.1 of the 1,234 needed, and the replays that a task may take "
            "are used up",
        ),
        (
            TASK,
            replace(STANDING, ending=Ending.REFUTED),
            replace(TALLY, agreed=50, agreement=50 / 97),
            "50 of 97 replays agreed; the small model is worse than allowed even if the incumbent agreed with itself "
            "only 70% of the time",
        ),
        (
            TASK,
            replace(STANDING, ending=Ending.REFUTED, stage=2),
            replace(GRADED, self_agreement=0.97),
            "in 97 replays the small model agreed with the incumbent 98.7% of the time, where reruns of the incumbent "
            "agreed with it 97.0% of the time; the small model is worse than the 5 points allowed, chances of less "
            "being under 2 %",
        ),
        (
            planned(scorer="judge"),
            replace(STANDING, ending=Ending.PROVEN, e_value=44.0),
            replace(TALLY, judged=(12, 76, 9)),
            "a judge found the small model's answer better in 12, as good in 76 and worse in 9 of 97 replays; if the "
            "small model were worse than allowed, evidence this strong would appear less than once in 44 audits",
        ),
        (
            JUDGED,
            replace(STANDING, ending=Ending.UNTESTED),
            Tally(),
            "free text needs a judge: set [judge] in tieraudit.toml",
        ),
        (TASK, replace(STANDING, drawn=0), Tally(), "no replay yet"),
    ],
)
def test_a_reason_reads_like_this(task: PlannedTask, standing: Standing, tally: Tally, sentence: str) -> None:
    assert reason(task, standing, tally) == sentence


def test_what_can_be_cured_names_the_cure() -> None:
    unknown = reason(TASK, replace(STANDING, ending=Ending.FLOOR_UNKNOWN), replace(TALLY, agreed=88))
    assert "tieraudit replay --baseline replay" in unknown
    failing = reason(TASK, replace(STANDING, ending=Ending.FAILING, failed=12), TALLY, "timeout")
    assert "12 of 97" in failing
    assert "timeout" in failing
    unsteady = reason(TASK, replace(STANDING, ending=Ending.UNSTEADY, stage=2), replace(GRADED, self_agreement=0.61))
    assert "61.0%" in unsteady


@pytest.mark.parametrize("ending", list(Ending))
def test_every_ending_has_a_reason(ending: Ending) -> None:
    for tally in (TALLY, Tally(), replace(GRADED, self_agreement=0.9)):
        assert reason(TASK, replace(STANDING, ending=ending), tally)
