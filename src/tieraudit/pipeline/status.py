"""status: what is in the store, what is missing, and which command comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tieraudit.store import Store


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the line: whether it is done, and with what result."""

    name: str
    done: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Status:
    """All steps in order, and the command to run next."""

    steps: tuple[Step, ...]
    next: str


NOTHING = Status(
    steps=(
        Step("ingest", False, "there is no database yet"),
        Step("classify", False, ""),
        Step("replay", False, ""),
        Step("report", False, ""),
        Step("export-config", False, ""),
        Step("monitor", False, ""),
    ),
    next="tieraudit ingest PATH...",
)


def status(store: Store) -> Status:
    """How far the work has come. For a database that does not exist there is `NOTHING`."""
    row = store.one("status_counts")
    ingested = row["calls"] > 0
    classified = ingested and row["tasks"] > 0 and row["unclassified"] == 0
    audited = classified and row["audit_status"] in ("finished", "budget")
    exports = store.rows("status_exports")
    exported = [each for each in exports if each["audit_id"] == row["audit_id"]]
    steps = (
        Step("ingest", ingested, _ingested(row)),
        Step("classify", classified, _classified(row)),
        Step("replay", audited, _audited(row)),
        Step("report", audited, "can be written at any time" if audited else ""),
        Step("export-config", bool(exported), _exported(exports, exported)),
        Step("monitor", row["checks"] > 0, _monitored(row)),
    )
    return Status(steps, _next(ingested, classified, audited, bool(exported)))


def _next(ingested: bool, classified: bool, audited: bool, exported: bool) -> str:
    if not ingested:
        return "tieraudit ingest PATH..."
    if not classified:
        return "tieraudit classify"
    if not audited:
        return "tieraudit replay"
    if not exported:
        return "tieraudit report, then tieraudit export-config --router NAME"
    return "tieraudit monitor PATH..."


def _ingested(row: Mapping[str, Any]) -> str:
    if not row["calls"]:
        return "no calls"
    quarantined = f", {row['quarantined']:,} rows quarantined" if row["quarantined"] else ""
    window = f"{row['first_call']:%Y-%m-%d} to {row['last_call']:%Y-%m-%d}"
    return f"{row['calls']:,} calls from {window}, {row['with_prompt']:,} with their prompts{quarantined}"


def _classified(row: Mapping[str, Any]) -> str:
    if not row["tasks"]:
        return ""
    missing = f", but {row['unclassified']:,} calls came later" if row["unclassified"] else ""
    return f"{row['tasks']:,} tasks{missing}"


def _audited(row: Mapping[str, Any]) -> str:
    if row["audit_id"] is None:
        return ""
    verdicts = ", ".join(f"{row[kind]} {kind}" for kind in ("proven", "refuted", "undecided") if row[kind])
    ended = {"running": "not finished", "budget": "its budget is spent"}.get(row["audit_status"], row["audit_status"])
    return f"audit {row['audit_id']} ({ended}): {verdicts or 'no verdicts yet'}"


def _exported(exports: list[dict[str, Any]], current: list[dict[str, Any]]) -> str:
    if current:
        return f"{current[0]['router']}, {current[0]['exported_at']:%Y-%m-%d %H:%M} UTC"
    return "of an older audit" if exports else ""


def _monitored(row: Mapping[str, Any]) -> str:
    return f"last check: {row['last_status']}, {row['last_check']:%Y-%m-%d %H:%M} UTC" if row["checks"] else ""
