"""The judge's model behind the reply cache and the budget, and a judged task from log to verdict."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from tests.fixtures.chat_server import ChatServer, Fault, chat_server
from tests.fixtures.small_audit import config, put_labels, run, table, verdicts

from tieraudit.config import Config, Engine
from tieraudit.errors import BudgetReached, Unauthorised
from tieraudit.pipeline import score
from tieraudit.pipeline.judging import Judge
from tieraudit.store import Store

SAME = "Both are fine.\nVERDICT: SAME"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(lambda body: SAME) as running:
        yield running


def engine(server: ChatServer, **fields: Any) -> Engine:
    values = {"input_usd_per_mtok": Decimal(1), "output_usd_per_mtok": Decimal(1), "max_retries": 1, **fields}
    return Engine("judge", "openai", "third-family", base_url=server.base_url, **values)


def test_the_same_question_is_asked_and_paid_once(server: ChatServer) -> None:
    with Store(None) as store:
        for _ in range(2):
            with Judge(store, engine(server)) as judge:
                assert [judge.ask("a-1", "system", "user") for _ in range(2)] == [SAME, SAME]
        (reply,) = table(store, "replies")
    assert len(server.bodies) == 1
    assert server.bodies[0]["messages"] == [
        {"role": "system", "content": "system"},
        {"role": "user", "content": "user"},
    ]
    assert (reply["audit_id"], reply["model"]) == ("a-1", "third-family")
    assert reply["cost_usd"] == Decimal("0.00011")


def test_questions_from_several_threads_are_asked_at_once(server: ChatServer) -> None:
    server.latency_s = 0.1
    with Store(None) as store, Judge(store, engine(server)) as judge, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(partial(judge.ask, "a-1", "s"), "abcdefgh"))
    assert answers == [SAME] * 8
    assert server.most_at_once > 1


def test_nothing_starts_before_the_first_question() -> None:
    with Store(None) as store, Judge(store, Engine("judge", "vllm", "no/such-model")):
        pass


def test_a_judge_that_does_not_answer_one_question_raises_a_value_error(server: ChatServer) -> None:
    server.always = Fault(status=400)
    with Store(None) as store, Judge(store, engine(server)) as judge:
        with pytest.raises(ValueError, match="http_400"):
            judge.ask("a-1", "s", "u")
        assert table(store, "replies") == []


def test_a_question_that_does_not_fit_into_the_budget_is_not_asked(server: ChatServer) -> None:
    with Store(None) as store, Judge(store, engine(server), budget_usd=Decimal("0.00415")) as judge:
        judge.ask("a-1", "s", "first")
        with pytest.raises(BudgetReached):
            judge.ask("a-1", "s", "second")
    assert len(server.bodies) == 1


def judged(server: ChatServer) -> Config:
    price = "input_usd_per_mtok = 1\noutput_usd_per_mtok = 1"
    return config(server, more=f'[judge]\nmodel = "third-family"\nbase_url = "{server.base_url}"\n{price}')


def test_free_text_is_judged_and_the_judge_is_part_of_what_the_audit_cost(server: ChatServer) -> None:
    server.answer = lambda body: SAME if body["model"] == "third-family" else "an answer of its own kind"
    settings = judged(server)
    with Store(None) as store:
        put_labels(store, "prose", output_shape="text")
        assert settings.judge is not None
        with Judge(store, settings.judge) as judge:
            result = run(
                store, settings, score=lambda s, a: score.score(s, a, config=settings, ask=partial(judge.ask, a))
            )
        models = [row["model"] for row in table(store, "replies")]
    assert verdicts(result) == {"prose": "proven"}
    assert models.count("third-family") > models.count("small-model") > 0
    assert result.spent_usd > Decimal("0.00012") * models.count("small-model")


def test_a_judge_that_refuses_the_key_ends_the_run_and_excludes_nothing(server: ChatServer) -> None:
    settings = judged(server)

    def refused(system: str, user: str) -> str:
        raise Unauthorised("the key was refused")

    with Store(None) as store:
        put_labels(store, "prose", output_shape="text")
        with pytest.raises(Unauthorised):
            run(store, settings, score=lambda s, a: score.score(s, a, config=settings, ask=refused))
        assert table(store, "audits")[0]["status"] == "interrupted"
        assert table(store, "scores") == []


def test_a_judge_that_ends_the_budget_ends_the_run_as_the_budget_does(server: ChatServer) -> None:
    server.answer = lambda body: SAME if body["model"] == "third-family" else "an answer of its own kind"
    settings = judged(server)
    with Store(None) as store:
        put_labels(store, "prose", output_shape="text")
        assert settings.judge is not None
        with Judge(store, settings.judge, budget_usd=Decimal("0.02")) as judge:
            result = run(
                store,
                settings,
                budget_usd=Decimal("0.02"),
                score=lambda s, a: score.score(s, a, config=settings, ask=partial(judge.ask, a)),
            )
    assert result.status == "budget"
    assert result.spent_usd <= Decimal("0.02")
