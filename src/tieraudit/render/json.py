"""The report as JSON: the keys of the command line's contract, money as strings, everything else beside them."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from tieraudit.render.hostile import json_safe
from tieraudit.render.report import Interval, Period, Report, TaskRow, TierEvidence
from tieraudit.render.words import rounded

Json = dict[str, Any]


class JsonRenderer:
    """One JSON document; its strings are as in the log, so whoever shows them escapes them."""

    name = "json"
    file_name = "report.json"

    def render(self, report: Report) -> bytes:
        """UTF-8 bytes, keys in a fixed order, a newline at the end."""
        text = json.dumps(document(report), indent=2, ensure_ascii=False, default=_plain)
        return (json_safe(text) + "\n").encode("utf-8")


def document(report: Report) -> Json:
    """The report as plain values but for Decimal and datetime.

    Amounts are per month; for a log under 24 hours every ``*_usd_month`` is null and ``*_usd_window`` holds what the
    log cost.
    """
    return {
        "schema": report.schema,
        "version": report.version,
        "audit_id": report.audit_id,
        "created_at": report.created_at,
        "seed": report.seed,
        "baseline": report.baseline,
        "finished": report.finished,
        "dollar_fdr": report.dollar_fdr,
        "cases": report.cases,
        "replies": report.replies,
        "period": report.period.value,
        "incumbent_tier": report.incumbent_tier,
        "totals": _totals(report),
        "tasks": [_task(report, row) for row in report.tasks],
        "tiers": [
            {
                "tier": tier.tier,
                "models": list(tier.models),
                **_amounts(report, cost_now=tier.cost_now_usd, cost_then=tier.cost_then_usd),
                "calls_now": tier.calls_now,
                "calls_then": tier.calls_then,
                "dedicated_usd_month": tier.dedicated_usd_month,
            }
            for tier in report.tiers
        ],
        "scope": asdict(report.scope),
        "statements": [asdict(statement) for statement in report.statements],
    }


def _totals(report: Report) -> Json:
    totals = report.totals
    year = totals.savings_year or Interval(Decimal(0))
    return {
        **_amounts(
            report,
            cost_now=totals.cost_now.value,
            cost_now_low=totals.cost_now.low,
            cost_now_high=totals.cost_now.high,
            cost_then=totals.cost_then.value,
            cost_then_low=totals.cost_then.low,
            cost_then_high=totals.cost_then.high,
            savings=totals.savings.value,
            savings_low=totals.savings.low,
            savings_high=totals.savings.high,
            proven=totals.proven_usd,
            pinned=totals.pinned_usd,
            plausible=totals.plausible_usd,
            kept=totals.kept_usd,
            undecided=totals.undecided_usd,
            outside=totals.outside_usd,
        ),
        "savings_usd_year": year.value if totals.savings_year else None,
        "savings_low_usd_year": year.low,
        "savings_high_usd_year": year.high,
        "audit_cost_usd": totals.audit_cost_usd,
        "audit_unpriced_replies": totals.audit_unpriced_replies,
    }


def _task(report: Report, row: TaskRow) -> Json:
    found = row.deciding
    return {
        "id": row.task_id,
        "name": row.name,
        "type": row.type,
        "tier": row.tier,
        "model": row.model,
        "verdict": row.verdict.value,
        "n": found.n if found else 0,
        "agreement": found.agreement if found else None,
        "agreement_low": found.agreement_low if found else None,
        "agreement_high": found.agreement_high if found else None,
        "self_agreement": found.self_agreement if found else None,
        "margin": found.margin if found else None,
        "e_value": _short(found.e_value) if found else None,
        **_amounts(
            report,
            cost_now=row.cost_now_usd,
            cost_then=row.cost_then_usd,
            savings=row.savings_usd,
            savings_low=row.savings_low_usd,
            savings_high=row.savings_high_usd,
            plausible=row.plausible_usd,
        ),
        "reason": row.reason,
        "moves": row.moves,
        "proven": row.proven,
        "tested": row.tested,
        "type_confidence": row.type_confidence,
        "prior": row.prior,
        "stakes": row.stakes,
        "stakes_because": row.stakes_because,
        "mixed": row.mixed,
        "tail": row.is_tail,
        "calls": row.calls,
        "share_of_spend": row.share_of_spend,
        "incumbent_model": row.incumbent_model,
        "incumbent_latency_ms_p50": row.incumbent_latency_ms_p50,
        "incumbent_latency_ms_p95": row.incumbent_latency_ms_p95,
        "template": row.template,
        "recogniser": asdict(row.recogniser) if row.recogniser else None,
        "evidence": [_evidence(report, tier) for tier in row.evidence],
    }


def _evidence(report: Report, found: TierEvidence) -> Json:
    document = asdict(found)
    del document["savings_usd"]
    document["verdict"] = found.verdict.value
    document["e_value"], document["threshold"] = _short(found.e_value), _short(found.threshold)
    document["wealth"] = [
        {"gate": path.gate, "values": [_short(value) for value in path.values]} for path in found.wealth
    ]
    return {**document, **_amounts(report, savings=found.savings_usd)}


def _amounts(report: Report, **amounts: Decimal | None) -> Json:
    if report.period is Period.MONTH:
        return {f"{name}_usd_month": amount for name, amount in amounts.items()}
    months: Json = dict.fromkeys(f"{name}_usd_month" for name in amounts)
    return months | {f"{name}_usd_window": amount for name, amount in amounts.items()}


def _short(value: float) -> float:
    return rounded(value, 6)


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"not JSON: {type(value).__name__}")
