"""The tasks as `monitor` sees them: the rules that recognise them, where they went, and who may answer them there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tieraudit.config import Config
from tieraudit.domain import JsonObject
from tieraudit.pipeline.routing_plan import moved_tier, proven_tiers, recognisers_of, slugs
from tieraudit.routers.base import Route, RoutingPlan
from tieraudit.routers.document import routes_document
from tieraudit.routers.litellm_models import groups_of
from tieraudit.routers.runtime.tieraudit_route import Routes
from tieraudit.store import Store

# gpt-5-mini-2025-08-07, claude-sonnet-4-5-20250929, gemini-pro@20250601
SNAPSHOT = re.compile(r"[-@]20\d\d-?\d\d-?\d\d$")


@dataclass(frozen=True, slots=True)
class Watched:
    """A task as `monitor` sees it: where it went, and by which names the log may call the model there."""

    name: str
    tier: str | None
    tier_models: tuple[str, ...]
    models: tuple[str, ...]

    @property
    def moved(self) -> bool:
        """True when the audit assigned it to a cheaper tier."""
        return self.tier is not None

    def is_tier(self, model: str) -> bool:
        """True when ``model`` is how the log may name the model of the task's tier."""
        return self.moved and _among(model, self.tier_models)

    def expects(self, model: str) -> bool:
        """True when an answer by ``model`` is no surprise: its tier's, or a proven tier's above it."""
        return self.moved and _among(model, self.models)


@dataclass(frozen=True, slots=True)
class WatchBook:
    """All tasks outside the tail by id, the rules that recognise them, and which route is which task's."""

    audit_id: str | None
    tasks: Mapping[str, Watched]
    routes: Routes
    task_of: Mapping[str, str]


def watch_book(store: Store, config: Config) -> WatchBook:
    """What `monitor` needs to know of the tasks; without an audit, none of them has moved."""
    audits = store.rows("report_latest_audit")
    audit_id = str(audits[0]["audit_id"]) if audits else None
    rows = store.rows("export_tasks", audit_id=audit_id or "")
    proven = proven_tiers(store, audit_id or "")
    names = slugs([(row["task_id"], row["name"]) for row in rows])
    routes = [
        Route(row["task_id"], row["name"], names[row["task_id"]], None, recognisers_of(row["recognisers"]))
        for row in rows
    ]
    plan = RoutingPlan(audit_id or "", config.tiers, tuple(routes), ())
    groups = groups_of(plan)
    tasks = {}
    for row in rows:
        tier = moved_tier(row, config)
        above = proven[row["task_id"]] if tier is not None else set()
        tiers = [engine for engine in config.candidates if engine.name == tier or engine.name in above]
        models = tuple(name for engine in tiers for name in (str(engine.model), groups[engine.name]))
        own = () if tier is None else (str(config.tier(tier).model), groups[tier])
        tasks[row["task_id"]] = Watched(row["name"], tier, own, models)
    endpoints: dict[str, JsonObject] = {name: {"model": group} for name, group in groups.items()}
    document = routes_document(plan, endpoints)
    return WatchBook(audit_id, tasks, Routes(document), {route.slug: route.task_id for route in routes})


def _among(model: str, names: Iterable[str]) -> bool:
    """Logs put a provider before a model's name, leave out its organisation, or add the date of its snapshot."""
    plain = SNAPSHOT.sub("", model)
    return any(plain == name or plain.endswith(f"/{name}") or name.endswith(f"/{plain}") for name in names)
