"""What every router export must hold, whichever router it is for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.fixtures.routing import FRONTIER, HOSTILE_NAME, LEGAL_CALL, MID, SMALL, routing_plan

from tieraudit.errors import UsageError
from tieraudit.routers import ROUTERS, Router
from tieraudit.routers.base import Example, Route, RoutingPlan
from tieraudit.routers.runtime.tieraudit_route import KINDS

GOLDEN = ROOT / "tests/golden/routers"
HOSTILE = [
    '"; DROP TABLE x; --',
    "${HOME} {{7*7}} <script>",
    "a: &b\n- !!python/object:os.system",
    "\x1b]0;x\x07\u202e",
    "",
]


@pytest.fixture(params=ROUTERS.names())
def router(request: pytest.FixtureRequest) -> Iterator[Router]:
    yield ROUTERS.get(request.param)


def write(router: Router, plan: RoutingPlan, folder: Path) -> dict[str, str]:
    texts = router.files(plan)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return texts


def failed(router: Router, plan: RoutingPlan, folder: Path) -> list[str]:
    return [check.name for check in router.check(plan, folder) if not check.ok]


@pytest.mark.parametrize("name", ROUTERS.names())
def test_it_says_what_it_is(name: str) -> None:
    found = ROUTERS.get(name)
    assert found.name == name
    assert 10 < len(found.title) < 100


def test_the_same_plan_gives_the_same_files(router: Router) -> None:
    assert router.files(routing_plan()) == router.files(routing_plan())


def test_the_files_are_plain_names_that_end_in_a_newline(router: Router) -> None:
    for name, text in router.files(routing_plan()).items():
        assert re.fullmatch(r"[a-z][a-z0-9_.-]+", name)
        assert text.endswith("\n")
        assert "\r" not in text


def test_its_own_files_pass_its_checks(router: Router, tmp_path: Path) -> None:
    plan = routing_plan()
    write(router, plan, tmp_path)
    checks = router.check(plan, tmp_path)
    assert not [check for check in checks if not check.ok]
    assert {example.name for example in plan.examples} <= {check.name for check in checks}
    assert len({check.name for check in checks}) == len(checks), "each check has a name of its own"


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_a_canary_is_tried_on_both_sides_of_the_rollout(router: Router, tmp_path: Path, percent: int) -> None:
    plan = routing_plan(canary_percent=percent)
    write(router, plan, tmp_path)
    names = [check.name for check in router.check(plan, tmp_path) if check.ok]
    assert not failed(router, plan, tmp_path)
    assert any(name.endswith("inside the rollout") for name in names)
    assert any(name.endswith("outside the rollout") for name in names)


def test_a_plan_without_routes_is_a_config_that_moves_nothing(router: Router, tmp_path: Path) -> None:
    plan = routing_plan(routes=(), examples=(Example("legal", "legal", LEGAL_CALL, None),))
    write(router, plan, tmp_path)
    assert not failed(router, plan, tmp_path)


@pytest.mark.parametrize("tiers", [(SMALL, FRONTIER), (SMALL, replace(SMALL, name="Small!"), MID, FRONTIER)])
def test_two_to_four_tiers_work(router: Router, tmp_path: Path, tiers: tuple[object, ...]) -> None:
    plan = routing_plan()
    names = [tier.name for tier in tiers]  # type: ignore[attr-defined]
    routes = tuple(
        replace(route, fallback_tiers=()) for route in plan.routes if route.tier is None or route.tier in names
    )
    kept = {route.slug for route in routes}
    examples = tuple(example for example in plan.examples if example.slug in kept)
    plan = replace(plan, tiers=tiers, routes=routes, examples=examples)  # type: ignore[arg-type]
    write(router, plan, tmp_path)
    assert not failed(router, plan, tmp_path)


def test_an_example_that_goes_elsewhere_is_a_check_that_does_not_hold(router: Router, tmp_path: Path) -> None:
    wrong = Example("legal to the small tier", "contract-review", LEGAL_CALL, "small")
    plan = routing_plan(examples=(wrong,))
    write(router, plan, tmp_path)
    assert failed(router, plan, tmp_path) == ["legal to the small tier"]


def test_a_file_that_is_missing_or_cut_is_a_check_that_does_not_hold(router: Router, tmp_path: Path) -> None:
    plan = routing_plan()
    for name, text in write(router, plan, tmp_path).items():
        (tmp_path / name).unlink()
        assert failed(router, plan, tmp_path), f"{name} is missing"
        (tmp_path / name).write_text(text[: len(text) // 2], encoding="utf-8")
        assert failed(router, plan, tmp_path), f"{name} is cut"
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert not failed(router, plan, tmp_path)


def test_a_route_that_was_changed_by_hand_is_a_check_that_does_not_hold(router: Router, tmp_path: Path) -> None:
    plan = routing_plan()
    text = write(router, plan, tmp_path)["routes.json"]
    (tmp_path / "routes.json").write_text(text.replace('"tier": "mid"', '"tier": "small"'), encoding="utf-8")
    assert failed(router, plan, tmp_path)


def test_neither_examples_nor_keys_are_written(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    text = "".join(router.files(routing_plan()).values())
    assert "My parcel A-1029" not in text
    assert "sk-very-secret" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_data(router: Router, tmp_path: Path, name: str) -> None:
    plan = routing_plan()
    routes = tuple(replace(route, name=name) for route in plan.routes)
    plan = replace(plan, routes=routes)
    texts = write(router, plan, tmp_path)
    assert not failed(router, plan, tmp_path)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", "".join(texts.values()))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_any_model_name_survives_the_way_through_the_file(router: Router, tmp_path: Path, model: str) -> None:
    plan = routing_plan()
    routes = (replace(plan.routes[0], models=(model,)),)
    example = replace(plan.examples[0], request={**plan.examples[0].request, "model": model})
    if model.startswith("task/"):
        return
    plan = replace(plan, routes=routes, incumbent_models=(("openai", model),), examples=(example,))
    write(router, plan, tmp_path)
    assert not failed(router, plan, tmp_path)


def test_what_users_load_is_the_golden_file(router: Router) -> None:
    folder = GOLDEN / router.name
    for name, text in router.files(routing_plan(canary_percent=25)).items():
        if name.endswith(".py"):
            continue
        if os.environ.get("UPDATE_GOLDEN"):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        meant = "if the change is meant: UPDATE_GOLDEN=1 pytest tests/contracts/test_routers.py"
        assert (folder / name).read_text(encoding="utf-8") == text, meant
    assert HOSTILE_NAME not in "".join(path.read_text(encoding="utf-8") for path in folder.iterdir())


def test_an_unknown_router_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as error:
        ROUTERS.get("portabel")
    assert error.value.hint == "did you mean 'portable'? known: litellm, portable"


def test_a_route_says_its_tag() -> None:
    assert Route("t", "T", "labels", None, ()).tag == "task/labels"


def test_the_docs_list_every_router_with_its_files() -> None:
    page = (ROOT / "docs/routers.md").read_text(encoding="utf-8")
    for found in ROUTERS:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{found.name}` |"))
        assert set(re.findall(r"`([^`]+\.\w+)`", line)) == set(found.files(routing_plan()))


def test_the_docs_name_every_kind_of_rule_in_the_order_of_their_strength() -> None:
    page = (ROOT / "docs/routers.md").read_text(encoding="utf-8")
    table = page[page.index("| rule |") : page.index("`classify` measures")]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == KINDS


def test_the_example_in_the_docs_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs/routers.md").read_text(encoding="utf-8")
    example = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "load(" in block)
    write(ROUTERS.get("portable"), routing_plan(), tmp_path)
    (tmp_path / "example.py").write_text(example, encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "gpt-5-mini ('gpt-5',) tag; moved\n", done.stderr
