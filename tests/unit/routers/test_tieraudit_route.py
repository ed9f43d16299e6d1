"""The decision file that travels with an export: what it moves, what it leaves, and that it never fails a request."""

from __future__ import annotations

import ast
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.routing import ORDER_SYSTEM, chat, sha256

from tieraudit.routers.runtime import tieraudit_route
from tieraudit.routers.runtime.tieraudit_route import Routes, RoutesError, load, look, share_of
from tieraudit.tasks.view import view

SOURCE = Path(tieraudit_route.__file__)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PARTS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "input_text", "image_url", "refusal"])}, optional={"text": JSON}
    )
    | JSON,
    max_size=3,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"])},
        optional={"content": st.text(max_size=20) | PARTS | JSON},
    )
    | JSON,
    max_size=5,
)
TOOLS = st.lists(
    st.fixed_dictionaries({"function": st.fixed_dictionaries({}, optional={"name": JSON})})
    | st.fixed_dictionaries({"type": st.text(max_size=4), "name": JSON})
    | JSON,
    max_size=3,
)
REQUESTS = st.fixed_dictionaries(
    {}, optional={"model": JSON, "messages": MESSAGES | JSON, "tools": TOOLS | JSON, "metadata": JSON, "tags": JSON}
)


def route(name: str = "orders", tier: str | None = "small", **changes: Any) -> dict[str, Any]:
    return {"id": name, "tier": tier, "models": ["gpt-5"], "match": [{"tag": f"task/{name}"}], **changes}


