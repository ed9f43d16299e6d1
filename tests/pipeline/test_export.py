"""export: what an audit proved becomes the files of a router, and nothing else moves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.audited import (
    AUDIT,
    CONFIG,
    LABEL,
    LABEL_PROMPT,
    LEGAL,
    MOOD,
    ORDER,
    audited_store,
    calls,
    insert_tasks,
    messages,
    system,
    user,
)
from tests.fixtures.calls import chat_call, insert_calls
from tests.fixtures.routing import ORDER_SYSTEM, chat, sha256

from tieraudit.domain import Call
from tieraudit.errors import UsageError
from tieraudit.pipeline import export
from tieraudit.pipeline.export import ExportResult, export_config
from tieraudit.pipeline.routing_plan import slugs
from tieraudit.routers import ROUTERS
from tieraudit.routers.base import Check
from tieraudit.routers.runtime.tieraudit_route import Routes, load
from tieraudit.store import Store


@pytest.fixture(scope="module")
def log() -> list[tuple[str, Call]]:
    return calls()


@pytest.fixture(scope="module")
def store(log: list[tuple[str, Call]]) -> Iterator[Store]:
    """The audited store; an export only adds to its `exports`."""
    with audited_store(log=log) as found:
        yield found


@pytest.fixture
def own_store(log: list[tuple[str, Call]]) -> Iterator[Store]:
    """One for a test that changes the tasks."""
    with audited_store(log=log) as found:
        yield found


def exported(store: Store, out: Path, **options: Any) -> tuple[ExportResult, Routes]:
    result = export_config(store, CONFIG, "portable", out, **options)
    return result, load(str(out / "routes.json"))


def request(task: str, model: str = "gpt-5") -> dict[str, Any]:
    return {"model": model, "messages": messages(task, 7)}


def rewrite(store: Store, log: list[tuple[str, Call]], recognisers: dict[str, Any]) -> None:
    insert_tasks(store, log, recognisers)


@pytest.mark.parametrize("router", ROUTERS.names())
def test_an_export_writes_the_files_and_every_check_holds(store: Store, tmp_path: Path, router: str) -> None:
    result = export_config(store, CONFIG, router, tmp_path)
    assert result.checks
    assert not result.failed
    assert {path.name for path in result.files} == {path.name for path in tmp_path.iterdir()}
    assert {rule.task_id: rule.tier for rule in result.rules} == {ORDER: "small", LABEL: "mid", MOOD: "small"}


def test_proven_tasks_move_and_all_others_keep_their_model(store: Store, tmp_path: Path) -> None:
    _, routes = exported(store, tmp_path)
    assert routes.decide(request(ORDER)).model == "Qwen/Qwen3.5-9B"
    assert routes.decide(request(LABEL)).model == "gpt-5-mini"
    assert routes.decide(request(LEGAL, "gpt-4.1"))[:2] == ("gpt-4.1", None)
    assert routes.decide(chat("Good morning"))[:2] == ("gpt-5", None)


def test_a_call_falls_back_on_proven_tiers_alone_and_then_on_its_own_model(store: Store, tmp_path: Path) -> None:
    _, routes = exported(store, tmp_path)
    assert routes.decide(request(ORDER)).fallbacks == ("gpt-5-mini", "gpt-5")
    mood = routes.decide({**request(MOOD), "tags": ["task/mood"]})
    assert (mood.model, mood.fallbacks) == ("Qwen/Qwen3.5-9B", ("gpt-5",)), "mid was not proven for it"


def test_only_the_models_that_were_audited_are_moved_from(store: Store, tmp_path: Path) -> None:
    _, routes = exported(store, tmp_path)
    assert routes.decide(request(ORDER, "claude-opus-4"))[:2] == ("claude-opus-4", None)


def test_a_task_that_nothing_recognises_moves_by_its_tag(store: Store, tmp_path: Path) -> None:
    result, routes = exported(store, tmp_path)
    mood = next(rule for rule in result.rules if rule.task_id == MOOD)
    assert (mood.reach, mood.tag, mood.matched_by) == (0.0, "task/mood", ("tag",))
    assert routes.decide(request(MOOD)).tier is None
    assert routes.decide({**request(MOOD), "tags": ["task/mood"]}).tier == "small"
    assert any(check.name == "mood: a logged call, tagged task/mood" and check.ok for check in result.checks)


def test_the_reach_of_a_route_is_counted_on_the_log(store: Store, tmp_path: Path) -> None:
    result, _ = exported(store, tmp_path)
    assert {rule.task_id: rule.reach for rule in result.rules} == {ORDER: 1.0, LABEL: 1.0, MOOD: 0.0}


def test_a_recogniser_that_would_move_an_unproven_task_is_left_out(
    own_store: Store, log: list[tuple[str, Call]], tmp_path: Path
) -> None:
    greedy = [{"kind": "user_regex", "value": r"\d", "precision": 0.999, "recall": 1.0}]
    rewrite(
        own_store, log, {ORDER: greedy, LEGAL: [{"kind": "none", "value": None, "precision": None, "recall": None}]}
    )
    result, routes = exported(own_store, tmp_path)
    assert routes.decide(request(LEGAL, "gpt-4.1")).tier is None
    assert routes.decide(request(ORDER)).tier is None
    assert next(rule for rule in result.rules if rule.task_id == ORDER).matched_by == ("tag",)
    assert not result.failed


def test_a_recogniser_that_catches_too_much_of_the_rest_is_left_out(tmp_path: Path) -> None:
    log = calls(per_day={"tail": 3})
    with audited_store(log=log) as store:
        insert_tasks(store, log, {ORDER: [{"kind": "user_regex", "value": "arrived|bottles", "precision": 1.0}]})
        _, routes = exported(store, tmp_path)
        assert routes.decide(chat("9 bottles of beer on the wall")).tier is None


@pytest.mark.parametrize(
    "recogniser",
    [
        pytest.param({"kind": "user_regex", "value": "parcel", "precision": 0.95}, id="wrong-too-often"),
        pytest.param({"kind": "user_regex", "value": "(parcel", "precision": 1.0}, id="not-a-pattern"),
        pytest.param({"kind": "user_regex", "value": "p" * 20_000, "precision": 1.0}, id="too-long"),
        pytest.param({"kind": "similar", "value": {"examples": []}, "precision": 1.0}, id="needs-a-model"),
        pytest.param({"kind": "system_sha256", "value": [], "precision": 1.0}, id="empty"),
    ],
)
def test_a_recogniser_that_no_router_can_use_is_left_out(
    own_store: Store, log: list[tuple[str, Call]], tmp_path: Path, recogniser: dict[str, Any]
) -> None:
    rewrite(own_store, log, {ORDER: [recogniser]})
    result, _ = exported(own_store, tmp_path)
    assert next(rule for rule in result.rules if rule.task_id == ORDER).matched_by == ("tag",)
    assert not result.failed


@pytest.mark.parametrize(
    ("said", "recogniser"),
    [
        ("Sort the mail to [email:3f2a].", lambda text: {"kind": "system_sha256", "value": [sha256(text)]}),
        ("Use the key [secret:openai_key] well.", lambda text: {"kind": "system_regex", "value": re.escape(text)}),
    ],
)
def test_a_prompt_that_was_redacted_in_the_log_is_not_known_by_what_stands_there_instead(
    tmp_path: Path, said: str, recogniser: Any
) -> None:
    log = [
        (task, replace(call, request={"messages": [system(said), user("hi")]}) if task == ORDER else call)
        for task, call in calls(days=3)
    ]
    with audited_store(log=log) as store:
        insert_tasks(store, log, {ORDER: [{**recogniser(said), "precision": 1.0}]})
        result, _ = exported(store, tmp_path)
    order = next(rule for rule in result.rules if rule.task_id == ORDER)
    assert (order.matched_by, order.reach) == (("tag",), 0.0)


def test_a_prompt_that_is_much_longer_than_the_audited_ones_keeps_its_model(store: Store, tmp_path: Path) -> None:
    _, routes = exported(store, tmp_path)
    assert routes.decide(chat("x" * 40, ORDER_SYSTEM)).tier == "small"
    long = routes.decide(chat("x" * 4000, ORDER_SYSTEM))
    assert (long.tier, long.reason) == (None, "system_sha256; longer than what was audited")


def test_a_request_with_tools_or_images_that_no_audited_call_had_keeps_its_model(store: Store, tmp_path: Path) -> None:
    _, routes = exported(store, tmp_path)
    tool = {"type": "function", "function": {"name": "search"}}
    assert routes.decide({**request(LABEL), "tools": [tool]}).tier is None
    image = [{"type": "text", "text": LABEL_PROMPT}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    assert routes.decide({"model": "gpt-5", "messages": [{"role": "user", "content": image}]}).tier is None


def test_a_canary_moves_its_share_of_users_and_always_the_same(store: Store, tmp_path: Path) -> None:
    result, routes = exported(store, tmp_path, canary=10)
    assert not result.failed
    moved = {user for user in range(2000) if routes.decide({**request(ORDER), "user": f"u{user}"}).tier}
    assert 140 < len(moved) < 260
    assert all(routes.decide({**request(ORDER), "user": f"u{user}"}).tier for user in moved)


def test_no_prompt_of_the_log_and_no_key_is_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    export_config(store, CONFIG, "litellm", tmp_path)
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert "has not arrived" not in text
    assert "sk-secret" not in text


def test_names_from_a_log_that_would_mean_something_to_the_router_are_not_written(tmp_path: Path) -> None:
    names = {ORDER: "os.environ/HOME", LABEL: "*", MOOD: "tieraudit-small"}
    with audited_store(log=calls(models=names)) as store:
        export_config(store, CONFIG, "litellm", tmp_path, check=False)
    config = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert "os.environ/HOME" not in config
    assert "model_name: '*'" not in config
    assert config.count("model_name: tieraudit-small") == 1


def test_a_model_that_only_other_operations_use_keeps_its_name_at_the_router(tmp_path: Path) -> None:
    with audited_store(log=calls(days=3)) as store:
        embedding = chat_call(1, [], source_file="e.jsonl", operation="embeddings", request_model="embedder-3")
        insert_calls(store, [embedding])
        export_config(store, CONFIG, "litellm", tmp_path)
    config = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert "model_name: embedder-3" in config
    assert "embedder-3" not in (tmp_path / "routes.json").read_text(encoding="utf-8")


def test_a_call_that_asks_for_the_tiers_own_model_is_not_a_call_to_move(tmp_path: Path) -> None:
    with audited_store(log=calls(models={LABEL: "gpt-5-mini"})) as store:
        result, routes = exported(store, tmp_path)
    assert routes.routes["ticket-labels"]["models"] == []
    assert routes.decide(request(LABEL, "gpt-5-mini")).tier is None
    assert [check.name for check in result.failed] == ["ticket-labels: a logged call, tagged task/ticket-labels"]


def test_the_same_export_twice_writes_the_same_bytes(store: Store, tmp_path: Path) -> None:
    for name in ("one", "two"):
        export_config(store, CONFIG, "litellm", tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_an_export_leaves_other_files_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "routes.json").write_text("old")
    exported(store, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "routes.json").read_text() != "old"


def test_an_export_is_remembered_with_its_checks(store: Store, tmp_path: Path) -> None:
    result, _ = exported(store, tmp_path)
    row = store.rows("status_exports")[0]
    assert (row["audit_id"], row["router"]) == (AUDIT, "portable")
    assert row["files"] == [str(path) for path in result.files]
    assert all(check["ok"] for check in json.loads(row["checks"]))


def test_a_check_that_does_not_hold_is_in_the_result(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = ROUTERS.get("portable")
    texts = router.files

    def broken(plan: Any) -> dict[str, str]:
        found = texts(plan)
        return {**found, "routes.json": found["routes.json"].replace('"tier": "mid"', '"tier": "small"')}

    monkeypatch.setattr(router, "files", broken)
    result, _ = exported(store, tmp_path)
    assert [check.name for check in result.failed] == [
        "routes.json routes each task to its tier",
        "ticket-labels: a logged call",
    ]
    assert Check("x", "a", "a").ok


def test_without_an_audit_there_is_nothing_to_export(tmp_path: Path) -> None:
    with Store(None) as empty, pytest.raises(UsageError) as error:
        export_config(empty, CONFIG, "portable", tmp_path)
    assert "tieraudit replay" in error.value.hint


def test_an_unknown_router_is_refused_with_the_known_ones(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        export_config(store, CONFIG, "lite-llm", tmp_path)
    assert "did you mean 'litellm'?" in error.value.hint


def test_a_folder_that_cannot_be_written_is_an_error_with_a_way_out(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written") as error:
        export_config(store, CONFIG, "portable", tmp_path / "file" / "out")
    assert "--out" in error.value.hint


def test_two_tasks_with_one_name_have_two_routes() -> None:
    found = slugs(
        [("a", "Größe: prüfen!"), ("b", "grosse prufen"), ("c", "Grosse  prufen"), ("d", "合同"), ("e", "x" * 99)]
    )
    assert found["b"].startswith("grosse-prufen-")
    assert len(set(found.values())) == 5
    assert found["d"].startswith("task-")
    assert found["e"] == "x" * 48


def test_the_environment_switch_does_not_change_what_is_exported(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERAUDIT_OFF", "1")
    result = export_config(store, CONFIG, "portable", tmp_path)
    assert not result.failed
    assert {rule.reach for rule in result.rules} == {1.0, 0.0}


def test_a_tier_is_exported_as_the_config_names_it(store: Store, tmp_path: Path) -> None:
    small = replace(CONFIG.tiers[0], base_url="http://10.0.0.5:8000/v1")
    config = replace(CONFIG, tiers=(small, *CONFIG.tiers[1:]))
    export.export_config(store, config, "litellm", tmp_path)
    assert "api_base: http://10.0.0.5:8000/v1" in (tmp_path / "config.yaml").read_text(encoding="utf-8")
