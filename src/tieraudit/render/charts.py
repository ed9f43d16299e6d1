"""The geometry of the report's charts, in percent of their width and height; the template draws them as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from tieraudit.render.report import Report, TierEvidence
from tieraudit.render.story import BillPart, bill_parts

MOST_POINTS = 240
LEAST_WEALTH = 1e-3


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of one bar: from ``x`` on, ``width`` wide, in percent."""

    part: BillPart
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class BillChart:
    """Two bars on one scale: today's bill, and the bill after with its interval and the savings as the gap."""

    parts: tuple[BillPart, ...]
    today: tuple[Bar, ...]
    after: tuple[Bar, ...]
    today_end: float
    after_end: float
    low: float | None
    high: float | None


def bill_chart(report: Report) -> BillChart:
    """The bill today and after, split by fate."""
    parts, totals = bill_parts(report), report.totals
    longest = max(totals.cost_now.value, totals.cost_then.value, totals.cost_then.high or totals.cost_then.value)
    scale = 100 / float(longest) if longest else 0.0
    today = _stack(parts, [float(part.now_usd) * scale for part in parts])
    after = _stack(parts, [float(part.then_usd) * scale for part in parts])
    then = totals.cost_then
    return BillChart(
        parts,
        today,
        after,
        _cut(float(totals.cost_now.value) * scale),
        _cut(float(then.value) * scale),
        None if then.low is None else _cut(max(0.0, float(then.low)) * scale),
        None if then.high is None else _cut(float(then.high) * scale),
    )


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis, in percent."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class WealthLine:
    """One gate's curve as SVG points in a 100 x 100 box, y down."""

    gate: str
    points: str


@dataclass(frozen=True, slots=True)
class WealthChart:
    """What a dollar became, on a log scale, with the threshold of proof."""

    lines: tuple[WealthLine, ...]
    threshold: float
    start: float
    ticks: tuple[Tick, ...]
    replays: int


def wealth_chart(found: TierEvidence) -> WealthChart | None:
    """The betting curve of one tier; None when nothing was replayed."""
    paths = [path for path in found.wealth if len(path.values) > 1]
    if not paths:
        return None
    seen = [max(value, LEAST_WEALTH) for path in paths for value in path.values]
    low = floor(log10(min([*seen, 1.0])))
    high = max(ceil(log10(max([*seen, found.threshold * 1.5]))), low + 1)

    def height(value: float) -> float:
        return _cut(100 * (high - log10(max(value, LEAST_WEALTH))) / (high - low))

    longest = max(len(path.values) for path in paths) - 1
    step = max(1, (high - low) // 4)
    ticks = tuple(Tick(height(10.0**power), _dollar_power(power)) for power in range(low, high + 1, step))
    lines = tuple(WealthLine(path.gate, _points(path.values, longest, height)) for path in paths)
    return WealthChart(lines, height(found.threshold), height(1.0), ticks, longest)


@dataclass(frozen=True, slots=True)
class AgreementMark:
    """One tier's agreement with its interval and the level it had to exceed, in percent of the axis."""

    found: TierEvidence
    at: float
    low: float
    high: float
    bar: float | None


@dataclass(frozen=True, slots=True)
class AgreementChart:
    """Agreement by tier on one axis that ends at 100%."""

    marks: tuple[AgreementMark, ...]
    ticks: tuple[Tick, ...]


def agreement_chart(evidence: Sequence[TierEvidence]) -> AgreementChart | None:
    """Agreement by tier; None when no tier has a score."""
    shown = [found for found in evidence if found.agreement is not None]
    if not shown:
        return None
    lows = [found.agreement_low if found.agreement_low is not None else found.agreement or 0.0 for found in shown]
    least = min([*lows, *(found.bar for found in shown if found.bar is not None), 0.9])
    start = max(-1.0, floor(least * 10) / 10)

    def place(value: float) -> float:
        return _cut(100 * (min(1.0, max(start, value)) - start) / (1 - start))

    marks = tuple(
        AgreementMark(
            found,
            place(found.agreement or 0.0),
            place(low),
            place(found.agreement_high if found.agreement_high is not None else found.agreement or 0.0),
            None if found.bar is None else place(found.bar),
        )
        for found, low in zip(shown, lows, strict=True)
    )
    middle = (start + 1) / 2
    ticks = tuple(Tick(place(value), f"{value * 100:.0f}%") for value in (start, middle, 1.0))
    return AgreementChart(marks, ticks)


def _stack(parts: Sequence[BillPart], widths: Sequence[float]) -> tuple[Bar, ...]:
    bars, x = [], 0.0
    for part, width in zip(parts, widths, strict=True):
        bars.append(Bar(part, _cut(x), _cut(width)))
        x += width
    return tuple(bars)


def _points(values: Sequence[float], longest: int, height: Callable[[float], float]) -> str:
    last = len(values) - 1
    keep = sorted({round(place * last / min(last, MOST_POINTS)) for place in range(min(last, MOST_POINTS) + 1)})
    return " ".join(f"{_cut(100 * place / longest)},{height(values[place])}" for place in keep)


def _dollar_power(power: int) -> str:
    if power < 0:
        return f"${10.0**power:.{-power}f}"
    return f"${10**power:,}" if power < 6 else f"$1e{power}"


def _cut(value: float) -> float:
    return round(value, 2)
