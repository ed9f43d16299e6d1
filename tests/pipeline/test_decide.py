"""Deciding from the store: verdicts for the whole plan, the next replays, and the same answer after a restart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.fixtures.trial import AUDIT, Trial
from tests.unit.evidence.plans import agreed, planned

from tieraudit.config import default_config
from tieraudit.domain import Decision, PlannedTask, Verdict, VerdictKind, Want
from tieraudit.errors import StoreError
from tieraudit.pipeline.decide import decide
from tieraudit.store import Store

TWO = ("small", "mid")


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as opened:
        yield opened


def stored(store: Store) -> list[dict[str, Any]]:
    cursor = store._connection.execute("SELECT * FROM verdicts ORDER BY task_id, tier")
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def only(decision: Decision) -> Verdict:
    (verdict,) = decision.verdicts
    return verdict


def test_before_the_first_replay_everything_is_undecided_and_the_pilot_is_wanted(store: Store) -> None:
    Trial(store, [planned("a"), planned("b", gates=("agreement", "macro"))])
    decision = decide(store, AUDIT)
    assert [(v.kind, v.n, v.agreement, v.reason) for v in decision.verdicts] == [
        (VerdictKind.UNDECIDED, 0, None, "no replay yet")
    ] * 2
    assert set(decision.wants) == {
        Want("a", "small", "agreement", 1, 20),
        Want("b", "small", "agreement", 1, 20),
        Want("b", "small", "macro", 1, 20),
    }
    assert [row["verdict"] for row in stored(store)] == ["undecided", "undecided"]


def test_a_verdict_says_everything_that_a_sceptic_needs(store: Store) -> None:
    Trial(store, [planned()]).scores(agreed(97))
    verdict = only(decide(store, AUDIT))
    assert verdict.kind is VerdictKind.PROVEN
    assert (verdict.n, verdict.agreement, verdict.agreement_high, verdict.self_agreement) == (97, 1.0, 1.0, None)
    assert verdict.agreement_low is not None
    assert 0.95 < verdict.agreement_low < 0.96
    assert verdict.e_value > verdict.threshold == pytest.approx(20)
    assert (verdict.stage, verdict.errors, verdict.margin, verdict.model) == (1, 0, 0.05, "small-model")
    assert verdict.p_good is not None
    assert verdict.p_good > 0.99
    assert verdict.reason.startswith("97 of 97 replays agreed; if the small model were worse than allowed")
    (row,) = stored(store)
    assert row["verdict"] == "proven"
    assert row["reason"] == verdict.reason
    assert row["e_value"] == verdict.e_value


def test_from_the_log_alone_futile_is_undecided_with_the_cure_and_hopeless_is_refuted(store: Store) -> None:
    trial = Trial(store, [planned("a"), planned("b")])
    trial.scores(agreed(50, 10), task="a")
    trial.scores(agreed(20, 40), task="b")
    decision = decide(store, AUDIT)
    assert [v.kind for v in decision.verdicts] == [VerdictKind.UNDECIDED, VerdictKind.REFUTED]
    assert "tieraudit replay --baseline replay" in decision.verdicts[0].reason
    assert decision.wants == ()


def test_reruns_prove_a_candidate_that_is_as_noisy_as_the_incumbent(store: Store) -> None:
    trial = Trial(store, [planned()], baseline="replay")
    trial.scores(agreed(17, 3))
    assert decide(store, AUDIT).wants == (Want("a", "small", "agreement", 2, 20),)
    trial.scores([0.0] * 130, stage=2, agreement=0.9, self_agreement=0.9)
    verdict = only(decide(store, AUDIT))
    assert (verdict.kind, verdict.stage, verdict.n) == (VerdictKind.PROVEN, 2, 150)
    assert verdict.self_agreement == pytest.approx(0.9)
    assert verdict.agreement == pytest.approx((17 + 130 * 0.9) / 150)


def test_an_incumbent_that_disagrees_with_itself_cannot_be_audited_by_agreement(store: Store) -> None:
    trial = Trial(store, [planned()], baseline="replay")
    trial.scores(agreed(15, 5))
    trial.scores([0.0] * 150, stage=2, agreement=0.6, self_agreement=0.6)
    verdict = only(decide(store, AUDIT))
    assert verdict.kind is VerdictKind.NOT_AUDITABLE
    assert "60.0%" in verdict.reason


def test_free_text_without_a_judge_is_not_auditable_and_says_how_to_change_that(store: Store) -> None:
    Trial(store, [planned(scorer="judge", gates=())])
    decision = decide(store, AUDIT)
    assert only(decision).kind is VerdictKind.NOT_AUDITABLE
    assert only(decision).reason == "free text needs a judge: set [judge] in tieraudit.toml"
    assert np.isfinite(only(decision).threshold)
    assert decision.wants == ()


def test_a_judge_may_lose_as_often_as_it_wins(store: Store) -> None:
    trial = Trial(store, [planned(scorer="judge", margin=0.10)], baseline="replay")
    for outcome, count in ((1.0, 20), (0.0, 200), (-1.0, 20)):
        trial.scores([outcome] * count, agreement=float(outcome >= 0))
    verdict = only(decide(store, AUDIT))
    assert (verdict.kind, verdict.stage) == (VerdictKind.PROVEN, 1)
    assert "better in 20, as good in 200 and worse in 20 of 240" in verdict.reason
    assert verdict.agreement == pytest.approx(220 / 240)


def test_errors_are_counted_and_named_and_block_above_five_percent(store: Store) -> None:
    trial = Trial(store, [planned()])
    trial.scores(agreed(100))
    trial.scores([None] * 12, detail="candidate reply failed: timeout")
    trial.scores([None] * 2, detail="candidate reply failed: http_400")
    verdict = only(decide(store, AUDIT))
    assert (verdict.kind, verdict.n, verdict.errors) == (VerdictKind.UNDECIDED, 100, 14)
    assert "14 of 114 replays" in verdict.reason
    assert "timeout" in verdict.reason


def test_the_limits_of_the_audits_own_config_hold(store: Store) -> None:
    config = default_config()
    strict = replace(config, quality=replace(config.quality, dollar_fdr=0.01, max_cases_per_task=100))
    Trial(store, [planned()], config=strict).scores(agreed(100))
    verdict = only(decide(store, AUDIT))
    assert verdict.kind is VerdictKind.UNDECIDED
    assert verdict.threshold == pytest.approx(100)
    assert "used up" in verdict.reason


def test_two_tiers_share_the_weight_and_the_cheaper_one_comes_first(store: Store) -> None:
    trial = Trial(store, [planned("a", "mid"), planned("a", "small")], tiers=TWO)
    mid, small = decide(store, AUDIT).verdicts
    assert small.threshold == pytest.approx(20 / 0.7)
    assert mid.threshold == pytest.approx(20 / 0.3)
    assert mid.reason == "not tried yet: the cheaper tiers come before mid"
    trial.scores(agreed(120))
    mid, small = decide(store, AUDIT).verdicts
    assert (small.kind, mid.kind) == (VerdictKind.PROVEN, VerdictKind.UNDECIDED)
    assert mid.reason == "not needed: a cheaper tier than mid is proven"


def test_an_unknown_audit_is_an_error_with_a_hint(store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        decide(store, "nope")
    assert "tieraudit replay" in caught.value.hint


def test_deciding_twice_changes_nothing(store: Store) -> None:
    trial = Trial(store, [planned("a"), planned("b")])
    trial.scores(agreed(60, 1), task="a")
    first = decide(store, AUDIT)
    before = stored(store)
    assert decide(store, AUDIT) == first
    assert stored(store) == before


def answers(rng: np.random.Generator, want: Want) -> list[float]:
    quality = {"a": 0.995, "b": 0.97, "c": 0.93, "d": 0.3}[want.task_id]
    if want.stage == 2:
        return list(rng.choice([-0.5, 0.0, 0.5], want.count, p=[0.06, 0.9, 0.04]))
    return [float(x) for x in rng.random(want.count) < quality]


@pytest.mark.parametrize("baseline", ["logged", "replay"])
def test_a_run_that_was_killed_decides_like_one_that_was_not(tmp_path: Path, baseline: str) -> None:
    """Decide after every batch; then decide once, in a new process's view, from the stored scores alone."""
    plan = [planned(task, tier, usd=usd) for task, usd in zip("abcd", "9421", strict=True) for tier in TWO]
    rng = np.random.default_rng(31)
    path = tmp_path / "audit.duckdb"
    frozen: dict[tuple[str, str], Verdict] = {}
    with Store(path) as store:
        trial = Trial(store, plan, baseline=baseline, tiers=TWO)
        decision = decide(store, AUDIT)
        while decision.wants:
            for want in decision.wants:
                more = {"self_agreement": 0.9, "agreement": 0.9} if want.stage == 2 else {}
                place = {"task": want.task_id, "tier": want.tier, "gate": want.gate, "stage": want.stage}
                trial.scores(answers(rng, want), **place, **more)  # type: ignore[arg-type]
            decision = decide(store, AUDIT)
            for verdict in decision.verdicts:
                key = (verdict.task_id, verdict.tier)
                if key in frozen:
                    assert (verdict.kind, verdict.e_value) == (frozen[key].kind, frozen[key].e_value)
                elif verdict.kind in (VerdictKind.PROVEN, VerdictKind.REFUTED):
                    frozen[key] = verdict
        rows = stored(store)
        store._connection.execute("DELETE FROM verdicts")
    with Store(path) as again:
        assert decide(again, AUDIT) == decision
        assert stored(again) == rows
    assert {verdict.kind for verdict in frozen.values()} == {VerdictKind.PROVEN, VerdictKind.REFUTED}


