"""The cases of an audit: which calls are drawn, which replies each needs, and which of those are not there yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from tieraudit.config import Config, Engine
from tieraudit.domain import Role, Want
from tieraudit.pipeline.engines import Engines
from tieraudit.pipeline.replay_plan import CANDIDATE_TRIALS, ReplayPlan
from tieraudit.pipeline.sampling import MACRO, Pool, Stream, case_id
from tieraudit.pipeline.sending import Request, request_key
from tieraudit.scorers.label import normalise
from tieraudit.store import Store


class CaseBook:
    """Draws cases for one audit and names the requests that they wait for. Sends nothing."""

    def __init__(self, store: Store, config: Config, plan: ReplayPlan, engines: Engines) -> None:
        self._store, self._config, self._plan, self._engines = store, config, plan, engines
        self._pools: dict[tuple[str, str], Pool] = {}

    def missing(self) -> list[Request]:
        """The requests without an answer that cases wait for, of the task with the largest spend first.

        They are those of the last batch, or of a run that was cut off.
        """
        rows = self._store.rows("replay_missing", audit_id=self._plan.audit_id)
        place = {row.planned.task_id: number for number, row in reversed([*enumerate(self._plan.rows)])}
        return [self._request(row) for row in sorted(rows, key=lambda row: place[row["task_id"]])]

    def _request(self, row: dict[str, Any]) -> Request:
        engine, model = self._target(row["role"], row["tier"], row["served_by"])
        return Request(row["request_key"], engine, model, row["trial"], json.loads(row["request"]))

    def _target(self, role: str, tier: str, served_by: str | None) -> tuple[Engine, str]:
        """Who answers: the tier's own model, or for a rerun of the incumbent the model that served the call."""
        if role == Role.CANDIDATE:
            engine = self._config.tier(tier)
            return engine, engine.model or ""
        engine = self._config.incumbent
        return engine, served_by or engine.model or "unknown"

    def draw(self, wants: Sequence[Want]) -> None:
        """Store the next cases, with the names of the replies that each needs."""
        audit_id = self._plan.audit_id
        drawn = self._store.rows("replay_drawn", audit_id=audit_id)
        begun = {(row["task_id"], row["tier"], row["gate"], row["stage"]): row["draws"] for row in drawn}
        cases = []
        for want in wants:
            stream = Stream(want.task_id, want.tier, want.gate, want.stage)
            first = begun.get((want.task_id, want.tier, want.gate, want.stage), 0)
            for number in range(first, first + want.count):
                call = self._pool(want.task_id, want.gate).draw(self._plan.seed, stream, number)
                cases.append(
                    {
                        "case_id": str(case_id(audit_id, stream, number)),
                        "audit_id": audit_id,
                        "task_id": want.task_id,
                        "tier": want.tier,
                        "gate": want.gate,
                        "stage": want.stage,
                        "draw": number,
                        "call_id": str(call.call_id),
                        "weight": call.weight,
                    }
                )
        needs = self._needs(cases)
        with self._store.transaction():
            self._store.insert("cases", pa.Table.from_pylist(cases))
            self._store.insert("case_replies", pa.Table.from_pylist(needs))

    def _needs(self, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        call_ids = sorted({case["call_id"] for case in cases})
        calls = {str(row["call_id"]): row for row in self._store.rows("replay_requests", call_ids=call_ids)}
        needs = []
        for case in cases:
            call = calls[case["call_id"]]
            body = json.loads(call["request"])
            for role, trial in _replies_of(case["stage"]):
                engine, model = self._target(role, case["tier"], call["model"])
                key = request_key(self._engines.endpoint(engine), model, body, trial)
                needs.append({"case_id": case["case_id"], "role": role, "trial": trial, "request_key": key})
        return needs

    def _pool(self, task_id: str, gate: str) -> Pool:
        if (task_id, gate) not in self._pools:
            rows = self._store.rows("replay_pool", task_id=task_id)
            self._pools[task_id, gate] = (
                Pool.by_label((row["call_id"], normalise(row["answer"] or "")) for row in rows)
                if gate == MACRO
                else Pool.by_conversation((row["call_id"], row["conversation_id"]) for row in rows)
            )
        return self._pools[task_id, gate]


def _replies_of(stage: int) -> list[tuple[str, int]]:
    """The replies that one case needs, as (role, trial): METHOD 2.4."""
    if stage == 1:
        return [(Role.CANDIDATE.value, 0)]
    return [*((Role.CANDIDATE.value, trial) for trial in range(CANDIDATE_TRIALS)), (Role.INCUMBENT.value, 0)]
