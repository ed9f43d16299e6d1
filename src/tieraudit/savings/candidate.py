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


def shared_ms(engine: Engine, latency_ms: float) -> Decimal:
    """The engine's time that a reply took, where it was not measured: its latency, shared by the replies in flight.

    With ``concurrency`` requests always in flight the engine is busy for latency / concurrency each (Little's law).
    """
    return Decimal(repr(latency_ms)) / engine.concurrency


def rented_ms(billed_usd: Decimal, gpu_usd_per_hour: Decimal) -> Decimal:
    """The engine's time behind a reply that was billed as rent at ``gpu_usd_per_hour``, which is above zero."""
    return billed_usd * MS_PER_HOUR / gpu_usd_per_hour


def gpu_cost(engine: Engine, busy_ms: Decimal) -> Decimal:
    """Rent of the GPU for ``busy_ms`` of its time in production, where it works only ``utilisation`` of the time.

    Prompt and answer lengths move the time of a call up to thirtyfold, so it is measured for each replayed call and
    never turned into one rate per token. Raises ValueError for a tier without a rent.
    """
    if engine.gpu_usd_per_hour is None:
        raise ValueError(f"tier {engine.name} has no gpu_usd_per_hour")
    return engine.gpu_usd_per_hour * busy_ms / MS_PER_HOUR / Decimal(repr(engine.utilisation))


def replay_cost(
    engine: Engine,
    *,
    input_tokens: int | None,
    output_tokens: int | None,
    busy_ms: Decimal,
    billed_usd: Decimal | None,
) -> Decimal | None:
    """What this replay would cost in production on ``engine``; None when nothing prices it.

    ``busy_ms`` is the engine's time that it took, from `rented_ms` or `shared_ms`. Failed replays do not belong here:
    they fall back to the incumbent at its full price.
    """
    pricing = pricing_of(engine)
    if pricing is Pricing.RATES:
        return token_cost(engine, input_tokens, output_tokens)
    if pricing is Pricing.GPU:
        return gpu_cost(engine, busy_ms)
    return billed_usd


def dedicated_month(engine: Engine) -> Decimal | None:
    """One GPU of this tier rented around the clock for a month of 30.4375 days; None when the tier is not rented."""
    if pricing_of(engine) is not Pricing.GPU or engine.gpu_usd_per_hour is None:
        return None
    return engine.gpu_usd_per_hour * HOURS_PER_MONTH
