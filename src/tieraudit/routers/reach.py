"""What routes would do to logged calls: how many of a task's calls they move, and whether they catch another task's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tieraudit.domain import JsonObject
from tieraudit.routers.base import Route, RoutingPlan
from tieraudit.routers.document import MIN_PRECISION, routes_document
from tieraudit.routers.runtime.tieraudit_route import Routes, look

# More than this share of a task's calls on a cheaper tier than its own is that task moved without proof.
MAX_CAUGHT = 0.05


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some logged calls of one task as a router would have seen them; ``task_id`` None: of calls outside all tasks.

    ``calls`` is how many calls they stand for.
    """

    task_id: str | None
    calls: int
    requests: Sequence[JsonObject]


def reach(plan: RoutingPlan, samples: Sequence[Sampled]) -> dict[str, float]:
    """Slug of each moving route -> share of its task's calls that it would have moved, in a full rollout."""
    routes = _routes(plan)
    slugs = {route.task_id: route.slug for route in plan.routes if route.tier is not None}
    found = {}
    for sample in samples:
        slug = slugs.get(sample.task_id or "")
        if slug is not None and sample.requests:
            moved = [move for request in sample.requests if (move := _move(routes, request))]
            found[slug] = sum(move.slug == slug for move in moved) / len(sample.requests)
    return found


def separated(plan: RoutingPlan, samples: Sequence[Sampled]) -> RoutingPlan:
    """``plan`` without the recognisers that would move another task's calls to a cheaper tier than their own.

    A route keeps its tag: what the caller names needs no recognising. Each round takes away the kinds of
    recognisers that catch too much, until none does.
    """
    while greedy := _greedy(plan, samples):
        plan = replace(plan, routes=tuple(_without(route, greedy) for route in plan.routes))
    return plan


@dataclass(frozen=True, slots=True)
class Move:
    """A request goes to ``tier``, by the route ``slug`` that knew it by a recogniser of this ``kind``."""

    slug: str
    kind: str
    tier: str


def mover(plan: RoutingPlan) -> Callable[[JsonObject], Move | None]:
    """A function that says where the plan moves a request in a full rollout; None when it keeps its model."""
    routes = _routes(plan)
    return lambda request: _move(routes, request)


def _routes(plan: RoutingPlan) -> Routes:
    names: dict[str, JsonObject] = {tier.name: {"model": tier.name} for tier in plan.candidates}
    return Routes(routes_document(replace(plan, canary_percent=100), names))


def _move(routes: Routes, request: JsonObject) -> Move | None:
    seen = look(request)
    rule = routes.recognise(seen)
    if rule is None:
        return None
    decision = routes.apply(rule, request.get("model"), seen)
    if decision.tier is None or decision.route is None:
        return None
    return Move(decision.route, rule.kind, decision.tier)


def _greedy(plan: RoutingPlan, samples: Sequence[Sampled]) -> set[tuple[str, str]]:
    """The (slug, kind) of recognisers that catch much of one other task, or too much of all together."""
    routes = _routes(plan)
    place = {tier.name: at for at, tier in enumerate(plan.tiers)}
    dearest = plan.tiers[-1].name
    own = {route.task_id: place[route.tier or dearest] for route in plan.routes}
    right: Counter[tuple[str, str]] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    greedy: set[tuple[str, str]] = set()
    for sample in samples:
        allowed = own.get(sample.task_id or "", place[dearest])
        moves = [move for request in sample.requests if (move := _move(routes, request))]
        for (slug, kind, tier), count in Counter((move.slug, move.kind, move.tier) for move in moves).items():
            share = count / len(sample.requests)
            caught = place[tier] < allowed
            (wrong if caught else right)[slug, kind] += round(share * sample.calls)
            if caught and sample.task_id is not None and share > MAX_CAUGHT:
                greedy.add((slug, kind))
    greedy |= {key for key, count in wrong.items() if count > (1 - MIN_PRECISION) * (count + right[key])}
    removable = {(route.slug, item.kind) for route in plan.routes for item in route.recognisers}
    return greedy & removable


def _without(route: Route, greedy: set[tuple[str, str]]) -> Route:
    kept = tuple(item for item in route.recognisers if (route.slug, item.kind) not in greedy)
    return replace(route, recognisers=kept)
