"""Replay against real endpoints on loopback, with the real stages behind it."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.chat_server import Fault, chat_server
from tests.fixtures.replayed import calls_of, put_task
from tests.fixtures.small_audit import (
    REPLY_USD,
    config,
    labelled,
    plan_of,
    put_labels,
    right,
    run,
    table,
    verdicts,
    wrong,
)

from tieraudit.config import Config
from tieraudit.domain import ContentState, Decision, Want
from tieraudit.errors import BackendError, ConfigError, Unauthorised, UsageError
from tieraudit.store import Store

ELSEWHERE = {"base_url": "http://models.invalid/v1", "api_key_env": "SOME_KEY"}


def with_small(settings: Config, **changes: Any) -> Config:
    """``settings`` with another small tier."""
    return replace(settings, tiers=(replace(settings.tiers[0], **changes), *settings.tiers[1:]))


def number_of(body: dict[str, Any]) -> int:
    """Which case of its task a request is."""
    return int(body["messages"][-1]["content"].rsplit(" ", 1)[1])


def drawn_of(store: Store) -> list[tuple[str, int, int, str]]:
    """What was drawn, without the ids that the port of a test server enters into."""
    return [(row["gate"], row["stage"], row["draw"], str(row["call_id"])) for row in table(store, "cases")]


def test_a_model_that_answers_like_the_log_is_proven_and_one_that_does_not_is_not() -> None:
    with (
        Store(None) as store,
        chat_server(lambda b: (right if "good" in b["messages"][0]["content"] else wrong)(b)) as s,
    ):
        put_labels(store, "good")
        put_labels(store, "bad")
        result = run(store, config(s))
    assert verdicts(result) == {"good": "proven", "bad": "refuted"}
    assert result.status == "finished"
    assert result.counts()["proven"] == 1
    assert result.spent_usd == Decimal(REPLY_USD) * result.replies


def test_each_call_is_sent_once_and_as_it_was_logged() -> None:
    logged = {
        "temperature": 0.2,
        "max_tokens": 7,
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "x_own": [1],
    }
    with Store(None) as store, chat_server(right) as server:
        put_labels(store)
        calls = calls_of("extra", 80, request=logged)
        put_task(store, "extra", calls)
        run(store, config(server))
    sent = [{k: v for k, v in b.items() if k not in ("model", "stream", "stream_options")} for b in server.bodies]
    texts = [repr(body) for body in sent]
    assert len(texts) == len(set(texts))
    assert all(body["model"] == "small-model" for body in server.bodies)
    requests = [call.request for call in calls]
    extras = [body for body in sent if "x_own" in body]
    assert extras
    assert all(body in requests for body in extras)


def test_a_finished_audit_is_left_alone() -> None:
    with labelled() as (store, server):
        first = run(store, config(server))
        asked = len(server.bodies)
        before = {name: table(store, name) for name in ("audits", "cases", "replies", "scores")}
        second = run(store, config(server))
        assert len(server.bodies) == asked
        assert {name: table(store, name) for name in before} == before
    assert second.audit_id == first.audit_id
    assert second.verdicts == first.verdicts


def test_the_same_seed_draws_the_same_cases_and_another_seed_others() -> None:
    drawn = []
    for seed in (5, 5, 6):
        with labelled() as (store, server):
            run(store, config(server), seed=seed)
            drawn.append(sorted(drawn_of(store)))
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_the_order_in_which_replies_arrive_changes_nothing() -> None:
    results = []
    for seed in range(3):
        delays = random.Random(seed)

        def answer(body: dict[str, Any], delays: random.Random = delays) -> str:
            time.sleep(delays.random() * 0.01)
            return wrong(body) if number_of(body) % 10 == 0 else right(body)

        with labelled(answer) as (store, server):
            result = run(store, config(server))
            results.append((result.verdicts, sorted(drawn_of(store))))
    assert results[0] == results[1] == results[2]


def test_replies_in_flight_are_as_many_as_the_tier_allows() -> None:
    with labelled() as (store, server):
        server.latency_s = 0.02
        run(store, config(server))
        assert server.most_at_once == 4


def test_what_is_stored_is_never_asked_again_even_by_another_audit() -> None:
    with labelled() as (store, server):
        settings = config(server)
        first = run(store, settings)
        server.always = Fault(status=401)
        asked = len(server.bodies)
        other = config(server, extra="utilisation = 0.5")
        second = run(store, other)
        assert len(server.bodies) == asked
    assert second.audit_id != first.audit_id
    assert second.spent_usd == 0
    assert [v.kind for v in second.verdicts] == [v.kind for v in first.verdicts]


def test_an_engine_whose_replies_are_all_stored_is_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    with labelled() as (store, server):
        monkeypatch.setenv("SOME_KEY", "k")
        run(store, config(server, extra='api_key_env = "SOME_KEY"'))
        monkeypatch.delenv("SOME_KEY")
        result = run(store, config(server, extra='api_key_env = "SOME_KEY"\nutilisation = 0.5'))
    assert result.status == "finished"


def test_a_second_stage_asks_the_candidate_thrice_and_the_model_that_served_the_call_once() -> None:
    def unsteady(body: dict[str, Any]) -> str:
        return wrong(body) if number_of(body) % 10 == 0 else right(body)

    with labelled(unsteady) as (store, small), chat_server(right) as frontier:
        run(store, config(small, frontier), baseline="replay")
        cases = {row["case_id"]: row["stage"] for row in table(store, "cases")}
        asked: dict[Any, list[tuple[str, int]]] = {}
        for row in table(store, "case_replies"):
            asked.setdefault(row["case_id"], []).append((row["role"], row["trial"]))
    assert {stage: {tuple(sorted(asked[case])) for case in cases if cases[case] == stage} for stage in (1, 2)} == {
        1: {(("candidate", 0),)},
        2: {(("candidate", 0), ("candidate", 1), ("candidate", 2), ("incumbent", 0))},
    }
    assert {body["model"] for body in frontier.bodies} == {"gpt-4o-2024-08-06"}


def test_failed_replies_are_no_disagreements_but_too_many_decide_nothing() -> None:
    def answer(body: dict[str, Any]) -> str:
        if number_of(body) % 10 in (1, 2):
            raise ConnectionResetError
        return right(body)

    with labelled(answer) as (store, server):
        result = run(store, config(server))
        errors = {row["error_type"] for row in table(store, "replies")}
    (verdict,) = result.verdicts
    assert verdict.kind == "undecided"
    assert verdict.errors > 0
    assert verdict.agreement == 1.0
    assert errors == {None, "connection_lost"}


def test_a_conversation_counts_once() -> None:
    with Store(None) as store, chat_server(right) as server:
        calls = calls_of("route", 90)
        talk = calls_of("talk", 400, conversation_id="one long talk")
        put_task(store, "route", [*calls, *talk], output_shape="number")
        wants = Decision((), (Want("route", "small", "agreement", 1, 300),))
        decisions = iter([wants, Decision((), ())])
        run(store, config(server), score=lambda s, a: None, decide=lambda s, a: next(decisions))
    of_the_talk = sum("talk case" in body["messages"][-1]["content"] for body in server.bodies)
    assert of_the_talk < 20


class TestTheHardBudget:
    def test_requests_in_flight_together_never_pass_it(self) -> None:
        with labelled() as (store, server):
            server.latency_s = 0.01
            result = run(store, config(server), budget_usd=Decimal("0.012"))
            assert result.spent_usd <= Decimal("0.012")
            assert server.most_at_once < 4
            assert result.status == "budget"
            error = result.budget_reached
            assert error is not None
            assert error.exit_code == 5
            assert "$0.012" in error.message
            assert "more replies" in error.hint
            assert result.replies == len(server.bodies) > 0

    def test_more_budget_goes_on_where_it_ended_and_pays_nothing_twice(self) -> None:
        with labelled() as (store, server):
            settings = config(server)
            run(store, settings, budget_usd=Decimal("0.012"))
            result = run(store, settings, budget_usd=Decimal(5))
            assert result.status == "finished"
            texts = [repr(body["messages"]) for body in server.bodies]
            assert len(texts) == len(set(texts))
        with labelled() as (store, server):
            at_once = run(store, config(server))
        assert result.verdicts == at_once.verdicts

    def test_nothing_means_nothing(self) -> None:
        with labelled() as (store, server):
            result = run(store, config(server), budget_usd=Decimal(0))
            assert server.bodies == []
        assert result.status == "budget"

    def test_calls_can_be_limited_too(self) -> None:
        with labelled() as (store, server):
            result = run(store, config(server), max_calls=11)
            assert len(server.bodies) == 11
            assert result.replies == 11
            assert run(store, config(server), max_calls=11).replies == 11
            assert len(server.bodies) == 11

    def test_what_is_paid_for_is_judged_even_when_it_ends_early(self) -> None:
        with labelled() as (store, server):
            result = run(store, config(server), max_calls=30)
        assert result.verdicts[0].n > 0

    def test_a_request_that_times_out_counts_with_its_worst_case(self) -> None:
        with labelled() as (store, server):
            server.latency_s = 0.5
            result = run(store, with_small(config(server), timeout_s=0.1, max_retries=0), max_calls=2)
            rows = table(store, "replies")
        assert {row["error_type"] for row in rows} == {"timeout"}
        assert result.spent_usd > 2 * Decimal("0.008")

    def test_it_cannot_hold_where_a_price_is_unknown(self) -> None:
        with labelled() as (store, server):
            away = {**ELSEWHERE, "input_usd_per_mtok": None, "output_usd_per_mtok": None}
            with pytest.raises(ConfigError, match=r"price of small-model .* unknown"):
                run(store, with_small(config(server), **away), budget_usd=Decimal(5))


class TestThePlan:
    def test_every_task_is_tested_or_left_out_with_a_reason(self) -> None:
        with Store(None) as store, chat_server(right) as server:
            put_labels(store, "large", 90)
            put_labels(store, "tiny", 20)
            put_labels(store, "cheap", 90, call={"cost": "0.00001"})
            put_labels(store, "free", 90, call={"cost": None}, spend_usd=None)
            put_labels(store, "pinned", 90, stakes="legal")
            put_labels(store, "tail", 90, is_tail=True)
            put_task(store, "blind", calls_of("blind", 90, content_state=ContentState.REDACTED))
            put_labels(store, "served", 90, call={"response_model": "small-model"})
            pin = '[[pins]]\nstakes = "legal"\ntier = "frontier"\nreason = "cost of error"'
            result = run(store, config(server, more=pin), dry_run=True)
            assert table(store, "audits") == []
        assert server.bodies == []
        assert [row.planned.task_id for row in result.plan.rows] == ["large"]
        why = {left.task_id: left.reason for left in result.plan.left_out}
        assert set(why) == {"tiny", "cheap", "free", "pinned", "tail", "blind", "served"}
        assert "20 calls" in why["tiny"]
        assert "worth testing" in why["cheap"]
        assert "no price" in why["free"]
        assert "pinned to frontier" in why["pinned"]
        assert "tail" in why["tail"]
        assert "prompt and answer" in why["blind"]
        assert "serves it already" in why["served"]
        assert result.counts()["pinned"] == 1

    def test_the_largest_tasks_that_make_most_of_the_spend(self) -> None:
        with Store(None) as store, chat_server(right) as server:
            for number in range(10):
                put_labels(store, f"t{number}", 60 + number, call={"cost": f"{0.1 / 3**number:.9f}"})
            result = run(store, config(server, more="[quality]\nmin_share_of_spend = 0.000001"), dry_run=True)
        assert [row.planned.task_id for row in result.plan.rows] == ["t0", "t1", "t2"]
        assert "of the spend" in result.plan.left_out[0].reason

    def test_scorer_gates_and_margin_follow_the_task(self) -> None:
        shapes = ["label", "json", "tool_calls", "number", "short", "text", "code"]
        with Store(None) as store, chat_server(right) as server:
            for shape in shapes:
                put_labels(store, shape, output_shape=shape, stakes="financial" if shape == "json" else None)
            plan = run(store, config(server), dry_run=True).plan
        rows = {row.planned.task_id: row.planned for row in plan.rows}
        assert {shape: rows[shape].scorer for shape in shapes} == {
            "label": "label",
            "json": "json-fields",
            "tool_calls": "tool-calls",
            "number": "short-answer",
            "short": "short-answer",
            "text": "judge",
            "code": "judge",
        }
        assert rows["label"].gates == ("agreement", "macro")
        assert rows["number"].gates == ("agreement",)
        assert rows["text"].gates == ()
        assert (rows["label"].margin, rows["json"].margin, rows["text"].margin) == (0.05, 0.03, 0.10)

    def test_free_text_without_a_judge_is_said_to_need_one_and_costs_nothing(self) -> None:
        with Store(None) as store, chat_server(right) as server:
            put_labels(store, "prose", output_shape="text")
            result = run(store, config(server))
        assert server.bodies == []
        assert verdicts(result) == {"prose": "not_auditable"}
        assert "judge" in result.verdicts[0].reason

    def test_the_worst_case_counts_a_call_that_is_drawn_twice_once(self) -> None:
        with labelled(calls=90) as (store, server):
            (row,) = run(store, config(server), dry_run=True).plan.rows
        assert row.most_cases == 600
        assert row.most_replies == 90
        assert row.worst_usd is not None
        assert Decimal("0.7") < row.worst_usd < Decimal("0.8")

    def test_a_log_without_anything_worth_testing_is_an_audit_that_is_finished(self) -> None:
        with Store(None) as store, chat_server(right) as server:
            put_labels(store, "tiny", 20)
            result = run(store, config(server))
        assert (result.status, result.verdicts) == ("finished", ())

    def test_the_plan_and_the_reasons_are_stored_before_the_first_replay(self) -> None:
        with Store(None) as store, chat_server(right) as server:
            put_labels(store, "route")
            put_labels(store, "tiny", 20)
            server.always = Fault(status=401)
            with pytest.raises(Unauthorised):
                run(store, config(server))
            assert [row["task_id"] for row in plan_of(store)] == ["route"]
            assert "tiny" in table(store, "audits")[0]["left_out"]

    @pytest.mark.parametrize("name", ["frontier", "medium"])
    def test_a_tier_that_cannot_be_tried_is_a_usage_error(self, name: str) -> None:
        with labelled() as (store, server), pytest.raises(UsageError, match=name):
            run(store, config(server), tiers=(name,))


def test_nothing_is_sent_to_a_host_that_bills_before_somebody_agrees() -> None:
    asked: list[tuple[str, ...]] = []

    def refuse(hosts: tuple[str, ...]) -> None:
        asked.append(hosts)
        raise UsageError("no")

    with labelled() as (store, server):
        with pytest.raises(UsageError):
            run(store, with_small(config(server), **ELSEWHERE), confirm=refuse)
        assert asked == [("http://models.invalid/v1",)]
        run(store, config(server), confirm=refuse)
        assert len(asked) == 1


def test_an_endpoint_that_only_fails_ends_the_run_and_a_rerun_asks_again() -> None:
    with labelled() as (store, server):
        server.always = Fault(status=500)
        settings = with_small(config(server), max_retries=0)
        with pytest.raises(BackendError, match="12 failures in a row"):
            run(store, settings)
        assert len(server.bodies) < 40
        server.always = None
        assert run(store, settings).status == "finished"


def test_the_largest_spend_is_asked_for_first_so_a_small_budget_decides_what_matters() -> None:
    with Store(None) as store, chat_server(right) as server:
        put_labels(store, "a-little", call={"cost": "0.001"})
        put_labels(store, "b-lot", call={"cost": "0.002"})
        run(store, config(server), max_calls=10)
    assert {body["messages"][0]["content"] for body in server.bodies} == {"You do b-lot."}
