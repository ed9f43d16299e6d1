"""export: the assignments of an audit -> the files of a router, checked before anybody loads them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from tieraudit.config import Config
from tieraudit.domain import JsonObject
from tieraudit.errors import UsageError
from tieraudit.pipeline.routing_plan import bounded, read_plan, samples
from tieraudit.progress import Progress, Silent
from tieraudit.routers import ROUTERS
from tieraudit.routers.base import Check, Example, Route, RoutingPlan
from tieraudit.routers.document import exportable
from tieraudit.routers.reach import Sampled, mover, reach, separated
from tieraudit.store import Store

EXPORTS = pa.schema(
    [
        ("exported_at", pa.timestamp("us", tz="UTC")),
        ("audit_id", pa.string()),
        ("router", pa.string()),
        ("files", pa.list_(pa.string())),
        ("checks", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A route that moves calls, as a person reads it.

    ``reach`` is the share of the task's logged calls that it moves without any change at the callers (None: the log
    has no prompts to try it on); ``tag`` is what a caller adds to have the others moved.
    """

    task_id: str
    name: str
    slug: str
    tier: str
    model: str
    matched_by: tuple[str, ...]
    reach: float | None
    tag: str
    savings_usd_month: Decimal


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written, what it does, and whether it holds."""

    router: str
    audit_id: str
    canary: int
    files: tuple[Path, ...]
    rules: tuple[Rule, ...]
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not hold."""
        return tuple(check for check in self.checks if not check.ok)


def latest_audit(store: Store) -> str:
    """The id of the audit that was begun last; raises `UsageError` when there is none."""
    rows = store.rows("report_latest_audit")
    if not rows:
        raise UsageError("there is no audit yet, so nothing is proven", hint="start one with `tieraudit replay`")
    return str(rows[0]["audit_id"])


def export_config(
    store: Store,
    config: Config,
    router: str,
    out: Path,
    *,
    canary: int = 100,
    check: bool = True,
    progress: Progress | None = None,
) -> ExportResult:
    """Write the config of ``router`` for the newest audit into the folder ``out``, and check what was written.

    Reads `assignments`: run `assign` first. Proven tasks, and tasks pinned to a cheaper tier, move; all others get a
    rule that keeps their model. ``canary`` is the percentage of users that move. Adds a row to `exports`. Files of an
    earlier export are replaced, others in ``out`` stay. Raises `UsageError` for an unknown router, a folder that
    cannot be written, or when there is no audit.
    """
    progress = progress or Silent()
    adapter = ROUTERS.get(router)
    audit_id = latest_audit(store)
    progress.start("reading the assignments")
    plan = read_plan(store, config, audit_id, canary)
    progress.start("trying the routes on logged calls")
    sampled = samples(store, plan)
    plan = separated(bounded(plan, sampled), sampled)
    plan = replace(plan, examples=tuple(_examples(plan, sampled)))
    files = _write(adapter.files(plan), out)
    checks = tuple(adapter.check(plan, out)) if check else ()
    result = ExportResult(router, audit_id, canary, files, tuple(_rules(plan, sampled)), checks)
    store.insert("exports", _row(result))
    return result


def _examples(plan: RoutingPlan, sampled: Sequence[Sampled]) -> Iterator[Example]:
    """One logged call of each task: as it is where its route knows it so, else with the tag that its caller adds."""
    requests = {sample.task_id: sample.requests for sample in sampled}
    move = mover(plan)

    def known(request: JsonObject, route: Route) -> bool:
        found = move(request)
        return found is None if route.tier is None else found is not None and found.slug == route.slug

    for route in plan.routes:
        own = requests.get(route.task_id, ())
        request = next((each for each in own if known(each, route)), next(iter(own), None))
        if request is None:
            continue
        name = f"{route.slug}: a logged call"
        if route.tier is not None and not known(request, route):
            name += f", tagged {route.tag}"
            request = {**request, "tags": [*request["tags"], route.tag]}
            if request["model"] not in route.models:
                request["model"] = next(iter(route.models), request["model"])
        yield Example(name, route.slug, request, route.tier)


def _rules(plan: RoutingPlan, sampled: Sequence[Sampled]) -> Iterator[Rule]:
    shares = reach(plan, sampled)
    models = {tier.name: str(tier.model) for tier in plan.candidates}
    for route in plan.routes:
        if route.tier is not None:
            yield Rule(
                task_id=route.task_id,
                name=route.name,
                slug=route.slug,
                tier=route.tier,
                model=models[route.tier],
                matched_by=_matched_by(route),
                reach=shares.get(route.slug),
                tag=route.tag,
                savings_usd_month=Decimal(route.evidence["saves_usd_month"]),
            )


def _matched_by(route: Route) -> tuple[str, ...]:
    return ("tag", *(item.kind for item in route.recognisers if item.kind != "tag" and exportable(item)))


def _write(texts: dict[str, str], out: Path) -> tuple[Path, ...]:
    """Write each file whole or not at all: a router that is running may be reading the one before."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            partial = out / f".{name}.partial"
            partial.write_text(text, encoding="utf-8", newline="\n")
            partial.replace(out / name)
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror})", hint="choose another --out") from error
    return tuple(out / name for name in texts)


def _row(result: ExportResult) -> pa.Table:
    row = {
        "exported_at": datetime.now(UTC),
        "audit_id": result.audit_id,
        "router": result.router,
        "files": [str(path) for path in result.files],
        "checks": json.dumps([{**asdict(check), "ok": check.ok} for check in result.checks]),
    }
    return pa.Table.from_pylist([row], schema=EXPORTS)
