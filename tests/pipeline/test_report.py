"""Report: built from the store alone, repeatable, with every number's n, interval and source."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.calls import chat_call
from tests.fixtures.replayed import (
    AUDIT,
    FIRST,
    calls_of,
    config,
    outcomes,
    put_audit,
    put_replays,
    put_task,
    put_verdict,
    replayed_store,
)

from tieraudit.config import Config
from tieraudit.domain import Output, VerdictKind
from tieraudit.errors import StoreError
from tieraudit.evidence.betting import Evidence
from tieraudit.pipeline.assign import assign
from tieraudit.pipeline.report import build_report, latest_audit
from tieraudit.pipeline.report_evidence import cut, wealth
from tieraudit.render import RENDERERS
from tieraudit.render.report import Period, Report, TaskRow
from tieraudit.store import Store


def report_of(store: Store, settings: Config | None = None) -> Report:
    """Assign, then build."""
    settings = settings or config()
    assign(store, settings, AUDIT)
    return build_report(store, settings, AUDIT)


def rows_of(report: Report) -> dict[str, TaskRow]:
    """The rows by task."""
    return {row.task_id: row for row in report.tasks}


@pytest.fixture(scope="module")
def report() -> Report:
    """The report of the small store."""
    return report_of(replayed_store())


def test_the_same_store_gives_the_same_bytes() -> None:
    first, again = report_of(replayed_store()), report_of(replayed_store())
    assert first == again
    for name in ("html", "md", "json", "xlsx"):
        assert RENDERERS.get(name).render(first) == RENDERERS.get(name).render(again)


def test_the_report_is_dated_by_the_log_and_never_by_the_clock(report: Report) -> None:
    assert report.created_at == FIRST + timedelta(days=28) - timedelta(minutes=1)
    text = RENDERERS.get("json").render(report).decode()
    assert "2026-01-01" not in text, "audits.created_at is wall-clock time"
    assert str(datetime.now(UTC).date()) not in text


def test_totals_are_the_sums_of_the_rows_and_of_what_is_in_no_task(report: Report) -> None:
    totals = report.totals
    assert totals.outside_usd == pytest.approx(Decimal("0.1") * Decimal("30.4375") / 28, abs=Decimal("1e-9"))
    assert totals.cost_now.value == sum(row.cost_now_usd for row in report.tasks) + totals.outside_usd
    assert totals.cost_then.value == totals.cost_now.value - totals.savings.value
    assert totals.savings.value == totals.proven_usd + totals.pinned_usd == rows_of(report)["triage"].savings_usd
    assert totals.kept_usd == totals.cost_now.value - rows_of(report)["triage"].cost_now_usd
    assert totals.undecided_usd == rows_of(report)["reviews"].cost_now_usd
    assert sum(tier.cost_then_usd for tier in report.tiers) == totals.cost_then.value
    assert sum(row.share_of_spend for row in report.tasks) == pytest.approx(1, abs=0.01)


def test_plausible_is_what_an_open_task_would_save_times_its_chance(report: Report) -> None:
    row = rows_of(report)["reviews"]
    saves = row.evidence[0].savings_usd
    assert saves is not None
    assert row.plausible_usd == pytest.approx(saves / 2, abs=Decimal("1e-9"))
    assert report.totals.plausible_usd == row.plausible_usd


def test_intervals_hold_their_value(report: Report) -> None:
    for found in (report.totals.cost_now, report.totals.cost_then, report.totals.savings, report.totals.savings_year):
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high
    assert rows_of(report)["triage"].savings_low_usd is not None
    assert rows_of(report)["summaries"].savings_low_usd is None


def test_the_scope_counts_what_was_left_out(report: Report) -> None:
    scope = report.scope
    assert (scope.days, scope.calls, scope.tasks, scope.outside_calls) == (28, 1131, 4, 1)
    assert (scope.duplicate_rows, scope.quarantined_rows, scope.unpriced_calls) == (6, 3, 0)
    assert scope.content_share == pytest.approx(1130 / 1131)
    assert (report.cases, report.replies) == (210, 210)


def test_the_audit_costs_what_its_replies_were_billed(report: Report) -> None:
    assert report.totals.audit_cost_usd == Decimal("0.021")
    assert report.totals.audit_new_cost_usd == Decimal("0.021")


def test_replies_of_an_earlier_audit_count_once_and_are_not_new() -> None:
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", calls_of("triage", 100))
    put_replays(store, "triage", [(each, 1.0) for each in [*ids[:30], *ids[:10]]], paid_by="a-0")
    put_verdict(store, "triage", VerdictKind.PROVEN)
    totals = report_of(store).totals
    assert (totals.audit_cost_usd, totals.audit_new_cost_usd) == (Decimal("0.003"), Decimal(0))


def test_the_wealth_curve_ends_at_the_evidence(report: Report) -> None:
    found = rows_of(report)["triage"].evidence[0]
    bets = Evidence(0.95)
    for outcome in outcomes(100, 2):
        bets.add(outcome)
    (path,) = found.wealth
    assert path.gate == "agreement"
    assert path.values[0] == 1
    assert len(path.values) == 101
    assert path.values[-1] == pytest.approx(bets.e, rel=1e-4)


def test_two_stages_share_the_dollar() -> None:
    first, second = [1.0, 0.0, 1.0], [0.0, 0.1]
    (path,) = wealth({("agreement", 1): first, ("agreement", 2): second}, 0.05, judged=False, staged=True)
    one, two = Evidence(0.95), Evidence(-0.05, lo=-1.0)
    one.add(first)
    two.add(second)
    assert path.values[0] == 1
    assert len(path.values) == 1 + 3 + 2
    assert path.values[3] == pytest.approx((one.e + 1) / 2, rel=1e-4)
    assert path.values[-1] == pytest.approx((one.e + two.e) / 2, rel=1e-4)


def test_a_judge_bets_on_wins_less_losses() -> None:
    (path,) = wealth({("agreement", 1): [1.0, 0.0, -1.0]}, 0.10, judged=True, staged=False)
    bets = Evidence(-0.10, lo=-1.0)
    bets.add([1.0, 0.0, -1.0])
    assert path.values[-1] == pytest.approx(bets.e, rel=1e-4)


def test_the_worst_three_are_shown_with_both_answers(report: Report) -> None:
    worst = rows_of(report)["summaries"].evidence[0].worst
    assert len(worst) == 3
    assert {example.agreement for example in worst} == {0.0}
    for example in worst:
        assert example.prompt.startswith("summaries case ")
        assert example.incumbent_answer.startswith("answer ")
        assert (example.candidate_answer, example.detail) == ("another answer", "labels differ")
    assert len(rows_of(report)["triage"].evidence[0].worst) == 2, "perfect replays are no disagreements"


def test_tool_calls_refusals_and_parts_are_shown_as_text() -> None:
    tools = Output(tool_calls=({"function": {"name": "find", "arguments": '{"id": 7}'}}, {"odd": 1}), refusal="No.")
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    call = chat_call(1, [{"role": "user", "content": parts}, {"role": "assistant", "content": "x"}], tools, at=FIRST)
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "odd", [call, *calls_of("odd", 100)])
    put_replays(store, "odd", [(ids[0], 0.0), (ids[1], 1.0)])
    put_verdict(store, "odd", VerdictKind.REFUTED)
    (example,) = rows_of(report_of(store))["odd"].evidence[0].worst
    assert example.prompt == "look\n[image_url]"
    assert example.incumbent_answer == 'No.\nfind({"id": 7})\n{"odd": 1}'


def test_long_texts_keep_both_ends() -> None:
    text = cut("start " + "x" * 5000 + " end")
    assert len(text) <= 600
    assert text.startswith("start ")
    assert text.endswith(" end")
    assert " […] " in text
    assert cut(" short ") == "short"


def test_latency_stands_side_by_side(report: Report) -> None:
    row = rows_of(report)["triage"]
    assert (row.incumbent_latency_ms_p50, row.evidence[0].latency_ms_p50) == (800, 300)


def test_prices_hardware_and_risks_carry_their_source() -> None:
    gpu = config(small="gpu_usd_per_hour = 1.2\nconcurrency = 4")
    found = report_of(replayed_store(), gpu).statements
    assert all(statement.text and statement.source for statement in found)
    (measured, rent) = [statement for statement in found if statement.kind == "hardware"]
    assert "runs on a GPU at $1.20 an hour that works 30% of the time" in measured.text
    assert "took 0.075 s of it on average" in measured.text
    assert "measured on 210 replays" in measured.source
    assert "$876.60 a month" in rent.text
    risks = " ".join(statement.text for statement in found if statement.kind == "risk")
    assert "behaviour preservation, not truth" in risks
    assert "expectation over audits" in risks


def test_an_own_gpu_shows_what_it_costs_around_the_clock() -> None:
    found = report_of(replayed_store(), config(small="gpu_usd_per_hour = 1.2"))
    assert found.tiers[0].dedicated_usd_month == Decimal("876.60")
    assert found.tiers[1].dedicated_usd_month is None


def short_store(hours: float) -> Store:
    """One proven task in a log of ``hours``."""
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", calls_of("triage", 100, days=1))
    if hours < 24:
        store = Store(None)
        put_audit(store)
        step = timedelta(hours=hours / 100)
        calls = [
            chat_call(n, [{"role": "user", "content": f"case {n}"}], "yes", at=FIRST + step * n, cost="0.010")
            for n in range(100)
        ]
        ids = put_task(store, "triage", calls)
    put_replays(store, "triage", [(each, 1.0) for each in ids[:40]])
    put_verdict(store, "triage", VerdictKind.PROVEN)
    return store


def test_a_log_under_24_hours_gives_window_amounts_and_no_year() -> None:
    found = report_of(short_store(10))
    assert found.period is Period.WINDOW
    assert found.totals.cost_now.value == Decimal("1.000000000")
    assert found.totals.cost_then.value == Decimal("0.012000000")
    assert (found.totals.cost_now.low, found.totals.savings_year) == (None, None)
    assert found.totals.savings.low is not None, "the sample's own error is known"
    text = RENDERERS.get("md").render(found).decode()
    assert "saves $0.99 in this log" in text
    assert "a month is" not in text


@pytest.mark.parametrize(("days", "known"), [(2, False), (3, True), (13, True), (14, True)])
def test_one_or_two_days_give_a_month_without_an_interval(days: int, known: bool) -> None:
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", calls_of("triage", 200, days=days))
    put_replays(store, "triage", [(each, 1.0) for each in ids[:40]])
    put_verdict(store, "triage", VerdictKind.PROVEN)
    found = report_of(store)
    assert found.period is Period.MONTH
    assert (found.totals.savings.low is not None) is known
    assert (rows_of(found)["triage"].savings_low_usd is not None) is known
    said = [
        statement.text
        for statement in found.statements
        if "drawing" in statement.text or "No interval" in statement.text
    ]
    assert len(said) == 1


def test_an_unfinished_audit_is_marked() -> None:
    store = Store(None)
    put_audit(store, status="budget")
    put_task(store, "triage", calls_of("triage", 100))
    assert not report_of(store).finished


def test_the_error_rate_is_the_one_fixed_when_the_audit_began() -> None:
    assert report_of(replayed_store(), config("[quality]\ndollar_fdr = 0.2")).dollar_fdr == 0.05


def test_pinned_savings_are_kept_apart_from_proven_ones() -> None:
    pin = '[[pins]]\ntask = "reviews"\ntier = "small"\nreason = "in-house only"'
    found = report_of(replayed_store(), config(pin))
    row = rows_of(found)["reviews"]
    assert (row.moves, row.proven) == (True, False)
    assert found.totals.pinned_usd == row.savings_usd > 0
    assert found.totals.proven_usd == rows_of(found)["triage"].savings_usd


def test_the_latest_audit_is_reported() -> None:
    store = replayed_store()
    assert latest_audit(store) == AUDIT


def test_no_audit_yet_is_an_error_with_the_way_out() -> None:
    with pytest.raises(StoreError, match="no audit") as caught:
        latest_audit(Store(None))
    assert "tieraudit replay" in caught.value.hint


@pytest.mark.parametrize("audit_id", [AUDIT, "nope"])
def test_a_report_needs_assignments(audit_id: str) -> None:
    with pytest.raises(StoreError, match=audit_id):
        build_report(replayed_store(), config(), audit_id)


def test_a_log_of_free_calls_can_be_reported() -> None:
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "free", calls_of("free", 100, cost="0"))
    put_replays(store, "free", [(each, 1.0) for each in ids[:40]])
    put_verdict(store, "free", VerdictKind.PROVEN)
    found = report_of(store)
    assert found.totals.cost_now.value == 0
    for renderer in RENDERERS:
        assert renderer.render(found)


def test_a_tier_that_only_waits_is_no_evidence() -> None:
    store = replayed_store()
    put_verdict(store, "chatter", VerdictKind.UNDECIDED, n=0, agreement=None, p_good=0.4, reason="no replay yet")
    row = rows_of(report_of(store))["chatter"]
    assert not row.tested
    assert row.plausible_usd == 0
    document: dict[str, Any] = json.loads(RENDERERS.get("json").render(report_of(store)))
    assert {task["id"]: task["tested"] for task in document["tasks"]}["chatter"] is False
