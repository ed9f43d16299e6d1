"""monitor: a week like the audited ones is quiet; each kind of drift is an alarm with its evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.fixtures.audited import (
    AUDIT,
    CONFIG,
    DAYS,
    LABEL,
    LEGAL,
    MONDAY,
    MOOD,
    ORDER,
    RECOGNISERS,
    TAIL,
    audited_store,
    calls,
    insert_log,
    insert_tasks,
)

from tieraudit.domain import Call
from tieraudit.errors import InputError, UsageError
from tieraudit.pipeline import drift_window
from tieraudit.pipeline.monitor import MonitorResult, monitor
from tieraudit.store import Store

NEXT = MONDAY + timedelta(days=DAYS)
MANY = {ORDER: 40, LABEL: 30, LEGAL: 20, MOOD: 20, TAIL: 5}


@pytest.fixture(scope="module")
def audited() -> list[tuple[str, Call]]:
    return calls(per_day=MANY)


@pytest.fixture(scope="module")
def store(audited: list[tuple[str, Call]]) -> Iterator[Store]:
    with audited_store(log=audited) as found:
        yield found


def new_week(days: int = 7, *, per_day: Mapping[str, int] | None = None, **changes: Any) -> list[tuple[str, Call]]:
    return calls(NEXT, days, per_day={**MANY, **(per_day or {})}, source_file="next.jsonl", **changes)


def watch(store: Store, log: list[tuple[str, Call]]) -> MonitorResult:
    with Store(None) as week:
        insert_log(week, log)
        return monitor(store, week, CONFIG)


def kinds(result: MonitorResult) -> set[tuple[str, str]]:
    return {(alarm.task, alarm.kind) for alarm in result.alarms}


def test_a_week_like_the_audited_ones_is_quiet(store: Store) -> None:
    result = watch(store, new_week())
    assert (result.status, result.alarms) == ("ok", ())
    assert result.calls == len(new_week())


def test_a_task_that_doubled_is_an_alarm_and_so_is_one_that_went_away(store: Store) -> None:
    result = watch(store, new_week(per_day={ORDER: 110, LABEL: 1}))
    assert {(ORDER, "volume"), (LABEL, "volume")} <= kinds(result)
    order = next(alarm for alarm in result.alarms if alarm.task == ORDER)
    assert "110.2 calls a day, was 40.1" in order.evidence
    assert "server" in order.action


def test_a_new_week_of_a_weekend_alone_is_compared_with_weekends() -> None:
    def rhythm(start_day: int, days: int, name: str) -> list[tuple[str, Call]]:
        found = []
        for day in range(start_day, start_day + days):
            busy = (MONDAY + timedelta(days=day)).weekday() < 5
            per_day = {ORDER: 50 if busy else 5, LABEL: 30 if busy else 3, LEGAL: 2, MOOD: 2, TAIL: 2}
            found += calls(MONDAY + timedelta(days=day), 1, per_day=per_day, source_file=f"{name}{day}.jsonl")
        return found

    with audited_store(log=rhythm(0, 21, "old")) as store:
        assert kinds(watch(store, rhythm(25, 4, "new"))) == set()


def test_more_errors_than_chance_explains_are_an_alarm(store: Store) -> None:
    result = watch(store, new_week(failing={ORDER: 12}))
    assert (ORDER, "errors") in kinds(result)
    alarm = next(alarm for alarm in result.alarms if alarm.task == ORDER)
    assert "calls failed, was 0.0%" in alarm.evidence
    assert '"enabled": false' in alarm.action


def test_a_call_that_costs_more_is_an_alarm_and_one_that_costs_less_is_not(store: Store) -> None:
    assert kinds(watch(store, new_week(costs={LABEL: 0.04}))) == {("*", "cost"), (LABEL, "cost")}
    assert kinds(watch(store, new_week(costs={LABEL: 0.004, ORDER: 0.0001}))) == set()


def test_a_model_that_the_audit_never_saw_is_an_alarm(store: Store) -> None:
    result = watch(store, new_week(models={LEGAL: "gpt-6"}))
    assert kinds(result) == {(LEGAL, "model")}
    assert "gpt-6-2026-08-01" in result.alarms[0].evidence


@pytest.mark.parametrize("model", ["Qwen/Qwen3.5-9B", "hosted_vllm/Qwen/Qwen3.5-9B", "tieraudit-small", "gpt-5-mini"])
def test_a_moved_task_that_its_tier_answers_is_what_was_promised(store: Store, model: str) -> None:
    result = watch(store, new_week(models={ORDER: model}, costs={ORDER: 0.0001}))
    assert kinds(result) == set()
    order = next(each for each in result.tasks if each.task == ORDER)
    assert order.on_tier == (0 if model == "gpt-5-mini" else 1), "mid is proven too, but it is not its tier"


def test_a_task_that_stays_but_is_answered_by_a_cheap_tier_is_an_alarm(store: Store) -> None:
    assert kinds(watch(store, new_week(models={LEGAL: "Qwen/Qwen3.5-9B"}))) == {(LEGAL, "model")}


def test_prompts_that_no_task_knows_are_an_alarm(store: Store) -> None:
    result = watch(store, new_week(per_day={TAIL: 60}))
    assert ("*", "unknown") in kinds(result)
    assert any("belong to no known task" in alarm.evidence for alarm in result.alarms)


def test_watching_adds_no_call_and_remembers_the_outcome(store: Store, audited: list[tuple[str, Call]]) -> None:
    watch(store, new_week(models={LEGAL: "gpt-6"}))
    assert store.one("monitor_span")["calls"] == len(audited)
    row = store.rows("status_checks")[0]
    assert (row["audit_id"], row["status"]) == (AUDIT, "alarm")
    assert row["window_from"].date() == NEXT.date()
    assert [alarm["kind"] for alarm in json.loads(row["alarms"])] == ["model"]


def test_calls_that_the_database_holds_already_are_left_out(store: Store, audited: list[tuple[str, Call]]) -> None:
    result = watch(store, [*audited, *new_week(models={LEGAL: "gpt-6"})])
    assert result.known_calls == len(audited)
    assert result.window_from.date() == NEXT.date()
    assert kinds(result) == {(LEGAL, "model")}


def test_the_audited_log_again_is_nothing_new(store: Store, audited: list[tuple[str, Call]]) -> None:
    with pytest.raises(InputError, match="in the database already"):
        watch(store, audited)


def test_a_log_without_calls_is_nothing_new(store: Store) -> None:
    with Store(None) as week, pytest.raises(InputError, match="no chat calls"):
        monitor(store, week, CONFIG)


def test_without_an_audited_log_there_is_nothing_to_compare_with() -> None:
    with Store(None) as empty, pytest.raises(UsageError) as error:
        watch(empty, new_week())
    assert "tieraudit classify" in error.value.hint


def test_two_days_are_too_few_to_compare_volumes_and_that_is_said(store: Store) -> None:
    result = watch(store, new_week(2, per_day={ORDER: 400}))
    assert not any(kind == "volume" for _, kind in kinds(result))
    assert any("volumes were not compared" in note for note in result.notes)


def test_a_share_of_a_large_log_is_looked_at_and_that_is_said(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_window, "MOST_CALLS", 600)
    result = watch(store, new_week(models={ORDER: "gpt-6"}))
    assert (ORDER, "model") in kinds(result)
    assert any("of the calls were looked at" in note for note in result.notes)
    every = next(each for each in result.tasks if each.task == "*")
    assert every.calls_a_day == pytest.approx(115 * 7 / 6.6, rel=0.2)


def test_a_task_known_by_its_traced_name_is_watched_by_it(audited: list[tuple[str, Call]]) -> None:
    def named(log: list[tuple[str, Call]]) -> list[tuple[str, Call]]:
        values = [{name: getattr(call, name) for name in Call.__dataclass_fields__} for _, call in log]
        return [
            (task, Call(**{**value, "task_hint": "feelings"}) if task == MOOD else call)
            for (task, call), value in zip(log, values, strict=True)
        ]

    with audited_store(log=named(audited)) as store:
        insert_tasks(store, named(audited), {MOOD: [{"kind": "tag", "value": "feelings", "precision": 1.0}]})
        result = watch(store, named(new_week(models={MOOD: "gpt-6"})))
    assert kinds(result) == {(MOOD, "model")}
    assert RECOGNISERS[MOOD][0]["kind"] == "none"