def document(*routes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    tiers = [{"name": "small", "model": "S", "base_url": "http://s/v1"}, {"name": "mid", "model": "M"}]
    return {"schema": "tieraudit-routes/1", "tiers": tiers, "routes": list(routes), **changes}


def decide(request: dict[str, Any], *routes: dict[str, Any]) -> tieraudit_route.Decision:
    return Routes(document(*routes)).decide(request)


MATCHES: list[tuple[str, Any, dict[str, Any], dict[str, Any]]] = [
    ("tag", "labels", chat("hi", tags=["labels"]), chat("hi", tags=["label"])),
    ("tag", "labels", chat("hi", metadata={"tags": ["x", "labels"]}), chat("labels")),
    ("tag", "labels", chat("hi", litellm_metadata={"tags": "labels"}), chat("hi", metadata={"tag": "labels"})),
    ("system_sha256", [sha256(ORDER_SYSTEM)], chat("hi", ORDER_SYSTEM), chat("hi", ORDER_SYSTEM + ".")),
    ("system_sha256", sha256(ORDER_SYSTEM), chat("hi", f" {ORDER_SYSTEM}\n"), chat(ORDER_SYSTEM)),
    ("system_regex", "^You are (a|the) clerk", chat("hi", "You are the clerk."), chat("You are the clerk.")),
    ("user_regex", r"^\s*Label", chat(" Label it"), chat("hi", "Label it")),
    (
        "tools",
        ["b", "a"],
        chat("x", tools=[{"name": "a"}, {"function": {"name": "b"}}]),
        chat("x", tools=[{"name": "a"}]),
    ),
]


@pytest.mark.parametrize(("kind", "value", "hit", "miss"), MATCHES)
def test_a_request_is_known_by(kind: str, value: Any, hit: dict[str, Any], miss: dict[str, Any]) -> None:
    rule = route(match=[{kind: value}])
    assert decide(hit, rule).tier == "small"
    assert decide(miss, rule).tier is None


def test_the_last_user_turn_is_the_one_that_is_matched() -> None:
    turns = [("user", "Label this"), ("assistant", "ok"), ("user", "thanks")]
    request = {"model": "gpt-5", "messages": [{"role": role, "content": text} for role, text in turns]}
    assert decide(request, route(match=[{"user_regex": "Label"}])).tier is None
    assert decide(request, route(match=[{"user_regex": "thanks"}])).tier == "small"


def test_an_anthropic_system_prompt_is_a_system_prompt() -> None:
    for system in (ORDER_SYSTEM, [{"type": "text", "text": ORDER_SYSTEM}]):
        request = {"model": "gpt-5", "system": system, "messages": [{"role": "user", "content": "hi"}]}
        assert decide(request, route(match=[{"system_sha256": sha256(ORDER_SYSTEM)}])).tier == "small"


def test_both_ends_of_a_very_long_prompt_are_seen_and_its_middle_is_not() -> None:
    text = "begin " + "x" * 60_000 + " middle " + "x" * 60_000 + " end"
    assert decide(chat(text), route(match=[{"user_regex": "^begin"}])).tier == "small"
    assert decide(chat(text), route(match=[{"user_regex": r"end\s*$"}])).tier == "small"
    assert decide(chat(text), route(match=[{"user_regex": "middle"}])).tier is None


def test_the_stronger_kind_decides_and_among_equals_the_one_that_keeps() -> None:
    tagged = route("tagged", "mid", match=[{"tag": "t"}])
    exact = route("exact", match=[{"system_sha256": sha256("S")}])
    rough = route("rough", None, match=[{"user_regex": "hi"}])
    other = route("other", match=[{"user_regex": "h"}])
    assert decide(chat("hi", "S", tags=["t"]), rough, exact, tagged).route == "tagged"
    assert decide(chat("hi", "S"), rough, exact, tagged).route == "exact"
    assert decide(chat("hi"), other, rough).route == "rough"


def test_a_moved_request_says_everything_that_a_caller_needs() -> None:
    found = decide(chat("x", tags=["task/orders"]), route(fallbacks=["mid"]))
    assert found == ("S", "small", "orders", ("M", "gpt-5"), "http://s/v1", "tag; moved")


def test_an_unknown_request_keeps_its_model() -> None:
    assert decide(chat("x"), route()) == ("gpt-5", None, None, (), None, "no route knows this request")


@pytest.mark.parametrize(
    ("request_body", "guard", "reason"),
    [
        (chat("x" * 11), {"max_chars": 10}, "longer than what was audited"),
        (chat("x", "y" * 10), {"max_chars": 10}, "longer than what was audited"),
        (chat("x", tools=[{"name": "f"}]), {"tools": False}, "has tools, unlike what was audited"),
        (
            {"model": "gpt-5", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            {"media": False},
            "has parts that are not text, unlike what was audited",
        ),
    ],
)
def test_a_request_unlike_the_audited_ones_keeps_its_model(
    request_body: dict[str, Any], guard: dict[str, Any], reason: str
) -> None:
    tagged = {**request_body, "tags": ["task/orders"]}
    assert decide(tagged, route(guard=guard)).reason == f"tag; {reason}"
    assert decide(tagged, route(guard={"max_chars": 11, "tools": True, "media": True})).tier == "small"


def test_a_request_exactly_as_long_as_the_bound_moves() -> None:
    assert decide(chat("x" * 10, tags=["task/orders"]), route(guard={"max_chars": 10})).tier == "small"


def test_a_model_that_was_not_audited_is_left_alone() -> None:
    found = decide(chat("x", tags=["task/orders"], model="gpt-6"), route())
    assert (found.model, found.route) == ("gpt-6", "orders")


def test_the_name_of_a_task_stands_for_the_model_that_served_it() -> None:
    assert decide(chat("x", model="task/orders"), route()).model == "S"
    assert decide(chat("x" * 99, model="task/orders"), route(guard={"max_chars": 9})).model == "gpt-5"
    assert decide(chat("x", model="task/orders"), route(tier=None)).model == "gpt-5"
    assert decide(chat("x", model="task/none"), route()).model == "task/none"


@pytest.mark.parametrize("value", ["1", "true", "yes", "on"])
def test_the_environment_switches_everything_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TIERAUDIT_OFF", value)
    assert decide(chat("x", tags=["task/orders"]), route()).reason == "switched off"
    assert decide(chat("x", model="task/orders"), route()).model == "gpt-5"


@pytest.mark.parametrize("value", ["", "0", "false", "no"])
def test_the_environment_can_say_that_it_does_not(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TIERAUDIT_OFF", value)
    assert decide(chat("x", tags=["task/orders"]), route()).tier == "small"


def test_the_file_switches_everything_off() -> None:
    routes = Routes(document(route(), enabled=False))
    assert routes.decide(chat("x", tags=["task/orders"])).model == "gpt-5"


def test_a_rollout_takes_its_share_of_users_and_keeps_each_where_it_is() -> None:
    rule = route(percent=20)
    moved = [bool(decide(chat("x", tags=["task/orders"], user=f"u{n}"), rule).tier) for n in range(3000)]
    assert 520 < sum(moved) < 680
    for body in ({"user": "u7"}, {"metadata": {"user_id": "u7"}}, {"metadata": {"conversation_id": "u7"}}):
        assert bool(decide({**chat("anything", tags=["task/orders"]), **body}, rule).tier) is moved[7]


def test_without_a_user_a_conversation_stays_where_its_first_turn_is() -> None:
    first = {"role": "user", "content": "hello there"}
    turns = [[first], [first, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "and now?"}]]
    keys = {look({"messages": messages}).key for messages in turns}
    assert keys == {"hello there"}


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_share_is_a_percentage_that_never_changes(name: str, key: str) -> None:
    assert 0 <= share_of(name, key) < 100
    assert share_of(name, key) == share_of(name, key)


def test_shares_differ_by_route_so_that_no_user_is_always_first() -> None:
    assert share_of("orders", "u1") != share_of("labels", "u1")


@given(REQUESTS)
def test_no_request_makes_it_fail_and_nothing_moves_but_to_a_tier(request_body: dict[str, Any]) -> None:
    rules = [
        route(match=[{"user_regex": "a"}, {"system_regex": "a"}, {"tools": ["a"]}], percent=50, guard={"max_chars": 9}),
        route("kept", None, match=[{"tag": "a"}]),
    ]
    found = decide(request_body, *rules)
    assert found.model == request_body.get("model") if found.tier is None else found.model == "S"


@given(REQUESTS)
def test_it_sees_what_the_recognisers_were_learned_on(request_body: dict[str, Any]) -> None:
    seen, learned = look(request_body), view({**request_body, "prompt": None})
    assert (seen.system, seen.user, tuple(sorted(seen.tools))) == (learned.system, learned.user, learned.tools)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ([], "not a routes file"),
        ({"schema": "other"}, "not a routes file"),
        (document(routes=[{}]), "routes file: KeyError"),
        (document(tiers=None), "routes file: TypeError"),
        (document(route(), route()), "route orders: the id is used twice"),
        (document(route(tier="huge")), "route orders: unknown tier 'huge'"),
        (document(route(fallbacks=["huge"])), "route orders: unknown tier 'huge'"),
        (document(route(models="gpt-5")), "route orders: models must be a list"),
        (document(route(match=[{"user_regex": "("}])), "route orders: user_regex is not a valid pattern"),
        (document(route(match=[{"user_regex": "x" * 10_001}])), "route orders: user_regex must be a string of at most"),
        (document(route(match=[{"user_regex": ""}])), "route orders: user_regex must be a string"),
        (document(route(match=[{"similar": "x"}])), "route orders: cannot match by 'similar'"),
        (document(route(match=[{"tools": [1]}])), "route orders: tools must be a list of strings"),
        (document(route(match=[{"system_sha256": []}])), "route orders: system_sha256 must be a list of strings"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_place(broken: Any, message: str) -> None:
    with pytest.raises(RoutesError) as error:
        Routes(broken)
    assert str(error.value).startswith(message)


def test_a_file_that_is_not_json_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text("{")
    with pytest.raises(RoutesError, match=r"routes\.json: not JSON"):
        load(str(tmp_path / "routes.json"))


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> tuple[int, list[Any], str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code = tieraudit_route.main(arguments)
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_on_the_command_line_it_answers_one_request_or_one_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "routes.json"
    path.write_text(json.dumps(document(route())))
    pretty = json.dumps(chat("x", tags=["task/orders"]), indent=2)
    code, answers, _ = run(monkeypatch, capsys, [str(path)], pretty)
    assert (code, [answer["tier"] for answer in answers]) == (0, ["small"])
    lines = f"{json.dumps(chat('x'))}\n\n{json.dumps(chat('x', tags=['task/orders']))}\n"
    code, answers, _ = run(monkeypatch, capsys, [str(path)], lines)
    assert (code, [answer["model"] for answer in answers]) == (0, ["gpt-5", "S"])


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_on_the_command_line_what_is_no_request_is_an_error_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "routes.json"
    path.write_text(json.dumps(document(route())))
    code, answers, err = run(monkeypatch, capsys, [str(path)], text)
    assert (code, answers) == ((0, []) if not text else (2, []))
    assert err.count("\n") == (1 if text else 0)


def test_on_the_command_line_a_missing_file_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, capsys, [str(tmp_path / "none.json")], "{}")[0] == 2
    code, _, err = run(monkeypatch, capsys, [], "")
    assert (code, err.startswith("usage:")) == (2, True)


def test_it_needs_python_3_9_and_nothing_else() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 9))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= sys.stdlib_module_names
