"""Score: compare each case's replies with the logged answer, as soon as they are there."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tieraudit.config import Config
from tieraudit.domain import Output
from tieraudit.errors import StoreError, TierauditError
from tieraudit.redaction import scrub_secrets
from tieraudit.scorers import SCORERS, Scorer
from tieraudit.scorers.base import Ask, Context
from tieraudit.scorers.label import normalise
from tieraudit.store import Store

COLUMNS = pa.schema(
    [
        ("audit_id", pa.string()),
        ("case_id", pa.string()),
        ("outcome", pa.float64()),
        ("agreement", pa.float64()),
        ("self_agreement", pa.float64()),
        ("scorer", pa.string()),
        ("version", pa.int32()),
        ("detail", pa.string()),
    ]
)
LONGEST_DETAIL = 300


@dataclass(frozen=True, slots=True)
class _Pair:
    """The comparison of one case, ready to be made."""

    case_id: str
    stage: int
    scorer: Scorer
    request: dict[str, Any]
    logged: Output | None
    candidates: tuple[Output, ...]
    incumbent: Output | None
    failure: str | None
    labels: frozenset[str]
    seed: int


@dataclass(frozen=True, slots=True)
class _Result:
    """What enters the table `scores`; ``outcome`` None excludes the case, with the reason in ``detail``."""

    outcome: float | None
    agreement: float | None
    self_agreement: float | None
    detail: str


def score(store: Store, audit_id: str, *, config: Config, ask: Ask | None = None) -> None:
    """Score every case of the audit that has all its replies and no score yet.

    ``ask`` puts one question to the judge's model, from as many threads at once as ``config.judge`` allows; without it,
    cases of judged tasks are excluded. A failed reply, a scorer that raises and a question that is not answered
    (ValueError) exclude their case with the reason, and the run goes on. Raises `StoreError` for an unknown audit, and
    whatever `TierauditError` ends all asking (`BudgetReached`, `BackendError`); what was scored by then, or before
    Ctrl-C, is stored, and the next call goes on with the rest.
    """
    audits = store.rows("score_audit", audit_id=audit_id)
    if not audits:
        raise StoreError(f"there is no audit {audit_id}", hint="start one with `tieraudit replay`")
    plan = json.loads(audits[0]["plan"])
    scorers = {(p["task_id"], p["tier"]): SCORERS.get(p["scorer"]) for p in plan}
    labels = _labels(store, [p["task_id"] for p in plan if p["scorer"] == "label"])
    rows = store.rows("score_pending", audit_id=audit_id)
    pairs = [_pair(row, scorers[row["task_id"], row["tier"]], labels, audits[0]["seed"]) for row in rows]
    threads = config.judge.concurrency if config.judge is not None and ask is not None else 1
    scored: list[tuple[_Pair, _Result]] = []
    try:
        for pair, result in _results(pairs, ask, threads):
            scored.append((pair, result))
    finally:
        if scored:
            with store.transaction():
                store.insert("scores", _table(audit_id, scored))


def _labels(store: Store, task_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """The normalised answers of each label task in the log."""
    found: dict[str, set[str]] = {task_id: set() for task_id in task_ids}
    if found:
        for row in store.rows("score_labels", task_ids=sorted(found)):
            found[row["task_id"]].add(normalise(row["answer"]))
    return {task_id: frozenset(answers) for task_id, answers in found.items()}


def _pair(row: Mapping[str, Any], scorer: Scorer, labels: Mapping[str, frozenset[str]], seed: int) -> _Pair:
    replies = row["replies"]
    failed = [reply for reply in replies if reply["error_type"] is not None or reply["output"] is None]
    outputs = {
        (reply["role"], reply["trial"]): Output.from_json(json.loads(reply["output"]))
        for reply in replies
        if reply not in failed
    }
    where = f"{seed}/{row['task_id']}/{row['tier']}/{row['gate']}/{row['stage']}/{row['draw']}"
    return _Pair(
        case_id=str(row["case_id"]),
        stage=row["stage"],
        scorer=scorer,
        request=json.loads(row["request"]) if row["request"] else {},
        logged=Output.from_json(json.loads(row["response"])) if row["response"] else None,
        candidates=tuple(output for (role, _), output in outputs.items() if role == "candidate"),
        incumbent=outputs.get(("incumbent", 0)),
        failure=f"{failed[0]['role']} reply failed: {failed[0]['error_type'] or 'no answer'}" if failed else None,
        labels=labels.get(row["task_id"], frozenset()),
        seed=zlib.crc32(where.encode()),
    )


def _results(pairs: Sequence[_Pair], ask: Ask | None, threads: int) -> Iterator[tuple[_Pair, _Result]]:
    """Each pair with its result, in order; with more than one thread a judge answers several at once."""
    if threads == 1:
        yield from ((pair, _result(pair, ask)) for pair in pairs)
        return
    pool = ThreadPoolExecutor(max_workers=threads)
    try:
        yield from zip(pairs, pool.map(_result, pairs, [ask] * len(pairs)), strict=True)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _result(pair: _Pair, ask: Ask | None) -> _Result:
    if pair.failure is not None:
        return _Result(None, None, None, pair.failure)
    if pair.logged is None:
        return _Result(None, None, None, "the log has no answer to compare with")
    try:
        return _staged(pair, pair.logged, ask) if pair.stage == 2 else _direct(pair, pair.logged, ask)
    except TierauditError:
        # The judge is gone or the budget is: the case stays unscored, and the next run scores it.
        raise
    except ValueError as error:
        return _Result(None, None, None, f"cannot be compared: {_shown(error)}")
    except Exception as error:
        return _Result(None, None, None, f"scorer error: {type(error).__name__}: {_shown(error)}")


def _direct(pair: _Pair, logged: Output, ask: Ask | None) -> _Result:
    """Stage 1: the candidate's first reply against the logged answer. A judge's tie or win counts as agreement."""
    found = pair.scorer.score(_context(pair, logged, pair.candidates[0], ask))
    agreement = found.value if pair.scorer.lowest >= 0 else float(found.value >= 0)
    return _Result(found.value, agreement, None, found.detail)


def _staged(pair: _Pair, logged: Output, ask: Ask | None) -> _Result:
    """Stage 2: the candidates' agreement with both incumbent answers, less that of the two with each other."""
    incumbent = pair.incumbent
    if incumbent is None:
        raise ValueError("there is no reply of the incumbent")

    def similar(reference: Output, answer: Output) -> float:
        return pair.scorer.score(_context(pair, reference, answer, ask)).value

    each = [(similar(logged, reply) + similar(incumbent, reply)) / 2 for reply in pair.candidates]
    agreement, itself = sum(each) / len(each), similar(logged, incumbent)
    return _Result(agreement - itself, agreement, itself, f"{len(each)} replies; incumbent with itself {itself:.3g}")


def _context(pair: _Pair, reference: Output, answer: Output, ask: Ask | None) -> Context:
    return Context(pair.request, reference, answer, labels=pair.labels, ask=ask, seed=pair.seed)


def _shown(error: Exception) -> str:
    return scrub_secrets(str(error))[:LONGEST_DETAIL]


def _table(audit_id: str, scored: Sequence[tuple[_Pair, _Result]]) -> pa.Table:
    rows = [
        {
            "audit_id": audit_id,
            "case_id": pair.case_id,
            "outcome": result.outcome,
            "agreement": result.agreement,
            "self_agreement": result.self_agreement,
            "scorer": pair.scorer.name,
            "version": pair.scorer.version,
            "detail": result.detail[:LONGEST_DETAIL],
        }
        for pair, result in scored
    ]
    return pa.Table.from_pylist(rows, schema=COLUMNS)
