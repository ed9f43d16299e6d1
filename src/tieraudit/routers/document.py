"""routes.json: the rules of a plan in the form that the shipped `tieraudit_route.py` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from tieraudit.domain import JsonObject, Recogniser
from tieraudit.routers.base import Route, RoutingPlan
from tieraudit.routers.runtime.tieraudit_route import KINDS, SCHEMA, RoutesError, checked

RUNTIME = "tieraudit_route.py"
ROUTES = "routes.json"
# One call in a hundred from elsewhere costs a proven task at most one point of its five-point margin.
MIN_PRECISION = 0.99


def routes_document(plan: RoutingPlan, endpoints: Mapping[str, JsonObject]) -> JsonObject:
    """The rules of ``plan``; ``endpoints`` says per tier what a caller must name: {model, ...}."""
    return {
        "schema": SCHEMA,
        "audit": plan.audit_id,
        "enabled": True,
        "tiers": [{"name": tier.name, **endpoints[tier.name]} for tier in plan.candidates],
        "routes": [_route(route, plan.canary_percent) for route in plan.routes],
    }


def routes_json(document: JsonObject) -> str:
    """The document as text, one stable layout."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def runtime_text(name: str) -> str:
    """The text of a file that travels with an export."""
    return (files("tieraudit.routers") / "runtime" / name).read_text(encoding="utf-8")


def exportable(recogniser: Recogniser) -> bool:
    """True when a router file can know a call by this recogniser, and it is hardly ever another task's call."""
    if recogniser.kind not in KINDS or (recogniser.precision is not None and recogniser.precision < MIN_PRECISION):
        return False
    try:
        checked(recogniser.kind, recogniser.value)
    except RoutesError:
        return False
    return True


def _route(route: Route, percent: int) -> JsonObject:
    conditions: list[dict[str, Any]] = [{"tag": route.tag}]
    conditions += [{item.kind: item.value} for item in route.recognisers if exportable(item)]
    entry: JsonObject = {
        "id": route.slug,
        "task": route.name,
        "task_id": route.task_id,
        "tier": route.tier,
        "models": list(route.models),
        "match": conditions,
    }
    if route.tier is not None:
        guard: JsonObject = {"tools": route.tools, "media": route.media}
        if route.max_input_chars is not None:
            guard["max_chars"] = route.max_input_chars
        entry |= {"guard": guard, "percent": percent, "fallbacks": list(route.fallback_tiers)}
    return {**entry, "evidence": route.evidence}
