"""Checks of written routes: they say what the plan says, and real calls reach their tier in a fresh Python."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.routers.base import Check, RoutingPlan
from tieraudit.routers.document import ROUTES, RUNTIME
from tieraudit.routers.runtime.tieraudit_route import RoutesError, load, share_of

TIMEOUT_S = 60
KEEPS = "keeps its model"


def routes_checks(plan: RoutingPlan, folder: Path, models: Mapping[str, str]) -> list[Check]:
    """The written routes.json loads, and holds the plan's routes and the ``models`` of the tiers, by name."""
    try:
        routes = load(str(folder / ROUTES))
    except (OSError, RoutesError) as error:
        return [Check(f"{ROUTES} loads", "yes", str(error))]
    expected = {route.slug: route.tier for route in plan.routes}
    found = {name: route["tier"] for name, route in routes.routes.items()}
    tiers = {name: tier["model"] for name, tier in routes.tiers.items()}
    return [
        Check(f"{ROUTES} loads", "yes", "yes"),
        Check(f"{ROUTES} routes each task to its tier", _sorted(expected), _sorted(found)),
        Check(f"{ROUTES} names the model of each tier", _sorted(models), _sorted(tiers)),
    ]


def example_checks(plan: RoutingPlan, folder: Path, models: Mapping[str, str]) -> list[Check]:
    """The written decision file, run in a Python of its own, sends each example of the plan to its tier.

    Under a canary each example of a moved task is asked twice: as a user inside the rollout, and as one outside.
    """
    trials = list(_trials(plan, models))
    if not trials:
        return []
    answers = _ask(folder, [request for _, request, _ in trials])
    if isinstance(answers, str):
        return [Check(f"{RUNTIME} decides", f"{len(trials)} decisions", answers)]
    return [Check(name, wanted, answer) for (name, _, wanted), answer in zip(trials, answers, strict=True)]


def _trials(plan: RoutingPlan, models: Mapping[str, str]) -> Iterator[tuple[str, JsonObject, str]]:
    for example in plan.examples:
        if example.tier is None:
            yield example.name, example.request, KEEPS
            continue
        moved = f"{example.tier}: {models[example.tier]}"
        if plan.canary_percent >= 100:
            yield example.name, example.request, moved
            continue
        for inside, wanted in ((True, moved), (False, KEEPS)):
            user = _user(example.slug, plan.canary_percent, inside=inside)
            if user is not None:
                where = "inside" if inside else "outside"
                yield f"{example.name}, {where} the rollout", {**example.request, "user": user}, wanted


def _ask(folder: Path, requests: list[JsonObject]) -> list[str] | str:
    """What the written file answers to each request; a sentence when it does not answer at all."""
    command = [sys.executable, "-I", str(folder / RUNTIME), str(folder / ROUTES)]
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    try:
        done = subprocess.run(  # noqa: S603  our own file, just written
            command,
            input=lines,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
            env={},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["no answer"])[-1]
    answers = [_answer(json.loads(line)) for line in done.stdout.splitlines()]
    return answers if len(answers) == len(requests) else f"{len(answers)} decisions"


def _answer(decision: dict[str, Any]) -> str:
    return KEEPS if decision["tier"] is None else f"{decision['tier']}: {decision['model']}"


def _user(slug: str, percent: int, *, inside: bool) -> str | None:
    """A user on the wanted side of the rollout; None at 0 or 100 percent, where that side is empty."""
    if percent == (0 if inside else 100):
        return None
    return next(name for n in count() if (share_of(slug, name := f"check-{n}") < percent) is inside)


def _sorted(mapping: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} -> {value or KEEPS}" for name, value in sorted(mapping.items()))
