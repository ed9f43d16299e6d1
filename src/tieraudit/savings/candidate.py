"""What one replay would cost on a tier: from the user's token rates, from measured GPU time, or as it was billed."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from tieraudit.config import Engine

HOURS_PER_MONTH = Decimal("730.5")
MS_PER_HOUR = Decimal(3_600_000)
MTOK = Decimal(1_000_000)


class Pricing(StrEnum):
    """Where a tier's price comes from, strongest first."""

    RATES = "rates"
    GPU = "gpu"
    BILLED = "billed"


def pricing_of(engine: Engine) -> Pricing:
    """Token rates when both are configured, else GPU time when an hourly price is, else the price at the replay."""
    if engine.input_usd_per_mtok is not None and engine.output_usd_per_mtok is not None:
        return Pricing.RATES
    return Pricing.GPU if engine.gpu_usd_per_hour is not None else Pricing.BILLED


def token_cost(engine: Engine, input_tokens: int | None, output_tokens: int | None) -> Decimal | None:
    """Tokens x the configured rates; None when a rate or a count is missing. Cached tokens count in full."""
    if engine.input_usd_per_mtok is None or engine.output_usd_per_mtok is None:
        return None
    if input_tokens is None or output_tokens is None:
        return None
    return (input_tokens * engine.input_usd_per_mtok + output_tokens * engine.output_usd_per_mtok) / MTOK


def gpu_cost(engine: Engine, latency_ms: float) -> Decimal:
    """Rent of the GPU for one replay: its latency, shared by the replays in flight, at the configured utilisation.

    With ``concurrency`` requests always in flight the engine is busy for latency / concurrency per request
    (Little's law). A GPU that works only ``utilisation`` of the time is paid for the rest as well. Prompt and
    answer lengths move this up to thirtyfold, so it is measured per call and never turned into one rate per token.
    """
    if engine.gpu_usd_per_hour is None:
        raise ValueError(f"tier {engine.name} has no gpu_usd_per_hour")
    busy_ms = Decimal(repr(latency_ms)) / engine.concurrency
    return engine.gpu_usd_per_hour * busy_ms / MS_PER_HOUR / Decimal(repr(engine.utilisation))


def replay_cost(
    engine: Engine,
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    latency_ms: float,
    billed_usd: Decimal | None,
) -> Decimal | None:
    """What this replay would cost in production on ``engine``; None when nothing prices it.

    Failed replays do not belong here: they fall back to the incumbent at its full price.
    """
    pricing = pricing_of(engine)
    if pricing is Pricing.RATES:
        return token_cost(engine, input_tokens, output_tokens)
    if pricing is Pricing.GPU:
        return gpu_cost(engine, latency_ms)
    return billed_usd


def dedicated_month(engine: Engine) -> Decimal | None:
    """One GPU of this tier rented around the clock for a month of 30.4375 days; None when the tier is not rented."""
    if pricing_of(engine) is not Pricing.GPU or engine.gpu_usd_per_hour is None:
        return None
    return engine.gpu_usd_per_hour * HOURS_PER_MONTH