def big_audit(store: Store, tasks: int, tiers: Sequence[str], draws: int) -> None:
    """Binary and graded outcomes for every task and tier, inserted in bulk."""
    rng = np.random.default_rng(37)
    plan: list[PlannedTask] = [planned(f"t{i}", tier, usd=f"{i + 1}") for i in range(tasks) for tier in tiers]
    Trial(store, plan, tiers=tiers)
    count = len(plan) * draws
    ids = [f"00000000-0000-0000-0000-{i:012d}" for i in range(count)]
    right = rng.random(count) < np.repeat(rng.choice([0.99, 0.97, 0.95, 0.9, 0.8], len(plan)), draws)
    graded = np.repeat(np.arange(len(plan)) % 2 == 0, draws)
    outcome = np.where(right, 1.0, np.where(graded, rng.integers(0, 8, count) / 8, 0.0))
    cases = {
        "case_id": ids,
        "audit_id": [AUDIT] * count,
        "task_id": np.repeat([p.task_id for p in plan], draws),
        "tier": np.repeat([p.tier for p in plan], draws),
        "gate": ["agreement"] * count,
        "stage": np.ones(count, np.int32),
        "draw": np.tile(np.arange(draws, dtype=np.int32), len(plan)),
        "call_id": ids,
        "weight": np.ones(count),
    }
    scores = {
        "audit_id": [AUDIT] * count,
        "case_id": ids,
        "outcome": outcome,
        "agreement": outcome,
        "scorer": ["label"] * count,
        "version": np.ones(count, np.int32),
        "detail": [""] * count,
    }
    store.insert("cases", pa.table(cases))
    store.insert("scores", pa.table(scores))


def test_two_hundred_tasks_at_three_tiers_with_six_hundred_replies_are_decided_in_two_seconds(store: Store) -> None:
    big_audit(store, 200, ("small", "mid", "large"), 600)
    started = time.process_time()
    decision = decide(store, AUDIT)
    assert time.process_time() - started < 2.0
    assert len(decision.verdicts) == 600
    assert len(stored(store)) == 600
