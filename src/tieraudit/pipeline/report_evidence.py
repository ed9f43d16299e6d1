"""The evidence of a report: wealth curves, latencies and the worst disagreements of each task and tier."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from tieraudit.domain import Output, VerdictKind
from tieraudit.evidence.betting import log_path
from tieraudit.render.report import Example, TierEvidence, WealthPath
from tieraudit.render.words import rounded
from tieraudit.scorers import SCORERS
from tieraudit.store import Store

LONGEST_TEXT = 600
LARGEST_LOG = 690.0

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Latency:
    """Median and 95th percentile, in milliseconds, None where nothing was measured."""

    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What the replays of an audit left in the store, by task and tier."""

    outcomes: Mapping[Key, Mapping[tuple[str, int], list[float]]]
    latency: Mapping[Key, Latency]
    worst: Mapping[Key, tuple[Example, ...]]


def read_observed(store: Store, audit_id: str) -> Observed:
    """Read outcomes (in drawing order), latencies and the worst disagreements."""
    outcomes: dict[Key, dict[tuple[str, int], list[float]]] = {}
    for row in store.rows("report_outcomes", audit_id=audit_id):
        gates = outcomes.setdefault((row["task_id"], row["tier"]), {})
        gates.setdefault((row["gate"], row["stage"]), []).append(row["outcome"])
    latency: dict[Key, Latency] = {}
    for row in store.rows("report_latency_then", audit_id=audit_id):
        latency[row["task_id"], row["tier"]] = Latency(row["p50"], row["p95"])
    worst: dict[Key, tuple[Example, ...]] = {}
    for row in store.rows("report_worst", audit_id=audit_id):
        key = (row["task_id"], row["tier"])
        worst[key] = (*worst.get(key, ()), _example(row))
    return Observed(outcomes, latency, worst)


def tier_evidence(
    row: Mapping[str, Any], observed: Observed, *, staged: bool, savings_usd: Decimal | None
) -> TierEvidence:
    """One row of `verdicts` with its curve, latency and examples; ``staged``: the audit reruns the incumbent."""
    key = (row["task_id"], row["tier"])
    judged = SCORERS.get(row["scorer"]).lowest < 0
    latency = observed.latency.get(key, Latency())
    return TierEvidence(
        tier=row["tier"],
        model=row["model"],
        verdict=VerdictKind(row["verdict"]),
        n=row["n"],
        errors=row["errors"],
        agreement=row["agreement"],
        agreement_low=row["agreement_low"],
        agreement_high=row["agreement_high"],
        self_agreement=row["self_agreement"],
        margin=row["margin"],
        bar=_bar(row, judged=judged),
        e_value=row["e_value"],
        threshold=row["threshold"],
        scorer=row["scorer"],
        stage=row["stage"],
        p_good=row["p_good"],
        reason=row["reason"],
        savings_usd=savings_usd,
        wealth=wealth(observed.outcomes.get(key, {}), row["margin"], judged=judged, staged=staged and not judged),
        latency_ms_p50=latency.p50,
        latency_ms_p95=latency.p95,
        worst=observed.worst.get(key, ()),
    )


def wealth(
    outcomes: Mapping[tuple[str, int], Sequence[float]], margin: float, *, judged: bool, staged: bool
) -> tuple[WealthPath, ...]:
    """The curve of each gate, from $1 on: the first stage's bets, then the second's beside them.

    With two stages the evidence is the mean of both purses throughout, so that half of the dollar waits for the second.
    """
    paths = []
    for gate in sorted({gate for gate, _ in outcomes}):
        bar, least = (-margin, -1.0) if judged else (1 - margin, 0.0)
        first = _purse(outcomes.get((gate, 1), ()), bar, least)
        if staged:
            second = _purse(outcomes.get((gate, 2), ()), -margin, -1.0)
            values = [*((first + 1) / 2), *((first[-1] + second[1:]) / 2)]
        else:
            values = [*first]
        paths.append(WealthPath(gate, tuple(rounded(float(value), 6) for value in values)))
    return tuple(paths)


def _purse(outcomes: Sequence[float], bar: float, least: float) -> Any:
    if not outcomes:
        return np.ones(1)
    return np.exp(np.minimum(np.r_[0.0, log_path(outcomes, bar, least)], LARGEST_LOG))


def _bar(row: Mapping[str, Any], *, judged: bool) -> float | None:
    if judged:
        return None
    floor = row["self_agreement"] if row["stage"] == 2 and row["self_agreement"] is not None else 1.0
    return float(floor - row["margin"])


def _example(row: Mapping[str, Any]) -> Example:
    return Example(
        call_id=str(row["call_id"]),
        prompt=cut(_asked(json.loads(row["request"] or "{}"))),
        incumbent_answer=cut(_answered(row["response"])),
        candidate_answer=cut(_answered(row["output"])),
        agreement=row["agreement"],
        detail=cut(row["detail"], 200),
    )


def cut(text: str, limit: int = LONGEST_TEXT) -> str:
    """``text`` in at most ``limit`` characters: its middle is left out, since both ends tell most."""
    text = text.strip()
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head].rstrip()} […] {text[len(text) - (limit - head - 5) :].lstrip()}"


def _asked(request: Mapping[str, Any]) -> str:
    """The last user message of a Chat Completions body, or the last message at all."""
    messages = [message for message in request.get("messages") or [] if isinstance(message, dict)]
    for message in [*reversed([each for each in messages if each.get("role") == "user"]), *reversed(messages)]:
        if text := _text(message.get("content")):
            return text
    return ""


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part for part in content if isinstance(part, dict)]
    return "\n".join(str(part.get("text") or f"[{part.get('type', 'part')}]") for part in parts)


def _answered(value: str | None) -> str:
    """The text of an answer, or its refusal, with its tool calls one a line."""
    if value is None:
        return ""
    output = Output.from_json(json.loads(value))
    calls = [_called(call) for call in output.tool_calls]
    return "\n".join(part for part in (output.text or "", output.refusal or "", *calls) if part)


def _called(call: Mapping[str, Any]) -> str:
    function = call.get("function")
    if not isinstance(function, dict):
        return json.dumps(call, ensure_ascii=False)
    return f"{function.get('name')}({function.get('arguments')})"
