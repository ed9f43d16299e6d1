"""`tieraudit export-config`: the assignments of the audit as the config of a router."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tieraudit.cli.context import session
from tieraudit.cli.output import print_json, print_table, print_text
from tieraudit.errors import CheckFailed
from tieraudit.pipeline.assign import assign
from tieraudit.pipeline.export import ExportResult, Rule, export_config, latest_audit

# Below this share of calls that a route finds by itself, the callers have to name the task.
NEEDS_TAG = 0.5


def command(
    context: typer.Context,
    router: Annotated[str, typer.Option("--router", help="litellm | portable, or one of an installed package.")],
    out: Annotated[Path | None, typer.Option("--out", help="Default: reports/router-NAME.")] = None,
    canary: Annotated[int, typer.Option("--canary", min=1, max=100, help="Percentage of users that move.")] = 100,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Try the written files, without network.")] = True,
) -> None:
    """Write the config that a router loads as it is: proven tasks to their tier, everything else unchanged.

    Reads the newest audit. Only tasks that are proven, or that you pinned to a cheaper tier, move, and only calls
    that look like the audited ones; a call that no route knows keeps the model it asks for. When a cheaper tier
    fails, its calls go to the next proven tier and then to the model they asked for. Keys are never written.

    Writes the router's files into --out, tries them on logged calls (exit 1 when a check fails), and says which share
    of each task's calls is known without any change at the callers; for the rest the caller adds the tag that is shown.

    --canary 10 moves one user in ten, always the same ones. Export again with 100 to move all.

    Example: tieraudit export-config --router litellm --canary 10

    Next: load the files in your router, then `tieraudit monitor NEXT_WEEK.jsonl`.
    """
    current = session(context)
    config = current.config()
    with current.store() as store, current.diagnostics as diagnostics:
        assign(store, config, latest_audit(store))
        folder = out or Path("reports") / f"router-{router}"
        result = export_config(store, config, router, folder, canary=canary, check=check, progress=diagnostics)
    if current.json:
        print_json(_as_json(result))
    else:
        _print(result)
    if result.failed:
        raise CheckFailed(
            f"{len(result.failed)} of {len(result.checks)} checks of the exported files did not hold",
            hint="do not deploy them; the checks above say what was expected and what was seen",
        )


def _print(result: ExportResult) -> None:
    if result.rules:
        columns = ("task", "tier", "known", "saves/month", "tag")
        print_table(columns, [_line(rule) for rule in result.rules], right=columns[2:4])
        for tier, model in sorted({(rule.tier, rule.model) for rule in result.rules}):
            print_text(f"{tier}: {model}")
    else:
        print_text("No task is proven or pinned to a cheaper tier: these files move no call.")
    for rule in result.rules:
        if rule.reach is None or rule.reach < NEEDS_TAG:
            print_text(f'{rule.slug}: the caller adds  metadata: {{"tags": ["{rule.tag}"]}}')
    if result.canary < 100:
        print_text(f"Rollout: {result.canary} % of the users move.")
    for path in result.files:
        print_text(f"wrote {path}")
    for check in result.failed:
        print_text(f"FAILED {check.name}: expected {check.expected}, got {check.got}")
    if result.checks:
        print_text(f"{len(result.checks) - len(result.failed)} of {len(result.checks)} checks hold")


def _line(rule: Rule) -> list[str]:
    known = "?" if rule.reach is None else f"{rule.reach:.0%}"
    return [rule.name, rule.tier, known, f"${rule.savings_usd_month:,.2f}", rule.tag]


def _as_json(result: ExportResult) -> dict[str, Any]:
    return {
        "router": result.router,
        "audit_id": result.audit_id,
        "canary_percent": result.canary,
        "files": [str(path) for path in result.files],
        "rules": len(result.rules),
        "routes": [
            {
                "id": rule.task_id,
                "name": rule.name,
                "route": rule.slug,
                "tier": rule.tier,
                "model": rule.model,
                "matched_by": list(rule.matched_by),
                "reach": rule.reach,
                "tag": rule.tag,
                "savings_usd_month": rule.savings_usd_month,
            }
            for rule in result.rules
        ],
        "checks": [
            {"name": check.name, "expected": check.expected, "got": check.got, "ok": check.ok}
            for check in result.checks
        ],
    }
