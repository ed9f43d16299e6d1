"""Decide: from stored scores to verdicts with a stated error rate, and to the replays that are worth most next."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tieraudit.domain import Decision, PlannedTask, Verdict, VerdictKind, Want
from tieraudit.errors import StoreError
from tieraudit.evidence import decision
from tieraudit.evidence.decision import Ending, Settings, Standing
from tieraudit.evidence.draws import Floats
from tieraudit.evidence.gates import gates_of
from tieraudit.evidence.tally import Outcomes, Tally, tallies
from tieraudit.evidence.wording import reason
from tieraudit.scorers import SCORERS
from tieraudit.store import Store

KINDS = {
    Ending.PROVEN: VerdictKind.PROVEN,
    Ending.REFUTED: VerdictKind.REFUTED,
    Ending.UNSTEADY: VerdictKind.NOT_AUDITABLE,
    Ending.UNTESTED: VerdictKind.NOT_AUDITABLE,
}
"""Everything else is undecided: for lack of data nothing fails."""

SEPARATOR = "\x1f"
COUNTED = pa.schema(
    [
        ("task_id", pa.string()),
        ("tier", pa.string()),
        ("gate", pa.string()),
        ("stage", pa.int32()),
        ("outcome", pa.float64()),
        ("agreement", pa.float64()),
        ("self_agreement", pa.float64()),
        ("draws", pa.float64()),
    ]
)
VERDICTS = pa.schema(
    [
        ("audit_id", pa.string()),
        ("task_id", pa.string()),
        ("tier", pa.string()),
        ("model", pa.string()),
        ("verdict", pa.string()),
        ("n", pa.int32()),
        ("agreement", pa.float64()),
        ("agreement_low", pa.float64()),
        ("agreement_high", pa.float64()),
        ("self_agreement", pa.float64()),
        ("margin", pa.float64()),
        ("e_value", pa.float64()),
        ("threshold", pa.float64()),
        ("scorer", pa.string()),
        ("stage", pa.int32()),
        ("errors", pa.int32()),
        ("p_good", pa.float64()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class _Audit:
    """The hypotheses and how they are tested, as fixed before the first replay."""

    plan: tuple[PlannedTask, ...]
    judged: tuple[bool, ...]
    settings: Settings


def decide(store: Store, audit_id: str) -> Decision:
    """The verdict of every planned task and tier from what is scored so far, and what to replay next.

    Replaces the audit's rows in `verdicts`. The same scores give the same decision, after every batch or once at the
    end. Raises `StoreError` for an unknown audit.
    """
    audit = _audit(store, audit_id)
    outcomes, causes = _outcomes(store, audit_id, audit.plan)
    standings = decision.decide(audit.plan, audit.judged, outcomes.observed(), audit.settings)
    found = tallies(audit.plan, audit.judged, outcomes)
    rows = zip(audit.plan, standings, found, causes, strict=True)
    verdicts = tuple(_verdict(*row, alpha=audit.settings.alpha) for row in rows)
    wants = tuple(
        Want(audit.plan[i].task_id, audit.plan[i].tier, gate, stage, count)
        for i in decision.next_round(standings)
        for gate, stage, count in standings[i].asks
    )
    with store.transaction():
        store.execute_with("decide_verdicts", _table(audit_id, verdicts))
    return Decision(verdicts, wants)


def _audit(store: Store, audit_id: str) -> _Audit:
    found = store.rows("decide_audit", audit_id=audit_id)
    if not found:
        raise StoreError(f"there is no audit {audit_id}", hint="start one with `tieraudit replay`")
    row = found[0]
    plan = tuple(_planned(entry) for entry in json.loads(row["plan"]))
    quality = json.loads(row["config"])["quality"]
    in_plan = {planned.tier for planned in plan}
    settings = Settings(
        tiers=tuple(tier for tier in row["tiers"] if tier in in_plan),
        alpha=quality["dollar_fdr"],
        min_cases=quality["min_cases"],
        cap_first=quality["max_cases_per_task"],
        staged=row["baseline"] == "replay",
    )
    return _Audit(plan, tuple(SCORERS.get(planned.scorer).lowest < 0 for planned in plan), settings)


def _planned(entry: Mapping[str, Any]) -> PlannedTask:
    return PlannedTask(**{**entry, "weight_usd": Decimal(entry["weight_usd"]), "gates": tuple(entry["gates"])})


def _outcomes(store: Store, audit_id: str, plan: Sequence[PlannedTask]) -> tuple[Outcomes, list[str]]:
    """Everything scored so far, and the most frequent cause of failure of each entry of ``plan``."""
    rows = {_key(plan[entry].task_id, plan[entry].tier, gate): i for i, (entry, gate) in enumerate(gates_of(plan))}
    table = pa.Table.from_batches(store.batches("decide_outcomes", audit_id=audit_id), schema=COUNTED)
    names = [table[name].cast(pa.string()) for name in ("task_id", "tier", "gate")]
    keys = pc.binary_join_element_wise(*names, SEPARATOR).combine_chunks().dictionary_encode()
    places = np.array([rows[key] for key in keys.dictionary.to_pylist()], dtype=np.int64)
    failed = np.zeros((len(rows), 2))
    causes = [""] * len(plan)
    most = [0.0] * len(plan)
    owners = [entry for entry, _ in gates_of(plan)]
    for row in store.rows("decide_failures", audit_id=audit_id):
        place = rows[_key(row["task_id"], row["tier"], row["gate"])]
        failed[place, row["stage"] - 1] = row["draws"]
        if row["draws"] > most[owners[place]]:
            most[owners[place]], causes[owners[place]] = row["draws"], row["detail"]
    outcomes = Outcomes(
        gate=places[keys.indices.to_numpy()],
        stage=table["stage"].to_numpy().astype(np.int64),
        outcome=_floats(table["outcome"]),
        agreement=_floats(table["agreement"]),
        self_agreement=_floats(table["self_agreement"]),
        count=_floats(table["draws"]),
        failed=failed,
    )
    return outcomes, causes


def _verdict(planned: PlannedTask, standing: Standing, tally: Tally, cause: str, *, alpha: float) -> Verdict:
    tested = standing.ending is not Ending.UNTESTED
    return Verdict(
        task_id=planned.task_id,
        tier=planned.tier,
        model=planned.model,
        kind=KINDS.get(standing.ending, VerdictKind.UNDECIDED),
        n=tally.n,
        agreement=tally.agreement,
        agreement_low=tally.low,
        agreement_high=tally.high,
        self_agreement=tally.self_agreement,
        margin=planned.margin,
        e_value=standing.e_value,
        threshold=standing.threshold if tested else 1 / alpha,
        scorer=planned.scorer,
        stage=standing.stage,
        errors=standing.failed,
        reason=reason(planned, standing, tally, cause),
        p_good=standing.p_good if tested else None,
    )


def _table(audit_id: str, verdicts: Sequence[Verdict]) -> pa.Table:
    rows = [{"audit_id": audit_id, "verdict": str(verdict.kind), **asdict(verdict)} for verdict in verdicts]
    return pa.Table.from_pylist(rows, schema=VERDICTS)


def _key(task_id: str, tier: str, gate: str) -> str:
    return SEPARATOR.join((task_id, tier, gate))


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), dtype=np.float64)
