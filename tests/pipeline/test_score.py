"""Scoring: every case once its replies are there, failures excluded and named, nothing scored twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.fixtures.trial import AUDIT, Trial
from tests.unit.evidence.plans import planned

from tieraudit.config import Config, Engine, default_config
from tieraudit.domain import Output, PlannedTask, Role
from tieraudit.errors import BudgetReached, StoreError
from tieraudit.pipeline.score import score
from tieraudit.scorers.label import LabelScorer
from tieraudit.store import Store

CONFIG = default_config()
JUDGED = planned(scorer="judge", margin=0.10)
PROSE = Output("The parcel left on Monday and should reach you within three days.")
OTHER = Output("No idea, ask the post office about it some time next week.")


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(None) as opened:
        yield opened


def scored(store: Store) -> list[dict[str, Any]]:
    connection = store._connection
    cursor = connection.execute(
        "SELECT c.draw, s.outcome, s.agreement, s.self_agreement, s.scorer, s.version, s.detail "
        "FROM scores s JOIN cases c USING (case_id) ORDER BY c.stage, c.draw"
    )
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def label_trial(store: Store, *plan: PlannedTask, baseline: str = "logged") -> Trial:
    return Trial(store, plan or [planned()], baseline=baseline)


def judge_config(threads: int) -> Config:
    judge = Engine("judge", "openai", model="j", base_url="http://127.0.0.1:1/v1", concurrency=threads)
    return replace(CONFIG, judge=judge)


def test_a_case_is_scored_once_its_reply_is_there_and_never_again(store: Store) -> None:
    trial = label_trial(store)
    case = trial.case(trial.call(Output("billing")))
    waiting = trial.case(trial.call(Output("shipping")))
    score(store, AUDIT, config=CONFIG)
    assert scored(store) == []
    trial.reply(case, Output("**Billing**"))
    score(store, AUDIT, config=CONFIG)
    score(store, AUDIT, config=CONFIG)
    assert [(row["draw"], row["outcome"], row["agreement"], row["self_agreement"]) for row in scored(store)] == [
        (0, 1.0, 1.0, None)
    ]
    trial.reply(waiting, Output("billing"))
    score(store, AUDIT, config=CONFIG)
    assert [row["outcome"] for row in scored(store)] == [1.0, 0.0]
    assert {(row["scorer"], row["version"]) for row in scored(store)} == {("label", 1)}


def test_a_failed_reply_excludes_the_case_and_a_later_success_counts(store: Store) -> None:
    trial = label_trial(store)
    failed, mended = (trial.case(trial.call(Output("billing"))) for _ in range(2))
    trial.reply(failed, "timeout")
    trial.reply(mended, "http_500")
    trial.reply(mended, Output("billing"), later=5)
    score(store, AUDIT, config=CONFIG)
    assert [row["outcome"] for row in scored(store)] == [None, 1.0]
    assert scored(store)[0]["detail"] == "candidate reply failed: timeout"


def test_with_reruns_the_outcome_is_agreement_less_self_agreement(store: Store) -> None:
    trial = label_trial(store, baseline="replay")
    case = trial.case(trial.call(Output("billing")), stage=2)
    for number, answer in enumerate(["billing", "shipping", "returns"]):
        trial.reply(case, Output(answer), trial=number)
    score(store, AUDIT, config=CONFIG)
    assert scored(store) == []
    trial.reply(case, Output("shipping"), role=Role.INCUMBENT)
    score(store, AUDIT, config=CONFIG)
    (row,) = scored(store)
    assert row["agreement"] == pytest.approx((0.5 + 0.5 + 0.0) / 3)
    assert row["self_agreement"] == 0.0
    assert row["outcome"] == pytest.approx(1 / 3)


def test_a_failed_rerun_of_the_incumbent_excludes_the_case(store: Store) -> None:
    trial = label_trial(store, baseline="replay")
    case = trial.case(trial.call(Output("billing")), stage=2)
    for number in range(3):
        trial.reply(case, Output("billing"), trial=number)
    trial.reply(case, "http_429", role=Role.INCUMBENT)
    score(store, AUDIT, config=CONFIG)
    (row,) = scored(store)
    assert (row["outcome"], row["detail"]) == (None, "incumbent reply failed: http_429")


def test_a_scorer_that_raises_is_recorded_and_the_run_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = label_trial(store)
    for answer in ("bad", "good"):
        trial.reply(trial.case(trial.call(Output("good"))), Output(answer))
    honest = LabelScorer.score

    def brittle(self: LabelScorer, context: Any) -> Any:
        if context.answer.text == "bad":
            raise KeyError("secret sk-ant-REDACTED0123456789abcdef")
        return honest(self, context)

    monkeypatch.setattr(LabelScorer, "score", brittle)
    score(store, AUDIT, config=CONFIG)
    first, second = scored(store)
    assert first["outcome"] is None
    assert first["detail"].startswith("scorer error: KeyError")
    assert "abcdef" not in first["detail"]
    assert second["outcome"] == 1.0


def test_what_cannot_be_compared_is_excluded_with_the_reason(store: Store) -> None:
    trial = label_trial(store, planned(scorer="json-fields"))
    trial.reply(trial.case(trial.call(Output(None, refusal="no"))), Output('{"a": 1}'))
    trial.reply(trial.case(trial.call(None)), Output('{"a": 1}'))
    score(store, AUDIT, config=CONFIG)
    assert [row["outcome"] for row in scored(store)] == [None, None]
    assert scored(store)[0]["detail"].startswith("cannot be compared:")
    assert scored(store)[1]["detail"] == "the log has no answer to compare with"


def test_the_schema_and_the_tools_of_the_logged_request_are_used(store: Store) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wrapped = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    trial = label_trial(store, planned(scorer="json-fields"))
    call_id = trial.call(Output('{"n": 1, "m": "x"}'), {"response_format": wrapped})
    trial.reply(trial.case(call_id), Output('{"n": "1", "m": "x"}'))
    score(store, AUDIT, config=CONFIG)
    assert scored(store)[0]["detail"] == "breaks the schema; strict=0"


def test_the_labels_of_the_task_are_known_to_the_scorer(store: Store) -> None:
    trial = label_trial(store)
    trial.call(Output("shipping"))
    trial.call(Output("weather"), task="b")
    call_id = trial.call(Output("billing"))
    trial.reply(trial.case(call_id), Output("shipping"))
    trial.reply(trial.case(call_id), Output("weather"))
    score(store, AUDIT, config=CONFIG)
    assert "no label" not in scored(store)[0]["detail"]
    assert "no label of this task" in scored(store)[1]["detail"]


def test_a_judge_scores_win_tie_and_loss(store: Store) -> None:
    def ask(system: str, prompt: str) -> str:
        first = prompt.split("<<<ANSWER ONE")[1].split("<<<END", maxsplit=1)[0]
        return "VERDICT: ONE" if "Monday" in first else "VERDICT: TWO"

    trial = label_trial(store, JUDGED)
    trial.reply(trial.case(trial.call(OTHER)), PROSE)
    trial.reply(trial.case(trial.call(PROSE)), PROSE)
    trial.reply(trial.case(trial.call(PROSE)), OTHER)
    score(store, AUDIT, config=CONFIG, ask=ask)
    assert [(row["outcome"], row["agreement"]) for row in scored(store)] == [(1.0, 1.0), (0.0, 1.0), (-1.0, 0.0)]


def test_a_judge_that_does_not_answer_or_is_absent_excludes_the_case(store: Store) -> None:
    def ask(system: str, prompt: str) -> str:
        raise ValueError("the judge did not answer (timeout)")

    trial = label_trial(store, JUDGED)
    trial.reply(trial.case(trial.call(PROSE)), OTHER)
    score(store, AUDIT, config=CONFIG, ask=ask)
    trial.reply(trial.case(trial.call(PROSE)), OTHER)
    score(store, AUDIT, config=CONFIG)
    assert [row["outcome"] for row in scored(store)] == [None, None]
    assert "did not answer" in scored(store)[0]["detail"]
    assert "no judge" in scored(store)[1]["detail"]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_budget_that_ends_keeps_what_was_scored_and_the_next_call_goes_on(store: Store, threads: int) -> None:
    asked: list[str] = []
    lock = threading.Lock()

    def poor(system: str, prompt: str) -> str:
        with lock:
            asked.append(prompt)
            if len(asked) > 4:
                raise BudgetReached("the budget is used up")
        return "VERDICT: SAME"

    trial = label_trial(store, JUDGED)
    for _ in range(6):
        trial.reply(trial.case(trial.call(PROSE)), OTHER)
    with pytest.raises(BudgetReached):
        score(store, AUDIT, config=judge_config(threads), ask=poor)
    done = len(scored(store))
    assert done <= 2
    score(store, AUDIT, config=judge_config(threads), ask=lambda system, prompt: "VERDICT: SAME")
    assert [row["outcome"] for row in scored(store)] == [0.0] * 6


def test_several_questions_are_put_at_once(store: Store) -> None:
    together = threading.Barrier(3, timeout=20)

    def ask(system: str, prompt: str) -> str:
        together.wait()
        return "VERDICT: SAME"

    trial = label_trial(store, JUDGED)
    for _ in range(3):
        trial.reply(trial.case(trial.call(PROSE)), OTHER)
    score(store, AUDIT, config=judge_config(3), ask=ask)
    assert [row["outcome"] for row in scored(store)] == [0.0] * 3


def test_an_interruption_keeps_what_was_scored(store: Store) -> None:
    trial = label_trial(store, JUDGED)
    for _ in range(3):
        trial.reply(trial.case(trial.call(PROSE)), OTHER)
    replies = iter(["VERDICT: SAME", "VERDICT: SAME"])

    def ask(system: str, prompt: str) -> str:
        try:
            return next(replies)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt):
        score(store, AUDIT, config=CONFIG, ask=ask)
    assert [row["outcome"] for row in scored(store)] == [0.0]


def test_an_unknown_audit_is_an_error_with_a_hint(store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        score(store, "nope", config=CONFIG)
    assert "tieraudit replay" in caught.value.hint
