"""Assign: one tier for every task, with its reason; pins first, then proof, then what is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.replayed import (
    AUDIT,
    calls_of,
    config,
    outcomes,
    put_audit,
    put_edit,
    put_replays,
    put_task,
    put_verdict,
    replayed_store,
)

from tieraudit.config import Config
from tieraudit.domain import Assignment, ContentState, VerdictKind
from tieraudit.errors import ConfigError, StoreError
from tieraudit.pipeline.assign import assign
from tieraudit.store import Store

MONTH = Decimal("30.4375") / 28
GPU = "gpu_usd_per_hour = 3.6\nutilisation = 0.5\nconcurrency = 4"


def by_task(store: Store, settings: Config | None = None) -> dict[str, Assignment]:
    """The assignments of the audit, by task."""
    return {each.task_id: each for each in assign(store, settings or config(), AUDIT)}


def near(amount: Decimal) -> Any:
    """``amount`` to the nano-dollar."""
    return pytest.approx(amount, abs=Decimal("2e-9"))


def test_a_proven_task_moves_with_its_reason_and_its_money() -> None:
    found = by_task(replayed_store())["triage"]
    assert (found.tier, found.model, found.verdict) == ("small", "tiny-1b", VerdictKind.PROVEN)
    assert found.reason == "98 of 100 replays agreed"
    assert found.cost_now_usd_month == near(Decimal("5.60") * MONTH)
    # 200 tokens in and 20 out at $0.50 and $1.00 a million are $0.00012 a call, instead of $0.01.
    assert found.cost_then_usd_month == near(Decimal("0.0672") * MONTH)


def test_refuted_and_undecided_tasks_stay_at_their_price() -> None:
    found = by_task(replayed_store())
    for task, kind in (("summaries", VerdictKind.REFUTED), ("reviews", VerdictKind.UNDECIDED)):
        assert (found[task].tier, found[task].model, found[task].verdict) == ("frontier", "gpt-4o", kind)
        assert found[task].cost_then_usd_month == found[task].cost_now_usd_month


def test_every_task_has_one_assignment_and_a_reason_the_dearest_first() -> None:
    store = replayed_store()
    found = assign(store, config(), AUDIT)
    assert sorted(each.task_id for each in found) == ["chatter", "reviews", "summaries", "triage"]
    assert all(each.reason for each in found)
    costs = [each.cost_now_usd_month for each in found]
    assert costs == sorted(costs, reverse=True)


def test_assigning_twice_changes_nothing() -> None:
    store = replayed_store()
    first = assign(store, config(), AUDIT)
    rows = store.rows("report_assignments", audit_id=AUDIT)
    assert assign(store, config(), AUDIT) == first
    assert store.rows("report_assignments", audit_id=AUDIT) == rows
    assert len(rows) == 4


def test_a_new_price_needs_no_new_replay() -> None:
    store = replayed_store()
    cheap = by_task(store)["triage"].cost_then_usd_month
    dear = by_task(store, config(small="input_usd_per_mtok = 1.0\noutput_usd_per_mtok = 2.0"))["triage"]
    assert dear.cost_then_usd_month == near(2 * cheap)


def test_gpu_time_is_priced_from_the_measured_latency() -> None:
    found = by_task(replayed_store(), config(small=GPU))["triage"]
    # 0.3 s shared by 4 is 0.075 s at $0.001 a second, half of the time idle: $0.00015 a call.
    assert found.cost_then_usd_month == near(560 * Decimal("0.00015") * MONTH)


def test_gpu_time_that_was_measured_is_taken_from_the_rent_and_follows_its_price() -> None:
    store = Store(None)
    put_audit(store, settings={"tiers": [{"name": "small", "gpu_usd_per_hour": "1.8"}]})
    ids = put_task(store, "triage", calls_of("triage", 560))
    put_replays(store, "triage", [(each, 1.0) for each in ids[:100]], billed="0.0001")
    put_verdict(store, "triage", VerdictKind.PROVEN)
    # $0.0001 at $1.80 an hour were 0.2 s; at $3.60 an hour and half idle they cost $0.0004, whatever the latency.
    found = by_task(store, config(small=GPU))["triage"]
    assert found.cost_then_usd_month == near(560 * Decimal("0.0004") * MONTH)


def test_a_call_of_a_long_conversation_stands_for_all_of_it() -> None:
    store = Store(None)
    put_audit(store)
    chat = calls_of("chat", 90, conversation_id="c-1")
    ids = put_task(store, "mixed", [*chat, *calls_of("single", 10)])
    put_replays(store, "mixed", [(ids[0], 1.0)], tokens=(2000, 200))
    put_replays(store, "mixed", [(each, 1.0) for each in ids[90:]], stage=2)
    put_verdict(store, "mixed", VerdictKind.PROVEN)
    found = by_task(store)["mixed"]
    # Ninety calls like the first at $0.0012, and ten at $0.00012.
    assert found.cost_then_usd_month == near((90 * Decimal("0.0012") + 10 * Decimal("0.00012")) * MONTH)


def test_without_a_configured_price_the_billed_replies_count() -> None:
    found = by_task(replayed_store(), config(small=""))["triage"]
    assert found.cost_then_usd_month == near(560 * Decimal("0.0001") * MONTH)


def test_a_proven_task_without_any_price_stays_and_says_what_to_set() -> None:
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", calls_of("triage", 100))
    put_replays(store, "triage", [(each, 1.0) for each in ids[:40]], billed=None)
    put_verdict(store, "triage", VerdictKind.PROVEN)
    found = by_task(store, config(small=""))["triage"]
    assert (found.tier, found.verdict) == ("frontier", VerdictKind.PROVEN)
    assert "its price is unknown: set input_usd_per_mtok" in found.reason
    assert found.cost_then_usd_month == found.cost_now_usd_month


def test_a_proven_task_that_would_cost_more_stays() -> None:
    dear = "input_usd_per_mtok = 100\noutput_usd_per_mtok = 100"
    found = by_task(replayed_store(), config(small=dear))["triage"]
    assert found.tier == "frontier"
    assert "is as good, but would cost $13.39 a month instead of $6.09" in found.reason


def test_the_share_of_replays_that_failed_keeps_the_full_price() -> None:
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", calls_of("triage", 560))
    drawn: list[tuple[Any, float | None]] = [(each, 1.0) for each in ids[:96]]
    put_replays(store, "triage", [*drawn, *((each, None) for each in ids[96:100])])
    put_verdict(store, "triage", VerdictKind.PROVEN, errors=4)
    found = by_task(store)["triage"]
    assert found.cost_then_usd_month == near((560 * Decimal("0.01") * 4 + 560 * Decimal("0.00012") * 96) / 100 * MONTH)


def test_failed_calls_cost_what_the_log_says_on_any_tier() -> None:
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", [*calls_of("triage", 560), *failed_calls(10)])
    put_replays(store, "triage", [(each, 1.0) for each in ids[:100]])
    put_verdict(store, "triage", VerdictKind.PROVEN)
    found = by_task(store)["triage"]
    assert found.cost_now_usd_month == near(Decimal("5.62") * MONTH)
    assert found.cost_then_usd_month == near((Decimal("0.0672") + Decimal("0.02")) * MONTH)


def failed_calls(count: int) -> list[Any]:
    """Calls that the provider did not answer and yet charged $0.002 for."""
    calls = calls_of("late", count, cost="0.002")
    return [type(call)(**{**fields(call), "error_type": "timeout", "response": None}) for call in calls]


def fields(call: Any) -> dict[str, Any]:
    """A slotted dataclass as a dict, one level deep."""
    return {name: getattr(call, name) for name in call.__dataclass_fields__}


def test_unpriced_calls_are_in_no_amount() -> None:
    store = Store(None)
    put_audit(store)
    put_task(store, "mixed", [*calls_of("priced", 100), *calls_of("unpriced", 50, cost=None)])
    assert by_task(store)["mixed"].cost_now_usd_month == near(Decimal(1) * MONTH)


def test_the_cheapest_proven_tier_wins() -> None:
    three = """
