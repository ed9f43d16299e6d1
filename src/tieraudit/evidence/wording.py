"""The reason of a verdict, in a sentence that someone who signs budgets can read."""

from __future__ import annotations

from tieraudit.domain import PlannedTask
from tieraudit.evidence.decision import Ending, Standing
from tieraudit.evidence.staged import LOWEST_SELF_AGREEMENT
from tieraudit.evidence.tally import Tally

RERUN = "tieraudit replay --baseline replay"


def reason(planned: PlannedTask, standing: Standing, tally: Tally, failure: str = "") -> str:
    """Why the verdict is what it is, with its numbers and, where there is one, the way to a better one.

    ``failure`` is the most frequent cause of failed replays.
    """
    match standing.ending:
        case Ending.UNTESTED if planned.scorer == "judge":
            found = "free text needs a judge: set [judge] in tieraudit.toml"
        case Ending.UNTESTED:
            found = "its answers cannot be compared by any scorer"
        case Ending.WAITING:
            found = f"not tried yet: the cheaper tiers come before {planned.tier}"
        case Ending.NOT_NEEDED:
            found = f"not needed: a cheaper tier than {planned.tier} is proven"
        case Ending.FAILING:
            found = (
                f"{standing.failed} of {standing.drawn} replays gave nothing to compare (most often: {failure}); more "
                "than 5 % decide nothing; mend the cause and replay again"
            )
        case _:
            found = _sentence(planned, standing, tally) if tally.n else "no replay yet"
    return found


def _sentence(planned: PlannedTask, standing: Standing, tally: Tally) -> str:
    seen = _seen(planned, tally)
    model = f"the {planned.tier} model"
    match standing.ending:
        case Ending.PROVEN:
            return (
                f"{seen}; if {model} were worse than allowed, evidence this strong would appear less than once in "
                f"{_odds(standing.e_value)} audits"
            )
        case Ending.REFUTED if tally.judged is None and standing.stage == 1:
            return (
                f"{seen}; {model} is worse than allowed even if the incumbent agreed with itself only "
                f"{LOWEST_SELF_AGREEMENT:.0%} of the time"
            )
        case Ending.REFUTED:
            return (
                f"{seen}; {model} is worse than the {_points(planned.margin)} allowed, chances of less being under 2 %"
            )
        case Ending.FLOOR_UNKNOWN:
            return (
                f"{seen}: too little to prove it while nobody knows how often the incumbent agrees with itself; "
                f"rerun the incumbent to decide: {RERUN}"
            )
        case Ending.UNSTEADY:
            return (
                f"the incumbent agrees with itself only {tally.self_agreement or 0.0:.1%} of the time, so agreement "
                "with it says little; have this task judged instead"
            )
    return _undecided(standing, seen)


def _undecided(standing: Standing, seen: str) -> str:
    stands = f"the evidence is {_figure(standing.e_value)} of the {_figure(standing.threshold)} needed"
    if standing.ending is Ending.OPEN:
        return f"{seen} so far; {stands}, more replays decide"
    if standing.left == 0:
        return f"{seen}; {stands}, and the replays that a task may take are used up"
    return f"{seen}; {stands}, and within the replays that a task may take it is unlikely to be reached"


def _seen(planned: PlannedTask, tally: Tally) -> str:
    """What was observed, as the subject of the sentence."""
    if tally.judged is not None:
        wins, ties, losses = tally.judged
        return (
            f"a judge found the {planned.tier} model's answer better in {wins}, as good in {ties} and worse in "
            f"{losses} of {tally.n} replays"
        )
    if tally.self_agreement is not None:
        return (
            f"in {tally.n} replays the {planned.tier} model agreed with the incumbent {tally.agreement or 0.0:.1%} of "
            f"the time, where reruns of the incumbent agreed with it {tally.self_agreement:.1%} of the time"
        )
    if tally.agreed is not None:
        seen = f"{tally.agreed} of {tally.n} replays agreed"
    else:
        seen = f"{tally.n} replays agreed to {tally.agreement or 0.0:.1%} on average"
    if tally.by_label is not None:
        seen += f", {tally.by_label:.1%} with every label counted alike"
    return seen


def _odds(e_value: float) -> str:
    return "a million" if e_value >= 1e6 else f"{int(e_value):,}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _points(margin: float) -> str:
    points = f"{100 * margin:.3g}"
    return f"{points} point{'' if points == '1' else 's'}"
