"""What a router config is made from, read from the store: routes with their bounds, and logged calls to try them on."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from tieraudit.config import Config
from tieraudit.domain import JsonObject, Recogniser
from tieraudit.redaction import PLACEHOLDER
from tieraudit.routers.base import Route, RoutingPlan
from tieraudit.routers.reach import Sampled
from tieraudit.routers.runtime.tieraudit_route import look
from tieraudit.store import Store

SAMPLE_PER_TASK = 200
# A prompt may be a quarter longer than the longest that were audited.
LENGTH_SLACK = 1.25
SLUG_CHARS = 48
# Model names become names in the router's config: no wildcards, no references to its environment, none of our own.
PUBLIC_NAME = re.compile(r"(?!os\.environ/|tieraudit-|task/)[A-Za-z0-9][\w.:/@+ -]{0,200}")

# What ingest puts in place of secrets and personal data, also as it stands in a pattern.
REDACTED = re.compile(rf"\\?\[{PLACEHOLDER}\\?\]")


def read_plan(store: Store, config: Config, audit_id: str, canary: int) -> RoutingPlan:
    """The plan of an audit's assignments: proven and pinned-down tasks move, all others outside the tail stay."""
    rows = store.rows("export_tasks", audit_id=audit_id)
    models = store.rows("export_models")
    moved = [row["task_id"] for row in rows if moved_tier(row, config) is not None]
    sizes = {row["task_id"]: row["chars"] for row in store.rows("export_sizes", task_ids=moved)}
    proven = proven_tiers(store, audit_id)
    names = slugs([(row["task_id"], row["name"]) for row in rows])
    routes = [
        _route(row, config, names[row["task_id"]], _models_of(row["task_id"], models), proven[row["task_id"]], sizes)
        for row in rows
    ]
    return RoutingPlan(audit_id, config.tiers, tuple(routes), tuple(_pairs(models)), canary)


def samples(store: Store, plan: RoutingPlan) -> list[Sampled]:
    """Up to 200 logged calls of each route's task, and of all calls outside them, as a router would have seen them."""
    known = {route.task_id for route in plan.routes}
    calls: dict[str | None, int] = {}
    requests: dict[str | None, list[JsonObject]] = defaultdict(list)
    for row in store.rows("export_sample", per_task=SAMPLE_PER_TASK):
        calls[row["task_id"]] = row["calls"]
        task_id = row["task_id"] if row["task_id"] in known else None
        requests[task_id].append({**json.loads(row["request"]), "model": row["model"], "tags": row["tags"]})
    outside = sum(count for task_id, count in calls.items() if task_id not in known)
    return [
        Sampled(task_id, outside if task_id is None else calls[task_id], found) for task_id, found in requests.items()
    ]


def bounded(plan: RoutingPlan, sampled: Sequence[Sampled]) -> RoutingPlan:
    """``plan`` held to what its sampled calls show.

    Routes whose calls have no tools, or text alone, refuse such requests. Recognisers of a prompt in which ingest
    replaced something go: at the router the prompt is whole.
    """
    seen = {sample.task_id: [look(request) for request in sample.requests] for sample in sampled}

    def of(route: Route) -> Route:
        found = seen.get(route.task_id, [])
        redacted = any(REDACTED.search(each.system) for each in found)
        kept = [
            item
            for item in route.recognisers
            if not (item.kind == "system_sha256" and redacted) and not REDACTED.search(str(item.value))
        ]
        tools, media = any(each.tools for each in found), any(each.media for each in found)
        return replace(route, recognisers=tuple(kept), tools=tools, media=media)

    return replace(plan, routes=tuple(of(route) for route in plan.routes))


def slugs(tasks: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(task id, name) -> a name in [a-z0-9-]; where two come out alike, each carries a digest of its id."""
    plain = {task_id: _slug(name) or "task" for task_id, name in tasks}
    counts: dict[str, int] = defaultdict(int)
    for slug in plain.values():
        counts[slug] += 1
    return {
        task_id: slug if counts[slug] == 1 and slug != "task" else f"{slug}-{sha256(task_id.encode()).hexdigest()[:6]}"
        for task_id, slug in plain.items()
    }


def _slug(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:SLUG_CHARS].strip("-")


def proven_tiers(store: Store, audit_id: str) -> dict[str, set[str]]:
    """Task id -> the tiers that are proven for it; empty for all others."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in store.rows("export_proven", audit_id=audit_id):
        found[row["task_id"]].add(row["tier"])
    return found


def recognisers_of(text: str) -> tuple[Recogniser, ...]:
    """The recognisers of a row of `tasks`."""
    return tuple(Recogniser(**each) for each in json.loads(text))


def moved_tier(row: Mapping[str, Any], config: Config) -> str | None:
    """The cheaper tier that a task moves to; None when it stays."""
    tier = row["tier"]
    moves = row["verdict"] in ("proven", "pinned") and tier in {engine.name for engine in config.candidates}
    return str(tier) if moves else None


def _route(
    row: Mapping[str, Any],
    config: Config,
    slug: str,
    models: Sequence[str],
    proven: set[str],
    sizes: Mapping[str, float | None],
) -> Route:
    tier = moved_tier(row, config)
    order = [engine.name for engine in config.candidates]
    at = len(order) if tier is None else order.index(tier)
    # A call that asks for the tier's own model, or a cheaper one, has nothing to move down to.
    cheaper = {engine.model for engine in config.candidates[: at + 1]} if tier is not None else set()
    chars = sizes.get(row["task_id"])
    return Route(
        task_id=row["task_id"],
        name=row["name"],
        slug=slug,
        tier=tier,
        recognisers=recognisers_of(row["recognisers"]),
        models=tuple(model for model in models if model not in cheaper),
        max_input_chars=None if chars is None else math.ceil(chars * LENGTH_SLACK / 100) * 100,
        fallback_tiers=tuple(name for name in order[at + 1 :] if name in proven),
        evidence=_evidence(row, moved=tier is not None),
    )


def _evidence(row: Mapping[str, Any], *, moved: bool) -> JsonObject:
    verdict = row["verdict"] or "not tested"
    if not moved:
        return {"verdict": verdict, "calls": row["calls"]}
    rounded = {
        name: None if row[name] is None else round(row[name], 4) for name in ("agreement", "agreement_low", "margin")
    }
    savings = format(row["savings_usd_month"], ".2f")
    return {"verdict": verdict, "calls": row["calls"], "n": row["n"], **rounded, "saves_usd_month": savings}


def _models_of(task_id: str, models: Iterable[Mapping[str, Any]]) -> list[str]:
    own = [row["model"] for row in models if row["task_id"] == task_id and row["is_chat"]]
    return [model for model in dict.fromkeys(own) if PUBLIC_NAME.fullmatch(model)]


def _pairs(models: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(provider, model) of all calls, most used first."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in models:
        if PUBLIC_NAME.fullmatch(row["model"]):
            counts[row["provider"], row["model"]] += row["calls"]
    return sorted(counts, key=lambda pair: (-counts[pair], pair))
