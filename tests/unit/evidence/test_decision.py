"""The decision: what is proven, refuted, undecided or not audited, and that it does not depend on when one asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.evidence.plans import Key, agreed, observed, planned

from tieraudit.domain import PlannedTask
from tieraudit.evidence.decision import Ending, Settings, Standing, decide, next_round

LOGGED = Settings(("small",))
REPLAY = Settings(("small",), staged=True)
TWO_TIERS = Settings(("small", "mid"))


Outcomes = dict[Key, list[float]]


def stand(
    plan: list[PlannedTask],
    outcomes: Outcomes,
    settings: Settings = LOGGED,
    *,
    failed: dict[Key, int] | None = None,
    self_agreement: dict[str, float] | None = None,
) -> list[Standing]:
    judged = [entry.scorer == "judge" for entry in plan]
    return decide(plan, judged, observed(plan, outcomes, failed=failed, self_agreement=self_agreement), settings)


def alone(outcomes: list[float], settings: Settings = LOGGED, *, failed: dict[Key, int] | None = None) -> Standing:
    return stand([planned()], {("a", "small", "agreement", 1): outcomes}, settings, failed=failed)[0]


def test_eighty_six_flawless_replays_prove_one_task_at_one_tier() -> None:
    assert alone(agreed(85)).ending is Ending.OPEN
    proven = alone(agreed(86))
    assert proven.ending is Ending.PROVEN
    assert proven.e_value >= proven.threshold == pytest.approx(20.0)
    assert not proven.asks


def test_nothing_is_proven_below_the_least_number_of_cases() -> None:
    easy = [planned(margin=0.30)]
    outcomes = {("a", "small", "agreement", 1): agreed(25)}
    assert stand(easy, outcomes)[0].e_value > 20
    assert stand(easy, outcomes)[0].asks == (("agreement", 1, 5),)
    assert stand(easy, {("a", "small", "agreement", 1): agreed(30)})[0].ending is Ending.PROVEN


def test_the_first_ask_is_the_pilot_and_the_next_half_of_what_is_missing() -> None:
    assert alone([]).asks == (("agreement", 1, 20),)
    assert alone(agreed(20)).asks == (("agreement", 1, 33),)


def test_from_the_log_alone_a_doubtful_model_is_undecided_and_a_bad_one_refuted() -> None:
    assert alone(agreed(17, 3)).ending is Ending.FLOOR_UNKNOWN
    assert alone(agreed(6, 14)).ending is Ending.REFUTED
    assert not alone(agreed(6, 14)).asks


def test_with_reruns_a_doubtful_model_goes_to_the_second_stage_on_fresh_calls() -> None:
    doubtful = alone(agreed(17, 3), REPLAY)
    assert (doubtful.ending, doubtful.stage, doubtful.asks) == (Ending.OPEN, 2, (("agreement", 2, 20),))


def test_a_model_as_noisy_as_the_incumbent_is_proven_by_reruns() -> None:
    rng = np.random.default_rng(1)
    differences = list(rng.choice([-0.5, 0.0, 0.5], 400, p=[0.05, 0.9, 0.05]))
    outcomes: Outcomes = {
        ("a", "small", "agreement", 1): agreed(18, 2),
        ("a", "small", "agreement", 2): differences,
    }
    assert stand([planned()], outcomes, REPLAY, self_agreement={"a": 0.9})[0].ending is Ending.PROVEN
    assert stand([planned()], outcomes, REPLAY, self_agreement={"a": 0.6})[0].ending is Ending.UNSTEADY


def test_a_model_that_always_says_the_majority_label_is_stopped_by_the_macro_gate() -> None:
    """METHOD 2.5: labels 97/3; the plain agreement of .97 alone would be accepted at a bar of .92."""
    both = [planned(margin=0.08, gates=("agreement", "macro"))]
    outcomes: Outcomes = {
        ("a", "small", "agreement", 1): agreed(291, 9),
        ("a", "small", "macro", 1): agreed(50, 50),
    }
    assert stand([planned(margin=0.08)], outcomes)[0].ending is Ending.PROVEN
    assert stand(both, outcomes)[0].ending is Ending.REFUTED


def test_the_smaller_e_value_of_two_gates_counts_and_only_the_weaker_gate_is_drawn() -> None:
    both = [planned(gates=("agreement", "macro"))]
    standing = stand(both, {("a", "small", "agreement", 1): agreed(120), ("a", "small", "macro", 1): agreed(60)})[0]
    assert standing.e_value == pytest.approx(alone(agreed(60)).e_value)
    assert [ask[0] for ask in standing.asks] == ["macro"]


def test_a_judge_decides_on_wins_less_losses_and_needs_no_reruns() -> None:
    judged = [planned(margin=0.10, scorer="judge")]
    even = [1.0] * 30 + [-1.0] * 30 + [0.0] * 180
    worse = [1.0] * 10 + [-1.0] * 100 + [0.0] * 90
    for settings in (LOGGED, REPLAY):
        assert stand(judged, {("a", "small", "agreement", 1): even}, settings)[0].ending is Ending.PROVEN
        assert stand(judged, {("a", "small", "agreement", 1): worse}, settings)[0].ending is Ending.REFUTED


def test_failed_replays_are_no_disagreement_but_too_many_decide_nothing() -> None:
    key = ("a", "small", "agreement", 1)
    assert alone(agreed(120), failed={key: 5}).ending is Ending.PROVEN
    blocked = alone(agreed(120), failed={key: 7})
    assert (blocked.ending, blocked.failed) == (Ending.OPEN, 7)
    assert alone(agreed(120), failed={key: 20}).ending is Ending.FAILING
    assert alone([], failed={key: 20}).ending is Ending.FAILING


def test_the_cap_counts_failed_draws_and_ends_the_task() -> None:
    small = replace(LOGGED, cap_first=50)
    assert alone(agreed(50), small).ending is Ending.CAPPED
    assert alone(agreed(48), small, failed={("a", "small", "agreement", 1): 2}).ending is Ending.CAPPED
    assert alone(agreed(45), small).asks == (("agreement", 1, 5),)


def test_a_task_at_its_cap_is_proven_when_the_threshold_falls() -> None:
    plan = [planned("a"), planned("b")]
    small = replace(LOGGED, cap_first=95)
    outcomes: Outcomes = {("a", "small", "agreement", 1): agreed(95)}
    assert [s.ending for s in stand(plan, outcomes, small)] == [Ending.CAPPED, Ending.OPEN]
    outcomes["b", "small", "agreement", 1] = agreed(95)
    assert [s.ending for s in stand(plan, outcomes, small)] == [Ending.PROVEN, Ending.PROVEN]


def test_the_dearer_tier_waits_for_the_cheaper_and_is_spared_when_that_is_proven() -> None:
    plan = [planned(tier="mid"), planned(tier="small")]
    small, mid = ("a", "small", "agreement", 1), ("a", "mid", "agreement", 1)
    assert [s.ending for s in stand(plan, {}, TWO_TIERS)] == [Ending.WAITING, Ending.OPEN]
    assert [s.ending for s in stand(plan, {small: agreed(150)}, TWO_TIERS)] == [Ending.NOT_NEEDED, Ending.PROVEN]
    assert [s.ending for s in stand(plan, {small: agreed(5, 15)}, TWO_TIERS)] == [Ending.OPEN, Ending.REFUTED]
    found = stand(plan, {small: agreed(5, 15), mid: agreed(150)}, TWO_TIERS)
    assert [s.ending for s in found] == [Ending.PROVEN, Ending.REFUTED]
    assert found[0].threshold == pytest.approx(20 / 0.3)


def test_a_task_without_gates_is_not_tested_and_its_spend_raises_no_threshold() -> None:
    plan = [planned("a"), planned("essay", usd="1000", gates=(), scorer="judge")]
    found = stand(plan, {("a", "small", "agreement", 1): agreed(86)})
    assert [s.ending for s in found] == [Ending.PROVEN, Ending.UNTESTED]


def test_the_weight_is_the_spend_of_distinct_tasks() -> None:
    plan = [planned("a", usd="3"), planned("a", "mid", usd="3"), planned("b", usd="1"), planned("b", "mid", usd="1")]
    found = stand(plan, {}, TWO_TIERS)
    assert found[0].threshold == pytest.approx(4 / 3 * 20 / 0.7)
    assert found[3].threshold == pytest.approx(4 / 1 * 20 / 0.3)


@pytest.mark.parametrize("usd", ["0", "0.000000001"])
def test_a_log_without_prices_can_be_decided_all_the_same(usd: str) -> None:
    plan = [planned("a", usd=usd), planned("b", usd=usd)]
    found = stand(plan, {(t, "small", "agreement", 1): agreed(110) for t in "ab"})
    assert [s.ending for s in found] == [Ending.PROVEN, Ending.PROVEN]
    assert np.isfinite([s.threshold for s in stand([planned("a"), planned("b", usd="0")], {})]).all()


def test_an_empty_plan_decides_nothing() -> None:
    assert stand([], {}) == []
    assert stand([planned(gates=())], {})[0].ending is Ending.UNTESTED


def test_a_round_is_every_pilot_and_the_eight_most_valuable_others() -> None:
    plan = [planned(str(i), usd=str(i + 1)) for i in range(30)]
    outcomes: Outcomes = {(str(i), "small", "agreement", 1): agreed(20) for i in range(20)}
    standings = stand(plan, outcomes)
    assert next_round(standings) == [*range(29, 19, -1), *range(19, 11, -1)]


def run(
    plan: list[PlannedTask], settings: Settings, answer: Callable[[Key], float]
) -> tuple[list[list[Standing]], Outcomes]:
    """Replay until nothing is asked; all decisions on the way, and all outcomes."""
    outcomes: Outcomes = defaultdict(list)
    steady = dict.fromkeys((entry.task_id for entry in plan), 0.9)
    history = [stand(plan, outcomes, settings, self_agreement=steady)]
    while turn := next_round(history[-1]):
        for entry in turn:
            for gate, stage, count in history[-1][entry].asks:
                key = (plan[entry].task_id, plan[entry].tier, gate, stage)
                outcomes[key] += [answer(key) for _ in range(count)]
        history.append(stand(plan, outcomes, settings, self_agreement=steady))
    return history, outcomes


@pytest.mark.parametrize("staged", [False, True])
def test_deciding_after_every_batch_and_once_at_the_end_give_the_same_verdicts(staged: bool) -> None:
    rng = np.random.default_rng(23)
    agreement = dict(zip("abcdefghijkl", np.tile([0.99, 0.97, 0.95, 0.92, 0.88, 0.5], 2), strict=True))
    gates = {task: ("agreement", "macro") if task in "af" else ("agreement",) for task in agreement}
    spend = {task: f"{rng.lognormal():.4f}" for task in agreement}
    plan = [planned(task, tier, usd=spend[task], gates=gates[task]) for task in agreement for tier in ("small", "mid")]

    def answer(key: Key) -> float:
        if key[3] == 2:
            return float(rng.choice([-1.0, -0.5, 0.0, 0.5], p=[0.02, 0.08, 0.85, 0.05]))
        return float(rng.random() < agreement[key[0]])

    settings = replace(TWO_TIERS, staged=staged)
    history, outcomes = run(plan, settings, answer)
    last = history[-1]
    again = stand(plan, outcomes, settings, self_agreement=dict.fromkeys(agreement, 0.9))
    assert again == last
    frozen = (Ending.PROVEN, Ending.REFUTED, Ending.FLOOR_UNKNOWN, Ending.UNLIKELY)
    for standings in history:
        for entry, standing in enumerate(standings):
            if standing.ending in frozen:
                assert last[entry].ending is standing.ending
                assert last[entry].e_value == standing.e_value
    assert {s.ending for s in last} >= {Ending.PROVEN, Ending.REFUTED}
    assert Ending.OPEN not in {s.ending for s in last}


def test_forty_tasks_are_decided_in_few_rounds() -> None:
    """METHOD 2.6's forty tasks: rounds are what costs time with a fast endpoint."""
    rng = np.random.default_rng(29)
    agreement = np.repeat([0.99, 0.97, 0.95, 0.915, 0.90, 0.80], [10, 8, 4, 6, 6, 6])
    plan = [planned(str(i), usd=f"{rng.lognormal():.4f}", margin=0.08) for i in range(40)]
    settings = replace(LOGGED, cap_first=500)
    history, outcomes = run(plan, settings, lambda key: float(rng.random() < agreement[int(key[0])]))
    proven = np.array([s.ending is Ending.PROVEN for s in history[-1]])
    assert len(history) <= 80
    assert sum(map(len, outcomes.values())) < 7_000
    assert proven[agreement < 0.92].sum() <= 1
    assert proven[agreement >= 0.97].mean() > 0.9
