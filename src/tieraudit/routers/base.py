"""What a router export is: a plan of tiers and routes in, files out, and checks that the files hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tieraudit.config import Engine
from tieraudit.domain import Recogniser


@dataclass(frozen=True, slots=True)
class Route:
    """Where the calls of one task go; ``evidence`` is shown beside it ({n, agreement, agreement_low, verdict})."""

    task_id: str
    name: str
    slug: str
    tier: str
    recognisers: tuple[Recogniser, ...]
    max_input_tokens: int | None
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """Everything a router config is made from. ``incumbent_models`` are the models seen in the log, most used first."""

    audit_id: str
    tiers: tuple[Engine, ...]
    routes: tuple[Route, ...]
    incumbent_models: tuple[tuple[str, str], ...]
    canary_percent: int = 100


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