[tiers.small]
model = "tiny-1b"
engine = "vllm"
gpu_usd_per_hour = 90
[tiers.mid]
model = "mid-1"
engine = "openai"
base_url = "http://127.0.0.1:3/v1"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 1.0
[tiers.frontier]
engine = "openai"
base_url = "http://127.0.0.1:2/v1"
"""
    from tieraudit.config import parse_config

    store = replayed_store()
    put_verdict(store, "triage", VerdictKind.PROVEN, tier="mid", model="mid-1", reason="mid agreed")
    drawn = store.rows("assign_sampled_replies", audit_id=AUDIT)
    assert drawn
    found = by_task(store, parse_config(three, path=None))["triage"]
    assert (found.tier, found.model, found.reason) == ("mid", "mid-1", "mid agreed"), "small costs more than mid here"


def test_a_pin_in_the_config_holds_against_proof() -> None:
    pin = '[[pins]]\ntask = "triage"\ntier = "frontier"\nreason = "cost of error"'
    found = by_task(replayed_store(), config(pin))["triage"]
    assert (found.tier, found.verdict) == ("frontier", VerdictKind.PINNED)
    assert found.reason == "pinned to frontier in tieraudit.toml: cost of error"


def test_a_pin_to_a_cheap_tier_moves_and_says_that_it_is_not_proven() -> None:
    pin = '[[pins]]\ntask = "reviews"\ntier = "small"\nreason = "in-house only"'
    found = by_task(replayed_store(), config(pin))["reviews"]
    assert (found.tier, found.verdict) == ("small", VerdictKind.PINNED)
    assert found.reason.endswith("in-house only; not proven by evidence: undecided after 50 replays")
    assert found.cost_then_usd_month < found.cost_now_usd_month


def test_a_pin_to_a_cheap_tier_that_is_proven_says_so() -> None:
    pin = '[[pins]]\ntype = "classification"\ntier = "small"\nreason = "in-house only"'
    found = by_task(replayed_store(), config(pin))["triage"]
    assert found.reason.endswith("; the evidence agrees: it is proven there")


def test_a_pin_without_replays_is_priced_from_the_logged_tokens() -> None:
    pin = '[[pins]]\ntask = "chatter"\ntier = "small"\nreason = "in-house only"'
    found = by_task(replayed_store(), config(pin))["chatter"]
    assert "it was not tested; its price there is estimated from the log's token counts" in found.reason
    assert found.cost_then_usd_month == near(10 * Decimal("0.00012") * MONTH)


def test_a_pin_without_any_price_claims_no_savings() -> None:
    pin = '[[pins]]\ntask = "chatter"\ntier = "small"\nreason = "in-house only"'
    found = by_task(replayed_store(), config(pin, small=GPU))["chatter"]
    assert found.tier == "small"
    assert found.cost_then_usd_month == found.cost_now_usd_month
    assert found.reason.endswith("its price there is unknown, so no savings are counted")


def test_a_pin_by_hand_comes_before_the_config() -> None:
    store = replayed_store()
    put_edit(store, "triage", "frontier", None)
    found = by_task(store, config('[[pins]]\ntask = "triage"\ntier = "small"'))["triage"]
    assert found.reason == "pinned to frontier by hand: no reason given"


def test_a_pin_by_hand_to_a_tier_that_is_gone_is_an_error() -> None:
    store = replayed_store()
    put_edit(store, "triage", "huge", "why not")
    with pytest.raises(ConfigError, match="unknown tier 'huge'"):
        assign(store, config(), AUDIT)


def test_a_task_keeps_the_incumbent_when_a_task_that_was_kept_there_became_part_of_it() -> None:
    store = replayed_store()
    put_edit(store, "gone", "frontier", "cost of error", merged_into="between")
    put_edit(store, "between", None, None, merged_into="triage")
    put_edit(store, "cheap", "small", "in-house", merged_into="reviews")
    found = by_task(store)
    assert found["triage"].reason == "pinned to frontier by hand: cost of error"
    assert found["reviews"].verdict is VerdictKind.UNDECIDED, "what is cheap for a part is not proven for the whole"


def test_one_call_with_a_pinned_tag_pins_its_task() -> None:
    store = Store(None)
    put_audit(store)
    put_task(store, "tagged", [*calls_of("plain", 99), *calls_of("marked", 1, tags=("gdpr",))])
    found = by_task(store, config('[[pins]]\ntag = "gdpr*"\ntier = "frontier"\nreason = "law"'))["tagged"]
    assert found.verdict is VerdictKind.PINNED


@pytest.mark.parametrize(
    ("fields_of_calls", "columns", "kind", "reason"),
    [
        ({}, {"is_tail": True}, VerdictKind.UNDECIDED, "too unlike each other"),
        (
            {"response": None, "content_state": ContentState.ABSENT},
            {},
            VerdictKind.NOT_AUDITABLE,
            "no prompts and answers",
        ),
        ({"content_state": ContentState.REDACTED}, {}, VerdictKind.NOT_AUDITABLE, "redacted in the log"),
        ({"content_state": ContentState.NO_RESPONSE}, {}, VerdictKind.NOT_AUDITABLE, "prompts but no answers"),
        ({"error_type": "timeout"}, {}, VerdictKind.NOT_AUDITABLE, "every call failed"),
        ({"operation": "embeddings"}, {}, VerdictKind.NOT_AUDITABLE, "no chat calls"),
    ],
)
def test_an_untested_task_says_why(
    fields_of_calls: dict[str, Any], columns: dict[str, Any], kind: VerdictKind, reason: str
) -> None:
    store = Store(None)
    put_audit(store)
    put_task(store, "odd", calls_of("odd", 100, **fields_of_calls), **columns)
    found = by_task(store)["odd"]
    assert (found.tier, found.verdict) == ("frontier", kind)
    assert reason in found.reason


def test_a_task_in_the_plan_without_a_replay_says_so() -> None:
    store = Store(None)
    put_audit(store, plan=[{"task_id": "late"}])
    put_task(store, "late", calls_of("late", 100))
    assert by_task(store)["late"].reason == "no replay yet"


def test_unpriced_and_already_cheap_tasks_say_so() -> None:
    store = Store(None)
    put_audit(store)
    put_task(store, "unpriced", calls_of("unpriced", 100, cost=None))
    put_task(store, "cheap", calls_of("cheap", 100, request_model="tiny-1b"))
    found = by_task(store)
    assert found["unpriced"].reason == "no price is known for its calls, so there is nothing to save"
    assert found["cheap"].reason == "tiny-1b serves it already"


def test_a_small_task_says_how_small() -> None:
    store = Store(None)
    put_audit(store)
    put_task(store, "few", calls_of("few", 48))
    put_task(store, "tiny", calls_of("tiny", 100, cost="0.00001"))
    put_task(store, "large", calls_of("large", 100, cost="1"))
    found = by_task(store)
    assert found["few"].reason == "too few calls to test: 48 can be replayed, 60 are needed"
    assert found["tiny"].reason == "too small to be worth testing: 0.00% of the bill"
    assert found["large"].reason == "not tested in this audit: larger tasks came first"


def test_of_two_tiers_the_open_one_speaks_for_a_task_that_stays() -> None:
    three = config('[[pins]]\ntask = "nothing"\ntier = "frontier"')
    store = replayed_store()
    put_verdict(store, "summaries", VerdictKind.UNDECIDED, tier="mid", model="m", n=80, reason="mid is open")
    with pytest.raises(ConfigError, match="which now is not a tier below the incumbent's"):
        assign(store, three, AUDIT)


def test_a_tier_that_names_another_model_now_voids_its_proof() -> None:
    settings = config()
    small, frontier = settings.tiers
    other = type(small)(**{**fields(small), "model": "tiny-2b"})
    with pytest.raises(ConfigError, match="the audit tested tiny-1b as tier 'small', which now names tiny-2b"):
        assign(replayed_store(), type(settings)((other, frontier)), AUDIT)


def test_an_unknown_audit_is_an_error_with_a_hint() -> None:
    with pytest.raises(StoreError, match="there is no audit nope") as caught:
        assign(replayed_store(), config(), "nope")
    assert "tieraudit replay" in caught.value.hint


def test_an_empty_database_is_an_error_with_a_hint() -> None:
    store = Store(None)
    put_audit(store)
    with pytest.raises(StoreError, match="no calls") as caught:
        assign(store, config(), AUDIT)
    assert "tieraudit ingest" in caught.value.hint


def test_only_uniform_draws_price_a_task() -> None:
    """The macro gate draws rare labels more often: its calls say nothing of the average cost."""
    store = Store(None)
    put_audit(store)
    ids = put_task(store, "triage", calls_of("triage", 560))
    put_replays(store, "triage", list(zip(ids[:100], outcomes(100, 2), strict=True)))
    put_replays(store, "triage", [(each, 1.0) for each in ids[100:150]], gate="macro", tokens=(9000, 9000))
    put_verdict(store, "triage", VerdictKind.PROVEN)
    assert by_task(store)["triage"].cost_then_usd_month == near(Decimal("0.0672") * MONTH)
