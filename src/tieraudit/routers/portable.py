"""Any caller: routes.json and one standard-library Python file that decides by it."""

from __future__ import annotations

from pathlib import Path

from tieraudit.domain import JsonObject
from tieraudit.routers.base import Check, RoutingPlan
from tieraudit.routers.document import ROUTES, RUNTIME, routes_document, routes_json, runtime_text
from tieraudit.routers.trial import example_checks, routes_checks


class PortableRouter:
    """For callers that have no router, or one that this package does not know: they ask a function for the model.

    Use `litellm` where a LiteLLM proxy stands between the callers and the models: it then needs no change at all.
    """

    name = "portable"
    title = "routes.json with a Python file (standard library only) that any caller can use"

    def files(self, plan: RoutingPlan) -> dict[str, str]:
        """The rules, and the file that decides by them."""
        endpoints: dict[str, JsonObject] = {
            tier.name: {"model": tier.model, "base_url": tier.base_url, "api_key_env": tier.api_key_env}
            for tier in plan.candidates
        }
        return {ROUTES: routes_json(routes_document(plan, endpoints)), RUNTIME: runtime_text(RUNTIME)}

    def check(self, plan: RoutingPlan, folder: Path) -> list[Check]:
        """The written rules load and say what the plan says, and each example reaches its tier."""
        models = {tier.name: str(tier.model) for tier in plan.candidates}
        return [*routes_checks(plan, folder, models), *example_checks(plan, folder, models)]
