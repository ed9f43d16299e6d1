"""LiteLLM hook of a tieraudit export: moves the calls of proven tasks to their tier, with the rules of routes.json.

It lies beside config.yaml, tieraudit_route.py and routes.json; config.yaml names it in litellm_settings.callbacks.
It never fails a request: whatever goes wrong here, the request keeps the model it asked for. A changed
routes.json is read at the next request, so `"enabled": false` in it takes effect without a restart.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from tieraudit_route import Decision, Routes, load  # noqa: E402  the file beside this one

CHAT = ("completion", "acompletion", "anthropic_messages")
log = logging.getLogger("tieraudit")


class TierauditHook(CustomLogger):
    """Chooses the model group of each chat request before LiteLLM does."""

    def __init__(self) -> None:
        """Read the rules; raises when they cannot be used, so that a broken export shows when the proxy starts."""
        super().__init__()
        self.path = Path(os.environ.get("TIERAUDIT_ROUTES") or HERE / "routes.json")
        self.stamp = self._stamp()
        self.routes: Routes = load(str(self.path))

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: Any, call_type: str) -> Any:
        """Set ``model`` and ``fallbacks`` of a chat request that a route moves; anything else passes unchanged."""
        if call_type in CHAT and isinstance(data, dict):
            try:
                self._refresh()
                self._apply(data, self.routes.decide(data))
            except Exception:
                log.exception("the request keeps the model it asked for")
        return data

    def _apply(self, data: dict[str, Any], decision: Decision) -> None:
        if decision.model:
            data["model"] = decision.model
        if decision.tier is not None:
            given = data.get("fallbacks")
            data["fallbacks"] = [*decision.fallbacks, *(given if isinstance(given, list) else [])]
        if decision.route is not None:
            # LiteLLM keeps its own notes of a request under one of these two names; they reach its logs.
            notes = data.get("litellm_metadata" if "litellm_metadata" in data else "metadata")
            if isinstance(notes, dict):
                notes["tieraudit"] = {"route": decision.route, "tier": decision.tier, "reason": decision.reason}

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self.stamp:
            return
        self.stamp = stamp
        try:
            self.routes = load(str(self.path))
        except (OSError, ValueError) as error:
            log.error("%s: the rules read before stay in force: %s", self.path, error)

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_size)


handler = TierauditHook()
