"""The LiteLLM hook by itself: it changes what it should, and whatever goes wrong the request passes as it was.

The real proxy runs it in tests/real; here only its base class, which has no behaviour of its own, is stood in for.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.fixtures.routing import LEGAL_CALL, ORDER_CALL, chat, routing_plan

from tieraudit.routers import ROUTERS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An exported folder, from which the hook can be loaded as LiteLLM loads it."""
    for name, text in ROUTERS.get("litellm").files(routing_plan()).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    base = ModuleType("litellm.integrations.custom_logger")
    base.CustomLogger = type("CustomLogger", (), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "litellm.integrations.custom_logger", base)
    monkeypatch.setitem(sys.modules, "litellm.integrations", ModuleType("litellm.integrations"))
    monkeypatch.setitem(sys.modules, "litellm", ModuleType("litellm"))
    path = list(sys.path)
    sys.modules.pop("tieraudit_route", None)
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("tieraudit_route", None)


def loaded(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("tieraudit_hook", folder / "tieraudit_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler


def call(handler: Any, data: Any, call_type: str = "acompletion") -> Any:
    return asyncio.run(handler.async_pre_call_hook(None, None, data, call_type))


def test_a_moved_request_has_its_group_its_fallbacks_and_a_note(folder: Path) -> None:
    data = call(loaded(folder), {**ORDER_CALL, "metadata": {}})
    assert (data["model"], data["fallbacks"]) == ("tieraudit-small", ["tieraudit-mid", "gpt-5"])
    assert data["metadata"]["tieraudit"] == {
        "route": "order-numbers",
        "tier": "small",
        "reason": "system_sha256; moved",
    }


def test_the_fallbacks_that_a_caller_gave_come_after_ours(folder: Path) -> None:
    assert call(loaded(folder), {**ORDER_CALL, "fallbacks": ["own"]})["fallbacks"] == ["tieraudit-mid", "gpt-5", "own"]


def test_a_request_that_stays_passes_as_it_was(folder: Path) -> None:
    handler = loaded(folder)
    assert call(handler, dict(LEGAL_CALL)) == LEGAL_CALL
    assert call(handler, chat("hello")) == chat("hello")


def test_the_name_of_a_task_becomes_a_model(folder: Path) -> None:
    handler = loaded(folder)
    assert call(handler, chat("hi", model="task/ticket-labels"))["model"] == "tieraudit-mid"
    assert call(handler, chat("hi", model="task/contract-review"))["model"] == "gpt-4.1"


@pytest.mark.parametrize("call_type", ["aembedding", "aresponses", "atranscription", "pass_through_endpoint"])
def test_only_chat_requests_are_touched(folder: Path, call_type: str) -> None:
    assert call(loaded(folder), dict(ORDER_CALL), call_type) == ORDER_CALL


@pytest.mark.parametrize("data", [None, [], "text", {}, {"messages": 7}, {"model": ["gpt-5"], "messages": [None]}])
def test_what_is_no_request_passes_as_it_was(folder: Path, data: Any) -> None:
    assert call(loaded(folder), data) == data


def test_a_rule_that_breaks_leaves_the_request_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = loaded(folder)

    class Broken:
        def decide(self, request: Any) -> Any:
            raise RuntimeError("broken")

    monkeypatch.setattr(handler, "routes", Broken())
    assert call(handler, dict(ORDER_CALL)) == ORDER_CALL


def test_changed_rules_are_read_at_the_next_request_and_broken_ones_are_not_taken(folder: Path) -> None:
    handler = loaded(folder)
    path = folder / "routes.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"enabled": true', '"enabled": false'), encoding="utf-8")
    assert call(handler, dict(ORDER_CALL))["model"] == "gpt-5"
    path.write_text("{", encoding="utf-8")
    assert call(handler, dict(ORDER_CALL))["model"] == "gpt-5"
    path.unlink()
    assert call(handler, dict(ORDER_CALL))["model"] == "gpt-5"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1, 1))
    assert call(handler, dict(ORDER_CALL))["model"] == "tieraudit-small"


def test_rules_that_cannot_be_used_stop_it_from_loading(folder: Path) -> None:
    (folder / "routes.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="not a routes file"):
        loaded(folder)


def test_the_rules_may_lie_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder / "elsewhere.json"
    (folder / "routes.json").rename(elsewhere)
    monkeypatch.setenv("TIERAUDIT_ROUTES", str(elsewhere))
    assert call(loaded(folder), dict(ORDER_CALL))["model"] == "tieraudit-small"
