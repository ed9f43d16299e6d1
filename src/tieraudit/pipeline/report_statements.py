"""What the figures of a report rest on: prices, hardware, estimates and risks, each sentence with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tieraudit.config import Engine
from tieraudit.pipeline.money import Money
from tieraudit.render.report import Statement
from tieraudit.savings.bootstrap import MIN_DAYS, WEEKDAY_DAYS
from tieraudit.savings.candidate import Pricing, dedicated_month, pricing_of

MOST_MODELS = 8
METHOD = "docs/method.md"


def statements(
    *,
    engines: Sequence[Engine],
    models: Sequence[Mapping[str, Any]],
    scope: Mapping[str, Any],
    money: Money,
    moved: Sequence[tuple[str, str]],
    dollar_fdr: float,
) -> tuple[Statement, ...]:
    """All of them. ``engines`` are the tiers that were tested, ``moved`` the (task, tier) pairs that move.

    ``models`` are rows of `report_models`, ``scope`` the row of `report_scope`.
    """
    return (
        *_log_prices(models, scope),
        *(statement for engine in engines for statement in _tier_price(engine, money)),
        *_estimates(money, moved),
        *_risks(scope, dollar_fdr),
    )


def _log_prices(models: Sequence[Mapping[str, Any]], scope: Mapping[str, Any]) -> Iterator[Statement]:
    if scope["logged_costs"]:
        yield Statement(
            "price", f"{scope['logged_costs']:,} calls carry their own cost; it is used as it stands.", "the log"
        )
    if not scope["computed_costs"]:
        return
    yield Statement(
        "price",
        f"{scope['computed_costs']:,} calls are priced from their token counts, at the price of their day.",
        "the price table in the database",
    )
    for row in [row for row in models if row["source"]][:MOST_MODELS]:
        rates = f"{_rate(row['input_usd_per_mtok'])} in and {_rate(row['output_usd_per_mtok'])} out"
        yield Statement("price", f"{row['model']} costs {rates} per million tokens.", row["source"])


def _tier_price(engine: Engine, money: Money) -> Iterator[Statement]:
    pricing = pricing_of(engine)
    key = f"tieraudit.toml, tiers.{engine.name}"
    if pricing is Pricing.RATES:
        rates = f"{_rate(engine.input_usd_per_mtok)} in and {_rate(engine.output_usd_per_mtok)} out"
        yield Statement("price", f"{engine.name} ({engine.model}) costs {rates} per million tokens.", key)
    elif pricing is Pricing.GPU:
        yield _gpu(engine, money, key)
        yield Statement(
            "hardware",
            f"Rented around the clock, that GPU costs ${dedicated_month(engine):,.2f} a month, whatever it serves.",
            f"{key}.gpu_usd_per_hour x 730.5 hours",
        )
    else:
        text = f"{engine.name} ({engine.model}) is priced as its replies were billed when they were replayed."
        yield Statement("price", text, "the replies as recorded")


def _gpu(engine: Engine, money: Money, key: str) -> Statement:
    text = (
        f"{engine.name} ({engine.model}) runs on a GPU at {_rate(engine.gpu_usd_per_hour)} an hour that works "
        f"{engine.utilisation:.0%} of the time."
    )
    source = f"{key}.gpu_usd_per_hour, utilisation"
    if engine.name in money.busy_ms:
        mean_ms, replies = money.busy_ms[engine.name]
        text += f" A replay took {mean_ms / 1000:.2g} s of it on average."
        source += f"; measured on {replies:,} replays"
    return Statement("hardware", text, source)


def _estimates(money: Money, moved: Sequence[tuple[str, str]]) -> Iterator[Statement]:
    days = money.window.days
    if money.window.monthly:
        yield Statement(
            "estimate",
            f"A month is the log's {days} days scaled to 30.4375; a year is 365 days.",
            f"the log; {METHOD}",
        )
        yield Statement("estimate", _days(days), METHOD)
    yield Statement(
        "estimate",
        "What a task would cost elsewhere is the cost of its replayed calls there per dollar of their cost in the log, "
        "times the cost of all its answered calls. Failed calls keep the cost that the log gives them.",
        METHOD,
    )
    prices = [money.prices[pair] for pair in moved if pair in money.prices]
    failed, all_replays = sum(price.fallbacks for price in prices), sum(price.replays for price in prices)
    if failed:
        yield Statement(
            "estimate",
            f"{failed} of {all_replays:,} replays of the tasks that move failed; that share of their calls is taken to "
            "fall back to the incumbent at its full price.",
            "the replies as recorded",
        )


def _days(days: int) -> str:
    if days < MIN_DAYS:
        return f"No interval is given: {days} days do not say how days differ."
    if days < WEEKDAY_DAYS:
        return (
            f"Intervals come from drawing the log's {days} days again; under {WEEKDAY_DAYS} days a Sunday counts as a "
            "Monday does, so they are rough."
        )
    return "Intervals come from drawing the log's days again, each within its weekday, with the error of each sample."


def _risks(scope: Mapping[str, Any], dollar_fdr: float) -> Iterator[Statement]:
    yield Statement(
        "risk",
        "Agreement is behaviour preservation, not truth: where the incumbent errs, a model that agrees errs as well.",
        METHOD,
    )
    yield Statement(
        "risk",
        f"The error rate of {dollar_fdr * 100:g}% is an expectation over audits, in dollars; it is no promise for one "
        "task. The interval beside each task is its own.",
        METHOD,
    )
    yield Statement(
        "risk",
        "The evidence covers this log's window. Prompts and traffic change: tieraudit monitor checks each next week.",
        METHOD,
    )
    yield Statement(
        "risk",
        "Prompts were written for the incumbent, so a cheaper model may be better than shown. A prompt changed for it "
        "is a new task and needs a new audit.",
        METHOD,
    )
    yield Statement(
        "risk",
        "A call that is one step of a conversation or an agent is replayed on the logged steps before it.",
        METHOD,
    )
    if scope["content_share"] < 1:
        yield Statement(
            "risk",
            f"{scope['content_share']:.1%} of calls could be replayed; the others of a task are taken to be like them.",
            "the log",
        )


def _rate(amount: Decimal | None) -> str:
    text = f"{amount or Decimal(0):f}"
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.rstrip('0').ljust(2, '0')}"
