"""Trying routes on logged calls: what they reach, and that no recogniser moves what was not proven."""

from __future__ import annotations

from dataclasses import replace

from tests.fixtures.routing import chat, routing_plan

from tieraudit.domain import Recogniser
from tieraudit.routers.base import Route, RoutingPlan
from tieraudit.routers.reach import Sampled, mover, reach, separated


def plan(*routes: Route) -> RoutingPlan:
    return routing_plan(routes=routes, examples=())


def route(name: str, tier: str | None, *patterns: str) -> Route:
    rules = tuple(Recogniser("user_regex", pattern, 1.0, 1.0) for pattern in patterns)
    return Route(f"t-{name}", name, name, tier, rules, models=("gpt-5",))


def sample(name: str | None, texts: list[str], calls: int | None = None) -> Sampled:
    task = None if name is None else f"t-{name}"
    return Sampled(task, calls or len(texts), [chat(text) for text in texts])


def kept(found: RoutingPlan) -> dict[str, int]:
    return {each.slug: len(each.recognisers) for each in found.routes}


def test_the_reach_is_the_share_of_a_tasks_calls_that_its_own_route_moves() -> None:
    found = reach(
        plan(route("a", "small", "^apple"), route("b", "mid", "^banana")),
        [sample("a", ["apple", "apple pie", "pie", "banana"]), sample("b", ["banana"]), sample(None, ["apple"])],
    )
    assert found == {"a": 0.5, "b": 1.0}


def test_a_canary_does_not_change_the_reach() -> None:
    routes = replace(plan(route("a", "small", "^apple")), canary_percent=1)
    assert reach(routes, [sample("a", ["apple"] * 5)]) == {"a": 1.0}


def test_a_task_that_stays_and_one_without_calls_have_no_reach() -> None:
    assert reach(plan(route("a", None, "a"), route("b", "small", "b")), [sample("a", ["a"]), sample("b", [])]) == {}


def test_recognisers_that_catch_nobody_else_stay() -> None:
    routes = plan(route("a", "small", "^apple"), route("b", None))
    assert separated(routes, [sample("a", ["apple"] * 9), sample("b", ["pear"] * 9)]) == routes


def test_a_recogniser_that_catches_a_task_that_stays_goes() -> None:
    found = separated(
        plan(route("a", "small", "^a"), route("b", None)),
        [sample("a", ["apple"] * 99, calls=100_000), sample("b", ["avocado", *["pear"] * 9], calls=10)],
    )
    assert kept(found) == {"a": 0, "b": 0}


def test_a_task_that_is_known_by_itself_needs_no_protection() -> None:
    routes = plan(route("a", "small", "^a"), route("b", None, "^avocado"))
    assert kept(separated(routes, [sample("a", ["apple"] * 9), sample("b", ["avocado"] * 9)])) == {"a": 1, "b": 1}


def test_a_task_that_was_proven_for_a_dearer_tier_is_not_moved_to_a_cheaper_one() -> None:
    samples = [sample("a", ["apple"] * 9), sample("b", ["avocado"] * 9)]
    assert kept(separated(plan(route("a", "small", "^a"), route("b", "mid")), samples))["a"] == 0
    assert kept(separated(plan(route("a", "mid", "^a"), route("b", "small")), samples))["a"] == 1


def test_calls_of_no_task_may_be_caught_once_in_a_hundred_but_not_more() -> None:
    routes = plan(route("a", "small", "^a"))
    few = [sample("a", ["apple"] * 9, calls=990), sample(None, ["ant", *["x"] * 99], calls=900)]
    many = [sample("a", ["apple"] * 9, calls=90), sample(None, ["ant", *["x"] * 99], calls=900)]
    assert kept(separated(routes, few)) == {"a": 1}
    assert kept(separated(routes, many)) == {"a": 0}


def test_taking_one_recogniser_away_may_uncover_the_next() -> None:
    routes = plan(route("a", "small", "^a"), route("b", "small", "^av"), route("c", None))
    samples = [sample("a", ["apple"] * 9), sample("b", ["avow"] * 9), sample("c", ["avocado"] * 9)]
    assert kept(separated(routes, samples)) == {"a": 0, "b": 0, "c": 0}


def test_a_mover_says_which_route_and_by_what() -> None:
    move = mover(plan(route("a", "small", "^a")))(chat("apple"))
    assert move is not None
    assert (move.slug, move.kind, move.tier) == ("a", "user_regex", "small")
    assert mover(plan(route("a", "small", "^a")))(chat("pear")) is None
