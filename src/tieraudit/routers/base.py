"""What a router export is: a plan of tiers and routes in, files out, and checks that the files hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tieraudit.config import Engine
from tieraudit.domain import JsonObject, Recogniser


@dataclass(frozen=True, slots=True)
class Route:
    """What happens to the calls of one task: ``tier`` None keeps them on the model that they ask for.

    Only calls that ask for one of ``models`` move, because the evidence is about those. ``max_input_chars``,
    ``tools`` and ``media`` bound what the audited calls looked like. ``fallback_tiers`` lists dearer tiers that are
    proven for the task too. ``evidence`` is shown beside the route: {verdict, n, agreement, agreement_low, margin}.
    """

    task_id: str
    name: str
    slug: str
    tier: str | None
    recognisers: tuple[Recogniser, ...]
    models: tuple[str, ...] = ()
    max_input_chars: int | None = None
    tools: bool = True
    media: bool = True
    fallback_tiers: tuple[str, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """What a caller can say to name the task: as a tag of the request, or in place of the model."""
        return f"task/{self.slug}"


@dataclass(frozen=True, slots=True)
class Example:
    """A real call of the log, as a router would see it, and the tier it must reach (None: it keeps its model)."""

    name: str
    slug: str
    request: JsonObject
    tier: str | None


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """Everything a router config is made from.

    ``tiers`` are cheapest first, the last one the incumbent's. ``incumbent_models`` are the (provider, model) pairs
    seen in the log, most used first. ``examples`` serve the checks alone and never reach a file.
    """

    audit_id: str
    tiers: tuple[Engine, ...]
    routes: tuple[Route, ...]
    incumbent_models: tuple[tuple[str, str], ...]
    canary_percent: int = 100
    examples: tuple[Example, ...] = ()

    @property
    def candidates(self) -> tuple[Engine, ...]:
        """The tiers below the incumbent's, cheapest first."""
        return self.tiers[:-1]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an export: what was expected and what was seen."""

    name: str
    expected: str
    got: str

    @property
    def ok(self) -> bool:
        """True when what was seen is what was expected."""
        return self.expected == self.got


class Router(Protocol):
    """One router. ``files`` is pure: the same plan gives the same bytes."""

    name: str
    title: str

    def files(self, plan: RoutingPlan) -> dict[str, str]:
        """File name -> text."""

    def check(self, plan: RoutingPlan, folder: Path) -> list[Check]:
        """Checks of the written files that need no network: names resolve, each task reaches its tier."""
